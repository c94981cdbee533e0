"""A map that was made -> its clips' index, rasters, cameras, report and mesh in the case."""

from dataclasses import replace

from aftermap.errors import AftermapError
from aftermap.geo.crs import LOCAL
from aftermap.publish import ReportFacts, write_report
from aftermap.workflows.assess import Map, grade_map
from aftermap.workflows.deliver_assessment import deliver_assessment
from aftermap.workflows.deliver_mesh import deliver_mesh
from aftermap.workflows.footage import GivenFootage
from aftermap.workflows.index_clips import index_footage
from aftermap.workflows.index_only import deliver_in_part, failing_as
from aftermap.workflows.job import Job
from aftermap.workflows.products import (
    Mapped,
    deliver_rasters,
    deliver_report,
    write_cameras_file,
)
from aftermap.workflows.trajectories import MapPlace, mapped_place, place_without_map


def deliver_map(made: Map, footage: GivenFootage, job: Job) -> Mapped:
    """Everything that a map leaves but the grades: index of clips, products, report and mesh."""
    case, run = job.case, job.run
    clips, placed = index_footage(
        job, footage.received, footage.clips, made.cameras, _place(made, footage, job)
    )
    deliver_rasters(run, made.elevation, made.orthophoto)
    facts = ReportFacts(
        case_name=case.path.name,
        command="aftermap map",
        started_at=run.started_at,
        versions=tuple(run.versions.items()),
        reconstruction=made.cameras,
        frames=footage.frames,
        ingest_skipped=(*footage.received.skipped, *footage.clips.skipped, *placed.skipped),
        elevation=made.elevation,
        orthophoto=made.orthophoto,
        stages=run.records,
        notes=footage.frames.notes,
        clips=clips,
    )
    write_cameras_file(case, made.cameras, footage.frames, facts.ingest_skipped, placed)
    report = run.each_time("report", lambda: write_report(facts, case.products))
    mapped = deliver_report(run, case, report)
    solid = deliver_mesh(run, case, made.cameras, made.elevation, made.orthophoto, job.executor)
    return replace(mapped, summary_lines=(*mapped.summary_lines, *solid))


def deliver_grades(made: Map, mapped: Mapped, job: Job) -> Mapped:
    """The buildings of the map graded; where that fails the map stays and says what is missing."""
    try:
        with failing_as(AftermapError, "buildings"):
            graded = grade_map(made, job.settings, job.case, job.run, job.executor)
            assessed = deliver_assessment(job.case, job.run, made, graded)
    except AftermapError as error:
        return deliver_in_part(job, mapped, f"the buildings are not graded: {error}", error)
    return replace(mapped, summary_lines=(*mapped.summary_lines, *assessed.summary_lines))


def _place(made: Map, footage: GivenFootage, job: Job) -> MapPlace | None:
    """Where the clips are looked for; telemetry may give a place where the pictures give none."""
    if made.cameras.crs != LOCAL:
        return mapped_place(made.cameras, made.elevation)
    settings = job.settings
    return place_without_map(
        footage.clips.clips, made.cameras, settings.crs, settings.dem, settings.confirm_crs
    )
