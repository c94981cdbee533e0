"""What the mesh step may be told, and why each default is what it is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MeshOptions:
    """How finely the mesh is drawn and how large it may become. Lengths in cells of the mesh.

    most_cells: cells of the height raster; a larger raster is thinned by whole numbers first.
    block_cells: side of the square of cells that is simplified at once; it bounds the memory.
    step: neighbouring cells whose heights differ more are not joined: a slope of 63 degrees.
    least_cells: what stands alone with fewer cells is noise, and taken to the level beside it.
    outline: how far a straight outline may lie from the cells'. Under one, a staircase stays.
    outline_height: how far the height of a rim may lie from the cells'.
    within: root of the summed squared distances from the planes of the triangles that one vertex
        stands for. On a noisy plane a vertex stands for a hundred triangles, a tenth of a cell off.
    most_triangles: of the whole surface without walls, were it measured everywhere; a block with
        more than its share is simplified again, to twice the error.
    ground_px, wall_px: pixels of all textures; they take four bytes each on a graphics card.
    wall_views: pictures that one wall may be textured from.
    jpeg_quality: of the textures.
    """

    most_cells: int = 6_000_000
    block_cells: int = 384
    step: float = 3.0
    least_cells: int = 40
    outline: float = 1.8
    outline_height: float = 0.5
    within: float = 2.0
    most_triangles: int = 3_000_000
    ground_px: int = 24_000_000
    wall_px: int = 10_000_000
    wall_views: int = 3
    jpeg_quality: int = 82
