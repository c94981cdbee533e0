"""The command line: help, one line per mistake, exit statuses, and what goes where."""

import errno
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import aftermap
from aftermap.cli import status_of
from aftermap.config import Quality
from aftermap.errors import InputError, PartialError
from aftermap.record import Case


class Made:
    report = Path("case/products/report.html")
    summary_lines = ("18 of 18 photographs are on the map", "3.1 cm per pixel")
    missing = None


@pytest.fixture
def pipeline(monkeypatch):
    """A pipeline that notes what it is asked, and does what a test sets."""

    class Pipeline(types.ModuleType):
        asked: tuple | None = None
        error: BaseException | None = None
        made = Made()

        def map_footage(self, paths, case, settings, *, fresh, progress, workers):
            self.asked = (paths, case, settings, fresh, workers)
            progress.stage("media")
            progress.advance("reading", 2, 2)
            if self.error is not None:
                raise self.error
            return self.made

    module = Pipeline("aftermap.pipeline")
    monkeypatch.setitem(sys.modules, "aftermap.pipeline", module)
    monkeypatch.setattr(aftermap, "pipeline", module, raising=False)
    return module


def test_map_hands_over_what_was_asked_and_prints_where_to_look(pipeline, capsys, tmp_path):
    case = tmp_path / "case"
    arguments = ["map", "one", "two words.jpg", "--case", str(case), "--quality", "draft"]
    assert status_of([*arguments, "--crs", "EPSG:32637", "--fresh", "--workers", "3"]) == 0
    paths, asked_case, settings, fresh, workers = pipeline.asked
    assert (paths, asked_case) == ((Path("one"), Path("two words.jpg")), case)
    assert (settings.quality, settings.crs, settings.gcp) == (Quality.DRAFT, "EPSG:32637", None)
    assert (fresh, workers) == (True, 3)
    out, err = capsys.readouterr()
    assert out.splitlines() == [*Made.summary_lines, "Report: case/products/report.html"]
    assert err.splitlines() == ["media", "media: reading 2/2 (100%)"]


def test_what_is_done_in_part_is_printed_with_one_line_and_status_1(pipeline, capsys):
    pipeline.made.missing = PartialError("done in part: there is no map: too dark;\nadd light")
    assert status_of(["map", "x", "--case", "c"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [*Made.summary_lines, "Report: case/products/report.html"]
    assert err.splitlines()[-1] == "aftermap: done in part: there is no map: too dark; add light"
    assert "Traceback" not in err


def test_the_settings_of_the_case_hold_where_the_command_line_is_silent(pipeline, tmp_path):
    (tmp_path / "aftermap.toml").write_text('quality = "fine"\ngcp = "marks.txt"\n')
    assert status_of(["map", "photos", "--case", str(tmp_path)]) == 0
    settings = pipeline.asked[2]
    assert settings.quality is Quality.FINE
    assert settings.gcp == tmp_path / "marks.txt"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["map", "x"], "aftermap: Missing option '--case'. See 'aftermap map --help'."),
        (["map", "--case", "c"], "aftermap: Missing argument 'FOOTAGE...'."),
        (["mapp"], "aftermap: No such command 'mapp'."),
        (["map", "x", "--case", "c", "--quality", "best"], "aftermap: Invalid value for"),
        (["map", "x", "--case", "c", "--workers", "0"], "aftermap: Invalid value for '--workers'"),
        (["verify", "nowhere"], "aftermap: "),
        (["twin", "out", "--size", "big"], "aftermap: Invalid value for --size: 'big' is not"),
    ],
)
def test_mistakes_are_one_line_and_status_2(capsys, arguments, line):
    assert status_of(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("photos: holds no photographs;\nname another"), "photos: holds no photographs"),
        (OSError(errno.ENOSPC, "No space left", "/c/x.tif"), "/c/x.tif: the disk is full; free"),
        (OSError("strange"), "cannot be used (strange)"),
        (MemoryError(), "out of memory; run the same command again with --workers 1"),
    ],
)
def test_failures_are_one_line_and_status_2(pipeline, capsys, error, line):
    pipeline.error = error
    assert status_of(["map", "x", "--case", "c"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"aftermap: {line}")


def test_ctrl_c_says_how_to_go_on_and_is_status_130(pipeline, capsys):
    pipeline.error = KeyboardInterrupt()
    assert status_of(["map", "x", "--case", "c"]) == 130
    assert "run the same command again to resume" in capsys.readouterr().err


def test_a_fault_of_the_program_is_not_hidden(pipeline):
    pipeline.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        status_of(["map", "x", "--case", "c"])


@pytest.mark.parametrize(
    "arguments",
    [["--debug", "map", "x", "--case", "c"], ["map", "x", "--case", "c", "--debug"]],
)
def test_debug_shows_where_before_and_after_the_command(pipeline, capsys, arguments):
    pipeline.error = InputError("photos: holds no photographs; name another folder")
    assert status_of(arguments) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("aftermap: photos:")


def test_verify_says_that_all_is_well(capsys, tmp_path):
    Case.create_or_open(tmp_path / "case").close()
    assert status_of(["verify", str(tmp_path / "case")]) == 0
    assert "everything matches the record (0 photographs and clips)" in capsys.readouterr().out


def test_verify_lists_what_is_not_as_recorded_with_status_1(capsys, tmp_path):
    with Case.create_or_open(tmp_path / "case") as case:
        stray = case.store.path_of("f" * 64, ".jpg")
        stray.parent.mkdir()
        stray.touch()
    assert status_of(["verify", str(tmp_path / "case")]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("is in media/ but not in the record\n")
    assert "1 difference from the record" in err


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["map", "--help"], ["twin", "--help"]])
def test_help_comes_with_an_example(capsys, arguments):
    assert status_of(arguments) == 0
    assert re.search(r"Examples?:\n +aftermap (map|twin)", capsys.readouterr().out)


def test_no_command_shows_the_help(capsys):
    assert status_of([]) == 2
    assert "Usage: aftermap" in capsys.readouterr().err


def test_version(capsys):
    assert status_of(["--version"]) == 0
    assert re.fullmatch(r"aftermap \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_help_waits_for_no_heavy_library():
    program = (
        "import sys; from aftermap.cli import status_of; status_of(['--help'])\n"
        "heavy = {'numpy', 'cv2', 'numba', 'pycolmap', 'rasterio', 'pyproj', 'scipy', 'rich'}\n"
        "sys.exit(f'loaded {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
