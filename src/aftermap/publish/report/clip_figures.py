"""The clips of a run to the figures of its report."""

import math
from collections.abc import Sequence

from aftermap.model.camera import Reconstruction
from aftermap.model.clip import ClipOffsets
from aftermap.model.trajectory import PoseSource, Trajectory
from aftermap.publish.report.contents import ClipFigures, PlacedSeconds
from aftermap.publish.report.facts import ClipFacts


def clip_figures(
    clips: Sequence[ClipFacts], reconstruction: Reconstruction | None
) -> tuple[ClipFigures, ...]:
    """One entry for each clip, in the order in which they were given."""
    offsets = {one.clip_sha256: one for one in reconstruction.offsets} if reconstruction else {}
    placed = [
        one.frame.moment.clip_sha256
        for one in (reconstruction.placed if reconstruction else ())
        if one.frame.moment is not None
    ]
    return tuple(
        _figures(facts, placed.count(facts.clip.sha256), offsets.get(facts.clip.sha256))
        for facts in clips
    )


def _figures(facts: ClipFacts, placed_frames: int, offsets: ClipOffsets | None) -> ClipFigures:
    clip, path = facts.clip, facts.path
    has_time = offsets is not None and offsets.is_determined
    path_notes = () if path is None else tuple(dict.fromkeys(path.notes))
    return ClipFigures(
        name=clip.name,
        sha256=clip.sha256,
        duration_s=float(clip.duration_s),
        shots=facts.shots,
        frames=facts.frames,
        placed_frames=placed_frames,
        telemetry=None if clip.track is None else clip.track.dialect,
        placed=() if path is None else _seconds(path),
        ground=None if facts.index is None else facts.index.ground.value,
        time_offset_s=offsets.time_offset_s if offsets and has_time else None,
        time_sigma_s=offsets.time_sigma_s if offsets and has_time else None,
        height_offset_m=None if offsets is None else offsets.height_offset_m,
        height_sigma_m=None if offsets is None else offsets.height_sigma_m,
        yaw_offset_deg=None if offsets is None else offsets.yaw_offset_deg,
        yaw_sigma_deg=None if offsets is None else offsets.yaw_sigma_deg,
        notes=(*clip.notes, *path_notes, *(facts.index.notes if facts.index else ())),
        not_known=_why_not_known(facts, offsets),
    )


def _seconds(path: Trajectory) -> tuple[PlacedSeconds, ...]:
    """Whole seconds that hold a pose, each counted once, by its surest source."""
    order = list(PoseSource)
    surest: dict[tuple[int, int], PoseSource] = {}
    for pose in path.poses:
        second = pose.shot, math.floor(pose.time_s)
        known = surest.get(second, pose.source)
        surest[second] = min(known, pose.source, key=order.index)
    counted = list(surest.values())
    return tuple(
        PlacedSeconds(source=source.value, seconds=counted.count(source))
        for source in order
        if source in counted
    )


def _why_not_known(facts: ClipFacts, offsets: ClipOffsets | None) -> str | None:
    """Why constants of the telemetry are missing; None where all three are there."""
    if facts.clip.track is None:
        return "no telemetry"
    if offsets is None:
        return "too few of its frames were aligned"
    missing = [
        what
        for what, value in (
            ("time", offsets.time_offset_s if offsets.is_determined else None),
            ("height", offsets.height_offset_m),
            ("yaw", offsets.yaw_offset_deg),
        )
        if value is None
    ]
    reasons = {
        "time": "the time offset needs a flight that turns or changes speed",
        "height": "the height offset needs other images with recorded heights",
        "yaw": "the yaw offset needs oblique views",
    }
    return "; ".join(reasons[what] for what in missing) or None
