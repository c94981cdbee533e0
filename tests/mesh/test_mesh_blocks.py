"""The surface of a block: walls stand where the steps are, and nothing melts over them."""

import numpy as np
import pytest
from examples import share_of_examples
from hypothesis import given
from hypothesis import strategies as st

from aftermap.mesh.block_surface import part_of
from aftermap.mesh.options import MeshOptions
from aftermap.mesh.steps import MARGIN_CELLS

SIDE, NOISE = 128, 0.15
OPTIONS = MeshOptions()
MANY = 10**9


def window(height_of, *, left=0, top=0, side=SIDE, seed=1):
    """Heights of a block with its margin; noise of a place is the same in every window."""
    rows = np.arange(top - MARGIN_CELLS, top + side + MARGIN_CELLS)
    columns = np.arange(left - MARGIN_CELLS, left + side + MARGIN_CELLS)
    noise = np.random.default_rng(seed).normal(0, NOISE, (1024, 1024))
    x, y = np.meshgrid(columns + 0.5, rows + 0.5)
    return height_of(x, y) + noise[np.ix_(rows % 1024, columns % 1024)]


def box(turn_deg, half_length, half_width, height, middle=SIDE / 2):
    turn = np.radians(turn_deg)

    def frame(x, y):
        dx, dy = x - middle, y - middle
        return dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)

    def height_of(x, y):
        along, across = frame(x, y)
        inside = (np.abs(along) < half_length) & (np.abs(across) < half_width)
        return np.where(inside, height, 0.0)

    return frame, height_of


def made(height, filled=None, **changes):
    nothing = np.full(height.shape, np.nan)
    options = MeshOptions(**changes)
    return part_of(height, nothing if filled is None else filled, options, most_faces=MANY)


def plan_areas(part):
    a, b, c = np.moveaxis(part.xyz[part.faces][:, :, :2], 1, 0)
    return -((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


@share_of_examples(0.24)
@given(
    turn_deg=st.floats(0, 90),
    half_length=st.floats(25, 45),
    half_width=st.floats(12, 22),
    height=st.floats(12, 60),
)
def test_walls_of_a_block_stand_where_it_ends(turn_deg, half_length, half_width, height):
    frame, height_of = box(turn_deg, half_length, half_width, height)
    part = made(window(height_of))
    assert part.is_measured.all()
    along, across = frame(part.wall[:, :, 0], part.wall[:, :, 1])
    off = np.minimum(np.abs(np.abs(along) - half_length), np.abs(np.abs(across) - half_width))
    corner = np.hypot(np.abs(along) - half_length, np.abs(across) - half_width)
    weight = np.hypot(*(part.wall[:, 1, :2] - part.wall[:, 0, :2]).T)
    assert off[corner > 6].max(initial=0) < 0.5
    assert np.minimum(off, corner).max() < 2.0  # at the corners two fitted lines meet
    assert weight.sum() == pytest.approx(4 * (half_length + half_width), rel=0.05)
    high, low = np.sort(part.wall[:, :, 2:], axis=2)[:, :, 1], part.wall[:, :, 2:].min(axis=2)
    assert np.abs(high - height).max() < 1.0
    assert np.abs(low).max() < 1.0


@share_of_examples(0.24)
@given(turn_deg=st.floats(0, 90), height=st.floats(6, 60))
def test_no_triangle_spans_a_step_and_nothing_is_missing(turn_deg, height):
    _, height_of = box(turn_deg, 40, 18, height)
    part = made(window(height_of))
    levels = part.xyz[part.faces][:, :, 2]
    assert (levels.max(axis=1) - levels.min(axis=1)).max() < OPTIONS.step
    areas = plan_areas(part)
    assert areas.min() > 0
    is_roof = levels.min(axis=1) > height / 2
    assert areas[is_roof].sum() == pytest.approx(4 * 40 * 18, rel=0.03)
    assert areas.sum() == pytest.approx(SIDE**2, rel=0.01)


def test_a_surface_has_far_fewer_triangles_than_cells_and_lies_on_them():
    height = window(lambda x, y: 0.3 * x + 4 * np.sin(y / 30))
    part = made(height)
    assert len(part.faces) < 2 * SIDE**2 / 10
    assert not len(part.wall)
    x, y, z = part.xyz.T
    truth = 0.3 * x + 4 * np.sin(y / 30)
    assert np.sqrt(((z - truth) ** 2).mean()) < 0.25


def test_what_was_not_measured_is_not_drawn():
    height = window(lambda x, y: np.zeros_like(x))
    filled = np.where(np.hypot(*np.ogrid[-104:104, -104:104]) < 30, 20.0, np.nan)
    height[~np.isnan(filled)] = np.nan
    part = made(height, filled)
    middles = part.xyz[part.faces].mean(axis=1)
    away = np.hypot(middles[:, 0] - SIDE / 2, middles[:, 1] - SIDE / 2)
    assert away.min() > 28
    assert plan_areas(part).sum() == pytest.approx(SIDE**2 - np.pi * 30**2, rel=0.01)
    assert not part.is_measured.any()


def test_a_pinhole_closes_and_a_speck_goes():
    height = window(lambda x, y: np.zeros_like(x))
    at = MARGIN_CELLS + 60
    height[at : at + 3, at : at + 3] = np.nan
    height[at + 20 : at + 22, at : at + 2] = 30.0
    part = made(height, np.zeros_like(height))
    assert plan_areas(part).sum() == pytest.approx(SIDE**2, rel=1e-6)
    assert np.abs(part.xyz[:, 2]).max() < 1
    assert not len(part.wall)


def test_two_blocks_meet_on_their_border():
    _, height_of = box(33, 50, 22, 30, middle=SIDE)  # across the border of both
    one = made(window(height_of, top=SIDE // 2))
    other = made(window(height_of, left=SIDE, top=SIDE // 2))
    for is_roof in (False, True):
        edges = []
        for part, x in ((one, SIDE), (other, 0)):
            on_border = np.abs(part.xyz[:, 0] - x) < 1e-6
            rows = part.xyz[on_border & ((part.xyz[:, 2] > 15) == is_roof)]
            edges.append(rows[np.argsort(rows[:, 1])][:, 1:])
        lows, highs = ([pick(edge[:, 0]) for edge in edges] for pick in (min, max))
        assert np.ptp(lows) <= 1.0  # a cell of the one may be roof beside ground of the other
        assert np.ptp(highs) <= 1.0
        low, high = max(lows), min(highs)
        at = np.linspace(low, high, 500)
        if not is_roof:  # the ground is cut in two by the roof
            at = at[(at < 30) | (at > 98)]
        heights = [np.interp(at, *edge.T) for edge in edges]
        assert np.abs(heights[0] - heights[1]).max() < 0.75
    walls = [
        part.wall[(np.abs(part.wall[:, :, 0] - x) < 1e-6).all(axis=1)]
        for part, x in ((one, SIDE), (other, 0))
    ]
    assert not len(walls[1])


@pytest.mark.parametrize("gap", [2, 5])
def test_a_wall_beside_a_strip_that_nobody_saw_stands_on_the_ground_beyond(gap):
    edge = 60.0
    height = window(lambda x, y: np.where(x < edge, 25.0, 0.0))
    column = MARGIN_CELLS + int(edge)
    height[:, column : column + gap] = np.nan
    part = made(height, np.full(height.shape, 12.0))
    tall = part.wall[np.abs(part.wall[:, :, 0] - edge).max(axis=1) < 0.5]
    assert len(tall)
    assert part.is_measured[np.abs(part.wall[:, :, 0] - edge).max(axis=1) < 0.5].all()
    assert np.abs(tall[:, :, 2:].min(axis=2)).max() < 1.0
