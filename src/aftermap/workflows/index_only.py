"""A run that gives no map: the poses, the index of its clips and the report are delivered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from aftermap.errors import AftermapError, CaseError, ControlError, CrsError, PartialError
from aftermap.geo.crs import LOCAL
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.raster import Elevation
from aftermap.model.runs import Skipped
from aftermap.publish import ClipFacts, IndexOnlyFacts, write_index_only_report
from aftermap.workflows.footage import GivenFootage
from aftermap.workflows.index_clips import index_footage
from aftermap.workflows.job import Job
from aftermap.workflows.products import (
    Mapped,
    deliver_rasters,
    deliver_report,
    record_cameras,
    remove_stale,
    write_cameras_file,
)
from aftermap.workflows.stages import ORTHOPHOTO, SURFACE
from aftermap.workflows.trajectories import MapPlace, mapped_place, place_without_map

AGAIN = "run the same command again with --workers 1 or --quality draft (finished work is kept)"


@contextmanager
def failing_as(kind: type[AftermapError], what: str) -> Iterator[None]:
    """Every failure of the step called ``what`` as one of ``kind``, told in one line.

    A full disk and a damaged case stay what they are: then nothing more can be delivered, and
    the
    products are left as they were. So does a control file, which only its author can mend. The
    first failure stays the cause, for ``--debug``.

    Raises ``kind`` for every other failure.
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
            f"{what}: internal error in Aftermap ({type(error).__name__}: {error}); report it "
            "with the output of the same command with --debug"
        ) from error


def deliver_index_only(
    job: Job,
    footage: GivenFootage,
    cameras: Reconstruction,
    why: AftermapError,
    elevation: Elevation | None = None,
) -> Mapped:
    """Everything but the map: poses, index, report and, if it was made, the surface.

    Raises ``why`` where no picture was placed and no clip could be indexed: nothing is delivered.
    """
    case, run = job.case, job.run
    received, clips, frames = footage.received, footage.clips, footage.frames
    place = _place(job, footage, cameras, elevation)
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
    facts = _facts(job, footage, cameras, elevation, told, skipped, why)
    report = run.each_time("report", lambda: write_index_only_report(facts, case.products))
    missing = "there is no map" if elevation is None else "there is no orthophoto"
    return deliver_in_part(job, deliver_report(run, case, report), f"{missing}: {why}", why)


def deliver_in_part(job: Job, mapped: Mapped, missing: str, why: AftermapError) -> Mapped:
    """What was delivered, marked with what is missing from it, here and in the record."""
    job.run.mark_partial(missing)
    partial = PartialError(f"done in part: {missing}")
    partial.__cause__ = why
    return replace(mapped, missing=partial)


def _facts(
    job: Job,
    footage: GivenFootage,
    cameras: Reconstruction,
    elevation: Elevation | None,
    clips: tuple[ClipFacts, ...],
    skipped: tuple[Skipped, ...],
    why: AftermapError,
) -> IndexOnlyFacts:
    return IndexOnlyFacts(
        case_name=job.case.path.name,
        command="aftermap map",
        started_at=job.run.started_at,
        versions=tuple(job.run.versions.items()),
        reconstruction=cameras,
        frames=footage.frames,
        elevation=elevation,
        why=str(why),
        clips=clips,
        ingest_skipped=skipped,
        stages=job.run.records,
        notes=_notes(job, footage.frames, cameras),
    )


def _place(
    job: Job, footage: GivenFootage, cameras: Reconstruction, elevation: Elevation | None
) -> MapPlace | None:
    if elevation is not None and cameras.crs != LOCAL:
        return mapped_place(cameras, elevation)
    asked = job.settings.crs if footage.frames.crs == LOCAL else footage.frames.crs
    settings = job.settings
    return place_without_map(
        footage.clips.clips, cameras, asked, settings.dem, settings.confirm_crs
    )


def _notes(job: Job, frames: FrameSet, cameras: Reconstruction) -> tuple[str, ...]:
    """What a local map lacks, an index does not; where no picture was placed it is not said."""
    local_index = frames.crs == LOCAL and not cameras.placed
    ungraded = ("The buildings were not graded: grading needs a map.",)
    return (
        *(() if local_index else frames.notes),
        *(ungraded if job.settings.has_buildings else ()),
    )
