"""Rings of ground: hulls, and what lies in them."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.ring import (
    hull_of,
    hull_of_circles,
    inside_ring,
    points_in,
    shares_inside,
    touching,
    twice_signed_area,
)

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])


def flat(*rings):
    return np.concatenate(rings), np.cumsum([0, *(len(ring) for ring in rings)])


@given(seed=st.integers(0, 10_000), count=st.integers(3, 60))
def test_a_hull_holds_every_point_and_turns_left(seed, count):
    points = np.random.default_rng(seed).normal(size=(count, 2)) * [100, 3] + [5e5, 4e6]
    hull = hull_of(points)
    assert twice_signed_area(hull) > 0
    sides = np.roll(hull, -1, axis=0) - hull
    to = points[:, None] - hull
    assert (sides[:, 0] * to[..., 1] - sides[:, 1] * to[..., 0] > -1e-5).all()


def test_a_hull_of_circles_encloses_each_of_them():
    ring = hull_of_circles([[0, 0], [50, 0]], [10.0, 5.0])
    angles = np.linspace(0, 2 * np.pi, 50)
    for centre, radius in (((0, 0), 9.99), ((50, 0), 4.99)):
        around = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        assert inside_ring(around, ring).all()
    assert not inside_ring([[0, 10.5], [55.5, 0]], ring).any()


def test_rings_touch_where_they_share_ground():
    across = np.array([[-5.0, 4.0], [15.0, 4.0], [15.0, 6.0], [-5.0, 6.0]])  # no corner inside
    within, around = SQUARE * 0.2 + 4, SQUARE * 10 - 50
    beside = np.add(SQUARE, [10.5, 0])
    met = touching(SQUARE, *flat(across, within, around, beside))
    assert list(met) == [True, True, True, False]


def test_shares_are_of_the_ground_inside():
    points = points_in(SQUARE)
    shares = shares_inside(points, *flat(SQUARE, np.add(SQUARE, [5, 0]), np.add(SQUARE, [20, 0])))
    assert shares == pytest.approx([1.0, 0.5, 0.0])


def test_a_sliver_is_asked_at_its_corners():
    sliver = np.array([[0.0, 0.0], [100.0, 100.0], [100.0, 100.01]])
    assert len(points_in(sliver)) > 0


@given(seed=st.integers(0, 10_000), corners=st.integers(3, 40))
def test_inside_a_ring_is_inside_however_often_it_turns_back(seed, corners):
    """Stars of many spikes, so that a line to the east crosses them again and again."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = rng.uniform(1, 20, corners)
    ring = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    points = rng.uniform(-20, 20, (200, 2))
    expected = shapely.contains_xy(shapely.Polygon(ring), *points.T)
    assert np.array_equal(inside_ring(points, ring), expected)
