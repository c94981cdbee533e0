"""Tiny videos made here, with the times and tags that a test needs."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE_PX = (160, 96)


def video(
    path: Path,
    pictures: int = 30,
    *,
    ticks: Sequence[int] | None = None,
    time_base_s: Fraction = Fraction(1, 25),
    tags: Mapping[str, str] | None = None,
    turn_deg: int = 0,
    size_px: tuple[int, int] = SIZE_PX,
    aspect: Fraction | None = None,
) -> Path:
    """A moving pattern in H.264; ``ticks`` are the times of its pictures, by default 0, 1, 2..."""
    pattern = np.random.default_rng(1).integers(0, 255, (size_px[1] // 8 + 1, 90), dtype=np.uint8)
    large = pattern.repeat(8, axis=0).repeat(8, axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"preset": "ultrafast", "bf": "2", "g": "10", "x264-params": "log-level=none"}
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = time_base_s
        stream.time_base = time_base_s
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn_deg:
            stream.set_display_rotation(turn_deg)
        for index in range(pictures):
            part = np.ascontiguousarray(large[: size_px[1], 4 * index : 4 * index + size_px[0]])
            frame = av.VideoFrame.from_ndarray(part, format="gray").reformat(format="yuv420p")
            frame.pts = index if ticks is None else ticks[index]
            frame.time_base = time_base_s
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def sound(path: Path) -> Path:
    """A recording without a picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for index in range(8):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44100, 1024 * index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
