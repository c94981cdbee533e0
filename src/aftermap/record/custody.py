"""The chain of custody: what was done with which original, in an order that cannot be changed.

Every entry carries the hash of the one before it, so that a change, a removal or an insertion
anywhere breaks the chain from there on. The hash is SHA-256 of the entry's fields as JSON with
sorted keys, no spaces and letters as they are (UTF-8); ``detail`` goes in as the text that is
stored. Cutting off the end leaves a whole chain: the ``run`` table holds the head of each run.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from aftermap.record.artefact import canonical_json
from aftermap.record.geopackage import GeoPackage, Table, insert

GENESIS = "0" * 64
_FIELDS = "seq, at, actor, action, subject, detail, prev_hash, hash"

SIDECAR = "received with a clip"
MASK = "received as a mask"
MASKED = "masked"
"""Of an original: from now on a mask is used with it, or (where ``mask_sha256`` is null) none."""
TABLE = Table(
    name="custody",
    description="Chain of custody: append-only, each entry holds the hash of the one before it",
    columns="""
  seq INTEGER PRIMARY KEY NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT, detail TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL UNIQUE""",
    rules="""
CREATE TRIGGER custody_is_never_changed BEFORE UPDATE ON custody
  BEGIN SELECT RAISE(ABORT, 'the chain of custody is append-only'); END;
CREATE TRIGGER custody_is_never_removed BEFORE DELETE ON custody
  BEGIN SELECT RAISE(ABORT, 'the chain of custody is append-only'); END;
CREATE TRIGGER custody_grows_at_its_end BEFORE INSERT ON custody
  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM custody)
    OR NEW.prev_hash IS NOT coalesce(
      (SELECT hash FROM custody ORDER BY seq DESC LIMIT 1),
      '0000000000000000000000000000000000000000000000000000000000000000')
  BEGIN SELECT RAISE(ABORT, 'the chain of custody is append-only'); END;
""",
)


@dataclass(frozen=True, kw_only=True)
class CustodyEntry:
    """One thing that was done. ``subject`` is the SHA-256 of what it was done to, where one was.

    ``at`` is UTC by this computer's clock, ISO 8601; ``detail`` is JSON text.
    """

    seq: int
    at: str
    actor: str
    action: str
    subject: str | None
    detail: str
    prev_hash: str
    hash: str


def entry_hash(entry: CustodyEntry) -> str:
    """The hash an entry must have, from its other fields."""
    fields = asdict(entry)
    del fields["hash"]
    return hashlib.sha256(canonical_json(fields).encode()).hexdigest()


def utc_now() -> str:
    """This computer's time in UTC to the millisecond, as GeoPackage writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def append(
    connection: sqlite3.Connection,
    *,
    actor: str,
    action: str,
    subject: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> str:
    """Add an entry at the end of the chain, inside the caller's transaction; its hash."""
    last = connection.execute("SELECT seq, hash FROM custody ORDER BY seq DESC LIMIT 1").fetchone()
    seq, prev_hash = last or (0, GENESIS)
    entry = CustodyEntry(
        seq=seq + 1,
        at=utc_now(),
        actor=actor,
        action=action,
        subject=subject,
        detail=canonical_json(dict(detail or {})),
        prev_hash=prev_hash,
        hash="",
    )
    hashed = entry_hash(entry)
    insert(connection, TABLE.name, {**asdict(entry), "hash": hashed})
    return hashed


def entries_of(package: GeoPackage) -> list[CustodyEntry]:
    """The whole chain in order."""
    names = _FIELDS.split(", ")
    rows = package.rows(f"SELECT {_FIELDS} FROM custody ORDER BY seq")  # noqa: S608 - a constant
    return [CustodyEntry(**dict(zip(names, row, strict=True))) for row in rows]


def verify_chain(entries: Iterable[CustodyEntry]) -> tuple[str, ...]:
    """What is wrong with a chain, one line per broken entry; empty where it is whole."""
    findings = []
    prev_hash, seq = GENESIS, 0
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            findings.append(f"custody entry {seq} is missing: the next one there is {entry.seq}")
            seq = entry.seq
        if entry.prev_hash != prev_hash:
            findings.append(f"custody entry {entry.seq} does not follow from the one before it")
        if entry_hash(entry) != entry.hash:
            findings.append(f"custody entry {entry.seq} ({entry.action}) was changed")
        prev_hash = entry.hash
    return tuple(findings)
