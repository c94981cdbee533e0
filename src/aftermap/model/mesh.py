"""The surface as a textured mesh and as points."""

from dataclasses import dataclass

from aftermap.model.camera import Vector3
from aftermap.model.media import VerticalDatum


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """The mesh file and the points file of a map.

    ``mesh`` is a path of a binary glTF whose coordinates are x east, y up, z south in metres from
    ``origin_m`` (east, north, height) of ``crs``. ``points`` is a path of a LAZ file. Of the area
    of upright walls, ``walls_textured_fraction`` shows pictures; the rest is hatched: no picture
    sees it, or its foot was not measured. NaN where there is no wall.
    """

    mesh: str
    points: str
    crs: str
    vertical_datum: VerticalDatum
    origin_m: Vector3
    triangles: int
    walls: int
    walls_textured_fraction: float
    point_count: int
