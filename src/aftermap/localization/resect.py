"""One picture's pose from places of a map that are seen in it, and how far to trust it.

SQPNP (Terzakis and Lourakis 2020) in RANSAC, from several focal lengths; then least squares over
pose, focal length and k1 (:mod:`aftermap.localization.camera_fit`), robust first (to find the
wrong clicks) and plain after. World axes are east, north, up in metres; pixels count from the
outer corner.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.stats import chi2
from scipy.stats import f as fisher

from aftermap.errors import ControlError
from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.tuples import matrix3, matrix6, vector3
from aftermap.imaging.robust_geometry import pose_by_points
from aftermap.localization.camera_fit import (
    FOCAL,
    K1,
    PLACE,
    CameraPrior,
    PointObservations,
    camera_covariance,
    design_effect,
    misses_px,
    off_sigmas,
    rotation_of,
    weighted,
    whitening_of,
)
from aftermap.model.camera import CameraPose
from aftermap.model.trajectory import ClipPose, PoseSource

MIN_POINTS = 6
LINE_FRACTION = 0.02
"""Points whose width is less than this part of their length are on a line."""
PLANE_FRACTION = 0.01
"""Points that leave their best plane by less than this part of their length (RMS) are in it."""
CLICK_SIGMA_PX = 1.5
"""What a click in the picture is good for; the measured noise may only raise it."""
PLACE_SIGMA_M = (0.5, 0.5, 0.5)
"""What a click on a map is good for, east and north, and a height of a surface, up."""
FOCAL_STARTS = (0.6, 0.75, 0.9, 1.0, 1.1, 1.35, 1.7)
"""Starts, in parts of the focal length believed beforehand, within three of its sigmas."""
GROSS_SIGMAS = 4.0
"""Residual, in sigmas, from which a point is a wrong click."""
WEIGHINGS = 3
COMMON_SHARE = 0.5
"""Part of what places are unsure by that all of them may be off by together."""
FITTING_SIGMAS = 4.0
"""RMS residual, in sigmas, from which the points do not fit one camera."""


@dataclass(frozen=True, kw_only=True)
class Resected:
    """A pose. ``params`` are of the OPENCV lens model; pixels and metres as in the module's doc.

    ``covariance`` (6, 6) is of position and of a small turn about the world axes (left-multiplied
    on world_from_cam). ``left_out_px`` (N,) is how far each point lies from where the others put
    it: the honest residual. ``used`` (N,) is False for wrong clicks. ``sigma_px`` is what a click
    turned out to be good for, no less than was believed.
    """

    rotation_cam_from_world: Array
    position_m: Array
    params: tuple[float, ...]
    covariance: Array
    focal_sigma_px: float
    residuals_px: Array
    left_out_px: Array
    used: BoolArray
    sigma_px: float


def resect(
    xyz_m: npt.ArrayLike,
    xy_px: npt.ArrayLike,
    view: CameraPrior,
    *,
    what: str = "ties",
    click_px: float = CLICK_SIGMA_PX,
    place_sigma_m: npt.ArrayLike = PLACE_SIGMA_M,
    leave_one_out: bool = True,
) -> Resected:
    """The pose from (N, 3) places and their (N, 2) pixels; ``what`` names them in an error.

    ``place_sigma_m`` is (3,) of all places, or (N, 3). Leaving out one at a time takes a
    solution
    per point; without it ``left_out_px`` is NaN.

    Raises ControlError where the places do not fix a camera.
    """
    xyz, xy = np.asarray(xyz_m, float), np.asarray(xy_px, float)
    check_spread(xyz, what)
    middle = xyz.mean(axis=0)
    clicks = _Clicks(
        xyz_m=xyz - middle,
        xy_px=xy,
        click_px=click_px,
        place_sigma_m=np.broadcast_to(np.asarray(place_sigma_m, float), xyz.shape),
    )
    found = _solved(clicks, view)
    if found is None:
        raise ControlError(f"{what}: {_why_not(clicks, view)}")
    state, used = found
    state, scale = _weighed(state, clicks.sights(state).only(used), view)
    sights = clicks.sights(state).less_sure(scale)
    told = _told(state, sights, used, view, middle)
    told = replace(told, sigma_px=scale * click_px)
    if not leave_one_out:
        return told
    return replace(told, left_out_px=_left_out(state, sights, used, view))


def refit_pose(
    xyz_m: Array,
    xy_px: Array,
    view: CameraPrior,
    start: Resected,
    groups: IntArray,
    *,
    click_px: float,
    along_m: Array | None = None,
) -> Resected | None:
    """The pose nearest to ``start`` that fits many measured points, or None where none does.

    ``groups`` (N,) number the points that may err together; the covariance is widened for it.
    ``along_m`` (N, 3) is one sigma of each place's error, if it has one in a known direction.
    """
    middle = xyz_m.mean(axis=0)
    turn = cv2.Rodrigues(start.rotation_cam_from_world)[0].ravel()
    first = np.concatenate([turn, start.position_m - middle, [start.params[0], start.params[4]]])
    spread = np.zeros((len(xyz_m), 3, 1)) if along_m is None else along_m[:, :, None]
    whitening = whitening_of(first, xyz_m - middle, click_px, spread)
    sights = PointObservations(xyz_m=xyz_m - middle, xy_px=xy_px, whitening=whitening)
    state, used = _fitting_ones(_fitted(first, sights, view, loss="cauchy"), sights, view)
    if used.sum() < 2 * MIN_POINTS:
        return None
    state, scale = _weighed(state, sights.only(used), view)
    if not _is_above(state, sights.xyz_m[used]):
        return None
    sights = sights.less_sure(scale)
    common = None if along_m is None else COMMON_SHARE * along_m[used]
    told = _told(state, sights, used, view, middle, common)
    wider = design_effect(state, sights.only(used), view, groups[used])
    return replace(
        told,
        sigma_px=scale * click_px,
        covariance=told.covariance * wider,
        focal_sigma_px=min(told.focal_sigma_px * np.sqrt(wider), view.focal_sigma_px),
    )


def clip_pose(found: Resected, time_s: Fraction, shot: int, source: PoseSource) -> ClipPose:
    """A resected pose as a moment of a clip."""
    pose = CameraPose(
        rotation_cam_from_world=matrix3(found.rotation_cam_from_world),
        position_m=vector3(found.position_m),
        covariance_m2=matrix3(found.covariance[:3, :3]),
    )
    covariance = matrix6(found.covariance)
    return ClipPose(time_s=time_s, shot=shot, pose=pose, source=source, covariance=covariance)


def check_spread(xyz_m: Array, what: str) -> None:
    """Check that (N, 3) places in metres can fix a camera.

    Raises ControlError where they are too few, no numbers, on a line or in a plane.
    """
    if len(xyz_m) < MIN_POINTS:
        raise ControlError(
            f"{what}: {len(xyz_m)} points, but a camera needs {MIN_POINTS}; pick more"
        )
    if not np.isfinite(xyz_m).all():
        raise ControlError(f"{what}: a point has no height or is not a number; correct it")
    size = np.linalg.svd(xyz_m - xyz_m.mean(axis=0), compute_uv=False) / np.sqrt(len(xyz_m))
    if size[1] <= LINE_FRACTION * size[0]:
        raise ControlError(
            f"{what}: all {len(xyz_m)} points are collinear ({size[0]:.1f} m long, {size[1]:.2f} "
            "m wide, RMS); pick points to the side as well"
        )
    if size[2] <= PLANE_FRACTION * size[0]:
        raise ControlError(
            f"{what}: all {len(xyz_m)} points are coplanar ({size[0]:.1f} m long, {size[2]:.2f} m "
            f"off the plane, RMS, at least {PLANE_FRACTION * size[0]:.2f} m needed); pick points "
            "on roofs as well"
        )


@dataclass(frozen=True, kw_only=True)
class _Clicks:
    """Places (N, 3), near the origin, with (N, 2) clicks and what both are good for."""

    xyz_m: Array
    xy_px: Array
    click_px: float
    place_sigma_m: Array

    def sights(self, state: Array) -> PointObservations:
        """As they weigh when they are seen from there."""
        spread = self.place_sigma_m[:, :, None] * np.eye(3)
        whitening = whitening_of(state, self.xyz_m, self.click_px, spread)
        return PointObservations(xyz_m=self.xyz_m, xy_px=self.xy_px, whitening=whitening)


def _solved(clicks: _Clicks, view: CameraPrior) -> tuple[Array, BoolArray] | None:
    """State (turn, place, focal, k1) and points used, or None where they fit no camera."""
    best: tuple[float, Array] | None = None
    for start in _starts(clicks, view):
        state = _fitted(start, clicks.sights(start), view, loss="cauchy")
        off = (off_sigmas(state, clicks.sights(state), view) ** 2).sum(axis=1)
        cost = float(np.log1p(off).sum())
        if best is None or cost < best[0]:
            best = cost, state
    if best is None:
        return None
    state, used = _fitting_ones(best[1], clicks.sights(best[1]), view)
    if used.sum() < max(MIN_POINTS, 0.6 * len(used)):
        return None
    # The spread of the ones left over decides whether they can still fix the camera.
    check_spread(clicks.xyz_m[used], "points without outliers")
    state = _fitted(state, clicks.sights(state).only(used), view)
    left = off_sigmas(state, clicks.sights(state).only(used), view)
    if np.sqrt((left**2).mean()) > FITTING_SIGMAS or not _is_above(state, clicks.xyz_m[used]):
        return None
    return state, used


def _fitted(
    start: Array, sights: PointObservations, view: CameraPrior, *, loss: str = "linear"
) -> Array:
    fit = least_squares(weighted, start, args=(sights, view), loss=loss, x_scale="jac")
    return np.asarray(fit.x, np.float64)


def _fitting_ones(
    state: Array, sights: PointObservations, view: CameraPrior
) -> tuple[Array, BoolArray]:
    """The state fitted again by how large errors are, and (N,) whether each point fits it.

    A robust fit that thinks errors smaller than they are goes with a few points and leaves others.
    """
    state = _fitted(state, sights.less_sure(_typical(state, sights, view)), view, loss="cauchy")
    off = np.linalg.norm(off_sigmas(state, sights, view), axis=1)
    return state, np.asarray(off < GROSS_SIGMAS * _typical(state, sights, view))


def _typical(state: Array, sights: PointObservations, view: CameraPrior) -> float:
    """How many times larger the errors are than was believed, 1 or more; wrong ones do not count.

    The median distance of a plane Gaussian is 1.1774; what eight unknowns swallow is put back.
    """
    off = np.linalg.norm(off_sigmas(state, sights, view), axis=1)
    spare = max(1, 2 * len(off) - len(state)) / (2 * len(off))
    return max(1.0, float(np.median(off)) / 1.1774 / float(np.sqrt(spare)))


def _starts(clicks: _Clicks, view: CameraPrior) -> list[Array]:
    """States by SQPNP in RANSAC, one for each focal length that is not ruled out beforehand."""
    starts = []
    for factor in FOCAL_STARTS:
        focal = view.focal_px * factor
        if factor != 1 and abs(focal - view.focal_px) > 3 * view.focal_sigma_px:
            continue
        lens = np.array([[focal, 0, view.width_px / 2], [0, focal, view.height_px / 2], [0, 0, 1]])
        # Both sides count from the corner, so no half pixel comes in.
        found = pose_by_points(
            clicks.xyz_m,
            clicks.xy_px,
            lens,
            method=cv2.SOLVEPNP_SQPNP,
            trials=300,
            tolerance_px=max(6 * clicks.click_px, 0.02 * view.width_px),
            confidence=0.99,
        )
        if found is not None:
            starts.append(np.concatenate([found.turn, found.position, [focal, 0.0]]))
    return starts


def _is_above(state: Array, near: Array) -> bool:
    """Whether all places are in front of a camera in the air: mirrored ones are seen from below."""
    if state[PLACE][2] <= np.median(near[:, 2]):
        return False
    return bool((((near - state[PLACE]) @ rotation_of(state).T)[:, 2] > 0).all())


def _weighed(state: Array, sights: PointObservations, view: CameraPrior) -> tuple[Array, float]:
    """The state fitted, and how many times larger the errors are than was believed, 1 or more.

    It is fitted again where they are, for then what was believed of the lens weighs more.
    """
    freedom = max(1, 2 * len(sights.xy_px) - len(state))
    scale = 1.0
    for _ in range(WEIGHINGS):
        state = _fitted(state, sights.less_sure(scale), view)
        left = off_sigmas(state, sights, view)
        scale = max(1.0, float(np.sqrt(_few(freedom) * (left**2).sum() / freedom)))
        if scale == 1:
            break
    return state, scale


def _few(freedom: int) -> float:
    """By how much a variance that few residuals tell must be larger to hold 90 % in space.

    The quantile of Fisher's F beside that of chi squared, for the three coordinates of a place.
    """
    return float(3 * fisher.ppf(0.9, 3, freedom) / chi2.ppf(0.9, 3))


def _told(
    state: Array,
    sights: PointObservations,
    used: BoolArray,
    view: CameraPrior,
    middle: Array,
    common_m: Array | None = None,
) -> Resected:
    covariance = camera_covariance(state, sights.only(used), view, common_m)
    focal = float(state[FOCAL])
    off_x, off_y, k2 = view.beside
    return Resected(
        rotation_cam_from_world=rotation_of(state),
        position_m=state[PLACE] + middle,
        params=(
            focal,
            focal,
            view.width_px / 2 + off_x,
            view.height_px / 2 + off_y,
            float(state[K1]),
            k2,
            0,
            0,
        ),
        covariance=covariance[:6, :6],
        focal_sigma_px=float(np.sqrt(covariance[6, 6])),
        residuals_px=misses_px(state, sights, view),
        left_out_px=np.full(len(used), np.nan),
        used=used,
        sigma_px=np.nan,
    )


def _left_out(state: Array, sights: PointObservations, used: BoolArray, view: CameraPrior) -> Array:
    """(N,) distance of every point from where the camera of the other used points puts it."""
    off = np.empty(len(used))
    for i in range(len(used)):
        alone = np.arange(len(used)) == i
        others = _fitted(state, sights.only(used & ~alone), view)
        off[i] = np.linalg.norm(misses_px(others, sights.only(alone), view))
    return off


def _why_not(clicks: _Clicks, view: CameraPrior) -> str:
    """What is wrong with points that fit no camera: mirrored, swapped, or simply wrong."""
    xyz, xy = clicks.xyz_m, clicks.xy_px
    # Turned by half a turn, a picture that is mirrored left for right is one upside down.
    upside_down = np.stack([xy[:, 0], view.height_px - xy[:, 1]], axis=1)
    mirrored = {
        "mirrored; count py from the top and px from the left of the stored image": replace(
            clicks, xy_px=upside_down
        ),
        "px and py swapped; px increases to the right": replace(clicks, xy_px=xy[:, ::-1].copy()),
        "lon and lat swapped; lon is positive to the east": replace(
            clicks, xyz_m=xyz[:, [1, 0, 2]]
        ),
    }
    for advice, otherwise in mirrored.items():
        try:
            if _solved(otherwise, view) is not None:
                return f"the points fit no camera as given, but do if they are {advice}"
        except ControlError:
            continue
    return "the points fit no camera; check each point, the focal length and the clip"
