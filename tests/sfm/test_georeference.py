"""Rough poses laid onto recorded positions, or levelled where there are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_flight import frame_of, ground, jittered, nadir, oblique
from scipy.spatial.transform import Rotation

from aftermap.sfm.georeference import plumb_line, similarity, world_from_positions
from aftermap.sfm.levelling import LOCAL_HEIGHT, world_from_pictures

GPS_M = 1.0


@st.composite
def similarities(draw):
    rotation = Rotation.random(rng=np.random.default_rng(draw(st.integers(0, 9999)))).as_matrix()
    scale = draw(st.floats(0.01, 100))
    shift = np.array([draw(st.floats(-1e3, 1e3)) for _ in range(3)])
    return scale, rotation, shift


def moved(points, world):
    scale, rotation, shift = world
    return scale * points @ rotation.T + shift


def unmoved(points, world):
    scale, rotation, shift = world
    return (points - shift) @ rotation / scale


def tilt_deg(rotation):
    """How far a rotation of the world tips the plumb line."""
    return np.degrees(np.arccos(np.clip(rotation[2, 2], -1, 1)))


@given(world=similarities(), seed=st.integers(0, 999), flat=st.booleans())
def test_a_scaled_turned_and_shifted_block_is_laid_back_exactly(world, seed, flat):
    rng = np.random.default_rng(seed)
    source = rng.normal(0, 10, (8, 3)) * [1, 1, 0 if flat else 1]
    scale, rotation, shift = similarity(source, moved(source, world), rng.uniform(0.5, 2, 8))
    assert scale == pytest.approx(world[0], rel=1e-9)
    assert np.allclose(rotation, world[1], atol=1e-9)
    assert np.allclose(shift, world[2], atol=1e-6)


def test_a_mirrored_block_is_never_taken_for_a_turned_one():
    source = np.random.default_rng(1).normal(0, 10, (8, 3))
    _, rotation, _ = similarity(source, source * [1, 1, -1], np.ones(8))
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(world=similarities(), seed=st.integers(0, 999))
def test_a_flight_comes_to_lie_where_the_gps_says_within_its_noise(world, seed):
    rng = np.random.default_rng(seed)
    _, true = nadir(rng)
    recorded = true + rng.normal(0, GPS_M, true.shape)
    rough = unmoved(true, world)
    down = world[1].T @ [0, 0, -1]
    found = world_from_positions(rough, down, 80 / world[0], recorded, np.full(true.shape, GPS_M))
    error = moved(rough, found) - true
    assert np.sqrt((error**2).mean(axis=0)).max() < 3 * GPS_M / np.sqrt(len(true)) + 0.5
    assert found[0] / world[0] == pytest.approx(1, abs=0.03)
    assert tilt_deg(found[1] @ world[1].T) < 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("climb", [0.0, 0.15])
def test_a_single_flight_line_does_not_tip_over(seed, climb):
    """Positions along one line say nothing of the roll about it: the plumb line must."""
    rng = np.random.default_rng([seed, 7])
    along = np.arange(12) * 15.0
    true = np.column_stack([along, 0 * along, 80 + climb * along])
    true[:, 1:] += rng.normal(0, 0.3, (12, 2))
    rotations = jittered(rng, np.full(12, 90.0), np.full(12, -90.0), 1.5)
    frames = [frame_of(i) for i in range(12)]
    recorded = true + rng.normal(0, GPS_M, true.shape)
    turn = Rotation.random(rng=rng).as_matrix()
    world = 25.0, turn, np.array([3.0, 9.0, -4.0])
    rough, rough_rotations = unmoved(true, world), rotations @ turn
    down = plumb_line(rough_rotations, frames)
    found = world_from_positions(rough, down, 80 / 25.0, recorded, np.full(true.shape, GPS_M))
    assert tilt_deg(found[1] @ turn.T) < 6
    assert np.sqrt(((moved(rough, found) - true) ** 2).sum(axis=1).mean()) < 2 * GPS_M


@pytest.mark.parametrize("wild", [1, 3, 5])
def test_wild_positions_do_not_drag_the_block(wild):
    rng = np.random.default_rng(wild)
    _, true = nadir(rng)
    recorded = true + rng.normal(0, GPS_M, true.shape)
    off = rng.permutation(len(true))[:wild]
    recorded[off] += rng.normal(0, 1, (wild, 3)) * [300, 300, 60]
    found = world_from_positions(
        true, np.array([0, 0, -1.0]), 80.0, recorded, np.full(true.shape, GPS_M)
    )
    assert np.sqrt(((moved(true, found) - true) ** 2).mean(axis=0)).max() < GPS_M
    assert found[0] == pytest.approx(1, abs=0.03)
    assert tilt_deg(found[1]) < 2


def test_exact_positions_count_more_than_rough_ones():
    rng = np.random.default_rng(8)
    _, true = nadir(rng)
    sigma = np.full(true.shape, 5.0)
    sigma[::2] = 0.02
    recorded = true + rng.normal(0, 1, true.shape) * sigma
    found = world_from_positions(true, np.array([0, 0, -1.0]), 80.0, recorded, sigma)
    assert np.abs(moved(true, found) - true).max() < 0.5


def test_positions_that_are_all_one_place_lay_nothing():
    _, true = nadir(np.random.default_rng(9))
    same = np.tile([1.0, 2.0, 3.0], (len(true), 1))
    sigma = np.ones(true.shape)
    assert world_from_positions(true, np.array([0, 0, -1.0]), 80.0, same, sigma) is None
    assert world_from_positions(same, np.array([0, 0, -1.0]), 80.0, true, sigma) is None


@pytest.mark.parametrize(("poses", "pitch"), [(nadir, None), (nadir, -90.0), (oblique, -45.0)])
def test_the_plumb_line_is_found_from_the_way_the_gimbal_hung(poses, pitch):
    rng = np.random.default_rng(10)
    rotations, _ = poses(rng)
    frames = [frame_of(i, pitch_deg=pitch) for i in range(len(rotations))]
    turn = Rotation.random(rng=rng).as_matrix()
    down = plumb_line(rotations @ turn, frames)
    assert np.linalg.norm(down) == pytest.approx(1)
    assert np.degrees(np.arccos(down @ (turn.T @ [0, 0, -1]))) < 3


@pytest.mark.parametrize("poses", [nadir, oblique])
def test_without_positions_the_ground_is_level_at_zero_and_the_cameras_above_it(poses):
    rng = np.random.default_rng(11)
    rotations, positions = poses(rng)
    points = np.concatenate([ground(rng, relief=0.3), ground(rng, count=80, relief=25.0)])
    turn = Rotation.random(rng=rng).as_matrix()
    rough = 0.05, turn.T, np.array([3.0, -2.0, 8.0])
    frames = [frame_of(i) for i in range(len(rotations))]
    world = world_from_pictures(
        rotations @ turn, moved(positions, rough), moved(points, rough), frames
    )
    level = moved(moved(points, rough), world)
    assert tilt_deg(world[1] @ turn.T) < 0.3
    assert np.median(level[:, 2]) == pytest.approx(0, abs=1.0)
    assert np.median(moved(moved(positions, rough), world)[:, 2]) == pytest.approx(LOCAL_HEIGHT)
    assert np.linalg.det(world[1]) == pytest.approx(1)
