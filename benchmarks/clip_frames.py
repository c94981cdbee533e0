"""Frames of a case beside the pictures of the twin's clips that they are."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any


def matched(
    clip: Mapping[str, Any], frames: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The case's frames of a clip, each with the true frame nearest in time (half a frame away)."""
    fps, name = Fraction(clip["fps"]), Path(clip["clip"]).name
    first = Fraction(clip["first_pts_s"])
    found = []
    for entry in frames:
        if entry.get("clip") is None or Path(entry["clip"]).name != name:
            continue
        time_s = Fraction(str(entry["time_s"]))
        number = round((time_s - first) * fps)
        if 0 <= number < len(clip["frames"]) and abs((time_s - first) * fps - number) < 0.5:
            found.append((entry, clip["frames"][number]))
    return found
