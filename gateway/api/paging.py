"""Queries of lists: known parameters only, a bounded page, and a cursor nobody has to trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from aiohttp import web

from gateway.api.requests import instant_of
from gateway.domain.errors import FieldFault, InvalidError, NotFoundError
from gateway.domain.ids import Prefix, is_id

LIMIT_DEFAULT: Final = 50
_TEXT_MAX: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}(?:\[\])?")
_DAY: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


class Query:
    """The query string of one request; a parameter nobody knows is refused."""

    def __init__(self, request: web.Request, allowed: Iterable[str], *, paged: bool = True) -> None:
        self._values = request.query
        known = {*allowed, "limit", "cursor"} if paged else {*allowed}
        for name in self._values:
            if name not in known:
                raise _unknown(name, known)
            if len(self._values.getall(name)) > 1 and not name.endswith("[]"):
                raise InvalidError("stands twice", pointer=f"/query/{name}")

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not (0 < len(value) <= _TEXT_MAX and value.isprintable()):
            raise InvalidError("is not a text of 1 to 200 visible characters", pointer=f"/query/{name}")
        return value

    def identifier(self, name: str, *prefixes: Prefix) -> str | None:
        value = self._values.get(name)
        if value is not None and not any(is_id(value, prefix) for prefix in prefixes):
            raise InvalidError("is not an identifier of this kind", pointer=f"/query/{name}")
        return value

    def one_of(self, name: str, values: Sequence[str]) -> str | None:
        value = self._values.get(name)
        if value is not None and value not in values:
            raise InvalidError(f"is one of {', '.join(values)}", pointer=f"/query/{name}")
        return value

    def whole(self, name: str, number_max: int) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(number_max))):
            raise InvalidError(f"a whole number from 1 to {number_max}", pointer=f"/query/{name}")
        if not 1 <= int(value) <= number_max:
            raise InvalidError(f"a whole number from 1 to {number_max}", pointer=f"/query/{name}")
        return int(value)

    def pair(self, name: str) -> tuple[str, str] | None:
        """Read `key:value`."""
        text = self.text(name)
        if text is None:
            return None
        key, colon, value = text.partition(":")
        if not key or not colon:
            raise InvalidError("has the form key:value", pointer=f"/query/{name}")
        return key, value

    def several(self, name: str, values: Sequence[str]) -> frozenset[str]:
        """Read a parameter that may stand several times: those of `values` that are named."""
        found = self._values.getall(name, [])
        if set(found) - set(values):
            raise InvalidError(f"is one of {', '.join(values)}", pointer=f"/query/{name}")
        return frozenset(found)

    def instant(self, name: str) -> datetime | None:
        value = self._values.get(name)
        return None if value is None else instant_of(value, f"/query/{name}")

    def day(self, name: str) -> date | None:
        """Read `YYYY-MM-DD`, of this century."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value if _DAY.fullmatch(value) else "")
        except ValueError:
            raise InvalidError("is not a day such as 2026-11-22", pointer=f"/query/{name}") from None

    def limit(self, limit_max: int) -> int:
        return self.whole("limit", limit_max) or LIMIT_DEFAULT


def _unknown(name: str, known: Iterable[str]) -> InvalidError:
    """Name the parameter, where it can be one at all, and those there are."""
    named = f"{name} is" if _NAME.fullmatch(name) else "one of the query's parameters is"
    pointer = f"/query/{name}" if _NAME.fullmatch(name) else "/query"
    there_is = f"there is {', '.join(sorted(known))}" if known else "there is none"
    detail = f"{named} not known here: {there_is}"
    return InvalidError(detail, faults=[FieldFault(pointer, "unknown_parameter", detail)])


def path_id(request: web.Request, prefix: Prefix) -> str:
    """Return the identifier in the path; one that cannot exist is as absent as one that does not."""
    value = request.match_info["id"]
    if not is_id(value, prefix):
        raise NotFoundError
    return value
