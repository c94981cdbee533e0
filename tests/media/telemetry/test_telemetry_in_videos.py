"""Telemetry inside videos: DJI's subtitles and KLV, muxed into small made-up clips."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import OutputContainer
from av.video.stream import VideoStream
from klv_bytes import flight, packet

from aftermap.errors import InputError, NoTelemetryError
from aftermap.media.telemetry import track_in
from aftermap.model.telemetry import Track

RATE_HZ = 25
ASS_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
    b"Style: Default,Arial,16\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
)


def read(path: Path) -> Track:
    return track_in(path, name=path.name, sha256="0" * 64)


def picture_stream(out: OutputContainer, codec: str) -> VideoStream:
    stream = out.add_stream(codec, rate=RATE_HZ)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    return stream


def picture(number: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * (number % 10), np.uint8))
    frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
    return frame


def text_of(number: int) -> bytes:
    return (
        f'<font size="28">FrameCnt: {number}, DiffTime: 40ms\n2026-05-27 13:10:0{number}.015\n'
        f"[iso: 100] [latitude: 35.9500] [longitude: 39.010{number}] "
        "[rel_alt: 5.0 abs_alt: 250.0]</font>"
    ).encode()


def clip_with_subtitles(path: Path, *, is_mp4: bool) -> Path:
    with av.open(str(path), "w") as out:
        video = picture_stream(out, "mpeg4")
        subtitles = out.add_stream("mov_text" if is_mp4 else "subrip")
        subtitles.codec_context.subtitle_header = ASS_HEADER
        for number in range(RATE_HZ):
            out.mux(video.encode(picture(number)))
        out.mux(video.encode())
        for number in range(3):
            text = text_of(number)
            one = av.Packet(len(text).to_bytes(2, "big") + text if is_mp4 else text)
            one.pts = one.dts = number * 1000
            one.duration, one.time_base, one.stream = 1000, Fraction(1, 1000), subtitles
            out.mux(one)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_subtitles_inside_a_clip_are_read_like_a_file_beside_it(
    tmp_path: Path, suffix: str
) -> None:
    track = read(clip_with_subtitles(tmp_path / f"DJI_0001{suffix}", is_mp4=suffix == ".mp4"))
    assert [sample.time_s for sample in track.samples] == [0, 1, 2]
    assert [sample.lonlat_deg for sample in track.samples] == [
        (39.0100, 35.95),
        (39.0101, 35.95),
        (39.0102, 35.95),
    ]
    assert track.samples[2].height_m == 250.0
    assert track.clock == "video"


def clip_with_klv(path: Path, *, sum_off: int = 0) -> Path:
    with av.open(str(path), "w") as out:
        video, data = picture_stream(out, "mpeg2video"), out.add_data_stream("klv")
        for number in range(10):
            one = av.Packet(packet(flight(seconds=number / RATE_HZ), sum_off=sum_off))
            one.time_base, one.stream = Fraction(1, 90_000), data
            one.pts = one.dts = number * 3600
            out.mux(one)
            out.mux(video.encode(picture(number)))
        out.mux(video.encode())
    return path


def test_klv_in_a_transport_stream_is_on_the_clock_of_the_video(tmp_path: Path) -> None:
    track = read(clip_with_klv(tmp_path / "flight.ts"))
    times = [float(sample.time_s) for sample in track.samples]
    assert np.diff(times) == pytest.approx([0.04] * 9)
    assert track.samples[0].lonlat_deg == pytest.approx((39.01, 35.95), abs=1e-6)
    assert track.clock == "video"


def test_klv_of_which_every_checksum_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"flight.ts: no packet .*checksum is wrong"):
        read(clip_with_klv(tmp_path / "flight.ts", sum_off=3))


def test_a_stream_that_is_cut_off_keeps_what_came(tmp_path: Path) -> None:
    path = clip_with_klv(tmp_path / "flight.ts")
    whole = read(path).samples
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    kept = read(path).samples
    assert 4 <= len(kept) <= 8  # of ten, evenly spread
    assert kept == whole[: len(kept)]


def test_a_clip_without_telemetry_says_so(tmp_path: Path) -> None:
    path = tmp_path / "news.mp4"
    with av.open(str(path), "w") as out:
        video = picture_stream(out, "mpeg4")
        out.mux(video.encode(picture(0)))
        out.mux(video.encode())
    with pytest.raises(NoTelemetryError, match="has no supported telemetry"):
        read(path)
