"""What leave-one-out and the covariance say of a map held by few control points, against the truth.

Made-up flights of 24 photographs; points at random places, surveyed and clicked with noise. Run it
as ``python -m benchmarks.control [--draws 4]``; it takes about an hour on one core.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from made_up_flight import ORIGIN_M
from surveyed_flight import UTM, adrift, control_file, map_error_m, surveyed_case

from aftermap.errors import ControlError
from aftermap.sfm.bundle import block_covariance
from aftermap.sfm.gcp import SURVEY_SIGMA_M, adjust_with_control, survey_of
from aftermap.sfm.leave_one_out import left_out_residuals
from aftermap.sfm.propagated import ground_sigma_m

RESULTS = Path(__file__).parent / "results" / "control.json"
AREA_M = (110.0, 78.0, 3.0)
COUNTS = (3, 4, 5, 8, 12)
FLIGHTS = (1, 2, 3)


def main() -> None:
    """Simulate, write the results and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4)
    rows = defaultdict(list)
    draws = parser.parse_args().draws
    for flight in FLIGHTS:
        case = surveyed_case(flight)
        for draw in range(draws):
            for count in COUNTS:
                for located in (True, False):
                    row = simulated(case, [flight, count, draw], count, located=located)
                    if row is not None:
                        rows[(located, count)].append(row)
    found = [summary(*key, np.array(rows[key])) for key in sorted(rows)]
    RESULTS.write_text(json.dumps({"draws": draws, "rows": found}, indent=1) + "\n")
    for row in found:
        print(row)


def simulated(case, seed, count, *, located):
    """Stated and true errors, horizontal and vertical, of one draw of points; None if refused."""
    rng = np.random.default_rng(seed)
    marks = rng.uniform(0, AREA_M, (count, 3))
    surveyed = ORIGIN_M + marks + rng.normal(0, 1, marks.shape) * SURVEY_SIGMA_M
    names = [f"P{i + 1}" for i in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        control = control_file(
            Path(folder), case.flight, marks=marks, surveyed=surveyed, names=names
        )
    block = case.block if located else adrift(case)
    survey = survey_of(control, block.frames, UTM if located else None)
    try:
        found = adjust_with_control(block, survey, case.numbers)
    except ControlError:
        return None
    if found is None:
        return None
    left_out = left_out_residuals(found.block, survey, found.used, case.numbers, located=located)
    covariance = block_covariance(
        found.estimate, found.block.sights, found.block.sigma_px, found.block.knowns
    )
    formal = ground_sigma_m(found.block, covariance)
    true = map_error_m(found.block, case)
    is_tested = np.isfinite(left_out[found.used]).all()
    stated = [rms(left_out[:, :2]), rms(left_out[:, 2:])] if is_tested else [0.0, 0.0]
    return [*stated, *formal, rms(true[:, :2]), rms(true[:, 2:])]


def rms(rows) -> float:
    """Root mean square of the lengths of (N, K) rows; 0 without any."""
    rows = rows[np.isfinite(rows).all(axis=1)]
    return float(np.sqrt((rows**2).sum(axis=1).mean())) if len(rows) else 0.0


def summary(located, count, rows) -> dict[str, object]:
    """Median and least of the stated over the true error, by what states it."""
    told: dict[str, object] = {"positions": bool(located), "points": count, "maps": len(rows)}
    told["untested"] = int((rows[:, 0] == 0).sum())
    for name, column in (("horizontal", 0), ("vertical", 1)):
        left_out, formal, true = rows[:, column], rows[:, 2 + column], rows[:, 4 + column]
        told[f"{name}_true_m"] = round(float(np.sqrt((true**2).mean())), 3)
        for what, stated in (
            ("left_out", left_out[left_out > 0] / true[left_out > 0]),
            ("stated", np.maximum(left_out, formal) / true),
        ):
            if len(stated):
                told[f"{name}_{what}"] = [
                    round(float(v), 2) for v in (np.median(stated), stated.min())
                ]
    return told


if __name__ == "__main__":
    main()
