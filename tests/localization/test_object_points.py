from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio

from aftermap.errors import ControlError
from aftermap.geo.crs import transformed_xy
from aftermap.localization.correspondences import Correspondence
from aftermap.localization.drape import places_met
from aftermap.localization.object_points import FILLED_SIGMA_M, object_points_of
from aftermap.localization.reference import filled_at, heights_at_m, reference_in, reference_of

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
    return Correspondence(
        line=line, time_s=None, frame=0, xy_px=(1, 1), lonlat_deg=(lon, lat), height_m=height_m
    )


def test_heights_that_are_missing_are_those_of_the_surface(surface):
    ties = [
        _tie(surface, (500_710.0, 3_978_390.5)),
        _tie(surface, (500_720.0, 3_978_330.5), 255.5, line=3),
    ]
    placed = object_points_of(ties, surface, FILE)
    assert placed.xyz_m == pytest.approx(
        np.array([[500_710, 3_978_390.5, 260], [500_720, 3_978_330.5, 255.5]]), abs=1e-3
    )
    assert placed.from_surface == (2,)
    beside = heights_at_m(surface, np.array([[0.0, 0.0]]))
    assert np.isnan(beside).all()


def test_a_place_without_any_height_is_told(surface):
    with pytest.raises(ControlError, match="line 7: has no height"):
        object_points_of([_tie(surface, (500_710.0, 3_978_305.0), line=7)], surface, FILE)


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda lon, lat: (lat, lon), "lon and lat are swapped"),
        (lambda lon, lat: (lon, -lat), "other side of the equator"),
        (lambda lon, lat: (-lon, lat), "other side of Greenwich"),
        (lambda lon, lat: (-lon, -lat), "have the wrong signs"),
        (lambda lon, lat: (lon, lat + 1), "111 km from the map of the case"),
    ],
)
def test_slips_of_place_get_a_line_of_their_own(surface, slip, told):
    tie = _tie(surface, (500_710.0, 3_978_390.0))
    wrong = replace(tie, lonlat_deg=slip(*tie.lonlat_deg))
    with pytest.raises(ControlError, match=told):
        object_points_of([wrong], surface, FILE)


def test_a_height_beside_the_edge_of_a_roof_is_hardly_trusted(surface):
    edge = [(500_710.0, 3_978_350.2), (500_710.0, 3_978_380.5)]
    placed = object_points_of([_tie(surface, xy) for xy in edge], surface, FILE)
    beside, open_roof = placed.sigma_m
    assert beside[2] > 4
    assert tuple(open_roof) == (0.5, 0.5, 0.5)
    (told,) = object_points_of([_tie(surface, edge[0], 255.0)], surface, FILE).sigma_m
    assert told[2] == 0.5


@pytest.fixture(scope="module")
def half_filled(surface):
    filled = np.zeros((100, 100), bool)
    filled[:, 50:] = True
    return replace(surface, filled=filled)


def test_a_filled_height_is_named_and_hardly_counts(half_filled):
    ties = [
        _tie(half_filled, (500_710.0, 3_978_390.5)),
        _tie(half_filled, (500_780.0, 3_978_390.5), line=3),
        _tie(half_filled, (500_780.0, 3_978_370.5), 255.5, line=4),
    ]
    placed = object_points_of(ties, half_filled, FILE)
    assert placed.from_surface == (2, 3)
    assert placed.filled == (3,)
    assert placed.sigma_m[:, 2].tolist() == [0.5, FILLED_SIGMA_M, 0.5]


def test_filled_heights_beside_a_measured_click_make_it_no_less_sure(half_filled):
    height = half_filled.height_m.copy()
    height[:, 50:] = 900
    wild = replace(half_filled, height_m=height)
    ties = [_tie(wild, (500_749.7, 3_978_390.5))]
    assert object_points_of(ties, wild, FILE).sigma_m.tolist() == [[0.5, 0.5, 0.5]]


def test_a_ray_that_meets_a_filled_height_meets_no_place(half_filled):
    eye = np.array([500_750.0, 3_978_350.0, 400.0])
    rays = np.array([[-0.2, 0.0, -1.0], [0.2, 0.0, -1.0]])
    met = places_met(half_filled, eye, rays)
    assert np.isfinite(met[0]).all()
    assert np.isnan(met[1]).all()


def test_no_feature_of_a_reference_lies_on_a_filled_height(tmp_path):
    rng = np.random.default_rng(5)
    grey = cv2.GaussianBlur(rng.integers(0, 255, (200, 200)).astype(np.uint8), (0, 0), 1.5)
    grey = cv2.normalize(grey, None, 0, 255, cv2.NORM_MINMAX)
    counts = np.full((200, 200), 4, np.uint8)
    counts[:, 100:] = 0
    heights = np.full((200, 200), 250.0, np.float32)
    profile = {
        "driver": "GTiff",
        "width": 200,
        "height": 200,
        "crs": "EPSG:32637",
        "transform": rasterio.Affine(0.5, 0, 500_700.0, 0, -0.5, 3_978_400.0),
    }
    for name, bands in (("orthophoto", [grey] * 3), ("surface", [heights])):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", count=len(bands), dtype=bands[0].dtype, **profile
        ) as file:
            file.write(np.array(bands))
    whole = reference_in(tmp_path / "orthophoto.tif", tmp_path / "surface.tif")
    with rasterio.open(tmp_path / "confidence.tif", "w", count=1, dtype="uint8", **profile) as file:
        file.write(counts, 1)
    half = reference_in(tmp_path / "orthophoto.tif", tmp_path / "surface.tif")
    assert (whole.xyz_m[:, 0] > 500_750).sum() > 50
    assert len(half.xyz_m) > 50
    assert (half.xyz_m[:, 0] <= 500_750).all()
    places = np.array([[500_710.0, 3_978_390.0], [500_790.0, 3_978_390.0]])
    assert filled_at(half, places).tolist() == [False, True]
