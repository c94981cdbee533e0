"""CSV flight logs -> a draft of a track: AirData, Litchi, and DJI's own (Flight Reader, CsvView).

Columns are found by name, the unit that a name states is converted (feet, miles an hour), and a
height is what its column says it is measured from. Gimbal angles are absolute as DJI writes them.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from aftermap.errors import InputError
from aftermap.media.telemetry.draft import (
    CONSUMER_M,
    RECORDER,
    Draft,
    finite_or_none,
    skipped_by_reason,
)
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import TelemetrySample

FOOT_M = 0.3048
NO_TIME = "it has no time stamp"

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Log:
    """How one kind of log names its columns; the first that is there counts."""

    name: str
    mark: str
    lon: tuple[str, ...]
    lat: tuple[str, ...]
    seconds: Callable[[Row], Fraction | None]
    utc: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    absolute: tuple[str, ...] = ()
    absolute_datum: VerticalDatum = VerticalDatum.UNKNOWN
    angles: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = ((), (), ())
    home: tuple[str, str] | None = None


def logs_draft(text: str, name: str) -> Draft:
    """The draft of a track from a log in CSV.

    Raises InputError where there are no rows, or the columns are of no log that is known.
    """
    rows = _rows(text)
    if not rows:
        raise InputError(
            f"{name}: contains no rows below a header line; export the log as CSV again"
        )
    log = next((log for log in _LOGS if log.mark in rows[0]), None)
    if log is None:
        raise InputError(
            f"{name}: its columns are not those of an AirData, Litchi or DJI log; export the "
            "flight from one of these as CSV, or as GPX"
        )
    return _draft(log, rows)


def _draft(log: _Log, rows: Sequence[Row]) -> Draft:
    samples, refused = [], []
    first: Fraction | None = None
    for number, row in enumerate(rows, 1):
        seconds = log.seconds(row)
        if seconds is None:
            refused.append((number, NO_TIME))
            continue
        first = seconds if first is None else first
        samples.append(_sample(log, row, seconds - first))
    has_absolute = any(sample.height_m is not None for sample in samples) and bool(
        _there(rows[0], log.absolute)
    )
    datum = log.absolute_datum if has_absolute else VerticalDatum.TAKEOFF_RELATIVE
    return Draft(
        dialect=log.name,
        clock=RECORDER,
        samples=tuple(samples),
        vertical_datum=datum,
        sigmas_m=CONSUMER_M,
        origins=_origins(log, rows[0]),
        refused=skipped_by_reason("row", refused),
        homes_lonlat_deg=_homes(log, rows),
    )


def _sample(log: _Log, row: Row, time_s: Fraction) -> TelemetrySample:
    lon, lat = _number(row, log.lon), _number(row, log.lat)
    above_m, absolute_m = _metres(row, log.above), _metres(row, log.absolute)
    yaw, pitch, roll = (_number(row, names) for names in log.angles)
    attitude = None
    if yaw is not None and pitch is not None and max(abs(yaw), abs(pitch), abs(roll or 0)) <= 360:
        attitude = Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    return TelemetrySample(
        time_s=time_s,
        lonlat_deg=None if lon is None or lat is None else (lon, lat),
        height_m=absolute_m if _there(row, log.absolute) else above_m,
        relative_height_m=above_m,
        attitude=attitude,
        utc=_stamp(row, log.utc, zone="Z"),
        recorded_at=_stamp(row, log.local, zone=""),
    )


def _rows(text: str) -> list[Row]:
    """Rows by lower-case column name; DJI's logs begin with a line "sep=,"."""
    lines = text.lstrip("\ufeff").splitlines()
    while lines and (not lines[0].strip() or lines[0].lower().startswith("sep=")):
        lines.pop(0)
    if len(lines) < 2:
        return []
    reader = csv.reader(io.StringIO("\n".join(lines)))
    try:
        header = [name.strip().lower() for name in next(reader)]
        return [dict(zip(header, row, strict=False)) for row in reader if any(row)]
    except csv.Error:
        return []


def _there(row: Row, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in row), None)


def _number(row: Row, names: Sequence[str]) -> float | None:
    name = _there(row, names)
    return finite_or_none(row[name]) if name else None


def _metres(row: Row, names: Sequence[str]) -> float | None:
    name = _there(row, names)
    value = finite_or_none(row[name]) if name else None
    is_feet = name is not None and re.search(r"feet|\[ft\]|\(ft\)", name) is not None
    return value * FOOT_M if value is not None and is_feet else value


def _stamp(row: Row, names: Sequence[str], *, zone: str) -> str | None:
    name = _there(row, names)
    moment = _moment(row[name]) if name else None
    return moment.replace(tzinfo=None).isoformat() + zone if moment else None


def _moment(text: str) -> datetime | None:
    for form in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S.%f"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _origins(log: _Log, row: Row) -> tuple[tuple[str, str], ...]:
    wanted = (
        ("position", log.lon),
        ("height", log.absolute or log.above),
        ("height above take-off", log.above),
        ("attitude", log.angles[0]),
    )
    return tuple((what, name) for what, names in wanted if (name := _there(row, names)))


def _homes(log: _Log, rows: Sequence[Row]) -> tuple[tuple[float, float], ...]:
    """Where the operator stood, for the check against the positions."""
    if log.home is None:
        return ()
    for row in rows:
        lon, lat = finite_or_none(row.get(log.home[0])), finite_or_none(row.get(log.home[1]))
        if lon and lat:
            return ((lon, lat),)
    return ()


def _fraction(text: str | None) -> Fraction | None:
    value = finite_or_none(text)
    return None if value is None else Fraction(str(value))


def _thousandths(column: str) -> Callable[[Row], Fraction | None]:
    def seconds(row: Row) -> Fraction | None:
        value = _fraction(row.get(column))
        return None if value is None else value / 1000

    return seconds


def _litchi_s(row: Row) -> Fraction | None:
    moment = _moment(row.get("datetime(utc)", ""))
    if moment is None:
        return _thousandths("time(millisecond)")(row)
    return Fraction(int(moment.timestamp())) + Fraction(moment.microsecond, 10**6)


def _dji_s(row: Row) -> Fraction | None:
    return _fraction(row.get("osd.flytime [s]"))


_AIRDATA = _Log(
    name="AirData CSV",
    mark="time(millisecond)",
    lon=("longitude",),
    lat=("latitude",),
    seconds=_thousandths("time(millisecond)"),
    utc=("datetime(utc)",),
    above=("height_above_takeoff(feet)", "height_above_takeoff(meters)"),
    absolute=(
        "altitude_above_sealevel(feet)",
        "altitude_above_sealevel(meters)",
        "altitude_above_seaLevel(feet)".lower(),
    ),
    absolute_datum=VerticalDatum.BAROMETRIC,
    angles=(("gimbal_heading(degrees)",), ("gimbal_pitch(degrees)",), ("gimbal_roll(degrees)",)),
)
_LITCHI = _Log(
    name="Litchi CSV",
    mark="datetime(utc)",
    lon=("longitude",),
    lat=("latitude",),
    seconds=_litchi_s,
    utc=("datetime(utc)",),
    local=("datetime(local)",),
    above=("altitude(m)", "altitude(feet)"),
    angles=(("gimbalyaw",), ("gimbalpitch",), ("gimbalroll",)),
)
_DJI = _Log(
    name="DJI flight log CSV",
    mark="osd.flytime [s]",
    lon=("osd.longitude",),
    lat=("osd.latitude",),
    seconds=_dji_s,
    above=("osd.height [ft]", "osd.height [m]"),
    absolute=("osd.altitude [ft]", "osd.altitude [m]"),
    absolute_datum=VerticalDatum.BAROMETRIC,
    angles=(
        ("gimbal.yaw [deg]", "gimbal.yaw", "gimbal.yaw360"),
        ("gimbal.pitch [deg]", "gimbal.pitch"),
        ("gimbal.roll [deg]", "gimbal.roll"),
    ),
    home=("home.longitude", "home.latitude"),
)
_LOGS = (_AIRDATA, _DJI, _LITCHI)
