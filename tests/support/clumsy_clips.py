"""Clips as clumsy and hostile people bring them: a still camera over noise, and what goes wrong."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from klv_bytes import linear_signed_bytes, linear_unsigned_bytes, packet

SIZE = (320, 180)
RATE_HZ = 5
LON, LAT = 39.0088, 35.95


def hover(
    path: Path,
    seed: int,
    *,
    pictures: int = 15,
    ticks: Sequence[int] | None = None,
    time_base_s: Fraction = Fraction(1, RATE_HZ),
    turn_deg: int = 0,
    klv: Sequence[bytes] = (),
) -> Path:
    """A camera that does not move, with the noise of a sensor; every seed is another place."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 235, (23, 40)).astype(np.float32)
    ground = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
    ground = ground + cv2.resize(rng.normal(0, 25, (90, 160)).astype(np.float32), SIZE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        options = {"preset": "ultrafast", "crf": "20", "bf": "0", "x264-params": "log-level=none"}
        stream = out.add_stream("libx264", rate=RATE_HZ, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = stream.time_base = time_base_s
        if turn_deg:
            stream.set_display_rotation(turn_deg)
        data = out.add_data_stream("klv") if klv else None
        for number in range(pictures):
            noisy = np.clip(ground + rng.normal(0, 4, ground.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="gray")
            frame.pts = number if ticks is None else ticks[number]
            frame.time_base = time_base_s
            for packet in stream.encode(frame):
                out.mux(packet)
            if data is not None:
                one = av.Packet(klv[number % len(klv)])
                one.time_base, one.stream = Fraction(1, 90_000), data
                one.pts = one.dts = number * 90_000 // RATE_HZ
                out.mux(one)
        out.mux(stream.encode(None))
    return path


def with_stray_time(source: Path, target: Path, picture: int, to_tick: int) -> Path:
    """The same clip, one picture of which says that it is of a far later time."""
    with av.open(str(source)) as read, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(p for p in read.demux(video=0) if p.size):
            if number == picture:
                packet.pts = to_tick
            packet.stream = stream
            out.mux(packet)
    return target


def srt(
    path: Path,
    *,
    seconds: float = 3.0,
    places: bool = True,
    lat_deg: float = LAT,
    jump_at: int | None = None,
) -> Path:
    """DJI's subtitles of a hover at 60 m, five a second, that look down at 50 degrees."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cues = []
    for number in range(round(seconds * RATE_HZ)):
        start, end = number * 200, number * 200 + 200
        lat = lat_deg + (1.0 if number == jump_at else 0.0)
        place = (
            f"[latitude: {lat:.7f}] [longitude: {LON:.7f}] [rel_alt: 60.0 abs_alt: 310.0] "
            "[gb_yaw: 30.0 gb_pitch: -50.0 gb_roll: 0.0]"
        )
        cues.append(
            f"{number + 1}\n{_clock(start)} --> {_clock(end)}\n"
            f'<font size="28">FrameCnt: {number + 1}, DiffTime: 200ms\n'
            f"2025-04-12 13:40:{start // 1000:02d}.{start % 1000:03d}\n"
            f"[iso: 100] [shutter: 1/1000.0] [fnum: 2.8] [focal_len: 24.00] "
            f"{place if places else ''}</font>\n"
        )
    path.write_text("\n".join(cues), encoding="utf-8")
    return path


def klv(number: int, *, lat_deg: float = LAT, sum_off: int = 0) -> bytes:
    """A packet of ST 0601; a latitude over 90 is written as "out of range"."""
    latitude = b"\x80\0\0\0" if abs(lat_deg) > 90 else linear_signed_bytes(lat_deg, 90, 4)
    items = {
        2: (1_600_000_000_000_000 + number * 200_000).to_bytes(8, "big"),
        5: linear_unsigned_bytes(30.0, 0, 360, 2),
        6: linear_signed_bytes(0, 20, 2),
        7: linear_signed_bytes(0, 50, 2),
        13: latitude,
        14: linear_signed_bytes(LON, 180, 4),
        15: linear_unsigned_bytes(310, -900, 19_000, 2),
        16: linear_unsigned_bytes(60, 0, 180, 2),
        18: linear_unsigned_bytes(0, 0, 360, 4),
        19: linear_signed_bytes(-50, 180, 4),
        20: linear_unsigned_bytes(0, 0, 360, 4),
    }
    return packet(items, sum_off=sum_off)


def _clock(ms: int) -> str:
    return f"00:{ms // 60_000:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"
