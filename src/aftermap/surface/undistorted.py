"""A placed picture -> grey values of a pinhole camera at the scale of matching, in a file.

Lens distortion is removed once, so that planes swept through the scene are homographies. A value
of 0 means that there is no picture: beyond its border, or under its mask (a caption, smoke, sky).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import Array, ByteArray
from aftermap.geo.masks import mask_at_size, read_mask
from aftermap.imaging.grey import read_grey
from aftermap.model.camera import Camera, CameraPose, PlacedFrame
from aftermap.surface.saving import save_whole

MASKED_PX = 2
"""How far a mask is widened: what lies over the scene has a soft edge."""


@dataclass(frozen=True, kw_only=True)
class PinholeView:
    """A placed picture without distortion at the scale of matching.

    ``intrinsics`` is fx, fy, cx, cy in its own pixels, counted from the outer corner; ``grey`` the
    .npy of its (rows, columns) uint8 values, 0 where there is no picture.
    """

    name: str
    pose: CameraPose
    intrinsics: tuple[float, float, float, float]
    rows: int
    columns: int
    grey: str

    @property
    def rotation(self) -> Array:
        """(3, 3) rotation cam_from_world."""
        return np.array(self.pose.rotation_cam_from_world)

    @property
    def centre_m(self) -> Array:
        """(3,) projection centre in the world."""
        return np.array(self.pose.position_m)

    @property
    def calibration(self) -> Array:
        """(3, 3) pixels from camera axes."""
        fx, fy, cx, cy = self.intrinsics
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])

    def read(self) -> ByteArray:
        """(rows, columns) grey values."""
        return np.asarray(np.load(self.grey), np.uint8)


@dataclass(frozen=True, kw_only=True)
class UndistortTask:
    """One picture to be written as ``view`` describes it."""

    view: PinholeView
    camera: Camera
    path: str
    mask: str | None


def view_of(placed: PlacedFrame, camera: Camera, side_px: float, grey: Path) -> PinholeView:
    """The picture of a camera scaled down to a longest side of ``side_px``; never enlarged."""
    scale = min(1.0, side_px / max(camera.width_px, camera.height_px))
    columns, rows = round(camera.width_px * scale), round(camera.height_px * scale)
    sx, sy = columns / camera.width_px, rows / camera.height_px
    fx, fy, cx, cy = camera.params[:4]
    return PinholeView(
        name=placed.frame.name,
        pose=placed.pose,
        rows=rows,
        columns=columns,
        grey=str(grey),
        intrinsics=(fx * sx, fy * sy, cx * sx, cy * sy),
    )


def undistort(task: UndistortTask) -> None:
    """Write the grey values of a view.

    Raises SurfaceError where the picture cannot be read, InputError where its mask cannot.
    """
    target = Path(task.view.grey)
    if target.exists():
        return
    grey = read_grey(task.path)
    if grey is None:
        raise SurfaceError(f"{task.path}: can no longer be read; run again with --fresh")
    shown = np.full(grey.shape, 255, np.uint8)
    if task.mask is not None:
        shown = _mask_over(read_mask(task.mask), grey.shape)
    save_whole(target, _resampled(grey, shown, task.view, task.camera))


def _mask_over(mask: ByteArray, shape: tuple[int, ...]) -> ByteArray:
    """255 where nothing lies over the scene."""
    whole = mask_at_size(mask, shape)
    kernel = np.ones((2 * MASKED_PX + 1, 2 * MASKED_PX + 1), np.uint8)
    return np.where(cv2.erode(whole, kernel) > 0, 255, 0).astype(np.uint8)


def _resampled(
    picture: ByteArray, shown: ByteArray, view: PinholeView, camera: Camera
) -> ByteArray:
    size = view.columns, view.rows
    if size != (picture.shape[1], picture.shape[0]):
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)
    fx, fy, cx, cy = view.intrinsics
    calibration = np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])
    distortion = np.array(camera.params[4:8])
    maps = cv2.initUndistortRectifyMap(
        calibration, distortion, np.eye(3), calibration, size, cv2.CV_32FC1
    )
    grey = np.asarray(cv2.remap(picture, maps[0], maps[1], cv2.INTER_CUBIC), np.uint8)
    known = cv2.remap(shown, maps[0], maps[1], cv2.INTER_LINEAR, borderValue=(0,))
    return np.where(known == 255, np.maximum(grey, 1), 0).astype(np.uint8)
