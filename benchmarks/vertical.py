"""How far the vertical of a case without telemetry is off, and whether its sigma holds.

    .venv/bin/python -m benchmarks.vertical --case WORK [--seeds 10] [--data DIR]

Stretches of frames without any record are cut from twin districts, looking straight down, slanting
and ahead with the horizon in view, and shushi_orbit is levelled beside another program's poses.
The twin's gimbal is made askew by a constant roll, one draw a clip, and its flights climb, since
the twin's own hang better than real ones do. Writes benchmarks/results/vertical.json.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from aftermap.errors import AftermapError
from aftermap.execute import LocalExecutor
from aftermap.frames import FrameOptions, frames_of
from aftermap.geo.arrays import Array
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.media import ingest
from aftermap.model.camera import Reconstruction
from aftermap.progress import NoProgress
from aftermap.record import Case
from aftermap.record.workspace import StageFolder
from aftermap.sfm import PoseOptions, reconstruct
from aftermap.sfm.georeference import similarity
from aftermap_twin.caster import Caster
from aftermap_twin.clip_options import ClipCamera
from aftermap_twin.clip_paths import DRONE, FORWARD, STREAM, FlightPath, fitted, frame_stations
from aftermap_twin.flight import Station, stations_of
from aftermap_twin.footage import lens_studio, pictures
from aftermap_twin.making import scene_for
from aftermap_twin.options import TwinOptions
from aftermap_twin.render import studio_for
from benchmarks.machine import tidy, write_result
from benchmarks.orbit import SHARED, poses_of

PATHS: dict[str, tuple[FlightPath, float]] = {
    "nadir": (STREAM, 10.0),
    "oblique": (DRONE, 20.0),
    "forward": (FORWARD, 24.0),
}
"""Path, and how many of its seconds are used."""
FRAMES = 30
SIZE_PX = (640, 360)
ROLL_SIGMA_DEG = 1.0
CLIMB_SIGMA_DEG = 2.0
OBSERVATIONS_EVERY = 4
UP = np.array([0.0, 0.0, 1.0])
FOCAL_SHARES = (0.6, 1.2)
"""Range of the true focal length, as a share of the width."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One stretch: true error, what was stated, and the focal length beside the truth."""

    kind: str
    seed: int
    placed: int
    error_deg: float | None
    sigma_deg: float | None
    is_trusted: bool
    focal_off: float | None
    focal_sigma: float | None
    note: str
    witnesses: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Truth:
    """True stations by file name, the true lens, and the scene to look into."""

    stations: dict[str, Station]
    params: tuple[float, ...]
    caster: Caster


def main() -> None:
    """Measure every stretch, print the figures, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", type=Path, required=True, help="work folder")
    parser.add_argument("--seeds", type=int, default=10, help="districts a kind of flight")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=SHARED, help="the shared data folder")
    parser.add_argument("--without-orbit", action="store_true")
    options = parser.parse_args()
    outcomes = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for kind in PATHS:
            outcomes.append(twin_outcome(options.case / f"{kind}-{seed}", kind, seed))
            print(json.dumps(tidy(vars(outcomes[-1]))), flush=True)
    figures: dict[str, Any] = {
        "frames": FRAMES,
        "size_px": SIZE_PX,
        "seeds": options.seeds,
        "quality": "draft",
        "roll_sigma_deg": ROLL_SIGMA_DEG,
        "climb_sigma_deg": CLIMB_SIGMA_DEG,
        "all": summary(outcomes),
    }
    figures |= {kind: summary([o for o in outcomes if o.kind == kind]) for kind in PATHS}
    if not options.without_orbit and (options.data / "shushi_orbit").exists():
        orbit = orbit_outcome(options.case / "orbit", options.data / "shushi_orbit")
        figures["shushi_orbit"] = vars(orbit)
    figures["stretches"] = [vars(one) for one in outcomes]
    print(json.dumps(tidy({k: v for k, v in figures.items() if k != "stretches"}), indent=1))
    print(write_result("vertical", figures))


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Errors of what is trusted, and the share of errors inside one stated sigma."""
    told = [o for o in outcomes if o.error_deg is not None and o.sigma_deg is not None]
    trusted = [o for o in told if o.is_trusted]
    errors = np.array([o.error_deg for o in trusted], float)
    sigmas = np.array([o.sigma_deg for o in trusted], float)
    focal = [o for o in told if o.focal_off is not None and o.focal_sigma is not None]
    return (
        {
            "stretches": len(outcomes),
            "failed": len(outcomes) - len(told),
            "refused": len(told) - len(trusted),
            "median_deg": float(np.median(errors)) if len(errors) else None,
            "worst_deg": float(errors.max()) if len(errors) else None,
            "median_sigma_deg": float(np.median(sigmas)) if len(sigmas) else None,
            "inside_sigma": float((errors <= sigmas).mean()) if len(errors) else None,
            "focal_off_median": float(np.median([abs(o.focal_off or 0) for o in focal])),
            "focal_off_worst": max((abs(o.focal_off or 0) for o in focal), default=None),
            "focal_inside_sigma": float(
                np.mean([abs(o.focal_off or 0) <= (o.focal_sigma or 0) for o in focal])
            ),
        }
        if told
        else {"stretches": len(outcomes), "failed": len(outcomes)}
    )


def twin_outcome(folder: Path, kind: str, seed: int) -> Outcome:
    """A stretch of one district made, placed without any record, and held against the truth."""
    truth = twin_frames(folder / "pictures", kind, seed)
    files = [folder / "pictures" / name for name in truth.stations]
    try:
        found = placed_frames(files, folder / "case")
    except AftermapError as error:
        return _failed(kind, seed, str(error))
    return _outcome(found, true_up(found, truth), kind, seed, truth.params[0])


def twin_frames(folder: Path, kind: str, seed: int) -> Truth:
    """Writes JPEG files without EXIF into the folder; what is true of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, list(PATHS).index(kind)])
    options = TwinOptions(seed=seed, photos=60)
    path, seconds = PATHS[kind]
    share = rng.uniform(*FOCAL_SHARES)
    camera = ClipCamera(
        seed=seed,
        width_px=SIZE_PX[0],
        height_px=SIZE_PX[1],
        hfov_deg=float(np.degrees(2 * np.arctan(0.5 / share))),
        principal_point_px=(0.75, -0.5),
    )
    scene = scene_for(options, stations_of(options))
    studio = studio_for(options, scene)
    low = studio.site.low
    flown = fitted(path, (float(-low[0]), float(-low[1])), path.seconds)
    fps = Fraction(FRAMES) / Fraction(seconds).limit_denominator(100)
    askew = rng.normal(0, ROLL_SIGMA_DEG)
    climb = np.tan(np.radians(abs(rng.normal(0, CLIMB_SIGMA_DEG))))
    level = frame_stations(flown, fps, FRAMES)
    stations = [
        replace(
            s,
            roll_deg=s.roll_deg + askew,
            position_m=(*s.position_m[:2], s.position_m[2] + climb * _gone(level, i)),
        )
        for i, s in enumerate(level)
    ]
    files = [folder / f"{kind}_{i:03d}.jpg" for i in range(FRAMES)]
    if not all(file.exists() for file in files):
        images = pictures(lens_studio(studio, camera), stations, 0)
        for file, image in zip(files, images, strict=True):
            cv2.imwrite(str(file), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    by_name = {file.name: station for file, station in zip(files, stations, strict=True)}
    return Truth(stations=by_name, params=camera.params, caster=studio.caster)


def _gone(stations: Sequence[Station], number: int) -> float:
    steps = np.diff([s.position_m[:2] for s in stations[: number + 1]], axis=0)
    return float(np.linalg.norm(steps, axis=1).sum()) if number else 0.0


def placed_frames(files: Sequence[Path], folder: Path) -> Reconstruction:
    """The reconstruction of the pictures, as the map's own steps make it."""
    with (
        Case.create_or_open(folder) as case,
        LocalExecutor(2, progress=NoProgress()) as executor,
    ):
        received = ingest(list(files), case.store, executor)
        frames = frames_of(received.items, received.stored, FrameOptions())
        workspace = StageFolder(folder=folder / "poses")
        return reconstruct(frames, PoseOptions.of("draft"), workspace, executor)


def true_up(found: Reconstruction, truth: Truth) -> Array:
    """(3,) the true vertical in the frame of the reconstruction, by what its tie points really are.

    The similarity lies through tie points and the places of the true scene that the true cameras
    show at their pixels. Rotations of cameras would not do: a principal point that is a pixel off
    turns all of them, and the map stays.
    """
    with np.load(found.points) as stored:
        xyz, frame, point = (stored[k] for k in ("xyz_m", "frame_index", "point_index"))
    ours, true = [], []
    for number, placed in enumerate(found.placed):
        station = truth.stations.get(placed.frame.name)
        if placed.group != 0 or station is None:
            continue
        own = xyz[point[frame == number]][::OBSERVATIONS_EVERY]
        cam = (own - placed.pose.position_m) @ np.array(placed.pose.rotation_cam_from_world).T
        pixels = projected_px(cam, found.cameras[placed.camera].params)
        rays = rays_cam(pixels, truth.params) @ station.rotation_cam_from_world
        origins = np.broadcast_to(np.array(station.position_m, np.float32), rays.shape)
        hits = truth.caster.first_hits(np.ascontiguousarray(origins), rays.astype(np.float32))
        met = hits.triangle >= 0
        ours.append(own[met])
        true.append(origins[met] + rays[met] * hits.distance[met, None])
    here, there = np.concatenate(ours), np.concatenate(true)
    scale, turn, shift = similarity(there, here, np.ones(len(here)))
    for _ in range(20):
        off = np.linalg.norm(scale * there @ turn.T + shift - here, axis=1)
        weight = 1 / (1 + (off / (2 * np.median(off))) ** 2) ** 2
        scale, turn, shift = similarity(there, here, weight)
    return np.asarray(turn @ UP)


def _outcome(
    found: Reconstruction, up: Array, kind: str, seed: int, focal_px: float | None
) -> Outcome:
    vertical = found.vertical
    camera = found.cameras[found.placed[0].camera]
    return Outcome(
        kind=kind,
        seed=seed,
        placed=found.group_sizes[0],
        error_deg=float(np.degrees(np.arccos(np.clip(up[2], -1, 1)))),
        sigma_deg=None if vertical is None else vertical.sigma_deg,
        is_trusted=vertical is not None and vertical.is_trusted,
        focal_off=None if focal_px is None else camera.focal_px / focal_px - 1,
        focal_sigma=None if focal_px is None else camera.focal_sigma_px / camera.focal_px,
        note="" if vertical is None else str(vertical.contradiction or ""),
        witnesses=() if vertical is None else tuple(vars(w) for w in vertical.witnesses),
    )


def _failed(kind: str, seed: int, why: str) -> Outcome:
    return Outcome(
        kind=kind,
        seed=seed,
        placed=0,
        error_deg=None,
        sigma_deg=None,
        is_trusted=False,
        focal_off=None,
        focal_sigma=None,
        note=why,
    )


def orbit_outcome(folder: Path, data: Path) -> Outcome:
    """shushi_orbit beside the other program's positions, whose circle tells its up.

    No truth: who levelled that model, and by what, is not known.
    """
    found = placed_frames(sorted(data.glob("*.jpg")), folder)
    theirs = poses_of(data)
    both = [p for p in found.placed if p.group == 0 and p.frame.name in theirs]
    ours = np.array([p.pose.position_m for p in both])
    there = np.array([theirs[p.frame.name] for p in both])
    turn = similarity(there, ours, np.ones(len(both)))[1]
    return _outcome(found, turn @ UP, "shushi_orbit", 0, None)


if __name__ == "__main__":
    main()
