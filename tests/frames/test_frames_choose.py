"""Frames are kept by how far the scene has moved, the sharpest of those that would do."""

from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from made_up_clips import Picture, flight, view

from aftermap.frames.choose import ChoiceOptions, Chooser, Looked, sharpness_of
from aftermap.frames.decode import Decoded

OPTIONS = ChoiceOptions(step_fraction=0.2)


def chosen(pictures: list[Picture]) -> tuple[list[int], list[str | None]]:
    """Indices of the pictures that are kept, and the fault of each."""
    chooser = Chooser(OPTIONS)
    kept: list[Looked] = []
    faults = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        looked = chooser.look(Decoded(time_s=Fraction(index), frame=frame))
        faults.append(looked.fault)
        kept += chooser.offer(looked)
    kept += chooser.end()
    return [int(one.decoded.time_s) for one in kept], faults


@pytest.mark.parametrize("speed_px", [2.0, 8.0, 20.0])
def test_neighbours_overlap_by_four_fifths_whatever_the_speed(speed_px: float) -> None:
    way_px = min(1500.0, 160 * speed_px)
    length = int(way_px / speed_px)
    kept, _ = chosen(flight(1, length, speed_px=speed_px))
    steps = np.diff(kept) * speed_px / 320
    assert kept[0] == 0
    assert len(kept) >= way_px * 0.8 / 320 / 0.2
    assert steps[:-1].max() <= 0.2 + speed_px / 320 + 0.01
    assert steps[:-1].min() >= 0.7 * 0.2 - 0.01
    assert (length - 1 - kept[-1]) * speed_px / 320 <= 0.2 + speed_px / 320


def test_a_hover_gives_one_frame() -> None:
    rng = np.random.default_rng(1)
    still = [
        np.clip(view(1, 100.0).astype(int) + rng.normal(0, 4, (180, 320, 3)), 0, 255)
        for _ in range(60)
    ]
    kept, _ = chosen([picture.astype(np.uint8) for picture in still])
    assert kept == [0]


def test_the_camera_stops_and_goes_on_and_no_overlap_is_lost() -> None:
    there = flight(1, 40, speed_px=8)
    back = [view(1, 100.0 + 8 * 39, 300.0 + 6 * i) for i in range(40)]
    kept, _ = chosen([*there, *[there[-1]] * 30, *back])
    places = [np.array([8 * min(i, 39) / 320, 6 * max(0, i - 70) / 180]) for i in kept]
    assert max(np.linalg.norm(b - a) for a, b in pairwise(places)) < 0.25


def test_blurred_pictures_are_not_kept_where_sharp_ones_are_near() -> None:
    pictures = flight(1, 120, speed_px=6)
    blurred = {i for i in range(20, 120) if i % 5 in (0, 1)}
    for i in blurred:
        pictures[i] = np.asarray(cv2.blur(pictures[i], (13, 13)), np.uint8)
    kept, faults = chosen(pictures)
    assert not blurred & set(kept)
    assert {i for i, fault in enumerate(faults) if fault == "blurred"} == blurred


def test_black_and_frozen_pictures_are_told_and_not_kept() -> None:
    pictures = flight(1, 60, speed_px=6)
    pictures[10:15] = [np.full_like(pictures[0], 8)] * 5
    pictures[30:40] = [pictures[30]] * 10
    kept, faults = chosen(pictures)
    assert faults[10:15] == ["black"] * 5
    assert faults[31:40] == ["frozen"] * 9
    assert faults.count(None) == 60 - 5 - 9
    assert not set(kept) & {*range(10, 15), *range(31, 40)}
    assert 15 in kept


def test_choosing_begins_anew_after_a_cut() -> None:
    kept, _ = chosen([*flight(1, 20, speed_px=5), *flight(2, 20, speed_px=5)])
    assert 20 in kept
    assert kept[0] == 0


def test_sharpness_falls_with_blur() -> None:
    sharp = av.VideoFrame.from_ndarray(view(1, 100.0), format="bgr24")
    soft = av.VideoFrame.from_ndarray(
        np.asarray(cv2.blur(view(1, 100.0), (9, 9)), np.uint8), format="bgr24"
    )
    assert sharpness_of(soft) < 0.3 * sharpness_of(sharp)
