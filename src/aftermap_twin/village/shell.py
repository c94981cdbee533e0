"""A house and its wounds to triangles: covering, rafters, ceiling, walls and partitions."""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap_twin.mesh import MeshBuilder, Tone
from aftermap_twin.village.damage import BARE, OPEN, WHOLE, Wounds
from aftermap_twin.village.houses import CELL_M, House
from aftermap_twin.village.materials import COVERINGS, SurfaceRows, VillageMaterial

THICK_M = 0.16
"""Of roofs, to the underside of the rafters."""
RAFTER_APART_CELLS = 2
WALL_M = 0.34
STEP_M = 0.35
FOUNDATION_M = 2.0
WOOD: Tone = (0.27, 0.195, 0.125)
CHAR: Tone = (0.035, 0.032, 0.03)
UP = np.array([0.0, 0.0, 1.0])


def raise_house(
    rng: np.random.Generator,
    house: House,
    wounds: Wounds,
    mesh: MeshBuilder,
    rows: SurfaceRows,
) -> None:
    """Add everything that stands of a house."""
    corners = _roof_corners(rng, house, wounds)
    _cover(rng, house, wounds, corners, mesh, rows)
    _rafters(house, wounds, corners, mesh)
    _ceiling(rng, house, wounds, mesh, rows)
    for a, b in zip(house.outline()[:-1], house.outline()[1:], strict=True):
        _wall(rng, house, wounds, (a, b), mesh, rows)
    _partitions(rng, house, wounds, mesh)


def _roof_corners(rng: np.random.Generator, house: House, wounds: Wounds) -> Array:
    """(rows + 1, columns + 1, 3) corners of roof cells; torn edges are moved about a little."""
    n_rows, n_columns = wounds.roof.shape
    t, s = np.mgrid[0 : n_rows + 1, 0 : n_columns + 1].astype(float) * CELL_M
    s, t = s + wounds.low_m[0], t + wounds.low_m[1]
    padded = np.pad(wounds.roof, 1, mode="edge")
    around = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])
    torn = around.min(0) != around.max(0)
    s = s + torn * rng.uniform(-0.4, 0.4, s.shape) * CELL_M
    t = t + torn * rng.uniform(-0.4, 0.4, s.shape) * CELL_M
    drop = np.pad(wounds.drop_m, ((0, 1), (0, 1)), mode="edge")
    rise = house.rise_m(s, t)
    high = house.eaves_m + THICK_M + rise - drop
    floor = house.base_m + 0.3 + 0.2 * rng.random(s.shape)
    return np.concatenate([house.world(s, t), np.maximum(high, floor)[..., None]], axis=2)


def _quads(corners: Array, cells: IntArray) -> Array:
    """(N, 4, 3) corners of (N, 2) cells (row, column)."""
    r, c = cells[:, 0], cells[:, 1]
    return np.stack([corners[r, c], corners[r, c + 1], corners[r + 1, c + 1], corners[r + 1, c]], 1)


def _kept(house: House, wounds: Wounds) -> BoolArray:
    """Cells that the roof ever covered."""
    s, t = wounds.cells_m()
    over = house.is_inside(s, t, house.overhang_m)
    return np.asarray(over)


def _cover(
    rng: np.random.Generator,
    house: House,
    wounds: Wounds,
    corners: Array,
    mesh: MeshBuilder,
    rows: SurfaceRows,
) -> None:
    """Covering by slope: each has its own axes, so that courses run level along it."""
    kept = _kept(house, wounds)
    s, t = wounds.cells_m()
    east, north = house.rise_m(s + 0.05, t) - house.rise_m(s, t), house.rise_m(s, t + 0.05)
    north = north - house.rise_m(s, t)
    seed, kind = float(rng.random()), float(COVERINGS.index(house.covering))
    soot = 0.85 if wounds.burnt else house.soot
    lids = [corners + UP * 0.0, corners - UP * 0.07]
    for name, steep in (
        ("s+", east > 0.01),
        ("s-", east < -0.01),
        ("t+", (np.abs(east) <= 0.01) & (north >= 0)),
        ("t-", (np.abs(east) <= 0.01) & (north < 0)),
    ):
        along = _slope_axis(house, name)
        level = np.cross(along, UP)
        level = level / max(float(np.linalg.norm(level)), 1e-9)
        origin = np.array([*house.site.corner_m, house.eaves_m])
        how = (seed, kind, house.wear, soot)
        record = rows.add(origin, level, along, house.tone, how)
        whole = np.argwhere(steep & kept & (wounds.roof == WHOLE))
        mesh.add_quads(_quads(lids[0], whole), VillageMaterial.COVERING, house.tone, record)
        if wounds.deck:
            bare = np.argwhere(steep & kept & (wounds.roof == BARE))
            wood = CHAR if wounds.burnt else WOOD
            mesh.add_quads(_quads(lids[1], bare), VillageMaterial.TIMBER, wood, record)
    _edges(house, wounds, corners, kept, mesh)


def _slope_axis(house: House, name: str) -> Array:
    """(3,) unit vector up a slope of the roof."""
    flat = house.site.forward if name[0] == "s" else house.site.side
    sign = 1.0 if name[1] == "+" else -1.0
    lift = 0.0 if house.roof == "flat" else house.slope
    axis = np.array([*(flat * sign), lift])
    return np.asarray(axis / np.linalg.norm(axis))


def _edges(
    house: House, wounds: Wounds, corners: Array, kept: BoolArray, mesh: MeshBuilder
) -> None:
    """The thickness of a roof where it ends, at eaves and at holes alike."""
    solid = kept & ((wounds.roof == WHOLE) | ((wounds.roof == BARE) & wounds.deck))
    padded = np.pad(solid, 1)
    tone = (0.36, 0.34, 0.31) if house.roof == "flat" else WOOD
    deep = 0.22 if house.roof == "flat" else THICK_M
    for (dr, dc), (i, j) in (
        ((-1, 0), ((0, 0), (0, 1))),
        ((1, 0), ((1, 1), (1, 0))),
        ((0, -1), ((1, 0), (0, 0))),
        ((0, 1), ((0, 1), (1, 1))),
    ):
        beyond = padded[1 + dr : 1 + dr + solid.shape[0], 1 + dc : 1 + dc + solid.shape[1]]
        cells = np.argwhere(solid & ~beyond)
        if not len(cells):
            continue
        a = corners[cells[:, 0] + i[0], cells[:, 1] + i[1]]
        b = corners[cells[:, 0] + j[0], cells[:, 1] + j[1]]
        quads = np.stack([a - UP * deep, b - UP * deep, b, a], 1)
        mesh.add_quads(quads, VillageMaterial.TIMBER, CHAR if wounds.burnt else tone)


def _rafters(house: House, wounds: Wounds, corners: Array, mesh: MeshBuilder) -> None:
    """Beams under bare cells, and a few that stick out into holes."""
    if house.roof == "flat":
        _bars(house, wounds, corners, mesh)
        return
    kept = _kept(house, wounds)
    bare = kept & (wounds.roof == BARE)
    reach = bare | (np.roll(bare, 1, 0) & kept & (wounds.roof == OPEN))
    tone = CHAR if wounds.burnt else WOOD
    for column in range(0, bare.shape[1], RAFTER_APART_CELLS):
        cells = np.flatnonzero(reach[:, column])
        if not len(cells):
            continue
        a, b = corners[cells, column], corners[cells + 1, column]
        aside = np.array([*(house.site.forward * 0.05), 0.0])
        top, low = -UP * 0.08, -UP * 0.2
        for one, two in (
            (top - aside, top + aside),
            (low - aside, top - aside),
            (top + aside, low + aside),
        ):
            quads = np.stack([a + one, a + two, b + two, b + one], 1)
            mesh.add_quads(quads, VillageMaterial.TIMBER, tone)
    if not wounds.deck:
        battens = np.argwhere(bare & (np.indices(bare.shape)[0] % 2 == 0))
        r, c = battens[:, 0], battens[:, 1]
        a, b = corners[r, c] - UP * 0.05, corners[r, c + 1] - UP * 0.05
        wide = np.array([*(house.site.side * 0.06), 0.0])
        mesh.add_quads(np.stack([a, b, b + wide, a + wide], 1), VillageMaterial.TIMBER, tone)


def _bars(house: House, wounds: Wounds, corners: Array, mesh: MeshBuilder) -> None:
    """Bare cells of a concrete roof are its slab without the screed, still in place."""
    bare = np.argwhere(_kept(house, wounds) & (wounds.roof == BARE))
    tone = (0.33, 0.31, 0.285)
    mesh.add_quads(_quads(corners - UP * 0.09, bare), VillageMaterial.SLAB, tone)


def _ceiling(
    rng: np.random.Generator,
    house: House,
    wounds: Wounds,
    mesh: MeshBuilder,
    rows: SurfaceRows,
) -> None:
    """The floor of the loft, and below it that of an upper storey, where they still lie."""
    s, t = wounds.cells_m()
    inside = house.is_inside(s, t, -0.1)
    n_rows, n_columns = wounds.roof.shape
    tt, ss = np.mgrid[0 : n_rows + 1, 0 : n_columns + 1].astype(float) * CELL_M
    plan = house.world(ss + wounds.low_m[0], tt + wounds.low_m[1])
    levels = [(house.eaves_m - 0.12, ~wounds.loft_open)]
    if house.roof == "flat":
        levels = []
    if house.storeys == 2:
        shrunk = wounds.loft_open & (rng.random(s.shape) < 0.97)
        keep = ~(shrunk & (wounds.wall_cut > 0.6)) if wounds.heap_m < 0.8 else ~wounds.loft_open
        levels.append((house.base_m + house.storey_m, keep))
    seed = float(rng.random())
    for high, keep in levels:
        cells = np.argwhere(inside & keep & (wounds.wall_cut < house.eaves_m - high + 0.4))
        corners = np.concatenate([plan, np.full((*plan.shape[:2], 1), high)], axis=2)
        origin = np.array([*house.site.corner_m, high])
        axes = np.array([*house.site.forward, 0.0]), np.array([*house.site.side, 0.0])
        how = (seed, 0.0, house.wear, 0.9 if wounds.burnt else 0.0)
        record = rows.add(origin, *axes, house.plaster, how)
        mesh.add_quads(_quads(corners, cells), VillageMaterial.LOFT, house.plaster, record)


def _tops(house: House, wounds: Wounds, s: Array, t: Array) -> Array:
    """(N,) heights of walls at places in own axes: up to the roof, less what was lost."""
    rise = house.rise_m(s, t)
    rise = np.maximum(rise, 0.0)
    row = np.clip(((t - wounds.low_m[1]) / CELL_M).astype(int), 0, wounds.roof.shape[0] - 1)
    column = np.clip(((s - wounds.low_m[0]) / CELL_M).astype(int), 0, wounds.roof.shape[1] - 1)
    cut, drop = wounds.wall_cut[row, column], wounds.drop_m[row, column]
    kept = np.where((wounds.roof[row, column] == OPEN) & (cut > 0.05), 0.0, rise)
    kept = np.maximum(kept - drop, 0.0)
    return np.asarray(house.eaves_m + kept - cut)


def _wall(
    rng: np.random.Generator,
    house: House,
    wounds: Wounds,
    ends: tuple[Array, Array],
    mesh: MeshBuilder,
    rows: SurfaceRows,
) -> None:
    """A wall of some thickness between two corners (2,) of the outline, its top as it was left."""
    a, b = ends
    length = float(np.linalg.norm(b - a))
    run = (b - a) / length
    inward = np.array([-run[1], run[0]])
    count = max(2, int(length / STEP_M))
    at = np.linspace(0, 1, count + 1)[:, None]
    outer = a + (b - a) * at
    inner = outer + inward * WALL_M
    probe = outer + inward * 0.05
    high = _tops(house, wounds, probe[:, 0], probe[:, 1])
    broken = high < house.eaves_m - 0.05
    high = high + broken * rng.uniform(-0.25, 0.25, high.shape)
    if house.roof == "flat" and not broken.any():
        high = high + 0.32
    low = house.base_m - FOUNDATION_M
    world_run = run[0] * house.site.forward + run[1] * house.site.side
    origin = np.array([*house.world(a[:1], a[1:])[0], house.base_m])
    how = (float(rng.random()), length, house.wear, 0.9 if wounds.burnt else house.soot)
    record = rows.add(origin, np.array([*world_run, 0.0]), UP, house.plaster, how)
    tops = [np.column_stack([house.world(p[:, 0], p[:, 1]), high]) for p in (outer, inner)]
    feet = [np.column_stack([top[:, :2], np.full(len(top), low)]) for top in tops]
    for one, two in ((feet[0], tops[0]), (tops[1], feet[1])):
        quads = np.stack([one[:-1], one[1:], two[1:], two[:-1]], 1)
        mesh.add_quads(quads, VillageMaterial.MASONRY, house.plaster, record)
    lid = np.stack([tops[0][:-1], tops[0][1:], tops[1][1:], tops[1][:-1]], 1)
    mesh.add_quads(lid, VillageMaterial.SLAB, house.plaster)


def _partitions(rng: np.random.Generator, house: House, wounds: Wounds, mesh: MeshBuilder) -> None:
    """Inner walls up to the ceiling, seen where it is gone."""
    site = house.site
    cuts = [
        (np.array([x, 0.3]), np.array([x, site.width_m - 0.3])) for x in _rooms(rng, site.length_m)
    ]
    cuts.append(
        (np.array([0.3, site.width_m * 0.5]), np.array([site.length_m - 0.3, site.width_m * 0.5]))
    )
    for a, b in cuts:
        at = np.linspace(0, 1, max(2, int(np.linalg.norm(b - a) / STEP_M)) + 1)[:, None]
        line = a + (b - a) * at
        high = np.minimum(_tops(house, wounds, line[:, 0], line[:, 1]), house.eaves_m - 0.15)
        run = (b - a) / np.linalg.norm(b - a)
        aside = np.array([-run[1], run[0]]) * 0.12
        one, two = house.world(*(line - aside).T), house.world(*(line + aside).T)
        low = np.full(len(line), house.base_m - 0.3)
        sides = [
            np.column_stack([p, z]) for p, z in ((one, low), (one, high), (two, high), (two, low))
        ]
        for k in range(3):
            quads = np.stack([sides[k][:-1], sides[k][1:], sides[k + 1][1:], sides[k + 1][:-1]], 1)
            mesh.add_quads(quads, VillageMaterial.SLAB, house.plaster)


def _rooms(rng: np.random.Generator, length_m: float) -> list[float]:
    places, x = [], rng.uniform(2.8, 4.5)
    while x < length_m - 2.5:
        places.append(float(x))
        x += rng.uniform(3.0, 5.0)
    return places
