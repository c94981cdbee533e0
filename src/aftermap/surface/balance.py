"""Pictures of one place in one brightness: a factor per picture, and what the lens darkens.

All factors are solved at once from cells that several pictures see, in the logarithm of the stored
values, with a prior at 1; a chain of ratios from picture to picture would drift. What is left of
low spatial frequency (haze, sky light, the sun's direction) goes by :func:`tones_of`: every
picture is pulled to the mean of all pictures of that ground over a few metres, and no finer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array, IntArray
from aftermap.geo.compiled import compiled
from aftermap.geo.grid import Block
from aftermap.model.raster import Grid
from aftermap.surface.mosaic_grid import NODE_CELLS, overlap, within
from aftermap.surface.sampling import LEAN_LIMIT, SHADE_LIMIT
from aftermap.surface.thumbnail_pass import CoarseView

SAMPLE_EVERY_CELLS = 8
CLEAR_SHARE = 250
"""Of 255: as good as all of a cell."""
DARKEST, BRIGHTEST = 12, 245
GAIN_SIGMA = 0.1
SHADE_SIGMA = (0.5, 0.5, 0.5, 0.15, 0.15)
"""Of the coefficients. Over flat ground a lean can hardly be told from the pictures' gains."""
TERMS = 5
DIFFERENCE_SIGMA = 0.06
ROUNDS = 8
TONE_SIGMA_NODES = 2.0
TONE_LIMIT = 1.5
EDGE_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Factors that bring pictures to one brightness.

    ``gains`` (pictures, 3) for blue, green and red; ``shades`` (cameras, 3, 5) per channel the
    coefficients of the logarithm of a further factor: of r^2, r^4, r^6 (r is 1 in the picture's
    corner) and of east and north over down of the line of sight.
    """

    gains: Array
    shades: Array

    def factors(
        self, picture: int, camera: int, radius: Float32Array, lean: Float32Array
    ) -> Float32Array:
        """(..., 3) what to multiply a picture's values with."""
        shade = shade_terms(radius, lean) @ self.shades[camera].T.astype(np.float32)
        bounded = np.clip(shade, -SHADE_LIMIT, SHADE_LIMIT)
        return np.asarray(self.gains[picture] * np.exp(bounded), np.float32)


def shade_terms(radius: Float32Array, lean: Float32Array) -> Float32Array:
    """(..., 5) values that the coefficients of :class:`Exposure` are multiplied with.

    ``radius`` (...) is the distance from the principal point, 1 in the corner; ``lean`` (..., 2)
    east and north over down of the line of sight.
    """
    r2 = radius * radius
    lean = np.clip(lean, -LEAN_LIMIT, LEAN_LIMIT)
    return np.stack([r2, r2**2, r2**3, lean[..., 0], lean[..., 1]], axis=-1)


@dataclass(frozen=True, kw_only=True)
class ColourSample:
    """Colours of cells as pictures show them: one entry per picture and cell."""

    cell: IntArray
    picture: IntArray
    camera: IntArray
    colour: Array
    terms: Float32Array


@dataclass(frozen=True, kw_only=True)
class Tone:
    """(rows, columns, 3) factors of one picture on a window of the nodes."""

    window: Block
    factor: Float32Array


def colour_samples(coarse_views: Sequence[CoarseView], cells: Grid) -> ColourSample:
    """A sparse, even sample of clear, measured cells that are neither black nor burnt out."""
    parts = []
    for at, coarse_view in enumerate(coarse_views):
        window = coarse_view.picture.window
        rows = np.arange(-window.row % SAMPLE_EVERY_CELLS, window.rows, SAMPLE_EVERY_CELLS)
        columns = np.arange(-window.column % SAMPLE_EVERY_CELLS, window.columns, SAMPLE_EVERY_CELLS)
        with np.load(coarse_view.cells) as kept:
            pick = np.ix_(rows, columns)
            kept_ground, colour = _kept_ground(kept, pick), kept["colour"][pick]
            terms = shade_terms(kept["radius"][pick], kept["lean"][pick])
        usable = kept_ground & (colour.min(-1) >= DARKEST) & (colour.max(-1) <= BRIGHTEST)
        cell = (rows + window.row)[:, None] * cells.columns + columns + window.column
        n = int(usable.sum())
        parts.append(
            (
                cell[usable],
                np.full(n, at),
                np.full(n, coarse_view.picture.camera_index),
                colour[usable],
                terms[usable],
            )
        )
    cell, picture, camera, colours, terms = (np.concatenate(p) for p in zip(*parts, strict=True))
    return ColourSample(
        cell=cell, picture=picture, camera=camera, colour=colours.astype(float), terms=terms
    )


def exposure_of(sample: ColourSample, pictures: int, cameras: int) -> Exposure:
    """Factors for ``pictures`` pictures of ``cameras`` cameras that agree best over the sample.

    Robust (Cauchy weights), since leaves move, water glints and surfaces are wrong at edges.
    """
    order = np.lexsort((sample.terms[:, 0], sample.cell))
    first = np.concatenate([[True], np.diff(sample.cell[order]) != 0])
    start = np.flatnonzero(first)[np.cumsum(first) - 1]
    one, other = order[~first], order[start[~first]]
    gains = np.ones((pictures, 3))
    shades = np.zeros((cameras, 3, TERMS))
    if len(one) == 0:
        return Exposure(gains=gains, shades=shades)
    design = _rows(sample, one, pictures, cameras) - _rows(sample, other, pictures, cameras)
    prior = np.concatenate(
        [np.full(pictures, GAIN_SIGMA**-2.0), np.tile(np.array(SHADE_SIGMA) ** -2.0, cameras)]
    )
    logs = np.log(sample.colour)
    for channel in range(3):
        found = _robust(design.tocsr(), logs[other, channel] - logs[one, channel], prior)
        gains[:, channel] = np.exp(found[:pictures])
        shades[:, channel] = found[pictures:].reshape(cameras, TERMS)
    return _as_bright(Exposure(gains=gains, shades=shades), sample)


def _as_bright(exposure: Exposure, sample: ColourSample) -> Exposure:
    """The same factors with a mean of 1 over the sample, each channel for itself.

    Differences say nothing of the whole; where all look the same way, flatly, the shade of a lean
    is a factor of everything.
    """
    shade = np.einsum("nt,nct->nc", sample.terms, exposure.shades[sample.camera])
    logs = np.log(exposure.gains)[sample.picture] + np.clip(shade, -SHADE_LIMIT, SHADE_LIMIT)
    return replace(exposure, gains=exposure.gains * np.exp(-logs.mean(axis=0)))


def _rows(sample: ColourSample, entries: IntArray, pictures: int, cameras: int) -> sparse.coo_array:
    """One row per entry: its picture's logarithmic gain and its camera's coefficients."""
    n = len(entries)
    row = np.repeat(np.arange(n), 1 + TERMS)
    shades = pictures + TERMS * sample.camera[entries, None] + np.arange(TERMS)
    column = np.concatenate([sample.picture[entries, None], shades], axis=1).ravel()
    value = np.concatenate([np.ones((n, 1)), sample.terms[entries]], axis=1).ravel()
    return sparse.coo_array((value, (row, column)), shape=(n, pictures + TERMS * cameras))


def _robust(design: sparse.csr_array, wanted: Array, prior: Array) -> Array:
    weight = np.ones(len(wanted))
    found = np.zeros(len(prior))
    for _ in range(ROUNDS):
        scaled = design.multiply((weight / DIFFERENCE_SIGMA**2)[:, None]).tocsr()
        normal = (scaled.T @ design + sparse.diags_array(prior)).tocsc()
        found = np.asarray(spsolve(normal, scaled.T @ wanted))
        left = (design @ found - wanted) / DIFFERENCE_SIGMA
        weight = 1 / (1 + left**2)
    return found


class TargetTones:
    """Adds up, region by region, what all pictures show and what each one shows of it."""

    def __init__(self, coarse_views: Sequence[CoarseView], exposure: Exposure) -> None:
        self._coarse_views = coarse_views
        self._exposure = exposure
        self._windows = [nodes_under(g.picture.window) for g in coarse_views]
        self._sums = [np.zeros((w.rows, w.columns, 6), np.float32) for w in self._windows]

    def add(self, region: Block) -> None:
        """Take in one region of cells; its rows and columns begin on whole nodes."""
        target = np.zeros((region.rows, region.columns, 3), np.float32)
        weights = np.zeros((region.rows, region.columns), np.float32)
        shown = []
        for at, coarse_view in enumerate(self._coarse_views):
            shared = overlap(coarse_view.picture.window, region)
            if shared is None:
                continue
            cut = within(shared, coarse_view.picture.window)
            with np.load(coarse_view.cells) as kept:
                kept_ground = _kept_ground(kept, cut)
                share, edge = kept["share"][cut], kept["edge"][cut]
                colour, radius, lean = kept["colour"][cut], kept["radius"][cut], kept["lean"][cut]
            clear = kept_ground & (colour.max(-1) <= BRIGHTEST)
            if not clear.any():
                continue
            even = colour * self._exposure.factors(
                at, coarse_view.picture.camera_index, radius, lean
            )
            weight = np.where(clear, _trust(share, edge), 0).astype(np.float32)
            inner = within(shared, region)
            target[inner] += even * weight[..., None]
            weights[inner] += weight
            shown.append((at, shared, even, clear))
        target /= np.maximum(weights, 1e-6)[..., None]
        for at, shared, even, clear in shown:
            wanted = target[within(shared, region)]
            nodes = self._windows[at]
            _add_cells(
                self._sums[at],
                (nodes.row, nodes.column),
                (shared.row, shared.column),
                wanted,
                even,
                clear,
            )

    def tones(self) -> tuple[Tone, ...]:
        """Per picture, smooth factors to the common tone, its gain not yet in them."""
        return tuple(
            Tone(window=window, factor=_smooth_ratio(sums))
            for window, sums in zip(self._windows, self._sums, strict=True)
        )


def nodes_under(window: Block) -> Block:
    """The window of nodes that holds a window of cells."""
    top, left = window.row // NODE_CELLS, window.column // NODE_CELLS
    bottom = -(-(window.row + window.rows) // NODE_CELLS)
    right = -(-(window.column + window.columns) // NODE_CELLS)
    return Block(row=top, column=left, rows=bottom - top, columns=right - left)


def _kept_ground(kept: Mapping[str, Any], cut: Any) -> BoolArray:
    """Cells whose colour is that of ground which the map keeps: measured, in the open, unmasked."""
    return np.asarray((kept["share"][cut] > CLEAR_SHARE) & (kept["measured"][cut] > CLEAR_SHARE))


def _trust(share: ByteArray, edge: ByteArray) -> Float32Array:
    """Weights that fade to nothing at a picture's border, so that the mean has no steps."""
    near = np.minimum(edge.astype(np.float32) / (255 * EDGE_SHARE), 1)
    return np.asarray(share * near * near * (3 - 2 * near), np.float32)


@compiled
def _add_cells(
    sums: Float32Array,
    corner: tuple[int, int],
    first: tuple[int, int],
    wanted: Float32Array,
    even: Float32Array,
    clear: BoolArray,
) -> None:
    """Add cells to the nodes they lie in: three channels wanted, three as the picture has them."""
    for row in range(clear.shape[0]):
        r = (first[0] + row) // NODE_CELLS - corner[0]
        for column in range(clear.shape[1]):
            if clear[row, column]:
                c = (first[1] + column) // NODE_CELLS - corner[1]
                for channel in range(3):
                    sums[r, c, channel] += wanted[row, column, channel]
                    sums[r, c, 3 + channel] += even[row, column, channel]


def _smooth_ratio(sums: Float32Array) -> Float32Array:
    """Wanted over shown after smoothing; 1 where nothing is known."""
    size = 2 * round(3 * TONE_SIGMA_NODES) + 1
    smooth = cv2.GaussianBlur(sums, (size, size), TONE_SIGMA_NODES, borderType=cv2.BORDER_CONSTANT)
    little = 0.02 * float(smooth[..., 3:].max()) + 1.0
    ratio = (smooth[..., :3] + little) / (smooth[..., 3:] + little)
    return np.asarray(np.clip(ratio, 1 / TONE_LIMIT, TONE_LIMIT), np.float32)


def tone_at_cells(tone: Tone, window: Block) -> Float32Array:
    """(rows, columns, 3) a tone's factors at a window of cells, bilinear between nodes."""
    rows = (np.arange(window.rows) + window.row + 0.5) / NODE_CELLS - tone.window.row - 0.5
    columns = (np.arange(window.columns) + window.column + 0.5) / NODE_CELLS
    columns -= tone.window.column + 0.5
    x = np.repeat(columns.astype(np.float32)[None], window.rows, 0)
    y = np.repeat(rows.astype(np.float32)[:, None], window.columns, 1)
    return np.asarray(
        cv2.remap(tone.factor, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
