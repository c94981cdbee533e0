"""Real drone frames with an outline per building: three stretches that can be mapped.

The data folders hold frames named clip_number.jpg, a mask per frame (0 = nothing, else
``id_in_mask``) and instances.csv. Pixels count from the outer corner of the first one. The MP4 of a
stretch shows its frames in order at ``FPS``, so a moment of it leads back to one of them.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.publish.exchange.cameras import CameraEntry

FPS = 10
CRF = "18"
WIDE_PX = 100
"""An outline must be as wide as this, in so many frames:"""
FEWEST_FRAMES = 3
BEYOND_CORNER = 1.02
"""A lens model may fold what lies farther out than the corners back into the picture."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """The frames of one folder of data whose number lies between two, both included."""

    folder: str
    first: int
    last: int


STRETCHES = {
    "c1": Stretch(folder="dorian_clip1", first=469, last=574),
    "c2a": Stretch(folder="dorian_clip2", first=1, last=110),
    "c2b": Stretch(folder="dorian_clip2", first=382, last=865),
}


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A building in one frame: its value in the frame's mask, and how wide it is."""

    frame: str
    id_in_mask: int
    building: str
    width_px: int


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A stretch as it was labelled. ``buildings`` are those wide enough in enough of ``frames``.

    ``lonlat_deg`` is where the authors of the labels place each building.
    """

    data: Path
    frames: tuple[str, ...]
    buildings: dict[str, tuple[Outline, ...]]
    lonlat_deg: dict[str, tuple[float, float]]

    def picture(self, frame: str) -> ByteArray:
        """(rows, columns, 3) a frame, blue first."""
        return _image(self.data / "frames" / frame, cv2.IMREAD_COLOR)

    def mask(self, frame: str) -> ByteArray:
        """(rows, columns) which outline each pixel of a frame lies in."""
        return _image(self.data / "instances" / f"{Path(frame).stem}.png", cv2.IMREAD_UNCHANGED)


def labelled(data: Path, stretch: Stretch) -> Labelled:
    """The outlines of a stretch; only the wide ones of each building."""
    folder = data / stretch.folder
    frames = tuple(
        path.name
        for path in sorted((folder / "frames").glob("*.jpg"))
        if stretch.first <= int(path.stem.split("_")[1]) <= stretch.last
    )
    outlines = [
        Outline(
            frame=row["frame"],
            id_in_mask=int(row["id_in_mask"]),
            building=row["building"],
            width_px=int(row["x1"]) - int(row["x0"]),
        )
        for row in _rows(folder / "instances.csv")
        if row["frame"] in frames
    ]
    names = sorted({outline.building for outline in outlines})
    wide = {name: _wide(outlines, name) for name in names}
    return Labelled(
        data=folder,
        frames=frames,
        buildings={name: some for name, some in wide.items() if len(some) >= FEWEST_FRAMES},
        lonlat_deg={
            row["building"]: (float(row["lon"]), float(row["lat"]))
            for row in _rows(folder / "buildings.csv")
        },
    )


def _wide(outlines: Iterable[Outline], building: str) -> tuple[Outline, ...]:
    return tuple(o for o in outlines if o.building == building and o.width_px >= WIDE_PX)


def frame_of(entry: CameraEntry, frames: tuple[str, ...]) -> str | None:
    """Which of the frames a camera of a map took, by its name or its moment in the MP4."""
    if entry.clip is None or entry.time_s is None:
        return entry.name if entry.name in frames else None
    number = round(Fraction(entry.time_s) * FPS)
    return frames[number] if 0 <= number < len(frames) else None


def pixels_of(places_m: Array, entry: CameraEntry) -> tuple[Array, BoolArray]:
    """(N, 2) pixels of (N, 3) places in a placed picture, and (N,) which of them it has in it."""
    xyz = (places_m - np.array(entry.position_m)) @ np.array(entry.rotation_cam_from_world).T
    params, size = entry.params or (), np.array([entry.width_px, entry.height_px], float)
    corners = rays_cam(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * size, params)
    widest = BEYOND_CORNER * float(np.hypot(corners[:, 0], corners[:, 1]).max())
    pixels = projected_px(xyz, params)
    framed = ((pixels >= 0) & (pixels < size)).all(axis=1)
    return pixels, framed & (np.hypot(xyz[:, 0], xyz[:, 1]) <= widest * xyz[:, 2])


def write_footage(data: Path, work: Path) -> None:
    """Each stretch below ``work`` as a folder of its frames and as an MP4 in one of its own."""
    for name, stretch in STRETCHES.items():
        one = labelled(data, stretch)
        folder = work / name
        folder.mkdir(parents=True, exist_ok=True)
        for frame in one.frames:
            (folder / frame).write_bytes((one.data / "frames" / frame).read_bytes())
        _write_mp4(one, work / f"{name}_mp4" / f"{name}.mp4")


def _write_mp4(one: Labelled, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = one.picture(one.frames[0]).shape[:2]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv420p"
        stream.options = {"crf": CRF}
        for frame in one.frames:
            picture = av.VideoFrame.from_ndarray(one.picture(frame), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _image(path: Path, kind: int) -> ByteArray:
    found = cv2.imread(str(path), kind)
    if found is None:
        raise SystemExit(f"{path}: cannot be read; is this the folder of the labelled data?")
    return np.asarray(found, np.uint8)
