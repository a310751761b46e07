"""What happened, in order: a running hash that tells two runs apart, and lines a person can read."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LINES_KEPT: Final = 400
_DETAIL_CHARACTERS_MAX: Final = 300

# Steps of tasks and bare packets prove determinism; a reader of a replay sees them only on request.
QUIET: Final = frozenset({"step", "bytes", "rows"})


@dataclass(frozen=True, slots=True)
class Event:
    at_s: float
    actor: str
    kind: str
    detail: str


class Trace:
    """Every event enters the hash; the last ones, or on request all, are kept to be read."""

    def __init__(self, start: datetime, now: Callable[[], float], *, keep_all: bool = False) -> None:
        self.start = start
        self._now = now
        self._hash = hashlib.sha256()
        self._keep_all = keep_all
        self.events: deque[Event] = deque(maxlen=None if keep_all else LINES_KEPT)
        self.sometimes: Counter[str] = Counter()
        self.steps = 0

    def add(self, actor: str, kind: str, detail: str = "") -> None:
        at_s = self._now()
        self._hash.update(f"{at_s:.6f}\x1f{actor}\x1f{kind}\x1f{detail}\x1e".encode())
        self.steps += 1
        if self._keep_all or kind not in QUIET:
            self.events.append(Event(at_s, actor, kind, detail[:_DETAIL_CHARACTERS_MAX]))

    def fault(self, actor: str, name: str, detail: str = "") -> None:
        """Record a fault, and count it: a green run in which nothing went wrong proves nothing."""
        self.sometimes[name] += 1
        self.add(actor, "FAULT", f"{name} {detail}".rstrip())

    def happened(self, name: str) -> None:
        """Count that a branch worth reaching was reached."""
        self.sometimes[name] += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def readable(self, *, quiet: bool = False) -> list[str]:
        """Return the kept events, one line each, with the virtual date and time in UTC."""
        return [
            f"{self.start + timedelta(seconds=event.at_s):%a %d %b %H:%M:%S.%f} "
            f"{event.actor:<16} {event.kind:<9} {event.detail}"
            for event in self.events
            if quiet or event.kind not in QUIET
        ]
