"""Plane shapes to triangles: slabs with edges, boxes and plates."""

import numpy as np
import numpy.typing as npt
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array
from aftermap_twin.blocks.frames import EstateBlock
from aftermap_twin.blocks.materials import BlocksMaterial
from aftermap_twin.mesh import MeshBuilder, Tone

LEAST_M2 = 0.02


def polygons_in(shape: BaseGeometry) -> list[Polygon]:
    """The polygons that a shape is made of, slivers left out."""
    parts = getattr(shape, "geoms", [shape])
    return [part for part in parts if isinstance(part, Polygon) and part.area > LEAST_M2]


def lines_in(shape: BaseGeometry) -> list[Array]:
    """The lines that a shape is made of, each (N, 2) positions in the axes of the shape, metres."""
    parts = getattr(shape, "geoms", [shape])
    return [
        np.asarray(part.coords)
        for part in parts
        if part.geom_type in {"LineString", "LinearRing"} and part.length > 0.05
    ]


def triangles_of(shape: BaseGeometry) -> Array:
    """(T, 3, 2) corners of triangles that fill a shape, in its axes, metres.

    By constrained Delaunay triangulation.
    """
    found = [
        np.asarray(triangle.exterior.coords)[:3]
        for polygon in polygons_in(shape)
        for triangle in shapely.constrained_delaunay_triangles(polygon).geoms
    ]
    return np.array(found).reshape(-1, 3, 2)


def lay(
    mesh: MeshBuilder,
    block: EstateBlock,
    shape: BaseGeometry,
    height_m: float,
    look: tuple[BlocksMaterial, Tone, int],
    leaning: tuple[tuple[float, float], Array] = ((0.0, 0.0), np.zeros(2)),
) -> None:
    """A shape in a block's own axes laid at a height.

    ``leaning`` is how much it rises along s and t, and the place (2,) from which.
    """
    flat = triangles_of(shape)
    if not len(flat):
        return
    points = flat.reshape(-1, 2)
    tilt, pivot = leaning
    z = height_m + (points - pivot) @ np.array(tilt)
    vertices = np.column_stack([block.world(points), z])
    mesh.add(vertices, np.arange(len(vertices)).reshape(-1, 3), *look)


def upright(
    mesh: MeshBuilder,
    block: EstateBlock,
    run: Array,
    heights_m: tuple[npt.ArrayLike, npt.ArrayLike],
    look: tuple[BlocksMaterial, Tone, int],
) -> None:
    """A wall over a run (N, 2) in a block's own axes, between two heights, numbers or (N,)."""
    xy = block.world(run)
    low, high = (np.broadcast_to(np.asarray(h, float), len(xy)) for h in heights_m)
    foot, top = np.column_stack([xy, low]), np.column_stack([xy, high])
    mesh.add_quads(np.stack([foot[:-1], foot[1:], top[1:], top[:-1]], 1), *look)


def box(
    mesh: MeshBuilder,
    plan_m: Array,
    heights_m: tuple[npt.ArrayLike, npt.ArrayLike],
    material: BlocksMaterial,
    tone: Tone,
) -> None:
    """A box over (4, 2) local metres between two heights, numbers or (4,)."""
    low, high = (np.broadcast_to(np.asarray(h, float), 4) for h in heights_m)
    foot, top = np.column_stack([plan_m, low]), np.column_stack([plan_m, high])
    order = np.arange(4)
    after = (order + 1) % 4
    sides = np.stack([foot[order], foot[after], top[after], top[order]], 1)
    mesh.add_quads(np.concatenate([sides, top[None]]), material, tone)


def rectangle(centre: Array, size: tuple[float, float], heading_rad: float) -> Array:
    """(4, 2) corners of a rectangle about a place (2,), in the same axes."""
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array(size) / 2
    return np.asarray(centre + half @ np.array([[cos, sin], [-sin, cos]]))


def plate(
    rng: np.random.Generator, mesh: MeshBuilder, foot: Array, size: tuple[float, float], lean: float
) -> None:
    """A broken panel that lies on (3,) local metres, leaning any way by up to so much."""
    plan = rectangle(np.zeros(2), size, rng.random() * 6.3)
    plan = plan + rng.normal(0, 0.08 * min(size), (4, 2))
    slope = rng.normal(0, lean, 2)
    top = foot[2] + 0.2 + plan @ slope
    light = rng.uniform(0.75, 1.1)
    tone = (0.43 * light, 0.415 * light, 0.385 * light)
    box(mesh, foot[:2] + plan, (top - 0.2, top), BlocksMaterial.BROKEN, tone)
