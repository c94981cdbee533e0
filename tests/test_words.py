"""docs/conventions.md is the word list of the code: its terms are there, its old words are not."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "conventions.md"
SOURCES = {
    path: path.read_text("utf-8")
    for package in ("aftermap", "aftermap_twin")
    for path in sorted((ROOT / "src" / package).rglob("*.py"))
}
OLD_WORDS = {
    *("ties", "knowns", "sights", "skeleton", "glance", "glances", "flown", "joins"),
    *("settled", "adopted", "mapless", "unmapped", "shelf", "shelves"),
}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def word_rows() -> list[list[str]]:
    """The rows of three cells below the heading Words."""
    text = PAGE.read_text("utf-8").split("\n## Words\n")[1]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in lines if len(row) == 3 and row[0] != " word "]


def words_of(name: str) -> set[str]:
    return {word.lower() for word in WORD.findall(name)}


def public_names(source: str) -> list[str]:
    """What a module defines at its top, without what is its own."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [one.id for one in node.targets if isinstance(one, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    return [name for name in found if not name.startswith("_")]


def is_defined(name: str) -> bool:
    """Whether a class, function, constant, field, file or value of that name is in the sources."""
    if any(name in {path.stem, path.parent.name} for path in SOURCES):
        return True
    literal = re.escape(name)
    defined = re.compile(rf"(?m)^\s*(class|def) {literal}\b|^\s*{literal}(:|\s=)|\"{literal}\"")
    return any(defined.search(source) for source in SOURCES.values())


def test_the_list_is_whole():
    rows = word_rows()
    assert len(rows) > 50
    terms = [term for term, _, _ in rows]
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize(("term", "place"), [(term, place) for term, _, place in word_rows()])
def test_every_word_lives_where_the_list_says(term, place):
    names = re.findall(r"`([\w.]+)`", place)
    assert names, term
    for name in names:
        assert is_defined(name), f"{term}: {name}"


def test_no_public_name_and_no_file_uses_an_old_word():
    found = []
    for path, source in SOURCES.items():
        names = [*public_names(source), path.stem, path.parent.name]
        found += [f"{path.name}: {name}" for name in names if words_of(name) & OLD_WORDS]
    assert found == []


def test_an_old_word_in_a_name_would_be_found():
    source = "class Glance: pass\nSIGHTS = 1\ndef placed_ties(): pass\ntie_points = 2"
    names = public_names(source)
    assert [name for name in names if words_of(name) & OLD_WORDS] == [
        "Glance",
        "SIGHTS",
        "placed_ties",
    ]
