"""Blocks of surface and walls, and their textures -> one glTF file.

Of every block there is one node: its ground and roofs with a texture of their own, its walls with
pages of an atlas that all blocks share, and its walls that nobody saw with a hatch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array, Int32Array
from aftermap.geo.grid import window_of
from aftermap.mesh.block_heights import MeshGrid
from aftermap.mesh.colours import ground_texture, hatch_tile
from aftermap.mesh.gltf import GlbWriter, Triangles
from aftermap.mesh.options import MeshOptions
from aftermap.mesh.wall_atlas import BlockDone, WallAtlas, atlas_of, pages_of, wall_pictures
from aftermap.mesh.walls import Wall
from aftermap.model.camera import Reconstruction
from aftermap.model.mesh import Mesh
from aftermap.model.raster import Elevation, Grid, Orthophoto
from aftermap.model.runs import Executor, Workspace

FORMAT = "aftermap-mesh/1"
STEPS_PER_CELL, MOST_STEPS = 64, 65535
HATCH_TILE_PX, HATCH_QUALITY = 64, 95
HATCH_CELLS = 24.0
"""One tile of the hatch spans so many cells on the ground or a wall."""

Corners = tuple[Array, Array, Int32Array]
"""(V, 3) in the block's cells, (V, 2) texture coordinates, (F, 3) triangles."""


@dataclass(frozen=True, kw_only=True)
class MeshWork:
    """What every block needs; ``relief_m`` is how far the scene's heights reach.

    ``origin_m`` is the east, north and height that coordinates of the mesh are counted from.
    """

    reconstruction: Reconstruction
    elevation: Elevation
    orthophoto: Orthophoto
    grid: MeshGrid
    options: MeshOptions
    origin_m: tuple[float, float, float]
    relief_m: float
    files: Workspace


@dataclass(frozen=True, kw_only=True)
class _Paint:
    """The materials of a scene, as the file numbers them: one a page, and the hatch."""

    atlas: WallAtlas
    pages: tuple[int, ...]
    hatch: int
    hatch_m: float


def write_scene(mesh: Mesh, done: Sequence[BlockDone], work: MeshWork, executor: Executor) -> None:
    """Write the file that ``mesh`` names."""
    grid, orthophoto, options = work.grid.grid, work.orthophoto, work.options
    least_px_m = orthophoto.image.grid.cell_m
    atlas = atlas_of(done, wall_px=options.wall_px, least_px_m=least_px_m)
    pictures = wall_pictures(atlas, work.reconstruction, orthophoto, work.files, executor)
    hatch_m = HATCH_CELLS * grid.cell_m
    area = sum(one.block.rows * one.block.columns for one in done) * grid.cell_m**2
    pixel_m = max(least_px_m, float(np.sqrt(area / options.ground_px)))
    with GlbWriter(Path(mesh.mesh), _extras(mesh)) as out:
        tile = hatch_tile(HATCH_TILE_PX, HATCH_TILE_PX, tile_px=HATCH_TILE_PX)
        paint = _Paint(
            atlas=atlas,
            hatch_m=hatch_m,
            hatch=out.material("not seen", tile, quality=HATCH_QUALITY, repeats=True),
            pages=tuple(
                out.material(f"walls {number}", page, quality=options.jpeg_quality)
                for number, page in enumerate(pages_of(atlas, pictures, hatch_m=hatch_m))
            ),
        )
        for index, one in enumerate(done):
            cells = window_of(grid, one.block)
            pixels = _pixels_over(cells, pixel_m)
            confidence = work.elevation.confidence
            texture = ground_texture(orthophoto.image, confidence, pixels, hatch_m=hatch_m)
            name = f"ground {one.block.row} {one.block.column}"
            ground = out.material(name, texture, quality=options.jpeg_quality)
            parts = [(_ground(one, cells, pixels), ground)]
            parts += _walls(one, index, (cells, mesh.origin_m[2]), paint)
            _node(out, f"block {one.block.row} {one.block.column}", cells, mesh.origin_m, parts)


def _extras(mesh: Mesh) -> dict[str, object]:
    share = mesh.walls_textured_fraction
    return {
        "format": FORMAT,
        "crs": mesh.crs,
        "vertical_datum": mesh.vertical_datum.value,
        "origin_m": list(mesh.origin_m),
        "axes": "x east, y up, z south, from origin_m",
        "triangles": mesh.triangles,
        "walls": mesh.walls,
        "walls_textured_fraction": None if np.isnan(share) else round(share, 4),
    }


def _pixels_over(cells: Grid, pixel_m: float) -> Grid:
    """Square pixels over a block of cells, a whole number of them across."""
    columns = max(2, round(cells.columns * cells.cell_m / pixel_m))
    size_m = cells.columns * cells.cell_m / columns
    return Grid(
        crs=cells.crs,
        east_m=cells.east_m,
        north_m=cells.north_m,
        cell_m=size_m,
        columns=columns,
        rows=max(2, int(np.ceil(cells.rows * cells.cell_m / size_m - 1e-6))),
    )


def _ground(one: BlockDone, cells: Grid, pixels: Grid) -> Corners:
    with np.load(one.file) as file:
        xyz, faces = file["xyz"].astype(np.float64), file["faces"]
    size_m = np.array([pixels.columns, pixels.rows]) * pixels.cell_m
    return xyz, np.clip(xyz[:, :2] * cells.cell_m / size_m, 0, 1), faces


def _walls(
    one: BlockDone, index: int, place: tuple[Grid, float], paint: _Paint
) -> list[tuple[Corners, int]]:
    """The walls of a block, those on one page together, and those that nobody saw."""
    cells, level_m = place
    found: dict[int, list[Corners]] = {}
    for number, wall in enumerate(one.walls):
        xyz, share = _quads(wall, np.array([cells.east_m, cells.north_m, cells.cell_m, level_m]))
        spot = paint.atlas.places.get((index, number))
        if spot is None:
            material = paint.hatch
            uv = share * np.array([wall.length_m, wall.height_m]) / paint.hatch_m
        else:
            material = paint.pages[paint.atlas.packed.spots[spot].page]
            uv = paint.atlas.on_page(spot, share)
        found.setdefault(material, []).append((xyz, uv, _triangles(len(xyz))))
    return [(_merged(some), material) for material, some in sorted(found.items())]


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


def _triangles(corners: int) -> Int32Array:
    """Two triangles for every four corners, seen from the side that the wall faces."""
    first = np.arange(0, corners, 4)[:, None]
    two = [first + np.array(three) for three in ((0, 1, 2), (0, 2, 3))]
    return np.concatenate(two).astype(np.int32)


def _merged(parts: Sequence[Corners]) -> Corners:
    shifts = np.cumsum([0, *(len(xyz) for xyz, _, _ in parts)])[:-1]
    return (
        np.concatenate([xyz for xyz, _, _ in parts]),
        np.concatenate([uv for _, uv, _ in parts]),
        np.concatenate([part[2] + shift for part, shift in zip(parts, shifts, strict=True)]),
    )


def _node(
    out: GlbWriter,
    name: str,
    cells: Grid,
    origin_m: tuple[float, float, float],
    parts: Sequence[tuple[Corners, int]],
) -> None:
    """One node; its steps are a 64th of a cell, or coarser where it is very tall.

    Neighbouring blocks have the same steps, counted from whole cells, so that they meet.
    """
    heights = np.concatenate([xyz[:, 2] for (xyz, _, _), _ in parts])
    level = np.floor(heights.min())
    longest = max(heights.max() - level, cells.rows, cells.columns)
    per_cell = float(STEPS_PER_CELL)
    while longest * per_cell > MOST_STEPS:
        per_cell /= 2
    corner = np.array([0.0, level, 0.0])
    made = [
        Triangles(
            steps=np.clip(np.round((xyz[:, [0, 2, 1]] - corner) * per_cell), 0, MOST_STEPS).astype(
                np.uint16
            ),
            uv=uv,
            faces=faces,
            material=material,
        )
        for (xyz, uv, faces), material in parts
    ]
    place = (cells.east_m - origin_m[0], float(level) * cells.cell_m, origin_m[1] - cells.north_m)
    out.node(name, place, cells.cell_m / per_cell, *made)
