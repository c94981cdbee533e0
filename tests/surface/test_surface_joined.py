"""What joins and what is left out: blocks of the surface, its holes and rims, far ground."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from examples import share_of_examples
from hypothesis import given
from hypothesis import strategies as st
from known_ground import EAST_M, GROUND_M, NORTH_M, SAMPLE_M, grid, pose
from known_views import pinhole, plane_inverse

from aftermap.geo.grid import Block
from aftermap.surface import fuse, layer
from aftermap.surface.blocks import fused_block
from aftermap.surface.consistency import views_file
from aftermap.surface.height_scatter import rounds_of
from aftermap.surface.layer import TILE_CELLS, LayerTask, ReachTask, tiles_seen, write_view_heights
from aftermap.surface.view_heights import DenseHeights, FusionRound, ViewHeights

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
        frames=tuple(range(len(views))),
        grid=over,
        base_m=BASE_M,
        step_m=STEP_M,
        ground_sample_m=SAMPLE_M,
        least_cells=least_cells,
        views=tuple(views),
        rounds=(FusionRound(places=tuple(range(len(views))), scatter_cells=0.5),),
    )


def layer_task(folder, inverse, at, *, over=None, base_m=BASE_M, step_m=STEP_M, views=3):
    """A view whose confirmed depths are in files."""
    depth = Path(folder) / "confirmed.npy"
    np.save(depth, inverse.astype(np.float32))
    np.save(views_file(str(depth)), np.where(inverse > 0, views, 0).astype(np.uint8))
    return LayerTask(
        view=pinhole(at, rows=inverse.shape[0], columns=inverse.shape[1]),
        depth=str(depth),
        grid=over or grid(160, 120),
        base_m=base_m,
        step_m=step_m,
        file=str(Path(folder) / "heights.npy"),
    )


def test_a_view_beyond_the_grid_has_no_window(tmp_path):
    at = pose(900, 0)
    found = write_view_heights(layer_task(tmp_path, plane_inverse(pinhole(at)), at))
    assert found.window is None
    assert found.over(Block(row=0, column=0, rows=100, columns=100)) is None


def test_a_half_written_view_is_written_again(tmp_path, monkeypatch):
    calls = []
    at = pose(0, 0)
    task = layer_task(tmp_path, plane_inverse(pinhole(at)), at)
    write = layer._write
    monkeypatch.setattr(layer, "_write", lambda *a: calls.append(1) or write(*a))
    first = write_view_heights(task)
    assert write_view_heights(task) == first
    assert len(calls) == 1
    steps = np.load(first.heights)
    for note in tmp_path.glob("*.json"):  # killed between the heights and the note
        note.unlink()
    Path(first.heights).write_bytes(b"half of it")
    assert write_view_heights(task) == first
    assert len(calls) == 2
    assert (np.load(first.heights) == steps).all()


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
                heights,
                grid_row=row - margin,
                grid_column=column - margin,
                rows=side + 2 * margin,
                columns=side + 2 * margin,
            )
            inner = np.s_[margin:-margin, margin:-margin]
            there = np.s_[row : row + side, column : column + side]
            assert (part.count[inner] == whole.count[there]).all()
            assert np.array_equal(part.height_m[inner], whole.height_m[there], equal_nan=True)


@given(seed=st.integers(0, 1000), clip_views=st.integers(1, 9))
@share_of_examples(0.2)
def test_a_clip_changes_nothing_that_photographs_measured(tmp_path_factory, seed, clip_views):
    """A clip that says otherwise, by however many pictures, only measures what they left open."""
    folder = tmp_path_factory.mktemp("clip")
    rng = np.random.default_rng(seed)
    whole = Block(row=0, column=0, rows=40, columns=40)
    ground = GROUND_M + rng.uniform(0, 2) * np.indices((40, 40))[0] / 40
    seen = []
    for _ in range(3):
        heights = ground + rng.normal(0, 0.02, ground.shape)
        heights[:, 25:] = np.nan
        seen.append(kept(folder, heights, whole))
    filmed = [
        kept(folder, ground + 1.5 + rng.normal(0, 0.2, ground.shape), whole)
        for _ in range(clip_views)
    ]
    views, over = (*seen, *filmed), grid(40, 40)
    are_video = [False] * 3 + [True] * clip_views
    alone = replace(dense(seen, over), rounds=rounds_of(seen, are_video[:3], over, STEP_M))
    both = replace(dense(views, over), rounds=rounds_of(views, are_video, over, STEP_M))
    corner = {"grid_row": 0, "grid_column": 0, "rows": 40, "columns": 40}
    plain, added = fused_block(alone, **corner), fused_block(both, **corner)
    known = plain.count > 0
    assert known[:, :25].any()
    assert not known[:, 30:].any()
    for name in ("height_m", "count", "scatter_cells"):
        assert np.array_equal(getattr(plain, name)[known], getattr(added, name)[known])
    if clip_views >= 3:
        assert (added.count[:, 30:] > 0).mean() > 0.5


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


def topmost(values, seen=None, *, width=10, share=1.0):
    """Height and count of one cell that views gave ``values``, each confirmed by ``seen``."""
    stack = np.array(values, np.uint16)[:, None, None]
    views = np.array(seen or [1] * len(values), np.uint8)[:, None, None]
    height, count = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8)
    fuse.highest_run(stack, views, width, share, height, count, count.copy())
    return float(height[0, 0]), int(count[0, 0])


@given(
    values=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_order_of_the_views_does_not_matter(values, seed):
    order = np.random.default_rng(seed).permutation(len(values))
    seen = [1 + value % 4 for value in values]
    turned = topmost([values[k] for k in order], [seen[k] for k in order], share=0.7)
    assert turned == topmost(values, seen, share=0.7)


def test_nothing_is_filled_beyond_the_rim():
    height = np.zeros((40, 40), np.float32)
    height[8:32, 8:32] = 50
    height[18:22, 18:22] = 0  # a hole
    full = fuse.filled(height, 8, 5)
    assert (full[8:32, 8:32] == 50).all()
    full[8:32, 8:32] = 0
    assert (full == 0).all()


def test_closing_gaps_extends_no_rim():
    height, count = np.zeros((30, 30), np.float32), np.zeros((30, 30), np.uint8)
    height[10:20, 10:20], count[10:20, 10:20] = 1000, 5
    closed, views = fuse.gaps_closed(height, count, 5, 50.0)
    assert (closed == height).all()
    assert (views == count).all()
