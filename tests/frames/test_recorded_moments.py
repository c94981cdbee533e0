"""What a track says of the moment of a frame: between close samples, never across a long gap."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.frames.recorded import with_recorded_positions
from aftermap.geo.track import LONGEST_GAP_S
from aftermap.model.camera import Frame
from aftermap.model.clip import Moment
from aftermap.model.media import Attitude, FocalSource, VerticalDatum
from aftermap.model.telemetry import TelemetrySample, Track

LONGEST_GAP = Fraction(LONGEST_GAP_S)


def frame(time_s):
    return Frame(
        sha256="f" * 64,
        name="c.mp4 00:00:01",
        path="x.png",
        width_px=1280,
        height_px=720,
        orientation=1,
        camera_key="c",
        focal_px=850.0,
        focal_sigma_px=40.0,
        focal_source=FocalSource.ASSUMED,
        moment=Moment(clip_sha256="c" * 64, clip_name="c.mp4", time_s=Fraction(time_s), shot=0),
    )


def sample(time_s, lon_deg=39.0, *, yaw_deg=0.0, height_m=300.0, relative_m=60.0):
    return TelemetrySample(
        time_s=Fraction(time_s),
        lonlat_deg=None if lon_deg is None else (lon_deg, 35.9),
        height_m=height_m,
        relative_height_m=relative_m,
        attitude=Attitude(yaw_deg=yaw_deg, pitch_deg=-45.0, roll_deg=0.0),
    )


def track(*samples, datum=VerticalDatum.BAROMETRIC):
    return Track(
        sha256="5" * 64,
        name="c.SRT",
        dialect="dji modern",
        clock="video",
        vertical_datum=datum,
        sigma_horizontal_m=4.0,
        sigma_vertical_m=10.0,
        samples=samples,
    )


def told(time_s, *samples, **of):
    return with_recorded_positions([frame(time_s)], track(*samples, **of))[0]


def test_a_moment_between_two_samples_gets_what_lies_between_them():
    one = told("0.25", sample(0, 39.0), sample(1, 39.4, height_m=304.0, relative_m=64.0))
    assert one.geotag.lon_deg == pytest.approx(39.1)
    assert (one.geotag.height_m, one.geotag.vertical_datum) == (301.0, VerticalDatum.BAROMETRIC)
    assert one.frame.relative_height_m == 61.0
    assert one.frame.pitch_deg == -45.0
    assert one.geotag.sigma_horizontal_m == 4.0


@given(st.floats(-180, 180), st.floats(-170, 170), st.floats(0, 1))
def test_a_place_across_the_antimeridian_is_reached_the_short_way(start, way, share):
    end = (start + way + 180) % 360 - 180
    one = told(Fraction(share).limit_denominator(1000), sample(0, start), sample(1, end))
    gone = (one.geotag.lon_deg - start + 180) % 360 - 180
    assert min(0, way) - 1e-6 <= gone <= max(0, way) + 1e-6


def test_a_moment_in_a_long_gap_or_far_outside_gets_no_place():
    samples = sample(0), sample(LONGEST_GAP * 2)
    assert told(LONGEST_GAP, *samples).geotag is None
    assert told(0, *samples).geotag.lon_deg == sample(0).lonlat_deg[0]
    assert told(LONGEST_GAP * 2 + 5, *samples).geotag is None


def test_a_sample_without_a_fix_gives_no_place_and_keeps_its_angles():
    one = told("0.5", sample(0, None), sample(1))
    assert one.geotag is None
    assert one.frame.pitch_deg == -45.0


def test_a_height_above_take_off_is_called_that():
    one = told(0, sample(0, height_m=None), datum=VerticalDatum.UNKNOWN)
    assert (one.geotag.height_m, one.geotag.vertical_datum.value) == (60.0, "takeoff_relative")


def test_without_a_track_a_frame_is_as_it_was():
    assert with_recorded_positions([frame(1)], None)[0].frame == frame(1)
    assert with_recorded_positions([frame(1)], track())[0].geotag is None


def test_a_roll_that_was_not_recorded_leaves_the_view_and_turns_freely_about_it():
    with_roll = told(0, sample(0)).frame
    level = replace(sample(0), attitude=Attitude(yaw_deg=0.0, pitch_deg=-45.0, roll_deg=None))
    without = told(0, level).frame
    assert without.prior_rotation_cam_from_world == with_roll.prior_rotation_cam_from_world
    assert (without.pitch_deg, without.yaw_deg) == (-45.0, 0.0)
    east, north, up = without.prior_turn_sigma_rad
    assert east == with_roll.prior_turn_sigma_rad[0]  # the view looks north and down
    assert min(north, up) > 0.2
