"""Rays over ground that can be worked out by hand: level, a wall, a roof."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import rays_cam
from aftermap.geo.march import HeightWindow, Patch, camera_views, flat_heights, landings_m
from aftermap.geo.viewing import (
    EAST,
    NORTH,
    SOUTH,
    WEST,
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
)

LENS = (1200.0, 1200.0, 800.0, 600.0, 0.0, 0.0, 0.0, 0.0)
SIZE_PX = (1600, 1200)
CORNERS_PX = [[0, 0], [1600, 0], [1600, 1200], [0, 1200]]
NADIR = rotation_cam_from_world(0.0, -90.0, 0.0)
FAR_M = 2000.0


def block(height_m: float, *, cell_m=1.0, size_m=200.0) -> HeightWindow:
    """Level ground at 0 with a block from east 20 to 30, north -50 to 50."""
    count = int(size_m / cell_m)
    heights = np.zeros((count, count), np.float32)
    at = (np.arange(count) + 0.5) * cell_m - size_m / 2
    heights[np.ix_(abs(at) < 50, (at > 20) & (at < 30))] = height_m
    return HeightWindow(
        height_m=heights, west_m=-size_m / 2, north_m=size_m / 2, cell_m=cell_m, outside_m=0.0
    )


def test_footprint_of_a_level_camera_is_its_picture_at_scale():
    rays = rays_cam(CORNERS_PX, LENS) @ NADIR
    met, landed = landings_m([10, 20, 130], rays, flat_heights(30.0), farthest_m=FAR_M)
    half_e, half_n = 100 * 800 / 1200, 100 * 600 / 1200
    expected = [
        [10 - half_e, 20 + half_n],
        [10 + half_e, 20 + half_n],
        [10 + half_e, 20 - half_n],
        [10 - half_e, 20 - half_n],
    ]
    assert landed.all()
    assert met[:, :2] == pytest.approx(np.array(expected))
    assert met[:, 2] == pytest.approx(30.0)


@given(
    yaw=st.floats(0, 360),
    pitch=st.floats(-90, -15),
    east=st.floats(-90, 90),
    height=st.floats(20, 300),
)
def test_level_ground_is_met_where_the_plane_is(yaw, pitch, east, height):
    axis = rotation_cam_from_world(yaw, pitch, 0.0)[2:]
    eye = np.array([east, 3.3, height])
    met, landed = landings_m(eye, axis, block(0.0), farthest_m=FAR_M)
    assert landed.all()
    assert met[0] == pytest.approx(eye + axis[0] * (-height / axis[0, 2]), abs=1e-6)


def test_rays_that_meet_no_ground_end_at_the_farthest_distance():
    rays = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.5], [0.0, -1.0, -0.01], [0.0, 0.0, 1.0]])
    met, landed = landings_m([0, 0, 100], rays, block(0.0), farthest_m=500.0)
    assert not landed.any()
    assert met[:3, :2] == pytest.approx(np.array([[0, 500], [500, 0], [0, -500]]))
    assert met[3, :2] == pytest.approx([0, 0])


@pytest.mark.parametrize("cell_m", [0.5, 1.0, 2.0])
def test_a_wall_stops_a_ray_and_a_roof_catches_it(cell_m):
    ground = block(12.0, cell_m=cell_m)
    at_wall, at_roof, over = [20, 0, -24], [25, 0, -18], [60, 0, -30]
    met, landed = landings_m([0, 0, 30], [at_wall, at_roof, over], ground, farthest_m=FAR_M)
    assert landed.all()
    assert met[0] == pytest.approx([20, 0, 6])  # half way up the wall
    assert met[1] == pytest.approx([25, 0, 12])
    assert met[2] == pytest.approx([60, 0, 0], abs=1e-9)


def test_a_camera_among_the_roofs_is_not_walled_in_by_its_own_cell():
    met, landed = landings_m([25, 0, 10], [[1, 0, -1]], block(12.0), farthest_m=FAR_M)
    assert landed.all()
    assert met[0, 0] > 25.5


@pytest.mark.parametrize("azimuth_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("height_m", [6.0, 12.0])
def test_a_wall_hides_what_is_behind_it_as_far_as_its_shadow(height_m, azimuth_deg):
    """The eye is 60 m before the wall and 40 m up: the shadow is known by similar triangles."""
    turns = azimuth_deg // 90
    ground = block(height_m)
    turned = HeightWindow(
        height_m=np.ascontiguousarray(np.rot90(ground.height_m, -turns)),
        west_m=-100.0,
        north_m=100.0,
        cell_m=1.0,
        outside_m=0.0,
    )
    angle = np.radians(azimuth_deg)
    east, north = (
        np.array([np.cos(angle), -np.sin(angle)]),
        np.array([np.sin(angle), np.cos(angle)]),
    )
    eye = np.array([*(-40 * east), 40.0])
    rotation = rotation_cam_from_world(90.0 + azimuth_deg, -35.0, 0.0)
    patch = Patch(column=-100, row=-100, columns=200, rows=200, cell_m=1.0)
    views = camera_views(
        patch, rotation, eye, LENS, SIZE_PX, turned, farthest_m=FAR_M, points_per_side=1
    )
    along = views.centre_m[:, :2] @ east
    street = (abs(views.centre_m[:, :2] @ north) < 10) & (views.framed > 0) & (along > 30)
    shadow_end = 70 * 40 / (40 - height_m) - 40  # of the block's far edge, 70 m from the eye
    hidden = views.hidden[street] > 0
    margin = 3.0  # the clearance of half a metre, and a cell
    assert hidden[along[street] < shadow_end - margin].all()
    assert not hidden[along[street] > shadow_end + margin].any()
    before = (views.framed > 0) & (along < 20)
    assert not views.hidden[before].any()


def test_nothing_is_hidden_on_level_ground():
    patch = Patch(column=-10, row=-10, columns=20, rows=20, cell_m=10.0)
    rotation = rotation_cam_from_world(30.0, -25.0, 0.0)
    views = camera_views(
        patch, rotation, [0, 0, 50], LENS, SIZE_PX, flat_heights(0.0), farthest_m=FAR_M
    )
    assert views.framed.any()
    assert not views.hidden.any()


def test_what_is_framed_is_what_projects_into_the_picture():
    patch = Patch(column=-60, row=-60, columns=120, rows=120, cell_m=5.0)
    lens = (1200.0, 1200.0, 800.0, 600.0, -0.1, 0.02, 0.001, -0.001)
    rotation = rotation_cam_from_world(75.0, -50.0, 4.0)
    eye = np.array([3.0, -7.0, 60.0])
    views = camera_views(
        patch, rotation, eye, lens, SIZE_PX, flat_heights(0.0), farthest_m=FAR_M, points_per_side=1
    )
    along = np.arange(50) / 50
    sides = [
        (along, along * 0),
        (along * 0 + 1, along),
        (1 - along, along * 0 + 1),
        (along * 0, 1 - along),
    ]
    border = np.concatenate([np.stack(side, axis=1) for side in sides]) * SIZE_PX
    rays = rays_cam(border, lens) @ rotation
    met, _ = landings_m(eye, rays, flat_heights(0.0), farthest_m=FAR_M)
    area = views.framed.sum() * 25.0
    x, y = met[:, 0], met[:, 1]
    outline = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    assert area == pytest.approx(outline, rel=0.01)


@given(
    yaw=st.floats(0, 360), pitch=st.floats(-90, -20), px=st.floats(0, 1600), py=st.floats(0, 1200)
)
def test_ground_sample_is_the_side_of_a_pixel_on_the_ground(yaw, pitch, px, py):
    rotation = rotation_cam_from_world(yaw, pitch, 0.0)
    around = np.add([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]], [px, py])
    rays = rays_cam(around, LENS) @ rotation
    if (rays[:, 2] > -0.05).any():
        return
    spots = rays * (-100 / rays[:, 2:])
    x, y = spots[:4, 0], spots[:4, 1]
    area = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    stated = ground_sample_m([0, 0, 0], spots[4], rotation[2], 1200.0)
    assert stated == pytest.approx(np.sqrt(area), rel=0.01)


def test_angles_are_told_from_the_ground_and_from_north():
    spots = np.zeros((4, 3))
    eyes = [[0, 100, 100], [100, 0, 100], [-100, -100, 0.1], [0, 0, 50]]
    assert azimuth_of_deg(spots, eyes)[:3] == pytest.approx([0, 90, 225])
    assert off_nadir_of_deg(eyes, spots)[[0, 1, 3]] == pytest.approx([45, 45, 0])


def test_a_camera_sees_the_faces_that_are_turned_to_it():
    faces = faces_of(np.array([0.0, 45.0, 200.0, 90.0]), np.array([45.0, 60.0, 45.0, 5.0]))
    assert list(faces) == [NORTH, NORTH + EAST, SOUTH, 0]
    assert int(faces_of(np.array(270.0), np.array(30.0))) == WEST
