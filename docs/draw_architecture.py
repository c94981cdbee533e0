"""Packages, layers and flow as images/architecture.svg: python docs/draw_architecture.py."""

from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "architecture.svg"
WIDTH, HEIGHT = 980, 560
BOX_WIDTH, BOX_HEIGHT = 118, 46
COLUMNS = [20 + 136 * column for column in range(7)]

Box = tuple[str, str, float, float]
BOXES: tuple[Box, ...] = (
    ("media", "originals, telemetry", COLUMNS[0], 210),
    ("frames", "pictures to use", COLUMNS[1], 210),
    ("sfm", "poses, tie points", COLUMNS[2], 210),
    ("surface", "heights, orthophoto", COLUMNS[3], 210),
    ("buildings", "outlines in place", COLUMNS[4], 210),
    ("assessment", "measures, grades", COLUMNS[5], 210),
    ("publish", "reports, exchange", COLUMNS[6], 210),
    ("localization", "poses from a map", COLUMNS[1], 300),
    ("trajectory", "camera in time", COLUMNS[2], 300),
    ("viewshed", "ground per second", COLUMNS[3], 300),
    ("mesh", "textured 3-D", COLUMNS[4], 300),
    ("streets", "trafficability", COLUMNS[5], 300),
    ("record", "case, custody", COLUMNS[6], 300),
)
WIDE: tuple[tuple[str, str, int, str], ...] = (
    (
        "cli · web",
        "what a person touches: commands, and the workbench with its routes",
        20,
        "a",
    ),
    ("pipeline · workflows · search", "what one command does; who saw this spot", 72, "a"),
    ("run · execute · config", "cached stages, processes, settings, costs", 124, "b"),
    ("imaging", "features, matches, grey pictures", 378, "d"),
    ("geo", "maths of space: CRS, grids, lenses, occlusion, robust statistics, arrays", 430, "d"),
    (
        "model · errors",
        "frozen records that steps hand on; every error a user can meet",
        482,
        "d",
    ),
)
ARROWS = (
    ("media", "frames"),
    ("frames", "sfm"),
    ("sfm", "surface"),
    ("surface", "buildings"),
    ("buildings", "assessment"),
    ("assessment", "publish"),
    ("frames", "localization"),
    ("sfm", "trajectory"),
    ("localization", "trajectory"),
    ("trajectory", "viewshed"),
    ("surface", "viewshed"),
    ("surface", "mesh"),
    ("surface", "streets"),
)
STYLE = """
text { font-family: "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1a2530 }
.name { font-size: 14px; font-weight: 600 } .what { font-size: 11px; fill: #46525e }
.a { fill: #fdf0d8; stroke: #b98a2f } .b { fill: #ece9f5; stroke: #7a6bb0 }
.c { fill: #dcebf7; stroke: #3f78a8 } .d { fill: #e6efe2; stroke: #5f8f4f }
.flow { stroke: #3f78a8; stroke-width: 1.8; fill: none; marker-end: url(#tip) }
"""


SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
  aria-label="Packages of Aftermap by layer, and the flow of footage through the steps">"""
TIP = """<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6"
  markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" fill="#3f78a8"/></marker></defs>"""
ABOVE_STEPS = "steps: none imports another; workflows pass results on, and keep them in the record"
BELOW = "a layer imports only from layers below it"


def _box(name: str, what: str, x: float, y: float) -> str:
    middle = x + BOX_WIDTH / 2
    return (
        f'<rect class="c" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"/>'
        f'<text class="name" x="{middle}" y="{y + 19}" text-anchor="middle">{name}</text>'
        f'<text class="what" x="{middle}" y="{y + 36}" text-anchor="middle">{what}</text>'
    )


def _bar(name: str, what: str, y: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="20" y="{y}" width="934" height="40" rx="5"/>'
        f'<text class="name" x="34" y="{y + 25}">{name}</text>'
        f'<text class="what" x="300" y="{y + 25}">{what}</text>'
    )


def _arrow(start: str, end: str) -> str:
    places = {name: (x, y) for name, _, x, y in BOXES}
    (x1, y1), (x2, y2) = places[start], places[end]
    half = BOX_WIDTH / 2
    if x1 != x2 and y1 != y2:  # from the lower edge along between the rows
        line = f"M{x1 + half + 24} {y1 + BOX_HEIGHT}V{y1 + 66}H{x2 + half}V{y2 - 3}"
    elif y1 == y2:
        line = f"M{x1 + BOX_WIDTH} {y1 + BOX_HEIGHT / 2}H{x2 - 3}"
    else:
        line = f"M{x1 + half} {y1 + BOX_HEIGHT}V{y2 - 3}"
    return f'<path class="flow" d="{line}"/>'


def drawing() -> str:
    """The picture as SVG: entry points above, the steps in the order of the flow, ground below."""
    parts = [
        SVG,
        f"<style>{STYLE}</style>",
        TIP,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text class="what" x="20" y="196">{ABOVE_STEPS}</text>',
        *(_bar(name, what, y, kind) for name, what, y, kind in WIDE),
        *(_box(*box) for box in BOXES),
        *(_arrow(start, end) for start, end in ARROWS),
        f'<text class="what" x="20" y="544">{BELOW}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(drawing(), "utf-8")
