"""Artefacts come back from JSON as they were, and digests know bytes, not names."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.model.clip import Shot
from aftermap.model.media import MediaItem
from aftermap.record.artefact import (
    canonical_json,
    decode_artefact,
    digest,
    encode_artefact,
    paths_in,
)

ROOT = Path("/cases/raqqa")


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Inner:
    name: str
    size_m: float
    colour: Colour | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...]
    pair: tuple[float, int]
    matrix: tuple[tuple[float, float], tuple[float, float]]
    by_name: dict[str, tuple[int, ...]]
    words: list[str]
    flag: bool
    file: Path
    maybe: Path | None = None
    limit: float | None = None


floats = st.floats(allow_nan=False)
inners = st.builds(Inner, name=st.text(), size_m=floats, colour=st.none() | st.sampled_from(Colour))
inside = st.sampled_from([ROOT / "products/a.npz", ROOT / "media/صورة.jpg", Path("/elsewhere/b")])
outers = st.builds(
    Outer,
    inner=inners,
    many=st.lists(inners, max_size=3).map(tuple),
    pair=st.tuples(floats, st.integers()),
    matrix=st.tuples(st.tuples(floats, floats), st.tuples(floats, floats)),
    by_name=st.dictionaries(st.text(), st.lists(st.integers()).map(tuple), max_size=3),
    words=st.lists(st.text() | inside.map(str), max_size=3),
    flag=st.booleans(),
    file=inside,
    maybe=st.none() | inside,
    limit=st.none() | floats,
)


@given(outers)
def test_an_artefact_comes_back_as_it_was(artefact):
    text = canonical_json(encode_artefact(artefact, root=ROOT))
    assert decode_artefact(Outer, json.loads(text), root=ROOT) == artefact


@given(st.from_type(MediaItem))
def test_a_media_item_comes_back_as_it_was(item):
    text = canonical_json(encode_artefact(item, root=None))
    back = decode_artefact(MediaItem, json.loads(text), root=None)
    assert canonical_json(encode_artefact(back, root=None)) == text
    assert repr(back) == repr(item)  # NaN is not equal to itself


@given(outers)
def test_files_inside_move_with_the_case(artefact):
    text = canonical_json(encode_artefact(artefact, root=ROOT))
    assert str(ROOT) not in text or str(ROOT) in artefact.inner.name
    moved = decode_artefact(Outer, json.loads(text), root=Path("/moved"))
    if artefact.file.is_relative_to(ROOT):
        assert moved.file == Path("/moved") / artefact.file.relative_to(ROOT)
    else:
        assert moved.file == artefact.file


def test_numbers_that_json_lacks_survive():
    plain = encode_artefact((math.nan, math.inf, -math.inf), root=ROOT)
    back = decode_artefact(tuple[float, ...], json.loads(canonical_json(plain)), root=ROOT)
    assert math.isnan(back[0])
    assert back[1:] == (math.inf, -math.inf)


@pytest.mark.parametrize(
    "data",
    [
        {"name": "a"},
        {"name": "a", "size_m": "big"},
        {"name": "a", "size_m": True},
        {"name": 1, "size_m": 2.0},
        {"name": "a", "size_m": 2.0, "colour": "green"},
        {"name": "a", "size_m": 2.0, "weight": 1},
        ["a", 2.0],
        None,
    ],
)
def test_data_of_another_shape_is_not_guessed_at(data):
    with pytest.raises(ValueError, match=r".+"):
        decode_artefact(Inner, data, root=ROOT)


def test_what_is_no_artefact_is_refused():
    with pytest.raises(TypeError, match="object cannot be part of an artefact"):
        encode_artefact(object(), root=ROOT)


def test_a_digest_knows_the_bytes_and_not_the_name():
    by_name = {"a.jpg": "1" * 64, "b.jpg": "1" * 64, "c.jpg": "2" * 64}

    def of(name: str) -> str:
        value = Inner(name=str(ROOT / name), size_m=1.0)
        return digest(value, root=ROOT, digest_of=lambda path: by_name[path.name])

    assert of("a.jpg") == of("b.jpg")
    assert of("a.jpg") != of("c.jpg")


def test_the_paths_of_an_answer_are_found():
    inner = Inner(name=str(ROOT / "products/x.tif"), size_m=1.0)
    plain = encode_artefact({"one": inner, "two": (ROOT / "y.npz", "plain")}, root=ROOT)
    assert paths_in(plain) == ["products/x.tif", "y.npz"]


def test_a_time_of_a_video_comes_back_exactly():
    shot = Shot(index=2, start_s=Fraction(1001, 30000), end_s=Fraction(5), begins="cut")
    assert (
        decode_artefact(
            Shot, json.loads(canonical_json(encode_artefact(shot, root=None))), root=None
        )
        == shot
    )
