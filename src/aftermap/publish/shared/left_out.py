"""Everything that was given and not placed, once each, with the reason it was left out."""

from collections import Counter
from collections.abc import Iterable

from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.runs import Skipped

NO_REASON = "was read but not aligned, and the alignment gave no reason"


def merged(*lists: Iterable[Skipped]) -> tuple[Skipped, ...]:
    """The entries of all the lists. One that a later list repeats is listed once.

    Two files of one name with the same fault stay two: only a repetition *between* lists, where
    a step hands on what it was given, is the same file.
    """
    most: Counter[Skipped] = Counter()
    for skipped in lists:
        most |= Counter(skipped)
    return tuple(most.elements())


def left_out(
    reconstruction: Reconstruction, frames: FrameSet, ingest: Iterable[Skipped]
) -> tuple[Skipped, ...]:
    """What the ingest, the choice of frames and the reconstruction each left out.

    A frame that is neither placed nor named by any of them is listed too, so none can vanish.
    """
    told = merged(ingest, frames.skipped, reconstruction.skipped)
    placed = {placed.frame.sha256 for placed in reconstruction.placed}
    named = {skipped.sha256 for skipped in told} | placed
    nameless = {skipped.name for skipped in told if skipped.sha256 is None}
    silent = tuple(
        Skipped(name=frame.name, reason=NO_REASON, sha256=frame.sha256)
        for frame in frames.frames
        if frame.sha256 not in named and frame.name not in nameless
    )
    return told + silent
