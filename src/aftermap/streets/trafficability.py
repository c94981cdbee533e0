"""Lines, footprints and the map -> a table of who gets through every ten metres of street.

Pieces are worked on by squares of the map, so that memory is that of a square. Coordinates are
metres of the map's CRS.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array
from aftermap.geo.crs import LOCAL
from aftermap.geo.polygon import neighbourhoods, shape_of
from aftermap.model.building import Buildings
from aftermap.model.raster import Elevation, Grid, Orthophoto
from aftermap.model.runs import Executor, Skipped, Workspace
from aftermap.model.street import Street, StreetSet, StreetTable
from aftermap.streets.pieces import Piece, pieces_of
from aftermap.streets.space import SpaceLines, streets_between
from aftermap.streets.street_grid import ground_over
from aftermap.streets.widths import ASTRAY_M, HALF_MOST_M, Width, width_of

TABLE_NAME = "streets.parquet"
SQUARE_M = 80.0
OWN_LINES = (
    "no street lines were given: sections are centre lines of the space between footprints, not "
    "known streets, and lengths are not summed; give street lines with --streets"
)
YARDS = "they lie in yards or dead ends between the footprints, which are not assessed as streets"
NO_SCALE = "streets were not assessed: the map has no scale, so widths in metres are not known"
SCHEMA = pa.schema(
    [
        ("source_id", pa.string()),
        ("name", pa.string()),
        ("piece", pa.int32()),
        ("geometry", pa.binary()),
        ("length_m", pa.float64()),
        ("width_m", pa.float64()),
        ("free_width_m", pa.float64()),
        ("free_width_sigma_m", pa.float64()),
        ("clear_width_m", pa.float64()),
        ("nobody_probability", pa.float64()),
        ("passage", pa.string()),
        ("seen_fraction", pa.float64()),
        ("rubble_fraction", pa.float64()),
        ("vehicles", pa.int32()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class _Square:
    """The pieces of one square of the map and the footprints that may reach them, as WKB."""

    pieces: tuple[Piece, ...]
    footprints: tuple[bytes, ...]


def trafficability_of(
    streets: StreetSet | None,
    buildings: Buildings,
    elevation: Elevation,
    orthophoto: Orthophoto | None,
    files: Workspace,
    executor: Executor,
) -> StreetTable:
    """How wide a way is left along every street, and who gets through.

    Without ``streets`` the lines are middles of the space between footprints that lead through;
    yards and dead ends are left out. What is left out is counted, and so are pieces whose middle
    lies off the map. Empty, with a note, where the map has no scale.
    """
    grid = elevation.surface.grid
    has_scale = grid.crs != LOCAL
    shapes = [shape_of(building.polygons_m) for building in buildings.buildings]
    space = SpaceLines() if streets is not None or not has_scale else streets_between(shapes)
    lines = space.streets if streets is None else streets.streets
    pieces, off = _on_map(lines if has_scale else (), grid)
    order, squares = _squares(pieces, shapes)
    work = partial(_widths, elevation=elevation, orthophoto=orthophoto)
    found = [w for some in executor.map(work, squares, label="street cells") for w in some]
    widths = dict(zip(order, found, strict=True))
    rows = [_row(piece, widths[index]) for index, piece in enumerate(pieces)]
    with files.writing(TABLE_NAME) as part:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), part)
    left_out = () if streets is None else streets.skipped
    notes = (OWN_LINES,) if streets is None else streets.notes
    return StreetTable(
        path=str(files.path(TABLE_NAME)),
        crs=grid.crs,
        pieces=len(rows),
        has_own_lines=streets is None,
        skipped=(*left_out, *_counted_out(len(_on_map(space.yards, grid)[0]), off)),
        notes=notes if has_scale else (NO_SCALE,),
    )


def _counted_out(yards: int, off: int) -> Iterator[Skipped]:
    """What is left out by count: sections in yards, and sections off the map."""
    if yards:
        yield Skipped(name=f"{yards} sections between footprints", reason=YARDS)
    if off:
        reason = "their midpoint is outside the map"
        yield Skipped(name=f"{off} street sections", reason=reason)


def _on_map(lines: Sequence[Street], grid: Grid) -> tuple[list[Piece], int]:
    """The pieces of lines whose middle lies on the map, and how many others there are."""
    pieces = [piece for line in lines for piece in pieces_of(line)]
    low, high = np.array(grid.area_m).reshape(2, 2)
    kept = [p for p in pieces if (p.centre_m > low).all() and (p.centre_m < high).all()]
    return kept, len(pieces) - len(kept)


def _squares(
    pieces: Sequence[Piece], shapes: Sequence[BaseGeometry]
) -> tuple[list[int], list[_Square]]:
    """The pieces by square of the map, and their places in the order that they then stand in."""
    if not pieces:
        return [], []
    tree = shapely.STRtree(list(shapes))
    groups = neighbourhoods([piece.centre_m for piece in pieces], SQUARE_M)
    squares = []
    for group in groups:
        some = tuple(pieces[index] for index in group.tolist())
        near = np.sort(tree.query(shapely.box(*np.concatenate(_box_of(some)))))
        footprints = tuple(shapely.to_wkb(shapes[index]) for index in near.tolist())
        squares.append(_Square(pieces=some, footprints=footprints))
    return [int(index) for group in groups for index in group], squares


def _box_of(pieces: Sequence[Piece]) -> tuple[Array, Array]:
    places = np.concatenate([piece.middle_m for piece in pieces])
    reach = HALF_MOST_M + ASTRAY_M + 1.0
    return places.min(0) - reach, places.max(0) + reach


def _widths(square: _Square, *, elevation: Elevation, orthophoto: Orthophoto | None) -> list[Width]:
    low, high = _box_of(square.pieces)
    shapes = [shapely.from_wkb(wkb) for wkb in square.footprints]
    ground = ground_over(
        (float(low[0]), float(low[1])),
        (float(high[0]), float(high[1])),
        elevation,
        orthophoto,
        shapes,
    )
    return [width_of(piece, ground) for piece in square.pieces]


def _row(piece: Piece, width: Width) -> dict[str, object]:
    return {
        "source_id": piece.source_id,
        "name": piece.name,
        "piece": piece.number,
        "geometry": shapely.to_wkb(shapely.LineString(piece.axis_m)),
        "length_m": piece.length_m,
        **asdict(width),
        "passage": str(width.passage),
    }
