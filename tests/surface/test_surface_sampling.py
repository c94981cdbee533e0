"""The compiled loops of the orthophoto, one at a time."""

import numpy as np
import pytest
from known_ground import EAST_M, GROUND_M, HEIGHT_PX, LENS, NORTH_M, WIDTH_PX, pixels_of, pose

from aftermap.surface import sampling
from aftermap.surface.drawable import EMPTY, FILLED, MEASURED
from aftermap.surface.pixel_heights import heights_at_pixels
from aftermap.surface.thumbnail_pass import calm
from aftermap.surface.visibility import CLEAR, DOUBTFUL, HIDDEN

AT = pose(3.0, -4.0, yaw=25, pitch=-84, roll=1)
NO_LABEL = sampling.NO_LABEL


def numbers(at=AT, *, gain=1.0, shade=None):
    """A picture's row as the loops read it."""
    shades = np.zeros((3, 5)) if shade is None else shade
    return np.concatenate(
        [
            np.ravel(at.rotation_cam_from_world),
            at.position_m,
            LENS,
            [WIDTH_PX, HEIGHT_PX],
            shades.ravel(),
            np.full(3, gain),
        ]
    )


def corner(columns, rows, pixel_m):
    return np.array([EAST_M - columns * pixel_m / 2, NORTH_M + rows * pixel_m / 2, pixel_m])


def centres(columns, rows, pixel_m):
    west, north, _ = corner(columns, rows, pixel_m)
    return np.meshgrid(
        west + (np.arange(columns) + 0.5) * pixel_m, north - (np.arange(rows) + 0.5) * pixel_m
    )


def ground_of(height, at):
    """Pixels each of which belongs to a cell of its own."""
    cell = np.arange(height.size, dtype=np.int32).reshape(height.shape)
    return sampling.PixelGround(height=height, cell=cell, corner=at)


def laid(pixels, height, pixel_m, *, tone=1.0, picture=None, part=1.0):
    shape = height.shape
    colour, weight = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    source = np.full(shape, 65535, np.uint16)
    scale = pixels.shape[0] / HEIGHT_PX, pixels.shape[1] / WIDTH_PX
    read = sampling.PictureColours(
        numbers=numbers() if picture is None else picture,
        pixels=pixels,
        scale=scale,
        tone=np.full((4, 4, 3), tone, np.float32),
        tone_first=(0.5, 0.5),
        tone_step=0.01,
    )
    sources = sampling.PixelSources(
        main=np.zeros(shape, np.int16),
        second=np.full(shape, NO_LABEL, np.int16),
        share=np.full(shape, part, np.float32),
    )
    ground = ground_of(height, corner(shape[1], shape[0], pixel_m))
    out = sampling.PixelColours(colour=colour, weight=weight, source=source)
    sampling.add_colours(0, 17, read, ground, sources, out)
    return colour, weight, source


@pytest.mark.parametrize("reduction", [1, 2])
def test_every_pixel_is_read_where_the_lens_put_it(reduction):
    """The picture holds its own columns and rows, so a colour is the place it was read at."""
    u, v = np.meshgrid(np.arange(WIDTH_PX // reduction), np.arange(HEIGHT_PX // reduction))
    at = (np.stack([u, v, 0 * u], -1) + 0.5) * reduction
    pixels = np.clip(at * [255 / WIDTH_PX, 255 / HEIGHT_PX, 0], 0, 255)
    rng = np.random.default_rng(1)
    height = (GROUND_M + rng.uniform(0, 8, (50, 60))).astype(np.float32)
    # Three runs with other rounding average what eight bits lose.
    read = np.mean(
        [
            laid(np.floor(pixels + dither).astype(np.uint8), height, 0.7)[0]
            for dither in rng.random((12, *pixels.shape))
        ],
        axis=0,
    )
    east, north = centres(60, 50, 0.7)
    xyz = np.stack([east, north, height.astype(float)], -1).reshape(-1, 3)
    expected = pixels_of(AT, xyz).reshape(50, 60, 2)
    found = read[..., :2] * [WIDTH_PX / 255, HEIGHT_PX / 255]
    inside = ((expected > 8) & (expected < [WIDTH_PX - 8, HEIGHT_PX - 8])).all(-1)
    assert inside.mean() > 0.9
    error = (found - expected)[inside]
    assert np.abs(error.mean(axis=0)).max() < 0.05
    assert error.std(axis=0).max() < 0.6  # eight bits are steps of 2 px here


def test_factors_multiply_and_the_source_is_noted():
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), 80, np.uint8)
    height = np.full((20, 20), GROUND_M, np.float32)
    colour, weight, source = laid(pixels, height, 0.3, tone=0.5, picture=numbers(gain=1.5))
    assert colour == pytest.approx(60, abs=0.01)
    assert (weight == 1).all()
    assert (source == 17).all()


def test_what_the_lens_darkens_is_brightened_by_distance_from_the_middle():
    shade = np.zeros((3, 5))
    shade[:, 0] = 0.4
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), 100, np.uint8)
    height = np.full((40, 60), GROUND_M, np.float32)
    colour, *_ = laid(pixels, height, 0.7, picture=numbers(shade=shade))
    east, north = centres(60, 40, 0.7)
    px = pixels_of(AT, np.stack([east, north, height], -1).reshape(-1, 3)).reshape(40, 60, 2)
    away = np.linalg.norm(px - [LENS[2], LENS[3]], axis=-1)
    expected = 100 * np.exp(0.4 * (2 * away / np.hypot(WIDTH_PX, HEIGHT_PX)) ** 2)
    inside = ((px > 4) & (px < [WIDTH_PX - 4, HEIGHT_PX - 4])).all(-1)
    assert colour[inside][:, 0] == pytest.approx(expected[inside], rel=1e-4)


def test_a_pixel_outside_the_picture_or_behind_it_gets_nothing():
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), 80, np.uint8)
    far = np.full((10, 10), GROUND_M, np.float32)
    _, weight, source = laid(pixels, far, 200.0)
    assert (source[weight == 0] == 65535).all()
    assert (weight == 0).sum() >= 96
    above = np.full((10, 10), GROUND_M + 500, np.float32)
    assert (laid(pixels, above, 0.3)[1] == 0).all()


def at_pixels(surface, first, step, shape, kinds=None):
    """Heights of pixels over cells of 0.5 m, and (rows, columns, 2) the cells they belong to."""
    if kinds is None:
        kinds = np.where(np.isnan(surface), EMPTY, MEASURED)
    out, cell = np.empty(shape, np.float32), np.empty(shape, np.int32)
    heights_at_pixels(surface, kinds.astype(np.uint8), first, step, 0.5, out, cell)
    return out, np.stack(np.divmod(cell, surface.shape[1]), -1)


def test_heights_between_cells_are_exact_on_a_slope_and_stay_on_one_side_of_a_wall():
    row, column = np.indices((20, 30))
    slope = (GROUND_M + 0.1 * (column + 0.5) + 0.05 * (row + 0.5)).astype(np.float32)
    out, _ = at_pixels(slope, (3.2, 4.1), 0.31, (40, 50))
    y = 3.2 + 0.31 * np.arange(40)[:, None]
    x = 4.1 + 0.31 * np.arange(50)[None]
    assert np.abs(out - (GROUND_M + 0.1 * x + 0.05 * y)).max() < 1e-4
    wall = np.where(column < 12, GROUND_M, GROUND_M + 9).astype(np.float32)
    out, _ = at_pixels(wall, (3.2, 4.1), 0.31, (40, 50))
    assert set(np.unique(out)) == {np.float32(GROUND_M), np.float32(GROUND_M + 9)}
    assert ((out > GROUND_M + 1) == np.broadcast_to(x >= 12, out.shape)).all()
    wall[:, 20:] = np.nan
    out, _ = at_pixels(wall, (3.2, 4.1), 0.31, (40, 50))
    assert (np.isnan(out) == np.broadcast_to(np.floor(x) >= 20, out.shape)).all()


@pytest.mark.parametrize("offset", [0.0, 0.3, -0.3])
def test_the_picture_reaches_as_far_as_the_surface_around_every_hole(offset):
    surface = np.full((12, 14), GROUND_M, np.float32)
    surface[4:7, 5:9] = np.nan
    surface[:, 13] = np.nan
    out, _ = at_pixels(surface, (0.5 + offset, 0.5 + offset), 1.0, (12, 14))
    assert (np.isnan(out) == np.isnan(surface)).all()


def sources(labels, seen, height):
    shape = height.shape
    main, second = np.full(shape, NO_LABEL, np.int16), np.full(shape, NO_LABEL, np.int16)
    share = np.ones(shape, np.float32)
    ground = ground_of(height, np.zeros(3))
    out = sampling.PixelSources(main=main, second=second, share=share)
    sampling.choose_sources(labels, 8, 2.0, seen.reshape(len(seen), -1), ground, out)
    return main, second, share


def two_sides(seen_by_first=2):
    """Four by four cells of 8 px, the left half given to picture 0; and who sees what."""
    labels = np.zeros((6, 6), np.uint16)
    labels[:, 3:] = 1
    seen = np.full((2, 32, 32), 2, np.uint8)
    seen[0, 10:20, 0:12] = seen_by_first
    return labels, seen, np.full((32, 32), GROUND_M, np.float32)


def test_pictures_are_blended_along_a_cut_and_nowhere_else():
    main, second, share = sources(*two_sides())
    assert (main[:, :15] == 0).all()
    assert (main[:, 17:] == 1).all()
    assert (share[:, :13] == 1).all()
    assert (share[:, 19:] == 1).all()
    middle = share[16, 14:18]
    assert (middle < 1).all()
    assert (middle >= 0.5).all()
    assert (second[16, 14:18] == 1 - main[16, 14:18]).all()


def test_a_picture_that_does_not_see_a_pixel_is_never_its_source():
    main, _, _ = sources(*two_sides(seen_by_first=0))
    assert (main[10:20, 0:8] == NO_LABEL).all()  # only picture 0 is a neighbour there
    assert (main[10:20, 8:12] != 0).all()
    assert (main[:9, :15] == 0).all()


def test_where_there_is_no_height_there_is_no_source():
    labels, seen, height = two_sides()
    height[5, 6] = np.nan
    main, _, _ = sources(labels, seen, height)
    assert main[5, 6] == NO_LABEL
    assert (main == NO_LABEL).sum() == 1


@pytest.mark.parametrize("turn_deg", [0.0, 11.0, 26.6, 38.0, 45.0, 71.0])
def test_the_edge_of_a_roof_is_straight_at_the_size_of_pixels(turn_deg):
    """Cells of four pixels: by the nearest cell the edge would be off by up to half a cell."""
    cells, finer = 60, 4
    normal = np.array([np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))])

    def beyond(places):
        return (places - 30.2) @ normal

    centres = np.stack(np.indices((cells, cells)), -1) + 0.5
    roof = np.where(beyond(centres) > 0, GROUND_M + 9, GROUND_M).astype(np.float32)
    step = 1 / finer
    out, belongs = at_pixels(roof, (step / 2, step / 2), step, (cells * finer, cells * finer))
    assert set(np.unique(out)) == {np.float32(GROUND_M), np.float32(GROUND_M + 9)}
    assert (roof[belongs[..., 0], belongs[..., 1]] == out).all()
    places = (np.stack(np.indices(out.shape), -1) + 0.5) * step
    off = np.abs(beyond(places))[(out > GROUND_M + 1) != (beyond(places) > 0)]
    inner = np.abs(places - 30).max(-1) < 25
    nearest = np.kron(roof, np.ones((finer, finer))) > GROUND_M + 1
    by_nearest = np.abs(beyond(places))[inner & (nearest != (beyond(places) > 0))]
    assert np.sum(off) < 0.75 * np.sum(by_nearest) + 1e-9 or turn_deg == 0
    assert np.max(off, initial=0) < 0.55


def test_no_pixel_of_a_filled_cell_belongs_to_a_measured_one():
    rng = np.random.default_rng(3)
    kinds = rng.choice([EMPTY, FILLED, MEASURED], (40, 40), p=[0.1, 0.3, 0.6])
    surface = np.where(kinds == EMPTY, np.nan, rng.uniform(0, 9, (40, 40))).astype(np.float32)
    out, belongs = at_pixels(surface, (0.1, 0.1), 0.25, (160, 160), kinds)
    at = np.floor(0.1 + 0.25 * np.arange(160)).astype(int)
    under = kinds[np.ix_(at, at)]
    found = np.where(np.isnan(out), EMPTY, kinds[belongs[..., 0], belongs[..., 1]])
    assert (found <= under).all()
    assert (found == MEASURED).mean() > 0.4


def offered(pictures, seen, height, least, done):
    """The picture of pixels that have none yet, of those that see them at least so well."""
    main, second = np.full((2, *height.shape), NO_LABEL, np.int16)
    cost = np.where(done > 0, -np.inf, np.inf).astype(np.float32)
    ground = ground_of(height, corner(16, 16, 0.3))
    out = sampling.PixelSources(main=main, second=second, share=np.ones(height.shape, np.float32))
    for slot, (picture, level) in enumerate(zip(pictures, seen, strict=True)):
        sampling.offer_source(slot, picture, level.ravel(), least, ground, cost, out)
    assert (main[done > 0] == NO_LABEL).all()
    return set(main[done == 0].tolist())


def test_a_pixel_that_none_of_the_chosen_shows_takes_the_steepest_view_that_sees_it():
    pictures = [numbers(pose(-25, 0)), numbers(pose(2, 0))]
    height = np.full((16, 16), GROUND_M, np.float32)
    done = np.ones((16, 16), np.float32)
    done[4:8, 4:8] = 0
    seen = np.full((2, 16, 16), CLEAR, np.uint8)
    assert offered(pictures, seen, height, DOUBTFUL, done) == {1}
    seen[1, 4:8, 4:8] = DOUBTFUL  # the steep one may see it, the flat one does
    assert offered(pictures, seen, height, DOUBTFUL, done) == {0}
    seen[0, 4:8, 4:8] = HIDDEN
    assert offered(pictures, seen, height, DOUBTFUL, done) == {1}
    assert offered(pictures, seen, height, CLEAR, done) == {NO_LABEL}
    seen[1, 4:8, 4:8] = HIDDEN  # nobody does: no picture of what hides it
    assert offered(pictures, seen, height, DOUBTFUL, done) == {NO_LABEL}


def test_specks_of_a_surface_are_calmed_and_its_holes_and_edges_stay():
    heights = np.full((20, 20), 10.0, np.float32)
    heights[:, 12:] = 20
    heights[5, 5] = 30
    heights[9:12, 3:6] = np.nan
    quiet = calm(heights)
    assert quiet[5, 5] == 10
    assert (quiet[:, :12][np.isfinite(quiet[:, :12])] == 10).all()
    assert (quiet[:, 12:] == 20).all()
    assert np.isnan(quiet[10, 4])
    assert np.isnan(quiet).sum() <= 9
