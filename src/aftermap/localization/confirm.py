"""Frames placed apart -> those that confirm each other, in motion and in absolute place.

A place that one frame sees is carried by the surface into the next frame, and must be there where
the two pictures themselves match. That ties the motion between the poses; and since roofs and
streets move differently, it ties them to the surface below as well: were both shifted together, the
surface under them would be another one. That is tried, by shifting both on purpose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.imaging.matching import EPIPOLAR_SHARE, mutual_matches
from aftermap.imaging.robust_geometry import fundamental_matrix, outline_area_px2
from aftermap.localization.drape import places_met
from aftermap.localization.reference import Reference
from aftermap.localization.resect import Resected

AGREE_PX = 0.004
"""Median miss, as a part of the picture's width, up to which two poses agree."""
MIN_PAIR = 30
GRAPHICS_PX = 1.0
"""Matches that move less than this while the picture moves are captions and logos."""
SHIFTS_M = (6.0, 15.0)
"""Distances by which both poses are shifted on purpose, to eight sides each."""
SURER_PX = 0.3
"""A shifted place must fit better by this to cast doubt: the measure is not finer."""


@dataclass(frozen=True, kw_only=True)
class FramePicture:
    """A frame at working size: grey, mask (0 is not used), and its RootSIFT features."""

    time_s: Fraction
    grey: ByteArray
    mask: ByteArray
    xy_px: Array
    descriptors: Float32Array


@dataclass(frozen=True, kw_only=True)
class Located:
    """A pose and the matches it was fitted to: (M, 2) pixels and (M, 3) places."""

    pose: Resected
    xy_px: Array
    xyz_m: Array

    @property
    def count(self) -> int:
        """How many matches fit."""
        return int(self.pose.used.sum())

    @property
    def share(self) -> float:
        """Part of the matches that fit."""
        return float(self.pose.used.mean())

    def spread(self, area_px: float) -> float:
        """Part of a picture of that area inside the outline of the matches that fit."""
        return outline_area_px2(self.xy_px[self.pose.used]) / area_px


def confirmed_frames(
    pictures: Sequence[FramePicture], found: Mapping[int, Located], reference: Reference
) -> tuple[set[int], dict[int, str]]:
    """The frames that another one confirms, and why the others are not."""
    kept: set[int] = set()
    reasons: dict[int, str] = dict.fromkeys(found, "no other frame of the shot was aligned")
    for first, second in combinations(sorted(found), 2):
        if {first, second} <= kept:
            continue
        why = _doubt(pictures[first], found[first], pictures[second], found[second], reference)
        if why is None:
            kept |= {first, second}
        else:
            reasons[first] = reasons[second] = why
    return kept, {i: why for i, why in reasons.items() if i not in kept}


def _doubt(
    one: FramePicture, here: Located, other: FramePicture, then: Located, reference: Reference
) -> str | None:
    """Why two frames do not confirm each other; None where they do."""
    first, second = _pairs(one, other)
    if len(first) < MIN_PAIR:
        return f"{len(first)} points in common with the other frames, {MIN_PAIR} are needed"
    limit = AGREE_PX * one.grey.shape[1]
    miss = _miss_px(first, second, here.pose, then.pose, reference, np.zeros(3))
    if not miss <= limit:
        return (
            f"its motion relative to the other frames is wrong by {miss:.0f} "
            f"pixels, {limit:.0f} allowed"
        )
    for distance in SHIFTS_M:
        for angle in np.arange(8) * np.pi / 4:
            shift = distance * np.array([np.cos(angle), np.sin(angle), 0.0])
            if _miss_px(first, second, here.pose, then.pose, reference, shift) < miss - SURER_PX:
                return f"its heights fit the surface better at a shift of {distance:.0f} m"
    return None


def _pairs(one: FramePicture, other: FramePicture) -> tuple[Array, Array]:
    """(M, 2) pixels in both pictures that look alike and lie on one geometry, graphics left out."""
    pairs = mutual_matches(one.descriptors, other.descriptors)
    first, second = one.xy_px[pairs[:, 0]], other.xy_px[pairs[:, 1]]
    moved = np.linalg.norm(second - first, axis=1)
    still = moved < GRAPHICS_PX
    if still.any() and still.mean() < 0.5:
        first, second = first[~still], second[~still]
    if len(first) < MIN_PAIR:
        return first, second
    tolerance = EPIPOLAR_SHARE * max(one.grey.shape)
    found = fundamental_matrix(first, second, cv2.FM_RANSAC, tolerance, 2000)
    good = np.zeros(len(first), np.bool_) if found is None else found[1]
    return first[good], second[good]


def _miss_px(
    first_px: Array,
    second_px: Array,
    here: Resected,
    then: Resected,
    reference: Reference,
    shift_m: Array,
) -> float:
    """Median distance of the matches from where the surface carries them; infinite if unknown."""
    rays = rays_cam(first_px, here.params) @ here.rotation_cam_from_world
    places = places_met(reference, here.position_m + shift_m, rays)
    known = np.isfinite(places[:, 2])
    if known.sum() < MIN_PAIR:
        return float("inf")
    seen = (places[known] - then.position_m - shift_m) @ then.rotation_cam_from_world.T
    off = np.linalg.norm(projected_px(seen, then.params) - second_px[known], axis=1)
    return float(np.median(np.nan_to_num(off, nan=np.inf)))
