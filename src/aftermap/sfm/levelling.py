"""Cameras and points that no position holds -> their vertical, and a frame that stands upright.

The frame of such a group is arbitrary. Its z axis becomes the vertical that the witnesses agree
on, its ground lies at height 0, and its cameras are 100 units above that ground.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.camera import TRUSTED_VERTICAL_DEG, Frame, Vertical, VerticalWitness
from aftermap.model.runs import Executor
from aftermap.sfm.projection_kernel import State
from aftermap.sfm.vertical import CONTRADICTS_SIGMAS, Witness, combined
from aftermap.sfm.vertical_lines import edge_witness, edges_in
from aftermap.sfm.vertical_witnesses import (
    GIMBAL,
    GIMBAL_SIGMA_DEG,
    GROUND,
    gimbal_witness,
    ground_plane,
    ground_witness,
    path_witness,
    recorded_ups,
    roll_witness,
)

LOCAL_HEIGHT = 100.0
"""Median height of the cameras above the ground in a local frame, in arbitrary units."""
UNKNOWN_DEG = 20.0
"""Where the other witnesses leave the vertical more open than this, edges are not asked."""
APART_DEG = 3.0
"""The ground that is tipped from the rest by more than this is worth a search of its own."""


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
    above = _rather_up(rotations, positions, points)
    found = combined(known, above)
    if executor is None:
        return found
    edges = edges_in(frames, state, executor)
    tries = [found]
    for before, sigma_deg in _starts(found, known[-1]):
        witness = edge_witness(edges, before, sigma_deg)
        if witness is not None:
            tries.append(combined([*known, witness], above))
    return max(tries[1:] or tries, key=_agreement)


def contradicted_vertical(frames: Sequence[Frame], state: State) -> Vertical | None:
    """The vertical of cameras that recorded positions hold, where the record says it is wrong.

    That is where most pictures are tipped, by what the gimbal told, by more than makes a top view,
    and the positions do not fit either: a chain of pictures that bends somewhere fits no flight.
    None otherwise, and where there is no such record.
    """
    ups = recorded_ups(state.rotations, frames)
    told = [i for i, f in enumerate(frames) if f.prior_position_m and f.prior_sigma_m]
    if not len(ups) or not told:
        return None
    place = np.array([frames[i].prior_position_m for i in told])[:, :2]
    sigma_m = np.array([frames[i].prior_sigma_m for i in told])[:, :2]
    off = np.linalg.norm((state.positions[told, :2] - place) / sigma_m, axis=1)
    tipped_deg = float(np.median(np.degrees(np.arccos(np.clip(ups[:, 2], -1, 1)))))
    if tipped_deg <= TRUSTED_VERTICAL_DEG or np.median(off) <= CONTRADICTS_SIGMAS:
        return None
    witness = VerticalWitness(
        name=GIMBAL,
        off_deg=tipped_deg,
        off_sigmas=tipped_deg / GIMBAL_SIGMA_DEG,
        sigma_deg=GIMBAL_SIGMA_DEG,
        other_sigma_deg=GIMBAL_SIGMA_DEG,
        is_used=True,
    )
    return Vertical(sigma_deg=tipped_deg, witnesses=(witness,), contradiction=GIMBAL)


def _starts(found: tuple[Array, Vertical], last: Witness) -> list[tuple[Array, float]]:
    """Where edges are sought, and how far around: near what the others agree on.

    A kite's camera rolls, and then the ground alone is a better start than both together.
    """
    up, vertical = found
    starts = [(up, vertical.sigma_deg)] if vertical.sigma_deg < UNKNOWN_DEG else []
    if last.name == GROUND:
        alone = last.direction * np.sign(last.direction @ up)
        if alone @ up < np.cos(np.radians(APART_DEG)):
            starts.append((alone, last.sigmas_deg[1]))
    return starts


def _agreement(found: tuple[Array, Vertical]) -> tuple[bool, int, float]:
    """The better the larger: nothing contradicts, few are left out, little is left open."""
    vertical = found[1]
    left_out = sum(not witness.is_used for witness in vertical.witnesses)
    return vertical.is_trusted, -left_out, -vertical.sigma_deg


def world_from_vertical(state: State, points: Array, up: Array) -> tuple[float, Array, Array]:
    """The similarity that turns ``up`` to z and puts the ground below the cameras at height 0.

    ``up`` is a (3,) unit vector and ``points`` are (P, 3) in the frame of the state. The answer
    is a
    scale, a (3, 3) rotation and a (3,) translation.
    """
    east = level_axis(up, state.rotations)
    rotation = np.stack([east, np.cross(up, east), up])
    ground = ground_plane(state.rotations, state.positions, points, up=up)
    level = float(np.percentile(points @ up, 5)) if ground is None else ground[1]
    height = float(np.median(state.positions @ up)) - level
    scale = LOCAL_HEIGHT / max(height, 1e-9)
    middle = np.median(state.positions, axis=0)
    middle += up * (level - middle @ up)
    return scale, rotation, -scale * rotation @ middle


def world_from_pictures(
    rotations: Array, positions: Array, points: Array, frames: Sequence[Frame]
) -> tuple[float, Array, Array]:
    """The similarity that lays rough poses level by what needs no picture to be read.

    Rotations are (N, 3, 3) cam_from_world, positions (N, 3), points (P, 3). The answer is a
    scale, a
    (3, 3) rotation and a (3,) translation.
    """
    nothing = np.zeros((0, 0))
    state = State(rotations, positions, nothing, np.zeros(len(rotations), np.int32), points)
    return world_from_vertical(state, points, vertical_of(frames, state, points)[0])


def _rather_up(rotations: Array, positions: Array, points: Array) -> Array:
    """Away from the feet of the pictures, and from what is seen to who sees it."""
    back = positions.mean(axis=0) - np.median(points, axis=0)
    unit = back / max(float(np.linalg.norm(back)), 1e-12)
    return np.asarray(unit - rotations[:, 1].mean(axis=0))


def level_axis(normal: Array, rotations: Array) -> Array:
    """(3,) unit direction to call east, level to (3,) ``normal``: the first camera's x axis."""
    axis = rotations[0, 0] - normal * (normal @ rotations[0, 0])
    if np.linalg.norm(axis) < 1e-6:
        axis = np.cross(normal, [1.0, 0.0, 0.0])
    return np.asarray(axis / np.linalg.norm(axis))
