"""Bad footprints, streets, rasters and labels by the whole command's line, on a mapped district.

Each is refused in one line that names it and says what to do, or listed while the rest goes on.
"""

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from known_district import Mapped

from aftermap.cli import status_of

Shape = shapely.Geometry


@pytest.fixture(scope="module")
def town(mapped: Mapped, tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    case = tmp_path_factory.mktemp("bad_buildings") / "case"
    shutil.copytree(mapped.case, case)
    return replace(mapped, case=case)


@pytest.fixture(scope="module")
def outlines(town: Mapped) -> list[Shape]:
    """In degrees: ten buildings that the map shows."""
    features = town.truth("buildings.geojson")["features"]
    seen = [f for f in features if f["properties"]["mapped"]]
    return [shapely.from_geojson(json.dumps(f["geometry"])) for f in seen[:10]]


def written(path: Path, shapes: list[tuple[str, Shape | None]], *, crs="EPSG:4326", layer=None):
    pyogrio.raw.write(
        path,
        np.array([shapely.to_wkb(shape) for _, shape in shapes], object),
        [np.array([name for name, _ in shapes], object)],
        ["id"],
        geometry_type="Unknown",
        crs=crs,
        layer=layer,
        append=path.exists(),
    )
    return path


def box_around(shape: Shape, width_m: float, height_m: float) -> Shape:
    x, y = shape.centroid.coords[0]
    east, north = width_m / 90_200, height_m / 111_000
    return shapely.box(x, y, x + east, y + north)


@pytest.fixture(scope="module")
def mixed(town, outlines, tmp_path_factory) -> dict[str, str]:
    """``aftermap assess`` on one outline of every bad kind: what is graded, what was said."""
    x, y = outlines[1].centroid.coords[0]
    d = 6e-5
    bow = shapely.Polygon([(x - d, y - d), (x + d, y + d), (x + d, y - d), (x - d, y + d)])
    file = written(
        tmp_path_factory.mktemp("mixed") / "mixed.gpkg",
        [
            ("whole", outlines[0]),
            ("null", None),
            ("empty", shapely.Polygon()),
            ("bow", bow),
            ("parts", shapely.MultiPolygon([outlines[2], outlines[3]])),
            ("sliver", box_around(outlines[4], 30, 0.2)),
            ("tiny", box_around(outlines[4], 1, 1)),
            ("first", outlines[5]),
            ("second", outlines[5]),
            ("point", outlines[6].centroid),
            ("deep", shapely.force_3d(outlines[7], 55.0)),
            ("alike", outlines[8]),
            ("alike", outlines[9]),
            ("../../x", outlines[6]),
            ("away", shapely.transform(outlines[0], lambda xy: xy + np.array([0.5, 0.0]))),
        ],
    )
    assert status_of(["assess", str(town.case), "--footprints", str(file)]) == 0
    with sqlite3.connect(town.case / "case.gpkg") as record:
        ((skipped,),) = record.execute("SELECT skipped FROM run ORDER BY fid DESC LIMIT 1")
    record.close()
    return {one["name"]: one["reason"] for one in json.loads(skipped)}


def names_in(town: Mapped) -> set[str]:
    return {f["id"] for f in town.json("buildings.geojson")["features"]}


def test_sound_outlines_are_kept_whatever_lies_beside_them(mixed, town):
    assert names_in(town) == {
        "whole",
        "bow",
        "parts",
        "first",
        "deep",
        "alike",
        "alike#2",
        "../../x",
    }


@pytest.mark.parametrize("name", ["null", "empty", "sliver", "tiny", "second", "point", "away"])
def test_each_outline_that_cannot_be_used_has_its_line(mixed, town, name):
    lines = [reason for said, reason in mixed.items() if name in said]
    assert len(lines) == 1, mixed
    assert lines[0]
    assert name in town.product("assessment.html").read_text("utf-8")


def test_an_id_with_dots_and_slashes_stays_inside_the_case(mixed, town):
    sheets = list((town.case / "products" / "evidence").glob("*/sheet.html"))
    assert len(sheets) == len(names_in(town))
    assert not (town.case.parent / "x").exists()


def refused(capsys, town: Mapped, *more: object) -> str:
    """The one line of ``aftermap assess`` on something that it refuses."""
    capsys.readouterr()
    assert status_of(["assess", str(town.case), *(str(word) for word in more)]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("aftermap: ")
    return line


def test_footprints_without_crs_are_refused(town, outlines, tmp_path, capsys):
    with pytest.warns(UserWarning, match="crs"):
        file = written(tmp_path / "bare.gpkg", [("a", outlines[0])], crs=None)
    line = refused(capsys, town, "--footprints", file)
    assert "bare.gpkg: names no CRS" in line
    assert "--footprints-crs" in line


def test_footprints_of_another_place_say_where_both_lie(town, outlines, tmp_path, capsys):
    away = shapely.transform(outlines[0], lambda xy: xy + np.array([5.0, 5.0]))
    line = refused(capsys, town, "--footprints", written(tmp_path / "far.gpkg", [("a", away)]))
    assert "far.gpkg: no outline is on the map" in line


def test_a_file_with_two_layers_of_areas_names_them(town, outlines, tmp_path, capsys):
    file = written(tmp_path / "two.gpkg", [("a", outlines[0])], layer="one")
    written(file, [("b", outlines[1])], layer="other")
    line = refused(capsys, town, "--footprints", file)
    assert "one, other" in line


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("none.geojson", '{"type": "FeatureCollection", "features": []}', "holds no polygons"),
        ("words.geojson", "hello", "cannot be read as footprints"),
    ],
)
def test_a_file_that_holds_no_outline_is_refused(name, text, says, town, tmp_path, capsys):
    (tmp_path / name).write_text(text, "utf-8")
    line = refused(capsys, town, "--footprints", tmp_path / name)
    assert f"{name}" in line
    assert says in line


def before(path: Path, town: Mapped, *, shift_m: float = 0.0, cell_m: float = 0.5) -> Path:
    """A made-up raster of earlier, laid over the map or beside it."""
    with rasterio.open(town.product("surface.tif")) as file:
        crs, bounds = file.crs, file.bounds
    side = int(max(bounds.right - bounds.left, bounds.top - bounds.bottom) / cell_m) + 1
    step = Affine(cell_m, 0, bounds.left + shift_m, 0, -cell_m, bounds.top)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        width=side,
        height=side,
        dtype="float32",
        crs=crs,
        transform=step,
    ) as file:
        file.write(np.zeros((side, side), np.float32), 1)
    return path


@pytest.mark.parametrize(
    ("given", "says"),
    [({"shift_m": 20_000.0}, "shows another place"), ({"cell_m": 5.0}, "its cells are 5 m")],
)
@pytest.mark.parametrize("option", ["--before", "--before-surface"])
def test_what_was_before_must_show_this_place_finely(
    option, given, says, town, outlines, tmp_path, capsys
):
    file = written(tmp_path / "few.gpkg", [("a", outlines[0])])
    earlier = before(tmp_path / "earlier.tif", town, **given)
    line = refused(capsys, town, "--footprints", file, option, earlier)
    assert "earlier.tif" in line
    assert says in line


def test_areas_are_no_streets(town, outlines, tmp_path, capsys):
    file = written(tmp_path / "few.gpkg", [("a", outlines[0])])
    line = refused(capsys, town, "--footprints", file, "--streets", file)
    assert "few.gpkg: has no lines" in line


def test_bad_labels_are_listed_and_the_sound_ones_taken(mixed, town, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text(
        "source_id,grade,reviewer\nwhole,none,amal\nnowhere,none,amal\nfirst,ruined,amal\n"
        "deep,light,amal\ndeep,severe,amal\n",
        "utf-8",
    )
    assert status_of(["review", "import", str(town.case), str(tmp_path / "labels.csv")]) == 1
    said = "".join(capsys.readouterr())
    assert "3 grades imported from" in said
    assert "line 3: 'nowhere' is not a building" in said
    assert "'ruined' is no grade" in said
    assert "amal grades deep again" in said


def test_a_scale_is_never_guessed(mixed, town, outlines, tmp_path, capsys):
    site = tmp_path / "sites.geojson"
    place = shapely.geometry.mapping(outlines[0].centroid)
    feature = {"type": "Feature", "properties": {"Main_Damage_Site_Class": 1}, "geometry": place}
    site.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    capsys.readouterr()
    assert status_of(["compare", str(town.case), str(site)]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "sites.geojson" in line
    assert "--scale" in line
