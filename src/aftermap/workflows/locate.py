"""``aftermap locate``: clicks in a clip of a case -> its camera's poses, carried through the shot.

Joins the record, the clip's pictures, the ties and the case's surface; what it finds is told in
lines and goes into the case (located.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from aftermap.errors import CaseError, InputError
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.uncertainty import precision_of
from aftermap.localization.clicked_camera import (
    ClickedCamera,
    as_camera,
    ground_ce90_m,
    on_case_map,
    solved_camera,
)
from aftermap.localization.correspondences import by_moment, correspondences_in
from aftermap.localization.object_points import FILLED_SIGMA_M, ObjectPoints, object_points_of
from aftermap.localization.reference import Reference, surface_in
from aftermap.localization.resect import clip_pose
from aftermap.localization.tracking import Carried
from aftermap.media import probe_video
from aftermap.model.clip import Clip, Shot
from aftermap.model.media import VerticalDatum
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory
from aftermap.record import Case
from aftermap.record.disk import sha256_of_file
from aftermap.workflows.clicked_clip import Film, carried_both_ways, film_of
from aftermap.workflows.map_accuracy import map_sigma_m
from aftermap.workflows.record_localization import keep

SHORTEST_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class LocalizationOutcome:
    """Where it was written, and what it says line by line."""

    path: Path
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Solved:
    """One picture with ties: its time and shot, the ties with their places, and the pose."""

    time_s: Fraction
    shot: Shot
    camera: ClickedCamera
    carried: tuple[Carried, ...]


def locate(case_path: Path, clip: str, ties_path: Path) -> LocalizationOutcome:
    """The poses of a clip by the ties of a file, written into the case's products.

    Raises CaseError where the case has no surface.
    """
    ties = correspondences_in(ties_path)
    with Case.open_to_read(case_path) as case:
        asked, video = _clip_of(case, clip)
        mask = case.mask_of(asked.sha256)
        surface_path = case.products / "surface.tif"
        if not surface_path.is_file():
            raise CaseError(f"{case_path}: has no products/surface.tif; run aftermap map first")
    surface = surface_in(surface_path, map_sigma_m(surface_path))
    groups = {
        moment: object_points_of(group, surface, ties_path)
        for moment, group in by_moment(ties).items()
    }
    film = film_of(asked, video, mask)
    solved = [_solved(film, surface, moment, placed) for moment, placed in groups.items()]
    path = _path(asked, surface, surface_path, sorted(solved, key=lambda one: one.time_s))
    lines = [line for one in solved for line in _lines(asked, surface, one, path)]
    out, kept = keep(case_path, path, ties_path)
    return LocalizationOutcome(path=out, lines=(*lines, *kept))


def _clip_of(case: Case, asked: str) -> tuple[Clip, Path]:
    """The clip of the case by name or SHA-256, else a file that is no part of it; and its video."""
    clips = [item for item in case.media() if isinstance(item, Clip)]
    digits = asked.casefold()
    found = [
        clip
        for clip in clips
        if clip.name == asked or (len(digits) >= SHORTEST_DIGEST and clip.sha256.startswith(digits))
    ]
    if len(found) > 1:
        raise InputError(
            f"{asked}: {len(found)} clips of the case have this name; give the SHA-256 of one, "
            f"such as {found[0].sha256[:16]}"
        )
    if found:
        kept = case.store.find(found[0].sha256)
        if kept is None:
            raise CaseError(f"{asked}: its original is missing; run aftermap verify on the case")
        return found[0], kept
    path = Path(asked)
    if not path.is_file():
        names = ", ".join(clip.name for clip in clips) or "none"
        raise InputError(f"{asked}: is not a clip of the case (it has: {names}) and not a file")
    return probe_video(path, name=path.name, sha256=sha256_of_file(path)), path


def _solved(
    film: Film, surface: Reference, moment: Fraction | int, placed: ObjectPoints
) -> _Solved:
    """The camera of one picture, carried both ways as far as it goes."""
    time_s = film.time_of(moment)
    film.check_inside(placed.ties)
    what = f"points at {float(time_s):.3f} s"
    camera = solved_camera(film.clip, placed, surface, what=what)
    shot = film.shot_at(time_s)
    carried = carried_both_ways(film, shot, time_s, camera.pose, surface)
    return _Solved(time_s=time_s, shot=shot, camera=camera, carried=carried)


def _path(
    clip: Clip, surface: Reference, surface_path: Path, solved: Sequence[_Solved]
) -> Trajectory:
    """All poses in order of time; where two reach one moment, the surer one."""
    surest: dict[Fraction, ClipPose] = {}
    for one in solved:
        carried = [pair for part in one.carried for pair in part.poses]
        for time_s, pose in [(one.time_s, one.camera.pose), *carried]:
            told = replace(
                clip_pose(pose, time_s, one.shot.index, PoseSource.RESECTED),
                ce90_m=ground_ce90_m(pose, clip, surface),
                ce90_in_case_m=ground_ce90_m(on_case_map(pose, surface), clip, surface),
            )
            known = surest.get(time_s)
            if known is None or np.trace(pose.covariance) < np.trace(np.array(known.covariance)):
                surest[time_s] = told
    first = solved[0].camera.pose
    return Trajectory(
        clip_sha256=clip.sha256,
        clip_name=clip.name,
        crs=surface.crs,
        vertical_datum=_datum_of(surface_path),
        camera=as_camera(clip, first),
        poses=tuple(surest[time_s] for time_s in sorted(surest)),
        shot_cameras=tuple(
            {one.shot.index: as_camera(clip, one.camera.pose) for one in reversed(solved)}.items()
        ),
        ground_m=float(np.median([one.camera.placed.lowest_m for one in solved])),
        notes=tuple(note for one in solved for note in _notes(one)),
    )


def _datum_of(surface: Path) -> VerticalDatum:
    import rasterio  # noqa: PLC0415

    with rasterio.open(surface) as heights:
        tag = heights.tags().get("AFTERMAP_VERTICAL_DATUM", VerticalDatum.UNKNOWN.value)
    return VerticalDatum(tag)


def _notes(one: _Solved) -> list[str]:
    notes = []
    if one.camera.placed.from_surface:
        notes.append(
            f"{len(one.camera.placed.from_surface)} of {len(one.camera.placed.ties)} heights at "
            f"{float(one.time_s):.3f} s were read from the surface model of the case"
        )
    if one.camera.placed.filled:
        lines = ", ".join(str(line) for line in one.camera.placed.filled)
        notes.append(
            f"heights filled, not measured, at {float(one.time_s):.3f} s: line {lines} of the "
            f"points; they have little weight (sigma {FILLED_SIGMA_M:.0f} m)"
        )
    notes += [
        f"not tracked beyond {float(part.stopped_s):.3f} s: {part.reason}"
        for part in one.carried
        if part.stopped_s is not None
    ]
    return notes


def _lines(clip: Clip, surface: Reference, one: _Solved, path: Trajectory) -> list[str]:
    """What a person wants to know of one solved picture."""
    pose = one.camera.pose
    east, north, up = pose.position_m
    ((lon, lat),) = transformed_xy(surface.crs, WGS84, [[east, north]])
    circle = ground_ce90_m(pose, clip, surface)
    own = ground_ce90_m(on_case_map(pose, surface), clip, surface)
    within = (
        "no measured ground in view"
        if circle is None or own is None
        else (
            f"{circle:.1f} m ({precision_of(circle)}), {own:.1f} m relative to the map of this case"
        )
    )
    sigma = one.camera.position_sigma_m
    times = [p.time_s for p in path.poses if p.shot == one.shot.index]
    lines = [
        f"{clip.name} at {float(one.time_s):.3f} s, shot {one.shot.index + 1}",
        (
            f"  position  {lon:.6f}, {lat:.6f}; east {east:.1f}, north {north:.1f}, up {up:.1f} m "
            f"({surface.crs}, {path.vertical_datum})"
        ),
        f"  sigma     {sigma[0]:.1f} m east, {sigma[1]:.1f} m north, {sigma[2]:.1f} m up",
        f"  CE90      {within}, at the centre of the frame",
        (
            f"  focal     {pose.params[0]:.0f} px, sigma {pose.focal_sigma_px:.0f} px; prior "
            f"{clip.focal.focal_px:.0f} px ({clip.focal.source.value})"
        ),
        (f"  tracked   {float(min(times)):.3f} to {float(max(times)):.3f} s, {len(times)} frames"),
    ]
    lines += [f"  note      {note}" for note in _notes(one)]
    return lines + _residual_lines(one)


def _residual_lines(one: _Solved) -> list[str]:
    fits = np.linalg.norm(one.camera.pose.residuals_px, axis=1)
    lines = ["  line   residual px   leave-one-out residual px"]
    for tie, fit, alone, used in zip(
        one.camera.placed.ties, fits, one.camera.pose.left_out_px, one.camera.pose.used, strict=True
    ):
        mark = "" if used else "   outlier, not used"
        if tie.line in one.camera.placed.filled:
            mark = "   height filled, not measured" + mark
        lines.append(f"  {tie.line:4d}   {fit:11.1f}   {alone:13.1f}{mark}")
    return lines
