"""Places in a picture that something lies over."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.errors import InputError
from aftermap.geo.masks import covered, mask_at_size, read_mask
from aftermap.model.camera import Camera
from aftermap.model.media import FocalSource

CAMERA = Camera(
    model="OPENCV",
    width_px=80,
    height_px=60,
    params=(70.0, 70, 40, 30, 0, 0, 0, 0),
    focal_prior_px=70.0,
    focal_prior_source=FocalSource.XMP_CALIBRATED,
    focal_sigma_px=1.0,
    focal_decision="held",
)


def caption(scale: int = 1) -> np.ndarray:
    mask = np.full((60 * scale, 80 * scale), 255, np.uint8)
    mask[40 * scale : 50 * scale, 10 * scale : 30 * scale] = 0
    return mask


@given(
    x=st.floats(0.01, 79.99),
    y=st.floats(0.01, 59.99),
    scale=st.sampled_from((1, 2)),
    reach=st.integers(0, 6),
)
def test_a_place_is_covered_where_the_caption_is_within_reach(x, y, scale, reach):
    found = bool(covered(caption(scale), CAMERA, np.array([x, y]), reach_px=reach * scale))
    away = max(np.floor(10 - x), np.floor(x - 29), np.floor(40 - y), np.floor(y - 49))
    if away < reach - 1:
        assert found
    if away > reach + 1:
        assert not found


def test_places_beyond_the_border_count_as_the_nearest_on_it_and_unknown_ones_as_clear():
    mask = caption()
    mask[:, :5] = 0
    at = np.array([[-7.0, 20], [np.nan, 20], [90, 20]])
    assert covered(mask, CAMERA, at).tolist() == [True, False, False]


def test_a_mask_is_read_and_one_that_vanished_is_named(tmp_path):
    assert cv2.imwrite(str(tmp_path / "mask.png"), caption())
    assert (read_mask(str(tmp_path / "mask.png")) == caption()).all()
    with pytest.raises(InputError, match=r"gone\.png: can no longer be read"):
        read_mask(str(tmp_path / "gone.png"))


def test_a_mask_brought_to_the_size_of_its_picture_has_no_values_of_its_own():
    mask = np.where(np.random.default_rng(2).random((30, 40)) < 0.5, 0, 255).astype(np.uint8)
    large = mask_at_size(mask, (60, 80, 3))
    assert large.shape == (60, 80)
    assert (large[::2, ::2] == mask).all()
    assert set(np.unique(mask_at_size(mask, (13, 17)))) == {0, 255}
