"""Given coordinates into the CRS of a map: by which operation, how accurate, and made for where."""

import numpy as np
import pytest
from pyproj import CRS

from aftermap.errors import CrsError
from aftermap.geo.area_of_use import countries_named, countries_near
from aftermap.geo.crs import LOCAL, WGS84, transformed_xy
from aftermap.geo.crs_operation import lonlat_of, operation_at, operation_over

RAQQA = (39.01, 35.95)
UTM = "EPSG:32637"


@pytest.mark.parametrize(
    ("crs", "to_crs", "place", "code", "accuracy_m"),
    [
        ("EPSG:22770", UTM, RAQQA, "EPSG:15742", 5.0),
        (WGS84, "EPSG:22770", RAQQA, "EPSG:15742", 5.0),
        ("EPSG:2039", "EPSG:32636", (34.4, 31.4), "EPSG:9676", 0.5),
        ("EPSG:28192", "EPSG:32636", (34.4, 31.4), "EPSG:1074", 2.0),
        ("EPSG:25832", "EPSG:32632", (9.0, 48.0), "EPSG:1149", 1.0),
        ("EPSG:5256", "EPSG:32637", (37.38, 37.06), "EPSG:5261", 1.0),
    ],
)
def test_an_operation_is_named_with_its_code_and_accuracy(crs, to_crs, place, code, accuracy_m):
    found = operation_at("marks", crs, to_crs, place).transformation
    assert (found.code, found.accuracy_m) == (code, accuracy_m)
    assert f"{code}, accuracy {accuracy_m:g} m" in str(found)
    assert found.wide_sigma_m == pytest.approx(accuracy_m / 2**0.5)


@pytest.mark.parametrize(
    ("from_crs", "to_crs"), [(WGS84, UTM), (UTM, WGS84), ("OGC:CRS84", UTM), ("EPSG:3857", UTM)]
)
def test_on_one_datum_nothing_is_added(from_crs, to_crs):
    assert operation_at("marks", from_crs, to_crs, RAQQA).transformation is None


def test_an_accuracy_that_nobody_states_is_not_known_and_never_zero():
    crs = "+proj=utm +zone=37 +ellps=intl +towgs84=-87,-98,-121 +units=m"
    found = operation_at("marks", crs, UTM, RAQQA).transformation
    assert found.accuracy_m is None
    assert found.wide_sigma_m > 100
    assert "accuracy not known" in str(found)


@pytest.mark.parametrize(
    ("crs", "place", "why"),
    [
        ("EPSG:23037", RAQQA, "in Syria"),
        ("EPSG:3890", RAQQA, "in Syria"),
        ("EPSG:27037", RAQQA, "in Syria"),
        ("EPSG:32636", RAQQA, "data are at 35.950, 39.010"),
        ("EPSG:32638", RAQQA, "data are at"),
        ("EPSG:32737", RAQQA, "data are at"),
        ("EPSG:22770", (43.13, 36.34), "data are at"),
        ("EPSG:5257", RAQQA, "data are at"),
        ("EPSG:2039", (36.0, 33.5), "data are at"),
    ],
)
def test_a_crs_that_is_not_made_for_the_place_must_be_confirmed(crs, place, why):
    with pytest.raises(CrsError, match=rf"marks: {crs} .*{why}.*--confirm-crs {crs}"):
        operation_at("marks", crs, UTM, place)
    if crs != "EPSG:27037":  # which has no operation at all there
        moved = operation_at("marks", crs, UTM, place, (crs.lower(),)).moved_xy
        near = transformed_xy(WGS84, crs, [place])
        assert np.isfinite(moved(near)).all()


def test_the_operation_counts_as_well_as_the_crs():
    """The map in the Turkish CRS, the marks in the world's: the same foreign operation."""
    with pytest.raises(CrsError, match=r"only ED50 to WGS 84 .*in Syria.*--confirm-crs EPSG:23037"):
        operation_at("marks", UTM, "EPSG:23037", RAQQA)
    assert operation_at("marks", UTM, "EPSG:23037", RAQQA, ("EPSG:23037",)).transformation


def test_well_known_text_without_an_area_of_use_is_checked_by_its_code():
    """As a shapefile has it, and as outlines of three dimensions were flattened."""
    for text in (CRS.from_epsg(23037).to_wkt("WKT1_ESRI"), CRS.from_epsg(23037).to_2d().to_wkt()):
        with pytest.raises(CrsError, match=r"marks: EPSG:23037 .*in Syria"):
            operation_at("marks", text, UTM, RAQQA)


def test_heights_beside_the_coordinates_change_nothing():
    for crs in ("EPSG:4979", "EPSG:4326+5773"):
        assert operation_at("marks", crs, UTM, RAQQA).transformation is None


def test_a_missing_grid_is_named():
    with pytest.raises(CrsError, match="missing grid uk_os_OSTN15"):
        operation_at("marks", "EPSG:27700", "EPSG:32630", (-1.5, 52.0))


def test_coordinates_are_those_of_the_strict_transformation():
    places = transformed_xy(UTM, "EPSG:22770", [[500_700, 3_978_400], [500_900, 3_978_500]])
    moved = operation_at("marks", "EPSG:22770", UTM, RAQQA).moved_xy(places)
    assert np.allclose(moved, [[500_700, 3_978_400], [500_900, 3_978_500]], atol=1e-3)
    with pytest.raises(CrsError, match="Invalid latitude"):
        operation_at("marks", WGS84, UTM, RAQQA).moved_xy([[39.0, 95.0]])


def test_a_local_map_and_the_same_crs_change_nothing():
    for crs in (LOCAL, UTM):
        used = operation_over("outlines", crs, crs, (0, 0, 10, 10))
        assert used.transformation is None
        assert np.array_equal(used.moved_xy([[1, 2]]), [[1, 2]])


def test_the_place_of_coordinates_is_their_middle_on_their_own_datum():
    lon, lat = lonlat_of("EPSG:22770", transformed_xy(WGS84, "EPSG:22770", [RAQQA]))
    assert (lon, lat) == pytest.approx(RAQQA, abs=0.002)
    assert lonlat_of(WGS84, [RAQQA, RAQQA]) == RAQQA


@pytest.mark.parametrize(
    ("place", "country"),
    [
        (RAQQA, "Syria"),
        ((37.16, 36.2), "Syria"),
        ((43.13, 36.34), "Iraq"),
        ((36.23, 49.99), "Ukraine"),
        ((34.4, 31.4), "Palestine"),
        ((32.53, 15.5), "Sudan"),
    ],
)
def test_a_place_is_in_its_country(place, country):
    near = countries_near(place) | countries_named(" ".join(countries_near(place)))
    assert country in near | {"Palestine" if "Israel" in near else ""}


def test_a_country_is_a_whole_word_in_an_area_of_use():
    assert countries_named("Nigeria - offshore") == {"Nigeria"}
    assert countries_named("Lebanon - onshore. Syrian Arab Republic.") == {"Lebanon", "Syria"}
    assert countries_named("Europe - between 36°E and 42°E") == frozenset()
