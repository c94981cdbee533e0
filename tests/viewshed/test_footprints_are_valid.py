"""Footprints of moments and photographs do not cross themselves, whatever the camera does."""

from fractions import Fraction

import numpy as np
import pytest
import shapely

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.march import HeightWindow, landings_m
from aftermap.model.camera import Camera, CameraPose
from aftermap.model.media import FocalSource
from aftermap.model.trajectory import ClipPose, PoseSource
from aftermap.viewshed.options import SightingOptions
from aftermap.viewshed.view import Eye, look_of

LENSES = {
    "ideal": (0.0, 0.0),
    "barrel": (-0.28, 0.09),
    "pincushion": (0.15, 0.02),
}
GROUND_M = 250.0


def camera(distortion: tuple[float, float]) -> Camera:
    return Camera(
        model="OPENCV",
        width_px=1920,
        height_px=1080,
        params=(1100.0, 1100.0, 960.0, 540.0, *distortion, 0.0, 0.0),
        focal_prior_px=1100.0,
        focal_prior_source=FocalSource.XMP_CALIBRATED,
        focal_sigma_px=5.0,
        focal_decision="held",
    )


def city(seed: int) -> HeightWindow:
    """Blocks of 5 to 30 m on level ground, with streets and single masts between them."""
    random = np.random.default_rng(seed)
    heights = np.full((300, 300), GROUND_M, np.float32)
    for row, column in np.ndindex(12, 12):
        block = (slice(25 * row + 3, 25 * row + 20), slice(25 * column + 4, 25 * column + 19))
        heights[block] += random.uniform(5, 30)
    heights[random.integers(0, 300, 40), random.integers(0, 300, 40)] += 35
    return HeightWindow(
        height_m=heights, west_m=-150.0, north_m=150.0, cell_m=1.0, outside_m=GROUND_M
    )


def moments(seed: int) -> list[ClipPose]:
    """A camera that turns, pitches from straight down to above the horizon, and rolls."""
    random = np.random.default_rng(seed)
    found = []
    for i, pitch in enumerate(np.linspace(-90, 8, 25)):
        turn = rotation_cam_from_world(random.uniform(0, 360), pitch, random.uniform(-20, 20))
        east, north, up = random.uniform((-80, -80, 40), (80, 80, 120))
        found.append(
            ClipPose(
                time_s=Fraction(i, 25),
                shot=0,
                covariance=tuple(tuple(row) for row in np.diag([0.04] * 3 + [1e-6] * 3)),
                pose=CameraPose(
                    rotation_cam_from_world=tuple(tuple(map(float, row)) for row in turn),
                    position_m=(east, north, GROUND_M + up),
                    covariance_m2=((0.04, 0, 0), (0, 0.04, 0), (0, 0, 0.04)),
                ),
                source=PoseSource.RECONSTRUCTION,
            )
        )
    return found


@pytest.mark.parametrize("lens", LENSES)
def test_footprints_of_moments_are_valid_and_keep_their_ground(lens):
    crossed = 0
    for seed in range(8):
        heights = city(seed)
        eye = Eye.of(camera(LENSES[lens]), GROUND_M, 0.5, SightingOptions())
        for moment in moments(seed):
            look = look_of(moment, eye, heights)
            if look is None:
                continue
            made = shapely.Polygon(look.ring_m)
            assert made.is_valid
            assert made.exterior.is_ccw
            assert shapely.Polygon(look.outer_m).is_valid
            rays = eye.rays[:-1] @ np.asarray(moment.pose.rotation_cam_from_world)
            met, _ = landings_m(
                moment.pose.position_m, rays, heights, farthest_m=eye.farthest_m(moment)
            )
            raw = shapely.Polygon(met[:, :2])
            crossed += not raw.is_valid
            whole = shapely.make_valid(raw, method="structure")
            assert made.symmetric_difference(whole).area < 2e-3 * whole.area
    assert crossed > 5
