"""A GPX track -> a draft of a track. Heights are the file's ``ele``, of a datum it does not say.

No XML parser is used on purpose, as in ``xmp``: a pattern that only looks for points can expand no
entity and open no other file.
"""

import re
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
from aftermap.model.media import VerticalDatum
from aftermap.model.telemetry import TelemetrySample

_POINT = re.compile(r"<(?:\w+:)?trkpt\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?trkpt\s*>)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""\b(lat|lon)\s*=\s*["']([^"']*)["']""")
NO_TIME = "it has no time stamp, so it cannot be matched to a frame"


def gpx_draft(text: str, name: str) -> Draft:
    """The draft of a track from a GPX document.

    Raises InputError where there is no point of a track with a time.
    """
    samples, refused = [], []
    first: datetime | None = None
    points = list(_POINT.finditer(text))
    for number, point in enumerate(points, 1):
        moment = _moment(_element("time", point.group(2) or ""))
        if moment is None:
            refused.append((number, NO_TIME))
            continue
        first = first or moment
        samples.append(_sample(point, moment, first))
    if not samples:
        why = "its points have no time stamps" if points else "it has no track points (trkpt)"
        raise InputError(f"{name}: {why}; export the flight as a GPX track with time stamps")
    return Draft(
        dialect="GPX",
        clock=RECORDER,
        samples=tuple(samples),
        vertical_datum=VerticalDatum.UNKNOWN,
        sigmas_m=CONSUMER_M,
        origins=(("position", "trkpt"), ("height", "ele"), ("time", "time")),
        refused=skipped_by_reason("point", refused),
    )


def _sample(point: "re.Match[str]", moment: datetime, first: datetime) -> TelemetrySample:
    place = dict(_ATTRIBUTE.findall(point.group(1)))
    lon, lat = finite_or_none(place.get("lon")), finite_or_none(place.get("lat"))
    since = moment - first
    return TelemetrySample(
        time_s=Fraction(since.days * 86_400 + since.seconds) + Fraction(since.microseconds, 10**6),
        lonlat_deg=None if lon is None or lat is None else (lon, lat),
        height_m=finite_or_none(_element("ele", point.group(2) or "")),
        utc=moment.isoformat().replace("+00:00", "Z"),
    )


def _element(name: str, text: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}\s*>([^<]*)<", text)
    return found.group(1).strip() if found else ""


def _moment(text: str) -> datetime | None:
    """A time with its zone; GPX says that times are UTC, so one without a zone is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
