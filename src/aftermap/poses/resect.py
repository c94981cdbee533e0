"""One picture's pose from places of a map that are seen in it, and how far to trust it.

SQPNP (Terzakis and Lourakis 2020) in RANSAC, from several focal lengths; then least squares over
pose, focal length and k1, robust first (to find the wrong clicks) and plain after. World axes are
east, north, up in metres; pixels count from the outer corner.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from aftermap.errors import ControlError
from aftermap.geo.lens import distorted
from aftermap.model.camera import CameraPose, Matrix3, Matrix6, Vector3
from aftermap.model.flight import ClipPose, PoseSource

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

MIN_POINTS = 6
LINE_FRACTION = 0.02
"""Points whose width is less than this part of their length are on a line."""
PLANE_FRACTION = 0.01
"""Points that leave their best plane by less than this part of their length (RMS) are in it."""
CLICK_SIGMA_PX = 1.5
"""What a click is good for; the measured noise may raise a covariance, never lower it."""
K1_SIGMA = 0.1
FOCAL_STARTS = (0.6, 0.75, 0.9, 1.0, 1.1, 1.35, 1.7)
"""Starts, in parts of the focal length believed beforehand, within three of its sigmas."""
GROSS_SIGMAS = 4.0
"""Residual, in sigmas, from which a point is a wrong click."""
FITTING_SIGMAS = 4.0
"""RMS residual, in click sigmas, from which the points do not fit one camera."""
TURN = slice(0, 3)
PLACE = slice(3, 6)
FOCAL, K1 = 6, 7


@dataclass(frozen=True, kw_only=True)
class View:
    """What is believed of a picture before: its size, and its focal length with one sigma."""

    width_px: int
    height_px: int
    focal_px: float
    focal_sigma_px: float


@dataclass(frozen=True, kw_only=True)
class Resected:
    """A pose. ``params`` are of the OPENCV lens model; pixels and metres as in the module's doc.

    ``covariance`` (6, 6) is of position and of a small turn about the world axes (left-multiplied
    on world_from_cam). ``left_out_px`` (N,) is how far each point lies from where the others put
    it: the honest residual. ``used`` (N,) is False for wrong clicks.
    """

    rotation_cam_from_world: Array
    position_m: Array
    params: tuple[float, ...]
    covariance: Array
    focal_sigma_px: float
    residuals_px: Array
    left_out_px: Array
    used: Bools
    sigma_px: float


def resected(
    xyz_m: npt.ArrayLike,
    xy_px: npt.ArrayLike,
    view: View,
    *,
    what: str = "ties",
    click_px: float = CLICK_SIGMA_PX,
    leave_one_out: bool = True,
) -> Resected:
    """The pose from (N, 3) places and their (N, 2) pixels; ``what`` names them in an error.

    Leaving out one at a time takes a solution per point; without it ``left_out_px`` is NaN.
    """
    xyz, xy = np.asarray(xyz_m, float), np.asarray(xy_px, float)
    check_spread(xyz, what)
    found = _solved(xyz, xy, view, click_px)
    if found is None:
        raise ControlError(f"{what}: {_why_not(xyz, xy, view, click_px)}")
    state, used, middle = found
    told = _told(state, xyz - middle, xy, used, view, click_px, middle)
    if not leave_one_out:
        return told
    return replace(told, left_out_px=_left_out(state, xyz - middle, xy, used, view, click_px))


def refitted(
    xyz_m: Array, xy_px: Array, view: View, start: Resected, groups: Whole, *, click_px: float
) -> Resected | None:
    """The pose nearest to ``start`` that fits many measured points, or None where none does.

    ``groups`` (N,) number the points that may err together; the covariance is widened for it.
    """
    middle = xyz_m.mean(axis=0)
    near = xyz_m - middle
    turn = cv2.Rodrigues(start.rotation_cam_from_world)[0].ravel()
    first = np.concatenate([turn, start.position_m - middle, [start.params[0], start.params[4]]])
    state = least_squares(
        _weighted, first, args=(near, xy_px, view, click_px), loss="cauchy", x_scale="jac"
    ).x
    off = np.linalg.norm(misses_px(state, near, xy_px, view), axis=1)
    used = off < GROSS_SIGMAS * max(click_px, float(np.median(off)) / 1.1774)
    if used.sum() < 2 * MIN_POINTS:
        return None
    state = least_squares(
        _weighted, state, args=(near[used], xy_px[used], view, click_px), x_scale="jac"
    ).x
    if not _is_above(state, near[used]):
        return None
    told = _told(state, near, xy_px, used, view, click_px, middle)
    wider = _design_effect(state, near[used], xy_px[used], view, told.sigma_px, groups[used])
    return replace(
        told,
        covariance=told.covariance * wider,
        focal_sigma_px=min(told.focal_sigma_px * np.sqrt(wider), view.focal_sigma_px),
    )


def clip_pose(found: Resected, time_s: Fraction, shot: int, source: PoseSource) -> ClipPose:
    """A resected pose as a moment of a clip."""
    covariance = tuple(tuple(float(v) for v in row) for row in found.covariance)
    turn = tuple(tuple(float(v) for v in row) for row in found.rotation_cam_from_world)
    pose = CameraPose(
        rotation_cam_from_world=cast("Matrix3", turn),
        position_m=cast("Vector3", tuple(float(v) for v in found.position_m)),
        covariance_m2=cast("Matrix3", tuple(row[:3] for row in covariance[:3])),
    )
    return ClipPose(
        time_s=time_s, shot=shot, pose=pose, source=source,
        covariance=cast("Matrix6", covariance),
    )  # fmt: skip


def check_spread(xyz_m: Array, what: str) -> None:
    """Raise where the places cannot fix a camera: too few, not numbers, on a line, in a plane."""
    if len(xyz_m) < MIN_POINTS:
        raise ControlError(
            f"{what}: {len(xyz_m)} points, and a camera needs {MIN_POINTS}; click more"
        )
    if not np.isfinite(xyz_m).all():
        raise ControlError(f"{what}: a place has no height or is no number; correct it")
    size = np.linalg.svd(xyz_m - xyz_m.mean(axis=0), compute_uv=False) / np.sqrt(len(xyz_m))
    if size[1] <= LINE_FRACTION * size[0]:
        raise ControlError(
            f"{what}: all {len(xyz_m)} points lie on one line ({size[0]:.1f} m long, "
            f"{size[1]:.2f} m wide, RMS); click places to its side"
        )
    if size[2] <= PLANE_FRACTION * size[0]:
        raise ControlError(
            f"{what}: all {len(xyz_m)} points lie in one plane ({size[0]:.1f} m long, "
            f"{size[2]:.2f} m off it, RMS, at least {PLANE_FRACTION * size[0]:.2f} m needed); "
            "click roofs as well"
        )


def _solved(
    xyz_m: Array, xy_px: Array, view: View, click_px: float
) -> tuple[Array, Bools, Array] | None:
    """State (turn, place, focal, k1), points used, and the place that was subtracted."""
    middle = xyz_m.mean(axis=0)
    near = xyz_m - middle
    best: tuple[float, Array] | None = None
    for start in _starts(near, xy_px, view, click_px):
        fit = least_squares(
            _weighted, start, args=(near, xy_px, view, click_px), loss="cauchy", x_scale="jac"
        )
        if best is None or fit.cost < best[0]:
            best = float(fit.cost), fit.x
    if best is None:
        return None
    state = best[1]
    off = np.linalg.norm(misses_px(state, near, xy_px, view), axis=1)
    typical = max(click_px, float(np.median(off)) / 1.1774)
    used = off < GROSS_SIGMAS * typical
    if used.sum() < max(MIN_POINTS, 0.6 * len(near)):
        return None
    # The spread of the ones left over decides whether they can still fix the camera.
    check_spread(near[used], "ties without the wrong clicks")
    state = least_squares(
        _weighted, state, args=(near[used], xy_px[used], view, click_px), x_scale="jac"
    ).x
    left = misses_px(state, near[used], xy_px[used], view)
    if np.sqrt((left**2).mean()) > FITTING_SIGMAS * click_px or not _is_above(state, near[used]):
        return None
    return state, used, middle


def _starts(near: Array, xy_px: Array, view: View, click_px: float) -> list[Array]:
    """Poses by SQPNP in RANSAC, one for each focal length that is not ruled out beforehand."""
    starts = []
    for factor in FOCAL_STARTS:
        focal = view.focal_px * factor
        if factor != 1 and abs(focal - view.focal_px) > 3 * view.focal_sigma_px:
            continue
        lens = np.array([[focal, 0, view.width_px / 2], [0, focal, view.height_px / 2], [0, 0, 1]])
        cv2.setRNGSeed(7)
        # Both sides count from the corner, so no half pixel comes in.
        done, turn, shift, _ = cv2.solvePnPRansac(
            near, xy_px, lens, None, iterationsCount=300, flags=cv2.SOLVEPNP_SQPNP,
            reprojectionError=max(6 * click_px, 0.02 * view.width_px),
        )  # fmt: skip
        if done:
            rotation = cv2.Rodrigues(turn)[0]
            place = -rotation.T @ shift.ravel()
            starts.append(np.concatenate([turn.ravel(), place, [focal, 0.0]]))
    return starts


def _rotation(state: Array) -> Array:
    return np.asarray(cv2.Rodrigues(state[TURN])[0], np.float64)


def _is_above(state: Array, near: Array) -> bool:
    """Whether all places are in front of a camera in the air: mirrored ones are seen from below."""
    if state[PLACE][2] <= np.median(near[:, 2]):
        return False
    rotation = _rotation(state)
    return bool((((near - state[PLACE]) @ rotation.T)[:, 2] > 0).all())


def misses_px(state: Array, near: Array, xy_px: Array, view: View) -> Array:
    """(N, 2) pixels, computed minus clicked. A place behind the camera is far off, not NaN."""
    rotation = _rotation(state)
    cam = (near - state[PLACE]) @ rotation.T
    ideal = cam[:, :2] / np.maximum(cam[:, 2:], 1e-3)
    xy = distorted(ideal, (1, 1, 0, 0, state[K1], 0, 0, 0))
    middle = np.array([view.width_px, view.height_px]) / 2
    return np.asarray(state[FOCAL] * xy + middle - xy_px)


def _weighted(state: Array, near: Array, xy_px: Array, view: View, click_px: float) -> Array:
    prior = [
        (state[FOCAL] - view.focal_px) / max(view.focal_sigma_px, 1e-6 * view.focal_px),
        state[K1] / K1_SIGMA,
    ]
    return np.concatenate([misses_px(state, near, xy_px, view).ravel() / click_px, prior])


def _told(
    state: Array, near: Array, xy_px: Array, used: Bools, view: View, click_px: float, middle: Array
) -> Resected:
    misses = misses_px(state, near, xy_px, view)
    freedom = max(1, 2 * int(used.sum()) - 8)
    sigma = max(click_px, float(np.sqrt((misses[used] ** 2).sum() / freedom)))
    rotation = _rotation(state)
    covariance = _covariance(state, near[used], xy_px[used], view, sigma)
    return Resected(
        rotation_cam_from_world=rotation,
        position_m=state[PLACE] + middle,
        params=(
            state[FOCAL],
            state[FOCAL],
            view.width_px / 2,
            view.height_px / 2,
            state[K1],
            0,
            0,
            0,
        ),
        covariance=covariance[:6, :6],
        focal_sigma_px=float(np.sqrt(covariance[6, 6])),
        residuals_px=misses,
        left_out_px=np.full(len(near), np.nan),
        used=used,
        sigma_px=sigma,
    )


def _covariance(state: Array, near: Array, xy_px: Array, view: View, sigma_px: float) -> Array:
    """(8, 8) of position, turn about the world axes, focal and k1, focal and k1 not held."""
    jacobian = _jacobian(state, near, xy_px, view, sigma_px)
    return _inverse(jacobian.T @ jacobian)


def _jacobian(state: Array, near: Array, xy_px: Array, view: View, sigma_px: float) -> Array:
    """(2N + 2, 8) of the weighted misses by position, turn about the world axes, focal and k1."""
    rotation = _rotation(state)

    def moved(change: Array) -> Array:
        # world_from_cam -> exp([turn]x) world_from_cam, so cam_from_world gets its transpose.
        turned = rotation @ cv2.Rodrigues(change[3:6])[0].T
        new = np.concatenate([cv2.Rodrigues(turned)[0].ravel(), state[PLACE] + change[:3]])
        return _weighted(np.concatenate([new, state[6:] + change[6:]]), near, xy_px, view, sigma_px)

    depth = float(np.median(np.linalg.norm(near - state[PLACE], axis=1)))
    steps = np.array([1e-5 * depth] * 3 + [1e-5] * 3 + [1e-5 * state[FOCAL], 1e-5])
    columns = [(moved(s) - moved(-s)) / (2 * s.sum()) for s in np.diag(steps)]
    return np.stack(columns, axis=1)


def _inverse(information: Array) -> Array:
    """The inverse of an information matrix whose unknowns differ in size."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    return np.asarray(np.linalg.pinv(information * np.outer(scale, scale)) * np.outer(scale, scale))


def _design_effect(
    state: Array, near: Array, xy_px: Array, view: View, sigma_px: float, groups: Whole
) -> float:
    """How many times larger variances are than if the points of one group did not err together.

    The cluster-robust estimate (Liang and Zeger 1986) beside the plain one, at least 1.
    """
    jacobian = _jacobian(state, near, xy_px, view, sigma_px)
    misses = _weighted(state, near, xy_px, view, sigma_px)
    inverse = _inverse(jacobian.T @ jacobian)
    pulls = jacobian[:-2] * misses[:-2, None]
    _, which = np.unique(np.repeat(groups, 2), return_inverse=True)
    sums = np.zeros((int(which.max()) + 1, 8))
    np.add.at(sums, which, pulls)
    meat = sums.T @ sums * len(sums) / max(1, len(sums) - 1) + jacobian[-2:].T @ jacobian[-2:]
    ratio = np.diag(inverse @ meat @ inverse)[:6] / np.diag(inverse)[:6]
    return max(1.0, float(ratio.mean()))


def _left_out(
    state: Array, near: Array, xy_px: Array, used: Bools, view: View, click_px: float
) -> Array:
    """(N,) distance of every point from where the camera of the other used points puts it."""
    off = np.empty(len(near))
    for i in range(len(near)):
        others = used & (np.arange(len(near)) != i)
        fit = least_squares(
            _weighted, state, args=(near[others], xy_px[others], view, click_px), x_scale="jac"
        )
        off[i] = np.linalg.norm(misses_px(fit.x, near[[i]], xy_px[[i]], view))
    return off


def _why_not(xyz_m: Array, xy_px: Array, view: View, click_px: float) -> str:
    """What is wrong with points that fit no camera: mirrored, swapped, or simply wrong."""
    size = np.array([view.width_px, view.height_px], float)
    # Turned by half a turn, a picture that is mirrored left for right is one upside down.
    upside_down = np.stack([xy_px[:, 0], size[1] - xy_px[:, 1]], axis=1)
    mirrored = {
        "mirrored; count py from the top of the stored picture, px from its left": (
            xyz_m,
            upside_down,
        ),
        "px and py exchanged; px counts to the right": (xyz_m, xy_px[:, ::-1]),
        "lon and lat exchanged; lon counts east": (xyz_m[:, [1, 0, 2]], xy_px),
    }
    for advice, (xyz, xy) in mirrored.items():
        try:
            if _solved(xyz, xy, view, click_px) is not None:
                return f"the points fit no camera as they are, but do so {advice}"
        except ControlError:
            continue
    return "the points fit no camera; check each place and click, the focal length, and the clip"
