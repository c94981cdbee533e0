"""Files of labels as reviewers fill them in."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from graded_case import GradedCase


def rows_of(path: Path) -> list[dict[str, str]]:
    """The lines of a file of labels by column."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def fill(
    made: GradedCase, path: Path, reviewer: str, grade_of: Callable[[str], str] | None = None
) -> Path:
    """The exported file, filled in with the truth or with what ``grade_of`` says."""
    rows = rows_of(path)
    for row in rows:
        row["reviewer"] = reviewer
        row["grade"] = (grade_of or made.truth.__getitem__)(row["source_id"])
    return written(path.with_name(f"{reviewer}.csv"), rows)


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    """Lines as a file, with semicolons as a spreadsheet of many countries has them."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path
