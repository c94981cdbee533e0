"""Is the case still what it says it is: the chain, the originals, what is said of them, products.

Findings are lines for a person. None of them is repaired here: evidence is looked at, not mended.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from aftermap.model.runs import Progress
from aftermap.record import custody, tables
from aftermap.record.assessments import changed_batches
from aftermap.record.case import Case
from aftermap.record.disk import PART_PREFIX, sha256_of_file


def findings_in(case: Case, progress: Progress) -> tuple[str, ...]:
    """What does not hold in a case, one line each; empty where everything is as recorded.

    Reads every original and every product once.
    """
    progress.stage("verify")
    entries = custody.entries_of(case.package)
    return (
        *custody.verify_chain(entries),
        *_heads_missing(case, entries),
        *_records_changed(case, entries),
        *changed_batches(case.package),
        *_originals_changed(case, entries, progress),
        *_products_changed(case, progress),
    )


def _heads_missing(case: Case, entries: list[custody.CustodyEntry]) -> Iterator[str]:
    """Runs whose last custody entry is gone: the end of the chain was cut off."""
    hashes = {entry.hash for entry in entries}
    runs = "SELECT fid, custody_head FROM run WHERE custody_head IS NOT NULL ORDER BY fid"
    for run, head in case.package.rows(runs):
        if head not in hashes:
            yield f"custody entries up to the end of run {run} were removed"


def _records_changed(case: Case, entries: list[custody.CustodyEntry]) -> Iterator[str]:
    """Rows of the media layer that are not what was recorded when the original was received."""
    received = {e.subject: _detail(e) for e in entries if e.action == "received"}
    rows = _media_rows(case)
    for row in rows:
        name, metadata = row["name"], str(row["metadata"])
        detail = received.get(row["sha256"])
        if detail is None:
            yield f"{name}: the chain of custody has no entry for its receipt"
        elif detail.get("metadata_sha256") != tables.metadata_sha256(metadata):
            yield f"{name}: its record was changed after it was received"
        elif _row_from(metadata) != row:
            yield f"{name}: a column of its row in the media layer was changed"
    for sha256 in received.keys() - {row["sha256"] for row in rows}:
        yield f"{received[sha256].get('name')}: was received, but its row in media was removed"


def _originals_changed(
    case: Case, entries: list[custody.CustodyEntry], progress: Progress
) -> Iterator[str]:
    """Copies in the store that are missing, changed or not in the record."""
    paths = {path.stem: path for path in case.store.folder.glob("??/*")}
    known = {
        entry.subject or "": str(_detail(entry).get("name"))
        for entry in entries
        if entry.action in ("received", "left out", custody.SIDECAR, custody.MASK)
    }
    for done, (sha256, name) in enumerate(known.items(), start=1):
        path = paths.pop(sha256, None)
        if path is None:
            yield f"{name}: the original is missing from media/ (SHA-256 {sha256})"
        else:
            yield from _difference(path, sha256, f"{name}: the original in media/")
        progress.advance("reading originals", done, len(known))
    for path in paths.values():
        if not path.name.startswith(PART_PREFIX):
            yield f"{path.relative_to(case.path)}: is in media/ but not in the record"


def _products_changed(case: Case, progress: Progress) -> Iterator[str]:
    """Products of the newest finished map, and of the finished runs since, that are not theirs."""
    newest = (
        "SELECT products FROM run WHERE status = 'ok' AND fid >= coalesce((SELECT max(fid) FROM "
        "run WHERE status = 'ok' AND command = 'map'), 0) ORDER BY fid"
    )
    products: dict[str, str] = {}
    for (text,) in case.package.rows(newest):
        products |= json.loads(text)
    for done, (name, sha256) in enumerate(products.items(), start=1):
        path = case.products / name
        if path.is_file():
            yield from _difference(path, sha256, f"products/{name}: it")
        else:
            yield f"products/{name}: is missing; the same map command makes it again"
        progress.advance("reading products", done, len(products))


def _difference(path: Path, sha256: str, subject: str) -> Iterator[str]:
    try:
        found = sha256_of_file(path)
    except OSError as error:
        yield f"{subject} cannot be read ({error.strerror or error})"
        return
    if found != sha256:
        yield f"{subject} was changed: its SHA-256 is {found}, recorded is {sha256}"


def _media_rows(case: Case) -> list[dict[str, Any]]:
    columns = [name for (_, name, *_) in case.package.rows("PRAGMA table_info(media)")]
    rows = case.package.rows("SELECT * FROM media ORDER BY fid")
    unchecked = ("fid", "added_at")
    return [
        {name: value for name, value in zip(columns, row, strict=True) if name not in unchecked}
        for row in rows
    ]


def _row_from(metadata: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        return tables.media_row(tables.media_item(metadata))
    return None


def _detail(entry: custody.CustodyEntry) -> dict[str, Any]:
    with suppress(ValueError):
        detail = json.loads(entry.detail)
        if isinstance(detail, dict):
            return detail
    return {}
