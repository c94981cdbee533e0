"""Artefacts as JSON and back, and the digest by which a stage knows its inputs.

An artefact is a frozen dataclass of the model: its fields hold text, numbers, fractions, truth
values, None, enums, tuples, dictionaries with text keys, paths and further dataclasses. Reading is
led by the declared types, so the JSON carries no class names and nothing that could be made to run.

A path inside the case folder is written relative to it (a case can be moved), and counts in a
digest as the bytes it points to (never as a path). NaN and infinity, which JSON lacks, are text.
"""

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

Answer = TypeVar("Answer")
PATH_MARK = "$path"
BYTES_MARK = "$sha256"


def encode_artefact(value: object, *, root: Path | None) -> Any:
    """Plain JSON values for an artefact whose files lie in the case folder ``root``.

    Without a root no text is taken for a path.
    """
    return _plain(value, root, lambda path: {PATH_MARK: _relative(path, root)})


def decode_artefact(kind: type[Answer], data: object, *, root: Path | None) -> Answer:
    """The artefact of class ``kind`` that :func:`encode_artefact` wrote.

    Raises ``ValueError`` where the data does not have the shape of the class, as after a change
    of the class: such an answer is made again, not guessed at.
    """
    try:
        return typing.cast("Answer", _decoded(kind, data, root))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {getattr(kind, '__name__', kind)}: {error}") from error


def digest(value: object, *, root: Path | None, digest_of: Callable[[Path], str]) -> str:
    """SHA-256 of an artefact: of its values, and of the bytes of the files that it names."""
    plain = _plain(value, root, lambda path: {BYTES_MARK: digest_of(path)})
    return hashlib.sha256(canonical_json(plain).encode()).hexdigest()


def canonical_json(plain: object) -> str:
    """JSON in one fixed form: sorted keys, no spaces, non-ASCII letters as they are."""
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def paths_in(data: object) -> list[str]:
    """Every path below the case folder that encoded data names, in order of appearance."""
    if isinstance(data, dict):
        if PATH_MARK in data and len(data) == 1:
            return [str(data[PATH_MARK])]
        return [path for value in data.values() for path in paths_in(value)]
    if isinstance(data, list):
        return [path for value in data for path in paths_in(value)]
    return []


def _plain(value: object, root: Path | None, path_form: Callable[[Path], object]) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value, root, path_form)
    if isinstance(value, Path) or (isinstance(value, str) and _lies_in(value, root)):
        return path_form(Path(value))
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    return _plain_collection(value, lambda inner: _plain(inner, root, path_form))


def _plain_collection(value: object, plain: Callable[[object], Any]) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(inner) for key, inner in value.items()}
    raise TypeError(f"{type(value).__name__} cannot be part of an artefact: {value!r:.80}")


def _lies_in(text: str, root: Path | None) -> bool:
    """Whether a text is, letter for letter, a path below the case folder."""
    if root is None or not text.startswith(str(root)):
        return False
    path = Path(text)
    return path != root and path.is_relative_to(root) and str(path) == text


def _relative(path: Path, root: Path | None) -> str:
    inside = root is not None and path.is_relative_to(root)
    return path.relative_to(root).as_posix() if root and inside else path.as_posix()


def _decoded(kind: Any, data: Any, root: Path | None) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _decoded_union(typing.get_args(kind), data, root)
    if origin is typing.Literal:
        return data
    if isinstance(origin, type) and issubclass(origin, tuple | list | Mapping):
        return _decoded_collection(origin, typing.get_args(kind), data, root)
    if dataclasses.is_dataclass(kind):
        return _decoded_dataclass(kind, data, root)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return _decoded_scalar(kind, data, root)


def _decoded_scalar(kind: Any, data: Any, root: Path | None) -> Any:
    if kind in (str, Path) and isinstance(data, dict):
        path = (root or Path()) / data[PATH_MARK]
        return path if kind is Path else str(path)
    if kind is Fraction and isinstance(data, str):
        return Fraction(data)
    if kind is float and not isinstance(data, bool) and isinstance(data, int | float | str):
        return float(data)
    if kind in (str, int, bool, types.NoneType) and type(data) is kind:
        return data
    raise TypeError(f"expected {kind}, found {data!r:.80}")


def _decoded_union(kinds: tuple[Any, ...], data: Any, root: Path | None) -> Any:
    if data is None and types.NoneType in kinds:
        return None
    others = [kind for kind in kinds if kind is not types.NoneType]
    if len(others) > 1:
        raise TypeError(f"a field of an artefact is one kind or None, not any of {others}")
    return _decoded(others[0], data, root)


def _decoded_collection(origin: Any, kinds: tuple[Any, ...], data: Any, root: Path | None) -> Any:
    if origin is list:
        return [_decoded(kinds[0], inner, root) for inner in data]
    if origin is not tuple:
        return {str(key): _decoded(kinds[1], inner, root) for key, inner in data.items()}
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_decoded(kinds[0], inner, root) for inner in data)
    return tuple(_decoded(kind, inner, root) for kind, inner in zip(kinds, data, strict=True))


def _decoded_dataclass(kind: Any, data: Any, root: Path | None) -> Any:
    hints = _hints_of(kind)
    unknown = set(data) - set(hints)
    if unknown:
        raise TypeError(f"unknown fields {sorted(unknown)}")
    return kind(**{name: _decoded(hints[name], inner, root) for name, inner in data.items()})


@cache
def _hints_of(kind: type) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: hint for name, hint in typing.get_type_hints(kind).items() if name in names}
