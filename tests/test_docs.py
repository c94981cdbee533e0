"""What the documents say is true: commands parse, links lead somewhere, formats are as written."""

import json
import re
import shlex
import sqlite3
from pathlib import Path
from typing import Any

import click
import pytest
import report_scene

from aftermap.cli import aftermap
from aftermap.model.media import VerticalDatum
from aftermap.publish import write_cameras, write_report
from aftermap.publish.report.contents import CautionCode
from aftermap.record import Case

ROOT = Path(__file__).parents[1]
FORMATS = ROOT / "docs" / "reference"
PAGES = sorted(
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    if page.is_file()
)
CODE = ("src", "tests", "benchmarks", "docs")
NAME = re.compile(r"`([a-z][a-z0-9_]*)`")
LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?[^)]*\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def code_lines(page: Path) -> list[str]:
    """Lines of fenced and of indented code, continued ones joined."""
    lines, fenced = [], False
    for line in page.read_text("utf-8").splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            lines.append(line.strip())
    return re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()


def commands(program: str) -> list[tuple[str, str]]:
    """(page, arguments) of every call of a program in a block of code."""
    start = re.compile(rf"(?:[$#%]\s+)?(?:\S*/)?{program}\s+(.*)")
    found = []
    for page in PAGES:
        for line in code_lines(page):
            match = start.match(line)
            if match:
                found.append((name_of(page), match.group(1)))
    return found


def without_links_and_code(text: str) -> str:
    """The text of a page without its blocks of code, in which brackets are no links."""
    text = re.sub(r"(?ms)^(```|~~~).*?^\1", "", text)
    return re.sub(r"`[^`\n]*`", "", re.sub(r"(?m)^ {4}.*$", "", text))


def anchors(page: Path) -> set[str]:
    """Headings as GitHub names them."""
    found = set()
    for heading in re.findall(r"(?m)^#+\s+(.*?)\s*#*$", page.read_text("utf-8")):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.replace(" ", "-"))
    return found


def section(page: Path, heading: str) -> str:
    """What stands below a heading, down to the next one of its rank or above."""
    text = page.read_text("utf-8")
    match = re.search(rf"(?m)^(#+) {re.escape(heading)}.*$", text)
    assert match, f"{page.name} has no heading {heading}"
    rest = text[match.end() :]
    end = re.search(rf"(?m)^#{{1,{len(match.group(1))}}} ", rest)
    return rest[: end.start()] if end else rest


def rows(text: str) -> list[list[str]]:
    """Cells of the tables of a text, without heads and rules."""
    lines = [line.strip() for line in text.splitlines()]
    table = [i for i, line in enumerate(lines) if line.startswith("|")]
    kept = []
    for i in table:
        following = lines[i + 1] if i + 1 < len(lines) else ""
        is_head = bool(re.fullmatch(r"[|\s:-]+", following)) and "-" in following
        is_rule = bool(re.fullmatch(r"[|\s:-]+", lines[i]))
        if not is_head and not is_rule:
            kept.append([cell.strip() for cell in lines[i].strip("|").split("|")])
    return kept


def first_names(text: str) -> set[str]:
    """Names in the first column of the tables of a text."""
    return {name for row in rows(text) for name in NAME.findall(row[0])}


@pytest.mark.parametrize(("page", "arguments"), commands("aftermap"))
def test_commands_in_the_documents_are_understood(page, arguments):
    words = shlex.split(arguments, comments=True)
    if words and words[0] in {"--help", "-h", "--version"}:
        return
    options = [word for word in words if word == "--debug"]
    name, *rest = [word for word in words if word not in options]
    assert name in aftermap.commands, f"{page}: there is no `aftermap {name}`"
    try:
        aftermap.commands[name].make_context(name, rest)
    except click.exceptions.Exit:  # --help
        pass
    except click.ClickException as error:
        pytest.fail(f"{page}: aftermap {arguments}: {error.format_message()}")


def all_commands(command: click.Command) -> list[click.Command]:
    """A command, and those that it groups."""
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(one for child in inner for one in all_commands(child))]


def test_options_named_in_the_text_exist():
    known = {
        option
        for command in all_commands(aftermap)
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "--version"}
    for page in PAGES:
        for code in re.findall(r"`([^`\n]*)`", page.read_text("utf-8")):
            if re.match(r"aftermap\s|--[a-z-]+(\s|$)", code):
                unknown = set(re.findall(r"--[a-z][a-z-]*", code)) - known
                assert not unknown, f"{name_of(page)}: `{code}`"


@pytest.mark.parametrize(("page", "arguments"), commands("make"))
def test_make_targets_in_the_documents_exist(page, arguments):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for word in shlex.split(arguments, comments=True):
        if "=" not in word:
            assert re.search(rf"(?m)^{re.escape(word)}:", makefile), f"{page}: make {word}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_that_are_there(page):
    text = without_links_and_code(page.read_text("utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)} points to {target}"
        assert there.is_relative_to(ROOT), f"{name_of(page)} points out of the repository: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{name_of(page)} points to {target}"


def test_programs_named_in_the_documents_are_there():
    """Decisions are left out: they keep the names of their time."""
    there = {path.name for folder in CODE for path in (ROOT / folder).rglob("*.py")} | {"NAME.py"}
    for page in PAGES:
        if page.parent.name != "decisions":
            for name in re.findall(r"`(?:[\w-]+/)*(\w+\.py)`", page.read_text("utf-8")):
                assert name in there, f"{name_of(page)}: {name}"


def test_every_decision_is_in_their_index_under_its_title():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text("utf-8")
    for page in folder.glob("0*.md"):
        title = page.read_text("utf-8").splitlines()[0].removeprefix("# ")
        assert f"{int(page.name[:4])}. [{title}]({page.name})" in index, page.name


def test_pages_named_in_the_code_are_there():
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text("utf-8")):
                moved = (ROOT / "docs/reference" / Path(page).name).exists()
                is_old = page.startswith("docs/formats/") and moved
                assert (ROOT / page).exists() or is_old, f"{path.name}: {page}"


@pytest.fixture(scope="module")
def layers(tmp_path_factory) -> dict[str, set[str]]:
    """Columns by layer of a case that holds cameras."""
    folder = tmp_path_factory.mktemp("case") / "case"
    built = report_scene.reconstruction()
    corners = [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)]
    with Case.create_or_open(folder) as case:
        case.replace_cameras(built, {p.frame.sha256: corners for p in built.placed}, ())
    with sqlite3.connect(f"file:{folder / 'case.gpkg'}?mode=ro", uri=True) as package:
        names = [name for (name,) in package.execute("SELECT table_name FROM gpkg_contents")]
        columns = {
            name: {row[1] for row in package.execute(f'PRAGMA table_info("{name}")')}
            for name in names
        }
    package.close()
    return columns


def documented_layers() -> list[str]:
    headings = re.findall(r"(?m)^### `([a-z_]+)`", (FORMATS / "case.md").read_text("utf-8"))
    return list(headings)


def test_the_layers_of_a_case_are_those_described(layers):
    assert len(documented_layers()) >= 5
    assert set(documented_layers()) == set(layers)


@pytest.mark.parametrize("layer", documented_layers())
def test_the_columns_of_a_layer_are_those_described(layers, layer):
    text = section(FORMATS / "case.md", f"`{layer}`")
    named = first_names(text)
    assert named <= layers[layer], f"{layer}: {named - layers[layer]} is not there"
    own = layers[layer] - {"fid", "id", "geom"}
    in_text = set(NAME.findall(text))
    assert own <= in_text, f"{layer}: {own - in_text} is not described"


def test_the_keys_of_cameras_json_are_those_described(tmp_path):
    path = write_cameras(report_scene.reconstruction(), tmp_path / "cameras.json")
    content = json.loads(path.read_text("utf-8"))
    page = FORMATS / "cameras.md"
    whole = page.read_text("utf-8")
    top = first_names(whole[: whole.index("## `frames`")])
    assert top == set(content)
    assert first_names(section(page, "`frames`")) == set(content["frames"][0])


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("report")
    built = report_scene.reconstruction(control=report_scene.control_marks())
    rasters = report_scene.write_rasters(folder)
    write_report(report_scene.facts(folder, rasters, reconstruction=built), folder)
    content: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return content


def keys_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(keys_in(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(keys_in(item) for item in value))
    return set()


def test_the_keys_of_report_json_are_those_described(report):
    table = section(FORMATS / "report.md", "Keys")
    named = first_names(table)
    assert named <= set(report)
    assert set(report) - named == {"format", "version"}


def test_the_keys_inside_the_sections_of_report_json_exist(report):
    missing = []
    for row in rows(section(FORMATS / "report.md", "Keys")):
        known = set().union(*(keys_in(report[name]) for name in NAME.findall(row[0])))
        described = set(NAME.findall(row[1])) - {"null"}
        if not known:  # a list of words, or a value
            continue
        missing += [f"{row[0]}: {name}" for name in sorted(described - known)]
    # Named only when a position is wild, which this flight has none of; and a file.
    assert set(missing) <= {"`gps`: without_wild"}


def test_the_datums_of_the_documents_are_those_that_exist():
    for page in ("rasters.md", "cameras.md"):
        text = (FORMATS / page).read_text("utf-8")
        for datum in VerticalDatum:
            assert f"`{datum.value}`" in text, f"{page}: {datum.value}"
    table = section(FORMATS / "rasters.md", "`surface.tif`")
    assert first_names(table) == {datum.value for datum in VerticalDatum}


def test_the_warnings_described_are_those_that_can_be_given():
    described = first_names(section(FORMATS / "report.md", "Warnings"))
    assert described == {code.value for code in CautionCode}
