"""Rough poses of flights whose lens nobody knows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_flight import LENS, flown, jittered

from aftermap.model.media import FocalSource
from aftermap.sfm import initial_reconstruction
from aftermap.sfm.initial_reconstruction import fit_of, skeletons_of
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.tracks import Tracks


def ahead(rng, frames=14):
    along = np.arange(frames) * 6.0
    positions = np.stack([0 * along, along, 0 * along + 40], axis=1)
    positions += rng.normal(0, 0.3, positions.shape)
    return jittered(rng, 1.5 * np.sin(along / 20), np.full(frames, -12.0), 0.3), positions


@pytest.mark.parametrize("assumed", [0.75, 1.25])
def test_a_forward_flight_with_an_assumed_lens_goes_ahead_and_fits(assumed):
    rng = np.random.default_rng(1)
    points = rng.uniform([-120, 20, 0], [120, 500, 12], (2500, 3))
    made = flown(rng, ahead(rng), points)
    focal = assumed * LENS[0]
    frames = tuple(
        replace(f, focal_px=focal, focal_sigma_px=0.2 * focal, focal_source=FocalSource.ASSUMED)
        for f in made.frames
    )
    keypoints = [made.sights.xy_px[made.sights.frame == i] for i in range(len(frames))]
    feature = np.zeros(len(made.sights.frame), np.int32)
    for i in range(len(frames)):
        own = made.sights.frame == i
        feature[own] = np.arange(own.sum())
    tracks = Tracks(start=made.sights.start, frame=made.sights.frame, feature=feature)
    found = skeletons_of(frames, keypoints, tracks, PoseOptions())[0]
    assert len(found.frames) == len(frames)
    steps = np.diff(found.positions, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    assert np.einsum("ni,ni->n", steps, found.rotations[1:, 2]).min() > 0.9
    assert next(iter(found.lenses.values()))[0] == pytest.approx(LENS[0], rel=0.1)
    assert fit_of(found, frames, keypoints, tracks) > 0.9 * len(tracks.frame)


def test_colmap_adds_on_one_thread_so_that_a_run_repeats(monkeypatch):
    asked = []
    for name in ("incremental_models", "global_models"):
        monkeypatch.setattr(initial_reconstruction, name, lambda *given: asked.append(given[2]))
    monkeypatch.setattr(initial_reconstruction, "_skeletons", lambda *_: [])
    frame = flown(
        np.random.default_rng(1), ahead(np.random.default_rng(1)), np.zeros((9, 3))
    ).frames[0]
    initial_reconstruction._map_once(Path("a"), Path("b"), [frame], 0)
    initial_reconstruction._solve_at_once(Path("a"), Path("b"), [frame], 0)
    assert [options.num_threads for options in asked] == [1, 1]
