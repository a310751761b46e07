"""What is the same in every world, and in every incarnation of a process, is made once, before worlds are forked."""

from __future__ import annotations

import functools
from datetime import date
from types import CodeType
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment

from gateway.web.identity import Identity
from gateway.web.pages import Pages
from reconciliation.business_days import Calendar

_compiled: Final[dict[tuple[str | None, str], CodeType]] = {}
_compile: Final = Environment.compile


@functools.cache
def warm_up() -> None:
    """Compile every page, and load the holidays. Call it where worlds are forked from."""
    Calendar().is_working_day(date(2026, 12, 2))
    pages = Pages(Identity(ar="", en="", address="", zone=ZoneInfo("Asia/Dubai")))
    environment = pages._environments["en"]
    for name in environment.list_templates():
        source, filename, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        _compiled[name, source] = _compile(environment, source, name, filename)


def _recall(self: Environment, source: Any, name: str | None = None, *others: Any, **options: Any) -> Any:
    """Compile a template unless that was done before the fork: its code is the same for every language."""
    if not others[1:] and not options and isinstance(source, str) and (name, source) in _compiled:
        return _compiled[name, source]
    return _compile(self, source, name, *others, **options)


def keep_warm() -> None:
    """Let this process take what was made before. Call it in the child."""
    Environment.compile = _recall  # type: ignore[method-assign, assignment]
