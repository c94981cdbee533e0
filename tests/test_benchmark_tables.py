"""The tables of docs/reference/benchmarks.md say at which commit, and mark what is older."""

import json
import re
from pathlib import Path

import pytest
from benchmarks.freshness import RESTS_ON, measured_at
from benchmarks.machine import RESULTS, circumstances, stage_versions
from benchmarks.table import DOCUMENT, with_tables

NOW = {"poses": 3, "surface": 2}


def result(**stages):
    return {"commit": "895acc3fa47e", "stages": stages}


def test_a_figure_of_these_versions_is_not_marked():
    assert measured_at("accuracy", result(poses=3, surface=2), NOW) == "`895acc3f`"
    assert measured_at("unosat", {"commit": "895acc3fa47e+changes"}, NOW) == "`895acc3f`+"


def test_a_figure_of_an_older_stage_is_marked_with_its_version():
    told = measured_at("accuracy", result(poses=2, surface=2), NOW)
    assert told == "`895acc3f`, measured at version: poses 2"
    assert measured_at("confidence", result(poses=2, surface=2), NOW) == "`895acc3f`"
    assert measured_at("another", result(poses=1, surface=1), NOW).endswith("poses 1, surface 1")


def test_a_figure_that_recorded_nothing_says_so():
    assert measured_at("accuracy", {}, NOW) == "commit not recorded, versions not recorded"


def test_the_version_of_every_stage_is_recorded_with_a_result():
    found = circumstances()["stages"]
    assert found == stage_versions()
    assert {"poses", "surface", "sightings", "located", "measures", "grades"} <= set(found)
    named = Path(__file__).resolve().parents[1] / "src" / "aftermap" / "workflows"
    text = "".join(path.read_text("utf-8") for path in named.glob("*.py"))
    assert set(re.findall(r'Stage\(\s*name="(\w+)"', text)) == set(found)


def test_results_rest_on_stages_that_there_are():
    known = set(stage_versions())
    assert {stage for stages in RESTS_ON.values() for stage in stages} <= known


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_older_rows_of_the_document_are_marked(path):
    at = measured_at(path.stem, json.loads(path.read_text("utf-8")), stage_versions())
    made = with_tables(DOCUMENT.read_text("utf-8"))
    if at in made:
        assert at in DOCUMENT.read_text("utf-8"), "run .venv/bin/python -m benchmarks.table"
