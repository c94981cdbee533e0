"""What every test of the page does with it: wait, click on the map, read the record."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from aftermap.geo.crs import transformed_xy

SHADE = """
() => {
  const video = document.querySelector(".screen video");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 8, 8);
  const data = context.getImageData(0, 0, 8, 8).data;
  return data.reduce((sum, one, i) => sum + (i % 4 === 3 ? 0 : one), 0) / 192;
}
"""
SETTLED = "!document.querySelector('.screen video').seeking"


def until(page, expression):
    """Wait for an expression to hold; the page's policy forbids Playwright's own way."""
    deadline = time.monotonic() + 90
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def rows(case: Path) -> list[tuple]:
    with closing(sqlite3.connect(case / "case.gpkg")) as record:
        return record.execute(
            "SELECT source_id, assessor, grade, not_assessed_reason, note FROM assessment "
            "WHERE kind = 'reviewer' ORDER BY fid"
        ).fetchall()


def map_click(page, east, north):
    """Click a place of the case on the map."""
    ((lon, lat),) = transformed_xy("EPSG:32637", "EPSG:4326", [[east, north]]).tolist()
    x, y = page.evaluate(
        """([lon, lat]) => { const holder = document.querySelector(".map");
        const box = holder.getBoundingClientRect();
        const at = holder.bench.map.project([lon, lat]);
        return [at.x + box.left, at.y + box.top]; }""",
        [lon, lat],
    )
    page.mouse.click(x, y)
