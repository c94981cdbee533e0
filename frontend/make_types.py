"""Makes ``src/api_types.ts`` of the OpenAPI schema of ``aftermap.web``: ``make types``.

The kinds of schema that Pydantic makes for our models, and no other: what is not known here is an
error and not ``unknown``. docs/decisions/0013-page-contract.md says why this is our own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aftermap.web.app import page_app

TARGET = Path(__file__).with_name("src") / "api_types.ts"
HEAD = "// Made by `make types` of the models in src/aftermap/web. Do not edit.\n"
WIDTH = 100
SCALARS = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}
JSON_MEDIA = re.compile(r"application/(.+\+)?json")

Schema = Mapping[str, Any]


def page_types(schema: Schema) -> str:
    """The TypeScript of an OpenAPI schema: its models, then what each address takes and answers.

    Raises ValueError for a kind of schema that it does not know.
    """
    parts = [HEAD]
    for name, model in schema["components"]["schemas"].items():
        parts.append(_model(name, model))
    parts.append(_addresses("Gets", "What each address answers to GET.", _gets(schema["paths"])))
    told = "What is sent to each address by POST, and what it answers."
    parts.append(_addresses("Posts", told, _posts(schema["paths"])))
    return "\n".join(parts)


def _model(name: str, model: Schema) -> str:
    if "properties" not in model:
        return f"{_comment(model, '')}export type {name} = {_type(model)};\n"
    required = model.get("required", ())
    fields = [
        f"{_comment(field, '  ')}  {key}{'' if key in required else '?'}: {_type(field)};\n"
        for key, field in model["properties"].items()
    ]
    return f"{_comment(model, '')}export interface {name} {{\n{''.join(fields)}}}\n"


def _addresses(name: str, told: str, lines: Iterator[str]) -> str:
    return f"/** {told} */\nexport interface {name} {{\n{''.join(lines)}}}\n"


def _gets(paths: Schema) -> Iterator[str]:
    for path, methods in paths.items():
        answer = _answer(methods.get("get", {}))
        if answer is not None:
            for key in _keys(path, methods["get"]):
                yield f"  {key}: {answer};\n"


def _posts(paths: Schema) -> Iterator[str]:
    for path, methods in paths.items():
        answer = _answer(methods.get("post", {}))
        if answer is not None:
            body = methods["post"].get("requestBody")
            sent = "Record<string, never>" if body is None else _json_of(body["content"])
            for key in _keys(path, methods["post"]):
                yield f"  {key}: {{ sent: {sent}; answer: {answer} }};\n"


def _answer(operation: Schema) -> str | None:
    """The type of a good answer; None where it is no JSON, but a picture or a file."""
    return _json_of(operation.get("responses", {}).get("200", {}).get("content", {}))


def _json_of(content: Schema) -> str | None:
    for media, told in content.items():
        if JSON_MEDIA.fullmatch(media):
            return _type(told["schema"])
    return None


def _keys(path: str, operation: Schema) -> list[str]:
    """An address as keys of an interface; one with a query is any text after the question mark."""
    pattern = re.sub(r"\{\w+\}", "${string}", path)
    query = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    patterns = [f"{pattern}?${{string}}"] if query else []
    if not any(one["required"] for one in query):
        patterns.insert(0, pattern)
    return [f"[path: `{one}`]" if "$" in one else json.dumps(one) for one in patterns]


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum") or [schema["const"]]
        return " | ".join(json.dumps(one) for one in values)
    kind = schema.get("type", "")
    if kind in ("array", "object"):
        return _array(schema) if kind == "array" else _object(schema)
    if kind in SCALARS:
        return SCALARS[kind]
    raise ValueError(f"{json.dumps(schema)[:200]}: make_types.py knows no such schema; teach it")


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(one) for one in schema['prefixItems'])}]"
    inner = _type(schema["items"])
    return f"({inner})[]" if " | " in inner else f"{inner}[]"


def _object(schema: Schema) -> str:
    """A dictionary. One with known keys need not have all of them."""
    values = schema.get("additionalProperties", False)
    if values is False or "properties" in schema:
        raise ValueError(f"{json.dumps(schema)[:200]}: give this object a model of its own")
    inner = "unknown" if values is True else _type(values)
    if "propertyNames" not in schema:
        return f"Record<string, {inner}>"
    return f"Partial<Record<{_type(schema['propertyNames'])}, {inner}>>"


def _comment(schema: Schema, indent: str) -> str:
    """The description as a comment, in the words of TypeScript."""
    text = schema.get("description", "").replace("``", "`").strip()
    if not text:
        return ""
    lines = [f"{indent} * {line}".rstrip() for line in text.splitlines()]
    if len(lines) == 1 and len(text) + len(indent) + 7 <= WIDTH:
        return f"{indent}/** {text} */\n"
    return "\n".join([f"{indent}/**", *lines, f"{indent} */"]) + "\n"


def main() -> None:
    """Write the file."""
    TARGET.write_text(page_types(page_app().openapi()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
