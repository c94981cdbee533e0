"""Which pictures show which building: geometry that can be worked out by hand."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from in_process import InProcess
from made_up_views import (
    CLIP,
    LENS,
    Block,
    buildings_of,
    cameras_of,
    elevation_of,
    files_in,
    moment,
    photograph,
)

from aftermap.buildings.view_quality import visibility_of
from aftermap.buildings.views import ViewOptions, building_views
from aftermap.errors import InputError

LOW = Block(east_m=60, north_m=60, high_m=5)
TOWER = Block(east_m=60, north_m=45, wide_m=14, high_m=25)
FROM_SOUTH = {"position_m": (60, -20, 50), "pitch_deg": -32.0}


def seen(tmp_path, blocks, *placed, elevation=None, options=None):
    """The views as a list of rows, and the table itself."""
    elevation = elevation or elevation_of(tmp_path, blocks)
    table = building_views(
        buildings_of(blocks),
        cameras_of(*placed),
        elevation,
        files_in(tmp_path),
        InProcess(),
        options or ViewOptions(),
    )
    return pq.read_table(table.path).to_pylist(), table


def test_a_roof_behind_a_higher_neighbour_is_hidden(tmp_path):
    camera = photograph(tmp_path, **FROM_SOUTH)
    alone, _ = seen(tmp_path, [LOW], camera)
    behind, _ = seen(tmp_path, [LOW, TOWER], camera)
    assert alone[0]["occluded_fraction"] == 0
    of_low = [row for row in behind if row["building"] == 0]
    assert of_low == []  # neither its roof nor a wall of it is seen
    assert [row["building"] for row in behind] == [1]


def test_a_roof_partly_behind_a_neighbour_is_partly_hidden(tmp_path):
    half = replace(TOWER, east_m=53.0)  # stands before the western half
    rows, _ = seen(tmp_path, [LOW, half], photograph(tmp_path, **FROM_SOUTH))
    (low,) = [row for row in rows if row["building"] == 0]
    assert 0.4 <= low["occluded_fraction"] <= 0.7


@pytest.mark.parametrize(
    ("place", "yaw_deg", "face"),
    [((60, 0), 0, 4), ((120, 60), 270, 2), ((60, 120), 180, 1), ((0, 60), 90, 8)],
)
def test_a_wall_is_seen_from_its_own_side_only(tmp_path, place, yaw_deg, face):
    camera = photograph(tmp_path, (*place, 50), yaw_deg=yaw_deg, pitch_deg=-40)
    (row,), _ = seen(tmp_path, [LOW], camera)
    assert row["faces"] == face
    assert row["azimuth_deg"] == pytest.approx((yaw_deg + 180) % 360, abs=1)


def test_from_straight_above_no_wall_is_seen(tmp_path):
    (row,), _ = seen(tmp_path, [LOW], photograph(tmp_path, (60, 60, 60)))
    assert row["faces"] == 0
    assert row["off_nadir_deg"] < 1
    assert row["framed_fraction"] == 1
    assert row["distance_m"] == pytest.approx(55, abs=0.5)
    assert row["ground_sample_m"] == pytest.approx(55 / 600, rel=0.01)


def test_a_roof_at_the_edge_of_a_picture_is_framed_in_part(tmp_path):
    # The picture reaches 55 * 400 / 600 m east of its middle: to 60 m, through the roof's middle.
    camera = photograph(tmp_path, (60 - 55 * 400 / 600, 60, 60))
    (row,), _ = seen(tmp_path, [LOW], camera)
    assert row["framed_fraction"] == pytest.approx(0.5, abs=0.01)


def test_a_building_beyond_every_picture_has_no_view_and_is_told_as_not_seen(tmp_path):
    far = Block(east_m=110, north_m=110)
    blocks = [LOW, far]
    elevation = elevation_of(tmp_path, blocks)
    rows, table = seen(tmp_path, blocks, photograph(tmp_path, (30, 30, 30)), elevation=elevation)
    assert {row["building"] for row in rows}.isdisjoint({1})
    _, told = visibility_of(buildings_of(blocks), table, elevation, files_in(tmp_path), InProcess())
    assert (told.views, told.facades, told.ground_sample_m) == (0, 0, None)
    assert told.roof_fraction == 1  # the surface was measured there all the same


def test_a_surface_that_was_filled_in_counts_as_not_measured(tmp_path):
    elevation = elevation_of(tmp_path, [LOW], measured=False)
    _, table = seen(tmp_path, [LOW], photograph(tmp_path, (60, 60, 60)), elevation=elevation)
    (told,) = visibility_of(buildings_of([LOW]), table, elevation, files_in(tmp_path), InProcess())
    assert (told.roof_fraction, told.surface_photographs) == (0, None)
    assert told.views == 1


def test_visibility_counts_the_sides_that_any_view_shows(tmp_path):
    cameras = [
        photograph(tmp_path, (60, 0, 50), pitch_deg=-40, name="south.png"),
        photograph(tmp_path, (120, 60, 50), yaw_deg=270, pitch_deg=-40, name="east.png"),
    ]
    elevation = elevation_of(tmp_path, [LOW])
    _, table = seen(tmp_path, [LOW], *cameras, elevation=elevation)
    (told,) = visibility_of(buildings_of([LOW]), table, elevation, files_in(tmp_path), InProcess())
    assert (told.facades, told.views, told.surface_photographs) == (2, 2, 6.0)


def test_of_many_views_one_from_above_and_one_of_each_side_stay(tmp_path):
    near = [
        photograph(tmp_path, (60, 20 - i, 30), pitch_deg=-40, name=f"s{i}.png") for i in range(30)
    ]
    others = [
        photograph(tmp_path, (60, 60, 110), name="above.png"),
        photograph(tmp_path, (110, 60, 70), yaw_deg=270, pitch_deg=-50, name="east.png"),
        photograph(tmp_path, (10, 60, 70), yaw_deg=90, pitch_deg=-50, name="west.png"),
    ]
    rows, _ = seen(tmp_path, [LOW], *near, *others)
    assert len(rows) == 20
    assert {30, 31, 32} <= {row["frame"] for row in rows}
    assert [row["rank_m"] for row in rows] == sorted(row["rank_m"] for row in rows)


def test_a_caption_over_the_roof_is_no_picture_of_it(tmp_path):
    mask = np.full((600, 800), 255, np.uint8)
    mask[:, 400:] = 0  # over the eastern half
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    (row,), _ = seen(tmp_path, [LOW], moment((60, 60, 60), mask=str(tmp_path / "mask.png")))
    assert row["framed_fraction"] == pytest.approx(0.5, abs=0.01)


def test_a_wall_under_a_mask_is_not_seen_and_a_building_under_it_has_no_view(tmp_path):
    """Looking north from the south: the wall lies below the roof in the picture."""
    camera = photograph(tmp_path, (60, 0, 50), pitch_deg=-40)
    (clear,), _ = seen(tmp_path, [LOW], camera)
    assert clear["faces"] == 4
    eaves = LENS.params[3] + 600 * np.tan(np.arctan2(50 - LOW.high_m, 55) - np.radians(40))
    for top, faces in ((int(eaves) + 1, 0), (599, 4)):
        mask = np.full((600, 800), 255, np.uint8)
        mask[top:] = 0
        cv2.imwrite(str(tmp_path / "mask.png"), mask)
        (row,), _ = seen(tmp_path, [LOW], masked(camera, tmp_path / "mask.png"))
        assert (row["faces"], row["framed_fraction"]) == (faces, 1)
    cv2.imwrite(str(tmp_path / "mask.png"), np.zeros((600, 800), np.uint8))
    rows, table = seen(tmp_path, [LOW], masked(camera, tmp_path / "mask.png"))
    assert (rows, table.views) == ([], 0)


def test_a_mask_that_vanished_is_named_and_never_taken_for_a_clear_picture(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png: can no longer be read"):
        seen(tmp_path, [LOW], masked(photograph(tmp_path, (60, 60, 60)), tmp_path / "gone.png"))


def masked(placed, mask):
    return replace(placed, frame=replace(placed.frame, mask=str(mask)))


def test_frames_of_a_clip_keep_their_time_and_are_all_listed(tmp_path):
    frames = [moment((60, 60, 50 + i), time_s=Fraction(i, 4)) for i in range(30)]
    rows, table = seen(tmp_path, [LOW], *frames)
    assert {row["clip_sha256"] for row in rows} == {CLIP}
    assert len(rows) == 20
    every = pq.read_table(table.clip_path).to_pylist()
    assert sorted(row["time_s"] for row in every) == [i / 4 for i in range(30)]


def test_the_answer_does_not_depend_on_how_the_town_is_cut_into_blocks(tmp_path):
    blocks = [
        Block(east_m=20 + 20 * i, north_m=20 + 20 * j, high_m=3 + 3 * ((i + j) % 4))
        for i in range(5)
        for j in range(5)
    ]
    cameras = [
        photograph(tmp_path, (60, -10, 60), pitch_deg=-45),
        photograph(tmp_path, (60, 60, 80)),
    ]
    whole, _ = seen(tmp_path, blocks, *cameras)
    parts, _ = seen(tmp_path, blocks, *cameras, options=ViewOptions(block_m=40))
    assert [row["building"] for row in parts] == [row["building"] for row in whole]
    for one, other in zip(parts, whole, strict=True):
        assert one["occluded_fraction"] == pytest.approx(other["occluded_fraction"], abs=0.12)
        assert one["faces"] == other["faces"]


def test_no_buildings_and_no_pictures_give_an_empty_table(tmp_path):
    rows, table = seen(tmp_path, [], photograph(tmp_path, (60, 60, 60)))
    assert (rows, table.views) == ([], 0)
    rows, table = seen(tmp_path, [LOW])
    assert (rows, table.views) == ([], 0)
