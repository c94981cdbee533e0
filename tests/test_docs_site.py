"""The pages build into a website without a warning, and the website loads nothing from outside."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
LOADING = {"href": {"link"}, "src": {"script", "img", "iframe", "source", "video", "audio"}}
OUTSIDE = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)


class Loads(HTMLParser):
    """Addresses that a browser fetches by itself when it shows a page; links are not among them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if tag in LOADING.get(name, ()) and value:
                self.found.append(value)


def loads_of(page: str) -> list[str]:
    parser = Loads()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Built as ``make docs`` does: a broken link, a page in no table of contents is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run(  # noqa: S603
        [*command, "--doctree-dir", folder / "trees", DOCS, folder / "html"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_becomes_a_page_of_the_site(site):
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").is_file(), page


def test_the_site_loads_nothing_from_another_host(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        addresses = loads_of(page.read_text("utf-8"))
        assert addresses
        assert [one for one in addresses if OUTSIDE.match(one)] == [], page.name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text("utf-8")
        fetched = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')\s;]+)", text)
        assert [one for one in fetched if OUTSIDE.match(one)] == [], sheet.name


def test_an_address_of_another_host_would_be_seen():
    assert loads_of('<link rel="stylesheet" href="https://fonts.example/css">') == [
        "https://fonts.example/css"
    ]
    assert loads_of('<a href="https://example.org">a link</a>') == []
    assert OUTSIDE.match("//cdn.example/x.js")
    assert not OUTSIDE.match("_static/x.js")
