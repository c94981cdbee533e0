"""Heights of views in files and what is read off them: steps, windows, blocks, size of a pixel."""

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
    camera,
    grid,
    placed,
    pose,
    reconstruction,
)

from aftermap.geo.grid import Block
from aftermap.surface import layer
from aftermap.surface.blocks import fused_block
from aftermap.surface.consistency import views_file
from aftermap.surface.dense import in_one_place
from aftermap.surface.extent import ground_outline_m, median_ground_sample_m
from aftermap.surface.height_scatter import scatter_cells
from aftermap.surface.layer import LayerTask, ReachTask, tiles_seen, write_view_heights
from aftermap.surface.undistorted import view_of
from aftermap.surface.view_heights import DenseHeights, FusionRound, ViewHeights

BASE_M, STEP_M = GROUND_M - 20.0, 0.5 / 64


def kept(folder, heights_m, window, number=0, views=2):
    """One view's heights as a worker leaves them."""
    heights, counts = Path(folder) / f"{number}.npy", Path(folder) / f"{number}.views.npy"
    steps = (np.asarray(heights_m) - BASE_M) / STEP_M + 1.5
    np.save(heights, np.where(np.isfinite(steps), steps, 0).astype(np.uint16))
    np.save(counts, np.full(np.shape(heights_m), views, np.uint8))
    return ViewHeights(heights=str(heights), views=str(counts), window=window)


def dense(views, over):
    return DenseHeights(
        frames=tuple(range(len(views))),
        grid=over,
        base_m=BASE_M,
        step_m=STEP_M,
        ground_sample_m=SAMPLE_M,
        least_cells=4,
        views=tuple(views),
        rounds=(FusionRound(places=tuple(range(len(views))), scatter_cells=0.5),),
    )


def level_task(folder, height_m, base_m, step_m):
    """A view from straight above of level ground at a height, its depths in files."""
    seen = view_of(placed(pose(0, 0), 0, Path("0.png")), camera(), 60, Path("0.npy"))
    depth = folder / "depth.npy"
    np.save(depth, np.full((seen.rows, seen.columns), 1 / (GROUND_M + FLYING_M - height_m), "f4"))
    np.save(views_file(str(depth)), np.full((seen.rows, seen.columns), 3, np.uint8))
    return LayerTask(
        view=seen,
        depth=str(depth),
        grid=grid(200, 160),
        base_m=base_m,
        step_m=step_m,
        file=str(folder / "heights.npy"),
    )


@given(part=st.floats(0.01, 0.99), step_m=st.floats(0.001, 0.05))
def test_a_height_in_16_bits_is_off_by_less_than_its_step(tmp_path_factory, part, step_m):
    folder = tmp_path_factory.mktemp("steps")
    true, base_m = GROUND_M + 20 * part, GROUND_M - 1
    made = write_view_heights(level_task(folder, true, base_m, step_m))
    steps, views = np.load(made.heights), np.load(made.views)
    back = base_m + (steps[steps > 0].astype(float) - 1) * step_m
    assert np.abs(back - true).max() <= step_m / 2 + 1e-4
    assert ((views == 3) == (steps > 0)).all()


def test_heights_that_do_not_fit_are_none_and_never_wrap_around(tmp_path):
    made = write_view_heights(level_task(tmp_path, GROUND_M, GROUND_M + 1, 0.01))
    assert (np.load(made.heights) == 0).all()


def test_a_finished_view_is_found_again(tmp_path, monkeypatch):
    task = level_task(tmp_path, GROUND_M + 2, BASE_M, STEP_M)
    first = write_view_heights(task)
    monkeypatch.setattr(layer, "_write", lambda *_: pytest.fail("written again"))
    assert write_view_heights(task) == first


def test_a_block_takes_its_part_of_every_view(tmp_path):
    over = grid(60, 50)
    flat = np.full((20, 30), GROUND_M + 2, np.float32)
    views = [
        kept(tmp_path, flat, Block(row=10, column=5, rows=20, columns=30), 0, views=1),
        kept(tmp_path, flat, Block(row=10, column=5, rows=20, columns=30), 1, views=2),
        kept(tmp_path, flat, Block(row=15, column=20, rows=20, columns=30), 2, views=3),
        kept(tmp_path, flat, Block(row=15, column=20, rows=20, columns=30), 3, views=3),
        ViewHeights(heights="nowhere.npy", views="nowhere.npy", window=None),
    ]
    whole = fused_block(dense(views, over), grid_row=-4, grid_column=-4, rows=58, columns=68)
    expected = np.zeros((58, 68), int)
    expected[14:34, 9:39] = 2
    expected[19:39, 24:54] = 3
    expected[19:34, 24:39] = 4
    assert (whole.count == expected).all()
    assert (np.isfinite(whole.height_m) == (expected > 0)).all()
    assert np.nanmax(np.abs(whole.height_m - (GROUND_M + 2))) <= STEP_M
    part = fused_block(dense(views, over), grid_row=12, grid_column=18, rows=20, columns=20)
    assert (part.count == expected[16:36, 22:42]).all()


def test_what_the_views_of_a_cell_disagree_on_is_not_measured(tmp_path):
    over, window = grid(60, 50), Block(row=5, column=5, rows=40, columns=40)
    views = []
    for number, wall in enumerate((0.0, 2.5, 5.0)):
        heights = np.full((40, 40), GROUND_M + 2, np.float32)
        heights[:, 20:28] += wall  # each view meets the wall at another height
        views.append(kept(tmp_path, heights, window, number, views=3))
    whole = fused_block(dense(views, over), grid_row=0, grid_column=0, rows=50, columns=60)
    assert (whole.count[5:45, 25:33] == 0).all()
    assert (whole.count[5:45, 5:25] == 3).all()
    assert (whole.count[5:45, 33:45] == 3).all()


def test_views_over_one_place_are_counted(tmp_path):
    flat = np.full((20, 20), GROUND_M, np.float32)
    views = [
        kept(tmp_path, flat, Block(row=0, column=column, rows=20, columns=20), column)
        for column in (0, 5, 8, 40)
    ]
    assert dense(views, grid(60, 50)).most_overlapping == 3


def test_ground_that_single_pixels_reach_does_not_stretch_the_map(tmp_path):
    task = level_task(tmp_path, GROUND_M, BASE_M, STEP_M)
    asked = ReachTask(view=task.view, depth=task.depth, tile_m=32 * 0.5)
    near, _ = tiles_seen(asked)
    inverse = np.load(task.depth)
    inverse[0, 0] = inverse[0, 0] / 50  # one pixel fifty times as far away
    np.save(task.depth, inverse)
    again, heights = tiles_seen(asked)
    assert np.array_equal(near, again)
    assert np.abs(heights - GROUND_M).max() < 0.1


def test_the_size_of_a_pixel_is_measured_on_the_ground_and_not_on_roofs():
    frames = [
        placed(pose(e, 0), n, Path(f"{n}.png"), ground_m=(0, 10)) for n, e in enumerate((0, 9, 18))
    ]
    assert median_ground_sample_m(reconstruction(frames), frames) == pytest.approx(
        (FLYING_M - 2) / 400
    )
    tilted = [placed(pose(0, 0, pitch=-60), 0, Path("0.png"), ground_m=(0, 0))]
    expected = FLYING_M / np.cos(np.radians(30)) ** 1.5 / 400  # of a square of the same area
    assert median_ground_sample_m(reconstruction(tilted), tilted) == pytest.approx(expected)


def test_flat_rays_are_cut_at_80_degrees():
    level = placed(pose(0, 0, pitch=-20), 0, Path("0.png"), ground_m=(0, 0))
    outline = ground_outline_m(reconstruction([level]), level) - [EAST_M, NORTH_M]
    away = np.linalg.norm(outline, axis=1)
    assert away.max() == pytest.approx(FLYING_M * np.tan(np.radians(80)))


def test_far_patches_do_not_stretch_the_map_and_a_second_district_does():
    town = np.array([(x, y) for x in range(10) for y in range(8)] * 6, float)
    district = np.array([(x, y) for x in range(40, 44) for y in range(-3, 2)] * 2, float)
    horizon = np.array([(90, 200), (91, 200), (-70, 3)], float)
    kept = in_one_place(np.concatenate([town, horizon, district]))
    assert kept.tolist() == [True] * 480 + [False] * 3 + [True] * 40
    assert in_one_place(horizon[:1]).tolist() == [True]


@pytest.mark.parametrize("noise_m", [0.05, 0.3])
def test_the_scatter_of_a_flight_is_that_of_its_views_and_not_of_its_walls(tmp_path, noise_m):
    rng, over = np.random.default_rng(2), grid(200, 210)
    window = Block(row=0, column=0, rows=200, columns=210)
    views = []
    for number in range(6):
        heights = GROUND_M + 5 + rng.normal(0, noise_m, (200, 210))
        heights[:, ::9] += rng.uniform(0, 4)  # walls: each view meets them at another height
        views.append(kept(tmp_path, heights.astype(np.float32), window, number))
    found = scatter_cells(views, over, STEP_M) * over.cell_m
    assert found == pytest.approx(noise_m, rel=0.2)  # about the median of six, and some walls
