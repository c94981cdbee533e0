"""The orthophoto over a roof -> how broken it looks: directions of edges, contrast, dust.

A whole roof has few edges and they run two ways; rubble has many and they run every way. All is
measured on pixels of about 0.15 m, on brightness relative to its surroundings, so that exposure
and a large shadow do not count.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from shapely.geometry.base import BaseGeometry

from aftermap.assessment.cells import Pixels, building_cells, coarser
from aftermap.assessment.names import NamedValues
from aftermap.assessment.order import middle_of, quantiles_of
from aftermap.assessment.site import inner_of
from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array
from aftermap.geo.grid import Block, cell_centres_m, window_of
from aftermap.geo.windows import block_over
from aftermap.model.raster import Grid

EDGE = 0.12
"""Change of log brightness from pixel to pixel that counts as an edge."""
TURNS = 18
DUST_CHROMA = 0.16
AROUND_M = 1.6
"""Side of the square in which a spot is told broken or whole."""
BROKEN_EDGES = 0.3
BROKEN_ISOTROPY = 0.65
LIT_QUANTILE, DARKER_LOG2 = 0.9, 0.9
"""Pixels half as bright as a roof's brightest (a quarter of the light) are dark: soot, shade."""
LEAST_PIXELS = 300
"""Inside a roof, of about ``PIXEL_M``; fewer say nothing of its texture and holes."""
DEPENDS_PX = 12.0
MARGIN_M = 1.0


@dataclass(frozen=True, kw_only=True)
class RoofPicture:
    """The orthophoto over one building: pixels of its own window, and which are its inner ones."""

    grid: Grid
    rgb: ByteArray
    inner: BoolArray
    outline: BoolArray


def roof_picture(pixels: Pixels, shape: BaseGeometry, place: int) -> RoofPicture:
    """The part of a window's orthophoto that shows the building at ``place`` of the window's."""
    west, south, east, north = shape.bounds
    block = block_over(
        pixels.grid, (west - MARGIN_M, south - MARGIN_M), (east + MARGIN_M, north + MARGIN_M)
    )
    first, left = max(0, block.row), max(0, block.column)
    last = max(first + 1, min(pixels.grid.rows, block.row + block.rows))
    right = max(left + 1, min(pixels.grid.columns, block.column + block.columns))
    grid = window_of(
        pixels.grid, Block(row=first, column=left, rows=last - first, columns=right - left)
    )
    outline = building_cells(shape, place, pixels.owner[first:last, left:right], grid)
    seen = pixels.seen[first:last, left:right]
    return RoofPicture(
        grid=grid,
        rgb=pixels.rgb[first:last, left:right],
        inner=inner_of(outline, grid.cell_m) & seen,
        outline=outline & seen,
    )


def coarser_picture(picture: RoofPicture) -> RoofPicture:
    """The same in pixels twice as wide, as long as that is at most 0.2 m."""
    if picture.grid.cell_m > 0.1 or min(picture.inner.shape) < 4:
        return picture
    rows, columns = (side // 2 * 2 for side in picture.inner.shape)
    rgb = cv2.resize(
        picture.rgb[:rows, :columns], (columns // 2, rows // 2), interpolation=cv2.INTER_AREA
    )
    inner = picture.inner[:rows:2, :columns:2]
    return RoofPicture(
        grid=coarser(picture.grid, 2, inner.shape),
        rgb=np.asarray(rgb, np.uint8),
        inner=inner,
        outline=picture.outline[:rows:2, :columns:2],
    )


@dataclass(frozen=True, kw_only=True)
class Looks:
    """A picture in pixels of at most 0.2 m with the gradients of its log brightness."""

    picture: RoofPicture
    log: Float32Array
    east: Float32Array
    north: Float32Array
    strength: Float32Array


def looks_of(picture: RoofPicture) -> Looks:
    """The gradients of a picture, per pixel of about 0.15 m."""
    small = coarser_picture(picture)
    bands = small.rgb.astype(np.float32)
    log = np.log2((bands[..., 0] + bands[..., 1] + bands[..., 2]) / 3 + 6.0)
    east = cv2.Scharr(log, cv2.CV_32F, 1, 0) / 32
    north = -cv2.Scharr(log, cv2.CV_32F, 0, 1) / 32
    return Looks(
        picture=small,
        log=log,
        east=np.asarray(east, np.float32),
        north=np.asarray(north, np.float32),
        strength=np.hypot(east, north).astype(np.float32),
    )


def texture_measures(looks: Looks) -> NamedValues:
    """The measures of a building's looks by name, each with one sigma.

    Needs ``LEAST_PIXELS`` inside.
    """
    inner, log = looks.picture.inner, looks.log
    strength = looks.strength[inner].astype(float)
    turn = np.arctan2(looks.north[inner], looks.east[inner]).astype(float)
    around = cv2.blur(log, (7, 7))
    spread = np.sqrt(np.maximum(cv2.blur(log * log, (7, 7)) - around * around, 0))[inner]
    count = max(1.0, inner.sum() / DEPENDS_PX)
    edges = float((strength > EDGE).mean())
    broken = float(_broken(log)[inner].mean())
    dusty = float(_dusty(looks.picture.rgb)[inner].mean())
    lit = quantiles_of(log[inner], LIT_QUANTILE)[0]
    some = 0.5 / math.sqrt(count)
    return {
        "gradient_isotropy": (isotropy(strength, turn), some),
        "edge_entropy": (turn_entropy(strength, turn), some),
        "edge_fraction": (edges, some),
        "contrast": (middle_of(spread), float(spread.std()) / math.sqrt(count)),
        "broken_texture": (broken, some),
        "dust_fraction": (dusty, some),
        "dark_fraction": (float((log[inner] < lit - DARKER_LOG2).mean()), some),
    }


def broken_texture(looks: Looks) -> BoolArray:
    """(rows, columns) mask where a picture looks broken: many edges that run every way.

    Edges are counted within ``AROUND_M``.
    """
    east, north, strength = looks.east, looks.north, looks.strength
    side = max(3, round(AROUND_M / looks.picture.grid.cell_m))
    density = cv2.blur((strength > EDGE).astype(np.float32), (side, side))
    e2, n2 = east * east, north * north
    cube = np.maximum(strength, 1e-4) * (e2 + n2 + 1e-9)
    real = (e2 * e2 - 6 * e2 * n2 + n2 * n2) / cube
    imaginary = 4 * east * north * (e2 - n2) / cube
    along = np.hypot(cv2.blur(real, (side, side)), cv2.blur(imaginary, (side, side)))
    every_way = 1 - along / np.maximum(cv2.blur(strength, (side, side)), 1e-4)
    return np.asarray((density > BROKEN_EDGES) & (every_way > BROKEN_ISOTROPY))


def mask_at_cells(grid: Grid, of_pixels: Grid, mask: BoolArray) -> BoolArray:
    """(rows, columns) mask at the centres of a grid's cells; False beyond the picture."""
    east, north = cell_centres_m(grid)
    row = np.floor((of_pixels.north_m - north) / of_pixels.cell_m).astype(int)
    column = np.floor((east - of_pixels.east_m) / of_pixels.cell_m).astype(int)
    padded = np.pad(mask, 1)
    rows, columns = mask.shape
    return padded[np.ix_(np.clip(row + 1, 0, rows + 1), np.clip(column + 1, 0, columns + 1))]


def isotropy(strength: Array, turn: Array) -> float:
    """0 where all edges run along two directions at right angles, 1 where they run every way.

    ``strength`` and ``turn`` are (N,) weights and directions in radians.
    """
    total = float(strength.sum())
    if total <= 0:
        return math.nan
    return 1 - float(np.abs((strength * np.exp(4j * turn)).sum())) / total


def turn_entropy(strength: Array, turn: Array) -> float:
    """Entropy of the directions of edges (by half turn), 0 to 1, weighted by their strength.

    ``strength`` and ``turn`` are (N,) weights and directions in radians.
    """
    kind = np.floor(turn / math.pi * TURNS).astype(int) % TURNS
    p = np.bincount(kind, weights=strength, minlength=TURNS)
    p = p / max(p.sum(), 1e-9)
    return float(-(p[p > 0] * np.log(p[p > 0])).sum() / math.log(TURNS))


def _broken(log: Float32Array) -> BoolArray:
    """Pixels whose ring of eight neighbours crosses their own brightness more than twice.

    Those are the non-uniform local binary patterns (Ojala, Pietikäinen and Mäenpää 2002), with a
    threshold above the noise of a picture: spots and ragged bits rather than edges and plain.
    """
    around = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
    padded = cv2.copyMakeBorder(log, 1, 1, 1, 1, cv2.BORDER_REFLECT_101)
    rows, columns = log.shape
    ring = [
        padded[1 + r : 1 + r + rows, 1 + c : 1 + c + columns] > log + EDGE / 2 for r, c in around
    ]
    changes = np.zeros(log.shape, np.uint8)
    for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
        changes += one != other
    return np.asarray(changes > 2)


def _dusty(rgb: ByteArray) -> BoolArray:
    """Pixels of the grey of dust and broken concrete: little colour, and rather warm than cold."""
    colour = rgb.astype(np.float32)
    red, green, blue = colour[..., 0], colour[..., 1], colour[..., 2]
    most = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    pale = (most - least) / np.maximum(most, 1) < DUST_CHROMA
    return np.asarray(pale & (red + 4 >= blue) & (most > 60))
