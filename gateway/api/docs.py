"""The API's description as a page people read: one address, drawn here, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.api.caller_shapes import Schema
from gateway.api.openapi import describe

_FOLDER: Final = Path(__file__).parent
_OWN_HEADERS: Final = ("Location", "Idempotency-Replayed")
"""Headers that an operation has and others have not; the rest come with every answer."""


@cache
def page() -> tuple[bytes, str]:
    """Draw the page once a process; with it comes the policy that allows its own style sheet and nothing else."""
    document = describe()
    style = (_FOLDER / "docs.css").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    schemas = document["components"]["schemas"]
    drawn = environment.get_template("docs.html").render(
        info=document["info"],
        operations=[
            _operation(document["components"], path, method, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
        ],
        shapes=[(name, _fields(schema)) for name, schema in sorted(schemas.items())],
        style=Markup(style),  # noqa: S704 - our own file
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return drawn.encode(), policy


def _operation(components: Schema, path: str, method: str, operation: Schema) -> dict[str, Any]:
    good = next(status for status in operation["responses"] if status.startswith("2"))
    content = next(iter(operation["responses"][good]["content"].values()))
    return {
        "anchor": f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "id": operation["operationId"],
        "chapter": operation["tags"][0],
        "scopes": [scope for each in operation["security"] for scope in each.get("key", ())],
        "parameters": [
            {
                "name": each["name"],
                "place": each["in"],
                "required": each.get("required", False),
                "what": ": ".join(filter(None, (said(each["schema"]), each.get("description")))),
            }
            for each in operation.get("parameters", ())
        ],
        "headers": [
            {"name": name, "what": components["headers"][name]["description"]}
            for name in operation["responses"][good].get("headers", ())
            if name in _OWN_HEADERS
        ],
        "body": _body(components["schemas"], operation.get("requestBody")),
        "status": good,
        "answer": {"name": content["schema"].get("$ref", "").rpartition("/")[2]},
        "refusals": sorted(status for status in operation["responses"] if not status.startswith("2")),
    }


def _body(schemas: Schema, body: Schema | None) -> dict[str, Any] | None:
    if body is None:
        return None
    kind, content = next(iter(body["content"].items()))
    schema = content["schema"]
    named = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return {"kind": kind, "optional": not body.get("required", False), "fields": _fields(named)}


def _fields(schema: Schema) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "required": name in required,
            "what": ": ".join(filter(None, (said(each), each.get("description")))),
            "example": shown(each["examples"][0]) if each.get("examples") else "",
        }
        for name, each in schema.get("properties", {}).items()
    ]


def shown(example: Any) -> str:
    """Show an example: a text as it is, everything else as JSON."""
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)


def said(schema: Schema) -> str:
    """Say a schema in words: `text, at most 254 characters`, `list of Line`, `one of paid, expired`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"always {schema['const']}"
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"] if value is not None)
    for several, word in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if several in schema:
            return word.join(said(each) for each in schema[several])
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        words = f"list of {said(schema.get('items', {}))}"
    words = words.replace("string", "text").replace("integer", "whole number").replace("boolean", "true or false")
    bounds = [
        f"{word} {schema[name]}"
        for name, word in (
            ("minimum", "from"), ("maximum", "to"), ("minLength", "at least"), ("maxLength", "at most"),
            ("maxItems", "at most"), ("format", "as"), ("pattern", "like"), ("default", "else"),
        )
        if schema.get(name) not in (None, {}, "")
    ]  # fmt: skip
    return ", ".join([words, *bounds])


async def serve(_: web.Request) -> web.Response:
    body, policy = page()
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)
