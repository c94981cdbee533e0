"""Footprints: what is read, what is put right, and what is left out with one line each."""

import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from aftermap.buildings.footprints import footprints_in
from aftermap.errors import CrsError, InputError
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.polygon import shape_of

UTM = "EPSG:32637"
EAST, NORTH = 500_900.0, 3_978_400.0
AREA = (EAST, NORTH, EAST + 200, NORTH + 100)


def house(east, north, side=10.0):
    return box(EAST + east, NORTH + north, EAST + east + side, NORTH + north + side)


def geojson(path: Path, *features, crs=UTM) -> Path:
    """A GeoJSON file of (shape, properties) with a CRS, None for one that names none."""
    content = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": properties,
                "geometry": None if shape is None else json.loads(shapely.to_geojson(shape)),
            }
            for shape, properties in features
        ],
    }
    if crs is not None:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def read(path: Path, *, id_field=None, crs=None, layer=None, area_m=AREA):
    return footprints_in(path, id_field=id_field, crs=crs, map_crs=UTM, area_m=area_m, layer=layer)


def reason_of(found, name: str) -> str:
    (reason,) = [skipped.reason for skipped in found.skipped if skipped.name == name]
    return reason


def in_degrees(shape):
    return shapely.transform(shape, lambda xy: transformed_xy(UTM, WGS84, xy))


def test_outlines_in_degrees_lie_where_they_should_on_the_map(tmp_path):
    path = geojson(tmp_path / "a.geojson", (in_degrees(house(5, 5)), {"id": "A"}), crs=None)
    found = read(path)
    (footprint,) = found.footprints
    assert footprint.source_id == "A"
    assert found.crs == UTM
    assert shape_of(footprint.polygons_m).symmetric_difference(house(5, 5)).area < 1e-3
    assert footprint.area_m2 == pytest.approx(100, abs=1e-3)
    assert len(found.file_sha256) == 64
    ring = footprint.polygons_m[0][0]
    assert ring[0] == ring[-1]


@pytest.mark.parametrize("driver", ["GPKG", "ESRI Shapefile", "FlatGeobuf"])
def test_other_formats_give_the_same(tmp_path, driver):
    path = tmp_path / {"GPKG": "a.gpkg", "ESRI Shapefile": "a.shp"}.get(driver, "a.fgb")
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([house(5, 5), house(30, 5)])),
        [np.array([7.0, 8.0]), np.array([3, 0])],
        ["osm_id", "building_l"],
        geometry_type="Polygon",
        crs=UTM,
        driver=driver,
        layer="a",
    )
    found = read(path)
    assert sorted(f.source_id for f in found.footprints) == ["7", "8"]
    assert sorted((f.source_id, f.levels) for f in found.footprints) == [("7", 3.0), ("8", None)]
    assert found.id_field == "osm_id"


def test_an_osm_extract_gives_its_buildings_and_their_storeys(tmp_path):
    corners = in_degrees(house(5, 5)).exterior.coords[:4]
    park = in_degrees(house(40, 5)).exterior.coords[:4]
    nodes = "".join(
        f'<node id="{n}" lat="{lat}" lon="{lon}"/>'
        for n, (lon, lat) in enumerate([*corners, *park], start=1)
    )
    path = tmp_path / "a.osm"
    path.write_text(
        f'<osm version="0.6">{nodes}'
        '<way id="77"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>'
        '<tag k="building" v="yes"/><tag k="building:levels" v="4"/></way>'
        '<way id="78"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="8"/><nd ref="5"/>'
        '<tag k="leisure" v="park"/></way></osm>',
        encoding="utf-8",
    )
    found = read(path)
    (footprint,) = found.footprints
    assert (footprint.source_id, footprint.levels) == ("77", 4.0)
    assert "is not a building" in reason_of(found, "78")


def test_a_table_with_shapes_as_text_needs_its_crs_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f'id,geometry\nA,"{house(5, 5).wkt}"\n', encoding="utf-8")
    with pytest.raises(CrsError, match=r"names no CRS.*--footprints-crs"):
        read(path)
    assert [f.source_id for f in read(path, crs=UTM).footprints] == ["A"]


def test_a_crs_that_the_user_names_holds_and_is_told(tmp_path):
    path = geojson(tmp_path / "a.geojson", (house(5, 5), {"id": "A"}), crs="EPSG:32636")
    found = read(path, crs=UTM)
    assert len(found.footprints) == 1
    assert any("as requested" in note for note in found.notes)


def test_broken_outlines_are_put_right_or_left_out_and_the_rest_goes_on(tmp_path):
    bow_tie = Polygon([(EAST, NORTH), (EAST + 9, NORTH + 9), (EAST + 9, NORTH), (EAST, NORTH + 9)])
    raised = Polygon([(x, y, 250.0) for x, y in house(20, 0).exterior.coords])
    mixed = shapely.GeometryCollection([house(40, 0), Point(EAST, NORTH)])
    spike = Polygon([(EAST, NORTH), (EAST + 9, NORTH), (EAST, NORTH)])
    path = geojson(
        tmp_path / "a.geojson",
        (bow_tie, {"id": "crossing"}),
        (raised, {"id": "raised"}),
        (mixed, {"id": "mixed"}),
        (None, {"id": "null"}),
        (Polygon(), {"id": "empty"}),
        (spike, {"id": "flat"}),
        (Point(EAST + 5, NORTH + 5), {"id": "point"}),
        (MultiPolygon([house(60, 0), house(75, 0)]), {"id": "two parts"}),
        (box(EAST + 90, NORTH, EAST + 91.5, NORTH + 1.5), {"id": "tiny"}),
        (box(EAST + 95, NORTH, EAST + 95.6, NORTH + 30), {"id": "thin"}),
        (house(120, 0), {"id": "good"}),
    )
    found = read(path)
    areas = {f.source_id: f.area_m2 for f in found.footprints}
    assert areas == pytest.approx(
        {"crossing": 40.5, "raised": 100, "mixed": 100, "two parts": 200, "good": 100}
    )
    parts = {f.source_id: len(f.polygons_m) for f in found.footprints}
    assert parts["two parts"] == 2
    assert "empty or broken" in reason_of(found, "null")
    assert "empty or broken" in reason_of(found, "empty")
    assert "is a point" in reason_of(found, "point")
    assert "sliver" in reason_of(found, "flat")
    assert "sliver of 2.2 m2" in reason_of(found, "tiny")
    assert "nowhere 1 m wide" in reason_of(found, "thin")
    told = " ".join(found.notes)
    assert "heights were ignored" in told
    assert "self-intersecting" in told
    assert "mixed geometry" in told


def test_the_same_outline_twice_is_one_building_and_overlaps_are_told(tmp_path):
    path = geojson(
        tmp_path / "a.geojson",
        (house(0, 0), {"id": "first"}),
        (house(0.1, 0.1), {"id": "again"}),
        (house(30, 0), {"id": "alone"}),
        (house(33, 0), {"id": "over it"}),
    )
    found = read(path)
    assert [f.source_id for f in found.footprints] == ["first", "alone", "over it"]
    assert reason_of(found, "again") == "has the same outline as first"
    assert any("1 pair of outlines overlap" in note for note in found.notes)


def test_ids_missing_alike_or_hostile_are_kept_apart(tmp_path):
    nasty = "<script>alert(1)</script>\n'; DROP TABLE"
    path = geojson(
        tmp_path / "a.geojson",
        (house(0, 0), {"id": "A"}),
        (house(20, 0), {"id": "A"}),
        (house(40, 0), {"id": "A#2"}),
        (house(60, 0), {"id": None}),
        (house(80, 0), {"id": nasty}),
        (house(80, 0), {"id": "copy"}),
    )
    found = read(path)
    assert [f.source_id for f in found.footprints] == ["A", "A#3", "A#2", "3", nasty]
    assert "\n" not in reason_of(found, "copy")
    told = " ".join(found.notes)
    assert "1 outline without id" in told
    assert "1 id given again" in told


def test_without_ids_the_number_in_the_file_is_used(tmp_path):
    found = read(geojson(tmp_path / "a.geojson", (house(0, 0), {}), (house(20, 0), {})))
    assert [f.source_id for f in found.footprints] == ["0", "1"]
    assert found.id_field == "feature"
    assert any("no field of ids" in note for note in found.notes)


def test_the_field_of_ids_can_be_named_in_any_case_of_letters(tmp_path):
    path = geojson(tmp_path / "a.geojson", (house(0, 0), {"id": "A", "Ref": "R-9"}))
    assert read(path, id_field="ref").footprints[0].source_id == "R-9"
    with pytest.raises(InputError, match=r"has no field 'nothing'.*--id-field"):
        read(path, id_field="nothing")


def test_outlines_off_the_map_are_left_out_and_a_crowd_of_them_is_counted(tmp_path):
    far = [(house(5000 + 20 * i, 0), {"id": f"far {i}"}) for i in range(30)]
    path = geojson(tmp_path / "a.geojson", (house(0, 0), {"id": "here"}), *far)
    found = read(path)
    assert [f.source_id for f in found.footprints] == ["here"]
    assert "outside the map" in reason_of(found, "far 0")
    assert "outside the map" in reason_of(found, "10 more outlines")


def test_an_outline_with_one_corner_on_another_continent_stops_none_of_the_others(tmp_path):
    astray = Polygon([(39.01, 35.949), (39.0101, 35.9491), (1e9, -1e12)])
    path = geojson(
        tmp_path / "a.geojson",
        (in_degrees(house(0, 0)), {"id": "here"}),
        (astray, {"id": "astray"}),
        crs=None,
    )
    found = read(path, area_m=(EAST - 2000, NORTH - 2000, EAST + 2000, NORTH + 2000))
    assert [f.source_id for f in found.footprints] == ["here"]
    assert "one of its corners is wrong" in reason_of(found, "astray")


def test_when_all_lie_elsewhere_the_error_says_where_and_names_exchanged_axes(tmp_path):
    turned = shapely.transform(in_degrees(house(0, 0)), lambda xy: xy[:, ::-1])
    path = geojson(tmp_path / "a.geojson", (turned, {"id": "A"}), crs=None)
    with pytest.raises(InputError, match=r"x 35\.\d+.*the map x 39\.\d+.*axes are swapped"):
        read(path)
    path = geojson(tmp_path / "b.geojson", (box(10, 50, 10.001, 50.001), {"id": "A"}), crs=None)
    with pytest.raises(InputError, match="check that it is of this place"):
        read(path)


def test_a_file_that_cannot_be_used_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "nothing.geojson")
    (tmp_path / "text.geojson").write_text("nonsense", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as footprints") as told:
        read(tmp_path / "text.geojson")
    assert "\n" not in str(told.value)
    points = geojson(tmp_path / "points.geojson", (Point(EAST, NORTH), {"id": "A"}))
    with pytest.raises(InputError, match="holds no polygons"):
        read(points)
    with pytest.raises(InputError, match="holds no polygons"):
        read(geojson(tmp_path / "empty.geojson"))
    table = tmp_path / "table.csv"
    table.write_text("id,name\n1,a\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no geometry"):
        read(table, crs=UTM)
    tiny = geojson(tmp_path / "tiny.geojson", (house(0, 0, 1.0), {"id": "A"}))
    with pytest.raises(InputError, match=r"none of its 1 feature can be used.*sliver"):
        read(tiny)


def test_a_case_without_a_place_on_the_globe_takes_no_footprints(tmp_path):
    path = geojson(tmp_path / "a.geojson", (house(0, 0), {"id": "A"}))
    with pytest.raises(CrsError, match="no place on the globe"):
        footprints_in(path, id_field=None, crs=None, map_crs="LOCAL", area_m=(0, 0, 1, 1))


def test_of_several_layers_one_must_be_named(tmp_path):
    path = tmp_path / "a.gpkg"
    for layer, append in (("before", False), ("after", True)):
        pyogrio.raw.write(
            path,
            shapely.to_wkb(np.array([house(5, 5)])),
            [np.array(["A"], object)],
            ["id"],
            geometry_type="Polygon",
            crs=UTM,
            driver="GPKG",
            layer=layer,
            append=append,
        )
    with pytest.raises(InputError, match=r"several layers.*before, after"):
        read(path)
    assert len(read(path, layer="after").footprints) == 1
    with pytest.raises(InputError, match="has no layer 'roads'; its layers are before, after"):
        read(path, layer="roads")


def test_a_city_of_25_000_footprints_is_read_in_seconds(tmp_path):
    across = 158
    every = np.arange(across * across)
    shapes = [house(15.0 * (i % across), 15.0 * (i // across)) for i in every.tolist()]
    path = tmp_path / "city.fgb"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes)),
        [every],
        ["id"],
        geometry_type="Polygon",
        crs=UTM,
        driver="FlatGeobuf",
    )
    found = read(path, area_m=(EAST, NORTH, EAST + 2400, NORTH + 2400))
    assert len(found.footprints) == len(shapes)
    assert not found.skipped
