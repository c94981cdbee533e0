"""Rays against the district's triangles, by Embree (the optional extra ``aftermap[twin]``)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aftermap.errors import MissingExtraError
from aftermap.geo.arrays import BoolArray, Float32Array, Int32Array
from aftermap_twin.mesh import TriangleMesh


@dataclass(frozen=True, kw_only=True)
class Hits:
    """First hits: ``distance`` (N,) in ray lengths, ``triangle`` (N,) or -1, ``normal`` (N, 3)."""

    distance: Float32Array
    triangle: Int32Array
    normal: Float32Array


class Caster:
    """The triangles, ready to be shot at. Not for use from two threads at once."""

    def __init__(self, mesh: TriangleMesh) -> None:
        """Build Embree's tree over the mesh."""
        scene, triangle_mesh = embree()
        self._scene = scene()
        self._mesh = triangle_mesh(self._scene, mesh.vertices, mesh.faces)

    def first_hits(self, origins: Float32Array, directions: Float32Array) -> Hits:
        """What (N, 3) rays meet first; origins in local metres, directions of unit length."""
        found = self._scene.run(origins, directions, output=True)
        return Hits(
            distance=found["tfar"],
            triangle=found["primID"],
            normal=np.ascontiguousarray(found["Ng"]),
        )

    def is_free(self, origins: Float32Array, directions: Float32Array) -> BoolArray:
        """(N,) whether rays meet nothing; origins (N, 3) in local metres, directions (N, 3)."""
        return np.asarray(self._scene.run(origins, directions, query="OCCLUDED") == -1)


def embree() -> tuple[Any, Any]:
    """Embree's scene and mesh classes.

    Raises MissingExtraError, which says what to install, where there is no Embree.
    """
    try:
        from embreex.mesh_construction import TriangleMesh  # noqa: PLC0415 (an optional extra)
        from embreex.rtcore_scene import EmbreeScene  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            "aftermap twin: the ray caster embreex is not installed; install aftermap[twin]"
        ) from error
    return EmbreeScene, TriangleMesh
