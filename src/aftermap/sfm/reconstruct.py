"""Frames and their matches -> one reconstruction: every group placed, the largest mapped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from aftermap.errors import ReconstructionError
from aftermap.geo.arrays import Array, IntArray
from aftermap.geo.crs import LOCAL
from aftermap.imaging.features import load_features
from aftermap.model.camera import ControlResidual, FrameSet, Reconstruction, Vertical
from aftermap.model.clip import ClipOffsets
from aftermap.model.datum import DatumTransformation
from aftermap.model.media import VerticalDatum
from aftermap.model.outlines import KnownPlace
from aftermap.model.runs import Executor, Workspace
from aftermap.sfm.assemble import Group, reconstruction_of, with_transformation
from aftermap.sfm.block import (
    GROSS_SIGMAS,
    BundleBlock,
    adjust_with_outlier_rejection,
    block_of,
    is_whole,
    pieces,
    with_frames,
    with_observations,
)
from aftermap.sfm.bundle import Adjusted, block_covariance
from aftermap.sfm.feature_files import extract_features
from aftermap.sfm.focal import focal_prior_weight, with_focal_weight
from aftermap.sfm.gcp import (
    Controlled,
    Survey,
    adjust_with_control,
    control_residuals,
    level_warnings,
    survey_of,
)
from aftermap.sfm.gcp_file import ControlFile
from aftermap.sfm.initial_reconstruction import MIN_FRAMES, skeletons_of
from aftermap.sfm.known_places import laid_on_places
from aftermap.sfm.leave_one_out import (
    left_out_residuals,
    straight_warnings,
    unheld_warning,
    untested_warnings,
)
from aftermap.sfm.levelling import contradicted_vertical
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.pair_matches import PairMatches, matches_of
from aftermap.sfm.position_scatter import as_scattered
from aftermap.sfm.projection_kernel import Observations, State, residuals_px
from aftermap.sfm.propagated import ground_sigma_m
from aftermap.sfm.pure_rotation import only_turns, only_zooms
from aftermap.sfm.readout_time import adjust_with_shutters
from aftermap.sfm.telemetry_offsets import without_offsets
from aftermap.sfm.tie_points import aligned_tie_points, evenly_chosen
from aftermap.sfm.tracks import tracks_of
from aftermap.sfm.triangulate import thinned, triangulate_points
from aftermap.sfm.upright import upright_group
from aftermap.sfm.vertical import vertical_warnings

Item = TypeVar("Item")
Result = TypeVar("Result")

FIRST_SIGMA_PX = 0.3
"""Guess of the noise of aligned points, before it is measured."""
POINTS_FILE = "points.npz"
OFFSET_ROUNDS = 2
LEVELLED = (VerticalDatum.ELLIPSOID, VerticalDatum.GEOID, VerticalDatum.BAROMETRIC)
"""Heights that can be set beside those of a survey, if only roughly."""


def reconstruct(
    frame_set: FrameSet,
    options: PoseOptions,
    files: Workspace,
    executor: Executor,
    control: ControlFile | None = None,
) -> Reconstruction:
    """Every photograph that can be placed, in one world frame.

    Features are kept in ``files`` by SHA-256 and reused; the tie points are written there.
    """
    features = extract_features(frame_set, options, files, executor)
    return reconstruct_from_features(frame_set, features, options, files, executor, control)


def reconstruct_from_features(
    frame_set: FrameSet,
    features: Mapping[str, Path],
    options: PoseOptions,
    files: Workspace,
    executor: Executor,
    control: ControlFile | None = None,
    places: Sequence[KnownPlace] = (),
) -> Reconstruction:
    """The reconstruction from features that are there already.

    Known ``places`` georeference it where nothing else does. Raises ReconstructionError where there
    are too few photographs or no three of them overlap.
    """
    _check_count(frame_set)
    crs = None if frame_set.crs == LOCAL else frame_set.crs
    survey = survey_of(control, frame_set.frames, crs) if control else None
    pairs = matches_of(frame_set, features, options, executor)
    groups = _sorted_groups(_blocks(frame_set, features, pairs, options), options, executor)
    marks: tuple[ControlResidual, ...] = ()
    warnings: list[str] = []
    if survey is not None:
        crs = survey.crs
        groups[0], marks, warnings = _hold_by_control(groups[0], survey, frame_set)
    turned = [_turned_up(group, executor) for group in groups]
    found = reconstruction_of(
        frame_set,
        crs or LOCAL,
        [group for group, _ in turned],
        pairs,
        files.path(POINTS_FILE),
        marks,
        warnings,
    )
    vertical = turned[0][1]
    said = () if vertical is None else vertical_warnings(vertical)
    transformation = frame_set.transformation
    if survey is not None and groups[0].controlled:
        transformation = survey.transformation
        sigma_m = ground_sigma_m(groups[0].block, groups[0].covariance)
        found = replace(found, control_sigma_m=sigma_m)
    found = replace(found, vertical=vertical, warnings=(*found.warnings, *said))
    return _georeferenced(found, places, transformation)


def _sorted_groups(
    blocks: Sequence[BundleBlock], options: PoseOptions, executor: Executor
) -> list[Group]:
    """The groups of all blocks whose camera moved, adjusted, the largest first."""
    groups = _those_that_hold(lambda b: _groups(b, options, executor), _moving(blocks))
    return sorted(groups, key=lambda group: -len(group.block.frames))


def _georeferenced(
    found: Reconstruction,
    places: Sequence[KnownPlace],
    transformation: DatumTransformation | None,
) -> Reconstruction:
    """The reconstruction with the error of its datum; laid onto known places where it has none."""
    if places and found.crs == LOCAL:
        return laid_on_places(found, places, None)
    return with_transformation(found, transformation)


def _check_count(frame_set: FrameSet) -> None:
    if len(frame_set.frames) >= MIN_FRAMES:
        return
    names = " and ".join(frame.name for frame in frame_set.frames) or "no usable image"
    raise ReconstructionError(
        f"{names}: a map needs at least {MIN_FRAMES} images; give the whole flight, with 60 % "
        "overlap or more"
    )


def _blocks(
    frame_set: FrameSet,
    features: Mapping[str, Path],
    pairs: Sequence[PairMatches],
    options: PoseOptions,
) -> list[BundleBlock]:
    """The connected groups of photographs, each placed roughly in a frame of its own."""
    frames = frame_set.frames
    keypoints = [load_features(features[f.sha256]).xy_px.astype(np.float64) for f in frames]
    tracks = tracks_of(pairs, [len(k) for k in keypoints])
    skeletons = skeletons_of(frames, keypoints, tracks, options)
    if not skeletons:
        raise ReconstructionError(
            f"{len(frames)} images: no three of them overlap; give images of one area that "
            "overlap by 60 % or more"
        )
    return _those_that_hold(lambda s: [block_of(s, frames, keypoints, tracks)], skeletons)


def _turned_up(group: Group, executor: Executor) -> tuple[Group, Vertical | None]:
    """The group, turned upright where no position holds it, and what is told of its vertical."""
    if not group.block.located:
        return upright_group(group, executor)
    if group.controlled:
        return group, None
    return group, contradicted_vertical(group.block.frames, group.block.state)


def _those_that_hold(
    work: Callable[[Item], Sequence[Result]], items: Sequence[Item]
) -> list[Result]:
    """What comes of every item that holds together; if none does, the first one's error."""
    made: list[Result] = []
    errors: list[ReconstructionError] = []
    for item in items:
        try:
            made += work(item)
        except ReconstructionError as error:
            errors.append(error)
    if not made:
        raise errors[0]
    return made


def _moving(blocks: Sequence[BundleBlock]) -> list[BundleBlock]:
    """The groups whose camera moved; a turn or zoom would be explained by a made-up flight."""
    moving = [b for b in blocks if b.located or not _stands(b)]
    if not moving:
        frames = blocks[0].frames
        raise ReconstructionError(
            f"{frames[0].name} and {len(frames) - 1} more: the camera only rotated or zoomed, "
            "which gives no depth; add footage of the same area with a moving camera, or "
            "telemetry"
        )
    return moving


def _stands(block: BundleBlock) -> bool:
    """Whether the camera of a group never left its place."""
    return only_turns(block.frames, block.sights) or only_zooms(block.frames, block.sights)


def _groups(first: BundleBlock, options: PoseOptions, executor: Executor) -> list[Group]:
    """A block adjusted on its features, its tie points aligned, and adjusted on those.

    It is several groups where it falls into pieces meanwhile; each is then adjusted by itself.
    """

    def of_pieces(broken: BundleBlock) -> list[Group]:
        return _those_that_hold(
            lambda part: _groups(with_frames(first, part), options, executor), pieces(broken)
        )

    if not is_whole(first):
        return of_pieces(first)
    factor = focal_prior_weight(first)
    rough, _ = adjust_with_outlier_rejection(with_focal_weight(first, factor))
    if not is_whole(rough):
        return of_pieces(rough)
    rough, offsets = _freed_of_offsets(rough)
    chosen = evenly_chosen(rough, options.tie_points_per_frame)
    state, sights = aligned_tie_points(rough, chosen, executor)
    whole = with_observations(rough, state, sights, FIRST_SIGMA_PX)
    block, estimate = adjust_with_outlier_rejection(whole)
    if not is_whole(block):
        return of_pieces(block)
    block, estimate, shutters = adjust_with_shutters(whole, block, estimate, factor)
    group = Group(
        block=block,
        estimate=estimate,
        covariance=_covariance(block, estimate),
        factor=factor,
        others=_others(rough, chosen, block),
        offsets=offsets,
        shutters=shutters,
    )
    return [group]


def _covariance(block: BundleBlock, estimate: Adjusted) -> Array:
    """That of frames, lenses and the shared offset, by what the recorded positions really scatter.

    Where no positions fix the frame there is nothing to scatter.
    """
    knowns = block.knowns
    if block.located:
        knowns = as_scattered(knowns, estimate, block.frames)
    return block_covariance(estimate, block.sights, block.sigma_px, knowns)


def _freed_of_offsets(rough: BundleBlock) -> tuple[BundleBlock, tuple[ClipOffsets, ...]]:
    """The block adjusted without the constants in the telemetry of its clips, and these.

    The first estimate is made from poses that still lean towards the wrong record, so it is made
    again from the better ones.
    """
    offsets: tuple[ClipOffsets, ...] = ()
    recorded = rough.knowns.positions
    for _ in range(OFFSET_ROUNDS if rough.located else 0):
        whole = replace(rough, knowns=replace(rough.knowns, positions=recorded))
        freed, offsets = without_offsets(whole)
        if not offsets:
            break
        rough, _ = adjust_with_outlier_rejection(freed, rounds=1)
    return rough, offsets


def _others(rough: BundleBlock, chosen: IntArray, block: BundleBlock) -> tuple[State, Observations]:
    """The features that were not aligned, in the final poses: they describe the ground too."""
    left = np.ones(len(rough.state.points), bool)
    left[chosen] = False
    state = block.state._replace(points=rough.state.points)
    everywhere = np.ones(len(rough.sights.frame), bool)
    state, sights, _ = thinned(state, rough.sights, everywhere, left)
    return _fitting(state, sights, GROSS_SIGMAS * float(rough.sigma_px[0]))


def _fitting(state: State, sights: Observations, most_px: float) -> tuple[State, Observations]:
    """Points triangulated, without observations that lie farther off than ``most_px``."""
    state = state._replace(points=triangulate_points(state, sights))
    off = np.empty_like(sights.xy_px)
    residuals_px(state, sights, off)
    near = (off**2).sum(axis=1) < most_px**2
    state, sights, _ = thinned(state, sights, near, np.ones(len(state.points), bool))
    return state, sights


def _hold_by_control(
    group: Group, survey: Survey, frame_set: FrameSet
) -> tuple[Group, tuple[ControlResidual, ...], list[str]]:
    """The mapped group held by its control marks, what they say, and what to warn of."""
    index = {f.sha256: i for i, f in enumerate(frame_set.frames)}
    numbers = {index[f.sha256]: n for n, f in enumerate(group.block.frames)}
    names = [f.name for f in frame_set.frames]
    warnings = list(survey.warnings)
    found = adjust_with_control(group.block, survey, numbers)
    if found is None:
        warnings.append(unheld_warning(survey))
        if not group.block.located:
            return group, (), warnings
        return group, control_residuals(group.block, survey, numbers, names), warnings
    block, estimate = found.block, found.estimate
    if group.block.located and frame_set.vertical_datum in LEVELLED:
        warnings += level_warnings(survey, group.block, block)
    held = replace(
        group,
        block=block,
        estimate=estimate,
        covariance=_covariance(block, estimate),
        factor=1.0,
        others=_fitting(
            block.state._replace(points=group.others[0].points),
            group.others[1],
            GROSS_SIGMAS * float(np.max(block.sigma_px)),
        ),
        controlled=True,
    )
    marks, told = _tested(found, survey, numbers, names, located=group.block.located)
    return held, marks, [*warnings, *found.warnings, *told]


def _tested(
    found: Controlled,
    survey: Survey,
    numbers: dict[int, int],
    names: Sequence[str],
    *,
    located: bool,
) -> tuple[tuple[ControlResidual, ...], list[str]]:
    """The marks with their residuals, left out in turn where no check point tests the map."""
    warnings = straight_warnings(survey, found.used, located=located)
    marks = control_residuals(found.block, survey, numbers, names)
    if not any(mark.role == "check" and mark.residual_m for mark in marks):
        left_out_m = left_out_residuals(found.block, survey, found.used, numbers, located=located)
        marks = control_residuals(found.block, survey, numbers, names, left_out_m)
        warnings += untested_warnings(survey, found.used, left_out_m)
    used = zip(marks, found.used.tolist(), strict=True)
    return tuple(replace(mark, is_used=is_used) for mark, is_used in used), warnings
