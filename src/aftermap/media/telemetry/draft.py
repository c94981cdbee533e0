"""What a dialect's reader hands over, before anything in it is believed.

Places are WGS 84 degrees, heights metres in the draft's datum, times on the clock it names.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aftermap.geo.great_circle import LonLat
from aftermap.model.media import VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.model.telemetry import TelemetrySample

VIDEO, RECORDER = "video", "recorder"
CONSUMER_M = (3.0, 5.0)
"""Standard deviation of a consumer receiver in the open, horizontal and vertical."""
COARSE_M = (5.0, 5.0)
"""Of receivers whose places were written with 4 decimals, about 10 m apart."""
RTK_M = (0.1, 0.1)
"""Of RTK receivers: the camera is not where the antenna is, and the fix is not stated."""

NUMBERS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A track as written. ``homes_lonlat_deg`` is for checks only and never leaves this step.

    ``by_dialect`` says in words why longitude and latitude are in the order they were read in.
    ``sigmas_m`` are one standard deviation of places, horizontal and vertical, in metres; every
    reader says its own, as nothing else here knows the receiver.

    A sample has an ``attitude`` only where yaw and pitch of the camera are there. A roll that was
    not recorded (logs without one, MISB without tag 20) is None, and never 0. A line that is
    damaged as a whole (without a time, with a wrong checksum, of fewer
    numbers than its format always has) is refused whole and listed in ``refused``: no part of it
    is used. A field that was merely not recorded is None, and the rest of its line counts.
    """

    dialect: str
    clock: str
    samples: tuple[TelemetrySample, ...]
    sigmas_m: tuple[float, float]
    vertical_datum: VerticalDatum = VerticalDatum.UNKNOWN
    origins: tuple[tuple[str, str], ...] = ()
    refused: tuple[Skipped, ...] = ()
    withheld: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    homes_lonlat_deg: tuple[LonLat, ...] = ()
    by_dialect: str = ""


def finite_or_none(text: object) -> float | None:
    """The number, or None where there is none: "n/a", "", "nan"."""
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def skipped_by_reason(unit: str, found: Iterable[tuple[int, str]]) -> tuple[Skipped, ...]:
    """One line for each reason: "cues 3, 6 and 12 more"."""
    numbers: dict[str, list[int]] = {}
    for number, reason in found:
        numbers.setdefault(reason, []).append(number)
    return tuple(
        Skipped(name=_listed(unit, which), reason=reason) for reason, which in numbers.items()
    )


def wrapped_deg(angle_deg: float) -> float:
    """The same direction from -180 (left out) to 180."""
    return 180.0 - (180.0 - angle_deg) % 360.0


def _listed(unit: str, numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:NUMBERS_SHOWN])
    more = len(numbers) - NUMBERS_SHOWN
    return f"{unit}{'s' if len(numbers) > 1 else ''} {shown}" + (
        f" and {more} more" if more > 0 else ""
    )
