"""Pictures of buildings in the record and on disk: what each shows, and which original it is from.

The table ``evidence`` and the folder ``products/evidence`` are those of the newest run. The folder
holds ``SHA256SUMS`` for ``sha256sum -c``, and the chain of custody holds the digest of that list.
docs/reference/evidence.md describes every column.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aftermap.model.evidence import CropWindow, Evidence, EvidenceKind, EvidenceSet, SourceShare
from aftermap.record import custody
from aftermap.record.artefact import canonical_json
from aftermap.record.disk import write_text, writing_to
from aftermap.record.geopackage import GeoPackage, Table, add_table, has_table, insert

FOLDER = "evidence"
SUMS = "SHA256SUMS"
ACTION = "evidence made"

EVIDENCE = Table(
    name="evidence",
    description="Evidence images of buildings, each with its original",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, building INTEGER NOT NULL, source_id TEXT NOT NULL,
  kind TEXT NOT NULL, rank INTEGER NOT NULL, file TEXT NOT NULL UNIQUE, file_sha256 TEXT NOT NULL,
  original_sha256 TEXT NOT NULL, original_name TEXT NOT NULL, time_s DOUBLE, time_exact TEXT,
  taken_at TEXT, left_px INTEGER, top_px INTEGER, width_px INTEGER, height_px INTEGER,
  turn_deg DOUBLE, scale DOUBLE, distance_m DOUBLE, azimuth_deg DOUBLE, off_nadir_deg DOUBLE,
  ground_sample_m DOUBLE, framed_fraction DOUBLE, occluded_fraction DOUBLE, faces INTEGER,
  ce90_m DOUBLE, is_masked BOOLEAN NOT NULL, sources TEXT NOT NULL""",
)
_WINDOW = ("left_px", "top_px", "width_px", "height_px", "turn_deg", "scale")
_SAME = (
    "source_id",
    "rank",
    "file_sha256",
    "original_sha256",
    "original_name",
    "time_s",
    "time_exact",
    "taken_at",
    "distance_m",
    "azimuth_deg",
    "off_nadir_deg",
    "ground_sample_m",
    "framed_fraction",
    "occluded_fraction",
    "faces",
    "ce90_m",
)


def replace_evidence(package: GeoPackage, evidence: EvidenceSet, *, actor: str) -> None:
    """Put the newest run's pictures in the table ``evidence``; the chain says which files they are.

    ``building`` in the table counts from 1, as in ``building_seen``.
    """
    detail = {"files": len(evidence.rows), "sums_sha256": _digest(sums_of(evidence))}
    with package.transaction() as connection:
        if not has_table(connection, EVIDENCE.name):
            add_table(connection, EVIDENCE)
            connection.execute("CREATE INDEX evidence_source_id ON evidence (source_id)")
        connection.execute("DELETE FROM evidence")
        for row in evidence.rows:
            insert(connection, EVIDENCE.name, _row(row))
        custody.append(connection, actor=actor, action=ACTION, detail=detail)


def evidence_in(package: GeoPackage, source_id: str, products: Path) -> tuple[Evidence, ...]:
    """The recorded pictures of a building, in the order in which they were chosen."""
    if not package.has_table(EVIDENCE.name):
        return ()
    names = ("building", "kind", "file", "is_masked", "sources", *_WINDOW, *_SAME)
    sql = f"SELECT {', '.join(names)} FROM evidence WHERE source_id = ? ORDER BY fid"  # noqa: S608
    rows = package.rows(sql, (source_id,))
    return tuple(_evidence(dict(zip(names, row, strict=True)), products) for row in rows)


def place_evidence(evidence: EvidenceSet, products: Path) -> Path:
    """Put the pictures in ``products/evidence``, in place of an earlier run's; the folder.

    The list of digests is written last: a folder without it is not complete.
    """
    folder = products / FOLDER
    with writing_to(folder):
        if folder.exists():
            shutil.rmtree(folder)
        for row in evidence.rows:
            target = folder / row.name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.hardlink_to(row.path)
            except OSError:  # a disk without hard links
                shutil.copyfile(row.path, target)
        folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / SUMS, sums_of(evidence))
    return folder


def sums_of(evidence: EvidenceSet) -> str:
    """The digests of all pictures, as ``sha256sum`` writes and checks them."""
    return "".join(f"{row.file_sha256}  {row.name}\n" for row in evidence.rows)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _row(row: Evidence) -> dict[str, Any]:
    window = asdict(row.window) if row.window is not None else dict.fromkeys(_WINDOW)
    return {
        "building": row.building + 1,
        "kind": row.kind.value,
        "file": f"{FOLDER}/{row.name}",
        "is_masked": row.is_masked,
        "sources": canonical_json([asdict(one) for one in row.sources]),
        **window,
        **{name: getattr(row, name) for name in _SAME},
    }


def _evidence(row: Mapping[str, Any], products: Path) -> Evidence:
    window = {name: row[name] for name in _WINDOW}
    return Evidence(
        building=row["building"] - 1,
        kind=EvidenceKind(row["kind"]),
        path=str(products / row["file"]),
        name=row["file"].removeprefix(f"{FOLDER}/"),
        window=None if row["left_px"] is None else CropWindow(**window),
        is_masked=bool(row["is_masked"]),
        sources=tuple(SourceShare(**one) for one in json.loads(row["sources"])),
        **{name: row[name] for name in _SAME},
    )
