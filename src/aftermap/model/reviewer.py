"""The names of reviewers: one rule for the page, for files of labels and for options."""

import unicodedata

from aftermap.errors import InputError

LONGEST_NAME = 80
_MARKS = frozenset(" -.'_@+()/&#\u2010\u2011\u2019\u00b7\u30fb\u05f3\u05f4")
"""What may stand in a name beside letters, accents and digits: nothing that parts a sentence."""
_SHOWN = 40


def reviewer_name(text: str, what: str = "reviewer") -> str:
    """A name as it is recorded: NFC, without spaces at its ends, single spaces in it.

    ``what`` it is called in errors; by the same rule, in how few words a check was done.

    Raises InputError where it is empty or too long, or holds characters that cannot be seen or that
    would read as the next part of a sentence (``;``, ``,``, ``:``).
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    wrong = next(
        (c for c in name if c not in _MARKS and unicodedata.category(c)[0] not in "LMN"), None
    )
    if wrong is not None:
        raise InputError(
            f"{what} {name!a:.{_SHOWN}}: a name cannot hold {wrong!a} "
            f"({unicodedata.name(wrong, 'a control character')}); use letters, digits and - . '"
        )
    if not any(unicodedata.category(c)[0] in "LN" for c in name):
        raise InputError(f"{what} {name!r:.{_SHOWN}}: is no name; give one with letters or digits")
    if len(name) > LONGEST_NAME:
        raise InputError(
            f"{what} {name!r:.{_SHOWN}}: the name is longer than {LONGEST_NAME}; shorten it"
        )
    return name


def name_folded(reviewer: str) -> str:
    """A name to compare by: ``Anna``, ``anna`` and ``An`` + zero width space + ``na`` are one.

    Older records hold names that `reviewer_name` would refuse, so invisible characters are dropped.
    """
    text = unicodedata.normalize("NFKC", reviewer).casefold()
    return " ".join("".join(c for c in text if unicodedata.category(c) != "Cf").split())
