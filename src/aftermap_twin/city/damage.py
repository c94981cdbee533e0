"""What a blast leaves of a building: floors still standing over each cell of its plan."""

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Int8Array
from aftermap.model.assessment import Grade

OUTSIDE = -1


def floors_left(
    rng: np.random.Generator,
    grade: Grade,
    mask: BoolArray,
    levels: int,
    cell_m: float,
) -> Int8Array:
    """Floors left over each cell, (across, along): -1 outside the plan, 0 fallen to the ground."""
    left = np.where(mask, levels, OUTSIDE).astype(np.int8)
    if grade is Grade.LIGHT:
        _holes(rng, left, count=int(rng.integers(1, 4)), radius=(0.3, 0.8), depth=1, cell_m=cell_m)
    elif grade is Grade.MODERATE:
        _holes(rng, left, count=int(rng.integers(2, 5)), radius=(0.9, 2.4), depth=2, cell_m=cell_m)
        bite(rng, left, share=rng.uniform(0.04, 0.14), levels=levels, cell_m=cell_m, floor=1)
    elif grade is Grade.SEVERE:
        _holes(rng, left, count=int(rng.integers(1, 4)), radius=(0.8, 2.2), depth=2, cell_m=cell_m)
        bite(rng, left, share=rng.uniform(0.2, 0.48), levels=levels, cell_m=cell_m, floor=0)
    elif grade is Grade.DESTROYED:
        bite(rng, left, share=rng.uniform(0.88, 0.98), levels=levels, cell_m=cell_m, floor=0)
        np.minimum(left, rng.integers(1, 3), out=left)
    return left


def ragged(rng: np.random.Generator, shape: tuple[int, int], cell_m: float) -> Array:
    """Noise of about one metre in patches of one to three metres, float64 of ``shape``."""
    total = np.zeros(shape)
    for size_m, weight in ((3.2, 0.9), (1.3, 0.5)):
        few = tuple(int(n * cell_m / size_m) + 3 for n in shape)
        coarse = rng.normal(0, weight, few)
        total += cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return total


def _holes(
    rng: np.random.Generator,
    left: Int8Array,
    *,
    count: int,
    radius: tuple[float, float],
    depth: int,
    cell_m: float,
) -> None:
    inside = np.argwhere(left > 0)
    for _ in range(count if len(inside) else 0):
        row, column = inside[rng.integers(len(inside))]
        rows, columns = np.indices(left.shape)
        away = np.hypot(rows - row, columns - column) * cell_m
        away += 0.5 * ragged(rng, left.shape, cell_m)
        away -= away[row, column]
        size = rng.uniform(*radius)
        for step in range(1, depth + 1):
            kept = min(step, int(left.max()) - 1)
            hit = (away < size * (1 - 0.45 * (step - 1))) & (left > kept)
            left[hit] -= 1


def bite(
    rng: np.random.Generator,
    left: Int8Array,
    *,
    share: float,
    levels: int,
    cell_m: float,
    floor: int,
) -> None:
    """Takes a side or corner away with a ragged edge: ``share`` of the plan down to ``floor``.

    ``left`` (across, along) is the number of floors left over each cell, -1 outside the plan, and
    is changed in place. Higher floors are lost further in.
    """
    rows, columns = np.indices(left.shape)
    angle = rng.random() * 2 * np.pi
    along = (rows * np.sin(angle) + columns * np.cos(angle)) * cell_m
    along += ragged(rng, left.shape, cell_m) * 1.1
    inside = left >= 0
    edge = float(np.quantile(along[inside], 1 - share))
    step = rng.uniform(0.5, 2.2)
    for level in range(levels, floor, -1):
        reach = along + 0.5 * ragged(rng, left.shape, cell_m)
        gone = inside & (reach > edge - (level - 1 - floor) * step)
        left[gone] = np.minimum(left[gone], level - 1)
