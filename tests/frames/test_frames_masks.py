"""What is burned in is masked; the scene that moves behind it is not."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from made_up_clips import Picture, flight, view

from aftermap.frames.auto_masks import MOST_SAMPLES, MaskSamples, mask_of
from aftermap.frames.decode import Decoded

SIZE = (320, 180)


def share_out(mask: np.ndarray | None, rows: slice, columns: slice) -> float:
    return 0.0 if mask is None else float((mask[rows, columns] == 0).mean())


def drawn(pictures: list[Picture]) -> list[Picture]:
    return [picture.copy() for picture in pictures]


def test_a_moving_scene_is_not_masked() -> None:
    assert mask_of(flight(1, 12, speed_px=30), SIZE) is None


def test_a_caption_and_a_logo_are_masked_and_little_else() -> None:
    pictures = drawn(flight(1, 10, speed_px=30))
    for picture in pictures:
        picture[136:164, 20:220] = (150, 40, 20)
        cv2.putText(picture, "BREAKING NEWS", (30, 157), 0, 0.7, (255, 255, 255), 2)
        cv2.putText(picture, "TV 7", (262, 30), 0, 0.6, (255, 255, 255), 2)
    mask = mask_of(pictures, SIZE)
    assert share_out(mask, slice(138, 162), slice(22, 218)) > 0.95
    assert share_out(mask, slice(16, 30), slice(264, 304)) > 0.9
    assert share_out(mask, slice(45, 120), slice(0, 320)) < 0.01
    assert share_out(mask, slice(0, 180), slice(0, 320)) < 0.25


def test_letterbox_and_pillarbox_are_masked_to_their_edge() -> None:
    pictures = drawn(flight(1, 6, speed_px=30))
    for picture in pictures:
        picture[:22], picture[-22:], picture[:, :15] = 16, 16, 16
    mask = mask_of(pictures, SIZE)
    for rows, columns in (
        (slice(0, 22), slice(0, 320)),
        (slice(158, 180), slice(0, 320)),
        (slice(0, 180), slice(0, 15)),
    ):
        assert share_out(mask, rows, columns) == 1.0
    assert share_out(mask, slice(26, 154), slice(19, 320)) < 0.01


def test_a_picture_in_the_picture_is_masked_though_it_moves() -> None:
    pictures = drawn(flight(1, 12, speed_px=30))
    for index, picture in enumerate(pictures):
        picture[18:82, 196:304] = 235
        picture[20:80, 198:302] = view(2, 100 + 13 * index, 200, (104, 60))
    mask = mask_of(pictures, SIZE)
    assert share_out(mask, slice(20, 80), slice(198, 302)) > 0.95
    assert share_out(mask, slice(95, 180), slice(0, 320)) < 0.01


def test_a_ticker_across_the_whole_picture_is_masked_to_the_bottom() -> None:
    pictures = drawn(flight(1, 12, speed_px=30))
    for index, picture in enumerate(pictures):
        picture[150:] = (20, 20, 160)
        picture[150:153] = 250
        cv2.putText(picture, "CEASEFIRE TALKS", (200 - 17 * index, 172), 0, 0.5, (255,) * 3, 1)
    mask = mask_of(pictures, SIZE)
    assert share_out(mask, slice(152, 180), slice(0, 320)) > 0.95
    assert share_out(mask, slice(0, 140), slice(0, 320)) < 0.01


def test_where_the_scene_stands_still_nothing_is_called_burned_in() -> None:
    pictures = drawn([view(1, 100.0)] * 10)
    for picture in pictures:
        cv2.putText(picture, "TV 7", (262, 30), 0, 0.6, (255, 255, 255), 2)
    assert mask_of(pictures, SIZE) is None


def test_sky_is_masked_and_a_grey_roof_below_is_not() -> None:
    pictures = drawn(flight(1, 8, speed_px=20))
    for picture in pictures:
        picture[:60] = np.linspace(215, 190, 60)[:, None, None]
        picture[:60, :, 0] = 225
        picture[110:150, 100:180] = 200
    mask = mask_of(pictures, SIZE)
    assert share_out(mask, slice(0, 54), slice(0, 320)) > 0.95
    assert share_out(mask, slice(70, 105), slice(0, 320)) < 0.02


def test_the_mask_has_the_size_of_the_clip_and_two_values() -> None:
    pictures = drawn(flight(1, 6, speed_px=30))
    for picture in pictures:
        picture[:22] = 16
    mask = mask_of(pictures, (1920, 1080))
    assert mask is not None
    assert mask.shape == (1080, 1920)
    assert set(np.unique(mask)) == {0, 255}


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_pictures_give_no_mask(count: int) -> None:
    assert mask_of(flight(1, count), SIZE) is None


def test_samples_are_taken_as_the_scene_moves_and_stay_bounded() -> None:
    samples = MaskSamples()
    frame = av.VideoFrame.from_ndarray(view(1, 100.0), format="bgr24")
    for i in range(4000):
        samples.offer(Decoded(time_s=Fraction(i), frame=frame), moved_fraction=(i % 10) / 10)
    assert MOST_SAMPLES // 2 <= len(samples.pictures) <= MOST_SAMPLES
    times = [time for time, _ in samples.pictures]
    assert times == sorted(times)
