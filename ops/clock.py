"""The clocks a process may run on: the machine's, or the demo's, which can be moved forward."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


class ShiftedClock:
    """The machine's time plus a shift kept in a small file, which all processes of a demo share.

    Moving it forward lets a newcomer see the night without waiting for it. It never moves back: the books are kept
    in the order of time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shift = timedelta()
        self._stamp: tuple[int, int] | None = None

    def __call__(self) -> datetime:
        try:
            status = self._path.stat()
        except OSError:
            return system_clock() + self._shift
        if (stamp := (status.st_mtime_ns, status.st_ino)) != self._stamp:
            self._shift = timedelta(seconds=float(self._path.read_text("ascii")))
            self._stamp = stamp
        return system_clock() + self._shift

    def move_to(self, instant: datetime) -> None:
        """Set the time to the given instant, which must lie ahead."""
        ahead = instant - self()
        if ahead < timedelta():
            raise ValueError(f"the clock only moves forward; it is {self():%Y-%m-%d %H:%M} UTC")
        shift = (self._shift + ahead).total_seconds()
        # Written whole and then renamed, so that no reader ever sees half a number.
        scratch = self._path.with_suffix(".new")
        scratch.write_text(repr(shift), "ascii")
        scratch.replace(self._path)
