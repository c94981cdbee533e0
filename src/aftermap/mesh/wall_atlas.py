"""The walls that some picture sees -> their places on pages, and the pages with the pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Int32Array
from aftermap.geo.grid import Block
from aftermap.mesh.atlas import Atlas, pack_rectangles
from aftermap.mesh.colours import hatch_tile
from aftermap.mesh.wall_texture import PictureTask, Rectangle, rectangles_of, write_rectangles
from aftermap.mesh.walls import NO_CAMERA, Wall
from aftermap.model.camera import Reconstruction
from aftermap.model.raster import Orthophoto
from aftermap.model.runs import Executor, Workspace

PAGE_PX = 4096
"""Every graphics card since 2010 takes so large a texture."""


@dataclass(frozen=True, kw_only=True)
class BlockDone:
    """A block's surface in a file, and its walls with the frame that each patch is taken from."""

    block: Block
    file: str
    triangles: int
    walls: tuple[Wall, ...]
    sources: tuple[Int32Array, ...]


@dataclass(frozen=True, kw_only=True)
class WallAtlas:
    """The textured walls of all blocks. ``places`` numbers them by (block, wall of the block)."""

    places: Mapping[tuple[int, int], int]
    rectangles: tuple[Rectangle, ...]
    packed: Atlas

    def on_page(self, number: int, share: Array) -> Array:
        """(N, 2) places on a wall as places on its page, half a pixel inside its rectangle."""
        spot, face = self.packed.spots[number], self.rectangles[number]
        size = np.array([face.width_px, face.height_px])
        page = np.array(self.packed.pages[spot.page])
        inside = np.clip(share * size, 0.5, size - 0.5)
        return np.asarray((np.array([spot.left_px, spot.top_px]) + inside) / page)


def atlas_of(done: Sequence[BlockDone], *, wall_px: int, least_px_m: float) -> WallAtlas:
    """The rectangles of all walls that some picture sees, about ``wall_px`` pixels in all.

    All pixels have one size, none below ``least_px_m``.
    """
    keys = [
        (b, w)
        for b, one in enumerate(done)
        for w, source in enumerate(one.sources)
        if (source != NO_CAMERA).any()
    ]
    walls = [done[b].walls[w] for b, w in keys]
    area = sum((w.length_m + 2 * least_px_m) * (w.height_m + 2 * least_px_m) for w in walls)
    pixel_m = max(least_px_m, float(np.sqrt(area / wall_px)))
    sources = [done[b].sources[w] for b, w in keys]
    rectangles = tuple(rectangles_of(walls, sources, pixel_m=pixel_m, most_px=PAGE_PX))
    sizes = [(r.width_px, r.height_px) for r in rectangles]
    return WallAtlas(
        places={key: number for number, key in enumerate(keys)},
        rectangles=rectangles,
        packed=pack_rectangles(sizes, side_px=PAGE_PX),
    )


def wall_pictures(
    atlas: WallAtlas,
    reconstruction: Reconstruction,
    orthophoto: Orthophoto,
    files: Workspace,
    executor: Executor,
) -> list[str]:
    """Files with what every frame shows of the walls that are textured from it."""
    wanted: dict[int, list[tuple[int, Rectangle]]] = {}
    for number, rectangle in enumerate(atlas.rectangles):
        for index in np.unique(rectangle.source[rectangle.source != NO_CAMERA]):
            wanted.setdefault(int(index), []).append((number, rectangle))
    tasks = [
        PictureTask(
            index=index,
            placed=reconstruction.mapped[index],
            camera=reconstruction.cameras[reconstruction.mapped[index].camera],
            gain=orthophoto.gains[index],
            rectangles=tuple(some),
            file=str(files.path(f"parts/picture-{index:05d}.npz")),
        )
        for index, some in sorted(wanted.items())
    ]
    return list(executor.map(write_rectangles, tasks, label="texturing walls"))


def pages_of(atlas: WallAtlas, pictures: Sequence[str], *, hatch_m: float) -> Iterator[ByteArray]:
    """Every page of the atlas, (rows, columns, 3) uint8 BGR colours.

    It is hatched where no picture shows the wall.
    """
    for number, (width, height) in enumerate(atlas.packed.pages):
        page = np.zeros((height, width, 3), np.uint8)
        on_page = [k for k, spot in enumerate(atlas.packed.spots) if spot.page == number]
        for k in on_page:
            face = atlas.rectangles[k]
            tile_px = hatch_m / (face.wall.length_m / face.width_px)
            page[_window(atlas, k)] = hatch_tile(face.height_px, face.width_px, tile_px=tile_px)
        for name in pictures:
            with np.load(name) as shown:
                for k in on_page:
                    if f"mask-{k}" in shown:
                        mask = shown[f"mask-{k}"]
                        page[_window(atlas, k)][mask] = shown[f"colours-{k}"][mask]
        yield page


def _window(atlas: WallAtlas, number: int) -> tuple[slice, slice]:
    spot, face = atlas.packed.spots[number], atlas.rectangles[number]
    return (
        slice(spot.top_px, spot.top_px + face.height_px),
        slice(spot.left_px, spot.left_px + face.width_px),
    )
