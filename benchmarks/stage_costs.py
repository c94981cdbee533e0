"""Costs of finished runs to the coefficients that estimates are made with.

    .venv/bin/python -m benchmarks.costs fit CASE.cost.json...

`benchmarks.costs map` keeps, for every run, what it was made of (`workload`), the workers, and by
stage CPU seconds, peak memory, peak disk of the stage's folder and what is left of it. The fit
writes src/aftermap/stage_costs.json: CPU time and disk by non-negative least squares of relative
errors, so that small runs count like large ones; memory likewise, beyond what the program holds
before the work (the stage `photographs`), and then raised by so much for each worker that no
measured run needs more than its estimate. Runs with one worker do not count there: their one
process does all, and holds less than a main process and a worker. CPU time is fitted to stages that
had their cores to themselves (a core that is shared does less in a second), disk to runs in which
it was watched.
Take runs of several qualities, sizes and numbers of pictures.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from scipy.optimize import nnls

from aftermap.estimate import (
    STAGES,
    Costs,
    StageCosts,
    Workload,
    as_kept,
    megapixels_of,
    memory_pictures,
    sources_factor,
    workload_of,
)
from aftermap.geo.arrays import Array
from aftermap.surface import SurfaceOptions

SAMPLE_EVERY_S = 0.25
BEFORE_THE_WORK = "photographs"
"""The stage whose memory is that of the program alone."""
UNDISTURBED_FRACTION = 0.7
"""Of the time of its cores: a stage that had less shared them with other programs."""
COSTS_FILE = Path(__file__).resolve().parent.parent / "src" / "aftermap" / "stage_costs.json"


def case_workload(case: Path, quality: str) -> dict[str, Any]:
    """What a finished map was made of, from its cameras.json."""
    frames = json.loads((case / "products" / "cameras.json").read_text("utf-8"))["frames"]
    sizes = [(f["width_px"], f["height_px"]) for f in frames if f["mapped"]]
    options = SurfaceOptions.of(quality)  # type: ignore[arg-type]
    return asdict(
        workload_of(sizes, matched_side_px=options.dense_side_px, sources=options.sources)
    )


class DiskWatch:
    """Looks at the folders of a case's stages while a run is at work: the most that each held."""

    def __init__(self, case: Path) -> None:
        self._stages = case / "products" / "stages"
        self.peak_bytes: dict[str, int] = {}

    def left_bytes(self) -> dict[str, int]:
        """What the stages hold now."""
        return {name: self._size(name) for name in STAGES}

    def _size(self, name: str) -> int:
        total = 0
        for file in self._stages.glob(f"{name}-*/**/*"):
            try:
                total += file.stat().st_size
            except OSError:  # gone meanwhile
                continue
        return total

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_EVERY_S):
            for name, size in self.left_bytes().items():
                self.peak_bytes[name] = max(size, self.peak_bytes.get(name, 0))

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()


def fitted(runs: Sequence[Mapping[str, Any]]) -> Costs:
    """The coefficients that fit what runs cost, each as ``benchmarks.costs map`` keeps it."""
    whole = {name: _stage(name, [r for r in runs if name in r["stages"]]) for name in STAGES}
    busy = [
        busy_fraction(run, name)
        for run in runs
        for name in STAGES
        if name in run["stages"] and busy_fraction(run, name) >= UNDISTURBED_FRACTION
    ]
    return Costs(stages=whole, busy_fraction=round(min(1.0, float(np.median(busy))), 3))


def busy_fraction(run: Mapping[str, Any], name: str) -> float:
    """How much of its cores' time a stage had."""
    spent = run["stages"][name]
    return float(spent["cpu_s"] / (spent["wall_s"] * run["workers"]))


def write_fit(paths: Sequence[Path], circumstances: Mapping[str, Any]) -> Path:
    """Fit the costs in files and write ``stage_costs.json``, with what it was fitted to."""
    runs = [json.loads(path.read_text("utf-8")) for path in paths]
    source = dict(circumstances) | {
        "by": "benchmarks.costs fit",
        "runs": [
            {"case": path.name.removesuffix(".cost.json"), **run}
            for path, run in zip(paths, runs, strict=True)
        ],
    }
    text = json.dumps(as_kept(fitted(runs)) | {"source": source}, indent=1)
    COSTS_FILE.write_text(text + "\n", encoding="utf-8")
    return COSTS_FILE


def _stage(name: str, runs: Sequence[Mapping[str, Any]]) -> StageCosts:
    works = [Workload(**run["workload"]) for run in runs]
    spent = [run["stages"][name] for run in runs]
    factor = np.array([sources_factor(name, work) for work in works])
    pictures = np.array([float(work.pictures) for work in works])
    total = np.array([megapixels_of(name, work)[0] for work in works])
    alone = np.array([busy_fraction(run, name) >= UNDISTURBED_FRACTION for run in runs])
    cpu = _solved(
        np.column_stack([pictures * factor, total * factor])[alone], _column(spent, "cpu_s")[alone]
    )
    watched = np.array(["peak_disk_bytes" in one for one in spent])
    on_disk = [one for one in spent if "peak_disk_bytes" in one]
    disk = _solved(np.column_stack([pictures, total])[watched], _column(on_disk, "peak_disk_bytes"))
    left = _column(on_disk, "left_disk_bytes") / total[watched]
    main, memory = _memory(name, [run for run in runs if run["workers"] > 1])
    return StageCosts(
        picture_cpu_s=_short(cpu[0]),
        megapixel_cpu_s=_short(cpu[1]),
        main_memory_bytes=_short(main),
        picture_memory_bytes=_short(memory[0]),
        worker_memory_bytes=_short(memory[1]),
        worker_megapixel_memory_bytes=_short(memory[2]),
        picture_disk_bytes=_short(disk[0]),
        megapixel_disk_bytes=_short(disk[1]),
        megapixel_kept_bytes=_short(float(left.max())),
    )


def _memory(name: str, runs: Sequence[Mapping[str, Any]]) -> tuple[float, Array]:
    """Bytes of the main process; and for each picture, worker, and worker and megapixel."""
    works = [Workload(**run["workload"]) for run in runs]
    workers = np.array([float(run["workers"]) for run in runs])
    largest = np.array([megapixels_of(name, work)[1] for work in works])
    counted = np.array([float(memory_pictures(name, work)) for work in works])
    main = min(float(run["stages"][BEFORE_THE_WORK]["peak_memory_bytes"]) for run in runs)
    held = _column([run["stages"][name] for run in runs], "peak_memory_bytes") - main
    columns = np.column_stack([counted, workers, workers * largest])
    memory = _solved(columns, held)
    memory[1] += max(0.0, float(((held - columns @ memory) / workers).max()))
    return main, memory


def _solved(columns: Array, measured: Array) -> Array:
    """Coefficients of no less than 0 whose relative errors are least."""
    return np.asarray(nnls(columns / measured[:, None], np.ones(len(measured)))[0], float)


def _column(spent: Sequence[Mapping[str, float]], key: str) -> Array:
    return np.array([float(one[key]) for one in spent])


def _short(value: float) -> float:
    """Four digits: more were not measured."""
    return float(f"{value:.4g}")
