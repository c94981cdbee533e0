"""An outline over edges -> how well it lies at every shift: outside lower, inside higher.

Along the outline stand samples with their outward normals. At the right shift heights fall along
the normals (a signed test: the far wall of the house next door does not pass it) and brightness
changes across them. Walls that two outlines share have no step, and do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.buildings.edges import GradientField
from aftermap.geo.arrays import Array, Float32Array, IntArray
from aftermap.geo.compiled import compiled
from aftermap.model.building import Polygon

SIGNED = 1
SAMPLE_M = 0.25
LEAST_FALL = 0.3
"""A fall (of a length below 1) that is an edge."""
WRONG_WAY = -0.3
"""What a sample at which heights rise outwards counts at most: a tree, or a taller neighbour."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """(N, 2) places along outlines in metres, and their outward unit normals."""

    place_m: Array
    normal: Array


def outline_samples(polygons_m: Sequence[Polygon]) -> Samples:
    """Samples every ``SAMPLE_M`` along all rings; courtyards have their normals inwards."""
    starts, ends = [], []
    for rings in polygons_m:
        for ring in rings:
            corners = np.array(ring, float)
            starts.append(corners[:-1])
            ends.append(corners[1:])
    start, end = np.concatenate(starts), np.concatenate(ends)
    length = np.hypot(*(end - start).T)
    start, end, length = start[length > 1e-6], end[length > 1e-6], length[length > 1e-6]
    count = np.maximum(1, np.round(length / SAMPLE_M)).astype(np.int64)
    side = np.repeat(np.arange(len(count)), count)
    along = (np.arange(len(side)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[side]
    forward = (end - start) / length[:, None]
    outward = np.stack([forward[:, 1], -forward[:, 0]], axis=1)
    return Samples(place_m=start[side] + along[:, None] * (end - start)[side], normal=outward[side])


def fits(
    samples: Samples,
    weights: Array,
    edges: GradientField,
    centre_m: Array,
    steps: int,
    *,
    is_signed: bool,
) -> Float32Array:
    """(2 steps + 1, 2 steps + 1) mean fit at shifts around ``centre_m``, by rows to the north.

    Neighbouring shifts are a cell of the edges apart. ``is_signed`` for falls, where only a fall
    along the normal counts; for contrasts either way does. 1 is a sharp edge under every sample.
    """
    grid = edges.grid
    column = (samples.place_m[:, 0] + centre_m[0] - grid.east_m) / grid.cell_m
    row = (grid.north_m - samples.place_m[:, 1] - centre_m[1]) / grid.cell_m
    out = np.zeros((2 * steps + 1, 2 * steps + 1), np.float32)
    _fit(
        np.floor(row).astype(np.int64),
        np.floor(column).astype(np.int64),
        samples.normal.astype(np.float32),
        weights.astype(np.float32),
        edges.east,
        edges.north,
        SIGNED if is_signed else 0,
        out,
    )
    return np.asarray(out[::-1] / max(float(weights.sum()), 1e-9), np.float32)


def offsets_m(samples: Samples, edges: GradientField, shift_m: Array, reach_m: float) -> Array:
    """(N,) how far outwards of each shifted sample its edge lies; NaN where there is none."""
    steps = int(np.ceil(reach_m / edges.grid.cell_m))
    out = np.full(len(samples.place_m), np.nan)
    place = samples.place_m + shift_m
    first = (
        np.stack([(edges.grid.north_m - place[:, 1]), (place[:, 0] - edges.grid.east_m)], axis=1)
        / edges.grid.cell_m
    )
    _offset(first, samples.normal, edges.east, edges.north, steps, out)
    return np.asarray(out * edges.grid.cell_m)


@compiled
def _fit(
    row: IntArray,
    column: IntArray,
    normal: Float32Array,
    weight: Float32Array,
    east: Float32Array,
    north: Float32Array,
    kind: int,
    out: Float32Array,
) -> None:
    size = out.shape[0]
    steps = size // 2
    for i in range(row.shape[0]):
        top, left = row[i] - steps, column[i] - steps
        if weight[i] == 0 or top < 0 or left < 0:
            continue
        if top + size > east.shape[0] or left + size > east.shape[1]:
            continue
        x, y, w = normal[i, 0], normal[i, 1], weight[i]
        for r in range(size):
            for c in range(size):
                step = x * east[top + r, left + c] + y * north[top + r, left + c]
                step = max(step, np.float32(WRONG_WAY)) if kind == SIGNED else abs(step)
                out[r, c] += w * step


@compiled
def _offset(
    first: Array, normal: Array, east: Float32Array, north: Float32Array, steps: int, out: Array
) -> None:
    rows, columns = east.shape
    step = np.zeros(2 * steps + 1)
    along = np.zeros(2 * steps + 1)
    for i in range(first.shape[0]):
        x, y = normal[i, 0], normal[i, 1]
        for k in range(2 * steps + 1):
            r = int(np.floor(first[i, 0] - (k - steps) * y))
            c = int(np.floor(first[i, 1] + (k - steps) * x))
            step[k] = 0.0
            if 0 <= r < rows and 0 <= c < columns:
                step[k] = x * east[r, c] + y * north[r, c]
                along[k] = x * (c + 0.5 - first[i, 1]) - y * (r + 0.5 - first[i, 0])
        best = 1 + int(np.argmax(step[1:-1]))
        if step[best] < LEAST_FALL:
            continue
        left, right = step[best - 1], step[best + 1]
        bend = left - 2 * step[best] + right
        turn = 0.5 * (left - right) / bend if bend < 0 else 0.0
        out[i] = along[best] + min(max(turn, -0.5), 0.5)
