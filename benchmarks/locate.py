"""Frames without telemetry against the twin's truth, and simulated clicks.

``python -m benchmarks.locate TWIN PRODUCTS [COUNT]``: an oblique twin, and the products of a case
that was mapped from another flight over the same site.
"""

import json
import sys
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from aftermap.geo.lens import projected_px
from aftermap.model.media import FocalPrior, FocalSource
from aftermap.poses.reference import reference_in
from aftermap.poses.register import NotLocated, ShotFrame, registered
from aftermap.poses.resect import View, resected

Array = npt.NDArray[np.float64]
OUT = Path(__file__).parent / "results" / "locate.json"
WRONG_M = 15.0
SHOT = 3


def main() -> None:
    """Print and write what was measured."""
    twin, products = Path(sys.argv[1]), Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    truth = json.loads((twin / "truth/cameras.json").read_text())["frames"][:count]
    results = {
        "data": f"{twin.name}, {count} frames",
        "registered": _registering(twin, products, truth),
        "clicks": _clicks(truth),
    }
    OUT.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


def _registering(twin: Path, products: Path, truth: list[dict]) -> dict:
    started = time.process_time()
    reference = reference_in(products / "orthophoto.tif", products / "surface.tif")
    prior = FocalPrior(focal_px=760, sigma_px=80, source=next(iter(FocalSource)))
    shifts, variances, reasons = [], [], []
    for start in range(0, len(truth), SHOT):
        shot = truth[start : start + SHOT]
        frames = [
            ShotFrame(
                time_s=Fraction(i),
                grey=cv2.imread(
                    str(twin / "images" / entry["name"]),
                    cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION,
                ),
            )
            for i, entry in enumerate(shot)
        ]
        answer = registered(frames, reference, prior)
        if isinstance(answer, NotLocated):
            reasons.append(answer.reason)
            continue
        reasons += [why for _, why in answer.left_out]
        for moment, pose in answer.frames:
            shifts.append(pose.position_m - shot[int(moment)]["position_m"])
            variances.append(pose.covariance[:2, :2])
    return _summary(np.array(shifts), variances) | {
        "frames": len(truth),
        "not_located": reasons,
        "cpu_s_per_frame": round((time.process_time() - started) / len(truth), 1),
    }


def _summary(shifts: Array, covariances: list[Array]) -> dict:
    if not len(shifts):
        return {"located": 0}
    off = np.linalg.norm(shifts[:, :2], axis=1)
    # The reference is itself off by its GPS; what is left after that belongs to the registration.
    own = shifts - np.median(shifts, axis=0)
    inside = [
        float(e[:2] @ np.linalg.solve(c, e[:2])) < chi2.ppf(0.9, 2)
        for e, c in zip(own, covariances, strict=True)
    ]
    return {
        "located": len(shifts),
        "wrong": int((off > WRONG_M).sum()),
        "median_error_m": round(float(np.median(off)), 2),
        "largest_error_m": round(float(off.max()), 2),
        "reference_offset_m": np.round(np.median(shifts, axis=0), 2).tolist(),
        "median_error_after_offset_m": round(float(np.median(np.linalg.norm(own, axis=1))), 2),
        "inside_90_percent": round(float(np.mean(inside)), 3),
    }


def _clicks(truth: list[dict]) -> dict:
    found = {}
    for noise_px in (1.0, 2.0):
        shifts, covariances = [], []
        for seed, entry in enumerate(truth * 4):
            rng = np.random.default_rng(seed)
            turn = np.array(entry["rotation_cam_from_world"])
            place = np.array(entry["position_m"])
            rays = np.column_stack([rng.uniform([-0.6, -0.45], [0.6, 0.45], (12, 2)), np.ones(12)])
            down = rays @ turn
            xyz = place + down * ((rng.uniform(248, 262, 12) - place[2]) / down[:, 2])[:, None]
            lens = (800, 800, 600, 450, -0.02, 0, 0, 0)
            xy = projected_px((xyz - place) @ turn.T, lens) + rng.normal(0, noise_px, (12, 2))
            view = View(width_px=1200, height_px=900, focal_px=760, focal_sigma_px=80)
            pose = resected(xyz, xy, view, leave_one_out=False)
            shifts.append(pose.position_m - place)
            covariances.append(pose.covariance[:2, :2])
        off = np.linalg.norm(np.array(shifts)[:, :2], axis=1)
        inside = [
            float(e[:2] @ np.linalg.solve(c, e[:2])) < chi2.ppf(0.9, 2)
            for e, c in zip(shifts, covariances, strict=True)
        ]
        found[f"{noise_px:g} px"] = {
            "median_error_m": round(float(np.median(off)), 2),
            "inside_90_percent": round(float(np.mean(inside)), 3),
        }
    return found


if __name__ == "__main__":
    main()
