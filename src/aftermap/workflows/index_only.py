"""A run that gives no map: the poses, the index of its clips and the report are delivered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from aftermap.errors import AftermapError, CaseError, ControlError, CrsError, PartialError
from aftermap.geo.crs import LOCAL
from aftermap.media import Ingested
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.raster import Elevation
from aftermap.publish import UnmappedFacts, write_unmapped_report
from aftermap.workflows.clips import Filmed
from aftermap.workflows.deliver_map import (
    Mapped,
    deliver_map,
    deliver_rasters,
    record_cameras,
    remove_stale,
    write_cameras_file,
)
from aftermap.workflows.index_clips import Job, index_footage
from aftermap.workflows.stages import ORTHOPHOTO, SURFACE
from aftermap.workflows.trajectories import MapPlace, mapped_place, place_without_map

AGAIN = "run the same command again with --workers 1 or --quality draft (finished work is kept)"


@contextmanager
def failing_as(kind: type[AftermapError], what: str) -> Iterator[None]:
    """Every failure of the step called ``what`` as one of ``kind``, told in one line.

    A full disk and a damaged case stay what they are: then nothing more can be delivered, and the
    products are left as they were. So does a control file, which only its author can mend. The
    first failure stays the cause, for ``--debug``.
    """
    try:
        yield
    except (kind, CaseError, ControlError, CrsError, OSError):
        raise
    except MemoryError as error:
        raise kind(f"{what}: out of memory; {AGAIN}") from error
    except AftermapError as error:
        raise kind(str(error)) from error
    except Exception as error:
        raise kind(
            f"{what}: stopped by a fault in Aftermap ({type(error).__name__}: {error}); "
            "report it with what the same command says with --debug"
        ) from error


def deliver_index_only(
    job: Job,
    received: Ingested,
    clips: Filmed,
    frames: FrameSet,
    cameras: Reconstruction,
    why: AftermapError,
    elevation: Elevation | None = None,
) -> Mapped:
    """Everything but the map: poses, index, report and, if it was made, the surface.

    Raises ``why`` where no picture was placed and no clip could be indexed: nothing is delivered.
    """
    case, run = job.case, job.run
    place = _place(job, clips, frames, cameras, elevation)
    if place is not None and not cameras.placed:
        cameras = replace(cameras, crs=place.crs)
    told, placed = index_footage(job, received, clips, cameras, place)
    if not cameras.placed and not any(one.index for one in told):
        raise why
    if elevation is None:
        cameras = replace(cameras, no_map_because=str(why))
        run.withdraw(SURFACE)
    run.withdraw(ORTHOPHOTO)
    run.skip(cameras.skipped)
    record_cameras(case, cameras, received)
    if elevation is not None:
        deliver_rasters(run, elevation)
    remove_stale(run, case)
    skipped = (*received.skipped, *clips.skipped, *placed.skipped)
    write_cameras_file(case, cameras, frames, skipped, placed)
    facts = UnmappedFacts(
        case_name=case.path.name,
        command="aftermap map",
        started_at=run.started_at,
        versions=tuple(run.versions.items()),
        reconstruction=cameras,
        frames=frames,
        elevation=elevation,
        why=str(why),
        clips=told,
        ingest_skipped=skipped,
        stages=run.records,
        notes=_notes(job, frames, cameras),
    )
    report = run.each_time("report", lambda: write_unmapped_report(facts, case.products))
    missing = "there is no map" if elevation is None else "there is no orthophoto"
    return deliver_in_part(job, deliver_map(run, case, report), f"{missing}: {why}", why)


def deliver_in_part(job: Job, mapped: Mapped, missing: str, why: AftermapError) -> Mapped:
    """What was delivered, marked with what is missing from it, here and in the record."""
    job.run.mark_partial(missing)
    partial = PartialError(f"done in part: {missing}")
    partial.__cause__ = why
    return replace(mapped, missing=partial)


def _place(
    job: Job,
    clips: Filmed,
    frames: FrameSet,
    cameras: Reconstruction,
    elevation: Elevation | None,
) -> MapPlace | None:
    if elevation is not None and cameras.crs != LOCAL:
        return mapped_place(cameras, elevation)
    asked = job.settings.crs if frames.crs == LOCAL else frames.crs
    return place_without_map(clips.clips, cameras, asked, job.settings.dem)


def _notes(job: Job, frames: FrameSet, cameras: Reconstruction) -> tuple[str, ...]:
    """What a local map lacks, an index does not; where no picture was placed it is not said."""
    local_index = frames.crs == LOCAL and not cameras.placed
    ungraded = ("The buildings were not graded: that needs a map.",)
    return (
        *(() if local_index else frames.notes),
        *(() if job.settings.footprints is None else ungraded),
    )
