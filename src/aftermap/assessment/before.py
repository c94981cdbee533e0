"""An orthophoto and a surface of earlier -> whether and how much a building has changed since.

The surfaces are brought together vertically on the smooth ground around each building: datums and
drift do not count, and a hill does not either. The orthophotos are brought to one pixel size and
may lie up to ``SEARCH_M`` apart.
"""

import math
from collections.abc import Collection
from pathlib import Path

import cv2
import numpy as np
import rasterio
from rasterio.errors import RasterioError

from aftermap.assessment.names import NamedValues
from aftermap.assessment.roof import share
from aftermap.assessment.roof_texture import RoofPicture
from aftermap.assessment.site import BuildingSite
from aftermap.errors import CrsError, InputError
from aftermap.geo.arrays import Float32Array
from aftermap.geo.crs import transformed_xy
from aftermap.geo.crs_operation import operation_over
from aftermap.geo.grid import cell_centres_m, rowcol_of
from aftermap.geo.measured_heights import LEAST_AGREEING, confidence_beside
from aftermap.geo.robust import nmad
from aftermap.geo.windows import block_over, read_block
from aftermap.model.assessment import Before
from aftermap.model.media import VerticalDatum
from aftermap.model.raster import Grid, Raster

COARSEST_PICTURE_M = 0.6
"""A before-picture of larger pixels shows no roof well enough to be compared."""
COARSEST_SURFACE_M = 3.0
SEARCH_M = 1.5
LOST_M = 1.5
STABLE_M = 0.5
STABLE_CELLS = 40
LEAST_PIXELS_COMPARED = 100
MOST_FILLED = 0.1
HEIGHT_NAMES = ("before_loss_m", "before_lost_fraction", "before_height_m")
MOST_ASIDE_M = 1.0
"""Two pictures farther apart than this show walls and roofs beside each other."""
Box = tuple[float, float, float, float]
NOTHING = (math.nan, math.nan)


def before_in(
    orthophoto: Path | None,
    surface: Path | None,
    *,
    map_crs: str,
    area_m: Box,
    confirmed: Collection[str] = (),
) -> Before:
    """What these files hold of the map's area (west, south, east, north), checked.

    ``confirmed`` are CRSs that the user stands by outside their area of use. Raises
    ``InputError`` for a file that is no raster, shows another place, is too coarse or comes from
    another datum too coarsely, and ``CrsError`` for one without a CRS.
    """
    for path in (orthophoto, surface):
        if path is not None:
            _check_datum(path, map_crs, area_m, confirmed)
    heights = None
    if surface is not None:
        heights = _raster(surface, map_crs, area_m, COARSEST_SURFACE_M)
    agreeing = _confidence(surface, map_crs, area_m)
    if agreeing is not None and heights is not None and agreeing.grid != heights.grid:
        agreeing = None
    return Before(
        orthophoto=None
        if orthophoto is None
        else _raster(orthophoto, map_crs, area_m, COARSEST_PICTURE_M),
        surface=heights,
        orthophoto_confidence=_confidence(orthophoto, map_crs, area_m),
        surface_confidence=agreeing,
    )


def _check_datum(path: Path, map_crs: str, area_m: Box, confirmed: Collection[str]) -> None:
    """Refuse what a datum transformation would lay beside the buildings that it shows."""
    try:
        with rasterio.open(path) as file:
            crs = file.crs.to_string() if file.crs else None
    except RasterioError:  # told where it is read
        return
    if crs is None:
        return
    used = operation_over(path.name, crs, map_crs, area_m, confirmed).transformation
    if used is not None and (used.accuracy_m is None or used.accuracy_m > MOST_ASIDE_M):
        raise InputError(
            f"{used}; that is too coarse to compare buildings; give it in a CRS on the datum of "
            "the map, registered to it, or leave it out"
        )


def _confidence(raster: Path | None, map_crs: str, area_m: Box) -> Raster | None:
    beside = None if raster is None else confidence_beside(raster)
    return None if beside is None else _raster(beside, map_crs, area_m, COARSEST_SURFACE_M)


def _raster(path: Path, map_crs: str, area_m: Box, coarsest_m: float) -> Raster:
    try:
        with rasterio.open(path) as file:
            if file.crs is None:
                raise CrsError(f"{path}: says no CRS; write one into it with gdal_edit -a_srs")
            if not file.crs.is_projected:
                raise CrsError(f"{path}: is in degrees; warp it to {map_crs} with gdalwarp -t_srs")
            step = file.transform
            if step.b or step.d or abs(step.a + step.e) > 1e-6 * step.a:
                raise InputError(f"{path}: is not north up with square cells; warp it (gdalwarp)")
            grid = Grid(
                crs=file.crs.to_string(),
                east_m=step.c,
                north_m=step.f,
                cell_m=step.a,
                columns=file.width,
                rows=file.height,
            )
            nodata = file.nodata
    except RasterioError as error:
        raise InputError(f"{path}: cannot be read as a raster ({error}); name a GeoTIFF") from error
    if grid.cell_m > coarsest_m:
        raise InputError(
            f"{path}: its cells are {grid.cell_m:.2g} m; buildings are compared in at most "
            f"{coarsest_m} m, so use a finer one or leave it out"
        )
    west, south, east, north = area_m
    corners = transformed_xy(
        map_crs, grid.crs, [[west, south], [east, south], [east, north], [west, north]]
    )
    rowcol = rowcol_of(grid, corners)
    if (rowcol.max(0) < 0).any() or (rowcol.min(0) > [grid.rows, grid.columns]).any():
        raise InputError(f"{path}: shows another place than the map; name one of the same area")
    return Raster(path=str(path), grid=grid, nodata=nodata, vertical_datum=VerticalDatum.UNKNOWN)


def raster_at_cells(
    raster: Raster, grid: Grid, crs: str, confidence: Raster | None = None
) -> Float32Array:
    """(bands, rows, columns) of a raster at the middles of the cells of a grid; NaN beyond it.

    With the confidence that belongs to it (on its grid) NaN where it is filled as well.
    """
    east, north = cell_centres_m(grid)
    places = np.stack(np.meshgrid(east, north), -1).reshape(-1, 2)
    if raster.grid.crs != crs:
        places = np.asarray(transformed_xy(crs, raster.grid.crs, places), float)
    low, high = places.min(0) - 2 * raster.grid.cell_m, places.max(0) + 2 * raster.grid.cell_m
    block = block_over(raster.grid, (low[0], low[1]), (high[0], high[1]))
    bands, own = read_block(raster, block)
    filled = None
    if confidence is not None:
        filled = read_block(confidence, block)[0][0] < LEAST_AGREEING
    rowcol = (rowcol_of(own, places) - 0.5).astype(np.float32).reshape(grid.rows, grid.columns, 2)
    layers = []
    for band in bands:
        values = band.astype(np.float32)
        if raster.nodata is not None:
            values[values == np.float32(raster.nodata)] = np.nan
        if filled is not None:
            values[filled] = np.nan
        layers.append(
            cv2.remap(
                values,
                rowcol[..., 1],
                rowcol[..., 0],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=math.nan,
            )
        )
    return np.asarray(layers, np.float32)


def height_change(site: BuildingSite, before_m: Float32Array) -> NamedValues:
    """How much lower the roof lies than before, after both surfaces meet on the ground around.

    ``before_m`` is (rows, columns) heights in metres of the site's window.
    """
    cells = site.cells
    with np.errstate(invalid="ignore"):
        ground = (
            cells.measured
            & ~site.outline
            & ~site.neighbours
            & (np.abs(cells.height_m - site.ground_m) < STABLE_M)
            & (cells.rough_m < 0.15)
        )
        apart = before_m - cells.height_m
    known = apart[ground & np.isfinite(apart)]
    used = site.used & np.isfinite(apart)
    if len(known) < STABLE_CELLS or not used.any():
        return dict.fromkeys(HEIGHT_NAMES, NOTHING)
    offset = float(np.median(known))
    sigma = nmad(known, about=offset)
    loss = apart[used] - offset
    count = site.independent_count(used)
    height = float(np.median(before_m[used])) - offset - site.ground_m
    return {
        "before_loss_m": (float(np.median(loss)), math.hypot(0.1, sigma)),
        "before_lost_fraction": share(loss > LOST_M, count),
        "before_height_m": (height, math.hypot(site.ground_sigma_m, sigma)),
    }


def picture_change(
    picture: RoofPicture, before: Raster, crs: str, confidence: Raster | None = None
) -> NamedValues:
    """Correlation of brightness with the orthophoto of earlier, 1 where nothing changed.

    Not known where more than ``MOST_FILLED`` of the earlier one is filled, by its ``confidence``.

    The best within ``SEARCH_M``; a roof without any pattern correlates with nothing, so sigma grows
    with the inverse of the contrast.
    """
    step = max(1, round(max(before.grid.cell_m, 0.2) / picture.grid.cell_m))
    rows, columns = (side // step for side in picture.inner.shape)
    if min(rows, columns) < 6 or picture.inner.sum() < LEAST_PIXELS_COMPARED:
        return {"before_correlation": NOTHING}
    grey = picture.rgb[: rows * step, : columns * step].astype(np.float32).mean(2)
    now = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
    cell_m = picture.grid.cell_m * step
    reach = max(1, round(SEARCH_M / cell_m))
    wide = Grid(
        crs=crs,
        east_m=picture.grid.east_m - reach * cell_m,
        north_m=picture.grid.north_m + reach * cell_m,
        cell_m=cell_m,
        rows=rows + 2 * reach,
        columns=columns + 2 * reach,
    )
    then = raster_at_cells(before, wide, crs)[:3].mean(0)
    mask = picture.outline[: rows * step : step, : columns * step : step]
    unknown = not np.isfinite(then).all() or _filled_fraction(confidence, wide, crs) > MOST_FILLED
    if unknown or mask.sum() < 30:
        return {"before_correlation": NOTHING}
    found = cv2.matchTemplate(then, now, cv2.TM_CCOEFF_NORMED, mask=mask.astype(np.float32))
    found = found[np.isfinite(found)]
    if not len(found):
        return {"before_correlation": NOTHING}
    best = float(np.clip(found.max(), -1, 1))
    return {"before_correlation": (best, (1 - best * best) / math.sqrt(mask.sum() / 4))}


def _filled_fraction(confidence: Raster | None, grid: Grid, crs: str) -> float:
    """The share of a grid that a map of earlier did not measure; 0 where it does not say."""
    if confidence is None:
        return 0.0
    counts = raster_at_cells(confidence, grid, crs)[0]
    return float((np.nan_to_num(counts) < LEAST_AGREEING).mean())
