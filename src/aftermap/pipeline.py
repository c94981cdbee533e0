"""Photographs and clips to a map that can be defended: every step, top to bottom."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aftermap.buildings.picture_outlines import known_places_of, outlines_in
from aftermap.config import NEW_FILE, Settings
from aftermap.errors import ReconstructionError, SurfaceError
from aftermap.execute import LocalExecutor
from aftermap.geo.crs import LOCAL, projected_crs
from aftermap.media import files_in
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.outlines import KnownPlace
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Progress
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
from aftermap.sfm.known_places import LEAST_PLACES
from aftermap.surface import SurfaceOptions, orthophoto_of, surface_of
from aftermap.workflows.assess import Map
from aftermap.workflows.deliver_map import deliver_grades, deliver_map
from aftermap.workflows.footage import read_footage
from aftermap.workflows.index_only import deliver_index_only, failing_as
from aftermap.workflows.job import Job
from aftermap.workflows.products import Mapped, record_cameras
from aftermap.workflows.resources import Estimates, RoomAt, estimates_of
from aftermap.workflows.stages import FEATURES, ORTHOPHOTO, POSES, SURFACE


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
    places = _known_places(settings)
    with (
        Case.create_or_open(case_path, settings_text=NEW_FILE) as case,
        Runner(case, command="map", options=settings, progress=progress, fresh=fresh) as run,
        LocalExecutor(workers, progress=progress, preload=("numpy", "cv2", "numba")) as executor,
    ):
        job = Job(case=case, run=run, executor=executor, settings=settings)
        footage = read_footage(paths, job)
        frames = footage.frames
        estimates = estimates_of(frames.frames, settings.quality, executor.workers, run, room)
        estimates.report(progress)
        cameras, elevation = None, None
        try:
            cameras = _place_cameras(frames, control, places, job)
            record_cameras(case, cameras, footage.received)
            elevation = _measure_surface(cameras, job, estimates)
            orthophoto = _draw_orthophoto(cameras, elevation, job, estimates)
        except (ReconstructionError, SurfaceError) as error:
            cameras = cameras or unplaced_reconstruction(frames, error)
            return deliver_index_only(job, footage, cameras, error, elevation)
        made = Map(cameras=cameras, elevation=elevation, orthophoto=orthophoto)
        mapped = deliver_map(made, footage, job)
        return deliver_grades(made, mapped, job) if settings.has_buildings else mapped


def _check_inputs(paths: Sequence[Path], settings: Settings) -> ControlFile | None:
    """The control points, if any: what was asked is looked at before a case is made or changed."""
    files_in(paths, settings.masks)
    if settings.crs is not None:
        projected_crs(settings.crs)
    return None if settings.gcp is None else control_in(settings.gcp, settings.confirm_crs)


def _known_places(settings: Settings) -> tuple[KnownPlace, ...]:
    """The buildings outlined in the pictures whose place is known; none where there are too few."""
    if settings.outlines is None:
        return ()
    places = known_places_of(outlines_in(settings.outlines))
    return places if len(places) >= LEAST_PLACES else ()


def _place_cameras(
    frames: FrameSet, control: ControlFile | None, places: tuple[KnownPlace, ...], job: Job
) -> Reconstruction:
    if control is not None:  # its names and places, before the long work
        survey_of(control, frames.frames, None if frames.crs == LOCAL else frames.crs)
    run, executor = job.run, job.executor
    options = PoseOptions.of(job.settings.quality.value)
    cache = run.item_cache(FEATURES, options)
    with failing_as(ReconstructionError, "poses"):
        features = run.each_time(
            "features", lambda: extract_features(frames, options, cache, executor)
        )
        cameras = run.stage(
            POSES,
            options,
            [frames, control, places] if places else [frames, control],
            lambda files: reconstruct_from_features(
                frames, features, options, files, executor, control, places
            ),
        )
    run.skip(cameras.skipped)
    return cameras


def _measure_surface(cameras: Reconstruction, job: Job, estimates: Estimates) -> Elevation:
    options = SurfaceOptions.of(job.settings.quality.value)
    with failing_as(SurfaceError, "surface"):
        return job.run.stage(
            SURFACE,
            options,
            [cameras],
            lambda files: estimates.run_checked(
                SURFACE, lambda: surface_of(cameras, options, files, job.executor)
            ),
        )


def _draw_orthophoto(
    cameras: Reconstruction, elevation: Elevation, job: Job, estimates: Estimates
) -> Orthophoto:
    asked = job.settings
    options = replace(SurfaceOptions.of(asked.quality.value), draw_filled=asked.draw_filled)
    with failing_as(SurfaceError, "orthophoto"):
        return job.run.stage(
            ORTHOPHOTO,
            options,
            [cameras, elevation],
            lambda files: estimates.run_checked(
                ORTHOPHOTO,
                lambda: orthophoto_of(cameras, elevation, options, files, job.executor),
            ),
        )
