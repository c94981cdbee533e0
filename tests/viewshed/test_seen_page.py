"""docs/reference/viewshed.md says what is there."""

import re
from pathlib import Path

import pyarrow.parquet as pq
from made_up_paths import path_of, straight_flight

from aftermap.model.sighting import CELL_SIZES_M, cell_of, column_row_of
from aftermap.record import Case

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "viewshed.md"
NAME = re.compile(r"`([a-z][a-z0-9_]*)`")


def described(heading: str) -> set[str]:
    text = PAGE.read_text("utf-8").split(f"## `{heading}", 1)[1].split("\n## ", 1)[0]
    return {
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in NAME.findall(line.split("|")[1])
    }


def test_every_column_is_described(tmp_path, indexed):
    index = indexed(path_of(straight_flight(2)))
    with Case.create_or_open(tmp_path / "case") as case:
        case.replace_clips(index)
        tables = {
            name: {row[1] for row in case.package.rows(f"PRAGMA table_info({name})")}
            for name in ("segment", "clip_footprint", "sighting")
        }
    assert described("segment") == tables["segment"] - {"fid", "geom"}
    assert described("sighting") == tables["sighting"]
    text = PAGE.read_text("utf-8")
    assert all(f"`{name}`" in text for name in tables["clip_footprint"] - {"fid", "geom"})
    footprints = pq.read_schema(index.clips[0].footprints)
    assert described("products/clips/NAME.parquet") == set(footprints.names)


def test_cells_are_numbered_as_described():
    for level, size in enumerate(CELL_SIZES_M):
        column, row = 501_234 // size, 3_978_901 // size
        place = (level * 2**25 + row + 2**24) * 2**25 + column + 2**24
        assert cell_of(level, column, row) == place
        assert column_row_of(place) == (level, column, row)
    assert column_row_of(cell_of(2, -3, -1)) == (2, -3, -1)
