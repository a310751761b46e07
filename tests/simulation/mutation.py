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


class StaleMutantError(RuntimeError):
    """The code a mutant changes is no longer there: the mutant must be rewritten."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug: `old` stands exactly once in the module's source and becomes `new`."""

    name: str
    module: str
    old: str
    new: str

    def apply(self, source: str) -> str:
        if source.count(self.old) != 1:
            raise StaleMutantError(f"{self.name}: the text to change stands {source.count(self.old)} times")
        return source.replace(self.old, self.new)

    def check(self) -> None:
        """Raise `StaleMutantError` unless the mutant fits the module as it stands on disk."""
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None:
            raise StaleMutantError(f"{self.name}: there is no module {self.module}")
        self.apply(Path(spec.origin).read_text("utf-8"))


class _MutatingLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutants: Sequence[Mutant], fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._mutants = mutants

    def get_code(self, _fullname: str) -> object:  # type: ignore[override]
        source = Path(self.path).read_text("utf-8")
        for mutant in self._mutants:
            source = mutant.apply(source)
        return compile(source, self.path, "exec", dont_inherit=True)


class _MutatingFinder(importlib.abc.MetaPathFinder):
    def __init__(self, mutants: Sequence[Mutant]) -> None:
        self._mutants = mutants

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        chosen = [mutant for mutant in self._mutants if mutant.module == fullname]
        if not chosen:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=_MutatingLoader(chosen, fullname, spec.origin)
        )


def plant(*mutants: Mutant) -> None:
    """Change these modules when they are imported, which must not have happened yet."""
    for mutant in mutants:
        if mutant.module in sys.modules:
            raise StaleMutantError(f"{mutant.name}: {mutant.module} is imported already")
    sys.meta_path.insert(0, _MutatingFinder(mutants))
