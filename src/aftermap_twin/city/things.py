"""Loose things: broken blocks and slabs, vehicles, trees, walls and poles."""

import numpy as np

from aftermap.geo.arrays import Array
from aftermap_twin.mesh import Material, MeshBuilder, Tone, above, box_corners, rotation_about_up

PAINTS: tuple[Tone, ...] = (
    (0.66, 0.66, 0.65),
    (0.66, 0.66, 0.65),
    (0.36, 0.37, 0.38),
    (0.05, 0.05, 0.06),
    (0.40, 0.05, 0.04),
    (0.06, 0.11, 0.28),
    (0.45, 0.40, 0.30),
    (0.68, 0.46, 0.04),
    (0.14, 0.22, 0.16),
)
RUST: Tone = (0.13, 0.075, 0.05)


def add_blocks(rng: np.random.Generator, mesh: MeshBuilder, feet: Array, sizes_m: Array) -> None:
    """Broken pieces of concrete lying on (N, 3) places, every one tilted its own way."""
    for foot, size in zip(feet, sizes_m, strict=True):
        flat = rng.random() < 0.45
        shape = size * (
            np.array([1.0, rng.uniform(0.5, 1.0), 0.16 if size > 0.8 else 0.3])
            if flat
            else rng.uniform(0.35, 1.0, 3)
        )
        spin = random_tilt(rng, 0.35 if flat else 0.9)
        light = 0.40 + rng.normal(0, 0.06)
        tone = (light, light * 0.95, light * rng.uniform(0.78, 0.9))
        if rng.random() < 0.05:
            tone = (0.30, 0.17, 0.12)
        corners = box_corners(above(foot, shape[2] * 0.25), shape, spin)
        corners += rng.normal(0, 0.07 * size, corners.shape) * [1, 1, 0.5]
        mesh.add_box(corners, Material.RUBBLE, tone)


def random_tilt(rng: np.random.Generator, most_rad: float) -> Array:
    """(3, 3) rotation: any heading, then a lean of up to about ``most_rad``."""
    lean = rng.normal(0, most_rad / 2)
    tip = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    return np.asarray(rotation_about_up(rng.random() * 2 * np.pi) @ tip)


def add_slab(
    rng: np.random.Generator,
    mesh: MeshBuilder,
    top: Array,
    outward_rad: float,
    length_m: float,
    tone: Tone,
) -> None:
    """A floor slab that hangs from ``top``, (3,) local metres, and slopes down outwards."""
    lean = rng.uniform(0.4, 1.05)
    tip = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
    spin = rotation_about_up(outward_rad + rng.normal(0, 0.15)) @ tip
    size = [length_m, rng.uniform(2.0, 4.5), 0.22]
    centre = top + spin @ np.array([length_m / 2 - 0.4, 0, 0])
    corners = box_corners(centre, size, spin)
    corners += spin @ np.array([1, 0, 0]) * rng.normal(0, 0.35, (8, 1))
    mesh.add_box(corners, Material.RUBBLE, tone)


VEHICLES = {
    "car": (4.4, 1.75, 0.85, 1.45),
    "van": (4.9, 1.85, 1.1, 1.95),
    "lorry": (7.5, 2.4, 1.3, 2.9),
}
"""Length, width, height of the body and of the roof, in metres."""


def add_vehicle(
    rng: np.random.Generator, mesh: MeshBuilder, foot: Array, heading_rad: float, *, burnt: bool
) -> None:
    """A car, van or lorry standing on ``foot``, (3,) local metres."""
    kind = rng.choice(["car", "van", "lorry"], p=[0.72, 0.2, 0.08])
    length, width, body, roof = VEHICLES[str(kind)]
    spin = rotation_about_up(heading_rad)
    paint = RUST if burnt else PAINTS[rng.integers(len(PAINTS))]
    sink = 0.25 if burnt else 0.0
    if burnt:
        spin = spin @ random_tilt(rng, 0.08)
    hull = box_corners([0, 0, 0.3 + body / 2], [length, width, body - 0.1], np.eye(3))
    hull[4:, 1] *= 0.93
    hull[4:, 0] *= 0.97
    mesh.add_box(hull @ spin.T + foot - [0, 0, sink], Material.PLAIN, paint)
    back, front = (-0.40, 0.16) if kind == "car" else (-0.48, 0.30)
    if kind == "lorry":
        back, front = -0.49, 0.22
    cabin = np.array(
        [
            [back - 0.02, -0.47],
            [front + 0.12, -0.47],
            [front + 0.12, 0.47],
            [back - 0.02, 0.47],
            [back + 0.07, -0.38],
            [front, -0.38],
            [front, 0.38],
            [back + 0.07, 0.38],
        ]
    )
    heights = np.repeat([body + 0.2, roof], 4)[:, None]
    points = np.hstack([cabin * [length, width], heights]) @ spin.T + foot - [0, 0, sink]
    glass = Material.PLAIN if burnt or kind == "lorry" else Material.GLASS
    dark = RUST if burnt else ((0.02, 0.025, 0.03) if kind != "lorry" else paint)
    sides = [[0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]]
    mesh.add(points, sides, glass, dark)
    mesh.add(points, [[4, 5, 6], [4, 6, 7]], Material.PLAIN, paint)


def add_tree(rng: np.random.Generator, mesh: MeshBuilder, foot: Array) -> None:
    """A trunk and a lumpy crown on ``foot``, (3,) local metres."""
    height, radius = rng.uniform(3.5, 7.0), rng.uniform(1.3, 2.6)
    cylinder(mesh, foot - [0, 0, 0.3], 0.14, height * 0.7, (0.10, 0.075, 0.05), 6)
    green = rng.uniform(0.8, 1.2)
    for _ in range(int(rng.integers(14, 24))):
        away = rng.normal(0, 0.42, 3) * [radius, radius, radius * 0.6]
        size = radius * rng.uniform(0.22, 0.5)
        shade = green * rng.uniform(0.8, 1.2)
        tone = (0.085 * shade, 0.115 * shade, 0.045 * shade)
        _lump(rng, mesh, foot + away + [0, 0, height - radius * 0.5], size, tone)


def _lump(
    rng: np.random.Generator, mesh: MeshBuilder, centre: Array, size: float, tone: Tone
) -> None:
    rings, around = 6, 10
    polar = np.linspace(0, np.pi, rings)[:, None]
    turn = np.arange(around)[None] / around * 2 * np.pi
    reach = size * (1 + rng.normal(0, 0.16, (rings, around)))
    points = np.stack(
        [
            reach * np.sin(polar) * np.cos(turn),
            reach * np.sin(polar) * np.sin(turn),
            reach * np.cos(polar) * 0.85 + 0 * turn,
        ],
        -1,
    ).reshape(-1, 3)
    j, i = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    k, n = j * around + i, j * around + (i + 1) % around
    faces = np.concatenate(
        [
            np.stack([k, n, n + around], -1).reshape(-1, 3),
            np.stack([k, n + around, k + around], -1).reshape(-1, 3),
        ]
    )
    mesh.add(points + centre, faces, Material.FOLIAGE, tone)


def add_wall(mesh: MeshBuilder, start: Array, end: Array, height_m: float, tone: Tone) -> None:
    """A free-standing wall between two (3,) feet."""
    run = end[:2] - start[:2]
    length = float(np.linalg.norm(run))
    if length < 0.4:
        return
    middle = (start + end) / 2
    low = min(start[2], end[2]) - 0.6
    high = max(start[2], end[2]) + height_m
    corners = box_corners(
        [middle[0], middle[1], (low + high) / 2],
        [length, 0.2, high - low],
        rotation_about_up(float(np.arctan2(run[1], run[0]))),
    )
    mesh.add_box(corners, Material.CONCRETE, tone)


def add_pole(mesh: MeshBuilder, foot: Array, height_m: float) -> None:
    """A street lamp's post on ``foot``, (3,) local metres."""
    cylinder(mesh, foot, 0.09, height_m, (0.20, 0.20, 0.20), 6)


def cylinder(
    mesh: MeshBuilder, foot: Array, radius: float, height: float, tone: Tone, sides: int = 12
) -> None:
    """An upright cylinder with its bottom's centre at ``foot``, (3,) local metres."""
    angles = np.arange(sides) / sides * 2 * np.pi
    ring = np.column_stack([np.cos(angles) * radius, np.sin(angles) * radius, np.zeros(sides)])
    points = np.concatenate(
        [ring + foot, ring + above(foot, height), above(foot, height * 1.08)[None]]
    )
    k = np.arange(sides)
    n = (k + 1) % sides
    faces = np.concatenate(
        [
            np.stack([k, n, n + sides], 1),
            np.stack([k, n + sides, k + sides], 1),
            np.stack([k + sides, n + sides, np.full(sides, 2 * sides)], 1),
        ]
    )
    mesh.add(points, faces, Material.PLAIN, tone)
