"""Pictures of a known plane to its surface and its orthophoto: both steps as they are called."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import rasterio
from in_process import InProcess
from known_ground import (
    EAST_M,
    GROUND_M,
    NORTH_M,
    SAMPLE_M,
    grid,
    ground_brightness,
    picture,
    pixels_of,
    placed,
    plane_height_m,
    pose,
    reconstruction,
    with_tie_points,
    write_picture,
)

from aftermap.errors import InputError, SurfaceError
from aftermap.geo.grid import Block, cell_centres_m
from aftermap.geo.hatch import PAPER as LIGHT
from aftermap.geo.hatch import PERIOD_PX
from aftermap.geo.hatch import STROKE as DARK
from aftermap.model.camera import Vertical
from aftermap.model.raster import Elevation, Raster
from aftermap.record import StageFolder
from aftermap.surface import SurfaceOptions, orthophoto_of, surface_of
from aftermap.surface.cog import open_cog
from aftermap.surface.ortho import SOURCE

DARK_PX = 4
PLANE = (1.5, 0.04, -0.03)
GAINS = (1.0, 1.3, 0.9, 1.1)
POSES = (
    pose(-9, -7, yaw=2),
    pose(8, -6, yaw=-4, pitch=-88),
    pose(9, 8, yaw=181, roll=1),
    pose(-8, 9, up=62, yaw=178),
)


@pytest.fixture(scope="module")
def flight(tmp_path_factory):
    """Four pictures of a sloping plane, each of another brightness."""
    folder = tmp_path_factory.mktemp("flight")
    frames = []
    for number, (at, gain) in enumerate(zip(POSES, GAINS, strict=True)):
        path = write_picture(folder / f"{number}.png", picture(at, plane=PLANE, gain=gain))
        frames.append(placed(at, number, path, ground_m=(-2, 5)))
    return with_tie_points(reconstruction(frames), folder / "points.npz", PLANE)


@pytest.fixture(scope="module")
def elevation(flight, tmp_path_factory):
    files = StageFolder(folder=tmp_path_factory.mktemp("surface"))
    made = surface_of(flight, SurfaceOptions(), files, InProcess())
    assert sorted(p.name for p in files.folder.iterdir()) == [
        "confidence.tif",
        "sights",
        "surface.tif",
        "surface_sigma.tif",
    ]
    return made


@pytest.fixture(scope="module")
def orthophoto(flight, elevation, tmp_path_factory):
    """Two of five frames belong to another group: places in the file are those of ``placed``."""
    files = StageFolder(folder=tmp_path_factory.mktemp("ortho"))
    first = replace(flight.placed[0], group=1)
    mixed = replace(flight, placed=(first, first, *flight.placed), group_sizes=(4, 2))
    made = orthophoto_of(mixed, elevation, SurfaceOptions(), files, InProcess())
    assert sorted(p.name for p in files.folder.iterdir()) == [
        "gaps.tif",
        "orthophoto.tif",
        "source.tif",
    ]
    return made


def read(raster, band=1):
    with rasterio.open(raster.path) as file:
        return file.read(band)


def test_overviews_of_the_surface_are_single_cells_with_their_own_count(elevation):
    """A mean would lie between a measured and a filled height and belong to neither."""
    measured = read(elevation.surface)[read(elevation.confidence) >= 2]
    filled = read(elevation.surface)[read(elevation.confidence) < 2]
    with rasterio.open(elevation.surface.path) as file:
        levels = len(file.overviews(1))
    assert levels >= 1
    for level in range(levels):
        with rasterio.open(elevation.surface.path, OVERVIEW_LEVEL=level) as file:
            heights = file.read(1)
        with rasterio.open(elevation.confidence.path, OVERVIEW_LEVEL=level) as file:
            agree = file.read(1) >= 2
        with rasterio.open(elevation.sigma.path, OVERVIEW_LEVEL=level) as file:
            assert ((file.read(1) != file.nodata) == agree).all()
        assert np.isin(heights[agree], measured).all()
        assert np.isin(heights[~agree], filled).all()


def kind_at_pixels(elevation, over):
    """Confidence and height of the cell that every pixel's centre lies in, -9999 and 0 for none."""
    ground = elevation.surface.grid
    ratio = over.cell_m / ground.cell_m
    row = np.minimum(((np.arange(over.rows) + 0.5) * ratio).astype(int), ground.rows - 1)
    column = np.minimum(((np.arange(over.columns) + 0.5) * ratio).astype(int), ground.columns - 1)
    at = np.ix_(row, column)
    return read(elevation.confidence)[at], read(elevation.surface)[at]


def truth(over):
    east, north = np.meshgrid(*cell_centres_m(over))
    return east, north, plane_height_m(east, north, PLANE)


def seen_by(east, north, up):
    """How many of the pictures show each place."""
    place = np.stack([east, north, up], -1).reshape(-1, 3)
    count = np.zeros(len(place), int)
    for at in POSES:
        px = pixels_of(at, place)
        count += ((px > 2) & (px < [598, 448])).all(1)
    return count.reshape(east.shape)


def test_the_surface_of_a_plane_lies_on_it(elevation):
    height, count = read(elevation.surface), read(elevation.confidence)
    _, _, true = truth(elevation.surface.grid)
    error = (height - true)[count >= 2]
    # A disparity of one pixel is 3.4 pixels of height here; measured 0.05 of that with these
    # gains (0.025 with equal ones), so a quarter of a pixel leaves a third to spare.
    assert 1.4826 * np.median(np.abs(error - np.median(error))) < SAMPLE_M / 4
    assert abs(np.median(error)) < SAMPLE_M / 20
    assert (np.abs(error) > 3 * SAMPLE_M).mean() < 0.03  # along the border of the pictures
    assert elevation.surface.grid.cell_m == pytest.approx(SAMPLE_M, rel=0.05)


def test_what_two_pictures_show_is_measured_and_nothing_beyond(elevation):
    height, count = read(elevation.surface), read(elevation.confidence)
    seen = seen_by(*truth(elevation.surface.grid))
    both = cv2.erode((seen >= 2).astype(np.uint8), np.ones((41, 41))) > 0
    assert (count[both] >= 2).mean() > 0.9
    assert count.max() == 4
    away = cv2.dilate((seen >= 1).astype(np.uint8), np.ones((41, 41))) == 0
    assert (count[away] == 0).all()
    assert (height[away] == elevation.surface.nodata).all()
    assert set(np.unique(count)) <= {0, 2, 3, 4}
    share = (count > 0).sum() / (height != elevation.surface.nodata).sum()
    assert elevation.measured_fraction == pytest.approx(share)
    assert elevation.filled_fraction == pytest.approx(1 - share)


def test_blocks_of_the_surface_join_without_a_step(flight, elevation, tmp_path):
    options = SurfaceOptions(block_cells=128)
    other = surface_of(flight, options, StageFolder(folder=tmp_path), InProcess())
    one, two = read(elevation.surface), read(other.surface)
    assert ((one == -9999) == (two == -9999)).mean() > 0.995
    both = (one != -9999) & (two != -9999)
    assert (np.abs(one - two)[both] > 0.01).mean() < 0.005


def test_the_datum_of_the_heights_is_written_and_their_unit(elevation):
    with rasterio.open(elevation.surface.path) as file:
        assert file.tags()["AFTERMAP_VERTICAL_DATUM"] == "ellipsoid"
        assert file.tags()["AFTERMAP_FILLED"] == "confidence.tif below 2"
        assert file.descriptions == ("height, filled where confidence.tif is below 2",)
        assert file.units == ("metre",)
    assert elevation.surface.vertical_datum.value == "ellipsoid"


def test_the_orthophoto_shows_the_ground_where_it_is(orthophoto):
    east, north, _ = truth(orthophoto.image.grid)
    shown = read(orthophoto.image, 4) == 255
    known, found = ground_brightness(east, north), read(orthophoto.image).astype(float)
    shifts = []
    for row in range(0, shown.shape[0] - 60, 60):
        for column in range(0, shown.shape[1] - 60, 60):
            tile = np.s_[row : row + 60, column : column + 60]
            if not shown[tile].all():
                continue
            one, other = (v[tile] / v[tile].mean() for v in (known, found))
            down, right = np.gradient(one)
            slopes = np.stack([right.ravel(), down.ravel()], 1)
            shifts.append(np.linalg.solve(slopes.T @ slopes, slopes.T @ (one - other).ravel()))
    assert len(shifts) > 20
    assert np.median(np.abs(shifts)) < 0.05
    assert np.percentile(np.abs(shifts), 95) < 0.2  # the worst hold a cut or a filled rim


def test_no_step_in_brightness_is_left_between_two_pictures(orthophoto):
    """Gains of 0.9 to 1.3 were put in; what is left along the cuts is 2 %."""
    east, north, _ = truth(orthophoto.image.grid)
    source, colour = read(orthophoto.source), read(orthophoto.image).astype(float)
    ratio = cv2.blur(np.log(np.maximum(colour, 1) / ground_brightness(east, north)), (9, 9))
    whole = cv2.erode((source != 65535).astype(np.uint8), np.ones((25, 25))) > 0
    steps = []
    for one in (ratio, ratio.T):
        names, inside = (source, whole) if one is ratio else (source.T, whole.T)
        cut = (names[:, :-16] != names[:, 16:]) & inside[:, :-16] & inside[:, 16:]
        steps.append((one[:, 16:] - one[:, :-16])[cut])
        assert cut.sum() > 500
    assert np.median(np.abs(np.concatenate(steps))) < 0.02
    put_in = np.log(1.3 / 0.9)
    assert np.percentile(np.abs(np.concatenate(steps)), 95) < put_in / 4


def test_every_pixel_names_a_picture_that_shows_it(elevation, orthophoto):
    source, alpha = read(orthophoto.source), read(orthophoto.image, 4)
    count, height = kind_at_pixels(elevation, orthophoto.image.grid)
    assert (count[source != 65535] > 0).all()
    assert (alpha[source != 65535] == 255).all()
    assert (height[alpha == 255] != -9999).all()
    assert set(np.unique(alpha)) <= {0, 255}
    assert set(np.unique(source)) == {2, 3, 4, 5, 65535}
    east, north, up = truth(orthophoto.image.grid)
    ground, pixels = elevation.surface.grid, orthophoto.image.grid
    scale = ground.cell_m / pixels.cell_m
    counts = read(elevation.confidence)
    measured = cv2.resize(counts, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    measured = measured[: pixels.rows, : pixels.columns] > 2
    for number, at in enumerate(POSES):
        mine = (source == number + 2) & measured
        px = pixels_of(at, np.stack([east[mine], north[mine], up[mine]], 1))
        assert mine.sum() > 1000
        assert ((px > -1) & (px < [601, 451])).all(1).mean() > 0.999
    shown, drawable = source != 65535, (count > 0).sum()
    assert shown.sum() / drawable > 0.95
    assert orthophoto.covered_fraction == pytest.approx(
        shown.sum() / (height != -9999).sum(), abs=0.02
    )


def hatch_at(over, corner=(0, 0)):
    row, column = np.indices((over.rows, over.columns))
    return np.where((row + column + sum(corner)) % PERIOD_PX < DARK_PX, DARK, LIGHT)


def test_ground_that_was_filled_is_hatched_and_shows_no_photograph(elevation, orthophoto):
    image, source = orthophoto.image, read(orthophoto.source)
    count, height = kind_at_pixels(elevation, image.grid)
    filled = (count == 0) & (height != -9999)
    colours, alpha = np.stack([read(image, band) for band in (1, 2, 3)]), read(image, 4)
    drawn = filled & (alpha == 255)
    assert drawn.sum() > 0.5 * filled.sum() > 1000  # its own ragged rim is left out
    assert (source[filled] == 65535).all()
    assert (colours[:, drawn] == hatch_at(image.grid)[drawn]).all()
    with rasterio.open(image.path) as file:
        assert file.tags()["AFTERMAP_FILLED"] == "hatched"


def test_what_pictures_show_of_a_small_gap_is_kept_beside_the_hatch(
    flight, elevation, orthophoto, tmp_path
):
    """A hole in what was measured: the map hatches it, and gaps.tif has the pictures of it."""
    with rasterio.open(elevation.confidence.path) as file:
        profile, count = file.profile, file.read(1)
    middle = count.shape[0] // 2, count.shape[1] // 2
    hole = np.s_[middle[0] : middle[0] + 9, middle[1] : middle[1] + 9]
    assert (count[hole] >= 2).all()
    count[hole] = 0
    holed = tmp_path / "confidence.tif"
    with rasterio.open(holed, "w", **{**profile, "driver": "GTiff"}) as file:
        file.write(count, 1)
    changed = replace(elevation, confidence=replace(elevation.confidence, path=str(holed)))
    files = StageFolder(folder=tmp_path / "ortho")
    made = orthophoto_of(flight, changed, SurfaceOptions(), files, InProcess())
    inside = np.zeros(count.shape, np.bool_)
    inside[hole] = True
    ratio = made.image.grid.cell_m / elevation.surface.grid.cell_m
    row = np.minimum(((np.arange(made.image.grid.rows) + 0.5) * ratio).astype(int), len(count) - 1)
    column = ((np.arange(made.image.grid.columns) + 0.5) * ratio).astype(int)
    shown = inside[np.ix_(row, np.minimum(column, count.shape[1] - 1))]
    colours = np.stack([read(made.image, band) for band in (1, 2, 3)])
    assert (colours[:, shown] == hatch_at(made.image.grid)[shown]).all()
    assert (read(made.source)[shown] == 65535).all()
    through = np.stack([read(made.gaps, band) for band in (1, 2, 3, 4)])
    assert (through[3][shown] == 255).mean() > 0.9
    assert (through[3][~shown] > 0).sum() < 0.1 * shown.sum() + (read(orthophoto.gaps, 4) > 0).sum()
    plain = np.stack([read(orthophoto.image, band) for band in (1, 2, 3)]).astype(int)
    both = shown & (through[3] == 255)
    assert np.abs(through[:3, both].astype(int) - plain[:, both]).mean() < 4


def test_draped_photographs_lie_under_the_hatch_and_the_file_says_so(
    flight, elevation, orthophoto, tmp_path
):
    options = SurfaceOptions(draw_filled=True)
    made = orthophoto_of(flight, elevation, options, StageFolder(folder=tmp_path), InProcess())
    count, height = kind_at_pixels(elevation, made.image.grid)
    filled, source = (count == 0) & (height != -9999), read(made.source)
    draped = filled & (source != 65535)
    assert draped.sum() > 0.5 * filled.sum() > 1000
    colour, hatch = read(made.image), hatch_at(made.image.grid)
    share = (colour == hatch)[draped].mean()
    assert share > 2 * DARK_PX / PERIOD_PX - 0.05  # of every line
    assert (colour != hatch)[draped].mean() > 0.25  # and between them the photograph
    assert (colour[draped & (colour != hatch)] >= LIGHT / 2).all()
    with rasterio.open(made.image.path) as file:
        assert file.tags()["AFTERMAP_FILLED"] == "draped"
    measured = (count > 0) & (read(orthophoto.source) != 65535)
    assert (colour == read(orthophoto.image))[measured].mean() > 0.8


def test_what_a_mask_covers_is_never_drawn_nor_balanced_to(flight, elevation, orthophoto, tmp_path):
    """A black caption over the lower third of every picture: none of it reaches the map."""
    mask = np.full((450, 600), 255, np.uint8)
    mask[300:] = 0
    mask_path = tmp_path / "mask.png"
    assert cv2.imwrite(str(mask_path), mask)
    frames = []
    for number, one in enumerate(flight.placed):
        pixels = cv2.imread(one.frame.path)
        pixels[300:] = (0, 0, 255)
        path = tmp_path / f"{number}.png"
        assert cv2.imwrite(str(path), pixels)
        frames.append(replace(one, frame=replace(one.frame, path=str(path), mask=str(mask_path))))
    files = StageFolder(folder=tmp_path / "stage")
    with_caption = replace(flight, placed=tuple(frames))
    made = orthophoto_of(with_caption, elevation, SurfaceOptions(), files, InProcess())
    shown = read(made.source) != 65535
    colours = np.stack([read(made.image, band) for band in (1, 2, 3)]).astype(int)
    assert np.ptp(colours[:, shown], axis=0).max() <= 3  # grey ground, nothing red
    before = read(orthophoto.source) != 65535
    assert 0.3 < shown.sum() / before.sum() < 0.95
    assert np.allclose(made.gains, orthophoto.gains, rtol=0.03)


def test_ground_that_is_seen_only_through_masks_is_neither_measured_nor_drawn(flight, tmp_path):
    """A square of 8 m beneath all pictures, under the mask of each."""
    side = np.arange(-4, 4.01, 0.1)
    east, north = (c.ravel() for c in np.meshgrid(EAST_M + side, NORTH_M + side))
    square = np.stack([east, north, plane_height_m(east, north, PLANE)], -1)
    frames = []
    for number, one in enumerate(flight.placed):
        hull = cv2.convexHull(np.round(pixels_of(one.pose, square) - 0.5).astype(np.int32))
        mask = np.full((450, 600), 255, np.uint8)
        cv2.fillConvexPoly(mask, hull, 0)
        path = tmp_path / f"{number}.png"
        assert cv2.imwrite(str(path), mask)
        frames.append(replace(one, frame=replace(one.frame, mask=str(path))))
    masked = replace(flight, placed=tuple(frames))
    files = StageFolder(folder=tmp_path / "stage")
    made = surface_of(masked, SurfaceOptions(), files, InProcess())
    drawn = orthophoto_of(
        masked, made, SurfaceOptions(), StageFolder(folder=tmp_path / "drawn"), InProcess()
    )
    for over, shows in (
        (made.surface.grid, read(made.confidence) >= 2),
        (drawn.image.grid, read(drawn.source) != 65535),
    ):
        to_east, to_north = np.meshgrid(*cell_centres_m(over))
        away = np.maximum(np.abs(to_east - EAST_M), np.abs(to_north - NORTH_M))
        assert (away < 3.9).sum() > 100
        assert not shows[away < 3.9].any()
        assert shows[(away > 5) & (away < 7)].mean() > 0.9


def test_a_mask_that_vanished_is_named(flight, elevation, tmp_path):
    gone = str(tmp_path / "mask.png")
    frames = tuple(replace(p, frame=replace(p.frame, mask=gone)) for p in flight.placed)
    files = StageFolder(folder=tmp_path / "stage")
    with pytest.raises(InputError, match=r"mask\.png: can no longer be read"):
        orthophoto_of(
            replace(flight, placed=frames), elevation, SurfaceOptions(), files, InProcess()
        )


def test_pictures_that_show_nothing_of_the_surface_are_one_error(flight, elevation, tmp_path):
    away = tuple(
        replace(p, pose=replace(p.pose, position_m=(p.pose.position_m[0] + 5000, 0.0, 300.0)))
        for p in flight.placed
    )
    with pytest.raises(SurfaceError, match="no aligned image shows"):
        orthophoto_of(
            replace(flight, placed=away),
            replace(elevation, sights=()),
            SurfaceOptions(),
            StageFolder(folder=tmp_path),
            InProcess(),
        )


def test_one_picture_alone_is_one_error(flight, tmp_path):
    alone = replace(flight, placed=flight.placed[:1])
    alone = with_tie_points(alone, tmp_path / "points.npz", PLANE)
    with pytest.raises(SurfaceError, match="overlap"):
        surface_of(alone, SurfaceOptions(), StageFolder(folder=tmp_path), InProcess())


def test_nothing_is_drawn_from_above_where_nobody_knows_which_way_that_is(flight, tmp_path):
    unsure = replace(flight, vertical=Vertical(sigma_deg=12.0, witnesses=()))
    with pytest.raises(SurfaceError, match="the vertical direction cannot be estimated"):
        surface_of(unsure, SurfaceOptions(), StageFolder(folder=tmp_path), InProcess())


def test_pictures_of_nothing_are_one_error(flight, tmp_path):
    blank = write_picture(tmp_path / "blank.png", np.full((450, 600), 128, np.uint8))
    frames = tuple(replace(p, frame=replace(p.frame, path=str(blank))) for p in flight.placed)
    files = StageFolder(folder=tmp_path / "stage")
    with pytest.raises(SurfaceError, match="no heights could be matched"):
        surface_of(replace(flight, placed=frames), SurfaceOptions(), files, InProcess())


def test_a_picture_that_vanished_is_named(flight, tmp_path):
    gone = str(tmp_path / "gone.png")
    frames = tuple(replace(p, frame=replace(p.frame, path=gone)) for p in flight.placed)
    files = StageFolder(folder=tmp_path / "stage")
    with pytest.raises(SurfaceError, match=r"gone\.png: can no longer be read"):
        surface_of(replace(flight, placed=frames), SurfaceOptions(), files, InProcess())


def test_a_surface_with_a_hole_has_a_picture_with_a_hole(flight, tmp_path):
    over = grid(160, 120, 0.3)
    heights = np.full((120, 160), GROUND_M + 1.5, np.float32)
    heights[40:60, 70:90] = -9999
    path = tmp_path / "surface.tif"
    layer = replace(SOURCE, dtype="float32", nodata=-9999.0)
    with open_cog(path, over, layer) as out:
        out.write(Block(row=0, column=0, rows=120, columns=160), heights)
    raster = Raster(path=str(path), grid=over, nodata=-9999.0)
    ground = Elevation(
        surface=raster,
        confidence=raster,
        ground_sample_m=over.cell_m,
        measured_fraction=1,
        filled_fraction=0,
    )
    files = StageFolder(folder=tmp_path / "stage")
    made = orthophoto_of(flight, ground, SurfaceOptions(), files, InProcess())
    alpha = read(made.image, 4)
    assert (alpha[40:60, 70:90] == 0).all()
    assert (alpha == 0).sum() == 400
