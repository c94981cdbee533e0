import math
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest
import rasterio
import report_scene as scene
from hypothesis import given
from hypothesis import strategies as st

from aftermap.errors import CaseError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.footprint import FARTHEST, footprint_m
from aftermap.geo.hatch import PAPER, STROKE
from aftermap.geo.scale_bar import scale_bar_length
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.publish.report.contents import CountClass
from aftermap.publish.report.count_map import classed
from aftermap.publish.report.figures import overviews_of
from aftermap.publish.report.images import report_images
from aftermap.publish.report.overlap import photographs_seeing
from aftermap.publish.report.page import contents_of
from aftermap.publish.report.residuals import control_figures, gps_figures
from aftermap.publish.report.trust import trust_in
from aftermap.publish.shared.overview import Surface, coarse_grid, colour_overview, height_overview
from aftermap.publish.shared.ramps import CIVIDIS, VIRIDIS, coloured
from aftermap.publish.shared.relief import hillshade
from aftermap.publish.shared.wording import approximate_length, figure_text, moment

FLAT = Surface(
    grid=Grid(crs=scene.UTM, east_m=0, north_m=100, cell_m=1, columns=100, rows=100),
    height_m=np.zeros((100, 100), np.float32),
    filled=np.zeros((100, 100), bool),
)


def camera_at(position, pitch_deg=-90.0):
    placed = scene.placed_frames()[0]
    rotation = rotation_cam_from_world(0, pitch_deg, 0)
    pose = replace(
        placed.pose,
        position_m=position,
        rotation_cam_from_world=tuple(tuple(map(float, row)) for row in rotation),
    )
    return replace(placed, pose=pose, ground_m=(0.0, 0.0))


def test_a_photograph_straight_down_sees_its_own_rectangle():
    """40 m up, 1200 by 900 px at 1000 px: 48 by 36 m, with the top of the picture to the north."""
    plain = replace(scene.CAMERA, params=(1000.0, 1000.0, 600.0, 450.0, 0, 0, 0, 0))
    counts = photographs_seeing(FLAT, [camera_at((50.0, 50.0, 40.0))], [plain])
    rows, columns = np.nonzero(counts)
    assert (columns.min(), columns.max()) == (26, 73)
    assert (rows.min(), rows.max()) == (32, 67)
    assert counts.sum() == 48 * 36


def test_what_stands_behind_a_tall_block_is_not_seen():
    heights = FLAT.height_m.copy()
    heights[40:60, 56:60] = 20
    surface = replace(FLAT, height_m=heights)
    counts = photographs_seeing(surface, [camera_at((50.0, 50.0, 40.0))], [scene.CAMERA])
    assert (counts[50, 50:60] == 1).all()
    assert (counts[50, 63:69] == 0).all()
    assert counts[50, 71] == 1


def test_ground_under_a_caption_is_not_seen(tmp_path):
    """The lower third of the picture: 12 of its 36 m to the south."""
    plain = replace(scene.CAMERA, params=(1000.0, 1000.0, 600.0, 450.0, 0, 0, 0, 0))
    mask = np.full((plain.height_px, plain.width_px), 255, np.uint8)
    mask[600:] = 0
    assert cv2.imwrite(str(tmp_path / "mask.png"), mask)
    clear = camera_at((50.0, 50.0, 40.0))
    placed = replace(clear, frame=replace(clear.frame, mask=str(tmp_path / "mask.png")))
    counts = photographs_seeing(FLAT, [placed], [plain])
    rows = np.nonzero(counts)[0]
    assert (rows.min(), rows.max()) == (32, 55)
    assert counts.sum() == 48 * 24


def test_unknown_ground_is_seen_by_none():
    heights = np.full((100, 100), np.nan, np.float32)
    surface = replace(FLAT, height_m=heights)
    counts = photographs_seeing(surface, [camera_at((50.0, 50.0, 40.0))], [scene.CAMERA])
    assert counts.sum() == 0


def test_a_footprint_of_a_camera_straight_down_projects_onto_its_border():
    placed = camera_at((50.0, 50.0, 40.0))
    outline = footprint_m(placed, scene.CAMERA)
    xyz = np.column_stack([outline, np.zeros(len(outline))])
    xy = scene.pixels_of(placed, xyz)
    to_a_side = np.abs(np.column_stack([xy, xy - [1200, 900]])).min(axis=1)
    assert to_a_side.max() < 1e-3


def test_a_view_over_the_horizon_ends_somewhere():
    outline = footprint_m(camera_at((50.0, 50.0, 40.0), pitch_deg=-5), scene.CAMERA)
    away = np.hypot(*(outline - [50, 50]).T)
    assert np.isfinite(outline).all()
    assert away.max() <= FARTHEST * 40 + 1e-6


def test_level_ground_is_evenly_lit_and_a_slope_to_the_light_is_brighter():
    column = np.arange(20, dtype=np.float32)
    level = hillshade(np.zeros((20, 20), np.float32), 1.0)
    rising_east = hillshade(np.tile(column, (20, 1)), 1.0)
    rising_west = hillshade(np.tile(-column, (20, 1)), 1.0)
    assert level.min() == level.max()
    assert rising_east.mean() > level.mean() > rising_west.mean()


def test_the_edge_of_the_known_casts_no_shade():
    heights = np.zeros((20, 20), np.float32)
    heights[:, 12:] = np.nan
    lit = hillshade(heights, 1.0)
    assert lit[:, :12].min() == pytest.approx(lit[0, 0])
    assert np.isfinite(lit).all()


def test_filled_cells_are_hatched_and_unknown_ones_are_clear():
    classes = (CountClass(least=0, most=0, fraction=0), CountClass(least=1, most=None, fraction=1))
    counts = np.zeros((16, 16), np.uint16)
    counts[:, 8:] = 3
    known = np.ones((16, 16), bool)
    known[0] = False
    picture = classed(counts, known, classes)
    assert {tuple(int(v) for v in p) for p in picture[1:, :8, :3].reshape(-1, 3)} == {
        (PAPER,) * 3,
        (STROKE,) * 3,
    }
    assert (picture[0, :, 3] == 0).all()


@pytest.mark.parametrize("ramp", [VIRIDIS, CIVIDIS])
def test_ramps_rise_in_lightness_so_that_a_grey_print_can_be_read(ramp):
    grey = coloured(np.linspace(0, 1, 50), ramp) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) > 0).all()


def test_an_overview_never_grows_with_the_map(rasters):
    grid, picture = colour_overview(rasters[1].image, 64)
    assert max(picture.shape[:2]) == 64
    assert grid.columns * grid.cell_m == pytest.approx(scene.COLUMNS * scene.CELL_M)
    assert max(height_overview(rasters[0], 50).height_m.shape) == 50


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 4000))
def test_a_coarse_grid_is_bounded_and_covers_the_same_ground(rows, columns, longest):
    grid = Grid(crs=scene.UTM, east_m=0, north_m=0, cell_m=0.1, columns=columns, rows=rows)
    coarse = coarse_grid(grid, longest)
    assert max(coarse.rows, coarse.columns) <= longest
    assert coarse.columns * coarse.cell_m == pytest.approx(columns * 0.1)


def test_a_raster_that_is_gone_is_named():
    raster = Raster(path="gone/surface.tif", grid=scene.GRID, nodata=None)
    gone = Elevation(
        surface=raster,
        confidence=raster,
        ground_sample_m=0.1,
        measured_fraction=1.0,
        filled_fraction=0.0,
    )
    with pytest.raises(CaseError, match=r"gone/surface\.tif"):
        height_overview(gone, 100)


def test_changing_filled_heights_changes_no_figure_and_no_picture_of_the_report(tmp_path, rasters):
    elevation, orthophoto = rasters
    with rasterio.open(elevation.surface.path) as file:
        heights, profile, transform = file.read(1), file.profile, file.transform
    with rasterio.open(elevation.confidence.path) as file:
        filled = (file.read(1) < 2) & (heights != elevation.surface.nodata)
    heights[filled] = np.random.default_rng(1).normal(5000, 2000, int(filled.sum()))
    path = tmp_path / "surface.tif"
    profile = {key: profile[key] for key in ("width", "height", "count", "dtype", "crs", "nodata")}
    with rasterio.open(path, "w", driver="GTiff", transform=transform, **profile) as file:
        file.write(heights, 1)
    assert heights.max() > 3000
    wild = replace(elevation, surface=replace(elevation.surface, path=str(path)))
    told = []
    for surface in (elevation, wild):
        facts = scene.facts(tmp_path, (surface, orthophoto))
        overviews = overviews_of(facts)
        contents = contents_of(facts, overviews)
        pictures = report_images(facts, overviews, contents)
        told.append((asdict(contents), pictures.relief.uri, pictures.coverage.uri))
    assert filled.any()
    assert told[0] == told[1]


def test_scale_and_level_over_100_m_are_what_noise_of_that_size_makes():
    """Fit a similarity's scale and a plane to 4000 noisy copies of the camera positions."""
    built = scene.reconstruction(
        placed=scene.placed_frames(gps_bias_m=(0.0, 0.0, 0.0), gps_sigma_m=0.5)
    )
    gps = gps_figures(built)
    trust = trust_in(built, gps, control_figures(()), 0.06)
    places = np.array([p.pose.position_m for p in built.placed])
    away = places[:, :2] - places[:, :2].mean(axis=0)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (4000, *places.shape)) * gps.all.rms_m
    scale = np.einsum("ij,kij->k", away, noise[..., :2]) / (away**2).sum()
    lean = np.einsum("ij,ki->kj", away @ np.linalg.inv(away.T @ away), noise[..., 2])
    worst = math.sqrt(np.linalg.eigvalsh(lean.T @ lean / len(lean))[-1])
    assert trust.length_per_100_m == pytest.approx(100 * scale.std(), rel=0.05)
    assert trust.height_per_100_m == pytest.approx(100 * worst, rel=0.05)


def test_one_line_of_photographs_cannot_tell_how_the_map_leans():
    built = scene.reconstruction(placed=scene.placed_frames()[:5])
    trust = trust_in(built, gps_figures(built), control_figures(()), 0.06)
    assert trust.length_per_100_m is not None
    assert trust.height_per_100_m is None
    assert "collinear" in trust.not_known


@given(st.floats(1e-6, 1e9))
def test_a_scale_bar_is_a_round_length_that_fits(length):
    bar = scale_bar_length(length)
    assert bar <= length * 1.000001
    assert bar > length / 2.6
    assert round(bar / 10 ** math.floor(math.log10(bar) + 1e-9)) in {1, 2, 5}


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (None, "length", "not known"),
        (math.nan, "px", "not known"),
        (0.0163, "length", "1.6 cm"),
        (-0.0301, "signed", "\u22120.030 m"),
        (1234567.891, "coordinate", "1 234 567.89 m"),
        (12_345, "area", "1.23 ha"),
        (0.0004, "share", "under 0.1 %"),
        (1.0, "share", "100 %"),
        (131.2, "duration", "2 min 11 s"),
        (1.9e9, "bytes", "1.90 GB"),
    ],
)
def test_figures_are_told_with_their_units(value, kind, words):
    assert figure_text(value, kind).replace("\u202f", " ") == words


@given(st.floats(1e-4, 1e5))
def test_about_keeps_two_digits_and_stays_within_5_percent(value):
    text = approximate_length(value).replace("\u202f", "").removesuffix("m")
    metres = float(text.removesuffix("c")) * (0.01 if text.endswith("c") else 1)
    assert metres == pytest.approx(value, rel=0.0501)


def test_a_time_without_a_zone_says_so():
    assert moment("2026-03-01T08:15:00+00:00") == "1 March 2026, 08:15 UTC"
    assert "time zone not known" in moment("2026-03-01T08:15:00")
    assert moment("yesterday") == "yesterday"
