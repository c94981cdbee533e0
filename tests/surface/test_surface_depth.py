"""Planes swept through a known scene, what is found on them, and what other views confirm."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_ground import (
    GROUND_M,
    camera,
    picture,
    placed,
    pose,
    reconstruction,
    with_tie_points,
    write_picture,
)

from aftermap.surface import aggregate, sweep_kernel
from aftermap.surface.consistency import ConfirmTask, confirmed_depths, level
from aftermap.surface.consistency_kernel import rim_trimmed
from aftermap.surface.depth import DepthTask, inverse_depths
from aftermap.surface.sigma import sigma_m
from aftermap.surface.sources import are_video, neighbours_of, seen_points, sources_of
from aftermap.surface.sweep_planes import is_steep, sweep_of, warps_of
from aftermap.surface.undistorted import UndistortTask, undistort, view_of

FLIGHTS = {
    "nadir": (pose(0, 0), pose(12, 0, yaw=3), pose(-11, 2, yaw=-2)),
    "slanting": tuple(pose(e, -45, pitch=-32, yaw=y) for e, y in ((0, 0), (14, -3), (-13, 4))),
}


def pinhole(at, number=0, folder=Path()):
    return view_of(
        placed(at, number, Path(f"{number}.png")), camera(), 600, folder / f"{number}.npy"
    )


def test_a_census_changes_with_no_exposure_and_no_shade():
    grey = np.random.default_rng(1).uniform(0, 255, (30, 40)).astype(np.float32)
    codes = [np.zeros((24, 34), np.uint32) for _ in range(3)]
    for one, code in zip((grey, grey * 0.5 + 20, np.sqrt(grey)), codes, strict=True):
        sweep_kernel.census(one, (0, 0), (24, 34), code)
    assert (codes[0] == codes[1]).all()
    assert (codes[0] == codes[2]).all()
    assert len(np.unique(codes[0])) > 700


@given(
    east=st.floats(-20, 20),
    yaw=st.floats(-40, 40),
    pitch=st.floats(-90, -25),
    pixel=st.tuples(st.floats(20, 580), st.floats(20, 430)),
    distance=st.floats(20, 300),
)
def test_a_pixel_on_a_plane_goes_to_where_the_source_sees_its_place(
    east, yaw, pitch, pixel, distance
):
    view = pinhole(pose(0, 0, pitch=pitch))
    source = pinhole(pose(east + 25, 5, yaw=yaw, pitch=max(pitch - 5, -90)))
    direction = np.array([0, 0, -1.0]) if is_steep(view) else view.rotation[2]
    ray = np.linalg.inv(view.calibration) @ [*pixel, 1.0] @ view.rotation
    along = ray @ direction
    if along < 0.05:
        return  # the ray never meets a plane in that direction
    place = view.centre_m + ray * distance / along
    seen = source.calibration @ source.rotation @ (place - source.centre_m)
    first, second = warps_of(view, [source], direction)[0]
    put = (first + second / distance) @ [*pixel, 1.0]
    assert np.allclose(put / np.linalg.norm(put), seen / np.linalg.norm(seen), atol=1e-6)


def test_the_cheapest_plane_is_found_and_one_noisy_pixel_does_not_stand_out():
    volume = np.full((30, 9, 40), 100, np.uint8)
    volume[:, 4] = 20
    volume[15, :, 20] = 100
    volume[15, 7, 20] = 10
    total = np.zeros(volume.shape, np.int16)
    aggregate.add_path_costs(volume, np.full((30, 40), 90, np.float32), total)
    plane = np.empty((30, 40), np.float32)
    aggregate.lowest(total, np.ones((1, 1, 9), np.uint8), 64, 0, plane)
    assert np.abs(plane - 4).max() < 0.01


def test_a_search_that_was_cut_off_has_no_answer():
    volume = np.full((8, 5, 8), 100, np.uint8)
    volume[:, 0, :4] = volume[:, 4, 4:] = 5
    total = volume.astype(np.int16)
    plane = np.empty((8, 8), np.float32)
    aggregate.lowest(total, np.ones((1, 1, 5), np.uint8), 64, 0, plane)
    assert (plane == aggregate.NO_PLANE).all()


@pytest.fixture(scope="module", params=sorted(FLIGHTS))
def flight(request, tmp_path_factory):
    """Three views of level ground in files, their reconstruction and tie points."""
    folder = tmp_path_factory.mktemp(request.param)
    frames = []
    for number, at in enumerate(FLIGHTS[request.param]):
        frames.append(placed(at, number, write_picture(folder / f"{number}.png", picture(at))))
    made = with_tie_points(reconstruction(frames), folder / "points.npz")
    views = []
    for number, one in enumerate(frames):
        view = view_of(one, camera(), 600, folder / f"{number}.npy")
        undistort(UndistortTask(view=view, camera=camera(), path=one.frame.path, mask=None))
        views.append(view)
    return made, tuple(views)


def true_inverse(view):
    """(rows, columns) 1 / z of level ground, NaN above the horizon."""
    fx, fy, cx, cy = view.intrinsics
    u, v = np.meshgrid(np.arange(view.columns) + 0.5, np.arange(view.rows) + 0.5)
    down = -(np.stack([(u - cx) / fx, (v - cy) / fy, np.ones_like(u)], -1) @ view.rotation)[..., 2]
    inverse = down / (view.centre_m[2] - GROUND_M)
    return np.where(inverse > 0, inverse, np.nan).astype(np.float32)


def test_the_depth_of_level_ground_is_found_in_steep_and_in_slanting_views(flight):
    made, views = flight
    points = seen_points(made)
    sources = sources_of(made, points, 6)[0]
    assert sorted(sources) == [1, 2]
    others = tuple(views[k] for k in sources)
    sweep = sweep_of(views[0], others, points.of(0))
    found = inverse_depths(DepthTask(view=views[0], sources=others, sweep=sweep, file="none"))
    ratio = found / true_inverse(views[0])
    inner = np.s_[180:-40, 60:-60]  # above lies ground whose texture the pictures cannot resolve
    known = np.isfinite(ratio[inner])
    assert known.mean() > 0.7
    assert np.median(np.abs(ratio[inner][known] - 1)) < 0.004
    assert (np.abs(ratio[inner][known] - 1) < 0.02).mean() > 0.9


def test_what_a_mask_covers_has_no_depth(flight, tmp_path):
    made, views = flight
    mask = np.full((450, 600, 3), 255, np.uint8)
    mask[100:300, 200:400] = 0
    from_mask = write_picture(tmp_path / "mask.png", mask[..., 0])
    view = view_of(made.placed[0], camera(), 600, tmp_path / "masked.npy")
    path = made.placed[0].frame.path
    undistort(UndistortTask(view=view, camera=camera(), path=path, mask=str(from_mask)))
    assert (view.read()[120:280, 220:380] == 0).all()
    sweep = sweep_of(view, views[1:], seen_points(made).of(0))
    found = inverse_depths(DepthTask(view=view, sources=views[1:], sweep=sweep, file="none"))
    assert np.isnan(found[120:280, 220:380]).all()


def confirming(views, depths, tmp_path):
    files = []
    for number, depth in enumerate(depths):
        np.save(tmp_path / f"{number}.npy", depth)
        files.append(str(tmp_path / f"{number}.npy"))
    return confirmed_depths(
        ConfirmTask(view=views[0], others=views[1:], files=tuple(files), file="none")
    )


def test_depths_that_others_share_stay_with_their_views_and_others_go(flight, tmp_path):
    _, views = flight
    depths = [true_inverse(view) for view in views]
    middle = np.s_[200:250, 280:330]
    depths[0][middle] *= 1.2  # nearer than what both others look through to
    inverse, count = confirming(views, depths, tmp_path)
    assert np.isnan(inverse[210:240, 290:320]).all()
    rest = np.isfinite(inverse)
    assert rest.mean() > 0.4
    assert set(np.unique(count[rest])) <= {2, 3}
    assert ((count > 0) == rest).all()
    alone = [depths[0], *(np.full_like(d, np.nan) for d in depths[1:])]
    assert np.isnan(confirming(views, alone, tmp_path)[0]).all()


LEVEL_BELOW = np.array([0, 0, 1.0])  # straight down: level planes are as far in every pixel


def test_only_the_nearer_side_of_an_edge_is_trimmed():
    inverse = np.full((20, 30), 0.02, np.float32)
    inverse[:, 15:] = 0.03
    left = np.isfinite(rim_trimmed(inverse, LEVEL_BELOW, 2, 0.012))
    assert left[:, :15].all()
    assert not left[:, 15:17].any()
    assert left[:, 17:].all()


@given(pitch=st.floats(-60, -15))
def test_level_ground_is_no_edge_however_flat_the_look(pitch):
    view = pinhole(pose(0, 0, pitch=pitch))
    inverse = true_inverse(view)
    known = np.isfinite(inverse)
    assert known.mean() > 0.3
    left = np.isfinite(rim_trimmed(inverse, level(view), 2, 0.012))
    assert (left == known).all()


def test_a_view_is_no_source_of_its_own_and_the_order_of_views_does_not_matter(flight, tmp_path):
    made, _ = flight
    order = (2, 0, 1)
    turned = reconstruction([made.placed[k] for k in order])
    turned = with_tie_points(turned, tmp_path / "points.npz")
    ways = (lambda m, p: sources_of(m, p, 6), lambda m, p: neighbours_of(p, are_video(m), 6))
    for choose in ways:
        plain, other = choose(made, seen_points(made)), choose(turned, seen_points(turned))
        for number, chosen in enumerate(other):
            assert number not in chosen
            assert {order[k] for k in chosen} == set(plain[order[number]])


def test_sigma_is_known_where_heights_are_and_shrinks_with_photographs():
    height = np.full((9, 9), 5.0, np.float32)
    height[:, 6:] = 9.0
    height[0, 0] = np.nan
    stated = []

    def scatter(cells):
        return np.full(height.shape, cells, np.float32)

    for photographs in (2, 3, 4, 6, 9):
        count = np.where(np.isfinite(height), photographs, 0).astype(np.uint8)
        stated.append(sigma_m(height, count, 0.1, scatter(0.2)))
        assert (np.isfinite(stated[-1]) == np.isfinite(height)).all()
    for more, fewer in zip(stated[1:], stated, strict=False):
        assert (more[1:] <= fewer[1:]).all()
    assert stated[0][4, 5] > stated[0][4, 2]  # beside the step
    less_alike = sigma_m(height, count, 0.1, scatter(0.6))
    assert (less_alike[1:] > stated[-1][1:]).all()
