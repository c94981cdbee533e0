"""The true surface for a map of the twin: where two of its pictures see it, and how steeply.

Pictures are photographs or frames of the twin's clips: the true camera of a frame is that of the
true picture nearest in time. The truth is brought into the map's frame by the similarity between
true and estimated camera positions, as twin_truth.py does it. Metres, the twin's CRS.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from scipy.ndimage import distance_transform_edt

from aftermap.geo.arrays import AnyArray, Array, BoolArray, Float32Array, IntArray
from aftermap.publish.exchange.cameras import CameraEntry, read_cameras
from benchmarks.clip_frames import matched
from benchmarks.fitting import Similarity, similarity
from benchmarks.products import Heights, heights_in
from benchmarks.seen import in_frame_and_free

SAMPLED_CELLS = 400_000
STEREO = 2
"""Pictures that must see a place before anything can be measured there."""
STEP_M = 2.0
MEASURED = 2
"""Confidence from which the map calls a cell measured."""


@dataclass(frozen=True, kw_only=True)
class SurfaceMap:
    """A map's rasters on one grid, its cameras by name, and the folder of its products.

    ``confidence`` (rows, columns) counts the views of a cell, 0 where it was filled or is empty;
    ``sigma_m`` is the stated standard deviation of its height, None where the map states none.
    """

    folder: Path
    surface: Heights
    confidence: AnyArray
    sigma_m: Float32Array | None
    orthophoto_pixel_m: float
    cameras: dict[str, CameraEntry]
    entries: tuple[CameraEntry, ...]

    @property
    def measured(self) -> BoolArray:
        """(rows, columns) cells with a height that the map calls measured."""
        return (self.confidence >= MEASURED) & np.isfinite(self.surface.height_m)


@dataclass(frozen=True, kw_only=True)
class SurfaceTruth:
    """A sample of the true cells, and what the true cameras see of them.

    ``seeing`` counts the pictures that see a cell; ``steepest_deg`` is the angle off vertical of
    the steepest of them, NaN where none sees it. ``wall_m`` is the distance to the nearest true
    step of more than STEP_M.
    """

    folder: Path
    crs: str
    surface: Heights
    cameras: dict[str, CameraEntry]
    places_m: Array
    seeing: IntArray
    steepest_deg: Array
    wall_m: Array
    there: Similarity


def map_of(case: Path) -> SurfaceMap:
    """The map in a case, or in its folder of products."""
    folder = case / "products" if (case / "products").exists() else case
    listed = read_cameras(folder / "cameras.json").frames
    placed = [frame for frame in listed if frame.mapped] or [f for f in listed if f.registered]
    sigma = folder / "surface_sigma.tif"
    with rasterio.open(folder / "orthophoto.tif") as raster:
        pixel_m = float(raster.transform.a)
    return SurfaceMap(
        folder=folder,
        surface=heights_in(folder / "surface.tif"),
        confidence=_band(folder / "confidence.tif"),
        sigma_m=heights_in(sigma).height_m if sigma.exists() else None,
        orthophoto_pixel_m=pixel_m,
        cameras={frame.name: frame for frame in placed},
        entries=listed,
    )


def truth_for(shown: SurfaceMap, twin: Path) -> SurfaceTruth:
    """The truth for a map; which cells are seen is kept in the twin's folder for the next time."""
    folder = twin / "truth"
    surface = heights_in(folder / "surface.tif")
    listed = read_cameras(folder / "cameras.json")
    photographs = {frame.name: frame for frame in listed.frames}
    cameras = photographs or clip_cameras(shown.entries, folder / "clips.json")
    places_m = _sampled(surface)
    seeing, steepest_deg = views_of(folder, surface, places_m, cameras)
    names = sorted(set(shown.cameras) & set(cameras))
    if len(names) < 3:
        raise SystemExit(f"{twin}: holds the truth of {len(names)} of the map's cameras; need 3")
    return SurfaceTruth(
        folder=folder,
        crs=listed.crs,
        surface=surface,
        cameras=cameras,
        places_m=places_m,
        seeing=seeing,
        steepest_deg=steepest_deg,
        wall_m=_wall_m(folder, surface, places_m),
        there=similarity(
            np.array([cameras[name].position_m for name in names]),
            np.array([shown.cameras[name].position_m for name in names]),
        ),
    )


def clip_cameras(entries: tuple[CameraEntry, ...], clips: Path) -> dict[str, CameraEntry]:
    """True cameras, by the map's names, of those frames of clips that were chosen for the map.

    Frames that the map only lists (placed by telemetry or between others) do not count.
    """
    if not clips.exists():
        return {}
    chosen = {e.name: e for e in entries if e.clip and (e.mapped or not e.registered)}
    found = {}
    for clip in json.loads(clips.read_text(encoding="utf-8"))["clips"]:
        frames = [{"name": e.name, "clip": e.clip, "time_s": e.time_s} for e in chosen.values()]
        for entry, true in matched(clip, frames):
            shot = clip["shots"][true["shot"]]
            found[entry["name"]] = replace(
                chosen[entry["name"]],
                registered=True,
                width_px=clip["width_px"],
                height_px=clip["height_px"],
                params=tuple(shot["params"]),
                focal_px=shot["focal_px"],
                position_m=tuple(true["position_m"]),
                rotation_cam_from_world=tuple(map(tuple, true["rotation_cam_from_world"])),
            )
    return found


def _sampled(surface: Heights) -> Array:
    """(N, 3) centres of cells with a true height; the same every time."""
    rows, columns = np.nonzero(np.isfinite(surface.height_m))
    some = np.random.default_rng(0).choice(len(rows), min(SAMPLED_CELLS, len(rows)), replace=False)
    rows, columns = rows[some], columns[some]
    return np.column_stack(
        [
            surface.west_m + (columns + 0.5) * surface.cell_m,
            surface.north_m - (rows + 0.5) * surface.cell_m,
            surface.height_m[rows, columns],
        ]
    )


def views_of(
    folder: Path, surface: Heights, places_m: Array, cameras: dict[str, CameraEntry]
) -> tuple[IntArray, Array]:
    """How many pictures see each place, and the steepest view of it in degrees off vertical.

    Kept beside the truth in ``folder``, as it takes minutes for a large flight.
    """
    named = json.dumps(sorted((name, camera.position_m) for name, camera in cameras.items()))
    key = hashlib.sha256(named.encode() + np.round(places_m, 3).tobytes()).hexdigest()[:12]
    kept = folder.parent / "seen" / f"{key}.npz"
    if kept.exists():
        with np.load(kept) as stored:
            return stored["seeing"], stored["steepest_deg"]
    seeing = np.zeros(len(places_m), np.int64)
    steepest_deg = np.full(len(places_m), np.nan)
    top_m = float(np.nanmax(surface.height_m))
    for camera in cameras.values():
        seen = in_frame_and_free(surface, places_m, camera, top_m)
        ray = np.array(camera.position_m) - places_m[seen]
        angle = np.degrees(np.arctan2(np.hypot(ray[:, 0], ray[:, 1]), ray[:, 2]))
        steepest_deg[seen] = np.fmin(steepest_deg[seen], angle)
        seeing[seen] += 1
    kept.parent.mkdir(exist_ok=True)
    np.savez(kept, seeing=seeing, steepest_deg=steepest_deg)
    return seeing, steepest_deg


def _wall_m(folder: Path, surface: Heights, places_m: Array) -> Array:
    """(N,) distance of places to the nearest step of the true surface; kept for the next time."""
    kept = folder.parent / "seen" / f"walls_{len(places_m)}.npy"
    if not kept.exists():
        height_m = surface.height_m
        step = np.zeros(height_m.shape, bool)
        step[:, 1:] |= np.abs(height_m[:, 1:] - height_m[:, :-1]) > STEP_M
        step[1:] |= np.abs(height_m[1:] - height_m[:-1]) > STEP_M
        away = distance_transform_edt(~step) * surface.cell_m
        row, column, _ = surface.cells_of(places_m[:, :2])
        kept.parent.mkdir(exist_ok=True)
        np.save(kept, away[row, column])
    return np.asarray(np.load(kept))


def _band(path: Path) -> AnyArray:
    with rasterio.open(path) as raster:
        return np.asarray(raster.read(1))
