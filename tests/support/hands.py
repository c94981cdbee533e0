"""What every test of the page does with it: wait, click on the map, read the record."""

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from waiting import wait_until

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


def paused_in(page):
    """How to pause between two looks at a page: its events are served meanwhile."""
    return lambda seconds: page.wait_for_timeout(1000 * seconds)


def until(page, expression):
    """Wait for an expression to hold; the page's policy forbids Playwright's own way."""
    wait_until(lambda: page.evaluate(expression), pause=paused_in(page))


def rows(case: Path) -> list[tuple]:
    with closing(sqlite3.connect(case / "case.gpkg")) as record:
        return record.execute(
            "SELECT source_id, assessor, grade, not_assessed_reason, note FROM assessment "
            "WHERE kind = 'reviewer' ORDER BY fid"
        ).fetchall()


def grade_in_vain(page, key):
    """Grade the building that is shown while no grade reaches the server; it stays so."""
    page.route(
        "**/api/grades",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    page.keyboard.press(key)
    page.wait_for_selector(".saved.wrong")


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


def one_tile_pmtiles(png: bytes) -> bytes:
    """A PMTiles file (version 3, https://github.com/protomaps/PMTiles) of one tile of the world."""
    length = []
    rest = len(png)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    directory = bytes([1, 0, 1, *length, rest, 1])  # one entry: tile 0, once, its length, offset 0
    metadata = b"{}"
    start = 127
    header = (
        b"PMTiles"
        + bytes([3])
        + struct.pack(
            "<11Q",
            start,
            len(directory),
            start + len(directory),
            len(metadata),
            0,
            0,
            start + len(directory) + len(metadata),
            len(png),
            1,
            1,
            1,
        )
    )
    header += bytes([1, 1, 1, 2, 0, 0])  # clustered, nothing compressed, PNG, zoom 0 to 0
    header += struct.pack("<4iB2i", -1800000000, -850000000, 1800000000, 850000000, 0, 0, 0)
    return header + directory + metadata + png
