"""Pictures -> what walls look like.

A pixel of a wall's texture is a place on the wall, projected through the camera with its distortion
into the picture that sees its patch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import Array, BoolArray, ByteArray, Int32Array
from aftermap.geo.axes import opencv_from_corner_px
from aftermap.geo.lens import seen_px
from aftermap.geo.masks import covered, read_mask
from aftermap.mesh.walls import Wall, middles_m
from aftermap.model.camera import Camera, PlacedFrame

READ_PX = 3
"""How far around a place a picture is read, in pixels of its own level of the pyramid."""


@dataclass(frozen=True, kw_only=True)
class Rectangle:
    """A wall's texture: its size, and which frame each of its patches is taken from."""

    wall: Wall
    width_px: int
    height_px: int
    source: Int32Array


@dataclass(frozen=True, kw_only=True)
class PictureTask:
    """The rectangles, by number, that want something of one frame; where the answer goes.

    ``index`` is the frame as the rectangles' sources count; ``gain`` its factor of brightness.
    """

    index: int
    placed: PlacedFrame
    camera: Camera
    gain: float
    rectangles: tuple[tuple[int, Rectangle], ...]
    file: str


def write_rectangles(task: PictureTask) -> str:
    """Write what one frame shows of its rectangles: an .npz of a picture and a mask for each.

    Raises SurfaceError where the picture can no longer be read.
    """
    picture = cv2.imread(task.placed.frame.path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise SurfaceError(
            f"{task.placed.frame.name}: can no longer be read, so no wall is textured from it"
        )
    levels: list[ByteArray] = [np.asarray(picture, np.uint8)]
    mask = task.placed.frame.mask
    covering = None if mask is None else read_mask(mask)
    arrays: dict[str, Any] = {}
    for number, rectangle in task.rectangles:
        colours, seen = _read_rectangle(rectangle, task, levels, covering)
        arrays[f"colours-{number}"], arrays[f"mask-{number}"] = colours, seen
    np.savez(task.file, **arrays)
    return task.file


def _read_rectangle(
    rectangle: Rectangle,
    task: PictureTask,
    levels: list[ByteArray],
    covering: ByteArray | None,
) -> tuple[ByteArray, BoolArray]:
    rows, columns = rectangle.height_px, rectangle.width_px
    places = middles_m(rectangle.wall, (rows, columns))
    px = seen_px(places, task.placed.pose, task.camera.params)
    at = opencv_from_corner_px(px).reshape(rows, columns, 2)
    step = _step_px(at)
    level = int(np.clip(np.floor(np.log2(max(step, 1.0))), 0, 6))
    while len(levels) <= level:
        levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.uint8))
    map_px = np.nan_to_num((at + 0.5) / 2**level - 0.5, nan=-1e4).astype(np.float32)
    colours = cv2.remap(
        levels[level],
        map_px[..., 0],
        map_px[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    lit = np.clip(colours[..., ::-1] * task.gain, 0, 255).astype(np.uint8)
    wanted = _spread(rectangle.source == task.index, rows, columns)
    size = np.array([task.camera.width_px, task.camera.height_px])
    with np.errstate(invalid="ignore"):
        shown = ((at >= -0.5) & (at <= size - 0.5)).all(axis=-1)
    if covering is not None:
        shown &= ~covered(covering, task.camera, at + 0.5, reach_px=READ_PX << level)
    return lit, wanted & shown


def _step_px(at: Array) -> float:
    """How many pixels of the picture lie between two of the texture, at the median."""
    steps = [np.linalg.norm(np.diff(at, axis=axis), axis=-1) for axis in (0, 1)]
    sizes = [float(np.nanmedian(s)) for s in steps if s.size and np.isfinite(s).any()]
    return float(np.mean(sizes)) if sizes else 1.0


def _spread(patches: BoolArray, rows: int, columns: int) -> BoolArray:
    """Patches enlarged to (rows, columns) pixels."""
    down = np.arange(rows) * patches.shape[0] // rows
    along = np.arange(columns) * patches.shape[1] // columns
    return patches[np.ix_(down, along)]


def rectangles_of(
    walls: Sequence[Wall], sources: Sequence[Int32Array], *, pixel_m: float, most_px: int
) -> list[Rectangle]:
    """The textures of walls, pixels of ``pixel_m``, none longer than ``most_px``.

    ``sources`` holds for each wall (rows, columns) indices of the frames of its patches.
    """
    return [
        Rectangle(
            wall=wall,
            source=source,
            width_px=int(np.clip(np.ceil(wall.length_m / pixel_m), 2, most_px)),
            height_px=int(np.clip(np.ceil(wall.height_m / pixel_m), 2, most_px)),
        )
        for wall, source in zip(walls, sources, strict=True)
    ]
