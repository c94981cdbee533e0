"""One connected group of photographs: from a skeleton to an adjusted block in the world frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aftermap.errors import ReconstructionError
from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.robust import nmad
from aftermap.model.camera import Frame
from aftermap.sfm.bundle import HELD, Adjusted, Priors, adjust_bundle
from aftermap.sfm.exposure_motion import course_of
from aftermap.sfm.georeference import plumb_line, world_from_positions
from aftermap.sfm.initial_reconstruction import (
    MIN_FRAMES,
    InitialReconstruction,
    model_observations,
)
from aftermap.sfm.levelling import world_from_pictures
from aftermap.sfm.projection_kernel import Observations, State
from aftermap.sfm.tracks import Tracks
from aftermap.sfm.triangulate import ray_angles_deg, thinned

MIN_ANGLE_DEG = 1.5
"""Rays closer together than this do not say how far away a point is."""
GROSS_SIGMAS = 6.0
"""Observations farther off than this, in sigmas of the block, are taken out."""
MIN_SIGMA_PX = 0.03
MIN_OBSERVATIONS = 12
"""Tie points that a frame must see: three fix its six unknowns, and then nothing speaks against."""
MIN_SHARED = 6
"""Tie points that two parts of a block must have in common: three fix how one lies to the other."""


@dataclass(frozen=True, kw_only=True)
class BundleBlock:
    """A group being adjusted. ``frames`` are the group's own, in the order of the state's.

    The world is ``offset_m`` plus the state's coordinates; ``located`` says that positions fix it.
    ``camera_keys`` name the state's lenses.
    """

    frames: tuple[Frame, ...]
    camera_keys: tuple[str, ...]
    state: State
    sights: Observations
    sigma_px: Array
    knowns: Priors
    offset_m: Array
    located: bool


def block_of(
    skeleton: InitialReconstruction,
    frames: Sequence[Frame],
    keypoints: Sequence[Array],
    tracks: Tracks,
) -> BundleBlock:
    """The group's tracks triangulated, in the world frame, not yet adjusted.

    ``keypoints`` holds (K, 2) pixels of each frame. Raises ReconstructionError where too few
    points
    can be triangulated.
    """
    own = [frames[i] for i in skeleton.frames]
    keys = tuple(dict.fromkeys(f.camera_key for f in own))
    rough, sights = model_observations(skeleton, frames, keypoints, tracks)
    state, sights = _trusted(rough, sights, np.ones(len(sights.frame), bool))
    if len(state.points) < 10:
        raise ReconstructionError(_too_few_points(own))
    offset, recorded, sigma = _recorded(own)
    state, located = _in_the_world(state, own, recorded, sigma)
    knowns = _knowns(own, keys, state, recorded, sigma, located=located)
    state = state._replace(course=course_of(own, state.positions))
    side = max(max(f.width_px, f.height_px) for f in own)
    return BundleBlock(
        frames=tuple(own),
        camera_keys=keys,
        state=state,
        sights=sights,
        sigma_px=np.full(len(sights.frame), 0.001 * side),
        knowns=knowns,
        offset_m=offset,
        located=located,
    )


def is_whole(block: BundleBlock) -> bool:
    """Whether its tie points hold every frame, and all frames in one piece."""
    return len(found := pieces(block)) == 1 and bool(found[0].all())


def pieces(block: BundleBlock) -> list[BoolArray]:
    """(N,) masks of the frames that hang together, the largest first; frames in none are loose.

    A frame that sees too few tie points floats. So does a part of an unlocated block that shares
    too few of them with the rest: its size beside the rest's is not known. The uncertainty of the
    whole block would float with them. Recorded positions hold a part by themselves.

    Raises ReconstructionError where no three frames hang together.
    """
    held = np.bincount(block.sights.frame, minlength=len(block.frames)) >= MIN_OBSERVATIONS
    part = np.zeros(len(block.frames), int) if block.located else _parts(block)
    masks = [held & (part == number) for number in np.unique(part)]
    found = sorted((m for m in masks if m.sum() >= MIN_FRAMES), key=lambda m: -m.sum())
    if not found:
        raise ReconstructionError(_too_few_points(block.frames))
    return found


def _parts(block: BundleBlock) -> IntArray:
    """(N,) which part of the block a frame belongs to: parts share fewer than MIN_SHARED points."""
    point = np.repeat(np.arange(len(block.state.points)), np.diff(block.sights.start))
    part = np.arange(len(block.frames))
    while True:
        at, shape = (part[block.sights.frame], point), (part.max() + 1, len(block.state.points))
        sees = coo_array((np.ones(len(point)), at), shape=shape).tocsr()
        sees.data[:] = 1  # several frames of a part may see one point
        count, joined = connected_components(sees @ sees.T >= MIN_SHARED)
        if count == part.max() + 1:
            return part
        part = joined[part].astype(int)


def with_frames(block: BundleBlock, kept: BoolArray) -> BundleBlock:
    """The block of the frames in (N,) ``kept``, a mask, their lenses, and points that two see."""
    frames = tuple(frame for frame, is_kept in zip(block.frames, kept, strict=True) if is_kept)
    keys = tuple(key for key in block.camera_keys if any(f.camera_key == key for f in frames))
    lens = [block.camera_keys.index(key) for key in keys]
    state, knowns = block.state, block.knowns
    count = len(state.points)
    point = np.repeat(np.arange(count), np.diff(block.sights.start))
    stays = np.bincount(point[kept[block.sights.frame]], minlength=count) >= 2
    state, sights, which = thinned(state, block.sights, kept[block.sights.frame], stays)
    number = np.cumsum(kept) - 1
    return replace(
        block,
        frames=frames,
        camera_keys=keys,
        state=state._replace(
            rotations=state.rotations[kept],
            positions=state.positions[kept],
            lenses=state.lenses[lens],
            camera_of=np.array([keys.index(f.camera_key) for f in frames], np.int32),
            course=course_of(frames, state.positions[kept]),
        ),
        sights=sights._replace(frame=number[sights.frame].astype(np.int32)),
        sigma_px=block.sigma_px[which],
        knowns=replace(
            knowns,
            positions=knowns.positions[kept],
            position_sigma=knowns.position_sigma[kept],
            lenses=knowns.lenses[lens],
            lens_sigma=knowns.lens_sigma[lens],
            points=knowns.points[stays],
            point_sigma=knowns.point_sigma[stays],
            rotations=knowns.rotations[kept],
            turn_sigma=knowns.turn_sigma[kept],
        ),
    )


def adjust_with_outlier_rejection(
    block: BundleBlock, *, rounds: int = 3
) -> tuple[BundleBlock, Adjusted]:
    """The block adjusted, gross errors taken out, its noise measured from what is left over."""
    found = adjust_bundle(block.state, block.sights, block.sigma_px, block.knowns, iterations=10)
    for _ in range(rounds):
        sigma = noise_px(found.residuals_px)
        squared = (found.residuals_px**2).sum(axis=1)
        near = squared < (GROSS_SIGMAS * sigma) ** 2
        sigma *= _swallowed(int(near.sum()), len(found.state.points), len(block.frames))
        state, sights = _trusted(found.state, block.sights, near)
        block = with_observations(block, state, sights, sigma)
        found = adjust_bundle(state, sights, block.sigma_px, block.knowns, iterations=10)
    return replace(block, state=found.state), found


def with_observations(
    block: BundleBlock, state: State, sights: Observations, sigma_px: float
) -> BundleBlock:
    """The block with other tie points, about which nothing is known apart from the pictures."""
    nothing = np.full_like(state.points, np.nan)
    return replace(
        block,
        state=state,
        sights=sights,
        sigma_px=np.full(len(sights.frame), sigma_px),
        knowns=replace(block.knowns, points=nothing, point_sigma=nothing),
    )


def _too_few_points(frames: Sequence[Frame]) -> str:
    return (
        f"{frames[0].name} and {len(frames) - 1} more: have too few common tie points to be "
        "aligned; add images that overlap by 60 % or more"
    )


def noise_px(residuals: Array) -> float:
    """Standard deviation of a coordinate of (M, 2) residuals in pixels.

    It is taken from the median, so that gross errors do not count.
    """
    return max(nmad(residuals, about=0.0), MIN_SIGMA_PX)


def _swallowed(sights: int, points: int, frames: int) -> float:
    """How many times the noise is larger than what the unknowns leave over of it."""
    spare = 2 * sights - 3 * points - 6 * frames
    return float(np.sqrt(2 * sights / max(spare, 1)))


def _trusted(state: State, sights: Observations, kept: BoolArray) -> tuple[State, Observations]:
    """The kept observations of points in front of their cameras, seen from apart enough.

    Points that two photographs from one place see (a duplicate, say) have no depth to speak of:
    left in, they would pretend to know where the block is.
    """
    state, sights, _ = thinned(state, sights, kept, np.ones(len(state.points), bool))
    point = np.repeat(np.arange(len(state.points)), np.diff(sights.start))
    ahead = np.einsum(
        "mi,mi->m",
        state.rotations[sights.frame, 2],
        state.points[point] - state.positions[sights.frame],
    )
    behind = np.bincount(point[ahead <= 0], minlength=len(state.points)) > 0
    good = (ray_angles_deg(state, sights) > MIN_ANGLE_DEG) & ~behind
    state, sights, _ = thinned(state, sights, np.ones(len(sights.frame), bool), good)
    return state, sights


def _recorded(own: Sequence[Frame]) -> tuple[Array, Array, Array]:
    """The offset, and recorded positions minus it with their sigmas; NaN where there is none."""
    nothing = (np.nan, np.nan, np.nan)
    recorded = np.array([f.prior_position_m or nothing for f in own], float)
    sigma = np.array([f.prior_sigma_m or nothing for f in own], float)
    located = np.isfinite(recorded).all(axis=1)
    offset = np.round(np.median(recorded[located], axis=0)) if located.any() else np.zeros(3)
    return offset, recorded - offset, sigma


def _in_the_world(
    state: State, own: Sequence[Frame], recorded: Array, sigma: Array
) -> tuple[State, bool]:
    known = np.isfinite(recorded).all(axis=1)
    down = plumb_line(state.rotations, own)
    world = None
    if known.sum() >= 3:
        depth = float(np.median((np.median(state.points, axis=0) - state.positions) @ down))
        world = world_from_positions(
            state.positions[known], down, abs(depth), recorded[known], sigma[known]
        )
    located = world is not None
    if world is None:
        world = world_from_pictures(state.rotations, state.positions, state.points, own)
    scale, rotation, shift = world
    moved = state._replace(
        rotations=state.rotations @ rotation.T,
        positions=scale * state.positions @ rotation.T + shift,
        points=scale * state.points @ rotation.T + shift,
    )
    return moved, located


def _knowns(
    own: Sequence[Frame],
    keys: Sequence[str],
    state: State,
    recorded: Array,
    sigma: Array,
    *,
    located: bool,
) -> Priors:
    first = {key: next(f for f in own if f.camera_key == key) for key in keys}
    lenses = np.array([_ideal_lens(f) for f in first.values()], float)
    lens_sigma = np.array([_lens_sigma(f) for f in first.values()])
    nothing = np.full_like(recorded, np.nan)
    return Priors(
        positions=recorded if located else nothing,
        position_sigma=sigma if located else nothing,
        offset_sigma=np.nanmedian(sigma, axis=0) if located else np.ones(3),
        lenses=lenses,
        lens_sigma=lens_sigma,
        points=np.full_like(state.points, np.nan),
        point_sigma=np.full_like(state.points, np.nan),
        rotations=_prior_rotations(own),
        turn_sigma=_prior_turns(own) if located else nothing,
    )


def _prior_rotations(own: Sequence[Frame]) -> Array:
    """(N, 3, 3) what is known of the frames' rotations; NaN where nothing is."""
    nothing = np.full((3, 3), np.nan)
    known = [f.prior_rotation_cam_from_world for f in own]
    return np.stack([nothing if r is None else np.array(r, float) for r in known])


def _prior_turns(own: Sequence[Frame]) -> Array:
    """(N, 3) sigmas of those rotations about the world's axes, in radians."""
    nothing = (np.nan, np.nan, np.nan)
    return np.array([f.prior_turn_sigma_rad or nothing for f in own], float)


def _ideal_lens(frame: Frame) -> list[float]:
    """A lens without distortion behind a global shutter."""
    return [frame.focal_px, frame.width_px / 2, frame.height_px / 2, 0, 0, 0, 0, 0]


def _lens_sigma(frame: Frame) -> list[float]:
    """How far a lens may be from an ideal one: 0.2 % of the side off centre, mild distortion.

    The shutter is held: :mod:`aftermap.sfm.readout_time` decides on it once the block is adjusted.
    """
    off_centre = 0.002 * max(frame.width_px, frame.height_px)
    return [frame.focal_sigma_px, off_centre, off_centre, 0.2, 0.2, 0.005, 0.005, HELD]
