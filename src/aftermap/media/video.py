"""One file -> a Clip: that it is a video with pictures in it, and what it claims about itself.

Every packet's time is read and only the first pictures are decoded, so that times are exact and a
clip of an hour costs one reading of the file. Presentation times are in the stream's own time base;
a clock that passes 2**33 ticks (MPEG-TS) is carried on by FFmpeg, at the front as negative times.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median, median_low

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from aftermap.errors import InputError
from aftermap.media.exif import ExifFacts
from aftermap.media.sensors import focal_prior
from aftermap.model.clip import Clip

MIN_SIDE_PX = 64
SUPPORTED = "supported are MP4, MOV, MPEG-TS, MPEG-PS, AVI, Matroska and WebM"
OPEN_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,mpegts,mpeg,avi,matroska,webm",
    "protocol_whitelist": "file",
}
"""A playlist with the ending of a video would make FFmpeg open other files, or the network."""

_COPY_AGAIN = "copy it from the memory card again, or leave it out"
_NO_VIDEO = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
_STRAY_S = 10
_TRIED_PACKETS = 400
"""Packets that are decoded, at most, to find a first picture: more than any group of pictures."""
_FOCAL_TAGS = ("com.apple.quicktime.camera.focal_length.35mm_equivalent",)
_MAKE_TAGS = ("com.apple.quicktime.make", "com.android.manufacturer", "make")
_MODEL_TAGS = ("com.apple.quicktime.model", "com.android.model", "model")
_TIME_TAGS = ("com.apple.quicktime.creationdate", "creation_time", "date")
_MAKERS = ("DJI", "GoPro", "Autel", "Parrot", "Skydio")


@dataclass(frozen=True, kw_only=True)
class _Timing:
    """What the packets say: times of the pictures that will be shown, in ticks, in order.

    The last picture is taken to last as long as most do; ``hidden`` ones are for decoding only.
    """

    ticks: tuple[int, ...]
    last_ticks: int
    broken: int
    hidden: int


@dataclass(frozen=True, kw_only=True)
class _Claims:
    """What the header says. ``pictures`` is how many it announces, 0 where it does not."""

    container: str
    codec: str
    time_base_s: Fraction
    pictures: int
    tags: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """Of a decoded picture: its size, and the clockwise turn that a player would make."""

    size_px: tuple[int, int]
    rotation_deg: int
    oddities: tuple[str, ...]


def probe_video(path: Path, *, name: str, sha256: str) -> Clip:
    """What a video is and claims.

    A clip that is cut short or has damaged packets is a clip, with a note. Raises InputError where
    it cannot be used: of another kind, unreadable, without two pictures that can be decoded, too
    small.
    """
    _refuse_other_kinds(path, name)
    with _open(path, name) as container:
        stream = main_stream(container)
        if stream is None:
            raise InputError(
                f"{name}: contains no video stream that can be decoded; use the original "
                "recording, or convert it to H.264"
            )
        timing = _timing(container, stream, name)
        claims = _claims(container, stream)
    with _open(path, name) as container:
        picture = _first_picture(container, name)
    return _clip(path, name, sha256, timing, claims, picture)


def main_stream(container: InputContainer) -> VideoStream | None:
    """The stream with the most pixels that is no cover picture; the first of equals."""
    streams = [
        s
        for s in container.streams.video
        if getattr(s, "codec_context", None) and not s.disposition & _NO_VIDEO
    ]
    return max(streams, key=lambda s: s.width * s.height, default=None)


def _claims(container: InputContainer, stream: VideoStream) -> _Claims:
    kind = container.format.name.split(",")[0]
    if kind == "mov":
        kind = "mov" if container.metadata.get("major_brand", "").startswith("qt") else "mp4"
    return _Claims(
        container=kind,
        codec=stream.codec_context.name,
        time_base_s=Fraction(stream.time_base or 0),
        pictures=stream.frames,
        tags=_tags(container, stream),
    )


def _clip(
    path: Path, name: str, sha256: str, timing: _Timing, claims: _Claims, picture: _Picture
) -> Clip:
    first, last = timing.ticks[0], timing.ticks[-1]
    make, camera = _camera(claims.tags)
    exif = ExifFacts(
        make=make, model=camera, focal_35mm_mm=_positive(_tag(claims.tags, _FOCAL_TAGS))
    )
    return Clip(
        sha256=sha256,
        name=name,
        size_bytes=path.stat().st_size,
        container=claims.container,
        codec=claims.codec,
        width_px=picture.size_px[0],
        height_px=picture.size_px[1],
        rotation_deg=picture.rotation_deg,
        time_base_s=claims.time_base_s,
        start_s=first * claims.time_base_s,
        duration_s=(last - first + timing.last_ticks) * claims.time_base_s,
        frame_rate_hz=Fraction(len(timing.ticks) - 1, last - first) / claims.time_base_s,
        is_variable_rate=_is_variable(timing.ticks),
        make=make,
        camera=camera,
        recorded_at=_tag(claims.tags, _TIME_TAGS),
        focal=focal_prior(exif, {}, picture.size_px),
        notes=(*_notes(timing, claims.pictures), *picture.oddities),
    )


def _notes(timing: _Timing, announced: int) -> tuple[str, ...]:
    notes = []
    found = len(timing.ticks) + timing.broken + timing.hidden
    if announced > found + 1:
        notes.append(
            f"is truncated: it contains {len(timing.ticks)} of the {announced} frames in its "
            "header; copy it from the memory card again to use the rest"
        )
    if timing.broken:
        notes.append(f"{timing.broken} packets are damaged, or have no time stamp or a wrong one")
    return tuple(notes)


def _timing(container: InputContainer, stream: VideoStream, name: str) -> _Timing:
    """Times of all packets, without decoding. Fewer than two make no clip."""
    in_order: list[int] = []
    broken = hidden = 0
    for packet in _packets(container, stream):
        if packet is None:
            broken += 1
        elif packet.is_discard:
            hidden += 1
        elif packet.size:
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None:
                broken += 1
                continue
            in_order.append(time)
    if not in_order or not stream.time_base:
        raise InputError(f"{name}: contains no frames; {_COPY_AGAIN}")
    strays = _strays(in_order, int(_STRAY_S / stream.time_base))
    ordered = tuple(sorted(set(in_order) - strays))
    broken += len(strays)
    if len(ordered) == 1:
        raise InputError(
            f"{name}: is a video of a single frame and shows no motion; save the frame as a JPEG "
            "and use that"
        )
    steps = [later - earlier for earlier, later in pairwise(ordered)]
    return _Timing(ticks=ordered, last_ticks=median_low(steps), broken=broken, hidden=hidden)


def _strays(in_order: Sequence[int], far: int) -> set[int]:
    """Times that lie far from those before and from those after: a clock does not come back."""
    found = set()
    for index, time in enumerate(in_order):
        after = in_order[index + 1 : index + 4]
        before = in_order[max(0, index - 3) : index] or after
        if not after:
            continue
        if time - max(*before, *after) > far or min(*before, *after) - time > far:
            found.add(time)
    return found


def _packets(
    container: InputContainer, stream: VideoStream
) -> Iterator["av.Packet[VideoStream] | None"]:
    """The packets of a stream; None for one that cannot be read, and an end after many."""
    packets = container.demux(stream)
    failures = 0
    while failures < _TRIED_PACKETS:
        try:
            yield next(packets)
        except StopIteration:
            return
        except FFmpegError:
            failures += 1
            packets = container.demux(stream)
            yield None


def _is_variable(ticks: tuple[int, ...]) -> bool:
    """Whether steps differ by more than the rounding of an even rate to the time base."""
    steps = [later - earlier for earlier, later in pairwise(ticks)]
    usual = median(steps)
    rounding = 1 if usual >= 4 else 0
    return any(abs(step - usual) > rounding for step in steps)


def _first_picture(container: InputContainer, name: str) -> _Picture:
    stream = main_stream(container)
    for tried, packet in enumerate(_packets(container, stream) if stream else ()):
        try:
            pictures = packet.decode() if packet is not None else []
        except FFmpegError:
            pictures = []
        if pictures:
            size_px = pictures[0].width, pictures[0].height
            if min(size_px) < MIN_SIDE_PX:
                raise InputError(
                    f"{name}: is {size_px[0]} x {size_px[1]} pixels, too small to be located "
                    f"(at least {MIN_SIDE_PX} on each side); use the original video"
                )
            return _Picture(
                size_px=size_px,
                rotation_deg=-round(pictures[0].rotation) % 360,
                oddities=tuple(_oddities(stream, pictures[0])) if stream else (),
            )
        if tried >= _TRIED_PACKETS:
            break
    raise InputError(f"{name}: none of its frames can be decoded; {_COPY_AGAIN}")


def _oddities(stream: VideoStream, picture: VideoFrame) -> Iterator[str]:
    """What makes pictures of a video unlike photographs."""
    if picture.interlaced_frame:
        yield (
            "is interlaced: moving edges are combed, which reduces accuracy; use the progressive "
            "original if there is one"
        )
    aspect = stream.sample_aspect_ratio
    if aspect not in (None, 0, 1):
        yield (
            f"has non-square pixels ({float(aspect or 1):.3f} times as wide as high), which "
            "reduces accuracy; convert it to square pixels"
        )


@contextmanager
def _open(path: Path, name: str) -> Iterator[InputContainer]:
    try:
        container = av.open(
            str(path), "r", container_options=OPEN_OPTIONS, metadata_errors="replace"
        )
    except (FFmpegError, OSError) as error:
        raise InputError(f"{name}: {_why_not_opened(path, error)}") from error
    with container:
        yield container


def _why_not_opened(path: Path, error: Exception) -> str:
    boxes = _top_boxes(path)
    if b"ftyp" in boxes and b"moov" not in boxes:
        return (
            "is truncated: the index at the end of the MP4 (moov) is missing; "
            "copy it from the memory card again, or repair it with the drone's software"
        )
    if isinstance(error, FFmpegError) and isinstance(error, ValueError):
        return f"is not a video in a supported format; {SUPPORTED}"
    return f"cannot be opened ({getattr(error, 'strerror', None) or error}); {_COPY_AGAIN}"


def _top_boxes(path: Path) -> set[bytes]:
    """The types of the top-level boxes of an MP4 (ISO/IEC 14496-12, 4.2)."""
    found: set[bytes] = set()
    size_bytes, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at + 8 <= size_bytes and len(found) < 64:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if at + length <= size_bytes or head[4:8] != b"moov":
                found.add(head[4:8])
            if length < 8:
                break
            at += length
    return found


def _refuse_other_kinds(path: Path, name: str) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    if not head:
        raise InputError(f"{name}: is empty; {_COPY_AGAIN}")
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise InputError(f"{name}: is a photograph, not a video; rename it to .jpg or .png")
    if all(byte in b"\t\n\r" or 0x20 <= byte <= 0x7E or byte >= 0x80 for byte in head):
        raise InputError(f"{name}: is a text file, not a video; {SUPPORTED}")


def _tags(container: InputContainer, stream: VideoStream) -> dict[str, str]:
    found = {**stream.metadata, **container.metadata}
    return {key.casefold(): " ".join(value.split())[:64] for key, value in found.items()}


def _tag(tags: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((tags[name] for name in names if tags.get(name)), None)


def _camera(tags: dict[str, str]) -> tuple[str | None, str | None]:
    """Make and model. DJI and GoPro write theirs as the encoder or the handler, if at all."""
    make, model = _tag(tags, _MAKE_TAGS), _tag(tags, _MODEL_TAGS)
    if make is None and model is None:
        for written in (tags.get("encoder", ""), tags.get("handler_name", "")):
            maker = next((m for m in _MAKERS if written.casefold().startswith(m.casefold())), None)
            if maker is not None:
                model = written[len(maker) :].replace("AVC encoder", "").strip()
                return maker, model or None
    return make, model


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < 10_000 else None
