"""Where no street lines are given: what leads through between buildings, and what is a yard."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from in_process import InProcess
from made_up_streets import CRS, elevation, ground_and_places, houses
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely import box

from aftermap.geo.polygon import polygons_of
from aftermap.model.building import Buildings
from aftermap.record import StageFolder
from aftermap.streets.space import streets_between
from aftermap.streets.through import leading_through
from aftermap.streets.trafficability import trafficability_of

ROWS = (box(0, 0, 80, 12), box(0, 20, 80, 32))
"""Two rows of houses, a street of 8 m between them."""
AROUND_A_YARD = (
    box(0, 0, 60, 12),
    box(0, 14, 12, 60),
    box(48, 14, 60, 60),
    box(0, 62, 28, 74),
    box(33, 62, 60, 74),
)
"""Five houses around a yard of 36 by 50 m; gaps of 2 m, and one gate of 5 m in the north."""
HUT = box(22, 28, 38, 44)
"""It stands in the yard, so that there is a way all round it."""


def drawn(streets):
    return shapely.union_all([shapely.LineString(line) for s in streets for line in s.lines_m])


def test_a_street_leads_through_and_one_with_a_closed_end_does_not():
    through = streets_between(ROWS)
    assert 75 < drawn(through.streets).length < 100
    assert through.yards == ()
    closed = streets_between((*ROWS, box(-12, 0, -2, 32)))
    assert closed.streets == ()
    assert drawn(closed.yards).length == pytest.approx(80, abs=8)


def test_a_yard_with_one_gate_is_no_street_even_with_a_way_round_a_hut_in_it():
    for houses_around in (AROUND_A_YARD, (*AROUND_A_YARD, HUT)):
        found = streets_between((*houses_around, box(0, 84, 60, 96)))
        yard = box(12, 12, 48, 60)
        assert drawn(found.streets).intersection(yard).length < 1
        street = drawn(found.streets).intersection(box(0, 74, 60, 84))
        assert street.length == pytest.approx(60, abs=8)
    assert drawn(found.yards).intersection(yard).length > 80


def test_a_lane_from_street_to_street_leads_through():
    rows = [box(x, y, x + 36, y + 14) for x in (0, 40) for y in (0, 22, 44)]
    found = streets_between(rows)
    lane = drawn(found.streets).intersection(box(36, 0, 40, 58))
    assert lane.length > 50
    assert found.yards == ()


@pytest.mark.parametrize("seed", range(25))
def test_lines_lead_through_that_no_single_loss_cuts_off(seed):
    random = np.random.default_rng(seed)
    places = random.uniform(10, 90, (9, 2))
    places[:3, 0] = (0, 100, 100)
    pairs = {tuple(sorted(random.choice(9, 2, replace=False).tolist())) for _ in range(11)}
    ends = np.array(sorted(pairs))
    lines = shapely.linestrings(places[ends])
    found = leading_through(lines, box(0, 0, 100, 100))
    ends = np.where(ends < 3, 0, ends)

    def with_root(left):
        graph = coo_matrix((np.ones(len(left)), left.T), shape=(9, 9))
        parts = connected_components(graph, directed=False)[1]
        return parts == parts[0]

    safe = np.all([with_root(np.delete(ends, lost, axis=0)) for lost in range(len(ends))], axis=0)
    assert found.tolist() == safe[ends].all(axis=1).tolist()


def test_no_lines_no_way():
    assert leading_through([], box(0, 0, 1, 1)).tolist() == []
    assert streets_between([box(0, 0, 9, 9)]).streets == ()


def test_yards_are_left_out_of_the_table_and_told(tmp_path):
    ground, _, _ = ground_and_places()
    made = elevation(tmp_path, ground)
    (north, south) = houses().buildings
    west, low, _, high = shapely.bounds(shapely.MultiPoint(north.polygons_m[0][0]))
    across = shapely.box(west - 12, low - 20, west - 2, high)
    closing = replace(south, polygons_m=polygons_of(across))
    closed = Buildings(crs=CRS, buildings=(north, south, closing))
    files = StageFolder(folder=tmp_path / "stage")
    table = trafficability_of(None, closed, made, None, files, InProcess())
    assert table.pieces == 0
    assert [one.name for one in table.skipped] == ["7 sections between footprints"]
    assert "not summed" in table.notes[0]
