"""Every way in which the camera of a clip was placed -> one path for each clip.

By the pictures (reconstruction, or a reference), by hand (``aftermap locate``), and by telemetry
alone, in this order: each fills in only what those before it leave open. pipeline.py and
locating.py join them here.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import rasterio

from aftermap.errors import CrsError
from aftermap.frames import ClipFrames
from aftermap.geo.crs import LOCAL, WGS84, fitting_crs, transformed_xy, utm_crs
from aftermap.geo.level import level_at_m
from aftermap.model.camera import Reconstruction
from aftermap.model.clip import Clip, ClipOffsets, Shot
from aftermap.model.media import VerticalDatum
from aftermap.model.raster import Elevation
from aftermap.model.runs import Skipped
from aftermap.model.sighting import SURFACE_SIGMA_M, Ground, GroundKind
from aftermap.model.trajectory import Trajectory
from aftermap.record import Case
from aftermap.record.artefact import decode_artefact
from aftermap.trajectory import trajectories_of
from aftermap.trajectory.from_telemetry import Floor, joined_trajectory, trajectory_from_telemetry

LOCATED = "located"
"""The folder in ``products/`` where ``aftermap locate`` keeps the poses of each clip."""
APART_S = Fraction(2)
"""Within so long of a pose that the pictures gave, the record alone is not asked."""
DEM_SIGMA_M = 5.0
FLAT_SIGMA_M = 10.0
"""Of flat ground as high as take-off: a town lies on slopes, and take-off on a roof or a hill."""
FAR_M = 50_000.0


@dataclass(frozen=True, kw_only=True)
class MapPlace:
    """Where the clips of a case are placed: the CRS, and the ground that they look at.

    ``datum`` is what the ground's heights are measured from, None where its raster does not say;
    ``middle_m`` is the middle of what is placed already, None where nothing is.
    """

    crs: str
    ground: Ground
    datum: VerticalDatum | None = None
    level_m: float | None = None
    middle_m: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Trajectories:
    """A path for each clip that has one, and what of the clips stays without a place, and why."""

    paths: tuple[Trajectory, ...]
    skipped: tuple[Skipped, ...] = ()


def mapped_place(cameras: Reconstruction, elevation: Elevation) -> MapPlace:
    """The place of a case that has a map."""
    ground = Ground(
        kind=GroundKind.SURFACE,
        path=elevation.surface.path,
        sigma_m=SURFACE_SIGMA_M,
        vertical_datum=elevation.surface.vertical_datum,
    )
    return _place_of(cameras, ground)


def place_without_map(
    clips: Sequence[Clip],
    cameras: Reconstruction,
    crs: str | None,
    dem: Path | None,
    confirmed: Collection[str] = (),
) -> MapPlace | None:
    """The place of clips by their telemetry, over a DEM or flat ground; None where none tells.

    ``cameras`` were placed and gave no surface, or are none; ``crs`` is the one that was asked for;
    ``confirmed`` are CRSs that the user stands by outside their area of use.

    Raises CrsError where the CRS that was asked for is not made for the place.
    """
    firsts = [place for clip in clips if (place := _first_place(clip)) is not None]
    if cameras.placed and cameras.crs != LOCAL:
        return _place_of(cameras)
    if not firsts:
        return None
    crs = utm_crs(*firsts[0]) if crs is None else fitting_crs(crs, *firsts[0], confirmed)
    ((east, north),) = transformed_xy(WGS84, crs, [firsts[0]])
    ground, datum = Ground(kind=GroundKind.FLAT, sigma_m=FLAT_SIGMA_M), None
    if dem is not None:
        datum = datum_in(dem)
        ground = Ground(
            kind=GroundKind.DEM, path=str(dem), sigma_m=DEM_SIGMA_M, vertical_datum=datum
        )
    return MapPlace(crs=crs, ground=ground, datum=datum, middle_m=(float(east), float(north)))


def _place_of(cameras: Reconstruction, ground: Ground | None = None) -> MapPlace:
    ground = ground or Ground(kind=GroundKind.FLAT, sigma_m=FLAT_SIGMA_M)
    east, north, _ = np.median([one.pose.position_m for one in cameras.mapped], axis=0)
    return MapPlace(
        crs=cameras.crs,
        ground=ground,
        datum=cameras.vertical_datum,
        level_m=float(np.median([np.mean(one.ground_m) for one in cameras.mapped])),
        middle_m=(float(east), float(north)),
    )


def flights_of(
    place: MapPlace,
    clips: Sequence[Clip],
    footage: Sequence[ClipFrames],
    cameras: Reconstruction,
    by_hand: Sequence[Trajectory] = (),
) -> Trajectories:
    """The paths of the clips, in their order, and the shots that have no pose, each with a reason.

    ``cameras`` hold what the pictures gave, ``by_hand`` what was clicked; without scale or place
    the pictures' own answer does not count.
    """
    on_own_map = place.ground.kind is GroundKind.SURFACE
    seen = _by_clip(trajectories_of(cameras, on_own_map=on_own_map) if cameras.crs != LOCAL else ())
    hand, offsets = _by_clip(by_hand), _offsets_of(cameras)
    paths: list[Trajectory] = []
    skipped: list[Skipped] = []
    for clip, taken in zip(clips, footage, strict=True):
        path = seen.get(clip.sha256)
        notes: list[str] = []
        if clip.sha256 in hand:
            path, notes = _with_hand(path, hand[clip.sha256], place)
        path, reason = _with_record(path, clip, taken.shots, place, offsets.get(clip.sha256))
        skipped += [Skipped(name=clip.name, reason=note, sha256=clip.sha256) for note in notes]
        skipped += _unplaced(clip, taken.shots, path, reason)
        if path is not None:
            paths.append(path)
    return Trajectories(paths=tuple(paths), skipped=tuple(skipped))


def by_hand_in(case: Case) -> tuple[Trajectory, ...]:
    """The poses that ``aftermap locate`` left in a case, one path a clip."""
    return tuple(
        decode_artefact(Trajectory, json.loads(file.read_text(encoding="utf-8")), root=case.path)
        for file in sorted((case.products / LOCATED).glob("*.json"))
    )


def datum_in(heights: Path) -> VerticalDatum | None:
    """What the heights of a raster are measured from, as far as it says so in our own words."""
    try:
        with rasterio.open(heights) as raster:
            tag = raster.tags().get("AFTERMAP_VERTICAL_DATUM")
    except rasterio.errors.RasterioIOError:
        return None  # who opens it for its heights tells what is wrong with it
    return VerticalDatum(tag) if tag in list(VerticalDatum) else None


def _first_place(clip: Clip) -> tuple[float, float] | None:
    samples = () if clip.track is None else clip.track.samples
    return next((one.lonlat_deg for one in samples if one.lonlat_deg is not None), None)


def _by_clip(paths: Sequence[Trajectory]) -> dict[str, Trajectory]:
    return {path.clip_sha256: path for path in paths}


def _offsets_of(cameras: Reconstruction) -> Mapping[str, ClipOffsets]:
    return {one.clip_sha256: one for one in cameras.offsets}


def _with_hand(
    path: Trajectory | None, hand: Trajectory, place: MapPlace
) -> tuple[Trajectory | None, list[str]]:
    """The path with the shots that were located by hand and that the pictures do not place."""
    if (hand.crs, hand.vertical_datum) != (place.crs, place.datum):
        reason = (
            f"was located by hand in {hand.crs} ({hand.vertical_datum}), but the case is now in "
            f"{place.crs}; run aftermap locate again with its points"
        )
        return path, [reason]
    if path is None:
        return hand, []
    placed = {pose.shot for pose in path.poses}
    both = sorted({pose.shot for pose in hand.poses} & placed)
    added = replace(hand, poses=tuple(pose for pose in hand.poses if pose.shot not in placed))
    notes = [
        f"shot {shot + 1} was located by hand and by its images; the images are used"
        for shot in both
    ]
    if not added.poses:
        return path, notes
    cameras = dict(path.shot_cameras)
    cameras |= {pose.shot: hand.camera_of(pose.shot) for pose in added.poses}
    poses = sorted((*path.poses, *added.poses), key=lambda pose: (pose.shot, pose.time_s))
    path = replace(
        path,
        poses=tuple(poses),
        shot_cameras=tuple(sorted(cameras.items(), key=lambda c: c[0])),
        notes=(*path.notes, *hand.notes),
    )
    return path, notes


def _with_record(
    path: Trajectory | None,
    clip: Clip,
    shots: Sequence[Shot],
    place: MapPlace,
    offsets: ClipOffsets | None,
) -> tuple[Trajectory | None, str]:
    """The path with what only the telemetry tells; and why it tells nothing, where it does not."""
    first = _first_place(clip)
    far = None if first is None else _how_far(first, place)
    if far is not None:
        return path, far
    record = trajectory_from_telemetry(clip, shots, place.crs, _floor(first, path, place), offsets)
    if isinstance(record, Skipped):
        return path, record.reason
    if path is None:
        return record, ""
    if record.vertical_datum is not path.vertical_datum:
        return path, f"its telemetry has heights in another datum ({record.vertical_datum})"
    return joined_trajectory(path, record, apart_s=APART_S), ""


def _how_far(first: tuple[float, float], place: MapPlace) -> str | None:
    """Why a record is of another place than the case; None where it may be of this one."""
    if place.middle_m is None:
        return None
    try:
        ((east, north),) = transformed_xy(WGS84, place.crs, [first])
    except CrsError:
        away_m = math.inf
    else:
        away_m = math.hypot(east - place.middle_m[0], north - place.middle_m[1])
    if away_m <= FAR_M:
        return None
    how = f"{away_m / 1000:.0f} km" if math.isfinite(away_m) else "half the globe"
    return (
        f"not located from telemetry: it begins {how} from the rest of the case; check the "
        "hemisphere and the axis order, or put it into a case of its own"
    )


def _floor(first: tuple[float, float] | None, path: Trajectory | None, place: MapPlace) -> Floor:
    level_m = place.level_m if path is None else path.ground_m
    if first is not None and place.ground.path is not None:
        found = level_at_m(place.ground.path, first)
        level_m = level_m if found is None else found
    return Floor(datum=place.datum, level_m=level_m)


def _unplaced(
    clip: Clip, shots: Sequence[Shot], path: Trajectory | None, reason: str
) -> Iterator[Skipped]:
    """The shots without a single pose; a clip that has none at all is one entry."""
    placed = set() if path is None else {pose.shot for pose in path.poses}
    without = [shot for shot in shots if shot.index not in placed]
    told = "it has no telemetry" if clip.track is None else reason
    why = f"its frames could not be aligned, and {told or 'its telemetry does not cover it'}"
    if without and not placed:
        yield Skipped(name=clip.name, reason=why, sha256=clip.sha256)
        return
    for shot in without:
        yield Skipped(name=f"{clip.name}, shot {shot.index + 1}", reason=why, sha256=clip.sha256)
