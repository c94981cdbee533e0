"""Heights in files and what is read off them: steps, windows, blocks, extent."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_ground import (
    EAST_M,
    FLYING_M,
    GROUND_M,
    NORTH_M,
    SAMPLE_M,
    grid,
    placed,
    pose,
    reconstruction,
)
from known_views import pinhole, plane_inverse

from aftermap.geo.grid import Block
from aftermap.surface import layer
from aftermap.surface.blocks import fused_block
from aftermap.surface.consistency import views_file
from aftermap.surface.extent import FLATTEST_OFF_NADIR_DEG, ground_outline_m, ground_sample_m
from aftermap.surface.heights import DenseHeights, ViewHeights
from aftermap.surface.layer import TILE_CELLS, LayerTask, ReachTask, layered, tiles_seen

BASE_M, STEP_M = GROUND_M - 20.0, 0.5 / 64


def kept(folder, heights_m, window, *, views=2):
    """One view's heights as a worker leaves them."""
    number = len(list(Path(folder).iterdir()))
    steps = np.where(np.isfinite(heights_m), np.round((heights_m - BASE_M) / STEP_M) + 1, 0)
    files = Path(folder) / f"{number}.npy", Path(folder) / f"{number}.views.npy"
    np.save(files[0], steps.astype(np.uint16))
    np.save(files[1], np.where(steps > 0, views, 0).astype(np.uint8))
    return ViewHeights(heights=str(files[0]), views=str(files[1]), window=window)


def dense(views, over, *, least_cells=4):
    return DenseHeights(
        grid=over, base_m=BASE_M, step_m=STEP_M, ground_sample_m=SAMPLE_M,
        least_cells=least_cells, down=1.0, views=tuple(views),
    )  # fmt: skip


def layer_task(folder, inverse, at, *, over=None, base_m=BASE_M, step_m=STEP_M, views=3):
    """A view whose confirmed depths are in files."""
    depth = Path(folder) / "confirmed.npy"
    np.save(depth, inverse.astype(np.float32))
    np.save(views_file(str(depth)), np.where(inverse > 0, views, 0).astype(np.uint8))
    return LayerTask(
        view=pinhole(at, rows=inverse.shape[0], columns=inverse.shape[1]), depth=str(depth),
        grid=over or grid(160, 120), base_m=base_m, step_m=step_m,
        file=str(Path(folder) / "heights.npy"),
    )  # fmt: skip


@pytest.mark.parametrize(("level", "step_m"), [(-3.0, 0.5 / 64), (4.0, 0.002), (12.0, 0.03)])
def test_a_level_plane_comes_out_within_half_a_step(tmp_path, level, step_m):
    at = pose(0, 0, yaw=20)
    inverse = plane_inverse(pinhole(at), (level, 0, 0))
    found = layered(layer_task(tmp_path, inverse, at, step_m=step_m))
    steps = np.load(found.heights)
    assert steps.dtype == np.uint16
    heights = BASE_M + (steps[steps > 0].astype(float) - 1) * step_m
    float32_m = np.spacing(np.float32(GROUND_M))
    # Depths are single precision, of 60 m: a few millionths of it.
    assert np.abs(heights - GROUND_M - level).max() <= step_m / 2 + 2 * float32_m + 2e-5
    assert (np.load(found.views)[steps > 0] == 3).all()
    assert (np.load(found.views)[steps == 0] == 0).all()


def test_heights_that_do_not_fit_are_none_and_never_wrap_around(tmp_path):
    at = pose(0, 0)
    view = pinhole(at)
    inverse = plane_inverse(view)
    inverse[:, :100] = plane_inverse(view, (-30.0, 0, 0))[:, :100]  # below the base
    inverse[:, 220:] = plane_inverse(view, (20.0, 0, 0))[:, 220:]  # above what fits
    step_m = 30.0 / 65_535
    found = layered(layer_task(tmp_path, inverse, at, step_m=step_m))
    steps = np.load(found.heights)
    heights = BASE_M + (steps[steps > 0].astype(float) - 1) * step_m
    assert heights.size > 1000
    assert np.abs(heights - GROUND_M).max() < 0.01


def test_a_view_beyond_the_grid_has_no_window(tmp_path):
    at = pose(900, 0)
    found = layered(layer_task(tmp_path, plane_inverse(pinhole(at)), at))
    assert found.window is None
    assert found.over(Block(row=0, column=0, rows=100, columns=100)) is None


def test_a_finished_view_is_found_again_and_a_half_written_one_is_not(tmp_path, monkeypatch):
    calls = []
    at = pose(0, 0)
    task = layer_task(tmp_path, plane_inverse(pinhole(at)), at)
    write = layer._write
    monkeypatch.setattr(layer, "_write", lambda *a: calls.append(1) or write(*a))
    first = layered(task)
    assert layered(task) == first
    assert len(calls) == 1
    steps = np.load(first.heights)
    for note in tmp_path.glob("*.json"):  # killed between the heights and the note
        note.unlink()
    Path(first.heights).write_bytes(b"half of it")
    assert layered(task) == first
    assert len(calls) == 2
    assert (np.load(first.heights) == steps).all()


def three_views(folder):
    flat = np.full((20, 30), GROUND_M + 2, np.float32)
    return [
        kept(folder, flat, Block(row=10, column=5, rows=20, columns=30)),
        kept(folder, flat, Block(row=15, column=20, rows=20, columns=30), views=3),
        ViewHeights(heights="nowhere.npy", views="nowhere.npy", window=None),
    ]


def test_a_block_takes_its_part_of_every_view(tmp_path):
    heights = dense(three_views(tmp_path), grid(60, 50))
    whole = fused_block(heights, grid_row=-4, grid_column=-4, rows=58, columns=68)
    expected = np.zeros((58, 68), int)
    expected[14:34, 9:39] = 2
    expected[19:39, 24:54] = 3
    assert (whole.count == expected).all()
    assert (np.isfinite(whole.height_m) == (expected > 0)).all()
    assert np.nanmax(np.abs(whole.height_m - (GROUND_M + 2))) <= STEP_M
    part = fused_block(heights, grid_row=12, grid_column=18, rows=20, columns=20)
    assert (part.count == expected[16:36, 22:42]).all()


def test_joined_blocks_equal_the_whole(tmp_path):
    """A rolling surface, noisy, with holes: blocks with a margin give what one block gives."""
    rng = np.random.default_rng(5)
    rows, columns = 60, 80
    r, c = np.indices((rows, columns))
    ground = GROUND_M + 2 * np.sin(c / 15) + np.where(r > 30, 4, 0)
    views = []
    for number in range(3):
        heights = ground + rng.normal(0, 0.1, ground.shape)
        heights[rng.random(ground.shape) < 0.2] = np.nan
        window = Block(row=0, column=0, rows=rows, columns=columns)
        views.append(kept(tmp_path, heights, window, views=2 + number))
    heights, margin, side = dense(views, grid(columns, rows)), 8, 20
    whole = fused_block(heights, grid_row=0, grid_column=0, rows=rows, columns=columns)
    for row in range(0, rows, side):
        for column in range(0, columns, side):
            part = fused_block(
                heights, grid_row=row - margin, grid_column=column - margin,
                rows=side + 2 * margin, columns=side + 2 * margin,
            )  # fmt: skip
            inner = np.s_[margin:-margin, margin:-margin]
            there = np.s_[row : row + side, column : column + side]
            assert (part.count[inner] == whole.count[there]).all()
            assert np.array_equal(part.height_m[inner], whole.height_m[there], equal_nan=True)


@given(
    windows=st.lists(
        st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2), min_size=0, max_size=8
    )
)
def test_no_middle_of_a_window_lies_under_more_than_the_most_overlapping(windows):
    views = [
        ViewHeights(heights="", views="", window=Block(row=r, column=c, rows=h, columns=w))
        for r, c, h, w in windows
    ]
    views.append(ViewHeights(heights="", views="", window=None))
    found = dense(views, grid(80, 80)).most_overlapping
    depth = np.zeros((80, 80), int)
    for r, c, h, w in windows:
        depth[r : r + h, c : c + w] += 1
    middles = [depth[r + h // 2, c + w // 2] for r, c, h, w in windows]
    assert found == max(middles, default=0)
    assert found <= len(windows)


def tiles_of(folder, at, inverse, tile_m):
    depth = Path(folder) / "depth.npy"
    np.save(depth, inverse.astype(np.float32))
    return tiles_seen(ReachTask(view=pinhole(at), depth=str(depth), tile_m=tile_m))


def test_the_tiles_seen_are_those_of_the_ground_in_view(tmp_path):
    at = pose(0, 0)
    tile_m = 10.0
    tiles, heights = tiles_of(tmp_path, at, plane_inverse(pinhole(at), (3.0, 0, 0)), tile_m)
    half = np.array([160, 120]) / pinhole(at).intrinsics[0] * (FLYING_M - 3)
    middle = np.array([EAST_M, NORTH_M])
    low, high = tiles.min(axis=0) * tile_m - middle, (tiles.max(axis=0) + 1) * tile_m - middle
    assert (np.abs(low + half) < tile_m).all()
    assert (np.abs(high - half) < tile_m).all()
    assert heights == pytest.approx(GROUND_M + 3.0, abs=1e-3)


def test_a_view_to_the_horizon_does_not_stretch_the_map(tmp_path):
    """Ground to ten kilometres is in the picture; single pixels reach it and draw no tiles."""
    at = pose(0, 0, pitch=-12)
    inverse = plane_inverse(pinhole(at))
    inverse[inverse < 1e-4] = np.nan
    far = np.nanmax(1 / inverse)
    assert far > 5000
    tile_m = TILE_CELLS * 0.3
    tiles, heights = tiles_of(tmp_path, at, inverse, tile_m)
    reach = np.linalg.norm((tiles + 0.5) * tile_m - [EAST_M, NORTH_M], axis=1)
    # A tile of n pixels each way lies at about sqrt(focal * height * tile / pixels) at most.
    assert len(tiles) > 20
    assert reach.max() < far / 20
    assert np.abs(heights - GROUND_M).max() < 0.1


def test_a_few_far_points_add_no_tile(tmp_path):
    at = pose(0, 0)
    inverse = plane_inverse(pinhole(at))
    near, _ = tiles_of(tmp_path, at, inverse, 10.0)
    inverse[0:8:4, 0:8:4] = 1 / 9000
    tiles, heights = tiles_of(tmp_path, at, inverse, 10.0)
    assert set(map(tuple, tiles)) <= set(map(tuple, near))
    assert np.abs(heights - GROUND_M).max() < 0.01
    nothing, _ = tiles_of(tmp_path, at, np.full(inverse.shape, np.nan), 10.0)
    assert nothing.shape == (0, 2)


def test_the_size_of_a_pixel_is_measured_on_the_ground_and_not_on_roofs():
    frames = [
        placed(pose(e, 0), n, Path(f"{n}.png"), ground_m=(0, 10)) for n, e in enumerate((0, 9, 18))
    ]
    assert ground_sample_m(reconstruction(frames)) == pytest.approx((FLYING_M - 2) / 400)
    tilted = [placed(pose(0, 0, pitch=-60), 0, Path("0.png"), ground_m=(0, 0))]
    down = np.sin(np.radians(60))
    # Its distance over the focal length across, and longer by the slant along.
    across, along = FLYING_M / down / 400, FLYING_M / down / 400 / down
    assert ground_sample_m(reconstruction(tilted)) == pytest.approx(np.sqrt(across * along))


def test_flat_rays_are_cut_where_they_show_more_horizon_than_ground():
    level = placed(pose(0, 0, pitch=-20), 0, Path("0.png"), ground_m=(0, 0))
    outline = ground_outline_m(reconstruction([level]), level) - [EAST_M, NORTH_M]
    away = np.linalg.norm(outline, axis=1)
    assert away.max() == pytest.approx(FLYING_M * np.tan(np.radians(FLATTEST_OFF_NADIR_DEG)))
    steep = replace(level, pose=pose(0, 0))
    away = np.abs(ground_outline_m(reconstruction([steep]), steep) - [EAST_M, NORTH_M])
    assert (away.max(axis=0) < FLYING_M).all()
