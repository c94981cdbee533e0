"""An adjusted group that nothing holds -> the same, upright by what its pictures say."""

from dataclasses import replace

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.camera import Vertical
from aftermap.model.runs import Executor
from aftermap.sfm.assemble import Group
from aftermap.sfm.levelling import vertical_of, world_from_vertical
from aftermap.sfm.projection_kernel import POSE, State


def upright_group(group: Group, executor: Executor) -> tuple[Group, Vertical]:
    """The group in a frame whose z axis is the vertical that all witnesses agree on."""
    block = group.block
    points = np.concatenate([block.state.points, group.others[0].points])
    up, vertical = vertical_of(block.frames, block.state, points, executor)
    world = world_from_vertical(block.state, points, up)
    return _moved(group, world), vertical


def _moved(group: Group, world: tuple[float, Array, Array]) -> Group:
    """The group after a similarity. Turns of cameras are about their own axes, and stay."""
    scale, rotation, _ = world
    frames = len(group.block.frames)
    change = np.eye(len(group.covariance))
    for i in range(frames):
        at = slice(POSE * i + 3, POSE * (i + 1))
        change[at, at] = scale * rotation
    other_state, other_sights = group.others
    return replace(
        group,
        block=replace(group.block, state=_moved_state(group.block.state, world)),
        estimate=replace(group.estimate, state=_moved_state(group.estimate.state, world)),
        covariance=change @ group.covariance @ change.T,
        others=(_moved_state(other_state, world), other_sights),
    )


def _moved_state(state: State, world: tuple[float, Array, Array]) -> State:
    scale, rotation, shift = world
    return state._replace(
        rotations=state.rotations @ rotation.T,
        positions=scale * state.positions @ rotation.T + shift,
        points=scale * state.points @ rotation.T + shift,
    )
