"""A video file -> its data and subtitle packets, each with its time on the clock of the video.

KLV in a transport stream may come without times of its own. It then lies in the file beside the
pictures it belongs to, and takes the time of the picture that follows.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from aftermap.errors import InputError


@dataclass(frozen=True, kw_only=True)
class DataPacket:
    """One packet of a track that is neither picture nor sound.

    ``kind`` is "subtitle" or "data", ``label`` what the container calls the track. ``duration_s``
    is 0 where the container does not say. ``is_timed`` is False where the time was borrowed.
    """

    stream: int
    kind: str
    label: str
    time_s: Fraction
    duration_s: Fraction
    is_timed: bool
    data: bytes


def data_packets(path: Path) -> tuple[DataPacket, ...]:
    """Packets in the order of the file; one that is damaged ends the reading, not the program.

    Raises InputError where the file cannot be opened as a video.
    """
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(
            f"{path.name}: cannot be opened as a video ({_why(error)}); it may be truncated or in "
            "another format; copy it from its source again"
        ) from error
    found: list[tuple[int, DataPacket]] = []
    pictures: list[tuple[int, Fraction]] = []
    with container:
        for packet in _whole(container):
            kind = packet.stream.type
            stamp = packet.pts if packet.pts is not None else packet.dts
            time_s = Fraction(stamp * packet.time_base) if stamp is not None else None
            if kind == "video" and time_s is not None:
                pictures.append((packet.pos or 0, time_s))
            if kind in ("data", "subtitle") and packet.size:
                found.append((packet.pos or 0, _data_packet(packet, time_s)))
    return _timed(found, sorted(pictures))


def _whole(container: "av.container.InputContainer") -> Iterator["av.Packet[Any]"]:
    demuxer = container.demux()
    while True:
        try:
            yield next(demuxer)
        except (StopIteration, av.error.FFmpegError):
            return


def _data_packet(packet: "av.Packet[Any]", time_s: Fraction | None) -> DataPacket:
    length = (packet.duration or 0) * (packet.time_base or 0)
    return DataPacket(
        stream=packet.stream.index,
        kind=packet.stream.type,
        label=packet.stream.metadata.get("handler_name", "").strip(),
        time_s=time_s if time_s is not None else Fraction(0),
        duration_s=Fraction(length),
        is_timed=time_s is not None,
        data=bytes(packet),
    )


def _timed(
    found: Sequence[tuple[int, DataPacket]], pictures: Sequence[tuple[int, Fraction]]
) -> tuple[DataPacket, ...]:
    """Packets without a time get that of the picture that follows them in the file."""
    places = [place for place, _ in pictures]
    timed = []
    for place, packet in found:
        if packet.is_timed or not pictures:
            timed.append(packet)
        else:
            _, time_s = pictures[min(bisect_right(places, place), len(pictures) - 1)]
            timed.append(replace(packet, time_s=time_s))
    return tuple(timed)


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).splitlines()[0].lower()
