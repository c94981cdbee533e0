from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aftermap.errors import ControlError
from aftermap.geo.crs import transformed_xy
from aftermap.poses.reference import heights_at_m, reference_of
from aftermap.poses.ties import Tie
from aftermap.poses.world import placed_ties

FILE = Path("ties.csv")


@pytest.fixture(scope="module")
def surface():
    height = np.full((100, 100), 250.0)
    height[:50] = 260
    height[90:] = np.nan
    return reference_of(
        "EPSG:32637", np.zeros((100, 100), np.uint8), height, (500_700.0, 3_978_400.0), (1, 1)
    )


def _tie(surface, xy_m, height_m=None, line=2):
    ((lon, lat),) = transformed_xy(surface.crs, "EPSG:4326", [xy_m])
    return Tie(
        line=line, time_s=None, frame=0, xy_px=(1, 1), lonlat_deg=(lon, lat), height_m=height_m
    )


def test_heights_that_are_missing_are_those_of_the_surface(surface):
    ties = [
        _tie(surface, (500_710.0, 3_978_390.5)),
        _tie(surface, (500_720.0, 3_978_330.5), 255.5, line=3),
    ]
    placed = placed_ties(ties, surface, FILE)
    assert placed.xyz_m == pytest.approx(
        np.array([[500_710, 3_978_390.5, 260], [500_720, 3_978_330.5, 255.5]]), abs=1e-3
    )
    assert placed.from_surface == (2,)
    beside = heights_at_m(surface, np.array([[0.0, 0.0]]))
    assert np.isnan(beside).all()


def test_a_place_without_any_height_is_told(surface):
    with pytest.raises(ControlError, match="line 7: has no height"):
        placed_ties([_tie(surface, (500_710.0, 3_978_305.0), line=7)], surface, FILE)


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda lon, lat: (lat, lon), "lon and lat are exchanged"),
        (lambda lon, lat: (lon, -lat), "other side of the equator"),
        (lambda lon, lat: (-lon, lat), "other side of Greenwich"),
        (lambda lon, lat: (-lon, -lat), "have the wrong signs"),
        (lambda lon, lat: (lon, lat + 1), "111 km from the case's map"),
    ],
)
def test_slips_of_place_get_a_line_of_their_own(surface, slip, told):
    tie = _tie(surface, (500_710.0, 3_978_390.0))
    wrong = replace(tie, lonlat_deg=slip(*tie.lonlat_deg))
    with pytest.raises(ControlError, match=told):
        placed_ties([wrong], surface, FILE)


def test_a_height_beside_the_edge_of_a_roof_is_hardly_trusted(surface):
    edge = [(500_710.0, 3_978_350.2), (500_710.0, 3_978_380.5)]
    placed = placed_ties([_tie(surface, xy) for xy in edge], surface, FILE)
    beside, open_roof = placed.sigma_m
    assert beside[2] > 4
    assert tuple(open_roof) == (0.5, 0.5, 0.5)
    (told,) = placed_ties([_tie(surface, edge[0], 255.0)], surface, FILE).sigma_m
    assert told[2] == 0.5
