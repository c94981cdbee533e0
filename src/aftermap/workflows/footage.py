"""Files and folders that a user named -> originals in the case, its clips, and frames to place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aftermap.frames import FrameOptions, frames_of, notes_on
from aftermap.media import Ingested
from aftermap.model.camera import FrameSet
from aftermap.workflows.clips import (
    Filmed,
    ingest_footage,
    locate_in_reference,
    read_clips,
    read_given_masks,
    with_places,
)
from aftermap.workflows.job import Job
from aftermap.workflows.recorded_run import note_files, note_footage


@dataclass(frozen=True, kw_only=True)
class GivenFootage:
    """What came in: originals, clips with their telemetry, and the frames of both."""

    received: Ingested
    clips: Filmed
    frames: FrameSet


def read_footage(paths: Sequence[Path], job: Job) -> GivenFootage:
    """Originals hashed and kept, clips read, and every frame that is to be placed.

    Raises RefusedFootageError where nothing of it can be used; the case keeps what was received.
    """
    run, executor, settings = job.run, job.executor, job.settings
    received = ingest_footage(paths, settings.masks, job.case, run, executor)
    note_footage(run, received)
    note_files(run, settings)
    masks = read_given_masks(received, run, executor)
    clips = read_clips(received, masks, run, executor)
    found = locate_in_reference(clips, settings.reference, settings.dem, run, executor)
    clips = with_places(clips, found)
    run.skip(clips.skipped)
    options = FrameOptions(crs=settings.crs, confirm_crs=settings.confirm_crs)
    frames = frames_of(received.items, received.stored, options, clips.frames, masks)
    notes = (*frames.notes, *notes_on(received.originals, masks))
    return GivenFootage(received=received, clips=clips, frames=replace(frames, notes=notes))
