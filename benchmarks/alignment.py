"""How far footprints lie from the truth after they were aligned: twin maps, several seeds.

    .venv/bin/python -m benchmarks.alignment --flight FLIGHT --case CASE [--flight .. --case ..]

True outlines are drawn off by 0.3 to 2 m, otherwise in each part of the town, plus 0.1 m of each
building's own, and aligned on the map. Three errors: of the shift itself; without the median one,
by which all of the map is off the ground; and against where this map shows the building: the map's
surface is laid onto the true one around each, so that a bent map does not count.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio

from aftermap.buildings.align import aligned_buildings
from aftermap.buildings.edges import GradientField, falls_in, falls_of
from aftermap.buildings.footprints import footprints_in
from aftermap.geo.arrays import Array, BoolArray, TextArray
from aftermap.geo.polygon import shape_of, shifted
from aftermap.geo.windows import coarse_heights
from aftermap.model.building import Buildings, FootprintSet
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster
from benchmarks.machine import write_result

GRADES = ("none", "light", "moderate", "severe", "destroyed")
CELL_M = 0.3
HALF_M = 35.0
"""Half the side of the ground that is laid onto the truth around a building."""
FARTHEST_M = 1.8
OWN_SIGMA_M = 0.1


class Here:
    """Does the work at once, in this process."""

    def map(self, work: Any, items: Sequence[Any], *, label: str) -> Iterator[Any]:  # noqa: ARG002
        """The answers in order."""
        return (work(item) for item in items)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A twin's map, its true outlines in the map's CRS, and what is true of each."""

    elevation: Elevation
    picture: Raster
    source: Raster
    truth: Raster
    footprints: FootprintSet
    grades: TextArray
    mapped: BoolArray


def main() -> None:
    """Measure every pair of flight and case, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--flight", type=Path, action="append", required=True)
    parser.add_argument("--case", type=Path, action="append", required=True)
    parser.add_argument("--name", default="alignment", help="of the file in results/")
    options = parser.parse_args()
    figures = [
        _measured(flight, case) for flight, case in zip(options.flight, options.case, strict=True)
    ]
    print(write_result(options.name, {"scenes": figures}))
    print(json.dumps(figures, indent=1, default=float))


def _measured(flight: Path, case: Path) -> dict[str, Any]:
    scene = scene_of(flight, case)
    shifts = shifts_m(scene.footprints, np.random.default_rng(7))
    drawn = replace(
        scene.footprints,
        footprints=tuple(
            replace(f, polygons_m=shifted(f.polygons_m, (-east, -north)))
            for f, (east, north) in zip(scene.footprints.footprints, shifts, strict=True)
        ),
    )
    began_s = time.process_time()
    found = _aligned(scene, drawn)
    cpu_s = time.process_time() - began_s
    left = np.array([b.alignment.shift_m for b in found.buildings]) - shifts
    at = np.array([shape_of(f.polygons_m).centroid.coords[0] for f in scene.footprints.footprints])
    bent = np.full_like(left, np.nan)
    bent[scene.mapped] = map_offsets_m(scene, at[scene.mapped])
    mean = np.median(left[scene.mapped], axis=0)
    sigma = np.array([b.alignment.sigma_m for b in found.buildings])
    scaled = (left - bent)[scene.mapped] / sigma[scene.mapped, None]
    sources = np.array([b.alignment.source.value for b in found.buildings])[scene.mapped]
    residuals = [b.alignment.residual_m for b in found.buildings if b.alignment.residual_m]
    return {
        "seed": json.loads((flight / "truth" / "twin.json").read_text("utf-8"))["options"]["seed"],
        "buildings": len(shifts),
        "mapped": int(scene.mapped.sum()),
        "shift_m": np.quantile(np.hypot(*shifts[scene.mapped].T), (0, 0.5, 1)).tolist(),
        "map_off_m": mean.tolist(),
        "error_m": _spread(left, scene),
        "error_without_map_off_m": _spread(left - mean, scene),
        "error_against_map_m": _spread(left - bent, scene),
        "scaled_by_sigma_rms": float(np.sqrt(np.mean(scaled**2))),
        "beyond_3_sigma_fraction": float(np.mean(np.abs(scaled) > 3)),
        "sources": {str(name): int((sources == name).sum()) for name in np.unique(sources)},
        "residual_m": float(np.median(residuals)),
        "cpu_s": cpu_s,
    }


def scene_of(flight: Path, case: Path) -> Scene:
    """A twin flight and the case that was made of it."""
    surface = _raster(case / "products" / "surface.tif")
    grid = surface.grid
    path = flight / "truth" / "buildings.geojson"
    footprints = footprints_in(path, id_field=None, crs=None, map_crs=grid.crs, area_m=grid.area_m)
    true = [f["properties"] for f in json.loads(path.read_text("utf-8"))["features"]]
    kept = [true[f.feature] for f in footprints.footprints]
    return Scene(
        elevation=Elevation(
            surface=surface,
            confidence=_raster(case / "products" / "confidence.tif"),
            ground_sample_m=0.03,
            measured_fraction=1.0,
            filled_fraction=0.0,
        ),
        picture=_raster(case / "products" / "orthophoto.tif"),
        source=_raster(case / "products" / "source.tif"),
        truth=_raster(flight / "truth" / "surface.tif"),
        footprints=footprints,
        grades=np.array([one["grade"] for one in kept]),
        mapped=np.array([one["mapped"] for one in kept], bool),
    )


def shifts_m(footprints: FootprintSet, rng: np.random.Generator) -> Array:
    """(N, 2) shifts that change over the town, and a little from house to house."""
    at = np.array([shape_of(f.polygons_m).centroid.coords[0] for f in footprints.footprints])
    x, y = (at - at.min(0)).T / 100
    a, b, c = rng.uniform(0, 2 * np.pi, 3)
    east = 0.9 + 0.8 * np.sin(1.1 * x + a) * np.cos(0.9 * y + b)
    north = -0.5 + 0.8 * np.cos(0.8 * x + 0.9 * y + c)
    return np.stack([east, north], axis=1) + rng.normal(0, OWN_SIGMA_M, (len(at), 2))


def map_offsets_m(scene: Scene, places_m: Array) -> Array:
    """(N, 2) how far the map's surface lies off the true one around places, by its falls."""
    lower, upper = places_m.min(0) - 2 * HALF_M, places_m.max(0) + 2 * HALF_M
    ours = falls_in(scene.elevation, tuple(lower), tuple(upper), cell_m=CELL_M)
    true = falls_of(*coarse_heights(scene.truth, tuple(lower), tuple(upper), cell_m=CELL_M))
    laid = _laid_on(true, ours.grid)
    half = round(HALF_M / ours.grid.cell_m)
    out = []
    for east, north in places_m:
        row = int((ours.grid.north_m - north) / ours.grid.cell_m)
        column = int((east - ours.grid.east_m) / ours.grid.cell_m)
        cut = np.s_[row - half : row + half, column - half : column + half]
        out.append(_offset_cells(ours, laid, cut) * ours.grid.cell_m)
    return np.array(out)


def _offset_cells(ours: GradientField, laid: tuple[Any, Any], cut: Any) -> Array:
    """(2,) east and north of the peak of the correlation of both parts of the falls."""
    spectrum = sum(
        np.fft.fft2(one[cut]) * np.conj(np.fft.fft2(other[cut]))
        for one, other in zip((ours.east, ours.north), laid, strict=True)
    )
    likeness = np.fft.fftshift(np.fft.ifft2(spectrum).real)
    middle, reach = len(likeness) // 2, int(FARTHEST_M / CELL_M)
    near = likeness[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    row, column = np.unravel_index(np.argmax(near[1:-1, 1:-1]), (2 * reach - 1,) * 2)
    row, column = row + 1, column + 1
    up, down, mid = near[row - 1, column], near[row + 1, column], near[row, column]
    left, right = near[row, column - 1], near[row, column + 1]
    east = column - reach + 0.5 * (left - right) / (left - 2 * mid + right)
    south = row - reach + 0.5 * (up - down) / (up - 2 * mid + down)
    return np.array([east, -south])


def _laid_on(edges: GradientField, grid: Grid) -> tuple[Any, Any]:
    """Both parts of the falls, taken over onto another grid."""
    rows, columns = np.mgrid[: grid.rows, : grid.columns].astype(np.float32)
    ratio = grid.cell_m / edges.grid.cell_m
    x = (columns + 0.5) * ratio + (grid.east_m - edges.grid.east_m) / edges.grid.cell_m - 0.5
    y = (rows + 0.5) * ratio + (edges.grid.north_m - grid.north_m) / edges.grid.cell_m - 0.5
    maps = x.astype(np.float32), y.astype(np.float32)
    return tuple(cv2.remap(part, *maps, cv2.INTER_LINEAR) for part in (edges.east, edges.north))  # type: ignore[return-value]


def _aligned(scene: Scene, drawn: FootprintSet) -> Buildings:
    picture = Orthophoto(
        image=scene.picture, source=scene.source, gains=(1.0,), covered_fraction=1.0
    )
    return aligned_buildings(drawn, scene.elevation, picture, None, Here())  # type: ignore[arg-type]


def _spread(left_m: Array, scene: Scene) -> dict[str, Any]:
    away = np.hypot(*left_m.T)
    by_grade = {grade: away[scene.mapped & (scene.grades == grade)] for grade in GRADES}
    return {
        "median": float(np.median(away[scene.mapped])),
        "nine_of_ten": float(np.quantile(away[scene.mapped], 0.9)),
        "median_by_grade": {g: float(np.median(some)) for g, some in by_grade.items() if len(some)},
    }


def _raster(path: Path) -> Raster:
    with rasterio.open(path) as file:
        grid = Grid(
            crs=f"EPSG:{file.crs.to_epsg()}",
            east_m=file.bounds.left,
            north_m=file.bounds.top,
            cell_m=file.res[0],
            columns=file.width,
            rows=file.height,
        )
        return Raster(path=str(path), grid=grid, nodata=file.nodata)


if __name__ == "__main__":
    main()
