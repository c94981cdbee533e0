"""What hostile and clumsy users bring: one clear line each, and nothing that is kept gets lost."""

import errno
import os
import signal
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import aftermap
from aftermap.cli import status_of
from aftermap.errors import CaseError, InputError
from aftermap.media import files_in
from aftermap.media.find import A_CASE, printable
from aftermap.model.runs import Skipped
from aftermap.record.disk import whole_file


def test_delivering_the_same_file_again_leaves_nothing_behind(tmp_path):
    made, public = tmp_path / "stage.tif", tmp_path / "public.tif"
    made.write_bytes(b"map")
    for _ in range(2):
        with whole_file(public) as part:
            part.hardlink_to(made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["public.tif", "stage.tif"]


def test_an_array_that_falls_short_names_its_file_and_the_full_disk(tmp_path):
    target = tmp_path / "heights.npy"
    with (
        pytest.raises(CaseError, match=r"heights\.npy: .*the disk is full: free some space"),
        whole_file(target),
    ):
        raise OSError("840562 requested and 774080 written")  # numpy.ndarray.tofile, without errno
    assert not target.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_numpy_tells_a_full_disk_in_words_only(tmp_path):
    with (
        pytest.raises(CaseError, match="the disk is full"),
        whole_file(tmp_path / "heights.npy"),
        Path("/dev/full").open("wb") as full,
    ):
        np.zeros(1 << 20).tofile(full)


def test_a_file_inside_the_path_of_the_case_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with (
        pytest.raises(CaseError, match="a part of this path is a file"),
        whole_file(tmp_path / "notes.txt" / "case" / "case.gpkg"),
    ):
        raise OSError(errno.ENOTDIR, "Not a directory")


def test_a_case_inside_the_folder_of_photographs_is_not_mapped_again(tmp_path):
    case = tmp_path / "case"
    (case / "media" / "ab").mkdir(parents=True)
    for name in ("photo.jpg", "case/case.gpkg", "case/media/ab/ab.jpg", "case/products.tif"):
        (tmp_path / name).write_bytes(b"x")
    found, skipped = files_in([tmp_path])
    assert found == (tmp_path / "photo.jpg",)
    assert skipped == (Skipped(name="case", reason=A_CASE),)
    with pytest.raises(InputError, match=r"case: is a case of Aftermap.*media"):
        files_in([case])
    assert files_in([case / "media"])[0] == (case / "media/ab/ab.jpg",)


def test_a_name_cannot_reverse_its_letters():
    assert printable("\u202egpj.exe.jpg") == "\\u202egpj.exe.jpg"
    assert printable("\u200fصورة.jpg") == "\u200fصورة.jpg"  # a mark that Arabic names do hold


@pytest.mark.parametrize("arguments", [["", "--case", "case"], ["photos", "--case", ""]])
def test_an_empty_path_is_not_the_current_folder(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert status_of(["map", *arguments]) == 2
    assert "is empty; name a file or folder, or '.' for the current one. See" in _error(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs signals between processes")
def test_sigterm_stops_a_run_as_ctrl_c_does(tmp_path, monkeypatch, capsys):
    class Pipeline(types.ModuleType):
        @staticmethod
        def map_photographs(*_arguments, **_options):
            os.kill(os.getpid(), signal.SIGTERM)

    module = Pipeline("aftermap.pipeline")
    monkeypatch.setitem(sys.modules, "aftermap.pipeline", module)
    monkeypatch.setattr(aftermap, "pipeline", module, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    assert status_of(["map", "photos", "--case", str(tmp_path / "case")]) == 130
    assert "stopped; the same command resumes" in _error(capsys)
    assert signal.getsignal(signal.SIGTERM) is before


def _error(capsys):
    """The one line that a user is told."""
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.strip()]
    return line
