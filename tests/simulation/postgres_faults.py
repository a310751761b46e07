"""What can go wrong between a process and its database."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tests.simulation.postgres_wire import Request


class DatabaseFault(StrEnum):
    """Each value is the name under which the fault is counted; at a COMMIT the word is added."""

    LOST_BEFORE = "database connection lost before"
    REPLY_LOST = "database connection lost, executed, reply lost"
    LOST_AFTER = "database connection lost after"
    SLOW = "database slow"


Weights = Mapping[DatabaseFault, float]


@dataclass(slots=True)
class DatabaseFaults:
    """Draws a fault for each exchange. COMMIT has weights of its own: it is where not knowing hurts."""

    stream: random.Random
    weights: Weights = field(default_factory=dict)
    commit_weights: Weights = field(default_factory=dict)
    slow_s_max: float = 8.0
    # Faults a test wants next at a statement that starts with the given words.
    planned: defaultdict[str, deque[DatabaseFault]] = field(default_factory=lambda: defaultdict(deque))

    def plan(self, statement: str, *faults: DatabaseFault) -> None:
        self.planned[statement].extend(faults)

    def draw(self, request: Request) -> DatabaseFault | None:
        for words, queue in self.planned.items():
            if queue and request.sql.startswith(words):
                return queue.popleft()
        throw = self.stream.random()
        for fault, weight in (self.commit_weights if request.is_commit else self.weights).items():
            throw -= weight
            if throw < 0:
                return fault
        return None

    def latency_s(self) -> float:
        return self.stream.choice((0.0005, 0.0005, 0.001, 0.004))

    def reply_latency_s(self) -> float:
        return self.stream.choice((0.0005, 0.0005, 0.002, 0.02))

    def slow_s(self) -> float:
        return self.stream.uniform(0.2, self.slow_s_max)
