"""Items to frames: one CRS, one vertical datum, and a word about everything not used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import share_of_examples
from hypothesis import given
from hypothesis import strategies as st

from aftermap.errors import CrsError
from aftermap.frames import FrameOptions, camera_key_of, frames_of
from aftermap.frames.photographs import HEIGHT_UNKNOWN_SIGMA_M
from aftermap.geo.crs import LOCAL, WGS84, transformed_xy
from aftermap.model.camera import FrameSet
from aftermap.model.media import (
    Attitude,
    FocalPrior,
    FocalSource,
    GeoTag,
    MediaItem,
    VerticalDatum,
)

FOCAL = FocalPrior(focal_px=2340.0, sigma_px=46.8, source=FocalSource.SENSOR_DATABASE)
RAQQA = (39.01, 35.95)


def tag(
    lon_deg: float,
    lat_deg: float,
    height_m: float | None = 300.0,
    datum: VerticalDatum = VerticalDatum.BAROMETRIC,
) -> GeoTag:
    return GeoTag(
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        height_m=height_m,
        vertical_datum=datum,
        sigma_horizontal_m=3.0,
        sigma_vertical_m=3.5,
    )


def item(number: int, geotag: GeoTag | None = None) -> MediaItem:
    return MediaItem(
        sha256=f"{number:064x}",
        name=f"DJI_{number}.JPG",
        size_bytes=1,
        width_px=4000,
        height_px=3000,
        make="DJI",
        camera="FC300S",
        focal=FOCAL,
        geotag=geotag,
        attitude=Attitude(yaw_deg=0.0, pitch_deg=-89.9, roll_deg=0.0),
        relative_height_m=60.0,
        taken_at="2023-03-01T12:00:00",
    )


def flight(count: int, lonlat: tuple[float, float] = RAQQA) -> list[MediaItem]:
    return [item(n, tag(lonlat[0] + n * 1e-4, lonlat[1])) for n in range(count)]


def framed(items: list[MediaItem], crs: str | None = None) -> FrameSet:
    stored = {one.sha256: Path("media") / one.sha256 for one in items}
    return frames_of(items, stored, FrameOptions(crs=crs))


def test_positions_go_to_the_utm_zone_of_the_scene() -> None:
    frames = framed(flight(5))
    assert frames.crs == "EPSG:32637"
    assert frames.vertical_datum is VerticalDatum.BAROMETRIC
    assert (frames.skipped, frames.notes) == ((), ())
    first, last = frames.frames[0], frames.frames[4]
    assert first.path == str(Path("media") / first.sha256)
    assert (first.relative_height_m, first.pitch_deg) == (60.0, -89.9)
    assert first.prior_sigma_m == (3.0, 3.0, 3.5)
    assert first.prior_position_m is not None
    assert last.prior_position_m is not None
    assert first.prior_position_m[2] == 300.0
    east_m = last.prior_position_m[0] - first.prior_position_m[0]
    assert east_m == pytest.approx(4e-4 * 111_320 * np.cos(np.radians(35.95)), rel=2e-3)


@share_of_examples(0.5)
@given(lon_deg=st.floats(-179.9, 179.9), lat_deg=st.floats(-79, 79))
def test_positions_come_back_from_any_zone(lon_deg: float, lat_deg: float) -> None:
    items = [item(n, tag(lon_deg, lat_deg)) for n in range(3)]
    frames = framed(items)
    position_m = frames.frames[0].prior_position_m
    assert position_m is not None
    back = transformed_xy(frames.crs, WGS84, [position_m[:2]])[0]
    assert back == pytest.approx((lon_deg, lat_deg), abs=1e-7)


def test_a_block_across_the_180th_meridian_is_one_block() -> None:
    items = [item(n, tag(lon, -17.0)) for n, lon in enumerate((179.999, -179.999, 179.998))]
    frames = framed(items)
    assert frames.notes == ()
    easts_m = [f.prior_position_m[0] for f in frames.frames if f.prior_position_m is not None]
    assert max(easts_m) - min(easts_m) < 400


def test_the_crs_that_was_asked_for_is_used() -> None:
    assert framed(flight(3), crs="epsg:32637").crs == "EPSG:32637"
    stored = {one.sha256: Path(one.name) for one in flight(3)}
    beside = FrameOptions(crs="epsg:32638", confirm_crs=("EPSG:32638",))
    assert frames_of(flight(3), stored, beside).crs == "EPSG:32638"


def test_positions_that_come_to_another_datum_say_how_accurately() -> None:
    frames = framed(flight(3), crs="EPSG:22770")
    assert frames.transformation is not None
    assert frames.transformation.accuracy_m == 5.0
    assert framed(flight(3)).transformation is None


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:1", "Raqqa"])
def test_a_crs_that_cannot_be_used_is_an_error_even_without_positions(crs: str) -> None:
    for items in (flight(3), [item(1)]):
        with pytest.raises(CrsError, match=crs):
            framed(items, crs=crs)


def test_without_positions_the_block_is_local_and_says_so() -> None:
    frames = framed([*flight(2), item(2), item(3)], crs="EPSG:32637")
    assert (frames.crs, frames.vertical_datum) == (LOCAL, VerticalDatum.LOCAL)
    assert all(frame.prior_position_m is None for frame in frames.frames)
    assert len(frames.frames) == 4
    (note,) = frames.notes
    assert note.startswith("2 of 4 images record a position")
    assert "EPSG:32637 cannot be used" in note


def test_some_photographs_without_a_position_stay_in() -> None:
    frames = framed([*flight(4), item(9)])
    assert frames.crs == "EPSG:32637"
    assert frames.frames[-1].prior_position_m is None
    assert frames.frames[-1].prior_sigma_m is None


def test_a_position_in_another_country_is_not_used_and_is_noted() -> None:
    frames = framed([*flight(4), item(7, tag(-91.99, 46.84))])
    assert frames.frames[-1].prior_position_m is None
    (note,) = frames.notes
    assert note.startswith("DJI_7.JPG: its recorded position is ")
    assert "km from the others and is not used" in note


def test_positions_twenty_kilometres_apart_are_one_flight() -> None:
    frames = framed([*flight(4), item(7, tag(RAQQA[0] + 0.2, RAQQA[1]))])
    assert frames.notes == ()
    assert frames.frames[-1].prior_position_m is not None


def test_heights_of_another_datum_are_left_out_and_noted() -> None:
    odd = [item(n, tag(*RAQQA, height_m=324.0, datum=VerticalDatum.ELLIPSOID)) for n in (8, 9)]
    frames = framed([*flight(3), *odd])
    assert frames.vertical_datum is VerticalDatum.BAROMETRIC
    for frame in frames.frames[3:]:
        assert frame.prior_position_m is not None
        assert frame.prior_position_m[2] == 300.0
        assert frame.prior_sigma_m == (3.0, 3.0, HEIGHT_UNKNOWN_SIGMA_M)
    (note,) = frames.notes
    assert "DJI_8.JPG (ellipsoid), DJI_9.JPG (ellipsoid) refer to another and are not used" in note


def test_between_equally_common_datums_the_better_defined_wins() -> None:
    barometric = flight(2)
    fixed = [item(n, tag(*RAQQA, height_m=324.0, datum=VerticalDatum.ELLIPSOID)) for n in (8, 9)]
    assert framed([*barometric, *fixed]).vertical_datum is VerticalDatum.ELLIPSOID
    assert framed([*fixed, *barometric]).vertical_datum is VerticalDatum.ELLIPSOID


def test_without_any_height_the_datum_is_local_and_heights_are_free() -> None:
    frames = framed([item(n, tag(*RAQQA, height_m=None)) for n in range(3)])
    assert frames.vertical_datum is VerticalDatum.LOCAL
    assert "no image records a height" in frames.notes[0]
    assert all(f.prior_sigma_m == (3.0, 3.0, HEIGHT_UNKNOWN_SIGMA_M) for f in frames.frames)


def test_a_missing_height_among_known_ones_is_noted_by_its_sigma_alone() -> None:
    frames = framed([*flight(3), item(8, tag(*RAQQA, height_m=None))])
    assert frames.notes == ()
    assert frames.frames[-1].prior_sigma_m == (3.0, 3.0, HEIGHT_UNKNOWN_SIGMA_M)


def test_a_burst_at_one_place_and_time_is_kept() -> None:
    frames = framed([item(n, tag(*RAQQA)) for n in range(6)])
    assert len(frames.frames) == 6
    assert frames.notes == ()


def test_cameras_are_told_apart_by_everything_that_changes_the_picture() -> None:
    one = item(1)
    upright = replace(one, width_px=3000, height_px=4000)
    other_serial = replace(one, lens_serial="7X")
    zoomed = replace(one, focal=replace(FOCAL, focal_px=4680.0))
    other_model = replace(one, camera="FC6310")
    unnamed = replace(one, make=None, camera=None)
    turned = replace(one, orientation=6)
    keys = [camera_key_of(i) for i in (one, upright, other_serial, zoomed, other_model, unnamed)]
    assert len(set(keys)) == 6
    assert "Canon Canon" not in camera_key_of(replace(one, make="Canon", camera="Canon EOS"))
    assert "DJI" in camera_key_of(replace(one, camera=None))
    assert camera_key_of(turned) == camera_key_of(one)
    assert camera_key_of(item(2)) == camera_key_of(one)
