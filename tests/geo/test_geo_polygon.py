"""Outlines as rings and as shapes, and the cells that lie inside."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LinearRing, MultiPolygon, Polygon, box

from aftermap.geo.polygon import (
    cells_inside,
    neighbourhoods,
    polygons_of,
    shape_of,
    shifted,
    simple_ring,
)
from aftermap.model.raster import Grid

COURTYARDS = MultiPolygon(
    [
        Polygon(
            box(0, 0, 30, 20).exterior,
            [box(2, 2, 6, 6).exterior, box(10, 3, 15, 9).exterior, box(20, 8, 28, 16).exterior],
        ),
        box(40, 0, 45, 5),
    ]
)
GRID = Grid(crs="EPSG:32637", east_m=-3.0, north_m=24.0, cell_m=0.7, columns=75, rows=40)


def test_a_shape_comes_back_from_its_rings_with_every_courtyard():
    rings = polygons_of(COURTYARDS)
    assert [len(one) for one in rings] == [4, 1]
    assert shape_of(rings).equals(COURTYARDS)
    for outer, *inner in rings:
        assert LinearRing(outer).is_ccw
        assert not any(LinearRing(one).is_ccw for one in inner)


def tangled(seed: int) -> np.ndarray:
    """A ring around a place, in metres of a CRS, whose corners now and then run backwards."""
    random = np.random.default_rng(seed)
    count = random.integers(5, 70)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + random.normal(0, 2 / count, count)
    reach = random.uniform(40, 100, count)
    ring = reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.add(ring[:: random.choice((-1, 1))], (500_900.0, 3_978_400.0))


@pytest.mark.parametrize("seed", range(80))
def test_a_ring_that_crosses_itself_becomes_simple_and_keeps_its_ground(seed):
    ring = tangled(seed)
    enclosed = shapely.make_valid(Polygon(ring), method="structure")
    made = simple_ring(ring)
    assert LinearRing(made).is_ccw
    assert Polygon(made).is_valid
    lost = enclosed.difference(Polygon(made)).area
    holes = sum(Polygon(r).area for part in shapely.get_parts(enclosed) for r in part.interiors)
    added = Polygon(made).difference(enclosed).area - holes
    assert lost < 1e-4 * enclosed.area
    assert added < 2e-4 * enclosed.area


def test_a_sound_ring_is_only_turned_and_one_without_ground_is_empty():
    square = np.array([(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0)])
    assert simple_ring(square).tolist() == square[::-1].tolist()
    assert simple_ring(square[::-1]).tolist() == square[::-1].tolist()
    bow = simple_ring(square[[0, 2, 1, 3]])
    assert Polygon(bow).is_valid
    assert Polygon(bow).area == pytest.approx(2.0, rel=1e-3)
    for nothing in ([(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 1)], [(3, 3)] * 5, np.zeros((0, 2))):
        assert simple_ring(nothing).shape == (0, 2)


def test_what_is_no_area_gives_no_rings_and_no_number_is_refused():
    mixed = shapely.GeometryCollection([shapely.Point(1, 2), Polygon(), box(0, 0, 1, 1)])
    assert len(polygons_of(mixed)) == 1
    with pytest.raises(ValueError, match="a coordinate that is not a number"):
        polygons_of(Polygon([(0, 0), (1, np.inf), (1, 1)]))


@given(east=st.floats(-1e5, 1e5), north=st.floats(-1e5, 1e5))
def test_shifting_moves_every_ring_and_shifting_back_undoes_it(east, north):
    moved = shifted(polygons_of(COURTYARDS), (east, north))
    assert shape_of(moved).bounds == pytest.approx((east, north, east + 45, north + 20))
    assert shape_of(moved).area == pytest.approx(COURTYARDS.area, rel=1e-6)
    back = shape_of(shifted(moved, (-east, -north)))
    assert back.hausdorff_distance(COURTYARDS) < 1e-9 * (1e5 + 45)


def test_a_cell_is_inside_where_its_centre_is():
    column, row = np.meshgrid(np.arange(GRID.columns) + 0.5, np.arange(GRID.rows) + 0.5)
    x, y = GRID.east_m + GRID.cell_m * column, GRID.north_m - GRID.cell_m * row
    assert np.array_equal(cells_inside(COURTYARDS, GRID), shapely.contains_xy(COURTYARDS, x, y))


def test_nothing_lies_inside_an_empty_shape():
    nothing = cells_inside(Polygon(), GRID)
    assert nothing.shape == (GRID.rows, GRID.columns)
    assert not nothing.any()


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), max_size=40))
def test_every_place_is_in_one_neighbourhood_with_those_of_its_square(places):
    found = neighbourhoods(places, 50.0)
    assert sorted(index for group in found for index in group) == list(range(len(places)))
    squares = [{(y // 50, x // 50) for x, y in (places[k] for k in group)} for group in found]
    assert all(len(one) == 1 for one in squares)
    firsts = [one.pop() for one in squares]
    assert firsts == sorted(set(firsts))  # south-west first, each once
