"""Two records of one flight -> the offset between their clocks.

The telemetry's positions are compared with those of the same camera found from its pictures. An
offset moves the camera along its path, and so does a shift of the whole path: only where the
velocity changes can the two be told apart. The shift is therefore solved along with the offset, and
an offset that the path does not determine is given without a sigma.
"""

import numpy as np
import numpy.typing as npt

from aftermap.geo.track import LONGEST_GAP_S, interpolated

Array = npt.NDArray[np.float64]

STEP_S = 0.1
NEWTON_STEPS = 4
LEAST_SAMPLES = 8
LEAST_SHARE = 0.5
UNDETERMINED_SIGMA_S = 1.0
"""An offset less certain than this moves a drone by more than its receiver errs."""


def time_offset(
    track_s: npt.ArrayLike,
    track_m: npt.ArrayLike,
    path_s: npt.ArrayLike,
    path_m: npt.ArrayLike,
    *,
    search_s: tuple[float, float] = (-10.0, 10.0),
    longest_gap_s: float = LONGEST_GAP_S,
) -> tuple[float, float | None]:
    """Seconds to add to the track's clock to get the path's, and their standard deviation.

    ``track_m`` and ``path_m`` are (N, 3) and (M, 3) metres of one scale and orientation; a constant
    shift between them is allowed. The sigma is None where the offset is not determined: a hover, a
    straight flight at one speed, too short an overlap, or a best value at the end of the search.
    """
    times, track = np.asarray(track_s, float), np.asarray(track_m, float).reshape(-1, 3)
    clock, path = np.asarray(path_s, float), np.asarray(path_m, float).reshape(-1, 3)
    offsets = np.arange(search_s[0], search_s[1] + STEP_S / 2, STEP_S)
    least = max(LEAST_SAMPLES, int(LEAST_SHARE * len(times)))
    costs = np.array([_cost(times + o, track, clock, path, least, longest_gap_s) for o in offsets])
    if not np.isfinite(costs).any():
        return 0.0, None
    best = int(np.nanargmin(costs))
    offset_s = float(offsets[best])
    if best in (0, len(offsets) - 1):
        return offset_s, None
    sigma_s: float | None = None
    for _ in range(NEWTON_STEPS):
        step_s, sigma_s = _newton(times + offset_s, track, clock, path, longest_gap_s)
        if sigma_s is None or abs(step_s) > 5 * STEP_S:
            return offset_s, None
        offset_s += step_s
    is_known = sigma_s is not None and sigma_s <= UNDETERMINED_SIGMA_S
    return offset_s, sigma_s if is_known else None


def _at(clock: Array, path: Array, times: Array, gap_s: float) -> Array:
    return np.stack([interpolated(clock, axis, times, gap_s) for axis in path.T], axis=1)


def _cost(times: Array, track: Array, clock: Array, path: Array, least: int, gap_s: float) -> float:
    """Mean square distance once the mean shift is taken off; NaN where too little overlaps."""
    away = track - _at(clock, path, times, gap_s)
    there = np.isfinite(away).all(axis=1)
    if there.sum() < least:
        return float("nan")
    return float(np.var(away[there], axis=0).sum())


def _newton(
    times: Array, track: Array, clock: Array, path: Array, gap_s: float
) -> tuple[float, float | None]:
    """One step of least squares in the offset, the shift eliminated; sigma from what is left."""
    half_s = STEP_S
    here = _at(clock, path, times, gap_s)
    speed = (_at(clock, path, times + half_s, gap_s) - _at(clock, path, times - half_s, gap_s)) / (
        2 * half_s
    )
    away = track - here
    there = np.isfinite(away).all(axis=1) & np.isfinite(speed).all(axis=1)
    if there.sum() < LEAST_SAMPLES:
        return 0.0, None
    away, speed = away[there], speed[there]
    away, speed = away - away.mean(axis=0), speed - speed.mean(axis=0)
    information = float((speed**2).sum())
    if information <= 1e-9:
        return 0.0, None
    step_s = float((speed * away).sum()) / information
    left = away - step_s * speed
    freedom = 3 * len(left) - 4
    noise_m2 = float((left**2).sum()) / freedom
    # Receivers err alike from second to second, so samples count for less than they are many.
    return step_s, float(np.sqrt(noise_m2 * _correlation(left) / information))


def _correlation(left: Array) -> float:
    """How many samples in a row tell the same, from the correlation of neighbours."""
    total = float((left**2).sum())
    if total <= 0 or len(left) < 3:
        return 1.0
    rho = float((left[1:] * left[:-1]).sum()) / total
    rho = min(max(rho, 0.0), 0.95)
    return (1 + rho) / (1 - rho)
