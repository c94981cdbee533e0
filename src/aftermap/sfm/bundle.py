"""Bundle adjustment: frames, lenses and points that fit pixels, positions and surveyed marks best.

Levenberg-Marquardt on the reduced camera system with Cauchy weights (Triggs et al. 2000, Bundle
Adjustment - A Modern Synthesis), in the world frame of the positions minus an offset. All priors
are Gaussian with their stated sigmas; recorded positions share one unknown offset, because the
errors of a flight's receiver are mostly common to all of its photographs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.spatial.transform import Rotation

from aftermap.errors import ReconstructionError
from aftermap.geo.arrays import Array
from aftermap.sfm.bundle_kernel import Equations, back_substitute, eliminate
from aftermap.sfm.projection_kernel import LENS, POSE, Observations, State, residuals_px

HELD = 1e-9
"""Relative sigma that stands for 'not estimated'."""
CAUCHY_PIXEL = 2.5
"""Residual, in sigmas, at which an observation has lost half of its weight."""
CAUCHY_POSITION = 3.0


@dataclass(frozen=True, kw_only=True)
class Priors:
    """What is known apart from the pictures. NaN stands for unknown, everywhere.

    ``positions`` and their sigmas (N, 3) metres; ``offset_sigma`` (3,) of the offset they share;
    ``lenses`` and their sigmas (K, 8); ``points`` and their sigmas (P, 3); ``rotations`` (N, 3, 3)
    cam_from_world and the sigmas (N, 3) of a turn from them about the world's axes, in radians.
    """

    positions: Array
    position_sigma: Array
    offset_sigma: Array
    lenses: Array
    lens_sigma: Array
    points: Array
    point_sigma: Array
    rotations: Array
    turn_sigma: Array


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """The estimate, its offset to the recorded positions, its cost, and what is left over.

    ``residuals_px`` (M, 2); ``iterations`` done; ``cost`` is half the robust sum of squares.
    """

    state: State
    offset_m: Array
    residuals_px: Array
    cost: float
    iterations: int


def adjust_bundle(
    state: State,
    sights: Observations,
    sigma_px: Array,
    knowns: Priors,
    *,
    iterations: int = 30,
    tolerance: float = 1e-6,
) -> Adjusted:
    """The state that fits best, from a start that is roughly right.

    ``sigma_px`` (M,) is the standard deviation of each observation in pixels.
    """
    offset, damping = np.zeros(3), 1e-4
    residuals = _residuals(state, sights)
    cost = _cost(state, offset, residuals, sigma_px, knowns)
    done = 0
    while done < iterations:
        done += 1
        system = _system(state, sights, residuals, sigma_px, knowns, offset, damping)
        found: tuple[State, Array, Array, float] | None = None
        while damping < 1e8:
            moved, moved_offset = _stepped(system, state, sights, offset)
            moved_residuals = _residuals(moved, sights)
            moved_cost = _cost(moved, moved_offset, moved_residuals, sigma_px, knowns)
            if moved_cost <= cost:
                found = moved, moved_offset, moved_residuals, moved_cost
                break
            damping = max(damping, 1e-6) * 10
            system = _system(state, sights, residuals, sigma_px, knowns, offset, damping)
        if found is None:
            break
        gain = cost - found[3]
        state, offset, residuals, cost = found
        damping = max(damping / 10, 1e-9)
        if gain <= tolerance * cost:
            break
    return Adjusted(
        state=state, offset_m=offset, residuals_px=residuals, cost=cost, iterations=done
    )


def gauss_newton_step(
    state: State, sights: Observations, sigma_px: Array, knowns: Priors, offset_m: Array
) -> tuple[State, Array]:
    """The state and the offset of the recorded positions after one step without any damping.

    From a state that is nearly right it goes all the way along directions that little holds, where
    a damped step stops short. ``sigma_px`` (M,) is the standard deviation of each observation in
    pixels; ``offset_m`` (3,) is recorded minus adjusted positions, metres in the world frame.
    """
    residuals = _residuals(state, sights)
    system = _system(state, sights, residuals, sigma_px, knowns, offset_m, 0.0)
    return _stepped(system, state, sights, offset_m)


def block_covariance(
    estimate: Adjusted, sights: Observations, sigma_px: Array, knowns: Priors
) -> Array:
    """(K, K) covariance of frames (6 each: rotation, position), lenses (8 each), the shared offset.

    Where no position is known, the datum is that of least trace (a free network): the seven
    directions of a similarity are taken out instead of being infinitely uncertain.
    """
    state = estimate.state
    system = _system(state, sights, estimate.residuals_px, sigma_px, knowns, estimate.offset_m, 0.0)
    normal = system.normal
    if not _is_free(knowns):
        return _inverse(normal)
    free = _similarity_directions(state, len(normal))
    scale = float(np.median(np.diag(normal)[: POSE * len(state.rotations)]))
    return _inverse(normal + scale * (free @ free.T)) - (free @ free.T) / scale


@dataclass(frozen=True, kw_only=True)
class _System:
    normal: Array
    gradient: Array
    weight: Array
    inverses: Array
    pulls: Array


def _residuals(state: State, sights: Observations) -> Array:
    out = np.empty_like(sights.xy_px)
    residuals_px(state, sights, out)
    return out


def _squared_sigmas(residuals: Array, sigma_px: Array) -> Array:
    return np.asarray((residuals**2).sum(axis=1) / sigma_px**2)


def _position_misfit(state: State, offset: Array, knowns: Priors) -> Array:
    """(N, 3) recorded minus estimated, in metres; zero where nothing was recorded."""
    return np.nan_to_num(knowns.positions - (state.positions + offset))


def _position_weights(misfit: Array, knowns: Priors) -> Array:
    """(N, 3) weights of the recorded positions, lower for those that lie far off."""
    weight = np.nan_to_num(knowns.position_sigma**-2.0) * np.isfinite(knowns.positions)
    squared = (misfit**2 * weight).sum(axis=1, keepdims=True)
    return np.asarray(weight / (1 + squared / CAUCHY_POSITION**2))


def _cost(state: State, offset: Array, residuals: Array, sigma_px: Array, knowns: Priors) -> float:
    squared = _squared_sigmas(residuals, sigma_px)
    cost = CAUCHY_PIXEL**2 * np.log1p(squared / CAUCHY_PIXEL**2).sum()
    misfit = _position_misfit(state, offset, knowns)
    raw = np.nan_to_num(knowns.position_sigma**-2.0) * np.isfinite(knowns.positions)
    far = (misfit**2 * raw).sum(axis=1)
    cost += CAUCHY_POSITION**2 * np.log1p(far / CAUCHY_POSITION**2).sum()
    cost += ((offset / knowns.offset_sigma) ** 2).sum()
    cost += np.nansum(((state.lenses - knowns.lenses) / knowns.lens_sigma) ** 2)
    cost += np.nansum(((state.points - knowns.points) / knowns.point_sigma) ** 2)
    cost += sum(float(miss @ weight @ miss) for _, miss, weight in _turns(state, knowns))
    return float(cost / 2)


def _turns(state: State, knowns: Priors) -> Iterator[tuple[int, Array, Array]]:
    """Frame, turn of the camera (3,) that leads to its known rotation, and (3, 3) weight of that.

    The turn is about the camera's axes, as the adjustment turns cameras; the sigmas are about the
    world's, since a gimbal knows the plumb line well and north badly.
    """
    for i in np.flatnonzero(np.isfinite(knowns.turn_sigma).all(axis=1)):
        rotation = state.rotations[i]
        miss = Rotation.from_matrix(knowns.rotations[i] @ rotation.T).as_rotvec()
        yield int(i), miss, rotation @ np.diag(knowns.turn_sigma[i] ** -2.0) @ rotation.T


def _system(
    state: State,
    sights: Observations,
    residuals: Array,
    sigma_px: Array,
    knowns: Priors,
    offset: Array,
    damping: float,
) -> _System:
    """Reduced normal equations at a state, with every prior and the damping in them."""
    lens_at = POSE * len(state.rotations)
    offset_at = lens_at + LENS * len(state.lenses)
    normal = np.zeros((offset_at + 3, offset_at + 3))
    gradient = np.zeros(offset_at + 3)
    weight = 1 / (sigma_px**2 * (1 + _squared_sigmas(residuals, sigma_px) / CAUCHY_PIXEL**2))
    point_weight = np.nan_to_num(knowns.point_sigma**-2.0) * np.isfinite(knowns.points)
    inverses = np.zeros((len(state.points), 3, 3))
    inverses[:, range(3), range(3)] = point_weight
    pulls = point_weight * np.nan_to_num(knowns.points - state.points)
    eliminate(state, sights, weight, damping, Equations(normal, gradient), inverses, pulls)

    _add_positions(normal, gradient, state, offset, knowns)
    for i, miss, turn_weight in _turns(state, knowns):
        own = slice(POSE * i, POSE * i + 3)
        normal[own, own] += turn_weight
        gradient[own] += turn_weight @ miss

    lens = lens_at + np.arange(state.lenses.size)
    lens_weight = np.nan_to_num(knowns.lens_sigma**-2.0).ravel()
    normal[lens, lens] += lens_weight
    gradient[lens] += lens_weight * np.nan_to_num(knowns.lenses - state.lenses).ravel()
    normal[range(len(normal)), range(len(normal))] *= 1 + damping
    return _System(normal=normal, gradient=gradient, weight=weight, inverses=inverses, pulls=pulls)


def _add_positions(
    normal: Array, gradient: Array, state: State, offset: Array, knowns: Priors
) -> None:
    """Add what the recorded positions, and the offset that they share, say."""
    frames = len(state.rotations)
    offset_at = len(normal) - 3
    misfit = _position_misfit(state, offset, knowns)
    weight = _position_weights(misfit, knowns)
    at = (POSE * np.arange(frames)[:, None] + 3 + np.arange(3)).ravel()
    shared = np.tile(offset_at + np.arange(3), frames)
    normal[at, at] += weight.ravel()
    normal[at, shared] += weight.ravel()
    gradient[at] += (weight * misfit).ravel()
    last = offset_at + np.arange(3)
    normal[last, last] += weight.sum(axis=0) + knowns.offset_sigma**-2.0
    gradient[last] += (weight * misfit).sum(axis=0) - offset / knowns.offset_sigma**2


def _stepped(
    system: _System, state: State, sights: Observations, offset: Array
) -> tuple[State, Array]:
    """The state one step further."""
    scale = 1 / np.sqrt(np.maximum(np.diag(system.normal), 1e-30))
    scaled = system.normal * scale[:, None] * scale
    scaled[range(len(scaled)), range(len(scaled))] += 1e-12
    try:
        step = cho_solve(cho_factor(scaled, overwrite_a=True), system.gradient * scale) * scale
    except LinAlgError:
        step = np.zeros_like(system.gradient)
    lens_at = POSE * len(state.rotations)
    point_step = np.empty_like(state.points)
    back_substitute(state, sights, system.weight, step, system.inverses, system.pulls, point_step)
    frames = step[:lens_at].reshape(-1, POSE)
    moved = state._replace(
        rotations=rotation_matrices(frames[:, :3]) @ state.rotations,
        positions=state.positions + frames[:, 3:],
        lenses=state.lenses + step[lens_at : lens_at + state.lenses.size].reshape(-1, LENS),
        points=state.points + point_step,
    )
    return moved, offset + step[-3:]


def rotation_matrices(vectors: Array) -> Array:
    """(N, 3, 3) rotations by (N, 3) rotation vectors in radians (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    small = angle < 1e-8
    safe = np.where(small, 1.0, angle)
    sine = np.where(small, 1.0, np.sin(safe) / safe)
    cosine = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    return np.asarray(np.eye(3) + sine * cross + cosine * (cross @ cross))


def _is_free(knowns: Priors) -> bool:
    located = np.isfinite(knowns.positions).all(axis=1).sum()
    surveyed = np.isfinite(knowns.points).all(axis=1).sum()
    return bool(located + surveyed < 3)


def _similarity_directions(state: State, size: int) -> Array:
    """(size, 7) orthonormal directions in which the whole frame may move, turn and grow."""
    directions = np.zeros((size, 7))
    frames = len(state.rotations)
    at = POSE * np.arange(frames)
    centred = state.positions - state.positions.mean(axis=0)
    for axis in range(3):
        directions[at + 3 + axis, axis] = 1
        unit = np.eye(3)[axis]
        directions[(at[:, None] + np.arange(3)), 3 + axis] = -state.rotations @ unit
        directions[(at[:, None] + 3 + np.arange(3)), 3 + axis] = np.cross(unit, centred)
        directions[at + 3 + axis, 6] = centred[:, axis]
    return np.linalg.qr(directions)[0]


def _inverse(normal: Array) -> Array:
    scale = 1 / np.sqrt(np.maximum(np.diag(normal), 1e-30))
    upper = np.triu(normal * scale[:, None] * scale)
    try:
        factor = cho_factor(upper)
    except LinAlgError as error:
        raise ReconstructionError(
            "the images: are not connected well enough to estimate the accuracy of their "
            "positions; add images with more overlap"
        ) from error
    return np.asarray(cho_solve(factor, np.eye(len(normal))) * scale[:, None] * scale)
