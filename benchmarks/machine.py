"""Where, when and with what a number was measured; results go to benchmarks/results/ as JSON.

Only what makes numbers comparable is written: no host name, no user, no paths.
"""

import json
import os
import pkgutil
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import aftermap
from aftermap import workflows
from aftermap.run import Stage

RESULTS = Path(__file__).parent / "results"
LIBRARIES = (
    "aftermap",
    "numpy",
    "numba",
    "opencv-python-headless",
    "pycolmap",
    "pyproj",
    "rasterio",
    "scipy",
    "pillow",
    "embreex",
    "laspy",
)


def stage_versions() -> dict[str, int]:
    """The version of every stage of the Aftermap that is imported, by the stage's name."""
    found: dict[str, int] = {}
    for module in pkgutil.iter_modules(workflows.__path__):
        members = vars(import_module(f"{workflows.__name__}.{module.name}")).values()
        found |= {one.name: one.version for one in members if isinstance(one, Stage)}
    return dict(sorted(found.items()))


def circumstances() -> dict[str, Any]:
    """Machine, versions, time in UTC and the commit of the Aftermap that is measured."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cpu": _field(Path("/proc/cpuinfo"), "model name"),
            "architecture": platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": f"{platform.system()} {platform.release()}",
            "load_at_the_end": round(os.getloadavg()[0], 2),
        },
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in LIBRARIES},
        "stages": stage_versions(),
    }


def write_result(name: str, figures: Mapping[str, Any]) -> Path:
    """The path of results/NAME.json, which holds the circumstances and then the figures."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = circumstances() | dict(figures)
    path.write_text(json.dumps(tidy(content), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def tidy(value: Any) -> Any:
    """The same with floats cut to 6 significant digits, and NumPy's numbers as plain ones."""
    if isinstance(value, Mapping):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]
    if hasattr(value, "item"):
        return tidy(value.item())
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _commit() -> str:
    """The commit of the source tree that is imported; "+changes" where it differs from that."""
    source = Path(aftermap.__file__).parent
    commit = _git(source, "rev-parse", "--short=12", "HEAD")
    changed = _git(source, "status", "--porcelain", "--", ".")
    return commit + ("+changes" if changed else "")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],  # noqa: S607 - git is whichever the user has
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "unknown")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
