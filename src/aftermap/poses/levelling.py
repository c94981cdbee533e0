"""A group that no position holds -> the same with its vertical upright, level at 0, and a size.

The frame of such a group is arbitrary. Its z axis becomes the vertical that the witnesses agree
on, its ground lies at height 0, and its cameras are 100 units above that ground.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aftermap.model.camera import Frame, Vertical
from aftermap.model.runs import Executor
from aftermap.poses.bundle_kernel import State
from aftermap.poses.georeference import LOCAL_HEIGHT, level_axis
from aftermap.poses.vertical import Witness, combined
from aftermap.poses.vertical_lines import edge_witness, edges_in
from aftermap.poses.vertical_witnesses import (
    gimbal_witness,
    ground_plane,
    ground_witness,
    path_witness,
    roll_witness,
)

Array = npt.NDArray[np.float64]

UNKNOWN_DEG = 20.0
"""Where the other witnesses leave the vertical more open than this, edges are not asked."""


def vertical_of(
    frames: Sequence[Frame],
    state: State,
    points: Array,
    executor: Executor | None = None,
) -> tuple[Array, Vertical]:
    """The unit vector up in the state's frame; without an executor no picture is read.

    ``points`` (P, 3) are tie points, of which the state may hold only some.
    """
    rotations, positions = state.rotations, state.positions
    asked: list[Witness | None] = [
        gimbal_witness(rotations, frames),
        roll_witness(rotations),
        path_witness(positions),
        ground_witness(rotations, positions, points),
    ]
    known = [one for one in asked if one is not None]
    above = -rotations[:, 1].mean(axis=0) + (positions.mean(axis=0) - np.median(points, axis=0)) / (
        np.linalg.norm(positions.mean(axis=0) - np.median(points, axis=0)) + 1e-12
    )
    up, vertical = combined(known, above)
    if executor is None:
        return up, vertical
    if vertical.sigma_deg < UNKNOWN_DEG:
        edges = edge_witness(edges_in(frames, state, executor), up, vertical.sigma_deg)
        if edges is not None:
            up, vertical = combined([*known, edges], above)
    return up, vertical


def world_from_vertical(state: State, points: Array, up: Array) -> tuple[float, Array, Array]:
    """The similarity that turns ``up`` to z and puts the ground below the cameras at height 0."""
    east = level_axis(up, state.rotations)
    rotation = np.stack([east, np.cross(up, east), up])
    ground = ground_plane(state.rotations, state.positions, points, up=up)
    level = float(np.percentile(points @ up, 5)) if ground is None else ground[1]
    height = float(np.median(state.positions @ up)) - level
    scale = LOCAL_HEIGHT / max(height, 1e-9)
    middle = np.median(state.positions, axis=0)
    middle += up * (level - middle @ up)
    return scale, rotation, -scale * rotation @ middle
