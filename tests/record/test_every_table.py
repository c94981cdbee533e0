"""Every table of a record is listed, and a layer that GDAL opens (GeoPackage 1.3, clause 2.4)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pyogrio
import pytest
import shapely
from made_up_case import make_case

from aftermap.record import Case
from aftermap.record.sightings import SIGHTING_COLUMNS, number_sightings

INTERNAL = ("gpkg_", "sqlite_", "rtree_")
AS_BEFORE = """
CREATE TABLE sighting (
  place INTEGER NOT NULL, segment INTEGER NOT NULL, best_ms INTEGER NOT NULL,
  gsd_mm INTEGER NOT NULL, off_nadir_deg INTEGER NOT NULL, azimuth_deg INTEGER NOT NULL,
  faces INTEGER NOT NULL, framed_percent INTEGER NOT NULL, occluded_percent INTEGER,
  ce90_dm INTEGER, rank_um INTEGER NOT NULL, PRIMARY KEY (place, segment)) WITHOUT ROWID"""
"""As it was before it was a layer."""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_case(tmp_path_factory.mktemp("made") / "case") / "case.gpkg"


def tables_of(path: Path) -> dict[str, str | None]:
    """Every table that is ours, and how it is listed; None is not at all."""
    sql = """
    SELECT s.name, c.data_type FROM sqlite_master s LEFT JOIN gpkg_contents c
    ON c.table_name = s.name WHERE s.type = 'table'"""
    with closing(sqlite3.connect(path)) as record:
        found = record.execute(sql).fetchall()
    return {name: kind for name, kind in found if not name.startswith(INTERNAL)}


def test_every_table_is_listed_and_gdal_opens_it(made):
    listed = tables_of(made)
    assert {"building", "measurement", "assessment", "evidence"} <= set(listed)
    assert {"segment", "clip_footprint", "sighting"} <= set(listed)
    assert listed["measurement"] == listed["sighting"] == "attributes"
    assert set(listed.values()) == {"features", "attributes"}
    layers = {str(name) for name, _ in pyogrio.list_layers(made)}
    assert layers == set(listed)
    with closing(sqlite3.connect(made)) as record:
        for name in listed:
            (count,) = record.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608
            _, fids, _, _ = pyogrio.raw.read(made, layer=name, return_fids=True)
            assert len(fids) == len(set(fids.tolist())) == count, name


def test_every_outline_of_a_layer_is_valid(made):
    for name, kind in tables_of(made).items():
        if kind == "features":
            wkb = pyogrio.raw.read(made, layer=name)[2]
            shapes = shapely.from_wkb([one for one in wkb if one is not None])
            assert shapely.is_valid(shapes).all(), name


def test_sightings_of_before_are_kept_and_listed(made, tmp_path):
    (tmp_path / "case").mkdir()
    path = tmp_path / "case" / "case.gpkg"
    path.write_bytes(made.read_bytes())
    names = ", ".join(SIGHTING_COLUMNS)
    ordered = f"SELECT {names} FROM sighting ORDER BY place, segment"  # noqa: S608
    with closing(sqlite3.connect(path)) as record:
        before = record.execute(ordered).fetchall()
        record.execute("DROP TABLE sighting")
        record.execute("DELETE FROM gpkg_contents WHERE table_name = 'sighting'")
        record.execute(AS_BEFORE)
        marks = ", ".join("?" for _ in SIGHTING_COLUMNS)
        record.executemany(f"INSERT INTO sighting VALUES ({marks})", before)  # noqa: S608
        record.commit()
    assert tables_of(path)["sighting"] is None
    with Case.create_or_open(tmp_path / "case") as case:
        for _ in range(2):
            with case.package.transaction() as connection:
                number_sightings(connection)
        assert case.package.rows(ordered) == before
    assert len(before) > 20
    assert tables_of(path)["sighting"] == "attributes"
