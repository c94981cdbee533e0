"""Ground control in the adjustment: the block laid onto the marks and held by them.

Marks are triangulated from their pixels, the block is moved onto the surveyed places by a
similarity, and then adjusted again with the control marks as points of known position. Check
marks take no part; both kinds are measured afterwards by triangulating with the final cameras.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aftermap.errors import ControlError
from aftermap.geo.arrays import Array, BoolArray
from aftermap.geo.crs import fitting_crs, known_crs, projected_crs, utm_crs
from aftermap.geo.crs_operation import CrsOperation, lonlat_of, operation_at
from aftermap.geo.tuples import vector3
from aftermap.model.camera import ControlResidual, Frame
from aftermap.model.datum import DatumTransformation
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.bundle import Adjusted, adjust_bundle
from aftermap.sfm.focal import with_focal_weight
from aftermap.sfm.gcp_file import ControlFile, GroundControlPoint, marks_of, roles_of
from aftermap.sfm.georeference import similarity
from aftermap.sfm.projection_kernel import Observations, State, residuals_px
from aftermap.sfm.triangulate import ray_angles_deg, triangulate_points

SURVEY_SIGMA_M = (0.02, 0.02, 0.03)
"""How well a mark is surveyed, east, north, up: an RTK receiver on a painted mark."""
CLICK_SIGMA_PX = 0.7
"""How well a person points at a mark."""
FAR_M = 5000.0
MIN_CONTROL = 3
POSITION_OFFSET_SIGMA_M = 1000.0
"""Recorded positions may be off by any amount once control fixes the frame."""
BLUNDER_M = 0.5
BLUNDER_TIMES = 10.0
MISFIT_SHARE = 0.05
"""Marks that miss by more than this share of their own extent belong to other photographs, or
their coordinates are mixed up: no lens bends a block so far."""
BENT_SHARE, BENT_SIGMAS = 0.2, 4.0
"""Recorded positions get the size and the tilt of a block wrong by their noise, and no more than
this share of its extent."""
STRAIGHT = 0.02
"""Marks whose width is under this share of their length only shift a block."""
LEVEL_M = 300.0
"""A barometer and a geoid together do not shift heights by more."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The marks of a control file in the CRS of the map: (N, 3) absolute metres."""

    file: Path
    crs: str
    marks: tuple[GroundControlPoint, ...]
    roles: tuple[str, ...]
    positions_m: Array
    warnings: tuple[str, ...]
    transformation: DatumTransformation | None = None


def survey_of(control: ControlFile, frames: Sequence[Frame], crs: str | None) -> Survey:
    """The marks in the map's CRS, or, where there is none yet, in a projected one of their own."""
    marks, warnings = marks_of(
        control, [f.name for f in frames], [(f.width_px, f.height_px) for f in frames]
    )
    xyz = np.array([mark.position for mark in marks], float)
    into_crs, crs = _into_crs(control, xyz, frames, crs)
    placed = np.column_stack([into_crs.moved_xy(xyz[:, :2]), xyz[:, 2]])
    _check_near(control, marks, placed, frames)
    warnings += _datum_warnings(control, into_crs.transformation)
    single = [mark.name for mark in marks if len(mark.seen) < 2]
    if single:
        warnings.append(
            f"{control.path.name}: {_few(single)} not used: a point must be marked in two images "
            "to be measured."
        )
    return Survey(
        file=control.path,
        crs=crs,
        marks=tuple(marks),
        roles=tuple(_roles(marks)),
        positions_m=placed,
        warnings=tuple(warnings),
        transformation=into_crs.transformation,
    )


def _roles(marks: Sequence[GroundControlPoint]) -> list[str]:
    """Roles are shared out among the marks that can be measured."""
    usable = [i for i, mark in enumerate(marks) if len(mark.seen) >= 2]
    roles = [mark.role or "control" for mark in marks]
    for i, role in zip(usable, roles_of([marks[i] for i in usable]), strict=True):
        roles[i] = role
    return roles


def _datum_warnings(control: ControlFile, transformation: DatumTransformation | None) -> list[str]:
    """The datum transformation of the marks, and how to do without it."""
    if transformation is None:
        return []
    keeping = ""
    if known_crs(control.crs).is_projected:
        keeping = f" With --crs {transformation.from_crs} the points keep their own accuracy."
    return [f"{transformation}.{keeping}"]


def _into_crs(
    control: ControlFile, xyz: Array, frames: Sequence[Frame], map_crs: str | None
) -> tuple[CrsOperation, str]:
    """How the marks come into the CRS of the map, and that CRS: their own where it has none yet.

    The place is that of the images where they record one, so that marks in a wrong zone show.
    """
    own = lonlat_of(control.crs, xyz[:, :2])
    recorded = np.array([f.prior_position_m for f in frames if f.prior_position_m], float)
    place, crs = own, map_crs
    if crs is None:
        geographic = np.abs(xyz[:, 0]).max() <= 360 and np.abs(xyz[:, 1]).max() <= 90
        crs = utm_crs(*own)
        if not geographic:
            crs = fitting_crs(projected_crs(control.crs), *own, control.confirmed)
    elif len(recorded):
        place = lonlat_of(crs, recorded[:, :2])
    what = f"{control.path.name}, ground control points"
    return operation_at(what, control.crs, crs, place, control.confirmed), crs


def _check_near(
    control: ControlFile,
    marks: Sequence[GroundControlPoint],
    placed: Array,
    frames: Sequence[Frame],
) -> None:
    recorded = np.array([f.prior_position_m for f in frames if f.prior_position_m], float)
    if not len(recorded):
        return
    away = np.linalg.norm(placed[:, :2] - np.median(recorded[:, :2], axis=0), axis=1)
    far = int(np.argmax(away))
    if away[far] > FAR_M:
        raise ControlError(
            f"{control.path}, line {marks[far].line}: point {marks[far].name} is "
            f"{away[far] / 1000:.0f} km from the images; check the CRS and the hemisphere on the "
            "first line, and the order E N H"
        )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{shown}{more} {'was' if len(names) == 1 else 'were'}"


@dataclass(frozen=True, kw_only=True)
class Controlled:
    """A block held by control: ``used`` (N,) says which marks of the survey held it.

    The used marks are the last points of the block.
    """

    block: BundleBlock
    estimate: Adjusted
    used: BoolArray
    warnings: tuple[str, ...]


def adjust_with_control(
    block: BundleBlock, survey: Survey, numbers: dict[int, int]
) -> Controlled | None:
    """The block adjusted with the control marks; None where fewer than three can hold it.

    ``numbers`` gives a frame's number in the block by its index in the frame set.
    """
    places, measured = triangulated_marks(block, survey, numbers)
    control = measured & (np.array(survey.roles) == "control")
    if control.sum() < MIN_CONTROL:
        return None
    offset = block.offset_m if block.located else np.round(survey.positions_m.mean(axis=0))
    target = survey.positions_m - offset
    moved = _lay_on_control(block, places[control], target[control])
    if moved is None:
        return None
    bent_m = _bent_m(block, moved) if block.located else 0.0
    block = replace(moved, offset_m=offset, located=True)
    places, _ = triangulated_marks(block, survey, numbers)
    miss = np.linalg.norm(places - target, axis=1)
    _check_fit(survey, target[control], miss[control], bent_m)
    blunder = control & (miss > max(BLUNDER_M, BLUNDER_TIMES * float(np.median(miss[control]))))
    used = control & ~blunder
    warnings = [
        (
            f"Point {survey.marks[i].name} disagrees with the others by {miss[i]:.1f} m and is "
            "not used to georeference the map: check its coordinates and pixels."
        )
        for i in np.flatnonzero(blunder)
    ]
    block = _with_marks(with_focal_weight(block, 1.0), survey, target, used, numbers)
    estimate = adjust_bundle(
        block.state, block.sights, block.sigma_px, block.knowns, iterations=30, tolerance=1e-7
    )
    return Controlled(
        block=replace(block, state=estimate.state),
        estimate=estimate,
        used=used,
        warnings=tuple(warnings),
    )


def _bent_m(block: BundleBlock, moved: BundleBlock) -> float:
    """How much farther the marks move cameras against each other than recorded positions allow."""
    shift = moved.state.positions - block.state.positions
    change = np.linalg.norm(shift - np.median(shift, axis=0), axis=1).max()
    away = block.state.positions - block.state.positions.mean(axis=0)
    allowed = BENT_SHARE * np.linalg.norm(away, axis=1).max()
    allowed += BENT_SIGMAS * float(np.nanmedian(block.knowns.position_sigma[:, :2]))
    return float(change) if change > allowed else 0.0


def _check_fit(survey: Survey, target: Array, miss: Array, bent_m: float) -> None:
    """Refuse marks that the photographs contradict, before they bend the block."""
    extent = float(np.linalg.norm(target - target.mean(axis=0), axis=1).max())
    typical = float(np.median(miss))
    if typical > max(BLUNDER_M, MISFIT_SHARE * extent):
        found = f"after the best fit, residuals are {typical:.1f} m"
    elif bent_m > 0:
        found = f"the recorded positions would have relative errors of {bent_m:.0f} m"
    else:
        return
    raise ControlError(
        f"{survey.file}: the points do not fit the images: {found}; check the coordinates, "
        "pixels and image names on every line"
    )


def level_warnings(survey: Survey, before: BundleBlock, after: BundleBlock) -> list[str]:
    """Heights in feet, or of another place, shift the level of a block and nothing else."""
    rise_m = float(np.median(after.state.positions[:, 2] - before.state.positions[:, 2]))
    if abs(rise_m) <= LEVEL_M:
        return []
    way = "higher" if rise_m > 0 else "lower"
    return [
        (
            f"{survey.file.name}: its heights put the drone {abs(rise_m):.0f} m {way} than the "
            "images record. Check that they are in metres and in the third column."
        )
    ]


def control_residuals(
    block: BundleBlock,
    survey: Survey,
    numbers: dict[int, int],
    names: Sequence[str],
    left_out_m: Array | None = None,
) -> tuple[ControlResidual, ...]:
    """Every mark as the final cameras see it, minus as it was surveyed.

    ``left_out_m`` (N, 3) is the same for the map without the mark, NaN where that was not done.
    """
    alone = np.full(survey.positions_m.shape, np.nan) if left_out_m is None else left_out_m
    places, measured = triangulated_marks(block, survey, numbers)
    error_px = _reprojection(block, survey, numbers, places)
    off = places + block.offset_m - survey.positions_m
    return tuple(
        ControlResidual(
            name=mark.name,
            role=survey.roles[i],
            position_m=vector3(survey.positions_m[i]),
            residual_m=vector3(off[i]) if measured[i] else None,
            reprojection_px=float(error_px[i]) if measured[i] else None,
            images=tuple(names[k] for k in mark.seen if k in numbers),
            left_out_m=vector3(alone[i]) if np.isfinite(alone[i]).all() else None,
        )
        for i, mark in enumerate(survey.marks)
    )


def _sights(survey: Survey, numbers: dict[int, int]) -> Observations:
    """Where the marks are seen in the block, in the order of the marks."""
    frame, pixels, start = [], [], [0]
    for mark in survey.marks:
        own = {numbers[k]: xy for k, xy in mark.seen.items() if k in numbers}
        frame += list(own)
        pixels += list(own.values())
        start.append(len(frame))
    return Observations(
        np.array(frame, np.int32),
        np.array(start, np.int32),
        np.array(pixels, np.float64).reshape(-1, 2),
    )


def triangulated_marks(
    block: BundleBlock, survey: Survey, numbers: dict[int, int]
) -> tuple[Array, BoolArray]:
    """(N, 3) places of the marks in the block's frame, and which of them two views determine."""
    sights = _sights(survey, numbers)
    angle = ray_angles_deg(block.state, sights)
    return triangulate_points(block.state, sights), (np.diff(sights.start) >= 2) & (angle > 1.0)


def _reprojection(
    block: BundleBlock, survey: Survey, numbers: dict[int, int], places: Array
) -> Array:
    sights = _sights(survey, numbers)
    off = np.zeros_like(sights.xy_px)
    residuals_px(block.state._replace(points=places), sights, off)
    mark = np.repeat(np.arange(len(places)), np.diff(sights.start))
    total = np.bincount(mark, (off**2).sum(axis=1), minlength=len(places))
    return np.asarray(np.sqrt(total / np.maximum(np.diff(sights.start), 1)))


def straightness(positions_m: Array) -> float:
    """Width of (N, 3) marks as a share of their length: 0 where they lie on a line."""
    spread = np.linalg.svd(positions_m - positions_m.mean(axis=0), compute_uv=False)
    return float(spread[1] / max(float(spread[0]), 1e-9))


def _lay_on_control(block: BundleBlock, places: Array, target: Array) -> BundleBlock | None:
    """The block moved onto the control. Marks in one line only shift a block that GPS levels."""
    found: tuple[float, Array, Array] = 1.0, np.eye(3), (target - places).mean(axis=0)
    if straightness(target) < STRAIGHT:
        if not block.located:
            return None
    else:
        weight = np.ones(len(places))
        for _ in range(10):
            found = similarity(places, target, weight)
            scale, rotation, shift = found
            miss = np.linalg.norm(scale * places @ rotation.T + shift - target, axis=1)
            weight = 1 / (1 + (miss / (3 * np.median(miss) + 1e-3)) ** 2) ** 2
    return replace(block, state=_moved(block.state, *found))


def _moved(state: State, scale: float, rotation: Array, shift: Array) -> State:
    return state._replace(
        rotations=state.rotations @ rotation.T,
        positions=scale * state.positions @ rotation.T + shift,
        points=scale * state.points @ rotation.T + shift,
    )


def _with_marks(
    block: BundleBlock,
    survey: Survey,
    target: Array,
    used: BoolArray,
    numbers: dict[int, int],
) -> BundleBlock:
    """The block with the used marks as its last points, known by survey."""
    kept = replace(
        survey,
        marks=tuple(m for m, u in zip(survey.marks, used, strict=True) if u),
    )
    sights = _sights(kept, numbers)
    state, known = block.state, block.knowns
    count = len(kept.marks)
    recorded = known.positions - np.nan_to_num(
        np.nanmedian(known.positions - state.positions, axis=0)
        if np.isfinite(known.positions).any()
        else np.zeros(3)
    )
    return replace(
        block,
        state=state._replace(points=np.concatenate([state.points, target[used]])),
        sights=Observations(
            np.concatenate([block.sights.frame, sights.frame]),
            np.concatenate([block.sights.start, block.sights.start[-1] + sights.start[1:]]),
            np.concatenate([block.sights.xy_px, sights.xy_px]),
        ),
        sigma_px=np.concatenate([block.sigma_px, np.full(len(sights.frame), CLICK_SIGMA_PX)]),
        knowns=replace(
            known,
            positions=recorded,
            offset_sigma=np.full(3, POSITION_OFFSET_SIGMA_M),
            points=np.concatenate([known.points, target[used]]),
            point_sigma=np.concatenate([known.point_sigma, np.tile(SURVEY_SIGMA_M, (count, 1))]),
        ),
    )
