"""SQL is written in ``record/`` and nowhere else: who asks the record calls a named function."""

import ast
import re
from pathlib import Path

import pytest

import aftermap

PACKAGE = Path(aftermap.__file__).parent
STATEMENT = re.compile(
    r"\s*(SELECT\b.+|INSERT\s+(OR\s+\w+\s+)?INTO\b.+|UPDATE\s+\w+\s+SET\b.+|DELETE\s+FROM\b.+"
    r"|PRAGMA\s+\w+.*|(CREATE|DROP|ALTER)\s+(TABLE|INDEX|TRIGGER|VIEW)\b.+)",
    re.DOTALL,
)
ASKING = ("rows", "execute", "executemany", "executescript")
OUTSIDE = [
    path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] != "record"
]


def sql_in(source: str) -> list[int]:
    """The lines that hold SQL, or send some to a connection."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if STATEMENT.fullmatch(node.value):
                lines.append(node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ASKING:
                lines.append(node.lineno)
        elif isinstance(node, ast.Import) and any(one.name == "sqlite3" for one in node.names):
            lines.append(node.lineno)
    return sorted(lines)


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_sql_is_outside_the_record(path):
    assert sql_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        'found = case.rows("SELECT 1 FROM building")',
        '_NEWEST = """\nSELECT fid FROM run"""',
        'sql = f"DELETE FROM {table} WHERE fid = 1"',
        "connection.execute(sql)",
        "import sqlite3",
    ],
)
def test_sql_is_recognised(source):
    assert sql_in(source)
