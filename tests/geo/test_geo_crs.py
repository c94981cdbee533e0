"""CRS by name: the right UTM zone, and refusal where a map in metres would be a guess."""

import warnings

import numpy as np
import pytest
from examples import share_of_examples
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from pyproj.transformer import TransformerGroup
from rasterio import crs as raster_crs

from aftermap.errors import CrsError
from aftermap.geo.crs import (
    LOCAL,
    WGS84,
    fitting_crs,
    projected_crs,
    transformed_xy,
    utm_crs,
    wkt_of,
)

RAQQA = (39.01, 35.95)


@pytest.mark.parametrize(
    ("lonlat_deg", "zone"),
    [
        (RAQQA, "EPSG:32637"),
        ((36.8, -1.3), "EPSG:32737"),
        ((-70.7, -33.4), "EPSG:32719"),
        ((34.45, 31.5), "EPSG:32636"),
        ((36.3, 50.0), "EPSG:32637"),
        ((-43.2, -22.9), "EPSG:32723"),
        ((-179.9, 10.0), "EPSG:32601"),
        ((179.9, -10.0), "EPSG:32760"),
    ],
    ids=["Raqqa", "Nairobi", "Santiago", "Gaza", "Kharkiv", "Rio", "west end", "east end"],
)
def test_a_place_gets_its_utm_zone(lonlat_deg, zone):
    assert utm_crs(*lonlat_deg) == zone


@share_of_examples(0.24)
@given(lon=st.floats(-179.9, 179.9), lat=st.floats(-79.9, 83.9))
def test_any_inhabited_place_lies_well_inside_the_zone_it_gets(lon, lat):
    east, north = transformed_xy(WGS84, utm_crs(lon, lat), [[lon, lat]])[0]
    assert 100_000 < east < 900_000
    assert 0 <= north <= 10_000_000


@pytest.mark.parametrize("lonlat_deg", [(0.0, 89.0), (100.0, -88.0)])
def test_the_poles_have_no_utm_zone_and_the_user_is_told_to_name_a_crs(lonlat_deg):
    with pytest.raises(CrsError, match="outside every UTM zone"):
        utm_crs(*lonlat_deg)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("EPSG:32637", "EPSG:32637"),
        ("epsg:32637", "EPSG:32637"),
        ("WGS 84 / UTM zone 37N", "EPSG:32637"),
        (CRS.from_epsg(32719).to_wkt(), "EPSG:32719"),
        ("EPSG:25832", "EPSG:25832"),
    ],
    ids=["code", "small letters", "name", "wkt", "other datum"],
)
def test_a_crs_in_metres_is_known_by_its_code_however_it_is_named(text, code):
    assert projected_crs(text) == code


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("EPSG:4326", "not a projected CRS"),
        ("EPSG:4978", "not a projected CRS"),
        ("EPSG:999999", "not a CRS"),
        ("Raqqa", "not a CRS"),
        ("", "not a CRS"),
        ("EPSG:2263", "not in metres"),
        ("EPSG:3732", "not in metres"),
        ("+proj=tmerc +lat_0=3 +lon_0=17 +k=1 +datum=WGS84", "no EPSG code"),
    ],
)
def test_a_crs_that_is_not_in_metres_or_not_known_is_refused_by_name(text, why):
    with pytest.raises(CrsError, match=why) as refused:
        projected_crs(text)
    assert str(refused.value).startswith(text)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:3395"])
def test_a_mercator_is_refused_since_away_from_the_equator_its_metres_are_not_metres(crs):
    """At Raqqa a square of 100 m would be mapped as 124 m by 124 m, heights left as they are."""
    with pytest.raises(CrsError, match="is not valid at"):
        fitting_crs(crs, *RAQQA)
    assert fitting_crs("EPSG:32637", *RAQQA) == "EPSG:32637"


@given(lon=st.floats(36.5, 41.5), lat=st.floats(-60, 60))
def test_a_place_comes_back_from_utm_to_a_tenth_of_a_millimetre(lon, lat):
    there = transformed_xy(WGS84, "EPSG:32637", [[lon, lat]])
    back = transformed_xy("EPSG:32637", WGS84, there)
    assert np.allclose(back, [[lon, lat]], atol=1e-9)


def test_a_known_place_lies_where_the_geodesists_put_it():
    """The central meridian at the equator is 500 000 m east; scale there is 0.9996."""
    assert np.allclose(transformed_xy(WGS84, "EPSG:32637", [[39.0, 0.0]]), [[500_000, 0]])
    north = transformed_xy(WGS84, "EPSG:32637", [[39.0, 1.0]])[0, 1]
    assert north == pytest.approx(0.9996 * 110_574.4, abs=0.5)


def test_east_comes_first_whatever_order_the_crs_writes_its_axes_in():
    easting_first = transformed_xy(WGS84, "EPSG:32632", [[9.5, 47.0]])[0]
    northing_first = transformed_xy(WGS84, "EPSG:3035", [[9.5, 47.0]])[0]
    assert easting_first[0] == pytest.approx(538_000, abs=500)
    assert northing_first[0] == pytest.approx(4_283_000, abs=2_000)
    assert northing_first[1] == pytest.approx(2_657_000, abs=5_000)


def has_every_grid(from_crs, to_crs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return TransformerGroup(from_crs, to_crs, allow_ballpark=False).best_available


@pytest.mark.parametrize(
    ("crs", "place"),
    [("EPSG:27700", (400_000.0, 300_000.0)), ("EPSG:26714", (500_000.0, 4_000_000.0))],
    ids=["British National Grid", "NAD27"],
)
def test_marks_on_a_datum_whose_grid_is_missing_are_refused_not_shifted_by_metres(crs, place):
    """Without OSTN15 a British mark would land 2 m off, without NADCON one on NAD27 20 m."""
    to_crs = utm_crs(*transformed_xy_deg(crs, place))
    if has_every_grid(crs, to_crs):
        pytest.skip("the PROJ grids are installed here")
    with pytest.raises(CrsError, match="no exact transformation"):
        transformed_xy(crs, to_crs, [place])


def transformed_xy_deg(crs, place):
    """Roughly where a place is: its own datum's longitude and latitude."""
    own = CRS.from_user_input(crs)
    return Transformer.from_crs(own, own.geodetic_crs, always_xy=True).transform(*place)


@pytest.mark.parametrize("crs", ["EPSG:25832", "EPSG:2154", "EPSG:28191", "EPSG:5565"])
def test_a_map_in_the_country_s_own_crs_needs_no_grid_that_is_not_installed(crs):
    area = CRS.from_user_input(crs).area_of_use
    middle = [(area.west + area.east) / 2, (area.south + area.north) / 2]
    back = transformed_xy(crs, WGS84, transformed_xy(WGS84, crs, [middle]))
    assert np.allclose(back, [middle], atol=1e-7)


def test_a_place_that_does_not_exist_is_refused():
    with pytest.raises(CrsError):
        transformed_xy(WGS84, "EPSG:32637", [[39.0, 95.0]])


def test_the_same_crs_changes_nothing_and_hands_out_a_copy():
    places = np.array([[1.0, 2.0], [3.0, 4.0]])
    same = transformed_xy("EPSG:32637", "EPSG:32637", places)
    same += 1
    assert np.array_equal(places, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("crs", [LOCAL, "EPSG:32637"])
def test_a_raster_can_be_written_in_the_crs(crs):
    assert raster_crs.CRS.from_wkt(wkt_of(crs)).to_wkt()


def test_the_local_frame_is_not_taken_for_a_place_on_the_globe():
    assert raster_crs.CRS.from_wkt(wkt_of(LOCAL)).to_epsg() is None


def test_a_crs_that_is_right_one_way_and_wrong_across_is_refused():
    """Between its parallels an equidistant cone is true from north to south and short across."""
    with pytest.raises(CrsError, match=r"a metre on the ground is 0\.99 m"):
        fitting_crs("ESRI:102031", 15.0, 52.0)
