"""Which other views each view is compared with for depth: those that together show most of it well.

Every tie point of a view asks for sources that see it at a good angle, the first one most, each
further one less, from another side rather than from the same. Sources are taken greedily by what
they add (after Goesele et al. 2007, section 4). The answer for a view depends on its own tie points
and on the views around it, and on nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from aftermap.geo.arrays import Array, IndexArray
from aftermap.model.camera import Reconstruction

BEST_ANGLE_DEG, ANGLE_SPREAD_DEG = 14.0, 10.0
LEAST_ANGLE_DEG, MOST_ANGLE_DEG = 2.0, 42.0
LEAST_SHARED = 8
CANDIDATES = 32
ENOUGH_PHOTOGRAPHS = 4
SAMPLED_POINTS = 300
FURTHER_SHARE = 0.75
"""What a further source of a point is worth, of the one before."""
SAME_SIDE_SHARE = 0.4
"""What it is worth if it looks from exactly the side of one that is there."""
LEAST_GAIN = 0.003
"""Of the points of a view: what a source must add."""
MOST_SCALE_RATIO = 1.8


@dataclass(frozen=True, kw_only=True)
class SeenPoints:
    """Tie points of the mapped frames: ``xyz_m`` (N, 3) and, sparse, which frame sees which."""

    xyz_m: Array
    seen: sparse.csr_array

    @cached_property
    def shared(self) -> sparse.csr_array:
        """(F, F) how many points two frames share."""
        return (self.seen @ self.seen.T).tocsr()

    def of(self, frame: int) -> Array:
        """(M, 3) positions of the points that a mapped frame sees, metres in the map's CRS."""
        own = self.seen.indices[self.seen.indptr[frame] : self.seen.indptr[frame + 1]]
        return np.asarray(self.xyz_m[own], float)


def seen_points(reconstruction: Reconstruction) -> SeenPoints:
    """The tie points, by index into ``Reconstruction.mapped``."""
    mapped = {id(p): i for i, p in enumerate(reconstruction.mapped)}
    number = np.array([mapped.get(id(p), -1) for p in reconstruction.placed])
    with np.load(reconstruction.points) as kept:
        xyz, frame, point = kept["xyz_m"], kept["frame_index"], kept["point_index"]
    frame = number[frame]
    ones = np.ones(int((frame >= 0).sum()), np.float64)
    at = frame[frame >= 0], point[frame >= 0]
    seen = sparse.csr_array((ones, at), shape=(len(mapped), len(xyz)))
    seen.sum_duplicates()
    return SeenPoints(xyz_m=xyz, seen=seen)


def sources_of(reconstruction: Reconstruction, points: SeenPoints, most: int) -> list[list[int]]:
    """For each mapped frame up to ``most`` others, best first; none where nothing is shared."""
    found = []
    sharing = _sharing(points, are_video(reconstruction), LEAST_SHARED)
    for frame, others in enumerate(other[:CANDIDATES] for other in sharing):
        own = points.of(frame)
        own = own[:: max(1, len(own) // SAMPLED_POINTS)]
        found.append(_best_sources(reconstruction, frame, others.tolist(), own, most))
    return found


def neighbours_of(points: SeenPoints, videos: tuple[bool, ...], most: int) -> list[list[int]]:
    """For each mapped frame up to ``most`` others that share most tie points with it."""
    return [others[:most].tolist() for others in _sharing(points, videos, 1)]


def are_video(reconstruction: Reconstruction) -> tuple[bool, ...]:
    """Whether each mapped frame was taken out of a clip."""
    return tuple(placed.frame.moment is not None for placed in reconstruction.mapped)


def _sharing(points: SeenPoints, videos: tuple[bool, ...], least: int) -> Iterator[IndexArray]:
    """For each mapped frame the others that share so many tie points with it, most first.

    A photograph that others share enough with is compared with photographs alone: a clip of the
    same place may not take from what they measure.
    """
    shared, video = points.shared, np.array(videos)
    for frame in range(shared.shape[0]):
        row = slice(shared.indptr[frame], shared.indptr[frame + 1])
        others, counts = shared.indices[row], shared.data[row]
        usable = (others != frame) & (counts >= least)
        photographs = usable & ~video[others]
        if not video[frame] and photographs.sum() >= ENOUGH_PHOTOGRAPHS:
            usable = photographs
        others, counts = others[usable], counts[usable]
        yield others[np.argsort(-counts, kind="stable")].astype(np.intp)


def _best_sources(
    reconstruction: Reconstruction, frame: int, others: list[int], xyz_m: Array, most: int
) -> list[int]:
    """The sources among ``others`` that add most for (N, 3) points of a frame, best first."""
    if not others or not len(xyz_m):
        return []
    own = _Sight(reconstruction, frame, xyz_m)
    sights = [_Sight(reconstruction, other, xyz_m) for other in others]
    value = np.array([_values(own, sight) for sight in sights])
    sides = np.array([sight.toward - own.toward for sight in sights])
    sides /= np.maximum(np.linalg.norm(sides, axis=2, keepdims=True), 1e-12)
    taken: list[int] = []
    worth = np.ones(len(xyz_m))
    open_value = value.copy()
    while len(taken) < most:
        gains = (open_value * worth).mean(axis=1)
        best = int(np.argmax(gains))
        if gains[best] < LEAST_GAIN:
            break
        taken.append(best)
        shown = value[best] > 0
        worth = np.where(shown, worth * FURTHER_SHARE, worth)
        alike = np.clip((sides * sides[best]).sum(axis=2), 0, 1)
        open_value *= 1 - (1 - SAME_SIDE_SHARE) * alike * shown
        open_value[taken] = 0
    return [others[k] for k in taken]


class _Sight:
    """How a mapped frame sees points: direction from it, size of a pixel there, and whether at all.

    ``toward`` (N, 3) are unit vectors, ``pixel_m`` (N,), ``inside`` (N,).
    """

    def __init__(self, reconstruction: Reconstruction, frame: int, xyz_m: Array) -> None:
        placed = reconstruction.mapped[frame]
        camera = reconstruction.cameras[placed.camera]
        away = xyz_m - np.array(placed.pose.position_m)
        length = np.maximum(np.linalg.norm(away, axis=1), 1e-12)
        self.toward = away / length[:, None]
        seen = away @ np.array(placed.pose.rotation_cam_from_world).T
        depth = np.maximum(seen[:, 2], 1e-12)
        fx, fy, cx, cy = camera.params[:4]
        x, y = fx * seen[:, 0] / depth + cx, fy * seen[:, 1] / depth + cy
        self.inside = (seen[:, 2] > 0) & (x > 0) & (y > 0)
        self.inside &= (x < camera.width_px) & (y < camera.height_px)
        self.pixel_m = length / camera.focal_px


def _values(own: _Sight, other: _Sight) -> Array:
    """(N,) from 0 to 1: what another view is worth for each point of a frame."""
    angle = np.degrees(np.arccos(np.clip((own.toward * other.toward).sum(axis=1), -1, 1)))
    ratio = own.pixel_m / other.pixel_m
    usable = other.inside & (angle > LEAST_ANGLE_DEG) & (angle < MOST_ANGLE_DEG)
    usable &= (ratio < MOST_SCALE_RATIO) & (ratio > 1 / MOST_SCALE_RATIO)
    fit = np.exp(-np.abs(angle - BEST_ANGLE_DEG) / ANGLE_SPREAD_DEG)
    return np.asarray(np.where(usable, fit, 0.0), float)
