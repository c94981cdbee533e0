"""Real clips without telemetry: is there a map, from above, and does it see the labelled buildings?

    .venv/bin/python -m benchmarks.labelled_buildings footage DATA WORK
    .venv/bin/python -m benchmarks.costs map WORK/c1 WORK/case_c1
    .venv/bin/python -m benchmarks.labelled_buildings figures DATA c1=WORK/case_c1 ... [--write]

`footage` lays out the frames and MP4s of three stretches (labelled_outlines.py), `figures` measures
maps of them: NAME is c1, c2a or c2b, with _mp4 behind it for the map of the MP4. Costs that
costs.py left beside a case go into the result.

A pixel of a building's outline is a ray of the map's own camera. It goes to the first cell with a
height that it meets, measured or filled: what stands before a building hides it, and ground behind
a missing one is met in its stead. It *hits* where that cell is measured and the place, seen from
the other frames, lies in this building's outline in at least half of those that have it in the
picture: so ground behind does not count. A frame sees a building if at least half of its pixels
hit; the surface sees it if two frames do. All frames of the stretch count in which the outline is
wide enough, placed or not, so that a map gains nothing by leaving frames out. That asks where the
map has measured; labelled_shape.py asks whether what it measured there has the shape of a town, and
sky_pixels.py whether sky is drawn.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.geo.lens import rays_cam
from aftermap.geo.march import HeightWindow, landings_m
from aftermap.geo.measured_heights import NO_SOURCE
from aftermap.publish.exchange.cameras import CameraEntry, read_cameras
from benchmarks.labelled_outlines import (
    FEWEST_FRAMES,
    STRETCHES,
    Labelled,
    Outline,
    frame_of,
    labelled,
    pixels_of,
    write_footage,
)
from benchmarks.labelled_shape import RAISED_M, shape_figures
from benchmarks.machine import tidy, write_result
from benchmarks.sky_pixels import sky_figures
from benchmarks.surface_truth import SurfaceMap, map_of
from benchmarks.surfaces import share_figures

MP4 = "_mp4"
PIXELS = 600
"""So many pixels of an outline are followed, evenly spread."""
HALF = 0.5
SEEN_BY = 2
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of an outline at which buildings are counted as well, so that all does not hang on one."""
BELOW_ALL_M = 1e6
NUDGE_CELLS = 1e-3


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What one frame's outline of a building meets: (N,) per pixel that was followed.

    ``place_m`` (N, 3) is NaN where a ray meets nothing.
    """

    frame: str
    id_in_mask: int
    place_m: Array
    is_measured: BoolArray
    is_drawn: BoolArray


@dataclass(frozen=True, kw_only=True)
class Case:
    """A map of a stretch, its cameras by frame, its surface for rays, and the labels' masks.

    ``drawn`` is true where the orthophoto shows a photograph, on the grid of ``drawn_at``.
    """

    shown: SurfaceMap
    truth: Labelled
    cameras: dict[str, CameraEntry]
    heights: HeightWindow
    masks: dict[str, ByteArray]
    drawn: BoolArray
    drawn_at: rasterio.Affine


def main() -> None:
    """Lay the footage out, or print the figures of cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=["footage", "figures"])
    parser.add_argument("data", type=Path, help="folder of dorian_clip1 and dorian_clip2")
    parser.add_argument("places", nargs="+", help="WORK, or NAME=CASE...")
    parser.add_argument("--write", action="store_true", help="into results/labelled_buildings.json")
    options = parser.parse_args()
    if options.what == "footage":
        write_footage(options.data, Path(options.places[0]))
        return
    named = dict(place.split("=", 1) for place in options.places)
    figures = {name: case_figures(options.data, name, Path(case)) for name, case in named.items()}
    asked = [name + way for way in ("", MP4) for name in STRETCHES]
    missing = [name for name in asked if name not in figures]
    result = {"pooled": pooled(figures), "not_mapped_here": missing, **figures}
    print(json.dumps(tidy(result), indent=1))
    if options.write:
        print(write_result("labelled_buildings", result))


def case_figures(data: Path, name: str, case: Path) -> dict[str, Any]:
    """The figures of one map; without a surface, every building counts as not seen."""
    truth = labelled(data, STRETCHES[name.removesuffix(MP4)])
    figures: dict[str, Any] = {"frames": len(truth.frames)}
    cost = case.with_name(case.name + ".cost.json")
    if cost.exists():
        kept = json.loads(cost.read_text(encoding="utf-8"))
        figures["cost"] = {key: value for key, value in kept.items() if not isinstance(value, dict)}
    if not (case / "products" / "surface.tif").exists():
        nothing = {building: _verdict([]) for building in truth.buildings}
        return figures | {"is_mapped": False, "buildings": _counted(nothing), "each": nothing}
    shown = map_of(case)
    one = _case(shown, truth)
    sights = {building: _sights(one, outlines) for building, outlines in truth.buildings.items()}
    shape = shape_figures(shown, truth, _hit_places(one, sights))
    raised_m = shape.pop("raised_m", {})
    each = {
        building: _building(one, sights[building]) | {"raised_m": raised_m.get(building)}
        for building in sights
    }
    return figures | {
        "is_mapped": True,
        "placed": len(one.cameras),
        "vertical": _vertical(read_cameras(shown.folder / "cameras.json").vertical),
        **share_figures(case),
        "sky": sky_figures(shown, truth, one.cameras),
        "shape": shape,
        "buildings": _counted(each),
        "each": each,
    }


def pooled(figures: dict[str, Any]) -> dict[str, Any]:
    """The buildings of all maps together, of those of frames and of those of MP4s."""
    groups = {
        "all": list(figures),
        "frames": [name for name in figures if not name.endswith(MP4)],
        "mp4": [name for name in figures if name.endswith(MP4)],
    }
    return {
        group: _counted(
            {
                f"{name} {one}": verdict
                for name in names
                for one, verdict in figures[name]["each"].items()
            }
        )
        for group, names in groups.items()
        if names
    }


def _case(shown: SurfaceMap, truth: Labelled) -> Case:
    placed = [entry for entry in shown.entries if entry.registered]
    cameras = {frame: entry for entry in placed if (frame := frame_of(entry, truth.frames))}
    surface = shown.surface
    known = np.isfinite(surface.height_m)
    low = np.float32(float(surface.height_m[known].min()) - BELOW_ALL_M)
    with rasterio.open(shown.folder / "source.tif") as raster:
        drawn, drawn_at = raster.read(1) != NO_SOURCE, raster.transform
    return Case(
        shown=shown,
        truth=truth,
        cameras=cameras,
        heights=HeightWindow(
            height_m=np.where(known, surface.height_m, low),
            west_m=surface.west_m,
            north_m=surface.north_m,
            cell_m=surface.cell_m,
            outside_m=float(low),
        ),
        masks={frame: truth.mask(frame) for frame in truth.frames},
        drawn=drawn,
        drawn_at=drawn_at,
    )


def _hit_places(one: Case, sights: dict[str, list[Sight]]) -> dict[str, Array]:
    """(N, 3) where rays through a building's outlines hit, by building."""
    met = {
        building: np.concatenate(
            [sight.place_m[hit] for sight, hit in zip(some, _hits(one, some), strict=True)]
        )
        for building, some in sights.items()
        if some
    }
    return {building: places for building, places in met.items() if len(places)}


def _sights(one: Case, outlines: Iterable[Outline]) -> list[Sight]:
    """What the outlines in placed frames meet."""
    return [_sight(one, outline) for outline in outlines if outline.frame in one.cameras]


def _sight(one: Case, outline: Outline) -> Sight:
    entry, shown = one.cameras[outline.frame], one.shown
    rows, columns = np.nonzero(one.masks[outline.frame] == outline.id_in_mask)
    some = np.unique(np.linspace(0, len(rows) - 1, PIXELS).astype(int))
    pixels = np.column_stack([columns[some], rows[some]]) + 0.5
    rays = rays_cam(pixels, entry.params or ()) @ np.array(entry.rotation_cam_from_world)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    eye, surface = np.array(entry.position_m), shown.surface
    reach_m = surface.cell_m * float(np.hypot(*surface.height_m.shape))
    corner = np.array([surface.west_m, surface.north_m])
    place, met = landings_m(
        eye,
        np.where(np.isfinite(rays), rays, 0.0),
        one.heights,
        farthest_m=reach_m + float(np.linalg.norm(eye[:2] - corner)),
    )
    cell = place[:, :2] + rays[:, :2] * NUDGE_CELLS * surface.cell_m
    row, column, inside = surface.cells_of(np.where(met[:, None], cell, corner - surface.cell_m))
    met &= inside & np.isfinite(surface.height_m[row, column])
    place[~met] = np.nan
    return Sight(
        frame=outline.frame,
        id_in_mask=outline.id_in_mask,
        place_m=place,
        is_measured=met & shown.measured[row, column],
        is_drawn=met & _drawn(one, cell),
    )


def _drawn(one: Case, xy_m: Array) -> BoolArray:
    """(N,) whether the orthophoto shows a photograph at each place."""
    at, (rows, columns) = one.drawn_at, one.drawn.shape
    column = np.floor((xy_m[:, 0] - at.c) / at.a).astype(int).clip(0, columns - 1)
    row = np.floor((xy_m[:, 1] - at.f) / at.e).astype(int).clip(0, rows - 1)
    return np.asarray(one.drawn[row, column])


def _building(one: Case, sights: Sequence[Sight]) -> dict[str, Any]:
    hits = _hits(one, sights)
    drawn = [hit & sight.is_drawn for sight, hit in zip(sights, hits, strict=True)]
    return _verdict(hits, [sight.is_measured for sight in sights], drawn)


def _hits(one: Case, sights: Sequence[Sight]) -> list[BoolArray]:
    return [sight.is_measured & _confirmed(one, sight, sights) for sight in sights]


def _confirmed(one: Case, sight: Sight, sights: Sequence[Sight]) -> BoolArray:
    """(N,) whether most other frames have the places in this building's outline."""
    inside, framed = np.zeros((2, len(sight.place_m)), int)
    for other in sights:
        if other.frame == sight.frame:
            continue
        mask = one.masks[other.frame]
        pixels, there = pixels_of(sight.place_m, one.cameras[other.frame])
        column, row = pixels[there].astype(int).T
        framed[there] += 1
        inside[there] += mask[row, column] == other.id_in_mask
    return np.asarray((framed > 0) & (inside >= HALF * framed))


def _verdict(
    hits: Sequence[BoolArray], measured: Sequence[BoolArray] = (), drawn: Sequence[BoolArray] = ()
) -> dict[str, Any]:
    """``share`` is that of the second best frame: what two frames at least have."""
    return {
        "placed_frames": len(hits),
        "share": _second(hits),
        "share_unconfirmed": _second(measured),
        "share_drawn": _second(drawn),
        "median_share": float(np.median([hit.mean() for hit in hits])) if hits else 0.0,
        "raised_m": None,
    }


def _second(hits: Sequence[BoolArray]) -> float:
    shares = sorted((float(hit.mean()) for hit in hits), reverse=True)
    return shares[SEEN_BY - 1] if len(shares) >= SEEN_BY else 0.0


def _counted(each: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How many buildings are seen, by the rule and by others beside it."""
    share = np.array([one["share"] for one in each.values()])
    fewer = np.array([one["placed_frames"] < FEWEST_FRAMES for one in each.values()], bool)

    def seen_of(values: Sequence[float]) -> float | None:
        return float((np.array(values) >= HALF).mean()) if len(values) else None

    return {
        "labelled": len(each),
        "seen": int((share >= HALF).sum()),
        "seen_fraction": seen_of(share.tolist()),
        "seen_and_raised_fraction": float(np.mean([_is_raised(one) for one in each.values()])),
        "not_seen": [name for name, one in each.items() if one["share"] < HALF],
        "in_too_few_placed_frames": int(fewer.sum()),
        "seen_fraction_of_others": seen_of(share[~fewer].tolist()),
        "seen_fraction_by_share": {f"{at}": float((share >= at).mean()) for at in SHARES},
        "seen_fraction_unconfirmed": seen_of([one["share_unconfirmed"] for one in each.values()]),
        "seen_fraction_drawn": seen_of([one["share_drawn"] for one in each.values()]),
        "seen_fraction_in_most_frames": seen_of([one["median_share"] for one in each.values()]),
        "share_quartiles": np.quantile(share, (0.25, 0.5, 0.75)).tolist() if len(share) else None,
    }


def _is_raised(one: dict[str, Any]) -> bool:
    return one["share"] >= HALF and (one["raised_m"] or 0.0) >= RAISED_M


def _vertical(vertical: dict[str, Any] | None) -> dict[str, Any] | None:
    return vertical and {key: vertical[key] for key in ("sigma_deg", "is_trusted", "contradiction")}


if __name__ == "__main__":
    main()
