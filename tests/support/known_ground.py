"""Ground and cameras that are known in closed form, and the pictures that they make of each other.

Brightness is a sum of plane waves over the ground, none shorter than four picture pixels, so that a
picture is computed and never resampled.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.model.camera import (
    Camera,
    CameraPose,
    Frame,
    PlacedFrame,
    Reconstruction,
)
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.raster import Grid

UTM = "EPSG:32637"
EAST_M, NORTH_M, GROUND_M = 500_900.0, 3_978_400.0, 245.0
FLYING_M = 60.0
WIDTH_PX, HEIGHT_PX, FOCAL_PX = 600, 450, 400.0
SAMPLE_M = FLYING_M / FOCAL_PX
LENS = (FOCAL_PX, FOCAL_PX, WIDTH_PX / 2 + 1.6, HEIGHT_PX / 2 - 2.3, -0.02, 0.008, 4e-4, -3e-4)


def camera(params: tuple[float, ...] = LENS) -> Camera:
    return Camera(
        model="OPENCV",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        params=params,
        focal_prior_px=FOCAL_PX,
        focal_prior_source=FocalSource.FOCAL_35MM,
        focal_sigma_px=4.0,
        focal_decision="held",
    )


def pose(east, north, *, up=FLYING_M, yaw=0.0, pitch=-90.0, roll=0.0) -> CameraPose:
    """A pose by metres from the middle of the ground and gimbal angles."""
    rotation = rotation_cam_from_world(yaw, pitch, roll)
    return CameraPose(
        rotation_cam_from_world=tuple(tuple(map(float, row)) for row in rotation),
        position_m=(EAST_M + east, NORTH_M + north, GROUND_M + up),
        covariance_m2=((0.01, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 0.01)),
    )


def placed(at: CameraPose, number: int, path: Path, *, ground_m=(-1.0, 6.0)) -> PlacedFrame:
    frame = Frame(
        sha256=f"{number:064x}",
        name=path.name,
        path=str(path),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        orientation=1,
        camera_key="known",
        focal_px=FOCAL_PX,
        focal_sigma_px=4.0,
        focal_source=FocalSource.FOCAL_35MM,
    )
    return PlacedFrame(
        frame=frame,
        camera=0,
        pose=at,
        reprojection_px=0.3,
        tie_points=500,
        group=0,
        ground_m=(GROUND_M + ground_m[0], GROUND_M + ground_m[1]),
    )


def reconstruction(frames: Sequence[PlacedFrame]) -> Reconstruction:
    return Reconstruction(
        crs=UTM,
        vertical_datum=VerticalDatum.ELLIPSOID,
        cameras=(camera(),),
        placed=tuple(frames),
        skipped=(),
        points="points.npz",
        mapped_group=0,
        group_sizes=(len(frames),),
        reprojection_px=0.3,
    )


def with_tie_points(
    made: Reconstruction, path: Path, plane: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Reconstruction:
    """The reconstruction with tie points on a plane, every two metres, in the file ``path``."""
    east, north = (g.ravel() for g in np.meshgrid(np.arange(-60, 61, 2.0), np.arange(-60, 61, 2.0)))
    east, north = east + EAST_M, north + NORTH_M
    xyz = np.column_stack([east, north, plane_height_m(east, north, plane)])
    frame_index, point_index = [], []
    for number, one in enumerate(made.placed):
        px = pixels_of(one.pose, xyz)
        seen = np.flatnonzero(((px > 0) & (px < [WIDTH_PX, HEIGHT_PX])).all(axis=1))
        frame_index.append(np.full(len(seen), number, np.int32))
        point_index.append(seen.astype(np.int32))
    np.savez(
        path,
        xyz_m=xyz,
        frame_index=np.concatenate(frame_index),
        point_index=np.concatenate(point_index),
    )
    return replace(made, points=str(path))


def grid(columns: int, rows: int, cell_m: float = 0.5) -> Grid:
    """A grid around the middle of the ground."""
    return Grid(
        crs=UTM,
        east_m=EAST_M - columns * cell_m / 2,
        north_m=NORTH_M + rows * cell_m / 2,
        cell_m=cell_m,
        columns=columns,
        rows=rows,
    )


def waves(x: np.ndarray, y: np.ndarray, shortest: float, seed: int = 1) -> np.ndarray:
    """Brightness 40 to 200 at places; ``shortest`` is the shortest wavelength."""
    rng = np.random.default_rng(seed)
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    count = 24
    for _ in range(count):
        length = shortest * np.exp(rng.uniform(0, 2.2))
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        k = 2 * np.pi / length
        total += np.sin(k * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return np.clip(120 + 22 * total / np.sqrt(count / 2), 40, 200)


def ground_brightness(east_m: np.ndarray, north_m: np.ndarray) -> np.ndarray:
    """Brightness of the ground at absolute places."""
    return waves(east_m - EAST_M, north_m - NORTH_M, 4.5 * SAMPLE_M)


def plane_height_m(east_m, north_m, plane=(0.0, 0.0, 0.0)):
    """Height of the ground: its level, and its slopes to the east and to the north."""
    level, to_east, to_north = plane
    return GROUND_M + level + to_east * (east_m - EAST_M) + to_north * (north_m - NORTH_M)


def picture(at: CameraPose, *, plane=(0.0, 0.0, 0.0), gain: float = 1.0) -> np.ndarray:
    """(rows, columns) uint8 of the plane as a camera sees it."""
    u, v = np.meshgrid(np.arange(WIDTH_PX) + 0.5, np.arange(HEIGHT_PX) + 0.5)
    rays = rays_cam(np.stack([u.ravel(), v.ravel()], 1), LENS) @ np.array(
        at.rotation_cam_from_world
    )
    centre = np.array(at.position_m)
    _, to_east, to_north = plane
    above = centre[2] - plane_height_m(centre[0], centre[1], plane)
    reach = above / (to_east * rays[:, 0] + to_north * rays[:, 1] - rays[:, 2])
    spot = centre + rays * reach[:, None]
    light = gain * ground_brightness(spot[:, 0], spot[:, 1]).reshape(HEIGHT_PX, WIDTH_PX)
    return np.clip(np.round(light), 0, 255).astype(np.uint8)


def write_picture(path: Path, grey: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), cv2.merge([grey, grey, grey]))
    return path


def pixels_of(at: CameraPose, xyz_m: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of (N, 3) places."""
    return projected_px(
        (xyz_m - np.array(at.position_m)) @ np.array(at.rotation_cam_from_world).T, LENS
    )
