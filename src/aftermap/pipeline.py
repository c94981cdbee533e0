"""Photographs and clips to a map that can be defended: every step, top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aftermap.config import NEW_FILE, Settings
from aftermap.execute import LocalExecutor
from aftermap.footage import filmed, in_reference, sightings, with_places
from aftermap.frames import FrameOptions, frames_of
from aftermap.geo.crs import LOCAL, projected_crs
from aftermap.geo.footprint import footprint_m
from aftermap.media import Ingested, files_in, ingest
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.runs import Executor, Progress
from aftermap.poses import (
    ControlFile,
    PoseOptions,
    control_in,
    features_of,
    flown,
    placed,
    survey_of,
)
from aftermap.publish import ReportFacts, write_cameras, write_report
from aftermap.record import Case
from aftermap.run import Runner
from aftermap.stages import FEATURES, ORTHOPHOTO, POSES, SURFACE
from aftermap.surface import SurfaceOptions, orthophoto_of, surface_of


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
        cameras = _cameras(frames, control, settings, run, executor)
        run.skip(cameras.skipped)
        _record_cameras(case, cameras, received)

        surfaces = SurfaceOptions.of(settings.quality.value)
        elevation = run.stage(
            SURFACE, surfaces, [cameras],
            lambda files: surface_of(cameras, surfaces, files, executor),
        )  # fmt: skip
        picture = run.stage(
            ORTHOPHOTO, surfaces, [cameras, elevation],
            lambda files: orthophoto_of(cameras, elevation, files, executor),
        )  # fmt: skip

        if clips.clips:
            seen = sightings(flown(cameras), clips, elevation, run, executor)
            case.replace_clips(seen)
        for raster in (elevation.surface, elevation.confidence, picture.image, picture.source):
            run.deliver(raster.path, Path(raster.path).name)
        facts = ReportFacts(
            case_name=case.path.name, command="aftermap map", started_at=run.started_at,
            versions=tuple(run.versions.items()), reconstruction=cameras, frames=frames,
            ingest_skipped=received.skipped, elevation=elevation, orthophoto=picture,
            stages=run.records, notes=frames.notes,
        )  # fmt: skip
        write_cameras(cameras, case.products / "cameras.json", left_out=received.skipped)
        report = run.each_time("report", lambda: write_report(facts, case.products))
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
