"""Blocks of surface and walls, and their textures -> one glTF file.

Of every block there is one node: its ground and roofs with a texture of their own, its walls with
pages of an atlas that all blocks share, and its walls that nobody saw with a hatch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aftermap.geo.grid import Block, window_of
from aftermap.mesh.atlas import Atlas, packed
from aftermap.mesh.colours import ground_texture, hatch
from aftermap.mesh.gltf import GlbWriter, Triangles
from aftermap.mesh.options import MeshOptions
from aftermap.mesh.steps import Array, Numbers
from aftermap.mesh.texture import PictureTask, Rectangle, picture_done, rectangles_of
from aftermap.mesh.walls import NOBODY, Wall
from aftermap.model.camera import Reconstruction
from aftermap.model.mesh import Mesh
from aftermap.model.raster import Elevation, Grid, Orthophoto
from aftermap.model.runs import Executor, Workspace

PAGE_PX = 4096
STEPS_PER_CELL = 64
MOST_STEPS = 65535
HATCH_TILE_PX = 64
HATCH_CELLS = 24.0
"""One tile of the hatch spans so many cells on the ground or a wall."""

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class BlockDone:
    """A block's surface in a file, and its walls with the frame that each patch is taken from."""

    block: Block
    file: str
    triangles: int
    walls: tuple[Wall, ...]
    sources: tuple[Numbers, ...]


@dataclass(frozen=True, kw_only=True)
class _Faces:
    """The textured walls of all blocks: which they are, their rectangles and places."""

    keys: tuple[tuple[int, int], ...]
    rectangles: tuple[Rectangle, ...]
    atlas: Atlas


def scene_written(  # noqa: PLR0913, PLR0917 - the parts of a scene
    mesh: Mesh,
    done: Sequence[BlockDone],
    grid: Grid,
    reconstruction: Reconstruction,
    elevation: Elevation,
    orthophoto: Orthophoto,
    options: MeshOptions,
    files: Workspace,
    executor: Executor,
) -> None:
    """Write the file that ``mesh`` names."""
    least_px_m = orthophoto.image.grid.cell_m
    faces = _faces_of(done, options, least_px_m)
    pictures = _pictures(faces, reconstruction, orthophoto, files, executor)
    hatch_m = HATCH_CELLS * grid.cell_m
    with GlbWriter(Path(mesh.mesh), _extras(mesh)) as out:
        tile = hatch(HATCH_TILE_PX, HATCH_TILE_PX, tile_px=HATCH_TILE_PX)
        nobody = out.material("not seen", tile, quality=95, repeats=True)
        pages = [
            out.material(f"walls {number}", page, quality=options.jpeg_quality)
            for number, page in enumerate(_pages(faces, pictures, hatch_m))
        ]
        pixel_m = _ground_pixel_m(done, grid, options, least_px_m)
        for index, one in enumerate(done):
            cells = window_of(grid, one.block)
            pixels = _pixels_over(cells, pixel_m)
            ground = out.material(
                f"ground {one.block.row} {one.block.column}",
                ground_texture(orthophoto.image, elevation.confidence, pixels, hatch_m=hatch_m),
                quality=options.jpeg_quality,
            )  # fmt: skip
            _block_written(out, mesh, (index, one), (cells, pixels), faces, (ground, nobody, pages))


def _extras(mesh: Mesh) -> dict[str, object]:
    facts = asdict(mesh)
    kept = ("crs", "triangles", "walls", "point_count")
    share = mesh.walls_textured_fraction
    return {
        "format": f"aftermap-mesh/{FORMAT_VERSION}", "vertical_datum": mesh.vertical_datum.value,
        "origin_m": list(mesh.origin_m), "axes": "x east, y up, z south, from origin_m",
        "walls_textured_fraction": None if np.isnan(share) else round(share, 4),
        **{name: facts[name] for name in kept},
    }  # fmt: skip


def _faces_of(done: Sequence[BlockDone], options: MeshOptions, least_px_m: float) -> _Faces:
    """The rectangles of all walls that some picture sees, in pixels of one size."""
    keys = tuple(
        (b, w) for b, one in enumerate(done) for w, source in enumerate(one.sources)
        if (source != NOBODY).any()
    )  # fmt: skip
    walls = [done[b].walls[w] for b, w in keys]
    area = sum((w.length_m + 2 * least_px_m) * (w.height_m + 2 * least_px_m) for w in walls)
    pixel_m = max(least_px_m, float(np.sqrt(area / options.wall_px)))
    sources = [done[b].sources[w] for b, w in keys]
    rectangles = tuple(rectangles_of(walls, sources, pixel_m=pixel_m, most_px=PAGE_PX))
    sizes = [(r.width_px, r.height_px) for r in rectangles]
    return _Faces(keys=keys, rectangles=rectangles, atlas=packed(sizes, side_px=PAGE_PX))


def _pictures(
    faces: _Faces,
    reconstruction: Reconstruction,
    orthophoto: Orthophoto,
    files: Workspace,
    executor: Executor,
) -> list[str]:
    """Files with what every frame shows of the walls that are textured from it."""
    wanted: dict[int, list[tuple[int, Rectangle]]] = {}
    for number, rectangle in enumerate(faces.rectangles):
        for index in np.unique(rectangle.source[rectangle.source != NOBODY]):
            wanted.setdefault(int(index), []).append((number, rectangle))
    tasks = [
        PictureTask(
            index=index, placed=reconstruction.mapped[index],
            camera=reconstruction.cameras[reconstruction.mapped[index].camera],
            gain=orthophoto.gains[index], rectangles=tuple(some),
            file=str(files.path(f"parts/picture-{index:05d}.npz")),
        )
        for index, some in sorted(wanted.items())
    ]  # fmt: skip
    return list(executor.map(picture_done, tasks, label="texturing walls"))


def _pages(
    faces: _Faces, pictures: Sequence[str], hatch_m: float
) -> Iterator[npt.NDArray[np.uint8]]:
    """Every page of the atlas, hatched where no picture shows the wall."""
    for number, (width, height) in enumerate(faces.atlas.pages):
        page = np.zeros((height, width, 3), np.uint8)
        on_page = [k for k, spot in enumerate(faces.atlas.spots) if spot.page == number]
        for k in on_page:
            spot, face = faces.atlas.spots[k], faces.rectangles[k]
            pixel_m = face.wall.length_m / face.width_px
            page[spot.top_px : spot.top_px + face.height_px,
                 spot.left_px : spot.left_px + face.width_px] = hatch(
                face.height_px, face.width_px, tile_px=hatch_m / pixel_m)  # fmt: skip
        for name in pictures:
            with np.load(name) as shown:
                for k in on_page:
                    if f"mask-{k}" in shown:
                        spot, mask = faces.atlas.spots[k], shown[f"mask-{k}"]
                        rows, columns = mask.shape
                        at = np.s_[spot.top_px : spot.top_px + rows,
                                   spot.left_px : spot.left_px + columns]  # fmt: skip
                        page[at][mask] = shown[f"colours-{k}"][mask]
        yield page


def _ground_pixel_m(
    done: Sequence[BlockDone], grid: Grid, options: MeshOptions, least_px_m: float
) -> float:
    """The size of the ground textures' pixels: that of the orthophoto, or as many as are allowed."""
    area = sum(one.block.rows * one.block.columns for one in done) * grid.cell_m**2
    return max(least_px_m, float(np.sqrt(area / options.ground_px)))


def _pixels_over(cells: Grid, pixel_m: float) -> Grid:
    """Square pixels over a block of cells, a whole number of them across."""
    columns = max(2, round(cells.columns * cells.cell_m / pixel_m))
    size_m = cells.columns * cells.cell_m / columns
    return Grid(
        crs=cells.crs, east_m=cells.east_m, north_m=cells.north_m, cell_m=size_m,
        columns=columns, rows=max(2, int(np.ceil(cells.rows * cells.cell_m / size_m - 1e-6))),
    )  # fmt: skip


def _block_written(
    out: GlbWriter,
    mesh: Mesh,
    numbered: tuple[int, BlockDone],
    grids: tuple[Grid, Grid],
    faces: _Faces,
    materials: tuple[int, int, list[int]],
) -> None:
    """The node of one block: ground and roofs, textured walls, hatched walls."""
    (index, one), (cells, pixels) = numbered, grids
    with np.load(one.file) as file:
        xyz, triangles = file["xyz"].astype(np.float64), file["faces"]
    world = np.array([cells.east_m, cells.north_m, cells.cell_m, mesh.origin_m[2]])
    spots = {w: k for k, (b, w) in enumerate(faces.keys) if b == index}
    seen: dict[int, list[tuple[Array, Array, Numbers]]] = {}
    plain: list[tuple[Array, Array, Numbers]] = []
    for number, wall in enumerate(one.walls):
        quads, share = _quads(wall, world)
        if number in spots:
            page = faces.atlas.spots[spots[number]].page
            seen.setdefault(page, []).append(
                (quads, _on_page(share, faces, spots[number]), _two_each(len(quads))))
        else:
            size = np.array([wall.length_m, wall.height_m]) / (HATCH_CELLS * cells.cell_m)
            plain.append((quads, share * size, _two_each(len(quads))))
    every = [xyz, *(q for some in (*seen.values(), plain) for q, _, _ in some)]
    low = float(min(part[:, 2].min() for part in every))
    high = float(max(part[:, 2].max() for part in every))
    per_cell = STEPS_PER_CELL
    while (high - low + 2 + max(cells.rows, cells.columns)) * per_cell > MOST_STEPS and per_cell > 1:
        per_cell //= 2
    level = np.floor(low)
    size_m = np.array([pixels.columns, pixels.rows]) * pixels.cell_m
    ground_uv = xyz[:, :2] * cells.cell_m / size_m
    ground, nobody, pages = materials
    parts = [_part(xyz, np.clip(ground_uv, 0, 1), triangles, ground, level, per_cell)]
    parts += [_merged(some, pages[page], level, per_cell) for page, some in sorted(seen.items())]
    if plain:
        parts.append(_merged(plain, nobody, level, per_cell))
    corner = (
        cells.east_m - mesh.origin_m[0], float(level) * cells.cell_m,
        mesh.origin_m[1] - cells.north_m,
    )  # fmt: skip
    out.node(f"block {one.block.row} {one.block.column}", corner, cells.cell_m / per_cell, *parts)


def _quads(wall: Wall, world: Array) -> tuple[Array, Array]:
    """(4 P, 3) corners of a wall's pieces in the block's cells, (4 P, 2) where on the wall.

    Per piece: upper start, lower start, lower end, upper end; on the wall 0, 0 is the upper start.
    """
    west, north, cell, level = world
    p = wall.pieces
    along = np.stack([p[:, 0], p[:, 0], p[:, 1], p[:, 1]], axis=1).ravel()
    height = np.stack([p[:, 3], p[:, 2], p[:, 4], p[:, 5]], axis=1).ravel()
    start, end = np.array(wall.start_m), np.array(wall.end_m)
    flat = start + along[:, None] * (end - start)
    quads = np.stack(
        [(flat[:, 0] - west) / cell, (north - flat[:, 1]) / cell, (height - level) / cell], axis=1
    )
    down = (wall.high_m - height) / max(wall.height_m, 1e-9)
    return quads, np.stack([along, down], axis=1)


def _two_each(corners: int) -> Numbers:
    """Two triangles for every four corners, seen from the side that the wall faces."""
    first = np.arange(0, corners, 4)[:, None]
    return np.concatenate([first + [0, 1, 2], first + [0, 2, 3]]).astype(np.int32)


def _on_page(share: Array, faces: _Faces, number: int) -> Array:
    """Places on a wall as places on its page, half a pixel inside its rectangle."""
    spot, face = faces.atlas.spots[number], faces.rectangles[number]
    size = np.array([face.width_px, face.height_px])
    page = np.array(faces.atlas.pages[spot.page])
    inside = np.clip(share * size, 0.5, size - 0.5)
    return np.asarray((np.array([spot.left_px, spot.top_px]) + inside) / page)


def _merged(
    parts: Sequence[tuple[Array, Array, Numbers]], material: int, level: float, per_cell: int
) -> Triangles:
    shifts = np.concatenate([[0], np.cumsum([len(xyz) for xyz, _, _ in parts])])
    return _part(
        np.concatenate([xyz for xyz, _, _ in parts]), np.concatenate([uv for _, uv, _ in parts]),
        np.concatenate([faces + shift for (_, _, faces), shift in zip(parts, shifts, strict=False)]),
        material, level, per_cell,
    )  # fmt: skip


def _part(
    xyz: Array, uv: Array, faces: Numbers, material: int, level: float, per_cell: int
) -> Triangles:
    """Cells as whole steps, in glTF's axes: x, up, south."""
    steps = np.round((xyz[:, [0, 2, 1]] - np.array([0.0, level, 0.0])) * per_cell)
    return Triangles(
        steps=np.clip(steps, 0, MOST_STEPS).astype(np.uint16), uv=uv, faces=faces,
        material=material,
    )  # fmt: skip
