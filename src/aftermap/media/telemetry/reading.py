"""Any file that holds telemetry -> a track: what the bytes are decides, and the name only helps.

Each dialect is a row of ``DIALECTS``: how it is told in a sidecar or in a stream of a video, and
what reads it. The rows are tried in their order. docs/architecture.md has a recipe for a new one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aftermap.errors import InputError, NoTelemetryError
from aftermap.geo.great_circle import LonLat
from aftermap.media.find import VIDEOS
from aftermap.media.telemetry.container import DataPacket, data_packets
from aftermap.media.telemetry.draft import Draft
from aftermap.media.telemetry.exiftool import exiftool_draft
from aftermap.media.telemetry.gpmf import Payload, gpmf_draft, is_gpmf
from aftermap.media.telemetry.gpx import gpx_draft
from aftermap.media.telemetry.logs import logs_draft
from aftermap.media.telemetry.misb.stream import KlvPiece, is_klv, misb_draft
from aftermap.media.telemetry.plausibility import believed
from aftermap.media.telemetry.srt import Cue, cues_in, srt_draft
from aftermap.model.telemetry import Track

LARGEST_BYTES = 500_000_000
"""Of a sidecar: a day of flight at 60 Hz. What is larger is something else."""


NO_TELEMETRY = "the video has no supported telemetry"
"""What most clips are, and no fault of theirs."""


def track_in(path: Path, *, name: str, sha256: str, near_lonlat_deg: LonLat | None = None) -> Track:
    """The telemetry in a file. ``near_lonlat_deg`` is where the case is, to check positions with.

    A file without a single position still gives a track, of times, that says so. Nothing
    understood at all is an InputError.

    Raises InputError where the record has no sample at all.
    """
    draft = _video_draft(path, name) if _is_video(path) else _sidecar_draft(path, name)
    if not draft.samples and not draft.refused:
        raise InputError(f"{name}: is {draft.dialect} but contains no samples; leave it out")
    return believed(draft, name=name, sha256=sha256, near_lonlat_deg=near_lonlat_deg)


def _is_video(path: Path) -> bool:
    if path.suffix.lower() in VIDEOS:
        return True
    with path.open("rb") as file:
        head = file.read(400)
    return head[4:8] == b"ftyp" or (len(head) > 376 and head[0] == head[188] == head[376] == 0x47)


def _sidecar_draft(path: Path, name: str) -> Draft:
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{name}: is empty; copy it from the drone's memory card again")
    if size > LARGEST_BYTES:
        raise InputError(f"{name}: is too large for telemetry ({size} bytes); choose another file")
    data = path.read_bytes()
    for dialect in DIALECTS:
        if dialect.read_bytes is not None and dialect.is_bytes(data):
            return dialect.read_bytes(data, name)
    for dialect in DIALECTS:
        if dialect.read_text is not None and path.suffix.lower() == dialect.text_suffix:
            return dialect.read_text(data.decode("utf-8", "replace"), name)
    raise InputError(f"{name}: has no supported telemetry; supported are {_supported()}")


def _srt_text(text: str, name: str) -> Draft:
    return srt_draft(cues_in(text), name)


def _gopro_bytes(data: bytes, name: str) -> Draft:
    return gpmf_draft([Payload(data=data)], name)


def _klv_bytes(data: bytes, name: str) -> Draft:
    return misb_draft([KlvPiece(data=data)], name)


def _video_draft(path: Path, name: str) -> Draft:
    packets = data_packets(path)
    for dialect in DIALECTS:
        for stream in sorted({packet.stream for packet in packets}):
            found = [packet for packet in packets if packet.stream == stream]
            if dialect.read_stream is not None and dialect.is_stream(found):
                return dialect.read_stream(found, path, name)
    raise NoTelemetryError(
        f"{name}: {NO_TELEMETRY}; use its sidecar ({', '.join(file_kinds())}) if there is one"
    )


def _is_subtitles(packets: Sequence[DataPacket]) -> bool:
    return packets[0].kind == "subtitle" and any(
        mark in packets[0].data
        for mark in (b"GPS", b"HOME", b"[iso", b"[latitude", b"F/", b"[fnum")
    )


def _of_subtitles(packets: Sequence[DataPacket], _: Path, name: str) -> Draft:
    cues = [
        Cue(start_s=packet.time_s, text=" ".join(_subtitle_text(packet.data).split()))
        for packet in packets
    ]
    return srt_draft([cue for cue in cues if cue.text], name)


def _subtitle_text(data: bytes) -> str:
    """The text of one subtitle; in MP4 (tx3g) its length stands before it, and styles after it."""
    length = int.from_bytes(data[:2], "big")
    body = data[2 : 2 + length] if data[:1] == b"\0" or length == len(data) - 2 else data
    return body.decode("utf-8", "replace")


def _is_klv(packets: Sequence[DataPacket]) -> bool:
    return packets[0].kind == "data" and any(is_klv(packet.data) for packet in packets[:50])


def _of_klv(packets: Sequence[DataPacket], _: Path, name: str) -> Draft:
    pieces = [
        KlvPiece(data=packet.data, time_s=packet.time_s, is_timed=packet.is_timed)
        for packet in packets
    ]
    return misb_draft(pieces, name)


def _is_gopro(packets: Sequence[DataPacket]) -> bool:
    return packets[0].kind == "data" and is_gpmf(packets[0].data)


def _of_gopro(packets: Sequence[DataPacket], _: Path, name: str) -> Draft:
    payloads = [
        Payload(data=packet.data, time_s=packet.time_s, duration_s=packet.duration_s)
        for packet in packets
    ]
    return gpmf_draft(payloads, name)


def _is_djmd(packets: Sequence[DataPacket]) -> bool:
    """DJI's protobuf track names its format in its first packet, and its handler is "DJI meta"."""
    return "dji meta" in packets[0].label.lower() or b"dvtm_" in packets[0].data[:200]


def _of_djmd(_: Sequence[DataPacket], path: Path, name: str) -> Draft:
    return exiftool_draft(path, name)


def file_kinds() -> tuple[str, ...]:
    """What sidecars are called in messages ("SRT", "KLV"), in the order of ``DIALECTS``."""
    kinds = (one.file_kind or one.text_suffix.removeprefix(".").upper() for one in DIALECTS)
    return tuple(dict.fromkeys(kind for kind in kinds if kind))


def _supported() -> str:
    streams = ", ".join(one.name for one in DIALECTS if one.read_stream is not None)
    return f"{', '.join(file_kinds())} files, and videos with a track of {streams}"


def _never(_: object) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A family of telemetry: each way in which it comes, and the reader that makes a draft of it.

    A sidecar is told by its bytes, or else by its ending and read as UTF-8 text; a stream of a
    video by its packets. A reader raises InputError where nothing in it can be used. What its
    sidecars are called in messages is ``file_kind``, or else its ending.
    """

    name: str
    file_kind: str = ""
    text_suffix: str = ""
    read_text: Callable[[str, str], Draft] | None = None
    is_bytes: Callable[[bytes], bool] = _never
    read_bytes: Callable[[bytes, str], Draft] | None = None
    is_stream: Callable[[Sequence[DataPacket]], bool] = _never
    read_stream: Callable[[Sequence[DataPacket], Path, str], Draft] | None = None


DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        name="DJI subtitles",
        text_suffix=".srt",
        read_text=_srt_text,
        is_stream=_is_subtitles,
        read_stream=_of_subtitles,
    ),
    Dialect(
        name="MISB KLV",
        file_kind="KLV",
        is_bytes=is_klv,
        read_bytes=_klv_bytes,
        is_stream=_is_klv,
        read_stream=_of_klv,
    ),
    Dialect(
        name="GoPro GPMF",
        file_kind="GPMF",
        is_bytes=is_gpmf,
        read_bytes=_gopro_bytes,
        is_stream=_is_gopro,
        read_stream=_of_gopro,
    ),
    Dialect(name="DJI djmd", is_stream=_is_djmd, read_stream=_of_djmd),
    Dialect(name="flight logs", text_suffix=".csv", read_text=logs_draft),
    Dialect(name="GPX", text_suffix=".gpx", read_text=gpx_draft),
)
