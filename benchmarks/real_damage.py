"""Real damage: buildings of three stretches of slanting clips, graded and held against people.

    .venv/bin/python -m benchmarks.real_damage DATA WORK [--model FILE] [--draft NAME...] [--write]

DATA holds dorian_clip1 and dorian_clip2 (labelled_outlines.py), WORK keeps a case for each stretch:
a map is made where there is none yet, outlines and measures are kept, so that another grading model
takes seconds. Frames carry no position: place, scale and north come from the buildings' lon and
lat, outlines from the masks (`--outlines`). Every building that is outlined in a mapped frame
counts, however far away. Nothing that is shipped is fitted on these data.

A level by other people became a set of grades (`grade_set`, noisy by one level); a grade by eye is
beside it. A grade is *inside* where it is in the set, and *off by two* where it is two grades from
the nearest of the set. Sets are wide, so what a grader that always says one grade would reach is
given as well, and a correlation, of which such a grader has none. Shares have exact binomial
intervals (Clopper and Pearson 1934).
Results: benchmarks/results/real_damage.json.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta, spearmanr

from aftermap.config import Quality, Settings
from aftermap.execute import LocalExecutor
from aftermap.model.assessment import GRADES, Assessment, Grade
from aftermap.pipeline import map_footage
from aftermap.progress import progress_on
from aftermap.record import Case
from aftermap.run import Runner
from aftermap.workflows.assess import Graded, grade_map, map_of
from benchmarks.labelled_outlines import STRETCHES, Labelled, Stretch, labelled
from benchmarks.machine import tidy, write_result

UNDER_CONSTRUCTION = ("B025", "B027", "B028")
"""Shells that the README of the data holds for houses being built: no grade is right of them."""
SURE = 0.8
NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A building of a stretch: what people said, and what the machine did."""

    stretch: str
    building: str
    grade_set: tuple[Grade, ...]
    by_eye: Grade | None
    machine: Assessment | None
    skipped: str | None

    @property
    def grade(self) -> Grade | None:
        """The machine's; None where it was not assessed."""
        return None if self.machine is None else self.machine.grade

    @property
    def off(self) -> int | None:
        """How many grades from the nearest of the set; None where not assessed."""
        if self.grade is None:
            return None
        return min(abs(GRADES.index(self.grade) - GRADES.index(one)) for one in self.grade_set)

    @property
    def why_not(self) -> str | None:
        """Why it has no grade."""
        return self.skipped or (self.machine.not_assessed_reason if self.machine else None)


def main() -> None:
    """Map what is not mapped, grade, print the figures and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder of dorian_clip1 and dorian_clip2")
    parser.add_argument("work", type=Path, help="folder of the cases")
    parser.add_argument("--model", type=Path, help="another grading model")
    parser.add_argument("--only", nargs="+", default=list(STRETCHES), choices=list(STRETCHES))
    parser.add_argument(
        "--draft", nargs="*", default=[], choices=list(STRETCHES), help="mapped at draft quality"
    )
    parser.add_argument("--write", action="store_true", help="into results/real_damage.json")
    asked = parser.parse_args()
    verdicts: list[Verdict] = []
    maps = {}
    for name in asked.only:
        graded, maps[name] = graded_stretch(
            asked.data,
            asked.work,
            name,
            Settings(
                outlines=asked.data / STRETCHES[name].folder,
                model=asked.model,
                quality=Quality.DRAFT if name in asked.draft else Quality.STANDARD,
            ),
        )
        verdicts += verdicts_of(name, asked.data / STRETCHES[name].folder, graded)
    result = {
        "not_mapped_here": [name for name in STRETCHES if name not in asked.only],
        "pooled": figures_of(verdicts),
        "maps": maps,
        **{name: figures_of([v for v in verdicts if v.stretch == name]) for name in asked.only},
        "each": [_row(verdict) for verdict in verdicts],
    }
    print(json.dumps(tidy({k: v for k, v in result.items() if k != "each"}), indent=1))
    for row in result["each"]:
        print(*row.values(), sep=" | ")
    if asked.write:
        print(write_result("real_damage", result))


def graded_stretch(
    data: Path, work: Path, name: str, settings: Settings
) -> tuple[Graded, dict[str, Any]]:
    """The buildings of a stretch as the machine grades them, and what its map is."""
    stretch = STRETCHES[name]
    truth = labelled(data, stretch)
    frames, case_path = work / "frames" / name, work / "case" / name
    if not (case_path / "products" / "surface.tif").exists():
        _lay_out(truth, frames)
        with progress_on(sys.stderr) as progress:
            map_footage(
                [frames],
                case_path,
                replace(settings, model=None),
                fresh=False,
                progress=progress,
                workers=None,
            )
    with (
        progress_on(sys.stderr) as progress,
        Case.create_or_open(case_path) as case,
        Runner(case, command="assess", options=settings, progress=progress) as run,
        LocalExecutor(None, progress=progress, preload=("numpy", "cv2", "numba")) as executor,
    ):
        made = map_of(run)
        graded = grade_map(made, settings, case, run, executor)
    cameras = made.cameras
    return graded, {
        "quality": settings.quality,
        "frames": len(truth.frames),
        "mapped": len(cameras.mapped),
        "crs": cameras.crs,
        "places_used": len(cameras.control),
        "georeferencing": [text for text in cameras.warnings if "known place" in text],
        "ground_sample_m": made.elevation.ground_sample_m,
        "cell_m": made.elevation.surface.grid.cell_m,
    }


def _lay_out(truth: Labelled, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for frame in truth.frames:
        (folder / frame).write_bytes((truth.data / "frames" / frame).read_bytes())


def verdicts_of(name: str, folder: Path, graded: Graded) -> list[Verdict]:
    """Every building that is outlined in a frame of the stretch."""
    eyes = {row["building"]: Grade(row["grade"]) for row in _rows(folder / "eye_grades.csv")}
    machine = {one.source_id: one for one in graded.grading.assessments}
    skipped = {one.name: one.reason for one in graded.footprints.skipped}
    shown = _shown(folder, STRETCHES[name])
    return [
        Verdict(
            stretch=name,
            building=row["building"],
            grade_set=tuple(Grade(word) for word in row["grade_set"].split("|")),
            by_eye=eyes.get(row["building"]),
            machine=machine.get(row["building"]),
            skipped=skipped.get(row["building"]),
        )
        for row in _rows(folder / "buildings.csv")
        if row["building"] in shown
    ]


def _shown(folder: Path, stretch: Stretch) -> set[str]:
    return {
        row["building"]
        for row in _rows(folder / "instances.csv")
        if stretch.first <= int(Path(row["frame"]).stem.split("_")[1]) <= stretch.last
    }


def figures_of(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Counts, shares with 95 % intervals, and the matrix of sets against grades."""
    shells = [one for one in verdicts if one.building in UNDER_CONSTRUCTION]
    others = [one for one in verdicts if one.building not in UNDER_CONSTRUCTION]
    graded = [one for one in others if one.grade is not None]
    inside = sum(one.off == 0 for one in graded)
    sure = [
        f"{one.stretch} {one.building}"
        for one in graded
        if (one.off or 0) >= 2 and one.machine and (one.machine.confidence or 0) > SURE
    ]
    eyes = [one for one in graded if one.by_eye is not None]
    apart = [abs(GRADES.index(one.grade) - GRADES.index(one.by_eye)) for one in eyes]  # type: ignore[arg-type]
    return {
        "buildings": len(others),
        "assessed": len(graded),
        "assessed_fraction": with_interval(len(graded), len(others)),
        "inside_grade_set": with_interval(inside, len(graded)),
        "inside_if_always_one_grade": {
            grade: sum(grade in one.grade_set for one in graded) / max(len(graded), 1)
            for grade in GRADES
        },
        "rank_correlation": correlation_of(graded),
        "off_by_two_or_more": sum((one.off or 0) >= 2 for one in graded),
        "off_by_two_and_sure": sure,
        "same_as_by_eye": with_interval(sum(a == 0 for a in apart), len(eyes)),
        "within_one_of_by_eye": with_interval(sum(a <= 1 for a in apart), len(eyes)),
        "set_against_machine": matrix_of(others),
        "not_assessed_because": dict(
            Counter(_kind(one.why_not) for one in others if one.grade is None).most_common()
        ),
        "under_construction": {
            f"{one.stretch} {one.building}": one.grade or NOT_ASSESSED for one in shells
        },
    }


def correlation_of(graded: Sequence[Verdict]) -> dict[str, float] | None:
    """Spearman's correlation of the mean grade by the probabilities with the middle of the set."""
    pairs = [
        (np.dot(one.machine.probabilities, range(5)), np.mean([*map(GRADES.index, one.grade_set)]))
        for one in graded
        if one.machine is not None and one.machine.probabilities is not None
    ]
    if len(pairs) < 3:
        return None
    found = spearmanr(*np.array(pairs, float).T)
    return {"rho": float(found.statistic), "p_by_chance": float(found.pvalue)}


def with_interval(count: int, total: int) -> dict[str, Any]:
    """A share and the exact 95 % interval of its proportion (Clopper and Pearson 1934)."""
    if not total:
        return {"count": 0, "of": 0, "share": None, "interval": None}
    low = float(beta.ppf(0.025, count, total - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, total - count)) if count < total else 1.0
    return {"count": count, "of": total, "share": count / total, "interval": [low, high]}


def matrix_of(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """How many buildings of each grade set got which grade."""
    sets = sorted({one.grade_set for one in verdicts}, key=lambda s: [GRADES.index(g) for g in s])
    columns = [*GRADES, NOT_ASSESSED]
    return {
        "|".join(own): {
            column: sum(
                one.grade_set == own and (one.grade or NOT_ASSESSED) == column for one in verdicts
            )
            for column in columns
        }
        for own in sets
    }


def _kind(reason: str | None) -> str:
    """A reason without its numbers."""
    return " ".join(w for w in (reason or "not in the map").split() if not w[0].isdigit())


def _row(one: Verdict) -> dict[str, Any]:
    return {
        "stretch": one.stretch,
        "building": one.building,
        "grade_set": "|".join(one.grade_set),
        "by_eye": one.by_eye,
        "machine": one.grade or NOT_ASSESSED,
        "off": one.off,
        "probabilities": None if one.machine is None else one.machine.probabilities,
        "why_not": one.why_not if one.grade is None else None,
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
