"""The figures of surfaces with what they should reach: results/surfaces.json, before and after."""

from benchmarks.rows import Row, least, most

TRIO = (("nadir99", "twin nadir 99"), ("oblique40", "twin oblique 40"), ("clip", "twin clip"))
WITHIN = {
    ("nadir99", "seen_by_two"): (95, 98.7),
    ("oblique40", "called_measured"): (88, 96),
    ("clip", "called_measured"): (85, 95),
}
OFF = {"nadir99": 1.3, "clip": 5}
EDGE = {"nadir99": 0.06, "clip": 0.2}
STRAIGHT = {"nadir99": 0.5, "oblique40": 1}
SHARE = {"clip": 62}
PYORTHO, PYARCHINIT = "pyorthomosaic", "pyarchinit-photogrammetry"
MEASURES = (("seen_by_two", "of cells that two pictures see"), ("called_measured", "of measured"))


def _within() -> list[Row]:
    return [
        Row(
            what=f"within {reach}",
            data=f"{data}, {cells}",
            path=f"{name}.{part}.{key}",
            factor=100,
            shown="{:.1f} %",
            goal=f"≥ {goal[k]} %" if (goal := WITHIN.get((name, part))) else "",
            is_reached=least(goal[k]) if goal else None,
        )
        for name, data in TRIO
        for part, cells in MEASURES
        for k, (reach, key) in enumerate((("0.25 m", "within_0.25_m"), ("1 m", "within_1_m")))
    ]


def _one_each(
    what: str, path: str, shown: str, goals: dict[str, float], factor: float = 1.0, note: str = ""
) -> list[Row]:
    """The same figure of every flight; goals are upper limits in the unit that is shown."""
    unit = shown.partition("}")[2]
    return [
        Row(
            what=what,
            data=data,
            path=f"{name}.{path}",
            shown=shown,
            factor=factor,
            note=note,
            goal=f"≤ {goals[name]:g}{unit}" if name in goals else "",
            is_reached=most(goals[name]) if name in goals else None,
        )
        for name, data in TRIO
    ]


SURFACES = (
    *_within(),
    *(
        Row(
            what="called measured",
            data=f"{data}, of cells that two pictures see",
            path=f"{name}.called_measured.share",
            factor=100,
            shown="{:.1f} %",
            goal=f"≥ {SHARE[name]} %" if name in SHARE else "",
            is_reached=least(SHARE[name]) if name in SHARE else None,
        )
        for name, data in TRIO
    ),
    *_one_each(
        "off by over 1 m",
        "called_measured.off_by_over_1_m",
        "{:.1f} %",
        OFF,
        100,
        "of measured cells",
    ),
    *_one_each("NMAD", "called_measured.nmad_m", "{:.3f} m", {}, note="of measured cells"),
    Row(
        what="RMSE over the flight's outline",
        data="twin nadir 99",
        path="nadir99.outline.rmse_m",
        shown="{:.2f} m",
        goal="≤ 1.0 m",
        is_reached=most(1.0),
        note="of cells with a height",
    ),
    Row(
        what="without a height",
        data="twin nadir 99, outline",
        factor=100,
        path="nadir99.outline.without_height",
        shown="{:.1f} %",
        goal="",
    ),
    *_one_each(
        "roof edge outside the true one: median",
        "roof_edge.measured.outside_median_m",
        "{:+.2f} m",
        EDGE,
        note="of measured cells",
    ),
    *_one_each(
        "roof edge found",
        "roof_edge.measured.found",
        "{:.0f} %",
        {},
        100,
        "within 1.4 m of the true one, by measured cells",
    ),
    *_one_each(
        "straightness of roof edges: median",
        "roof_edge.measured.straightness_median_px",
        "{:.2f} px",
        STRAIGHT,
        note="orthophoto pixels from the best line",
    ),
    *_one_each(
        "taken from a façade",
        "walls.from_facade",
        "{:.2f} %",
        {"oblique40": 0.5},
        100,
        "of the orthophoto's pixels",
    ),
    *_one_each(
        "inside one stated sigma",
        "sigma.all.inside_1_sigma",
        "{:.0f} %",
        {},
        100,
        "of measured cells; 68 ± 5 %",
    ),
    Row(
        what="map measured by two or more",
        data="ochota_city",
        factor=100,
        shown="{:.1f} %",
        path="ochota_city.map.measured_share_of_area",
        goal="≥ 75 %",
        is_reached=least(75),
    ),
    *(
        Row(what="CPU time", data=data, path=f"{name}.cost.cpu_s", shown="{:.0f} s", goal="")
        for name, data in (
            *TRIO,
            ("ochota_city", "ochota_city"),
            ("brighton_beach", "brighton_beach"),
        )
    ),
    *(
        Row(
            what="CPU time against a peer's",
            data=f"{name}, {peer}",
            factor=100,
            shown="{:.0f} %",
            path=f"{name}.share_of_peers_cpu",
            goal=f"≤ {goal} %",
            is_reached=most(goal),
        )
        for name, peer, goal in (
            ("nadir99", PYORTHO, 65),
            ("brighton_beach", PYORTHO, 65),
            ("ochota_city", PYARCHINIT, 80),
        )
    ),
    *(
        Row(
            what="peak memory",
            data=data,
            path=f"{name}.cost.peak_memory_bytes",
            factor=1e-9,
            shown="{:.2f} GB",
            goal="≤ 2 GB",
            is_reached=most(2),
        )
        for name, data in (
            *TRIO,
            ("ochota_city", "ochota_city"),
            ("brighton_beach", "brighton_beach"),
        )
    ),
)
