"""A tiny flight over the synthetic district, and how to hold its map against the truth."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from aftermap.cli import status_of

PIXEL_M = 0.15
PHOTOS = 15
PRODUCTS = (
    "orthophoto.tif",
    "surface.tif",
    "confidence.tif",
    "surface_sigma.tif",
    "source.tif",
    "mesh.glb",
    "points.laz",
    "cameras.json",
    "report.json",
    "report.html",
    "surface.qml",
    "surface_measured.vrt",
    "surface_measured.qml",
    "confidence.qml",
)


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A case and the flight that it was made of."""

    case: Path
    flight: Path

    def product(self, name: str) -> Path:
        return self.case / "products" / name

    def json(self, name: str) -> Any:
        return json.loads(self.product(name).read_text("utf-8"))

    def raster(self, name: str, band: int = 1) -> np.ndarray:
        with rasterio.open(self.product(name)) as file:
            return file.read(band)

    def truth(self, name: str) -> Any:
        return json.loads((self.flight / "truth" / name).read_text("utf-8"))


def map_command(photos: Path, case: Path, *more: str) -> list[str]:
    return ["map", str(photos), "--case", str(case), *more]


def map_here(photos: Path, case: Path, *more: str) -> int:
    return status_of(map_command(photos, case, *more))


def map_apart(photos: Path, case: Path, *more: str) -> subprocess.Popen[str]:
    """The same in a process group of its own, which can be stopped and killed as a whole."""
    code = "import sys; from aftermap.cli import main; main(sys.argv[1:])"
    return subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", code, *map_command(photos, case, *more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"COLUMNS": "100"},
    )


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """Scale, rotation and shift that lay one set of points on another; what is left over."""

    scale: float
    rotation: np.ndarray
    shift: np.ndarray
    left_over: np.ndarray

    def applied(self, xyz: np.ndarray) -> np.ndarray:
        return self.scale * xyz @ self.rotation.T + self.shift


def similarity(xyz: np.ndarray, onto: np.ndarray) -> Similarity:
    """The best similarity by least squares (Umeyama 1991)."""
    centre, target = xyz.mean(0), onto.mean(0)
    u, s, vt = np.linalg.svd((onto - target).T @ (xyz - centre))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    scale = float((s * np.diag(sign)).sum() / ((xyz - centre) ** 2).sum())
    found = Similarity(
        scale=scale,
        rotation=rotation,
        shift=target - scale * rotation @ centre,
        left_over=np.zeros(0),
    )
    return Similarity(
        scale=scale, rotation=rotation, shift=found.shift, left_over=found.applied(xyz) - onto
    )


def positions(mapped: Mapped) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) of the placed photographs as they were found, and as they were."""
    true = {frame["name"]: frame["position_m"] for frame in mapped.truth("cameras.json")["frames"]}
    placed = [f for f in mapped.json("cameras.json")["frames"] if f["registered"]]
    return (
        np.array([f["position_m"] for f in placed]),
        np.array([true[f["name"]] for f in placed]),
    )


def pixels_by_the_book(frame: dict[str, Any], xyz_m: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of places, by the formula of docs/reference/cameras.md."""
    ray = (xyz_m - np.array(frame["position_m"])) @ np.array(frame["rotation_cam_from_world"]).T
    x, y = ray[:, 0] / ray[:, 2], ray[:, 1] / ray[:, 2]
    fx, fy, cx, cy, k1, k2, p1, p2 = frame["params"]
    r2 = x**2 + y**2
    d = 1 + k1 * r2 + k2 * r2**2
    column = fx * (x * d + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)) + cx
    row = fy * (y * d + 2 * p2 * x * y + p1 * (r2 + 2 * y**2)) + cy
    return np.stack([column, row], axis=1)


def centres_m(transform: rasterio.Affine, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(N, 2) east, north of the middle of cells of a north-up raster."""
    east = transform.c + transform.a * (columns + 0.5)
    return np.stack([east, transform.f + transform.e * (rows + 0.5)], axis=1)


def cells_at(transform: rasterio.Affine, xy_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the cells of a north-up raster that hold places."""
    row = np.floor((xy_m[:, 1] - transform.f) / transform.e)
    return row.astype(int), np.floor((xy_m[:, 0] - transform.c) / transform.a).astype(int)


def nmad(values: np.ndarray) -> float:
    """Normalised median absolute deviation: a sigma that outliers do not move."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
