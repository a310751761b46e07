"""One measured figure, the limit it is held against, and the table that shows them."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a benchmark is asked for: a server on which it may create a database, and how long it may take."""

    url: str
    rounds: int = 3
    seconds: float = 2.0
    size: int = 0
    say: Callable[[str], None] = print


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is value over limit; `bar` says what it must reach; `met` is None where there is no bar."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None


@dataclass(slots=True)
class Rounds:
    """Values of interleaved rounds by name; medians are taken of values and, round by round, of ratios."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def ratio(self, name: str, limit: str) -> float:
        return statistics.median(
            value / against for value, against in zip(self.values[name], self.values[limit], strict=True)
        )

    def figure(
        self,
        title: str,
        name: str,
        unit: str,
        *,
        limit: str | None = None,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> Figure:
        """Return the median of a series, held against the median ratio to another where one is named."""
        if name not in self.values:  # the machine does not tell, as with CPU elsewhere than on Linux
            return Figure(title, math.nan, "not measured")
        value = self.median(name)
        if limit is None or limit not in self.values:
            return Figure(title, value, unit)
        ratio = self.ratio(name, limit)
        bar, met = held(ratio, at_least=at_least, at_most=at_most)
        return Figure(title, value, unit, self.median(limit), ratio, bar, met)


def held(value: float, *, at_least: float | None = None, at_most: float | None = None) -> tuple[str, bool | None]:
    """Return a bar in words, and whether a value meets it."""
    if at_least is not None:
        return f">= {at_least:g}", value >= at_least
    if at_most is not None:
        return f"<= {at_most:g}", value <= at_most
    return "", None


def absolute(
    title: str, value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None
) -> Figure:
    """Return a figure whose bar is on the value itself."""
    bar, met = held(value, at_least=at_least, at_most=at_most)
    return Figure(title, value, unit, bar=bar, met=met)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print the table: figure, limit, ratio, bar, met."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in ("figure", "value", "unit", "limit", "ratio", "bar", "met"):
        table.add_column(
            column, justify="left" if column in ("figure", "unit", "bar", "met") else "right", no_wrap=True
        )
    for figure in figures:
        table.add_row(
            figure.name,
            _number(figure.value),
            figure.unit,
            _number(figure.limit),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.bar,
            {True: "yes", False: "NO", None: ""}[figure.met],
        )
    Console(width=140).print(table)


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def server_cpu_s(backend_pid: int) -> float | None:
    """Return the CPU seconds of a PostgreSQL server on this machine, all its processes together."""
    try:
        postmaster = _stat(backend_pid)[1]
        ended = sum(_stat(postmaster)[2:6])
        living = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = _stat(int(entry.name))
                except (OSError, ValueError):
                    continue
                if stat[1] == postmaster:
                    living += stat[2] + stat[3]
    except OSError:
        return None
    return (ended + living) / _TICKS_PER_S


def _stat(pid: int) -> tuple[int, int, int, int, int, int]:
    text = Path(f"/proc/{pid}/stat").read_text("utf-8")
    parts = text[text.rindex(")") + 2 :].split()
    return pid, int(parts[1]), int(parts[11]), int(parts[12]), int(parts[13]), int(parts[14])


def resident_bytes() -> int:
    """Return what this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
