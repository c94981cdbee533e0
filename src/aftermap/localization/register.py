"""Frames of one shot -> poses, by what an orthophoto with a surface shows: no telemetry needed.

Each frame is rectified for a few guessed pitches (SIFT bears any heading and scale), matched as
RootSIFT against the orthophoto, and given a pose by P3P in RANSAC for a row of focal lengths. Then
the orthophoto is draped over its surface as that camera would see it, matched again near by, and
the pose is fitted to places on the ground and on roofs; twice more, ever nearer. Frames count only
where another frame, placed apart, confirms them (:mod:`aftermap.localization.confirm`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, IntArray
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.masks import mask_at_size
from aftermap.imaging.features import Detection, detect_rootsift
from aftermap.imaging.matching import mutual_matches
from aftermap.imaging.robust_geometry import pose_by_points
from aftermap.localization.camera_fit import CameraPrior
from aftermap.localization.confirm import FramePicture, Located, confirmed_frames
from aftermap.localization.drape import draped
from aftermap.localization.nearby import matched_near
from aftermap.localization.reference import Reference
from aftermap.localization.resect import Resected, refit_pose
from aftermap.model.media import FocalPrior

WORKING_SIDE_PX = 1280
"""Longer side at which a frame is looked at."""
PITCHES_DEG = (-50.0, -90.0, -65.0, -38.0, -28.0, -20.0)
FOCAL_FACTORS = (0.6, 0.75, 0.87, 1.0, 1.15, 1.32, 1.55)
"""Focal lengths tried, in parts of the one believed, within three of its sigmas."""
LOWEST_RAY_DEG = 12.0
"""Rays flatter than this below the horizon are not rectified."""
RECTIFIED_SIDE_PX = 1400
FEATURES = 4000
COARSE_PX = 0.01
"""RANSAC tolerance of a first pose, as a part of the picture's width: the focal is a guess."""
COARSE_INLIERS = 10
SURE_INLIERS = 45
"""A first pose with so many points is true; no more pitches are tried."""
TRIALS = 4
"""First poses that are looked into, the ones with most points first."""
NEAR_PX = (0.06, 0.02, 0.008)
"""How far from where the last pose puts it a match may lie, as a part of the picture's width."""
CLICK_PX = 1.0
"""What a match is good for; the measured noise may only raise it."""
MIN_INLIERS = 40
MIN_SPREAD = 0.15
"""Part of the picture inside the outline of its inliers."""
MIN_SHARE = 0.4
"""Part of the nearby matches that must fit the last pose: by chance hardly any do."""
LEAST_FOCAL_SIGMA = 0.0015
"""No focal length is surer than this part of it: the lens is simplified to one term."""
TILES = 8
"""Tiles across the picture: points of one tile may err together (one roof, one wrong height)."""


@dataclass(frozen=True, kw_only=True)
class ShotFrame:
    """A frame: exact time, (H, W) grey picture, and where not 0 the (H, W) mask lets it be used."""

    time_s: Fraction
    grey: ByteArray
    mask: ByteArray | None = None


@dataclass(frozen=True, kw_only=True)
class RegisteredShot:
    """The frames of a shot that were located, and the others by time with the reason."""

    crs: str
    frames: tuple[tuple[Fraction, Resected], ...]
    left_out: tuple[tuple[Fraction, str], ...]


@dataclass(frozen=True, kw_only=True)
class NotLocated:
    """Why a shot has no place."""

    reason: str


def register_shot(
    frames: Sequence[ShotFrame], reference: Reference, focal: FocalPrior
) -> RegisteredShot | NotLocated:
    """Where the frames of one shot were taken from. Two frames at least must confirm each other.

    ``focal`` is in pixels of the frames. Positions carry the error of the reference as a whole.
    """
    if not frames:
        return NotLocated(reason="the shot has no frames")
    factor = max(1.0, max(frames[0].grey.shape) / WORKING_SIDE_PX)
    small = [_picture(frame, factor) for frame in frames]
    view = _view(small[0], focal, factor)
    found: dict[int, Located] = {}
    reasons: dict[int, str] = {}
    for index, picture in enumerate(small):
        answer = _located(picture, reference, view)
        if isinstance(answer, str):
            reasons[index] = answer
        else:
            found[index] = answer
    kept, why = confirmed_frames(small, found, reference)
    reasons |= why
    if not kept:
        return NotLocated(reason=_summary(len(found), len(frames), reasons))
    poses = _with_one_focal({i: found[i] for i in kept}, view)
    return RegisteredShot(
        crs=reference.crs,
        frames=tuple((frames[i].time_s, _told(poses[i], reference, factor)) for i in sorted(poses)),
        left_out=tuple((frames[i].time_s, reasons[i]) for i in sorted(reasons)),
    )


def _summary(found: int, count: int, reasons: dict[int, str]) -> str:
    several = sorted(set(reasons.values()), key=lambda why: -list(reasons.values()).count(why))
    return f"{found} of {count} frames matched, none confirmed: {several[0]}"


def _picture(frame: ShotFrame, factor: float) -> FramePicture:
    """A frame at working size with its features; without a mask all of it is used."""
    mask = np.full_like(frame.grey, 255) if frame.mask is None else frame.mask
    grey = frame.grey
    if factor > 1:
        size = round(grey.shape[1] / factor), round(grey.shape[0] / factor)
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        mask = mask_at_size(mask, grey.shape)
    found = detect_rootsift(grey, mask, Detection(most=FEATURES))
    return FramePicture(
        time_s=frame.time_s,
        grey=grey,
        mask=mask,
        xy_px=found.xy_px,
        descriptors=found.descriptors,
    )


def _view(picture: FramePicture, focal: FocalPrior, factor: float) -> CameraPrior:
    height, width = picture.grey.shape
    return CameraPrior(
        width_px=width,
        height_px=height,
        focal_px=focal.focal_px / factor,
        focal_sigma_px=focal.sigma_px / factor,
    )


def _located(picture: FramePicture, reference: Reference, view: CameraPrior) -> Located | str:
    """The pose of one frame with the points it rests on, or why there is none."""
    trials = _first_poses(picture, reference, view)
    if not trials:
        return "no matches with the reference orthophoto"
    best: Located | None = None
    for start in trials[:TRIALS]:
        answer = _refined(picture, start, reference, view)
        if answer is not None and (best is None or answer.count > best.count):
            best = answer
        if best is not None and best.count >= 4 * MIN_INLIERS:
            break
    if best is None:
        return "the reference orthophoto, rendered from the estimated pose, does not match it"
    spread = best.spread(view.width_px * view.height_px)
    if best.count < MIN_INLIERS or spread < MIN_SPREAD or best.share < MIN_SHARE:
        return (
            f"{best.count} points on {best.spread:.0%} of the image, {best.share:.0%} of the "
            f"matches, agree with the reference orthophoto; {MIN_INLIERS} on {MIN_SPREAD:.0%}, "
            f"{MIN_SHARE:.0%} needed"
        )
    return best


def _first_poses(picture: FramePicture, reference: Reference, view: CameraPrior) -> list[Resected]:
    """Poses to start from, those with most points first, one for each pitch that gives any."""
    found: list[tuple[int, Resected]] = []
    for pitch in PITCHES_DEG:
        xy, xyz = _matched(picture, pitch, view.focal_px, reference)
        best: tuple[int, Resected] | None = None
        for focal in _focals(view):
            answer = _pose_by_three(xyz, xy, view, focal)
            if answer is not None and (best is None or answer[0] > best[0]):
                best = answer
        if best is not None and best[0] >= COARSE_INLIERS:
            found.append(best)
            if best[0] >= SURE_INLIERS:
                break
    return [pose for _, pose in sorted(found, key=lambda one: -one[0])]


def _focals(view: CameraPrior) -> list[float]:
    return [
        view.focal_px * factor
        for factor in FOCAL_FACTORS
        if factor == 1 or abs(factor - 1) * view.focal_px <= 3 * view.focal_sigma_px
    ]


def _pose_by_three(
    xyz_m: Array, xy_px: Array, view: CameraPrior, focal_px: float
) -> tuple[int, Resected] | None:
    """How many points agree, and the pose that most agree on (P3P in RANSAC)."""
    if len(xyz_m) < COARSE_INLIERS:
        return None
    lens = np.array(
        [[focal_px, 0, view.width_px / 2], [0, focal_px, view.height_px / 2], [0, 0, 1]]
    )
    middle = xyz_m.mean(axis=0)
    # Both sides count from the corner, so no half pixel comes in.
    found = pose_by_points(
        xyz_m - middle,
        xy_px,
        lens,
        method=cv2.SOLVEPNP_AP3P,
        tolerance_px=COARSE_PX * view.width_px,
        trials=2000,
        confidence=0.999,
    )
    if found is None:
        return None
    place = found.position + middle
    if place[2] <= np.median(xyz_m[found.inliers, 2]):
        return None
    none = np.zeros(0)
    pose = Resected(
        rotation_cam_from_world=found.rotation_cam_from_world,
        position_m=place,
        params=(focal_px, focal_px, view.width_px / 2, view.height_px / 2, 0, 0, 0, 0),
        covariance=np.full((6, 6), np.nan),
        focal_sigma_px=view.focal_sigma_px,
        residuals_px=none,
        left_out_px=none,
        used=none > 0,
        sigma_px=COARSE_PX * view.width_px,
    )
    return len(found.inliers), pose


def _matched(
    picture: FramePicture, pitch_deg: float, focal_px: float, reference: Reference
) -> tuple[Array, Array]:
    """(M, 2) pixels and (M, 3) places that look alike once the picture is seen from above."""
    if pitch_deg <= -89:
        xy, descriptors = picture.xy_px, picture.descriptors
    else:
        flat_from_px, size = _rectifying(picture.grey.shape, pitch_deg, focal_px)
        flat = cv2.warpPerspective(picture.grey, flat_from_px, size, flags=cv2.INTER_AREA)
        seen = cv2.warpPerspective(picture.mask, flat_from_px, size)
        inside = cv2.erode(seen, np.ones((9, 9), np.uint8))
        found = detect_rootsift(
            np.asarray(flat, np.uint8), np.asarray(inside, np.uint8), Detection(most=FEATURES)
        )
        xy, descriptors = found.xy_px, found.descriptors
        if len(xy):
            xy = cv2.perspectiveTransform(xy[None], np.linalg.inv(flat_from_px))[0]
    pairs = mutual_matches(descriptors, reference.descriptors)
    return np.asarray(xy, np.float64)[pairs[:, 0]], reference.xyz_m[pairs[:, 1]]


def _rectifying(
    shape: tuple[int, ...], pitch_deg: float, focal_px: float
) -> tuple[Array, tuple[int, int]]:
    """(3, 3) homography into the view from above for a guessed pitch, and that view's size."""
    height, width = shape
    camera = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]])
    turn = rotation_cam_from_world(0, pitch_deg, 0)
    # A place (E, N) on the ground one unit below the camera, north up: y counts down.
    px_from_flat = camera @ turn @ np.array([[1, 0, 0], [0, -1, 0], [0, 0, -1.0]])
    # The row whose ray falls LOWEST_RAY_DEG: further up the ground runs away.
    highest = height / 2 - focal_px * np.tan(np.radians(-pitch_deg - LOWEST_RAY_DEG))
    top = min(max(0.0, highest), 0.8 * height)
    corners = np.array([[[0, top], [width, top], [width, height], [0, height]]], float)
    outline = cv2.perspectiveTransform(corners, np.linalg.inv(px_from_flat))[0]
    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = RECTIFIED_SIDE_PX / (high - low).max()
    shift = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]], [0, 0, 1]])
    size = (int(np.ceil(scale * (high - low)[0])), int(np.ceil(scale * (high - low)[1])))
    return np.asarray(shift @ np.linalg.inv(px_from_flat)), size


def _refined(
    picture: FramePicture, start: Resected, reference: Reference, view: CameraPrior
) -> Located | None:
    """The pose once the orthophoto, draped as it would be seen from there, is matched near by."""
    pose = start
    located: Located | None = None
    for near in NEAR_PX:
        size = view.width_px, view.height_px
        shown = draped(reference, pose.rotation_cam_from_world, pose.position_m, pose.params, size)
        xy, xyz = matched_near(picture, shown, near * view.width_px)
        if len(xy) < COARSE_INLIERS:
            return None
        fit = refit_pose(xyz, xy, view, pose, _tiles(xy, view), click_px=CLICK_PX)
        if fit is None:
            return None
        pose = fit
        located = Located(pose=fit, xy_px=xy, xyz_m=xyz)
    return located


def _tiles(xy_px: Array, view: CameraPrior) -> IntArray:
    tile = (xy_px * TILES / view.width_px).astype(np.int64)
    return np.asarray(tile[:, 1] * TILES + tile[:, 0], np.int64)


def _with_one_focal(found: dict[int, Located], view: CameraPrior) -> dict[int, Resected]:
    """The poses again with the focal length that all frames say together, unless they differ."""
    focals = np.array([one.pose.params[0] for one in found.values()])
    stated = np.array([one.pose.focal_sigma_px for one in found.values()])
    weights = 1 / np.maximum(stated, LEAST_FOCAL_SIGMA * focals) ** 2
    focal = float((focals * weights).sum() / weights.sum())
    spread = float(np.sqrt(((focals - focal) ** 2 * weights).sum() / weights.sum()))
    if (np.abs(focals - focal) > 4 / np.sqrt(weights)).any():
        return {i: one.pose for i, one in found.items()}
    # What every frame has wrong in common does not go away with their number.
    sigma = max(LEAST_FOCAL_SIGMA * focal, float(stated.min()), spread / np.sqrt(len(focals)))
    held = replace(view, focal_px=focal, focal_sigma_px=sigma)
    return {i: _fitted(one, held) or one.pose for i, one in found.items()}


def _fitted(one: Located, view: CameraPrior) -> Resected | None:
    tiles = _tiles(one.xy_px, view)
    return refit_pose(one.xyz_m, one.xy_px, view, one.pose, tiles, click_px=CLICK_PX)


def _told(pose: Resected, reference: Reference, factor: float) -> Resected:
    """The pose in pixels of the frame as it came, with the error of the reference added."""
    level, up = reference.sigma_m
    covariance = pose.covariance.copy()
    covariance[:3, :3] += np.diag([level**2, level**2, up**2])
    return replace(
        pose,
        params=(*(float(v) * factor for v in pose.params[:4]), *pose.params[4:]),
        covariance=covariance,
        focal_sigma_px=pose.focal_sigma_px * factor,
        residuals_px=pose.residuals_px * factor,
        sigma_px=pose.sigma_px * factor,
    )
