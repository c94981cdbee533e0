"""Share of the orthophoto's pixels whose photograph shows a façade there, by the twin's truth.

A sampled pixel goes through the map's surface and the estimated camera of source.tif to a pixel
of the photograph. The ray of that pixel is marched from the true camera over the true surface; it
meets a façade where it first falls below a building's top by more than FACADE_M. Orthophotos show
tops, so every such pixel is wrong: a wall laid on the ground, or smeared over the rim of a roof.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.features import rasterize

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array, IndexArray, IntArray
from aftermap.geo.compiled import compiled
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.lens import projected_px, rays_cam
from benchmarks.products import Heights
from benchmarks.surface_truth import SurfaceMap, SurfaceTruth

SAMPLED_PIXELS = 200_000
FACADE_M = 0.5
NO_SOURCE = 65535
MISSED, TOP, FACADE = 0, 1, 2


def wall_figures(shown: SurfaceMap, truth: SurfaceTruth) -> dict[str, Any]:
    """Shares of drawn pixels: from a façade, by where on the map they lie, and not decided."""
    east_north, source, drawn = _drawn_pixels(shown.folder / "source.tif")
    footprints = footprints_of(truth)
    met = np.full(len(source), MISSED, np.int64)
    for index in np.unique(source):
        entry = shown.entries[index]
        true = truth.cameras.get(entry.name)
        if true is None:
            continue
        own = np.nonzero(source == index)[0]
        xy = east_north[own]
        there = np.column_stack([xy, shown.surface.at(xy)])
        rotation = np.array(entry.rotation_cam_from_world)
        pixels = projected_px((there - np.array(entry.position_m)) @ rotation.T, entry.params or ())
        known = np.isfinite(pixels).all(1)
        rays = rays_cam(pixels[known], true.params or ()) @ np.array(true.rotation_cam_from_world)
        met[own[known]] = _met(np.array(true.position_m), rays, truth.surface, footprints)
    decided = met != MISSED
    measured = _at(shown.surface, shown.measured, east_north) & decided
    return {
        "drawn_pixels": drawn,
        "decided": float(decided.mean()),
        "from_facade": float((met == FACADE)[decided].mean()),
        "from_facade_on_measured": float((met == FACADE)[measured].mean()),
        "from_facade_elsewhere": (
            float((met == FACADE)[decided & ~measured].mean())
            if (decided & ~measured).any()
            else None
        ),
    }


def _drawn_pixels(path: Path) -> tuple[Array, IndexArray, int]:
    """East and north, and source, of a sample of pixels that come from a photograph."""
    with rasterio.open(path) as raster:
        source, transform = raster.read(1), raster.transform
    rows, columns = np.nonzero(source != NO_SOURCE)
    rng = np.random.default_rng(0)
    some = rng.choice(len(rows), min(SAMPLED_PIXELS, len(rows)), replace=False)
    row, column = rows[some], columns[some]
    xy = np.column_stack(
        [transform.c + (column + 0.5) * transform.a, transform.f + (row + 0.5) * transform.e]
    )
    return xy, source[row, column].astype(np.intp), len(rows)


def _at(grid: Heights, marked: BoolArray, xy_m: Array) -> BoolArray:
    row, column, inside = grid.cells_of(xy_m)
    return np.asarray(inside & marked[row, column])


def _met(eye: Array, rays: Array, surface: Heights, footprints: ByteArray) -> IntArray:
    corner = np.array([surface.west_m, surface.north_m, surface.cell_m])
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    top_m = float(np.nanmax(surface.height_m))
    low_m = float(np.nanmin(surface.height_m))
    return _march(eye, rays, surface.height_m, footprints, corner, top_m, low_m)


def footprints_of(truth: SurfaceTruth) -> ByteArray:
    """(rows, columns) of the true surface: 1 where a building stood."""
    path = truth.folder / "buildings.geojson"
    shapes = []
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        rings = [
            transformed_xy(WGS84, truth.crs, np.array(ring)).tolist()
            for ring in feature["geometry"]["coordinates"]
        ]
        shapes.append(({"type": "Polygon", "coordinates": rings}, 1))
    grid = truth.surface
    transform = rasterio.Affine(grid.cell_m, 0, grid.west_m, 0, -grid.cell_m, grid.north_m)
    return np.asarray(
        rasterize(shapes, grid.height_m.shape, transform=transform, all_touched=True, dtype="uint8")
    )


@compiled
def _march(
    eye: Array,
    rays: Array,
    heights: Float32Array,
    footprints: ByteArray,
    corner: Array,
    top_m: float,
    low_m: float,
) -> IntArray:
    """(N,) what unit rays from the eye first meet: nothing known, a top, or a façade."""
    met = np.zeros(len(rays), np.int64)
    for i in range(len(rays)):
        x, y, z = rays[i, 0], rays[i, 1], rays[i, 2]
        if z >= 0:
            continue
        across = np.sqrt(x * x + y * y)
        step = min(0.5 * corner[2] / max(across, 1e-6), 0.2 / -z)
        far = (low_m - 1.0 - eye[2]) / z
        t = max((top_m - eye[2]) / z, 0.0)
        while t < far:
            column = int(np.floor((eye[0] + t * x - corner[0]) / corner[2]))
            row = int(np.floor((corner[1] - eye[1] - t * y) / corner[2]))
            t += step
            if row < 0 or column < 0 or row >= heights.shape[0] or column >= heights.shape[1]:
                continue
            below = heights[row, column] - (eye[2] + (t - step) * z)
            if below > 0:
                met[i] = FACADE if below > FACADE_M and footprints[row, column] else TOP
                break
    return met
