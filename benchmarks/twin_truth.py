"""A map of the twin against the twin's truth: surface and cameras.

The truth is brought into the frame of the map by the similarity between true and estimated camera
positions (a GPS block is shifted, turned and scaled a little as a whole), and a plane is taken off
robustly besides. Metres.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.geo.arrays import AnyArray, Array, BoolArray, IndexArray, IntArray
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.geo.robust import nmad
from aftermap.publish.exchange.cameras import CameraEntry, read_cameras
from benchmarks.fitting import Similarity, rms, similarity, spread, without_plane
from benchmarks.products import Heights, Products, heights_in
from benchmarks.seen import photographs_seeing

SAMPLED_CELLS = 300_000
STEREO = 2
"""Photographs that must see a place before anything can be measured there."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is known: surface, cameras by name, and how many photographs see a sample of cells."""

    folder: Path
    surface: Heights
    cameras: Mapping[str, CameraEntry]
    rows: IndexArray
    columns: IndexArray
    seeing: IntArray


def truth_of(twin: Path) -> Truth:
    """The truth beside a twin's photographs; the sample of cells is the same every time."""
    folder = twin / "truth"
    surface = heights_in(folder / "surface.tif")
    cameras = {frame.name: frame for frame in read_cameras(folder / "cameras.json").frames}
    rows, columns = np.nonzero(np.isfinite(surface.height_m))
    some = np.random.default_rng(0).choice(len(rows), min(SAMPLED_CELLS, len(rows)), replace=False)
    rows, columns = rows[some], columns[some]
    return Truth(
        folder=folder,
        surface=surface,
        cameras=cameras,
        rows=rows,
        columns=columns,
        seeing=photographs_seeing(surface, rows, columns, list(cameras.values())),
    )


def map_from_truth(products: Products, truth: Truth) -> Similarity:
    """From true places to places on the map, by the positions of the cameras."""
    names = sorted(products.positions_m)
    true = np.array([truth.cameras[name].position_m for name in names])
    return similarity(true, np.array([products.positions_m[name] for name in names]))


def surface_figures(products: Products, truth: Truth) -> dict[str, Any]:
    """Errors of height for all cells of the truth, and for a sample of those that are seen."""
    rows, columns = np.nonzero(np.isfinite(truth.surface.height_m))
    stereo = truth.seeing >= STEREO
    return {
        "all_cells": _figures(products, truth, rows, columns),
        "seen_by_two": _figures(products, truth, truth.rows[stereo], truth.columns[stereo])
        | {"share_of_cells": float(stereo.mean())},
    }


def _figures(products: Products, truth: Truth, rows: AnyArray, columns: AnyArray) -> dict[str, Any]:
    surface = truth.surface
    there = map_from_truth(products, truth).there(
        np.column_stack(
            [
                surface.west_m + (columns + 0.5) * surface.cell_m,
                surface.north_m - (rows + 0.5) * surface.cell_m,
                surface.height_m[rows, columns],
            ]
        )
    )
    errors = products.surface.at(there[:, :2]) - there[:, 2]
    known = np.isfinite(errors)
    measured = products.measured_at(there[:, :2])
    left, removed = without_plane(there[known, :2], errors[known])
    return spread(left) | {
        "measured_only": spread(left[measured[known]]),
        "complete": float(known.mean()),
        "measured": float(measured.mean()),
        "removed": removed,
    }


def with_true_heights(products: Products, truth: Truth) -> Products:
    """The same map with the true height in every cell: what is then found is due to the grid.

    At a wall, a map whose cells do not lie on those of the truth cannot agree with it everywhere.
    """
    grid, fit = products.surface, map_from_truth(products, truth)
    rows, columns = np.nonzero(np.isfinite(grid.height_m))
    there = np.column_stack(
        [
            grid.west_m + (columns + 0.5) * grid.cell_m,
            grid.north_m - (rows + 0.5) * grid.cell_m,
            grid.height_m[rows, columns],
        ]
    )
    here = fit.here(there)
    here[:, 2] = truth.surface.at(here[:, :2])
    height_m = np.full_like(grid.height_m, np.nan)
    height_m[rows, columns] = fit.there(here)[:, 2]
    return replace(products, surface=replace(grid, height_m=height_m))


def camera_figures(products: Products, truth: Truth) -> dict[str, Any]:
    """RMSE of positions after a similarity (radial, in space, and by axis), and of the focal."""
    names = sorted(products.positions_m)
    estimated = np.array([products.positions_m[name] for name in names])
    true = np.array([truth.cameras[name].position_m for name in names])
    fit = similarity(estimated, true)
    left = true - fit.there(estimated)
    true_focal_px = float(np.median([c.focal_px for c in truth.cameras.values() if c.focal_px]))
    return {
        "registered": len(names),
        "given": len(truth.cameras),
        "position_rmse_m": rms(np.linalg.norm(left, axis=1)),
        "position_rmse_east_north_up_m": [rms(left[:, axis]) for axis in range(3)],
        "scale_error": fit.scale - 1,
        "shift_m": (fit.here_middle - fit.there_middle).tolist(),
        "focal_px": products.focal_px,
        "focal_error": products.focal_px / true_focal_px - 1,
    }


def deformation_figures(products: Products, truth: Truth) -> dict[str, Any]:
    """How the estimated cameras alone bend level ground: what no surface step can repair.

    Points of a level plane at the true median height are pictured by the true cameras and
    intersected by the estimated ones (least squares of the distances to the rays); a plane is
    taken off, and a second-degree surface for ``without_bowl_rms_m``.
    """
    cameras = products.cameras
    plane = _level_grid(truth, list(cameras))
    a, b = np.zeros((len(plane), 3, 3)), np.zeros((len(plane), 3))
    count = np.zeros(len(plane), int)
    for name, camera in cameras.items():
        pixels, inside = _pictured(plane, truth.cameras[name])
        across, offset = _across_rays(pixels[inside], camera)
        a[inside] += across
        b[inside] += offset
        count[inside] += 1
    held = count >= STEREO
    height_m = np.linalg.solve(a[held], b[held][..., None])[:, 2, 0] - plane[held, 2]
    xy = (plane[held, :2] - plane[held, :2].mean(0)) / 100.0
    flat = np.column_stack([np.ones(len(xy)), xy])
    bowl = np.column_stack([flat, xy**2, xy[:, 0] * xy[:, 1]])
    tilted, bent = (
        height_m - d @ np.linalg.lstsq(d, height_m, rcond=None)[0] for d in (flat, bowl)
    )
    return {
        "rms_m": rms(tilted),
        "nmad_m": nmad(tilted),
        "worst_m": float(np.abs(tilted).max()),
        "without_bowl_rms_m": rms(bent),
    }


def _level_grid(truth: Truth, names: list[str]) -> Array:
    """(1200, 3) places under the flight."""
    stations = np.array([truth.cameras[name].position_m for name in names])
    low, high = stations[:, :2].min(0), stations[:, :2].max(0)
    east, north = np.meshgrid(np.linspace(low[0], high[0], 40), np.linspace(low[1], high[1], 30))
    level = np.full(east.size, np.nanmedian(truth.surface.height_m), float)
    return np.column_stack([east.ravel(), north.ravel(), level])


def _pictured(places: Array, camera: CameraEntry) -> tuple[Array, BoolArray]:
    rotation = np.array(camera.rotation_cam_from_world)
    pixels = projected_px((places - np.array(camera.position_m)) @ rotation.T, camera.params or ())
    inside = (pixels > 0) & (pixels < [camera.width_px, camera.height_px])
    return pixels, np.asarray(inside.all(1))


def _across_rays(pixels: Array, camera: CameraEntry) -> tuple[Array, Array]:
    """(N, 3, 3) projectors across the rays of pixels, and those of the camera's position."""
    rays = rays_cam(pixels, camera.params or ()) @ np.array(camera.rotation_cam_from_world)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    across = np.eye(3) - rays[:, :, None] * rays[:, None, :]
    return across, across @ np.array(camera.position_m)
