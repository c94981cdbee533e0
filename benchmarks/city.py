"""25,000 buildings with nineteen views each: what measuring, grading and recording them cost.

    .venv/bin/python -m benchmarks.city --case CASE --footprints FILE [--work DIR]

CASE is a mapped twin. Its rasters, its cameras and the outlines that it shows are laid side by side
until there are 25,000 buildings (Raqqa's number); no raster is copied (VRT). Every step works in
this process, one piece after the other, so that its CPU time and its memory are all there is. Crops
are not cut. Writes benchmarks/results/city.json.
"""

import argparse
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import numpy as np
import rasterio

from aftermap.assessment.grade import grade_buildings
from aftermap.assessment.measure import measure_buildings
from aftermap.buildings.align import aligned_buildings
from aftermap.buildings.footprints import footprints_in
from aftermap.buildings.view_quality import visibility_of
from aftermap.buildings.views import building_views
from aftermap.geo.polygon import shape_of, shifted
from aftermap.model.building import Footprint, FootprintSet
from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.model.raster import Elevation, Orthophoto, Raster
from aftermap.progress import NoProgress
from aftermap.record import Case, StageFolder
from aftermap.record.assessments import add_assessments
from aftermap.record.building_table import replace_buildings
from aftermap.record.building_views import replace_views
from aftermap.run import Runner
from aftermap.workflows.stages import ORTHOPHOTO, POSES, SURFACE
from benchmarks.machine import write_result

Item = TypeVar("Item")
Result = TypeVar("Result")
Shift = tuple[float, float]

BUILDINGS = 25_000
OFFSETS_M = ((0.0, 0.0), (4.0, 3.0), (-3.0, 5.0), (3.0, -4.0), (-4.0, -3.0))
"""Each camera stands for five, so that nineteen pictures show a building of seed 21."""
BANDS = {"uint8": "Byte", "uint16": "UInt16", "float32": "Float32"}


class Here:
    """Works in this process."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], *, label: str
    ) -> Iterator[Result]:
        """One after the other."""
        print(f"  {len(items):,} pieces of {label}", flush=True)
        return map(work, items)


def main() -> None:
    """Lay out the city, run every step, write down what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", type=Path, required=True, help="a mapped twin")
    parser.add_argument("--footprints", type=Path, required=True, help="its outlines")
    parser.add_argument("--work", type=Path, default=Path("city"), help="work folder")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    print(write_result("city", _run(options.case, options.footprints, options.work)))


def _run(case_path: Path, outlines: Path, work: Path) -> dict[str, Any]:
    cameras, elevation, picture = _left(case_path)
    grid = elevation.surface.grid
    size_m = grid.columns * grid.cell_m, grid.rows * grid.cell_m
    area_m = grid.east_m, grid.north_m - size_m[1], grid.east_m + size_m[0], grid.north_m
    found = footprints_in(outlines, id_field=None, crs=None, map_crs=cameras.crs, area_m=area_m)
    shown = _shown(found, elevation)
    side = int(np.ceil(np.sqrt(BUILDINGS / len(shown))))
    shifts = [(i * size_m[0], -j * size_m[1]) for j in range(side) for i in range(side)]
    city = replace(found, footprints=_repeated(shown, shifts)[:BUILDINGS])
    elevation = replace(
        elevation,
        surface=_mosaic(elevation.surface, side, size_m, work),
        confidence=_mosaic(elevation.confidence, side, size_m, work),
    )
    picture = replace(picture, image=_mosaic(picture.image, side, size_m, work))
    cameras = replace(cameras, placed=_flown(cameras, shifts))
    return _figures(city, cameras, elevation, picture, work)


def _figures(
    city: FootprintSet,
    cameras: Reconstruction,
    elevation: Elevation,
    picture: Orthophoto,
    work: Path,
) -> dict[str, Any]:
    here, files, cost = Here(), StageFolder(folder=work), {}
    with _timed("alignment", cost):
        buildings = aligned_buildings(city, elevation, picture, files, here)
    with _timed("views", cost):
        views = building_views(buildings, cameras, elevation, files, here)
    with _timed("visibility", cost):
        seen = visibility_of(buildings, views, elevation, files, here)
    with _timed("measures", cost):
        measures = measure_buildings(buildings, elevation, picture, None, files, here)
    with _timed("grades", cost):
        grading = grade_buildings(buildings, measures, seen)
    with _timed("record", cost), Case.create_or_open(work / "case") as case:
        replace_buildings(case.package, buildings, grading, measures)
        replace_views(case.package, buildings, views, seen)
        add_assessments(case.package, grading.assessments, actor="benchmark")
    count = len(buildings.buildings)
    return {
        "buildings": count,
        "photographs": len(cameras.placed),
        "views_per_building": views.views / count,
        "graded": sum(one.grade is not None for one in grading.assessments),
        "cpu_s": cost,
        "cpu_s_of_all": sum(cost.values()),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


@contextmanager
def _timed(name: str, cost: dict[str, float]) -> Iterator[None]:
    started = time.process_time()
    yield
    cost[name] = time.process_time() - started
    print(f"{name}: {cost[name]:.0f} s", flush=True)


def _left(case_path: Path) -> tuple[Reconstruction, Elevation, Orthophoto]:
    with (
        Case.create_or_open(case_path) as case,
        Runner(case, command="benchmark", options=None, progress=NoProgress()) as run,
    ):
        again = "aftermap map"
        return (
            run.latest_result(POSES, command=again),
            run.latest_result(SURFACE, command=again),
            run.latest_result(ORTHOPHOTO, command=again),
        )


def _shown(found: FootprintSet, elevation: Elevation) -> list[Footprint]:
    """The outlines whose middle the map shows."""
    with rasterio.open(elevation.confidence.path) as file:
        middles = [shape_of(one.polygons_m).representative_point() for one in found.footprints]
        counts = [int(c[0]) for c in file.sample([(p.x, p.y) for p in middles])]
    return [one for one, count in zip(found.footprints, counts, strict=True) if count >= 2]


def _repeated(shown: Sequence[Footprint], shifts: Sequence[Shift]) -> tuple[Footprint, ...]:
    return tuple(
        replace(
            one,
            source_id=f"{k}-{one.source_id}",
            feature=k * len(shown) + i,
            polygons_m=shifted(one.polygons_m, shift),
        )
        for k, shift in enumerate(shifts)
        for i, one in enumerate(shown)
    )


def _flown(cameras: Reconstruction, shifts: Sequence[Shift]) -> tuple[PlacedFrame, ...]:
    flown = []
    for k, (east_m, north_m) in enumerate(shifts):
        for number, (aside_m, along_m) in enumerate(OFFSETS_M):
            for one in cameras.placed:
                x, y, z = one.pose.position_m
                place = (x + east_m + aside_m, y + north_m + along_m, z)
                frame = replace(one.frame, sha256=f"{k:07x}{number}{one.frame.sha256[8:]}")
                flown.append(replace(one, frame=frame, pose=replace(one.pose, position_m=place)))
    return tuple(flown)


def _mosaic(raster: Raster, side: int, size_m: Shift, work: Path) -> Raster:
    """A raster laid side by side ``side`` times each way, as a VRT beside the others."""
    grid, path = raster.grid, work / (Path(raster.path).stem + ".vrt")
    step = [round(size / grid.cell_m) for size in size_m]
    whole = replace(grid, columns=step[0] * side, rows=step[1] * side)
    with rasterio.open(raster.path) as file:
        kinds, wkt = file.dtypes, file.crs.to_wkt()
    bands = []
    for number, kind in enumerate(kinds, start=1):
        nodata = "" if raster.nodata is None else f"<NoDataValue>{raster.nodata}</NoDataValue>"
        sources = "".join(
            f"<SimpleSource><SourceFilename>{escape(str(Path(raster.path).absolute()))}"
            f"</SourceFilename><SourceBand>{number}</SourceBand>"
            f'<SrcRect xOff="0" yOff="0" xSize="{grid.columns}" ySize="{grid.rows}"/>'
            f'<DstRect xOff="{i * step[0]}" yOff="{j * step[1]}" xSize="{grid.columns}" '
            f'ySize="{grid.rows}"/></SimpleSource>'
            for j in range(side)
            for i in range(side)
        )
        bands.append(
            f'<VRTRasterBand dataType="{BANDS[kind]}" band="{number}">{nodata}{sources}'
            "</VRTRasterBand>"
        )
    path.write_text(
        f'<VRTDataset rasterXSize="{whole.columns}" rasterYSize="{whole.rows}">'
        f"<SRS>{escape(wkt)}</SRS><GeoTransform>{grid.east_m}, {grid.cell_m}, 0, {grid.north_m}, "
        f"0, {-grid.cell_m}</GeoTransform>{''.join(bands)}</VRTDataset>",
        encoding="utf-8",
    )
    return replace(raster, path=str(path), grid=whole)


if __name__ == "__main__":
    main()
