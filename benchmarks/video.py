"""What reading a clip costs: decoding alone against decoding, shots and choosing frames.

``python -m benchmarks.video PHOTOGRAPH [--work DIR]``: makes an 8 s clip (3840 x 2160, HEVC, 25
pictures a second, 60 Mbit/s) of a camera that pans over the photograph, and reads it in processes
of their own, in turn. CPU time is user plus system of all threads, from getrusage(RUSAGE_SELF),
without start-up; the middle of ``REPEATS`` is given.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np

from aftermap.frames.auto_masks import MaskSamples
from aftermap.frames.choose import ChoiceOptions, Chooser
from aftermap.frames.clip_frames import ClipFrameOptions, clip_frames
from aftermap.frames.decode import Losses, decoded_frames
from aftermap.frames.proxy import proxy_of
from aftermap.frames.shots import thumb_of, transitions_in
from aftermap.media import probe_video
from aftermap.model.clip import Clip
from aftermap.record.workspace import StageFolder
from benchmarks.machine import RESULTS, circumstances

SIZE_PX = (3840, 2160)
RATE_HZ, LENGTH_S = 25, 8
BITS_PER_S = 60_000_000
PAN = 1.7
"""Width of the photograph, enlarged if need be, over that of the clip: how far the camera pans."""
REPEATS = 3
GOAL = 1.5


def main() -> None:
    """Make the clip, measure, print and write benchmarks/results/video.json."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("photograph", type=Path)
    words.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "aftermap-video")
    words.add_argument("--measure", choices=sorted(_READINGS))
    given = words.parse_args()
    if given.measure:
        print(json.dumps(_cost_of(_READINGS[given.measure], given.photograph)))
        return
    given.work.mkdir(parents=True, exist_ok=True)
    clip = given.work / "pan.mp4"
    if not clip.exists():
        _make(given.photograph, clip)
    costs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _READINGS}
    for _ in range(REPEATS):
        for kind, found in costs.items():
            found.append(_measured(kind, clip))
    middle = {kind: median(one["cpu_s"] for one in found) for kind, found in costs.items()}
    result = {
        "data": f"{SIZE_PX[0]} x {SIZE_PX[1]} HEVC, {LENGTH_S} s at {RATE_HZ}/s, "
        f"{8e-6 * clip.stat().st_size / LENGTH_S:.0f} Mbit/s, panning over {given.photograph.name}",
        "cpu_s": {kind: round(value, 2) for kind, value in middle.items()},
        "over_decoding": {
            kind: round(value / middle["decode"], 3) for kind, value in middle.items()
        },
        "goal_over_decoding": {"read": GOAL},
        "reached": middle["read"] / middle["decode"] <= GOAL,
        "runs": costs,
        "circumstances": circumstances(),
    }
    (RESULTS / "video.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps({key: result[key] for key in ("data", "cpu_s", "over_decoding", "reached")}))


def _make(photograph: Path, clip: Path) -> None:
    picture = cv2.imread(str(photograph), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    scale = max(1.0, PAN * SIZE_PX[0] / picture.shape[1], PAN * SIZE_PX[1] / picture.shape[0])
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    height, width = picture.shape[:2]
    count = RATE_HZ * LENGTH_S
    options = {"preset": "ultrafast", "g": "25", "x265-params": "log-level=none"}
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx265", rate=RATE_HZ, options=options)
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = BITS_PER_S
        for index in range(count):
            x = index * (width - SIZE_PX[0]) // (count - 1)
            y = index * (height - SIZE_PX[1]) // (count - 1)
            seen = np.ascontiguousarray(picture[y : y + SIZE_PX[1], x : x + SIZE_PX[0]])
            frame = av.VideoFrame.from_ndarray(seen, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, RATE_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _measured(kind: str, clip: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.video", str(clip), "--measure", kind]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    print(kind, found, flush=True)
    return found


def _cost_of(reading: Callable[[Clip, Path], int], path: Path) -> dict[str, Any]:
    clip = probe_video(path, name=path.name, sha256="0" * 64)
    before = resource.getrusage(resource.RUSAGE_SELF)
    count = reading(clip, path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"cpu_s": round(cpu_s, 3), "count": count}


def _decode(_: Clip, path: Path) -> int:
    """Decoding alone; the pictures are counted."""
    return sum(1 for _ in decoded_frames(path, Losses()))


def _read(_: Clip, path: Path) -> int:
    """Decoding, shots and choosing; the chosen frames are counted."""
    options = ChoiceOptions()
    chooser, samples = Chooser(options), MaskSamples()
    thumbs, times_s, chosen = [], [], 0
    looked_s: Fraction | None = None
    for one in decoded_frames(path, Losses()):
        thumbs.append(thumb_of(one.frame))
        times_s.append(one.time_s)
        if looked_s is not None and one.time_s - looked_s < options.every_s:
            continue
        looked_s = one.time_s
        looked = chooser.look(one)
        chosen += len(chooser.offer(looked))
        samples.offer(one, chooser.moved_fraction)
    transitions_in(np.stack(thumbs), times_s)
    return chosen + len(chooser.end())


def _write(clip: Clip, path: Path) -> int:
    """All of it: the chosen frames written as JPEG, and the masks."""
    with tempfile.TemporaryDirectory() as folder:
        return len(
            clip_frames(clip, path, ClipFrameOptions(), StageFolder(folder=Path(folder))).frames
        )


def _proxy(clip: Clip, path: Path) -> int:
    """The copy for playing; its bytes are counted."""
    with tempfile.TemporaryDirectory() as folder:
        return proxy_of(clip, path, StageFolder(folder=Path(folder))).stat().st_size


_READINGS: dict[str, Callable[[Clip, Path], int]] = {
    "decode": _decode,
    "read": _read,
    "read_and_write": _write,
    "proxy": _proxy,
}


if __name__ == "__main__":
    main()
