"""The contract with the page: every answer has a model, and the page's types are made of them."""

import copy
import importlib.util
from pathlib import Path

import pytest

from aftermap.web.app import page_app
from aftermap.web.footage_responses import ClipPath
from aftermap.web.responses import FeatureCollection, QueueColumns

FRONTEND = Path(__file__).parents[2] / "frontend"


def load_generator():
    spec = importlib.util.spec_from_file_location("make_types", FRONTEND / "make_types.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_types = load_generator()


@pytest.fixture(scope="module")
def schema():
    return page_app().openapi()


def answers(schema):
    """Every kind of good answer: address, method, media type, and what the schema says of it."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for media, told in operation["responses"]["200"].get("content", {}).items():
                yield path, method, media, told.get("schema")


def test_the_types_of_the_page_are_those_of_the_server(schema):
    kept = make_types.TARGET.read_text(encoding="utf-8")
    assert make_types.page_types(schema) == kept, "the page's types are old; run: make types"


def test_every_answer_in_json_has_a_model(schema):
    found = [one for one in answers(schema) if make_types.JSON_MEDIA.fullmatch(one[2])]
    assert len(found) > 20
    assert [path for path, _, _, told in found if not told] == []


def test_no_model_has_a_field_of_any_kind_but_geojson(schema):
    for name, model in schema["components"]["schemas"].items():
        untyped = [key for key, field in model.get("properties", {}).items() if is_untyped(field)]
        assert untyped == (["geometry", "properties"] if name == "Feature" else []), name


def is_untyped(field):
    says = {"type", "$ref", "enum", "const"}
    kinds = field.get("anyOf", [field])
    return any(one.get("additionalProperties") is True or not says & set(one) for one in kinds)


def test_a_new_field_of_a_model_changes_the_types(schema):
    changed = copy.deepcopy(schema)
    model = changed["components"]["schemas"]["CaseFacts"]
    model["properties"]["weather"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert "  weather?: string | null;\n" in make_types.page_types(changed)
    model["required"].append("weather")
    assert "  weather: string | null;\n" in make_types.page_types(changed)


def test_an_address_that_goes_is_gone_from_the_types(schema):
    changed = copy.deepcopy(schema)
    del changed["paths"]["/api/clips/{sha256}/times"]
    line = "  [path: `/api/clips/${string}/times`]: ClipTimes;\n"
    assert line in make_types.page_types(schema)
    assert line not in make_types.page_types(changed)


def test_a_kind_of_schema_that_is_not_known_is_an_error_and_not_a_guess(schema):
    changed = copy.deepcopy(schema)
    changed["components"]["schemas"]["Me"]["properties"]["reviewer"] = {"allOf": []}
    with pytest.raises(ValueError, match="teach it"):
        make_types.page_types(changed)


def test_what_is_sent_as_kept_text_has_the_shape_that_the_schema_says(client):
    (clip,) = client.get("/api/footage").json()["clips"]
    for address, model in (
        ("/api/queue", QueueColumns),
        ("/api/buildings", FeatureCollection),
        ("/api/layers/cameras", FeatureCollection),
        ("/api/layers/tracks", FeatureCollection),
        (f"/api/clips/{clip['sha256']}/path", ClipPath),
    ):
        sent = client.get(address).json()
        assert len(sent) > 1
        read = model.model_validate(sent)
        assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == sent, address
