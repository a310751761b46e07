"""What a seed decides before the world begins: when, how many, how rough, and what goes wrong how often."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.simulation.network_faults import NetworkFault
from tests.simulation.postgres_faults import DatabaseFault

# A Sunday in Dubai, 09:00. Within two weeks of it lie weekends and the National Day holidays.
_FIRST_MORNING: Final = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
_MORNINGS: Final = 13

_ROUGH_NETWORK: Final = {
    NetworkFault.UNRESOLVED: 0.1,
    NetworkFault.REFUSED: 0.4,
    NetworkFault.CONNECT_STALLED: 0.1,
    NetworkFault.RESET_BEFORE: 0.2,
    NetworkFault.RESET_AFTER: 0.3,
    NetworkFault.STALLED: 0.2,
    NetworkFault.REPLY_RESET: 0.3,
    NetworkFault.REPLY_STALLED: 0.3,
    NetworkFault.DUPLICATED: 0.5,
    NetworkFault.DELAYED: 1.0,
    NetworkFault.FRAGMENTED: 1.0,
}
_ROUGH_DATABASE: Final = {
    DatabaseFault.LOST_BEFORE: 0.15,
    DatabaseFault.REPLY_LOST: 0.15,
    DatabaseFault.LOST_AFTER: 0.1,
    DatabaseFault.SLOW: 0.3,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The shape of one world."""

    start: datetime = _FIRST_MORNING
    departments: int = 2
    citizens_a_day: int = 4
    active_days: int = 1
    nights: int = 3
    skew_s_max: float = 1.0
    network: float = 0.0
    database: float = 0.0
    kills: int = 0
    outages: int = 0
    mischief: int = 0
    night_kills: int = 0
    refund_late_payments: bool = False
    # Of each kind of process, how many; and for a kill sweep one process to kill, at one of its steps.
    processes: int = 2
    kill_at: tuple[str, int] | None = None
    # One citizen, who pays and is given a part back: the paths a sweep goes through.
    scripted: bool = False

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong in this world but what people do."""
        rough = self.network or self.database or self.kills or self.outages or self.mischief or self.night_kills
        return not rough and self.kill_at is None

    @property
    def network_weights(self) -> dict[NetworkFault, float]:
        return {fault: weight * self.network for fault, weight in _ROUGH_NETWORK.items()}

    @property
    def database_weights(self) -> dict[DatabaseFault, float]:
        return {fault: weight * self.database for fault, weight in _ROUGH_DATABASE.items()}

    @property
    def database_commit_weights(self) -> dict[DatabaseFault, float]:
        return {fault: min(0.3, weight * self.database * 20) for fault, weight in _ROUGH_DATABASE.items()}


def draw_plan(stream: random.Random) -> Plan:
    """Draw a plan. One world in eight is calm: what fails there fails for everyone."""
    start = _FIRST_MORNING + timedelta(days=stream.randrange(_MORNINGS))
    if stream.random() < 0.125:
        return Plan(start=start, citizens_a_day=stream.randint(3, 6), refund_late_payments=stream.random() < 0.5)
    return Plan(
        start=start,
        departments=stream.randint(1, 3),
        citizens_a_day=stream.randint(3, 6),
        active_days=stream.choice((1, 1, 1, 2)),
        nights=stream.choice((3, 4)),
        skew_s_max=stream.choice((0.0, 0.5, 5.0, 45.0)),
        network=stream.choice((0.0, 0.005, 0.02, 0.05)),
        database=stream.choice((0.0, 0.005, 0.02)),
        kills=stream.choice((0, 2, 5)),
        outages=stream.choice((0, 1, 2)),
        mischief=stream.choice((0, 4, 12)),
        night_kills=stream.choice((0, 1, 3)),
        refund_late_payments=stream.random() < 0.5,
    )
