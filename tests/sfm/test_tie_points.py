"""Tie points found again: a picture shifted by a known part of a pixel gives that shift back."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from in_process import InProcess
from made_up_flight import block_of_flown, flown, frame_of

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import rays_cam
from aftermap.sfm.patch_kernel import SEARCH, SIDE, align, templates_at
from aftermap.sfm.tie_points import aligned_tie_points, evenly_chosen
from aftermap.sfm.triangulate import opencv_params

BLUR_PX = 0.8


class Waves:
    """A smooth texture that can be sampled anywhere, exactly."""

    def __init__(self, seed, shortest_px=5.0, longest_px=40.0, count=60):
        rng = np.random.default_rng(seed)
        length = np.exp(rng.uniform(np.log(shortest_px), np.log(longest_px), count))
        angle = rng.uniform(0, np.pi, count)
        self.u = 2 * np.pi * np.cos(angle) / length
        self.v = 2 * np.pi * np.sin(angle) / length
        self.phase = rng.uniform(0, 2 * np.pi, count)
        self.height = 40 * np.sqrt(length / longest_px) / np.sqrt(count / 8)

    def at(self, x, y):
        grey = np.full(np.shape(x), 128.0)
        for u, v, phase, height in zip(self.u, self.v, self.phase, self.height, strict=True):
            grey += height * np.cos(u * x + v * y + phase)
        return grey


def picture(waves, shift=(0.0, 0.0), size=(240, 180), *, gain=1.0, noise=0.0, seed=0):
    """Grey values at pixel centres of the texture, moved right and down by the shift."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    grey = gain * (waves.at(x - shift[0], y - shift[1]) - 128) + 128
    grey += np.random.default_rng(seed).normal(0, noise, grey.shape)
    return np.clip(np.round(grey), 0, 255).astype(np.float32)


def smooth(grey):
    return cv2.GaussianBlur(grey, (0, 0), BLUR_PX)


def places():
    x, y = np.meshgrid(np.arange(30.0, 211, 20), np.arange(30.0, 151, 20))
    return np.column_stack([x.ravel(), y.ravel()]) + 0.37


def found_again(first, second, predicted, warps=None):
    xy = places()
    templates = np.zeros((len(xy), SIDE + 2, SIDE + 2), np.float32)
    good = np.zeros(len(xy), bool)
    templates_at(smooth(first), xy, templates, good)
    assert good.all(), "the texture has structure everywhere"
    found, likeness = np.zeros((len(xy), 2)), np.zeros(len(xy))
    warps = np.tile(np.eye(2), (len(xy), 1, 1)) if warps is None else warps
    align(smooth(second), predicted, warps, templates, found, likeness)
    return found, likeness


@pytest.mark.parametrize("shift", [(0.5, 0.5), (0.25, -0.4), (-1.3, 2.2), (2.9, -0.1), (0.0, 0.0)])
def test_a_shift_is_found_to_a_twentieth_of_a_pixel(shift):
    waves = Waves(1)
    found, likeness = found_again(picture(waves), picture(waves, shift), places())
    error = found - places() - shift
    assert (likeness > 0.95).all()
    assert np.abs(error).max() < 0.05
    assert np.abs(error.mean(axis=0)).max() < 0.01, "no bias towards whole pixels"


def test_a_darker_noisier_picture_gives_the_shift_to_a_tenth_of_a_pixel():
    waves, shift = Waves(2), (0.62, -0.31)
    second = picture(waves, shift, gain=0.6, noise=3.0, seed=4)
    found, likeness = found_again(picture(waves, noise=3.0, seed=5), second, places())
    error = (found - places() - shift)[likeness > 0.8]
    assert np.mean(likeness > 0.8) > 0.9
    assert error.std(axis=0).max() < 0.1


def test_a_picture_turned_and_scaled_as_the_geometry_says_is_matched_as_exactly():
    waves = Waves(3)
    turn = np.radians(25)
    affine = 1.15 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    x, y = np.meshgrid(np.arange(340), np.arange(340))
    back = np.stack([x - 100.3, y - 20.7], axis=-1) @ np.linalg.inv(affine).T
    second = np.round(waves.at(back[..., 0], back[..., 1])).astype(np.float32)
    true = places() @ affine.T + [100.3, 20.7]
    inside = ((true > 40) & (true < 300)).all(axis=1)
    predicted = true + np.random.default_rng(1).uniform(-1.5, 1.5, true.shape)
    warps = np.tile(affine, (len(true), 1, 1))
    found, likeness = found_again(picture(waves), second, predicted, warps)
    assert inside.sum() > 20
    assert (likeness[inside] > 0.9).all()
    assert np.abs(found - true)[inside].max() < 0.08


def test_a_patch_of_something_else_is_not_taken_for_the_point():
    _, likeness = found_again(picture(Waves(4)), picture(Waves(5)), places())
    assert np.mean(likeness > 0.8) < 0.05


def test_a_point_farther_off_than_the_search_is_not_reported_where_it_is_not():
    waves, shift = Waves(6), (SEARCH + 5.0, 0.0)
    found, likeness = found_again(picture(waves), picture(waves, shift), places())
    wrong = np.linalg.norm(found - places() - shift, axis=1) > 0.5
    assert np.mean(wrong & (likeness > 0.8)) < 0.05


def test_patches_without_structure_or_along_one_edge_only_are_not_used():
    flat = np.full((100, 100), 90.0, np.float32)
    edge = flat.copy()
    edge[:, 50:] = 200
    corner = edge.copy()
    corner[50:] = 90
    for grey, usable in [(flat, False), (edge, False), (corner, True)]:
        patches, good = np.zeros((1, SIDE + 2, SIDE + 2), np.float32), np.zeros(1, bool)
        templates_at(grey, np.array([[50.0, 50.0]]), patches, good)
        assert good[0] == usable


@pytest.mark.parametrize("xy", [(3.0, 60.0), (236.5, 60.0), (60.0, 1.0), (60.0, 176.0)])
def test_a_patch_that_reaches_over_the_border_is_not_used(xy):
    grey = picture(Waves(7))
    patches, good = np.zeros((1, SIDE + 2, SIDE + 2), np.float32), np.ones(1, bool)
    templates_at(grey, np.array([xy]), patches, good)
    assert not good[0]
    found, likeness = np.zeros((1, 2)), np.zeros(1)
    align(grey, np.array([xy]), np.eye(2)[None], patches, found, likeness)
    assert likeness[0] == -1


def photographed(folder, waves, state, frames, grey_per_m):
    """Pictures of flat textured ground at height 0, exactly as the cameras see it."""
    made = []
    for i, frame in enumerate(frames):
        x, y = np.meshgrid(np.arange(frame.width_px) + 0.5, np.arange(frame.height_px) + 0.5)
        rays = rays_cam(np.stack([x, y], axis=-1), opencv_params(state.lenses[0]))
        rays = rays @ state.rotations[i]
        place = state.positions[i] - rays * (state.positions[i, 2] / rays[..., 2:])
        grey = waves.at(place[..., 0] * grey_per_m, place[..., 1] * grey_per_m)
        path = folder / f"{i}.png"
        cv2.imwrite(str(path), np.clip(np.round(grey), 0, 255).astype(np.uint8))
        made.append(frame_of(i, recorded=frame.prior_position_m, path=str(path)))
    return tuple(made)


def test_tie_points_of_photographs_lie_where_the_true_cameras_see_them(tmp_path):
    """Features a pixel off, ground points half a metre off: aligned, they agree to 0.05 px."""
    rng = np.random.default_rng(8)
    rotations = np.stack(
        [
            rotation_cam_from_world(yaw, -90 + rng.normal(0, 1), rng.normal(0, 1))
            for yaw in (90, 92, -88)
        ]
    )
    positions = np.array([[40.0, 40, 80], [52, 41, 80.5], [46, 55, 79.5]])
    points = np.column_stack([rng.uniform(15, 80, (150, 2)), np.zeros(150)])
    flight = flown(rng, (rotations, positions), points, noise_px=0.8)
    grey_per_m = 1000 / 80
    frames = photographed(tmp_path, Waves(9, count=14), flight.truth, flight.frames, grey_per_m)
    block = block_of_flown(flight, rng, shaken=False)
    shaken = flight.truth.points + [0, 0, 1] * rng.normal(0, 0.1, (len(flight.truth.points), 1))
    block = replace(block, frames=frames, state=flight.truth._replace(points=shaken))
    state, sights = aligned_tie_points(block, evenly_chosen(block, 200), InProcess())
    assert len(state.points) > 40
    assert np.diff(sights.start).max() == 3
    meets = [[] for _ in state.points]
    point = np.repeat(np.arange(len(state.points)), np.diff(sights.start))
    for p, frame, xy in zip(point, sights.frame, sights.xy_px, strict=True):
        ray = rays_cam(xy[None], opencv_params(state.lenses[0]))[0] @ state.rotations[frame]
        centre = state.positions[frame]
        meets[p].append(centre - ray * centre[2] / ray[2])
    apart_px = [np.linalg.norm(np.ptp(m, axis=0)[:2]) * grey_per_m for m in meets]
    assert np.percentile(apart_px, 90) < 0.1
    assert np.median(apart_px) < 0.05


def test_every_photograph_gets_tie_points_all_over_it_and_no_more_than_there_are():
    rng = np.random.default_rng(10)
    rotations = np.stack([rotation_cam_from_world(90, -90, 0)] * 4)
    positions = np.array([[40.0, 40, 80], [52, 41, 80.5], [46, 55, 79.5], [60, 52, 80]])
    points = np.column_stack([rng.uniform(-10, 110, (3000, 2)), rng.uniform(0, 5, 3000)])
    flight = flown(rng, (rotations, positions), points)
    block = block_of_flown(flight, rng)
    chosen = evenly_chosen(block, 300)
    assert len(np.unique(chosen)) == len(chosen) < len(points)
    picked = np.isin(flight.point, chosen)
    for i in range(4):
        own = flight.sights.frame == i
        count = (own & picked).sum()
        assert 250 < count < 1200
        halves = np.floor(flight.sights.xy_px[own] / [400, 300]).astype(int)
        kept = np.floor(flight.sights.xy_px[own & picked] / [400, 300]).astype(int)
        assert set(map(tuple, halves)) == set(map(tuple, kept))
