"""What can go wrong between two processes, and how likely it is on which route."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class NetworkFault(StrEnum):
    """Each value is the name under which the fault is counted."""

    UNRESOLVED = "name not resolved"
    REFUSED = "connection refused"
    CONNECT_STALLED = "connection never answered"
    RESET_BEFORE = "request lost, connection reset"
    RESET_AFTER = "request arrived, connection reset"
    STALLED = "request lost in silence"
    REPLY_RESET = "reply lost, connection reset"
    REPLY_STALLED = "reply lost in silence"
    STUCK = "request stuck, arrived after its caller gave up"
    DUPLICATED = "request duplicated"
    DELAYED = "message delayed"
    FRAGMENTED = "message in pieces"


ON_CONNECT: Final = frozenset({NetworkFault.UNRESOLVED, NetworkFault.REFUSED, NetworkFault.CONNECT_STALLED})
ON_REQUEST: Final = frozenset(
    {
        NetworkFault.RESET_BEFORE,
        NetworkFault.RESET_AFTER,
        NetworkFault.STALLED,
        NetworkFault.STUCK,
        NetworkFault.DUPLICATED,
        NetworkFault.DELAYED,
        NetworkFault.FRAGMENTED,
    }
)
ON_REPLY: Final = frozenset(
    {NetworkFault.REPLY_RESET, NetworkFault.REPLY_STALLED, NetworkFault.DELAYED, NetworkFault.FRAGMENTED}
)


@dataclass(frozen=True, slots=True)
class Route:
    """Who talks to whom: the name of the calling process and the host it asked for."""

    caller: str
    host: str


Weights = Mapping[NetworkFault, float]


@dataclass(slots=True)
class NetworkFaults:
    """Draws a fault for each connection, request and reply.

    `weights` gives the probabilities on a route (none by default); `planned` holds faults a test wants next on its
    way to a host, taken one for each matching occasion before any is drawn.
    """

    stream: random.Random
    weights: Callable[[Route], Weights] = lambda _route: {}
    delay_s_max: float = 20.0
    planned: defaultdict[str, deque[NetworkFault]] = field(default_factory=lambda: defaultdict(deque))

    def plan(self, host: str, *faults: NetworkFault) -> None:
        self.planned[host].extend(faults)

    def draw(self, route: Route, occasion: frozenset[NetworkFault]) -> NetworkFault | None:
        queue = self.planned.get(route.host)
        if queue and queue[0] in occasion:
            return queue.popleft()
        throw = self.stream.random()
        for fault, weight in self.weights(route).items():
            if fault in occasion:
                throw -= weight
                if throw < 0:
                    return fault
        return None

    def latency_s(self) -> float:
        """Return how long one message travels: mostly milliseconds, now and then much longer than the next one."""
        return self.stream.choice((0.001, 0.002, 0.005, 0.02, 0.2))

    def late_by_s(self, fault: NetworkFault | None) -> float:
        """Return how late a message comes. One that is stuck comes after everybody has given up waiting for it."""
        if fault is NetworkFault.DELAYED:
            return self.stream.uniform(0.5, self.delay_s_max)
        return self.stream.uniform(40.0, 150.0) if fault is NetworkFault.STUCK else 0.0
