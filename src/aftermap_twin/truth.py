"""What is known about the district, written beside the pictures.

Heights are in the datum of the twin's positions, which is called ellipsoidal. Rasters are north-up.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio

from aftermap.geo.arrays import Array, BoolArray, Float32Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.grid import Block, cell_centres_m, grid_over, rowcol_of, window_of
from aftermap.geo.lens import projected_px
from aftermap.model.media import VerticalDatum
from aftermap.model.raster import Grid
from aftermap_twin.caster import Caster
from aftermap_twin.flight import Station, plane_footprint_m
from aftermap_twin.options import CRS, ORIGIN_M, TwinOptions
from aftermap_twin.render import heights_m
from aftermap_twin.scene import Scene, TrueBuilding
from aftermap_twin.shown import photographs_showing
from aftermap_twin.site import HEIGHT_STEP_M, at
from aftermap_twin.streets import StreetPiece

NODATA = -9999.0
DATUM = VerticalDatum.ELLIPSOID
MARK_MARGIN_PX = 20.0
ROW_S = 1e-7
"""A row is exposed at this time, as nearly as matters."""
MAPPED_PHOTOGRAPHS = 2
"""A place counts as mapped where this many photographs have it in their frame."""


@dataclass(frozen=True, kw_only=True)
class MappedArea:
    """A grid just around the cells that at least two photographs have in their frame.

    ``seen`` (rows, columns) says which cells those are; ``surface_m`` holds what a plumb line
    meets first, in the district's own datum.
    """

    grid: Grid
    seen: BoolArray
    surface_m: Float32Array


def mapped_area(options: TwinOptions, stations: tuple[Station, ...], caster: Caster) -> MappedArea:
    """What a map of these photographs can be held against."""
    corners = np.concatenate([plane_footprint_m(options, s) + ORIGIN_M[:2] for s in stations])
    (west, south), (east, north) = corners.min(0), corners.max(0)
    grid = grid_over(CRS, (west, south), (east, north), options.ground_sample_m)
    surface_m = np.empty((grid.rows, grid.columns), np.float32)
    for row, places in enumerate(_local_rows(grid)):
        surface_m[row] = heights_m(caster, places)
    seen = photographs_showing(options, stations, grid, surface_m) >= MAPPED_PHOTOGRAPHS
    seen &= np.isfinite(surface_m)
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    window = Block(
        row=int(rows[0]),
        column=int(columns[0]),
        rows=int(rows[-1] - rows[0] + 1),
        columns=int(columns[-1] - columns[0] + 1),
    )
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return MappedArea(grid=window_of(grid, window), seen=seen[cut], surface_m=surface_m[cut])


def write_rasters(folder: Path, scene: Scene, area: MappedArea) -> None:
    """surface.tif: what a plumb line meets first; terrain.tif: the ground before any heaps."""
    terrain_m = np.empty_like(area.surface_m)
    for row, places in enumerate(_local_rows(area.grid)):
        terrain_m[row] = at(scene.ground.bare_m, scene.extent, HEIGHT_STEP_M, places)
    for name, values in (("surface.tif", area.surface_m), ("terrain.tif", terrain_m)):
        raised = np.where(area.seen, values + np.float32(ORIGIN_M[2]), np.float32(NODATA))
        _write_raster(folder / name, area.grid, raised)


def _local_rows(grid: Grid) -> Iterator[Array]:
    """(columns, 2) local east and north of the cells of each row."""
    east, north = cell_centres_m(grid)
    for value in north - ORIGIN_M[1]:
        yield np.column_stack([east - ORIGIN_M[0], np.full(grid.columns, value)])


def _write_raster(path: Path, grid: Grid, values: Float32Array) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=grid.columns,
        height=grid.rows,
        count=1,
        dtype="float32",
        crs=CRS,
        nodata=NODATA,
        tiled=True,
        compress="deflate",
        predictor=3,
        transform=rasterio.Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
    ) as raster:
        raster.write(values, 1)
        raster.update_tags(vertical_datum=str(DATUM))


def cameras_document(
    options: TwinOptions, stations: tuple[Station, ...], digests: dict[str, str]
) -> dict[str, Any]:
    """True poses and lens in the form of products/cameras.json."""
    frames = [
        {
            "name": station.name,
            "sha256": digests[station.name],
            "registered": True,
            "reason": None,
            "width_px": options.width_px,
            "height_px": options.height_px,
            "camera_model": "OPENCV",
            "params": list(options.params),
            "focal_px": options.focal_px,
            "rotation_cam_from_world": station.rotation_cam_from_world.tolist(),
            "position_m": [p + o for p, o in zip(station.position_m, ORIGIN_M, strict=True)],
            "position_sigma_m": [0.0, 0.0, 0.0],
            "reprojection_px": 0.0,
        }
        for station in stations
    ]
    return {"crs": CRS, "vertical_datum": str(DATUM), "frames": frames}


def buildings_document(scene: Scene, grid: Grid, seen: BoolArray) -> dict[str, Any]:
    """Footprints before the damage, with grade, floors and heights; GeoJSON (RFC 7946).

    ``seen`` (rows, columns) says which cells of ``grid`` photographs see.
    """
    features = [
        _feature(
            "Polygon",
            _rings(building),
            {
                "id": f"B{building.number:04d}",
                "grade": str(building.grade),
                "levels": building.levels,
                "height_m": round(building.height_m, 3),
                "base_m": round(building.base_m + ORIGIN_M[2], 3),
                "standing_share": round(building.standing_share, 3),
                "mapped": _is_seen(grid, seen, building.centre_m),
                **dict(building.details),
            },
        )
        for building in scene.buildings
    ]
    return {"type": "FeatureCollection", "features": features}


def _rings(building: TrueBuilding) -> list[list[list[float]]]:
    """Rings in longitude, latitude; outer anticlockwise, courtyards clockwise (RFC 7946, 3.1.6)."""
    rings = []
    for place, ring in enumerate(building.rings_m):
        x, y = ring[:, 0], ring[:, 1]
        anticlockwise = float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) > 0
        ordered = ring if anticlockwise == (place == 0) else ring[::-1]
        rings.append(_lonlat(ordered))
    return rings


def _is_seen(grid: Grid, seen: BoolArray, xy_m: Array) -> bool:
    row, column = np.floor(rowcol_of(grid, [xy_m + ORIGIN_M[:2]])[0]).astype(int)
    inside = 0 <= row < grid.rows and 0 <= column < grid.columns
    return bool(inside and seen[row, column])


def streets_document(
    pieces: tuple[StreetPiece, ...], grid: Grid, seen: BoolArray
) -> dict[str, Any]:
    """Ten-metre pieces of street axis; blocked where no car gets through.

    ``seen`` (rows, columns) says which cells of ``grid`` photographs see.
    """
    features = [
        _feature(
            "LineString",
            _lonlat(piece.axis_m),
            {
                "id": piece.name,
                "street": piece.street,
                "width_m": round(piece.width_m, 2),
                "free_width_m": round(piece.free_width_m, 2),
                "blocked": piece.blocked,
                "mapped": _is_seen(grid, seen, piece.axis_m.mean(0)),
            },
        )
        for piece in pieces
    ]
    return {"type": "FeatureCollection", "features": features}


def _feature(kind: str, coordinates: object, properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def _lonlat(xy_m: Array) -> list[list[float]]:
    found = transformed_xy(CRS, WGS84, np.asarray(xy_m) + ORIGIN_M[:2])
    return [[round(float(lon), 9), round(float(lat), 9)] for lon, lat in found]


def mark_names(scene: Scene) -> list[str]:
    """M01, M02, ..."""
    return [f"M{number + 1:02d}" for number in range(len(scene.marks_m))]


def marks_document(scene: Scene) -> list[dict[str, object]]:
    """Every mark's centre: east, north and height."""
    places = np.round(scene.marks_m + ORIGIN_M, 4).tolist()
    return [
        {"name": name, "E": place[0], "N": place[1], "H": place[2]}
        for name, place in zip(mark_names(scene), places, strict=True)
    ]


def gcp_list(
    options: TwinOptions, scene: Scene, stations: tuple[Station, ...], caster: Caster
) -> str:
    """The common text form: the CRS, then a line for every photograph that shows a mark whole."""
    rng = np.random.default_rng([options.seed, 81])
    lines = [CRS]
    for name, mark in zip(mark_names(scene), scene.marks_m, strict=True):
        east, north, height = np.round(mark + ORIGIN_M, 4)
        for station in stations:
            if not is_mark_seen(options, caster, station, mark):
                continue
            x, y = mark_px(options, station, mark) + rng.normal(0, options.click_sigma_px, 2)
            lines.append(
                f"{east:.4f} {north:.4f} {height:.4f} {x:.2f} {y:.2f} {station.name} {name}"
            )
    return "\n".join(lines) + "\n"


def mark_px(options: TwinOptions, station: Station, place_m: npt.ArrayLike) -> Array:
    """(2,) pixel, from the outer corner, at which a place (local metres) is pictured."""
    place, later_s = np.asarray(place_m, float), 0.0
    while True:
        rotation, centre = station.pose_after(later_s)
        seen = np.asarray(projected_px((rotation @ (place - centre))[None], options.params)[0])
        row_s = options.readout_s * (seen[1] / options.height_px - 0.5)
        if not abs(row_s - later_s) > ROW_S:
            return seen
        later_s = float(row_s)


def is_mark_seen(options: TwinOptions, caster: Caster, station: Station, mark: Array) -> bool:
    """Whether a mark, (3,) local metres, lies in the picture, off its edge, in plain view."""
    xyz = station.rotation_cam_from_world @ (mark - station.position_m)
    if xyz[2] <= 0:
        return False
    x, y = mark_px(options, station, mark)
    margin = MARK_MARGIN_PX
    if not (margin < x < options.width_px - margin and margin < y < options.height_px - margin):
        return False
    rim = np.array([[0, 0], [0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    targets = mark + np.column_stack([rim, np.full(5, 0.03)])
    origins = np.tile(np.array(station.position_m, np.float32), (5, 1))
    hits = caster.first_hits(origins, (targets - station.position_m).astype(np.float32))
    return bool((hits.distance > 0.998).all())


def write_json(path: Path, document: object) -> None:
    """Write a document as UTF-8 JSON."""
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def library_versions() -> dict[str, str]:
    """The libraries that the pictures depend on."""
    names = (
        "aftermap",
        "embreex",
        "numba",
        "numpy",
        "opencv-python-headless",
        "pillow",
        "rasterio",
    )
    return {name: version(name) for name in names}
