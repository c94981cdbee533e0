"""Whatever fails after the poses, they are delivered: status 1, one line, nothing that contradicts.

What fails is put in place of the surface and of the orthophoto; all before and after it is real.
"""

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from known_district import PHOTOS, PRODUCTS, Mapped, map_here
from PIL import Image

from aftermap import pipeline
from aftermap.cli import status_of
from aftermap.errors import AftermapError, SurfaceError
from aftermap.workflows.products import OF_A_MAP

WHY = "no heights could be matched; add sharper photographs"
A_FAULT = "internal error in Aftermap"
LATER = ("mesh.glb", "points.laz")
"""Products of a map that this run does not make."""


def failing(error):
    def work(*_arguments):
        raise error

    return work


def rerun(monkeypatch, capsys, mapped, case, *more, **replaced):
    """The finished map copied, and mapped again with a step that fails in place of the real one."""
    shutil.copytree(mapped.case, case)
    for name in LATER:
        (case / "products" / name).write_bytes(b"of the earlier map")
    for name, error in replaced.items():
        stage = {"surface_of": "SURFACE", "orthophoto_of": "ORTHOPHOTO"}[name]
        monkeypatch.setattr(pipeline, name, failing(error))
        monkeypatch.setattr(pipeline, stage, replace(getattr(pipeline, stage), version=999))
    capsys.readouterr()
    status = map_here(mapped.flight / "images", case, *more)
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if line.startswith("aftermap: ")]
    return SimpleNamespace(status=status, out=told.out, err=told.err, lines=lines)


def products(case: Path) -> set[str]:
    return {path.name for path in (case / "products").iterdir() if path.is_file()}


def json_in(case: Path, name: str):
    return json.loads((case / "products" / name).read_text("utf-8"))


def newest_run(case: Path) -> tuple[str, str]:
    record = sqlite3.connect(case / "case.gpkg")
    row = record.execute("SELECT status, message FROM run ORDER BY fid DESC LIMIT 1").fetchone()
    record.close()
    return row


def cameras_kept(case: Path) -> list[tuple[int, int, str]]:
    record = sqlite3.connect(case / "case.gpkg")
    rows = record.execute("SELECT registered, mapped, reason FROM camera").fetchall()
    record.close()
    return rows


@pytest.fixture
def without_surface(mapped: Mapped, tmp_path, monkeypatch, capsys):
    case = tmp_path / "case"
    made = rerun(monkeypatch, capsys, mapped, case, surface_of=SurfaceError(WHY))
    return SimpleNamespace(**vars(made), case=case)


def test_without_a_surface_the_poses_the_report_and_the_record_are_there(without_surface, mapped):
    case = without_surface.case
    assert without_surface.status == 1
    assert without_surface.lines == [f"aftermap: done in part: there is no map: {WHY}"]
    assert without_surface.out.startswith("There is no map: no surface could be measured")
    assert "Warning" not in without_surface.out
    assert products(case) == {"cameras.json", "report.json", "report.html"}
    before = {one["sha256"]: one for one in mapped.json("cameras.json")["frames"]}
    frames = json_in(case, "cameras.json")["frames"]
    assert len(frames) == PHOTOS
    for one in frames:
        assert one["registered"]
        assert not one["mapped"]
        assert one["reason"] == f"aligned, but there is no map: {WHY}"
        assert one["position_m"] == before[one["sha256"]]["position_m"]
        assert one["position_sigma_m"]
    assert cameras_kept(case) == [(1, 0, frames[0]["reason"])] * PHOTOS
    assert newest_run(case) == ("ok", f"there is no map: {WHY}")


def test_the_report_draws_the_positions_and_says_why_and_what_next(without_surface, mapped):
    report = json_in(without_surface.case, "report.json")
    assert report["map"] is None
    assert report["surface"] is None
    assert report["why"] == WHY
    assert report["next_steps"]
    pictures = report["photographs"]
    assert (pictures["placed"], pictures["mapped"]) == (PHOTOS, 0)
    assert {one["map_fraction"] for one in pictures["placed_list"]} == {None}
    assert (
        report["poses"]["reprojection_px"] == mapped.json("report.json")["poses"]["reprojection_px"]
    )
    assert report["lenses"][0]["photographs"] == PHOTOS
    page = (without_surface.case / "products/report.html").read_text("utf-8")
    assert page.count('class="dot mapped"') == PHOTOS
    assert page.count("h0") > 500  # tie points
    assert WHY in page
    for step in report["next_steps"]:
        assert step in page


def test_a_case_without_its_surface_is_sound_and_grades_nothing_on_the_earlier_map(
    without_surface, capsys
):
    assert status_of(["verify", str(without_surface.case)]) == 0
    capsys.readouterr()
    assert status_of(["assess", str(without_surface.case), "--footprints", "x.geojson"]) == 2
    assert "has no finished surface; run aftermap map on it first" in capsys.readouterr().err


@pytest.mark.exhaustive  # a run that was killed is resumed in every run (test_run_again.py)
def test_the_same_command_makes_the_map_once_nothing_fails(without_surface, mapped, monkeypatch):
    monkeypatch.undo()
    assert map_here(mapped.flight / "images", without_surface.case) == 0
    assert products(without_surface.case) >= set(PRODUCTS)
    assert newest_run(without_surface.case) == ("ok", None)
    assert {one[1:] for one in cameras_kept(without_surface.case)} == {(1, None)}


def test_without_an_orthophoto_the_surface_is_there(mapped, tmp_path, monkeypatch, capsys):
    case = tmp_path / "case"
    made = rerun(monkeypatch, capsys, mapped, case, orthophoto_of=SurfaceError(WHY))
    assert made.status == 1
    assert made.lines == [f"aftermap: done in part: there is no orthophoto: {WHY}"]
    assert products(case) == {
        "surface.tif",
        "confidence.tif",
        "surface_sigma.tif",
        "surface.qml",
        "confidence.qml",
        "surface_measured.vrt",
        "surface_measured.qml",
        "cameras.json",
        "report.json",
        "report.html",
    }
    report = json_in(case, "report.json")
    assert report["map"] is None
    assert report["surface"]["measured_fraction"] == pytest.approx(
        mapped.json("report.json")["map"]["measured_fraction"]
    )
    assert {one[1:] for one in cameras_kept(case)} == {(1, None)}
    assert status_of(["verify", str(case)]) == 0


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("NaN to integer"), f"surface: {A_FAULT} (ValueError: NaN to integer); report"),
        (MemoryError(), "surface: out of memory; run the same command again with --workers 1"),
        (AftermapError("a worker process was stopped"), "a worker process was stopped"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_a_failure_that_nobody_foresaw_delivers_the_poses_as_well(
    error, told, debug, mapped, tmp_path, monkeypatch, capsys
):
    case = tmp_path / "case"
    more = ("--debug",) if debug else ()
    made = rerun(monkeypatch, capsys, mapped, case, *more, surface_of=error)
    assert made.status == 1
    (line,) = made.lines
    assert line.startswith(f"aftermap: done in part: there is no map: {told}")
    assert ("Traceback" in made.err) is debug
    assert (f"{type(error).__name__}" in made.err.replace(line, "")) is debug
    assert sum(one["registered"] for one in json_in(case, "cameras.json")["frames"]) == PHOTOS


def test_a_full_disk_leaves_the_earlier_products_alone(mapped, tmp_path, monkeypatch, capsys):
    case = tmp_path / "case"
    full = OSError(28, "No space left on device")
    made = rerun(monkeypatch, capsys, mapped, case, surface_of=full)
    assert made.status == 2
    assert products(case) == set(PRODUCTS) | set(LATER)


def test_a_map_whose_buildings_cannot_be_graded_is_there(mapped, tmp_path, capsys):
    case = tmp_path / "case"
    shutil.copytree(mapped.case, case)
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    capsys.readouterr()
    words = ("--footprints", str(tmp_path / "empty.geojson"))
    assert map_here(mapped.flight / "images", case, *words) == 1
    told = capsys.readouterr()
    assert "aftermap: done in part: the buildings are not graded: " in told.err
    assert "empty.geojson" in told.err
    assert "The orthophoto covers" in told.out
    assert products(case) >= set(PRODUCTS)
    assert newest_run(case)[0] == "ok"
    assert newest_run(case)[1].startswith("the buildings are not graded: ")


def test_pictures_that_say_nothing_of_their_place_are_delivered_in_a_local_frame(
    mapped, tmp_path, monkeypatch, capsys
):
    folder, case = tmp_path / "bare", tmp_path / "case"
    folder.mkdir()
    for path in sorted((mapped.flight / "images").iterdir())[:8]:
        with Image.open(path) as picture:
            picture.save(folder / path.name, quality=95)
    monkeypatch.setattr(pipeline, "surface_of", failing(SurfaceError(WHY)))
    assert map_here(folder, case, "--quality", "draft") == 1
    capsys.readouterr()
    cameras, report = json_in(case, "cameras.json"), json_in(case, "report.json")
    assert cameras["crs"] == report["crs"] == "LOCAL"
    assert report["unit"] == "units"
    assert sum(one["registered"] for one in cameras["frames"]) >= 3
    assert "local" in {one["code"] for one in report["warnings"]}
    assert "without position, scale or north" in " ".join(report["verdict"])
    page = (case / "products/report.html").read_text("utf-8")
    assert "north not known" in page


def test_every_name_that_a_map_delivers_is_removed_when_it_would_contradict(mapped):
    kept = {"cameras.json", "report.json", "report.html"}
    assert products(mapped.case) - kept <= set(OF_A_MAP)
