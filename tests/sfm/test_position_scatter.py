"""Flights of a made-up receiver: how often the truth lies within what is said of it."""

from dataclasses import replace

import numpy as np
import pytest
from made_up_flight import block_of_flown, flown, ground, nadir
from scipy.stats import chi2

from aftermap.sfm.bundle import adjust_bundle, block_covariance
from aftermap.sfm.position_scatter import as_scattered, within_the_case

STATED_M = 3.0


@pytest.fixture(scope="module")
def flight():
    rng = np.random.default_rng(31)
    return flown(rng, nadir(rng, strips=3, per_strip=4), ground(rng, count=160), noise_px=0.3)


def _drawn(flight, seed, scatter_m, shared_m=STATED_M):
    """The flight with positions and pixels as another day would have had them, adjusted."""
    rng = np.random.default_rng(seed)
    block = block_of_flown(flight, rng, gps_m=STATED_M, shaken=False)
    truth = flight.truth.positions
    recorded = truth + rng.normal(0, shared_m, 3) + rng.normal(0, scatter_m, truth.shape)
    shift = (recorded - truth).mean(axis=0)
    start = block.state._replace(positions=truth + shift, points=block.state.points + shift)
    fresh = flight.sights.xy_px + rng.normal(0, 0.3, flight.sights.xy_px.shape)
    block = replace(
        block,
        state=start,
        sights=flight.sights._replace(xy_px=fresh),
        sigma_px=block.sigma_px * np.sqrt(2),
        knowns=replace(block.knowns, positions=recorded),
    )
    return block, adjust_bundle(block.state, block.sights, block.sigma_px, block.knowns)


def similar(found, truth):
    """Found positions after the best similarity onto the true ones (Umeyama 1991)."""
    a, b = found - found.mean(0), truth - truth.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(sign)).sum() / (a**2).sum()
    return scale * a @ (u @ sign @ vt).T + truth.mean(0)


def _told(block, found, knowns):
    return block_covariance(found, block.sights, block.sigma_px, knowns)


def _distances(covariance, errors):
    """(F,) squared errors of positions in parts of their covariance, a (6 F, 6 F) one."""
    at = 6 * np.arange(len(errors))[:, None] + 3 + np.arange(3)
    blocks = covariance[at[:, :, None], at[:, None, :]]
    return np.einsum("ni,nij,nj->n", errors, np.linalg.inv(blocks), errors)


@pytest.mark.parametrize("draws", [50, pytest.param(200, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("scatter_m", [0.7, 3.0])
def test_nine_of_ten_positions_lie_within_what_is_said_of_them(flight, scatter_m, draws):
    inside = []
    for seed in range(draws):
        block, found = _drawn(flight, seed, scatter_m)
        told = _told(block, found, as_scattered(block.knowns, found, block.frames))
        errors = found.state.positions - flight.truth.positions
        inside.append(_distances(told, errors) < chi2.ppf(0.9, 3))
    assert 0.85 < np.mean(inside) < 0.95


def test_nine_of_ten_fit_the_others_as_well_as_is_said(flight):
    inside = []
    for seed in range(60):
        block, found = _drawn(flight, seed, 3.0)
        within = within_the_case(
            _told(block, found, block.knowns), found.state.positions, found.state.rotations
        )
        assert np.sqrt(within[:, 3:, 3:].trace(axis1=1, axis2=2)).max() < 0.5
        there = similar(found.state.positions, flight.truth.positions)
        off = there - flight.truth.positions
        squared = np.einsum("ni,nij,nj->n", off, np.linalg.inv(within[:, 3:, 3:]), off)
        inside.append(squared < chi2.ppf(0.9, 3))
    assert 0.85 < np.mean(inside) < 0.98


def test_the_scatter_is_measured_and_the_shared_part_stays_as_stated(flight):
    for scatter_m in (0.5, 6.0):
        block, found = _drawn(flight, 3, scatter_m)
        told = as_scattered(block.knowns, found, block.frames)
        assert told.position_sigma.mean() == pytest.approx(scatter_m, rel=0.5, abs=1.2)
        assert (told.offset_sigma == STATED_M).all()


def test_heights_that_nobody_recorded_stay_unknown(flight):
    block, found = _drawn(flight, 4, 1.0)
    unknown = block.knowns.position_sigma.copy()
    unknown[:, 2] = 1000.0
    told = as_scattered(replace(block.knowns, position_sigma=unknown), found, block.frames)
    assert (told.position_sigma[:, 2] == 1000).all()
