"""A clip -> its pictures in the order they are shown, each with its exact time.

A time is ``pts * time_base`` as a ``Fraction`` and nothing else: no frame number, no frame rate. A
picture is as coded; no rotation flag is applied. A damaged packet costs the pictures that build on
it, up to the next one that stands alone (at most ``MISTRUST_S``), and is counted.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from aftermap.errors import InputError
from aftermap.geo.arrays import ByteArray

MISTRUST_S = Fraction(2)
"""Streams with a gradual refresh never send a picture that stands alone; two seconds refresh it."""
STRAY_S = Fraction(10)
"""A time this far ahead of the last is believed only if the next picture is there as well."""
OPEN_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,mpegts,mpeg,avi,matroska,webm",
    "protocol_whitelist": "file",
}
"""A playlist with the ending of a video would make FFmpeg open other files, or the network."""

_NO_VIDEO = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
_LUMA_FIRST = ("yuv", "nv12", "nv21", "nv16", "gray", "p0")
_MAX_FAILURES = 10_000
_BACK_S = (Fraction(0), Fraction(3), Fraction(15), None)
"""How far before a moment reading starts; later ones where the first fail, None is the start."""
_READ_ON_S = Fraction(1)
"""A moment this near is reached by reading on, which costs less than a new start."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """One picture of a clip, still in the decoder's own layout, and its time in seconds."""

    time_s: Fraction
    frame: VideoFrame


@dataclass(kw_only=True)
class Losses:
    """What could not be used while a clip was read, counted as it goes."""

    packets: int = 0
    """Packets that could not be read or decoded."""
    mistrusted: int = 0
    """Pictures left out because they build on a damaged one."""
    untimed: int = 0
    """Pictures without a time, or whose time runs backwards."""
    resized: int = 0
    """Pictures of another size than the first."""
    damaged_s: list[Fraction] = field(default_factory=list)
    """The time of the last good picture before each damage."""

    def add_damage(self, last_s: Fraction | None) -> None:
        """Count a damage after the last good picture; a run of them is one."""
        if last_s is not None and last_s not in self.damaged_s[-1:]:
            self.damaged_s.append(last_s)


def decoded_frames(path: Path, losses: Losses) -> Iterator[Decoded]:
    """Every usable picture in the order of their times, which strictly increase."""
    with _open(path) as (container, stream):
        yield from _trusted(_in_decoder(container, stream, losses), losses, from_start=True)


def pictures_at(
    clip_path: Path, times_s: Sequence[Fraction]
) -> Iterator[tuple[Fraction, ByteArray]]:
    """The pictures of exactly these moments, full-size (H, W, 3) uint8 BGR, in order of time.

    Raises InputError for a moment that the clip does not have, or only in a damaged stretch.
    """
    reading: Generator[Decoded] | None = None
    at_s = Fraction(0)
    for time_s in sorted(set(times_s)):
        found = None
        if reading is not None and time_s - at_s <= _READ_ON_S:
            found = _advance_to(reading, time_s)
        for back_s in () if found else _BACK_S:
            if reading is not None:
                reading.close()
            reading = _from(clip_path, None if back_s is None else time_s - back_s)
            found = _advance_to(reading, time_s)
            if found is not None:
                break
        if found is None:
            raise InputError(
                f"{clip_path.name}: has no complete frame at {float(time_s):.3f} s; "
                "give a time that was read from the clip"
            )
        at_s = time_s
        yield time_s, bgr_of(found.frame)


def luma_of(frame: VideoFrame, rows: slice = slice(None), cols: slice = slice(None)) -> ByteArray:
    """The luma as coded, (rows, columns) uint8 from 0 to 255, of some rows and columns.

    Costs little where the picture is planar, as all camera footage is: only what is asked is read.
    """
    kind = frame.format
    bits = kind.components[0].bits
    if not kind.name.startswith(_LUMA_FIRST) or (bits > 8 and kind.is_big_endian):
        return np.asarray(frame.to_ndarray(format="gray")[rows, cols], np.uint8)
    plane = frame.planes[0]
    depth: Any = np.uint8 if bits == 8 else np.uint16
    whole = np.frombuffer(memoryview(plane), depth).reshape(-1, plane.line_size // depth().nbytes)
    part = whole[: frame.height, : frame.width][rows, cols]
    if bits == 8:
        return np.ascontiguousarray(part)
    used = 16 if kind.name.startswith("p0") else bits
    return (part >> (used - 8)).astype(np.uint8)


def small_luma(frame: VideoFrame, width_px: int) -> ByteArray:
    """The luma at a small width, each value the mean of a few; the shape of the picture is kept."""
    height_px = max(2, round(frame.height * width_px / frame.width))
    step = max(1, frame.width // (2 * width_px))
    thin = luma_of(frame, slice(step // 2, None, step), slice(step // 2, None, step))
    small: Any = cv2.resize(thin, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def bgr_of(frame: VideoFrame) -> ByteArray:
    """The whole picture, (rows, columns, 3) uint8: blue, green and red from 0 to 255."""
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _advance_to(reading: Iterator[Decoded], time_s: Fraction) -> Decoded | None:
    """The picture of that moment; None where the reading ends or has gone past it."""
    one = next((one for one in reading if one.time_s >= time_s), None)
    return one if one is not None and one.time_s == time_s else None


def _from(path: Path, time_s: Fraction | None) -> Generator[Decoded]:
    """Pictures from the last one before ``time_s`` that stands alone; None: from the start."""
    losses = Losses()
    with _open(path) as (container, stream):
        if time_s is not None and stream.time_base:
            try:
                container.seek(math.floor(time_s / stream.time_base), stream=stream)
            except FFmpegError:
                return
        in_decoder = _in_decoder(container, stream, losses)
        yield from _trusted(in_decoder, losses, from_start=time_s is None)


def _trusted(
    pictures: Iterator[VideoFrame | None], losses: Losses, *, from_start: bool
) -> Iterator[Decoded]:
    """Pictures with a time of their own that do not build on damage. None marks a damaged packet.

    Not read from the start, nothing is trusted until a picture stands alone. A picture whose time
    leaps far ahead waits for the next: where that one goes on as before, the leap was a stray time.
    """
    waiting: Decoded | None = None
    last_s: Fraction | None = None
    for one in _undamaged(pictures, losses, from_start=from_start):
        if waiting is not None:
            if one.time_s >= waiting.time_s:
                last_s = waiting.time_s
                yield waiting
            else:
                losses.untimed += 1
            waiting = None
        if last_s is not None and one.time_s <= last_s:
            losses.untimed += 1
        elif last_s is not None and one.time_s - last_s > STRAY_S:
            waiting = one
        else:
            last_s = one.time_s
            yield one
    if waiting is not None:
        yield waiting


def _undamaged(
    pictures: Iterator[VideoFrame | None], losses: Losses, *, from_start: bool
) -> Iterator[Decoded]:
    """Pictures that have a time and do not build on damage."""
    last_s: Fraction | None = None
    until_s: Fraction | None = None
    mistrust = not from_start
    for picture in pictures:
        if picture is None or picture.is_corrupt:
            losses.add_damage(last_s)
            mistrust, until_s = True, None if last_s is None else last_s + MISTRUST_S
        if picture is None:
            continue
        time_s = _time_s(picture)
        if picture.key_frame and not picture.is_corrupt:
            mistrust = False
        if until_s is not None and time_s is not None and time_s > until_s:
            mistrust = mistrust and picture.is_corrupt
        if time_s is None:
            losses.untimed += 1
        elif mistrust:
            losses.mistrusted += 1
        else:
            last_s = time_s
            yield Decoded(time_s=time_s, frame=picture)


def _time_s(picture: VideoFrame) -> Fraction | None:
    ticks = picture.pts if picture.pts is not None else picture.dts
    return None if ticks is None or picture.time_base is None else ticks * picture.time_base


def _in_decoder(
    container: InputContainer, stream: VideoStream, losses: Losses
) -> Iterator[VideoFrame | None]:
    """Pictures as the decoder gives them, and None for every packet that it cannot use."""
    packets = container.demux(stream)
    failures = 0
    while failures < _MAX_FAILURES:
        try:
            packet = next(packets)
            pictures = packet.decode()
        except StopIteration:
            return
        except FFmpegError as error:
            if isinstance(error, EOFError):
                return
            failures += 1
            losses.packets += 1
            yield None
            continue
        yield from pictures


@contextmanager
def _open(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        container = av.open(
            str(path), "r", container_options=OPEN_OPTIONS, metadata_errors="replace"
        )
    except (FFmpegError, OSError) as error:
        raise InputError(
            f"{path.name}: cannot be opened as a video ({getattr(error, 'strerror', error)}); run "
            "aftermap verify on the case, the kept copy may be damaged"
        ) from error
    with container:
        streams = [
            s
            for s in container.streams.video
            if getattr(s, "codec_context", None) and not s.disposition & _NO_VIDEO
        ]
        if not streams:
            raise InputError(f"{path.name}: has no video stream; exclude it")
        stream = max(streams, key=lambda s: s.width * s.height)
        stream.thread_type = "AUTO"
        yield container, stream
