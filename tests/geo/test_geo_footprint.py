"""What a photograph covers on the ground, as the case file will show it."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.footprint import BORDER_POINTS_PER_SIDE, FARTHEST, footprint_m
from aftermap.geo.lens import projected_px
from aftermap.geo.polygon import simple_ring
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame
from aftermap.model.media import FocalSource

GROUND_M = 245.0
HEIGHT_M = 60.0
PLACE = (500_900.0, 3_978_400.0, GROUND_M + HEIGHT_M)
IDEAL = (1000.0, 1000.0, 600.0, 450.0, 0.0, 0.0, 0.0, 0.0)
LENS = (1000.0, 1000.0, 605.0, 446.0, -0.03, 0.01, 0.0005, -0.0004)


def camera(params):
    return Camera(
        model="OPENCV",
        width_px=1200,
        height_px=900,
        params=params,
        focal_prior_px=1000.0,
        focal_prior_source=FocalSource.XMP_CALIBRATED,
        focal_sigma_px=5.0,
        focal_decision="held",
    )


def placed(rotation):
    return PlacedFrame(
        frame=Frame(
            sha256="0" * 64,
            name="DJI_0001.JPG",
            path="DJI_0001.JPG",
            width_px=1200,
            height_px=900,
            orientation=1,
            camera_key="one",
            focal_px=1000.0,
            focal_sigma_px=5.0,
            focal_source=FocalSource.XMP_CALIBRATED,
        ),
        camera=0,
        pose=CameraPose(
            rotation_cam_from_world=tuple(tuple(map(float, row)) for row in rotation),
            position_m=PLACE,
            covariance_m2=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        ),
        reprojection_px=0.5,
        tie_points=100,
        group=0,
        ground_m=(GROUND_M - 2, GROUND_M + 2),
    )


def area_m2(outline):
    x, y = (outline - outline[0]).T
    return (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_straight_down_the_outline_is_the_picture_at_the_scale_of_the_ground():
    outline = footprint_m(placed(rotation_cam_from_world(0, -90, 0)), camera(IDEAL))
    assert outline.shape == (4 * BORDER_POINTS_PER_SIDE, 2)
    assert np.allclose(outline.min(0) - PLACE[:2], [-36, -27])
    assert np.allclose(outline.max(0) - PLACE[:2], [36, 27])
    assert np.allclose(outline[0] - PLACE[:2], [-36, 27]), "first the top left corner: north-west"
    assert abs(area_m2(outline)) == pytest.approx(72 * 54)


def test_a_camera_turned_east_covers_a_strip_that_is_longer_from_north_to_south():
    outline = footprint_m(placed(rotation_cam_from_world(90, -90, 0)), camera(IDEAL))
    assert np.allclose(np.ptp(outline, axis=0), [54, 72])


@given(
    yaw=st.floats(-180, 180),
    pitch=st.floats(-90, -60),
    roll=st.floats(-10, 10),
    lens=st.sampled_from([IDEAL, LENS]),
)
def test_the_border_of_the_picture_shows_the_outline(yaw, pitch, roll, lens):
    rotation = rotation_cam_from_world(yaw, pitch, roll)
    outline = footprint_m(placed(rotation), camera(lens))
    ground = np.column_stack([outline, np.full(len(outline), GROUND_M)])
    seen = projected_px((ground - PLACE) @ rotation.T, lens)
    off_border = np.minimum(np.abs(seen - [0, 0]), np.abs(seen - [1200, 900])).min(axis=1)
    assert off_border.max() < 1e-3
    assert (seen > -1e-3).all()
    assert (seen < np.array([1200, 900]) + 1e-3).all()


@pytest.mark.parametrize("pitch", [-30, -10, 0, 20])
def test_a_view_of_the_horizon_is_cut_a_few_flying_heights_away(pitch):
    outline = footprint_m(placed(rotation_cam_from_world(0, pitch, 0)), camera(IDEAL))
    away = np.linalg.norm(outline - PLACE[:2], axis=1)
    assert np.isfinite(outline).all()
    assert away.max() == pytest.approx(FARTHEST * HEIGHT_M), "the top looks farther than that"
    assert outline[:, 1].min() >= PLACE[1] - 1e-6, "nothing behind the camera"
    near = footprint_m(
        placed(rotation_cam_from_world(0, pitch, 0)), camera(IDEAL), farthest_heights=1.5
    )
    assert np.linalg.norm(near - PLACE[:2], axis=1).max() <= 1.5 * HEIGHT_M + 1e-6


@given(
    yaw=st.floats(0, 360),
    pitch=st.floats(-90, 20),
    roll=st.floats(-25, 25),
    bend=st.sampled_from([(0.0, 0.0), (-0.28, 0.09), (0.12, 0.03)]),
)
def test_the_outline_that_is_recorded_does_not_cross_itself(yaw, pitch, roll, bend):
    ring = footprint_m(
        placed(rotation_cam_from_world(yaw, pitch, roll)),
        camera((*IDEAL[:4], *bend, 0.0, 0.0)),
    )
    made = simple_ring(ring[np.isfinite(ring).all(axis=1)])
    assert shapely.Polygon(made).is_valid
    whole = shapely.make_valid(shapely.Polygon(ring), method="structure")
    assert abs(shapely.Polygon(made).area - whole.area) < 2e-3 * whole.area
