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
from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.lens import rays_cam
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2, precision_of
from aftermap.localization.camera_fit import CameraPrior
from aftermap.localization.correspondences import by_moment, ties_in
from aftermap.localization.drape import places_met
from aftermap.localization.object_points import FILLED_SIGMA_M, ObjectPoints, placed_ties
from aftermap.localization.reference import Reference, surface_in
from aftermap.localization.resect import Resected, clip_pose, resect
from aftermap.localization.tracking import Carried
from aftermap.media import probe_video
from aftermap.model.camera import Camera
from aftermap.model.clip import Clip, Shot
from aftermap.model.media import VerticalDatum
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory
from aftermap.record import Case
from aftermap.record.disk import sha256_of_file
from aftermap.workflows.clicked_clip import Film, carried_both_ways, film_of
from aftermap.workflows.map_accuracy import map_sigma_m
from aftermap.workflows.record_localization import keep

GROUND_SIGMA_M = 1.0
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
    placed: ObjectPoints
    pose: Resected
    carried: tuple[Carried, ...]


def locate(case_path: Path, clip: str, ties_path: Path) -> LocalizationOutcome:
    """The poses of a clip by the ties of a file, written into the case's products.

    Raises CaseError where the case has no surface.
    """
    ties = ties_in(ties_path)
    with Case.open_to_read(case_path) as case:
        asked, video = _clip_of(case, clip)
        mask = case.mask_of(asked.sha256)
        surface_path = case.products / "surface.tif"
        if not surface_path.is_file():
            raise CaseError(
                f"{case_path}: has no products/surface.tif; run aftermap map on footage first"
            )
    surface = surface_in(surface_path, map_sigma_m(surface_path))
    groups = {
        moment: placed_ties(group, surface, ties_path) for moment, group in by_moment(ties).items()
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
            f"{asked}: {len(found)} clips of the case have that name; give the SHA-256 of one, "
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
        raise InputError(f"{asked}: is no clip of the case (it has: {names}) and no file")
    return probe_video(path, name=path.name, sha256=sha256_of_file(path)), path


def _solved(
    film: Film, surface: Reference, moment: Fraction | int, placed: ObjectPoints
) -> _Solved:
    """The camera of one picture, carried both ways as far as it goes."""
    time_s = film.time_of(moment)
    clip = film.clip
    view = CameraPrior(
        width_px=clip.width_px,
        height_px=clip.height_px,
        focal_px=clip.focal.focal_px,
        focal_sigma_px=clip.focal.sigma_px,
    )
    xy = np.array([tie.xy_px for tie in placed.ties])
    what = f"ties at {float(time_s):.3f} s"
    film.check_inside(placed.ties)
    pose = resect(placed.xyz_m, xy, view, what=what, place_sigma_m=placed.sigma_m)
    pose = replace(pose, covariance=pose.covariance + _of_the_map(surface))
    shot = film.shot_at(time_s)
    carried = carried_both_ways(film, shot, time_s, pose, surface)
    return _Solved(time_s=time_s, shot=shot, placed=placed, pose=pose, carried=carried)


def _path(
    clip: Clip, surface: Reference, surface_path: Path, solved: Sequence[_Solved]
) -> Trajectory:
    """All poses in order of time; where two reach one moment, the surer one."""
    surest: dict[Fraction, ClipPose] = {}
    for one in solved:
        carried = [pair for part in one.carried for pair in part.poses]
        for time_s, pose in [(one.time_s, one.pose), *carried]:
            told = replace(
                clip_pose(pose, time_s, one.shot.index, PoseSource.RESECTED),
                ce90_m=_ce90_m(pose, clip, surface),
                ce90_in_case_m=_ce90_m(_in_case(pose, surface), clip, surface),
            )
            known = surest.get(time_s)
            if known is None or np.trace(pose.covariance) < np.trace(np.array(known.covariance)):
                surest[time_s] = told
    first = solved[0].pose
    return Trajectory(
        clip_sha256=clip.sha256,
        clip_name=clip.name,
        crs=surface.crs,
        vertical_datum=_datum_of(surface_path),
        camera=_camera(clip, first),
        poses=tuple(surest[time_s] for time_s in sorted(surest)),
        shot_cameras=tuple(
            {one.shot.index: _camera(clip, one.pose) for one in reversed(solved)}.items()
        ),
        ground_m=float(np.median([_lowest_m(one.placed) for one in solved])),
        notes=tuple(note for one in solved for note in _notes(one)),
    )


def _lowest_m(placed: ObjectPoints) -> float:
    """The lowest of the ties whose height was measured or given; of all where none was."""
    known = np.array([tie.line not in placed.filled for tie in placed.ties])
    up = placed.xyz_m[:, 2]
    return float(up[known].min() if known.any() else up.min())


def _camera(clip: Clip, pose: Resected) -> Camera:
    return Camera(
        model="OPENCV",
        width_px=clip.width_px,
        height_px=clip.height_px,
        params=tuple(float(value) for value in pose.params),
        focal_prior_px=clip.focal.focal_px,
        focal_prior_source=clip.focal.source,
        focal_sigma_px=pose.focal_sigma_px,
        focal_decision="solved with the pose of the first picture that has ties",
    )


def _datum_of(surface: Path) -> VerticalDatum:
    import rasterio  # noqa: PLC0415

    with rasterio.open(surface) as heights:
        tag = heights.tags().get("AFTERMAP_VERTICAL_DATUM", VerticalDatum.UNKNOWN.value)
    return VerticalDatum(tag)


def _of_the_map(surface: Reference) -> Array:
    """(6, 6) what the error of the map as a whole adds to a pose that was found on it.

    Across only: heights are those of the map, and what it shows lies as far off as the camera.
    """
    across = surface.sigma_m[0]
    return np.diag([across**2, across**2, 0.0, 0.0, 0.0, 0.0])


def _in_case(pose: Resected, surface: Reference) -> Resected:
    """The pose as sure as it is on the case's own map."""
    return replace(pose, covariance=pose.covariance - _of_the_map(surface))


def _ce90_m(pose: Resected, clip: Clip, surface: Reference) -> float | None:
    """The circle in which the ground at the middle of the picture lies; None where none is seen."""
    middle = [[clip.width_px / 2, clip.height_px / 2]]
    ray = rays_cam(middle, pose.params) @ pose.rotation_cam_from_world
    ground = places_met(surface, pose.position_m, ray)
    if not np.isfinite(ground).all():
        return None
    spread = ground_covariance_m2(
        pose.position_m, ground, pose.covariance, ground_sigma_m=GROUND_SIGMA_M
    )
    return float(ce90_m(spread)[0])


def _notes(one: _Solved) -> list[str]:
    notes = []
    if one.placed.from_surface:
        notes.append(
            f"{len(one.placed.from_surface)} of {len(one.placed.ties)} heights at "
            f"{float(one.time_s):.3f} s are those of the case's surface"
        )
    if one.placed.filled:
        lines = ", ".join(str(line) for line in one.placed.filled)
        notes.append(
            f"heights filled in, not measured, at {float(one.time_s):.3f} s: line {lines} of the "
            f"ties; they hardly count (sigma {FILLED_SIGMA_M:.0f} m)"
        )
    notes += [
        f"not carried beyond {float(part.stopped_s):.3f} s: {part.reason}"
        for part in one.carried
        if part.stopped_s is not None
    ]
    return notes


def _lines(clip: Clip, surface: Reference, one: _Solved, path: Trajectory) -> list[str]:
    """What a person wants to know of one solved picture."""
    pose = one.pose
    east, north, up = pose.position_m
    ((lon, lat),) = transformed_xy(surface.crs, WGS84, [[east, north]])
    circle = _ce90_m(pose, clip, surface)
    own = _ce90_m(_in_case(pose, surface), clip, surface)
    within = (
        "no measured ground seen"
        if circle is None or own is None
        else f"{circle:.1f} m ({precision_of(circle)}), {own:.1f} m on the case's own map"
    )
    sigma = np.sqrt(np.diag(pose.covariance)[:3])
    times = [p.time_s for p in path.poses if p.shot == one.shot.index]
    lines = [
        f"{clip.name} at {float(one.time_s):.3f} s, shot {one.shot.index + 1}",
        (
            f"  position  {lon:.6f}, {lat:.6f}; east {east:.1f}, north {north:.1f}, up {up:.1f} m "
            f"({surface.crs}, {path.vertical_datum})"
        ),
        f"  sigma     {sigma[0]:.1f} m east, {sigma[1]:.1f} m north, {sigma[2]:.1f} m up",
        f"  CE90      {within}: of the ground in the middle of the picture",
        (
            f"  focal     {pose.params[0]:.0f} px, sigma {pose.focal_sigma_px:.0f} px; "
            f"{clip.focal.focal_px:.0f} px ({clip.focal.source.value}) believed before"
        ),
        f"  carried   {float(min(times)):.3f} to {float(max(times)):.3f} s, {len(times)} pictures",
    ]
    lines += [f"  note      {note}" for note in _notes(one)]
    return lines + _residual_lines(one)


def _residual_lines(one: _Solved) -> list[str]:
    fits = np.linalg.norm(one.pose.residuals_px, axis=1)
    lines = ["  line   residual px   without it px"]
    for tie, fit, alone, used in zip(
        one.placed.ties, fits, one.pose.left_out_px, one.pose.used, strict=True
    ):
        mark = "" if used else "   left out: it does not fit the others"
        if tie.line in one.placed.filled:
            mark = "   height filled in, not measured" + mark
        lines.append(f"  {tie.line:4d}   {fit:11.1f}   {alone:13.1f}{mark}")
    return lines
