"""Two placed frames to one pair of row-aligned pictures, in the world frame of the reconstruction.

After Fusiello, Trucco and Verri (2000): both cameras are turned so that their x axes lie along the
base; lens distortion is removed in the same resampling. Works for any two views whose base is not
along the line of sight, so for oblique pictures as for nadir ones.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.geo.axes import opencv_from_corner_px
from aftermap.geo.lens import rays_cam
from aftermap.model.camera import Camera, CameraPose

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class View:
    """One side of a pair as it is read: pose, and a camera for the picture at reading scale."""

    pose: CameraPose
    params: tuple[float, ...]
    width_px: int
    height_px: int


@dataclass(frozen=True, kw_only=True)
class RectifiedPair:
    """The common geometry of a rectified pair.

    A left pixel whose corner-origin column is u, row v and disparity d (left minus right column)
    lies at depth ``focal_px * base_m / (d + right_shift_px)`` along z of ``rotation``. The first
    ``disparities`` columns are a margin: SGBM leaves as many without an answer.
    """

    rotation: Array
    left_centre_m: Array
    base_m: float
    focal_px: float
    left_principal_px: tuple[float, float]
    right_shift_px: float
    width_px: int
    height_px: int
    disparities: int

    def depth_m(self, disparity_px: npt.ArrayLike) -> Array:
        """Distance along the rectified z axis of a disparity."""
        return self.focal_px * self.base_m / (np.asarray(disparity_px) + self.right_shift_px)


def view_of(camera: Camera, pose: CameraPose, width_px: int, height_px: int) -> View:
    """A camera's view at the scale the picture is read (corner-origin pixels scale exactly)."""
    sx, sy = width_px / camera.width_px, height_px / camera.height_px
    fx, fy, cx, cy, *distortion = camera.params
    params = (fx * sx, fy * sy, cx * sx, cy * sy, *distortion)
    return View(pose=pose, params=params, width_px=width_px, height_px=height_px)


def rectified(
    left: View, right: View, heights_m: tuple[float, float], max_disparities: int
) -> RectifiedPair | None:
    """The geometry of a pair, or None where base or overlap leave nothing to match.

    ``heights_m`` is the lowest and highest ground to be found; it sets the disparity range.
    """
    left_c, right_c = np.array(left.pose.position_m), np.array(right.pose.position_m)
    rotation = _common_rotation(left, right)
    base_m = float(np.linalg.norm(right_c - left_c))
    if rotation is None or base_m <= 0:
        return None
    focal = (left.params[0] + right.params[0]) / 2
    outline_l, depth_l = _outline(left, rotation, heights_m)
    outline_r, depth_r = _outline(right, rotation, heights_m)
    near = max(min(depth_l[0], depth_r[0]), 1e-3)
    far = max(depth_l[1], depth_r[1])
    low, high = focal * base_m / far, focal * base_m / near
    disparities = int(np.ceil((high - low + 2) / 16) * 16)
    if disparities > max_disparities:
        return None
    top = max(outline_l[:, 1].min(), outline_r[:, 1].min()) * focal
    bottom = min(outline_l[:, 1].max(), outline_r[:, 1].max()) * focal
    start = max(outline_l[:, 0].min() * focal, outline_r[:, 0].min() * focal + low)
    end = min(outline_l[:, 0].max() * focal, outline_r[:, 0].max() * focal + high)
    width, height = int(end - start), int(bottom - top)
    if width < 64 or height < 64:
        return None
    return RectifiedPair(
        rotation=rotation, left_centre_m=left_c, base_m=base_m, focal_px=focal,
        left_principal_px=(disparities - start, -top), right_shift_px=np.floor(low) - 1,
        width_px=width + disparities, height_px=height, disparities=disparities,
    )  # fmt: skip


def resampled(
    pair: RectifiedPair, view: View, picture: npt.NDArray[np.uint8], *, is_right: bool
) -> npt.NDArray[np.uint8]:
    """One picture in the rectified geometry, zero where it has no pixels."""
    cx = pair.left_principal_px[0] + (pair.right_shift_px if is_right else 0.0)
    target = np.array(
        [
            [pair.focal_px, 0, opencv_from_corner_px(cx)],
            [0, pair.focal_px, opencv_from_corner_px(pair.left_principal_px[1])],
            [0, 0, 1],
        ]
    )
    fx, fy, vx, vy = view.params[:4]
    source = np.array([[fx, 0, vx - 0.5], [0, fy, vy - 0.5], [0, 0, 1]])
    turn = pair.rotation @ np.array(view.pose.rotation_cam_from_world).T
    maps = cv2.initUndistortRectifyMap(
        source, np.array(view.params[4:8]), turn, target,
        (pair.width_px, pair.height_px), cv2.CV_32FC1,
    )  # fmt: skip
    return np.asarray(cv2.remap(picture, maps[0], maps[1], cv2.INTER_CUBIC), np.uint8)


def _common_rotation(left: View, right: View) -> Array | None:
    """World to rectified camera: x along the base, z between the two optical axes."""
    x = np.array(right.pose.position_m) - np.array(left.pose.position_m)
    x /= max(float(np.linalg.norm(x)), 1e-12)
    z = np.array(left.pose.rotation_cam_from_world[2]) + right.pose.rotation_cam_from_world[2]
    z = z - (z @ x) * x
    length = float(np.linalg.norm(z))
    if length < 0.5:
        return None
    z /= length
    return np.stack([x, np.cross(z, x), z])


def _outline(
    view: View, rotation: Array, heights_m: tuple[float, float]
) -> tuple[Array, tuple[float, float]]:
    """Border of a picture in rectified normalised coordinates, and its nearest and farthest depth.

    Depths are those of the rays through the border and a few inner pixels to both heights.
    """
    across = np.linspace(0, 1, 9)
    u, v = (g.ravel() for g in np.meshgrid(across * view.width_px, across * view.height_px))
    rays = rays_cam(np.stack([u, v], axis=1), view.params)
    world = rays @ np.array(view.pose.rotation_cam_from_world)
    turned = world @ rotation.T
    drop = view.pose.position_m[2] - np.array([heights_m[1], heights_m[0]])
    steep = np.maximum(-world[:, 2], 0.1)
    reach = np.maximum(drop, 1e-3)[None, :] / steep[:, None]
    depths = reach * turned[:, 2:3]
    outline = turned[:, :2] / np.maximum(turned[:, 2:3], 0.05)
    return outline, (float(depths.min()), float(depths.max()))
