"""Straight edges in pictures -> where walls, masts and trunks say that the vertical is.

An edge and the camera's centre span a plane; the vertical lies in the planes of all upright edges,
so their normals, turned into one frame by the known rotations, are perpendicular to it (Barnard
1983). Other edges outnumber the upright ones. So the direction is sought only near where the other
witnesses allow it, and what counts is how many edges point at it beyond those that would by chance
(as in Coughlan and Yuille 1999).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.axes import corner_from_opencv_px
from aftermap.geo.lens import rays_cam
from aftermap.geo.masks import read_mask
from aftermap.imaging.grey import grey_picture
from aftermap.model.camera import Frame
from aftermap.model.runs import Executor
from aftermap.sfm.projection_kernel import State
from aftermap.sfm.triangulate import opencv_params
from aftermap.sfm.vertical import Witness

WORKING_SIDE_PX = 1280
SHORTEST_SHARE = 0.015
"""Of the longer side: shorter edges have no direction to speak of."""
MOST_FRAMES = 30
MOST_EDGES = 8000
END_PX = 0.7
"""Sigma of an edge's ends across it, in pixels of the working picture."""
UPRIGHT_DEG = 0.7
"""How far upright things lean, one sigma."""
WITHIN_DEG = 3.0
"""Added to the cone in which edges are looked at: how far off an upright edge may point."""
LEAST_SINE = 0.25
"""Of the angle between a ray and the vertical: below it, upright things are seen end on."""
FLOOR_DEG = 0.2
"""What many leaning poles have in common."""
LEAST_SIGNIFICANCE = 4.0
CONE_SIGMAS = 3.0
MOST_CONE_DEG = 20.0
TRIALS = 800
ROUNDS = 15


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Edges of all pictures: unit normals and middle rays (E, 3) in the common frame.

    ``sigma`` (E,) radians of the direction in the picture; ``frame`` (E,) which picture.
    """

    normals: Array
    middles: Array
    sigma: Array
    frame: IntArray


def edges_in(frames: Sequence[Frame], state: State, executor: Executor) -> Edges:
    """The straight edges of a choice of the frames, spread evenly over them."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int))
    found = executor.map(_segments_px, [frames[i] for i in chosen], label="straight edges")
    normals, middles, sigma, number = [], [], [], []
    for i, (ends_px, sigma_rad) in zip(chosen, found, strict=True):
        lens = opencv_params(state.lenses[state.camera_of[i]])
        first, second = rays_cam(ends_px[:, :2], lens), rays_cam(ends_px[:, 2:], lens)
        normals.append(_unit(np.cross(first, second)) @ state.rotations[i])
        middles.append(_unit(_unit(first) + _unit(second)) @ state.rotations[i])
        sigma.append(sigma_rad)
        number.append(np.full(len(ends_px), i))
    return Edges(
        normals=np.concatenate(normals),
        middles=np.concatenate(middles),
        sigma=np.concatenate(sigma),
        frame=np.concatenate(number),
    )


def edge_witness(edges: Edges, before: Array, sigma_deg: float, *, seed: int = 7) -> Witness | None:
    """What the edges say, sought around (3,) ``before``, a unit direction good to ``sigma_deg``.

    None where no direction stands out.
    """
    cone = min(CONE_SIGMAS * sigma_deg + 1.0, MOST_CONE_DEG)
    usable = _offs(edges, before)[1] > LEAST_SINE
    edges = _only(edges, usable)
    near = np.abs(_offs(edges, before)[0]) < np.radians(cone + WITHIN_DEG)
    edges = _only(edges, near)
    if len(edges.sigma) < 20:
        return None
    up = _sought(edges, before, cone, np.random.default_rng(seed))
    for _ in range(ROUNDS):
        found = np.linalg.eigh(_information(edges, up))[1][:, 0]
        up = found * np.sign(found @ up)
    if up @ before < np.cos(np.radians(cone)) or _significance(edges, up) < LEAST_SIGNIFICANCE:
        return None
    return Witness(name="upright edges", information=_tempered(_information(edges, up)))


def _segments_px(frame: Frame) -> tuple[Array, Array]:
    """(E, 4) ends of edges in corner-origin pixels of the frame, (E,) sigma of direction (rad)."""
    picture, scale = grey_picture(frame, WORKING_SIDE_PX)
    found: Any = cv2.createLineSegmentDetector().detect(picture)[0]  # None where there is none
    ends = np.zeros((0, 4)) if found is None else np.asarray(found, float).reshape(-1, 4)
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    long = length > SHORTEST_SHARE * max(picture.shape)
    ends = corner_from_opencv_px(ends[long].reshape(-1, 2)).reshape(-1, 4) * scale
    sigma = END_PX * np.sqrt(2) / length[long]
    shown = _is_shown(frame, (ends[:, :2] + ends[:, 2:]) / 2)
    return ends[shown], sigma[shown]


def _is_shown(frame: Frame, xy_px: Array) -> BoolArray:
    """(E,) whether nothing lies over the scene there: letters of a caption stand upright too."""
    if frame.mask is None:
        return np.ones(len(xy_px), bool)
    mask = read_mask(frame.mask)
    column = np.clip(xy_px[:, 0].astype(int), 0, mask.shape[1] - 1)
    row = np.clip(xy_px[:, 1].astype(int), 0, mask.shape[0] - 1)
    return np.asarray(mask[row, column] > 0)


def _offs(edges: Edges, up: Array) -> tuple[Array, Array]:
    """(E,) angle in the picture between an edge and the vertical; sine of the angle to its ray."""
    sine = np.sqrt(np.maximum(1 - (edges.middles @ up) ** 2, 1e-12))
    return np.arcsin(np.clip(edges.normals @ up / sine, -1, 1)), sine


def _only(edges: Edges, which: BoolArray) -> Edges:
    return Edges(
        normals=edges.normals[which],
        middles=edges.middles[which],
        sigma=edges.sigma[which],
        frame=edges.frame[which],
    )


def _sought(edges: Edges, before: Array, cone_deg: float, rng: np.random.Generator) -> Array:
    """The direction in the cone that most edges point at, of pairs of them and a coarse grid."""
    pairs = rng.integers(0, len(edges.sigma), (TRIALS, 2))
    crossed = np.cross(edges.normals[pairs[:, 0]], edges.normals[pairs[:, 1]])
    length = np.linalg.norm(crossed, axis=1)
    crossed = crossed[length > 1e-3] / length[length > 1e-3, None]
    crossed *= np.where(crossed @ before < 0, -1.0, 1.0)[:, None]
    candidates = np.vstack([before, crossed[crossed @ before > np.cos(np.radians(cone_deg))]])
    some = edges
    if len(edges.sigma) > MOST_EDGES:
        some = _only(edges, rng.permutation(len(edges.sigma)) < MOST_EDGES)
    return np.asarray(candidates[int(np.argmax([_support(some, c) for c in candidates]))])


def _width(edges: Edges) -> Array:
    return np.asarray(np.hypot(edges.sigma, np.radians(UPRIGHT_DEG)))


def _support(edges: Edges, up: Array) -> float:
    off, sine = _offs(edges, up)
    return float((sine * np.exp(-0.5 * (off / _width(edges)) ** 2)).sum())


def _information(edges: Edges, up: Array) -> Array:
    """Sum of n n' / sigma^2 of the edges, weighted by how likely they are upright."""
    off, sine = _offs(edges, up)
    width = _width(edges)
    belongs = np.exp(-0.5 * (off / (1.5 * width)) ** 2)
    scaled = edges.normals / (sine * width)[:, None]
    return np.asarray((scaled * belongs[:, None]).T @ scaled)


def _significance(edges: Edges, up: Array) -> float:
    """By how many sigmas of chance more edges point at a direction than beside it."""
    off = np.degrees(np.abs(_offs(edges, up)[0]))
    within = np.degrees(_width(edges)) * 1.5
    on = float((off < within).sum())
    ring = float(((off > 3 * within) & (off < 8 * within)).sum()) / 5
    return (on - ring) / math.sqrt(max(on, 1.0))


def _tempered(information: Array) -> Array:
    """The same for edges that are seen again and again, and lean together.

    One thing gives an edge in several pictures, and two on its sides: an eighth are independent.
    """
    values, axes = np.linalg.eigh(information / 8)
    values = 1 / (1 / np.maximum(values - values[0], 1e-6) + np.radians(FLOOR_DEG) ** 2)
    values[0] = 0.0
    return np.asarray((axes * values) @ axes.T)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
