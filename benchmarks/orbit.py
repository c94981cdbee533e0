"""A drone's circle around a cathedral, no telemetry: cameras against another program's poses.

    .venv/bin/python -m benchmarks.orbit --case WORK [--data DIR]

Places the 59 frames of shushi_orbit and writes benchmarks/results/orbit.json. Only what the poses
need is run. The other program's poses are no truth: they were made of the same pictures.
"""

import argparse
import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.execute import LocalExecutor
from aftermap.frames import FrameOptions, frames_of
from aftermap.geo.arrays import Array
from aftermap.media import ingest
from aftermap.model.camera import Reconstruction
from aftermap.progress import NoProgress
from aftermap.record import Case
from aftermap.record.workspace import StageFolder
from aftermap.sfm import PoseOptions, reconstruct
from benchmarks.fitting import rms, similarity
from benchmarks.machine import tidy, write_result

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
POSES = "reference_cameras_omega_phi_kappa.csv"
CIRCLE = r"ghazanchecoc sirun ptuyt (\d+)\.jpg"
"""Pictures of the circle; the file lists those of other flights too."""


def main() -> None:
    """Place the frames, print how they lie beside the other program's, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", type=Path, required=True, help="work folder for the case")
    parser.add_argument("--data", type=Path, default=SHARED, help="the shared data folder")
    options = parser.parse_args()
    data: Path = options.data / "shushi_orbit"
    if not data.exists():
        raise SystemExit(f"{data}: is not there; name its folder with --data")
    found = placed_frames(data, options.case / "orbit")
    figures = {"frames": len(list(data.glob("*.jpg")))} | orbit_figures(found, poses_of(data))
    print(json.dumps(tidy(figures), indent=1))
    print(write_result("orbit", figures))


def placed_frames(data: Path, folder: Path) -> Reconstruction:
    """The reconstruction of the folder's pictures, as the map's own steps make it."""
    files = StageFolder(folder=folder / "poses")
    with (
        Case.create_or_open(folder) as case,
        LocalExecutor(2, progress=NoProgress()) as executor,
    ):
        received = ingest(sorted(data.glob("*.jpg")), case.store, executor)
        frames = frames_of(received.items, received.stored, FrameOptions())
        return reconstruct(frames, PoseOptions(), files, executor)


def poses_of(data: Path) -> dict[str, Array]:
    """The other program's positions (in units of its own) by the names of our frames."""
    found = {}
    with (data / POSES).open(encoding="utf-8", newline="") as file:
        for name, *numbers in csv.reader(line for line in file if not line.startswith("#")):
            of_the_circle = re.fullmatch(CIRCLE, name)
            if of_the_circle:
                found[f"orbit_{int(of_the_circle[1]):04d}.jpg"] = np.array(numbers[:3], float)
    return found


def orbit_figures(found: Reconstruction, theirs: dict[str, Array]) -> dict[str, Any]:
    """Distances that the best similarity leaves, in parts of the extent of the cameras.

    The extent is the largest distance between two of the cameras that are compared.
    """
    model = [one for one in found.placed if one.group == 0]
    ours = {one.frame.name: np.array(one.pose.position_m) for one in model}
    both = sorted(set(ours) & set(theirs))
    here = np.array([ours[name] for name in both])
    there = np.array([theirs[name] for name in both])
    off = np.linalg.norm(similarity(here, there).there(here) - there, axis=1)
    extent = float(np.linalg.norm(there[:, None] - there, axis=2).max())
    return {
        "placed": len(found.placed),
        "in_one_model": len(model),
        "compared": len(both),
        "reprojection_px": found.reprojection_px,
        "median_position_of_extent": float(np.median(off)) / extent,
        "rms_position_of_extent": rms(off) / extent,
        "largest_position_of_extent": float(off.max()) / extent,
    }


if __name__ == "__main__":
    main()
