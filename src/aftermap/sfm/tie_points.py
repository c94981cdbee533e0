"""Tie points chosen, then found to a tenth of a pixel in every photograph that must show them.

The adjusted block predicts where a point lies in each photograph; the patch around it is aligned
there at full resolution. Points get long tracks, and their noise drops by several times.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array, Int32Array, IntArray
from aftermap.geo.axes import corner_from_opencv_px, opencv_from_corner_px
from aftermap.imaging.grey import grey_picture
from aftermap.model.camera import Frame
from aftermap.model.runs import Executor
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.patch_kernel import HALF, SEARCH, SIDE, align, templates_at
from aftermap.sfm.projection_kernel import Observations, State
from aftermap.sfm.triangulate import pixels_in, rays_world

MIN_LIKENESS = 0.8
"""Correlation below which a patch is taken for something else."""
BLUR_PX = 0.8
"""Sigma of the blur before sampling: against JPEG noise and the bias of interpolation."""
CELLS_LONG_SIDE = 16
MAX_STRETCH = 2.0
"""A patch that the geometry stretches or shrinks by more than this is not compared."""
STEEP_DEG = 35.0
"""Points seen more obliquely than this are taken to face their viewer, not the sky."""


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """Patches to cut from one photograph: (N, 2) corner-origin pixels."""

    frame: Frame
    xy_px: Array


@dataclass(frozen=True, kw_only=True)
class _Search:
    """Patches to find in one photograph: predicted pixels, affine maps, templates."""

    frame: Frame
    xy_px: Array
    warps: Array
    templates: Float32Array


def aligned_tie_points(
    block: BundleBlock, chosen: IntArray, executor: Executor
) -> tuple[State, Observations]:
    """The chosen points (K,) of the block, by index, with their aligned observations everywhere."""
    state, sights = block.state, block.sights
    home = _homes(state, sights)
    points, origin = state.points[chosen], home[chosen]
    frame = sights.frame[origin]
    own = sights.xy_px[origin]
    cuts = [_Cut(frame=f, xy_px=own[frame == i]) for i, f in enumerate(block.frames)]
    templates = np.zeros((len(chosen), SIDE + 2, SIDE + 2), np.float32)
    good = np.zeros(len(chosen), bool)
    for i, (patches, fine) in enumerate(executor.map(_cut_patches, cuts, label="tie points")):
        templates[frame == i], good[frame == i] = patches, fine
    kept = np.flatnonzero(good)
    return _search_frames(block, points[kept], frame[kept], own[kept], templates[kept], executor)


def _search_frames(
    block: BundleBlock,
    points: Array,
    home: Int32Array,
    own: Array,
    templates: Float32Array,
    executor: Executor,
) -> tuple[State, Observations]:
    normals = _normals(block.state, points, home)
    which, searches = [], []
    for i, frame in enumerate(block.frames):
        seen, predicted, warps = _predicted(block, i, points, normals, home, own)
        which.append(seen)
        searches.append(
            _Search(frame=frame, xy_px=predicted, warps=warps, templates=templates[seen])
        )
    point, where, pixels = [np.arange(len(points))], [home], [own]
    for i, (xy, likeness) in enumerate(executor.map(_find, searches, label="tie points")):
        good = likeness > MIN_LIKENESS
        point.append(which[i][good])
        where.append(np.full(good.sum(), i, np.int32))
        pixels.append(xy[good])
    return _by_point(
        block.state, points, np.concatenate(point), np.concatenate(where), np.concatenate(pixels)
    )


def _by_point(
    state: State, points: Array, point: Int32Array, frame: Int32Array, xy_px: Array
) -> tuple[State, Observations]:
    """Observations by point, points seen only once left out."""
    counts = np.bincount(point, minlength=len(points))
    stays = counts >= 2
    kept = stays[point]
    order = np.lexsort((frame[kept], point[kept]))
    start = np.concatenate([[0], np.cumsum(counts[stays])]).astype(np.int32)
    sights = Observations(frame[kept][order].astype(np.int32), start, xy_px[kept][order])
    return state._replace(points=points[stays]), sights


def _homes(state: State, sights: Observations) -> IntArray:
    """(P,) the observation that defines each point: the one nearest to the middle of its rays."""
    count = len(state.points)
    point = np.repeat(np.arange(count), np.diff(sights.start))
    _, rays = rays_world(state, sights.frame, sights.xy_px)
    mean = np.zeros((count, 3))
    np.add.at(mean, point, rays)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    order = np.lexsort((-(rays * mean[point]).sum(axis=1), point))
    return order[np.searchsorted(point[order], np.arange(count))]


def evenly_chosen(block: BundleBlock, count: int) -> IntArray:
    """(K,) indices of points so that every photograph sees about ``count``, spread over it.

    Points that many photographs see come first.
    """
    sights = block.sights
    lengths = np.diff(sights.start)
    side = np.array([max(f.width_px, f.height_px) for f in block.frames]) / CELLS_LONG_SIDE
    cell = np.floor(sights.xy_px / side[sights.frame][:, None]).astype(np.int64)
    cell = (sights.frame * 64 + cell[:, 1]) * 64 + cell[:, 0]
    cells = np.unique(cell, return_inverse=True)[1]
    per_cell = max(1, round(count / (CELLS_LONG_SIDE * CELLS_LONG_SIDE * 0.7)))
    filled = np.zeros(cells.max() + 1, np.int64)
    chosen = []
    for p in np.argsort(-lengths, kind="stable"):
        own = cells[sights.start[p] : sights.start[p + 1]]
        if (filled[own] < per_cell).any():
            filled[own] += 1
            chosen.append(p)
    return np.sort(np.array(chosen, np.int64))


def _normals(state: State, points: Array, home: Int32Array) -> Array:
    """(P, 3) which way the surface at a point most likely faces: up, or to a viewer from the side.

    Roofs and ground face up; what is seen very obliquely is more likely a wall.
    """
    towards = state.positions[home] - points
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    steep = towards[:, 2] < np.cos(np.radians(STEEP_DEG))
    return np.where(steep[:, None], towards, [0.0, 0.0, 1.0])


def _predicted(
    block: BundleBlock, frame: int, points: Array, normals: Array, home: Int32Array, own: Array
) -> tuple[IntArray, Array, Array]:
    """Which points a photograph must show, where, and how their home patches are warped there."""
    state = block.state
    size = block.frames[frame].width_px, block.frames[frame].height_px
    with np.errstate(invalid="ignore"):
        xy = pixels_in(state, frame, points)
        margin = HALF + SEARCH + 2
        inside = ((xy > margin) & (xy < np.array(size) - margin)).all(axis=1) & (home != frame)
    seen = np.flatnonzero(inside)
    warps = np.empty((len(seen), 2, 2))
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = HALF
        ends = []
        for sign in (1, -1):
            centres, rays = rays_world(state, home[seen], own[seen] + sign * step)
            to_plane = ((points[seen] - centres) * normals[seen]).sum(axis=1)
            reach = to_plane / (rays * normals[seen]).sum(axis=1)
            place = centres + reach[:, None] * rays
            ends.append(pixels_in(state, frame, place))
        warps[:, :, axis] = (ends[0] - ends[1]) / (2 * HALF)
    stretch = np.linalg.svd(np.nan_to_num(warps), compute_uv=False)
    usable = (stretch[:, 0] < MAX_STRETCH) & (stretch[:, 1] > 1 / MAX_STRETCH)
    return seen[usable], xy[seen[usable]], warps[usable]


def _smooth(frame: Frame) -> Float32Array:
    picture, _ = grey_picture(frame)
    return np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), BLUR_PX), np.float32)


def _cut_patches(job: _Cut) -> tuple[Float32Array, BoolArray]:
    patches = np.zeros((len(job.xy_px), SIDE + 2, SIDE + 2), np.float32)
    good = np.zeros(len(job.xy_px), bool)
    if len(job.xy_px):
        templates_at(_smooth(job.frame), opencv_from_corner_px(job.xy_px), patches, good)
    return patches, good


def _find(job: _Search) -> tuple[Array, Array]:
    found = np.zeros((len(job.xy_px), 2))
    likeness = np.full(len(job.xy_px), -1.0)
    if len(job.xy_px):
        predicted = opencv_from_corner_px(job.xy_px)
        align(_smooth(job.frame), predicted, job.warps, job.templates, found, likeness)
    return corner_from_opencv_px(found), likeness
