"""docs/architecture.md is true: its packages are those that exist, and its recipes work.

Three recipes are followed with a made-up dialect, measure and export; of the fourth, every file and
name is looked up.
"""

import importlib.util
import re
from fractions import Fraction
from pathlib import Path

import pytest
from graded_case import graded_case
from made_up_roofs import Scene, outline, values

from aftermap.assessment import measure, names
from aftermap.cli.telemetry import telemetry_command
from aftermap.errors import InputError
from aftermap.media import find
from aftermap.media.telemetry import reading, sidecars_of, track_in
from aftermap.media.telemetry.draft import RECORDER, Draft, skipped_by_reason
from aftermap.model.telemetry import TelemetrySample
from aftermap.publish.report import index_only_page
from aftermap.record import Case
from aftermap.workflows import exports

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text("utf-8")
PACKAGES = ROOT / "src" / "aftermap"
FILE = re.compile(r"`((?:src|tests|docs|benchmarks|frontend)/[\w./-]*)`")
NAME_IN_FILE = re.compile(r"`(\w+)`\s+in\s+`([\w./-]+)`")


def recipes() -> dict[str, str]:
    parts = re.split(r"(?m)^## Recipe: (.*)$", TEXT)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_package_has_its_paragraph_and_its_place_in_the_picture():
    there = {path.parent.name for path in PACKAGES.glob("*/__init__.py")}
    described = set(re.findall(r"(?m)^\*\*`(\w+)`\*\*:", TEXT))
    assert described == there
    picture = (ROOT / "docs/images/architecture.svg").read_text("utf-8")
    shown = set(re.findall(r"\w+", " ".join(re.findall(r'class="name"[^>]*>([^<]*)<', picture))))
    assert there <= shown


def test_the_picture_is_what_its_script_draws():
    script = importlib.util.spec_from_file_location(
        "draw_architecture", ROOT / "docs" / "draw_architecture.py"
    )
    assert script is not None
    assert script.loader is not None
    module = importlib.util.module_from_spec(script)
    script.loader.exec_module(module)
    assert module.PICTURE.read_text("utf-8") == module.drawing()


def test_there_are_four_recipes_of_about_ten_lines():
    found = recipes()
    assert list(found) == [
        "a telemetry dialect",
        "a damage measure",
        "an export",
        "a view of the page",
    ]
    for name, text in found.items():
        assert len(text.strip().splitlines()) <= 20, name


@pytest.mark.parametrize("name", recipes())
def test_files_and_names_of_a_recipe_are_there(name):
    text = recipes()[name]
    files = FILE.findall(text)
    assert files
    for file in files:
        place = ROOT / file
        assert (place.parent if "NAME" in file else place).exists(), file
    pairs = NAME_IN_FILE.findall(text)
    assert pairs
    for word, file in pairs:
        source = (ROOT / file).read_text("utf-8")
        defined = rf"(?m)^\s*(export )?(def|class|function|type|interface|const) {word}\b"
        assert re.search(rf"{defined}|^{word}\b.*=", source, re.MULTILINE), f"{word} in {file}"


def knots_draft(text: str, name: str) -> Draft:
    """A made-up dialect: seconds, longitude, latitude and knots on each line."""
    samples, refused = [], []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            time, lon, lat, _ = map(float, line.split())
        except ValueError:
            refused.append((number, "not four numbers"))
            continue
        samples.append(TelemetrySample(time_s=Fraction(time), lonlat_deg=(lon, lat)))
    if not samples:
        raise InputError(f"{name}: holds no line of four numbers; export the flight again")
    return Draft(
        dialect="knots",
        clock=RECORDER,
        samples=tuple(samples),
        sigmas_m=(4.0, 8.0),
        refused=skipped_by_reason("line", refused),
    )


def test_a_made_up_telemetry_dialect_is_added_by_one_row(tmp_path, monkeypatch):
    path = tmp_path / "DJI_0001.knots"
    path.write_text("0 39.0087 35.9506 12\nbroken\n1 39.0088 35.9506 12\n", "utf-8")
    with pytest.raises(InputError, match="no supported telemetry"):
        track_in(path, name=path.name, sha256="0" * 64)
    row = reading.Dialect(name="knots", text_suffix=".knots", read_text=knots_draft)
    monkeypatch.setattr(reading, "DIALECTS", (*reading.DIALECTS, row))
    track = track_in(path, name=path.name, sha256="0" * 64)
    assert track.dialect == "knots"
    assert (track.sigma_horizontal_m, track.sigma_vertical_m) == (4.0, 8.0)
    assert [sample.lonlat_deg for sample in track.samples] == [
        (39.0087, 35.9506),
        (39.0088, 35.9506),
    ]
    assert "line 2" in [one.name for one in track.refused]
    path.write_text("nothing\n", "utf-8")
    with pytest.raises(InputError, match="export the flight again"):
        track_in(path, name=path.name, sha256="0" * 64)
    path = tmp_path / "notes.txt"
    path.write_text("nothing\n", "utf-8")
    with pytest.raises(InputError, match=r"supported are .*\bKNOTS\b"):
        track_in(path, name=path.name, sha256="0" * 64)


def test_a_reader_must_say_how_good_its_places_are():
    with pytest.raises(TypeError, match="sigmas_m"):
        Draft(dialect="knots", clock=RECORDER, samples=())


def test_help_and_report_name_the_sidecars_that_are_read():
    for kind in reading.file_kinds():
        assert re.search(rf"\b{kind}\b", telemetry_command.help or ""), kind
    advice = Path(index_only_page.__file__).read_text("utf-8")
    texts = [one.text_suffix.removeprefix(".").upper() for one in reading.DIALECTS]
    for kind in filter(None, texts):
        assert re.search(rf"telemetry \([^)]*\b{kind}\b", advice), kind


def test_the_endings_of_dialects_are_taken_for_sidecars(tmp_path):
    for dialect in reading.DIALECTS:
        if dialect.text_suffix:
            assert dialect.text_suffix in find.SIDECARS
            beside = tmp_path / f"DJI_0001{dialect.text_suffix}"
            assert sidecars_of(tmp_path / "DJI_0001.MP4", [beside]) == (beside,)


def test_a_made_up_damage_measure_is_added_by_two_rows(tmp_path, monkeypatch):
    def dome_measures(site):
        top = float(site.cells.height_m[site.used].max()) - site.ground_m
        return {"dome_height_m": (top, site.ground_sigma_m)}

    row = names.Measure(
        name="dome_height_m", family="height", text=lambda v: f"dome of {v:.1f} m above the ground"
    )
    monkeypatch.setattr(measure, "FROM_HEIGHTS", (*measure.FROM_HEIGHTS, dome_measures))
    monkeypatch.setattr(names, "MEASURES", (*names.MEASURES, row))
    monkeypatch.setattr(measure, "MEASURES", (*names.MEASURES,))
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 34)] += 6.0
    _, table, (found,) = values(scene, [outline(20, 20, 32, 34)], tmp_path)
    assert table.names[-1] == "dome_height_m"
    assert found["dome_height_m"] == pytest.approx(6.0, abs=0.2)
    assert found["dome_height_m_sigma"] > 0
    assert names.in_words("dome_height_m", 6.04) == "dome of 6.0 m above the ground"
    assert names.family("dome_height_m") == "height"


def test_a_measure_of_roof_planes_is_given_those_of_the_roof(tmp_path, monkeypatch):
    def largest_plane(_, planes):
        return {"largest_plane_m2": (float(planes.area_m2[0]), 1.0)}

    row = names.Measure(name="largest_plane_m2")
    monkeypatch.setattr(measure, "FROM_PLANES", (*measure.FROM_PLANES, largest_plane))
    monkeypatch.setattr(measure, "MEASURES", (*names.MEASURES, row))
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 34)] += 6.0
    _, _, (found,) = values(scene, [outline(20, 20, 32, 34)], tmp_path)
    assert found["plane_count"] == 1
    assert found["largest_plane_m2"] == pytest.approx(10.8 * 12.8, rel=0.03)


def test_a_made_up_export_is_added_by_one_row(tmp_path, monkeypatch):
    def write_list(path, buildings, dates):
        lines = [f"{one.assessment.source_id} {one.assessment.grade}" for one in buildings]
        path.write_text("\n".join([str(dates), *lines]), "utf-8")
        return path

    made = graded_case(tmp_path / "raqqa")
    monkeypatch.setattr(exports, "EXPORTS", {**exports.EXPORTS, "buildings.list": write_list})
    with Case.create_or_open(made.path) as case:
        written = exports.write_exports(case, ("2024-05-01", "2024-05-02"))
        standing = exports.standing_grades(case)
    assert [path.name for path in written][-1] == "buildings.list"
    lines = written[-1].read_text("utf-8").splitlines()
    assert lines[0] == "('2024-05-01', '2024-05-02')"
    assert lines[1:] == [f"{name} {one.grade}" for name, one in standing.items()]
