"""True poses to what a drone writes of them: a DJI sidecar (SRT) and MISB ST 0601 sets (KLV).

The noise of positions is white at 1 Hz fixes and the same for every rate that is written: between
fixes it is blended, or held, so that ten samples a second hold no more information than one does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap_twin.clip_options import ClipOptions
from aftermap_twin.clip_paths import FlightPath, station_at
from aftermap_twin.options import CRS, ORIGIN_M

STARTED = datetime(2025, 4, 12, 13, 40, 0, tzinfo=UTC)
FULL_FRAME_WIDTH_MM = 36.0
UNDULATION_M = 23.94
"""Ellipsoid minus EGM96 geoid at Raqqa, for ST 0601's height above mean sea level."""
UNIVERSAL_LABEL = bytes.fromhex("060E2B34020B01010E01030101000000")
"""Of the UAS Datalink Local Set (MISB ST 0601)."""


@dataclass(frozen=True, kw_only=True)
class SidecarSample:
    """What was written at a time of the sidecar's clock; heights carry noise and offset.

    ``height_m`` is what the sidecar calls absolute; ``relative_height_m`` is above take-off.
    """

    time_s: float
    lonlat_deg: tuple[float, float]
    height_m: float
    relative_height_m: float
    gimbal_deg: tuple[float, float, float]


def sidecar_samples(
    path: FlightPath, times_s: Sequence[float], rate_hz: int, options: ClipOptions, seed: int
) -> tuple[SidecarSample, ...]:
    """What is written at ``times_s`` of the sidecar's clock, positions renewed ``rate_hz`` times.

    The sample at time t tells of the picture at t + ``options.time_offset_s``. Angles are renewed
    with every sample, as drones do.
    """
    fixed = [math.floor(t * rate_hz + 1e-9) / rate_hz for t in times_s]
    noise = _noise_m(np.array(fixed), options.position_sigma_m, seed)
    there = [station_at(path, t + options.time_offset_s).position_m for t in fixed]
    places = np.array(there) + ORIGIN_M + noise
    lonlat = transformed_xy(CRS, WGS84, places[:, :2])
    samples = []
    for k, time_s in enumerate(times_s):
        pose = station_at(path, time_s + options.time_offset_s)
        yaw = (pose.yaw_deg + options.yaw_bias_deg + 180) % 360 - 180
        samples.append(
            SidecarSample(
                time_s=time_s,
                lonlat_deg=(float(lonlat[k, 0]), float(lonlat[k, 1])),
                height_m=float(places[k, 2]) + options.height_offset_m,
                relative_height_m=float(places[k, 2]) - ORIGIN_M[2],
                gimbal_deg=(yaw, pose.pitch_deg, pose.roll_deg),
            )
        )
    return tuple(samples)


def _noise_m(times_s: Array, sigma_m: float, seed: int) -> Array:
    """(N, 3) noise: independent at whole seconds, blended between so that its size stays."""
    rng = np.random.default_rng([seed, 91])
    fixes = rng.normal(0, sigma_m, (int(times_s.max()) + 2, 3))
    before = np.floor(times_s + 1e-9).astype(int)
    quarter = (times_s - before)[:, None] * math.pi / 2
    return np.asarray(fixes[before] * np.cos(quarter) + fixes[before + 1] * np.sin(quarter), float)


def srt_text(samples: Sequence[SidecarSample], frame_s: float, focal_35mm: float) -> str:
    """A sidecar in the dialect of DJI's newer drones, one block every ``frame_s``."""
    return "\n".join(_srt_block(k, sample, frame_s, focal_35mm) for k, sample in enumerate(samples))


def _srt_block(number: int, sample: SidecarSample, frame_s: float, focal_35mm: float) -> str:
    lon, lat = sample.lonlat_deg
    yaw, pitch, roll = sample.gimbal_deg
    wall = STARTED + timedelta(seconds=sample.time_s)
    return (
        f"{number + 1}\n{_clock(sample.time_s)} --> {_clock(sample.time_s + frame_s)}\n"
        f'<font size="28">FrameCnt: {number + 1}, DiffTime: {round(frame_s * 1000)}ms\n'
        f"{wall:%Y-%m-%d %H:%M:%S}.{wall.microsecond // 1000:03d}\n"
        f"[iso: 100] [shutter: 1/1000.0] [fnum: 2.8] [ev: 0] [color_md: default] "
        f"[focal_len: {focal_35mm:.2f}] [latitude: {lat:.7f}] [longitude: {lon:.7f}] "
        f"[rel_alt: {sample.relative_height_m:.3f} abs_alt: {sample.height_m:.3f}] [ct: 5300] "
        f"[gb_yaw: {yaw:.1f} gb_pitch: {pitch:.1f} gb_roll: {roll:.1f}] </font>\n"
    )


def _clock(time_s: float) -> str:
    # Whole milliseconds, rounded down, as DJI writes them.
    whole = math.floor(time_s * 1000 + 1e-6)
    return (
        f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d},"
        f"{whole % 1000:03d}"
    )


def klv_set(sample: SidecarSample, hfov_deg: float, vfov_deg: float) -> bytes:
    """One ST 0601 local set with its checksum (tag 1): a level platform that heads north.

    Sensor angles (tags 18 to 20) are relative to the platform, so they are the gimbal's own here.
    """
    lon, lat = sample.lonlat_deg
    yaw, pitch, roll = sample.gimbal_deg
    wall = STARTED + timedelta(seconds=sample.time_s)
    microseconds = round(wall.timestamp() * 1e6)
    items = (
        (2, microseconds.to_bytes(8, "big")),
        (3, b"PRACTICE"),
        (5, _unsigned(0.0, 0, 360, 2)),
        (6, _signed(0.0, 20, 2)),
        (7, _signed(0.0, 50, 2)),
        (10, b"SYNTHETIC"),
        (13, _signed(lat, 90, 4)),
        (14, _signed(lon, 180, 4)),
        (15, _unsigned(sample.height_m - UNDULATION_M, -900, 19000, 2)),
        (16, _unsigned(hfov_deg, 0, 180, 2)),
        (17, _unsigned(vfov_deg, 0, 180, 2)),
        (18, _unsigned(yaw % 360, 0, 360, 4)),
        (19, _signed(pitch, 180, 4)),
        (20, _unsigned(roll % 360, 0, 360, 4)),
        (65, bytes([13])),
        (75, _unsigned(sample.height_m, -900, 19000, 2)),
    )
    body = b"".join(bytes([tag, len(value)]) + value for tag, value in items)
    length = len(body) + 4
    head = UNIVERSAL_LABEL + (bytes([length]) if length < 128 else bytes([0x81, length]))
    checked = head + body + bytes([1, 2])
    return checked + _checksum(checked).to_bytes(2, "big")


def _checksum(data: bytes) -> int:
    """Sum of 16-bit words, big-endian (ST 0601, tag 1)."""
    return sum(byte << (8 * ((k + 1) % 2)) for k, byte in enumerate(data)) & 0xFFFF


def _unsigned(value: float, low: float, high: float, size: int) -> bytes:
    top = (1 << 8 * size) - 1
    return round((value - low) / (high - low) * top).to_bytes(size, "big")


def _signed(value: float, limit: float, size: int) -> bytes:
    top = (1 << 8 * size - 1) - 1
    return round(value / limit * top).to_bytes(size, "big", signed=True)
