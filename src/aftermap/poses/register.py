"""Frames of one shot -> poses, by what an orthophoto with a surface shows: no telemetry needed.

Each frame is rectified for a coarse grid of pitches and focal lengths (SIFT bears any heading),
matched as RootSIFT, sifted by RANSAC (a homography, for the ground is nearly flat), and its camera
is resected on the surface. A pose counts only if its points are many and spread, and if another
frame's pose, found apart, agrees with what the two pictures themselves say of their motion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.errors import ControlError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.model.media import FocalPrior
from aftermap.poses.match import mutual_matches
from aftermap.poses.reference import Reference, rootsift
from aftermap.poses.resect import Resected, View, resected

Array = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]

PITCHES_DEG = (-90.0, -60.0, -45.0, -32.0)
FOCAL_FACTORS = (1.0, 0.75, 1.35)
LOWEST_RAY_DEG = 12.0
"""Rays flatter than this below the horizon are not rectified."""
RECTIFIED_SIDE_PX = 1400
FEATURES = 4000
MIN_INLIERS = 25
MIN_SPREAD = 0.12
"""Part of the picture inside the outline of its inliers."""
LOOSE_PX = 12.0
"""RANSAC tolerance in the rectified picture, for roofs stand off the plane; MAGSAC kept a third."""
AGREE_PX = 3.0
"""Median distance from the epipolar line that two poses predict, up to which they agree."""
MIN_PAIR = 30


@dataclass(frozen=True, kw_only=True)
class ShotFrame:
    """A frame: exact time, (H, W) grey picture, and where not 0 the (H, W) mask lets it be used."""

    time_s: Fraction
    grey: Grey
    mask: Grey | None = None


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


def registered(
    frames: Sequence[ShotFrame], reference: Reference, focal: FocalPrior
) -> RegisteredShot | NotLocated:
    """Where the frames of one shot were taken from. Two frames at least must confirm each other."""
    found: dict[int, Resected] = {}
    reasons: dict[int, str] = {}
    for index, frame in enumerate(frames):
        answer = _located(frame, reference, focal)
        if isinstance(answer, str):
            reasons[index] = answer
        else:
            found[index] = answer
    kept = _confirmed(frames, found)
    for index in found.keys() - kept:
        reasons[index] = "no other frame of the shot confirms its place"
    if not kept:
        reason = reasons[min(reasons)] if reasons else "the shot has no frames"
        return NotLocated(reason=f"{len(found)} of {len(frames)} frames matched; {reason}")
    return RegisteredShot(
        crs=reference.crs,
        frames=tuple((frames[i].time_s, found[i]) for i in sorted(kept)),
        left_out=tuple((frames[i].time_s, reasons[i]) for i in sorted(reasons)),
    )


def _located(frame: ShotFrame, reference: Reference, focal: FocalPrior) -> Resected | str:
    """The pose of one frame, or why there is none."""
    height, width = frame.grey.shape
    view = View(
        width_px=width, height_px=height, focal_px=focal.focal_px, focal_sigma_px=focal.sigma_px
    )
    best = np.zeros((0, 2)), np.zeros((0, 3))
    for factor in FOCAL_FACTORS:
        if abs(factor - 1) * focal.focal_px > 2 * focal.sigma_px:
            continue
        for pitch in PITCHES_DEG:
            pairs = _matched(frame, pitch, focal.focal_px * factor, reference)
            if len(pairs[0]) > len(best[0]):
                best = pairs
    if len(best[0]) < MIN_INLIERS:
        return f"{len(best[0])} points in common with the orthophoto, {MIN_INLIERS} are needed"
    try:
        pose = resected(best[1], best[0], view, what="matches", leave_one_out=False)
    except ControlError as error:
        return f"{error}"
    used = best[0][pose.used]
    spread = cv2.contourArea(cv2.convexHull(used.astype(np.float32))) / (width * height)
    if len(used) < MIN_INLIERS or spread < MIN_SPREAD:
        return f"{len(used)} points on {spread:.0%} of the picture, too few or too close together"
    return pose


def _matched(
    frame: ShotFrame, pitch_deg: float, focal_px: float, reference: Reference
) -> tuple[Array, Array]:
    """(M, 2) pixels and (M, 3) places that one homography of the rectified picture joins."""
    none = np.zeros((0, 2)), np.zeros((0, 3))
    flat_from_px, size = _rectifying(frame.grey.shape, pitch_deg, focal_px)
    seen = np.full_like(frame.grey, 255) if frame.mask is None else frame.mask
    flat = cv2.warpPerspective(frame.grey, flat_from_px, size, flags=cv2.INTER_AREA)
    inside = cv2.erode(cv2.warpPerspective(seen, flat_from_px, size), np.ones((9, 9), np.uint8))
    xy, descriptors = rootsift(np.asarray(flat, np.uint8), np.asarray(inside, np.uint8), FEATURES)
    pairs = mutual_matches(descriptors, reference.descriptors)
    if len(pairs) < MIN_INLIERS // 2:
        return none
    places = reference.xyz_m[pairs[:, 1]]
    ground = (places[:, :2] - places[:, :2].mean(axis=0)) / reference.cell_m
    plane, good = cv2.findHomography(ground, xy[pairs[:, 0]], cv2.RANSAC, LOOSE_PX, maxIters=5000)
    if plane is None:
        return none
    kept = good.ravel() > 0
    back = cv2.perspectiveTransform(xy[pairs[kept, 0]][None], np.linalg.inv(flat_from_px))[0]
    return np.asarray(back, np.float64), places[kept]


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
    top = min(max(0.0, highest), 0.8 * height) if pitch_deg > -89 else 0.0
    corners = np.array([[[0, top], [width, top], [width, height], [0, height]]], float)
    outline = cv2.perspectiveTransform(corners, np.linalg.inv(px_from_flat))[0]
    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = RECTIFIED_SIDE_PX / (high - low).max()
    shift = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]], [0, 0, 1]])
    size = (int(np.ceil(scale * (high - low)[0])), int(np.ceil(scale * (high - low)[1])))
    return np.asarray(shift @ np.linalg.inv(px_from_flat)), size


def _confirmed(frames: Sequence[ShotFrame], found: dict[int, Resected]) -> set[int]:
    """The frames whose pose agrees with another frame's, by what the two pictures share."""
    kept: set[int] = set()
    order = sorted(found)
    for first, second in pairwise(order):
        if _agree(frames[first], found[first], frames[second], found[second]):
            kept |= {first, second}
    return kept


def _agree(one: ShotFrame, pose: Resected, other: ShotFrame, then: Resected) -> bool:
    pixels, rows = [], []
    for frame in (one, other):
        seen = np.full_like(frame.grey, 255) if frame.mask is None else frame.mask
        xy, descriptors = rootsift(frame.grey, seen, 2000)
        pixels.append(xy)
        rows.append(descriptors)
    pairs = mutual_matches(rows[0], rows[1])
    if len(pairs) < MIN_PAIR:
        return False
    first, second = pixels[0][pairs[:, 0]], pixels[1][pairs[:, 1]]
    lines = _fundamental(pose, then)
    ahead = np.column_stack([first, np.ones(len(first))]) @ lines.T
    behind = np.column_stack([second, np.ones(len(second))])
    off = np.abs((ahead * behind).sum(axis=1)) / np.hypot(ahead[:, 0], ahead[:, 1])
    return bool(np.median(off) <= AGREE_PX)


def _fundamental(pose: Resected, then: Resected) -> Array:
    """(3, 3) epipolar lines in the second picture of pixels in the first, k1 passed over."""
    turn = then.rotation_cam_from_world @ pose.rotation_cam_from_world.T
    shift = then.rotation_cam_from_world @ (pose.position_m - then.position_m)
    cross = np.array([[0, -shift[2], shift[1]], [shift[2], 0, -shift[0]], [-shift[1], shift[0], 0]])
    inverse = [np.linalg.inv(_lens(p)) for p in (pose, then)]
    return np.asarray(inverse[1].T @ cross @ turn @ inverse[0])


def _lens(pose: Resected) -> Array:
    fx, fy, cx, cy = pose.params[:4]
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
