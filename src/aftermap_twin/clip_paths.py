"""Where the camera is in the twin's clips: smooth paths whose speed, turn and tilt all change.

A path at constant speed along a line or circle would not do: there a time offset cannot be told
from a shift along the track, nor a yaw bias from one across. Local metres; a DJI gimbal's angles.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from aftermap_twin.flight import Station

SURGE_FRACTION = 0.7
"""Speed swings by this share about its mean, twice in a path."""
WOBBLE_DEG = 0.15


@dataclass(frozen=True, kw_only=True)
class FlightPath:
    """A flight as places to pass: (K, 3) camera positions, (K, 2) ground looked at, (K,) pitch.

    ``targets_m`` give the yaw only; the tilt is ``pitch_deg``.
    """

    positions_m: tuple[tuple[float, float, float], ...]
    targets_m: tuple[tuple[float, float], ...]
    pitch_deg: tuple[float, ...]
    seconds: float


BESIDE_S = 0.01
"""Half the time over which a velocity is taken."""


def station_at(path: FlightPath, time_s: float, name: str = "") -> Station:
    """The true pose at a time of the path, and its velocity; beyond its ends the path goes on."""
    before, after = (_still_at(path, time_s + one, name) for one in (-BESIDE_S, BESIDE_S))
    moved = np.array(after.position_m) - before.position_m
    turned = Rotation.from_matrix(
        after.rotation_cam_from_world @ before.rotation_cam_from_world.T
    ).as_rotvec()
    east, north, up = (float(v) for v in moved / (2 * BESIDE_S))
    x, y, z = (float(v) for v in turned / (2 * BESIDE_S))
    return replace(
        _still_at(path, time_s, name), velocity_m_s=(east, north, up), turning_rad_s=(x, y, z)
    )


def _still_at(path: FlightPath, time_s: float, name: str) -> Station:
    share = time_s / path.seconds
    way = share + SURGE_FRACTION * math.sin(4 * math.pi * share) / (4 * math.pi)
    knots = np.linspace(0, 1, len(path.positions_m))
    x, y, z = (float(v) for v in CubicSpline(knots, np.array(path.positions_m))(way))
    target = CubicSpline(knots, np.array(path.targets_m))(way)
    pitch = float(CubicSpline(knots, np.array(path.pitch_deg))(way))
    yaw = math.degrees(math.atan2(target[0] - x, target[1] - y))
    wobble = [WOBBLE_DEG * math.sin(time_s * rate + rate) for rate in (2.1, 3.3, 1.7)]
    angles = ((yaw + wobble[0]) % 360, pitch + wobble[1], wobble[2])
    return Station(
        name=name,
        position_m=(x, y, z),
        yaw_deg=angles[0],
        pitch_deg=angles[1],
        roll_deg=angles[2],
        reported_deg=angles,
        time_s=time_s,
    )


def frame_stations(path: FlightPath, fps: Fraction, frames: int) -> tuple[Station, ...]:
    """The true poses of the first pictures of a clip."""
    return tuple(station_at(path, float(number / fps), f"{number}") for number in range(frames))


def fitted(path: FlightPath, half_m: tuple[float, float], seconds: float) -> FlightPath:
    """The path drawn for the default district, shrunk to one of another half size and length.

    Heights and tilts stay, so that roofs are cleared anywhere.
    """
    x, y = (min(1.0, half / drawn) for half, drawn in zip(half_m, (210.0, 166.0), strict=True))
    return FlightPath(
        positions_m=tuple((p[0] * x, p[1] * y, p[2]) for p in path.positions_m),
        targets_m=tuple((t[0] * x, t[1] * y) for t in path.targets_m),
        pitch_deg=path.pitch_deg,
        seconds=seconds,
    )


DRONE = FlightPath(
    positions_m=(
        (-110, -120, 68),
        (-60, -135, 74),
        (0, -110, 70),
        (50, -125, 82),
        (105, -80, 76),
        (115, -10, 66),
        (92, 45, 72),
    ),
    targets_m=((-60, -40), (-35, -50), (10, -30), (40, -40), (40, -10), (30, 20), (10, 45)),
    pitch_deg=(-42, -38, -47, -53, -45, -38, -50),
    seconds=40,
)

STREAM = FlightPath(
    positions_m=((-90, -40, 95), (-50, -25, 98), (-15, -30, 94), (30, 0, 97), (75, 10, 95)),
    targets_m=((-60, 10), (-20, 20), (15, 15), (60, 45), (105, 50)),
    pitch_deg=(-84, -81, -86, -82, -85),
    seconds=10,
)

FORWARD = FlightPath(
    positions_m=(
        (-165, -30, 36),
        (-120, -24, 37),
        (-75, -22, 36),
        (-35, -12, 37),
        (5, -6, 38),
        (40, -8, 37),
    ),
    targets_m=((-60, -8), (-20, -10), (30, -12), (70, 0), (110, 4), (145, -10)),
    pitch_deg=(-14, -12, -15, -13, -16, -12),
    seconds=24,
)
"""Low and ahead with the horizon in view; in none of the three clips, but for benchmarks."""


@dataclass(frozen=True, kw_only=True)
class NewsShot:
    """A shot of the news piece: its path, its lens, and how it begins."""

    path: FlightPath
    hfov_deg: float
    begins: str
    is_hard: bool


NEWS = (
    NewsShot(
        path=FlightPath(
            positions_m=((-100, -70, 62), (-75, -85, 65), (-45, -90, 68)),
            targets_m=((-60, 0), (-40, -15), (-10, -20)),
            pitch_deg=(-45, -50, -48),
            seconds=4.0,
        ),
        hfov_deg=66,
        begins="start",
        is_hard=False,
    ),
    NewsShot(
        path=FlightPath(
            positions_m=((110, 60, 92), (85, 72, 88), (62, 65, 84)),
            targets_m=((80, 30), (55, 45), (30, 40)),
            pitch_deg=(-66, -70, -64),
            seconds=4.0,
        ),
        hfov_deg=50,
        begins="cut",
        is_hard=False,
    ),
    NewsShot(
        path=FlightPath(
            positions_m=((-20, 110, 60), (15, 100, 58), (45, 85, 63)),
            targets_m=((-10, 20), (5, 20), (0, 10)),
            pitch_deg=(-36, -40, -38),
            seconds=4.4,
        ),
        hfov_deg=73.7398,
        begins="fade through black",
        is_hard=False,
    ),
    NewsShot(
        path=FlightPath(
            positions_m=((-190, -150, 72), (-180, -160, 74), (-165, -165, 72)),
            targets_m=((-10, 10), (10, 0), (30, 10)),
            pitch_deg=(-20, -19, -21),
            seconds=4.0,
        ),
        hfov_deg=42,
        begins="cut",
        is_hard=True,
    ),
)
