"""A picture for the docs: footprints of a clip with their error bands, over the orthophoto.

    .venv/bin/python -m benchmarks.flightmap --case CASE --clip NAME --out PICTURE

White is the outline of what a picture shows, the bands reach to the CE90 of the
border: the ground is in the picture somewhere inside the band with 90 % probability.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import rasterio
from rasterio.enums import Resampling

from aftermap.geo.arrays import Array, ByteArray, Int32Array

SIDE_PX = 1400
SHOWN = 3
BAND, RING, CAMERA = (60, 160, 255), (255, 255, 255), (40, 40, 230)  # BGR


def main() -> None:
    """Draw and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", type=Path, required=True)
    parser.add_argument("--clip", required=True, help="start of the name of its products")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    products = options.case / "products"
    (rows,) = (products / "clips").glob(f"{options.clip}*.parquet")
    picture, px_of = _orthophoto(products / "orthophoto.tif")
    _draw(picture, px_of, pq.read_table(rows).to_pylist())
    cv2.imwrite(str(options.out), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(options.out)


def _orthophoto(path: Path) -> tuple[ByteArray, Array]:
    """The orthophoto at a size for looking at, and the affine (2, 3) from metres to its pixels."""
    with rasterio.open(path) as image:
        shrink = SIDE_PX / max(image.shape)
        shape = tuple(round(side * shrink) for side in image.shape)
        bands = image.read([3, 2, 1, 4], out_shape=(4, *shape), resampling=Resampling.average)
        inverse = ~image.transform
    colour = np.ascontiguousarray(bands[:3].transpose(1, 2, 0), np.uint8)
    colour[bands[3] == 0] = 245
    affine = np.array([[inverse.a, inverse.b, inverse.c], [inverse.d, inverse.e, inverse.f]])
    return colour, affine * shrink


def _draw(picture: ByteArray, px_of: Array, rows: list[dict[str, Any]]) -> None:
    chosen = [rows[round(i)] for i in np.linspace(0, len(rows) - 1, SHOWN)]
    overlay = picture.copy()
    for row in chosen:
        cv2.fillPoly(overlay, [_ring_px(px_of, row["outer"])], BAND)
    inside = picture.copy()
    for row in chosen:
        cv2.fillPoly(overlay, [_ring_px(px_of, row["geometry"])], (0, 0, 0))
    banded = (overlay == BAND).all(axis=2)
    picture[banded] = (0.45 * picture[banded] + 0.55 * np.array(BAND)).astype(np.uint8)
    picture[~banded] = inside[~banded]
    for row in chosen:
        cv2.polylines(picture, [_ring_px(px_of, row["geometry"])], True, RING, 2, cv2.LINE_AA)  # noqa: FBT003
    track = _px(px_of, [(row["camera_east_m"], row["camera_north_m"]) for row in rows])
    cv2.polylines(picture, [track], False, CAMERA, 3, cv2.LINE_AA)  # noqa: FBT003
    for row in chosen:
        at = _px(px_of, [(row["camera_east_m"], row["camera_north_m"])])[0]
        cv2.circle(picture, (int(at[0]), int(at[1])), 7, CAMERA, -1, cv2.LINE_AA)


def _ring_px(px_of: Array, wkb: bytes) -> Int32Array:
    """The outer ring of a polygon in little-endian well-known binary (OGC 06-103r4, 8.2)."""
    count = int(np.frombuffer(wkb, "<u4", 1, offset=9)[0])
    return _px(px_of, np.frombuffer(wkb, "<f8", 2 * count, offset=13).reshape(-1, 2))


def _px(px_of: Array, places_m: Iterable[npt.ArrayLike]) -> Int32Array:
    xy = np.array([np.asarray(place, float)[:2] for place in places_m])
    return np.round(xy @ px_of[:, :2].T + px_of[:, 2]).astype(np.int32)


if __name__ == "__main__":
    main()
