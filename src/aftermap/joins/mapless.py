"""Footage without a map: the index of the clips that telemetry places all the same."""

from dataclasses import replace

from aftermap.errors import AftermapError
from aftermap.geo.crs import LOCAL
from aftermap.joins.flights import place_without_map
from aftermap.joins.footage import Filmed
from aftermap.joins.indexing import Job, flown
from aftermap.joins.meshing import OF_A_MESH
from aftermap.joins.products import Mapped, cameras_file, delivered_map, record_cameras
from aftermap.media import Ingested
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.publish import UnmappedFacts, write_unmapped_report

OF_A_MAP = ("orthophoto.tif", "source.tif", "surface.tif", "confidence.tif", *OF_A_MESH)


def without_map(
    job: Job,
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
    told, placed = flown(job, received, clips, cameras, place)
    if not any(one.index for one in told):
        raise why
    run.skip(cameras.skipped)
    record_cameras(case, cameras, received)
    for name in OF_A_MAP:  # of an earlier run: the cameras beside them would not be theirs
        (case.products / name).unlink(missing_ok=True)
    skipped = (*received.skipped, *clips.skipped, *placed.skipped)
    cameras_file(case, cameras, frames, skipped, placed)
    facts = UnmappedFacts(
        case_name=case.path.name, command="aftermap map", started_at=run.started_at,
        versions=tuple(run.versions.items()), crs=place.crs, why=str(why), clips=told,
        skipped=tuple(dict.fromkeys((*skipped, *cameras.skipped))), stages=run.records,
        notes=() if frames.crs == LOCAL else frames.notes,  # what a local map lacks, no index does
    )  # fmt: skip
    report = run.each_time("report", lambda: write_unmapped_report(facts, case.products))
    return delivered_map(run, case, replace(report, warnings=(f"there is no map: {why}",)))
