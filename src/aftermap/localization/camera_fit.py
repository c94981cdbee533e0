"""A camera as eight numbers -> how far places lie from their pixels, and how surely it is known.

The numbers are the turn (a Rodrigues vector), the place, the focal length and k1. What else a lens
has (the principal point, k2) is not solved for; it is taken to be unknown within what lenses are
like, and what that does to the pose is added to its covariance. World axes are east, north, up in
metres; pixels count from the outer corner.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.lens import distorted

TURN = slice(0, 3)
PLACE = slice(3, 6)
FOCAL, K1 = 6, 7
K1_SIGMA = 0.1
OFF_CENTRE = 0.002
"""One sigma of each coordinate of the principal point, as a part of the picture's longer side."""
K2_SIGMA = 0.01
NEAREST_M = 1e-3


@dataclass(frozen=True, kw_only=True)
class CameraPrior:
    """What is believed of a picture before: its size, and its focal length with one sigma.

    ``beside`` is the rest of its lens that is taken as known: how far the principal point lies off
    the middle, and k2. ``has_own_lens`` is False where the places were found by the same lens: then
    what is unknown of the rest moves places and pixels alike.
    """

    width_px: int
    height_px: int
    focal_px: float
    focal_sigma_px: float
    beside: tuple[float, float, float] = (0.0, 0.0, 0.0)
    has_own_lens: bool = True


@dataclass(frozen=True, kw_only=True)
class PointObservations:
    """Places (N, 3), near the origin, and their pixels (N, 2), with what an error of one weighs.

    ``whitening`` (N, 2, 2) turns a miss in pixels into one in standard deviations.
    """

    xyz_m: Array
    xy_px: Array
    whitening: Array

    def only(self, which: BoolArray) -> "PointObservations":
        """Those that (N,) ``which`` chooses, a mask."""
        return PointObservations(
            xyz_m=self.xyz_m[which], xy_px=self.xy_px[which], whitening=self.whitening[which]
        )

    def less_sure(self, factor: float) -> "PointObservations":
        """With errors that are so many times larger than was believed."""
        return replace(self, whitening=self.whitening / factor)


def rotation_of(state: Array) -> Array:
    """(3, 3) rotation cam_from_world of a (8,) state."""
    return np.asarray(cv2.Rodrigues(state[TURN])[0], np.float64)


def misses_px(state: Array, sights: PointObservations, view: CameraPrior) -> Array:
    """(N, 2) pixels, computed minus seen. A place behind the camera is far off, not NaN."""
    cam = (sights.xyz_m - state[PLACE]) @ rotation_of(state).T
    ideal = cam[:, :2] / np.maximum(cam[:, 2:], NEAREST_M)
    xy = distorted(ideal, (1, 1, 0, 0, state[K1], view.beside[2], 0, 0))
    middle = np.array([view.width_px, view.height_px]) / 2 + view.beside[:2]
    return np.asarray(state[FOCAL] * xy + middle - sights.xy_px)


def weighted(state: Array, sights: PointObservations, view: CameraPrior) -> Array:
    """(2N + 2,) residuals in standard deviations: of N pixels, of the focal length and of k1."""
    prior = [
        (state[FOCAL] - view.focal_px) / max(view.focal_sigma_px, 1e-6 * view.focal_px),
        state[K1] / K1_SIGMA,
    ]
    return np.concatenate([off_sigmas(state, sights, view).ravel(), prior])


def off_sigmas(state: Array, sights: PointObservations, view: CameraPrior) -> Array:
    """(N, 2) residuals of the pixels in standard deviations."""
    misses = misses_px(state, sights, view)
    return np.asarray(np.einsum("nij,nj->ni", sights.whitening, misses))


def whitening_of(state: Array, xyz_m: Array, click_px: float, spread_m: Array) -> Array:
    """(N, 2, 2) of clicks that are good for ``click_px`` on places that are unsure themselves.

    ``spread_m`` (N, 3, K) holds K independent errors of each place, one sigma of each. They count
    as they are seen from the camera of ``state``: heights hardly show from above.
    """
    rotation = rotation_of(state)
    cam = (xyz_m - state[PLACE]) @ rotation.T
    depth = np.maximum(cam[:, 2], NEAREST_M)
    slide = np.zeros((len(xyz_m), 2, 3))
    slide[:, 0, 0] = slide[:, 1, 1] = 1
    slide[:, :, 2] = -cam[:, :2] / depth[:, None]
    moved = (state[FOCAL] / depth)[:, None, None] * slide @ rotation @ spread_m
    spread = moved @ moved.transpose(0, 2, 1) + click_px**2 * np.eye(2)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(spread)))


def camera_covariance(
    state: Array, sights: PointObservations, view: CameraPrior, common_m: Array | None = None
) -> Array:
    """(8, 8) of place, turn about the world axes, focal length and k1; the rest of the lens counts.

    ``common_m`` (N, 3) is one sigma of an error that all places have together.

    The turn is that of the ray through the middle of the picture: a principal point that lies
    elsewhere turns the camera the other way, so that this ray hardly notices.
    """
    jacobian = jacobian_of(state, sights, view)
    inverse = inverted(jacobian.T @ jacobian)
    unsolved = []
    if view.has_own_lens:
        unsolved.append(_beside(state, sights, view, jacobian[:-2, 3:6]))
    if common_m is not None:
        moved = replace(sights, xyz_m=sights.xyz_m + common_m)
        unsolved.append(
            (off_sigmas(state, moved, view) - off_sigmas(state, sights, view)).reshape(-1, 1)
        )
    pulled = [inverse @ jacobian[:-2].T @ one for one in unsolved]
    return np.asarray(inverse + sum(one @ one.T for one in pulled))


def jacobian_of(state: Array, sights: PointObservations, view: CameraPrior) -> Array:
    """(2N + 2, 8) of the weighted misses by place, turn about the world axes, focal and k1."""
    rotation = rotation_of(state)

    def moved(change: Array) -> Array:
        # world_from_cam -> exp([turn]x) world_from_cam, so cam_from_world gets its transpose.
        turned = rotation @ cv2.Rodrigues(change[3:6])[0].T
        new = np.concatenate([cv2.Rodrigues(turned)[0].ravel(), state[PLACE] + change[:3]])
        return weighted(np.concatenate([new, state[6:] + change[6:]]), sights, view)

    depth = float(np.median(np.linalg.norm(sights.xyz_m - state[PLACE], axis=1)))
    steps = np.array([1e-5 * depth] * 3 + [1e-5] * 3 + [1e-5 * state[FOCAL], 1e-5])
    columns = [(moved(s) - moved(-s)) / (2 * s.sum()) for s in np.diag(steps)]
    return np.stack(columns, axis=1)


def design_effect(
    state: Array, sights: PointObservations, view: CameraPrior, groups: IntArray
) -> float:
    """How many times larger variances are than if the points of one group did not err together.

    ``groups`` (N,) holds the label of each point's group. The cluster-robust estimate (Liang and
    Zeger
    1986) beside the plain one, at least 1.
    """
    jacobian = jacobian_of(state, sights, view)
    misses = weighted(state, sights, view)
    inverse = inverted(jacobian.T @ jacobian)
    pulls = jacobian[:-2] * misses[:-2, None]
    _, which = np.unique(np.repeat(groups, 2), return_inverse=True)
    sums = np.zeros((int(which.max()) + 1, 8))
    np.add.at(sums, which, pulls)
    meat = sums.T @ sums * len(sums) / max(1, len(sums) - 1) + jacobian[-2:].T @ jacobian[-2:]
    ratio = np.diag(inverse @ meat @ inverse)[:6] / np.diag(inverse)[:6]
    return max(1.0, float(ratio.mean()))


def inverted(information: Array) -> Array:
    """(K, K) covariance from an information matrix whose unknowns differ in size."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    return np.asarray(np.linalg.pinv(information * np.outer(scale, scale)) * np.outer(scale, scale))


def _beside(state: Array, sights: PointObservations, view: CameraPrior, by_turn: Array) -> Array:
    """(2N, 3) weighted misses that one sigma of the principal point and of k2 make.

    The camera is turned back by as much as the principal point moves its middle; ``by_turn``
    (2N, 3) is what a turn does to the misses.
    """
    off_px = OFF_CENTRE * max(view.width_px, view.height_px)
    sigmas = np.diag([off_px, off_px, K2_SIGMA])
    none = misses_px(state, sights, view)
    others = [replace(view, beside=tuple(view.beside + one)) for one in sigmas]
    moved = [misses_px(state, sights, other) - none for other in others]
    white = [np.einsum("nij,nj->ni", sights.whitening, one).ravel() for one in moved]
    back = np.linalg.pinv(_middle_by_turn(state, view)) @ sigmas[:2]
    return np.stack(white, axis=1) - by_turn @ back


def _middle_by_turn(state: Array, view: CameraPrior) -> Array:
    """(2, 3) pixels by which a turn about the world axes moves what is in the middle."""
    ahead = state[PLACE] + rotation_of(state)[2]
    middle = PointObservations(xyz_m=ahead[None], xy_px=np.zeros((1, 2)), whitening=np.eye(2)[None])
    return jacobian_of(state, middle, view)[:2, 3:6]
