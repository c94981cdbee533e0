"""A house on level ground, noisy pictures of it: depth of every view, and what others confirm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_ground import EAST_M, GROUND_M, NORTH_M, pose
from known_views import (
    HALF_M,
    ROOF_M,
    house_inverse,
    pinhole,
    places,
    plane_inverse,
    projected,
    written,
)

from aftermap.surface import aggregate, splat
from aftermap.surface import depth as depth_module
from aftermap.surface.consistency import ConfirmTask, confirmed_depths
from aftermap.surface.depth import DepthTask, depth_of, inverse_depths
from aftermap.surface.refine import refined
from aftermap.surface.search_range import TILE_PX, around
from aftermap.surface.sweep_planes import is_steep, sweep_of, warps_of

NOISE_GREY = 3.0
FLIGHTS = {
    "nadir": (pose(-3, 2), pose(10, 4, yaw=3), pose(-14, 1, yaw=-2)),
    "slanting": (
        pose(0, -62, pitch=-36),
        pose(13, -61, yaw=-5, pitch=-36),
        pose(-13, -62, yaw=5, pitch=-36),
    ),
}


def ground_points():
    """(N, 3) places on the ground and the roof."""
    east, north = (g.ravel() for g in np.meshgrid(np.arange(-40, 41, 2.0), np.arange(-30, 31, 2.0)))
    on_roof = (np.abs(east) < HALF_M[0]) & (np.abs(north) < HALF_M[1])
    up = np.where(on_roof, ROOF_M, 0)
    return np.column_stack([EAST_M + east, NORTH_M + north, GROUND_M + up])


def task_of(views, file="none"):
    points = ground_points()
    seen = projected(views[0], points)
    inside = ((seen > 0) & (seen < [views[0].columns, views[0].rows])).all(axis=1)
    sweep = sweep_of(views[0], views[1:], points[inside])
    return DepthTask(view=views[0], sources=tuple(views[1:]), sweep=sweep, file=file)


@pytest.fixture(scope="module", params=sorted(FLIGHTS))
def views(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    made = written(folder, FLIGHTS[request.param], house_inverse, NOISE_GREY)
    assert is_steep(made[0]) == (request.param == "nadir")
    return made


@pytest.fixture(scope="module")
def depth(views):
    return inverse_depths(task_of(views))


def moved_px(views, inverse, true):
    """How far, in the first source, a depth puts a pixel from where it belongs."""
    shape = inverse.shape
    known = np.isfinite(inverse) & np.isfinite(true)
    ends = [
        projected(views[1], places(views[0], np.where(known, v, 1)).reshape(-1, 3))
        for v in (inverse, true)
    ]
    return np.where(known, np.hypot(*(ends[0] - ends[1]).T).reshape(shape), np.nan)


def inner(view):
    """Pixels of what is near enough to have texture, away from the border."""
    up = np.zeros((view.rows, view.columns), bool)
    up[90 if not is_steep(view) else 24 : -24, 40:-40] = True
    return up


def test_roof_and_ground_are_found_to_a_fraction_of_a_pixel(views, depth):
    true = house_inverse(views[0])
    off = moved_px(views, depth, true)[inner(views[0])]
    known = np.isfinite(off)
    assert known.mean() > 0.8
    assert np.median(off[known]) < 0.25
    assert (off[known] < 1).mean() > 0.9  # the rest lies along the edges of the house
    up = places(views[0], true)[..., 2] - GROUND_M
    for level in (0.0, ROOF_M):
        flat = (np.abs(up - level) < 0.01) & inner(views[0]) & np.isfinite(depth)
        assert flat.sum() > 500
        found = places(views[0], np.where(flat, depth, 1))[..., 2][flat] - GROUND_M
        pixel_m = 1 / np.median(depth[flat]) / views[0].intrinsics[0]
        assert abs(np.median(found) - level) < 0.5 * pixel_m
        assert 1.4826 * np.median(np.abs(found - np.median(found))) < 2 * pixel_m


def test_finished_depths_are_kept(views, tmp_path, monkeypatch):
    file = tmp_path / "depth.npy"
    np.save(file, np.full((3, 3), 7.0, np.float32))
    assert depth_of(task_of(views, str(file))) == str(file)
    assert (np.load(file) == 7).all()


def test_confirmed_depths_lose_the_wrong_and_keep_the_right(views, depth, tmp_path):
    """Wrong places are put into one view; the other two see them as they are."""
    truth = [house_inverse(view).astype(np.float32) for view in views]
    spoilt, near, far = truth[0].copy(), np.zeros(depth.shape, bool), np.zeros(depth.shape, bool)
    rows = slice(150, 180)
    near[rows, 60:90], far[rows, 230:260] = True, True
    spoilt[near] *= 1.15
    spoilt[far] *= 0.85
    files = []
    for number, inverse in enumerate((spoilt, *truth[1:])):
        files.append(str(tmp_path / f"{number}.npy"))
        np.save(files[-1], inverse)
    task = ConfirmTask(view=views[0], others=tuple(views[1:]), files=tuple(files), file="none")
    inverse, count = confirmed_depths(task)
    assert np.isnan(inverse[near | far]).all()
    assert (count[near | far] == 0).all()
    kept = np.isfinite(inverse)
    assert (inverse[kept] == spoilt[kept]).all()
    seen = sum(
        ((px > 0) & (px < [views[0].columns, views[0].rows])).all(-1).astype(int)
        for px in (
            projected(v, places(views[0], truth[0]).reshape(-1, 3)).reshape(*depth.shape, 2)
            for v in views[1:]
        )
    )
    assert (count[kept] <= seen[kept] + 1).all()
    steep = seen == 2
    steep[:150] = False  # flatter ground falls off so fast that all of it counts as a rim
    steep &= ~near & ~far
    assert kept[steep].mean() > 0.8  # but for edges and what the house hides


def test_a_depth_that_exactly_one_other_view_shares_counts_two(tmp_path):
    at = FLIGHTS["nadir"]
    three = [pinhole(p, name=str(k)) for k, p in enumerate(at)]
    truth = [plane_inverse(view).astype(np.float32) for view in three]
    truth[2][:] = np.nan
    files = []
    for number, inverse in enumerate(truth):
        files.append(str(tmp_path / f"{number}.npy"))
        np.save(files[-1], inverse)
    task = ConfirmTask(view=three[0], others=tuple(three[1:]), files=tuple(files), file="none")
    inverse, count = confirmed_depths(task)
    assert np.isfinite(inverse).mean() > 0.5
    assert set(np.unique(count[np.isfinite(inverse)])) == {2}


@pytest.mark.parametrize("error", [-0.5, 0.5])
def test_half_a_plane_of_error_shrinks_to_less_than_a_fifth(tmp_path, error):
    made = written(tmp_path, FLIGHTS["nadir"], lambda v: plane_inverse(v, (2.0, 0, 0)))
    task = task_of(made)
    distance = made[0].centre_m[2] - GROUND_M - 2.0
    true, step = 1 / distance, task.sweep.step
    start = np.full((made[0].rows, made[0].columns), true + error * step, np.float32)
    warps = warps_of(made[0], made[1:], task.sweep.direction)
    found = refined(made[0].read(), start, step, [v.read() for v in made[1:]], warps)
    off = np.abs(found - true)[24:-24, 70:-70] / step
    known = np.isfinite(off)
    assert known.mean() > 0.9
    assert np.median(off[known]) < 0.1


def test_a_noisy_volume_with_one_plane_throughout_is_cleaned():
    """Chance alone puts four of ten pixels off by two planes or more; a plane is a small step."""
    rng = np.random.default_rng(3)
    volume = rng.integers(60, 140, (40, 12, 50)).astype(np.uint8)
    volume[:, 5] = rng.integers(40, 110, (40, 50))
    alone = volume.argmin(axis=1)
    assert (np.abs(alone - 5) > 1).mean() > 0.4
    total = np.zeros(volume.shape, np.int16)
    aggregate.add_path_costs(volume, np.full((40, 50), 90, np.float32), total)
    plane = np.empty((40, 50), np.float32)
    aggregate.lowest(total, np.ones((1, 1, 12), np.uint8), 64, 0, plane)
    assert (np.abs(plane - 5) > 1.5).mean() < 0.06
    assert abs(np.median(plane) - 5) < 0.1


def with_patch(view, level):
    """(rows, columns) inverse z of level ground, and of a patch that floats over its middle."""
    inverse = plane_inverse(view).astype(np.float32)
    floating = plane_inverse(view, (level, 0, 0))
    spot = np.abs(places(view, floating)[..., :2] - [EAST_M, NORTH_M]).max(axis=-1)
    return np.where(spot < 6, floating, inverse).astype(np.float32), spot < 5


@pytest.mark.parametrize("third", ["looks through", "knows nothing", "agrees"])
def test_what_one_shares_and_another_looks_through_goes(tmp_path, third):
    three = [pinhole(p, name=str(k)) for k, p in enumerate(FLIGHTS["nadir"])]
    inverses = [with_patch(view, 10.0)[0] for view in three]
    if third == "looks through":
        inverses[2] = plane_inverse(three[2]).astype(np.float32)
    elif third == "knows nothing":
        inverses[2][:] = np.nan
    files = [str(tmp_path / f"{number}.npy") for number in range(3)]
    for file, inverse in zip(files, inverses, strict=True):
        np.save(file, inverse)
    task = ConfirmTask(view=three[0], others=tuple(three[1:]), files=tuple(files), file="none")
    inverse, count = confirmed_depths(task)
    middle = with_patch(three[0], 10.0)[1]
    assert middle.sum() > 500
    expected = {"looks through": 0, "knows nothing": 2, "agrees": 3}[third]
    assert (count[middle] == expected).mean() > 0.97
    assert np.isfinite(inverse[middle]).mean() == pytest.approx(min(expected, 1), abs=0.03)


def test_blocks_that_would_take_too_much_memory_are_cut_and_give_the_same(
    views, depth, monkeypatch
):
    monkeypatch.setattr(depth_module, "MOST_COSTS", 500_000)
    cut = inverse_depths(task_of(views))
    assert (np.isfinite(depth) == np.isfinite(cut)).mean() > 0.99
    both = np.isfinite(depth) & np.isfinite(cut)
    assert (np.abs(depth - cut)[both] < 2e-3 * depth[both]).mean() > 0.95


@given(pitch=st.floats(-70, -20), yaw=st.floats(-40, 40), lean=st.floats(0, 89.9))
def test_only_planes_steeper_than_a_roof_are_facades(pitch, yaw, lean):
    view = pinhole(pose(0, -40, yaw=yaw, pitch=pitch))
    u, v = np.meshgrid(np.arange(60) + 270.5, np.arange(40) + 200.5)
    rays = np.linalg.inv(view.calibration) @ [u.ravel(), v.ravel(), np.ones(u.size)]
    normal = view.rotation @ [0, -np.sin(np.radians(lean)), np.cos(np.radians(lean))]
    inverse = (normal @ rays / (normal @ view.rotation @ [0, 0, -30.0])).reshape(u.shape)
    facing = normal @ rays.mean(axis=1) / np.linalg.norm(rays.mean(axis=1))
    steepest = np.degrees(np.arccos(splat.UPRIGHT))
    if facing > -0.35 or abs(lean - steepest) < 0.5 or not (inverse > 0).all():
        return  # seen from behind or nearly edge on, beyond its horizon, or at the limit itself
    camera = np.concatenate(
        [
            view.intrinsics[:2],
            [view.intrinsics[2] - 270, view.intrinsics[3] - 200],
            view.centre_m,
            view.rotation.ravel(),
        ]
    )
    found = splat.facades(inverse.astype(np.float32), camera)
    reach = splat.REACH_PX
    inner = found[reach:-reach, reach:-reach]  # corners have a quarter of a window
    assert (inner == (lean > steepest)).all()


def test_a_tile_over_two_levels_is_searched_around_both_and_not_between():
    coarse = np.full((32, 64), 10, np.float32)
    coarse[:, 24:] = 40
    coarse[3, 3] = 70  # one mistake
    coarse[:, 40:] = -1  # nothing known
    wanted = around(coarse, 2, (64, 128), 90, 3)
    assert wanted.shape == (2, 4, 90)
    assert set(np.flatnonzero(wanted[0, 0])) == set(range(7, 14))
    assert set(np.flatnonzero(wanted[1, 1])) == set(range(7, 14)) | set(range(37, 44))
    assert set(np.flatnonzero(wanted[1, 2])) == set(range(37, 44))
    assert not wanted[0, 3].any()
    assert TILE_PX == 32
