"""What is left for other programs: GeoParquet that keeps to its standard, and a STAC item."""

import hashlib
import json
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pystac
import pytest
from made_up_paths import CRS as CLIP_CRS
from made_up_paths import EAST_M, GROUND_M, NORTH_M, UNSURE, path_of, pose, straight_flight
from pyproj import CRS
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.view import ViewExtension

from aftermap.geo.ring import inside_ring
from aftermap.model.clip import Clip
from aftermap.model.media import FocalPrior, FocalSource, VerticalDatum
from aftermap.model.telemetry import TelemetrySample, Track
from aftermap.model.trajectory import PoseSource

FLIGHT = straight_flight(4, rate_hz=5)


def ring_of(wkb: bytes) -> np.ndarray:
    order, kind, rings, count = struct.unpack_from("<BIII", wkb)
    assert (order, kind, rings) == (1, 3, 1)
    ring = np.frombuffer(wkb, "<f8", offset=13).reshape(-1, 2)
    assert len(ring) == count
    assert (ring[0] == ring[-1]).all()
    return ring


def clip_of(recorded_at: str | None) -> Clip:
    return Clip(
        sha256="ab" * 32,
        name="flight 1.mp4",
        size_bytes=1234,
        container="mp4",
        codec="h264",
        width_px=1600,
        height_px=1200,
        time_base_s=Fraction(1, 90000),
        start_s=Fraction(0),
        duration_s=Fraction(4),
        frame_rate_hz=Fraction(30),
        recorded_at=recorded_at,
        focal=FocalPrior(focal_px=1200.0, sigma_px=10.0, source=FocalSource.ASSUMED),
    )


def item_in(index) -> pystac.Item:
    data = json.loads(Path(index.clips[0].item).read_text("utf-8"))
    bare = pystac.Item.from_dict({**data, "stac_extensions": []})
    assert bare.validate() == [
        "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"
    ]
    return pystac.Item.from_dict(data)


def test_footprints_are_geoparquet_1_1(indexed):
    file = pq.ParquetFile(indexed(path_of(FLIGHT)).clips[0].footprints)
    geo = json.loads(file.schema_arrow.metadata[b"geo"])  # where geopandas looks
    assert geo["version"] == "1.1.0"
    assert set(geo["columns"]) == {"geometry", "outer"}
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert column["orientation"] == "counterclockwise"
    assert CRS.from_json_dict(column["crs"]) == CRS.from_user_input(CLIP_CRS)
    assert set(column["covering"]["bbox"]) == {"xmin", "ymin", "xmax", "ymax"}
    rows = file.read().to_pylist()
    assert len(rows) == len(FLIGHT)
    for row in rows:
        ring = ring_of(row["geometry"])
        box = [*ring.min(axis=0), *ring.max(axis=0)]
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            column_name, field = column["covering"]["bbox"][name]
            assert row[column_name][field] == value
        x, y = ring.T
        assert (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() > 0
    west = min(row["bbox"]["xmin"] for row in rows)
    assert column["bbox"][0] == west


def test_row_groups_let_a_reader_skip(indexed):
    file = pq.ParquetFile(
        indexed(path_of(straight_flight(42, rate_hz=30, speed_m_s=20))).clips[0].footprints
    )
    assert file.num_row_groups == 2
    place = [file.schema.column(i).path for i in range(len(file.schema))].index("bbox.xmin")
    first, second = (
        file.metadata.row_group(i).column(place).statistics for i in range(file.num_row_groups)
    )
    assert first.min < second.min


def test_a_footprint_is_the_picture_at_scale_and_its_band_is_the_ce90(indexed):
    only = pose(1, (EAST_M, NORTH_M, GROUND_M + 120), sigmas=UNSURE, source=PoseSource.TELEMETRY)
    row = pq.read_table(indexed(path_of([only])).clips[0].footprints).to_pylist()[0]
    ring, outer = ring_of(row["geometry"]), ring_of(row["outer"])
    assert ring.min(axis=0) == pytest.approx([EAST_M - 80, NORTH_M - 60])
    assert ring.max(axis=0) == pytest.approx([EAST_M + 80, NORTH_M + 60])
    assert row["ce90_m"] == pytest.approx(2.146 * np.hypot(5, 120 * np.radians(3)), rel=1e-3)
    assert row["precision"] == "vicinity"
    assert row["ground_sample_m"] == pytest.approx(0.1)
    assert row["off_nadir_deg"] == pytest.approx(0, abs=1e-6)
    assert inside_ring(ring[:-1], outer).all()
    margin = EAST_M - 80 - outer[:, 0].min()
    assert row["ce90_m"] < margin < 1.6 * row["ce90_m"]  # at the border the error is larger


def test_the_item_is_valid_and_leads_to_the_bytes(indexed):
    index = indexed(path_of(FLIGHT), clips=[clip_of("2024-05-01T10:11:12+03:00")])
    item = item_in(index)
    assert item.datetime is None
    assert item.properties["start_datetime"] == "2024-05-01T07:11:12.000Z"
    assert item.properties["end_datetime"] == "2024-05-01T07:11:16.000Z"
    assert ViewExtension.ext(item).off_nadir == pytest.approx(0, abs=0.01)
    assert ProjectionExtension.ext(item).code == CLIP_CRS
    video = FileExtension.ext(item.assets["video"])
    assert video.checksum == "1220" + "ab" * 32
    assert video.size == 1234
    made = Path(index.clips[0].footprints).read_bytes()
    footprints = FileExtension.ext(item.assets["footprints"])
    assert footprints.checksum == "1220" + hashlib.sha256(made).hexdigest()
    west, south, east, north = item.bbox
    assert west < 39.0 < east
    assert south < 35.9465 < north


def test_a_time_without_a_zone_or_none_at_all_is_a_span_that_holds_it(indexed):
    zoneless = item_in(indexed(path_of(FLIGHT), clips=[clip_of("2024-05-01T10:11:12")]))
    assert zoneless.properties["start_datetime"] == "2024-04-30T20:11:12.000Z"
    assert zoneless.properties["end_datetime"] == "2024-05-02T00:11:16.000Z"
    unknown = item_in(indexed(path_of(FLIGHT)))
    assert unknown.datetime is None
    assert unknown.properties["aftermap:time_known"] is False
    assert unknown.properties["start_datetime"] < "1971"


def tracked(clip: Clip, *samples: TelemetrySample, clock: str = "video") -> Clip:
    track = Track(
        sha256="5" * 64,
        name="flight 1.SRT",
        dialect="made up",
        clock=clock,
        vertical_datum=VerticalDatum.UNKNOWN,
        sigma_horizontal_m=4.0,
        sigma_vertical_m=10.0,
        samples=samples,
    )
    return replace(clip, track=track)


LOCAL_TIME = TelemetrySample(time_s=Fraction(2), recorded_at="2024-05-01T10:11:14")
UNIVERSAL = TelemetrySample(time_s=Fraction(1), utc="2024-05-01T07:11:13Z")


@pytest.mark.parametrize(
    ("recorded_at", "samples", "at", "clock"),
    [
        (None, (LOCAL_TIME,), "2024-05-01T10:11:12", "zone unknown"),
        ("2024-05-02T00:00:00", (LOCAL_TIME,), "2024-05-02T00:00:00", "video file"),
        ("2024-05-02T00:00:00", (UNIVERSAL,), "2024-05-01T07:11:12Z", "UTC"),
    ],
)
def test_a_clip_begins_when_the_best_clock_says_so(recorded_at, samples, at, clock):
    began = tracked(clip_of(recorded_at), *samples).began
    assert began.at == at
    assert clock in began.clock


def test_the_dates_of_a_subtitle_file_are_those_of_the_item(indexed):
    """They were read and then unused: the item said 1970 to 9999."""
    item = item_in(indexed(path_of(FLIGHT), clips=[tracked(clip_of(None), LOCAL_TIME)]))
    assert item.properties["aftermap:time_known"] is True
    assert item.properties["start_datetime"] == "2024-04-30T20:11:12.000Z"
    assert item.properties["end_datetime"] == "2024-05-02T00:11:16.000Z"
    assert "recorder's clock" in item.properties["aftermap:clock"]


def test_a_recorder_whose_clock_is_not_the_video_s_dates_no_clip():
    assert tracked(clip_of(None), LOCAL_TIME, clock="recorder").began is None
    broken = replace(LOCAL_TIME, recorded_at="yesterday")
    assert tracked(clip_of(None), broken).began is None


def test_the_same_clip_gives_the_same_files(indexed):
    first = indexed(path_of(FLIGHT)).clips[0]
    names = (first.footprints, first.segments, first.sightings, first.item)
    before = [Path(name).read_bytes() for name in names]
    assert indexed(path_of(FLIGHT)).clips[0] == first
    assert [Path(name).read_bytes() for name in names] == before
