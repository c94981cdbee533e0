"""A track of samples -> where the camera was at other times.

Arrays in, arrays out. Between two samples a value is interpolated only where the gap is short
enough to be honest; elsewhere it is NaN. Angles turn the short way round.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array
from aftermap.model.telemetry import TelemetrySample, Track

LONGEST_GAP_S = 3.0
"""A drone at 15 m/s that turns in between is within some 10 m of the chord of three seconds."""


@dataclass(frozen=True, kw_only=True)
class TrackArrays:
    """The samples of a track as arrays, NaN where a value was not recorded.

    ``lonlat_deg`` is (N, 2), ``angles_deg`` (N, 3) yaw, pitch, roll; the others are (N,).
    """

    time_s: Array
    lonlat_deg: Array
    height_m: Array
    relative_height_m: Array
    angles_deg: Array
    hfov_deg: Array


def arrays_of(track: Track) -> TrackArrays:
    """The samples in the order of their times."""
    samples = sorted(track.samples, key=lambda sample: sample.time_s)
    return TrackArrays(
        time_s=np.array([float(sample.time_s) for sample in samples]),
        lonlat_deg=np.array(
            [sample.lonlat_deg or (np.nan, np.nan) for sample in samples], float
        ).reshape(-1, 2),
        height_m=_column([sample.height_m for sample in samples]),
        relative_height_m=_column([sample.relative_height_m for sample in samples]),
        angles_deg=np.array([_angles(sample) for sample in samples], float).reshape(-1, 3),
        hfov_deg=_column([sample.hfov_deg for sample in samples]),
    )


def at_times(
    track: Track, time_s: npt.ArrayLike, *, longest_gap_s: float = LONGEST_GAP_S
) -> TrackArrays:
    """The track at these times of its own clock.

    Each kind of value is interpolated between its own neighbours, so that a missing position does
    not cost an angle. Before the first and after the last there is nothing.
    """
    known, times = arrays_of(track), np.asarray(time_s, float).reshape(-1)
    gap_s = longest_gap_s
    return TrackArrays(
        time_s=times,
        lonlat_deg=np.stack(
            [
                interpolated_deg(known.time_s, known.lonlat_deg[:, 0], times, gap_s),
                interpolated(known.time_s, known.lonlat_deg[:, 1], times, gap_s),
            ],
            axis=1,
        ),
        height_m=interpolated(known.time_s, known.height_m, times, gap_s),
        relative_height_m=interpolated(known.time_s, known.relative_height_m, times, gap_s),
        angles_deg=np.stack(
            [interpolated_deg(known.time_s, angle, times, gap_s) for angle in known.angles_deg.T],
            axis=1,
        ),
        hfov_deg=interpolated(known.time_s, known.hfov_deg, times, gap_s),
    )


def interpolated(
    known_s: npt.ArrayLike,
    values: npt.ArrayLike,
    wanted_s: npt.ArrayLike,
    longest_gap_s: float = LONGEST_GAP_S,
) -> Array:
    """(M,) values between samples; NaN outside of them and in gaps that are too long.

    ``known_s`` must not fall. A time that was sampled has its sample's value, however far the next.
    """
    times, held = np.asarray(known_s, float), np.asarray(values, float)
    wanted = np.asarray(wanted_s, float).reshape(-1)
    there = np.isfinite(held)
    times, held = times[there], held[there]
    times, first = np.unique(times, return_index=True)
    held = held[first]
    if not times.size:
        return np.full(wanted.shape, np.nan)
    after = np.clip(np.searchsorted(times, wanted, side="left"), 0, times.size - 1)
    before = np.where(times[after] == wanted, after, np.maximum(after - 1, 0))
    gap_s = times[after] - times[before]
    is_inside = (wanted >= times[0]) & (wanted <= times[-1]) & (gap_s <= longest_gap_s)
    share = np.divide(wanted - times[before], gap_s, out=np.zeros(wanted.shape), where=gap_s > 0)
    between = held[before] + share * (held[after] - held[before])
    return np.asarray(np.where(is_inside, between, np.nan), float)


def interpolated_deg(
    known_s: npt.ArrayLike,
    angles_deg: npt.ArrayLike,
    wanted_s: npt.ArrayLike,
    longest_gap_s: float = LONGEST_GAP_S,
) -> Array:
    """(M,) angles from -180 to 180 between samples, turned the short way round."""
    angles = np.asarray(angles_deg, float)
    there = np.isfinite(angles)
    unwrapped = np.full(angles.shape, np.nan)
    unwrapped[there] = np.unwrap(angles[there], period=360.0)
    turned = interpolated(known_s, unwrapped, wanted_s, longest_gap_s)
    return np.asarray((turned + 180.0) % 360.0 - 180.0, float)


def gaps_s(
    track: Track, *, longest_gap_s: float = LONGEST_GAP_S
) -> tuple[tuple[float, float], ...]:
    """Begin and end of each stretch between two positions that is too long to interpolate in."""
    times = np.array(sorted(float(s.time_s) for s in track.samples if s.lonlat_deg))
    long = np.flatnonzero(np.diff(times) > longest_gap_s)
    return tuple((float(times[k]), float(times[k + 1])) for k in long)


def _column(values: list[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], float)


def _angles(sample: TelemetrySample) -> tuple[float, float, float]:
    turned = sample.attitude
    if turned is None:
        return np.nan, np.nan, np.nan
    roll_deg = np.nan if turned.roll_deg is None else turned.roll_deg
    return turned.yaw_deg, turned.pitch_deg, roll_deg
