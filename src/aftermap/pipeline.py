"""Photographs and clips to a map that can be defended: every step, top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aftermap.config import NEW_FILE, Settings
from aftermap.errors import AftermapError, ReconstructionError, SurfaceError
from aftermap.execute import LocalExecutor
from aftermap.frames import FrameOptions, frames_of
from aftermap.geo.crs import LOCAL, projected_crs
from aftermap.geo.footprint import footprint_m
from aftermap.joins.assessing import Map, graded_on
from aftermap.joins.delivering import delivered
from aftermap.joins.flights import (
    Flights,
    Place,
    by_hand_in,
    flights_of,
    mapped_place,
    place_without_map,
)
from aftermap.joins.footage import Filmed, filmed, in_reference, proxies, sightings, with_places
from aftermap.joins.stages import FEATURES, ORTHOPHOTO, POSES, SURFACE
from aftermap.media import Ingested, files_in, ingest
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.runs import Executor, Progress, Skipped
from aftermap.model.sighting import SightingIndex
from aftermap.poses import (
    ControlFile,
    PoseOptions,
    control_in,
    features_of,
    placed,
    survey_of,
    unplaced,
)
from aftermap.publish import (
    ClipFacts,
    Report,
    ReportFacts,
    UnmappedFacts,
    write_cameras,
    write_report,
    write_unmapped_report,
)
from aftermap.record import Case
from aftermap.run import Runner
from aftermap.surface import SurfaceOptions, orthophoto_of, surface_of

OF_A_MAP = ("orthophoto.tif", "source.tif", "surface.tif", "confidence.tif")


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What a run leaves: the report to open, and what it says in a few lines."""

    report: Path
    summary_lines: tuple[str, ...]


def map_footage(
    paths: Sequence[Path],
    case_path: Path,
    settings: Settings,
    *,
    fresh: bool,
    progress: Progress,
    workers: int | None,
) -> Mapped:
    """Photographs and clips in files and folders to the products of a case."""
    control = _checked(paths, settings)
    with (
        Case.create_or_open(case_path, settings_text=NEW_FILE) as case,
        Runner(case, command="map", options=settings, progress=progress, fresh=fresh) as run,
        LocalExecutor(workers, progress=progress, preload=("numpy", "cv2", "numba")) as executor,
    ):
        received = run.each_time("photographs", lambda: ingest(paths, case.store, executor))
        sidecars = [one for some in received.sidecars.values() for one in some]
        case.add_media((*received.items, *received.clips), received.skipped, sidecars)
        run.skip(received.skipped)

        clips = filmed(received, run, executor)
        found = in_reference(clips, settings.reference, settings.dem, run, executor)
        clips = with_places(clips, found)
        run.skip(clips.skipped)
        frames = frames_of(
            received.items, received.stored, FrameOptions(crs=settings.crs), clips.frames
        )
        job = _Job(case=case, run=run, executor=executor, settings=settings)
        try:
            cameras = _cameras(frames, control, settings, run, executor)
        except ReconstructionError as error:
            return _without_map(job, received, clips, frames, unplaced(frames, error), error)
        run.skip(cameras.skipped)
        _record_cameras(case, cameras, received)

        surfaces = SurfaceOptions.of(settings.quality.value)
        try:
            elevation = run.stage(
                SURFACE, surfaces, [cameras],
                lambda files: surface_of(cameras, surfaces, files, executor),
            )  # fmt: skip
        except SurfaceError as error:
            return _without_map(job, received, clips, frames, cameras, error)
        picture = run.stage(
            ORTHOPHOTO, surfaces, [cameras, elevation],
            lambda files: orthophoto_of(cameras, elevation, files, executor),
        )  # fmt: skip

        place = (
            mapped_place(cameras, elevation)
            if cameras.crs != LOCAL  # else the pictures give no place, and the telemetry may
            else place_without_map(clips.clips, cameras, settings.crs, settings.dem)
        )
        told, placed = _flown(job, received, clips, cameras, place)
        for raster in (elevation.surface, elevation.confidence, picture.image, picture.source):
            run.deliver(raster.path, Path(raster.path).name)
        facts = ReportFacts(
            case_name=case.path.name, command="aftermap map", started_at=run.started_at,
            versions=tuple(run.versions.items()), reconstruction=cameras, frames=frames,
            ingest_skipped=(*received.skipped, *clips.skipped, *placed.skipped),
            elevation=elevation, orthophoto=picture,
            stages=run.records, notes=frames.notes, clips=told,
        )  # fmt: skip
        _write_cameras(job, cameras, frames, facts.ingest_skipped, placed)
        report = run.each_time("report", lambda: write_report(facts, case.products))
        mapped = _delivered(run, case, report)
        if settings.footprints is None:
            return mapped
        made = Map(cameras=cameras, elevation=elevation, orthophoto=picture)
        assessed = delivered(case, run, made, graded_on(made, settings, case, run, executor))
        return replace(mapped, summary_lines=(*mapped.summary_lines, *assessed.summary_lines))


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What every step of a run works with."""

    case: Case
    run: Runner
    executor: Executor
    settings: Settings


def _flown(
    job: _Job,
    received: Ingested,
    clips: Filmed,
    cameras: Reconstruction,
    place: Place | None,
) -> tuple[tuple[ClipFacts, ...], Flights]:
    """Where the cameras of the clips were and what they saw, kept in the record and told."""
    if not clips.clips:
        return (), Flights(paths=())
    flights, seen = Flights(paths=()), SightingIndex(clips=())
    if place is not None:
        by_hand = by_hand_in(job.case)
        flights = flights_of(place, clips.clips, clips.footage.clips, cameras, by_hand)
        seen = sightings(flights.paths, clips.clips, place.ground, job.run, job.executor)
    told_before = {one.name for one in clips.skipped if one.reason.startswith("not located")}
    others = tuple(one for one in flights.skipped if one.name not in told_before)
    flights = replace(flights, skipped=others)
    unseen = _without_place(clips, flights)
    job.run.skip((*flights.skipped, *unseen))
    job.case.replace_clips(replace(seen, skipped=(*seen.skipped, *_unindexed(clips, seen))))
    if job.settings.proxies:
        proxies(clips.clips, received.stored, job.run, job.executor)
    paths = {one.clip_sha256: one for one in flights.paths}
    indexes = {one.clip_sha256: one for one in seen.clips}
    told = tuple(
        ClipFacts(
            clip=clip, shots=len(taken.shots), frames=len(taken.frames),
            path=paths.get(clip.sha256), index=indexes.get(clip.sha256),
        )
        for clip, taken in zip(clips.clips, clips.footage.clips, strict=True)
    )  # fmt: skip
    return told, replace(flights, skipped=(*flights.skipped, *seen.skipped, *unseen))


def _unindexed(clips: Filmed, seen: SightingIndex) -> tuple[Skipped, ...]:
    """The clips of this run that an earlier one may have indexed and this one has not."""
    there = {one.clip_sha256 for one in seen.clips}
    return tuple(
        Skipped(name=clip.name, reason="not indexed", sha256=clip.sha256)
        for clip in clips.clips
        if clip.sha256 not in there
    )


def _without_place(clips: Filmed, flights: Flights) -> tuple[Skipped, ...]:
    """The clips of which no moment has a place, and that nothing was said of yet."""
    told = {path.clip_sha256 for path in flights.paths} | {one.sha256 for one in flights.skipped}
    reason = "it is reconstructed without scale or place, so it is not known what it saw"
    return tuple(
        Skipped(name=clip.name, reason=reason, sha256=clip.sha256)
        for clip in clips.clips
        if clip.sha256 not in told
    )


def _without_map(
    job: _Job,
    received: Ingested,
    clips: Filmed,
    frames: FrameSet,
    cameras: Reconstruction,
    why: AftermapError,
) -> Mapped:
    """The index of clips that can be placed although no map came about; else ``why`` is raised."""
    case, run = job.case, job.run
    asked = job.settings.crs if frames.crs == LOCAL else frames.crs
    place = place_without_map(clips.clips, cameras, asked, job.settings.dem)
    if place is None:
        raise why
    cameras = cameras if cameras.placed else replace(cameras, crs=place.crs)
    told, placed = _flown(job, received, clips, cameras, place)
    if not any(one.index for one in told):
        raise why
    run.skip(cameras.skipped)
    _record_cameras(case, cameras, received)
    for name in OF_A_MAP:  # of an earlier run: the cameras beside them would not be theirs
        (case.products / name).unlink(missing_ok=True)
    skipped = (*received.skipped, *clips.skipped, *placed.skipped)
    _write_cameras(job, cameras, frames, skipped, placed)
    facts = UnmappedFacts(
        case_name=case.path.name, command="aftermap map", started_at=run.started_at,
        versions=tuple(run.versions.items()), crs=place.crs, why=str(why), clips=told,
        skipped=tuple(dict.fromkeys((*skipped, *cameras.skipped))), stages=run.records,
        notes=() if frames.crs == LOCAL else frames.notes,  # what a local map lacks, no index does
    )  # fmt: skip
    report = run.each_time("report", lambda: write_unmapped_report(facts, case.products))
    return _delivered(run, case, replace(report, warnings=(f"there is no map: {why}",)))


def _write_cameras(
    job: _Job,
    cameras: Reconstruction,
    frames: FrameSet,
    left_out: Sequence[Skipped],
    flights: Flights,
) -> None:
    write_cameras(
        cameras, job.case.products / "cameras.json", left_out=left_out, flights=flights.paths,
        frames=frames.frames,
    )  # fmt: skip


def _delivered(run: Runner, case: Case, report: Report) -> Mapped:
    for name in ("cameras.json", "report.json", "report.html"):
        run.deliver(case.products / name, name)
    warnings = tuple(f"Warning: {text}" for text in report.warnings)
    return Mapped(report=report.page, summary_lines=(*report.verdict, *warnings))


def _checked(paths: Sequence[Path], settings: Settings) -> ControlFile | None:
    """The control points, if any: what was asked is looked at before a case is made or changed."""
    files_in(paths)
    if settings.crs is not None:
        projected_crs(settings.crs)
    return None if settings.gcp is None else control_in(settings.gcp)


def _cameras(
    frames: FrameSet,
    control: ControlFile | None,
    settings: Settings,
    run: Runner,
    executor: Executor,
) -> Reconstruction:
    if control is not None:  # its names and places, before the long work
        survey_of(control, frames.frames, None if frames.crs == LOCAL else frames.crs)
    options = PoseOptions.of(settings.quality.value)
    shelf = run.shelf(FEATURES, options)
    features = run.each_time("features", lambda: features_of(frames, options, shelf, executor))
    return run.stage(
        POSES, options, [frames, control],
        lambda files: placed(frames, features, options, files, executor, control),
    )  # fmt: skip


def _record_cameras(case: Case, cameras: Reconstruction, received: Ingested) -> None:
    footprints = {
        p.frame.sha256: [(float(e), float(n)) for e, n in footprint_m(p, cameras.cameras[p.camera])]
        for p in cameras.placed
    }
    case.replace_cameras(cameras, footprints, received.skipped)
