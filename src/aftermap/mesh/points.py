"""Measured places -> points.laz (LAS 1.4, point format 2), with their CRS and what heights mean.

The CRS is a WKT record (OGC 01-009), compound: LAS takes nothing else for heights. None of the
datums that a drone's heights have is in the EPSG registry, so the vertical part has a name of ours.
A case without a place on the globe has no such record; a text record says so. Point format 2 has no
time: a point is seen by many pictures.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import laspy
import numpy as np
from laspy.vlrs.known import WktCoordinateSystemVlr

from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.geo.crs import LOCAL, wkt1_of
from aftermap.model.media import VerticalDatum

SCALE_M = 0.001
TEXT_USER, TEXT_RECORD = "Aftermap", 1
DATUM_TYPES = {
    VerticalDatum.ELLIPSOID: 2002,
    VerticalDatum.GEOID: 2005,
    VerticalDatum.BAROMETRIC: 2003,
}
OTHER_DATUM_TYPE = 2000
CREATION_BYTE = 90
"""Where LAS 1.4 keeps the day and year of creation (table 3)."""


@dataclass(frozen=True, kw_only=True)
class PointPart:
    """Some points: (N, 3) east, north, height; (N, 3) colour; (N,) how many pictures agree.

    ``is_coloured`` (N,) is False where no picture shows the place; its colour then says nothing.
    """

    xyz_m: Array
    rgb: ByteArray
    photographs: ByteArray
    is_coloured: BoolArray


def write_points(
    path: Path,
    parts: Iterable[PointPart],
    *,
    crs: str,
    datum: VerticalDatum,
    origin_m: tuple[float, float, float],
) -> int:
    """Write the parts, in whatever order they come, and say how many points there are.

    User data is how many pictures agree; a point that no picture of the orthophoto shows is black.
    Coordinates are kept to the millimetre.
    """
    header = laspy.LasHeader(version="1.4", point_format=2)
    header.scales, header.offsets = np.full(3, SCALE_M), np.round(np.asarray(origin_m))
    header.generating_software, header.system_identifier = "Aftermap", "Aftermap photogrammetry"
    if crs != LOCAL:
        header.vlrs.append(WktCoordinateSystemVlr(compound_wkt(crs, datum)))
        header.global_encoding.wkt = True
    header.vlrs.append(_text(crs, datum))
    count = 0
    with laspy.open(
        path, "w", header=header, do_compress=True, laz_backend=laspy.LazBackend.Lazrs
    ) as out:
        for part in parts:
            if not len(part.xyz_m):
                continue
            record = laspy.ScaleAwarePointRecord.zeros(len(part.xyz_m), header=header)
            record.x, record.y, record.z = part.xyz_m.T
            colour = np.where(part.is_coloured[:, None], part.rgb, 0).astype(np.uint16) * 257
            record.red, record.green, record.blue = colour.T
            record.user_data = part.photographs
            record.return_number[:] = 1
            record.number_of_returns[:] = 1
            out.write_points(record)
            count += len(record)
    _undate(path)
    return count


def _undate(path: Path) -> None:
    """Day and year of creation as 0, not known: the same points are the same bytes on any day."""
    with path.open("r+b") as file:
        file.seek(CREATION_BYTE)
        file.write(bytes(4))


def compound_wkt(crs: str, datum: VerticalDatum) -> str:
    """The CRS in plan with a vertical part of our own name, as WKT of 2001."""
    number = DATUM_TYPES.get(datum, OTHER_DATUM_TYPE)
    name = f"height ({datum.value}), as docs/formats/rasters.md tells"
    vertical = (
        f'VERT_CS["{name}",VERT_DATUM["{datum.value}",{number}],UNIT["metre",1],AXIS["Up",UP]]'
    )
    return f'COMPD_CS["{crs} + {name}",{wkt1_of(crs)},{vertical}]'


def _text(crs: str, datum: VerticalDatum) -> laspy.VLR:
    facts = {
        "crs": crs,
        "vertical_datum": datum.value,
        "user_data": "photographs that agree",
        "note": "no scale, no north, no place on the globe" if crs == LOCAL else "metres",
    }
    return laspy.VLR(
        user_id=TEXT_USER,
        record_id=TEXT_RECORD,
        description="what the points are",
        record_data=json.dumps(facts).encode(),
    )
