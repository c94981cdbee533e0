"""The path of a clip's camera: honest between its frames, silent across cuts and long gaps."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from aftermap.geo.axes import gimbal_angles_deg, rotation_cam_from_world
from aftermap.geo.pose_interpolation import LONGEST_GAP_S
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.clip import Moment
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.trajectory import PoseSource
from aftermap.sfm.assemble import _about_the_world
from aftermap.trajectory.from_reconstruction import trajectories_of

COVARIANCE = tuple(tuple(row) for row in np.diag([0.04, 0.04, 0.09, 1e-6, 1e-6, 1e-6]).tolist())


def frame(time_s, *, east_m=0.0, yaw_deg=0.0, shot=0, clip="a" * 64):
    picture = Frame(
        sha256=f"{float(time_s):064.3f}",
        name=f"clip {time_s}",
        path="x.png",
        width_px=1280,
        height_px=720,
        orientation=1,
        camera_key="clip",
        focal_px=850.0,
        focal_sigma_px=9.0,
        focal_source=FocalSource.ASSUMED,
        moment=Moment(clip_sha256=clip, clip_name="c.mp4", time_s=Fraction(time_s), shot=shot),
    )
    rotation = rotation_cam_from_world(yaw_deg, -45.0, 0.0)
    return PlacedFrame(
        frame=picture,
        camera=0,
        reprojection_px=0.4,
        tie_points=200,
        group=0,
        ground_m=(240.0, 250.0),
        covariance=COVARIANCE,
        pose=CameraPose(
            rotation_cam_from_world=tuple(map(tuple, rotation.tolist())),
            position_m=(east_m, 0.0, 300.0),
            covariance_m2=tuple(tuple(row[:3]) for row in COVARIANCE[:3]),
        ),
    )


def made(*frames):
    camera = Camera(
        model="OPENCV",
        width_px=1280,
        height_px=720,
        params=(850.0, 850.0, 640, 360, 0, 0, 0, 0),
        focal_prior_px=850.0,
        focal_prior_source=FocalSource.ASSUMED,
        focal_sigma_px=9.0,
        focal_decision="held",
    )
    return Reconstruction(
        crs="EPSG:32637",
        vertical_datum=VerticalDatum.GEOID,
        cameras=(camera,),
        placed=frames,
        skipped=(),
        points="points.npz",
        mapped_group=0,
        group_sizes=(len(frames),),
        reprojection_px=0.4,
    )


def test_between_two_frames_the_camera_moves_and_turns_evenly():
    first, last = frame(0, yaw_deg=350), frame(1, east_m=5.0, yaw_deg=10)
    (path,) = trajectories_of(made(last, first))
    assert [p.time_s for p in path.poses] == [Fraction(k, 5) for k in range(6)]
    assert [p.pose.position_m[0] for p in path.poses] == pytest.approx([0, 1, 2, 3, 4, 5])
    yaws = [gimbal_angles_deg(p.pose.rotation_cam_from_world)[0] for p in path.poses]
    assert np.unwrap(yaws, period=360)[3] - yaws[0] == pytest.approx(12, abs=1)
    assert {p.source for p in path.poses} == {PoseSource.RECONSTRUCTION}
    assert path.ground_m == pytest.approx(245)


def test_a_pose_between_frames_is_never_surer_than_they_are():
    (path,) = trajectories_of(made(frame(0), frame(2, east_m=9.0)))
    sizes = [np.trace(np.array(p.covariance)) for p in path.poses]
    assert max(sizes) == pytest.approx(sizes[len(sizes) // 2])
    assert sizes[0] == pytest.approx(np.trace(np.array(COVARIANCE)))
    assert min(sizes[1:-1]) > sizes[0]


def test_nothing_is_filled_in_across_a_cut_or_a_long_gap():
    cut = trajectories_of(made(frame(0), frame(1, shot=1)))[0]
    assert [p.shot for p in cut.poses] == [0, 1]
    gap = trajectories_of(made(frame(0), frame(LONGEST_GAP_S + 1)))[0]
    assert len(gap.poses) == 2


def test_every_clip_has_a_path_of_its_own_and_photographs_have_none():
    one, other = frame(0), frame(0, clip="b" * 64)
    photograph = replace(one, frame=replace(one.frame, moment=None))
    paths = trajectories_of(made(one, photograph, other))
    assert [p.clip_sha256[0] for p in paths] == ["a", "b"]


def test_the_turn_in_a_covariance_is_about_the_axes_of_the_world():
    rng = np.random.default_rng(5)
    rotation = Rotation.random(rng=rng).as_matrix()
    factor = rng.normal(size=(6, 6)) * 1e-4
    draws = rng.multivariate_normal(np.zeros(6), factor @ factor.T, size=4000)
    turns = []
    for draw in draws:
        true_world_from_cam = (Rotation.from_rotvec(draw[:3]).as_matrix() @ rotation).T
        turns.append(Rotation.from_matrix(true_world_from_cam @ rotation).as_rotvec())
    seen = np.cov(np.hstack([draws[:, 3:], turns]).T)
    told = np.array(_about_the_world(factor @ factor.T, rotation))
    assert np.abs(seen - told).max() < 0.1 * np.abs(told).max()


def test_over_its_own_map_a_frame_of_the_mapped_group_is_as_sure_as_it_fits_there():
    shared = tuple(tuple(row) for row in np.diag([9.0, 9.0, 25.0, 1e-3, 1e-3, 1e-3]).tolist())
    placed = [
        replace(
            frame(Fraction(k), clip=clip * 64),
            covariance=shared,
            covariance_in_case=COVARIANCE,
            group=group,
        )
        for k, clip, group in ((0, "a", 0), (1, "a", 0), (0, "b", 1))
    ]
    own, other = trajectories_of(made(*placed), on_own_map=True)
    assert np.diag(own.poses[0].covariance) == pytest.approx([9, 9, 0.09, 1e-6, 1e-6, 1e-6])
    assert other.poses[0].covariance == shared
    assert trajectories_of(made(*placed))[0].poses[0].covariance == shared
