"""Frames of a made-up district, drawn by draping its orthophoto, are found again in it."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import rasterio

from aftermap.errors import InputError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.localization.drape import draped, places_met
from aftermap.localization.reference import reference_in, reference_of, surface_in
from aftermap.localization.register import NotLocated, ShotFrame, register_shot
from aftermap.model.media import FocalPrior, FocalSource

CORNER = (500_000.0, 3_980_120.0)
CELL_M = 0.2
LENS = (560, 560, 320, 180, -0.01, 0, 0, 0)
PRIOR = FocalPrior(focal_px=600, sigma_px=100, source=FocalSource.ASSUMED)
CAMERAS = (((500_065, 3_980_030, 330), (10, -50, 0)), ((500_085, 3_980_032, 332), (2, -52, 1)))


def _texture(rng, size):
    coarse = [
        cv2.resize(rng.normal(0, 1, (size // s, size // s)), (size, size)) for s in (3, 6, 15)
    ]
    grey = sum(coarse)
    return np.clip(128 + 45 * grey / grey.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def district():
    rng = np.random.default_rng(3)
    height = np.full((600, 600), 250.0)
    for _ in range(60):
        row, column = rng.integers(0, 540, 2)
        height[row : row + 50, column : column + 60] = 250 + rng.uniform(4, 15)
    return reference_of(
        "EPSG:32637", _texture(rng, 600), height, CORNER, (CELL_M, CELL_M), (0.3, 0.5)
    )


def _frames(reference, cameras=CAMERAS):
    rng = np.random.default_rng(4)
    for i, (place, angles) in enumerate(cameras):
        shown = draped(
            reference, rotation_cam_from_world(*angles), np.array(place, float), LENS, (640, 360)
        )
        noisy = shown.grey + rng.normal(0, 4, shown.grey.shape)
        yield ShotFrame(time_s=Fraction(i), grey=np.clip(noisy, 0, 255).astype(np.uint8))


def test_a_ray_meets_roof_street_and_nothing():
    height = np.full((10, 10), 5.0)
    height[:, 5:] = 9.0
    flat = reference_of("EPSG:32637", np.zeros((10, 10), np.uint8), height, (0, 10), (1, 1))
    rays = np.array([[-2, 0, -20.0], [2, 0, -20], [0, 0, 1], [40, 0, -20]])
    places = places_met(flat, np.array([5.0, 5.0, 25.0]), rays)
    assert places[0] == pytest.approx([3, 5, 5])
    assert places[1] == pytest.approx([6.6, 5, 9])
    assert np.isnan(places[2:]).all()


def test_oblique_frames_without_telemetry_are_placed_and_confirm_each_other(district):
    found = register_shot(list(_frames(district)), district, PRIOR)
    assert not isinstance(found, NotLocated), found
    assert [moment for moment, _ in found.frames] == [0, 1]
    for (_, pose), (place, _) in zip(found.frames, CAMERAS, strict=True):
        error = pose.position_m - place
        own = pose.covariance[:3, :3] - np.diag([0.3**2, 0.3**2, 0.5**2])
        assert np.linalg.norm(error) < 1.0
        assert error @ np.linalg.solve(own, error) < 25
        assert pose.params[0] == pytest.approx(560, abs=5)


def test_a_frame_that_no_other_confirms_is_not_located(district):
    found = register_shot(list(_frames(district))[:1], district, PRIOR)
    assert isinstance(found, NotLocated)
    assert "1 of 1 frames matched" in found.reason
    assert "no other frame" in found.reason


@pytest.mark.slow
def test_a_surface_that_lies_elsewhere_below_its_orthophoto_is_noticed(district):
    frames = list(_frames(district))
    moved = replace(district, height_m=np.roll(district.height_m, 75, axis=1))
    found = register_shot(frames, moved, PRIOR)
    assert isinstance(found, NotLocated)
    assert "of 2 frames matched" in found.reason


def test_a_picture_with_nothing_in_it_is_not_located(district):
    frames = [ShotFrame(time_s=Fraction(i), grey=np.full((360, 640), 90, np.uint8)) for i in (0, 1)]
    found = register_shot(frames, district, PRIOR)
    assert isinstance(found, NotLocated)
    assert "0 of 2 frames matched" in found.reason
    assert register_shot([], district, PRIOR) == NotLocated(reason="the shot has no frames")


def _raster(path, values, corner, cell, crs="EPSG:32637"):
    bands = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype=bands.dtype.name,
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        crs=crs,
        nodata=-9999 if values.ndim < 3 else None,
        transform=rasterio.Affine(cell, 0, corner[0], 0, -cell, corner[1]),
    ) as raster:
        raster.write(bands)
    return path


def test_heights_on_another_grid_are_put_below_the_orthophoto(tmp_path):
    picture = np.random.default_rng(1).integers(0, 255, (3, 40, 60)).astype(np.uint8)
    ortho = _raster(tmp_path / "o.tif", picture, (500_000, 4_000_000), 0.5)
    height = np.arange(20, dtype=np.float32)[None].repeat(30, axis=0)
    height[:, 7] = -9999
    surface = _raster(tmp_path / "s.tif", height, (500_005, 4_000_005), 1.0)
    found = reference_in(ortho, surface)
    assert found.grey.shape == found.height_m.shape == (40, 60)
    assert np.isnan(found.height_m[:, :10]).all()
    assert found.height_m[5, 10:16] == pytest.approx([0, 0, 1, 1, 2, 2])
    assert np.isnan(found.height_m[:, 24:26]).all()
    assert np.isnan(found.height_m[:, 50:]).all()
    other = _raster(tmp_path / "other.tif", height, (500_005, 4_000_005), 1.0, crs="EPSG:32638")
    with pytest.raises(InputError, match="one projected CRS"):
        reference_in(ortho, other)


def test_heights_at_working_size_mix_nothing_filled_into_measured_ones(tmp_path, monkeypatch):
    """Every third column is filled, 9000 m high; overviews are means, as of earlier maps."""
    monkeypatch.setattr("aftermap.localization.reference.WORKING_SIDE_PX", 50)
    corner = (500_000, 4_000_000)
    height = np.full((200, 240), 10, np.float32)
    height[:, ::3] = 9000
    surface = _raster(tmp_path / "surface.tif", height, corner, 0.5)
    counts = np.where(height > 10, 0, 3).astype(np.float32)
    _raster(tmp_path / "confidence.tif", counts, corner, 0.5)
    with rasterio.open(surface, "r+") as file:
        file.build_overviews([2, 4], rasterio.enums.Resampling.average)
    picture = np.random.default_rng(1).integers(0, 255, (3, 200, 240)).astype(np.uint8)
    ortho = _raster(tmp_path / "o.tif", picture, corner, 0.5)
    for found in (reference_in(ortho, surface), surface_in(surface)):
        assert max(found.height_m.shape) == 50
        assert (found.height_m[~found.filled] == 10).all()
        assert (found.height_m[found.filled] == 9000).all()
        assert 0.2 < found.filled.mean() < 0.5
