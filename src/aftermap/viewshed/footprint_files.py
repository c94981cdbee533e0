"""The index of a clip on its way to disk: GeoParquet footprints, and tables for the record.

GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0/): WKB, PROJJSON, a covering of bounding
boxes, row groups small enough that a reader skips most of the file.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

from aftermap.geo.arrays import Array
from aftermap.geo.uncertainty import precision_of
from aftermap.model.trajectory import ClipPose
from aftermap.viewshed.ground_cells import COLUMNS, UNKNOWN, GroundView, Rows
from aftermap.viewshed.moments import Second
from aftermap.viewshed.view import Eye, Look

FOOTPRINTS_PER_GROUP = 1000
SIGHTINGS_PER_GROUP = 500_000

_BOX = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
_VIEW = [
    ("shot", pa.int32()),
    ("source", pa.string()),
    ("camera_east_m", pa.float64()),
    ("camera_north_m", pa.float64()),
    ("camera_height_m", pa.float64()),
    ("off_nadir_deg", pa.float64()),
    ("azimuth_deg", pa.float64()),
    ("ground_sample_m", pa.float64()),
    ("ce90_m", pa.float64()),
    ("precision", pa.string()),
    ("geometry", pa.binary()),
    ("outer", pa.binary()),
]
FOOTPRINTS = pa.schema(
    [("time_s", pa.float64()), ("time_exact", pa.string()), *_VIEW, ("bbox", _BOX)]
)
SEGMENTS = pa.schema(
    [
        ("from_s", pa.float64()),
        ("to_s", pa.float64()),
        ("moments", pa.int32()),
        ("axis_off_nadir_deg", pa.float64()),
        ("axis_azimuth_deg", pa.float64()),
        ("focal_px", pa.float64()),
        ("ground_m", pa.float64()),
        ("ground_sigma_m", pa.float64()),
        ("pose_covariance", pa.binary()),
        *_VIEW,
    ]
)
SIGHTINGS = pa.schema([(name, pa.from_numpy_dtype(kind)) for name, kind in COLUMNS.items()])


@dataclass
class ParquetTable:
    """A Parquet file that is written a group of rows at a time."""

    writer: pq.ParquetWriter
    schema: pa.Schema
    per_group: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0

    def add(self, row: dict[str, Any]) -> None:
        """One more row."""
        self.rows.append(row)
        self.count += 1
        if len(self.rows) == self.per_group:
            self.flush()

    def flush(self) -> None:
        """Write what has come together."""
        if self.rows:
            self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
            self.rows.clear()


@dataclass
class SightingTable:
    """The sightings of a clip on their way to disk, in groups that are sorted by place."""

    writer: pq.ParquetWriter
    parts: list[Rows] = field(default_factory=list)
    waiting: int = 0
    count: int = 0

    def add(self, rows: Rows) -> None:
        """The cells of one more second."""
        self.parts.append(rows)
        self.waiting += len(rows["place"])
        if self.waiting >= SIGHTINGS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what has come together."""
        if not self.parts:
            return
        rows = {name: np.concatenate([part[name] for part in self.parts]) for name in COLUMNS}
        order = np.lexsort((rows["segment"], rows["place"]))
        columns = []
        for name, kind in COLUMNS.items():
            values = rows[name][order].astype(kind)
            unknown = values == UNKNOWN if name in ("occluded_percent", "ce90_dm") else None
            columns.append(pa.array(values, mask=unknown))
        self.writer.write_table(pa.Table.from_arrays(columns, schema=SIGHTINGS))
        self.count += self.waiting
        self.parts.clear()
        self.waiting = 0


@contextmanager
def footprints_file(path: Path, crs: str, notes: Mapping[str, str]) -> Iterator[ParquetTable]:
    """A GeoParquet file of footprints in a CRS; ``notes`` are kept as its metadata."""
    # Without Arrow's own schema in it, readers find the metadata that is added at the end.
    with pq.ParquetWriter(path, FOOTPRINTS, compression="zstd", store_schema=False) as writer:
        bounds = _Bounds()
        table = _Footprints(
            writer=writer, schema=FOOTPRINTS, per_group=FOOTPRINTS_PER_GROUP, bounds=bounds
        )
        yield table
        table.flush()
        writer.add_key_value_metadata({"geo": json.dumps(_geo(crs, bounds)), **notes})


@contextmanager
def segments_file(path: Path) -> Iterator[ParquetTable]:
    """A table of segments for the record."""
    with pq.ParquetWriter(path, SEGMENTS, compression="zstd") as writer:
        table = ParquetTable(writer=writer, schema=SEGMENTS, per_group=FOOTPRINTS_PER_GROUP)
        yield table
        table.flush()


@contextmanager
def sightings_file(path: Path) -> Iterator[SightingTable]:
    """A table of sightings for the record."""
    with pq.ParquetWriter(path, SIGHTINGS, compression="zstd") as writer:
        table = SightingTable(writer=writer)
        yield table
        table.flush()


def footprint_row(moment: ClipPose, look: Look) -> dict[str, Any]:
    """The row of one moment; ``geometry`` is what it shows, ``outer`` reaches as far as CE90."""
    (west, south), (east, north) = look.ring_m.min(axis=0), look.ring_m.max(axis=0)
    return {
        "time_s": float(moment.time_s),
        "time_exact": str(moment.time_s),
        **_view(moment, look, look.outer_m),
        "bbox": {"xmin": west, "ymin": south, "xmax": east, "ymax": north},
    }


def segment_row(
    second: Second, one: GroundView, outer_m: Array, eye: Eye, ground_m: float
) -> dict[str, Any]:
    """The row of one second, told by one of its moments.

    ``outer_m`` (N, 2), east and north, is around all of them. ``pose_covariance`` is 36 float32,
    row by
    row. ``ground_m`` is the level of the ground there.
    """
    pose = one.pose.pose
    axis = np.asarray(pose.rotation_cam_from_world, float)[2]
    return {
        "from_s": float(second.from_s),
        "to_s": float(second.to_s),
        "moments": 0 if second.is_filled_in else len(second.poses),
        "axis_off_nadir_deg": float(np.degrees(np.arccos(np.clip(-axis[2], -1, 1)))),
        "axis_azimuth_deg": float(np.degrees(np.arctan2(axis[0], axis[1])) % 360),
        "focal_px": eye.camera.focal_px,
        "ground_m": ground_m,
        "ground_sigma_m": eye.ground_sigma_m,
        "pose_covariance": np.asarray(one.pose.covariance, "<f4").tobytes(),
        **_view(one.pose, one.look, outer_m),
    }


def polygon_wkb(ring_m: Array) -> bytes:
    """ISO well-known binary of a polygon of one open ring, (N, 2) metres."""
    closed = np.vstack([ring_m, ring_m[:1]])
    return struct.pack("<BIII", 1, 3, 1, len(closed)) + closed.astype("<f8").tobytes()


def _view(moment: ClipPose, look: Look, outer_m: Array) -> dict[str, Any]:
    east, north, height = moment.pose.position_m
    return {
        "shot": moment.shot,
        "source": moment.source.value,
        "camera_east_m": east,
        "camera_north_m": north,
        "camera_height_m": height,
        "off_nadir_deg": _known(look.off_nadir_deg),
        "azimuth_deg": _known(look.azimuth_deg),
        "ground_sample_m": _known(look.ground_sample_m),
        "ce90_m": _known(look.ce90_m),
        "precision": precision_of(look.ce90_m).value,
        "geometry": polygon_wkb(look.ring_m),
        "outer": polygon_wkb(outer_m),
    }


@dataclass
class _Bounds:
    """The box around every footprint so far."""

    west: float = np.inf
    south: float = np.inf
    east: float = -np.inf
    north: float = -np.inf

    def add(self, box: Mapping[str, float]) -> None:
        self.west, self.south = min(self.west, box["xmin"]), min(self.south, box["ymin"])
        self.east, self.north = max(self.east, box["xmax"]), max(self.north, box["ymax"])


@dataclass
class _Footprints(ParquetTable):
    bounds: _Bounds = field(default_factory=_Bounds)

    def add(self, row: dict[str, Any]) -> None:
        self.bounds.add(row["bbox"])
        super().add(row)


def _geo(crs: str, bounds: _Bounds) -> dict[str, Any]:
    shape = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": CRS.from_user_input(crs).to_json_dict(),
        "edges": "planar",
        "orientation": "counterclockwise",
    }
    box = [float(bounds.west), float(bounds.south), float(bounds.east), float(bounds.north)]
    covering = {name: ["bbox", name] for name in ("xmin", "ymin", "xmax", "ymax")}
    footprint = shape | {"covering": {"bbox": covering}}
    if np.isfinite(box).all():
        footprint["bbox"] = box
    return {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": footprint, "outer": shape},
    }


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
