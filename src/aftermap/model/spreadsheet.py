"""Values as cells of a CSV file that no spreadsheet runs as a formula, and back.

A cell that begins with = + - @ (or a tab or carriage return) gets an apostrophe before it (OWASP,
"CSV Injection", read 2026-11); plain negative numbers, as ids and coordinates are, stay.
"""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: object) -> str:
    """A value as a cell; nothing for None. The inverse of :func:`unguarded`."""
    text = "" if value is None else str(value)
    if text.startswith("'") and text.lstrip("'").startswith(_FORMULA_STARTS):
        return f"'{text}"
    if text.startswith(_FORMULA_STARTS) and not _is_negative_number(text):
        return f"'{text}"
    return text


def unguarded(cell: str) -> str:
    """The value that :func:`guarded` wrote, as text."""
    is_guarded = cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA_STARTS)
    return cell[1:] if is_guarded else cell


def _is_negative_number(text: str) -> bool:
    digits = text.removeprefix("-").replace(".", "", 1)
    return text.startswith("-") and digits.isascii() and digits.isdigit()
