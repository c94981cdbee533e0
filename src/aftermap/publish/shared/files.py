"""Text to a file on the reader's disk: whole or not at all, whatever the file names in it."""

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from aftermap.errors import CaseError

Json = str | int | float | bool | None | Mapping[str, "Json"] | Sequence["Json"]


def write_whole(text: str, path: Path) -> Path:
    r"""The path, once the text is complete on the disk under that name.

    A file name that was not valid UTF-8 reaches us with lone surrogates; they are written as
    ``\udcxx``, which in JSON is the escape for the same character.

    Raises CaseError where it cannot be written.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".part-{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", errors="backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise CaseError(
            f"{path}: could not be written ({error.strerror or error}); "
            "free some space or make the folder writable, and run the command again"
        ) from error
    return path


def json_text(value: Json) -> str:
    """Indented JSON with every letter readable. A number that is not finite becomes null."""
    return json.dumps(finite_json(value), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def finite_json(value: Json) -> Json:
    """The same value with null for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite_json(item) for item in value]
    return value
