"""The menu of what a bank does wrong, and what was ordered from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

MENU: Final = {
    # While a payment file is sent.
    "payout": {
        "http",  # answers `status` and `body`, and does nothing
        "sleep",  # waits `seconds`, then behaves
        "drop_before",  # closes the connection, and does nothing
        "drop_after",  # takes the file, then closes the connection
        "malformed",  # takes the file, and answers something no one can read
        "unknown_word",  # takes the file, and answers a status nobody has heard of
        "never_answer",  # takes the file, and never says a word about it again
        "reject_file",  # rejects the whole with reason `code`
        "reject_line",  # rejects the line `line` (an end-to-end id, or its number from 0) with reason `code`
        "return_line",  # pays the line `line`, and books it back `days` later with reason `code`
    },
    # While its status is asked.
    "status": {"http", "sleep", "drop_before", "malformed", "unknown_word"},
    # While statements are listed or fetched.
    "listing": {"http", "sleep", "drop_before", "malformed"},
    # In the statement of `day`. The first three stay in that day's statement for ever, balances fitted to it.
    "statement": {
        "omit_line",  # leaves out entry `line` (its number from 0)
        "duplicate_line",  # lists entry `line` twice
        "extra_line",  # lists a credit of `amount_minor` that never happened
        "wrong_total",  # the closing balance is off by `amount_minor`
        "wrong_account",  # names the account `iban`
        "wrong_currency",  # says every amount in `currency`
        "truncated",  # breaks off half way
        "gap",  # the sequence number jumps by one
        "late",  # appears only `days` after its time
        "empty",  # a file of no bytes
    },
}
LINE_FAULTS: Final = frozenset({"omit_line", "duplicate_line", "extra_line"})


class UnknownFaultError(ValueError):
    """The menu does not list this fault."""


@dataclass(slots=True)
class Fault:
    """One order from the menu: for the next `times` calls, or for one day's statement until it is cleared."""

    on: str
    kind: str
    times: int = 1
    day: date | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str, default: int) -> int:
        value = self.details.get(name, default)
        if not isinstance(value, int):
            raise UnknownFaultError(f"{self.kind}: {name} must be a whole number")
        return value

    def text(self, name: str, default: str) -> str:
        return str(self.details.get(name, default))


class Faults:
    """What was ordered and not yet served."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, wish: dict[str, Any]) -> Fault:
        """Take an order; a wish that is not on the menu is refused rather than quietly not served."""
        details = dict(wish)
        on, kind = str(details.pop("on", "")), str(details.pop("kind", ""))
        if kind not in MENU.get(on, set()):
            raise UnknownFaultError(f"{kind!r} is not on the menu of {on!r}")
        day = details.pop("day", None)
        if on == "statement" and day is None:
            raise UnknownFaultError("a statement's fault names its day")
        times = details.pop("times", 1)
        if not isinstance(times, int) or times < 1:
            raise UnknownFaultError("times is a whole number from 1")
        fault = Fault(on, kind, times, date.fromisoformat(str(day)) if day else None, details)
        self._ordered.append(fault)
        return fault

    def take(self, on: str) -> Fault | None:
        """Serve the oldest order for this call, once."""
        for fault in self._ordered:
            if fault.on == on:
                fault.times -= 1
                if fault.times == 0:
                    self._ordered.remove(fault)
                return fault
        return None

    def of_day(self, day: date) -> list[Fault]:
        return [fault for fault in self._ordered if fault.on == "statement" and fault.day == day]

    def clear(self) -> None:
        self._ordered.clear()
