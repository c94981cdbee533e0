"""A pose and the pictures after it -> their poses, by tracking places of the surface.

Corners of the first picture get their places from the surface, are followed by Lucas-Kanade there
and back again (Bouguet 2000; Kalal et al. 2010), and each picture's pose is fitted to those left.
When half are lost, new ones get their places by the newest pose: from there its errors
are inherited, so the covariance grows. Where too few are left, or they fit no pose, it stops.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array
from aftermap.geo.lens import rays_cam
from aftermap.imaging.robust_geometry import outline_area_px2
from aftermap.localization.camera_fit import CameraPrior
from aftermap.localization.drape import places_met
from aftermap.localization.reference import Reference
from aftermap.localization.resect import Resected, refit_pose
from aftermap.model.sighting import SURFACE_SIGMA_M

CORNERS = 500
CORNER_QUALITY = 0.01
CORNER_GAP_PX = 8
WINDOW_PX = 21
LEVELS = 4
THERE_AND_BACK_PX = 0.7
MOVING_PX, STILL_PX = 0.6, 0.2
"""Corners that stand still while half of them move further than that are captions and logos."""
MIN_CORNERS = 25
MIN_SPREAD = 0.1
"""Part of the picture inside the outline of the corners that fit."""
EDGE_PX = 4.0
STEADY_M = 0.5
"""Change of height within ``EDGE_PX`` up to which the place of a corner is certain."""
RENEW_SHARE = 0.5
TRACK_PX = 0.5
"""What a followed corner is good for; the measured noise may only raise it."""
WORST_PX = 4.0
"""Noise of the fit, in pixels, beyond which the corners no longer move as one scene."""
FOCAL_SHARE = 1e-4
"""A carried focal length is held to this part of itself: nothing says that the lens zooms."""
TILES = 5
_SIDES = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])


@dataclass(frozen=True, kw_only=True)
class TrackedPicture:
    """A picture of a shot: its exact time and (H, W) grey, 0 in ``mask`` where it is not used."""

    time_s: Fraction
    grey: ByteArray
    mask: ByteArray | None = None


@dataclass(frozen=True, kw_only=True)
class Carried:
    """The poses after the first, in the order given; where it stopped and why, None at the end."""

    poses: tuple[tuple[Fraction, Resected], ...]
    stopped_s: Fraction | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Held:
    """Corners followed so far: (N, 2) float32 OpenCV pixels, their places, and what they inherit.

    ``along_m`` (N, 3) is one sigma of a place along the ray by which it was found: from there a
    wrong height does not show, and the more the farther one flies. ``covariance`` (6, 6) is that of
    the pose by which the places were found.
    """

    at: Float32Array
    xyz_m: Array
    along_m: Array
    covariance: Array
    first_count: int

    def only(self, which: BoolArray, at: Float32Array) -> "_Held":
        """Those corners, where they are now."""
        return replace(self, at=at, xyz_m=self.xyz_m[which], along_m=self.along_m[which])


def track_pose(start: Resected, moments: Iterable[TrackedPicture], reference: Reference) -> Carried:
    """The pose of the first moment carried through the others, forwards or backwards in time."""
    coming: Iterator[TrackedPicture] = iter(moments)
    before = next(coming, None)
    if before is None:
        return Carried(poses=())
    pose, poses = start, list[tuple[Fraction, Resected]]()
    held = _chosen(before, pose, reference)
    for moment in coming:
        if len(held.at) < RENEW_SHARE * held.first_count or held.first_count < MIN_CORNERS:
            held = _chosen(before, pose, reference)
        held = _followed(before, moment, held)
        answer = _fitted(held, pose, moment)
        if isinstance(answer, str):
            return Carried(poses=tuple(poses), stopped_s=moment.time_s, reason=answer)
        pose, good = answer
        held = held.only(good, held.at[good])
        poses.append((moment.time_s, pose))
        before = moment
    return Carried(poses=tuple(poses))


def _chosen(moment: TrackedPicture, pose: Resected, reference: Reference) -> _Held:
    """Corners of a picture that lie on the surface, with their places."""
    found = cv2.goodFeaturesToTrack(
        moment.grey, CORNERS, CORNER_QUALITY, CORNER_GAP_PX, mask=moment.mask
    )
    at = np.zeros((0, 2)) if np.ndim(found) < 3 else np.asarray(found, np.float64).reshape(-1, 2)
    places = _seen_at(at + 0.5, pose, reference)
    # A corner beside the edge of a roof may be on it or below it.
    around = np.stack(
        [_seen_at(at + 0.5 + step, pose, reference)[:, 2] for step in EDGE_PX * _SIDES]
    )
    known = np.isfinite(places[:, 2]) & (np.abs(around - places[:, 2]).max(axis=0) < STEADY_M)
    return _Held(
        at=np.asarray(at[known], np.float32),
        xyz_m=places[known],
        along_m=_along_m(places[known] - pose.position_m),
        covariance=pose.covariance,
        first_count=int(known.sum()),
    )


def _along_m(rays_m: Array) -> Array:
    """(N, 3) how far places slide along their rays when the surface is wrong by one sigma."""
    return np.asarray(rays_m * (SURFACE_SIGMA_M / np.abs(rays_m[:, 2:])))


def _seen_at(xy_px: Array, pose: Resected, reference: Reference) -> Array:
    rays = rays_cam(xy_px, pose.params) @ pose.rotation_cam_from_world
    return places_met(reference, pose.position_m, rays)


def _followed(before: TrackedPicture, moment: TrackedPicture, held: _Held) -> _Held:
    """The corners that are found in the next picture, and again from there in the one before."""
    if not len(held.at):
        return held
    there, seen = _flown(before.grey, moment.grey, held.at)
    back, again = _flown(moment.grey, before.grey, there)
    off = np.linalg.norm(back - held.at, axis=1)
    height, width = moment.grey.shape
    inside = ((there >= 0) & (there <= (width - 1, height - 1))).all(axis=1)
    moved = np.linalg.norm(there - held.at, axis=1)
    kept = seen & again & (off < THERE_AND_BACK_PX) & inside
    if kept.any() and np.median(moved[kept]) > MOVING_PX:
        kept &= moved > STILL_PX
    return held.only(kept, there[kept])


def _flown(before: ByteArray, after: ByteArray, at: Float32Array) -> tuple[Float32Array, BoolArray]:
    """Where corners of one picture are in another, and whether they were found."""
    there, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, at, at.copy(), winSize=(WINDOW_PX, WINDOW_PX), maxLevel=LEVELS
    )
    return np.asarray(there, np.float32), np.asarray(seen.ravel() > 0, np.bool_)


def _fitted(
    held: _Held, pose: Resected, moment: TrackedPicture
) -> tuple[Resected, BoolArray] | str:
    """The pose of the next picture and the corners that fit it, or why there is none."""
    if len(held.at) < MIN_CORNERS:
        return f"{len(held.at)} of {held.first_count} corners are left, {MIN_CORNERS} are needed"
    height, width = moment.grey.shape
    focal = pose.params[0]
    view = CameraPrior(
        width_px=width,
        height_px=height,
        focal_px=focal,
        focal_sigma_px=FOCAL_SHARE * focal,
        beside=(pose.params[2] - width / 2, pose.params[3] - height / 2, pose.params[5]),
        has_own_lens=False,
    )
    xy = held.at.astype(np.float64) + 0.5
    tiles = (xy * TILES / width).astype(np.int64)
    groups = tiles[:, 1] * TILES + tiles[:, 0]
    fit = refit_pose(held.xyz_m, xy, view, pose, groups, click_px=TRACK_PX, along_m=held.along_m)
    if fit is None or fit.used.sum() < MIN_CORNERS:
        return "the remaining corners fit no pose"
    if fit.sigma_px > WORST_PX:
        return f"the corners move by {fit.sigma_px:.0f} pixels relative to any rigid scene"
    spread = outline_area_px2(held.at[fit.used]) / (width * height)
    if spread < MIN_SPREAD:
        return f"the remaining corners cover {spread:.0%} of the frame, {MIN_SPREAD:.0%} are needed"
    told = replace(fit, covariance=fit.covariance + held.covariance)
    return replace(told, focal_sigma_px=pose.focal_sigma_px), fit.used
