"""Poses to a plan: cameras, where they look, and tie points seen from above, without a map.

Positions for inline SVG, in a box of 1000 across; y points down. Tie points are the places that
several pictures have in common; a few lie far off, so the middle ones decide how much is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.geo.crs import LOCAL
from aftermap.geo.scale_bar import scale_bar_length
from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.publish.report.charts import PLAN_ACROSS, PLAN_MARGIN, Dot
from aftermap.publish.shared.wording import NARROW

POINTS_MOST = 4000
MIDDLE_PERCENT = (5, 95)
LOOK_SHARE = 0.03
"""Length of the line that shows where a camera looks, as a share of the plan."""
STEEP = 0.2
"""A camera whose axis lies flatter than this share of its length looks down: it gets no line."""
LEAST_SHARE = 0.15
"""A plan is at least so high, beside its width: a straight flight would be a line."""


@dataclass(frozen=True, kw_only=True)
class PosePlan:
    """``points`` is the ``d`` of an SVG path with a stroke of no length at each tie point.

    ``looks`` are lines from a camera in the direction of its view. ``beyond`` counts the tie points
    that lie outside the plan, of all that there are; ``shown`` those that are drawn. ``apart``
    counts the cameras of other groups that are not drawn: without recorded positions it is not
    known how groups lie to each other.
    """

    across: float
    down: float
    points: str
    shown: int
    beyond: int
    apart: int
    cameras: tuple[Dot, ...]
    looks: tuple[tuple[float, float, float, float], ...]
    scale_share: float
    scale_text: str


def pose_plan(reconstruction: Reconstruction, unit: str) -> PosePlan | None:
    """Where the pictures were taken from; None where none was placed, or all from one place."""
    drawn_frames = _drawn(reconstruction)
    if not drawn_frames.any():
        return None
    placed = [reconstruction.placed[index] for index in np.flatnonzero(drawn_frames)]
    cameras = np.array([one.pose.position_m for one in placed], float)
    axes = np.array([one.pose.rotation_cam_from_world[2] for one in placed])
    points = _tie_points(reconstruction, drawn_frames)
    low, high = _box(cameras[:, :2], points)
    across = float(high[0] - low[0])
    if not across > 0:
        return None
    scale = PLAN_ACROSS / across

    def at(xy: Array) -> Array:
        return np.asarray((xy - (low[0], high[1])) * (scale, -scale))

    inside = ((points > low) & (points < high)).all(axis=1)
    drawn = points[inside][:: max(1, -(-int(inside.sum()) // POINTS_MOST))]
    slanting = np.hypot(axes[:, 0], axes[:, 1]) > STEEP
    ends = cameras[:, :2] + LOOK_SHARE * across * axes[:, :2]
    bar = scale_bar_length(across / 4)
    return PosePlan(
        across=PLAN_ACROSS,
        down=float(high[1] - low[1]) * scale,
        points="".join(f"M{x:.1f} {y:.1f}h0" for x, y in at(drawn)),
        shown=len(drawn),
        beyond=int((~inside).sum()),
        apart=int((~drawn_frames).sum()),
        cameras=_dots(at(cameras[:, :2]), placed, reconstruction.mapped_group),
        looks=_looks(at(cameras[slanting, :2]), at(ends[slanting])),
        scale_share=bar / across,
        scale_text=f"{bar:g}{NARROW}{unit}",
    )


def _dots(places: Array, placed: Sequence[PlacedFrame], mapped_group: int) -> tuple[Dot, ...]:
    """The cameras at (N, 2) places in the plan, those of the mapped group marked."""
    return tuple(
        Dot(
            x=float(x),
            y=float(y),
            kind="mapped" if one.group == mapped_group else "apart",
            title=one.frame.name,
        )
        for (x, y), one in zip(places, placed, strict=True)
    )


def _looks(starts: Array, ends: Array) -> tuple[tuple[float, float, float, float], ...]:
    """The lines between two sets of (N, 2) places in the plan."""
    return tuple(
        (float(x1), float(y1), float(x2), float(y2))
        for (x1, y1), (x2, y2) in zip(starts, ends, strict=True)
    )


def _drawn(reconstruction: Reconstruction) -> BoolArray:
    """(N,) which placed frames share one frame of reference with the mapped group."""
    groups = np.array([one.group for one in reconstruction.placed], int)
    together = (groups == reconstruction.mapped_group) | (reconstruction.crs != LOCAL)
    return np.asarray(together, np.bool_)


def _tie_points(reconstruction: Reconstruction, drawn: BoolArray) -> Array:
    """(N, 2) east and north of the tie points that drawn frames see and that are numbers.

    None where their file is gone.
    """
    try:
        with Path(reconstruction.points).open("rb") as file, np.load(file) as archive:
            xyz = np.asarray(archive["xyz_m"], float)
            seen = archive["point_index"][drawn[archive["frame_index"]]]
    except OSError:
        return np.zeros((0, 2))
    kept = np.isfinite(xyz).all(axis=1) & (np.bincount(seen, minlength=len(xyz)) > 0)
    return np.asarray(xyz[kept, :2])


def _box(cameras: Array, points: Array) -> tuple[Array, Array]:
    """Lower left and upper right of all cameras and of the middle tie points, with a margin."""
    ends = np.percentile(points, MIDDLE_PERCENT, axis=0) if len(points) else cameras
    every = np.concatenate([cameras, ends])
    low, high = every.min(axis=0), every.max(axis=0)
    size = high - low
    wider = np.maximum(size, LEAST_SHARE * size.max()) + 2 * PLAN_MARGIN * size.max()
    middle = (low + high) / 2
    return middle - wider / 2, middle + wider / 2
