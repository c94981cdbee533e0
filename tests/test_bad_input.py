"""What hostile and clumsy users bring: one clear line each, and nothing that is kept gets lost."""

import errno
import io
import os
import re
import signal
import sys
import types
from contextlib import suppress
from pathlib import Path

import cv2
import numba
import numpy as np
import pytest
from rasterio._err import CPLE_AppDefinedError
from waiting import wait_until

import aftermap
from aftermap.cli import options, status_of
from aftermap.errors import CaseError, ControlError, CrsError, InputError
from aftermap.geo import compiled as machine_code
from aftermap.geo.crs import fitting_crs, projected_crs
from aftermap.imaging.features import load_features
from aftermap.media import files_in
from aftermap.media.find import A_CASE, printable
from aftermap.model.runs import Skipped
from aftermap.progress import NoProgress, TerminalProgress, progress_on
from aftermap.record import Case
from aftermap.record.disk import whole_file
from aftermap.run import Runner, Stage
from aftermap.sfm import PoseOptions, control_in, initial_reconstruction
from aftermap.sfm.tracks import Tracks


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


def test_a_raster_that_falls_short_is_told_in_one_line(tmp_path):
    def work(_files):
        raise CPLE_AppDefinedError(3, 1, "TIFFAppendToStrip:Seek error at scanline 0")

    with (
        pytest.raises(CaseError, match=r"Seek error at scanline 0.*the disk is full: free some"),
        Case.create_or_open(tmp_path / "case") as case,
        Runner(case, command="map", options=None, progress=NoProgress()) as run,
    ):
        run.stage(Stage(name="surface", version=1, answer=Skipped), None, [], work)


def test_a_full_temporary_folder_is_told(monkeypatch):
    def full(*_arguments):
        raise RuntimeError("[database_sqlite.cc:1350] SQLite error: database or disk is full")

    monkeypatch.setattr(initial_reconstruction, "_write_database", full)
    monkeypatch.setattr(initial_reconstruction, "thinned_tracks", lambda tracks, _most: tracks)
    one = Tracks(start=np.array([0, 2]), frame=np.array([0, 1]), feature=np.array([0, 0]))
    with pytest.raises(CaseError, match=r"disk is full.*TMPDIR"):
        initial_reconstruction.skeletons_of([], [], one, PoseOptions())


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
    with pytest.raises(InputError, match=r"case: is an Aftermap case.*media"):
        files_in([case])
    assert files_in([case / "media"])[0] == (case / "media/ab/ab.jpg",)


def test_a_name_cannot_reverse_its_letters():
    assert printable("\u202egpj.exe.jpg") == "\\u202egpj.exe.jpg"
    assert printable("\u200fصورة.jpg") == "\u200fصورة.jpg"  # a mark that Arabic names do hold


@pytest.mark.parametrize("arguments", [["", "--case", "case"], ["photos", "--case", ""]])
def test_an_empty_path_is_not_the_current_folder(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert status_of(["map", *arguments]) == 2
    assert "is empty; name a file or folder, or '.' for the current folder. See" in _error(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs signals between processes")
def test_a_stop_that_compiled_code_swallowed_comes_again(monkeypatch):
    """An exception in a callback of C is lost; a little later the run ends all the same."""
    monkeypatch.setattr(options, "STOP_AGAIN_S", 0.05)
    watched = signal.SIGINT, signal.SIGTERM, signal.SIGALRM
    before = [signal.getsignal(one) for one in watched]

    def run():
        with options.sigterm_as_ctrl_c():
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
                wait_until(lambda: False)
            wait_until(lambda: False)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert [signal.getsignal(one) for one in watched] == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_what_was_refused_is_in_the_record_and_verifies(tmp_path, capsys):
    """A photograph that ends half way, and nothing else: kept, told, and no stranger in media/."""
    whole = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert cv2.imwrite(str(tmp_path / "whole.jpg"), whole)
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "f").mkdir()
    (tmp_path / "f/half.jpg").write_bytes(data[: len(data) // 2])
    case = tmp_path / "case"
    assert status_of(["map", str(tmp_path / "f"), "--case", str(case)]) == 2
    assert "half.jpg" in capsys.readouterr().err
    assert status_of(["verify", str(case)]) == 0


def test_sigterm_stops_a_run_as_ctrl_c_does(tmp_path, monkeypatch, capsys):
    class Pipeline(types.ModuleType):
        @staticmethod
        def map_footage(*_arguments, **_options):
            os.kill(os.getpid(), signal.SIGTERM)

    module = Pipeline("aftermap.pipeline")
    monkeypatch.setitem(sys.modules, "aftermap.pipeline", module)
    monkeypatch.setattr(aftermap, "pipeline", module, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    assert status_of(["map", "photos", "--case", str(tmp_path / "case")]) == 130
    assert "stopped; run the same command again to resume" in _error(capsys)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"photos": "nowhere"}, "nowhere: does not exist"),
        ({"photos": "x" * 300}, "xxx: cannot be accessed (File name too long); check the path"),
        ({"photos": "empty"}, "empty: the folder is empty"),
        ({"crs": "EPSG:999999"}, "EPSG:999999: is not a CRS this installation knows"),
        ({"crs": ""}, "an empty name: is not a CRS"),
        ({"crs": "EPSG:4326"}, "EPSG:4326: is not a projected CRS"),
        ({"crs": "EPSG:2264"}, "EPSG:2264: its axes are not in metres"),
        ({"gcp": "nowhere.txt"}, "nowhere.txt: cannot be read"),
        ({"gcp": "broken.txt"}, "broken.txt, line 2: has 2 columns"),
    ],
)
def test_a_slip_in_the_command_makes_and_changes_nothing(
    asked, told, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "empty"):
        Path(folder).mkdir()
    Path("photos/a.jpg").write_bytes(b"x")
    Path("broken.txt").write_text("EPSG:32637\n1 2\n")
    with Case.create_or_open(Path("old")) as case:
        (case.stages / "poses-1").mkdir()
    before = _bytes_in(Path("old"))
    arguments = [asked.pop("photos", "photos"), "--fresh"]
    arguments += [text for name, value in asked.items() for text in (f"--{name}", value)]
    for name in ("new", "old"):
        assert status_of(["map", *arguments, "--case", name]) == 2
        assert told in _error(capsys)
    assert not Path("new").exists()
    assert _bytes_in(Path("old")) == before
    assert Path("old/products/stages/poses-1").exists()


@pytest.mark.parametrize("case", ["photos/a.jpg", "photos/a.jpg/case"])
def test_a_case_cannot_be_a_file_or_in_one(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("photos/a.jpg").write_bytes(b"x")
    assert status_of(["map", "photos", "--case", case]) == 2
    assert "is a file" in _error(capsys)
    assert Path("photos/a.jpg").read_bytes() == b"x"


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32601", "EPSG:2193", "EPSG:3035"])
def test_a_crs_that_is_not_made_for_the_place_is_refused(crs):
    with pytest.raises(CrsError, match=rf"{crs}: is not valid at 35\.950, 39\.000"):
        fitting_crs(crs, 39.0, 35.95)


@pytest.mark.parametrize("crs", ["EPSG:32636", "EPSG:32638", "EPSG:32737", "EPSG:23037"])
def test_a_neighbouring_zone_hemisphere_or_country_must_be_confirmed_by_name(crs):
    assert fitting_crs("EPSG:32637", 39.0, 35.95) == "EPSG:32637"
    with pytest.raises(CrsError, match=rf"the map: {crs} .* confirm it with --confirm-crs {crs}"):
        fitting_crs(crs, 39.0, 35.95)
    assert fitting_crs(crs, 39.0, 35.95, (crs,)) == crs


def test_an_old_way_to_name_a_crs_is_understood_without_a_warning():
    assert projected_crs("+init=epsg:32637") == "EPSG:32637"


@pytest.mark.parametrize(
    ("first_line", "told"),
    [
        ("EPSG:2227", "is in US survey foot"),
        ("EPSG:5703", "is not a CRS for maps"),
        ("x" * 300_000, "is not a CRS"),
        ("\0" * 5000, "is not a CRS"),
    ],
)
def test_a_control_file_whose_crs_cannot_be_used(first_line, told, tmp_path):
    file = tmp_path / "gcp.txt"
    file.write_text(f"{first_line}\n1 2 3 4 5 a.jpg\n")
    with pytest.raises(ControlError, match=told) as caught:
        control_in(file)
    assert str(caught.value).startswith(f"{file}, line 1: ")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("compiled", [machine_code.compiled, machine_code.allocation_free])
def test_without_a_place_for_machine_code_it_is_compiled_every_time(compiled, monkeypatch):
    def njit(*, cache=False, **_options):
        if cache:
            raise RuntimeError("cannot cache function 'f': no locator available for file")
        return lambda loop: loop

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(abs) is abs


def test_a_damaged_feature_file_is_named(tmp_path):
    torn = tmp_path / "torn.npz"
    np.savez(torn, xy_px=np.zeros((9, 2)))
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(CaseError, match=r"torn\.npz: is damaged; delete it"):
        load_features(torn)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_a_case_whose_path_is_no_text_is_refused_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(b"x")
    assert status_of(["map", "a.jpg", "--case", os.fsdecode(b"c\xff")]) == 2
    assert "c\\xff: cannot be written as text here" in _error(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_a_narrow_terminal_still_shows_counts_and_time_left(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    terminal = _Terminal()
    with TerminalProgress(terminal) as progress:
        progress.stage("orthophoto")
        progress.advance("laying down the pictures", 1234, 1234)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert re.search(r"\rorthoph[^\r\n]*1234/1234[^\r\n]* left 0:00:00", drawn)


def test_a_closed_standard_error_does_not_end_a_run():
    with progress_on(None) as progress:
        progress.stage("poses")
        progress.advance("pairs", 2, 2)


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def _error(capsys):
    """The one line that a user is told."""
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.strip()]
    return line


def _bytes_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
