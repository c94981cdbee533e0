"""The smallest cut against a textbook answer, and the seams that it draws."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import maximum_flow

from aftermap.surface import seams
from aftermap.surface.cut import sink_side
from aftermap.surface.seams import NO_PICTURE


def a_grid(rng, rows, columns, most=9):
    """Random capacities and terminals on a grid with an unused rim."""
    width = columns + 2
    cells = (rows + 2) * width
    used = np.zeros((rows + 2, width), bool)
    used[1:-1, 1:-1] = True
    used = used.ravel()
    capacity = np.zeros((cells, 4), np.int32)
    offset = (1, -1, width, -width)
    for cell in np.flatnonzero(used):
        for way in range(4):
            if used[cell + offset[way]]:
                capacity[cell, way] = rng.integers(0, most)
    terminal = np.where(used, rng.integers(-2 * most, 2 * most, cells), 0).astype(np.int32)
    return capacity, terminal, width, used


def value_of(side, capacity, terminal, width):
    """What a cut costs: edges from source side to sink side, and terminals that are cut off."""
    offset = np.array([1, -1, width, -width])
    cells, ways = np.nonzero(capacity)
    cut = capacity[cells, ways][~side[cells] & side[cells + offset[ways]]].sum()
    return int(cut + terminal[side & (terminal > 0)].sum() - terminal[~side & (terminal < 0)].sum())


@pytest.mark.parametrize("seed", range(40))
def test_no_cut_is_smaller_than_the_one_found(seed):
    rng = np.random.default_rng(seed)
    capacity, terminal, width, _ = a_grid(
        rng, rng.integers(1, 13), rng.integers(1, 13), most=[2, 9, 1000][seed % 3]
    )
    cells = len(terminal)
    source, sink = cells, cells + 1
    graph = sparse.lil_array((cells + 2, cells + 2), dtype=np.int32)
    for cell, way in zip(*np.nonzero(capacity), strict=True):
        graph[cell, cell + (1, -1, width, -width)[way]] = capacity[cell, way]
    for cell in np.flatnonzero(terminal):
        if terminal[cell] > 0:
            graph[source, cell] = terminal[cell]
        else:
            graph[cell, sink] = -terminal[cell]
    flow = maximum_flow(sparse.csr_array(graph), source, sink).flow_value
    side = sink_side(capacity.copy(), terminal.copy(), width)
    assert value_of(side, capacity, terminal, width) == flow


def two_pictures(rows=40, columns=60, *, box=None, colours=((90, 90, 90), (110, 110, 110))):
    """Two pictures of the same cells: the first better in the west, the second in the east."""
    choice = seams.Choice(
        picture=np.full((rows, columns, seams.CANDIDATES), -1, np.int16),
        cost=np.full((rows, columns, seams.CANDIDATES), np.inf, np.float32),
        colour=np.zeros((rows, columns, seams.CANDIDATES, 3), np.uint8),
        raised=np.zeros((rows, columns), np.float32),
    )
    across = np.linspace(0, 0.5, columns, dtype=np.float32)
    for at, cost in enumerate((across, 0.5 - across)):
        choice.picture[..., at] = at
        choice.cost[..., at] = cost
        choice.colour[..., at, :] = colours[at]
    if box is not None:
        choice.raised[box] = 1
    return choice


def undecided(choice):
    return np.full(choice.raised.shape, NO_PICTURE, np.uint16)


def test_without_anything_raised_the_seam_runs_down_the_middle():
    choice = two_pictures()
    labels = seams.choose_pictures(choice, undecided(choice))
    assert (labels[:, :28] == 0).all()
    assert (labels[:, 32:] == 1).all()
    assert (np.diff(labels.astype(int), axis=1) != 0).sum(axis=1).max() == 1


def test_a_seam_goes_around_a_house_and_not_across_it():
    box = np.s_[10:30, 22:36]
    plain = two_pictures()
    across = seams.choose_pictures(plain, undecided(plain))
    assert len(np.unique(across[box])) == 2  # there the seam would run
    choice = two_pictures(box=box)
    labels = seams.choose_pictures(choice, undecided(choice))
    assert len(np.unique(labels[box])) == 1
    assert (labels[:, :10] == 0).all()
    assert (labels[:, 50:] == 1).all()


def test_a_seam_follows_where_the_pictures_look_alike():
    choice = two_pictures(colours=((60, 60, 60), (150, 150, 150)))
    choice.colour[:, 38, :2] = 100  # a kerb that both show alike
    choice.colour[:, 39, :2] = 100
    labels = seams.choose_pictures(choice, undecided(choice))
    cut = np.argmax(labels == 1, axis=1)
    assert ((cut >= 38) & (cut <= 40)).all()


def test_decided_cells_keep_their_picture():
    choice = two_pictures()
    fixed = undecided(choice)
    fixed[:, :5] = 1
    fixed[:5] = 0
    fixed[:5, :5] = 1
    labels = seams.choose_pictures(choice, fixed)
    assert (labels[:, :5] == 1).all()
    assert (labels[:5, 5:] == 0).all()


def test_a_cell_that_no_picture_shows_has_none():
    choice = two_pictures()
    choice.picture[3:6, 7:9] = -1
    choice.cost[3:6, 7:9] = np.inf
    labels = seams.choose_pictures(choice, undecided(choice))
    assert (labels[3:6, 7:9] == NO_PICTURE).all()
    assert (labels == NO_PICTURE).sum() == 6


def test_what_only_one_picture_sees_comes_from_it():
    choice = two_pictures()
    choice.picture[:, 40:, 1] = -1
    choice.cost[:, 40:, 1] = np.inf
    labels = seams.choose_pictures(choice, undecided(choice))
    assert (labels[:, 40:] == 0).all()


def test_houses_stand_above_the_ground_and_slopes_do_not():
    row, column = np.indices((120, 160))
    heights = (0.1 * column + 0.05 * row).astype(np.float32)
    slope = seams.raised_above(heights)
    heights[40:60, 50:75] += 12
    heights[100:, 140:] = np.nan
    raised = seams.raised_above(heights)
    assert (raised[40:60, 50:75] == 1).all()
    assert (raised[39, 50:75] == 1).all()  # a cell around it as well
    far = np.ones_like(raised, bool)
    far[38:62, 48:77] = False
    far[99:, 139:] = False  # one cell around what is unknown
    assert (raised[far] <= slope[far] + 1e-6).all()
    assert np.isfinite(raised).all()
