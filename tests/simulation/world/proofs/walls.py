"""The database's own walls were never needed, and nothing failed that nobody expected to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.simulation.world.world import World

# Classes of errors that mean the code above the wall was wrong: data, integrity, SQL, a refusal of a function of ours.
_WALLS: Final = ("21", "22", "23", "25", "26", "28", "2B", "2D", "34", "3B", "42", "44", "P0", "XX")
_DEADLOCK: Final = "40P01"


def no_wall_was_hit(world: World) -> list[str]:
    return [
        f"{actor} ran into the database's wall {code}"
        for actor, code in sorted(set(world.simulation.postgres.errors_seen))
        if code.startswith(_WALLS) or code == _DEADLOCK
    ]


def nothing_died_unexpectedly(world: World) -> list[str]:
    return [f"unhandled: {each}" for each in sorted(set(world.simulation.unhandled))]


def a_calm_world_logs_no_error(world: World) -> list[str]:
    if not world.plan.is_calm:
        return []
    return [f"logged in a calm world: {each}" for each in sorted(set(world.simulation.logged))]


ALWAYS = (no_wall_was_hit,)
AT_THE_END = (nothing_died_unexpectedly, a_calm_world_logs_no_error)
