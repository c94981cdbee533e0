"""``aftermap verify``: everything that is not as recorded is found, and nothing else is."""

import hashlib
from dataclasses import replace

import pytest

from aftermap.model.runs import Skipped
from aftermap.progress import NoProgress
from aftermap.record import Case, findings_in
from aftermap.record.custody import entries_of
from aftermap.record.disk import sha256_of_file


@pytest.fixture
def kept(tmp_path, tagged):
    """A closed case with one original, one product and one finished run."""
    photograph = tmp_path / "photo.jpg"
    photograph.write_bytes(b"a photograph")
    with Case.create_or_open(tmp_path / "case") as case:
        stored = case.store.add(photograph)
        case.add_media([replace(tagged, sha256=stored.sha256, size_bytes=stored.size_bytes)])
        run = case.start_run(command="map", options={}, versions={})
        product = case.products / "orthophoto.tif"
        product.write_bytes(b"a map")
        products = {"orthophoto.tif": sha256_of_file(product)}
        case.end_run(run, status="ok", message=None, results={"products": products})
    return case.path


def findings(path) -> tuple[str, ...]:
    with Case.open_to_read(path) as case:
        return findings_in(case, NoProgress())


def original(path):
    return path / "media" / SHA[:2] / f"{SHA}.jpg"


SHA = hashlib.sha256(b"a photograph").hexdigest()


def test_a_case_as_left_is_as_recorded(kept):
    assert findings(kept) == ()


def test_reading_changes_nothing(kept):
    before = (kept / "case.gpkg").read_bytes()
    findings(kept)
    assert (kept / "case.gpkg").read_bytes() == before


def test_a_changed_original_is_found(kept):
    original(kept).chmod(0o644)
    original(kept).write_bytes(b"b photograph")
    (finding,) = findings(kept)
    assert "the original in media/ was changed" in finding


def test_a_missing_original_is_found(kept):
    original(kept).unlink()
    (finding,) = findings(kept)
    assert "is missing from media/" in finding


def test_a_file_that_was_received_but_left_out_is_known(kept, tmp_path):
    note = tmp_path / "note.jpg"
    note.write_bytes(b"no picture")
    with Case.create_or_open(kept) as case:
        stored = case.store.add(note)
        left_out = Skipped(name="note.jpg", reason="is no picture", sha256=stored.sha256)
        case.add_media([], [left_out])
        case.add_media([], [left_out])
        names = [e.action for e in entries_of(case.package) if e.subject == stored.sha256]
    assert names == ["left out"]
    assert findings(kept) == ()
    with Case.create_or_open(kept) as case:
        usable_now = replace(case.media()[0], sha256=stored.sha256, name="note.jpg")
        assert case.add_media([usable_now]) == 1
    assert findings(kept) == ()
    stored.path.unlink()
    assert "note.jpg: the original is missing" in findings(kept)[0]


def test_a_file_that_nobody_received_is_found(kept):
    (kept / "media" / "ff").mkdir()
    (kept / "media" / "ff" / ("f" * 64 + ".jpg")).touch()
    (finding,) = findings(kept)
    assert "is in media/ but not in the record" in finding


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE media SET lon_deg = 12.5", "a column of its row in the media layer was changed"),
        ("UPDATE media SET metadata = '{}'", "its record was changed after it was received"),
        ("DELETE FROM media", "its row in media was removed"),
    ],
)
def test_a_changed_record_of_an_original_is_found(kept, statement, words):
    with Case.create_or_open(kept) as case, case.package.transaction() as connection:
        connection.execute(statement)
    assert any(words in finding for finding in findings(kept))


def test_a_chain_cut_off_at_its_end_is_found(kept):
    with Case.create_or_open(kept) as case, case.package.transaction() as connection:
        connection.execute("DROP TRIGGER custody_is_never_removed")
        connection.execute("DELETE FROM custody WHERE action = 'run ended'")
    assert findings(kept) == ("custody entries up to the end of run 1 were removed",)


def test_missing_and_changed_products_are_found(kept):
    product = kept / "products" / "orthophoto.tif"
    product.write_bytes(b"another map")
    assert "was changed" in findings(kept)[0]
    product.unlink()
    assert "is missing; the same map command makes it again" in findings(kept)[0]
