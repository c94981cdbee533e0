"""The results as the tables of docs/reference/benchmarks.md, put there between their markers.

.venv/bin/python -m benchmarks.table
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.freshness import measured_at
from benchmarks.machine import RESULTS, stage_versions
from benchmarks.rows import BESIDE, FOOTAGE, OURS, Row
from benchmarks.rows_of_buildings import BUILDINGS
from benchmarks.rows_of_surfaces import SURFACES

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reference" / "benchmarks.md"
NO_FIGURE = "not measured"


def main() -> None:
    """Write the tables into the document, and print them."""
    text = with_tables(DOCUMENT.read_text(encoding="utf-8"))
    print(text)
    DOCUMENT.write_text(text, encoding="utf-8")


def with_tables(text: str) -> str:
    """The document with the tables of the recorded results between their markers."""
    results = {path.stem: json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")}
    tables = {
        "figures": _goals(results, OURS),
        "footage": _goals(results, FOOTAGE),
        "buildings": _goals(results, BUILDINGS),
        "surfaces": _told_at(results, "surfaces")
        + _before_and_after(results.get("surfaces", {}), SURFACES),
        "peer": _told_at(results, "speed") + _peer(results),
        "growth": _told_at(results, "growth") + _growth(results),
    }
    for name, lines in tables.items():
        table = "\n".join(lines)
        between = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text = re.sub(between, rf"\g<1>{table}\n\g<2>", text, flags=re.DOTALL)
    return text


def _at(results: Any, path: str) -> str:
    """At which commit the figure of a row was measured, and whether its stages are older."""
    name = path.partition(".")[0]
    return measured_at(name, results[name], stage_versions()) if name in results else ""


def _goals(results: Any, rows: Sequence[Row]) -> list[str]:
    lines = ["| what | data | goal | measured | note | at |", "|---|---|---|---|---|---|"]
    for row in rows:
        value = _figure(results, row.path)
        short = value is not None and row.is_reached and not row.is_reached(value * row.factor)
        shown = _shown(row, [value])
        measured = f"**{shown}**" if short else shown
        at = _at(results, row.path)
        lines.append(f"| {row.what} | {row.data} | {row.goal} | {measured} | {row.note} | {at} |")
    return lines


def _told_at(results: Any, name: str) -> list[str]:
    """The same for all of a table that has one result."""
    return [f"Measured at {_at(results, name)}.", ""]


def _before_and_after(results: Any, rows: Sequence[Row]) -> list[str]:
    """The same figures of an earlier state and of this one; only the later is judged."""
    lines = ["| what | data | goal | before | now | note |", "|---|---|---|---|---|---|"]
    for row in rows:
        before, now = (_figure(results.get(state, {}), row.path) for state in ("before", "after"))
        short = now is not None and row.is_reached and not row.is_reached(now * row.factor)
        shown = f"**{_shown(row, [now])}**" if short else _shown(row, [now])
        earlier = _shown(row, [before])
        lines.append(f"| {row.what} | {row.data} | {row.goal} | {earlier} | {shown} | {row.note} |")
    return lines


def _peer(results: Any) -> list[str]:
    lines = ["| what | data | Aftermap | pyorthomosaic |", "|---|---|---|---|"]
    for row in BESIDE:
        both = []
        for who in ("aftermap", "peer"):
            place = f"speed.{row.data.partition(',')[0]}.{who}"
            both.append(_shown(row, [_figure(results, f"{place}.{p}") for p in row.path.split()]))
        lines.append(f"| {row.what} | {row.data} | {both[0]} | {both[1]} |")
    return lines


def _growth(results: Any) -> list[str]:
    lines = ["| photographs | CPU per photograph | peak memory | map |", "|---|---|---|---|"]
    for flight in results.get("growth", {}).get("flights", []):
        cost = flight["cost"]
        lines.append(
            f"| {flight['photographs']} | {flight['cpu_s_per_photograph']:.2f} s "
            f"| {cost['peak_memory_bytes'] / 1e9:.2f} GB | {flight['area_m2'] / 1e4:.1f} ha |"
        )
    return lines


def _shown(row: Row, values: Sequence[float | None]) -> str:
    return ", ".join(
        NO_FIGURE if value is None else row.shown.format(value * row.factor) for value in values
    )


def _figure(results: Any, path: str) -> float | None:
    """The number at a path; keys that hold a point themselves (within_0.25_m) are found too.

    Of a list the path names the place, from 0.
    """
    if isinstance(results, list):
        results = {str(place): value for place, value in enumerate(results)}
    if not isinstance(results, dict):
        return None if path or results is None else float(results)
    for key, value in results.items():
        if path == key or path.startswith(f"{key}."):
            found = _figure(value, path[len(key) + 1 :])
            if found is not None:
                return found
    return None


if __name__ == "__main__":
    main()
