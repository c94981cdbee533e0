"""Photographs and clips to a map that can be defended: every step, top to bottom."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aftermap.config import NEW_FILE, Settings
from aftermap.errors import AftermapError, ReconstructionError, SurfaceError
from aftermap.execute import LocalExecutor
from aftermap.frames import FrameOptions, frames_of, notes_on
from aftermap.geo.crs import LOCAL, projected_crs
from aftermap.media import files_in
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.runs import Executor, Progress
from aftermap.publish import ReportFacts, write_report
from aftermap.record import Case
from aftermap.room import room_at
from aftermap.run import Runner
from aftermap.sfm import (
    ControlFile,
    PoseOptions,
    control_in,
    extract_features,
    reconstruct_from_features,
    survey_of,
    unplaced_reconstruction,
)
from aftermap.surface import SurfaceOptions, orthophoto_of, surface_of
from aftermap.workflows.assess import Map, grade_map
from aftermap.workflows.clips import (
    ingest_footage,
    locate_in_reference,
    read_clips,
    read_given_masks,
    with_places,
)
from aftermap.workflows.deliver_assessment import deliver_assessment
from aftermap.workflows.deliver_map import (
    Mapped,
    deliver_map,
    deliver_rasters,
    record_cameras,
    write_cameras_file,
)
from aftermap.workflows.deliver_mesh import deliver_mesh
from aftermap.workflows.index_clips import Job, index_footage
from aftermap.workflows.index_only import deliver_in_part, deliver_index_only, failing_as
from aftermap.workflows.resources import RoomAt, estimates_of
from aftermap.workflows.stages import FEATURES, ORTHOPHOTO, POSES, SURFACE
from aftermap.workflows.trajectories import mapped_place, place_without_map


def map_footage(
    paths: Sequence[Path],
    case_path: Path,
    settings: Settings,
    *,
    fresh: bool,
    progress: Progress,
    workers: int | None,
    room: RoomAt = room_at,
) -> Mapped:
    """Photographs and clips in files and folders to the products of a case.

    Raises ResourcesError before the long work where ``room`` of the case does not suffice for it.
    """
    control = _check_inputs(paths, settings)
    with (
        Case.create_or_open(case_path, settings_text=NEW_FILE) as case,
        Runner(case, command="map", options=settings, progress=progress, fresh=fresh) as run,
        LocalExecutor(workers, progress=progress, preload=("numpy", "cv2", "numba")) as executor,
    ):
        received = ingest_footage(paths, settings.masks, case, run, executor)
        masks = read_given_masks(received, run, executor)
        clips = read_clips(received, masks, run, executor)
        found = locate_in_reference(clips, settings.reference, settings.dem, run, executor)
        clips = with_places(clips, found)
        run.skip(clips.skipped)
        frames = frames_of(
            received.items, received.stored, FrameOptions(crs=settings.crs), clips.frames, masks
        )
        frames = replace(frames, notes=(*frames.notes, *notes_on(received.originals, masks)))
        job = Job(case=case, run=run, executor=executor, settings=settings)
        estimates = estimates_of(frames.frames, settings.quality, executor.workers, run, room)
        estimates.told(progress)
        try:
            with failing_as(ReconstructionError, "poses"):
                cameras = _cameras(frames, control, settings, run, executor)
        except ReconstructionError as error:
            return deliver_index_only(
                job, received, clips, frames, unplaced_reconstruction(frames, error), error
            )
        run.skip(cameras.skipped)
        record_cameras(case, cameras, received)

        surfaces = SurfaceOptions.of(settings.quality.value)
        drawing = replace(surfaces, draw_filled=settings.draw_filled)
        elevation = None
        try:
            with failing_as(SurfaceError, "surface"):
                elevation = run.stage(
                    SURFACE,
                    surfaces,
                    [cameras],
                    lambda files: estimates.checked(
                        SURFACE, lambda: surface_of(cameras, surfaces, files, executor)
                    ),
                )
            with failing_as(SurfaceError, "orthophoto"):
                picture = run.stage(
                    ORTHOPHOTO,
                    drawing,
                    [cameras, elevation],
                    lambda files: estimates.checked(
                        ORTHOPHOTO,
                        lambda: orthophoto_of(cameras, elevation, drawing, files, executor),
                    ),
                )
        except SurfaceError as error:
            return deliver_index_only(job, received, clips, frames, cameras, error, elevation)

        place = (
            mapped_place(cameras, elevation)
            if cameras.crs != LOCAL  # else the pictures give no place, and the telemetry may
            else place_without_map(clips.clips, cameras, settings.crs, settings.dem)
        )
        told, placed = index_footage(job, received, clips, cameras, place)
        deliver_rasters(run, elevation, picture)
        facts = ReportFacts(
            case_name=case.path.name,
            command="aftermap map",
            started_at=run.started_at,
            versions=tuple(run.versions.items()),
            reconstruction=cameras,
            frames=frames,
            ingest_skipped=(*received.skipped, *clips.skipped, *placed.skipped),
            elevation=elevation,
            orthophoto=picture,
            stages=run.records,
            notes=frames.notes,
            clips=told,
        )
        write_cameras_file(case, cameras, frames, facts.ingest_skipped, placed)
        report = run.each_time("report", lambda: write_report(facts, case.products))
        mapped = deliver_map(run, case, report)
        solid = deliver_mesh(run, case, cameras, elevation, picture, executor)
        mapped = replace(mapped, summary_lines=(*mapped.summary_lines, *solid))
        if settings.footprints is None:
            return mapped
        made = Map(cameras=cameras, elevation=elevation, orthophoto=picture)
        try:
            with failing_as(AftermapError, "buildings"):
                graded = grade_map(made, settings, case, run, executor)
                assessed = deliver_assessment(case, run, made, graded)
        except AftermapError as error:
            return deliver_in_part(job, mapped, f"the buildings are not graded: {error}", error)
        return replace(mapped, summary_lines=(*mapped.summary_lines, *assessed.summary_lines))


def _check_inputs(paths: Sequence[Path], settings: Settings) -> ControlFile | None:
    """The control points, if any: what was asked is looked at before a case is made or changed."""
    files_in(paths, settings.masks)
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
    features = run.each_time("features", lambda: extract_features(frames, options, shelf, executor))
    return run.stage(
        POSES,
        options,
        [frames, control],
        lambda files: reconstruct_from_features(
            frames, features, options, files, executor, control
        ),
    )
