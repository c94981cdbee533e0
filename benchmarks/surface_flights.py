"""The three flights that the surface is measured on: nadir99, oblique40 and clip (twin, seed 1).

    .venv/bin/python -m benchmarks.surface_flights FOLDER [nadir99 oblique40 clip]

Makes what FOLDER does not hold yet. `nadir99` and `oblique40` are flights of photographs of 1200 by
900 pixels; `clip` is the drone's oblique clip over the district of nadir99, with its sidecar and
without photographs. As a clip sees beyond the photographs' flight, its truth/surface.tif covers
the whole district.
"""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import BoolArray, Float32Array
from aftermap.geo.grid import cell_centres_m, grid_over
from aftermap.model.raster import Grid
from aftermap_twin import make, truth
from aftermap_twin.clip_options import ClipOptions
from aftermap_twin.clips import _Counter, _drone_clip, _takes
from aftermap_twin.flight import stations_of
from aftermap_twin.making import scene_for
from aftermap_twin.options import CRS, ORIGIN_M, Flight, TwinOptions
from aftermap_twin.render import Studio, heights_m, studio_for
from aftermap_twin.scene import Scene

NADIR = TwinOptions(seed=1)
OBLIQUE = TwinOptions(seed=1, flight=Flight.OBLIQUE, photos=40)


def main() -> None:
    """Make the flights that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("flights", nargs="*", default=list(FLIGHTS))
    options = parser.parse_args()
    for name in options.flights:
        print(made_flight(options.folder, name), flush=True)


def made_flight(folder: Path, name: str) -> Path:
    """The flight of that name in ``folder``, made if its truth is not there."""
    out = folder / name
    if not (out / "truth" / "twin.json").exists():
        FLIGHTS[name](out)
    return out


def footage_of(flight: Path) -> Path:
    """What `aftermap map` is given of a flight: its photographs, or its clip with the sidecar."""
    photographs = flight / "images"
    return photographs if photographs.exists() else flight / "clips"


def make_clip(out: Path) -> None:
    """The drone's clip and its sidecar into ``out``/clips, what is true of them into truth."""
    stations = stations_of(NADIR)
    scene = scene_for(NADIR, stations)
    studio = studio_for(NADIR, scene)
    (out / "truth").mkdir(parents=True)
    grid, seen, surface_m = district(studio, scene)
    area = truth.MappedArea(grid=grid, seen=seen, surface_m=surface_m)
    truth.write_rasters(out / "truth", scene, area)
    truth.write_json(
        out / "truth" / "buildings.geojson", truth.buildings_document(scene, grid, seen)
    )
    truth.write_json(out / "truth" / "cameras.json", truth.cameras_document(NADIR, (), {}))
    content = {"crs": CRS, "vertical_datum": str(truth.DATUM), "clips": [film(out, studio)]}
    (out / "truth" / "clips.json").write_text(json.dumps(content), encoding="utf-8")
    truth.write_json(out / "truth" / "twin.json", {"crs": CRS, "origin_m": ORIGIN_M})


def district(studio: Studio, scene: Scene) -> tuple[Grid, BoolArray, Float32Array]:
    """Grid over the whole district, where something stands under a plumb line, and its height."""
    low, high = (np.array(c) + ORIGIN_M[:2] for c in (scene.extent.low_m, scene.extent.high_m))
    grid = grid_over(CRS, tuple(low), tuple(high), NADIR.ground_sample_m)
    east, north = cell_centres_m(grid)
    surface_m = np.empty((grid.rows, grid.columns), np.float32)
    for row, value in enumerate(north - ORIGIN_M[1]):
        places = np.column_stack([east - ORIGIN_M[0], np.full(grid.columns, value)])
        surface_m[row] = heights_m(studio.caster, places)
    return grid, np.isfinite(surface_m), surface_m


def film(out: Path, studio: Studio) -> dict[str, object]:
    """The clip that `aftermap twin --clips` makes, its sidecar of 10 Hz, and its truth."""
    options = ClipOptions()
    takes = _takes(studio, options)[0]
    (out / "clips" / "one_hz").mkdir(parents=True)
    made = _drone_clip(out, studio, takes, options, _Counter(len(takes[0].stations), None))
    shutil.rmtree(out / "clips" / "one_hz")
    return made


FLIGHTS: dict[str, Callable[[Path], object]] = {
    "nadir99": lambda out: make(out, NADIR),
    "oblique40": lambda out: make(out, OBLIQUE),
    "clip": make_clip,
}

if __name__ == "__main__":
    main()
