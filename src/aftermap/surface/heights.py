"""Heights as the stereo pairs left them: one small 16-bit raster per pair, on one grid."""

from dataclasses import dataclass

from aftermap.model.raster import Grid


@dataclass(frozen=True, kw_only=True)
class Window:
    """Where a pair's raster lies in the grid: first row and column, and its size."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True, kw_only=True)
class PairHeights:
    """One pair's heights: a .npy of (rows, columns) uint16, 0 where it saw nothing.

    ``left`` and ``right`` are indices into ``Reconstruction.mapped``.
    """

    file: str
    left: int
    right: int
    window: Window | None


@dataclass(frozen=True, kw_only=True)
class DenseHeights:
    """All pairs on one grid. A height is ``base_m + (value - 1) * step_m``; a value of 0 is none.

    ``least_cells`` is the smallest patch of connected cells that is believed.
    """

    grid: Grid
    base_m: float
    step_m: float
    ground_sample_m: float
    least_cells: int
    pairs: tuple[PairHeights, ...]
