"""A clip -> a small H.264 copy of it for playing, with the same times.

Pictures are as coded (no rotation), at most ``WIDTH_PX`` wide. One picture stands alone every half
second and none looks ahead, so that any moment opens at once. A time is that of the original, less
``proxy_offset_s`` where MP4 cannot hold it; nothing is measured in a proxy.
"""

from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from aftermap.errors import InputError
from aftermap.frames.decode import Losses, decoded_frames
from aftermap.model.clip import Clip
from aftermap.model.runs import Workspace

WIDTH_PX = 1280
QUALITY_CRF = 27
LATEST_START_S = 10
_GROUP_S = Fraction(1, 2)


def proxy_of(clip: Clip, path: Path, files: Workspace) -> Path:
    """The copy for playing, made once. ``path`` is the kept original."""
    return files.item(f"proxies/{clip.sha256}.mp4", lambda part: _write(clip, path, part))


def proxy_offset_s(clip: Clip) -> Fraction:
    """What is added to a time in the proxy to give the time in the clip, mostly 0.

    MP4 has no times before 0, and players show nothing until a late start is reached, so a clip
    that begins there or after ``LATEST_START_S`` begins at 0 in its proxy.
    """
    return Fraction(0) if 0 <= clip.start_s <= LATEST_START_S else clip.start_s


def _write(clip: Clip, path: Path, part: Path) -> None:
    written, offset_s = 0, proxy_offset_s(clip)
    ticks_per_s = clip.time_base_s.denominator
    # the start is kept in an edit list, in the time scale of the whole movie
    settings = {"movflags": "+faststart", "movie_timescale": str(ticks_per_s)}
    with av.open(str(part), "w", format="mp4", options=settings) as container:
        stream = _stream(container, clip)
        time_base_s = Fraction(1, ticks_per_s)
        for one in decoded_frames(path, Losses()):
            small = one.frame.reformat(
                width=stream.width, height=stream.height, format="yuv420p", interpolation="AREA"
            )
            small.pts, small.time_base = int((one.time_s - offset_s) / time_base_s), time_base_s
            small.pict_type = 0
            container.mux(stream.encode(small))
            written += 1
        container.mux(stream.encode(None))
    if not written:
        raise InputError(f"{clip.name}: no frame can be decoded; exclude it")


def _stream(container: OutputContainer, clip: Clip) -> VideoStream:
    rate = clip.frame_rate_hz.limit_denominator(1001)
    group = max(1, round(clip.frame_rate_hz * _GROUP_S))
    options = {
        "preset": "veryfast",
        "crf": str(QUALITY_CRF),
        "g": str(group),
        "bf": "0",
        "x264-params": "log-level=error",
    }
    stream = container.add_stream("libx264", rate=max(rate, Fraction(1)), options=options)
    scale = min(1.0, WIDTH_PX / clip.width_px)
    stream.width = 2 * max(1, round(clip.width_px * scale / 2))
    stream.height = 2 * max(1, round(clip.height_px * scale / 2))
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, clip.time_base_s.denominator)
    stream.codec_context.time_base = Fraction(1, clip.time_base_s.denominator)
    return stream
