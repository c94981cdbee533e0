"""The results as the tables of docs/benchmarks.md, which are put there between their markers.

.venv/bin/python -m benchmarks.table
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
NO_FIGURE = "not measured"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table: a figure at ``path`` in the results, and the goal it should reach."""

    what: str
    data: str
    path: str
    goal: str
    shown: str
    is_reached: Callable[[float], bool] | None = None
    note: str = ""
    factor: float = 1.0


def most(limit: float) -> Callable[[float], bool]:
    """Whether a figure is at most a limit, whatever its sign."""
    return lambda value: abs(value) <= limit


def least(limit: float) -> Callable[[float], bool]:
    """Whether a figure is at least a limit."""
    return lambda value: value >= limit


ALL, SEEN = "accuracy.twin.surface.all_cells", "accuracy.twin.surface.seen_by_two"
CLOUD, CHECK = "accuracy.brighton_beach.cloud", "accuracy.twin_with_control.check"
OURS = (
    Row(what="photographs in one model", data="brighton_beach", goal="18 of 18", shown="{:.0f}",
        path="accuracy.brighton_beach.photographs.in_one_model", is_reached=least(18)),
    Row(what="", data="ochota_city, no GPS", goal="40 of 40", shown="{:.0f}",
        path="accuracy.ochota_city.photographs.in_one_model", is_reached=least(40)),
    Row(what="median ground height", data="brighton_beach", goal="162.3 ± 1.5 m",
        shown="{:.2f} m", path=f"{CLOUD}.ground.median_m",
        is_reached=lambda value: abs(value - 162.3) <= 1.5, note="nothing removed"),
    Row(what="surface against the cloud: NMAD", data="brighton_beach", goal="≤ 0.04 m",
        shown="{:.3f} m", path=f"{CLOUD}.spread.nmad_m", is_reached=most(0.04),
        note="plane removed"),
    Row(what="share of the cloud covered", data="brighton_beach", goal="≥ 95 %", shown="{:.1f} %",
        path=f"{CLOUD}.covered_measured", factor=100, is_reached=least(95),
        note="by measured cells"),
    Row(what="surface against truth: NMAD", data="twin, all cells", goal="≤ 0.03 m",
        shown="{:.3f} m", path=f"{ALL}.nmad_m", is_reached=most(0.03)),
    Row(what="RMSE", data="twin, all cells", goal="≤ 0.7 m", shown="{:.2f} m",
        path=f"{ALL}.rmse_m", is_reached=most(0.7)),
    Row(what="RMSE if the surface were perfect", data="twin, all cells", goal="",
        shown="{:.2f} m", path="accuracy.twin.surface_if_perfect.all_cells.rmse_m",
        note="from cells that do not coincide"),
    Row(what="within 0.25 m", data="twin, all cells", goal="≥ 93 %", shown="{:.1f} %",
        path=f"{ALL}.within_0.25_m", factor=100, is_reached=least(93)),
    Row(what="within 1 m", data="twin, all cells", goal="≥ 97.5 %", shown="{:.1f} %",
        path=f"{ALL}.within_1_m", factor=100, is_reached=least(97.5)),
    Row(what="complete", data="twin, all cells", goal="≥ 98 %", shown="{:.1f} %",
        path=f"{ALL}.complete", factor=100, is_reached=least(98), note="measured or filled"),
    Row(what="NMAD", data="twin, seen by two", goal="≤ 0.03 m", shown="{:.3f} m",
        path=f"{SEEN}.nmad_m", is_reached=most(0.03)),
    Row(what="RMSE", data="twin, seen by two", goal="≤ 0.7 m", shown="{:.2f} m",
        path=f"{SEEN}.rmse_m", is_reached=most(0.7)),
    Row(what="within 0.25 m", data="twin, seen by two", goal="≥ 93 %", shown="{:.1f} %",
        path=f"{SEEN}.within_0.25_m", factor=100, is_reached=least(93)),
    Row(what="within 1 m", data="twin, seen by two", goal="≥ 97.5 %", shown="{:.1f} %",
        path=f"{SEEN}.within_1_m", factor=100, is_reached=least(97.5)),
    Row(what="complete", data="twin, seen by two", goal="≥ 98 %", shown="{:.1f} %",
        path=f"{SEEN}.complete", factor=100, is_reached=least(98), note="measured or filled"),
    Row(what="cells seen by two", data="twin, of all cells", goal="", shown="{:.1f} %",
        path=f"{SEEN}.share_of_cells", factor=100, note="the rest nobody can measure"),
    Row(what="camera positions: RMSE", data="twin", goal="≤ 0.08 m", shown="{:.3f} m",
        path="accuracy.twin.cameras.position_rmse_m", is_reached=most(0.08),
        note="similarity removed"),
    Row(what="focal length", data="twin", goal="within 0.3 %", shown="{:+.2f} %", factor=100,
        path="accuracy.twin.cameras.focal_error", is_reached=most(0.3)),
    Row(what="bending by the cameras", data="twin", goal="", shown="{:.4f} m",
        path="accuracy.twin.pose_induced_deformation.rms_m", note="RMS, plane removed"),
    Row(what="marks, no control: RMSE", data="twin", goal="≤ 0.6 px", shown="{:.2f} px",
        path="accuracy.twin.marks.rmse_px", is_reached=most(0.6),
        note="2-D similarity removed"),
    Row(what="check marks, 6 control: horizontal", data="twin", goal="≤ 1 px", shown="{:.2f} px",
        path=f"{CHECK}.rmse_px", is_reached=most(1), note="on the orthophoto, nothing removed"),
    Row(what="check marks, 6 control: height", data="twin", goal="≤ 0.10 m", shown="{:.3f} m",
        path=f"{CHECK}.height_rmse_m", is_reached=most(0.1), note="on the surface, the same"),
    Row(what="CPU time against the peer's", data="brighton_beach", goal="≤ 50 %",
        shown="{:.0f} %", path="speed.brighton_beach.share_of_peers_cpu", factor=100,
        is_reached=most(50)),
    Row(what="", data="twin", goal="≤ 50 %", shown="{:.0f} %",
        path="speed.twin.share_of_peers_cpu", factor=100, is_reached=most(50)),
    Row(what="peak memory", data="brighton_beach", goal="≤ 2 GB", shown="{:.2f} GB",
        path="speed.brighton_beach.aftermap.cost.peak_memory_bytes", factor=1e-9,
        is_reached=most(2), note="whole process tree, PSS"),
    Row(what="CPU per photograph, 200 over 25 photographs", data="twins of 25 to 200",
        goal="< 1.3", shown="{:.2f}", path="growth.last_over_first",
        is_reached=lambda value: value < 1.3),
)  # fmt: skip

BESIDE = (
    Row(what="CPU time", data="brighton_beach", path="cost.cpu_s", goal="", shown="{:.0f} s"),
    Row(what="peak memory", data="brighton_beach", path="cost.peak_memory_bytes", goal="",
        shown="{:.2f} GB", factor=1e-9),
    Row(what="map, of it measured", data="brighton_beach", path="map.area_m2 map.measured_area_m2",
        goal="", shown="{:,.0f} m²"),
    Row(what="CPU time", data="twin", path="cost.cpu_s", goal="", shown="{:.0f} s"),
    Row(what="peak memory", data="twin", path="cost.peak_memory_bytes", goal="",
        shown="{:.2f} GB", factor=1e-9),
    Row(what="map, of it measured", data="twin", path="map.area_m2 map.measured_area_m2", goal="",
        shown="{:,.0f} m²"),
    Row(what="NMAD, plane removed", data="brighton_beach", path="accuracy.cloud.spread.nmad_m",
        goal="", shown="{:.3f} m"),
    Row(what="NMAD, bowl removed too", data="brighton_beach",
        path="accuracy.cloud.without_bowl_nmad_m", goal="", shown="{:.3f} m"),
    Row(what="median ground height (162.3 m)", data="brighton_beach",
        path="accuracy.cloud.ground.median_m", goal="", shown="{:.2f} m"),
    Row(what="cloud covered: measured, with filled", data="brighton_beach",
        path="accuracy.cloud.covered_measured accuracy.cloud.covered_measured_or_filled", goal="",
        shown="{:.1f} %", factor=100),
    *(Row(what=what, data=f"twin, {cells}", path=f"accuracy.surface.{part}.{key}", goal="",
          shown=shown, factor=factor)
      for cells, part in (("all cells", "all_cells"), ("seen by two", "seen_by_two"))
      for what, key, shown, factor in (
          ("NMAD", "nmad_m", "{:.3f} m", 1.0), ("RMSE", "rmse_m", "{:.2f} m", 1.0),
          ("within 0.25 m", "within_0.25_m", "{:.1f} %", 100.0),
          ("within 1 m", "within_1_m", "{:.1f} %", 100.0),
          ("complete", "complete", "{:.1f} %", 100.0))),
    Row(what="camera positions: RMSE", data="twin", path="accuracy.cameras.position_rmse_m",
        goal="", shown="{:.3f} m"),
    Row(what="focal length", data="twin", path="accuracy.cameras.focal_error", goal="",
        shown="{:+.2f} %", factor=100),
    Row(what="marks, no control: RMSE", data="twin", path="accuracy.marks.rmse_px", goal="",
        shown="{:.2f} px"),
)  # fmt: skip


def main() -> None:
    """Write the tables into the document, and print them."""
    results = {path.stem: json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")}
    text = DOCUMENT.read_text(encoding="utf-8")
    tables = {"figures": _goals(results), "peer": _peer(results), "growth": _growth(results)}
    for name, lines in tables.items():
        table = "\n".join(lines)
        print(table, end="\n\n")
        between = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text = re.sub(between, rf"\g<1>{table}\n\g<2>", text, flags=re.DOTALL)
    DOCUMENT.write_text(text, encoding="utf-8")


def _goals(results: Any) -> list[str]:
    lines = ["| what | data | goal | measured | note |", "|---|---|---|---|---|"]
    for row in OURS:
        value = _figure(results, row.path)
        short = value is not None and row.is_reached and not row.is_reached(value * row.factor)
        shown = _shown(row, [value])
        measured = f"**{shown}**" if short else shown
        lines.append(f"| {row.what} | {row.data} | {row.goal} | {measured} | {row.note} |")
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
    """The number at a path; keys that hold a point themselves (within_0.25_m) are found too."""
    here = results
    words = path.replace("within_0.25_m", "within_0,25_m").split(".")
    for word in words:
        here = here.get(word.replace(",", ".")) if isinstance(here, dict) else None
    return None if here is None else float(here)


if __name__ == "__main__":
    main()
