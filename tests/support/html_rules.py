"""What every published page keeps to, by the standard library's parser (HTML Living Standard)."""

import re
from collections import Counter
from html.parser import HTMLParser

VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
NAMED_BY = ("aria-labelledby", "aria-describedby", "for", "headers")


class PageRules(HTMLParser):
    """Reads a page; ``faults`` says in words what is wrong with it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.seen: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.asked: set[str] = set()
        self.open: list[str] = []
        self.heads: list[int] = []
        self.cell: list[str] | None = None
        self.feed(page)
        self.close()
        self._end(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.seen[tag] += "svg" not in self.open
        if len(given) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if given.get("id") is not None:
            self.ids[str(given["id"])] += 1
        self.asked |= {word for name in NAMED_BY for word in (given.get(name) or "").split()}
        if tag == "a" and (given.get("href") or "").startswith("#"):
            self.asked.add(str(given["href"])[1:])
        if tag == "html" and not given.get("lang"):
            self.faults.append("<html> names no language")
        if tag == "table":
            self.heads.append(0)
        if tag == "th":
            self._head(given.get("scope"))
        if tag == "img" and given.get("alt") is None:
            self.faults.append("<img> without alt")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1] if self.open else 'nothing'}")
            return
        self.open.pop()
        if tag == "th":
            if not "".join(self.cell or []).strip():
                self.faults.append("<th> without words")
            self.cell = None
        if tag == "table" and not self.heads.pop():
            self.faults.append("<table> without a head of columns")

    def _head(self, scope: str | None) -> None:
        self.cell = []
        if scope not in ("col", "row", "colgroup", "rowgroup"):
            self.faults.append("<th> without scope")
        if scope == "col" and self.heads and "thead" in self.open:
            self.heads[-1] += 1

    def _end(self, page: str) -> None:
        for tag in ("html", "main", "title", "h1"):
            if self.seen[tag] != 1:
                self.faults.append(f"{self.seen[tag]} of <{tag}>")
        self.asked |= set(re.findall(r"url\(#([\w-]+)\)", page))
        self.faults += [f"id {name} {n} times" for name, n in self.ids.items() if n > 1]
        self.faults += [f"#{name} is nowhere" for name in sorted(self.asked - set(self.ids))]
        self.faults += [f"<{tag}> is never closed" for tag in self.open]
        if not page.lstrip().lower().startswith("<!doctype html>"):
            self.faults.append("no doctype")


def faults_of(page: str) -> list[str]:
    """What is wrong with a page; empty where nothing is."""
    return PageRules(page).faults
