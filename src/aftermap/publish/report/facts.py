"""What the report is written from: everything a run knows about itself, and nothing else."""

from dataclasses import dataclass

from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.clip import Clip
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Skipped, StageRecord
from aftermap.model.sighting import ClipIndex
from aftermap.model.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class ClipFacts:
    """A clip: how many shots it has, how many frames were taken out of it, and what came of them.

    ``path`` and ``index`` are None where no moment of it could be placed.
    """

    clip: Clip
    shots: int
    frames: int
    path: Trajectory | None = None
    index: ClipIndex | None = None


@dataclass(frozen=True, kw_only=True)
class IndexOnlyFacts:
    """A finished run that gives no map: its poses, if any, and the index of what its clips saw.

    ``why`` is the error that the map ended with. ``reconstruction`` holds nothing where no picture
    could be placed; ``elevation`` is there where only the orthophoto is missing.
    ``ingest_skipped`` are the files that never became frames, and the clips without a place.
    """

    case_name: str
    command: str
    versions: tuple[tuple[str, str], ...]
    started_at: str
    reconstruction: Reconstruction
    frames: FrameSet
    why: str
    clips: tuple[ClipFacts, ...]
    ingest_skipped: tuple[Skipped, ...]
    elevation: Elevation | None
    stages: tuple[StageRecord, ...]
    notes: tuple[str, ...] = ()


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
    clips: tuple[ClipFacts, ...] = ()
