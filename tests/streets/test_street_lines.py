"""Street lines from files: what is read, and what is told of what is not."""

import json

import pytest

from aftermap.errors import CrsError, InputError
from aftermap.streets import street_lines_in

CRS = "EPSG:32637"
AREA_M = (500_000.0, 3_970_000.0, 500_400.0, 3_970_300.0)
HERE = [[39.0005, 35.8745], [39.001, 35.8746]]


def written(path, *features, **extra):
    made = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for properties, geometry in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": made, **extra}))
    return path


def line(places=None):
    return {"type": "LineString", "coordinates": places or HERE}


def test_lines_come_with_their_ids_names_and_widths(tmp_path):
    path = written(
        tmp_path / "s.geojson",
        ({"osm_id": 7, "name": "Mill", "highway": "residential", "width": "4,5 m"}, line()),
        ({"osm_id": 7, "name": None, "highway": "service", "width": "wide"}, line()),
    )
    found = street_lines_in(path, map_crs=CRS, area_m=AREA_M)
    assert [street.source_id for street in found.streets] == ["7", "7#2"]
    assert [street.width_m for street in found.streets] == [4.5, None]
    assert found.streets[0].name == "Mill"
    assert found.id_field == "osm_id"
    east, north = found.streets[0].lines_m[0][0]
    assert AREA_M[0] < east < AREA_M[2]
    assert AREA_M[1] < north < AREA_M[3]


def test_what_is_no_way_for_a_vehicle_is_left_out_with_its_reason(tmp_path):
    path = written(
        tmp_path / "s.geojson",
        ({"id": "a", "highway": "residential"}, line()),
        ({"id": "b", "highway": "steps"}, line()),
        ({"id": "c", "highway": None}, line()),
        ({"id": "d", "highway": "residential"}, {"type": "Point", "coordinates": HERE[0]}),
        ({"id": "e", "highway": "residential"}, line([[10.0, 50.0], [10.1, 50.0]])),
        ({"id": "f", "highway": "residential"}, line([HERE[0], [120.0, 1.0]])),
    )
    found = street_lines_in(path, map_crs=CRS, area_m=AREA_M)
    assert [street.source_id for street in found.streets] == ["a"]
    reasons = {one.name: one.reason for one in found.skipped}
    assert set(reasons) == {"b", "c", "d", "e", "f"}
    assert "steps" in reasons["b"]
    assert "not a line" in reasons["d"]
    assert "outside the map" in reasons["e"]
    assert "far beyond" in reasons["f"]


def test_exchanged_axes_are_told_in_one_line(tmp_path):
    path = written(tmp_path / "s.geojson", ({"id": 1}, line([[35.87, 39.0], [35.88, 39.0]])))
    with pytest.raises(InputError, match="comes before") as caught:
        street_lines_in(path, map_crs=CRS, area_m=AREA_M)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "no map at all", '{"type": "FeatureCollection"}'])
def test_a_file_that_holds_no_lines_is_refused_by_name(tmp_path, text):
    path = tmp_path / "broken.geojson"
    path.write_text(text)
    with pytest.raises(InputError, match="broken"):
        street_lines_in(path, map_crs=CRS, area_m=AREA_M)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        street_lines_in(tmp_path / "none.shp", map_crs=CRS, area_m=AREA_M)


def test_a_case_without_a_place_takes_no_lines(tmp_path):
    path = written(tmp_path / "s.geojson", ({"id": 1}, line()))
    with pytest.raises(CrsError, match="no place on the globe"):
        street_lines_in(path, map_crs="LOCAL", area_m=AREA_M)
