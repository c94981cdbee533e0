"""Walls on the ground: how much of an orthophoto of the twin was taken from a façade.

    .venv/bin/python -m benchmarks.walls_on_ground CASE TWIN

Seen from straight above, no wall shows. Each pixel of the map is followed back to the place in the
photograph that it was read from (``source.tif``, the map's own camera and surface), and from there
along the true camera's ray into the true triangles, which are made again from the twin's options.
What the ray meets first is what the pixel shows. Needs ``aftermap[twin]``.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from aftermap.geo.arrays import Array, BoolArray, IndexArray, Int32Array, Uint16Array
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.publish.exchange.cameras import CameraEntry, read_cameras
from aftermap.surface.pixel_heights import heights_at_pixels
from aftermap.surface.thumbnail_pass import calm
from aftermap_twin.caster import Caster
from aftermap_twin.flight import stations_of
from aftermap_twin.making import scene_for
from aftermap_twin.mesh import Material, TriangleMesh
from aftermap_twin.options import Flight, TwinOptions
from benchmarks.products import aftermap_products
from benchmarks.twin_truth import map_from_truth, truth_of

SAMPLED_PIXELS = 400_000
NO_PICTURE = 65_535
UPRIGHT = 0.3
"""A face counts as upright where the up part of its normal is less than this: within 17 degrees."""
RIGHT_M = 0.25
WALLS = (Material.FACADE, Material.SECTION)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What pixels of the orthophoto show: (N,) rows, columns and hit triangles (-1: none).

    ``places`` (N, 3) are where the map has them.
    """

    rows: IndexArray
    columns: IndexArray
    places: Array
    triangle: Int32Array
    is_wall: BoolArray
    is_upright: BoolArray


def wall_figures(case: Path, twin: Path) -> dict[str, Any]:
    """Shares of the orthophoto's pixels with a photograph: from façades, from anything upright.

    ``drawn_share`` is pixels with a photograph among all with a height. ``height_is_right``
    tells what the picture does apart from what the surface did to it: the same share of pixels
    whose height is within RIGHT_M of the truth, a common shift removed, and how many they are.
    """
    made = shown(case / "products", twin, SAMPLED_PIXELS)
    right = _is_right(made, case, twin)
    with rasterio.open(case / "products" / "source.tif") as raster:
        pictured = int((raster.read(1) != NO_PICTURE).sum())
        drawn_m2 = pictured * float(raster.transform.a) ** 2
    with rasterio.open(case / "products" / "surface.tif") as raster:
        with_height_m2 = int((raster.read_masks(1) > 0).sum()) * float(raster.transform.a) ** 2
    return {
        "pixels": len(made.rows),
        "from_a_facade": float(made.is_wall.mean()),
        "from_anything_upright": float(made.is_upright.mean()),
        "drawn_share": drawn_m2 / with_height_m2,
        "height_is_right": {
            "share": float(right.mean()),
            "from_a_facade": float(made.is_wall[right].mean()),
        },
    }


def shown(products: Path, twin: Path, sample: int) -> Shown:
    """What a sample of the orthophoto's pixels shows, the same sample every time."""
    mesh = true_mesh(twin)
    true = {frame.name: frame for frame in read_cameras(twin / "truth" / "cameras.json").frames}
    origin = np.array(json.loads((twin / "truth" / "twin.json").read_text())["origin_m"])
    frames = read_cameras(products / "cameras.json").frames
    rows, columns, places, source = _places(products, sample)
    triangle = np.full(len(rows), -1, np.int32)
    normal = np.zeros((len(rows), 3))
    caster = Caster(mesh)
    for number in np.unique(source):
        mine = source == number
        camera, known = frames[number], true[frames[number].name]
        directions = _rays(_pixels(places[mine], camera), known)
        start = np.broadcast_to(np.array(known.position_m) - origin, directions.shape)
        hits = caster.first_hits(start.astype(np.float32), directions.astype(np.float32))
        triangle[mine], normal[mine] = hits.triangle, hits.normal
    up = np.abs(normal[:, 2]) / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    is_upright = (triangle >= 0) & (up < UPRIGHT)
    is_wall = is_upright & np.isin(mesh.material[triangle], WALLS)
    return Shown(
        rows=rows,
        columns=columns,
        places=places,
        triangle=triangle,
        is_wall=is_wall,
        is_upright=is_upright,
    )


def _is_right(made: Shown, case: Path, twin: Path) -> BoolArray:
    truth = truth_of(twin)
    here = map_from_truth(aftermap_products(case), truth).here(made.places)
    error = here[:, 2] - truth.surface.at(here[:, :2])
    return np.asarray(np.abs(error - np.nanmedian(error)) < RIGHT_M)


def true_mesh(twin: Path) -> TriangleMesh:
    """The triangles that a twin's photographs were taken of, made again from its options."""
    kept = json.loads((twin / "truth" / "twin.json").read_text(encoding="utf-8"))["options"]
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()}
    options = TwinOptions(**given | {"flight": Flight(given["flight"])})
    return scene_for(options, stations_of(options)).mesh


def _places(products: Path, sample: int) -> tuple[IndexArray, IndexArray, Array, Uint16Array]:
    """Rows, columns, (N, 3) places and frame numbers of pixels that have a photograph."""
    with rasterio.open(products / "source.tif") as raster:
        numbers, at = raster.read(1), raster.transform
    heights = _heights(products, numbers.shape, at)
    rows, columns = np.nonzero((numbers != NO_PICTURE) & np.isfinite(heights))
    some = np.random.default_rng(0).choice(len(rows), min(sample, len(rows)), replace=False)
    rows, columns = rows[some], columns[some]
    places = np.column_stack(
        [at.c + (columns + 0.5) * at.a, at.f + (rows + 0.5) * at.e, heights[rows, columns]]
    )
    return rows, columns, places, numbers[rows, columns]


def _heights(products: Path, shape: tuple[int, int], at: rasterio.Affine) -> Array:
    """(rows, columns) heights of the orthophoto's pixels, as the map takes them at edges."""
    with rasterio.open(products / "surface.tif") as raster:
        ground, cell_m = raster.read(1), float(raster.transform.a)
        ground[raster.read_masks(1) == 0] = np.nan
    with rasterio.open(products / "confidence.tif") as raster:
        kinds = np.where(raster.read(1) > 0, 2, np.isfinite(ground)).astype(np.uint8)
    out, cell = np.empty(shape, np.float32), np.empty(shape, np.int32)
    ratio = float(at.a) / cell_m
    heights_at_pixels(calm(ground), kinds, (0.5 * ratio, 0.5 * ratio), ratio, cell_m, out, cell)
    return np.asarray(out, float)


def _pixels(places: Array, camera: CameraEntry) -> Array:
    rotation = np.array(camera.rotation_cam_from_world)
    return projected_px((places - np.array(camera.position_m)) @ rotation.T, camera.params or ())


def _rays(pixels: Array, camera: CameraEntry) -> Array:
    return rays_cam(pixels, camera.params or ()) @ np.array(camera.rotation_cam_from_world)


def main() -> None:
    """Print the figures of a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("case", type=Path)
    parser.add_argument("twin", type=Path)
    options = parser.parse_args()
    print(json.dumps(wall_figures(options.case, options.twin), indent=1))


if __name__ == "__main__":
    main()
