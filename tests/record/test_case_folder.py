"""Opening a case: a new folder, someone else's folder, a newer, a damaged or a busy one."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from aftermap.errors import CaseError, CaseInUseError
from aftermap.record import Case


def test_a_new_case_has_its_folders_and_settings(tmp_path):
    with Case.create_or_open(tmp_path / "a" / "case", settings_text="# settings\n") as case:
        names = {path.name for path in case.path.iterdir()}
    assert names == {".lock", "aftermap.toml", "case.gpkg", "media", "products"}
    assert (case.path / "aftermap.toml").read_text() == "# settings\n"


def test_opening_again_changes_neither_record_nor_settings(tmp_path, tagged):
    with Case.create_or_open(tmp_path / "case", settings_text="first\n") as case:
        case.add_media([tagged])
    with Case.create_or_open(tmp_path / "case", settings_text="second\n") as case:
        assert case.media() == [tagged]
        assert (case.path / "aftermap.toml").read_text() == "first\n"


def test_what_a_file_manager_or_a_killed_first_run_leaves_does_not_matter(tmp_path):
    for name in (".DS_Store", "Thumbs.db", ".lock", ".part-123-case.gpkg"):
        (tmp_path / name).touch()
    with Case.create_or_open(tmp_path):
        pass
    assert not (tmp_path / ".part-123-case.gpkg").exists()


def test_another_folder_is_never_made_a_case(tmp_path):
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(
        CaseError, match=r"is not empty and is not a case \(it contains 'thesis.doc'"
    ):
        Case.create_or_open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_file_is_no_case(tmp_path):
    (tmp_path / "case").touch()
    with pytest.raises(CaseError, match="is a file, but a case is a folder"):
        Case.create_or_open(tmp_path / "case")


def test_a_case_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    Case.create_or_open(tmp_path / "case").close()
    record = tmp_path / "case" / "case.gpkg"
    change(record, "UPDATE case_info SET value = '99' WHERE key = 'format_version'")
    before = record.read_bytes()
    with pytest.raises(CaseError, match=r"newer Aftermap .*; update Aftermap"):
        Case.create_or_open(tmp_path / "case")
    assert record.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_record_is_told(tmp_path, content):
    Case.create_or_open(tmp_path / "case").close()
    (tmp_path / "case" / "case.gpkg").write_bytes(content)
    with pytest.raises(CaseError, match=r"case.gpkg: is damaged or is not a GeoPackage"):
        Case.create_or_open(tmp_path / "case")


def test_a_record_with_damaged_pages_is_told(tmp_path):
    Case.create_or_open(tmp_path / "case").close()
    record = tmp_path / "case" / "case.gpkg"
    content = bytearray(record.read_bytes())
    content[4096:-4096] = b"\x5a" * (len(content) - 8192)
    record.write_bytes(content)
    with pytest.raises(CaseError, match=r"case.gpkg: is damaged"):
        Case.create_or_open(tmp_path / "case")


def test_another_geopackage_is_no_case(tmp_path):
    Case.create_or_open(tmp_path / "case").close()
    change(tmp_path / "case" / "case.gpkg", "DROP TABLE case_info")
    with pytest.raises(CaseError, match="is a GeoPackage but not the record of a case"):
        Case.create_or_open(tmp_path / "case")


def test_a_folder_without_a_record_cannot_be_read(tmp_path):
    with pytest.raises(CaseError, match=r"no case\.gpkg in it"):
        Case.open_to_read(tmp_path)


def test_a_second_run_is_refused_with_the_process_that_holds_the_case(tmp_path):
    with (
        Case.create_or_open(tmp_path / "case"),
        pytest.raises(CaseInUseError, match=rf"\(process {os.getpid()}\); wait until"),
    ):
        Case.create_or_open(tmp_path / "case")
    Case.create_or_open(tmp_path / "case").close()


def test_a_case_in_use_can_be_read(tmp_path, tagged):
    with Case.create_or_open(tmp_path / "case") as case:
        case.add_media([tagged])
        with Case.open_to_read(tmp_path / "case") as looked_at:
            assert looked_at.media() == [tagged]


def test_a_killed_run_frees_the_case_and_is_recorded_as_interrupted(tmp_path):
    program = (
        "import sys; from pathlib import Path; from aftermap.record import Case\n"
        "case = Case.create_or_open(Path(sys.argv[1]))\n"
        "case.start_run(command='map', options={}, versions={})\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "case")]
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        with pytest.raises(CaseInUseError, match=rf"process {holder.pid}\)"):
            Case.create_or_open(tmp_path / "case")
        holder.send_signal(signal.SIGKILL)
    with Case.create_or_open(tmp_path / "case") as case:
        ((status, message),) = case.package.rows("SELECT status, message FROM run")
    assert status == "interrupted"
    assert "killed" in message


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "no permission to write here"),
        (errno.ENOSPC, "the disk is full"),
    ],
)
@pytest.mark.parametrize("function", ["mkdir", "open", "fsync"])
def test_a_disk_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, number, words, function):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, function, refuse)
    with pytest.raises(CaseError, match=words) as caught:
        Case.create_or_open(tmp_path / "case")
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_record_that_cannot_grow_is_told_and_loses_nothing(case, tagged, untagged):
    """SQLite's own word for a full disk, by a limit on its pages."""
    case.add_media([tagged])
    ((pages,),) = case.package.rows("PRAGMA page_count")
    case.package.rows(f"PRAGMA max_page_count = {pages}")
    many = {"big": "x" * 50_000}
    with pytest.raises(CaseError, match=r"case.gpkg: the disk is full"):
        case.start_run(command="map", options=many, versions={})
    case.package.rows("PRAGMA max_page_count = 100000")
    assert case.media() == [tagged]
    assert case.add_media([untagged]) == 1


def change(record: Path, sql: str) -> None:
    with sqlite3.connect(record) as connection:
        connection.execute(sql)
    connection.close()


def test_a_case_whose_only_run_did_not_end_is_unfinished(tmp_path):
    with Case.create_or_open(tmp_path / "case") as case:
        assert not case.is_unfinished()
        run = case.start_run(command="map", options=None, versions={})
        assert case.is_unfinished()
        case.end_run(run, status="failed", message="no", results={})
        assert case.is_unfinished()
        run = case.start_run(command="map", options=None, versions={})
        case.end_run(run, status="ok", message=None, results={})
        assert not case.is_unfinished()
