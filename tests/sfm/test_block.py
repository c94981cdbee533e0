"""Two places photographed on one day: both groups are kept, the larger is mapped, all is told."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from made_up_flight import LENS, NOTHING, ORIGIN_M, flown, frame_of, ground, nadir

from aftermap.errors import ReconstructionError
from aftermap.geo.crs import LOCAL
from aftermap.geo.lens import projected_px
from aftermap.model.camera import FrameSet
from aftermap.model.media import VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.sfm.assemble import Group, reconstruction_of
from aftermap.sfm.block import (
    BundleBlock,
    adjust_with_outlier_rejection,
    block_of,
    is_whole,
    pieces,
    with_frames,
)
from aftermap.sfm.bundle import Priors, block_covariance
from aftermap.sfm.focal import focal_prior_weight, with_focal_weight
from aftermap.sfm.initial_reconstruction import skeletons_of
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.pair_matches import PairMatches
from aftermap.sfm.projection_kernel import Observations, State
from aftermap.sfm.tracks import tracks_from

UTM = "EPSG:32637"
GPS_M = 0.8
NOISE_PX = 0.3
APART_M = np.array([400.0, 100.0, 0.0])
WRONG_SHARE = 0.03


@dataclass(frozen=True, kw_only=True)
class Day:
    """Twelve photographs of one place, six of another, and three that cannot be placed."""

    frames: tuple
    true_m: dict
    points_m: np.ndarray
    skeletons: list
    keypoints: list
    tracks: object


def day_of(seed=31):
    rng = np.random.default_rng(seed)
    frames, keypoints, chain, frame_of_chain, feature = [], [], [], [], []
    true_m, points_m, chains = {}, [], 0
    for name, (strips, per_strip), shift in [
        ("WEST", (2, 3), np.zeros(3)),
        ("EAST", (3, 4), APART_M),
    ]:
        poses = nadir(rng, strips=strips, per_strip=per_strip)
        made = flown(rng, poses, ground(rng, count=500), noise_px=NOISE_PX, gps_m=GPS_M, name=name)
        first = len(frames)
        for i, frame in enumerate(made.frames):
            moved = tuple(float(v) for v in np.add(frame.prior_position_m, shift))
            frames.append(replace(frame, prior_position_m=moved))
            true_m[frame.name] = ORIGIN_M + shift + made.truth.positions[i]
            own = made.sights.frame == i
            wrong = rng.random(own.sum()) < WRONG_SHARE
            xy = made.sights.xy_px[own] + wrong[:, None] * rng.normal(0, 60, (own.sum(), 2))
            keypoints.append(xy)
            chain.append(chains + made.point[own])
            frame_of_chain.append(np.full(own.sum(), first + i))
            feature.append(np.arange(own.sum()))
        chains += len(made.truth.points)
        points_m.append(ORIGIN_M + shift + made.truth.points)
    for k, name in enumerate(["SKY", "SEA"]):
        frames.append(frame_of(k, name=name))
        keypoints.append(np.zeros((5, 2)))
    tracks = tracks_from(
        np.concatenate(chain), np.concatenate(frame_of_chain), np.concatenate(feature)
    )
    return Day(
        frames=tuple(frames),
        true_m=true_m,
        points_m=np.concatenate(points_m),
        skeletons=skeletons_of(frames, keypoints, tracks, PoseOptions()),
        keypoints=keypoints,
        tracks=tracks,
    )


@pytest.fixture(scope="module")
def day():
    return day_of()


@pytest.fixture(scope="module")
def groups(day):
    found = []
    for skeleton in day.skeletons:
        rough = block_of(skeleton, day.frames, day.keypoints, day.tracks)
        factor = focal_prior_weight(rough)
        block, estimate = adjust_with_outlier_rejection(with_focal_weight(rough, factor))
        none = Observations(np.zeros(0, np.int32), np.zeros(1, np.int32), np.zeros((0, 2)))
        found.append(
            Group(
                block=block,
                estimate=estimate,
                covariance=block_covariance(estimate, block.sights, block.sigma_px, block.knowns),
                factor=factor,
                others=(block.state._replace(points=NOTHING), none),
            )
        )
    return found


def reconstruction(day, groups, folder, **changes):
    frame_set = FrameSet(
        crs=UTM,
        vertical_datum=VerticalDatum.ELLIPSOID,
        frames=day.frames,
        skipped=(Skipped(name="notes.txt", reason="is not a photograph"),),
    )
    sea = len(day.frames) - 1
    nothing = np.zeros((0, 2), np.int32)
    pairs = [PairMatches(first=0, second=sea, matches=nothing, distance=np.zeros(0, np.float32))]
    return reconstruction_of(
        replace(frame_set, **changes), UTM, groups, pairs, folder / "points.npz", (), ["Told."]
    )


@pytest.fixture(scope="module")
def told(day, groups, tmp_path_factory):
    return reconstruction(day, groups, tmp_path_factory.mktemp("points"))


def test_both_places_are_found_the_larger_first(day):
    assert [len(s.frames) for s in day.skeletons] == [12, 6]
    assert {day.frames[i].name.split("_")[0] for i in day.skeletons[0].frames} == {"EAST"}
    assert {day.frames[i].name.split("_")[0] for i in day.skeletons[1].frames} == {"WEST"}


def test_both_groups_are_kept_and_the_larger_is_mapped(told):
    assert told.group_sizes == (12, 6)
    assert told.mapped_group == 0
    assert {p.frame.name.split("_")[0] for p in told.mapped} == {"EAST"}
    assert Counter(p.group for p in told.placed) == {0: 12, 1: 6}
    assert [p.group for p in told.placed] == sorted(p.group for p in told.placed)
    assert "Told." in told.warnings


def test_every_photograph_lies_within_the_gps_noise_of_where_it_was_taken(told, day):
    error = np.array(
        [np.subtract(p.pose.position_m, day.true_m[p.frame.name]) for p in told.placed]
    )
    group = np.array([p.group for p in told.placed])
    for number in (0, 1):
        own = error[group == number]
        assert np.abs(own.mean(axis=0)).max() < 3.5 * GPS_M / np.sqrt(len(own))
        assert (own.std(axis=0) < GPS_M).all()


def test_the_stated_covariance_holds(told, day):
    """Errors in sigmas: the mean of their squares is three if the covariance tells the truth."""
    squared = []
    for placed in told.placed:
        error = np.subtract(placed.pose.position_m, day.true_m[placed.frame.name])
        squared.append(error @ np.linalg.solve(np.array(placed.pose.covariance_m2), error))
    assert np.mean(squared) < 3 * 3
    assert np.mean(squared) > 0.1


def test_wrong_matches_are_thrown_out(told):
    assert told.reprojection_px < 2.5 * NOISE_PX
    for placed in told.placed:
        assert placed.reprojection_px < 2.5 * NOISE_PX


def test_the_noise_of_the_pictures_is_not_taken_for_smaller_than_it_is(groups):
    """Every stated accuracy follows from it. Short tracks swallow much of their own noise."""
    for group in groups:
        assert group.block.sigma_px[0] == pytest.approx(NOISE_PX, rel=0.2)


def test_a_camera_turned_as_the_gimbal_says_shows_north_on_top_or_below(told):
    """Level axes: the picture's long side runs north-south on lines flown east and west."""
    for placed in told.mapped:
        rotation = np.array(placed.pose.rotation_cam_from_world)
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
        assert rotation[2] @ [0, 0, -1] > np.cos(np.radians(8))
        assert abs(rotation[1, 0]) > np.cos(np.radians(8))


def test_the_points_file_shows_the_ground_and_which_photographs_see_it(told, day):
    with np.load(told.points) as archive:
        xyz, frame, point = archive["xyz_m"], archive["frame_index"], archive["point_index"]
    assert frame.max() == len(told.placed) - 1
    assert point.max() == len(xyz) - 1
    assert (np.bincount(point) >= 2).all()
    for number, placed in enumerate(told.placed):
        own = xyz[point[frame == number]]
        assert len(own) == placed.tie_points
        assert (np.ptp(own, axis=0)[:2] < 150).all(), "what one photograph sees lies together"
        cam = (own - placed.pose.position_m) @ np.array(placed.pose.rotation_cam_from_world).T
        seen = projected_px(cam, told.cameras[placed.camera].params)
        assert ((seen > -5) & (seen < [1205, 905])).all()
        low, high = placed.ground_m
        assert np.mean((own[:, 2] >= low) & (own[:, 2] <= high)) > 0.9
        assert low == pytest.approx(ORIGIN_M[2], abs=4)
        assert high == pytest.approx(ORIGIN_M[2] + 10, abs=4)
    assert np.abs(np.median(xyz[:, 2]) - np.median(day.points_m[:, 2])) < 2.5


def test_each_group_has_a_camera_of_its_own_and_says_what_became_of_the_focal_length(told):
    assert len(told.cameras) == 2
    for placed in told.placed:
        assert placed.camera == placed.group
    for camera in told.cameras:
        assert camera.model == "OPENCV"
        assert camera.focal_px == pytest.approx(LENS[0], rel=0.01)
        assert camera.focal_prior_px == LENS[0]
        assert camera.focal_decision


def test_what_could_not_be_placed_is_listed_with_its_reason(told):
    reasons = {s.name: s.reason for s in told.skipped}
    assert reasons == {
        "notes.txt": "is not a photograph",
        "SKY_0001.JPG": "could not be matched to any other image",
        "SEA_0002.JPG": "matches other images, but not well enough to estimate its position",
    }


def test_every_photograph_is_either_placed_or_skipped(told, day):
    names = [p.frame.name for p in told.placed] + [s.name for s in told.skipped]
    assert sorted(names) == sorted([f.name for f in day.frames] + ["notes.txt"])


def test_a_group_without_positions_is_not_put_beside_one_that_has_them(day, groups, tmp_path):
    lost = replace(groups[1], block=replace(groups[1].block, located=False))
    told = reconstruction(day, [groups[0], lost], tmp_path)
    assert {p.group for p in told.placed} == {0}
    assert told.group_sizes == (12, 6)
    reasons = [s.reason for s in told.skipped if s.name.startswith("WEST")]
    assert len(reasons) == 6
    assert all("a group of 6 images" in r for r in reasons)
    assert all("no recorded positions" in r and "not known" in r for r in reasons)


def test_a_map_without_positions_is_local_and_says_who_is_elsewhere(day, groups, tmp_path):
    lost = replace(groups[0], block=replace(groups[0].block, located=False))
    told = reconstruction(day, [lost, groups[1]], tmp_path)
    assert told.crs == LOCAL
    assert told.vertical_datum is VerticalDatum.LOCAL
    reasons = [s.reason for s in told.skipped if s.name.startswith("WEST")]
    assert all("mapped images, which have no recorded positions" in r for r in reasons)


def test_heights_are_those_of_the_survey_where_marks_hold_the_map(day, groups, tmp_path):
    held = [replace(groups[0], controlled=True), groups[1]]
    assert reconstruction(day, held, tmp_path).vertical_datum is VerticalDatum.CONTROL
    assert reconstruction(day, groups, tmp_path).vertical_datum is VerticalDatum.ELLIPSOID


def test_without_any_positions_the_block_is_level_and_a_hundred_units_high(day):
    frames = tuple(replace(f, prior_position_m=None, prior_sigma_m=None) for f in day.frames)
    rough = block_of(day.skeletons[0], frames, day.keypoints, day.tracks)
    block, _ = adjust_with_outlier_rejection(rough, rounds=1)
    assert not block.located
    assert isinstance(block, BundleBlock)
    assert np.median(block.state.positions[:, 2]) == pytest.approx(100, rel=0.05)
    names = [f.name for f in block.frames]
    true = np.array([day.true_m[n] for n in names])
    true -= true.mean(axis=0)
    found = block.state.positions - block.state.positions.mean(axis=0)
    ratio = np.linalg.norm(found, axis=1).sum() / np.linalg.norm(true, axis=1).sum()
    assert np.allclose(
        np.linalg.svd(found / ratio, compute_uv=False)[:2],
        np.linalg.svd(true, compute_uv=False)[:2],
        rtol=0.02,
    )


def test_three_photographs_that_share_too_few_points_are_refused_by_name(day):
    few = np.isin(day.tracks.track, np.unique(day.tracks.track)[:8])
    tracks = tracks_from(day.tracks.track[few], day.tracks.frame[few], day.tracks.feature[few])
    with pytest.raises(ReconstructionError, match=r"WEST_0001\.JPG and 5 more: have too few"):
        block_of(day.skeletons[1], day.frames, day.keypoints, tracks)


def test_photographs_that_share_nothing_give_no_group():
    none = tracks_from(*np.zeros((3, 0), int))
    frames = [frame_of(i) for i in range(4)]
    assert skeletons_of(frames, [np.zeros((3, 2))] * 4, none, PoseOptions()) == []


def joined(rng, shared, *, located=False, loose_sees=None):
    """Two flights of one block, 12 frames each, with so many points that both see.

    With ``loose_sees`` one frame of the second sees no more points than that.
    """
    poses = [nadir(rng, strips=3, per_strip=4) for _ in range(2)]
    far = np.array([400.0, 0.0, 0.0])
    rotations = np.concatenate([r for r, _ in poses])
    positions = np.concatenate([poses[0][1], poses[1][1] + far])
    points, sees = [], []
    for first in (0, 12):
        points.append(ground(rng, count=120) + (far if first else 0))
        sees += [first + rng.permutation(12)[:5] for _ in range(120)]
    points.append(ground(rng, count=shared))
    sees += [
        np.concatenate([rng.permutation(12)[:3], 12 + rng.permutation(12)[:3]])
        for _ in range(shared)
    ]
    frames = tuple(frame_of(i) for i in range(24))
    if loose_sees is not None:
        budget = iter([True] * loose_sees)
        sees = [s[(s != 23) | np.array([f == 23 and next(budget, False) for f in s])] for s in sees]
    start = np.concatenate([[0], np.cumsum([len(s) for s in sees])]).astype(np.int32)
    frame = np.concatenate(sees).astype(np.int32)
    nothing = np.full((24, 3), np.nan)
    points_m = np.concatenate(points)
    return BundleBlock(
        frames=frames,
        camera_keys=(frames[0].camera_key,),
        state=State(rotations, positions, LENS[None], np.zeros(24, np.int32), points_m),
        sights=Observations(frame, start, rng.uniform(0, 900, (len(frame), 2))),
        sigma_px=np.ones(len(frame)),
        knowns=Priors(
            positions=nothing,
            position_sigma=nothing,
            offset_sigma=np.ones(3),
            lenses=LENS[None],
            lens_sigma=np.ones((1, 8)),
            points=np.full_like(points_m, np.nan),
            point_sigma=np.full_like(points_m, np.nan),
            rotations=np.full((24, 3, 3), np.nan),
            turn_sigma=nothing,
        ),
        offset_m=np.zeros(3),
        located=located,
    )


@pytest.mark.parametrize(("shared", "parts"), [(0, [12, 12]), (2, [12, 12]), (40, [24])])
def test_a_block_that_hangs_by_a_few_points_is_pieces(shared, parts):
    block = joined(np.random.default_rng(5), shared)
    found = pieces(block)
    assert [int(part.sum()) for part in found] == parts
    assert is_whole(block) is (len(parts) == 1)
    assert is_whole(joined(np.random.default_rng(5), shared, located=True))


@pytest.mark.parametrize("sees", [0, 3, 11])
def test_a_frame_that_few_points_hold_is_in_no_piece(sees):
    block = joined(np.random.default_rng(6), 40, loose_sees=sees)
    (found,) = pieces(block)
    assert list(np.flatnonzero(~found)) == [23]


def test_a_part_of_a_block_keeps_its_own_observations_and_nothing_else():
    block = joined(np.random.default_rng(7), 5)
    kept = np.arange(24) >= 12
    part = with_frames(block, kept)
    assert part.frames == block.frames[12:]
    assert np.array_equal(part.state.positions, block.state.positions[12:])
    assert len(part.sigma_px) == len(part.sights.frame) == part.sights.start[-1]
    assert len(part.knowns.points) == len(part.state.points) == 125
    assert np.diff(part.sights.start).min() >= 2
    sights = {
        (f, *xy, *point)
        for f, xy, point in zip(
            part.sights.frame + 12,
            part.sights.xy_px.tolist(),
            np.repeat(part.state.points, np.diff(part.sights.start), axis=0).tolist(),
            strict=True,
        )
    }
    every = zip(
        block.sights.frame,
        block.sights.xy_px.tolist(),
        np.repeat(block.state.points, np.diff(block.sights.start), axis=0).tolist(),
        strict=True,
    )
    assert sights == {(f, *xy, *point) for f, xy, point in every if f >= 12}


def test_fewer_than_three_frames_are_no_piece():
    block = joined(np.random.default_rng(8), 40)
    with pytest.raises(ReconstructionError, match="too few common tie points"):
        pieces(with_frames(block, np.arange(24) < 2))
