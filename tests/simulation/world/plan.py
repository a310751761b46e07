"""What a seed decides before the world begins: when, how many, how rough, and what goes wrong how often."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from tests.simulation.network_faults import NetworkFault
from tests.simulation.postgres_faults import DatabaseFault
from tests.simulation.world.habits import Habit
from tests.simulation.world.providers import ADYEN

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
    NetworkFault.STUCK: 0.3,
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


class Profile(StrEnum):
    """What a world presses hardest on. A general storm meets everything, and each thing too seldom."""

    CALM = "calm"  # what fails here fails for everyone
    STORM = "storm"  # a little of everything
    WALLETS = "wallets"  # money moves without a page, requests are lost and late
    CROWD = "crowd"  # many people of one department at the same moment
    REFUNDS = "refunds"  # everything is given back, often twice at once
    COMMITS = "commits"  # the database goes away around COMMIT
    CALLBACKS = "callbacks"  # cards declined and then charged, callbacks lost, doubled and late, workers killed
    SILENCE = "silence"  # departments do not listen for days
    NIGHTS = "nights"  # the night is killed, the bank misbehaves


@dataclass(frozen=True, slots=True)
class ScriptedDay:
    """One day of a kill sweep: at which of its steps each process dies while its own part is under way."""

    web: int | None = None
    worker: int | None = None
    night: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The shape of one world."""

    profile: Profile = Profile.STORM
    start: datetime = _FIRST_MORNING
    providers: tuple[str, ...] = ("ngenius",)
    habits: tuple[Habit, ...] = tuple(Habit)
    wallet_share: float = 0.0
    counter: bool = False  # one department has a service centre, where some of its bills are paid
    terminals: bool = False  # with card terminals; without them, in cash only
    bank_share: float = 0.5  # of the citizens, where they can pay from their own bank
    arrivals_s: float = 400.0
    refund_share: float = 0.5
    refund_race_share: float = 0.3
    refund_return_share: float = 0.0  # of the refunds at Adyen, which their card scheme returns after they were done
    refund_kill_share: float = 0.0  # of the refunds on their way, at which their worker is killed
    callback_share: float = 0.3
    slow_disks: int = 0
    silent: bool = False
    backlog: bool = False
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
    bank_faults: int = 0  # of the bank, in each rough night
    refund_late_payments: bool = False
    processes: int = 2  # of each kind
    # A kill sweep: every day the same two payments and refunds, and one process killed in each part of it.
    script: tuple[ScriptedDay, ...] = ()

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong in this world but what people do."""
        rough = self.network or self.database or self.kills or self.outages or self.mischief or self.night_kills
        return not (rough or self.slow_disks or self.silent or self.backlog or self.script)

    @property
    def network_weights(self) -> dict[NetworkFault, float]:
        return {fault: weight * self.network for fault, weight in _ROUGH_NETWORK.items()}

    @property
    def database_weights(self) -> dict[DatabaseFault, float]:
        return {fault: weight * self.database for fault, weight in _ROUGH_DATABASE.items()}

    @property
    def database_commit_weights(self) -> dict[DatabaseFault, float]:
        return {fault: min(0.3, weight * self.database * 20) for fault, weight in _ROUGH_DATABASE.items()}


_PROFILES: Final[tuple[Profile, ...]] = (
    *(Profile.STORM,) * 5,
    *(Profile.CALM, Profile.WALLETS, Profile.CROWD, Profile.REFUNDS, Profile.COMMITS, Profile.CALLBACKS) * 2,
    *(Profile.SILENCE, Profile.NIGHTS, Profile.NIGHTS),
)
_MIXES: Final = (("ngenius",), ("ngenius", "gsma"), ("adyen", "gsma"), ("ngenius", "adyen", "gsma"))
_BESIDE: Final = ("altareq", "bank_transfer", "daraja")
_BESIDE_SHARE: Final = 0.15
_TERMINALS_SHARE: Final = 0.35
_SIMPLE: Final = (Habit.PLAIN, Habit.PLAIN, Habit.DOUBLE_CLICK, Habit.TWO_TABS, Habit.IMPATIENT)


def draw_plan(stream: random.Random) -> Plan:
    """Draw a plan: first what the world presses on, then how hard."""
    profile = stream.choice(_PROFILES)
    storm = Plan(
        profile=profile,
        start=_FIRST_MORNING + timedelta(days=stream.randrange(_MORNINGS)),
        providers=stream.choice(_MIXES),
        wallet_share=0.3,
        departments=stream.randint(1, 3),
        citizens_a_day=stream.randint(3, 6),
        active_days=stream.choice((1, 1, 1, 2)),
        nights=stream.choice((3, 4)),
        skew_s_max=stream.choice((0.0, 0.5, 5.0, 45.0)),
        network=stream.choice((0.0, 0.005, 0.02, 0.05)),
        database=stream.choice((0.0, 0.005, 0.02)),
        kills=stream.choice((0, 2, 5)),
        outages=stream.choice((0, 1, 2)),
        slow_disks=stream.choice((0, 0, 1)),
        mischief=stream.choice((0, 4, 12)),
        night_kills=stream.choice((0, 1, 3)),
        backlog=stream.random() < 0.1,
        refund_late_payments=stream.random() < 0.5,
    )
    plan = replace(storm, **_pressure(profile, stream))
    beside = tuple(name for name in _BESIDE if stream.random() < _BESIDE_SHARE)
    plan = replace(plan, providers=(*plan.providers, *beside), counter=stream.random() < _BESIDE_SHARE)
    adyen = ADYEN.name in plan.providers  # whose terminals stand at counters, and who takes refunds back
    counter = plan.counter or stream.random() < (_TERMINALS_SHARE if adyen else _BESIDE_SHARE)
    returns = stream.choice((0.0, 0.5)) if adyen else 0.0
    return replace(plan, counter=counter, terminals=counter and adyen, refund_return_share=returns)


def _pressure(profile: Profile, stream: random.Random) -> dict[str, Any]:
    """Return what a profile changes in the storm."""
    quiet: dict[str, Any] = {
        "network": 0.0, "database": 0.0, "kills": 0, "outages": 0, "slow_disks": 0, "mischief": 0, "night_kills": 0,
        "backlog": False,
    }  # fmt: skip
    mixes: dict[Profile, dict[str, Any]] = {
        Profile.CALM: {**quiet, "departments": 2, "nights": 3, "skew_s_max": 1.0},
        Profile.WALLETS: {
            **quiet, "providers": stream.choice((("ngenius", "gsma"), ("adyen", "gsma"))), "wallet_share": 0.9,
            "citizens_a_day": 7, "nights": 3, "network": 0.12, "mischief": 10, "kills": stream.choice((0, 3)),
            "callback_share": 0.1,
        },
        Profile.CROWD: {
            **quiet, "departments": 1, "citizens_a_day": 10, "arrivals_s": 10.0, "habits": _SIMPLE, "nights": 3,
            "backlog": stream.random() < 0.5, "slow_disks": 3, "mischief": stream.choice((0, 8)),
        },
        Profile.REFUNDS: {
            "citizens_a_day": 5, "habits": (Habit.PLAIN, Habit.RELOAD), "refund_share": 1.0, "refund_race_share": 0.7,
            "mischief": 12, "callback_share": 0.0, "kills": 5, "refund_kill_share": 0.6,
        },
        Profile.COMMITS: {"network": 0.005, "database": 0.06, "mischief": 0, "kills": 8, "outages": 3},
        Profile.CALLBACKS: {
            "providers": stream.choice((("ngenius",), ("ngenius",), ("adyen",), ("ngenius", "adyen"))),
            "wallet_share": 0.0, "mischief": 40, "callback_share": 0.4, "kills": 8, "citizens_a_day": 6,
            "habits": (Habit.SECOND_CARD, Habit.SECOND_CARD, Habit.DECLINED_FIRST, Habit.BACK, Habit.LATE),
        },
        Profile.SILENCE: {"silent": True, "kills": 3, "mischief": 0, "nights": 3},
        Profile.NIGHTS: {
            "night_kills": 5, "outages": 2, "database": 0.03, "citizens_a_day": 4, "mischief": 4, "bank_faults": 3,
        },
    }  # fmt: skip
    return {"active_days": 1, **mixes[profile]} if profile in mixes else {}
