"""Starts a provider's folder: a copy of the template under its own name, which passes the contract suite as it is."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from adapters.manifest import SettingsError

NAME: Final = re.compile(r"[a-z][a-z0-9]{1,20}(?:_[a-z0-9]{1,20}){0,3}")
REGISTRY_ENTRY: Final = """    "{name}": Registered(
        manifest={name}.MANIFEST,
        build={name}.build,
        simulator={name}_simulator.build_app,
        simulator_settings={name}_simulator.SETTINGS,
        read_answer={name}.read_answer,
        declines={name}.DECLINES,
    ),
"""


def new_provider(name: str, parent: Path) -> list[Path]:
    """Write the folder and return its files. An existing folder is never written over."""
    if not NAME.fullmatch(name) or name == "template":
        raise SettingsError(f"{name!r} is no name for a provider: small letters, digits and single underscores")
    folder = parent / name
    if folder.exists():
        raise SettingsError(f"{folder} exists already")
    written: list[Path] = []
    _copy(files("adapters") / "template", folder, name, written)
    return written


def registry_entry(name: str) -> str:
    """Return what `registry.PROVIDERS` needs; the imports are `adapters.{name}` and its `simulator`."""
    return REGISTRY_ENTRY.format(name=name)


def _copy(source: Traversable, target: Path, name: str, written: list[Path]) -> None:
    target.mkdir(parents=True)
    title = "".join(part.capitalize() for part in name.split("_"))
    for item in sorted(source.iterdir(), key=lambda each: each.name):
        if item.is_dir():
            if item.name != "__pycache__":
                _copy(item, target / item.name, name, written)
            continue
        text = item.read_text(encoding="utf-8").replace("template", name).replace("Template", title)
        (target / item.name).write_text(text, encoding="utf-8")
        written.append(target / item.name)
