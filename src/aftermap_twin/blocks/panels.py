"""A block and its ruin to triangles: slabs, façades, cross walls, parapets and stacked floors."""

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array, BoolArray
from aftermap_twin.blocks.damage import Ruin, torn
from aftermap_twin.blocks.frames import SLAB_M, EstateBlock
from aftermap_twin.blocks.layout import BAY_M
from aftermap_twin.blocks.materials import BlocksMaterial, PanelRows
from aftermap_twin.blocks.solids import box, lay, lines_in, polygons_in, upright
from aftermap_twin.mesh import MeshBuilder, Tone

FRINGE_M = 5.0
"""Floors and cross walls are made this far in from where a block is open."""
STACK_STEP_M = 0.42
BELOW_M = 2.5
UP = np.array([0.0, 0.0, 1.0])


class Raising:
    """One block being made: what stands on each storey, and the rows of its surfaces."""

    def __init__(
        self,
        rng: np.random.Generator,
        block: EstateBlock,
        ruin: Ruin,
        mesh: MeshBuilder,
        rows: PanelRows,
    ) -> None:
        """Work out what stands."""
        self.rng, self.block, self.ruin, self.mesh = rng, block, ruin, mesh
        plan = block.plan()
        self.slabs = [plan.difference(gone) for gone in ruin.gone]
        self.is_whole = all(gone.is_empty for gone in ruin.gone)
        seed = float(rng.random())
        how = (seed, float(block.finish), block.wear, block.storey_m)
        self.roofing = rows.add(self._axes(block.storeys), block.felt, how, ruin.fire)
        how = (seed, 0.0, block.wear, block.storey_m)
        self.deck = rows.add(self._axes(1), block.face, how)
        origin, along, across = self._axes(0)
        inner = (origin, across, UP)
        self.inner = rows.add(inner, block.face, how)
        inner = (origin, along, UP)
        self.inner_along = rows.add(inner, block.face, how)
        self.rows = rows

    def _axes(self, storeys: int) -> tuple[Array, Array, Array]:
        return self.block.spatial_axes(self.level_m(storeys))

    def level_m(self, storeys: float) -> float:
        """Height of the top of the slab over so many storeys."""
        return self.block.base_m + storeys * self.block.storey_m


def raise_block(
    rng: np.random.Generator, block: EstateBlock, ruin: Ruin, mesh: MeshBuilder, rows: PanelRows
) -> None:
    """Add everything of a block that stands or lies stacked."""
    work = Raising(rng, block, ruin, mesh, rows)
    _slabs(work)
    _facades(work)
    if not work.is_whole:
        _cross_walls(work)
        _stubs(work)
    if not ruin.stacked.is_empty:
        _stack(work)


def _slabs(work: Raising) -> None:
    """Roof, and below it every floor where light gets at it."""
    block = work.block
    roof = (BlocksMaterial.ROOFING, block.felt, work.roofing)
    deck = roof if block.is_unfinished else (BlocksMaterial.DECK, block.face, work.deck)
    fringe = 3.0 if block.is_unfinished else FRINGE_M
    for level, slab in enumerate(work.slabs):
        is_top, height = level == block.storeys - 1, work.level_m(level + 1)
        is_shut = work.is_whole and not block.is_unfinished
        if is_top:
            lay(work.mesh, block, slab, height, roof)
        elif not is_shut:
            seen = slab.difference(work.slabs[level + 1].buffer(-fringe))
            lay(work.mesh, block, seen, height, deck)
        if not is_shut:
            _rim(work, slab, height, is_cut_only=not block.is_unfinished)


def _rim(work: Raising, slab: BaseGeometry, height: float, *, is_cut_only: bool) -> None:
    """The thickness of a slab where it was torn, or all round an open frame."""
    outer = work.block.plan().exterior.buffer(0.02)
    look = (BlocksMaterial.EDGE, work.block.face, work.deck)
    for polygon in polygons_in(slab):
        for ring in (polygon.exterior, *polygon.interiors):
            torn = ring.difference(outer) if is_cut_only else ring
            for run in lines_in(torn):
                upright(work.mesh, work.block, run, (height - SLAB_M, height), look)


def _facades(work: Raising) -> None:
    """Panels from the ground up to the storey that stands, bay by bay, and parapets above."""
    block, pitch = work.block, work.block.pitch
    corners = np.array(
        [[0, 0], [pitch.length_m, 0], [pitch.length_m, pitch.depth_m], [0, pitch.depth_m]], float
    )
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        count = pitch.bays if k % 2 == 0 else max(2, round(pitch.depth_m / 2.6))
        ends = a + (b - a) * np.linspace(0, 1, count + 1)[:, None]
        inward = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
        stands = _standing(work, (ends[:-1] + ends[1:]) / 2 + inward * 0.35)
        if block.is_unfinished:
            _columns(work, ends)
            continue
        record = _facade_row(work, a, b)
        look = (BlocksMaterial.PANELS, block.face, record)
        for bay in range(count):
            for low, high in _runs(stands[bay]):
                foot = work.level_m(low) - (BELOW_M if low == 0 else 0.0)
                upright(work.mesh, block, ends[bay : bay + 2], (foot, work.level_m(high)), look)
            if stands[bay, -1] and block.parapet_m:
                _parapet(work, ends[bay : bay + 2], inward)


def _standing(work: Raising, probes: Array) -> BoolArray:
    """(bays, storeys) whether a slab lies over each of (bays, 2) places on every storey."""
    points = shapely.points(probes)
    return np.stack([shapely.intersects(slab, points) for slab in work.slabs], 1)


def _runs(stands: BoolArray) -> list[tuple[int, int]]:
    """First and past-last storey of every run that stands."""
    change = np.diff(np.concatenate([[0], stands.astype(int), [0]]))
    return list(zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True))


def _facade_row(work: Raising, a: Array, b: Array) -> int:
    """The row of a side: along it and up; burnt about a window of a storey that burnt."""
    block, rng, ruin = work.block, work.rng, work.ruin
    run = block.world(b) - block.world(a)
    length = float(np.linalg.norm(run))
    axes = (
        np.array([*block.world(a), block.base_m]),
        np.array([*(run / length), 0.0]),
        UP,
    )
    how = (float(rng.random()), float(block.finish % 2), block.wear, block.storey_m)
    burn = (0.0, 0.0, 0.0, 0.0)
    if ruin.fire[3] > 0.3 and rng.random() < 0.75:
        high = block.height_m - rng.random() * ruin.burnt_storeys * block.storey_m
        radius = float(rng.uniform(3, 4 + 1.2 * ruin.burnt_storeys))
        burn = (float(rng.random() * length), high, radius, ruin.fire[3])
    return work.rows.add(axes, block.face, how, burn)


def _parapet(work: Raising, ends: Array, inward: Array) -> None:
    block = work.block
    plan = block.world(np.array([ends[0], ends[1], ends[1] + inward * 0.2, ends[0] + inward * 0.2]))
    top = work.level_m(block.storeys)
    box(work.mesh, plan, (top, top + block.parapet_m), BlocksMaterial.BROKEN, block.face)


def _columns(work: Raising, ends: Array) -> None:
    """Columns of a bare frame, with starter bars above the last slab."""
    block = work.block
    top = work.level_m(block.storeys)
    across = np.array([*block.pitch.side])
    for place in block.world(ends[:-1]):
        plan = place + np.array([[-0.2, -0.2], [0.2, -0.2], [0.2, 0.2], [-0.2, 0.2]])
        box(
            work.mesh, plan, (block.base_m - BELOW_M, top), BlocksMaterial.BROKEN, (0.4, 0.39, 0.37)
        )
        for corner in plan:
            bar = corner + np.array([[0, 0], [0.05, 0], [0.05, 0.05], [0, 0.05]]) + across * 0
            high = top + work.rng.uniform(0.7, 1.3)
            box(work.mesh, bar, (top, high), BlocksMaterial.STEEL, (0.2, 0.1, 0.065))


def _cross_walls(work: Raising) -> None:
    """Walls between bays and along the middle, where a storey is open."""
    block, pitch = work.block, work.block.pitch
    cuts = [
        (LineString([(s, 0), (s, pitch.depth_m)]), work.inner)
        for s in np.arange(1, pitch.bays) * BAY_M
    ]
    middle = pitch.depth_m / 2
    cuts.append((LineString([(0, middle), (pitch.length_m, middle)]), work.inner_along))
    for level, slab in enumerate(work.slabs):
        gone = work.ruin.gone[level]
        above = work.ruin.gone[min(level + 1, block.storeys - 1)]
        near = shapely.union(gone, above).buffer(FRINGE_M)
        low, high = work.level_m(level), work.level_m(level + 1) - SLAB_M
        for line, record in cuts:
            for run in lines_in(line.intersection(slab).intersection(near)):
                look = (BlocksMaterial.INNER, block.face, record)
                upright(work.mesh, block, run, (low, high), look)


def _stubs(work: Raising) -> None:
    """What is left of walls on floors that lost the slab above."""
    block, pitch, rng = work.block, work.block.pitch, work.rng
    lines = [LineString([(s, 0), (s, pitch.depth_m)]) for s in np.arange(1, pitch.bays) * BAY_M]
    lines.append(LineString([(0, pitch.depth_m / 2), (pitch.length_m, pitch.depth_m / 2)]))
    lines.append(LineString(block.plan().exterior.coords))
    for level in range(block.storeys - 1):
        open_floor = work.slabs[level].intersection(work.ruin.gone[level + 1])
        if open_floor.area < 4:
            continue
        floor = work.level_m(level + 1)
        for line in lines:
            for run in lines_in(line.intersection(open_floor.buffer(0.05))):
                dense = np.asarray(shapely.segmentize(LineString(run), 0.9).coords)
                tops = np.clip(rng.normal(0.7, 0.75, len(dense)), 0.05, block.storey_m - 0.3)
                look = (BlocksMaterial.INNER, block.face, work.inner)
                upright(work.mesh, block, dense, (floor, floor + tops), look)


def _stack(work: Raising) -> None:
    """Floors that lie on each other with the roof on top, cracked and tilted piece by piece."""
    block, rng, ruin = work.block, work.rng, work.ruin
    shape = ruin.stacked.intersection(block.plan())
    roof = (BlocksMaterial.ROOFING, block.felt, work.roofing)
    deck = (BlocksMaterial.DECK, block.face, work.deck)
    for level in range(block.storeys):
        slid = shapely.affinity.translate(shape, *rng.normal(0, 0.3, 2))
        slid = slid.buffer(-rng.uniform(0, 0.5), join_style="mitre")
        height = block.base_m + 0.5 + level * STACK_STEP_M
        share = (level + 1) / block.storeys
        tilt = (ruin.tilt[0] * share, ruin.tilt[1] * share)
        if level == block.storeys - 1:
            for piece in _broken(rng, slid):
                own = (tilt[0] + rng.normal(0, 0.05), tilt[1] + rng.normal(0, 0.05))
                _lay_floor(work, piece, (piece, height + 0.15), roof, own)
        else:
            is_next = level == block.storeys - 2
            seen = slid if is_next else slid.difference(slid.buffer(-2.0))
            _lay_floor(work, slid, (seen, height), deck, tilt)


def _broken(rng: np.random.Generator, shape: BaseGeometry) -> list[Polygon]:
    """A roof that came down: cracked across into pieces, with holes where something stood."""
    low_s, low_t, high_s, high_t = shape.bounds
    for _ in range(int(rng.integers(1, 5))):
        place = rng.uniform([low_s, low_t], [high_s, high_t])
        shape = shape.difference(torn(rng, place, float(rng.uniform(0.4, 1.8))))
    for _ in range(int(rng.integers(1, 3 + int((high_s - low_s) / 9)))):
        s = rng.uniform(low_s, high_s)
        t = np.linspace(low_t - 1, high_t + 1, 7)
        crack = LineString(np.column_stack([s + rng.normal(0, 0.6, 7), t]))
        shape = shape.difference(crack.buffer(float(rng.uniform(0.08, 0.4))))
    return polygons_in(shape)


def _lay_floor(
    work: Raising,
    floor: BaseGeometry,
    seen: tuple[BaseGeometry, float],
    look: tuple[BlocksMaterial, Tone, int],
    tilt: tuple[float, float],
) -> None:
    """What is seen of a floor at its height, and the edge all round it."""
    pivot = np.asarray(floor.centroid.coords)[0]
    lay(work.mesh, work.block, seen[0], seen[1], look, (tilt, pivot))
    for polygon in polygons_in(floor):
        for ring in (polygon.exterior, *polygon.interiors):
            run = np.asarray(ring.coords)
            z = seen[1] + (run - pivot) @ np.array(tilt)
            edge = (BlocksMaterial.EDGE, work.block.face, work.deck)
            upright(work.mesh, work.block, run, (z - SLAB_M, z), edge)
