"""One moment's pose -> the ground in its picture, the band around it, and how it is seen.

World axes, metres of the clip's CRS; the picture's border in pixels from its outer corner.
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.lens import rays_cam
from aftermap.geo.march import HeightWindow, landings_m
from aftermap.geo.polygon import simple_ring
from aftermap.geo.ring import hull_of_circles
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.geo.viewing import azimuth_of_deg, ground_sample_m, off_nadir_of_deg
from aftermap.model.camera import Camera
from aftermap.model.trajectory import ClipPose
from aftermap.viewshed.options import SightingOptions
from aftermap.viewshed.terrain import Box


@dataclass(frozen=True, kw_only=True)
class Eye:
    """What is the same for every moment of a clip: the rays of the border, then of the middle."""

    camera: Camera
    rays: Array
    ground_m: float
    ground_sigma_m: float
    options: SightingOptions

    @classmethod
    def of(
        cls, camera: Camera, ground_m: float, ground_sigma_m: float, options: SightingOptions
    ) -> "Eye":
        """The eye of a camera over ground that is known to ``ground_sigma_m``."""
        border = _border_px(camera.width_px, camera.height_px, options.border_points)
        middle = [[camera.width_px / 2, camera.height_px / 2]]
        rays = rays_cam(np.concatenate([border, middle]), camera.params)
        return cls(
            camera=camera,
            rays=rays,
            ground_m=ground_m,
            ground_sigma_m=ground_sigma_m,
            options=options,
        )

    def farthest_m(self, pose: ClipPose) -> float:
        """How far away in plan ground still counts as seen from there; 0 from below the ground."""
        height = pose.pose.position_m[2] - self.ground_m
        return float(np.clip(self.options.farthest_heights * height, 0, self.options.farthest_m))

    def box_m(self, pose: ClipPose) -> Box:
        """West, south, east, north of all that can be seen from there."""
        east, north, _ = pose.pose.position_m
        rotation = np.asarray(pose.pose.rotation_cam_from_world, float)
        far = self.farthest_m(pose)
        rays = self.rays @ rotation
        sideways = np.linalg.norm(rays[:, :2], axis=1)
        height = pose.pose.position_m[2] - self.ground_m
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(rays[:, 2] < 0, height / -rays[:, 2], np.inf)
            reach = np.minimum(reach, np.where(sideways > 0, far / sideways, 0))
        seen = np.vstack([rays[:, :2] * reach[:, None], [[0.0, 0.0]]])
        (west, south), (right, top) = seen.min(axis=0), seen.max(axis=0)
        return east + west, north + south, east + right, north + top


@dataclass(frozen=True, kw_only=True)
class Look:
    """The ground that a picture shows. NaN where the middle of the picture meets none.

    ``ring_m`` (N, 2) runs anticlockwise and does not cross itself; ``outer_m`` encloses every
    circle of CE90 around it. The angles, the ground sample and ``ce90_m`` are of the middle of the
    picture.
    """

    ring_m: Array
    outer_m: Array
    ce90_m: float
    off_nadir_deg: float
    azimuth_deg: float
    ground_sample_m: float


def look_of(pose: ClipPose, eye: Eye, heights: HeightWindow) -> Look | None:
    """What a moment shows of the ground; None where it shows none."""
    far = eye.farthest_m(pose)
    if far <= 0:
        return None
    rotation = np.asarray(pose.pose.rotation_cam_from_world, float)
    position = np.asarray(pose.pose.position_m, float)
    met, landed = landings_m(position, eye.rays @ rotation, heights, farthest_m=far)
    if not landed.any():
        return None
    radii = circles_m(pose, met, eye.ground_sigma_m)
    ring, radii_of_ring = met[:-1, :2], np.nan_to_num(radii[:-1], nan=0.0)
    outer = hull_of_circles(ring, radii_of_ring)
    ring = simple_ring(ring)
    if len(ring) == 0:
        return None
    middle, below = met[-1], landed[-1]
    return Look(
        ring_m=ring,
        outer_m=outer,
        ce90_m=float(radii[-1]) if below else np.nan,
        off_nadir_deg=float(off_nadir_of_deg(position, middle)) if below else np.nan,
        azimuth_deg=float(azimuth_of_deg(middle, position)),
        ground_sample_m=float(ground_sample_m(position, middle, rotation[2], eye.camera.focal_px))
        if below
        else np.nan,
    )


def circles_m(pose: ClipPose, ground_m: Array, ground_sigma_m: float) -> Array:
    """(N,) CE90 at (N, 3) points on the ground, never more than their distance from the camera.

    Near the horizon the linear propagation grows without end; an error as large as the distance
    itself says all that there is to say. NaN where the covariance of the pose is not known.
    """
    position = np.asarray(pose.pose.position_m, float)
    spread = ground_covariance_m2(
        position, ground_m, pose.covariance, ground_sigma_m=ground_sigma_m
    )
    return np.asarray(np.minimum(ce90_m(spread), np.linalg.norm(ground_m - position, axis=1)))


def _border_px(width_px: int, height_px: int, points: int) -> Array:
    along = np.linspace(0, 1, points, endpoint=False)
    zero, one = np.zeros_like(along), np.ones_like(along)
    sides = [(along, zero), (one, along), (1 - along, one), (zero, 1 - along)]
    border = np.concatenate([np.stack(side, axis=1) for side in sides])
    return np.asarray(border * [width_px, height_px], float)
