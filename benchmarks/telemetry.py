"""What is understood of telemetry: DJI's subtitles, KLV against gold files, GoPro's payloads.

    .venv/bin/python -m benchmarks.telemetry [--data DIR]

Writes benchmarks/results/telemetry.json. What is measured how: docs/reference/telemetry.md.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from aftermap.errors import InputError
from aftermap.media.telemetry import track_in
from benchmarks.klv_gold import against_st1201, against_stream
from benchmarks.machine import tidy, write_result
from benchmarks.st0601.local_set import FIELDS

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

CUES = {
    "mavic_pro.SRT": 468,
    "old_format.SRT": 468,
    "mavic_pro_buggy.SRT": 546,
    "p4p_sample.SRT": 5,
    "p4_rtk.SRT": 55,
    "mavic_2pro_new.SRT": 8952,
    "m2zoom.SRT": 7113,
    "mavic_air.SRT": 2,
}
"""Of the files that their parser's own tests read (JuanIrache/DJI_SRT_Parser, index.test.js):
subtitles in them. Those tests state 8952 for one, and read the others whole."""
HIGHEST_M = {"mavic_pro.SRT": 118.7, "old_format.SRT": 118.7}
"""Highest barometer reading; the parser's tests state 118.65, which is a mean of neighbours."""


def main() -> None:
    """Measure all three, print them, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=SHARED, help="the shared data folder")
    data: Path = parser.parse_args().data
    figures = {
        "dji_srt": srt_figures(data / "dji_srt"),
        "misb_klv": klv_figures(data / "misb_klv"),
        "gpmf": track_figures(data / "gpmf", ("*.raw", "*.mp4")),
    }
    print(json.dumps(tidy(figures), indent=1))
    print(write_result("telemetry", figures))


def srt_figures(folder: Path) -> dict[str, Any]:
    """Files understood, broken ones refused or listed, and what the parser's tests expect."""
    if not folder.exists():
        return {"skipped": f"no folder {folder.name} in the data folder; name it with --data"}
    files = track_figures(folder, ("*.srt", "*.SRT"))
    sound = {name: one for name, one in files.items() if not name.startswith("broken")}
    broken = {name: one for name, one in files.items() if name.startswith("broken")}
    return {
        "files": len(files),
        "sound": len(sound),
        "sound_understood": sum("dialect" in one for one in sound.values()),
        "broken": len(broken),
        "broken_told": sum(bool(one["refused"]) for one in broken.values()),
        "expected_samples_right": {
            name: files[name].get("samples") == count for name, count in CUES.items()
        },
        "expected_heights_right": {
            name: files[name].get("highest_m") == height for name, height in HIGHEST_M.items()
        },
        "by_file": files,
    }


def klv_figures(folder: Path) -> dict[str, Any]:
    """Values against the gold files, and the tags of klv_gold.json that have a reader.

    That file holds values without the bytes they came from, so no value can be compared.
    """
    if not folder.exists():
        return {"skipped": f"no folder {folder.name} in the data folder; name it with --data"}
    gold = json.loads((folder / "klv_gold.json").read_text("utf-8"))
    tags = {
        entry["key"]["integer"]
        for packet in gold
        if packet["key"]["string"] == "MISB ST0601 Local Set"
        for entry in packet["value"]
    }
    return {
        "streams": against_stream(folder),
        "st1201": against_st1201(folder / "jmisb" / "st1201tests.json"),
        "klv_gold_tags": len(tags),
        "klv_gold_tags_without_reader": sorted(tags - set(FIELDS)),
        "tracks": track_figures(folder, ("*.ts", "*.klv", "klvdata/*.bin")),
    }


def track_figures(folder: Path, patterns: tuple[str, ...]) -> dict[str, Any]:
    """What each file was understood as, or why it was refused."""
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    return {path.name: _track(path) for path in paths}


def _track(path: Path) -> dict[str, Any]:
    start_s = time.perf_counter()
    try:
        track = track_in(path, name=path.name, sha256="0" * 64)
    except InputError as error:
        return {"refused": [str(error)]}
    heights = [one.height_m for one in track.samples if one.height_m is not None]
    return {
        "dialect": track.dialect,
        "samples": len(track.samples),
        "positions": sum(one.lonlat_deg is not None for one in track.samples),
        "attitudes": sum(one.attitude is not None for one in track.samples),
        "datum": str(track.vertical_datum),
        "highest_m": max(heights, default=None),
        "refused": [f"{one.name}: {one.reason}" for one in track.refused],
        "wall_s": round(time.perf_counter() - start_s, 2),
    }


if __name__ == "__main__":
    main()
