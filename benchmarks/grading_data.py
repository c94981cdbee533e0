"""Mapped twins with their true grades -> buildings, measures and dark spots to train and test on.

A twin's roofs are all flat and all are photographed alike. So that a model does not take a gable, a
chimney or a coarser picture for damage, the maps are also measured in variants: with pitched roofs
and uneven surfaces, and in coarser cells. The twin itself is not changed.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import cv2
import numpy as np
import pyarrow.parquet as pq
import rasterio
from shapely.geometry.base import BaseGeometry

from aftermap.assessment import measure
from aftermap.assessment.holes import INPUTS, dark_spots, hole_measures
from aftermap.assessment.names import NamedValues
from aftermap.assessment.roof_texture import MARGIN_M, RoofPicture
from aftermap.assessment.site import BuildingSite
from aftermap.geo.arrays import AnyArray, Array, BoolArray, ByteArray, Float32Array, IntArray
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.grid import cell_centres_m
from aftermap.geo.polygon import cells_inside, shape_of, shifted
from aftermap.model.assessment import GRADES, Grade
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster
from aftermap.record.artefact import decode_artefact

Item = TypeVar("Item")
Result = TypeVar("Result")

Roof = tuple[RoofPicture, BuildingSite]
"""One building in the orthophoto and on the surface, as its measures were taken."""

LEAST_MEASURED = 0.4
HOLE_M = 5.0
"""Holes up to this width are known as such in the true surface."""
NOT_KNOWN = -1
EDGE_M = 0.15
"""What lies deep nearer to the true outline than this is the roof's edge and no hole."""


class Here:
    """An executor that does the work at once."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], *, label: str
    ) -> Iterator[Result]:
        """Yield the work of every item."""
        del label
        return map(work, items)


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A plain folder as a workspace."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where that file is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """The path itself."""
        yield self.path(name)

    def item(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file, made anew."""
        make(self.path(name))
        return self.path(name)


@dataclass(frozen=True, kw_only=True)
class Map:
    """The rasters of a case."""

    elevation: Elevation
    orthophoto: Orthophoto


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Buildings of a twin that its photographs show, their true outlines and grades.

    ``roof_m`` is the height of the whole roof in the twin's datum; ``surface`` is the true surface.
    """

    buildings: Buildings
    grades: tuple[Grade, ...]
    roof_m: tuple[float, ...]
    surface: Path


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What was measured of buildings whose grades are known.

    ``style`` is the generator's style of district, ``seed`` its seed.
    ``values`` are (N,) by name, ``grades`` (N,) 0 to 4. ``spots`` are the dark spots of each
    building; ``are_holes`` says which of them lie over a true hole: 1, 0, or ``NOT_KNOWN``.
    """

    name: str
    style: str
    seed: int
    values: Mapping[str, Array]
    grades: IntArray
    spots: tuple[Array, ...] = ()
    are_holes: tuple[IntArray, ...] = ()


def map_of(case: Path) -> Map:
    """The newest surface and orthophoto of a case."""
    found: list[Any] = []
    for name, kind in (("surface", Elevation), ("orthophoto", Orthophoto)):
        answers = (case / "products/stages").glob(f"{name}-*/answer.json")
        newest = max(answers, key=lambda path: path.stat().st_mtime)
        document = json.loads(newest.read_text(encoding="utf-8"))
        found.append(decode_artefact(kind, document["answer"], root=case))
    return Map(elevation=found[0], orthophoto=found[1])


def truth_of(folder: Path, crs: str, *, levels: bool = False) -> Truth:
    """The buildings in truth/ of a twin that at least two photographs show."""
    document = json.loads((folder / "buildings.geojson").read_text(encoding="utf-8"))
    made, grades, roofs = [], [], []
    for number, feature in enumerate(document["features"]):
        facts = feature["properties"]
        if not facts["mapped"]:
            continue
        rings = tuple(
            tuple((float(x), float(y)) for x, y in transformed_xy(WGS84, crs, ring))
            for ring in feature["geometry"]["coordinates"]
        )
        footprint = Footprint(
            source_id=facts["id"],
            feature=number,
            polygons_m=(rings,),
            area_m2=float(shape_of((rings,)).area),
            levels=float(facts["levels"]) if levels else None,
        )
        made.append(building_at(footprint, (0.0, 0.0)))
        grades.append(Grade(facts["grade"]))
        roofs.append(facts["base_m"] + facts["height_m"])
    return Truth(
        buildings=Buildings(crs=crs, buildings=tuple(made)),
        grades=tuple(grades),
        roof_m=tuple(roofs),
        surface=folder / "surface.tif",
    )


def building_at(footprint: Footprint, off_m: tuple[float, float], sigma_m: float = 0.3) -> Building:
    """A building whose outline lies this far off."""
    alignment = Alignment(shift_m=off_m, sigma_m=sigma_m, residual_m=0.2, source=ShiftSource.OWN)
    return Building(
        footprint=footprint, alignment=alignment, polygons_m=shifted(footprint.polygons_m, off_m)
    )


def jittered(buildings: Buildings, sigma_m: float, seed: int) -> Buildings:
    """The same with every outline a little off, as after an alignment."""
    rng = np.random.default_rng([seed, 71])
    moved = [
        building_at(one.footprint, (float(x), float(y)))
        for one, (x, y) in zip(
            buildings.buildings, rng.normal(0, sigma_m, (len(buildings.buildings), 2)), strict=True
        )
    ]
    return replace(buildings, buildings=tuple(moved))


def values_of(
    where: Map, buildings: Buildings, work: Path
) -> tuple[dict[str, Array], dict[int, Roof]]:
    """What is measured of the buildings, (N,) by name, and their roofs by place."""
    roofs: dict[int, Roof] = {}
    bounds = [shape_of(one.polygons_m).bounds for one in buildings.buildings]
    corners = np.array([(west - MARGIN_M, north + MARGIN_M) for west, _, _, north in bounds])

    def noted(picture: RoofPicture, site: BuildingSite) -> NamedValues:
        corner = picture.grid.east_m, picture.grid.north_m
        place = int(np.abs(corners - corner).sum(1).argmin())
        roofs[place] = picture, site
        return hole_measures(picture, site)

    with patch.object(measure, "FROM_PICTURE", (noted,)):
        table = measure.measure_buildings(
            buildings, where.elevation, where.orthophoto, None, Folder(folder=work), Here()
        )
    columns = pq.read_table(table.path)
    found = {
        name: np.array(columns[name].to_numpy(zero_copy_only=False), float) for name in table.names
    }
    return found, roofs


def sample_of(
    name: str,
    district: tuple[str, int],
    where: Map,
    truth: Truth,
    buildings: Buildings,
    work: Path,
) -> Sample:
    """The measures and dark spots of buildings, without those of which too little is measured.

    ``district`` is its style and its seed.
    """
    values, roofs = values_of(where, buildings, work)
    grades = np.array([GRADES.index(grade) for grade in truth.grades])
    seen = (values["measured_fraction"] >= LEAST_MEASURED) & np.isfinite(values["height_m"])
    spots, holes = _spots(truth, roofs, seen)
    return Sample(
        name=name,
        style=district[0],
        seed=district[1],
        values={key: column[seen] for key, column in values.items()},
        grades=grades[seen],
        spots=spots,
        are_holes=holes,
    )


def _spots(
    truth: Truth, roofs: Mapping[int, Roof], seen: BoolArray
) -> tuple[tuple[Array, ...], tuple[IntArray, ...]]:
    spots, holes = [], []
    with rasterio.open(truth.surface) as file:
        true_m, step = file.read(1), file.transform
    for index in np.flatnonzero(seen).tolist():
        if index not in roofs:
            spots.append(np.zeros((0, len(INPUTS))))
            holes.append(np.zeros(0, int))
            continue
        picture, site = roofs[index]
        x, y = cell_centres_m(picture.grid)
        row = np.clip(((y - step.f) / step.e).astype(int), 0, true_m.shape[0] - 1)
        column = np.clip(((x - step.c) / step.a).astype(int), 0, true_m.shape[1] - 1)
        here_m = np.ascontiguousarray(true_m[np.ix_(row, column)])
        true_outline = shape_of(truth.buildings.buildings[index].polygons_m).buffer(-EDGE_M)
        is_hole = _holes_in(here_m, picture.grid.cell_m, truth.roof_m[index])
        is_hole &= cells_inside(true_outline, picture.grid)
        is_hole &= truth.grades[index] is not Grade.NONE
        found, marked = dark_spots(picture, site)
        spots.append(found)
        sure = truth.grades[index] in {Grade.NONE, Grade.LIGHT}
        flags = [is_hole[cut][spot].mean() > 0.3 for cut, spot in marked]
        holes.append(np.array([1 if flag else 0 if sure else NOT_KNOWN for flag in flags], int))
    return tuple(spots), tuple(holes)


def _holes_in(true_m: Float32Array, cell_m: float, roof_m: float) -> BoolArray:
    """(rows, columns) mask of what lies 0.5 m below the true roof around it, flat or pitched."""
    size = round(HOLE_M / cell_m) | 1
    closed = cv2.morphologyEx(true_m, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    return np.asarray((closed - true_m > 0.5) & (true_m < roof_m - 0.5))


def coarse(where: Map, factor: float, work: Path) -> Map:
    """The map in cells and pixels larger by a factor, as a higher flight would give it."""
    rasters = {}
    for name, raster, way in (
        ("surface", where.elevation.surface, cv2.INTER_NEAREST),
        ("confidence", where.elevation.confidence, cv2.INTER_NEAREST),
        ("image", where.orthophoto.image, cv2.INTER_AREA),
    ):
        with rasterio.open(raster.path) as file:
            bands = file.read()
        rows, columns = (int(side / factor) for side in bands.shape[1:])
        small = np.stack([cv2.resize(band, (columns, rows), interpolation=way) for band in bands])
        rasters[name] = written(small, raster, work / f"{name}.tif", raster.grid.cell_m * factor)
    return with_rasters(where, rasters)


def filmed(where: Map, seed: int, work: Path) -> Map:
    """The map as oblique video would give it: coarser, soft, compressed, its surface uneven."""
    rng = np.random.default_rng([seed, 93])
    soft = coarse(where, 1.6, work)
    image, surface = soft.orthophoto.image, soft.elevation.surface
    with rasterio.open(image.path) as file:
        bands = file.read()
    blurred = cv2.GaussianBlur(np.ascontiguousarray(bands[:3].transpose(1, 2, 0)), (0, 0), 1.2)
    packed = cv2.imencode(".jpg", blurred, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    bands[:3] = cv2.imdecode(packed, cv2.IMREAD_COLOR).transpose(2, 0, 1)
    with rasterio.open(surface.path) as file:
        heights = file.read(1)
    known = heights != np.float32(surface.nodata or 0)
    smooth = np.where(known, cv2.medianBlur(heights, 5), heights)
    smooth[known] += _unevenness(rng, heights.shape, ((2, 0.06), (5, 0.14), (14, 0.12)))[known]
    return with_rasters(
        soft,
        {
            "surface": written(smooth[None], surface, work / "filmed.tif"),
            "confidence": soft.elevation.confidence,
            "image": written(bands, image, work / "filmed-image.tif"),
        },
    )


def _unevenness(
    rng: np.random.Generator, shape: tuple[int, ...], waves: Sequence[tuple[int, float]]
) -> Float32Array:
    """Noise in patches of so many cells, of so many metres each (one sigma)."""
    total = np.zeros(shape, np.float32)
    for few, sigma in waves:
        knots = rng.normal(0, sigma, (shape[0] // few + 1, shape[1] // few + 1))
        total += cv2.resize(knots, shape[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return total


def pitched(where: Map, truth: Truth, seed: int, work: Path) -> Map:
    """The map with gables, chimneys and storeys set back on what stands, and an uneven surface."""
    rng = np.random.default_rng([seed, 91])
    with rasterio.open(where.elevation.surface.path) as file:
        heights = file.read(1)
    with rasterio.open(where.orthophoto.image.path) as file:
        bands = file.read()
    known = heights != np.float32(where.elevation.surface.nodata or 0)
    lift = _lift_m(where, truth, heights)
    for index, one in enumerate(truth.buildings.buildings):
        if rng.random() < 0.8:
            shape = shape_of(one.polygons_m)
            _roofed(rng, where, heights, bands, shape, truth.roof_m[index] + lift)
    heights[known] += _unevenness(rng, heights.shape, ((6, 0.06), (16, 0.06)))[known]
    return with_rasters(
        where,
        {
            "surface": written(heights[None], where.elevation.surface, work / "surface.tif"),
            "confidence": where.elevation.confidence,
            "image": written(bands, where.orthophoto.image, work / "image.tif"),
        },
    )


def _lift_m(where: Map, truth: Truth, heights: Float32Array) -> float:
    """How far the map lies above the truth as a whole (a shared error of the positions)."""
    grid = where.elevation.surface.grid
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, grid.rows, 20_000), rng.integers(0, grid.columns, 20_000)
    east, north = cell_centres_m(grid)
    with rasterio.open(truth.surface) as file:
        true_m, step, nothing = file.read(1), file.transform, file.nodata
    row = ((north[rows] - step.f) / step.e).astype(int)
    column = ((east[columns] - step.c) / step.a).astype(int)
    ok = (row >= 0) & (column >= 0) & (row < true_m.shape[0]) & (column < true_m.shape[1])
    apart = heights[rows[ok], columns[ok]] - true_m[row[ok], column[ok]]
    real = (true_m[row[ok], column[ok]] != nothing) & (np.abs(apart) < 100)
    return float(np.median(apart[real]))


def _roofed(
    rng: np.random.Generator,
    where: Map,
    heights: Float32Array,
    bands: ByteArray,
    shape: BaseGeometry,
    roof_m: float,
) -> None:
    """Put a gable or a storey set back, and chimneys, on the part of a roof that stands."""
    part, cut = _window(where.elevation.surface.grid, shape)
    if part is None:
        return
    own = heights[cut]
    standing = cells_inside(shape, part) & (own > roof_m - 0.7)
    x, y = np.meshgrid(*cell_centres_m(part))
    box = np.array(shape.minimum_rotated_rectangle.exterior.coords)
    sides = np.diff(box[:3], axis=0)
    short = sides[int(np.linalg.norm(sides[0]) > np.linalg.norm(sides[1]))]
    width = float(np.linalg.norm(short))
    across = short / width
    middle = box[:4].mean(0)
    off = (x - middle[0]) * across[0] + (y - middle[1]) * across[1]
    if rng.random() < 0.75:
        slope = np.tan(np.radians(rng.uniform(15, 45)))
        rise = np.maximum(width / 2 - np.abs(off), 0) * slope
        own[standing] += rise[standing].astype(np.float32)
        _shaded(rng, where.orthophoto.image.grid, bands, shape, (middle, across))
    else:
        edge = rng.uniform(-0.3, 0.3) * width
        own[standing & (off > edge)] -= np.float32(rng.uniform(2.6, 3.4))
    for _ in range(int(rng.integers(0, 5))):
        rows, columns = np.nonzero(standing)
        if len(rows):
            at = rng.integers(len(rows))
            size = max(1, int(rng.uniform(0.3, 0.6) / part.cell_m))
            own[
                max(0, rows[at] - size) : rows[at] + size,
                max(0, columns[at] - size) : columns[at] + size,
            ] += np.float32(rng.uniform(0.6, 1.6))


def _shaded(
    rng: np.random.Generator,
    grid: Grid,
    bands: ByteArray,
    shape: BaseGeometry,
    ridge: tuple[Array, Array],
) -> None:
    part, cut = _window(grid, shape)
    if part is None:
        return
    inside = cells_inside(shape, part)
    x, y = np.meshgrid(*cell_centres_m(part))
    side = (x - ridge[0][0]) * ridge[1][0] + (y - ridge[0][1]) * ridge[1][1] > 0
    factor = np.where(side, rng.uniform(0.6, 0.95), rng.uniform(0.95, 1.2))
    tint = rng.choice([[1, 1, 1], [1.1, 0.8, 0.7], [0.9, 0.9, 1.0]])
    for band in range(3):
        own = bands[band][cut]
        toned = np.clip(own * factor * tint[band], 0, 255).astype(np.uint8)
        own[inside] = toned[inside]


def _window(grid: Grid, shape: BaseGeometry) -> tuple[Grid | None, tuple[slice, slice]]:
    west, south, east, north = shape.bounds
    first = max(0, int((grid.north_m - north) / grid.cell_m))
    last = min(grid.rows, int((grid.north_m - south) / grid.cell_m) + 2)
    left = max(0, int((west - grid.east_m) / grid.cell_m))
    right = min(grid.columns, int((east - grid.east_m) / grid.cell_m) + 2)
    cut = (slice(first, last), slice(left, right))
    if last <= first or right <= left:
        return None, cut
    part = Grid(
        crs=grid.crs,
        east_m=grid.east_m + left * grid.cell_m,
        north_m=grid.north_m - first * grid.cell_m,
        cell_m=grid.cell_m,
        rows=last - first,
        columns=right - left,
    )
    return part, cut


def written(bands: AnyArray, like: Raster, path: Path, cell_m: float | None = None) -> Raster:
    """A raster file of these bands, at the corner of another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = replace(
        like.grid, cell_m=cell_m or like.grid.cell_m, rows=bands.shape[1], columns=bands.shape[2]
    )
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands),
        height=grid.rows,
        width=grid.columns,
        dtype=bands.dtype,
        nodata=like.nodata,
        tiled=True,
        transform=rasterio.Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
    ) as file:
        file.write(bands)
    return replace(like, path=str(path), grid=grid)


def with_rasters(where: Map, rasters: Mapping[str, Raster]) -> Map:
    """The map with other rasters."""
    return Map(
        elevation=replace(
            where.elevation, surface=rasters["surface"], confidence=rasters["confidence"]
        ),
        orthophoto=replace(where.orthophoto, image=rasters["image"]),
    )


def emptied(folder: Path) -> Path:
    """The folder, new and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
