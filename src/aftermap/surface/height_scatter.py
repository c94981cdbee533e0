"""How far the heights of several views of one cell lie apart, on this flight.

Sharp pictures from straight above agree to a fifth of a cell; a kite's, or a clip's, to one or two.
What counts as one height is told by that, and not by the size of a cell alone.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array, Uint16Array
from aftermap.geo.grid import Block
from aftermap.geo.robust import SIGMA_PER_MAD
from aftermap.model.raster import Grid
from aftermap.surface.view_heights import FusionRound, ViewHeights

WINDOWS, WINDOW_CELLS = 9, 96
LEAST_VIEWS = 3
LEAST_CELLS = 0.1
"""No flight is taken for better."""


def rounds_of(
    views: Sequence[ViewHeights], are_video: Sequence[bool], grid: Grid, step_m: float
) -> tuple[FusionRound, ...]:
    """Photographs first, and then all views: a clip measures what no photograph did.

    Its pictures are smaller, compressed and many; among photographs they would outvote them.
    """
    everything = tuple(range(len(views)))
    photographs = tuple(place for place in everything if not are_video[place])
    chosen = (photographs, everything) if 0 < len(photographs) < len(views) else (everything,)
    return tuple(
        FusionRound(
            places=places, scatter_cells=scatter_cells([views[k] for k in places], grid, step_m)
        )
        for places in chosen
    )


def scatter_cells(views: Sequence[ViewHeights], grid: Grid, step_m: float) -> float:
    """Standard deviation of the heights that views give one cell, in cells; at least LEAST_CELLS.

    From the median distance to the median (NMAD) of cells that three views or more measured, in
    windows spread evenly over the grid, so that walls and trees have little say.
    """
    apart = []
    for row in _corners(grid.rows):
        for column in _corners(grid.columns):
            window = Block(row=row, column=column, rows=WINDOW_CELLS, columns=WINDOW_CELLS)
            parts = [part[0] for view in views if (part := view.over(window)) is not None]
            if len(parts) >= LEAST_VIEWS:
                apart.append(_apart(np.stack(parts)))
    found = np.concatenate(apart) if apart else np.empty(0)
    if not len(found):
        return LEAST_CELLS
    return max(LEAST_CELLS, SIGMA_PER_MAD * float(np.median(found)) * step_m / grid.cell_m)


def _corners(cells: int) -> list[int]:
    return sorted(set(np.linspace(0, max(0, cells - WINDOW_CELLS), WINDOWS).astype(int).tolist()))


def _apart(steps: Uint16Array) -> Array:
    """(N,) distances of (layers, rows, columns) steps, 0 for none, from their cell's median."""
    enough = (steps > 0).sum(axis=0) >= LEAST_VIEWS
    chosen = np.where(steps[:, enough] > 0, steps[:, enough].astype(float), np.nan)
    apart = np.abs(chosen - np.nanmedian(chosen, axis=0)) if chosen.size else chosen
    return np.asarray(apart[np.isfinite(apart)])
