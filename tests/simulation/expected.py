"""What 200 worlds must have met, for their being clean to mean anything."""

from __future__ import annotations

from typing import Final

from tests.simulation.network_faults import NetworkFault
from tests.simulation.outcome import Tally
from tests.simulation.postgres_faults import DatabaseFault
from tests.simulation.world.departments import Mood
from tests.simulation.world.habits import Habit
from tests.simulation.world.plan import Profile
from tests.simulation.world.providers import CALL_FAULTS, CALLBACK_FAULTS, PROVIDERS

WORLDS: Final = 200

EXPECTED: Final = (
    *(f"world: {profile}" for profile in Profile),
    *(f"provider takes part: {name}" for name in PROVIDERS),
    *(str(fault) for fault in NetworkFault),
    *(str(fault) for fault in DatabaseFault),
    *(f"{fault} COMMIT" for fault in DatabaseFault),
    *(str(mood) for mood in Mood if mood is not Mood.WELL),
    *(f"citizen {habit}" for habit in Habit),
    "citizen pays by wallet",
    "citizen asked to pay the same bill twice",
    *(f"provider: callback {name}" for name, _ in CALLBACK_FAULTS),
    *(f"provider: create {name}" for name, _ in CALL_FAULTS),
    *(f"provider: refund {name}" for name, _ in CALL_FAULTS),
    "PostgreSQL down",
    "a second night stood back",
    "a bill was paid at a card terminal",
    "a bill was paid in cash",
    "a refund that came back was given again",
    "backlog: no worker lives",
    "cash was handed out by two people",
    "citizen at a counter",
    "clock of a process is wrong",
    "department cancelled an intent",
    "department sent a request twice at once",
    "disk slow for a while",
    "killed with a statement under way",
    "night of a weekend or a holiday",
    "night process marked for death",
    "one backend terminated",
    "process killed",
    "process started again",
    "provider: refund failed after it was done",
    "two refunds raced for more than there was",
    "waited for a row lock",
    "worker marked for death with a refund under way",
)

# Met by every hundred worlds, whatever the seeds; without them the green of the tests would be hollow.
EXPECTED_OF_HALF: Final = (
    "process killed",
    "a second night stood back",
    "database connection lost, executed, reply lost COMMIT",
    "database connection lost before COMMIT",
    "database connection lost after COMMIT",
    "request duplicated",
    "request stuck, arrived after its caller gave up",
    "waited for a row lock",
    "department sent a request twice at once",
    "citizen pays in two tabs",
    "citizen pays by wallet",
)


def never_met(tally: Tally, expected: tuple[str, ...] = EXPECTED) -> list[str]:
    return [name for name in expected if not tally.sometimes[name]]
