"""Great-circle distances against the geodesics of WGS 84."""

from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import Geod

from aftermap.geo.great_circle import METRES_PER_DEGREE, great_circle_m

LONLAT = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(LONLAT, LONLAT)
def test_the_distance_is_that_of_the_ellipsoid_within_six_parts_in_a_thousand(first, second):
    _, _, true_m = Geod(ellps="WGS84").inv(*first, *second)
    assume(true_m > 1.0)
    assert abs(great_circle_m(first, second) - true_m) <= 0.006 * true_m


def test_a_degree_of_a_meridian():
    assert abs(great_circle_m((36.0, 36.0), (36.0, 37.0)) - METRES_PER_DEGREE) < 1e-6
