"""Where the photographs are taken from: flight lines, straight down or looking in from four sides.

Positions are local metres (east, north, up); angles are a DJI gimbal's.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from aftermap.geo.arrays import Array
from aftermap.geo.axes import gimbal_angles_deg, rotation_cam_from_world
from aftermap.geo.lens import rays_cam
from aftermap_twin.options import Flight, TwinOptions

HEADING_DEG = 11.0
OBLIQUE_PITCH_DEG = -55.0
INTERVAL_S = 2.5
"""Between photographs."""
FARTHEST_HEIGHTS = 2.6
"""Ground beyond this many flying heights is not mapped from an oblique picture."""


@dataclass(frozen=True, kw_only=True)
class Station:
    """One photograph: its true pose, what its gimbal believed, and when (s after the first).

    The pose is that of the middle row; around it the camera moves at ``velocity_m_s`` and turns at
    ``turning_rad_s`` about its own axes.
    """

    name: str
    position_m: tuple[float, float, float]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    reported_deg: tuple[float, float, float]
    time_s: float
    velocity_m_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turning_rad_s: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def rotation_cam_from_world(self) -> Array:
        """(3, 3) rotation from east, north, up to right, down, forward."""
        return rotation_cam_from_world(self.yaw_deg, self.pitch_deg, self.roll_deg)

    def pose_after(self, later_s: float) -> tuple[Array, Array]:
        """(3, 3) cam_from_world and (3,) position so long after the middle row was exposed."""
        turn = Rotation.from_rotvec(later_s * np.array(self.turning_rad_s)).as_matrix()
        place = np.array(self.position_m) + later_s * np.array(self.velocity_m_s)
        return turn @ self.rotation_cam_from_world, place


class _Aim(NamedTuple):
    """Where a photograph is meant to be taken, and the (2,) velocity there, in metres a second."""

    east: float
    north: float
    yaw: float
    pitch: float
    velocity: Array


def height_above_ground_m(options: TwinOptions) -> float:
    """Flying height that gives the asked pixel size on level ground."""
    return options.ground_sample_m * options.focal_px


def stations_of(options: TwinOptions) -> tuple[Station, ...]:
    """Every photograph of the flight, in the order taken."""
    rng = np.random.default_rng([options.seed, 11])
    passes: list[tuple[int, float, float]] = []
    nadir = {Flight.NADIR: options.photos, Flight.OBLIQUE: 0, Flight.MIXED: options.photos * 3 // 5}
    if nadir[options.flight]:
        passes.append((nadir[options.flight], HEADING_DEG, -90.0))
    left = options.photos - nadir[options.flight]
    if left:
        passes += [
            (max(1, left // 4), HEADING_DEG + turn, OBLIQUE_PITCH_DEG) for turn in (0, 90, 180, 270)
        ]
    size = _area_m(options)
    poses = [pose for each in passes for pose in _pass(options, *each, size)]
    return tuple(_jittered(options, rng, number, pose) for number, pose in enumerate(poses))


def _spacing_m(options: TwinOptions) -> tuple[float, float]:
    """Between photographs along a line, and between lines."""
    return (
        options.height_px * options.ground_sample_m * (1 - options.forward_overlap),
        options.width_px * options.ground_sample_m * (1 - options.side_overlap),
    )


def _counts(options: TwinOptions, photos: int) -> tuple[int, int]:
    """Photographs per line and lines: near the asked number, over an area not too long."""
    forward, side = _spacing_m(options)

    def cost(per_line: int, lines: int) -> float:
        length = per_line * forward + options.height_px * options.ground_sample_m
        width = lines * side + options.width_px * options.ground_sample_m
        return 20 * abs(per_line * lines - photos) / photos + math.log(length / width) ** 2

    candidates = [(p, n) for p in range(1, photos + 1) for n in range(1, photos // p + 2)]
    return min(candidates, key=lambda pair: (cost(*pair), pair))


def _area_m(options: TwinOptions) -> tuple[float, float]:
    """Length and width that the stations of the flight spread over."""
    share = {Flight.NADIR: 1.0, Flight.OBLIQUE: 0.4, Flight.MIXED: 0.6}[options.flight]
    per_line, lines = _counts(options, max(1, round(options.photos * share)))
    forward, side = _spacing_m(options)
    return (per_line - 1) * forward, (lines - 1) * side


def _pass(
    options: TwinOptions, photos: int, yaw: float, pitch: float, area: tuple[float, float]
) -> list[_Aim]:
    """One lawn-mower pass over the area."""
    per_line, lines = _counts(options, photos)
    nadir = pitch == -90.0
    back = 0.0 if nadir else height_above_ground_m(options) / math.tan(math.radians(-pitch))
    across = abs(math.sin(math.radians(yaw - HEADING_DEG))) > 0.5
    length, width = area[::-1] if across else area
    heading = math.radians(yaw)
    forward = np.array([math.sin(heading), math.cos(heading)])
    right = np.array([math.cos(heading), -math.sin(heading)])
    poses: list[_Aim] = []
    for line in range(lines):
        order = range(per_line) if line % 2 == 0 else range(per_line - 1, -1, -1)
        speed = order.step * length / max(1, per_line - 1) * (per_line > 1) / INTERVAL_S
        for place in order:
            along = (place / max(1, per_line - 1) - 0.5) * length * (per_line > 1) - back
            aside = (line / max(1, lines - 1) - 0.5) * width * (lines > 1)
            east, north = forward * along + right * aside
            turned = 180.0 if nadir and line % 2 else 0.0
            poses.append(
                _Aim(float(east), float(north), (yaw + turned) % 360, pitch, speed * forward)
            )
    return poses


def _jittered(
    options: TwinOptions,
    rng: np.random.Generator,
    number: int,
    pose: _Aim,
) -> Station:
    east, north, yaw, pitch, velocity = pose
    wander = rng.normal(0, [0.6, 0.6, options.height_sigma_m])
    turn = rng.normal(0, options.tilt_sigma_deg, 3) * [1.5, 1, 1]
    height = height_above_ground_m(options) * (1.0 if pitch == -90.0 else 0.9)
    tilted = _tilt(turn[1], turn[2]) @ rotation_cam_from_world(yaw + turn[0], pitch, 0)
    yaw_deg, pitch_deg, roll_deg = gimbal_angles_deg(tilted)
    believed = (yaw + rng.normal(0, 0.8), pitch + abs(rng.normal(0, 0.08)), rng.normal(0, 0.05))
    return Station(
        name=f"DJI_{number + 1:04d}.JPG",
        position_m=(float(east + wander[0]), float(north + wander[1]), float(height + wander[2])),
        yaw_deg=yaw_deg % 360,
        pitch_deg=pitch_deg,
        roll_deg=roll_deg,
        reported_deg=(believed[0], believed[1], float(believed[2])),
        time_s=number * INTERVAL_S,
        velocity_m_s=(float(velocity[0]), float(velocity[1]), 0.0),
    )


def _tilt(about_x_deg: float, about_y_deg: float) -> Array:
    """(3, 3) small turn of the camera about its own x, then y."""
    a, b = np.radians([about_x_deg, about_y_deg])
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return np.asarray(turn_y @ turn_x, float)


def plane_footprint_m(options: TwinOptions, station: Station, ground_m: float = 0.0) -> Array:
    """(M, 2) east, north outline of what a photograph shows of a plane at ``ground_m``.

    Rays that meet the plane beyond ``FARTHEST_HEIGHTS`` flying heights, or never, end there.
    """
    w, h = options.width_px, options.height_px
    steps = np.linspace(0, 1, 9)[:-1]
    edge = np.concatenate(
        [
            np.stack([steps * w, 0 * steps], 1),
            np.stack([0 * steps + w, steps * h], 1),
            np.stack([(1 - steps) * w, 0 * steps + h], 1),
            np.stack([0 * steps, (1 - steps) * h], 1),
        ]
    )
    rays = rays_cam(edge, options.params) @ station.rotation_cam_from_world
    height = station.position_m[2] - ground_m
    flat = np.linalg.norm(rays[:, :2], axis=1)
    falls = np.maximum(-rays[:, 2], 1e-6)
    reach = np.minimum(height / falls * flat, FARTHEST_HEIGHTS * height)
    unit = rays[:, :2] / np.maximum(flat, 1e-9)[:, None]
    return np.asarray(np.array(station.position_m[:2]) + unit * reach[:, None], float)
