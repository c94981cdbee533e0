"""Cuts, fades and dissolves are found; pans, flashes and captions are not taken for them."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from made_up_clips import Picture, dissolve, flight, town, view

from aftermap.frames.shots import THUMB_WIDTH_PX, Transition, shots_of, transitions_in


def changes(pictures: list[Picture]) -> tuple[Transition, ...]:
    size = (THUMB_WIDTH_PX, THUMB_WIDTH_PX * 9 // 16)
    thumbs = [
        cv2.resize(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), size, interpolation=cv2.INTER_AREA)
        for p in pictures
    ]
    return transitions_in(np.stack(thumbs).astype(np.uint8), times(len(pictures)))


def times(count: int) -> list[Fraction]:
    return [Fraction(i, 25) for i in range(count)]


def with_caption(pictures: list[Picture]) -> list[Picture]:
    found = [picture.copy() for picture in pictures]
    for picture in found:
        picture[130:170, 20:240] = (160, 40, 20)
        cv2.putText(picture, "BREAKING NEWS", (26, 158), 0, 0.8, (255, 255, 255), 2)
    return found


@pytest.mark.parametrize("is_captioned", [False, True])
def test_every_cut_is_found_at_its_picture(is_captioned: bool) -> None:
    pictures = [*flight(1, 40), *flight(2, 30), *flight(3, 20, speed_px=12), *flight(4, 30)]
    found = changes(with_caption(pictures) if is_captioned else pictures)
    assert [(one.kind, one.at) for one in found] == [("cut", 40), ("cut", 70), ("cut", 90)]


@pytest.mark.parametrize("level", [0, 255])
def test_a_fade_through_black_or_white_is_one_change(level: int) -> None:
    fall = np.linspace(1, 0, 12)
    before, after = flight(1, 52), flight(2, 52)
    plain = np.full_like(before[0], level)
    going = [cv2.addWeighted(p, s, plain, 1 - s, 0) for p, s in zip(before[40:], fall, strict=True)]
    coming = [
        cv2.addWeighted(p, s, plain, 1 - s, 0) for p, s in zip(after, fall[::-1], strict=False)
    ]
    pictures = [*before[:40], *going, *[plain] * 5, *coming, *after[12:]]
    (found,) = changes([np.asarray(p, np.uint8) for p in pictures])
    assert found.kind == "fade"
    assert 52 <= found.at <= 57
    assert 38 <= found.first <= 46
    assert 62 <= found.after <= 70


@pytest.mark.parametrize("length", [12, 25, 50])
def test_a_dissolve_between_moving_scenes_is_one_change(length: int) -> None:
    pictures = dissolve(flight(1, 60 + length, 1.0), flight(2, 60 + length, 1.5), length)
    (found,) = changes(pictures)
    assert found.kind == "fade"
    assert 60 < found.at < 60 + length
    assert found.first <= 60 + length // 3
    assert found.after >= 60 + 2 * length // 3


def test_a_flash_is_not_a_cut() -> None:
    pictures = flight(1, 80)
    for i in (30, 31, 50):
        pictures[i] = cv2.addWeighted(pictures[i], 0.15, np.full_like(pictures[i], 255), 0.85, 0)
    pictures[65] = np.zeros_like(pictures[65])
    assert changes(pictures) == ()


@pytest.mark.parametrize("speed_fraction", [0.05, 0.2, 0.4])
def test_a_fast_pan_is_not_a_cut(speed_fraction: float) -> None:
    steps = np.concatenate([np.zeros(25), np.full(6, speed_fraction * 320), np.zeros(25)])
    blur = int(steps.max() // 3) | 1
    pictures = [
        cv2.blur(view(1, 100 + x), (blur, 1)) if step else view(1, 100 + x)
        for x, step in zip(np.cumsum(steps), steps, strict=True)
    ]
    assert changes([np.asarray(p, np.uint8) for p in pictures]) == ()


def test_a_long_steady_pan_is_one_shot() -> None:
    assert changes(flight(5, 120, speed_px=20)) == ()


def test_a_camera_that_turns_and_climbs_is_one_shot() -> None:
    pictures = []
    for i in range(60):
        turn = cv2.getRotationMatrix2D((2000, 500), 2.0 * i, 1.0 + 0.02 * i)
        turn[:, 2] += (160 - 2000, 90 - 500)
        pictures.append(np.asarray(cv2.warpAffine(town(6), turn, (320, 180)), np.uint8))
    assert changes(pictures) == ()


def test_shots_fill_the_clip_without_gaps() -> None:
    found = (Transition(first=10, at=10, after=10, kind="cut"),)
    shots = shots_of(found, times(30), Fraction(30, 25))
    assert [(s.index, s.start_s, s.end_s, s.begins) for s in shots] == [
        (0, Fraction(0), Fraction(10, 25), "clip"),
        (1, Fraction(10, 25), Fraction(30, 25), "cut"),
    ]
