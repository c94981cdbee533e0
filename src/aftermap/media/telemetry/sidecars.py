"""Which of the files beside a clip belong to it, by their names."""

import re
from collections.abc import Iterable
from pathlib import Path

from aftermap.media.find import SIDECARS

BESIDE_A_CLIP = SIDECARS | {".raw"}
"""A ``.raw`` beside a clip of its name is telemetry; elsewhere it is a photograph to convert."""
_ADDED = re.compile(
    r"[ _.-]+(clip|log|telemetry|track|gps|klv|data|flight|airdata|litchi|srt|metadata|gpmf)$"
)


def sidecars_of(clip: Path, siblings: Iterable[Path]) -> tuple[Path, ...]:
    """Files of telemetry that are called like the clip, SRT first.

    Case does not matter, nor does a word like "_telemetry" or "_clip" at the end of either name.
    A name that merely begins like the clip's is another clip's: DJI_0001 is not DJI_00010.
    """
    stem = _stem(clip)
    found = [
        path
        for path in siblings
        if path.suffix.lower() in BESIDE_A_CLIP
        and path.parent == clip.parent
        and _stem(path) == stem
    ]
    return tuple(sorted(found, key=lambda path: (path.suffix.lower() != ".srt", path.name)))


def _stem(path: Path) -> str:
    """The name without its endings: "DJI_0001.MP4.srt" is called like "DJI_0001.mp4"."""
    stem = re.sub(r"\.(mp4|mov|ts|m2ts|mts|mpg|mpeg|mkv|avi)$", "", path.stem.casefold())
    while (shorter := _ADDED.sub("", stem)) != stem and shorter:
        stem = shorter
    return stem
