"""Clips made here: a camera over a made-up town, edited as needed, encoded by PyAV."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from aftermap.model.clip import Clip
from aftermap.model.media import FocalPrior, FocalSource

SIZE_PX = (320, 180)
Picture = NDArray[np.uint8]


@cache
def town(seed: int) -> Picture:
    """A large picture with detail of all sizes, (1000, 4000, 3) uint8 BGR."""
    rng = np.random.default_rng(seed)
    layers: list[Any] = []
    for cell_px, weight in ((200, 0.25), (50, 0.35), (12, 0.4)):
        cells = rng.uniform(20, 235, (1000 // cell_px + 1, 4000 // cell_px + 1, 3))
        large = cv2.resize(cells.astype(np.float32), (4000, 1000), interpolation=cv2.INTER_NEAREST)
        layers.append(weight * large)
    return np.clip(1.4 * (sum(layers) - 127) + 127, 0, 255).astype(np.uint8)


def view(seed: int, x: float, y: float = 300.0, size_px: tuple[int, int] = SIZE_PX) -> Picture:
    """What a camera sees of a town with its left upper corner there; parts of a pixel count."""
    shift = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
    seen: Any = cv2.warpAffine(town(seed), shift, size_px, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen, np.uint8)


def flight(seed: int, pictures: int, speed_px: float = 3.0, x: float = 100.0) -> list[Picture]:
    """A camera that moves to the right by so many pixels from picture to picture."""
    return [view(seed, x + speed_px * i) for i in range(pictures)]


def dissolve(before: Sequence[Picture], after: Sequence[Picture], pictures: int) -> list[Picture]:
    """The end of one flight mixed into the beginning of another."""
    shares = (np.arange(pictures) + 1) / (pictures + 1)
    mixed = [
        ((1 - share) * old.astype(float) + share * new).astype(np.uint8)
        for share, old, new in zip(shares, before[-pictures:], after[:pictures], strict=True)
    ]
    return [*before[:-pictures], *mixed, *after[pictures:]]


def written(
    path: Path,
    pictures: Iterable[Picture],
    *,
    ticks: Sequence[int] | None = None,
    time_base_s: Fraction = Fraction(1, 25),
    codec: str = "libx264",
    turn_deg: int = 0,
    group: int = 12,
) -> Path:
    """The pictures as a clip; ``ticks`` are their times, by default 0, 1, 2, ..."""
    options = {"g": str(group)}
    if codec == "libx264":
        options |= {"preset": "ultrafast", "crf": "18", "bf": "2", "x264-params": "log-level=none"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = time_base_s
        stream.time_base = time_base_s
        if turn_deg:
            stream.set_display_rotation(turn_deg)
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts = index if ticks is None else ticks[index]
            frame.time_base = time_base_s
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def clip_of(path: Path, **changes: Any) -> Clip:
    """A record of a clip that was written here at 25 pictures a second."""
    facts: dict[str, Any] = {
        "sha256": "c" * 64,
        "name": path.name,
        "size_bytes": path.stat().st_size,
        "container": "mp4",
        "codec": "h264",
        "width_px": SIZE_PX[0],
        "height_px": SIZE_PX[1],
        "time_base_s": Fraction(1, 12800),
        "start_s": Fraction(0),
        "duration_s": Fraction(10),
        "frame_rate_hz": Fraction(25),
        "focal": FocalPrior(focal_px=272.0, sigma_px=54.4, source=FocalSource.ASSUMED),
    }
    return Clip(**(facts | changes))
