"""The vertical of a flight without telemetry: what each witness says, and all of them together."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_up_flight import LENS, block_of_flown, flown, frame_of, ground, jittered, nadir, oblique
from scipy.spatial.transform import Rotation

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.sfm.assemble import Group
from aftermap.sfm.bundle import adjust_bundle, block_covariance
from aftermap.sfm.levelling import (
    LOCAL_HEIGHT,
    contradicted_vertical,
    vertical_of,
    world_from_pictures,
)
from aftermap.sfm.projection_kernel import POSE, State, residuals_px
from aftermap.sfm.upright import upright_group
from aftermap.sfm.vertical import Witness, combined, known_direction, vertical_warnings
from aftermap.sfm.vertical_lines import Edges, edge_witness, edges_in
from aftermap.sfm.vertical_witnesses import (
    gimbal_witness,
    ground_plane,
    path_witness,
    roll_witness,
)

UP = np.array([0.0, 0.0, 1.0])


class Serial:
    """An executor that does the work here and now."""

    def map(self, work, items, *, label):
        del label
        return map(work, items)


def forward(rng, *, frames=20, height=40.0, pitch=-12.0, roll=0.0):
    """Rotations and positions of a low flight ahead that looks at the horizon."""
    along = np.arange(frames) * 8.0
    positions = np.stack([0 * along + 55, along - 80, 0 * along + height], axis=1)
    positions += rng.normal(0, 0.4, positions.shape)
    rotations = jittered(rng, 2 * np.sin(along / 30), np.full(frames, pitch), 0.3)
    return np.stack([_rolled(roll) @ r for r in rotations]), positions


def _rolled(degrees):
    return Rotation.from_euler("z", degrees, degrees=True).as_matrix()


def town(rng, *, count=900, size=(200, 300), relief=8.0):
    """Ground of which a third lies under houses; points on walls between."""
    places = rng.uniform([-size[0] / 2 + 55, -40, 0], [size[0] / 2 + 55, size[1], 0], (count, 3))
    built = rng.uniform(size=count) < 0.35
    places[built, 2] = relief * rng.choice([0.3, 0.7, 1.0], built.sum())
    places[:, 2] += rng.normal(0, 0.15, count)
    return places


def tilt_deg(direction, true=UP):
    return float(np.degrees(np.arccos(np.clip(direction @ true, -1, 1))))


@pytest.mark.parametrize("poses", [nadir, oblique, forward])
@pytest.mark.parametrize("seed", range(3))
def test_the_vertical_is_found_within_two_degrees_in_whatever_frame_it_hides(poses, seed):
    rng = np.random.default_rng(seed)
    rotations, positions = poses(rng)
    turn = Rotation.random(rng=rng).as_matrix()
    points = town(rng)
    frames = [frame_of(i) for i in range(len(rotations))]
    scale, rotation, shift = world_from_pictures(
        rotations @ turn.T, 0.03 * positions @ turn.T, 0.03 * points @ turn.T, frames
    )
    assert tilt_deg(rotation @ turn @ UP) < 2
    level = scale * (0.03 * points @ turn.T) @ rotation.T + shift
    flown_at = scale * (0.03 * positions @ turn.T) @ rotation.T + shift
    assert np.median(flown_at[:, 2]) == pytest.approx(LOCAL_HEIGHT)
    on_ground = points[:, 2] < 0.5
    assert np.median(level[on_ground, 2]) == pytest.approx(0, abs=2.5)


def test_a_forward_flight_is_not_levelled_on_what_most_points_lie_on():
    """Façades to one side: the plane of most points stands upright, the ground does not."""
    rng = np.random.default_rng(4)
    rotations, positions = forward(rng)
    wall = np.column_stack(
        [rng.normal(70, 0.3, 900), rng.uniform(-40, 250, 900), rng.uniform(0, 20, 900)]
    )
    points = np.concatenate([town(rng, count=500), wall])
    frames = [frame_of(i) for i in range(len(rotations))]
    rotation = world_from_pictures(rotations, positions, points, frames)[1]
    assert tilt_deg(rotation.T @ UP) < 2


def test_the_lowest_plane_is_the_ground_though_more_points_lie_on_roofs():
    rng = np.random.default_rng(5)
    rotations, positions = oblique(rng)
    floor, roofs = ground(rng, count=250, relief=0.3), ground(rng, count=600, relief=0.3)
    normal, level, sigma = ground_plane(
        rotations, positions, np.concatenate([floor, np.add(roofs, [0, 0, 12.0])])
    )
    assert tilt_deg(normal) < 0.3
    assert level == pytest.approx(0.15, abs=0.6)
    assert sigma < 0.3


def test_one_line_of_flight_says_nothing_of_the_roll_about_a_level_x_axis():
    rng = np.random.default_rng(6)
    rotations, positions = forward(rng)
    across = roll_witness(rotations).sigmas_deg
    assert across[0] < 2
    assert across[1] > 10
    around = roll_witness(oblique(rng)[0]).sigmas_deg
    assert max(around) < 3
    along = path_witness(positions)
    assert not np.isfinite(along.sigmas_deg[1])


def test_a_recorded_pitch_is_a_witness():
    rng = np.random.default_rng(7)
    rotations, _ = forward(rng)
    frames = [frame_of(i, pitch_deg=-12.0) for i in range(len(rotations))]
    found = gimbal_witness(rotations, frames)
    assert found.sigmas_deg[1] < 1.5
    assert np.sqrt(UP @ found.information @ UP) < 2
    assert gimbal_witness(rotations, [frame_of(i) for i in range(len(rotations))]) is None


@pytest.mark.parametrize(
    ("tipped_deg", "off_m", "is_refused"),
    [(0, 0, False), (25, 0, False), (0, 60, False), (25, 60, True)],
)
def test_poses_that_neither_gimbal_nor_positions_bear_out_make_no_top_view(
    tipped_deg, off_m, is_refused
):
    """Either alone may be a forged position or a gimbal that counts otherwise; both are a bend."""
    rng = np.random.default_rng(8)
    rotations, positions = forward(rng)
    recorded = positions + rng.normal(0, 1.5, positions.shape) + [off_m, 0, 0]
    frames = [
        frame_of(i, pitch_deg=-12.0, recorded=tuple(place), sigma_m=2.0)
        for i, place in enumerate(recorded.tolist())
    ]
    turn = Rotation.from_euler("y", tipped_deg, degrees=True).as_matrix()
    state = State(
        rotations=rotations @ turn.T,
        positions=positions,
        lenses=np.zeros((1, 8)),
        camera_of=np.zeros(len(positions), int),
        points=np.zeros((0, 3)),
    )
    found = contradicted_vertical(frames, state)
    assert (found is not None) == is_refused
    if found is not None:
        assert not found.is_trusted
        assert found.sigma_deg == pytest.approx(tipped_deg, abs=3)
        assert "gimbal contradicts" in vertical_warnings(found)[0]
    assert contradicted_vertical([frame_of(i) for i in range(len(positions))], state) is None


def edges_of(rng, rotations, positions, *, masts=40, clutter=600, lean_deg=0.7):
    """Edges of masts that lean a little, seen by every third camera, and of much else."""
    normals, middles, sigma, frame = [], [], [], []
    foot = rng.uniform([-20, 0, 0], [130, 250, 0], (masts, 3))
    lean = UP + np.radians(lean_deg) * rng.normal(0, 1, (masts, 3))
    ends = [(foot, foot + 8 * lean)]
    base = rng.uniform([-20, 0, 0], [130, 250, 8], (clutter, 3))
    level = rng.normal(0, 1, (clutter, 3)) * [1, 1, 0.0]
    ends.append((base, base + 6 * level))
    for i in range(0, len(positions), 3):
        for low, high in ends:
            first, second = low - positions[i], high - positions[i]
            ahead = (first @ rotations[i, 2] > 5) & (second @ rotations[i, 2] > 5)
            crossed = np.cross(first[ahead], second[ahead])
            crossed += (
                0.003
                * np.linalg.norm(crossed, axis=1, keepdims=True)
                * rng.normal(0, 1, crossed.shape)
            )
            normals.append(crossed / np.linalg.norm(crossed, axis=1, keepdims=True))
            middle = first[ahead] + second[ahead]
            middles.append(middle / np.linalg.norm(middle, axis=1, keepdims=True))
            sigma.append(np.full(len(crossed), 0.006))
            frame.append(np.full(len(crossed), i))
    return Edges(
        normals=np.concatenate(normals),
        middles=np.concatenate(middles),
        sigma=np.concatenate(sigma),
        frame=np.concatenate(frame),
    )


@pytest.mark.parametrize("seed", range(5))
def test_masts_tell_the_vertical_among_ten_times_as_many_other_edges(seed):
    rng = np.random.default_rng(seed)
    rotations, positions = forward(rng)
    edges = edges_of(rng, rotations, positions)
    before = Rotation.from_rotvec(np.radians(rng.normal(0, 3, 3))).as_matrix() @ UP
    found = edge_witness(edges, before, 4.0)
    best = np.linalg.eigh(found.information)[1][:, 0]
    assert min(tilt_deg(best), tilt_deg(-best)) < 1.0
    assert UP @ found.information @ UP < 3.0**2


def test_edges_without_anything_upright_say_nothing():
    rng = np.random.default_rng(9)
    rotations, positions = forward(rng)
    assert edge_witness(edges_of(rng, rotations, positions, masts=0), UP, 4.0) is None


def drawn(rng, sigmas_deg, names="abcdefgh"):
    """Witnesses of directions that are off by their sigmas."""
    return [
        known_direction(
            name,
            Rotation.from_rotvec(np.radians(s) * rng.normal(0, 1, 3) * [1, 1, 0]).as_matrix() @ UP,
            s,
        )
        for name, s in zip(names, sigmas_deg, strict=False)
    ]


def test_the_stated_sigma_is_the_root_mean_square_of_the_error():
    rng = np.random.default_rng(10)
    errors, stated = [], []
    for _ in range(300):
        up, vertical = combined(drawn(rng, [0.5, 1.0, 2.0]), UP)
        errors.append(tilt_deg(up))
        stated.append(vertical.sigma_deg)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.mean(stated), rel=0.25)
    assert 0.55 < np.mean(np.array(errors) < stated) < 0.8


def test_one_wrong_witness_is_left_out_and_named():
    rng = np.random.default_rng(11)
    wrong = known_direction("wrong", Rotation.from_euler("x", 25, degrees=True).apply(UP), 1.0)
    up, vertical = combined([*drawn(rng, [1, 1, 1]), wrong], UP)
    assert tilt_deg(up) < 2.5
    assert [w.name for w in vertical.witnesses if not w.is_used] == ["wrong"]
    assert vertical.is_trusted
    off = {w.name: w.off_deg for w in vertical.witnesses}
    assert off["wrong"] == pytest.approx(25, abs=3)


def test_two_that_contradict_each_other_are_not_trusted_and_the_user_is_told():
    other = known_direction("other", Rotation.from_euler("x", 25, degrees=True).apply(UP), 1.0)
    _, vertical = combined([known_direction("one", UP, 1.0), other], UP)
    assert not vertical.is_trusted
    assert vertical.contradiction in ("one", "other")
    (line,) = vertical_warnings(vertical)
    assert "contradicts" in line


def test_a_vertical_that_little_is_known_of_is_not_trusted():
    _, vertical = combined([known_direction("vague", UP, 9.0)], UP)
    assert vertical.contradiction is None
    assert not vertical.is_trusted
    assert "13 degrees" in vertical_warnings(vertical)[0]


def test_where_nothing_is_known_across_one_axis_the_sigma_is_a_number_and_nothing_is_trusted():
    blind = Witness(name="blind", information=np.outer([1.0, 0, 0], [1.0, 0, 0]) * 3000)
    _, vertical = combined([blind], UP)
    assert vertical.sigma_deg == 90
    assert not vertical.is_trusted


def test_pictures_without_an_edge_leave_the_vertical_to_the_other_witnesses(tmp_path):
    rng = np.random.default_rng(13)
    rotations, positions = oblique(rng)
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((90, 120), 128, np.uint8))
    frames = [frame_of(i, path=str(blank)) for i in range(len(rotations))]
    lenses = np.tile(LENS, (1, 1))
    state = State(rotations, positions, lenses, np.zeros(len(rotations), np.int32), town(rng))
    up, vertical = vertical_of(frames, state, state.points, Serial())
    assert tilt_deg(up) < 2
    assert "upright edges" not in {w.name for w in vertical.witnesses}


def test_upright_stripes_in_real_pictures_are_found_and_a_mask_hides_them(tmp_path):
    """One picture of upright and level stripes, as twelve level cameras of one yaw each see it."""
    picture = np.full((900, 1200), 90, np.uint8)
    for column in range(60, 1200, 90):
        picture[100:800, column : column + 30] = 200
    file, mask = tmp_path / "stripes.png", tmp_path / "mask.png"
    cv2.imwrite(str(file), picture)
    cv2.imwrite(str(mask), np.zeros((900, 1200), np.uint8))
    yaw = np.linspace(0, 330, 12)
    rotations = np.stack([rotation_cam_from_world(y, 0.0, 0.0) for y in yaw])
    lenses = np.array([[1000.0, 600, 450, 0, 0, 0, 0]])
    state = State(rotations, np.zeros((12, 3)), lenses, np.zeros(12, np.int32), np.zeros((0, 3)))
    frames = [frame_of(i, path=str(file)) for i in range(12)]
    before = Rotation.from_euler("x", 3, degrees=True).apply(UP)
    found = edge_witness(edges_in(frames, state, Serial()), before, 2.0)
    best = np.linalg.eigh(found.information)[1][:, 0]
    assert min(tilt_deg(best), tilt_deg(-best)) < 0.1
    hidden = [replace(frame, mask=str(mask)) for frame in frames]
    assert len(edges_in(hidden, state, Serial()).sigma) == 0


def test_what_a_witness_does_not_know_does_not_contradict():
    blind = Witness(name="blind", information=np.outer([1.0, 0, 0], [1.0, 0, 0]) * 3000)
    tipped = Rotation.from_euler("x", 25, degrees=True).apply(UP)
    up, vertical = combined([blind, known_direction("one", tipped, 1.0)], UP)
    assert vertical.contradiction is None
    assert tilt_deg(up, tipped) < 0.1
    assert vertical.witnesses[0].other_sigma_deg is None


def adjusted_group(rng):
    made = flown(rng, oblique(rng), ground(rng))
    frames = tuple(replace(f, prior_position_m=None, prior_sigma_m=None) for f in made.frames)
    block = block_of_flown(replace(made, frames=frames), rng, located=False)
    turn = Rotation.from_euler("zyx", [130, 20, -15], degrees=True).as_matrix()
    state = block.state
    block = replace(
        block,
        state=state._replace(
            rotations=state.rotations @ turn.T,
            positions=0.1 * state.positions @ turn.T,
            points=0.1 * state.points @ turn.T,
        ),
    )
    estimate = adjust_bundle(block.state, block.sights, block.sigma_px, block.knowns)
    block = replace(block, state=estimate.state)
    covariance = block_covariance(estimate, block.sights, block.sigma_px, block.knowns)
    return Group(
        block=block,
        estimate=estimate,
        covariance=covariance,
        factor=4.0,
        others=(block.state, block.sights),
    )


def test_a_group_set_upright_fits_its_pictures_as_before_and_stands(monkeypatch):
    monkeypatch.setattr("aftermap.sfm.levelling.edges_in", lambda *_: None)
    monkeypatch.setattr("aftermap.sfm.levelling.edge_witness", lambda *_: None)
    rng = np.random.default_rng(12)
    group = adjusted_group(rng)
    found, vertical = upright_group(group, Serial())
    off = np.empty_like(found.block.sights.xy_px)
    residuals_px(found.block.state, found.block.sights, off)
    assert np.allclose(off, group.estimate.residuals_px, atol=1e-6)
    true = jittered(rng, np.linspace(0, 360, 16, endpoint=False) + 180, np.full(16, -45.0), 0)
    turn = np.einsum("nji,njk->nik", found.block.state.rotations, true)
    assert np.median([tilt_deg(t @ UP) for t in turn]) < 3
    assert np.median(found.block.state.positions[:, 2]) == pytest.approx(LOCAL_HEIGHT)
    before = np.linalg.eigvalsh(group.covariance[3:POSE, 3:POSE])
    after = np.linalg.eigvalsh(found.covariance[3:POSE, 3:POSE])
    grown = np.linalg.norm(found.block.state.positions[1] - found.block.state.positions[0])
    grown /= np.linalg.norm(group.block.state.positions[1] - group.block.state.positions[0])
    assert np.allclose(np.sqrt(after), grown * np.sqrt(before), rtol=1e-6)
    assert vertical.sigma_deg < 5
