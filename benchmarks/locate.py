"""Footage without telemetry against the twin's truth: registered, carried, and by clicks.

``python -m benchmarks.locate CLIPS PRODUCTS FLIGHT``: a twin made with ``--clips``, and the
products of a case that was mapped from the photographs of FLIGHT, a twin of the same site. The news
piece is registered shot by shot to the orthophoto, and to a mirror image of it, where nothing may
be found.

Errors and what is stated of them are on that map: the truth is brought there by the similarity
between its true and estimated cameras, and the error of the map as a whole is left out of both.
Clicks, map places and the poses that are carried have errors drawn as they are stated.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import chi2

from aftermap.errors import AftermapError
from aftermap.frames.auto_masks import WIDTH_PX, mask_of
from aftermap.frames.decode import Losses, decoded_frames, luma_of, pictures_at
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.localization.camera_fit import CameraPrior
from aftermap.localization.correspondences import Correspondence
from aftermap.localization.drape import places_met
from aftermap.localization.object_points import object_points_of
from aftermap.localization.reference import Reference, reference_in, reference_of
from aftermap.localization.register import NotLocated, ShotFrame, register_shot
from aftermap.localization.resect import CLICK_SIGMA_PX, PLACE_SIGMA_M, Resected, resect
from aftermap.media import probe_video
from aftermap.model.clip import Shot
from aftermap.model.media import FocalPrior, FocalSource
from aftermap.publish.exchange.cameras import read_cameras
from aftermap.workflows.clicked_clip import Film, carried_both_ways
from benchmarks.fitting import Similarity, similarity

OUT = Path(__file__).parent / "results" / "locate.json"
WRONG_M = 15.0
FRAMES = 3
MASK_SAMPLES = 20
GROUND_SIGMA_M = 0.5
CLICKS = (12, 24)


def main() -> None:
    """Print and write what was measured."""
    twin, products, flight = map(Path, sys.argv[1:4])
    truth = on_the_map(
        json.loads((twin / "truth/clips.json").read_text())["clips"], _there(flight, products)
    )
    news = next(clip for clip in truth if clip["kind"] == "news")
    drone = next(clip for clip in truth if clip["kind"] == "drone")
    reference = reference_in(products / "orthophoto.tif", products / "surface.tif", (0.0, 0.0))
    results: dict = {
        "data": f"{Path(news['clip']).name} and {Path(drone['clip']).name} of a twin, "
        "the orthophoto of its photographs; focal assumed, 0.85 +- 0.17 of the width"
    }
    parts = {
        "carried 3 s from the truth": lambda: _carrying(twin, drone, reference),
        "clicks": lambda: _clicks(drone, reference),
        "news": lambda: _shots(twin, news, reference),
        "news in a mirrored orthophoto": lambda: _nowhere(twin, news, reference),
        "drone clip without its telemetry": lambda: _drone(twin, drone, reference),
    }
    for name, measure in parts.items():
        results[name] = measure()
        OUT.write_text(json.dumps(results, indent=2) + "\n")
        print(name, json.dumps(results[name], indent=2), flush=True)


def _there(flight: Path, products: Path) -> Similarity:
    """From true places to places on the map, by its photographs."""
    true = {one.name: one for one in read_cameras(flight / "truth/cameras.json").frames}
    found = [one for one in read_cameras(products / "cameras.json").frames if one.mapped]
    here = np.array([true[one.name].position_m for one in found])
    return similarity(here, np.array([one.position_m for one in found]))


def on_the_map(clips: list[dict], there: Similarity) -> list[dict]:
    """The truth of clips as the map has it."""
    for frame in (frame for clip in clips for frame in clip["frames"]):
        turn = np.array(frame["rotation_cam_from_world"])
        frame["rotation_cam_from_world"] = (turn @ there.rotation.T).tolist()
        for key in ("position_m", "centre_m"):
            if frame[key] is not None:
                frame[key] = there.there(np.array([frame[key]]))[0].tolist()
    return clips


def _shots(twin: Path, clip: dict, reference: Reference) -> dict:
    """Every shot of an edited piece, some frames of each."""
    found, all_errors = [], []
    for shot in clip["shots"]:
        started = time.process_time()
        frames = clip["frames"][shot["start_frame"] : shot["end_frame"]]
        inner = frames[shot["fade_frames"] or 4 : -10]
        picked = inner[:: max(1, len(inner) // (FRAMES - 1))][:FRAMES]
        answer = register_shot(_read(twin, clip, frames, picked), reference, _prior(clip))
        told = {"shot": shot["shot"], "is_hard": shot["is_hard"], "frames": len(picked)}
        if isinstance(answer, NotLocated):
            found.append(told | {"located": 0, "reason": answer.reason})
        else:
            errors = [_errors(pose, clip, moment, reference) for moment, pose in answer.frames]
            all_errors += errors
            found.append(told | _summary(errors))
        found[-1]["cpu_s_per_frame"] = round((time.process_time() - started) / len(picked), 1)
    return {"shots": found, "all": _summary(all_errors)}


def _drone(twin: Path, clip: dict, reference: Reference) -> dict:
    """Five stretches of two frames of the drone's clip, each registered by itself."""
    errors, reasons, frames = [], [], clip["frames"]
    for start in range(0, len(frames), len(frames) // 5):
        picked = frames[start : start + 8 : 4]
        answer = register_shot(_read(twin, clip, [], picked), reference, _prior(clip))
        if isinstance(answer, NotLocated):
            reasons.append(answer.reason)
            continue
        reasons += [why for _, why in answer.left_out]
        errors += [_errors(pose, clip, moment, reference) for moment, pose in answer.frames]
    return _summary(errors) | {"not_located": reasons}


def _nowhere(twin: Path, clip: dict, reference: Reference) -> dict:
    """The same shots in a place that looks like it and is not: nothing may be located."""
    other = reference_of(
        reference.crs,
        np.ascontiguousarray(reference.grey[:, ::-1]),
        np.ascontiguousarray(reference.height_m[:, ::-1]),
        reference.corner_m,
        reference.cell_m,
    )
    located = 0
    for shot in clip["shots"]:
        frames = clip["frames"][shot["start_frame"] : shot["end_frame"]]
        answer = register_shot(_read(twin, clip, frames, frames[20:61:40]), other, _prior(clip))
        located += not isinstance(answer, NotLocated)
    return {"shots": len(clip["shots"]), "located": located}


def _carrying(twin: Path, clip: dict, reference: Reference) -> dict:
    """The true pose of a moment, with a small error stated, carried 3 s on and back."""
    path = twin / clip["clip"]
    times = tuple(one.time_s for one in decoded_frames(path, Losses()))
    film = Film(
        clip=probe_video(path, name=path.name, sha256=""), path=path, times_s=times, shots=()
    )
    errors, stopped = [], 0
    for k in range(20, len(times) - 20, 30):
        start = _drawn(_true_pose(clip, clip["frames"][k]), k)
        low, high = times[k] - 3, times[k] + 3
        shot = Shot(index=0, start_s=low, end_s=high, begins="cut")
        for way in carried_both_ways(film, shot, times[k], start, reference):
            stopped += way.stopped_s is not None
            if way.poses:
                moment, pose = way.poses[-1]
                errors.append(_errors(pose, clip, moment, reference))
    return _summary(errors) | {"stopped_early": stopped}


def _drawn(pose: Resected, seed: int) -> Resected:
    """The pose with an error as it is stated."""
    rng = np.random.default_rng(seed)
    off = rng.multivariate_normal(np.zeros(6), pose.covariance)
    turn = cv2.Rodrigues(off[3:])[0]
    return replace(
        pose,
        position_m=pose.position_m + off[:3],
        rotation_cam_from_world=pose.rotation_cam_from_world @ turn.T,
    )


def _clicks(clip: dict, reference: Reference) -> dict:
    """Clicks with noise on places that the surface gives, which are themselves a little off."""
    found = {}
    frames = clip["frames"][::5]
    lens = clip["shots"][0]["params"]
    width, height = clip["width_px"], clip["height_px"]
    prior = _prior(clip)
    view = CameraPrior(
        width_px=width, height_px=height, focal_px=prior.focal_px, focal_sigma_px=prior.sigma_px
    )
    for count in CLICKS:
        errors, refused = [], 0
        for seed, frame in enumerate(frames):
            rng = np.random.default_rng(seed)
            turn, place = np.array(frame["rotation_cam_from_world"]), np.array(frame["position_m"])
            xy = rng.uniform([40, 40], [width - 40, height - 40], (3 * count, 2))
            xyz = places_met(reference, place, rays_cam(xy, lens) @ turn)
            xyz = xyz[np.isfinite(xyz[:, 2])][:count]
            clicked = projected_px((xyz - place) @ turn.T, lens)
            clicked += rng.normal(0, CLICK_SIGMA_PX, clicked.shape)
            xyz[:, :2] += rng.normal(0, 1, (len(xyz), 2)) * PLACE_SIGMA_M[:2]
            ties = [
                Correspondence(
                    line=i, time_s=None, frame=0, xy_px=(0, 0), lonlat_deg=tuple(ll), height_m=None
                )
                for i, ll in enumerate(transformed_xy(reference.crs, WGS84, xyz[:, :2]))
            ]
            try:
                placed = object_points_of(ties, reference, Path("drawn"))
                pose = resect(
                    placed.xyz_m, clicked, view, place_sigma_m=placed.sigma_m, leave_one_out=False
                )
            except AftermapError as error:
                refused += 1
                print(error, file=sys.stderr)
                continue
            errors.append(_errors(pose, clip, Fraction(frame["time_s"]), reference))
        found[f"{count} clicks"] = _summary(errors) | {"refused": refused}
    return found


def _read(twin: Path, clip: dict, shown: Sequence[dict], picked: Sequence[dict]) -> list[ShotFrame]:
    """Pictures of a shot with the mask of what is burned in over all that is ``shown``."""
    path = twin / clip["clip"]
    first = Fraction(clip["first_pts_s"])
    step = max(1, len(shown) // MASK_SAMPLES)
    size = WIDTH_PX, round(WIDTH_PX * clip["height_px"] / clip["width_px"])
    sampled = [Fraction(f["time_s"]) + first for f in shown[10::step]]
    samples = [
        np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        for _, picture in pictures_at(path, sampled)
    ]
    mask = mask_of(samples, (clip["width_px"], clip["height_px"])) if samples else None
    wanted = {Fraction(f["time_s"]) + first for f in picked}
    return [
        ShotFrame(time_s=one.time_s - first, grey=luma_of(one.frame), mask=mask)
        for one in decoded_frames(path, Losses())
        if one.time_s in wanted
    ]


def _prior(clip: dict) -> FocalPrior:
    width = clip["width_px"]
    return FocalPrior(focal_px=0.85 * width, sigma_px=0.17 * width, source=FocalSource.ASSUMED)


def _true_pose(clip: dict, frame: dict) -> Resected:
    none = np.zeros(0)
    return Resected(
        rotation_cam_from_world=np.array(frame["rotation_cam_from_world"]),
        position_m=np.array(frame["position_m"]),
        params=tuple(clip["shots"][0]["params"]),
        covariance=np.diag([0.1**2] * 3 + [1e-3**2] * 3),
        focal_sigma_px=1.0,
        residuals_px=np.zeros((0, 2)),
        left_out_px=none,
        used=none > 0,
        sigma_px=1.0,
    )


def _errors(pose: Resected, clip: dict, moment: Fraction, reference: Reference) -> dict:
    """Errors of one pose: of its position and of the ground in the middle of the picture."""
    frame = next(f for f in clip["frames"] if Fraction(f["time_s"]) == moment)
    middle = [[clip["width_px"] / 2, clip["height_px"] / 2]]
    ray = rays_cam(middle, pose.params) @ pose.rotation_cam_from_world
    ground = places_met(reference, pose.position_m, ray)
    spread = ground_covariance_m2(
        pose.position_m, ground, pose.covariance, ground_sigma_m=GROUND_SIGMA_M
    )
    off = pose.position_m - np.array(frame["position_m"])
    centre = float("nan")
    if frame["centre_m"] is not None:
        centre = float(np.linalg.norm((ground[0] - frame["centre_m"])[:2]))
    distance = float(off @ np.linalg.solve(pose.covariance[:3, :3], off))
    return {
        "position_m": off,
        "centre_m": centre,
        "ce90_m": float(ce90_m(spread)[0]),
        "inside": distance < chi2.ppf(0.9, 3),
        "focal": pose.params[0] / clip["shots"][frame["shot"]]["focal_px"] - 1,
    }


def _summary(errors: Sequence[dict]) -> dict:
    if not errors:
        return {"located": 0}
    off = np.array([one["position_m"] for one in errors])
    centre = np.array([one["centre_m"] for one in errors])
    known = np.isfinite(centre)
    circles = np.array([one["ce90_m"] for one in errors])
    return {
        "located": len(errors),
        "wrong": int((np.linalg.norm(off, axis=1) > WRONG_M).sum()),
        "median_centre_error_m": round(float(np.median(centre[known])), 2),
        "largest_centre_error_m": round(float(centre[known].max()), 2),
        "median_position_error_m": round(float(np.median(np.linalg.norm(off, axis=1))), 2),
        "median_height_error_m": round(float(np.median(off[:, 2])), 2),
        "largest_focal_error_percent": round(100 * max(abs(one["focal"]) for one in errors), 2),
        "median_ce90_m": round(float(np.nanmedian(circles)), 2),
        "centre_inside_ce90": round(float((centre[known] < circles[known]).mean()), 3),
        "position_inside_90_percent": round(float(np.mean([one["inside"] for one in errors])), 3),
    }


if __name__ == "__main__":
    main()
