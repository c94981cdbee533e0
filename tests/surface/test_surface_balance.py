"""Brightness over many pictures: a factor that was put in comes out again."""

from itertools import pairwise

import numpy as np
import pytest
from known_ground import EAST_M, HEIGHT_PX, WIDTH_PX, camera, grid, pixels_of, pose

from aftermap.geo.grid import Block, cell_centres_m, window_of
from aftermap.surface import balance
from aftermap.surface.mosaic_grid import MosaicPicture
from aftermap.surface.thumbnail_pass import CoarseView

CELLS = grid(240, 200, 0.6)


def glances(folder, gains, *, vignette=0.0, seed=1):
    """Pictures in a row over mottled ground, as bright as their gain, darker in their corners."""
    rng = np.random.default_rng(seed)
    ground = rng.uniform(60, 130, (CELLS.rows, CELLS.columns))
    made = []
    for number, gain in enumerate(gains):
        at = pose(18.0 * (number - (len(gains) - 1) / 2), 0)
        east, north = cell_centres_m(CELLS)
        place = np.stack([*np.meshgrid(east, north), np.full((200, 240), 245.0)], -1)
        px = pixels_of(at, place.reshape(-1, 3)).reshape(200, 240, 2)
        inside = ((px > 4) & (px < [WIDTH_PX - 4, HEIGHT_PX - 4])).all(-1)
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        window = Block(
            row=int(rows[0]),
            column=int(columns[0]),
            rows=int(np.ptp(rows)) + 1,
            columns=int(np.ptp(columns)) + 1,
        )
        cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        radius = np.linalg.norm(px - [WIDTH_PX / 2, HEIGHT_PX / 2], axis=-1) / 375.0
        shade = np.exp(-vignette * radius**2)
        light = np.clip(ground * gain * shade + rng.normal(0, 1, ground.shape), 1, 254)
        down = -(place - np.array(at.position_m))[..., 2:]
        edge = np.minimum(px, [WIDTH_PX, HEIGHT_PX] - px).min(-1) / (HEIGHT_PX / 2) * 255
        path = folder / f"cells-{number}.npz"
        np.savez(
            path,
            colour=np.repeat(np.round(light[cut])[..., None], 3, 2).astype(np.uint8),
            share=np.where(inside[cut], 255, 0).astype(np.uint8),
            measured=np.full(inside[cut].shape, 255, np.uint8),
            cost=np.zeros(inside[cut].shape, np.float32),
            edge=np.clip(edge[cut], 0, 255).astype(np.uint8),
            lean=((place - np.array(at.position_m))[..., :2] / down)[cut].astype(np.float32),
            radius=radius[cut].astype(np.float32),
        )
        picture = MosaicPicture(
            index=number,
            name=f"{number}.jpg",
            path="",
            camera=camera(),
            camera_index=0,
            pose=at,
            window=window,
        )
        made.append(CoarseView(picture=picture, cells=str(path), seen="", window=window))
    return tuple(made), ground


def exposure_of(made):
    return balance.exposure_of(balance.colour_samples(made, CELLS), len(made), 1)


def corrected(made, exposure, tones=None):
    """Per picture its cells after balancing, NaN where it shows none."""
    layers = []
    for number, glance in enumerate(made):
        layer = np.full((CELLS.rows, CELLS.columns), np.nan)
        window = glance.picture.window
        with np.load(glance.cells) as kept:
            value = kept["colour"] * exposure.factors(number, 0, kept["radius"], kept["lean"])
            if tones is not None:
                value *= balance.tone_at_cells(tones[number], window)
            shown = kept["share"] > 0
        layer[
            window.row : window.row + window.rows, window.column : window.column + window.columns
        ] = np.where(shown, value[..., 0], np.nan)
        layers.append(layer)
    return np.array(layers)


@pytest.mark.parametrize("gains", [(1.0, 1.3), (1.15, 0.95, 1.3, 1.0, 0.85)])
def test_pictures_of_different_brightness_agree_to_two_per_cent(tmp_path, gains):
    made, _ = glances(tmp_path, gains)
    even = corrected(made, exposure_of(made))
    for one, other in pairwise(even):
        ratio = np.nanmedian(one / other)
        assert ratio == pytest.approx(1, abs=0.02)


def test_the_whole_is_neither_brightened_nor_darkened(tmp_path):
    made, _ = glances(tmp_path, (0.8, 1.25))
    assert np.exp(np.log(exposure_of(made).gains).mean()) == pytest.approx(1, abs=0.03)


def test_dark_corners_are_found_as_the_lens_and_not_as_the_ground(tmp_path):
    made, ground = glances(tmp_path, (1.0, 1.1, 0.95, 1.05, 1.0), vignette=0.3)
    even = corrected(made, exposure_of(made))
    level = np.nanmedian(even / ground)
    with np.load(made[2].cells) as kept:
        radius = np.full((CELLS.rows, CELLS.columns), np.nan)
        w = made[2].picture.window
        radius[w.row : w.row + w.rows, w.column : w.column + w.columns] = kept["radius"]
    for low, high in ((0, 0.3), (0.5, 0.7), (0.8, 1.0)):
        ring = (radius >= low) & (radius < high)
        assert np.nanmedian((even[2] / ground)[ring]) / level == pytest.approx(1, abs=0.03)


def test_burnt_out_and_black_cells_have_no_say(tmp_path):
    made, _ = glances(tmp_path, (1.0, 1.0))
    with np.load(made[1].cells) as kept:
        cells = dict(kept)
    cells["colour"][:, ::2] = 254
    cells["colour"][::2, :] = 3
    np.savez(made[1].cells, **cells)
    assert exposure_of(made).gains == pytest.approx(1, abs=0.02)


def test_one_picture_alone_is_left_as_it_is(tmp_path):
    made, _ = glances(tmp_path, (1.3,))
    exposure = exposure_of(made)
    assert (exposure.gains == 1).all()
    assert (exposure.shades == 0).all()


def test_haze_over_part_of_a_picture_goes_and_the_ground_keeps_its_contrast(tmp_path):
    made, ground = glances(tmp_path, (1.0, 1.0, 1.0))
    with np.load(made[1].cells) as kept:
        cells = dict(kept)
    across = np.linspace(0.9, 1.15, cells["colour"].shape[1])[None, :, None]
    cells["colour"] = np.clip(cells["colour"] * across, 0, 255).astype(np.uint8)
    np.savez(made[1].cells, **cells)
    exposure = exposure_of(made)
    target = balance.TargetTones(made, exposure)
    target.add(Block(row=0, column=0, rows=CELLS.rows, columns=CELLS.columns))
    tones = target.tones()
    before, after = corrected(made, exposure), corrected(made, exposure, tones)
    pairs = [np.nanmedian(np.abs(np.log(v[1] / v[0]))) for v in (before, after)]
    assert pairs[1] < 0.6 * pairs[0]
    for tone, glance in zip(tones, made, strict=True):
        assert tone.window == balance.nodes_under(glance.picture.window)
        assert (tone.factor > 1 / 1.5 - 1e-6).all()
        assert (tone.factor < 1.5 + 1e-6).all()
    fine = np.nanstd(np.diff(after[0], axis=1)) / np.nanstd(np.diff(ground, axis=1))
    assert fine == pytest.approx(1, abs=0.1)


def test_nodes_hold_every_cell_of_a_window():
    nodes = balance.nodes_under(Block(row=5, column=8, rows=7, columns=8))
    assert nodes == Block(row=1, column=2, rows=2, columns=2)
    assert window_of(CELLS, nodes).columns == 2
    assert CELLS.east_m < EAST_M


def test_looks_that_all_lean_one_way_leave_the_whole_as_bright():
    rng = np.random.default_rng(5)
    cell = np.repeat(np.arange(400), 2)
    lean = np.zeros((800, 2), np.float32)
    lean[:, 1] = rng.uniform(0.6, 1.4, 800)  # the farther, the hazier
    terms = balance.shade_terms(np.full(800, 0.4, np.float32), lean)
    colour = np.repeat((80 * np.exp(0.4 * lean[:, 1]))[:, None], 3, axis=1)
    sample = balance.ColourSample(
        cell=cell,
        picture=np.tile([0, 1], 400),
        camera=np.zeros(800, np.int64),
        colour=colour,
        terms=terms,
    )
    found = balance.exposure_of(sample, 2, 1)
    radius = np.full(800, 0.4, np.float32)
    after = np.concatenate(
        [found.factors(k, 0, radius[k::2], lean[k::2]) * colour[k::2] for k in (0, 1)]
    )
    assert np.exp(np.log(after / np.concatenate([colour[::2], colour[1::2]])).mean()) == (
        pytest.approx(1, abs=0.01)
    )
    assert np.std(np.log(after[:, 0])) < 0.3 * np.std(np.log(colour[:, 0]))
