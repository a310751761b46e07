"""The fault menu: what goes wrong with the next calls, callbacks and reports, on command."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any, Final

CALLS: Final = frozenset(
    {"token", "create", "lookup", "query", "pay", "capture", "void", "refund", "callback", "settlement"}
)

FAULTS: Final[dict[str, frozenset[str]]] = {
    "call": frozenset(
        {
            "ok", "decline", "pending", "sleep", "drop", "refuse", "http", "malformed", "wrong_amount",
            "wrong_currency", "unknown_status",
        }
    ),
    "callback": frozenset(
        {
            "none", "before_answer", "after", "duplicate", "concurrent", "reordered", "bad_signature", "stale",
            "unknown_reference",
        }
    ),
    "settlement": frozenset(
        {"omit", "duplicate", "extra", "unknown_type", "fee_changed", "late", "split", "wrong_total"}
    ),
}  # fmt: skip

TIMES_MAX: Final = 100_000


class FaultError(ValueError):
    """A fault nobody can mean."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its name on the menu and its arguments, such as `seconds`, `status`, `code`, `count`."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def number(self, argument: str, default: float) -> float:
        return float(self.arguments.get(argument, default))

    def text(self, argument: str, default: str) -> str:
        return str(self.arguments.get(argument, default))


class Faults:
    """Faults in the order they were asked for; each is used up by the calls it names."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[tuple[Fault, int]]] = defaultdict(deque)

    def add(self, call: str, name: str, times: int, arguments: dict[str, Any]) -> None:
        call = "query" if call == "query_refund" else call  # a refund is read with its order
        menu = FAULTS.get(call, FAULTS["call"])
        if call not in CALLS or name not in menu:
            raise FaultError(f"{call}: {name!r} is not on the menu: {', '.join(sorted(menu))}")
        if not 0 < times <= TIMES_MAX:
            raise FaultError(f"times must be 1 to {TIMES_MAX}")
        self._queues[call].append((Fault(name, arguments), times))

    def take(self, call: str) -> Fault | None:
        """Use up one fault for this call; `ok` lets one call pass between two faults."""
        queue = self._queues[call]
        if not queue:
            return None
        fault, times = queue.popleft()
        if times > 1:
            queue.appendleft((fault, times - 1))
        return None if fault.name == "ok" else fault

    def next_is(self, call: str, name: str) -> bool:
        queue = self._queues[call]
        return bool(queue) and queue[0][0].name == name

    def clear(self) -> None:
        self._queues.clear()

    def listing(self) -> list[dict[str, Any]]:
        return [
            {"call": call, "fault": fault.name, "times": times, **fault.arguments}
            for call, queue in self._queues.items()
            for fault, times in queue
        ]
