"""Disparities of pictures whose disparities are known, and what is taken out of them again."""

import cv2
import numpy as np
import pytest
from known_ground import waves

from aftermap.surface import stereo

ROWS, COLUMNS = 340, 520
SEARCHED = 64


def row_and_column():
    return np.meshgrid(np.arange(ROWS, dtype=float), np.arange(COLUMNS, dtype=float), indexing="ij")


def as_grey(brightness):
    return np.clip(np.round(brightness), 0, 255).astype(np.uint8)


def plane_pair(level=24.3, across=0.012, down=0.009):
    """Left and right pictures of a plane, and its disparities in the left one."""
    row, column = row_and_column()
    disparity = level + across * column + down * row
    left = waves(column, row, 4.5)
    # Right column c shows left column u with c = u - disparity(u).
    seen = (column + level + down * row) / (1 - across)
    return as_grey(left), as_grey(waves(seen, row, 4.5)), disparity


def step_pair(near=33.6, far=20.3, box=np.s_[90:250, 190:360]):
    """Pictures of a raised box over a plane; also where the left picture shows the box."""
    row, column = row_and_column()
    raised = np.zeros((ROWS, COLUMNS), bool)
    raised[box] = True
    left = np.where(raised, waves(column, row, 4.5, seed=2), waves(column, row, 4.5))
    on_box = np.zeros_like(raised)
    from_box = np.round(column + near).astype(int)
    inside = from_box < COLUMNS
    on_box[inside] = raised[row.astype(int)[inside], from_box[inside]]
    right = np.where(
        on_box, waves(column + near, row, 4.5, seed=2), waves(column + far, row, 4.5)
    )  # fmt: skip
    return as_grey(left), as_grey(right), np.where(raised, near, far), raised


def found(left, right, searched=SEARCHED):
    return stereo.refined_px(left, right, stereo.disparities_px(left, right, searched))


def inner(margin=16):
    """Where the whole search range lies inside the right picture."""
    return np.s_[margin:-margin, SEARCHED + margin : -margin]


def test_the_disparities_of_a_plane_are_found_to_a_tenth_of_a_pixel():
    left, right, true = plane_pair()
    disparity = found(left, right)[inner()]
    known = disparity >= 0
    error = (disparity - true[inner()])[known]
    assert known.mean() > 0.98
    assert np.percentile(np.abs(error), 90) < 0.1
    assert np.median(np.abs(error)) < 0.04
    assert abs(np.median(error)) < 0.02


def test_refinement_takes_out_the_pull_towards_whole_pixels():
    left, right, true = plane_pair()
    coarse = stereo.disparities_px(left, right, SEARCHED)
    both = coarse[inner()] >= 0
    errors = [
        np.abs((values - true)[inner()][both]).mean()
        for values in (coarse, stereo.refined_px(left, right, coarse))
    ]
    assert errors[1] < 0.6 * errors[0]


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 14), (1.0, -14), (0.95, 0), (1.05, 0)])
def test_another_exposure_moves_little(gain, offset):
    left, right, true = plane_pair()
    disparity = found(left, as_grey(right * gain + offset))[inner()]
    error = (disparity - true[inner()])[disparity >= 0]
    assert np.percentile(np.abs(error), 90) < 0.15
    assert abs(np.median(error)) < 0.02


def test_both_sides_of_a_step_keep_their_disparity():
    left, right, true, raised = step_pair()
    disparity = stereo.foreground_trimmed(stereo.unlike_removed(left, right, found(left, right)))
    searched = np.zeros_like(raised)
    searched[inner()] = True
    known = (disparity >= 0) & searched
    error = np.abs(disparity - true)
    for side, away in ((raised, 6), (~raised, 16)):  # some ground is seen by one picture only
        far = cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 5) > away
        assert known[far & searched].mean() > 0.97
        assert np.percentile(error[far & known], 85) < 0.15
        assert np.median(error[far & known]) < 0.06
        assert (error[side & known] > 1).mean() < 0.01


def test_tiles_are_searched_over_their_own_range_and_join_without_a_seam():
    left, right, true = plane_pair()
    tile = stereo.TILE_PX
    ranges = np.zeros((-(-ROWS // tile), -(-COLUMNS // tile), 2), np.int64)
    for i, j in np.ndindex(*ranges.shape[:2]):
        part = true[i * tile : (i + 1) * tile, j * tile : (j + 1) * tile]
        ranges[i, j] = int(part.min()) - 2, int(part.max()) + 3
    disparity = stereo.tiled_disparities_px(left, right, ranges, SEARCHED)[inner()]
    known = disparity >= 0
    assert known.mean() > 0.98
    assert np.percentile(np.abs(disparity - true[inner()])[known], 98) < 0.5
    seam = np.s_[:, tile - SEARCHED - 24 : tile - SEARCHED + 8]  # columns around the border
    assert known[seam].mean() > 0.98


def test_a_tile_without_ground_has_no_disparity_and_one_that_is_cut_off_invents_none():
    left, right, _ = plane_pair()
    ranges = np.full((2, 2, 2), -1, np.int64)
    ranges[0, 1] = 48, 63  # the plane lies at 24 to 33
    disparity = stereo.tiled_disparities_px(left, right, ranges, SEARCHED)
    assert (disparity[:, : stereo.TILE_PX] == stereo.NO_DISPARITY).all()
    kept = disparity[disparity >= 0]
    assert kept.size
    assert ((kept >= 49) & (kept <= 62)).all()


def test_black_margins_have_no_disparity():
    left, right, _ = plane_pair()
    left[:, 300:340] = 0
    disparity = stereo.disparities_px(left, right, SEARCHED)
    assert (disparity[:, 300:340] == stereo.NO_DISPARITY).all()


def test_a_patch_that_looks_different_is_taken_out_and_nothing_else():
    left, right, true = plane_pair()
    row, column = row_and_column()
    other = as_grey(waves(column, row, 4.5, seed=9))
    patch = np.s_[120:200, 240:330]
    changed = left.copy()
    changed[patch] = other[patch]
    kept = stereo.unlike_removed(changed, right, true.astype(np.float32)) >= 0
    assert kept[124:196, 244:326].mean() < 0.2
    elsewhere = np.zeros_like(kept)
    elsewhere[inner()] = True
    elsewhere[112:208, 232:338] = False
    assert kept[elsewhere].mean() > 0.999


def test_exposure_and_missing_texture_are_no_difference():
    left, right, true = plane_pair()
    dark = as_grey(left * 0.5 + 10)
    left[100:220, 200:400] = 117
    right[100:220, 140:400] = 150
    kept = stereo.unlike_removed(left, right, true.astype(np.float32)) >= 0
    assert kept[106:214, 230:360].all()
    kept = stereo.unlike_removed(dark, plane_pair()[1], true.astype(np.float32)) >= 0
    assert kept[inner()].mean() > 0.999


def test_the_rim_of_what_stands_up_goes_and_the_ground_stays():
    disparity = np.full((80, 90), 10.0, np.float32)
    disparity[20:60, 30:70] = 22.0
    disparity[40:44, 5:9] = stereo.NO_DISPARITY
    trimmed = stereo.foreground_trimmed(disparity)
    rim = stereo.RIM_PX // 2
    assert (trimmed[20 + rim : 60 - rim, 30 + rim : 70 - rim] == 22.0).all()
    gone = (trimmed < 0) & (disparity >= 0)
    expected = np.zeros_like(gone)
    expected[20:60, 30:70] = True
    expected[20 + rim : 60 - rim, 30 + rim : 70 - rim] = False
    assert (gone == expected).all()  # nothing of the ground, and nothing beside the hole


def test_a_slope_has_no_rim():
    slope = np.broadcast_to(np.arange(100, dtype=np.float32) * 0.5 + 5, (40, 100))
    assert (stereo.foreground_trimmed(slope) == slope).all()
