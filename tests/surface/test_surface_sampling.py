"""The compiled loops of the orthophoto, one at a time."""

import numpy as np
import pytest
from known_ground import EAST_M, GROUND_M, HEIGHT_PX, LENS, NORTH_M, WIDTH_PX, pixels_of, pose

from aftermap.surface import sampling
from aftermap.surface.glance import calm

AT = pose(3.0, -4.0, yaw=25, pitch=-84, roll=1)
NOBODY = sampling.NOBODY


def numbers(at=AT, *, gain=1.0, shade=None):
    """A picture's row as the loops read it."""
    shades = np.zeros((3, 5)) if shade is None else shade
    return np.concatenate(
        [np.ravel(at.rotation_cam_from_world), at.position_m, LENS,
         [WIDTH_PX, HEIGHT_PX], shades.ravel(), np.full(3, gain)]
    )  # fmt: skip


def corner(columns, rows, pixel_m):
    return np.array([EAST_M - columns * pixel_m / 2, NORTH_M + rows * pixel_m / 2, pixel_m])


def centres(columns, rows, pixel_m):
    west, north, _ = corner(columns, rows, pixel_m)
    return np.meshgrid(west + (np.arange(columns) + 0.5) * pixel_m,
                       north - (np.arange(rows) + 0.5) * pixel_m)  # fmt: skip


def laid(pixels, height, pixel_m, *, tone=1.0, picture=None, part=1.0):
    shape = height.shape
    colour, weight = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    source = np.full(shape, 65535, np.uint16)
    scale = pixels.shape[0] / HEIGHT_PX, pixels.shape[1] / WIDTH_PX
    sampling.laid_down(
        0, numbers() if picture is None else picture, 17, pixels, scale,
        np.full((4, 4, 3), tone, np.float32), (0.5, 0.5), 0.01,
        corner(shape[1], shape[0], pixel_m), height, np.zeros(shape, np.int16),
        np.full(shape, NOBODY, np.int16), np.full(shape, part, np.float32),
        colour, weight, source,
    )  # fmt: skip
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
        [laid(np.floor(pixels + dither).astype(np.uint8), height, 0.7)[0]
         for dither in rng.random((12, *pixels.shape))], axis=0,
    )  # fmt: skip
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


def test_heights_between_cells_are_exact_on_a_slope_and_stay_on_one_side_of_a_wall():
    row, column = np.indices((20, 30))
    slope = (GROUND_M + 0.1 * (column + 0.5) + 0.05 * (row + 0.5)).astype(np.float32)
    out = np.empty((40, 50), np.float32)
    sampling.heights_at_pixels(slope, (3.2, 4.1), 0.31, 0.5, out)
    y = 3.2 + 0.31 * np.arange(40)[:, None]
    x = 4.1 + 0.31 * np.arange(50)[None]
    assert np.abs(out - (GROUND_M + 0.1 * x + 0.05 * y)).max() < 1e-4
    wall = np.where(column < 12, GROUND_M, GROUND_M + 9).astype(np.float32)
    sampling.heights_at_pixels(wall, (3.2, 4.1), 0.31, 0.5, out)
    assert set(np.unique(out)) == {np.float32(GROUND_M), np.float32(GROUND_M + 9)}
    assert ((out > GROUND_M + 1) == np.broadcast_to(x >= 12, out.shape)).all()
    wall[:, 20:] = np.nan
    sampling.heights_at_pixels(wall, (3.2, 4.1), 0.31, 0.5, out)
    assert (np.isnan(out) == np.broadcast_to(np.floor(x) >= 20, out.shape)).all()


@pytest.mark.parametrize("offset", [0.0, 0.3, -0.3])
def test_the_picture_reaches_as_far_as_the_surface_around_every_hole(offset):
    surface = np.full((12, 14), GROUND_M, np.float32)
    surface[4:7, 5:9] = np.nan
    surface[:, 13] = np.nan
    out = np.empty((12, 14), np.float32)
    sampling.heights_at_pixels(surface, (0.5 + offset, 0.5 + offset), 1.0, 0.5, out)
    assert (np.isnan(out) == np.isnan(surface)).all()


def sources(labels, seen, height):
    shape = height.shape
    main, second = np.full(shape, NOBODY, np.int16), np.full(shape, NOBODY, np.int16)
    share = np.ones(shape, np.float32)
    sampling.sources(labels, 8, 2.0, seen, (0.5, 0.5), 1.0, height, main, second, share)
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
    assert (main[10:20, 0:8] == NOBODY).all()  # only picture 0 is a neighbour there
    assert (main[10:20, 8:12] != 0).all()
    assert (main[:9, :15] == 0).all()


def test_where_there_is_no_height_there_is_no_source():
    labels, seen, height = two_sides()
    height[5, 6] = np.nan
    main, _, _ = sources(labels, seen, height)
    assert main[5, 6] == NOBODY
    assert (main == NOBODY).sum() == 1


def test_a_pixel_that_none_of_the_chosen_shows_takes_the_steepest_view():
    steep, flat = pose(2, 0), pose(-25, 0)
    pictures = np.stack([numbers(flat), numbers(steep)])
    height = np.full((16, 16), GROUND_M, np.float32)
    done = np.ones((16, 16), np.float32)
    done[4:8, 4:8] = 0
    seen = np.full((2, 16, 16), 2, np.uint8)

    def found():
        main = np.empty((16, 16), np.int16)
        count = sampling.other_sources(
            pictures, seen, (0.5, 0.5), 1.0, corner(16, 16, 0.3), height, done, main
        )
        assert (main[done > 0] == NOBODY).all()
        return count, set(main[done == 0].tolist())

    assert found() == (16, {1})
    seen[1, 4:8, 4:8] = 0  # the steep one does not see it
    assert found() == (16, {0})
    seen[0, 4:8, 4:8] = 0  # nobody does: the steepest view of what hides it
    assert found() == (16, {1})


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
