"""How much of an orthophoto shows sky: pixels of it -> the photographs they were read from.

Two tests that share nothing with the map's own masks. *Bright*: the place lies in the run of
bright, bluish pixels that begins at the upper border of the picture's column; water at the horizon
joins that run, so this is an upper bound (a picture whose run is under LEAST_RUN shows no sky, but
white sand at its border). *Above*: the place is seen above the map's own horizon.
"""

from typing import Any

import numpy as np
import rasterio

from aftermap.geo.arrays import Array, BoolArray, ByteArray, IndexArray
from aftermap.geo.measured_heights import NO_SOURCE
from aftermap.publish.exchange.cameras import CameraEntry
from benchmarks.labelled_outlines import Labelled, frame_of, pixels_of
from benchmarks.surface_truth import SurfaceMap

SAMPLED_PIXELS = 400_000
BRIGHT = 110
LEAST_RUN = 0.02
REDDER_BY = 10
"""Sky may be redder than blue by no more than this; sand and roofs are."""


def sky_figures(
    shown: SurfaceMap, truth: Labelled, cameras: dict[str, CameraEntry]
) -> dict[str, Any]:
    """Shares of the orthophoto's pixels with a photograph that show sky, and of the pictures."""
    xy, source, drawn_fraction = _drawn(shown)
    place = np.column_stack([xy, shown.surface.at(xy)])
    bright, above, known = np.zeros((3, len(xy)), bool)
    skies = {frame: bright_run(truth.picture(frame)) for frame in cameras}
    for number in np.unique(source):
        entry = shown.entries[number]
        frame = frame_of(entry, truth.frames)
        if frame is None or frame not in skies:
            continue
        mine = source == number
        pixels, there = pixels_of(place[mine], entry)
        at = np.where(there[:, None], pixels, 0).astype(int)
        known[mine] = there
        bright[mine] = there & skies[frame][at[:, 1], at[:, 0]]
        above[mine] = place[mine, 2] >= np.array(entry.position_m)[2]
    return {
        "drawn_fraction_of_orthophoto": drawn_fraction,
        "sampled": len(xy),
        "followed": float(known.mean()) if len(xy) else None,
        "bright": float(bright.mean()) if len(xy) else None,
        "above_horizon": float(above.mean()) if len(xy) else None,
        "bright_fraction_of_pictures": float(np.mean([sky.mean() for sky in skies.values()])),
    }


def bright_run(picture: ByteArray) -> BoolArray:
    """(rows, columns) the bright, bluish pixels below the upper border, column by column."""
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
    plain = (blue + green + red > 3 * BRIGHT) & (blue >= red - REDDER_BY)
    run = np.logical_and.accumulate(plain, axis=0)
    return np.asarray(run if run.mean() >= LEAST_RUN else np.zeros_like(run))


def _drawn(shown: SurfaceMap) -> tuple[Array, IndexArray, float]:
    """East and north, and source, of a sample of pixels with a photograph; their share of all."""
    with rasterio.open(shown.folder / "source.tif") as raster:
        source, at = raster.read(1), raster.transform
    rows, columns = np.nonzero(source != NO_SOURCE)
    rng = np.random.default_rng(0)
    some = rng.choice(len(rows), min(SAMPLED_PIXELS, len(rows)), replace=False)
    row, column = rows[some], columns[some]
    xy = np.column_stack([at.c + (column + 0.5) * at.a, at.f + (row + 0.5) * at.e])
    return xy, source[row, column].astype(np.intp), len(rows) / source.size
