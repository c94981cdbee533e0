"""The covariance of an adjustment -> how surely it knows the ground, all over the map.

Marks test a map where they lie. What little holds elsewhere, such as the tilt beside three marks
that are nearly in a line, is in the covariance of the cameras: drawn from it, and the tie points
triangulated with each draw, it shows on the ground (Monte Carlo propagation, JCGM 101:2008).
"""

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.bundle import rotation_matrices
from aftermap.sfm.projection_kernel import LENS, POSE
from aftermap.sfm.triangulate import thinned, triangulate_points

DRAWS, POINTS, SEED = 40, 400, 20
JITTER = 1e-8
"""So much is added to correlations, so that rounding makes none of them impossible."""


def ground_sigma_m(block: BundleBlock, covariance: Array) -> tuple[float, float]:
    """One sigma of the tie points, root mean square over the map: horizontal (radial) and vertical.

    ``covariance`` (K, K) is of the block's frames, lenses and offset, as the adjustment gives it.
    """
    state, sights = block.state, block.sights
    rng = np.random.default_rng(SEED)
    chosen = np.zeros(len(state.points), bool)
    chosen[rng.permutation(len(state.points))[:POINTS]] = True
    everywhere = np.ones(len(sights.frame), bool)
    state, sights, _ = thinned(state, sights, everywhere, chosen)
    middle = triangulate_points(state, sights)
    frames = POSE * len(state.rotations)
    lenses = frames + LENS * len(state.lenses)
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-30))
    alike = covariance / scale / scale[:, None] + JITTER * np.eye(len(scale))
    root = np.linalg.cholesky(alike)
    squared = np.zeros((len(middle), 3))
    for _ in range(DRAWS):
        drawn = scale * (root @ rng.normal(size=len(scale)))
        poses = drawn[:frames].reshape(-1, POSE)
        other = state._replace(
            rotations=rotation_matrices(poses[:, :3]) @ state.rotations,
            positions=state.positions + poses[:, 3:],
            lenses=state.lenses + drawn[frames:lenses].reshape(-1, LENS),
        )
        squared += (triangulate_points(other, sights) - middle) ** 2
    east, north, up = (squared / DRAWS).mean(axis=0)
    return float(np.sqrt(east + north)), float(np.sqrt(up))
