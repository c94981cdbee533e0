"""Rays over a window of heights -> where they land, what they cannot see, and how well they see it.

A height stands for its whole cell, so that a roof has an edge and a wall (Amanatides and Woo, "A
fast voxel traversal algorithm", 1987, over columns instead of voxels). World axes are east, north,
up in metres. Beyond the window the ground is level at ``outside_m``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, BoolArray, Float32Array, Int32Array, IntArray
from aftermap.geo.compiled import compiled
from aftermap.geo.lens import folding_r2
from aftermap.geo.viewing import FACE_SINE

CLEARANCE_M = 0.5
"""What a line of sight may pass below the top of a cell: cells are no points, heights not exact."""


class _Cells(NamedTuple):
    """A window as the compiled loops take it: ``frame`` is west, north, cell size, outside, top."""

    heights: Float32Array
    frame: Array


class _Counts(NamedTuple):
    """What the compiled loops count up, place by place or pair by pair."""

    framed: Int32Array
    hidden: Int32Array


@dataclass(frozen=True, kw_only=True)
class HeightWindow:
    """A north-up window of heights without holes; its outer corner is at (west, north)."""

    height_m: Float32Array
    west_m: float
    north_m: float
    cell_m: float
    outside_m: float

    @property
    def top_m(self) -> float:
        """The highest height there is: above it every line of sight is free."""
        return max(float(self.height_m.max()), self.outside_m)

    @property
    def cells(self) -> _Cells:
        """The window as the compiled loops take it."""
        frame = np.array([self.west_m, self.north_m, self.cell_m, self.outside_m, self.top_m])
        return _Cells(self.height_m, frame)


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A block of square places on the ground: whole cells of ``cell_m`` counted from 0, 0."""

    column: int
    row: int
    columns: int
    rows: int
    cell_m: float


@dataclass(frozen=True, kw_only=True)
class Views:
    """Per place of a patch, row by row from the south-west: how many of its points are what.

    ``points`` is how many points each place was asked at; of those, ``framed`` lie in the picture,
    and of these, ``hidden`` lie behind something on the surface. ``centre_m`` (N, 3) is on the
    surface.
    """

    centre_m: Array
    points: int
    framed: Int32Array
    hidden: Int32Array


def flat_heights(level_m: float) -> HeightWindow:
    """Level ground without end."""
    window = np.full((1, 1), level_m, np.float32)
    return HeightWindow(height_m=window, west_m=0.0, north_m=0.0, cell_m=1000.0, outside_m=level_m)


def landings_m(
    position_m: npt.ArrayLike, rays: npt.ArrayLike, heights: HeightWindow, *, farthest_m: float
) -> tuple[Array, BoolArray]:
    """(N, 3) where rays from a camera meet the surface, and (N,) whether they do.

    A ray that does not meet it within ``farthest_m`` of plan distance (one above the horizon never
    does) is cut there, at the height of the surface below.
    """
    out = np.empty((len(np.asarray(rays)), 3))
    landed = np.zeros(len(out), np.bool_)
    _land(
        np.asarray(position_m, float),
        np.ascontiguousarray(rays, float),
        *heights.cells,
        farthest_m,
        out,
        landed,
    )
    return out, landed


def camera_views(
    patch: Patch,
    rotation_cam_from_world: npt.ArrayLike,
    position_m: npt.ArrayLike,
    lens: npt.ArrayLike,
    size_px: tuple[int, int],
    heights: HeightWindow,
    *,
    farthest_m: float,
    points_per_side: int = 3,
) -> Views:
    """How much of each place a camera has in its picture, and how much of that is hidden.

    ``lens`` is fx, fy, cx, cy, k1, k2, p1, p2. Places farther than ``farthest_m`` in plan, or not
    below the camera, count as outside the picture.
    """
    count = patch.columns * patch.rows
    centre, framed, hidden = np.empty((count, 3)), np.zeros(count, np.int32), np.zeros(count, "i4")
    camera = eye_row(rotation_cam_from_world, position_m, lens, size_px)
    block = np.array([patch.column, patch.row, patch.columns, patch.rows], np.int64)
    _view(
        block,
        float(patch.cell_m),
        points_per_side,
        camera,
        heights.cells,
        farthest_m,
        centre,
        _Counts(framed, hidden),
    )
    return Views(centre_m=centre, points=points_per_side**2, framed=framed, hidden=hidden)


@dataclass(frozen=True, kw_only=True)
class Spots:
    """Places on things, in groups: those of thing k are the rows ``starts[k]`` to ``starts[k+1]``.

    ``place_m`` (N, 3); ``normal`` (N, 3) of the face that each lies on, 0 where any side will do;
    ``part`` (N,) counts from 0 which part of its thing it belongs to, of ``parts``.
    """

    place_m: Array
    normal: Array
    part: IntArray
    starts: IntArray
    parts: int


def eye_row(
    rotation_cam_from_world: npt.ArrayLike,
    position_m: npt.ArrayLike,
    lens: npt.ArrayLike,
    size_px: tuple[int, int],
) -> Array:
    """(22,) one camera as the loops take it; ``lens`` is fx, fy, cx, cy, k1, k2, p1, p2."""
    return np.concatenate(
        [
            np.ravel(np.asarray(rotation_cam_from_world, float)),
            np.asarray(position_m, float),
            np.asarray(lens, float),
            np.asarray(size_px, float),
        ]
    )


def spots_seen(
    spots: Spots, pairs: IntArray, eyes: Array, heights: HeightWindow
) -> tuple[Int32Array, Int32Array]:
    """Per pair (thing, camera) and part: how many spots are in the picture; of those, not seen.

    ``pairs`` is (P, 2), ``eyes`` (K, 22). Both answers are (P, parts). A spot is not seen where it
    lies behind something, or on a face that is turned away or seen at more than 75 degrees.
    """
    framed = np.zeros((len(pairs), spots.parts), np.int32)
    hidden = np.zeros_like(framed)
    _spot(
        spots.place_m,
        spots.normal,
        spots.part,
        spots.starts,
        pairs,
        eyes,
        heights.cells,
        _Counts(framed, hidden),
    )
    return framed, hidden


@compiled
def _height_at(east: float, north: float, heights: Float32Array, frame: Array) -> float:
    row = int(np.floor((frame[1] - north) / frame[2]))
    column = int(np.floor((east - frame[0]) / frame[2]))
    if 0 <= row < heights.shape[0] and 0 <= column < heights.shape[1]:
        return float(heights[row, column])
    return float(frame[3])


@compiled
def _land(
    eye: Array,
    rays: Array,
    heights: Float32Array,
    frame: Array,
    farthest: float,
    out: Array,
    landed: BoolArray,
) -> None:
    for i in range(rays.shape[0]):
        x, y, z = rays[i, 0], rays[i, 1], rays[i, 2]
        flat = np.sqrt(x * x + y * y)
        limit = farthest / flat if flat > 1e-12 else np.inf
        reach = np.inf
        if z < 0 and eye[2] + z * min(limit, 1e9) <= frame[4]:
            reach = _met(eye, x, y, z, heights, frame, limit)
        landed[i] = reach <= limit and reach < np.inf
        reach = min(reach, limit)
        if reach == np.inf:  # straight up
            reach = 0.0
        out[i, 0], out[i, 1] = eye[0] + reach * x, eye[1] + reach * y
        if landed[i]:
            out[i, 2] = eye[2] + reach * z
        else:
            out[i, 2] = _height_at(out[i, 0], out[i, 1], heights, frame)


@compiled
def _met(
    eye: Array, x: float, y: float, z: float, heights: Float32Array, frame: Array, limit: float
) -> float:
    """How many times the ray (x, y, z), z < 0, goes into its way to the surface; inf if never."""
    start = max(0.0, (frame[4] - eye[2]) / z)
    inside = start > 0  # a camera below the top of its own cell is not walled in by it
    cell = frame[2]
    at = start
    east, north = eye[0] + at * x, eye[1] + at * y
    column = int(np.floor((east - frame[0]) / cell))
    row = int(np.floor((frame[1] - north) / cell))
    while at <= limit:
        next_x, next_y = np.inf, np.inf
        if x > 0:
            next_x = (frame[0] + (column + 1) * cell - eye[0]) / x
        elif x < 0:
            next_x = (frame[0] + column * cell - eye[0]) / x
        if y > 0:
            next_y = (frame[1] - row * cell - eye[1]) / y
        elif y < 0:
            next_y = (frame[1] - (row + 1) * cell - eye[1]) / y
        leave = min(next_x, next_y)
        height = frame[3]
        if 0 <= row < heights.shape[0] and 0 <= column < heights.shape[1]:
            height = heights[row, column]
        if inside and eye[2] + at * z < height:
            return float(at)
        touch = (height - eye[2]) / z
        if at <= touch <= leave:
            return float(touch)
        inside = True
        at = leave
        if next_x <= next_y:
            column += 1 if x > 0 else -1
        else:
            row += -1 if y > 0 else 1
    return np.inf


@compiled
def _free(eye: Array, spot: Array, heights: Float32Array, frame: Array, clearance: float) -> bool:
    """Whether nothing stands between a spot on the surface and the eye; its own cell never does."""
    x, y, z = eye[0] - spot[0], eye[1] - spot[1], eye[2] - spot[2]
    cell = frame[2]
    column = int(np.floor((spot[0] - frame[0]) / cell))
    row = int(np.floor((frame[1] - spot[1]) / cell))
    while True:
        next_x, next_y = np.inf, np.inf
        if x > 0:
            next_x = (frame[0] + (column + 1) * cell - spot[0]) / x
        elif x < 0:
            next_x = (frame[0] + column * cell - spot[0]) / x
        if y > 0:
            next_y = (frame[1] - row * cell - spot[1]) / y
        elif y < 0:
            next_y = (frame[1] - (row + 1) * cell - spot[1]) / y
        at = min(next_x, next_y)
        level = spot[2] + at * z
        if at >= 1.0 or level > frame[4]:
            return True
        if next_x <= next_y:
            column += 1 if x > 0 else -1
        else:
            row += -1 if y > 0 else 1
        height = frame[3]
        if 0 <= row < heights.shape[0] and 0 <= column < heights.shape[1]:
            height = heights[row, column]
        if level + clearance < height:
            return False


@compiled
def _framed(camera: Array, x: float, y: float, z: float) -> bool:
    """Whether a point (from the camera, world axes) lies in the picture."""
    depth = camera[6] * x + camera[7] * y + camera[8] * z
    if depth <= 0:
        return False
    u = (camera[0] * x + camera[1] * y + camera[2] * z) / depth
    v = (camera[3] * x + camera[4] * y + camera[5] * z) / depth
    # Far points fold back into the picture: those beyond twice its corner are none of it either.
    if abs(u) > camera[20] / camera[12] or abs(v) > camera[21] / camera[13]:
        return False
    r2 = u * u + v * v
    if r2 >= folding_r2(camera[16], camera[17]):
        return False
    radial = 1 + r2 * (camera[16] + r2 * camera[17])
    p1, p2 = camera[18], camera[19]
    a = camera[12] * (u * radial + 2 * p1 * u * v + p2 * (r2 + 2 * u * u)) + camera[14]
    b = camera[13] * (v * radial + 2 * p2 * u * v + p1 * (r2 + 2 * v * v)) + camera[15]
    return bool(0 <= a < camera[20] and 0 <= b < camera[21])


@compiled
def _view(
    block: IntArray,
    size: float,
    points: int,
    camera: Array,
    cells: _Cells,
    farthest: float,
    centre: Array,
    counts: _Counts,
) -> None:
    heights, frame = cells
    framed, hidden = counts
    eye = camera[9:12]
    spot = np.empty(3)
    for i in range(block[3]):
        for j in range(block[2]):
            place = i * block[2] + j
            west, south = (block[0] + j) * size, (block[1] + i) * size
            centre[place, 0], centre[place, 1] = west + size / 2, south + size / 2
            centre[place, 2] = _height_at(west + size / 2, south + size / 2, heights, frame)
            for k in range(points * points):
                spot[0] = west + (k % points + 0.5) * size / points
                spot[1] = south + (k // points + 0.5) * size / points
                spot[2] = _height_at(spot[0], spot[1], heights, frame)
                x, y, z = spot[0] - eye[0], spot[1] - eye[1], spot[2] - eye[2]
                if z >= 0 or x * x + y * y > farthest * farthest:
                    continue
                if not _framed(camera, x, y, z):
                    continue
                framed[place] += 1
                hidden[place] += not _free(eye, spot, heights, frame, CLEARANCE_M)


@compiled
def _spot(
    places: Array,
    normals: Array,
    parts: IntArray,
    starts: IntArray,
    pairs: IntArray,
    eyes: Array,
    cells: _Cells,
    counts: _Counts,
) -> None:
    heights, frame = cells
    framed, hidden = counts
    for p in range(pairs.shape[0]):
        thing, camera = pairs[p, 0], eyes[pairs[p, 1]]
        eye = camera[9:12]
        for i in range(starts[thing], starts[thing + 1]):
            x, y, z = places[i, 0] - eye[0], places[i, 1] - eye[1], places[i, 2] - eye[2]
            if z >= 0 or not _framed(camera, x, y, z):
                continue
            framed[p, parts[i]] += 1
            towards = -(normals[i, 0] * x + normals[i, 1] * y + normals[i, 2] * z)
            facing = towards >= FACE_SINE * np.sqrt(x * x + y * y + z * z)
            any_side = normals[i, 0] == 0 and normals[i, 1] == 0 and normals[i, 2] == 0
            if not (any_side or facing) or not _free(eye, places[i], heights, frame, CLEARANCE_M):
                hidden[p, parts[i]] += 1
