"""One second of a clip -> the cells of ground that it shows, each with its best moment.

Cells are whole squares of the clip's CRS counted from its origin. How large they are follows from
how surely the second is placed: nothing is filed under a cell much smaller than its CE90.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.march import HeightWindow, Patch, Views, camera_views
from aftermap.geo.ring import inside_ring
from aftermap.geo.viewing import (
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)
from aftermap.model.sighting import CELL_BITS, CELL_OFFSET, CELL_SIZES_M
from aftermap.model.trajectory import ClipPose
from aftermap.viewshed.moments import Second
from aftermap.viewshed.view import Eye, Look, circles_m

COLUMNS = {
    "place": np.int64,
    "segment": np.int32,
    "best_ms": np.int32,
    "gsd_mm": np.int32,
    "off_nadir_deg": np.int32,
    "azimuth_deg": np.int32,
    "faces": np.int32,
    "framed_percent": np.int32,
    "occluded_percent": np.int32,
    "ce90_dm": np.int32,
    "rank_um": np.int32,
}
UNKNOWN = -1
"""In ``occluded_percent`` (the cell is not in the picture itself) and ``ce90_dm``: NULL."""

CIRCLE_PER_CELL = 2.0
"""A CE90 may be so many times the side of the cell that a second is filed under."""

Rows = dict[str, IntArray]


@dataclass(frozen=True, kw_only=True)
class GroundView:
    """A moment that is looked at, and what it shows."""

    pose: ClipPose
    look: Look


def cells_of(
    number: int, second: Second, seen: Sequence[GroundView], eye: Eye, heights: HeightWindow
) -> Rows:
    """Columns of :data:`COLUMNS`: one row per cell, of the moment that shows it best.

    ``number`` is what the second is called in the column ``segment``.
    """
    level = _level_of(seen)
    parts = [_rows_of(number, second, one, level, eye, heights) for one in seen]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
    order = np.lexsort((rows["rank_um"], rows["place"]))
    first = np.ones(len(order), bool)
    first[1:] = np.diff(rows["place"][order]) != 0
    return {name: column[order][first] for name, column in rows.items()}


def _level_of(seen: Sequence[GroundView]) -> int:
    """The level whose cells are not much smaller than the best placed moment's CE90."""
    known = [one.look.ce90_m for one in seen if np.isfinite(one.look.ce90_m)]
    circle = min(known, default=np.inf)
    return next(
        (level for level, size in enumerate(CELL_SIZES_M) if circle <= CIRCLE_PER_CELL * size),
        len(CELL_SIZES_M) - 1,
    )


def _rows_of(
    number: int, second: Second, one: GroundView, level: int, eye: Eye, heights: HeightWindow
) -> Rows:
    patch, places = _patch_around(one.look.outer_m, level)
    pose, camera = one.pose.pose, eye.camera
    views = camera_views(
        patch,
        pose.rotation_cam_from_world,
        pose.position_m,
        camera.params,
        (camera.width_px, camera.height_px),
        heights,
        farthest_m=eye.farthest_m(one.pose),
        points_per_side=eye.options.points_per_side << level,
    )
    shown = views.hidden < views.framed
    near = (views.framed == 0) & _any_inside(views.centre_m[:, :2], patch.cell_m, one.look.outer_m)
    kept = np.nonzero(shown | near)[0]
    centre = views.centre_m[kept]
    kept = kept[centre[:, 2] < pose.position_m[2]]
    best_ms = round(float(one.pose.time_s - second.from_s) * 1000)
    return _columns(number, best_ms, places[kept], _only(views, kept), one.pose, eye)


def _any_inside(centre_m: Array, cell_m: float, ring_m: Array) -> BoolArray:
    """Which cells have their middle or a corner inside a ring."""
    steps = np.array([[0, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]]) * cell_m / 2
    places = centre_m[:, None, :] + steps
    return np.asarray(
        inside_ring(places.reshape(-1, 2), ring_m).reshape(-1, len(steps)).any(axis=1)
    )


def _columns(
    number: int,
    best_ms: int,
    places: IntArray,
    views: Views,
    moment: ClipPose,
    eye: Eye,
) -> Rows:
    position = np.asarray(moment.pose.position_m, float)
    axis = np.asarray(moment.pose.rotation_cam_from_world, float)[2]
    centre = views.centre_m
    sample = ground_sample_m(position, centre, axis, eye.camera.focal_px)
    off_nadir, azimuth = off_nadir_of_deg(position, centre), azimuth_of_deg(centre, position)
    circle = circles_m(moment, centre, eye.ground_sigma_m)
    framed = views.framed / views.points
    hidden = np.where(views.framed > 0, views.hidden / np.maximum(views.framed, 1), 0.0)
    # At the very edge the middle of a cell may lie behind the picture's plane: no sample there.
    sample = np.where(
        sample > 0, sample, np.linalg.norm(centre - position, axis=1) / eye.camera.focal_px
    )
    rank = rank_m(sample, off_nadir, framed * (1 - hidden), circle)
    exact = {
        "place": places,
        "segment": np.full(len(places), number),
        "best_ms": np.full(len(places), best_ms),
        "gsd_mm": sample * 1000,
        "off_nadir_deg": off_nadir,
        "azimuth_deg": azimuth,
        "faces": faces_of(azimuth, off_nadir),
        "framed_percent": framed * 100,
        "occluded_percent": np.where(views.framed > 0, hidden * 100, UNKNOWN),
        "ce90_dm": np.where(np.isfinite(circle), np.ceil(circle * 10), UNKNOWN),
        "rank_um": np.clip(rank * 1e6, 0, 2**31 - 1),
    }
    return {name: np.rint(column).astype(np.int64) for name, column in exact.items()}


def _only(views: Views, kept: IntArray) -> Views:
    return Views(
        centre_m=views.centre_m[kept],
        points=views.points,
        framed=views.framed[kept],
        hidden=views.hidden[kept],
    )


def _patch_around(ring_m: Array, level: int) -> tuple[Patch, IntArray]:
    """The block of cells around a ring, and the number of each (see ``model.sighting.cell_of``)."""
    size = CELL_SIZES_M[level]
    first = np.floor(ring_m.min(axis=0) / size).astype(int)
    count = np.floor(ring_m.max(axis=0) / size).astype(int) - first + 1
    column = first[0] + np.arange(count[0], dtype=np.int64) + CELL_OFFSET
    row = first[1] + np.arange(count[1], dtype=np.int64) + CELL_OFFSET
    upper = (np.int64(level) << CELL_BITS) + row
    places = (upper[:, None] << CELL_BITS) + column[None, :]
    patch = Patch(
        column=int(first[0]),
        row=int(first[1]),
        columns=int(count[0]),
        rows=int(count[1]),
        cell_m=float(size),
    )
    return patch, places.ravel()
