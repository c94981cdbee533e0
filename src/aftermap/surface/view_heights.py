"""Heights as the views left them: one small 16-bit raster per view, on one grid."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array, Uint16Array
from aftermap.geo.grid import Block
from aftermap.model.raster import Grid


def metres_of(steps: Uint16Array | Float32Array, base_m: float, step_m: float) -> Float32Array:
    """Heights in metres of steps (rows, columns), NaN where a step is 0."""
    metres = base_m + (np.asarray(steps, np.float32) - 1) * step_m
    return np.where(steps > 0, metres, np.nan).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class ViewHeights:
    """One view's heights over a window of the grid, in files; ``window`` is None where it has none.

    ``heights`` is a .npy of (rows, columns) uint16 steps, 0 where the view saw nothing; ``views`` a
    .npy of uint8, how many views, itself included, see it so.
    """

    heights: str
    views: str
    window: Block | None

    def moved(self, rows: int, columns: int) -> Self:
        """The same heights, counted from another first row and column of the grid."""
        if self.window is None:
            return self
        window = replace(
            self.window, row=self.window.row - rows, column=self.window.column - columns
        )
        return replace(self, window=window)

    def over(self, window: Block) -> tuple[Uint16Array, ByteArray] | None:
        """Steps of height and number of views, (rows, columns), over a window of the grid.

        None where nothing of it lies there.
        """
        if self.window is None:
            return None
        top = max(window.row, self.window.row)
        bottom = min(window.row + window.rows, self.window.row + self.window.rows)
        left = max(window.column, self.window.column)
        right = min(window.column + window.columns, self.window.column + self.window.columns)
        if top >= bottom or left >= right:
            return None
        there = np.s_[
            top - self.window.row : bottom - self.window.row,
            left - self.window.column : right - self.window.column,
        ]
        part = np.load(self.heights, mmap_mode="r")[there]
        if not part.any():
            return None
        here = np.s_[
            top - window.row : bottom - window.row,
            left - window.column : right - window.column,
        ]
        steps = np.zeros((window.rows, window.columns), np.uint16)
        views = np.zeros((window.rows, window.columns), np.uint8)
        steps[here] = part
        views[here] = np.load(self.views, mmap_mode="r")[there]
        return steps, views


@dataclass(frozen=True, kw_only=True)
class FusionRound:
    """Views that are fused together, by their places among all.

    ``scatter_cells`` is the standard deviation of the heights that they give one cell.
    """

    places: tuple[int, ...]
    scatter_cells: float


@dataclass(frozen=True, kw_only=True)
class DenseHeights:
    """All views on one grid. A height is ``base_m + (value - 1) * step_m``; a value of 0 is none.

    ``least_cells`` is the smallest patch of connected cells that is believed. ``rounds`` tells
    which views are fused first; each further round measures only what those before it left open.
    ``frames`` are the places of the views among the mapped frames.
    """

    grid: Grid
    base_m: float
    step_m: float
    ground_sample_m: float
    least_cells: int
    views: tuple[ViewHeights, ...]
    frames: tuple[int, ...]
    rounds: tuple[FusionRound, ...]

    def round_of(self, place: int) -> FusionRound:
        """The first round that a view takes part in."""
        return next(one for one in self.rounds if place in one.places)

    @property
    def most_overlapping(self) -> int:
        """How many views' windows at most lie over one place."""
        windows = [v.window for v in self.views if v.window is not None]
        return max(
            (
                sum(
                    w.row <= one.row + one.rows // 2 < w.row + w.rows
                    and w.column <= one.column + one.columns // 2 < w.column + w.columns
                    for w in windows
                )
                for one in windows
            ),
            default=0,
        )
