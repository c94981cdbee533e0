"""A graded case, copied for each test, and commands run on it."""

from dataclasses import replace

import pytest
from graded_case import graded_case
from label_sheets import fill

from aftermap.cli import status_of


@pytest.fixture(scope="package")
def template(tmp_path_factory):
    return graded_case(tmp_path_factory.mktemp("graded") / "raqqa")


@pytest.fixture
def made(template, tmp_path):
    path = tmp_path / "raqqa"
    path.mkdir()
    (path / "case.gpkg").write_bytes((template.path / "case.gpkg").read_bytes())
    return replace(template, path=path)


@pytest.fixture
def run(capsys):
    def _run(*words):
        status = status_of([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return _run


@pytest.fixture
def reviewed(made, run):
    """The case with a sample of 120, reviewed by anna who is always right, declared blind."""
    assert run("sample", made.path, "--size", 120, "--seed", 4)[0] == 0
    path = fill(made, made.path / "sample.csv", "anna")
    status, _, err = run("review", "import", made.path, path, "--blind", "yes")
    assert (status, err) == (0, "")
    return made
