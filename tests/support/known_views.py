"""Views without distortion over level ground with a house, and what they see in closed form."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from known_ground import EAST_M, FOCAL_PX, GROUND_M, NORTH_M, WIDTH_PX, waves

from aftermap.model.camera import CameraPose
from aftermap.surface.undistorted import PinholeView

ROWS, COLUMNS = 240, 320
ROOF_M = 9.0
HALF_M = (8.0, 6.0)
"""Half the sides of the house, east and north, around the middle of the ground."""
TEXTURE_M = 1.3


def pinhole(
    at: CameraPose, *, name: str = "view", grey: str = "", rows: int = ROWS, columns: int = COLUMNS
) -> PinholeView:
    """A view with the field of view of :mod:`known_ground`, its centre a little off the middle."""
    focal = FOCAL_PX * columns / WIDTH_PX
    return PinholeView(
        name=name,
        pose=at,
        rows=rows,
        columns=columns,
        grey=grey,
        intrinsics=(focal, focal, columns / 2 + 0.8, rows / 2 - 1.1),
    )


def rays(view: PinholeView) -> np.ndarray:
    """(rows, columns, 3) directions in the world through the pixels, with a z of one."""
    fx, fy, cx, cy = view.intrinsics
    u, v = np.meshgrid(np.arange(view.columns) + 0.5, np.arange(view.rows) + 0.5)
    return np.stack([(u - cx) / fx, (v - cy) / fy, np.ones_like(u)], -1) @ view.rotation


def plane_inverse(view: PinholeView, plane=(0.0, 0.0, 0.0)) -> np.ndarray:
    """(rows, columns) inverse z of a plane: its level over the ground, slopes east and north."""
    level, to_east, to_north = plane
    ray, centre = rays(view), view.centre_m - [EAST_M, NORTH_M, GROUND_M]
    above = centre[2] - level - to_east * centre[0] - to_north * centre[1]
    inverse = (to_east * ray[..., 0] + to_north * ray[..., 1] - ray[..., 2]) / above
    return np.where(inverse > 0, inverse, np.nan)


def house_inverse(view: PinholeView) -> np.ndarray:
    """(rows, columns) inverse z of level ground and a house with a flat roof on it."""
    ray, centre = rays(view), view.centre_m - [EAST_M, NORTH_M, GROUND_M]
    low, high = np.array([-HALF_M[0], -HALF_M[1], 0]), np.array([*HALF_M, ROOF_M])
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (low - centre) / ray, (high - centre) / ray
        enters = np.nanmax(np.minimum(one, two), axis=-1)
        leaves = np.nanmin(np.maximum(one, two), axis=-1)
        on_house = 1 / enters
    met = (enters < leaves) & (enters > 0)
    return np.where(met, on_house, plane_inverse(view))


def places(view: PinholeView, inverse: np.ndarray) -> np.ndarray:
    """(rows, columns, 3) places in the world."""
    return view.centre_m + rays(view) / inverse[..., None]


def brightness(xyz_m: np.ndarray) -> np.ndarray:
    """40 to 200 at places, on walls too."""
    east, north, up = np.moveaxis(xyz_m - [EAST_M, NORTH_M, GROUND_M], -1, 0)
    return waves(east + 0.8 * up, north + 0.6 * up, TEXTURE_M)


def rendered(view: PinholeView, inverse: np.ndarray, noise: float = 0.0, seed: int = 0):
    """(rows, columns) uint8 of what a view shows, 0 where it meets nothing."""
    grey = brightness(places(view, np.where(np.isfinite(inverse), inverse, 1)))
    grey += np.random.default_rng(seed).normal(0, noise, grey.shape)
    grey = np.clip(np.round(grey), 1, 255)
    return np.where(np.isfinite(inverse), grey, 0).astype(np.uint8)


def written(folder: Path, poses: Sequence[CameraPose], inverse_of, noise: float = 0.0):
    """Views of a scene, each with its grey values in a file."""
    views = []
    for number, at in enumerate(poses):
        view = pinhole(at, name=str(number), grey=str(folder / f"grey-{number}.npy"))
        np.save(view.grey, rendered(view, inverse_of(view), noise, number))
        views.append(view)
    return views


def projected(view: PinholeView, xyz_m: np.ndarray) -> np.ndarray:
    """(N, 2) pixels, corner-origin, of (N, 3) places."""
    seen = (xyz_m - view.centre_m) @ view.rotation.T
    fx, fy, cx, cy = view.intrinsics
    return np.stack([fx * seen[:, 0] / seen[:, 2] + cx, fy * seen[:, 1] / seen[:, 2] + cy], 1)
