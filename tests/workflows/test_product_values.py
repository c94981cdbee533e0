"""Whether two files of one product hold the same, whatever their bytes."""

import json
import sqlite3
import zipfile

import laspy
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from aftermap.workflows.product_values import differences_of


def written_json(path, **values):
    path.write_text(json.dumps(values))
    return path


def written_raster(path, cells):
    grid = {"crs": "EPSG:32637", "transform": Affine(1, 0, 0, 0, -1, 9), "nodata": np.nan}
    size = {"height": cells.shape[0], "width": cells.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", driver="GTiff", **grid, **size) as file:
        file.write(cells.astype(np.float32), 1)
    return path


def written_table(path, height_m, at):
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE camera (name TEXT, height_m REAL, updated_at TEXT)")
        base.execute("INSERT INTO camera VALUES ('a', ?, ?)", (height_m, at))
        base.execute("CREATE TABLE run (seconds REAL)")
        base.execute("INSERT INTO run VALUES (?)", (height_m,))
    base.close()
    return path


def written_cloud(path, x_m, day):
    cloud = laspy.create(point_format=2, file_version="1.4")
    cloud.header.creation_date = day
    cloud.x, cloud.y, cloud.z = [x_m], [0.0], [0.0]
    cloud.write(path)
    return path


def test_times_and_runs_are_no_results_and_figures_are(tmp_path):
    first = written_json(tmp_path / "a.json", height_m=1.0, started_at="today")
    later = written_json(tmp_path / "b.json", height_m=1.0, started_at="tomorrow")
    other = written_json(tmp_path / "c.json", height_m=1.001, started_at="today")
    assert list(differences_of(first, later)) == []
    assert list(differences_of(first, other)) == [".height_m: 1.0 before, 1.001 after"]


def test_a_raster_is_the_same_by_its_cells_with_no_data_among_them(tmp_path):
    cells = np.arange(12.0).reshape(3, 4)
    cells[0, 0] = np.nan
    first = written_raster(tmp_path / "a.tif", cells)
    moved = cells.copy()
    moved[2, 3] += 0.001
    assert list(differences_of(first, written_raster(tmp_path / "b.tif", cells))) == []
    (told,) = differences_of(first, written_raster(tmp_path / "c.tif", moved))
    assert told == "1 of 12 pixels differ"


def test_tables_are_held_by_value_without_those_of_runs(tmp_path):
    first = written_table(tmp_path / "a.gpkg", 2.0, "today")
    later = written_table(tmp_path / "b.gpkg", 2.0, "tomorrow")
    other = written_table(tmp_path / "c.gpkg", 2.5, "today")
    assert list(differences_of(first, later)) == []
    assert list(differences_of(first, other)) == ["camera[0].height_m: 2.0 before, 2.5 after"]


def test_a_point_cloud_of_another_day_is_the_same_by_its_points(tmp_path):
    days = np.array(["2026-01-01", "2026-02-01"], "datetime64[D]").tolist()
    first = written_cloud(tmp_path / "a.laz", 1.0, days[0])
    assert list(differences_of(first, written_cloud(tmp_path / "b.laz", 1.0, days[1]))) == []
    assert list(differences_of(first, written_cloud(tmp_path / "c.laz", 2.0, days[0])))


@pytest.mark.parametrize("suffix", ["png", "zip", "csv", "glb"])
def test_other_content_of_any_kind_is_told(tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for number, path in enumerate(paths):
        if suffix == "png":
            Image.new("L", (2, 2), 10 * number).save(path)
        elif suffix == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"{number}.txt", "")
        else:
            path.write_text(f"height_m\n{number}\n")
    assert list(differences_of(*paths))
