"""What was filled has no say in a measure or a grade, whatever its heights are and its picture."""

import numpy as np
import pytest
from made_up_roofs import CELL, CRS, NORTH, SIDE, WEST, Scene, outline, raster, seen, values

from aftermap.assessment.before import before_in
from aftermap.assessment.grade import grade_buildings

AREA = (WEST, NORTH - SIDE * CELL, WEST + SIDE * CELL, NORTH)
HOUSES = [outline(8, 8, 22, 20), outline(26, 8, 40, 20), outline(8, 30, 20, 44)]


def town() -> tuple[Scene, np.ndarray]:
    """Three roofs, one broken; a third of the map in ragged patches is filled."""
    scene = Scene()
    for east, north, high in ((8, 8, 6.0), (26, 8, 7.0), (8, 30, 5.0)):
        scene.height[scene.cut(east, north, east + 14, north + 12)] += high
    heap = scene.cut(26, 8, 34, 20)
    scene.height[heap] -= scene.rng.uniform(0, 6, scene.height[heap].shape).astype(np.float32)
    scene.light[heap] += scene.rng.normal(0, 60, scene.light[heap].shape)
    rough = scene.rng.normal(0, 1, (SIDE // 20, SIDE // 20)).repeat(20, 0).repeat(20, 1)
    filled = rough > 0.5
    scene.count[filled] = 0
    return scene, filled


def told(folder, change=None, *, before=False):
    """All measures and grades of the town; ``change`` alters what is filled."""
    scene, filled = town()
    if change is not None:
        change(scene, filled)
    folder.mkdir()
    earlier = before_of(folder, scene, filled, change) if before else None
    scene.rng = np.random.default_rng(7)
    made, table, rows = values(scene, HOUSES, folder, earlier)
    return rows, grade_buildings(made, table, seen(len(HOUSES))).assessments


def before_of(folder, scene, filled, change):
    """The town before, as another map of Aftermap with its own filled patches."""
    (folder / "before").mkdir()
    there, heights = np.roll(filled, 130, axis=1), town()[0].height + 37.0
    heights[scene.cut(26, 8, 40, 20)] = 144.0
    if change is not None:
        heights[there] = np.random.default_rng(11).normal(0, 1e3, int(there.sum()))
    raster(folder / "before" / "surface.tif", [heights.astype(np.float32)], -9999.0)
    raster(folder / "before" / "confidence.tif", [np.where(there, 0, 3).astype(np.uint8)])
    return before_in(None, folder / "before" / "surface.tif", map_crs=CRS, area_m=AREA)


def wild_heights(scene, filled):
    scene.height[filled] = np.random.default_rng(9).normal(120, 400, int(filled.sum()))


def hatched(scene, filled):
    """As the orthophoto draws what was filled: even strokes, and no photograph."""
    rows, columns = np.indices(filled.shape)
    scene.light[filled] = np.where((rows + columns) % 12 < 4, 156, 198)[filled]


def wild_picture(scene, filled):
    scene.light[filled] = np.random.default_rng(10).uniform(0, 255, int(filled.sum()))


@pytest.mark.parametrize("change", [wild_heights, wild_picture, hatched])
def test_changing_what_was_filled_changes_no_measure_and_no_grade(change, tmp_path):
    rows, grades = told(tmp_path / "first", before=True)
    again, grades_again = told(tmp_path / "second", change, before=True)
    assert rows == again
    assert grades == grades_again
    assert all(row["measured_fraction"] < 0.9 and row["filled_fraction"] > 0.1 for row in rows)
    assert all(row["before_loss_m"] is not None for row in rows)
    assert all(one.grade is not None for one in grades)


def test_a_change_of_what_was_measured_is_seen_in_the_measures(tmp_path):
    """The test above would notice: the same change, where photographs agree."""
    rows, _ = told(tmp_path / "first")
    again, _ = told(tmp_path / "second", lambda scene, filled: wild_heights(scene, ~filled))
    assert all(one["height_m"] != two["height_m"] for one, two in zip(rows, again, strict=True))


def test_a_roof_that_was_filled_is_not_graded_and_says_so(tmp_path):
    scene, _ = town()
    scene.count[scene.cut(6, 28, 22, 46)] = 0
    made, table, rows = values(scene, HOUSES, tmp_path)
    assert rows[2]["filled_fraction"] == pytest.approx(1)
    assert rows[2]["empty_fraction"] == 0
    one = grade_buildings(made, table, seen(len(HOUSES))).assessments[2]
    assert one.grade is None
    assert one.not_assessed_reason is not None
    assert "measured" in one.not_assessed_reason
