"""The orthophoto over a roof -> holes too small for the surface: darker than any shadow, ragged.

Matching closes a hole of a metre, so the heights do not show it. A picture does: no sun gets in, so
it is several times darker than a shadow on the same roof. Solar panels and dark things are
straight-edged, coloured or raised; a shadow lies beside what casts it. Spots darker than ``DARK``
are described by ``INPUTS``, and a small forest (holes.json, trained on the twin where holes are
known) says how likely each is a hole.
"""

import json
import math
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from aftermap.assessment.names import NamedValues
from aftermap.assessment.order import middle_of
from aftermap.assessment.roof_texture import LEAST_PIXELS, RoofPicture
from aftermap.assessment.site import BuildingSite, edge_distance_m
from aftermap.assessment.trees import Forest, forest_of
from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array, Int32Array, IntArray
from aftermap.geo.grid import cell_centres_m

DARK = 0.13
"""Light from the spot as a share of the roof's own in the sun."""
SMALLEST_M2 = 0.03
EDGE_M = 0.3
"""Spots nearer to the outline than this are the shadow of a wall, or lie in the street."""
MOST_SPOTS = 15
AROUND_PX = 8
TONE_QUANTILE = 0.7
BLUR_PX = 0.8
GAMMA = 2.2
LINEAR = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
Spot = tuple[tuple[slice, slice], BoolArray]
"""A window of the picture and the pixels of a spot in it."""
NAMES = ("dark_hole_m2", "dark_hole_count", "hole_probability")
INPUTS = (
    "area_m2",
    "light_low",
    "light",
    "light_spread",
    "ring_light",
    "ring_light_high",
    "ring_light_low",
    "solid_fraction",
    "box_fraction",
    "elongation",
    "roughness_of_edge",
    "width_m",
    "blue",
    "ring_blue",
    "height_m",
    "near_high_m",
    "near_low_m",
    "near_height_m",
    "contrast",
    "ring_shade_fraction",
    "near_shade_fraction",
    "depth_m",
    "least_depth_m",
    "raised_fraction",
    "near_known_fraction",
    "known_fraction",
    "roof_level_m",
)

SHADE = 0.4
"""Light below this share of the sunlit roof's is shade."""
RAISED_M = 0.8
"""What stands higher than this above the middle of the roof is a tank, a wall or a stair head."""


def hole_measures(picture: RoofPicture, site: BuildingSite) -> NamedValues:
    """Area and number of likely holes in a roof, and how likely there is one; with one sigma."""
    if picture.inner.sum() < LEAST_PIXELS:
        return dict.fromkeys(NAMES, (math.nan, math.nan))
    spots, _ = dark_spots(picture, site)
    return holes_among(spots[:, 0], hole_forest().probability(spots))


def holes_among(area_m2: Array, probability: Array) -> NamedValues:
    """The measures that spots of these areas (N,) in m2 and probabilities (N,) come to.

    A hole is as likely as the likeliest spot is one: those of a roof are mistaken together.
    """
    doubt = probability * (1 - probability)
    return {
        "dark_hole_m2": (
            float((area_m2 * probability).sum()),
            math.sqrt(float((area_m2**2 * doubt).sum())),
        ),
        "dark_hole_count": (float(probability.sum()), math.sqrt(float(doubt.sum()))),
        "hole_probability": (float(probability.max(initial=0.0)), 0.1),
    }


@cache
def hole_forest() -> Forest:
    """The forest that is shipped."""
    path = Path(__file__).with_name("holes.json")
    return forest_of(json.loads(path.read_text(encoding="utf-8")))


def dark_spots(picture: RoofPicture, site: BuildingSite) -> tuple[Array, list[Spot]]:
    """(N, inputs) values of the dark spots of a roof, the largest first; and where they are."""
    linear = LINEAR[picture.rgb]
    light = relative_light(linear, picture.inner)
    depth = edge_distance_m(picture.outline, picture.grid.cell_m)
    dark = ((light < DARK) & (depth > EDGE_M)).astype(np.uint8)
    total, label, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    area = boxes[:, cv2.CC_STAT_AREA] * picture.grid.cell_m**2
    large = [k for k in range(1, total) if area[k] >= SMALLEST_M2]
    large.sort(key=lambda k: -area[k])
    heights, rows_of, columns_of = _heights_at(picture, site)
    roof = site.cells.height_m[site.used]
    level = middle_of(roof) if len(roof) else math.nan
    rows, spots = [], []
    for k in large[:MOST_SPOTS]:
        cut = _around(boxes[k])
        spot = label[cut] == k
        height = heights[np.ix_(rows_of[cut[0]], columns_of[cut[1]])]
        layers = (light[cut], _blue(linear[cut]), height - level, depth[cut])
        rows.append(_inputs_of(spot, layers, picture.grid.cell_m))
        spots.append((cut, spot))
    return np.array(rows, float).reshape(-1, len(INPUTS)), spots


def relative_light(linear: Float32Array, inner: BoolArray) -> Float32Array:
    """Light of every pixel as a share of the roof's in the sun, of (rows, columns, 3) light."""
    light = np.asarray(cv2.GaussianBlur(_sum(linear), (0, 0), BLUR_PX), np.float32)
    (tone,) = _at(light[inner], TONE_QUANTILE)
    return np.asarray(light / max(tone, 1e-3), np.float32)


def _heights_at(
    picture: RoofPicture, site: BuildingSite
) -> tuple[Float32Array, IntArray, IntArray]:
    """The site's measured heights, NaN where none is; their row and column at every pixel's."""
    east, north = cell_centres_m(picture.grid)
    grid = site.grid
    row = np.clip(((grid.north_m - north) / grid.cell_m).astype(int), 0, grid.rows - 1)
    column = np.clip(((east - grid.east_m) / grid.cell_m).astype(int), 0, grid.columns - 1)
    heights = np.where(site.cells.measured, site.cells.height_m, np.float32(np.nan))
    return np.asarray(heights, np.float32), row, column


def _blue(linear: Float32Array) -> Float32Array:
    """How much bluer than red light is, as a share of it."""
    difference = linear[..., 2] - linear[..., 0]
    return np.asarray(difference / (_sum(linear) + np.float32(0.01)), np.float32)


def _sum(bands: Float32Array) -> Float32Array:
    """The sum of three bands; much faster than a sum over a short last axis."""
    return np.asarray(bands[..., 0] + bands[..., 1] + bands[..., 2], np.float32)


def _around(box: Int32Array) -> tuple[slice, slice]:
    left, top, wide, high = (int(value) for value in box[:4])
    return (
        slice(max(0, top - AROUND_PX), top + high + AROUND_PX),
        slice(max(0, left - AROUND_PX), left + wide + AROUND_PX),
    )


def _at(values: Float32Array, *shares: float) -> list[float]:
    """The values at these shares of their order: quantiles without interpolation."""
    ordered = np.sort(values)
    return [float(ordered[int(share * (len(ordered) - 1))]) for share in shares]


def _inputs_of(
    inside: BoolArray,
    layers: tuple[Float32Array, Float32Array, Float32Array, Float32Array],
    cell_m: float,
) -> tuple[float, ...]:
    light, blue, heights, depth = layers
    spot = inside.astype(np.uint8)
    ring = (cv2.dilate(spot, np.ones((7, 7))) > 0) & (cv2.dilate(spot, np.ones((3, 3))) == 0)
    near = cv2.dilate(spot, np.ones((13, 13))) > 0
    if not ring.any():
        ring = inside
    own = light[inside]
    ring_low, ring_middle, ring_high = _at(light[ring], 0.2, 0.5, 0.9)
    return (
        float(len(own)) * cell_m**2,
        *_at(own, 0.1),
        float(own.mean()),
        float(own.std()),
        ring_middle,
        ring_high,
        ring_low,
        *_form(spot, cell_m),
        *_at(blue[inside], 0.5),
        *_at(blue[ring], 0.5),
        *_relief(heights, inside, near),
        float(own.mean()) / max(ring_middle, 1e-3),
        _shaded(light, ring),
        _shaded(light, near & ~inside),
        *_at(depth[inside], 0.5, 0.0),
        *_surroundings(heights, inside, near),
    )


def _form(spot: ByteArray, cell_m: float) -> tuple[float, ...]:
    """Share of its hull and of its narrowest box, elongation, length of its edge, width."""
    edge = max(cv2.findContours(spot, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
    area = float(spot.sum())
    hull = cv2.contourArea(cv2.convexHull(edge)) + len(edge) / 2 + 1
    _, (one, other), _ = cv2.minAreaRect(edge)
    longer, shorter = max(one, other) + 1, min(one, other) + 1
    depth = cv2.distanceTransform(np.pad(spot, 1), cv2.DIST_L2, cv2.DIST_MASK_5).max()
    return (
        area / hull,
        area / (longer * shorter),
        longer / shorter,
        len(edge) / math.sqrt(area),
        float(depth) * cell_m,
    )


def _relief(heights: Float32Array, inside: BoolArray, near: BoolArray) -> tuple[float, ...]:
    """Heights in the spot and near it, above the middle of what lies around."""
    known = np.isfinite(heights)
    if not known.any():
        return (math.nan,) * 4
    level = middle_of(heights[known])
    own, by = heights[inside & known], heights[near & known]
    if not len(own) or not len(by):
        return (math.nan,) * 4
    low, middle, high = _at(by, 0.05, 0.8, 0.95)
    return _at(own, 0.5)[0] - level, high - level, low - level, middle - level


def _shaded(light: Float32Array, mask: BoolArray) -> float:
    """The share of some pixels that lies in shade; NaN where there are none."""
    return float((light[mask] < SHADE).mean()) if mask.any() else math.nan


def _surroundings(above: Float32Array, inside: BoolArray, near: BoolArray) -> tuple[float, ...]:
    """Shares of raised and of measured pixels near the spot and in it; the level near it.

    ``above`` is height above the middle of the roof.
    """
    known = np.isfinite(above)
    by = above[near & known]
    shares = float(known[near].mean()), float(known[inside].mean())
    if not len(by):
        return math.nan, *shares, math.nan
    return float((by > RAISED_M).mean()), *shares, middle_of(by)
