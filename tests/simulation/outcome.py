"""What one world came to, and what many of them came to together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """A world's end. `violations` is empty when every invariant held; `story` is its trace as a person reads it."""

    seed: int
    violations: tuple[str, ...]
    digest: str
    sometimes: Counter[str]
    virtual_s: float
    steps: int
    real_s: float
    story: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """The sum of a batch of worlds."""

    worlds: int = 0
    virtual_s: float = 0.0
    steps: int = 0
    sometimes: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.worlds += 1
        self.virtual_s += outcome.virtual_s
        self.steps += outcome.steps
        self.sometimes.update(outcome.sometimes)
        if outcome.violations:
            self.failed.append(outcome)

    def lines(self, real_s: float) -> list[str]:
        """Return the summary: how much was simulated, and how often each fault and each rare branch was met."""
        hours = self.virtual_s / 3600
        head = (
            f"{self.worlds} worlds, {len(self.failed)} failed; {hours:,.0f} virtual hours and {self.steps:,} steps "
            f"in {real_s:.0f} s ({self.virtual_s / max(real_s, 0.001):,.0f} times real time)"
        )
        return [head, *(f"  {count:>7}  {name}" for name, count in sorted(self.sometimes.items()))]
