"""Many triangles -> few, by quadric error (Garland and Heckbert 1997), with a bound on the error.

The library collapses edges whose error lies below a limit that rises with every pass; how high it
rises is fixed, so the vertices are scaled such that its end is the error that is allowed. It knows
no fixed lines: every rim gets an upright fence below it, whose plane keeps the rim where it is. The
fence goes afterwards, and the rim's vertices are laid back onto the straight pieces exactly.
"""

import fast_simplification
import numpy as np

from aftermap.geo.arrays import Array, Int32Array, IntArray
from aftermap.mesh.edge_lines import Outlines

STEEPNESS = 7.0
LAST_LIMIT = 1e-9 * 102.0**STEEPNESS
"""fast-simplification's limit on the squared error in its last pass, for that steepness."""

FENCE_CELLS = 3.0
NEAR_PIECES = 2
TURNS = 3


def simplified(
    xyz: Array, faces: Int32Array, rims: Int32Array, *, within: float
) -> tuple[Array, Int32Array, Int32Array]:
    """Vertices (V, 3), faces (F, 3), and (N,) which vertex each of the N given ones became.

    ``rims`` (R, 2) are the edges that stay where they are, as vertex numbers. ``within`` bounds the
    root of the quadric error, in the unit of ``xyz``. A given vertex that is in no face any more
    is -1.
    """
    fence_xyz, fence = _fence(xyz, rims)
    scale = np.sqrt(LAST_LIMIT) / within
    middle = xyz.mean(axis=0)
    points = (np.concatenate([xyz, fence_xyz]) - middle) * scale
    every = np.ascontiguousarray(np.concatenate([faces, fence]), np.int32)
    _, _, collapses = fast_simplification.simplify(
        points, every, target_count=0, agg=STEEPNESS, return_collapses=True
    )
    moved, left, became = fast_simplification.replay_simplification(points, every, collapses)
    keeps = np.zeros(len(moved), np.bool_)
    keeps[became[: len(xyz)]] = True
    kept_faces = left[keeps[left].all(axis=1)]
    number = np.full(len(moved) + 1, -1, np.int32)
    used = vertices_in(kept_faces, len(moved))
    number[used] = np.arange(len(used))
    return moved[used] / scale + middle, number[kept_faces], number[became[: len(xyz)]]


def laid_on_rims(
    xyz: Array, became: Int32Array, given: Array, outlines: Outlines, used: IntArray
) -> Array:
    """(V, 3) positions in cells, the vertices that stand for a rim's laid onto its straight pieces.

    ``became`` (N,) is the vertex that each of ``given`` (N, 3) became, which are the ``used`` ones
    of the outlines. Where a line turns or ends its vertex lies exactly there.
    """
    rim, piece, chain = outlines.rim[used], outlines.piece, outlines.chain
    own = np.full(len(xyz), -1, np.int32)
    on_rim = (rim >= 0) & (became >= 0)
    own[became[on_rim]] = rim[on_rim]
    rows = np.flatnonzero(own >= 0)
    best, best2 = xyz[rows].copy(), np.full(len(rows), np.inf)
    for shift in range(-NEAR_PIECES, NEAR_PIECES + 1):
        other = np.clip(own[rows] + 2 * shift, 0, max(len(piece) - 1, 0))
        start, along = piece[other, 0], piece[other, 1] - piece[other, 0]
        length2 = np.maximum((along[:, :2] ** 2).sum(axis=1), 1e-12)
        share = ((xyz[rows, :2] - start[:, :2]) * along[:, :2]).sum(axis=1) / length2
        spot = start + np.clip(share, 0, 1)[:, None] * along
        away2 = ((spot - xyz[rows]) ** 2).sum(axis=1)
        nearer = (chain[other] == chain[own[rows]]) & (away2 < best2)
        best[nearer], best2[nearer] = spot[nearer], away2[nearer]
    out = xyz.copy()
    out[rows] = best
    turns = np.flatnonzero(outlines.turn[used] & (became >= 0))
    away = np.linalg.norm(given[turns] - xyz[became[turns]], axis=1)
    order = turns[np.argsort(-away, kind="stable")]  # the nearest one is laid down last
    out[became[order]] = given[order]
    return out


def without_turned(xyz: Array, laid: Array, faces: Int32Array) -> tuple[Array, Int32Array]:
    """Vertices (V, 3) and faces (F, 3) that all lie face up: what laying turned over goes back.

    ``xyz`` are the positions before, ``laid`` after, in cells. A face that lay face down before is
    left out.
    """
    laid = laid.copy()
    for _ in range(TURNS):
        turned = twice_areas(laid, faces) <= 0
        if not turned.any():
            break
        corners = np.unique(faces[turned])
        laid[corners] = xyz[corners]
    return laid, faces[twice_areas(laid, faces) > 0]


def twice_areas(xyz: Array, faces: Int32Array) -> Array:
    """(F,) twice the area in plan, in units of a cell; positive where a face runs anticlockwise.

    As seen in a map (y down); ``xyz`` (V, 3), ``faces`` (F, 3) are indices of vertices.
    """
    a, b, c = (xyz[faces[:, k], :2] for k in range(3))
    return np.asarray(
        (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) - (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
    )


def vertices_in(faces: Int32Array, count: int) -> IntArray:
    """(U,) indices of those of ``count`` vertices that are in any of (F, 3) faces, in their order.

    Faster than sorting them.
    """
    is_used = np.zeros(count, np.bool_)
    is_used[faces.ravel()] = True
    return np.flatnonzero(is_used)


def _fence(xyz: Array, rims: Int32Array) -> tuple[Array, Int32Array]:
    """Vertices below a rim's, and the faces between them, numbered after those of ``xyz``."""
    top = vertices_in(rims, len(xyz))
    number: Int32Array = np.full(len(xyz), -1, np.int32)
    number[top] = len(xyz) + np.arange(len(top))
    below = xyz[top] - np.array([0.0, 0.0, FENCE_CELLS])
    first, second = rims[:, 0], rims[:, 1]
    faces = np.concatenate(
        [
            np.stack([first, second, number[second]], axis=1),
            np.stack([first, number[second], number[first]], axis=1),
        ]
    )
    return below, faces.astype(np.int32)
