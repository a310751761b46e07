"""What a kill sweep plays day after day: one fee of two departments' lines, paid by card, a part of it given back."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from tests.simulation.world.habits import Habit

if TYPE_CHECKING:
    from tests.simulation.world.world import World

_VISITS_MAX: Final = 3
_LOOKS_MAX: Final = 40
_LOOK_S: Final = 10.0


class Script:
    """Plays the same part again and again, under a new reference each time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0

    async def pay_and_give_back(self) -> None:
        """Ask, pay, wait, give back a part, and wait until that is done too."""
        self._number += 1
        bill = f"BILL-{self._number}"
        department = self._world.departments["dept0"]
        body = {
            "reference": bill,
            "bundle": "dept0.bundle",
            "lines": [{"service": "dept0.permit"}, {"service": "dept1.permit"}],
            "payer": {"language": "en", "email": "payer@mail.example"},
        }
        intent = await department.ask_for_payment(bill, body)
        if intent is None:
            raise RuntimeError("the scripted fee was refused")
        for _ in range(_VISITS_MAX):  # whose page died under their hands comes back another time
            await self._world.street.visit(intent, random.Random(1), Habit.PLAIN)
            if await self._world.street.is_paid(intent["id"]):
                break
        else:
            self._world.note(f"{bill} was not paid in {_VISITS_MAX} visits")
            return
        part = {"reason": "mistake", "amount": {"amount": 10_001, "currency": "AED"}}
        refund = await department.ask_for_refund(intent["id"], part, f"refund-{bill}")
        if refund is not None:
            await self._is_given_back(refund["id"])

    async def _is_given_back(self, refund_id: str) -> None:
        statement = f"SELECT status FROM gateway.refund WHERE id = '{refund_id}'"
        for _ in range(_LOOKS_MAX):
            if self._world.simulation.control.value(statement) == "succeeded":
                return
            await asyncio.sleep(_LOOK_S)
