"""Free widths on made-up surfaces whose widths are known."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from in_process import InProcess
from made_up_streets import GRID, elevation, ground_and_places, houses, lines

from aftermap.model.street import Passage
from aftermap.record import StageFolder
from aftermap.streets import trafficability_of


@pytest.fixture
def pieces_of(tmp_path):
    """The table's rows for a surface, by number of piece."""

    def rows(height_m, measured=None, streets=None):
        made = elevation(tmp_path, height_m, measured)
        files = StageFolder(folder=tmp_path / "stage")
        table = trafficability_of(streets or lines(), houses(), made, None, files, InProcess())
        return pq.read_table(table.path).to_pylist()

    return rows


def test_an_empty_street_is_free_from_wall_to_wall_every_ten_metres(pieces_of):
    ground, _, _ = ground_and_places()
    rows = pieces_of(ground)
    assert [row["piece"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert [row["free_width_m"] for row in rows] == pytest.approx([8.0] * 6, abs=0.3)
    assert {row["passage"] for row in rows} == {Passage.TRUCK}
    assert all(row["nobody_probability"] < 0.01 for row in rows)


@pytest.mark.parametrize(
    ("heap_to_m", "free_m", "passage"),
    [(0.0, 4.0, "truck"), (1.0, 3.0, "car"), (2.5, 1.5, "nobody")],
)
def test_a_heap_from_one_wall_leaves_the_rest_of_the_street(pieces_of, heap_to_m, free_m, passage):
    ground, x, y = ground_and_places()
    heap = np.where((y < heap_to_m) & (x > 23) & (x < 27), 0.9, 0.0)
    rows = pieces_of(ground + heap)
    assert rows[2]["free_width_m"] == pytest.approx(free_m, abs=0.3)
    assert rows[2]["passage"] == passage
    assert [row["passage"] for row in rows[:2] + rows[3:]] == ["truck"] * 5
    assert rows[2]["rubble_fraction"] > 0.1


def test_a_line_that_lies_a_metre_and_a_half_off_gives_the_same_width(pieces_of):
    ground, x, y = ground_and_places()
    heap = np.where((y < 2.5) & (x > 23) & (x < 27), 0.9, 0.0)
    on = pieces_of(ground + heap)
    off = pieces_of(ground + heap, streets=lines(beside_m=1.5))
    widths = [[row["free_width_m"] for row in rows] for rows in (on, off)]
    assert widths[0] == pytest.approx(widths[1], abs=0.3)


def test_what_no_picture_measured_is_not_seen_and_has_no_width(pieces_of):
    ground, x, _ = ground_and_places()
    rows = pieces_of(ground, measured=~((x > 30) & (x < 40)))
    assert rows[3]["passage"] == Passage.NOT_SEEN
    assert rows[3]["free_width_m"] is None
    assert rows[3]["nobody_probability"] is None
    assert "measured" in rows[3]["reason"] or "seen" in rows[3]["reason"]
    assert rows[1]["passage"] == Passage.TRUCK


def test_changing_filled_heights_changes_no_width_and_no_passage(pieces_of):
    ground, x, y = ground_and_places()
    heap = np.where((y < 1.0) & (x > 23) & (x < 27), 0.9, 0.0)
    rng = np.random.default_rng(4)
    filled = rng.random((30, 70)).repeat(10, 0).repeat(10, 1) < 0.2
    filled |= (x > 31) & (x < 38) & (y > -1)
    first = pieces_of(ground + heap, measured=~filled)
    for wild in (rng.normal(0, 30, ground.shape), np.full(ground.shape, -50.0)):
        assert pieces_of(ground + heap + np.where(filled, wild, 0), measured=~filled) == first
    assert {row["passage"] for row in first} > {Passage.NOT_SEEN}


def test_a_way_that_leads_over_filled_ground_is_not_told_free(pieces_of):
    ground, x, y = ground_and_places()
    rows = pieces_of(ground, measured=~((x > 33) & (x < 37) & (y > -2.2)))
    assert rows[3]["passage"] == Passage.NOT_SEEN
    assert rows[3]["seen_fraction"] > 0.5
    assert rows[3]["free_width_m"] is None
    assert "not measured" in rows[3]["reason"]
    assert [row["passage"] for row in rows[:3] + rows[4:]] == ["truck"] * 5


def test_beside_filled_ground_the_measured_width_is_told(pieces_of):
    ground, x, y = ground_and_places()
    rows = pieces_of(ground, measured=~((x > 33) & (x < 37) & (y > 1)))
    assert rows[3]["free_width_m"] == pytest.approx(5.0, abs=0.3)
    assert rows[3]["passage"] == Passage.TRUCK
    assert rows[3]["reason"].endswith("m more were not measured")


def test_a_street_that_is_shut_beside_filled_ground_is_shut(pieces_of):
    ground, x, y = ground_and_places()
    across = (x > 33) & (x < 37)
    rows = pieces_of(
        ground + np.where(across & (y > -2), 0.9, 0.0), measured=~(across & (y < -2.0))
    )
    assert rows[3]["passage"] == Passage.NOBODY
    assert rows[3]["nobody_probability"] > 0.5


def test_specks_that_were_not_measured_do_not_hide_a_heap(pieces_of):
    ground, _, _ = ground_and_places()
    specks = np.random.default_rng(6).random(ground.shape) < 0.1
    rows = pieces_of(ground, measured=~specks)
    assert {row["passage"] for row in rows} == {Passage.TRUCK}
    assert [row["free_width_m"] for row in rows] == pytest.approx([8.0] * 6, abs=0.3)


def test_a_parked_car_is_counted_and_is_no_rubble(pieces_of):
    ground, x, y = ground_and_places()
    car = (x > 42) & (x < 46.4) & (y > -3.6) & (y < -1.8)
    rows = pieces_of(ground + np.where(car, 1.45, 0.0))
    assert rows[4]["vehicles"] == 1
    assert rows[4]["free_width_m"] == pytest.approx(8.0, abs=0.3)
    assert rows[4]["clear_width_m"] == pytest.approx(5.8, abs=0.8)


def test_two_lorries_side_by_side_are_vehicles_and_no_heap(pieces_of):
    ground, x, y = ground_and_places()
    first = (x > 41) & (x < 48.5) & (y > -3.3) & (y < -0.9)
    second = (x > 41) & (x < 48.5) & (y > -0.6) & (y < 1.8)
    rows = pieces_of(ground + np.where(first | second, 2.6, 0.0))
    assert rows[4]["vehicles"] >= 2
    assert rows[4]["free_width_m"] == pytest.approx(8.0, abs=0.3)
    assert rows[4]["clear_width_m"] < 2.5


def test_a_heap_against_the_wall_is_no_vehicle(pieces_of):
    ground, x, y = ground_and_places()
    away = np.hypot((x - 45) / 3.0, (y + 4) / 2.5)
    rows = pieces_of(ground + 1.6 * np.clip(1 - away, 0, None))
    assert rows[4]["vehicles"] == 0
    assert rows[4]["free_width_m"] < 6.8


def test_a_single_stone_at_a_heap_does_not_narrow_the_way(pieces_of):
    ground, x, y = ground_and_places()
    heap = np.where((y < -1) & (x > 43) & (x < 47), 0.9, 0.0)
    stone = np.where((y >= -1) & (y < 0.5) & (x > 44.8) & (x < 45.2), 0.6, 0.0)
    rows = pieces_of(ground + heap + stone)
    assert rows[4]["free_width_m"] == pytest.approx(5.0, abs=0.4)


def test_a_gap_within_the_measuring_error_of_a_car_is_not_told_as_sure(pieces_of):
    ground, x, y = ground_and_places()
    heap = np.where((y < 1.9) & (x > 23) & (x < 27), 0.9, 0.0)
    rows = pieces_of(ground + heap)
    assert 0.2 < rows[2]["nobody_probability"] < 0.8


def test_a_given_width_is_the_width_that_is_looked_at(pieces_of):
    ground, _, _ = ground_and_places()
    rows = pieces_of(ground, streets=lines(width_m=5.0))
    assert {round(row["width_m"], 1) for row in rows} == {5.0}
    assert [row["free_width_m"] for row in rows] == pytest.approx([5.0] * 6, abs=0.2)


def test_without_lines_the_middle_between_the_houses_is_the_street(tmp_path):
    ground, _, _ = ground_and_places()
    made = elevation(tmp_path, ground)
    files = StageFolder(folder=tmp_path / "stage")
    table = trafficability_of(None, houses(), made, None, files, InProcess())
    rows = pq.read_table(table.path).to_pylist()
    assert table.has_own_lines
    assert "no street lines" in table.notes[0]
    assert sum(row["length_m"] for row in rows) == pytest.approx(68, abs=8)
    assert {row["passage"] for row in rows[1:-1]} == {Passage.TRUCK}


def test_pieces_beyond_the_map_are_counted_as_left_out(tmp_path):
    ground, _, _ = ground_and_places()
    streets = lines()
    (street,) = streets.streets
    longer = (street.lines_m[0][0], (street.lines_m[0][1][0] + 40, street.lines_m[0][1][1]))
    far = type(streets)(
        crs=streets.crs,
        file_name="",
        file_sha256="",
        id_field="",
        streets=(type(street)(source_id="1", feature=0, lines_m=(longer,)),),
    )
    files = StageFolder(folder=tmp_path / "stage")
    table = trafficability_of(far, houses(), elevation(tmp_path, ground), None, files, InProcess())
    assert table.pieces == 6
    assert table.skipped[0].name == "4 street sections"


def test_a_map_without_scale_has_no_streets_and_says_so(tmp_path):
    ground, _, _ = ground_and_places()
    made = elevation(tmp_path, ground)
    unscaled = replace(made, surface=replace(made.surface, grid=replace(GRID, crs="LOCAL")))
    files = StageFolder(folder=tmp_path / "stage")
    table = trafficability_of(None, houses(), unscaled, None, files, InProcess())
    assert table.pieces == 0
    assert "no scale" in table.notes[0]
