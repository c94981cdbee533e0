"""What stands on and about blocks: lift houses, vents, panels, cars, trees, broken plates."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array
from aftermap_twin.blocks.damage import Ruin
from aftermap_twin.blocks.frames import EstateBlock
from aftermap_twin.blocks.layout import Estate
from aftermap_twin.blocks.materials import BlocksMaterial
from aftermap_twin.blocks.solids import box, plate, polygons_in, rectangle
from aftermap_twin.mesh import MeshBuilder, Tone, grid_quads
from aftermap_twin.site import Cover, TwinGround

LACQUERS: tuple[Tone, ...] = (
    (0.60, 0.60, 0.59),
    (0.10, 0.10, 0.11),
    (0.34, 0.35, 0.36),
    (0.30, 0.04, 0.05),
    (0.05, 0.10, 0.24),
    (0.52, 0.50, 0.44),
)
TREES_PER_HECTARE = 26


def fit_roof(rng: np.random.Generator, mesh: MeshBuilder, block: EstateBlock, ruin: Ruin) -> None:
    """Lift houses, vents, masts, solar panels and what was left lying, on roof that is whole."""
    free = block.plan().buffer(-0.8).difference(ruin.gone[-1].buffer(0.5))
    top = block.base_m + block.height_m
    if block.is_unfinished:
        _pallets(rng, mesh, block, free, top)
        return
    is_high = block.pitch.kind in {"slab", "tower"}
    for _ in range(max(1, block.pitch.bays // 5) if is_high else 0):
        size = float(rng.uniform(3, 5)), float(rng.uniform(2.6, 4))
        _stand(rng, mesh, block, free, size, (top, top + float(rng.uniform(2.2, 3.2))), block.face)
    for _ in range(int(rng.integers(2, 9))):
        size = float(rng.uniform(0.4, 1.3)), float(rng.uniform(0.4, 1.1))
        light = float(rng.uniform(0.12, 0.5))
        high = (top, top + float(rng.uniform(0.3, 1.1)))
        _stand(rng, mesh, block, free, size, high, (light, light, light))
    if rng.random() < 0.15:
        for _ in range(int(rng.integers(4, 14))):
            size, high = (1.7, 1.0), (top + 0.3, top + 0.36)
            _stand(rng, mesh, block, free, size, high, (0.02, 0.03, 0.075))
    if rng.random() < 0.12:
        for xy in _spots(rng, block, free, int(rng.integers(15, 60))):
            across = float(np.exp(rng.normal(-1.2, 0.4)))
            plate(rng, mesh, np.array([*xy, top - 0.15]), (across, across * 0.7), 0.3)


def _spots(rng: np.random.Generator, block: EstateBlock, free: BaseGeometry, count: int) -> Array:
    """(N, 2) local metres of up to ``count`` places in a shape in a block's own axes."""
    if free.is_empty:
        return np.empty((0, 2))
    low, high = np.array(free.bounds[:2]), np.array(free.bounds[2:])
    places = low + rng.random((count * 4, 2)) * (high - low)
    good = shapely.contains_xy(free, places[:, 0], places[:, 1])
    return block.world(places[good][:count])


def _stand(
    rng: np.random.Generator,
    mesh: MeshBuilder,
    block: EstateBlock,
    free: BaseGeometry,
    size: tuple[float, float],
    heights: tuple[float, float],
    tone: Tone,
) -> None:
    spots = _spots(rng, block, free.buffer(-max(size) / 2), 1)
    if len(spots):
        heading = float(np.arctan2(block.pitch.forward[1], block.pitch.forward[0]))
        box(mesh, rectangle(spots[0], size, heading), heights, BlocksMaterial.COATED, tone)


def _pallets(
    rng: np.random.Generator, mesh: MeshBuilder, block: EstateBlock, free: BaseGeometry, top: float
) -> None:
    """Bricks, timber and steel that wait on an unfinished floor, and columns that begin."""
    for _ in range(int(rng.integers(4, 12))):
        size = float(rng.uniform(0.8, 3.5)), float(rng.uniform(0.5, 1.3))
        tone = [(0.34, 0.17, 0.11), (0.32, 0.24, 0.15), (0.38, 0.37, 0.35)][rng.integers(3)]
        _stand(rng, mesh, block, free, size, (top, top + float(rng.uniform(0.2, 1.1))), tone)
    s = np.arange(3.2, block.pitch.length_m - 1, 3.2)
    t = np.linspace(0.3, block.pitch.depth_m - 0.3, 3)
    for place in block.world(np.stack(np.meshgrid(s, t), -1).reshape(-1, 2)):
        high = top + float(rng.choice([0.9, 0.9, 2.4]))
        kind = BlocksMaterial.STEEL if high < top + 1 else BlocksMaterial.BROKEN
        tone = (0.2, 0.1, 0.065) if high < top + 1 else (0.42, 0.41, 0.385)
        box(mesh, rectangle(place, (0.32, 0.32), 0.0), (top, high), kind, tone)


def strew_ruin(
    rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround, block: EstateBlock, ruin: Ruin
) -> None:
    """Panels, pieces and bars on heaps, and small pieces on floors that lie open."""
    plan = block.plan()
    down = ruin.gone[0].intersection(plan).difference(ruin.stacked).buffer(1.0)
    for polygon in polygons_in(down):
        for xy in _spots(rng, block, polygon, int(polygon.area * (0.05 + 0.012 * block.storeys))):
            if ground.is_inside(xy):
                size = float(rng.uniform(1.2, 5.0)), float(rng.uniform(1.0, 2.8))
                foot = ground.placed(xy)[0] + [0, 0, rng.uniform(-0.2, 0.6)]
                plate(rng, mesh, foot, size, 0.28)
        for xy in _spots(rng, block, polygon.buffer(1.5), int(polygon.area * 0.35)):
            if ground.is_inside(xy):
                across = float(np.clip(np.exp(rng.normal(-0.7, 0.5)), 0.15, 1.6))
                plate(rng, mesh, ground.placed(xy)[0] - [0, 0, 0.1], (across, across * 0.8), 0.5)
    for level in range(1, block.storeys):
        floor = plan.difference(ruin.gone[level - 1]).intersection(ruin.gone[level])
        height = block.base_m + level * block.storey_m
        for xy in _spots(rng, block, floor, int(floor.area * 0.5)):
            across = float(np.clip(np.exp(rng.normal(-0.8, 0.5)), 0.15, 1.8))
            plate(rng, mesh, np.array([*xy, height - 0.1]), (across, across * 0.7), 0.4)


def furnish_estate(
    rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround, estate: Estate, marks: Array
) -> None:
    """Add cars along avenues and trees on lawns, off the ``marks`` (M, 3), local metres."""
    for avenue in estate.avenues:
        for _ in range(int(avenue.length_m / 14)):
            along = rng.random() * avenue.length_m
            aside = rng.choice([-1, 1]) * (avenue.width_m / 2 - 1.2)
            xy = avenue.axis_m[0] + avenue.forward * along + avenue.side * aside
            heading = float(np.arctan2(avenue.forward[1], avenue.forward[0]))
            if _is_clear(ground, xy, marks, 5.5) and ground.value(ground.rubble, xy) < 0.3:
                _car(rng, mesh, ground.placed(xy)[0], heading)
    low, high = np.array(ground.extent.low_m), np.array(ground.extent.high_m)
    for _ in range(int(np.prod(high - low) / 10_000 * TREES_PER_HECTARE)):
        xy = low + 2 + rng.random(2) * (high - low - 4)
        if _is_clear(ground, xy, marks, 5.0) and _cover_at(ground, xy) == Cover.GARDEN:
            _crown(rng, mesh, ground.placed(xy)[0])


def _cover_at(ground: TwinGround, xy: Array) -> int:
    column, row = ((xy - ground.extent.low_m) / 0.1).astype(int)
    return int(ground.cover[row, column])


def _is_clear(ground: TwinGround, xy: Array, marks: Array, reach_m: float) -> bool:
    far = not len(marks) or float(np.linalg.norm(marks[:, :2] - xy, axis=1).min()) > reach_m
    return far and ground.is_inside(xy) and ground.value(ground.built, xy) < 0.02


def _car(rng: np.random.Generator, mesh: MeshBuilder, foot: Array, heading: float) -> None:
    tone = LACQUERS[rng.integers(len(LACQUERS))]
    z, xy = float(foot[2]), foot[:2]
    box(mesh, rectangle(xy, (4.3, 1.75), heading), (z + 0.25, z + 0.9), BlocksMaterial.COATED, tone)
    glass = (0.025, 0.03, 0.035)
    box(mesh, rectangle(xy, (2.4, 1.6), heading), (z + 0.9, z + 1.35), BlocksMaterial.COATED, glass)
    box(mesh, rectangle(xy, (1.7, 1.5), heading), (z + 1.35, z + 1.45), BlocksMaterial.COATED, tone)


def _crown(rng: np.random.Generator, mesh: MeshBuilder, foot: Array) -> None:
    """A tree as two or three rough balls of many faces, tall or round."""
    tall = float(rng.choice([1.0, 1.0, 2.2]))
    radius = float(rng.uniform(1.5, 3.4)) / tall**0.5
    trunk = rectangle(foot[:2], (0.3, 0.3), 0.0)
    middle = float(foot[2] + rng.uniform(2.0, 4.0) + radius * tall)
    box(mesh, trunk, (foot[2] - 0.5, middle), BlocksMaterial.STEEL, (0.1, 0.08, 0.06))
    shade = float(rng.uniform(0.75, 1.25))
    for _ in range(int(rng.integers(2, 5))):
        centre = np.array([*foot[:2], middle]) + rng.normal(0, 0.35 * radius, 3)
        turn, rise = np.meshgrid(np.linspace(0, 2 * np.pi, 15), np.linspace(-1.35, 1.57, 9))
        reach = radius * (0.75 + 0.5 * rng.random(turn.shape))
        reach[:, -1] = reach[:, 0]
        points = np.stack(
            [
                reach * np.cos(turn) * np.cos(rise),
                reach * np.sin(turn) * np.cos(rise),
                reach * np.sin(rise) * tall,
            ],
            -1,
        )
        tone = (0.062 * shade, 0.10 * shade, 0.032 * shade)
        mesh.add_quads(grid_quads(points + centre), BlocksMaterial.CROWN, tone)
