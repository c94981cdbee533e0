"""Clicks in one picture of a clip -> its camera, and how accurate what it shows is: one solver.

``aftermap locate`` and the page solve here, and so state the same figures. Clicks fix the camera on
the case's map; what the map as a whole is off by (``Reference.sigma_m``) shows in none of them:

- Across (east, north) it moves the camera and all that it shows: it is in every CE90, but for that
  on the case's own map.
- Up, where the heights of the clicks are those of the surface: camera and surface are off by the
  same, and the ray still meets the same east and north. It is in the sigma of the camera's
  position, and in no CE90.
- Up, where a height was given: the camera stands on that height, its rays meet the surface of the
  map. One is off against the other, and the ray meets the ground too early or too late, by that
  times the tangent of the off-nadir angle. It is in every CE90.

What a height of the surface is off by on its own (``SURFACE_SIGMA_M``) is in every CE90, as in the
index (``viewshed``). East, north, up in metres.
"""

from dataclasses import dataclass, replace

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.lens import rays_cam
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.localization.camera_fit import CameraPrior
from aftermap.localization.drape import places_met
from aftermap.localization.object_points import ObjectPoints
from aftermap.localization.reference import Reference
from aftermap.localization.resect import Resected, resect
from aftermap.model.camera import Camera
from aftermap.model.clip import Clip
from aftermap.model.sighting import SURFACE_SIGMA_M


@dataclass(frozen=True, kw_only=True)
class ClickedCamera:
    """A solved camera. ``pose.covariance`` is for looking at the map's surface, see above.

    ``position_sigma_m`` (3,) is one sigma of the camera's own east, north and up.
    """

    placed: ObjectPoints
    pose: Resected
    position_sigma_m: Array


def solved_camera(
    clip: Clip, placed: ObjectPoints, surface: Reference, *, what: str
) -> ClickedCamera:
    """The camera by the clicks of one picture; ``what`` names them in an error.

    Raises ControlError where they fix no camera.
    """
    view = CameraPrior(
        width_px=clip.width_px,
        height_px=clip.height_px,
        focal_px=clip.focal.focal_px,
        focal_sigma_px=clip.focal.sigma_px,
    )
    clicked = np.array([tie.xy_px for tie in placed.ties], float)
    found = resect(placed.xyz_m, clicked, view, what=what, place_sigma_m=placed.sigma_m)
    across, up = surface.sigma_m
    has_given_heights = len(placed.from_surface) < len(placed.ties)
    off = _of_position(0.0, up if has_given_heights else 0.0) + _across(surface)
    whole = found.covariance + _of_position(across, up)
    return ClickedCamera(
        placed=placed,
        pose=replace(found, covariance=found.covariance + off),
        position_sigma_m=np.sqrt(np.diag(whole)[:3]),
    )


def on_case_map(pose: Resected, surface: Reference) -> Resected:
    """A pose that was found on the map, as accurate as it is on the case's own map."""
    return replace(pose, covariance=pose.covariance - _across(surface))


def ground_ce90_m(pose: Resected, clip: Clip, surface: Reference) -> float | None:
    """The radius that holds the ground in the middle of the picture, nine times of ten.

    Never more than its distance from the camera. None where no measured ground is seen there.
    """
    middle = [[clip.width_px / 2, clip.height_px / 2]]
    ray = rays_cam(middle, pose.params) @ pose.rotation_cam_from_world
    ground = places_met(surface, pose.position_m, ray)
    if not np.isfinite(ground).all():
        return None
    spread = ground_covariance_m2(
        pose.position_m, ground, pose.covariance, ground_sigma_m=SURFACE_SIGMA_M
    )
    return float(min(ce90_m(spread)[0], np.linalg.norm(ground[0] - pose.position_m)))


def as_camera(clip: Clip, pose: Resected) -> Camera:
    """The lens of a pose that was found by clicks."""
    return Camera(
        model="OPENCV",
        width_px=clip.width_px,
        height_px=clip.height_px,
        params=tuple(float(value) for value in pose.params),
        focal_prior_px=clip.focal.focal_px,
        focal_prior_source=clip.focal.source,
        focal_sigma_px=pose.focal_sigma_px,
        focal_decision="solved together with the pose of the first frame that has points",
    )


def _across(surface: Reference) -> Array:
    return _of_position(surface.sigma_m[0], 0.0)


def _of_position(across_m: float, up_m: float) -> Array:
    """(6, 6) covariance of a pose whose position alone is off, by so much on each axis."""
    return np.diag([across_m**2, across_m**2, up_m**2, 0.0, 0.0, 0.0])
