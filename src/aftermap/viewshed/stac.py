"""A clip and what it saw -> its STAC item (https://github.com/radiantearth/stac-spec, 1.1.0).

Extensions: view 1.0.0, file 2.1.0, projection 2.0.0. Written by hand: the file is a small JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.model.clip import Clip
from aftermap.model.trajectory import Trajectory

EXTENSIONS = (
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
)
SHA256_MULTIHASH = "1220"
"""Multihash: function 0x12 (SHA-2, 256 bits), 0x20 bytes long."""

UNKNOWN_ZONE = timedelta(hours=14)
ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the item says of the whole clip. ``hull_m`` is around every footprint."""

    hull_m: Array
    off_nadir_deg: float
    ground_sample_m: float
    ce90_m: float
    sources: Sequence[str]


def item_of(
    path: Trajectory, clip: Clip | None, name: str, summary: Summary, footprints_sha256: str
) -> dict[str, Any]:
    """The item, whose links hold in ``products/clips/``. ``name`` is that of its products."""
    lonlat = transformed_xy(path.crs, WGS84, summary.hull_m)
    ring = [[round(float(x), 7), round(float(y), 7)] for x, y in [*lonlat, lonlat[0]]]
    xs, ys = zip(*ring, strict=True)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": path.clip_sha256,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [min(xs), min(ys), max(xs), max(ys)],
        "properties": {
            "title": path.clip_name,
            **_times(clip),
            "proj:code": path.crs,
            **_known("view:off_nadir", summary.off_nadir_deg),
            **_known("gsd", summary.ground_sample_m),
            **_known("aftermap:ce90_m", summary.ce90_m),
            "aftermap:pose_sources": list(summary.sources),
            "aftermap:vertical_datum": path.vertical_datum.value,
        },
        "links": [],
        "assets": _assets(path, clip, name, footprints_sha256),
    }


def _assets(
    path: Trajectory, clip: Clip | None, name: str, footprints_sha256: str
) -> dict[str, dict[str, Any]]:
    sha256 = path.clip_sha256
    ending = Path(path.clip_name).suffix.lower()
    video: dict[str, Any] = {
        "href": f"../../media/{sha256[:2]}/{sha256}{ending}",
        "title": "original clip",
        "roles": ["data"],
        "file:checksum": SHA256_MULTIHASH + sha256,
    }
    if clip is not None:
        video |= {"file:size": clip.size_bytes, "proj:shape": [clip.height_px, clip.width_px]}
    return {
        "video": video,
        "footprints": {
            "href": f"./{name}.parquet",
            "title": "image footprints on the ground, with their CE90 band",
            "type": "application/vnd.apache.parquet",
            "roles": ["metadata"],
            "file:checksum": SHA256_MULTIHASH + footprints_sha256,
        },
    }


def _times(clip: Clip | None) -> dict[str, Any]:
    """``datetime`` is null and a span given: a clip has a start and an end, and clocks err.

    A time without a zone is taken to lie within 14 hours; ``aftermap:clock`` names whose it is.
    Where no time is known the span is all of time, since STAC 1.1 lets ``datetime`` be null only
    with a start and an end that are not, and ``aftermap:time_known`` is false.
    """
    start, end, known = *ALL_TIME, False
    began = None if clip is None else clip.began
    recorded = None if began is None else _parsed(began.at)
    if clip is not None and recorded is not None:
        slack = timedelta(0) if recorded.tzinfo else UNKNOWN_ZONE
        at = recorded if recorded.tzinfo else recorded.replace(tzinfo=UTC)
        start = at.astimezone(UTC) - slack
        end = at.astimezone(UTC) + slack + timedelta(seconds=float(clip.duration_s))
        known = True
    return {
        "datetime": None,
        "start_datetime": _iso(start),
        "end_datetime": _iso(end),
        "aftermap:time_known": known,
        "aftermap:clock": began.clock if began is not None and known else None,
    }


def _parsed(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return None


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(name: str, value: float) -> dict[str, float]:
    return {name: round(value, 4)} if np.isfinite(value) else {}
