"""Adjusted groups -> the reconstruction as the rest of the program knows it, and its points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array, IntArray
from aftermap.geo.crs import LOCAL
from aftermap.geo.tuples import matrix3, matrix6, row6, vector3
from aftermap.model.camera import (
    Camera,
    CameraPose,
    ControlResidual,
    Frame,
    FrameSet,
    Matrix6,
    PlacedFrame,
    ReadoutSource,
    Reconstruction,
    Row6,
)
from aftermap.model.clip import ClipOffsets
from aftermap.model.datum import DatumTransformation
from aftermap.model.media import VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.bundle import Adjusted
from aftermap.sfm.focal import focal_report
from aftermap.sfm.pair_matches import PairMatches
from aftermap.sfm.position_scatter import within_the_case
from aftermap.sfm.projection_kernel import (
    INSTANT_S,
    LENS,
    POSE,
    READOUT,
    Observations,
    State,
    velocities_of,
)
from aftermap.sfm.readout_time import NOT_ASKED, Shutter
from aftermap.sfm.triangulate import opencv_params

UNMATCHED = "could not be matched to any other image"
ADRIFT = (
    "belongs to a group of {} images that do not overlap the mapped images and have no "
    "recorded positions, so its position on the map is not known"
)
ELSEWHERE = (
    "belongs to a group of {} images that do not overlap the mapped images, which have "
    "no recorded positions"
)
UNPLACED = "matches other images, but not well enough to estimate its position"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of frames, adjusted.

    ``covariance`` is as :func:`covariance_of` gives it; ``factor`` the trust factor of the focal
    length; ``others`` the points that were not aligned; ``controlled`` says that marks hold it;
    ``offsets`` how far the telemetry of its clips is from their pictures; ``shutters`` what became
    of each camera's.
    """

    block: BundleBlock
    estimate: Adjusted
    covariance: Array
    factor: float
    others: tuple[State, Observations]
    controlled: bool = False
    offsets: tuple[ClipOffsets, ...] = ()
    shutters: tuple[Shutter, ...] = ()


def reconstruction_of(
    frame_set: FrameSet,
    crs: str,
    groups: Sequence[Group],
    pairs: Sequence[PairMatches],
    points: Path,
    control: tuple[ControlResidual, ...],
    warnings: Sequence[str],
) -> Reconstruction:
    """Everything that was placed, the largest group first, and all that was not, with reasons.

    ``crs`` is that of the located groups. A group whose place is known in another way than the
    largest one's (by positions, not at all) has no place in the same frame and is left out.
    """
    located = groups[0].block.located
    adrift = [g for g in groups if g.block.located != located]
    kept = [g for g in groups if g.block.located == located]
    placed: list[PlacedFrame] = []
    cameras: list[Camera] = []
    told = list(warnings)
    for number, group in enumerate(kept):
        placed += _placed_frames(group, number, len(cameras))
        own, said = _cameras(group)
        cameras += own
        told += said
    _write_points(points, kept)
    datum = VerticalDatum.CONTROL if groups[0].controlled else frame_set.vertical_datum
    return Reconstruction(
        crs=crs if located else LOCAL,
        vertical_datum=datum if located else VerticalDatum.LOCAL,
        cameras=tuple(cameras),
        placed=tuple(placed),
        skipped=(*frame_set.skipped, *_left_out(frame_set.frames, placed, adrift, pairs)),
        points=str(points),
        mapped_group=0,
        group_sizes=tuple(len(g.block.frames) for g in groups),
        reprojection_px=_reprojection_px(kept),
        control=control,
        warnings=tuple(told),
        offsets=tuple(one for group in kept for one in group.offsets),
    )


def with_transformation(
    found: Reconstruction, transformation: DatumTransformation | None
) -> Reconstruction:
    """The reconstruction, its poses as sure on the globe as the datum transformation lets them be.

    Its error is one and the same for all of them, so it is not in their covariance in the case.
    """
    if transformation is None or found.crs == LOCAL:
        return found
    shared = np.zeros((POSE, POSE))
    shared[0, 0] = shared[1, 1] = transformation.wide_sigma_m**2
    placed = tuple(_less_sure(one, shared) for one in found.placed)
    return replace(found, placed=placed, transformation=transformation)


def _less_sure(one: PlacedFrame, shared: Array) -> PlacedFrame:
    position = np.array(one.pose.covariance_m2) + shared[:3, :3]
    whole = None if one.covariance is None else matrix6(np.array(one.covariance) + shared)
    return replace(one, pose=replace(one.pose, covariance_m2=matrix3(position)), covariance=whole)


def _reprojection_px(groups: Sequence[Group]) -> float:
    """Root mean square distance of a point from where it is seen."""
    squared = np.concatenate([(g.estimate.residuals_px**2).sum(axis=1) for g in groups])
    return float(np.sqrt(squared.mean()))


def _placed_frames(group: Group, number: int, first_camera: int) -> list[PlacedFrame]:
    block, state = group.block, group.block.state
    heights, seen_by = _heights_seen(group)
    squared = (group.estimate.residuals_px**2).sum(axis=1)
    within = within_the_case(group.covariance, state.positions, state.rotations)
    velocities = velocities_of(state)
    found = []
    for i, frame in enumerate(block.frames):
        own, camera = block.sights.frame == i, int(state.camera_of[i])
        low, high = np.percentile(heights[seen_by == i], [2, 98])
        at, whole = slice(POSE * i + 3, POSE * i + 6), slice(POSE * i, POSE * (i + 1))
        found.append(
            PlacedFrame(
                frame=frame,
                camera=first_camera + camera,
                pose=CameraPose(
                    rotation_cam_from_world=matrix3(state.rotations[i]),
                    position_m=vector3(state.positions[i] + block.offset_m),
                    covariance_m2=matrix3(group.covariance[at, at]),
                ),
                reprojection_px=float(np.sqrt(squared[own].mean())),
                tie_points=int(own.sum()),
                group=number,
                ground_m=(float(low), float(high)),
                covariance=_about_the_world(group.covariance[whole, whole], state.rotations[i]),
                covariance_in_case=_about_the_world(within[i], state.rotations[i]),
                velocity=_velocity(velocities[i]) if _readout_s(state, camera) else None,
            )
        )
    return found


def _about_the_world(covariance: Array, rotation: Array) -> Matrix6:
    """Covariance of position and turn about world axes (the adjustment turns cameras, first)."""
    order = np.zeros((POSE, POSE))
    order[:3, 3:] = np.eye(3)
    order[3:, :3] = -rotation.T
    return matrix6(order @ covariance @ order.T)


def _readout_s(state: State, camera: int) -> float:
    """That of a camera; 0 of a shutter that is held to be a global one."""
    readout_s = float(state.lenses[camera, READOUT])
    return readout_s if abs(readout_s) > INSTANT_S else 0.0


def _velocity(velocity: Array) -> Row6:
    """Motion in the world, then turn about the camera's axes (the adjustment has them reversed)."""
    return row6([*velocity[3:], *velocity[:3]])


def _heights_seen(group: Group) -> tuple[Array, IntArray]:
    """Height of the point behind every observation, aligned or not, and the frame it is in."""
    heights, frame = [], []
    for state, sights in ((group.block.state, group.block.sights), group.others):
        heights.append(np.repeat(state.points[:, 2], np.diff(sights.start)))
        frame.append(sights.frame)
    return np.concatenate(heights) + group.block.offset_m[2], np.concatenate(frame)


def _cameras(group: Group) -> tuple[list[Camera], list[str]]:
    """The lenses of a group, and what a user should be warned of."""
    block, state = group.block, group.block.state
    cameras, warnings = [], []
    for k, key in enumerate(block.camera_keys):
        frame = next(f for f in block.frames if f.camera_key == key)
        at = POSE * len(block.frames) + LENS * k
        focal = focal_report(block, k, float(group.covariance[at, at]), group.factor)
        warnings += [focal.warning] if focal.warning else []
        shutter = group.shutters[k] if group.shutters else NOT_ASKED
        readout_at = at + READOUT
        formal_s = float(np.sqrt(group.covariance[readout_at, readout_at]))
        readout_s = _readout_s(state, k)
        sigma_s = shutter.sigma_s(readout_s, formal_s) if readout_s else 0.0
        cameras.append(
            Camera(
                model="OPENCV",
                width_px=frame.width_px,
                height_px=frame.height_px,
                params=opencv_params(state.lenses[k]),
                focal_prior_px=frame.focal_px,
                focal_prior_source=frame.focal_source,
                focal_sigma_px=focal.sigma_px,
                focal_decision=focal.decision,
                focal_if_freed_px=focal.freed_px,
                focal_if_freed_sigma_px=focal.freed_sigma_px,
                readout_s=readout_s,
                readout_sigma_s=None if shutter.source is ReadoutSource.NONE else sigma_s,
                readout_source=shutter.source,
                readout_decision=shutter.decision,
            )
        )
    return cameras, warnings


def _left_out(
    frames: Sequence[Frame],
    found: Sequence[PlacedFrame],
    adrift: Sequence[Group],
    pairs: Sequence[PairMatches],
) -> list[Skipped]:
    there = {p.frame.sha256 for p in found}
    matched = {i for p in pairs for i in (p.first, p.second)}
    apart = {
        f.sha256: (ELSEWHERE if g.block.located else ADRIFT).format(len(g.block.frames))
        for g in adrift
        for f in g.block.frames
    }
    return [
        Skipped(
            name=f.name,
            reason=apart.get(f.sha256, UNPLACED if i in matched else UNMATCHED),
            sha256=f.sha256,
        )
        for i, f in enumerate(frames)
        if f.sha256 not in there
    ]


def _write_points(path: Path, groups: Sequence[Group]) -> None:
    xyz, frame_index, point_index = [], [], []
    frames = points = 0
    for group in groups:
        for state, sights in ((group.block.state, group.block.sights), group.others):
            xyz.append(state.points + group.block.offset_m)
            frame_index.append(sights.frame + frames)
            own = np.repeat(np.arange(len(state.points)), np.diff(sights.start))
            point_index.append(points + own)
            points += len(state.points)
        frames += len(group.block.frames)
    with path.open("wb") as file:
        np.savez(
            file,
            xyz_m=np.concatenate(xyz),
            frame_index=np.concatenate(frame_index).astype(np.int32),
            point_index=np.concatenate(point_index).astype(np.int32),
        )
