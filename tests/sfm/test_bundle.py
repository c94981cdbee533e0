"""Bundle adjustment on synthetic flights: errors must lie inside the noise that was put in."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import projected_px
from aftermap.sfm.bundle import Priors, adjust_bundle, block_covariance, rotation_matrices
from aftermap.sfm.projection_kernel import Observations, State, residuals_px

LENS = np.array([1000.0, 600.0, 450.0, 0.02, -0.01, 0.001, -0.0005, 0.0])
FREE = np.array([*[np.nan] * 7, 1e-6])
HELD = np.full(8, 1e-6)


@dataclass
class Flight:
    state: State
    sights: Observations
    clean_px: np.ndarray


def flight(
    rng, *, strips=4, per_strip=6, height=80.0, relief=12.0, tilt=2.0, points=600, levels=0.0
):
    """A serpentine nadir flight over ground with relief; truth and noise-free observations."""
    x, y = np.meshgrid(np.arange(per_strip) * 24.0, np.arange(strips) * 30.0)
    positions = np.stack([x.ravel(), y.ravel(), np.full(x.size, height)], axis=1)
    positions += rng.normal(0, [1.0, 1.0, 0.5], positions.shape)
    positions[:, 2] += levels * (np.arange(len(positions)) % 2)
    rotations = np.stack(
        [
            rotation_cam_from_world(
                90.0 + 180.0 * (i // per_strip % 2) + rng.normal(0, 2),
                -90 + rng.normal(0, tilt),
                rng.normal(0, tilt),
            )
            for i in range(len(positions))
        ]
    )
    ground = np.stack(
        [
            rng.uniform(-20, per_strip * 24.0, points),
            rng.uniform(-20, strips * 30.0, points),
            rng.uniform(0, relief, points),
        ],
        axis=1,
    )
    frame, point, px = [], [], []
    for i in range(len(positions)):
        seen = projected_px((ground - positions[i]) @ rotations[i].T, opencv(LENS))
        inside = ((seen > 0) & (seen < [1200, 900])).all(axis=1)
        frame.append(np.full(inside.sum(), i))
        point.append(np.flatnonzero(inside))
        px.append(seen[inside])
    frame, point, px = np.concatenate(frame), np.concatenate(point), np.concatenate(px)
    often = np.bincount(point, minlength=points) >= 2
    keep = often[point]
    frame, point, px = frame[keep], (np.cumsum(often) - 1)[point[keep]], px[keep]
    order = np.argsort(point, kind="stable")
    start = np.searchsorted(point[order], np.arange(often.sum() + 1))
    state = State(
        rotations, positions, LENS[None].copy(), np.zeros(len(positions), np.int32), ground[often]
    )
    sights = Observations(frame[order].astype(np.int32), start.astype(np.int32), px[order])
    return Flight(state, sights, px[order])


def opencv(lens):
    return [lens[0], *lens[:7]]


def knowns(truth, rng, *, gps=1.5, lens_sigma=FREE, lens=LENS):
    count = len(truth.positions)
    return Priors(
        positions=truth.positions + rng.normal(0, gps, (count, 3)),
        position_sigma=np.full((count, 3), gps),
        offset_sigma=np.full(3, 1e-3),
        lenses=np.asarray(lens, float)[None],
        lens_sigma=np.asarray(lens_sigma, float)[None],
        points=np.full(truth.points.shape, np.nan),
        point_sigma=np.full(truth.points.shape, np.nan),
        rotations=np.full((count, 3, 3), np.nan),
        turn_sigma=np.full((count, 3), np.nan),
    )


def disturbed(truth, rng, lens=LENS):
    return State(
        rotation_matrices(rng.normal(0, 0.01, (len(truth.rotations), 3))) @ truth.rotations,
        truth.positions + rng.normal(0, 1.0, truth.positions.shape),
        np.asarray(lens, float)[None].copy(),
        truth.camera_of,
        truth.points + rng.normal(0, 2.0, truth.points.shape),
    )


def noisy(flown, rng, sigma):
    px = flown.clean_px + rng.normal(0, sigma, flown.clean_px.shape)
    return Observations(flown.sights.frame, flown.sights.start, px)


def test_kernel_projects_as_geo_lens_does():
    flown = flight(np.random.default_rng(1))
    out = np.empty_like(flown.clean_px)
    residuals_px(flown.state, flown.sights, out)
    assert np.abs(out).max() < 1e-9


def test_exact_observations_give_back_the_truth():
    rng = np.random.default_rng(2)
    flown = flight(rng)
    known = knowns(flown.state, rng, gps=1e-4)
    found = adjust_bundle(
        disturbed(flown.state, rng), flown.sights, np.ones(len(flown.clean_px)), known
    )
    assert np.abs(found.residuals_px).max() < 5e-3
    assert np.abs(found.state.positions - flown.state.positions).max() < 1e-3
    assert np.allclose(found.state.lenses[0], LENS, rtol=1e-3, atol=1e-3)


def similar(found, truth):
    """Found positions after the best similarity onto the true ones (Umeyama 1991)."""
    a, b = found - found.mean(0), truth - truth.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(sign)).sum() / (a**2).sum()
    return scale * a @ (u @ sign @ vt).T + truth.mean(0)


@pytest.mark.parametrize("seed", range(3))
def test_positions_lie_within_their_covariance(seed):
    rng = np.random.default_rng(10 + seed)
    flown = flight(rng)
    known = knowns(flown.state, rng, lens_sigma=[2.0, *[1e-6] * 7])
    sights = noisy(flown, rng, 0.5)
    sigma = np.full(len(sights.xy_px), 0.5)
    found = adjust_bundle(disturbed(flown.state, rng), sights, sigma, known)
    covariance = block_covariance(found, sights, sigma, known)
    count = len(flown.state.positions)
    at = 6 * np.arange(count)[:, None] + 3 + np.arange(3)
    blocks = covariance[at[:, :, None], at[:, None, :]]
    error = found.state.positions - flown.state.positions
    squared = np.einsum("ni,nij,nj->n", error, np.linalg.inv(blocks), error)
    assert squared.mean() < 3 * 4.0
    relative = similar(found.state.positions, flown.state.positions) - flown.state.positions
    assert np.sqrt((relative**2).sum(1).mean()) < 0.15


def test_a_gimbal_turns_a_straight_flight_that_its_positions_leave_free():
    """Along one line of flight, positions do not tell how the ground is turned about that line."""
    rng = np.random.default_rng(21)
    made = flight(rng, strips=1, per_strip=12)
    truth = made.state
    tilted = Rotation.from_euler("x", 3, degrees=True).as_matrix()
    pivot = truth.positions.mean(axis=0)
    start = truth._replace(
        rotations=truth.rotations @ tilted.T, points=(truth.points - pivot) @ tilted.T + pivot
    )
    free = knowns(truth, rng, gps=2.0, lens_sigma=HELD)
    sigma_rad = 0.02
    rotations = (
        rotation_matrices(rng.normal(0, sigma_rad, (len(truth.rotations), 3))) @ truth.rotations
    )
    told = replace(free, rotations=rotations, turn_sigma=np.full((len(rotations), 3), sigma_rad))
    seen = made.sights._replace(xy_px=made.clean_px + rng.normal(0, 0.3, made.clean_px.shape))
    sigma_px = np.full(len(seen.frame), 0.3)
    found = adjust_bundle(start, seen, sigma_px, told)
    off_rad = Rotation.from_matrix(
        found.state.rotations @ truth.rotations.transpose(0, 2, 1)
    ).magnitude()
    assert off_rad.max() < 3 * sigma_rad / np.sqrt(len(rotations)) + 0.01

    def turn_sigma(known):
        return np.sqrt(block_covariance(found, seen, sigma_px, known)[:3, :3].diagonal().max())

    assert turn_sigma(told) < sigma_rad < turn_sigma(free)
