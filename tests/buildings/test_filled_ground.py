"""Filled heights place no outline, hide nothing, and are in no picture as if they were measured."""

from dataclasses import replace

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from in_process import InProcess
from made_up_town import CELL_M, NODATA, Town, raster_of, town
from made_up_views import (
    Block,
    buildings_of,
    cameras_of,
    elevation_of,
    files_in,
    orthophoto_of,
    photograph,
)

from aftermap.buildings.align import aligned_buildings
from aftermap.buildings.crops import GROUND_COLOUR, ROOF_COLOUR
from aftermap.buildings.evidence_pictures import Clips, EvidenceSources, Wanted, evidence_of
from aftermap.buildings.profile import building_profile, drawing_of
from aftermap.buildings.view_quality import visibility_of
from aftermap.buildings.views import building_views
from aftermap.geo.polygon import cells_inside, shape_of
from aftermap.model.building import ShiftSource
from aftermap.model.evidence import EvidenceKind
from aftermap.model.raster import Elevation

HOUSE = Block(east_m=60, north_m=60, high_m=5)
TOWER = Block(east_m=60, north_m=45, wide_m=14, high_m=25)
SEED = 8


def read(raster):
    with rasterio.open(raster.path) as file:
        return file.read()


def with_filled(elevation: Elevation, folder, filled, *, wild: bool) -> Elevation:
    """The elevation with these cells filled, with their own heights or with wild ones."""
    folder.mkdir(exist_ok=True)
    heights, counts = read(elevation.surface), read(elevation.confidence).astype(np.uint8)
    counts[0][filled] = 0
    if wild:
        heights[0][filled] = np.random.default_rng(3).normal(250, 300, int(filled.sum()))
    grid = elevation.surface.grid
    return replace(
        elevation,
        surface=raster_of(folder / "surface.tif", heights, grid, NODATA),
        confidence=raster_of(folder / "confidence.tif", counts, grid),
    )


def patches(elevation: Elevation, share=0.25, size=24):
    """(rows, columns) a quarter of the map in squares."""
    grid = elevation.surface.grid
    rng = np.random.default_rng(SEED)
    squares = rng.random((grid.rows // size + 1, grid.columns // size + 1)) < share
    return squares.repeat(size, 0).repeat(size, 1)[: grid.rows, : grid.columns]


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Town:
    return town(tmp_path_factory.mktemp("town"), across=4, collapsed=(5,))


def moved(here: Town, elevation: Elevation, folder, *, wild: bool):
    """Where outlines come to lie; with wild pictures of what is filled as well."""
    pixels, filled = read(here.orthophoto.image), read(elevation.confidence)[0] == 0
    if wild:
        noise = np.random.default_rng(4).integers(0, 255, (3, int(filled.sum())))
        pixels[:3, filled] = noise
    grid = here.orthophoto.image.grid
    folder.mkdir(exist_ok=True)
    image = raster_of(folder / "orthophoto.tif", pixels, grid)
    drawn = here.drawn(np.tile([0.8, -0.5], (len(here.outlines), 1)))
    return aligned_buildings(
        drawn, elevation, replace(here.orthophoto, image=image), None, InProcess()
    )


def test_changing_filled_heights_moves_no_outline(here, tmp_path):
    filled = patches(here.elevation)
    as_is = with_filled(here.elevation, tmp_path / "a", filled, wild=False)
    wild = with_filled(here.elevation, tmp_path / "b", filled, wild=True)
    first = moved(here, as_is, tmp_path / "a", wild=False)
    assert moved(here, wild, tmp_path / "b", wild=False) == first
    assert any(one.alignment.source is ShiftSource.OWN for one in first.buildings)


def test_walls_whose_foot_was_not_measured_still_place_their_outlines(here, tmp_path):
    """Beside a wall photographs agree on nothing: a strip of 0.6 m round every house is filled."""
    grid = here.elevation.surface.grid
    filled = np.zeros((grid.rows, grid.columns), bool)
    for outline in here.outlines:
        inside = cells_inside(outline, grid).astype(np.uint8)
        side = 2 * round(0.6 / CELL_M) + 1
        filled |= (cv2.dilate(inside, np.ones((side, side), np.uint8)) > 0) & (inside == 0)
    wild = with_filled(here.elevation, tmp_path / "b", filled, wild=True)
    found = moved(here, wild, tmp_path / "b", wild=True)
    off = np.array([one.alignment.shift_m for one in found.buildings]) - (0.8, -0.5)
    assert np.median(np.hypot(*off.T)) < 0.2
    assert sum(one.alignment.source is ShiftSource.OWN for one in found.buildings) >= 13


def looked_at(folder, blocks, elevation, *placed):
    table = building_views(
        buildings_of(blocks), cameras_of(*placed), elevation, files_in(folder), InProcess()
    )
    seen = visibility_of(buildings_of(blocks), table, elevation, files_in(folder), InProcess())
    return table, pq.read_table(table.path).to_pylist(), seen


def test_changing_filled_heights_changes_no_view_and_no_visibility(tmp_path):
    blocks = [HOUSE, TOWER]
    base = elevation_of(tmp_path, blocks)
    camera = photograph(tmp_path, position_m=(60, -20, 50), pitch_deg=-32.0)
    filled = patches(base, share=0.3, size=12)
    answers = []
    for wild in (False, True):
        folder = tmp_path / str(wild)
        elevation = with_filled(base, folder, filled, wild=wild)
        answers.append(looked_at(folder, blocks, elevation, camera)[1:])
    assert answers[0] == answers[1]
    assert answers[0][1][0].roof_fraction < 1


def test_a_tower_that_was_only_filled_in_hides_nothing(tmp_path):
    base = elevation_of(tmp_path, [HOUSE, TOWER])
    camera = photograph(tmp_path, position_m=(60, -20, 50), pitch_deg=-32.0)
    grid = base.surface.grid
    west, south, _, north = TOWER.box_m
    row, column = int((grid.north_m - north) / 0.25), int((west - grid.east_m) / 0.25)
    filled = np.zeros((grid.rows, grid.columns), bool)
    filled[row : row + int((north - south) / 0.25), column : column + 56] = True
    elevation = with_filled(base, tmp_path / "filled", filled, wild=False)
    measured = looked_at(tmp_path, [HOUSE, TOWER], base, camera)[1]
    guessed = looked_at(tmp_path, [HOUSE, TOWER], elevation, camera)[1]
    assert [one["building"] for one in measured] == [1]
    assert [one["building"] for one in guessed] == [0, 1]


def pictures(folder, elevation, *placed):
    cameras = cameras_of(*placed)
    buildings = buildings_of([HOUSE])
    views = building_views(buildings, cameras, elevation, files_in(folder), InProcess())
    material = EvidenceSources(
        cameras=cameras,
        elevation=elevation,
        orthophoto=orthophoto_of(folder),
        clips=Clips(paths={}, pictures_at=lambda path, times: iter(())),
    )
    return evidence_of(buildings, views, material, Wanted(), files_in(folder), InProcess())


def test_changing_filled_heights_changes_no_crop(tmp_path):
    base = elevation_of(tmp_path, [HOUSE])
    camera = photograph(tmp_path, position_m=(60, 20, 50), pitch_deg=-45.0)
    filled = patches(base, share=0.3, size=8)
    digests = []
    for wild in (False, True):
        folder = tmp_path / str(wild)
        elevation = with_filled(base, folder, filled, wild=wild)
        found = pictures(folder, elevation, camera)
        digests.append(
            [row.file_sha256 for row in found.rows if row.kind is not EvidenceKind.PROFILE]
        )
    assert digests[0] == digests[1]
    assert len(digests[0]) == 2


def test_a_profile_draws_filled_heights_dashed_and_names_them(tmp_path):
    wide = replace(HOUSE, wide_m=16)
    base = elevation_of(tmp_path, [wide])
    filled = np.zeros((480, 480), bool)
    filled[:, 240:] = True
    elevation = with_filled(base, tmp_path / "half", filled, wild=False)
    (polygons,) = (one.polygons_m for one in buildings_of([wide]).buildings)
    profile = building_profile(polygons, elevation, 250.0, None)
    along = profile.along_m - profile.along_m[-1] / 2
    assert profile.is_measured[along < -0.5].all()
    assert not profile.is_measured[along > 0.5].any()
    drawing = drawing_of(profile, "a house")
    assert 'stroke-dasharray="2 4"' in drawing
    assert "filled, not measured" in drawing


def test_the_roof_of_a_building_that_was_not_measured_is_not_outlined_in_its_crop(tmp_path):
    base = elevation_of(tmp_path, [HOUSE])
    grid = base.surface.grid
    roof = cells_inside(shape_of(buildings_of([HOUSE]).buildings[0].polygons_m), grid)
    elevation = with_filled(base, tmp_path / "roof", roof, wild=True)
    camera = photograph(tmp_path, position_m=(60, 20, 50), pitch_deg=-45.0)
    found = pictures(tmp_path / "roof", elevation, camera)
    (view,) = [row for row in found.rows if row.kind is EvidenceKind.VIEW]
    crop = cv2.imread(view.path).astype(int)

    def drawn(colour):
        return int((np.abs(crop - np.array(colour)).sum(axis=2) < 60).sum())

    assert drawn(ROOF_COLOUR) == 0
    assert drawn(GROUND_COLOUR) > 50
