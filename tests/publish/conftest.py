"""One set of rasters and one report for the tests that only look."""

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
import report_scene as scene

from aftermap.publish.report.figures import overviews_of
from aftermap.publish.report.page import contents_of, write_report
from aftermap.publish.shared.files import json_text


@pytest.fixture(scope="session")
def rasters(tmp_path_factory):
    return scene.write_rasters(tmp_path_factory.mktemp("rasters"))


@pytest.fixture
def report_on(rasters, tmp_path):
    """Writes a report on changed facts and reads both its files."""

    def write(**changes):
        report = write_report(
            scene.facts(tmp_path, changes.pop("rasters", rasters), **changes), tmp_path
        )
        return SimpleNamespace(
            html=report.page.read_text("utf-8"),
            json=json.loads((Path(tmp_path) / "report.json").read_text("utf-8")),
        )

    return write


@pytest.fixture
def figures_on(rasters, tmp_path):
    """The figures of a report on changed facts, as its JSON holds them; no page is made."""

    def measure(**changes):
        facts = scene.facts(tmp_path, changes.pop("rasters", rasters), **changes)
        contents = contents_of(facts, overviews_of(facts))
        return SimpleNamespace(json=json.loads(json_text(asdict(contents))))

    return measure


@pytest.fixture(scope="session")
def full_report(rasters, tmp_path_factory):
    """A report with control and check points."""
    folder = tmp_path_factory.mktemp("report")
    built = scene.reconstruction(control=scene.control_marks())
    report = write_report(scene.facts(folder, rasters, reconstruction=built), folder)
    return SimpleNamespace(
        html=report.page.read_text("utf-8"),
        json=json.loads((folder / "report.json").read_text("utf-8")),
        folder=folder,
        reconstruction=built,
    )
