"""Planted bugs: a module's source is changed while it is imported, in a process that does nothing else."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.simulation.world.plan import Profile


class StaleMutantError(RuntimeError):
    """The code a mutant changes is no longer there: the mutant must be rewritten."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a module's source: `old` stands exactly once in it and becomes `new`."""

    module: str
    old: str
    new: str

    def apply(self, source: str) -> str:
        if source.count(self.old) != 1:
            raise StaleMutantError(
                f"{self.module}: the text to change stands {source.count(self.old)} times: {self.old}"
            )
        return source.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug: an edit, and others where one line alone is held by a second. `likely` are the profiles of the
    worlds that press where it hurts; those are played first.
    """

    name: str
    edits: tuple[Edit, ...]
    likely: tuple[Profile, ...] = ()

    def check(self) -> None:
        """Raise `StaleMutantError` unless the mutant fits the modules as they stand on disk."""
        for edit in self.edits:
            spec = importlib.util.find_spec(edit.module)
            if spec is None or spec.origin is None:
                raise StaleMutantError(f"{self.name}: there is no module {edit.module}")
            edit.apply(Path(spec.origin).read_text("utf-8"))


class _MutatingLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, edits: Sequence[Edit], fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._edits = edits

    def get_code(self, _fullname: str) -> object:  # type: ignore[override]
        source = Path(self.path).read_text("utf-8")
        for edit in self._edits:
            source = edit.apply(source)
        return compile(source, self.path, "exec", dont_inherit=True)


class _MutatingFinder(importlib.abc.MetaPathFinder):
    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        chosen = [edit for edit in self._edits if edit.module == fullname]
        if not chosen:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=_MutatingLoader(chosen, fullname, spec.origin)
        )


def plant(mutant: Mutant) -> None:
    """Change these modules when they are imported, which must not have happened yet."""
    for edit in mutant.edits:
        if edit.module in sys.modules:
            raise StaleMutantError(f"{mutant.name}: {edit.module} is imported already")
    sys.meta_path.insert(0, _MutatingFinder(mutant.edits))
