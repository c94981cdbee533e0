"""Pictures that are hard to bear, as reviewers marked them: rows are only added, the newest holds.

A mark is of an original (a photograph or a clip) by its SHA-256.
"""

from aftermap.record import custody
from aftermap.record.geopackage import GeoPackage, Table, add_table, has_table, insert

MARKED = "marked"
GRAPHIC, NOT_GRAPHIC = "graphic", "not graphic"

PICTURE_MARK = Table(
    name="picture_mark",
    description="Originals that a reviewer marked as graphic, or no longer; rows are only added",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, sha256 TEXT NOT NULL, mark TEXT NOT NULL,
  reviewer TEXT NOT NULL, at TEXT NOT NULL""",
)
_GUARDS = tuple(
    f"CREATE TRIGGER picture_mark_is_never_{done} BEFORE {act} ON picture_mark "
    "BEGIN SELECT RAISE(ABORT, 'rows of picture_mark are only added'); END"
    for done, act in (("changed", "UPDATE"), ("removed", "DELETE"))
)
_NEWEST = """
SELECT sha256, mark FROM picture_mark
WHERE fid IN (SELECT max(fid) FROM picture_mark GROUP BY sha256)"""


def add_mark(
    package: GeoPackage, *, sha256: str, is_graphic: bool, reviewer: str, actor: str
) -> None:
    """Record that an original is graphic, or that it is not after all."""
    mark = GRAPHIC if is_graphic else NOT_GRAPHIC
    with package.transaction() as connection:
        if not has_table(connection, PICTURE_MARK.name):
            add_table(connection, PICTURE_MARK)
            for guard in _GUARDS:
                connection.execute(guard)
        row = {"sha256": sha256, "mark": mark, "reviewer": reviewer, "at": custody.utc_now()}
        insert(connection, PICTURE_MARK.name, row)
        custody.append(
            connection, actor=actor, action=MARKED, subject=sha256, detail={"mark": mark}
        )


def graphic_originals(package: GeoPackage) -> frozenset[str]:
    """The SHA-256 of every original whose newest mark says that it is graphic."""
    if not package.has_table(PICTURE_MARK.name):
        return frozenset()
    return frozenset(sha256 for sha256, mark in package.rows(_NEWEST) if mark == GRAPHIC)
