"""A draft -> a track: every place is checked, and what is not believed is listed with its reason.

An axis order or a hemisphere is never corrected: what puts a place in doubt is told, and the place
is left out. Radians, which some drones write, are converted where the case's place proves them.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from aftermap.geo.great_circle import LonLat, great_circle_m
from aftermap.media.exif import checked_lonlat_deg
from aftermap.media.telemetry.draft import Draft, skipped_by_reason
from aftermap.model.runs import Skipped
from aftermap.model.telemetry import TelemetrySample, Track

FAR_M = 100_000.0
"""No drone of this kind is as far from its operator, its last place or the case."""
FASTEST_M_PER_S = 150.0
JUMP_FLOOR_M = 200.0
"""Receivers settle by less in their first seconds; what moves more and too fast is a jump."""

RADIANS = "read as radians"
IN_RADIANS = "positions were recorded in radians and were converted to degrees"

OPERATOR = "the position of the operator (HOME)"


def believed(
    draft: Draft, *, name: str, sha256: str, near_lonlat_deg: LonLat | None = None
) -> Track:
    """The track, with samples in the order of time and only believable places in it."""
    samples, refused = _on_the_globe(_in_order(draft.samples), draft.by_dialect)
    refused += _order_doubts(draft, samples)
    if any(one.name == "positions" for one in refused):
        samples = _without_places(samples)
    samples, jumps = _without_jumps(samples)
    samples, far, notes = _held_against_case(samples, near_lonlat_deg)
    withheld = (OPERATOR,) if draft.homes_lonlat_deg else ()
    if not any(sample.lonlat_deg for sample in samples):
        notes += ("no positions: only the time stamps can be used",)
    return Track(
        sha256=sha256,
        name=name,
        dialect=draft.dialect,
        clock=draft.clock,
        vertical_datum=draft.vertical_datum,
        sigma_horizontal_m=draft.sigmas_m[0],
        sigma_vertical_m=draft.sigmas_m[1],
        samples=samples,
        origins=draft.origins,
        refused=(*draft.refused, *refused, *jumps, *far),
        withheld=(*draft.withheld, *withheld),
        notes=(*draft.notes, *notes),
    )


def _in_order(samples: Sequence[TelemetrySample]) -> tuple[TelemetrySample, ...]:
    return tuple(sorted(samples, key=lambda sample: sample.time_s))


def _on_the_globe(
    samples: Sequence[TelemetrySample], by_dialect: str
) -> tuple[tuple[TelemetrySample, ...], tuple[Skipped, ...]]:
    """Without "0, 0" and without what is no place at all."""
    off = "its position is outside the range of longitude and latitude" + (
        f", read {by_dialect} as its format specifies" if by_dialect else ""
    )
    kept, refused = [], []
    for number, sample in enumerate(samples, 1):
        place = sample.lonlat_deg
        if place is not None and checked_lonlat_deg(*place) is None:
            beyond = abs(place[1]) > 90 or abs(place[0]) > 180
            refused.append((number, off if beyond else "its position is 0, 0 (no GPS fix)"))
            sample = replace(sample, lonlat_deg=None, height_m=None)  # noqa: PLW2901
        kept.append(sample)
    return tuple(kept), skipped_by_reason("sample", refused)


def _order_doubts(draft: Draft, samples: Sequence[TelemetrySample]) -> tuple[Skipped, ...]:
    """The order of axes that the dialect says, held against HOME, which is written the same way.

    A track whose dialect says "longitude first" but whose numbers only make sense the other way
    round is of a dialect we do not know.
    """
    places = [sample.lonlat_deg for sample in samples if sample.lonlat_deg]
    homes = [home for home in draft.homes_lonlat_deg if checked_lonlat_deg(*home)]
    if not places or not homes:
        return ()
    away_m = great_circle_m(places[0], homes[0])
    if away_m <= FAR_M:
        return ()
    turned = (homes[0][1], homes[0][0])
    if abs(turned[1]) <= 90 and great_circle_m(places[0], turned) <= FAR_M:
        reason = "GPS and HOME have different axis orders; which one is correct is not known"
    else:
        reason = f"{away_m / 1000:.0f} km from HOME, the take-off point in the same file"
    return (Skipped(name="positions", reason=reason),)


def _without_places(samples: Sequence[TelemetrySample]) -> tuple[TelemetrySample, ...]:
    return tuple(replace(sample, lonlat_deg=None, height_m=None) for sample in samples)


def _without_jumps(
    samples: Sequence[TelemetrySample],
) -> tuple[tuple[TelemetrySample, ...], tuple[Skipped, ...]]:
    """Without places that no drone reaches in the time since the last one.

    The longest run of places that hang together is the flight; the others are refused, so that a
    wrong first fix does not cost the rest.
    """
    runs: list[list[int]] = []
    for number, sample in enumerate(samples):
        if sample.lonlat_deg is None:
            continue
        home = next((run for run in reversed(runs) if _reaches(samples[run[-1]], sample)), None)
        if home is None:
            runs.append([number])
        else:
            home.append(number)
    if len(runs) < 2:
        return tuple(samples), ()
    flight = max(runs, key=len)
    anchor = samples[flight[0]].lonlat_deg
    refused, kept = [], list(samples)
    for number in sorted(set().union(*runs) - set(flight)):
        away_m = great_circle_m(samples[number].lonlat_deg or (0, 0), anchor or (0, 0))
        far = f"{away_m / 1000:.0f} km" if away_m >= 1000 else f"{away_m:.0f} m"
        refused.append(
            (number + 1, f"its position jumps, about {far} away from the rest of the flight")
        )
        kept[number] = replace(samples[number], lonlat_deg=None, height_m=None)
    return tuple(kept), skipped_by_reason("sample", refused)


def _reaches(first: TelemetrySample, second: TelemetrySample) -> bool:
    if first.lonlat_deg is None or second.lonlat_deg is None:
        return False
    moved_m = great_circle_m(first.lonlat_deg, second.lonlat_deg)
    seconds = max(abs(float(second.time_s - first.time_s)), _clock_s(first, second))
    return moved_m <= min(FAR_M, JUMP_FLOOR_M + FASTEST_M_PER_S * seconds)


def _clock_s(first: TelemetrySample, second: TelemetrySample) -> float:
    """Seconds by the recorder's clock: more than the video's where recording was paused."""
    times = [sample.utc or sample.recorded_at for sample in (first, second)]
    if times[0] is None or times[1] is None:
        return 0.0
    try:
        before, after = (datetime.fromisoformat(time) for time in times if time)
        return abs((after - before).total_seconds())
    except (ValueError, TypeError):
        return 0.0


_READINGS: tuple[tuple[str, Callable[[float, float], LonLat]], ...] = (
    ("with longitude and latitude swapped", lambda lon, lat: (lat, lon)),
    ("with the sign of the longitude inverted", lambda lon, lat: (-lon, lat)),
    ("with the sign of the latitude inverted", lambda lon, lat: (lon, -lat)),
    ("with both signs inverted", lambda lon, lat: (-lon, -lat)),
    (RADIANS, lambda lon, lat: (math.degrees(lon), math.degrees(lat))),
)


def _held_against_case(
    samples: Sequence[TelemetrySample], near_lonlat_deg: LonLat | None
) -> tuple[tuple[TelemetrySample, ...], tuple[Skipped, ...], tuple[str, ...]]:
    places = [sample.lonlat_deg for sample in samples if sample.lonlat_deg]
    if not places:
        return tuple(samples), (), ()
    if near_lonlat_deg is None:
        return tuple(samples), (), _could_be_radians(places)
    middle = places[len(places) // 2]
    away_m = great_circle_m(middle, near_lonlat_deg)
    if away_m <= FAR_M:
        return tuple(samples), (), ()
    readings = Counter(
        {
            words: -great_circle_m(read(*middle), near_lonlat_deg)
            for words, read in _READINGS
            if abs(read(*middle)[1]) <= 90 and abs(read(*middle)[0]) <= 180
        }
    )
    reason = f"{away_m / 1000:.0f} km from the case"
    best, minus_m = readings.most_common(1)[0]
    if -minus_m <= FAR_M and best == RADIANS:
        return _from_radians(samples), (), (f"{IN_RADIANS}; read as degrees they are {reason}",)
    if -minus_m <= FAR_M:
        reason += (
            f", but {-minus_m / 1000:.0f} km {best}; positions are unchanged: correct the file"
        )
    return _without_places(samples), (Skipped(name="positions", reason=reason),), ()


def _from_radians(samples: Sequence[TelemetrySample]) -> tuple[TelemetrySample, ...]:
    return tuple(
        replace(one, lonlat_deg=(math.degrees(one.lonlat_deg[0]), math.degrees(one.lonlat_deg[1])))
        if one.lonlat_deg
        else one
        for one in samples
    )


def _could_be_radians(places: Sequence[LonLat]) -> tuple[str, ...]:
    if all(abs(lat) <= math.pi / 2 and abs(lon) <= math.pi for lon, lat in places):
        return ("positions were read as degrees but may be in radians: check their location",)
    return ()
