"""Poses by telemetry alone: as far off as they say, from a record whose errors are known."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aftermap.geo.axes import gimbal_angles_deg, rotation_cam_from_world
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.model.clip import Clip, ClipOffsets, Shot
from aftermap.model.media import Attitude, FocalPrior, FocalSource, VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.model.telemetry import TelemetrySample, Track
from aftermap.model.trajectory import PoseSource
from aftermap.trajectory.from_telemetry import Floor, joined_trajectory, trajectory_from_telemetry

CRS = "EPSG:32637"
EAST_M, NORTH_M, GROUND_M = 500_800.0, 3_978_300.0, 240.0
SHOTS = (Shot(index=0, start_s=Fraction(0), end_s=Fraction(20), begins="clip"),)
FLAT = Floor(datum=VerticalDatum.ELLIPSOID, level_m=GROUND_M)


def flown_at(time_s):
    """East, north, up, yaw, pitch of the true camera: a slow turn while it climbs."""
    return np.array(
        [
            EAST_M + 4 * time_s,
            NORTH_M + 20 * np.sin(time_s / 8),
            GROUND_M + 70 + time_s / 2,
            20 + 2 * time_s,
            -50.0,
        ]
    )


def sample(time_s, values, *, shown_s=None, **changes):
    east, north, up, yaw, pitch = values
    ((lon, lat),) = transformed_xy(CRS, WGS84, [(east, north)])
    told = TelemetrySample(
        time_s=Fraction(time_s if shown_s is None else shown_s).limit_denominator(1000),
        lonlat_deg=(float(lon), float(lat)),
        height_m=float(up),
        relative_height_m=float(up) - GROUND_M,
        attitude=Attitude(yaw_deg=float(yaw), pitch_deg=float(pitch), roll_deg=0.0),
        hfov_deg=70.0,
    )
    return replace(told, **changes)


def clip_with(samples, *, clock="video", datum=VerticalDatum.ELLIPSOID, sigmas=(3.0, 5.0)):
    track = Track(
        sha256="b" * 64,
        name="DJI_0001.SRT",
        dialect="made up",
        clock=clock,
        vertical_datum=datum,
        sigma_horizontal_m=sigmas[0],
        sigma_vertical_m=sigmas[1],
        samples=tuple(samples),
    )
    return Clip(
        sha256="a" * 64,
        name="DJI_0001.MP4",
        size_bytes=1,
        container="mp4",
        codec="h264",
        width_px=1280,
        height_px=720,
        time_base_s=Fraction(1, 25),
        start_s=Fraction(0),
        duration_s=Fraction(20),
        frame_rate_hz=Fraction(25),
        track=track,
        focal=FocalPrior(focal_px=900.0, sigma_px=90.0, source=FocalSource.FOCAL_35MM),
    )


def true_record(**changes):
    return [sample(t / 2, flown_at(t / 2), **changes) for t in range(41)]


def looked_at(position_m, rotation):
    ray = np.array(rotation)[2]
    return np.asarray(position_m) + ray * (GROUND_M - position_m[2]) / ray[2]


def meridian_deg():
    """How far true north lies clockwise of grid north there."""
    ((lon, lat),) = transformed_xy(CRS, WGS84, [(EAST_M, NORTH_M)])
    here, northward = transformed_xy(WGS84, CRS, [(lon, lat), (lon, lat + 1e-3)])
    return float(np.degrees(np.arctan2(*(northward - here))))


def test_a_true_record_gives_the_true_path():
    path = trajectory_from_telemetry(clip_with(true_record()), SHOTS, CRS, FLAT)
    assert len(path.poses) == 40
    for pose in path.poses:
        east, north, up, yaw, pitch = flown_at(float(pose.time_s))
        assert pose.pose.position_m == pytest.approx((east, north, up), abs=0.05)
        found = gimbal_angles_deg(pose.pose.rotation_cam_from_world)
        assert found[0] == pytest.approx(yaw + meridian_deg(), abs=0.1)
        assert found[1] == pytest.approx(pitch, abs=0.01)
        assert pose.source is PoseSource.TELEMETRY
    assert path.camera.focal_px == pytest.approx(640 / np.tan(np.radians(35)))


def test_nine_of_ten_places_lie_within_what_is_stated():
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(200):
        shift_m = rng.normal(0, [3, 3, 5])
        lean, turn = rng.normal(0, 2.0), rng.normal(0, 5.0)
        clock_s = rng.normal(0, 0.5)
        off = np.array([*shift_m, turn - meridian_deg(), lean])
        record = [
            sample(t / 2, flown_at(t / 2) + off, shown_s=t / 2 + clock_s) for t in range(-4, 45)
        ]
        path = trajectory_from_telemetry(clip_with(record), SHOTS, CRS, FLAT)
        pose = path.poses[20]
        stated = looked_at(pose.pose.position_m, pose.pose.rotation_cam_from_world)
        east, north, up, yaw, pitch = flown_at(float(pose.time_s))
        truth = looked_at((east, north, up), rotation_cam_from_world(yaw, pitch, 0.0))
        spread = ground_covariance_m2(
            pose.pose.position_m, stated[None], pose.covariance, ground_sigma_m=0.5
        )
        inside.append(np.hypot(*(stated - truth)[:2]) < ce90_m(spread)[0])
    assert 0.85 <= np.mean(inside) <= 0.98


def test_take_off_is_put_on_the_ground_where_the_datums_differ():
    path = trajectory_from_telemetry(
        clip_with(true_record(height_m=999.0), datum=VerticalDatum.BAROMETRIC), SHOTS, CRS, FLAT
    )
    assert path.poses[0].pose.position_m[2] == pytest.approx(GROUND_M + 70, abs=0.01)
    assert path.vertical_datum is VerticalDatum.ELLIPSOID
    assert "take-off height assumed at 240 m" in path.notes[0]


def test_without_any_ground_it_is_taken_as_flat_and_as_high_as_take_off():
    path = trajectory_from_telemetry(clip_with(true_record()), SHOTS, CRS, Floor())
    assert path.ground_m == pytest.approx(GROUND_M)
    assert path.poses[0].pose.position_m[2] - path.ground_m == pytest.approx(70, abs=0.01)
    assert "flat, at take-off height" in path.notes[0]


def test_heights_of_unlike_datums_are_set_together_with_what_they_may_differ_by():
    record = true_record(relative_height_m=None)
    path = trajectory_from_telemetry(
        clip_with(record, datum=VerticalDatum.GEOID), SHOTS, CRS, Floor(level_m=240.0)
    )
    assert path.poses[0].covariance[2][2] == pytest.approx(25.0, abs=0.2)
    path = trajectory_from_telemetry(clip_with(record), SHOTS, CRS, Floor(level_m=240.0))
    assert path.poses[0].covariance[2][2] == pytest.approx(2500.0, abs=0.2)


@pytest.mark.parametrize(
    ("clip", "told"),
    [
        (replace(clip_with([]), track=None), "has none"),
        (clip_with(true_record(lonlat_deg=None)), "has times but no positions"),
        (clip_with(true_record(attitude=None)), "has no camera attitude"),
        (clip_with(true_record(), clock="recorder"), "unknown offset"),
        (clip_with([sample(100, flown_at(0))]), "do not overlap in time"),
        (clip_with(true_record(height_m=None, relative_height_m=None)), "no height is recorded"),
    ],
)
def test_what_places_nothing_is_told(clip, told):
    found = trajectory_from_telemetry(clip, SHOTS, CRS, FLAT)
    assert isinstance(found, Skipped)
    assert told in found.reason


def test_straight_down_the_direction_of_north_is_hardly_known():
    record = [sample(t / 2, [*flown_at(t / 2)[:4], -90.0]) for t in range(41)]
    path = trajectory_from_telemetry(clip_with(record), SHOTS, CRS, FLAT)
    assert np.degrees(np.sqrt(path.poses[0].covariance[5][5])) > 40


def test_constants_that_the_pictures_gave_are_taken_off():
    off = np.array([0, 0, 12.0, 6.0, 0])
    record = [sample(t / 2, flown_at(t / 2) + off, shown_s=t / 2 - 0.6) for t in range(-4, 45)]
    offsets = ClipOffsets(
        clip_sha256="a" * 64,
        clip_name="DJI_0001.MP4",
        time_offset_s=0.6,
        time_sigma_s=0.05,
        is_determined=True,
        height_offset_m=12.0,
        height_sigma_m=0.5,
        yaw_offset_deg=6.0,
        yaw_sigma_deg=0.4,
    )
    path = trajectory_from_telemetry(clip_with(record), SHOTS, CRS, FLAT, offsets)
    pose = path.poses[20]
    assert pose.pose.position_m == pytest.approx(tuple(flown_at(10.0)[:3]), abs=0.05)
    yaw = gimbal_angles_deg(pose.pose.rotation_cam_from_world)[0]
    assert yaw == pytest.approx(flown_at(10.0)[3], abs=0.05)
    plain = trajectory_from_telemetry(clip_with(record), SHOTS, CRS, FLAT)
    assert pose.covariance[2][2] < plain.poses[20].covariance[2][2]
    assert pose.covariance[5][5] < plain.poses[20].covariance[5][5]


def test_the_record_fills_only_what_the_pictures_leave_open():
    record = trajectory_from_telemetry(clip_with(true_record()), SHOTS, CRS, FLAT)
    known = replace(
        record,
        poses=tuple(
            replace(pose, source=PoseSource.RECONSTRUCTION)
            for pose in record.poses
            if pose.time_s < 8
        ),
    )
    path = joined_trajectory(known, record, apart_s=Fraction(2))
    times = [float(pose.time_s) for pose in path.poses]
    assert times == sorted(times)
    assert {float(p.time_s) for p in path.poses if p.source is PoseSource.TELEMETRY} == {
        t / 2 for t in range(20, 40)
    }
    assert joined_trajectory(record, record, apart_s=Fraction(2)) == record


def test_a_roll_that_was_not_recorded_is_wide_about_the_view_and_noted():
    """It became 0, as sure as a recorded one."""
    times = np.arange(0, 20.5, 0.5)
    known = clip_with([sample(t, flown_at(t)) for t in times])
    attitude = [Attitude(yaw_deg=20 + 2 * t, pitch_deg=-50.0, roll_deg=None) for t in times]
    samples = [sample(t, flown_at(t), attitude=one) for t, one in zip(times, attitude, strict=True)]
    with_roll = trajectory_from_telemetry(known, SHOTS, CRS, FLAT)
    without = trajectory_from_telemetry(clip_with(samples), SHOTS, CRS, FLAT)
    assert any("records no roll" in note for note in without.notes)
    assert not any("records no roll" in note for note in with_roll.notes)
    for sure, wide in zip(with_roll.poses, without.poses, strict=True):
        assert np.allclose(
            sure.pose.rotation_cam_from_world, wide.pose.rotation_cam_from_world, atol=1e-9
        )
        view = np.array(wide.pose.rotation_cam_from_world)[2]
        more = np.array(wide.covariance)[3:, 3:] - np.array(sure.covariance)[3:, 3:]
        assert np.sqrt(view @ more @ view) == pytest.approx(np.radians(20))
        across = np.cross(view, [0, 0, 1])
        assert across @ more @ across == pytest.approx(0, abs=1e-9)
