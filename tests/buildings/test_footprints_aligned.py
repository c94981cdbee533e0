"""Outlines moved onto their buildings: right where shifts are known, and as sure as they are."""

from dataclasses import replace

import numpy as np
import pytest
from in_process import InProcess
from made_up_town import CELL_M, EAST_M, NODATA, NORTH_M, PITCH_M, Town, raster_of, town
from shapely import box

from aftermap.buildings.align import aligned_buildings
from aftermap.buildings.outline_match import outline_samples
from aftermap.buildings.shifts import expected
from aftermap.execute import LocalExecutor
from aftermap.geo.polygon import polygons_of, shape_of
from aftermap.geo.windows import block_over, read_heights
from aftermap.model.building import FootprintSet, ShiftSource
from aftermap.progress import NoProgress

HEAPS = (8, 14, 21, 27)


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Town:
    return town(tmp_path_factory.mktemp("town"), collapsed=HEAPS)


def smooth_shifts(outlines, seed=5):
    """0.3 to 2 m, other at each end of the town, and a little of each building's own."""
    places = np.array([outline.centroid.coords[0] for outline in outlines]) - (EAST_M, NORTH_M)
    east = 0.4 + 1.1 * np.sin(places[:, 0] / 60)
    north = -0.6 - 0.006 * places[:, 1] * np.cos(places[:, 0] / 80)
    own = np.random.default_rng(seed).normal(0, 0.05, (len(places), 2))
    return np.stack([east, north], axis=1) + own


def moved_onto(here: Town, drawn: FootprintSet):
    return aligned_buildings(drawn, here.elevation, here.orthophoto, None, InProcess())


def errors_m(buildings, shifts_m):
    found = np.array([b.alignment.shift_m for b in buildings.buildings])
    return np.hypot(*(found - shifts_m).T)


def test_outlines_come_to_lie_on_their_buildings_and_heaps_follow_their_neighbours(here):
    shifts = smooth_shifts(here.outlines)
    found = moved_onto(here, here.drawn(shifts))
    left = errors_m(found, shifts)
    heaps = np.array(here.collapsed)
    assert np.median(left[~heaps]) < 0.12
    assert np.percentile(left[~heaps], 90) < 0.3
    assert left[heaps].max() < 0.5
    sources = [b.alignment.source for b in found.buildings]
    assert all(
        source is (ShiftSource.NEIGHBOURS if heap else ShiftSource.OWN)
        for source, heap in zip(sources, here.collapsed, strict=True)
    )


def test_a_shift_is_no_surer_than_it_says(here):
    scaled = []
    for seed in range(3):
        shifts = smooth_shifts(here.outlines, seed)
        found = moved_onto(here, here.drawn(shifts))
        for building, shift in zip(found.buildings, shifts, strict=True):
            alignment = building.alignment
            scaled += list((np.array(alignment.shift_m) - shift) / alignment.sigma_m)
    assert np.sqrt(np.mean(np.square(scaled))) < 1.2
    assert np.mean(np.abs(scaled) > 3) < 0.01


def test_the_residual_is_small_on_a_building_and_absent_on_a_heap(here):
    shifts = smooth_shifts(here.outlines)
    found = moved_onto(here, here.drawn(shifts))
    for building, is_heap in zip(found.buildings, here.collapsed, strict=True):
        if is_heap:
            assert building.alignment.residual_m is None
        else:
            assert building.alignment.residual_m < 0.25


def test_a_building_drawn_otherwise_than_its_neighbours_keeps_its_own_shift(here):
    shifts = np.tile([0.5, 0.5], (len(here.outlines), 1))
    shifts[15] = [-1.2, 0.9]
    found = moved_onto(here, here.drawn(shifts))
    assert errors_m(found, shifts)[15] < 0.3
    assert errors_m(found, shifts)[np.arange(len(shifts)) != 15].max() < 0.5


def test_the_moved_outline_is_the_footprint_plus_its_shift(here):
    shifts = smooth_shifts(here.outlines)
    drawn = here.drawn(shifts)
    found = moved_onto(here, drawn)
    for building, footprint in zip(found.buildings, drawn.footprints, strict=True):
        assert building.footprint is footprint
        before = np.array(footprint.polygons_m[0][0])
        after = np.array(building.polygons_m[0][0])
        assert after - before == pytest.approx(
            np.broadcast_to(building.alignment.shift_m, before.shape), abs=1e-6
        )


def test_houses_wall_to_wall_are_placed_by_the_walls_that_stand_free(tmp_path):
    """A terrace: each house shares its side walls, so that only the ends hold it lengthwise."""
    west, south = EAST_M + 30, NORTH_M - 60
    row = [box(west + 8 * i, south, west + 8 * i + 8, south + 11) for i in range(6)]
    here = town(tmp_path, across=4, collapsed=tuple(range(16)), beyond=row)
    whole = replace(here, outlines=tuple(row), collapsed=(False,) * 6)
    shifts = np.tile([0.9, -0.7], (6, 1))
    found = moved_onto(whole, whole.drawn(shifts))
    assert errors_m(found, shifts).max() < 0.4


def test_a_building_off_the_map_is_not_moved_and_says_so(here):
    away = box(EAST_M + 400, NORTH_M - 30, EAST_M + 410, NORTH_M - 20)
    wider = replace(here, outlines=(*here.outlines, away), collapsed=(*here.collapsed, False))
    shifts = np.tile([0.5, 0.5], (len(wider.outlines), 1))
    found = moved_onto(wider, wider.drawn(shifts))
    alignment = found.buildings[-1].alignment
    assert alignment.source is ShiftSource.NONE
    assert alignment.shift_m == (0.0, 0.0)
    assert alignment.residual_m is None
    assert alignment.sigma_m > 3
    assert any("1 outline of 37 not shifted" in note for note in found.notes)


def test_ground_without_heights_says_nothing_of_a_shift(here, tmp_path):
    """Half of the town was not measured: those buildings have no edges of their own."""
    surface = here.elevation.surface
    grid = surface.grid
    block = block_over(
        grid,
        (grid.east_m, grid.north_m - grid.rows * CELL_M),
        (grid.east_m + grid.columns * CELL_M, grid.north_m),
    )
    heights = read_heights(surface, block)[0]
    heights[:, heights.shape[1] // 2 :] = NODATA
    half = raster_of(tmp_path / "half.tif", heights[None], grid, NODATA)
    blind = replace(here, elevation=replace(here.elevation, surface=half))
    shifts = np.tile([0.6, -0.4], (len(here.outlines), 1))
    found = moved_onto(blind, here.drawn(shifts))
    middle = EAST_M + grid.columns * CELL_M / 2
    for building in found.buildings:
        is_east = shape_of(building.footprint.polygons_m).bounds[0] > middle + 5
        assert not (is_east and building.alignment.source is ShiftSource.OWN)


def test_one_building_alone_is_placed_by_its_own_edges(here):
    only = replace(here, outlines=here.outlines[:1], collapsed=(False,))
    found = moved_onto(only, only.drawn(np.array([[2.6, -1.9]])))
    assert errors_m(found, np.array([[2.6, -1.9]]))[0] < 0.2
    assert found.buildings[0].alignment.source is ShiftSource.OWN


def test_the_answer_does_not_depend_on_how_many_work_on_it(here):
    drawn = here.drawn(smooth_shifts(here.outlines))
    with LocalExecutor(2, progress=NoProgress()) as executor:
        other = aligned_buildings(drawn, here.elevation, here.orthophoto, None, executor)
    assert other == moved_onto(here, drawn)


def test_no_footprints_give_no_buildings(here):
    empty = replace(here.drawn(np.zeros((36, 2))), footprints=())
    assert moved_onto(here, empty).buildings == ()


def test_normals_point_out_of_the_house_and_into_the_courtyard():
    ring = box(0, 0, 20, 20).difference(box(8, 8, 12, 12))
    samples = outline_samples(polygons_of(ring))
    beyond = samples.place_m + 0.5 * samples.normal
    inside = ((beyond > 0) & (beyond < 20)).all(1)
    in_court = ((beyond > 8) & (beyond < 12)).all(1)
    assert not (inside & ~in_court).any()
    assert len(samples.place_m) == pytest.approx((80 + 16) / 0.25, abs=4)


def test_wrong_matches_do_not_bend_what_neighbours_expect():
    rng = np.random.default_rng(2)
    places = np.stack(np.meshgrid(np.arange(10), np.arange(10)), -1).reshape(-1, 2) * PITCH_M
    true = np.stack([0.5 + places[:, 0] / 300, -0.8 + places[:, 1] / 250], axis=1)
    seen = true + rng.normal(0, 0.1, true.shape)
    wrong = rng.random(len(seen)) < 0.15
    seen[wrong] += rng.uniform(-3, 3, (int(wrong.sum()), 2))
    covariance = np.tile(np.eye(2) * 0.1**2, (len(seen), 1, 1))
    found = expected(places.astype(float), np.ones(len(seen), bool), seen, covariance)
    left = np.hypot(*(found.shift_m - true).T)
    assert np.median(left) < 0.12
    assert left.max() < 0.6


def test_where_nobody_matched_nothing_is_expected():
    found = expected(
        np.zeros((3, 2)), np.zeros(3, bool), np.ones((3, 2)), np.tile(np.eye(2), (3, 1, 1))
    )
    assert not found.shift_m.any()
    assert np.sqrt(found.covariance_m2[0, 0, 0]) > 2
