"""Pictures of buildings: what they show is where the geometry says, and they lead to originals."""

import hashlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from in_process import InProcess
from made_up_views import (
    CLIP,
    GROUND_M,
    LENS,
    Block,
    buildings_of,
    cameras_of,
    elevation_of,
    files_in,
    moment,
    orthophoto_of,
    photograph,
)

from aftermap.buildings.choice import EvidenceOptions, folder_names
from aftermap.buildings.crops import GROUND_COLOUR, ROOF_COLOUR, crop_of, drawn_of
from aftermap.buildings.evidence_pictures import Clips, EvidenceSources, Wanted, evidence_of
from aftermap.buildings.levels import on_low_ground
from aftermap.buildings.profile import building_profile, drawing_of
from aftermap.buildings.views import building_views
from aftermap.errors import InputError
from aftermap.geo.lens import projected_px
from aftermap.geo.measured_heights import measured_over
from aftermap.model.evidence import EvidenceKind

HOUSE = Block(east_m=60, north_m=60, wide_m=14, deep_m=9, high_m=6)
CLIP_PIXELS = np.full((600, 800, 3), 90, np.uint8)


def pictures_of_clip(path, times_s):
    """Stands in for a decoder: every moment is a grey picture."""
    assert Path(path).name == "clip.mp4"
    for time_s in times_s:
        yield time_s, CLIP_PIXELS


def made(folder, blocks, *placed, ids=(), wanted=None, options=None, elevation=None):
    """The evidence of blocks, and the buildings."""
    buildings = buildings_of(blocks, ids)
    elevation = elevation or elevation_of(folder, blocks)
    cameras, files = cameras_of(*placed), files_in(folder / "stage")
    views = building_views(buildings, cameras, elevation, files, InProcess())
    material = EvidenceSources(
        cameras=cameras,
        elevation=elevation,
        orthophoto=orthophoto_of(folder),
        clips=Clips(paths={CLIP: folder / "clip.mp4"}, pictures_at=pictures_of_clip),
    )
    found = evidence_of(
        buildings,
        views,
        material,
        wanted or Wanted(),
        files,
        InProcess(),
        options or EvidenceOptions(),
    )
    return found, buildings


def of_kind(found, kind):
    return [row for row in found.rows if row.kind is kind]


def drawn_house(folder, block=HOUSE):
    elevation = elevation_of(folder, [block])
    west, south, east, north = block.box_m
    over = measured_over(elevation, (west - 40, south - 40), (east + 40, north + 40), cell_m=0.25)
    polygons = buildings_of([block]).buildings[0].polygons_m
    whole = on_low_ground(over.measured_m, over.grid, otherwise_m=0)
    return drawn_of(polygons, GROUND_M, GROUND_M + block.high_m, whole)


def coloured(picture, colour):
    """Where a crop has the colour of a line, more or less."""
    return np.abs(picture.astype(int) - np.array(colour)).sum(axis=2) < 120


def painted(folder, placed, *, high_m):
    """A black picture with the house's roof in white, where the camera projects it."""
    west, south, east, north = HOUSE.box_m
    corners = np.array([[west, south], [east, south], [east, north], [west, north]])
    roof = np.column_stack([corners, np.full(4, GROUND_M + high_m)])
    rotation = np.array(placed.pose.rotation_cam_from_world)
    px = projected_px((roof - np.array(placed.pose.position_m)) @ rotation.T, LENS.params)
    picture = np.zeros((600, 800, 3), np.uint8)
    cv2.fillPoly(picture, [np.rint((px - 0.5) * 16).astype(np.int32)], (255, 255, 255), 8, 4)
    return picture


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "place"),
    [
        (0, -90, (55, 58, 60)),
        (37, -90, (62, 60, 60)),
        (200, -85, (60, 64, 50)),
        (0, -45, (60, 10, 55)),
        (310, -40, (100, 25, 60)),
    ],
)
def test_the_outline_is_drawn_along_the_roof_that_the_camera_shows(
    tmp_path, yaw_deg, pitch_deg, place
):
    placed = photograph(tmp_path, place, yaw_deg=yaw_deg, pitch_deg=pitch_deg)
    picture = painted(tmp_path, placed, high_m=6)
    crop = crop_of(picture, placed, LENS, drawn_house(tmp_path), None)
    line = coloured(crop.picture, ROOF_COLOUR)
    roof = (crop.picture.min(axis=2) > 127).astype(np.uint8)
    roof = cv2.morphologyEx(roof | line.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5)))
    border = cv2.morphologyEx(roof, cv2.MORPH_GRADIENT, np.ones((3, 3)))
    away = cv2.distanceTransform(1 - border, cv2.DIST_L2, 3)
    assert line.sum() > 200
    assert np.percentile(away[line], 95) <= 1.5 * max(1, crop.window.scale)


def test_the_outline_on_the_ground_is_drawn_where_the_walls_do_not_hide_it(tmp_path):
    placed = photograph(tmp_path, (60, 10, 55), pitch_deg=-45)  # from the south
    crop = crop_of(CLIP_PIXELS, placed, LENS, drawn_house(tmp_path), None)
    ground = np.argwhere(coloured(crop.picture, GROUND_COLOUR))
    roof = np.argwhere(coloured(crop.picture, ROOF_COLOUR))
    assert len(ground) > 100
    assert np.median(ground[:, 0]) > np.median(roof[:, 0])  # the near, southern side, below


def test_north_is_up_from_above_and_the_vertical_from_the_side(tmp_path):
    above = photograph(tmp_path, (60, 60, 60), yaw_deg=120)
    crop = crop_of(CLIP_PIXELS, above, LENS, drawn_house(tmp_path), None)
    assert crop.north_deg == pytest.approx(0, abs=0.5) or crop.north_deg > 359.5
    aside = photograph(tmp_path, (10, 60, 50), yaw_deg=90, pitch_deg=-40)
    crop = crop_of(CLIP_PIXELS, aside, LENS, drawn_house(tmp_path), None)
    assert crop.window.turn_deg == 0  # the camera was level
    assert crop.north_deg == pytest.approx(270, abs=5)  # looking east, north is to the left


def test_a_crop_by_whole_quarters_is_the_original_pixel_for_pixel(tmp_path):
    placed = photograph(tmp_path, (60, 60, 24), yaw_deg=90, seed=3)
    picture = cv2.imread(placed.frame.path)
    crop = crop_of(picture, placed, LENS, drawn_house(tmp_path), None)
    window = crop.window
    assert (abs(window.turn_deg), window.scale) == (90, 1)
    part = picture[
        window.top_px : window.top_px + window.height_px,
        window.left_px : window.left_px + window.width_px,
    ]
    turned = np.rot90(part, 1 if window.turn_deg == -90 else 3)
    shown = crop.picture
    at = [max(0, (shown.shape[i] - turned.shape[i])) for i in range(2)]
    best = max(
        float((shown[r : r + turned.shape[0], c : c + turned.shape[1]] == turned).mean())
        for r in range(at[0] + 1)
        for c in range(at[1] + 1)
    )
    assert best > 0.95  # all but the lines that are drawn over it; chance would give 0.004


def test_what_lies_over_the_picture_is_striped_and_said(tmp_path):
    mask = np.full((600, 800), 255, np.uint8)
    mask[320:] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    found, _ = made(tmp_path, [HOUSE], moment((60, 60, 60), mask=str(tmp_path / "mask.png")))
    (view,) = of_kind(found, EvidenceKind.VIEW)
    assert view.is_masked
    picture = cv2.imread(view.path)
    lower = picture[int(picture.shape[0] * 0.7) : int(picture.shape[0] * 0.8)]
    assert lower.std() > 40  # stripes over the evenly grey picture


def test_a_mask_that_vanished_after_the_views_gives_no_picture_as_if_it_were_clear(tmp_path):
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.full((600, 800), 255, np.uint8))
    placed = photograph(tmp_path, (60, 60, 60), seed=2)
    placed = replace(placed, frame=replace(placed.frame, mask=str(path)))
    buildings, elevation = buildings_of([HOUSE]), elevation_of(tmp_path, [HOUSE])
    cameras, files = cameras_of(placed), files_in(tmp_path / "stage")
    views = building_views(buildings, cameras, elevation, files, InProcess())
    assert views.views == 1
    path.unlink()
    material = EvidenceSources(
        cameras=cameras,
        elevation=elevation,
        orthophoto=orthophoto_of(tmp_path),
        clips=Clips(paths={}, pictures_at=pictures_of_clip),
    )
    found = evidence_of(buildings, views, material, Wanted(), files, InProcess())
    assert of_kind(found, EvidenceKind.VIEW) == []
    (skipped,) = found.skipped
    assert "mask.png: can no longer be read" in skipped.reason


def test_rows_lead_back_to_the_hash_of_the_photograph(tmp_path):
    placed = photograph(tmp_path, (60, 60, 60), name="DJI 1.png")
    found, _ = made(tmp_path, [HOUSE], placed)
    (view,) = of_kind(found, EvidenceKind.VIEW)
    original = Path(placed.frame.path).read_bytes()
    assert view.original_sha256 == hashlib.sha256(original).hexdigest()
    assert view.original_name == "DJI 1.png"
    assert view.file_sha256 == hashlib.sha256(Path(view.path).read_bytes()).hexdigest()
    assert view.window.left_px >= 0
    assert view.window.left_px + view.window.width_px <= 800
    assert view.time_s is None
    (plan,) = of_kind(found, EvidenceKind.ORTHOPHOTO)
    assert (
        plan.original_sha256
        == hashlib.sha256((tmp_path / "orthophoto.tif").read_bytes()).hexdigest()
    )
    assert [(one.sha256, one.fraction) for one in plan.sources] == [(view.original_sha256, 1.0)]


def test_rows_of_a_clip_lead_back_to_the_clip_and_the_exact_time(tmp_path):
    found, _ = made(tmp_path, [HOUSE], moment((60, 60, 60), time_s=Fraction(1001, 300)))
    (view,) = of_kind(found, EvidenceKind.VIEW)
    assert view.original_sha256 == CLIP
    assert view.original_name == "clip.mp4"
    assert view.time_exact == "1001/300"
    assert view.time_s == pytest.approx(3.33667, abs=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "../../outside",
        "/etc/passwd",
        "..",
        "",
        "a/b\\c:d",
        "CON",
        "\u202egpj.exe",
        "x" * 400,
        "<script>alert(1)</script>",
        "линия 7",
        "nul\x00byte",
    ],
)
def test_a_hostile_id_cannot_leave_the_folder(tmp_path, name):
    found, _ = made(tmp_path, [HOUSE], photograph(tmp_path, (60, 60, 60)), ids=[name])
    inside = (tmp_path / "stage" / "evidence").resolve()
    assert len(found.rows) == 3
    for row in found.rows:
        assert Path(row.path).resolve().parent.parent == inside
        assert Path(row.path).is_file()
        assert row.source_id == name
        assert row.name.isascii()
    drawing = next(Path(row.path) for row in found.rows if row.kind is EvidenceKind.PROFILE)
    assert "<script>" not in drawing.read_text("utf-8")


def test_ids_that_look_alike_have_folders_of_their_own():
    names = folder_names(buildings_of([HOUSE] * 5, ["a/b", "a_b", "A_B", "same", "same"]))
    assert len({name.lower() for name in names}) == 5


def test_a_hidden_view_is_not_chosen_while_better_ones_exist(tmp_path):
    tower = Block(east_m=53, north_m=43, wide_m=14, high_m=25)
    cameras = [photograph(tmp_path, (60, -20, 50), pitch_deg=-32, name="south.png")] + [
        photograph(
            tmp_path, (60 + 3 * i, 125, 70 + i), yaw_deg=180, pitch_deg=-45, name=f"north{i}.png"
        )
        for i in range(3)
    ]
    found, _ = made(tmp_path, [HOUSE, tower], *cameras, options=EvidenceOptions(views=1))
    best = next(row for row in of_kind(found, EvidenceKind.VIEW) if row.building == 0)
    assert best.original_name.startswith("north")
    assert best.occluded_fraction < 0.1


def test_views_differ_from_each_other(tmp_path):
    same = [moment((60, 60, 60 + i / 10), time_s=Fraction(i, 10)) for i in range(12)]
    aside = photograph(tmp_path, (60, 0, 60), pitch_deg=-45)
    found, _ = made(tmp_path, [HOUSE], *same, aside)
    names = [row.original_name for row in of_kind(found, EvidenceKind.VIEW)]
    assert sorted(names) == ["a.png", "clip.mp4"]


def test_a_photograph_that_cannot_be_read_is_listed_and_the_rest_goes_on(tmp_path):
    good = photograph(tmp_path, (60, 60, 60), name="good.png")
    gone = photograph(tmp_path, (60, 0, 60), pitch_deg=-45, name="gone.png", seed=1)
    (tmp_path / "gone.png").unlink()
    found, _ = made(tmp_path, [HOUSE], good, gone)
    assert [row.original_name for row in of_kind(found, EvidenceKind.VIEW)] == ["good.png"]
    (skipped,) = found.skipped
    assert skipped.name == "gone.png"
    assert "aftermap verify" in skipped.reason


def test_a_clip_that_is_not_in_the_case_is_listed(tmp_path):
    buildings, elevation = buildings_of([HOUSE]), elevation_of(tmp_path, [HOUSE])
    cameras, files = cameras_of(moment((60, 60, 60))), files_in(tmp_path / "stage")
    views = building_views(buildings, cameras, elevation, files, InProcess())
    material = EvidenceSources(
        cameras=cameras,
        elevation=elevation,
        orthophoto=orthophoto_of(tmp_path),
        clips=Clips(paths={}, pictures_at=pictures_of_clip),
    )
    found = evidence_of(buildings, views, material, Wanted(), files, InProcess())
    assert [row.kind for row in found.rows] == [EvidenceKind.ORTHOPHOTO, EvidenceKind.PROFILE]
    assert "map the clip again" in found.skipped[0].reason


def test_a_damaged_clip_costs_its_own_pictures_only(tmp_path):
    def damaged(path, times_s):
        raise InputError(f"{Path(path).name}: has no complete frame")
        yield

    buildings, elevation = buildings_of([HOUSE]), elevation_of(tmp_path, [HOUSE])
    cameras = cameras_of(moment((60, 60, 60)), photograph(tmp_path, (60, 62, 60)))
    files = files_in(tmp_path / "stage")
    views = building_views(buildings, cameras, elevation, files, InProcess())
    material = EvidenceSources(
        cameras=cameras,
        elevation=elevation,
        orthophoto=orthophoto_of(tmp_path),
        clips=Clips(paths={CLIP: tmp_path / "clip.mp4"}, pictures_at=damaged),
    )
    found = evidence_of(
        buildings, views, material, Wanted(), files, InProcess(), EvidenceOptions(apart_deg=0)
    )
    assert [row.original_name for row in of_kind(found, EvidenceKind.VIEW)] == ["a.png"]
    assert "no complete frame" in found.skipped[0].reason


def test_of_many_buildings_only_those_wanted_are_shown(tmp_path):
    blocks = [Block(east_m=20 + 25 * i, north_m=60) for i in range(4)]
    found, _ = made(
        tmp_path,
        blocks,
        photograph(tmp_path, (60, 60, 110)),
        wanted=Wanted(queue=("B2",), asked=("B0", "nobody")),
        options=EvidenceOptions(all_up_to=3),
    )
    assert found.pictured == (0, 2)
    assert [one.name for one in found.skipped] == ["nobody"]
    assert "2 of 4 buildings" in found.notes[0]


def test_a_building_that_no_picture_shows_has_its_plan_and_profile_only(tmp_path):
    far = replace(HOUSE, east_m=100, north_m=100)
    found, _ = made(tmp_path, [far], photograph(tmp_path, (30, 30, 20)))
    assert [row.kind for row in found.rows] == [EvidenceKind.ORTHOPHOTO, EvidenceKind.PROFILE]


def test_no_grade_is_needed_and_none_is_looked_at(tmp_path):
    one, _ = made(tmp_path, [HOUSE], photograph(tmp_path, (60, 60, 60)))
    assert not any("grade" in field for row in one.rows for field in vars(row))


def test_the_profile_runs_along_the_longer_side_and_knows_measured_from_filled(tmp_path):
    elevation = elevation_of(tmp_path, [HOUSE], measured=False)
    polygons = buildings_of([HOUSE]).buildings[0].polygons_m
    profile = building_profile(polygons, elevation, GROUND_M, 6.0)
    assert profile.bearing_deg == pytest.approx(90)
    assert profile.walls_m == pytest.approx((6, 20))
    inside = (profile.along_m > 6.5) & (profile.along_m < 19.5)
    assert np.median(profile.height_m[inside]) == GROUND_M + 6
    assert np.median(profile.height_m[profile.along_m < 5.5]) == GROUND_M
    assert not profile.is_measured.any()
    assert 'stroke-dasharray="2 4"' in drawing_of(profile, "a house")


def test_a_building_outside_the_map_has_no_profile(tmp_path):
    outside = Block(east_m=400, north_m=60)
    elevation = elevation_of(tmp_path, [HOUSE])
    found, _ = made(tmp_path, [outside], photograph(tmp_path, (400, 60, 60)), elevation=elevation)
    assert [row.kind for row in found.rows] == [EvidenceKind.VIEW]
