"""Heights in files and what is read off them: steps, blocks, relief, backdrop, extent, pairs."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
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

from aftermap.geo.grid import Block, cell_centres_m, window_of
from aftermap.surface import backdrop, pair
from aftermap.surface.blocks import FusedBlock, fused_block, with_coarse
from aftermap.surface.elevation import photographs_seeing
from aftermap.surface.extent import ground_outline_m, ground_sample_m, mapped_box_m
from aftermap.surface.heights import DenseHeights, PairHeights, Window
from aftermap.surface.options import SurfaceOptions
from aftermap.surface.pairs import stereo_pairs
from aftermap.surface.rectify import rectified, view_of
from aftermap.surface.relief import CELLS_PER_TILE, MARGIN_CELLS, relief_of
from aftermap.surface.search import disparity_ranges

BASE_M, STEP_M = GROUND_M - 20.0, 0.5 / 64


def kept(folder, heights_m, window, *, images=(0, 1), base_m=BASE_M, step_m=STEP_M):
    """One pair's heights as a worker leaves them."""
    file = Path(folder) / f"pair-{images[0]}-{images[1]}.npy"
    task = pair.PairTask(
        left=None, right=None, left_path="", right_path="", left_index=images[0],
        right_index=images[1], heights_m=(0, 0), relief=None, grid=None, base_m=base_m,
        step_m=step_m, file=str(file),
    )  # fmt: skip
    pair._saved((np.asarray(heights_m, np.float32), window), task, file)
    return PairHeights(file=str(file), left=images[0], right=images[1], window=window)


def dense(pairs, over, *, least_cells=4):
    return DenseHeights(
        grid=over, base_m=BASE_M, step_m=STEP_M, ground_sample_m=SAMPLE_M,
        least_cells=least_cells, pairs=tuple(pairs),
    )  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(
    level=st.floats(-400, 5000), step_m=st.floats(0.0005, 0.05),
    part=st.lists(st.floats(0.001, 0.99), min_size=1, max_size=50),
)  # fmt: skip
def test_a_height_in_16_bits_is_off_by_less_than_its_step(tmp_path_factory, level, step_m, part):
    true = np.array([level + share * 65_000 * step_m for share in part])[None]
    file = kept(tmp_path_factory.mktemp("steps"), true, Window(row=0, column=0, rows=1,
                columns=len(part)), base_m=level, step_m=step_m)  # fmt: skip
    steps = np.load(file.file)
    assert steps.dtype == np.uint16
    assert (steps > 0).all()
    back = level + (steps.astype(float) - 1) * step_m
    float32_m = np.spacing(np.float32(np.abs(true).max()))
    assert np.abs(back - true).max() <= step_m / 2 + 2 * float32_m


def test_heights_that_do_not_fit_are_none_and_never_wrap_around(tmp_path):
    window = Window(row=0, column=0, rows=1, columns=4)
    steps = np.load(kept(tmp_path, [[BASE_M - 1, BASE_M + 1, BASE_M + 1e4, np.nan]], window).file)
    assert (steps[0] > 0).tolist() == [False, True, False, False]


def test_a_finished_pair_is_found_again_and_a_half_written_one_is_not(tmp_path, monkeypatch):
    calls = []
    window = Window(row=2, column=3, rows=1, columns=2)

    def heights(task):
        calls.append(task.left_index)
        return np.array([[GROUND_M, GROUND_M]], np.float32), window

    monkeypatch.setattr(pair, "_heights_of", heights)
    task = pair.PairTask(
        left=None, right=None, left_path="", right_path="", left_index=4, right_index=7,
        heights_m=(0, 0), relief=None, grid=None, base_m=BASE_M, step_m=STEP_M,
        file=str(tmp_path / "pair.npy"),
    )  # fmt: skip
    assert pair.matched(task) == pair.matched(task)
    assert pair.matched(task).window == window
    assert calls == [4]
    assert json.loads((tmp_path / "pair.json").read_text())["row"] == 2
    (tmp_path / "pair.json").unlink()  # killed between the heights and the note
    pair.matched(task)
    assert calls == [4, 4]


def test_a_block_takes_its_part_of_every_pair(tmp_path):
    over = grid(60, 50)
    flat = np.full((20, 30), GROUND_M + 2, np.float32)
    pairs = [
        kept(tmp_path, flat, Window(row=10, column=5, rows=20, columns=30), images=(0, 1)),
        kept(tmp_path, flat, Window(row=15, column=20, rows=20, columns=30), images=(1, 2)),
        PairHeights(file="nowhere.npy", left=5, right=6, window=None),
    ]
    whole = fused_block(dense(pairs, over), grid_row=-4, grid_column=-4, rows=58, columns=68)
    expected = np.zeros((58, 68), int)
    expected[14:34, 9:39] = 2
    expected[19:39, 24:54] = 2
    expected[19:34, 24:39] = 3
    assert (whole.count == expected).all()
    assert (np.isfinite(whole.height_m) == (expected > 0)).all()
    assert np.nanmax(np.abs(whole.height_m - (GROUND_M + 2))) <= STEP_M
    part = fused_block(dense(pairs, over), grid_row=12, grid_column=18, rows=20, columns=20)
    assert (part.count == expected[16:36, 22:42]).all()


def test_what_only_the_coarse_pass_saw_fills_the_fine_one(tmp_path):
    fine, coarse = grid(64, 64, 0.5), grid(16, 16, 2.0)
    ramp = np.broadcast_to(GROUND_M + 0.25 * np.arange(16), (16, 16))
    rough = dense([kept(tmp_path, ramp, Window(row=0, column=0, rows=16, columns=16))], coarse)
    height = np.full((64, 64), np.nan, np.float32)
    height[:, :32] = GROUND_M + 9
    joined = with_coarse(
        FusedBlock(height_m=height, count=np.where(height > 0, 5, 0).astype(np.uint8)),
        rough, fine,
    )  # fmt: skip
    assert (joined.height_m[:, :32] == GROUND_M + 9).all()
    assert (joined.count[:, :32] == 5).all()
    east, _ = cell_centres_m(fine)
    expected = GROUND_M + 0.25 * np.floor((east[32:] - coarse.east_m) / 2.0)
    error = np.abs(joined.height_m[:, 32:] - expected)
    assert error[:, :-8].max() < 0.02
    assert error.max() < 0.25  # smoothing leans inwards at the border of the grid
    assert (joined.count[:, 32:] == 2).all()


@pytest.fixture
def relief(tmp_path):
    """Ground at 245 m with a block of flats of 18 m, unknown in the east."""
    over = grid(128, 96, 1.0)
    heights = np.full((96, 128), GROUND_M, np.float32)
    heights[30:60, 30:60] = GROUND_M + 18
    heights[:, 96:] = np.nan
    window = Window(row=0, column=0, rows=96, columns=128)
    return relief_of(dense([kept(tmp_path, heights, window)], over), (100.0, 400.0))


def test_the_relief_holds_what_is_there_and_a_margin(relief):
    tiles = relief.lowest_m.shape
    assert tiles == (6, 8)
    known = np.isfinite(relief.lowest_m)
    assert known[:, :6].all()
    assert not known[:, 7].any()
    margin = MARGIN_CELLS * 1.0
    assert relief.lowest_m[known] == pytest.approx(GROUND_M - margin, abs=0.05)
    assert relief.highest_m[2, 2] == pytest.approx(GROUND_M + 18 + margin, abs=0.05)
    assert relief.highest_m[5, 5] == pytest.approx(GROUND_M + margin, abs=0.05)
    assert relief.ground_m[0, 0] == pytest.approx(GROUND_M, abs=0.05)
    assert relief.everywhere_m == pytest.approx(
        (GROUND_M - margin, GROUND_M + 18 + margin), abs=0.1
    )
    assert relief.grid.cell_m == CELLS_PER_TILE


def test_nothing_found_keeps_the_whole_range(tmp_path):
    window = Window(row=0, column=0, rows=40, columns=40)
    nothing = kept(tmp_path, np.full((40, 40), np.nan), window)
    assert relief_of(dense([nothing], grid(40, 40)), (100.0, 400.0)).everywhere_m == (100.0, 400.0)


@pytest.mark.parametrize("pitch", [-90, -62])
def test_every_tile_is_searched_where_its_ground_and_roofs_lie(relief, pitch):
    back = 0 if pitch == -90 else -30
    sides = [
        view_of(camera(), at, 600, 450)
        for at in (pose(-25, back, pitch=pitch), pose(-15, back, yaw=3, pitch=pitch))
    ]
    both = rectified(sides[0], sides[1], (100.0, GROUND_M + 40), 1024)
    tile = 64
    ranges = disparity_ranges(relief, both, tile)
    assert ranges.shape == (-(-both.height_px // tile), -(-both.width_px // tile), 2)
    met = 0
    for i, j in np.ndindex(*ranges.shape[:2]):
        u, v = (j + 0.5) * tile, (i + 0.5) * tile
        cx, cy = both.left_principal_px
        ray = np.array([u - cx, v - cy, both.focal_px]) / both.focal_px @ both.rotation
        for height in (GROUND_M, GROUND_M + 18):
            depth = (both.left_centre_m[2] - height) / -ray[2]
            east, north = (both.left_centre_m + ray * depth)[:2] - [EAST_M, NORTH_M]
            on_flats = -34 < east < -4 and -12 < north < 18
            if not (-60 < east < 28 and -44 < north < 44) or (height > GROUND_M) != on_flats:
                continue
            disparity = both.focal_px * both.base_m / depth - both.right_shift_px
            assert ranges[i, j, 0] <= disparity <= ranges[i, j, 1]
            assert ranges[i, j, 1] - ranges[i, j, 0] < both.disparities
            met += 1
    assert met > 10


def test_open_water_is_not_searched_at_all(relief):
    sides = [view_of(camera(), at, 600, 450) for at in (pose(300, 0), pose(312, 0))]
    both = rectified(sides[0], sides[1], (GROUND_M - 10, GROUND_M + 30), 1024)
    assert (disparity_ranges(relief, both, 64) == -1).all()


def test_unknown_ground_lies_calmly_between_what_is_known():
    rng = np.random.default_rng(2)
    ground = (GROUND_M + rng.uniform(0, 0.5, (20, 30))).astype(np.float32)
    ground[:, 20:] += 4
    ground[:, 10:24] = np.nan
    full = backdrop.backdrop_of(ground)
    assert np.isfinite(full).all()
    assert full.min() >= np.nanmin(ground)
    assert full.max() <= np.nanmax(ground)
    assert np.abs(full[:, :8] - GROUND_M - 0.25).max() < 0.3
    assert np.abs(full[:, 26:] - GROUND_M - 4.25).max() < 0.3
    assert np.abs(np.diff(full[:, 10:24], axis=1)).max() < 1  # and steps nowhere
    assert (backdrop.backdrop_of(np.full((3, 3), np.nan, np.float32)) == 0).all()


def test_the_backdrop_is_read_at_the_middle_of_cells():
    coarse, fine = grid(12, 10, 8.0), grid(60, 50, 0.5)
    east, north = cell_centres_m(coarse)
    slope = 0.05 * (east[None] - EAST_M) - 0.02 * (north[:, None] - NORTH_M)
    part = window_of(fine, Block(row=7, column=9, rows=20, columns=30))
    read = backdrop.sampled((GROUND_M + slope).astype(np.float32), coarse, part)
    east, north = cell_centres_m(part)
    expected = GROUND_M + 0.05 * (east[None] - EAST_M) - 0.02 * (north[:, None] - NORTH_M)
    # Half a fine cell off would be 0.017 m, half a coarse one 0.28 m; a cubic ripples on slopes.
    assert np.abs(read - expected).max() < 0.05
    assert abs((read - expected).mean()) < 0.01


def test_the_size_of_a_pixel_is_measured_on_the_ground_and_not_on_roofs():
    frames = [
        placed(pose(e, 0), n, Path(f"{n}.png"), ground_m=(0, 10)) for n, e in enumerate((0, 9, 18))
    ]
    assert ground_sample_m(reconstruction(frames)) == pytest.approx((FLYING_M - 2) / 400)
    tilted = [placed(pose(0, 0, pitch=-60), 0, Path("0.png"), ground_m=(0, 0))]
    expected = FLYING_M / np.cos(np.radians(30)) / 400
    assert ground_sample_m(reconstruction(tilted)) == pytest.approx(expected)


def test_flat_rays_are_cut_at_60_degrees():
    level = placed(pose(0, 0, pitch=-20), 0, Path("0.png"), ground_m=(0, 0))
    outline = ground_outline_m(reconstruction([level]), level) - [EAST_M, NORTH_M]
    away = np.linalg.norm(outline, axis=1)
    assert away.max() == pytest.approx(FLYING_M * np.tan(np.radians(60)))


def test_the_mapped_box_holds_every_outline():
    frames = [placed(pose(e, n, yaw=y), k, Path(f"{k}.png"))
              for k, (e, n, y) in enumerate([(0, 0, 0), (40, 10, 30)])]  # fmt: skip
    low, high = mapped_box_m(reconstruction(frames))
    for frame in frames:
        outline = ground_outline_m(reconstruction(frames), frame)
        assert (outline >= np.array(low) - 1e-9).all()
        assert (outline <= np.array(high) + 1e-9).all()


def test_photographs_that_see_a_cell_are_counted():
    over = grid(40, 40, 1.0)
    box = np.array([[-10, -10], [10, -10], [10, 10], [-10, 10]]) + np.array([EAST_M, NORTH_M])
    far = box + np.array([1000, 0])
    seen = photographs_seeing(over, [box, box + np.array([10, 0]), far])
    assert seen[20, 12] == 1
    assert seen[20, 25] == 2
    assert seen[20, 38] == 1
    assert seen[2, 20] == 0
    assert photographs_seeing(over, [box] * 300)[20, 20] == 255


def test_neighbours_at_a_useful_angle_become_pairs_once_each():
    frames = [placed(pose(10.0 * k, 20.0 * s), 5 * s + k, Path(f"{s}{k}.png"))
              for s in range(2) for k in range(5)]  # fmt: skip
    frames.append(placed(pose(0.05, 0), 99, Path("twice.png")))  # taken from the same place
    pairs = stereo_pairs(reconstruction(frames), SurfaceOptions())
    unordered = [frozenset((p.left, p.right)) for p in pairs]
    assert len(unordered) == len(set(unordered))
    assert frozenset((0, 10)) not in unordered
    for number in range(len(frames)):
        assert sum(number in pair for pair in unordered) >= 2
    for one in pairs:
        offset = np.subtract(frames[one.left].pose.position_m, frames[one.right].pose.position_m)
        about = np.degrees(np.arctan2(np.linalg.norm(offset), FLYING_M))
        assert 3 < one.angle_deg < 40
        assert one.angle_deg == pytest.approx(about, abs=6)


def test_pictures_with_nothing_in_common_are_no_pair():
    frames = [placed(pose(500.0 * k, 0), k, Path(f"{k}.png")) for k in range(3)]
    assert stereo_pairs(reconstruction(frames), SurfaceOptions()) == ()
    assert stereo_pairs(reconstruction(frames[:1]), SurfaceOptions()) == ()
