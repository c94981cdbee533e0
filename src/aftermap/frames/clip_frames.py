"""A clip -> its shots, and the pictures of it that are placed like photographs.

One reading of the clip does everything: every picture gives a thumbnail (shots), about twelve a
second are followed (choice), and the chosen ones are written at full size as they come. What lies
in a cut, fade or dissolve is taken back afterwards. Pixels are as coded, times are exact.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from aftermap.errors import InputError
from aftermap.frames.auto_masks import MaskSamples, mask_of
from aftermap.frames.choose import ChoiceOptions, Chooser
from aftermap.frames.decode import Decoded, Losses, bgr_of, decoded_frames
from aftermap.frames.shots import Transition, shots_of, thumb_of, transitions_in
from aftermap.geo.arrays import ByteArray
from aftermap.model.camera import Frame
from aftermap.model.clip import Clip, Moment, Shot
from aftermap.model.runs import Skipped, Workspace

JPEG_QUALITY = 95
STRETCH_S = Fraction(1, 2)
"""Black, frozen and blurred stretches at least this long are listed, each with its times."""
STRETCHES_LISTED = 20
_REASONS = {
    "black": "black frames",
    "frozen": "frozen frames: nothing changes, not even noise; the first frame is used",
    "blurred": "blurred frames: less than about a third as sharp as the frames around them",
}


@dataclass(frozen=True, kw_only=True)
class ClipFrameOptions:
    """How a clip becomes frames."""

    choice: ChoiceOptions = field(default_factory=ChoiceOptions)
    """Which pictures are kept."""
    max_frames_per_shot: int = 300
    """So that a flight of an hour does not fill the machine; what is left out is noted."""


@dataclass(frozen=True, kw_only=True)
class ClipFrames:
    """The shots of a clip, the frames taken out of it, and what was left out and why."""

    clip_sha256: str
    shots: tuple[Shot, ...]
    frames: tuple[Frame, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Kept:
    time_s: Fraction
    file: Path
    sha256: str
    size_px: tuple[int, int]


@dataclass(kw_only=True)
class _Reading:
    """What one reading of a clip leaves."""

    times_s: list[Fraction] = field(default_factory=list)
    thumbs: list[ByteArray] = field(default_factory=list)
    faults: list[tuple[Fraction, str | None]] = field(default_factory=list)
    kept: list[_Kept] = field(default_factory=list)
    samples: MaskSamples = field(default_factory=MaskSamples)
    losses: Losses = field(default_factory=Losses)


def clip_frames(clip: Clip, path: Path, options: ClipFrameOptions, files: Workspace) -> ClipFrames:
    """The frames of a clip, written below ``files``. ``path`` is the kept original.

    Without a single usable picture the clip has no frames, and what was skipped says why.
    """
    reading = _read_clip(clip, path, options.choice, files)
    if not reading.times_s:
        reason = "no frame can be decoded; copy it again from the card, or exclude it"
        skipped = (Skipped(name=clip.name, reason=reason, sha256=clip.sha256),)
        return ClipFrames(clip_sha256=clip.sha256, shots=(), frames=(), skipped=skipped)
    transitions = transitions_in(np.stack(reading.thumbs), reading.times_s)
    shots = shots_of(transitions, reading.times_s, clip.start_s + clip.duration_s)
    frames: list[Frame] = []
    notes = list(clip.notes)
    for shot in shots:
        inside = _in_shot(reading, shot, transitions)
        chosen = _bounded(inside, options.max_frames_per_shot)
        if len(chosen) < len(inside):
            notes.append(_bounded_note(clip, shot, len(inside), len(chosen)))
        mask = _mask(clip, shot, reading, transitions, files)
        frames += [_frame(clip, shot, kept, mask) for kept in chosen]
    _drop_others(reading.kept, frames)
    notes.append(_chosen_note(clip, shots, frames, len(reading.times_s)))
    return ClipFrames(
        clip_sha256=clip.sha256,
        shots=shots,
        frames=tuple(frames),
        skipped=tuple(_skipped(clip, reading, transitions)),
        notes=tuple(notes),
    )


def clock_text(clip: Clip, time_s: Fraction) -> str:
    """The moment as a player shows it, 00:01:23.458, counted from the clip's first picture."""
    thousandths = round((time_s - clip.start_s) * 1000)
    sign, rest = "-" if thousandths < 0 else "", abs(thousandths)
    seconds, ms = divmod(rest, 1000)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


def _read_clip(clip: Clip, path: Path, options: ChoiceOptions, files: Workspace) -> _Reading:
    reading = _Reading()
    chooser = Chooser(options)
    looked_s: Fraction | None = None
    every_s = Fraction(options.every_s).limit_denominator(1000)
    for one in decoded_frames(path, reading.losses):
        if (one.frame.width, one.frame.height) != (clip.width_px, clip.height_px):
            reading.losses.resized += 1
            continue
        reading.times_s.append(one.time_s)
        reading.thumbs.append(thumb_of(one.frame))
        if looked_s is not None and one.time_s - looked_s < every_s:
            continue
        looked_s = one.time_s
        looked = chooser.look(one)
        reading.faults.append((one.time_s, looked.fault))
        now_kept = chooser.offer(looked)
        reading.kept += [_write_frame(clip, kept.decoded, files) for kept in now_kept]
        if looked.fault is None:
            reading.samples.offer(one, chooser.moved_fraction)
    reading.kept += [_write_frame(clip, kept.decoded, files) for kept in chooser.end()]
    return reading


def _write_frame(clip: Clip, one: Decoded, files: Workspace) -> _Kept:
    ticks = one.time_s / clip.time_base_s
    name = f"pictures/{clip.sha256[:16]}/{ticks.numerator}.jpg"
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    done, jpeg = cv2.imencode(".jpg", bgr_of(one.frame), settings)
    if not done:
        raise InputError(f"{clip.name}: a frame cannot be written as JPEG; exclude the clip")
    with files.writing(name) as part:
        part.write_bytes(jpeg.tobytes())
    size_px = one.frame.width, one.frame.height
    sha256 = hashlib.sha256(jpeg.tobytes()).hexdigest()
    return _Kept(time_s=one.time_s, file=files.path(name), sha256=sha256, size_px=size_px)


def _in_shot(reading: _Reading, shot: Shot, transitions: Sequence[Transition]) -> list[_Kept]:
    return [
        kept
        for kept in reading.kept
        if shot.start_s <= kept.time_s < shot.end_s
        and not _is_mixed(kept.time_s, reading.times_s, transitions)
    ]


def _is_mixed(
    time_s: Fraction, times_s: Sequence[Fraction], transitions: Sequence[Transition]
) -> bool:
    """Whether a picture lies in a fade or dissolve."""
    return any(
        times_s[one.first] <= time_s and (one.after >= len(times_s) or time_s < times_s[one.after])
        for one in transitions
        if one.first < one.after
    )


def _bounded(kept: Sequence[_Kept], most: int) -> list[_Kept]:
    """At most that many, spread evenly."""
    if len(kept) <= most:
        return list(kept)
    return [kept[i * (len(kept) - 1) // (most - 1)] for i in range(most)] if most > 1 else []


def _mask(
    clip: Clip,
    shot: Shot,
    reading: _Reading,
    transitions: Sequence[Transition],
    files: Workspace,
) -> str | None:
    """The file of the shot's mask; None where nothing is to be left out."""
    samples = [
        picture
        for time_s, picture in reading.samples.pictures
        if shot.start_s <= time_s < shot.end_s
        and not _is_mixed(time_s, reading.times_s, transitions)
    ]
    mask = mask_of(samples, (clip.width_px, clip.height_px))
    if mask is None:
        return None
    name = f"masks/{clip.sha256[:16]}/{shot.index:04d}.png"
    with files.writing(name) as part:
        part.write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    return str(files.path(name))


def _frame(clip: Clip, shot: Shot, kept: _Kept, mask: str | None) -> Frame:
    make, model = clip.make or "", clip.camera or ""
    who = f"{make} {model}".strip() or "unknown camera"
    return Frame(
        sha256=kept.sha256,
        name=f"{clip.name} {clock_text(clip, kept.time_s)}",
        path=str(kept.file),
        width_px=kept.size_px[0],
        height_px=kept.size_px[1],
        orientation=1,
        camera_key=_camera_key(clip, shot, who),
        focal_px=clip.focal.focal_px,
        focal_sigma_px=clip.focal.sigma_px,
        focal_source=clip.focal.source,
        taken_at=clip.recorded_at,
        moment=Moment(
            clip_sha256=clip.sha256, clip_name=clip.name, time_s=kept.time_s, shot=shot.index
        ),
        mask=mask,
    )


def _camera_key(clip: Clip, shot: Shot, who: str) -> str:
    """One camera for a shot: edited footage cuts between cameras, and between zooms of one."""
    size = f"{clip.width_px}x{clip.height_px}"
    return f"{who} in {clip.name} {clip.sha256[:8]} shot {shot.index} {size}"


def _drop_others(kept: Sequence[_Kept], frames: Sequence[Frame]) -> None:
    """Take back the pictures that were written and then not used."""
    used = {frame.path for frame in frames}
    for one in kept:
        if str(one.file) not in used:
            one.file.unlink(missing_ok=True)


def _skipped(clip: Clip, reading: _Reading, transitions: Sequence[Transition]) -> Iterator[Skipped]:
    """Stretches of the clip without frames, and what damage has cost."""
    stretches = list(_stretches(reading))
    for start_s, end_s, fault in stretches[:STRETCHES_LISTED]:
        name = f"{clip.name} {clock_text(clip, start_s)} to {clock_text(clip, end_s)}"
        yield Skipped(name=name, reason=_REASONS[fault], sha256=clip.sha256)
    if len(stretches) > STRETCHES_LISTED:
        rest = stretches[STRETCHES_LISTED:]
        total_s = float(sum((end_s - start_s for start_s, end_s, _ in rest), Fraction(0)))
        reason = f"{len(rest)} more black, frozen or blurred sections, {total_s:.1f} s in total"
        yield Skipped(name=clip.name, reason=reason, sha256=clip.sha256)
    for one in transitions:
        if one.first < one.after:
            times_s = [
                reading.times_s[min(i, len(reading.times_s) - 1)] for i in (one.first, one.after)
            ]
            name = f"{clip.name} {' to '.join(clock_text(clip, time_s) for time_s in times_s)}"
            yield Skipped(name=name, reason="a fade between two shots", sha256=clip.sha256)
    yield from _lost(clip, reading.losses)


def _stretches(reading: _Reading) -> Iterator[tuple[Fraction, Fraction, str]]:
    """Runs of pictures with one fault, from the first of them to the first after them."""
    ends_s = [time_s for time_s, _ in reading.faults[1:]] + [reading.times_s[-1]]
    spans = [
        (time_s, end_s, fault)
        for (time_s, fault), end_s in zip(reading.faults, ends_s, strict=True)
    ]
    for fault, run in groupby(spans, key=lambda span: span[2]):
        inside = list(run)
        if fault is not None and inside[-1][1] - inside[0][0] >= STRETCH_S:
            yield inside[0][0], inside[-1][1], fault


def _lost(clip: Clip, losses: Losses) -> Iterator[Skipped]:
    if losses.damaged_s:
        shown = ", ".join(clock_text(clip, time_s) for time_s in losses.damaged_s[:5])
        more = f" and {len(losses.damaged_s) - 5} more" if len(losses.damaged_s) > 5 else ""
        reason = (
            f"damaged after {shown}{more}: {losses.packets} packets cannot be decoded, and "
            f"{losses.mistrusted} frames that depend on them are not used"
        )
        yield Skipped(name=clip.name, reason=reason, sha256=clip.sha256)
    elif losses.packets or losses.mistrusted:
        reason = (
            f"damaged at its start: {losses.packets} packets cannot be decoded, and "
            f"{losses.mistrusted} frames that depend on them are not used"
        )
        yield Skipped(name=clip.name, reason=reason, sha256=clip.sha256)
    if losses.untimed:
        reason = (
            f"{losses.untimed} frames have no timestamp, or one that runs backwards or far ahead"
        )
        yield Skipped(name=clip.name, reason=reason, sha256=clip.sha256)
    if losses.resized:
        reason = (
            f"{losses.resized} frames have another size than the first; save them as a separate "
            "clip"
        )
        yield Skipped(name=clip.name, reason=reason, sha256=clip.sha256)


def _chosen_note(clip: Clip, shots: Sequence[Shot], frames: Sequence[Frame], pictures: int) -> str:
    shots_text = "1 shot" if len(shots) == 1 else f"{len(shots)} shots"
    return f"{clip.name}: {len(frames)} of {pictures} frames in {shots_text}, selected by overlap"


def _bounded_note(clip: Clip, shot: Shot, wanted: int, most: int) -> str:
    return (
        f"{clip.name}: shot {shot.index} from {clock_text(clip, shot.start_s)} has {wanted} "
        f"frames at the target overlap; {most} are used, so neighbouring frames overlap less"
    )
