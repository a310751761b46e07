"""Simulated processes: what runs together, keeps a clock of its own, and dies together."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

# Which process the running code belongs to. It rides in the context of every task and callback, so whatever a
# process starts is its own, and the network and the database know whom they serve.
CURRENT: ContextVar[Process | None] = ContextVar("simulated process", default=None)


@dataclass(eq=False, slots=True)
class Process:
    """One incarnation of a process. Started again after a kill, it is a new object of the same name."""

    name: str
    skew_s: float = 0.0
    dead: bool = False
    steps: int = 0
    kill_at_step: int | None = None
    killed_in: str = ""
    on_death: Callable[[], None] | None = None

    @property
    def host(self) -> str:
        """The name without the number of the incarnation."""
        return self.name.partition("#")[0]


def current_name() -> str:
    """Return the name of the process whose code is running; the world itself has none."""
    process = CURRENT.get()
    return process.name if process else "world"
