"""What the report is written from: everything a run knows about itself, and nothing else."""

from dataclasses import dataclass

from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Skipped, StageRecord


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """A finished run. ``versions`` are name and version pairs; times are ISO 8601 with a zone.

    ``ingest_skipped`` are the files that never became frames; ``notes`` are sentences other steps
    want the reader to see. Raster paths must open from the current folder.
    """

    case_name: str
    command: str
    versions: tuple[tuple[str, str], ...]
    started_at: str
    reconstruction: Reconstruction
    frames: FrameSet
    ingest_skipped: tuple[Skipped, ...]
    elevation: Elevation
    orthophoto: Orthophoto
    stages: tuple[StageRecord, ...]
    notes: tuple[str, ...] = ()
