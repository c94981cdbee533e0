"""Upright pieces of a block -> walls in metres, and which picture sees which part of them best.

A wall is a rectangle in one upright plane; it holds the pieces of its outline. It is looked at in
patches: where a picture shows the middle of a patch, turned to it and with nothing on the surface
before it, the picture sees the patch. World axes are east, north, up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Int32Array, IntArray
from aftermap.geo.lens import projected_px, seen_px
from aftermap.geo.march import HeightWindow, Spots, eye_row, spots_seen
from aftermap.geo.masks import covered, read_mask
from aftermap.model.camera import Camera, PlacedFrame

NO_CAMERA = -1
PATCH_CELLS, MOST_ALONG, MOST_UP = 4.0, 16, 12
PROUD_CELLS = 1.0
"""The middle of a patch is looked at this far before the wall, in the cell below it."""
LEAST_SEEN_FRACTION = 0.1


@dataclass(frozen=True, kw_only=True)
class Wall:
    """A rectangle from ``start_m`` to ``end_m`` (east, north), facing to the right of that way.

    ``pieces`` (P, 6): start and end along the wall (0 to 1), lower and upper height at the start,
    lower and upper at the end; together they cover what stands of the rectangle between ``low_m``
    and ``high_m``. ``is_measured`` where both its head and its foot are.
    """

    start_m: tuple[float, float]
    end_m: tuple[float, float]
    low_m: float
    high_m: float
    pieces: Array
    is_measured: bool

    @property
    def length_m(self) -> float:
        """How long the wall is in plan."""
        return float(np.hypot(self.end_m[0] - self.start_m[0], self.end_m[1] - self.start_m[1]))

    @property
    def height_m(self) -> float:
        """From its lowest to its highest place."""
        return self.high_m - self.low_m

    @property
    def normal(self) -> Array:
        """(3,) unit vector of the way it faces: east, north, up."""
        east, north = self.end_m[0] - self.start_m[0], self.end_m[1] - self.start_m[1]
        return np.array([north, -east, 0.0]) / max(self.length_m, 1e-9)

    @property
    def area_m2(self) -> float:
        """Of what stands of it."""
        p = self.pieces
        mean = ((p[:, 3] - p[:, 2]) + (p[:, 5] - p[:, 4])) / 2
        return float(((p[:, 1] - p[:, 0]) * mean).sum() * self.length_m)


@dataclass(frozen=True, kw_only=True)
class PatchSources:
    """Which picture each patch of a wall is taken from.

    ``source`` (rows from the top, columns) counts the cameras that were asked, NO_CAMERA where none
    sees the patch.
    """

    source: Int32Array


def walls_of(
    wall: Array, face: Int32Array, world: Array, *, step: float, is_measured: bool
) -> list[Wall]:
    """Walls from (W, 2, 4) upright pieces in cells.

    ``world`` is east and north of the block's corner, the cell, and the height of level 0; pieces
    of one ``face`` lie in one plane. What is lower than a step, or has no foot, is left out.
    """
    out = []
    order = np.argsort(face, kind="stable")
    cuts = np.flatnonzero(np.diff(face[order])) + 1
    for rows in np.split(order, cuts) if len(order) else ():
        out.extend(_walls_in(wall[rows], world, step))
    return [replace(one, is_measured=is_measured) for one in out]


def _walls_in(wall: Array, world: Array, step: float) -> list[Wall]:
    """The walls of one plane: that facing right, and that facing left, of the line's way."""
    found = []
    length = np.hypot(*(wall[:, 1, :2] - wall[:, 0, :2]).T)
    for low, high, is_forward in ((3, 2, True), (2, 3, False)):
        rise = wall[:, :, high] - wall[:, :, low]
        stands = (rise.max(axis=1) > step) & (rise.min(axis=1) > -0.25) & (length > 1e-6)
        rows = wall[stands]
        if not len(rows):
            continue
        ends = rows[:, :, :2].reshape(-1, 2)
        first, last = rows[0, 0, :2], rows[-1, 1, :2]
        along = (last - first) / max(float(np.hypot(*(last - first))), 1e-9)
        places = (ends - first) @ along
        span = float(places.max() - places.min())
        if span <= 1e-6:
            continue
        start = first + along * places.min()
        share = ((places - places.min()) / span).reshape(-1, 2)
        lower = np.minimum(rows[:, :, low], rows[:, :, high])
        upper = rows[:, :, high]
        if not is_forward:
            start, along = start + along * span, -along
            share, lower, upper = 1 - share[:, ::-1], lower[:, ::-1], upper[:, ::-1]
        found.append(_wall(start, start + along * span, share, lower, upper, world))
    return found


def _wall(start: Array, end: Array, share: Array, lower: Array, upper: Array, world: Array) -> Wall:
    west, north, cell, level = world
    low, high = level + lower * cell, level + upper * cell
    pieces = np.stack(
        [share[:, 0], share[:, 1], low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1
    )
    return Wall(
        start_m=(float(west + start[0] * cell), float(north - start[1] * cell)),
        end_m=(float(west + end[0] * cell), float(north - end[1] * cell)),
        low_m=float(low.min()),
        high_m=float(high.max()),
        pieces=pieces,
        is_measured=True,
    )


def patch_sources_of(
    walls: Sequence[Wall],
    placed: Sequence[PlacedFrame],
    cameras: Sequence[Camera],
    heights: HeightWindow,
    *,
    most_views: int,
) -> list[PatchSources]:
    """Per wall which of the ``placed`` frames each of its patches is taken from.

    Frames are taken in the order of how much of the wall they show and how finely; each next one
    fills what the ones before do not see.
    """
    shapes = [_patches(wall, heights.cell_m) for wall in walls]
    pairs, finest = _pairs(walls, placed, cameras)
    seen = _visible_patches(walls, shapes, pairs, placed, cameras, heights)
    sights = [PatchSources(source=np.full(shape, NO_CAMERA, np.int32)) for shape in shapes]
    order = np.argsort(pairs[:, 0], kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(pairs[order, 0])) + 1) if len(order) else ():
        number = int(pairs[rows[0], 0])
        count = int(np.prod(shapes[number]))
        source = sights[number].source.reshape(-1)
        worth = seen[rows, :count].mean(axis=1) * finest[rows]
        for row in rows[np.argsort(-worth, kind="stable")][:most_views]:
            if seen[row, :count].mean() >= LEAST_SEEN_FRACTION:
                source[seen[row, :count] & (source == NO_CAMERA)] = pairs[row, 1]
    return sights


def _patches(wall: Wall, cell_m: float) -> tuple[int, int]:
    """Rows and columns of a wall's patches."""
    size = PATCH_CELLS * cell_m
    return (
        int(np.clip(np.ceil(wall.height_m / size), 1, MOST_UP)),
        int(np.clip(np.ceil(wall.length_m / size), 1, MOST_ALONG)),
    )


def _pairs(
    walls: Sequence[Wall], placed: Sequence[PlacedFrame], cameras: Sequence[Camera]
) -> tuple[IntArray, Array]:
    """(P, 2) walls and frames that may see them, and (P,) pixels per metre squared there."""
    pairs: list[Array] = []
    worth: list[Array] = []
    if not walls:
        return np.empty((0, 2), np.int64), np.empty(0)
    middle = np.array(
        [
            [
                (w.start_m[0] + w.end_m[0]) / 2,
                (w.start_m[1] + w.end_m[1]) / 2,
                (w.low_m + w.high_m) / 2,
            ]
            for w in walls
        ]
    )
    normals = np.array([w.normal for w in walls])
    reach = np.array([np.hypot(w.length_m, w.height_m) / 2 for w in walls])
    for index, one in enumerate(placed):
        camera = cameras[one.camera]
        ray = np.asarray(one.pose.position_m) - middle
        distance = np.linalg.norm(ray, axis=1)
        facing = (ray * normals).sum(axis=1) / np.maximum(distance, 1e-9)
        xyz = -ray @ np.asarray(one.pose.rotation_cam_from_world).T
        with np.errstate(invalid="ignore"):
            at = projected_px(xyz, camera.params)
        slack = reach / np.maximum(distance, 1e-9) * camera.focal_px
        size = np.array([camera.width_px, camera.height_px])
        near = (at > -slack[:, None]) & (at < size + slack[:, None])
        rows = np.flatnonzero(near.all(axis=1) & (facing > 0.26) & (ray[:, 2] > 0))
        pairs.append(np.stack([rows, np.full(len(rows), index)], axis=1))
        worth.append((camera.focal_px / distance[rows]) ** 2 * facing[rows])
    return np.concatenate(pairs).astype(np.int64), np.concatenate(worth)


def _visible_patches(
    walls: Sequence[Wall],
    shapes: Sequence[tuple[int, int]],
    pairs: IntArray,
    placed: Sequence[PlacedFrame],
    cameras: Sequence[Camera],
    heights: HeightWindow,
) -> BoolArray:
    """(P, patches) whether the frame of a pair sees the middle of each patch of its wall.

    It does not where its mask says that something lies over the scene.
    """
    if not len(pairs):
        return np.empty((0, 1), np.bool_)
    spots = _spots(walls, shapes, heights.cell_m)
    eyes = np.stack([_eye(one, cameras[one.camera]) for one in placed])
    framed, hidden = spots_seen(spots, pairs, eyes, heights)
    seen = np.asarray((framed > 0) & (hidden == 0))
    for index, one in enumerate(placed):
        rows = np.flatnonzero(pairs[:, 1] == index)
        if one.frame.mask is not None and len(rows):
            under = _under_mask(spots.place_m, one, cameras[one.camera])
            for row in rows:
                wall = pairs[row, 0]
                own = under[spots.starts[wall] : spots.starts[wall + 1]]
                seen[row, : len(own)] &= ~own
    return seen


def _spots(walls: Sequence[Wall], shapes: Sequence[tuple[int, int]], cell_m: float) -> Spots:
    """The middles of the patches of walls, a little before them."""
    counts = np.array([rows * columns for rows, columns in shapes])
    places = [
        middles_m(wall, shape) + PROUD_CELLS * cell_m * wall.normal
        for wall, shape in zip(walls, shapes, strict=True)
    ]
    return Spots(
        place_m=np.concatenate(places),
        normal=np.repeat(np.array([w.normal for w in walls]), counts, axis=0),
        part=np.concatenate([np.arange(count) for count in counts]),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        parts=int(counts.max()),
    )


def _eye(placed: PlacedFrame, camera: Camera) -> Array:
    """A frame's row of numbers as the compiled loops read it."""
    pose, size_px = placed.pose, (camera.width_px, camera.height_px)
    return eye_row(pose.rotation_cam_from_world, pose.position_m, camera.params[:8], size_px)


def _under_mask(places_m: Array, placed: PlacedFrame, camera: Camera) -> BoolArray:
    """(N,) whether a frame's mask says that something lies over places."""
    with np.errstate(invalid="ignore"):
        at = seen_px(places_m, placed.pose, camera.params)
    return covered(read_mask(str(placed.frame.mask)), camera, at)


def middles_m(wall: Wall, shape: tuple[int, int]) -> Array:
    """(rows * columns, 3) the middles of equal patches of a wall, from its upper start."""
    rows, columns = shape
    down, along = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    start, end = np.array(wall.start_m), np.array(wall.end_m)
    flat = start + along[:, None] * (end - start)
    out = np.empty((rows, columns, 3))
    out[:, :, :2] = flat[None]
    out[:, :, 2] = (wall.high_m - down * wall.height_m)[:, None]
    return out.reshape(-1, 3)
