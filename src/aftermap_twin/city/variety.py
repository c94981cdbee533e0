"""The city's wider range of damage and of roofs, drawn where ``TwinOptions.variety`` is set.

Grades by what is lost: *light* is holes through the roof in up to 15 % of it, the frame whole;
*moderate* is holes through up to a third, or part of an upper floor gone at an edge; *severe* is
the collapse of a part or of the top floor; *destroyed* is hardly anything left, or a pancake.
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Int8Array
from aftermap.model.assessment import Grade
from aftermap_twin.city.damage import OUTSIDE, bite, ragged
from aftermap_twin.mesh import Tone

SMALLEST_M, LARGEST_M = 0.15, 2.2
"""Radii of holes."""
LIGHT_SHARE, MODERATE_SHARE = 0.15, 0.35
LEAST_SHARE = 0.006
"""Of a roof: less is nobody's damage."""
PITCH_STEEPEST = 0.7
HIGHEST_RISE_M = 3.4
PANCAKE_FLOOR_M = (0.5, 0.85)


@dataclass(frozen=True, kw_only=True)
class Roofing:
    """What is above the top floor's ceiling: ``rise_m`` at corners of cells, and its finish."""

    rise_m: Array
    style: int
    tone: Tone


def varied_floors_left(
    rng: np.random.Generator, grade: Grade, mask: BoolArray, levels: int, cell_m: float
) -> Int8Array:
    """Floors left over each cell, (across, along): OUTSIDE the plan, 0 fallen to the ground."""
    left = np.where(mask, levels, OUTSIDE).astype(np.int8)
    if grade is Grade.LIGHT:
        floors = int(rng.choice([1, 1, 2]))
        _pierce(rng, left, (SMALLEST_M, LARGEST_M), LIGHT_SHARE, floors, cell_m, least=LEAST_SHARE)
    elif grade is Grade.MODERATE:
        if rng.random() < 0.55:
            _pierce(rng, left, (0.9, 2.8), MODERATE_SHARE, 3, cell_m, least=0.16)
        else:
            _pierce(rng, left, (0.3, 1.6), LIGHT_SHARE, 2, cell_m)
            share = rng.uniform(0.05, 0.16)
            bite(rng, left, share=share, levels=levels, cell_m=cell_m, floor=min(1, levels - 1))
    elif grade is Grade.SEVERE:
        if levels > 1 and rng.random() < 0.25:
            _top_floor_off(rng, left, cell_m)
        else:
            share = rng.uniform(0.2, 0.6)
            bite(rng, left, share=share, levels=levels, cell_m=cell_m, floor=0)
        _pierce(rng, left, (0.5, 2.2), LIGHT_SHARE, 2, cell_m)
    elif grade is Grade.DESTROYED:
        bite(rng, left, share=rng.uniform(0.75, 1.0), levels=levels, cell_m=cell_m, floor=0)
        np.minimum(left, rng.integers(1, 3), out=left)
    return left


def _pierce(
    rng: np.random.Generator,
    left: Int8Array,
    radius_m: tuple[float, float],
    most: float,
    deepest: int,
    cell_m: float,
    least: float = 0.0,
) -> None:
    """Holes of one size class until a share of the roof is gone: round, long, or square."""
    inside = np.argwhere(left > 0)
    levels, area = int(left.max()), len(inside)
    small, large = np.log(radius_m[0]), np.log(radius_m[1])
    typical = float(np.exp(rng.uniform(small, large)))
    wanted = max(least, rng.uniform(0.0, most * 0.9)) * area
    for _ in range(60):
        size = typical * rng.uniform(0.75, 1.25)
        row, column = inside[rng.integers(area)]
        hit = _torn(rng, left.shape, (row, column), size, cell_m) & (left == levels)
        gone = int(((left >= 0) & (left < levels)).sum())
        if gone and gone + hit.sum() > most * area:
            break
        if gone + hit.sum() > most * area:
            typical *= 0.7
            continue
        depth = int(rng.integers(1, deepest + 1))
        left[hit] = max(levels - 1, 0)
        for step in range(2, min(depth, levels) + 1):
            deeper = _torn(rng, left.shape, (row, column), size * (1 - 0.25 * step), cell_m)
            left[deeper & hit] = max(levels - step, 0)
        if gone + hit.sum() > wanted:
            break
    if (left[left >= 0] == levels).all():
        row, column = inside[rng.integers(area)]
        left[row, column] = levels - 1


def _torn(
    rng: np.random.Generator,
    shape: tuple[int, int],
    at: tuple[int, int],
    radius_m: float,
    cell_m: float,
) -> BoolArray:
    """Cells of a hole: a ragged disc, a slit or a panel between beams, its edge eaten away."""
    rows, columns = np.indices(shape)
    v, u = (rows - at[0]) * cell_m, (columns - at[1]) * cell_m
    kind = rng.random()
    if kind < 0.55:
        away = np.hypot(u, v)
    elif kind < 0.8:
        turn = rng.random() * np.pi
        along, across = u * np.cos(turn) + v * np.sin(turn), -u * np.sin(turn) + v * np.cos(turn)
        away = np.hypot(along * 0.6, across * 1.6)
    else:
        away = np.maximum(np.abs(u), np.abs(v) * rng.uniform(0.7, 1.4))
    noise = ragged(rng, shape, cell_m)
    away = away + min(0.45, 0.3 * radius_m) * (noise - noise[at])
    return np.asarray(away < max(radius_m, 0.26))


def _top_floor_off(rng: np.random.Generator, left: Int8Array, cell_m: float) -> None:
    """The top floor gone over most of the building."""
    levels = int(left.max())
    rows, columns = np.indices(left.shape)
    angle = rng.random() * 2 * np.pi
    along = (rows * np.sin(angle) + columns * np.cos(angle)) * cell_m
    along += 0.8 * ragged(rng, left.shape, cell_m)
    inside = left > 0
    edge = np.quantile(along[inside], rng.uniform(0.0, 0.4))
    left[inside & (along >= edge)] = levels - 1


def roofing_over(
    rng: np.random.Generator, grade: Grade, mask: BoolArray, cell_m: tuple[float, float]
) -> Roofing | None:
    """A tiled hip or a dome over a flat plan, or None: the roof stays flat.

    ``mask`` (across, along) says which cells are in the plan; ``cell_m`` is their size along and
    across.
    """
    draw = rng.random()
    if draw > 0.2 or not mask.all() or grade in {Grade.SEVERE, Grade.DESTROYED}:
        return None
    rows, columns = mask.shape
    v, u = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(float)
    v, u = v * cell_m[1], u * cell_m[0]
    deep, long = rows * cell_m[1], columns * cell_m[0]
    if draw < 0.15:
        edge = np.minimum(np.minimum(u, long - u), np.minimum(v, deep - v))
        slope = rng.uniform(0.35, PITCH_STEEPEST)
        rise = np.minimum(slope * edge, HIGHEST_RISE_M)
        light = rng.uniform(0.8, 1.2)
        return Roofing(rise_m=rise, style=5, tone=(0.38 * light, 0.17 * light, 0.10 * light))
    radius = min(deep, long) * rng.uniform(0.3, 0.42)
    away = np.hypot(u - long / 2, v - deep / 2)
    rise = np.sqrt(np.maximum(radius**2 - away**2, 0)) * rng.uniform(0.7, 1.0)
    tone = [(0.52, 0.50, 0.46), (0.20, 0.34, 0.31), (0.44, 0.40, 0.33)][rng.integers(3)]
    return Roofing(rise_m=rise, style=6, tone=tone)
