"""Triangles with what they are made of: the one mesh that is ray cast.

Coordinates are local metres (east, north, up from the district's origin). Every triangle carries a
material, a tone (linear RGB) and ``record``, the row of the wall or roof table that it belongs to.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, ByteArray, Float32Array, Int32Array, IntArray

Tone = tuple[float, float, float]


class Material(IntEnum):
    """What a triangle is made of; the shader knows one recipe for each."""

    GROUND = 0
    ROOF = 1
    FACADE = 2
    SECTION = 3
    FLOOR = 4
    RUBBLE = 5
    PLAIN = 6
    FOLIAGE = 7
    CONCRETE = 8
    GLASS = 9


@dataclass(frozen=True, kw_only=True)
class TriangleMesh:
    """``vertices`` (V, 3) float32, ``faces`` (T, 3) int32, then one row per triangle."""

    vertices: Float32Array
    faces: Int32Array
    material: ByteArray
    tone: Float32Array
    record: Int32Array


class MeshBuilder:
    """Gathers faces; ``mesh()`` hands them over as arrays."""

    def __init__(self) -> None:
        """Start empty."""
        self._vertices: list[Array] = []
        self._faces: list[IntArray] = []
        self._rows: list[tuple[int, int, Tone, int]] = []
        self._count = 0

    def add(
        self,
        vertices: npt.ArrayLike,
        faces: npt.ArrayLike,
        material: IntEnum,
        tone: Tone,
        record: int = -1,
    ) -> None:
        """Add (V, 3) vertices and (T, 3) faces that share a material, a tone and a record."""
        points = np.asarray(vertices, float).reshape(-1, 3)
        triangles = np.asarray(faces, np.int64).reshape(-1, 3)
        self._vertices.append(points)
        self._faces.append(triangles + self._count)
        self._rows.append((len(triangles), int(material), tone, record))
        self._count += len(points)

    def add_quads(
        self, corners: npt.ArrayLike, material: IntEnum, tone: Tone, record: int = -1
    ) -> None:
        """Add (Q, 4, 3) quadrilaterals, corners in order round each."""
        quads = np.asarray(corners, float).reshape(-1, 4, 3)
        first = 4 * np.arange(len(quads))[:, None]
        faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])], axis=1)
        self.add(quads, faces, material, tone, record)

    def add_box(
        self, corners: npt.ArrayLike, material: IntEnum, tone: Tone, record: int = -1
    ) -> None:
        """Add a box of (8, 3) corners: four of the bottom in order, then the four above them."""
        faces = [
            [4, 5, 6],
            [4, 6, 7],
            [0, 1, 5],
            [0, 5, 4],
            [1, 2, 6],
            [1, 6, 5],
            [2, 3, 7],
            [2, 7, 6],
            [3, 0, 4],
            [3, 4, 7],
            [0, 3, 2],
            [0, 2, 1],
        ]
        self.add(corners, faces, material, tone, record)

    def mesh(self) -> TriangleMesh:
        """Everything added so far."""
        counts = [row[0] for row in self._rows]
        return TriangleMesh(
            vertices=np.concatenate(self._vertices).astype(np.float32),
            faces=np.concatenate(self._faces).astype(np.int32),
            material=np.repeat([row[1] for row in self._rows], counts).astype(np.uint8),
            tone=np.repeat(np.array([row[2] for row in self._rows], np.float32), counts, axis=0),
            record=np.repeat([row[3] for row in self._rows], counts).astype(np.int32),
        )


def box_corners(centre: npt.ArrayLike, size: npt.ArrayLike, rotation: npt.ArrayLike) -> Array:
    """(8, 3) corners of a box of ``size`` about ``centre``, turned by a (3, 3) rotation."""
    half = np.asarray(size, float) / 2
    signs = np.array(
        [
            [-1, -1, -1],
            [1, -1, -1],
            [1, 1, -1],
            [-1, 1, -1],
            [-1, -1, 1],
            [1, -1, 1],
            [1, 1, 1],
            [-1, 1, 1],
        ],
        float,
    )
    return np.asarray((signs * half) @ np.asarray(rotation, float).T + np.asarray(centre, float))


def grid_quads(grid_m: Array) -> Array:
    """(R - 1, C - 1, 4, 3) corners of the cells between (R, C, 3) points, in turn about each."""
    corners = [grid_m[:-1, :-1], grid_m[:-1, 1:], grid_m[1:, 1:], grid_m[1:, :-1]]
    return np.stack(corners, 2)


def rotation_about_up(angle_rad: float) -> Array:
    """(3, 3) rotation, anticlockwise as seen from above."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def above(place: Array, up_m: float) -> Array:
    """The (3,) place so much higher."""
    return np.asarray(place + np.array([0.0, 0.0, up_m]))
