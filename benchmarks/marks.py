"""Where the twin's painted marks lie on an orthophoto, and on its surface, to a part of a pixel.

The pattern that the twin paints (src/aftermap_twin/surfaces.py) is drawn at the true turn, blurred,
and moved until it is most like the picture (normalised cross-correlation); shift and blur are found
by Nelder and Mead's method from the best whole-pixel place. Metres in the CRS of the map; the
centre of the first pixel is at half a pixel.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from rasterio.windows import Window
from scipy.optimize import minimize

from aftermap.geo.arrays import Array, Float32Array
from benchmarks.fitting import rms, similarity
from benchmarks.products import Products

RADIUS_M = 0.62
TEMPLATE_M = 0.85
"""Half side of the patch that is compared: the mark and a little of what lies around it."""
SEARCH_M = 1.0
FINE = 5
"""Samples along each side of a pixel of the drawn pattern."""
LEAST_LIKENESS = 0.6
LIGHT, DARK, AROUND = 0.83, 0.21, 0.5
"""Grey (0 to 1, as in the picture) of the paint; around the mark nothing is compared."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A mark as it was found: true place on the map, found place, likeness (1: the same)."""

    name: str
    true_m: Array
    found_xy_m: Array
    likeness: float


def true_marks(twin: Path) -> dict[str, Array]:
    """East, north, height of every mark's centre by name, in the twin's CRS."""
    listed = json.loads((twin / "truth" / "marks.json").read_text(encoding="utf-8"))
    return {mark["name"]: np.array([mark["E"], mark["N"], mark["H"]]) for mark in listed}


def found_marks(products: Products, places_m: dict[str, Array]) -> list[Found]:
    """Every mark that the orthophoto shows; ``places_m`` says where on the map to look."""
    with rasterio.open(products.orthophoto) as picture:
        found = [_found(picture, name, place) for name, place in places_m.items()]
    return [mark for mark in found if mark.likeness >= LEAST_LIKENESS]


def without_similarity(products: Products, found: list[Found]) -> dict[str, Any]:
    """RMSE in pixels of the orthophoto after a 2-D similarity from true to found places."""
    true, seen = np.array([m.true_m[:2] for m in found]), np.array([m.found_xy_m for m in found])
    fit = similarity(true, seen)
    left = (seen - fit.there(true)) / products.orthophoto_pixel_m
    return _horizontal(left) | {"pixel_m": products.orthophoto_pixel_m, "scale": fit.scale}


def nothing_removed(products: Products, found: list[Found]) -> dict[str, Any]:
    """RMSE of marks on orthophoto (pixels, metres) and surface (metres), as they lie there.

    The height is the median of the surface within the mark.
    """
    left_m = np.array([m.found_xy_m - m.true_m[:2] for m in found])
    up_m = np.array([_height_m(products, m) - m.true_m[2] for m in found])
    pixels = left_m / products.orthophoto_pixel_m
    return _horizontal(pixels) | {
        "rmse_m": rms(np.linalg.norm(left_m, axis=1)),
        "height_rmse_m": rms(up_m),
        "height_mean_m": float(up_m.mean()),
        "pixel_m": products.orthophoto_pixel_m,
    }


def _horizontal(left_px: Array) -> dict[str, Any]:
    return {
        "marks": len(left_px),
        "rmse_px": rms(np.linalg.norm(left_px, axis=1)),
        "rmse_east_north_px": [rms(left_px[:, axis]) for axis in range(2)],
        "worst_px": float(np.linalg.norm(left_px, axis=1).max()),
    }


def _height_m(products: Products, mark: Found) -> float:
    steps = np.arange(-0.5, 0.51, products.surface.cell_m / 2)
    east, north = np.meshgrid(steps, steps)
    disc = np.hypot(east, north) <= 0.5
    around = np.column_stack([east[disc], north[disc]]) + mark.true_m[:2]
    return float(np.nanmedian(products.surface.at(around)))


def _found(picture: rasterio.io.DatasetReader, name: str, place_m: Array) -> Found:
    pixel_m = picture.transform.a
    middle = np.array(~picture.transform @ (place_m[0], place_m[1]))
    half = round((TEMPLATE_M + SEARCH_M) / pixel_m)
    left, top = np.floor(middle).astype(int) - half
    window = Window(left, top, 2 * half + 1, 2 * half + 1)
    colours = picture.read((1, 2, 3), window=window, boundless=True)
    grey = cv2.cvtColor(np.moveaxis(colours, 0, -1).copy(), cv2.COLOR_RGB2GRAY).astype(np.float32)
    number = int(name.removeprefix("M")) - 1
    start = _whole_pixel(grey, number, pixel_m)
    best = min(
        (_refined(grey, number, pixel_m, (*start, blur)) for blur in (0.5, 1.0)),
        key=lambda result: result.fun,
    )
    xy = picture.transform @ (left + best.x[0], top + best.x[1])
    return Found(name=name, true_m=place_m, found_xy_m=np.array(xy), likeness=-float(best.fun))


def _whole_pixel(grey: Float32Array, number: int, pixel_m: float) -> tuple[float, float]:
    """The centre (x, y pixels of the window) at which the drawn mark fits best."""
    half = round(TEMPLATE_M / pixel_m)
    drawn = _drawn(number, pixel_m, (half + 0.5, half + 0.5), 2 * half + 1, 0.7)
    mask = _mask(pixel_m, (half + 0.5, half + 0.5), 2 * half + 1)
    score = cv2.matchTemplate(grey, drawn, cv2.TM_CCOEFF_NORMED, mask=mask)
    row, column = np.unravel_index(np.argmax(np.nan_to_num(score, posinf=-1)), score.shape)
    return float(column + half + 0.5), float(row + half + 0.5)


def _refined(
    grey: Float32Array, number: int, pixel_m: float, start: tuple[float, float, float]
) -> Any:
    size = len(grey)

    def unlikeness(values: Array) -> float:
        x, y, blur = values
        blur = min(max(abs(blur), 0.2), 3.0)
        inside = _mask(pixel_m, (x, y), size) > 0
        drawn = _drawn(number, pixel_m, (x, y), size, blur)
        if inside.sum() < 20:
            return 1.0
        return -float(np.corrcoef(drawn[inside], grey[inside])[0, 1])

    simplex = np.array(start) + np.vstack([np.zeros(3), np.diag([0.4, 0.4, 0.3])])
    return minimize(
        unlikeness,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-3, "fatol": 1e-6},
    )


def _mask(pixel_m: float, centre: tuple[float, float], size: int) -> Float32Array:
    """1 on the mark, without its rim, which a blur mixes with the ground."""
    x, y = np.arange(size) + 0.5 - centre[0], np.arange(size) + 0.5 - centre[1]
    inside = np.hypot(x[None], y[:, None]) * pixel_m < RADIUS_M - 0.05
    return np.asarray(inside, np.float32)


def _drawn(
    number: int, pixel_m: float, centre: tuple[float, float], size: int, blur_px: float
) -> Float32Array:
    """(size, size) grey of the mark with its centre at x, y pixels, blurred by a sigma (pixels)."""
    at = (np.arange(size * FINE) + 0.5) / FINE
    east, north = (at[None] - centre[0]) * pixel_m, (centre[1] - at[:, None]) * pixel_m
    angle = 0.35 + number * 0.7
    u = east * np.cos(angle) + north * np.sin(angle)
    v = -east * np.sin(angle) + north * np.cos(angle)
    radius = np.hypot(u, v)
    if number % 2 == 0:
        white = (u * v > 0) | (radius > 0.54)
    else:
        white = (np.minimum(np.abs(u), np.abs(v)) < 0.11) & (radius < 0.55)
    grey = np.where(radius > RADIUS_M, AROUND, np.where(white, LIGHT, DARK)).astype(np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), blur_px * FINE)
    return np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_AREA))
