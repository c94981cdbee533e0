"""The layers of ``case.gpkg`` and how the model's records become their rows.

docs/reference/case.md describes every column for people who read the file with other programs.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from aftermap.geo.crs import WGS84
from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.model.clip import Clip
from aftermap.model.media import MediaItem
from aftermap.model.runs import Skipped
from aftermap.record import custody
from aftermap.record.artefact import canonical_json, decode_artefact, encode_artefact
from aftermap.record.geometry import XY, point, point_z, polygon
from aftermap.record.geopackage import Table, srs_id_of

INFO = Table(
    name="case_info",
    description="What this file is: format version, and which Aftermap made it when",
    columns="id INTEGER PRIMARY KEY NOT NULL, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL",
)
MEDIA = Table(
    name="media",
    description="Originals as received; identity is the SHA-256 of their bytes",
    columns="""
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
  orientation INTEGER NOT NULL, make TEXT, camera TEXT, focal_px DOUBLE NOT NULL,
  focal_sigma_px DOUBLE NOT NULL, focal_source TEXT NOT NULL, taken_at TEXT, clock TEXT,
  lon_deg DOUBLE, lat_deg DOUBLE, height_m DOUBLE, vertical_datum TEXT,
  sigma_horizontal_m DOUBLE, sigma_vertical_m DOUBLE, relative_height_m DOUBLE,
  yaw_deg DOUBLE, pitch_deg DOUBLE, roll_deg DOUBLE, metadata TEXT NOT NULL,
  added_at DATETIME NOT NULL""",
    geometry="POINT",
)
CAMERA = Table(
    name="camera",
    description="Camera positions of the newest run, or why an image was not used",
    columns="""
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, sha256 TEXT,
  registered BOOLEAN NOT NULL, mapped BOOLEAN NOT NULL, reason TEXT, group_index INTEGER,
  east_m DOUBLE, north_m DOUBLE, height_m DOUBLE, vertical_datum TEXT NOT NULL,
  sigma_east_m DOUBLE, sigma_north_m DOUBLE, sigma_height_m DOUBLE,
  reprojection_px DOUBLE, tie_points INTEGER, focal_px DOUBLE""",
    geometry="POINT Z",
)
FOOTPRINT = Table(
    name="camera_footprint",
    description="Ground footprint of each mapped image",
    columns="""
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL""",
    geometry="POLYGON",
)
RUN = Table(
    name="run",
    description="What was run, with which versions and options, how long it took, what it left out",
    columns="""
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, started_at DATETIME NOT NULL,
  ended_at DATETIME, command TEXT NOT NULL, options TEXT NOT NULL, versions TEXT NOT NULL,
  status TEXT NOT NULL, message TEXT, stages TEXT NOT NULL DEFAULT '[]',
  skipped TEXT NOT NULL DEFAULT '[]', products TEXT NOT NULL DEFAULT '{}', custody_head TEXT""",
)
ALL = (MEDIA, CAMERA, FOOTPRINT, RUN, custody.TABLE, INFO)


def media_row(item: MediaItem | Clip) -> dict[str, Any]:
    """The columns of an original, without ``added_at``; ``metadata`` holds the whole record."""
    row = {
        "sha256": item.sha256,
        "name": item.name,
        "size_bytes": item.size_bytes,
        "width_px": item.width_px,
        "height_px": item.height_px,
        "make": item.make,
        "camera": item.camera,
        "focal_px": item.focal.focal_px,
        "focal_sigma_px": item.focal.sigma_px,
        "focal_source": item.focal.source.value,
        "metadata": canonical_json(encode_artefact(item, root=None)),
        **(_clip_columns(item) if isinstance(item, Clip) else _photograph_columns(item)),
    }
    return {name: None if _is_not_finite(value) else value for name, value in row.items()}


def _clip_columns(clip: Clip) -> dict[str, Any]:
    """A clip has no one place and no one time; its track and its frames have."""
    nothing = dict.fromkeys(_photograph_columns(None))
    began = clip.began
    told = {"taken_at": began and began.at, "clock": began and began.clock}
    return {**nothing, "orientation": 1, **told}


def _photograph_columns(item: MediaItem | None) -> dict[str, Any]:
    """The columns that only a photograph fills; without one, all of them empty."""
    tag, attitude = item and item.geotag, item and item.attitude
    lonlat = tag and (tag.lon_deg, tag.lat_deg)
    return {
        "orientation": item and item.orientation,
        "taken_at": item and item.taken_at,
        "clock": item and item.clock,
        "lon_deg": tag and tag.lon_deg,
        "lat_deg": tag and tag.lat_deg,
        "height_m": tag and tag.height_m,
        "vertical_datum": tag and tag.vertical_datum.value,
        "sigma_horizontal_m": tag and tag.sigma_horizontal_m,
        "sigma_vertical_m": tag and tag.sigma_vertical_m,
        "relative_height_m": item and item.relative_height_m,
        "yaw_deg": attitude and attitude.yaw_deg,
        "pitch_deg": attitude and attitude.pitch_deg,
        "roll_deg": attitude and attitude.roll_deg,
        "geom": lonlat and point(srs_id_of(WGS84), lonlat),
    }


def media_item(metadata: str) -> MediaItem | Clip:
    """The original's record, from the ``metadata`` column."""
    data = json.loads(metadata)
    if isinstance(data, dict) and "container" in data:
        return decode_artefact(Clip, data, root=None)
    return decode_artefact(MediaItem, data, root=None)


def metadata_sha256(metadata: str) -> str:
    """The digest by which the chain of custody knows what was recorded about an original."""
    return hashlib.sha256(metadata.encode()).hexdigest()


def placed_row(placed: PlacedFrame, made: Reconstruction) -> dict[str, Any]:
    """The ``camera`` row of a photograph that was placed."""
    east_m, north_m, height_m = placed.pose.position_m
    sigma_m = [_sigma(placed.pose.covariance_m2[axis][axis]) for axis in range(3)]
    reason = made.why_not_mapped(placed)
    return {
        "name": placed.frame.name,
        "sha256": placed.frame.sha256,
        "registered": True,
        "mapped": reason is None,
        "reason": reason,
        "group_index": placed.group,
        "east_m": east_m,
        "north_m": north_m,
        "height_m": height_m,
        "vertical_datum": made.vertical_datum.value,
        "sigma_east_m": sigma_m[0],
        "sigma_north_m": sigma_m[1],
        "sigma_height_m": sigma_m[2],
        "reprojection_px": placed.reprojection_px,
        "tie_points": placed.tie_points,
        "focal_px": made.cameras[placed.camera].focal_px,
        "geom": point_z(srs_id_of(made.crs), placed.pose.position_m),
    }


def skipped_row(skipped: Skipped, made: Reconstruction) -> dict[str, Any]:
    """The ``camera`` row of a photograph that was left out; it has no place on the map."""
    return {
        "name": skipped.name,
        "sha256": skipped.sha256,
        "registered": False,
        "mapped": False,
        "reason": skipped.reason,
        "vertical_datum": made.vertical_datum.value,
    }


def footprint_rows(
    made: Reconstruction, footprints: Mapping[str, Sequence[XY]]
) -> list[dict[str, Any]]:
    """The ``camera_footprint`` rows of the mapped photographs that have a ring of ground."""
    srs_id = srs_id_of(made.crs)
    return [
        {
            "name": placed.frame.name,
            "sha256": placed.frame.sha256,
            "geom": polygon(srs_id, footprints[placed.frame.sha256]),
        }
        for placed in made.mapped
        if placed.frame.sha256 in footprints
    ]


def _is_not_finite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _sigma(variance_m2: float) -> float | None:
    return math.sqrt(variance_m2) if math.isfinite(variance_m2) and variance_m2 >= 0 else None
