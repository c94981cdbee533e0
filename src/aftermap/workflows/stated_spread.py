"""How far products of one footage may lie apart where machines compute otherwise.

Machines with AVX2 compute by the same instructions and must agree by value. Others (ARM, older
processors, another version of a library) round otherwise: features fall on the other side of a
threshold, tie points differ, and so do all poses a little. Here that is measured and held against
what is stated (``aftermap.model.spread``).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from aftermap.geo.arrays import Array
from aftermap.geo.robust import nmad
from aftermap.model.spread import CAMERAS_CE90, GREY_LEVELS, HEIGHTS_GSD

HEIGHTS, PICTURE, CAMERAS = "surface.tif", "orthophoto.tif", "cameras.json"
REPORT = "report.json"

STATED = {HEIGHTS: HEIGHTS_GSD, PICTURE: GREY_LEVELS, CAMERAS: CAMERAS_CE90}
UNITS = {
    HEIGHTS: "GSD between the heights (NMAD)",
    PICTURE: "of 255 grey levels between the pixels (median)",
    CAMERAS: "of their CE90 in the case between the cameras (median)",
}


def spread_between(first: Path, second: Path) -> dict[str, float]:
    """How far two folders of products lie apart, for each that has a stated spread and is in both.

    Infinite where two products cannot be laid over each other.
    """
    measures = {HEIGHTS: _heights_apart, PICTURE: _pixels_apart, CAMERAS: _cameras_apart}
    there = [n for n in measures if (first / n).is_file() and (second / n).is_file()]
    return {name: measures[name](first / name, second / name) for name in there}


def within_stated(spread: Mapping[str, float]) -> bool:
    """Whether everything that was measured lies inside what is stated."""
    return all(value <= STATED[name] for name, value in spread.items())


def _heights_apart(first: Path, second: Path) -> float:
    found = overlaid(first, second)
    if found is None:
        return float("inf")
    one, other, cell_m = found
    gsd_m = _ground_sample_m(first.with_name(REPORT)) or cell_m
    differences = (one[0] - other[0])[np.isfinite(one[0]) & np.isfinite(other[0])]
    return nmad(differences, about=0.0) / gsd_m if differences.size else float("inf")


def _ground_sample_m(report: Path) -> float | None:
    """The GSD that a report states; None where there is none beside the surface."""
    if not report.is_file():
        return None
    stated = json.loads(report.read_text(encoding="utf-8")).get("map", {}).get("ground_sample_m")
    return None if stated is None else float(stated)


def _pixels_apart(first: Path, second: Path) -> float:
    found = overlaid(first, second)
    if found is None:
        return float("inf")
    one, other, _ = found
    seen = np.isfinite(one).all(axis=0) & np.isfinite(other).all(axis=0)
    return float(np.median(np.abs(one - other)[:3, seen])) if seen.any() else float("inf")


def overlaid(first: Path, second: Path) -> tuple[Array, Array, float] | None:
    """Both rasters (bands, rows, columns) over the ground they share, no data NaN; the cell's side.

    The grid of the second is read by its nearest cells. None where they share no ground, or lie in
    another CRS.
    """
    with rasterio.open(first) as one, rasterio.open(second) as other:
        if one.crs != other.crs or one.count != other.count:
            return None
        rows, columns = np.mgrid[0 : one.height, 0 : one.width]
        east, north = one.transform @ (columns + 0.5, rows + 0.5)
        column, row = ~other.transform @ (east, north)
        there = (column >= 0) & (row >= 0) & (column < other.width) & (row < other.height)
        if not there.any():
            return None
        own, theirs = _values(one), _values(other)
        laid = np.full(own.shape, np.nan)
        laid[:, there] = theirs[:, row[there].astype(int), column[there].astype(int)]
        return own, laid, float(one.transform.a)


def _values(raster: Any) -> Array:
    window = Window(0, 0, raster.width, raster.height)
    values = raster.read(window=window).astype(float)
    values[:, raster.dataset_mask(window=window) == 0] = np.nan
    return np.asarray(values, np.float64)


def _cameras_apart(first: Path, second: Path) -> float:
    """As a share of each CE90; infinite where other cameras were placed, or moved without one."""
    one, other = _positions(first), _positions(second)
    if one.keys() != other.keys():
        return float("inf")
    apart = [
        _share(float(np.linalg.norm(other[key][0] - place)), ce90)
        for key, (place, ce90) in one.items()
    ]
    return float(np.median(apart)) if apart else 0.0


def _share(distance_m: float, ce90_m: float) -> float:
    if distance_m == 0:
        return 0.0
    return distance_m / ce90_m if ce90_m > 0 else float("inf")


def _positions(path: Path) -> dict[str, tuple[Array, float]]:
    """Where each camera is, and its CE90 in the case; 0 where that is not known."""
    frames = json.loads(path.read_text(encoding="utf-8"))["frames"]
    return {
        f"{one['sha256']} {one['name']}": (
            np.array(one["position_m"], np.float64),
            float(one.get("ce90_in_case_m") or 0.0),
        )
        for one in frames
        if one["registered"]
    }
