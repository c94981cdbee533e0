"""The chain of custody cannot be changed unnoticed."""

import hashlib
import json
import re
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aftermap.record import Case
from aftermap.record.custody import GENESIS, append, entries_of, entry_hash, utc_now, verify_chain

REST = "at, actor, action, subject, detail"


@pytest.fixture
def record(tmp_path, tagged, untagged):
    """A closed case's record with a chain of four entries."""
    with Case.create_or_open(tmp_path / "case") as case:
        case.add_media([tagged, untagged])
        with case.package.transaction() as connection:
            append(connection, actor="test", action="looked at", detail={"كلمة": "word"})
    return tmp_path / "case" / "case.gpkg"


@pytest.fixture
def far_from_greenwich(monkeypatch):
    """A computer whose own time is not UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "XXX-05:30")
        time.tzset()
        yield
    time.tzset()


def test_times_are_utc_to_the_millisecond_wherever_the_computer_is(far_from_greenwich):
    before = datetime.now(UTC)
    said = utc_now()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said)
    told = datetime.fromisoformat(said)
    assert before - timedelta(milliseconds=1) < told <= datetime.now(UTC)


def chain(record):
    with Case.open_to_read(record.parent) as case:
        return entries_of(case.package)


def tamper(record, *statements: str) -> None:
    """What somebody with a database program could do: take off the guards, then change."""
    with sqlite3.connect(record) as connection:
        for name in ("is_never_changed", "is_never_removed", "grows_at_its_end"):
            connection.execute(f"DROP TRIGGER custody_{name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_chain_as_written_is_whole(record):
    entries = chain(record)
    assert [entry.action for entry in entries] == [
        "case created",
        "received",
        "received",
        "looked at",
    ]
    assert entries[0].prev_hash == GENESIS
    assert verify_chain(entries) == ()


def test_the_hash_can_be_worked_out_by_anyone_from_the_documented_form(record):
    entry = chain(record)[-1]
    text = json.dumps(
        {
            "action": entry.action,
            "actor": entry.actor,
            "at": entry.at,
            "detail": '{"كلمة":"word"}',
            "prev_hash": entry.prev_hash,
            "seq": 4,
            "subject": None,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == entry.hash


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE custody SET actor = 'somebody else' WHERE seq = 2",
        "DELETE FROM custody WHERE seq = 4",
        f"REPLACE INTO custody SELECT 2, {REST}, prev_hash, 'x' FROM custody WHERE seq = 2",  # noqa: S608
        f"INSERT INTO custody SELECT 9, {REST}, hash, 'x' FROM custody WHERE seq = 4",  # noqa: S608
        f"INSERT INTO custody SELECT 5, {REST}, prev_hash, 'x' FROM custody WHERE seq = 4",  # noqa: S608
    ],
)
def test_the_file_itself_refuses_changes(record, statement):
    with sqlite3.connect(record) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE custody SET subject = 'e' WHERE seq = 2", "entry 2 (received) was changed"),
        ("UPDATE custody SET at = '2020' WHERE seq = 4", "entry 4 (looked at) was changed"),
        ("DELETE FROM custody WHERE seq = 3", "entry 3 is missing"),
        ("DELETE FROM custody WHERE seq = 1", "entry 1 is missing"),
    ],
)
def test_changes_behind_its_back_are_found(record, statement, finding):
    tamper(record, statement)
    assert finding in verify_chain(chain(record))[0]


def test_a_change_with_a_hash_to_match_breaks_the_link_to_the_next(record):
    forged = replace(chain(record)[1], actor="somebody else")
    tamper(
        record,
        "UPDATE custody SET actor = 'somebody else' WHERE seq = 2",
        f"UPDATE custody SET hash = '{entry_hash(forged)}' WHERE seq = 2",  # noqa: S608
    )
    assert verify_chain(chain(record)) == (
        "custody entry 3 does not follow from the one before it",
    )
