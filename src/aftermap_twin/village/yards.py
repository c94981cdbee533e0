"""What stands about a village: trees, yard walls, carts and cars, chimneys, windows in roofs."""

import numpy as np

from aftermap.geo.arrays import Array
from aftermap_twin.mesh import MeshBuilder, Tone
from aftermap_twin.site import TwinGround
from aftermap_twin.village.damage import OPEN, WHOLE, Wounds
from aftermap_twin.village.houses import House
from aftermap_twin.village.materials import VillageMaterial

TREES_PER_HECTARE = 22
BARK: Tone = (0.12, 0.09, 0.06)
HULLS: tuple[Tone, ...] = (
    (0.5, 0.5, 0.5),
    (0.3, 0.06, 0.05),
    (0.07, 0.12, 0.24),
    (0.05, 0.05, 0.06),
)
BOX_FACES = (
    (4, 5, 6, 7),
    (0, 1, 5, 4),
    (1, 2, 6, 5),
    (2, 3, 7, 6),
    (3, 0, 4, 7),
)


def _block(
    mesh: MeshBuilder,
    plan: Array,
    low: Array | float,
    high: Array | float,
    kind: VillageMaterial,
    tone: Tone,
) -> None:
    """A block over (4, 2) local metres between two heights, each a number or (4,)."""
    bottom = np.column_stack([plan, np.broadcast_to(low, 4)])
    top = np.column_stack([plan, np.broadcast_to(high, 4)])
    points = np.concatenate([bottom, top])
    mesh.add_quads(points[np.array(BOX_FACES)], kind, tone)


def _turned(centre: Array, size: tuple[float, float], heading: float) -> Array:
    """(4, 2) corners of a rectangle about a place."""
    u = np.array([np.cos(heading), np.sin(heading)]) * size[0] / 2
    v = np.array([-np.sin(heading), np.cos(heading)]) * size[1] / 2
    return np.array([centre - u - v, centre + u - v, centre + u + v, centre - u + v])


def furnish_village(
    rng: np.random.Generator,
    mesh: MeshBuilder,
    ground: TwinGround,
    houses: tuple[House, ...],
    marks: Array,
) -> None:
    """Add trees, walls and vehicles, off the ``marks`` (M, 3), local metres."""
    low, high = np.array(ground.extent.low_m), np.array(ground.extent.high_m)
    area = float(np.prod(high - low))
    for _ in range(int(area / 10_000 * TREES_PER_HECTARE)):
        xy = low + 2 + rng.random(2) * (high - low - 4)
        if _is_open(ground, xy, marks, 5.0) and ground.value(ground.kerb_m, xy) < -0.6:
            _tree(rng, mesh, ground.placed(xy)[0])
    for house in houses:
        _yard_wall(rng, mesh, ground, house, marks)
        if rng.random() < 0.45:
            edge = house.site.ring(float(rng.uniform(0.8, 2.2)))
            k = int(rng.integers(4))
            xy = edge[k] + (edge[(k + 1) % 4] - edge[k]) * rng.random()
            if _is_open(ground, xy, marks, 6.0) and ground.value(ground.kerb_m, xy) < 0:
                _tree(rng, mesh, ground.placed(xy)[0])
        if rng.random() < 0.35:
            ring = house.site.ring(3.0)
            xy = ring[int(rng.integers(4))] + rng.normal(0, 0.7, 2)
            if _is_open(ground, xy, marks, 5.0) and ground.value(ground.rubble, xy) < 0.4:
                _vehicle(rng, mesh, ground.placed(xy)[0])


def _is_open(ground: TwinGround, xy: Array, marks: Array, reach_m: float) -> bool:
    far = not len(marks) or float(np.linalg.norm(marks[:, :2] - xy, axis=1).min()) > reach_m
    return far and ground.is_inside(xy) and ground.value(ground.built, xy) < 0.02


def _tree(rng: np.random.Generator, mesh: MeshBuilder, foot: Array) -> None:
    """A trunk and a crown of leaf clusters: small plates that face every way."""
    height, radius = rng.uniform(3.5, 9.0), rng.uniform(1.4, 3.2)
    _block(
        mesh,
        _turned(foot[:2], (0.25, 0.25), rng.random()),
        foot[2] - 0.3,
        foot[2] + height * 0.6,
        VillageMaterial.TIMBER,
        BARK,
    )
    count = int(110 * radius)
    ball = rng.standard_normal((count, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    reach = radius * rng.uniform(0.55, 1.0, (count, 1)) * (1 + 0.15 * np.sin(5 * ball[:, :1]))
    centres = foot + [0, 0, height - radius * 0.6] + ball * reach * [1, 1, 0.8]
    u = rng.standard_normal((count, 3))
    u *= rng.uniform(0.25, 0.5, (count, 1)) / np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(ball + 0.5 * rng.standard_normal((count, 3)), u)
    v *= rng.uniform(0.2, 0.45, (count, 1)) / np.maximum(
        np.linalg.norm(v, axis=1, keepdims=True), 1e-6
    )
    quads = np.stack([centres - u - v, centres + u - v, centres + u + v, centres - u + v], 1)
    green = rng.uniform(0.7, 1.25)
    dry = rng.uniform(0.0, 0.06)
    for part in np.array_split(quads, 3):
        shade = green * rng.uniform(0.8, 1.2)
        tone = ((0.07 + dry) * shade, 0.105 * shade, 0.035 * shade)
        mesh.add_quads(part, VillageMaterial.LEAVES, tone)


def _yard_wall(
    rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround, house: House, marks: Array
) -> None:
    """Stretches of stone wall round a yard, where nothing else stands."""
    if house.site.is_shed or rng.random() < 0.35:
        return
    ring = house.site.ring(float(rng.uniform(2.8, 5.5)))
    shade = rng.uniform(0.85, 1.1)
    tone = (0.37 * shade, 0.34 * shade, 0.285 * shade)
    high = float(rng.uniform(1.0, 1.9))
    for k in range(4):
        a, b = ring[k], ring[(k + 1) % 4]
        length = float(np.linalg.norm(b - a))
        for start in np.arange(0, length - 1.0, 2.0):
            p, q = a + (b - a) * start / length, a + (b - a) * min(start + 2.0, length) / length
            middle = (p + q) / 2
            if ground.value(ground.kerb_m, middle) > -0.5 or not _is_open(
                ground, middle, marks, 4.5
            ):
                continue
            if not all(_is_open(ground, end, marks, 4.0) for end in (p, q)) or rng.random() < 0.06:
                continue
            heading = float(np.arctan2(*(q - p)[::-1]))
            z = ground.placed(middle)[0, 2]
            _block(
                mesh,
                _turned(middle, (float(np.linalg.norm(q - p)) + 0.05, 0.3), heading),
                z - 0.6,
                z + high,
                VillageMaterial.DEBRIS,
                tone,
            )


def _vehicle(rng: np.random.Generator, mesh: MeshBuilder, foot: Array) -> None:
    """A car or a trailer."""
    heading, tone = rng.random() * 6.3, HULLS[rng.integers(len(HULLS))]
    long, wide = rng.uniform(3.4, 4.8), rng.uniform(1.6, 1.9)
    _block(
        mesh,
        _turned(foot[:2], (long, wide), heading),
        foot[2] + 0.2,
        foot[2] + 0.85,
        VillageMaterial.PAINTED,
        tone,
    )
    if rng.random() < 0.75:
        back = foot[:2] - np.array([np.cos(heading), np.sin(heading)]) * 0.3
        dark = (0.03, 0.035, 0.04)
        _block(
            mesh,
            _turned(back, (long * 0.55, wide * 0.9), heading),
            foot[2] + 0.85,
            foot[2] + 1.35,
            VillageMaterial.PAINTED,
            dark,
        )
        _block(
            mesh,
            _turned(back, (long * 0.45, wide * 0.82), heading),
            foot[2] + 1.35,
            foot[2] + 1.45,
            VillageMaterial.PAINTED,
            tone,
        )


def top_roof(rng: np.random.Generator, mesh: MeshBuilder, house: House, wounds: Wounds) -> None:
    """Chimney, windows in the roof, panels, a tank or a dish; only on covering that is there."""
    if not house.site.is_shed and house.roof != "flat" and rng.random() < 0.75:
        place = _whole_spot(rng, house, wounds, 0.35)
        if place is not None:
            _chimney(rng, mesh, house, place)
    if house.roof != "flat":
        if rng.random() < 0.3:
            for _ in range(int(rng.integers(1, 4))):
                _plate(rng, mesh, house, wounds, (0.8, 1.1), (0.03, 0.035, 0.045))
        if rng.random() < 0.22:
            _plate(
                rng, mesh, house, wounds, (float(rng.uniform(2.0, 4.0)), 1.7), (0.025, 0.035, 0.085)
            )
        return
    for _ in range(int(rng.integers(1, 5))):
        place = _whole_spot(rng, house, wounds, 0.9)
        if place is not None:
            tone = HULLS[rng.integers(len(HULLS))]
            size = (float(rng.uniform(0.5, 1.8)), float(rng.uniform(0.5, 1.6)))
            xy = house.world(place[:1], place[1:])[0]
            z = house.eaves_m + 0.15
            _block(
                mesh,
                _turned(xy, size, rng.random() * 3),
                z,
                z + rng.uniform(0.4, 1.3),
                VillageMaterial.PAINTED,
                tone,
            )


def _whole_spot(
    rng: np.random.Generator, house: House, wounds: Wounds, room_m: float
) -> Array | None:
    """(2,) s and t on covering that is whole all round, or None where none was found."""
    s, t = wounds.cells_m()
    good = (wounds.roof == WHOLE) & (wounds.drop_m < 0.02) & house.is_inside(s, t, -room_m)
    cells = np.argwhere(good)
    for _ in range(8):
        if not len(cells):
            return None
        row, column = cells[rng.integers(len(cells))]
        near = (np.abs(s - s[row, column]) < room_m) & (np.abs(t - t[row, column]) < room_m)
        if (wounds.roof[near] == WHOLE).all():
            return np.array([s[row, column], t[row, column]])
    return None


def _chimney(rng: np.random.Generator, mesh: MeshBuilder, house: House, place: Array) -> None:
    xy = house.world(place[:1], place[1:])[0]
    heading = float(np.arctan2(house.site.forward[1], house.site.forward[0]))
    top = house.eaves_m + house.ridge_m + rng.uniform(0.4, 0.9)
    size = (float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.45, 0.6)))
    plan = _turned(xy, size, heading)
    _block(mesh, plan, house.eaves_m, top, VillageMaterial.SLAB, (0.33, 0.2, 0.15))
    _block(
        mesh,
        _turned(xy, (size[0] * 0.5, size[1] * 0.5), heading),
        top,
        top + 0.02,
        VillageMaterial.PAINTED,
        (0.02, 0.02, 0.02),
    )


def _plate(
    rng: np.random.Generator,
    mesh: MeshBuilder,
    house: House,
    wounds: Wounds,
    size: tuple[float, float],
    tone: Tone,
) -> None:
    """A pane or panel that lies in the slope."""
    place = _whole_spot(rng, house, wounds, max(size) * 0.7)
    if place is None:
        return
    half = np.array(size) / 2
    st = place + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    rise = house.rise_m(st[:, 0], st[:, 1])
    if rise.min() < 0 or np.ptp(rise[[0, 1]]) > 0.02 or np.ptp(rise[[2, 3]]) > 0.02:
        return
    z = house.eaves_m + 0.16 + rise
    _block(mesh, house.world(st[:, 0], st[:, 1]), z, z + 0.09, VillageMaterial.PAINTED, tone)


def strew_debris(
    rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround, house: House, wounds: Wounds
) -> None:
    """Stones, tiles and beams that lie in and about a house that lost some of itself."""
    s, t = wounds.cells_m()
    gone = (wounds.roof == OPEN) & wounds.loft_open & house.is_inside(s, t)
    amount = int(gone.sum() * (0.25 if wounds.heap_m > 0.7 else 0.1))
    cells = np.argwhere(gone)
    for _ in range(amount):
        row, column = cells[rng.integers(len(cells))]
        spread = rng.normal(0, 0.3 + 1.1 * min(1.0, wounds.wall_cut[row, column]), 2)
        xy = house.world(s[row, column] + spread[0], t[row, column] + spread[1])
        if ground.is_inside(xy):
            _piece(rng, mesh, ground.placed(xy)[0], house)


def _piece(rng: np.random.Generator, mesh: MeshBuilder, foot: Array, house: House) -> None:
    heading, kind = rng.random() * 6.3, rng.random()
    if kind < 0.18:
        plan = _turned(foot[:2], (float(rng.uniform(1.2, 3.8)), 0.13), heading)
        lift = rng.uniform(-0.1, 0.8) * np.array([0, 1, 1, 0])
        low = foot[2] + 0.05 + lift
        _block(mesh, plan, low, low + 0.14, VillageMaterial.TIMBER, (0.23, 0.17, 0.11))
    elif kind < 0.45:
        plan = _turned(
            foot[:2], (float(rng.uniform(0.3, 1.2)), float(rng.uniform(0.2, 0.8))), heading
        )
        low = foot[2] + rng.uniform(0, 0.3, 4)
        _block(mesh, plan, low, low + 0.05, VillageMaterial.DEBRIS, house.tone)
    else:
        size = float(np.exp(rng.normal(-1.1, 0.4)))
        plan = _turned(foot[:2], (size, size * float(rng.uniform(0.5, 1.0))), heading)
        low = foot[2] - 0.1 + rng.uniform(0, 0.12, 4)
        light = rng.uniform(0.7, 1.1)
        tone = (0.42 * light, 0.385 * light, 0.33 * light)
        _block(mesh, plan, low, low + size * 0.6, VillageMaterial.DEBRIS, tone)
