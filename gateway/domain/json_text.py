"""JSON from outside, read strictly: one meaning for everybody who reads it, or none."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from gateway.domain.errors import MalformedError

DEPTH_MAX: Final = 16
INTEGER_DIGITS_MAX: Final = 400


def read_json(body: bytes) -> Any:
    """Read a JSON text; refuse duplicate keys, NaN, endless integers, lone surrogates, depth, other encodings.

    A number with a fraction is left for the type of its field to refuse, which can say which field it is; no field of
    ours takes one.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("the body is not UTF-8") from None
    if _deepest(text) > DEPTH_MAX:
        raise MalformedError(f"nested deeper than {DEPTH_MAX} levels")
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise MalformedError("the body is not JSON") from None
    # An escape can smuggle in half of a character, which no database and no other reader takes.
    if "\\u" in text:
        _check_escapes(value)
    return value


def _deepest(text: str) -> int:
    """Count brackets before anything is built; those inside texts only make the count stricter."""
    if text.count("{") + text.count("[") <= DEPTH_MAX:
        return 0
    depth = deepest = 0
    in_text = escaped = False
    for character in text:
        if in_text:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_text = False
        elif character == '"':
            in_text = True
        elif character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("a key stands twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > INTEGER_DIGITS_MAX:
        raise MalformedError(f"an integer has more than {INTEGER_DIGITS_MAX} digits")
    return int(digits)


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedError("NaN and Infinity are not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse_constant)


def _check_escapes(value: Any) -> None:
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise MalformedError("half of a character, escaped") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_escapes(key)
            _check_escapes(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_escapes(inner)
