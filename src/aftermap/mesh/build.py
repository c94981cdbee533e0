"""The surface, the orthophoto and the pictures to ``mesh.glb`` and ``points.laz``.

Blocks of the height raster become surfaces and walls on their own, in parallel; then every picture
that a wall is textured from is opened once; then all is written as it comes, block by block.
"""

import shutil
from functools import partial

import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import Array
from aftermap.geo.grid import Block, blocks_of, cell_centres_m, window_of
from aftermap.geo.march import HeightWindow
from aftermap.geo.windows import coarse_heights
from aftermap.mesh.block_heights import block_heights, mesh_grid, raster_heights
from aftermap.mesh.block_surface import Part, part_of
from aftermap.mesh.colours import colours_at
from aftermap.mesh.options import MeshOptions
from aftermap.mesh.points import PointPart, write_points
from aftermap.mesh.scene import MeshWork, write_scene
from aftermap.mesh.wall_atlas import BlockDone
from aftermap.mesh.walls import NO_CAMERA, Wall, patch_sources_of, walls_of
from aftermap.model.camera import Reconstruction
from aftermap.model.mesh import Mesh
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor, Workspace

FOLDER = "parts"
LEAST_FACES = 4000
"""Of a block, however many there are."""

REACH_CELLS = (40, 400)
"""How far around a block it is looked for what hides its walls."""


def mesh_of(
    reconstruction: Reconstruction,
    elevation: Elevation,
    orthophoto: Orthophoto,
    options: MeshOptions,
    files: Workspace,
    executor: Executor,
) -> Mesh:
    """Write ``mesh.glb`` and ``points.laz``: what was measured, and nothing that was filled in.

    Raises SurfaceError where too little was measured to draw any of it.
    """
    work = _work(reconstruction, elevation, orthophoto, options, files)
    blocks = tuple(blocks_of(work.grid.grid, options.block_cells))
    made = executor.map(partial(_build_block, work), blocks, label="building the mesh")
    done = [one for one in made if one is not None]
    if not done:
        raise SurfaceError(
            "too little of the surface was measured for a 3D mesh; add images with more overlap"
        )
    points, mesh = files.path("points.laz"), files.path("mesh.glb")
    parts = executor.map(partial(_points_in, work), blocks, label="taking points")
    crs, datum = work.grid.grid.crs, reconstruction.vertical_datum
    answer = Mesh(
        mesh=str(mesh),
        points=str(points),
        crs=crs,
        vertical_datum=datum,
        origin_m=work.origin_m,
        triangles=sum(one.triangles for one in done),
        walls=sum(len(one.walls) for one in done),
        walls_textured_fraction=_textured_fraction(done),
        point_count=write_points(points, parts, crs=crs, datum=datum, origin_m=work.origin_m),
    )
    write_scene(answer, done, work, executor)
    shutil.rmtree(files.path(FOLDER), ignore_errors=True)
    return answer


def _work(
    reconstruction: Reconstruction,
    elevation: Elevation,
    orthophoto: Orthophoto,
    options: MeshOptions,
    files: Workspace,
) -> MeshWork:
    grid = mesh_grid(elevation, most_cells=options.most_cells)
    west, south, east, north = grid.grid.area_m
    low = min(p.ground_m[0] for p in reconstruction.mapped)
    high = max(p.ground_m[1] for p in reconstruction.mapped)
    middle = (np.floor((west + east) / 2), np.floor((south + north) / 2))
    return MeshWork(
        reconstruction=reconstruction,
        elevation=elevation,
        orthophoto=orthophoto,
        grid=grid,
        options=options,
        origin_m=(float(middle[0]), float(middle[1]), float(np.floor(low))),
        relief_m=high - low,
        files=files,
    )


def _build_block(work: MeshWork, block: Block) -> BlockDone | None:
    """One block's surface and walls; None where there is nothing to draw."""
    measured, filled = block_heights(work.elevation, work.grid, block)
    cell_m, level_m = work.grid.grid.cell_m, work.origin_m[2]
    share = block.rows * block.columns / (work.grid.grid.rows * work.grid.grid.columns)
    part = part_of(
        (measured - level_m) / cell_m,
        (filled - level_m) / cell_m,
        work.options,
        most_faces=max(LEAST_FACES, int(share * work.options.most_triangles)),
    )
    if not len(part.faces):
        return None
    window = window_of(work.grid.grid, block)
    walls = _walls(part, np.array([window.east_m, window.north_m, cell_m, level_m]), work)
    seen = [k for k, wall in enumerate(walls) if wall.is_measured]
    sources = [np.full((1, 1), NO_CAMERA, np.int32) for _ in walls]
    if seen:
        sights = patch_sources_of(
            [walls[k] for k in seen],
            work.reconstruction.mapped,
            work.reconstruction.cameras,
            _around(work, block),
            most_views=work.options.wall_views,
        )
        for k, sight in zip(seen, sights, strict=True):
            sources[k] = sight.source
    file = work.files.path(f"{FOLDER}/surface-{block.row:06d}-{block.column:06d}.npz")
    np.savez(file, xyz=part.xyz.astype(np.float32), faces=part.faces)
    return BlockDone(
        block=block,
        file=str(file),
        triangles=len(part.faces),
        walls=tuple(walls),
        sources=tuple(sources),
    )


def _walls(part: Part, world: Array, work: MeshWork) -> list[Wall]:
    found = []
    for is_measured in (True, False):
        rows = part.is_measured == is_measured
        found.extend(
            walls_of(
                part.wall[rows],
                part.face[rows],
                world,
                step=work.options.step,
                is_measured=is_measured,
            )
        )
    return found


def _around(work: MeshWork, block: Block) -> HeightWindow:
    """What stands in and around a block, filled ground too; beyond it nothing hides a wall."""
    west, south, east, north = window_of(work.grid.grid, block).area_m
    cell_m = work.grid.grid.cell_m
    least, most = (cells * cell_m for cells in REACH_CELLS)
    reach_m = min(max(2 * work.relief_m, least), most)
    height_m, grid = coarse_heights(
        work.elevation.surface,
        (west - reach_m, south - reach_m),
        (east + reach_m, north + reach_m),
        cell_m=cell_m,
    )
    low_m = work.origin_m[2] - work.relief_m
    return HeightWindow(
        height_m=np.nan_to_num(height_m, nan=low_m),
        west_m=grid.east_m,
        north_m=grid.north_m,
        cell_m=grid.cell_m,
        outside_m=low_m,
    )


def _points_in(work: MeshWork, block: Block) -> PointPart:
    """The measured cells of a block of the mesh, every one at its middle."""
    height_m, photographs, grid = raster_heights(work.elevation, work.grid, block)
    is_measured = (photographs > 0) & np.isfinite(height_m)
    east, north = cell_centres_m(grid)
    rows, columns = np.nonzero(is_measured)
    xyz = np.stack([east[columns], north[rows], height_m[rows, columns]], axis=1)
    rgb, is_coloured = colours_at(work.orthophoto.image, grid)
    return PointPart(
        xyz_m=xyz,
        rgb=rgb[rows, columns],
        photographs=photographs[rows, columns],
        is_coloured=is_coloured[rows, columns],
    )


def _textured_fraction(done: list[BlockDone]) -> float:
    area = textured = 0.0
    for one in done:
        for wall, source in zip(one.walls, one.sources, strict=True):
            area += wall.area_m2
            textured += wall.area_m2 * float((source != NO_CAMERA).mean())
    return textured / area if area else float("nan")
