"""What is the same in every world, and in every incarnation of a process, is made once, before worlds are forked."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from datetime import date
from pathlib import Path
from types import CodeType
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment

from adapters import registry
from gateway.web.identity import Identity
from gateway.web.pages import Pages
from reconciliation.business_days import Calendar

_compiled: Final[dict[tuple[str | None, str], CodeType]] = {}
_compile: Final = Environment.compile


@functools.cache
def warm_up() -> None:
    """Compile every page, load the holidays and make the keys. Call it where worlds are forked from."""
    for name, provider in registry.PROVIDERS.items():
        if provider.credentials is not None:
            provider.credentials(keys_folder(name))
    Calendar().is_working_day(date(2026, 12, 2))
    pages = Pages(Identity(ar="", en="", address="", zone=ZoneInfo("Asia/Dubai")))
    environment = pages._environments["en"]
    for name in environment.list_templates():
        source, filename, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        _compiled[name, source] = _compile(environment, source, name, filename)


@functools.cache
def keys_folder(name: str) -> Path:
    """Return where a simulated rail's keys are: made once by whoever asks first, and gone when it ends."""
    folder = tempfile.mkdtemp(prefix="mizan-simulated-keys-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / name


def _recall(self: Environment, source: Any, name: str | None = None, *others: Any, **options: Any) -> Any:
    """Compile a template unless that was done before the fork: its code is the same for every language."""
    if not others[1:] and not options and isinstance(source, str) and (name, source) in _compiled:
        return _compiled[name, source]
    return _compile(self, source, name, *others, **options)


def keep_warm() -> None:
    """Let this process take what was made before. Call it in the child."""
    Environment.compile = _recall  # type: ignore[method-assign, assignment]
