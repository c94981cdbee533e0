"""The case's rasters as map tiles: 512 by 512 pixels in Web Mercator, straight from the COGs.

Pictures are WebP with transparency.
"""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.errors import RasterioIOError
from rasterio.vrt import WarpedVRT
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader

from aftermap.errors import CaseError
from aftermap.geo.arrays import AnyArray, BoolArray, ByteArray, Float32Array
from aftermap.geo.hatch import PERIOD_PX, hatched_grey
from aftermap.geo.measured_heights import (
    LEAST_AGREEING,
    confidence_beside,
    open_cells,
    open_surface,
)
from aftermap.publish.shared.ramps import CIVIDIS, VIRIDIS, coloured
from aftermap.publish.shared.relief import hillshade
from aftermap.web.opened import REMAKES, OpenedCase, ResponseCache, stamp_of
from aftermap.web.place import WEB_MERCATOR
from aftermap.web.responses import RasterFacts
from aftermap.web.wire import RasterName, TileKind

SIDE_PX = 512
EDGE_PX = 1
WEB_MERCATOR_HALF_M = 20037508.342789244
DEEPEST = 24
KEPT_BYTES = 192 << 20
WEBP_QUALITY = 88
LOW_PERCENT, HIGH_PERCENT = 1.0, 99.0
OVERVIEW_PX = 512
MOST_COUNT = 12
"""So many photographs and more have the last colour of the ramp."""


class DamagedError(CaseError):
    """A raster that is there and cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A picture and its media type."""

    body: bytes
    media_type: str


@dataclass
class Tiles:
    """Makes tiles and keeps those that were asked for last."""

    case: OpenedCase
    _here: threading.local = field(default_factory=threading.local)
    _kept: ResponseCache[Tile | None] = field(
        default_factory=lambda: ResponseCache(KEPT_BYTES, _size_bytes)
    )
    _spans: ResponseCache[tuple[float, float]] = field(
        default_factory=lambda: ResponseCache(1 << 16, lambda _: 64)
    )

    def tile(self, kind: TileKind, zoom: int, column: int, row: int) -> Tile | None:
        """A tile of a kind (a key of ``KINDS``); None where the raster has nothing there."""
        raster, make = KINDS[kind]
        path = self.path_of(raster)
        at = (column, row, zoom)
        if not (0 <= zoom <= DEEPEST and 0 <= column < 2**zoom and 0 <= row < 2**zoom):
            return None

        def making() -> Tile | None:
            with suppress(TileOutsideBounds):
                return make(self, path, at)
            return None

        return self._kept.get((kind, at, stamp_of(path)), making)

    def path_of(self, raster: str) -> Path:
        """The file of a raster, ``before`` being the orthophoto that the settings name."""
        if raster == "before":
            return before_path(self.case)
        return self.case.raster(raster)

    def facts(self, raster: str) -> RasterFacts:
        """Where a raster lies and how fine it is."""
        path = self.path_of(raster)
        with self._lend_reader(path) as reader:
            west, south, east, north = reader.get_geographic_bounds("EPSG:4326")
            cell_m = abs(reader.dataset.transform.a)
        middle = math.radians((south + north) / 2)
        mercator_m = cell_m / max(math.cos(middle), 0.01)
        deepest = math.log2(2 * WEB_MERCATOR_HALF_M / SIDE_PX / mercator_m)
        return RasterFacts(
            bounds_lonlat=(west, south, east, north),
            cell_m=cell_m,
            deepest_zoom=max(0, min(DEEPEST, math.ceil(deepest))),
            stamp=stamp_of(path),
        )

    def read_tile(
        self, path: Path, at: tuple[int, int, int], *, edge_px: int = 0, method: str = "nearest"
    ) -> tuple[AnyArray, BoolArray]:
        """Bands (B, S, S) and the mask (S, S), True where there is data; with so wide an edge."""
        column, row, zoom = at
        with self._lend_reader(path) as reader:
            image = reader.tile(
                column,
                row,
                zoom,
                tilesize=SIDE_PX,
                buffer=edge_px or None,
                resampling_method=method,
                reproject_method=method,
            )
        return np.asarray(image.array.data), np.asarray(image.mask) > 0

    def span_m(self, path: Path) -> tuple[float, float]:
        """The heights between which nearly all that was measured of a surface lies."""
        return self._spans.get(stamp_of(path), lambda: _span_m(path))

    def _lend_reader(self, path: Path) -> Any:
        """An open reader for this thread; opened anew where the file was replaced."""
        opened: dict[Path, tuple[str, Any]] = self._here.__dict__.setdefault("opened", {})
        stamp = stamp_of(path)
        known = opened.get(path)
        if known is not None and known[0] == stamp:
            return _Lent(known[1])
        if known is not None:
            known[1].close()
        opened[path] = stamp, _reader(path)
        return _Lent(opened[path][1])


def _size_bytes(tile: Tile | None) -> int:
    return 64 if tile is None else len(tile.body)


@dataclass
class _Lent:
    """A reader that stays open when a block that uses it ends; GDAL's trouble told in one line."""

    reader: Any

    def __enter__(self) -> Any:
        return self.reader

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RasterioIOError | rasterio.errors.RasterioError):
            raise DamagedError(_trouble(Path(self.reader.input or ""))) from error


def _trouble(path: Path) -> str:
    """What is told of a raster that cannot be read."""
    remake = REMAKES.get(path.stem, REMAKES["before"])
    return f"{path.name}: is damaged or not a raster; {remake}"


def _reader(path: Path) -> Any:
    try:
        dataset = rasterio.open(path)
    except RasterioIOError as error:
        raise DamagedError(_trouble(path)) from error
    if dataset.crs is None or not (dataset.crs.is_projected or dataset.crs.is_geographic):
        dataset = WarpedVRT(dataset, src_crs=WEB_MERCATOR, crs=WEB_MERCATOR)
    return Reader(input=str(path), dataset=dataset)


def before_path(case: OpenedCase) -> Path:
    """The orthophoto from before. Raises CaseError where the case's settings name none."""
    from aftermap.config import SETTINGS_NAME, settings_in  # noqa: PLC0415

    path = settings_in(case.path / SETTINGS_NAME).before
    if path is None or not path.is_file():
        raise CaseError("before: the case has no pre-event orthophoto; set before in aftermap.toml")
    return path


def _span_m(path: Path) -> tuple[float, float]:
    with open_surface(path) as raster:
        shrink = max(1.0, max(raster.shape) / OVERVIEW_PX)
        shape = tuple(max(1, round(side / shrink)) for side in raster.shape)
        heights = raster.read(1, out_shape=shape, masked=True).astype(np.float32)
    known = heights.compressed()
    beside = confidence_beside(path)
    if beside is not None:
        with open_cells(beside) as raster:
            agree = raster.read(1, out_shape=shape) >= LEAST_AGREEING
        known = heights[agree].compressed() if (agree & ~heights.mask).any() else known
    if not len(known):
        return 0.0, 1.0
    low, high = np.percentile(known, [LOW_PERCENT, HIGH_PERCENT])
    return float(low), float(max(high, low + 1.0))


def base_m(tiles: Tiles) -> float:
    """The height that the 3-D view calls 0."""
    return math.floor(tiles.span_m(tiles.path_of("surface"))[0])


def _make_picture(tiles: Tiles, path: Path, at: tuple[int, int, int]) -> Tile | None:
    bands, known = tiles.read_tile(path, at, method="bilinear")
    if not known.any():
        return None
    if len(bands) < 3:
        bands = np.repeat(bands[:1], 3, axis=0)
    return webp(_rgba(bands[:3].transpose(1, 2, 0), known))


def _make_relief(tiles: Tiles, path: Path, at: tuple[int, int, int]) -> Tile | None:
    heights, cell_m = _heights(tiles, path, at)
    if not np.isfinite(heights).any():
        return None
    low, high = tiles.span_m(path)
    inside = np.s_[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX]
    known = np.isfinite(heights)
    filled = _filled_cells(tiles, at, known)
    light = hillshade(np.where(filled, np.float32(np.nan), heights), cell_m)[inside][..., None]
    inner, known = heights[inside], known[inside]
    tint = coloured(np.nan_to_num((inner - low) / (high - low)), CIVIDIS) * 0.3 + 255 * 0.7
    shown = np.clip(tint * light * 1.5, 0, 255)
    return webp(_rgba(_with_hatch(shown, filled[inside], at), known))


def _make_confidence(tiles: Tiles, path: Path, at: tuple[int, int, int]) -> Tile | None:
    counts, _ = tiles.read_tile(path, at)
    _, has_height = tiles.read_tile(tiles.path_of("surface"), at)
    if not has_height.any():
        return None
    share = np.clip((counts[0].astype(np.float32) - 2) / (MOST_COUNT - 2), 0, 1)
    rgb = _with_hatch(coloured(share, VIRIDIS), counts[0] < LEAST_AGREEING, at)
    return webp(_rgba(rgb, has_height))


def _filled_cells(tiles: Tiles, at: tuple[int, int, int], known: BoolArray) -> BoolArray:
    """Where a tile's known heights, with their edge, were filled.

    Without a confidence nobody knows that they were not.
    """
    try:
        counts, _ = tiles.read_tile(tiles.path_of("confidence"), at, edge_px=EDGE_PX)
    except (CaseError, TileOutsideBounds):
        return known
    return np.asarray(known & (counts[0] < LEAST_AGREEING))


def _with_hatch(rgb: AnyArray, filled: BoolArray, at: tuple[int, int, int]) -> AnyArray:
    """A tile with a hatching over what was not measured, which goes on in the tiles beside it."""
    if not filled.any():
        return rgb
    column, row, _ = at
    grey = hatched_grey(SIDE_PX, SIDE_PX, row * SIDE_PX, column * SIDE_PX, PERIOD_PX)
    return np.where(filled[..., None], grey[..., None], rgb)


def _heights(tiles: Tiles, path: Path, at: tuple[int, int, int]) -> tuple[Float32Array, float]:
    """Heights with an edge of one pixel, NaN where there are none, and the pixel on the ground."""
    bands, known = tiles.read_tile(path, at, edge_px=EDGE_PX, method="bilinear")
    heights = np.where(known, bands[0].astype(np.float32), np.float32("nan"))
    _, row, zoom = at
    mercator_m = 2 * WEB_MERCATOR_HALF_M / 2**zoom / SIDE_PX
    angle = math.pi * (1 - 2 * (row + 0.5) / 2**zoom)
    return heights.astype(np.float32), mercator_m / math.cosh(angle)


def _rgba(rgb: AnyArray, known: BoolArray) -> ByteArray:
    alpha = np.where(known, 255, 0)[..., None]
    return np.concatenate([rgb, alpha], axis=-1).astype(np.uint8)


def nothing() -> Tile:
    """A tile without anything."""
    return png(np.zeros((1, 1, 4), np.uint8))


def webp(rgba: ByteArray) -> Tile:
    """(H, W, 4) uint8 pixels, red, green, blue and opacity, as WebP, quickly."""
    return _encode(rgba, "webp", quality=WEBP_QUALITY, method=0)


def png(rgb: ByteArray) -> Tile:
    """(H, W, 3) or (H, W, 4) uint8 pixels as PNG, bit by bit what they were."""
    return _encode(rgb, "png", compress_level=1)


def _encode(pixels: ByteArray, form: str, **options: Any) -> Tile:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return Tile(body=stream.getvalue(), media_type=f"image/{form}")


MakeTile = Callable[[Tiles, Path, tuple[int, int, int]], Tile | None]
KINDS: dict[TileKind, tuple[RasterName, MakeTile]] = {
    "orthophoto": ("orthophoto", _make_picture),
    "before": ("before", _make_picture),
    "relief": ("surface", _make_relief),
    "confidence": ("confidence", _make_confidence),
}
"""Each kind of tile: the raster that it is made of, and how."""
