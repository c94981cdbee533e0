"""Twin districts flown twice: photographs straight down, and a drone's slanting clip of the same.

    python -m benchmarks.graded_flights FOLDER DISTRICT...      makes and maps what FOLDER lacks

A district is a seed of the plain city, or STYLE:SEED with city (its wider range), village or
blocks. FOLDER/DISTRICT (31, village-51) holds `flight` (images, clips, truth) and the cases
`photographs`, `clips` and `both`, mapped at draft quality. Districts are those of about 40
photographs; the clip has 2.5 pictures a second, and 40 seconds. Measured by graded_footage.py.
"""

import argparse
import json
import shutil
from fractions import Fraction
from pathlib import Path

from aftermap_twin import make
from aftermap_twin.clip_options import ClipOptions
from aftermap_twin.clips import make_clips
from aftermap_twin.flight import stations_of
from aftermap_twin.making import scene_for
from aftermap_twin.options import Style, TwinOptions
from aftermap_twin.render import studio_for
from benchmarks.machine import tidy
from benchmarks.running import aftermap_command, run

PHOTOS = 40
BLOCKS_GROUND_SAMPLE_M = 0.11
CLIP = ClipOptions(drone_fps=Fraction(5, 2))
WAYS = {"photographs": ("images",), "clips": ("clips",), "both": ("images", "clips")}
"""What each case is mapped from, as folders of the flight."""
DONE_IN_PART = 1


def main() -> None:
    """Make and map the seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("districts", nargs="+")
    parser.add_argument("--quality", default="draft")
    options = parser.parse_args()
    for district in options.districts:
        flight = made(options.folder / district.replace(":", "-"), district_options(district))
        for way in WAYS:
            mapped(flight, way, options.quality)


def district_options(district: str) -> TwinOptions:
    """What is flown: ``31``, or ``village:51``."""
    style, _, seed = district.rpartition(":")
    if not style:
        return TwinOptions(seed=int(seed), photos=PHOTOS)
    ground_sample_m = BLOCKS_GROUND_SAMPLE_M if style == Style.BLOCKS else 0.077
    return TwinOptions(
        seed=int(seed),
        style=Style(style),
        variety=True,
        photos=PHOTOS,
        ground_sample_m=ground_sample_m,
    )


def made(folder: Path, twin: TwinOptions) -> Path:
    """The flight of a district, made if its clip is not there."""
    flight = folder / "flight"
    if not (flight / "truth/clips.json").exists():
        shutil.rmtree(flight, ignore_errors=True)
        make(flight, twin)
        _film(flight, twin)
    return flight


def _film(flight: Path, twin: TwinOptions) -> None:
    """The drone's clip that `aftermap twin --clips` makes, without the other two."""
    studio = studio_for(twin, scene_for(twin, stations_of(twin)))
    make_clips(flight, studio, CLIP, kinds=("drone",))
    shutil.rmtree(flight / "clips/one_hz")


def mapped(flight: Path, way: str, quality: str) -> Path:
    """The case of a flight mapped one way, made if it has no report."""
    case = flight.parent / way
    if not (case / "products/report.html").exists():
        command = aftermap_command(
            "map",
            *(flight / part for part in WAYS[way]),
            "--case",
            case,
            "--quality",
            quality,
            "--no-proxies",
        )
        cost = run(command, case.with_suffix(".log"), allowed=(0, DONE_IN_PART))
        figures = json.dumps(tidy(cost.figures()), indent=1) + "\n"
        case.with_suffix(".cost.json").write_text(figures, encoding="utf-8")
    return case


if __name__ == "__main__":
    main()
