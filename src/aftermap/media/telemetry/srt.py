"""A DJI subtitle file or track -> a draft of a track, by one of the dialects that DJI has written.

The dialect is found by its own marks and decides the order of axes and the datum; see
docs/reference/telemetry.md. Times are those of the cues, on the clock of the video. HOME, the place
of the operator, is handed on for checks only.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aftermap.errors import InputError
from aftermap.media.telemetry.draft import (
    COARSE_M,
    CONSUMER_M,
    RTK_M,
    VIDEO,
    Draft,
    skipped_by_reason,
)
from aftermap.media.telemetry.srt_fields import (
    attitude_in,
    begins_field,
    bracket_fields,
    hfov_deg_of,
    is_brackets,
    moment_in,
    place_after,
    value_after,
)
from aftermap.model.media import VerticalDatum
from aftermap.model.telemetry import TelemetrySample

_CUE = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{1,6})\s*-->\s*(\d+):(\d\d):(\d\d)[,.](\d{1,6})")
_NOT_AVAILABLE = re.compile(r"(?:GPS|RTK)\s*\(\s*n/?a|tude\s*:\s*n/?a", re.IGNORECASE)
INCOMPLETE = "incomplete: it has no position"
NO_FIX = "its position is n/a (no GPS fix)"


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One subtitle: when it is shown, and what it says on one line."""

    start_s: Fraction
    text: str


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    name: str
    fits: Callable[[str], bool]
    sample: Callable[[Cue], TelemetrySample]
    lon_first: bool
    datum: VerticalDatum
    sigmas_m: tuple[float, float]
    origins: tuple[tuple[str, str], ...]
    homes: bool = False
    notes: tuple[str, ...] = ()


def cues_in(text: str) -> tuple[Cue, ...]:
    """The cues, in the order of the file. Text before the first time line is left out."""
    cues: list[tuple[Fraction, list[str]]] = []
    for line in text.lstrip("\ufeff").splitlines():
        times = _CUE.search(line)
        if times:
            if cues and cues[-1][1] and cues[-1][1][-1].strip().isdigit():
                cues[-1][1].pop()  # the number of this cue
            cues.append((_seconds(times), []))
        elif cues and line.strip():
            cues[-1][1].append(line.strip())
    return tuple(Cue(start_s=start, text=" ".join(lines)) for start, lines in cues)


def srt_draft(cues: Sequence[Cue], name: str) -> Draft:
    """The draft of a track from the subtitles that a drone wrote.

    Raises InputError where there are no subtitles, or none of a drone.
    """
    if not cues:
        raise InputError(
            f"{name}: contains no subtitles (it is empty or truncated before the first one); "
            "copy it from the drone's memory card again"
        )
    votes = Counter(dialect.name for cue in cues if (dialect := _dialect_of(cue.text)))
    if not votes:
        raise InputError(
            f"{name}: contains subtitles but no DJI telemetry; use the .SRT that the drone wrote"
        )
    dialect = _BY_NAME[votes.most_common(1)[0][0]]
    return _draft(dialect, cues)


def _draft(dialect: _Dialect, cues: Sequence[Cue]) -> Draft:
    samples, refused = [], []
    wants_place = dialect is not _TIMES_ONLY
    for number, cue in enumerate(cues, 1):
        sample = dialect.sample(cue)
        samples.append(sample)
        if wants_place and sample.lonlat_deg is None:
            refused.append((number, NO_FIX if _NOT_AVAILABLE.search(cue.text) else INCOMPLETE))
    homes = [place_after("HOME", cue.text, lon_first=dialect.lon_first) for cue in cues]
    has_hfov = any(sample.hfov_deg for sample in samples)
    notes = dialect.notes + ((_HFOV_NOTE,) if has_hfov else ())
    # A file without a single position is told as such once, and not for every one of its cues.
    nowhere = len(refused) == len(cues)
    return Draft(
        dialect=dialect.name,
        clock=VIDEO,
        samples=tuple(samples),
        vertical_datum=dialect.datum,
        sigmas_m=_sigmas_m(dialect, cues[0].text),
        origins=dialect.origins,
        refused=() if nowhere else skipped_by_reason("cue", refused),
        homes_lonlat_deg=tuple(home for home in homes if home is not None),
        notes=notes,
        by_dialect="longitude first" if dialect.lon_first else "latitude first",
    )


def _sigmas_m(dialect: _Dialect, text: str) -> tuple[float, float]:
    """RTK( in place of GPS( says that the receiver had corrections; not how good its fix was."""
    return RTK_M if re.search(r"\bRTK\s*\(", text) else dialect.sigmas_m


def _seconds(times: "re.Match[str]") -> Fraction:
    hours, minutes, seconds = (int(times.group(k)) for k in (1, 2, 3))
    part = times.group(4)
    return Fraction(3600 * hours + 60 * minutes + seconds) + Fraction(int(part), 10 ** len(part))


def _of_2017(cue: Cue) -> TelemetrySample:
    above_m = value_after(r"BAROMETER\s*:", cue.text)
    if above_m is None:
        above_m = value_after(r"\bHb\s*:", cue.text)
    return TelemetrySample(
        time_s=cue.start_s,
        lonlat_deg=place_after("GPS", cue.text, lon_first=True),
        height_m=above_m,
        relative_height_m=above_m,
        recorded_at=moment_in(cue.text),
    )


def _of_matrice(cue: Cue) -> TelemetrySample:
    above_m = value_after(r"BAROMETER\s*:", cue.text)
    return TelemetrySample(
        time_s=cue.start_s,
        lonlat_deg=place_after("GPS", cue.text, lon_first=False),
        height_m=above_m,
        relative_height_m=above_m,
        recorded_at=moment_in(cue.text),
    )


def _of_phantom(cue: Cue) -> TelemetrySample:
    above_m = value_after(r",\s*H\s+", cue.text)
    return TelemetrySample(
        time_s=cue.start_s,
        lonlat_deg=place_after("GPS", cue.text, lon_first=True)
        or place_after("RTK", cue.text, lon_first=True),
        height_m=above_m,
        relative_height_m=above_m,
        attitude=attitude_in(cue.text),
        recorded_at=moment_in(cue.text),
    )


def _of_brackets(cue: Cue) -> TelemetrySample:
    fields = bracket_fields(cue.text)
    lat, lon = fields.get("latitude"), fields.get("longitude", fields.get("longtitude"))
    relative_m = fields.get("rel_alt")
    height_m = fields.get("abs_alt") if relative_m is not None else fields.get("altitude")
    return TelemetrySample(
        time_s=cue.start_s,
        lonlat_deg=None if lat is None or lon is None else (lon, lat),
        height_m=height_m,
        relative_height_m=relative_m,
        attitude=attitude_in(cue.text),
        hfov_deg=hfov_deg_of(fields.get("focal_len"), fields.get("dzoom_ratio")),
        recorded_at=moment_in(cue.text),
    )


_HFOV_NOTE = (
    "the field of view is that of the full frame, assuming that the recorded focal length is a "
    "35 mm equivalent; it is up to 10 % narrower in cropped and stabilised modes"
)
_TAKEOFF = VerticalDatum.TAKEOFF_RELATIVE
_OF_2017 = _Dialect(
    name="DJI SRT of 2017: GPS(longitude,latitude,satellites)",
    fits=lambda text: (
        begins_field("HOME", text) or (begins_field("GPS", text) and "F/" not in text)
    ),
    sample=_of_2017,
    lon_first=True,
    datum=_TAKEOFF,
    sigmas_m=COARSE_M,
    origins=(("position", "GPS(lon,lat,n)"), ("height", "BAROMETER or Hb, above take-off")),
)
_MATRICE = _Dialect(
    name="DJI SRT of the Matrice 300: GPS(latitude,longitude,metres)",
    fits=lambda text: re.search(r"\bGPS\s*\([^)]*M\s*\)", text) is not None,
    sample=_of_matrice,
    lon_first=False,
    datum=_TAKEOFF,
    sigmas_m=COARSE_M,
    origins=(("position", "GPS(lat,lon,0.0M)"), ("height", "BAROMETER, above take-off")),
)
_PHANTOM = _Dialect(
    name="DJI SRT of the Phantom 4 and Mavic Mini: F/, SS, GPS (longitude, latitude, satellites)",
    fits=lambda text: re.search(r"F/[\d.]+\s*,\s*SS\b", text) is not None,
    sample=_of_phantom,
    lon_first=True,
    datum=_TAKEOFF,
    sigmas_m=CONSUMER_M,
    origins=(
        ("position", "GPS or RTK (lon, lat, n)"),
        ("height", "H, above take-off"),
        ("attitude", "G.PRY (pitch, roll, yaw)"),
    ),
)
_BOTH_HEIGHTS = _Dialect(
    name="DJI SRT in brackets, with rel_alt and abs_alt",
    fits=lambda text: is_brackets(text) and "rel_alt" in text,
    sample=_of_brackets,
    lon_first=False,
    datum=VerticalDatum.BAROMETRIC,
    sigmas_m=CONSUMER_M,
    origins=(
        ("position", "[latitude] [longitude]"),
        ("height", "abs_alt"),
        ("height above take-off", "rel_alt"),
        ("attitude", "gb_yaw, gb_pitch, gb_roll"),
        ("field of view", "focal_len"),
    ),
)
_ONE_HEIGHT = _Dialect(
    name="DJI SRT in brackets, with one altitude or none",
    fits=lambda text: is_brackets(text) and re.search(r"\[lat(itude)?\b", text) is not None,
    sample=_of_brackets,
    lon_first=False,
    datum=VerticalDatum.UNKNOWN,
    sigmas_m=CONSUMER_M,
    origins=(
        ("position", "[latitude] [longitude] or [longtitude]"),
        ("height", "[altitude]; models differ in what it is measured from"),
        ("field of view", "focal_len"),
    ),
)
_TIMES_ONLY = _Dialect(
    name="DJI SRT in brackets, without positions",
    fits=is_brackets,
    sample=_of_brackets,
    lon_first=False,
    datum=VerticalDatum.UNKNOWN,
    sigmas_m=CONSUMER_M,
    origins=(("field of view", "focal_len"),),
)
_DIALECTS = (_MATRICE, _PHANTOM, _OF_2017, _BOTH_HEIGHTS, _ONE_HEIGHT, _TIMES_ONLY)
_BY_NAME = {dialect.name: dialect for dialect in _DIALECTS}


def _dialect_of(text: str) -> _Dialect | None:
    return next((dialect for dialect in _DIALECTS if dialect.fits(text)), None)
