"""Blocks of the orthophoto: every pixel from the picture that was chosen for its cell.

A worker renders whole blocks and keeps the few pictures that it used last; blocks come in an order
that lets it find most of them again.
"""

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from aftermap.geo.arrays import (
    Array,
    BoolArray,
    ByteArray,
    IndexArray,
    IntArray,
    Uint16Array,
)
from aftermap.geo.grid import Block, window_of
from aftermap.geo.lens import seen_px
from aftermap.geo.masks import covered, read_mask
from aftermap.model.raster import Grid
from aftermap.surface import sampling
from aftermap.surface.balance import Exposure, nodes_under
from aftermap.surface.drawable import EMPTY, FILLED, GAP, least_drawn
from aftermap.surface.drawn_outline import outline_in
from aftermap.surface.mosaic_grid import (
    NODE_CELLS,
    MosaicPicture,
    Sheet,
    overlap,
    raster_window,
    within,
)
from aftermap.surface.pixel_heights import heights_at_pixels
from aftermap.surface.sampling import PictureColours, PixelColours, PixelGround, PixelSources
from aftermap.surface.seams import NO_PICTURE
from aftermap.surface.thumbnail_pass import CoarseView, calm, picture_pixels, seen_in
from aftermap.surface.visibility import CLEAR, DOUBTFUL, HIDDEN

BLOCK_ROWS = 512
BLOCK_COLUMNS = 2048
FEATHER_PX = 4.0
FINER, COARSE_PART, SOME_PIXELS = 1.5, 0.25, 2000
"""A picture is halved while it is so much finer than the orthophoto, even where it is coarse: over
one block a look along the ground may be ten times finer at the near end than at the far one."""
CUBIC_PX = 2
"""How far around a place a cubic reads."""
KEPT_BYTES = 240_000_000


class LastPictures:
    """The pictures that were read last, as many as fit in ``KEPT_BYTES``."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], ByteArray] = OrderedDict()

    def read(self, path: str, halvings: int) -> ByteArray:
        """(rows, columns, 3) pixels of a picture, halved in size a number of times by averaging."""
        key = path, halvings
        if key not in self._kept:
            pixels = picture_pixels(path)
            if halvings:
                share = 0.5**halvings
                small = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
                pixels = np.asarray(small, np.uint8)
            self._kept[key] = pixels
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(p.nbytes for p in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return self._kept[key]


@dataclass(frozen=True, kw_only=True)
class Laying:
    """What every block needs of the choices made before it.

    ``labels`` is an .npy over the cells of who was chosen where, ``exposure`` the brightness of
    the pictures, ``tones`` per picture the .npy of its tone, ``outline`` that of what is drawn.
    ``pictures`` is empty at first, and goes when a worker is done with the job.
    """

    sheet: Sheet
    coarse_views: tuple[CoarseView, ...]
    exposure: Exposure
    tones: tuple[str, ...]
    labels: str
    outline: str
    pictures: LastPictures = field(default_factory=LastPictures, compare=False)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """(rows, columns, 4) red, green, blue, alpha; and (rows, columns) the coarse view it came from.

    ``filled`` (rows, columns) is where the hatch goes, ``through_gaps`` (rows, columns, 4) what
    pictures show of gaps under it; ``shown`` counts the pixels with a picture of measured ground.
    """

    image: ByteArray
    source: Uint16Array
    filled: BoolArray
    through_gaps: ByteArray
    shown: int


def blocks_in_order(pixels: Grid, cell_px: int) -> Iterator[Block]:
    """Wide blocks, two strips of them at a time from north to south.

    Two workers that take turns so stay in a strip of their own, and find its pictures again.
    Blocks begin on whole cells and on even pixels.
    """
    tall = BLOCK_ROWS // (2 * cell_px) * 2 * cell_px
    wide = BLOCK_COLUMNS // (2 * cell_px) * 2 * cell_px
    strips = max(1, -(-pixels.columns // wide))
    for pair in range(0, strips, 2):
        for row in range(0, pixels.rows, tall):
            for strip in range(pair, min(pair + 2, strips)):
                yield Block(
                    row=row,
                    column=strip * wide,
                    rows=min(tall, pixels.rows - row),
                    columns=min(wide, pixels.columns - strip * wide),
                )


def render_block(laying: Laying, block: Block) -> Rendered:
    """One block of the orthophoto."""
    ground = _ground_of(laying, block)
    done = PixelColours(
        colour=np.zeros((block.rows, block.columns, 3), np.float32),
        weight=np.zeros((block.rows, block.columns), np.float32),
        source=np.full((block.rows, block.columns), NO_PICTURE, np.uint16),
    )
    chosen, labels = _labels_around(laying, block)
    if ground.drawn.any() and len(chosen):
        numbers = np.stack([_numbers(laying, int(g)) for g in chosen])
        wanted = _sources_of(laying, ground, chosen, numbers, labels)
        _add_colours(laying, chosen, numbers, ground, wanted, done)
        _add_remaining(laying, ground, done)
    shown = done.weight > 0
    is_gap = ground.kind == GAP
    filled = (ground.kind == FILLED) | is_gap
    colour = done.colour / np.maximum(done.weight, 1e-6)[..., None]
    image = np.empty((block.rows, block.columns, 4), np.uint8)
    image[..., :3] = np.clip(colour[..., ::-1] + 0.5, 0, 255)
    image[..., 3] = np.where(shown, 255, 0)
    if not laying.sheet.draped:
        done.source[filled] = NO_PICTURE
    return Rendered(
        image=image,
        source=done.source,
        filled=filled,
        through_gaps=np.where(is_gap[..., None], image, 0),
        shown=int((shown & ~filled).sum()),
    )


def _sources_of(
    laying: Laying,
    ground: "_Ground",
    chosen: IntArray,
    numbers: Array,
    labels: Uint16Array,
) -> PixelSources:
    """The sources of a block: those chosen for its cells, but clear views before doubtful ones."""
    seen = np.stack([seen_in(laying.coarse_views[g], ground.under).ravel() for g in chosen])
    cell_px = laying.sheet.cell_px
    wanted = _no_sources(ground.block)
    sampling.choose_sources(labels, cell_px, cell_px / FEATHER_PX, seen, ground.pixels, wanted)
    level = np.where(wanted.main >= 0, seen[np.maximum(wanted.main, 0), ground.pixels.cell], HIDDEN)
    cost = np.where(level < CLEAR, np.inf, -np.inf).astype(np.float32)
    for slot, numbers_of_one in enumerate(numbers):
        sampling.offer_source(slot, numbers_of_one, seen[slot], CLEAR, ground.pixels, cost, wanted)
    return wanted


def _add_remaining(laying: Laying, ground: "_Ground", done: PixelColours) -> None:
    """Pixels that none of the chosen pictures gave a colour: any picture that sees them."""
    missing = (done.weight == 0) & ground.drawn
    if not missing.any():
        return
    cost = np.where(missing, np.inf, -np.inf).astype(np.float32)
    wanted = _no_sources(ground.block)
    near = np.array(
        [
            at
            for at, coarse_view in enumerate(laying.coarse_views)
            if overlap(coarse_view.window, ground.under) is not None
        ],
        np.int64,
    )
    numbers = np.stack([_numbers(laying, int(at)) for at in near])
    for slot, at in enumerate(near):
        seen = seen_in(laying.coarse_views[at], ground.under).ravel()
        sampling.offer_source(slot, numbers[slot], seen, DOUBTFUL, ground.pixels, cost, wanted)
    _add_colours(laying, near, numbers, ground, wanted, done)


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """Heights per pixel of a block, and where it lies.

    ``under`` is the window of the surface raster, ``first`` the first pixel's centre in it, in
    surface cells, and ``ratio`` the step from pixel to pixel. ``pixels`` belong to cells of the
    window; ``kind`` is how such a cell is drawn, and ``drawn`` whether a picture is wanted there.
    """

    block: Block
    under: Block
    first: tuple[float, float]
    ratio: float
    pixels: PixelGround
    kind: ByteArray
    drawn: BoolArray

    def places_m(self, rows: IndexArray, columns: IndexArray) -> Array:
        """(N, 3) east, north and height of the middles of (N,) pixels."""
        east, north, size_m = self.pixels.corner
        up = self.pixels.height[rows, columns]
        return np.column_stack([east + (columns + 0.5) * size_m, north - (rows + 0.5) * size_m, up])


def _no_sources(block: Block) -> PixelSources:
    """Sources of a block of which nobody is one yet."""
    shape = block.rows, block.columns
    return PixelSources(
        main=np.full(shape, sampling.NO_LABEL, np.int16),
        second=np.full(shape, sampling.NO_LABEL, np.int16),
        share=np.ones(shape, np.float32),
    )


def _asked_of(slot: int, sources: PixelSources) -> BoolArray:
    """(rows, columns) which pixels want anything of a picture."""
    return np.asarray((sources.main == slot) | (sources.second == slot))


def _ground_of(laying: Laying, block: Block) -> _Ground:
    sheet = laying.sheet
    ratio = sheet.pixels.cell_m / sheet.surface.grid.cell_m
    under = Block(
        row=math.floor(block.row * ratio) - 2,
        column=math.floor(block.column * ratio) - 2,
        rows=math.ceil(block.rows * ratio) + 5,
        columns=math.ceil(block.columns * ratio) + 5,
    )
    first = (block.row + 0.5) * ratio - under.row, (block.column + 0.5) * ratio - under.column
    height = np.empty((block.rows, block.columns), np.float32)
    cell = np.empty(height.shape, np.int32)
    surface, kinds = calm(raster_window(sheet.surface, under)), outline_in(laying.outline, under)
    heights_at_pixels(surface, kinds, first, ratio, sheet.surface.grid.cell_m, height, cell)
    kind = np.where(np.isfinite(height), kinds.ravel()[cell], EMPTY)
    grid = window_of(sheet.pixels, block)
    return _Ground(
        block=block,
        under=under,
        first=first,
        ratio=ratio,
        pixels=PixelGround(height, cell, np.array([grid.east_m, grid.north_m, grid.cell_m])),
        kind=kind,
        drawn=kind >= least_drawn(sheet),
    )


def _labels_around(laying: Laying, block: Block) -> tuple[IntArray, Uint16Array]:
    """The coarse views chosen in a block, and its cells as labels that count those, with a rim."""
    cell_px = laying.sheet.cell_px
    cells = Block(
        row=block.row // cell_px - 1,
        column=block.column // cell_px - 1,
        rows=-(-block.rows // cell_px) + 2,
        columns=-(-block.columns // cell_px) + 2,
    )
    kept = np.load(laying.labels, mmap_mode="r")
    whole = Block(row=0, column=0, rows=kept.shape[0], columns=kept.shape[1])
    around = np.full((cells.rows, cells.columns), NO_PICTURE, np.uint16)
    shared = overlap(cells, whole)
    if shared is not None:
        around[within(shared, cells)] = kept[within(shared, whole)]
    chosen, counted = np.unique(around, return_inverse=True)
    chosen = chosen[chosen != NO_PICTURE]
    labels = np.where(around == NO_PICTURE, NO_PICTURE, counted.reshape(around.shape))
    return chosen.astype(np.int64), labels.astype(np.uint16)


def _add_colours(
    laying: Laying,
    chosen: IntArray,
    numbers: Array,
    ground: _Ground,
    wanted: PixelSources,
    done: PixelColours,
) -> None:
    """Add the colours of every picture that is wanted anywhere in the block."""
    counts = np.bincount(wanted.main[wanted.main >= 0], minlength=len(chosen))
    counts += np.bincount(wanted.second[wanted.second >= 0], minlength=len(chosen))
    for slot in np.flatnonzero(counts).tolist():
        picture = laying.coarse_views[chosen[slot]].picture
        finer = float(np.quantile(_finer(picture, ground, _asked_of(slot, wanted)), COARSE_PART))
        halvings = max(0, round(math.log2(max(finer / FINER, 1))))
        if picture.mask is not None:
            _drop_covered(picture, slot, ground, wanted, CUBIC_PX << halvings)
        colours = _colours_of(laying, int(chosen[slot]), numbers[slot], ground.block, halvings)
        sampling.add_colours(slot, int(chosen[slot]), colours, ground.pixels, wanted, done)


def _colours_of(
    laying: Laying, at: int, numbers: Array, block: Block, halvings: int
) -> PictureColours:
    """A picture as the compiled loops read it, for one block."""
    picture = laying.coarse_views[at].picture
    pixels = laying.pictures.read(picture.path, halvings)
    nodes, step = nodes_under(picture.window), 1 / (laying.sheet.cell_px * NODE_CELLS)
    first = (block.row + 0.5) * step - nodes.row, (block.column + 0.5) * step - nodes.column
    camera = picture.camera
    return PictureColours(
        numbers=numbers,
        pixels=pixels,
        scale=(pixels.shape[0] / camera.height_px, pixels.shape[1] / camera.width_px),
        tone=np.load(laying.tones[at]),
        tone_first=first,
        tone_step=step,
    )


def _drop_covered(
    picture: MosaicPicture, slot: int, ground: _Ground, wanted: PixelSources, reach_px: int
) -> None:
    """Take a picture from the pixels that it shows under its mask, or within ``reach_px`` of it.

    Cells were asked before, with room; but a pixel beside a step may lie farther from its cell.
    """
    rows, columns = np.nonzero(_asked_of(slot, wanted))
    at = seen_px(ground.places_m(rows, columns), picture.pose, picture.camera.params)
    dropped = covered(_kept_mask(str(picture.mask)), picture.camera, at, reach_px=reach_px)
    rows, columns = rows[dropped], columns[dropped]
    for source in (wanted.main, wanted.second):
        source[rows, columns] = np.where(
            source[rows, columns] == slot, sampling.NO_LABEL, source[rows, columns]
        )


def _finer(picture: MosaicPicture, ground: _Ground, asked: BoolArray) -> Array:
    """(N,) how many pixels of a picture, in length, go into some of the pixels asked of it.

    A slanting look makes them longer than wide: those of a square of the same area.
    """
    some = np.flatnonzero(asked)
    some = some[:: max(1, len(some) // SOME_PIXELS)]
    ray = ground.places_m(*np.divmod(some, asked.shape[1])) - np.array(picture.pose.position_m)
    away = np.linalg.norm(ray, axis=1)
    pixel_px = ground.pixels.corner[2] * picture.camera.focal_px / away
    finer = pixel_px * np.sqrt(np.abs(ray[:, 2]) / away)
    return np.asarray(finer, float)


def _numbers(laying: Laying, at: int) -> Array:
    """A picture's row of numbers as the compiled loops read it."""
    picture = laying.coarse_views[at].picture
    camera, pose = picture.camera, picture.pose
    return np.concatenate(
        [
            np.ravel(pose.rotation_cam_from_world),
            pose.position_m,
            camera.params[:8],
            [camera.width_px, camera.height_px],
            laying.exposure.shades[picture.camera_index].ravel(),
            laying.exposure.gains[at],
        ]
    )


@lru_cache(maxsize=16)
def _kept_mask(path: str) -> ByteArray:
    """A mask that a worker read for one of its last blocks."""
    return read_mask(path)
