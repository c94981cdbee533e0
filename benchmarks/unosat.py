"""UNOSAT's points of Raqqa read, crosswalked, written in UNOSAT's schema and read again.

    .venv/bin/python -m benchmarks.unosat [--data DIR]

Writes benchmarks/results/unosat.json.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely

from aftermap.assessment.reference_assessment import (
    OtherAssessment,
    ReferenceOptions,
    other_assessment,
)
from aftermap.assessment.scales import Code, Meaning, Scale, codes_for
from aftermap.geo.crs import WGS84
from aftermap.model.assessment import Grade
from aftermap.model.runs import Skipped
from aftermap.publish.exchange.unosat import DamageSite, write_unosat
from benchmarks.machine import write_result

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
ASKED = ReferenceOptions(
    scale=Scale.UNOSAT_RECODED, layer="raqqa_damage", field="2017-10-21", crs="EPSG:4326"
)


def main() -> None:
    """Make the round trip and write what was lost on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    folder = parser.parse_args().data / "unosat"
    began_s = time.process_time()
    first = other_assessment(folder / "raqqa_damage.gpkg", ASKED)
    sites, skipped = unosat_sites(first)
    with tempfile.TemporaryDirectory() as place:
        path = write_unosat(Path(place) / "raqqa.gpkg", sites)
        again = other_assessment(path, ReferenceOptions(scale=Scale.UNOSAT))
    pairs = list(zip(first.codes, again.codes, strict=True))
    apart = shapely.distance(first.shapes, again.shapes)
    figures = {
        "points": len(first.codes),
        "rated_in_3_classes": sum(again.counts()[code] for code in "123"),
        "no_visible_damage": again.counts()["6"],
        "kept_apart_without_a_rating": again.counts()[""],
        "by_code_before": first.counts(),
        "by_code_after": again.counts(),
        "left_out": len(skipped),
        "changed": sum((a and a.grades) != (b and b.grades) for a, b in pairs),
        "moved_most_deg": float(np.max(apart)),
        "cpu_s": time.process_time() - began_s,
    }
    print(write_result("unosat", figures))
    print(figures)


def unosat_sites(other: OtherAssessment) -> tuple[tuple[DamageSite, ...], tuple[Skipped, ...]]:
    """Another's sites in UNOSAT's codes, and those that have no one code there.

    Sites without a value keep none. A polygon becomes a place inside of it.
    """
    places = shapely.get_coordinates(shapely.point_on_surface(other.shapes_in(WGS84)))
    sites, skipped = [], []
    for fid, (lon, lat), code in zip(other.fids.tolist(), places, other.codes, strict=True):
        classes = _unosat_codes(code)
        if code is not None and len(classes) != 1:
            reason = f"{code.label} has no single UNOSAT class"
            skipped.append(Skipped(name=f"{other.name}, site {fid}", reason=reason))
            continue
        sites.append(
            DamageSite(
                site_id=str(fid),
                lonlat_deg=(float(lon), float(lat)),
                main_class=int(classes[0].code) if classes else None,
                sensor_date=other.date,
                grade=code.grades[0].value if code is not None and code.grades else None,
            )
        )
    return tuple(sites), tuple(skipped)


def _unosat_codes(code: Code | None) -> tuple[Code, ...]:
    if code is None:
        return ()
    if code.scale is Scale.UNOSAT:
        return (code,)
    words: tuple[Grade | Meaning, ...] = code.grades or (code.meaning,)
    found = [one for word in words for one in codes_for(Scale.UNOSAT, word)]
    return tuple(dict.fromkeys(found)) if len(words) == len(found) else ()


if __name__ == "__main__":
    main()
