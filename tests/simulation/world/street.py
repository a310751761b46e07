"""What people do in a day: departments ask for fees, citizens pay them, some is given back."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from adapters.altareq.simulator.banks import BANKS
from tests.simulation.world.citizens import Citizen
from tests.simulation.world.counter import DEPARTMENT
from tests.simulation.world.departments import Department
from tests.simulation.world.habits import Habit
from tests.simulation.world.providers import ADYEN, ALTAREQ, BANK_TRANSFER, DARAJA, GSMA

if TYPE_CHECKING:
    from tests.simulation.world.world import World

_EXPIRIES_S: Final = (400, 400, 1500, 7200)
_CANCEL_SHARE: Final = 0.12
_SHILLINGS_SHARE: Final = 0.6
_COUNTER_SHARE: Final = 0.5
_PAY_TWICE_SHARE: Final = 0.15
_PATIENCE_LOOKS: Final = 10
_LOOK_S: Final = 30.0
_TERMINAL_SHARE: Final = 0.5
_AFTER_SUCCESS_SHARE: Final = 0.7
_TOLD_AGAIN_MAX: Final = 60
_TOLD_AGAIN_S: Final = 60.0


class Street:
    """Fills a day with people."""

    def __init__(self, world: World, stream: random.Random) -> None:
        self._world = world
        self._stream = stream
        self._number = 0
        self._yesterday: list[asyncio.Task[None]] = []

    async def fill(self, duration_s: float) -> None:
        """Let people come, and wait until they are done or the time is over; nobody is sent away."""
        people = [
            self._world.simulation.spawn(
                None, self._errand(self._stream.uniform(0, self._world.plan.arrivals_s)), "errand"
            )
            for _ in range(self._world.plan.citizens_a_day)
        ]
        self._yesterday += people
        await asyncio.wait(people, timeout=duration_s)

    def next_morning(self) -> None:
        for task in self._yesterday:
            if task.done() and (error := task.exception()) is not None:
                raise error
        self._yesterday = [task for task in self._yesterday if not task.done()]

    async def _errand(self, after_s: float) -> None:
        """One fee from its request to what may follow its payment."""
        await asyncio.sleep(after_s)
        self._number += 1
        reference = f"BILL-{self._number}"
        stream = random.Random(self._stream.getrandbits(64))
        department = stream.choice(list(self._world.departments.values()))
        intent = await self._ask(department, reference, stream)
        if intent is None:
            return
        if stream.random() < _CANCEL_SHARE:
            self._world.simulation.spawn(None, self._take_back(department, intent["id"], stream), "cancel")
        await self.visit(intent, stream)
        if stream.random() < _PAY_TWICE_SHARE:
            # The same bill once more, as people do who are not sure: another intent, warned of and flagged.
            again = await department.ask_for_payment(f"{reference}-again", self._body(department, reference, stream))
            if again is not None:
                self._world.simulation.trace.happened("citizen asked to pay the same bill twice")
                await self.visit(again, stream)
        if stream.random() < self._world.plan.refund_share:
            await self._give_back(department, intent, stream)

    async def _ask(self, department: Department, reference: str, stream: random.Random) -> dict[str, Any] | None:
        return await department.ask_for_payment(reference, self._body(department, reference, stream))

    def _body(self, department: Department, reference: str, stream: random.Random) -> dict[str, Any]:
        own = {
            "name": {"ar": "رسم", "en": "Fee"},
            "revenue_code": "2002",
            "amount": {"amount": stream.randint(100, 99_999), "currency": "AED"},
        }
        others = stream.choice(list(self._world.departments))
        lines = stream.choice(
            ([own], [{"service": f"{department.code}.permit"}], [own, {"service": f"{others}.permit"}])
        )
        shillings = self._in_shillings(stream)
        expires_at = self._world.simulation.clock() + timedelta(seconds=stream.choice(_EXPIRIES_S))
        payer: dict[str, Any] = {"language": stream.choice(("ar", "en"))}
        if stream.random() < 0.5:
            payer["email"] = "payer@mail.example"
        return {
            "reference": reference,
            **(shillings or {"bundle": f"{department.code}.bundle", "lines": lines}),
            "payer": payer,
            "expires_at": expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def _in_shillings(self, stream: random.Random) -> dict[str, Any]:
        """Return lines in Kenyan shillings for some bills, where somebody takes them: M-Pesa alone, and whole ones."""
        if DARAJA.name not in self._world.plan.providers or stream.random() > _SHILLINGS_SHARE:
            return {}
        amount = {"amount": stream.randint(1, 2_000) * 100, "currency": "KES"}
        return {"lines": [{"name": {"ar": "رسم", "en": "Fee"}, "revenue_code": "2003", "amount": amount}]}

    async def visit(self, intent: dict[str, Any], stream: random.Random, habit: Habit | None = None) -> None:
        """Let a citizen come to pay an intent, and wait until they have left."""
        plan = self._world.plan
        habit = habit or stream.choice(plan.habits)
        by_wallet = stream.random() < plan.wallet_share and GSMA.name in plan.providers
        visits = []
        if self._at_counter(intent, stream):
            self._world.simulation.trace.happened("citizen at a counter")
            by_card = plan.terminals and stream.random() < _TERMINAL_SHARE
            visits.append(self._world.counter.receive(intent, by_card=by_card))
        if not visits or habit is Habit.TWO_TABS:  # some pay on the phone while they wait at the counter
            visits.append(self._pay_online(intent, stream, habit, by_wallet=by_wallet))
        await asyncio.gather(*visits)

    def _at_counter(self, intent: dict[str, Any], stream: random.Random) -> bool:
        world = self._world
        own = world.counter.is_open and intent["id"] in world.departments[DEPARTMENT].intents
        return own and intent["amount"]["currency"] == "AED" and stream.random() < _COUNTER_SHARE

    async def _pay_online(
        self, intent: dict[str, Any], stream: random.Random, habit: Habit, *, by_wallet: bool
    ) -> None:
        plan = self._world.plan
        ways = [each for each in (BANK_TRANSFER, ALTAREQ) if each.name in plan.providers]
        in_shillings = intent["amount"]["currency"] == "KES"
        at_bank = stream.choice(ways) if ways and stream.random() < plan.bank_share and not in_shillings else None
        by_wallet = in_shillings or (by_wallet and at_bank is None)
        number = len(self._world.citizens) + 1
        citizen = Citizen(
            name=f"citizen-{number}",
            intent_id=intent["id"],
            checkout_url=intent["checkout_url"],
            habit=habit,
            stream=stream,
            trace=self._world.simulation.trace,
            language=stream.choice(("ar", "en")),
            late_by_s=stream.choice((30.0, 600.0, 3000.0)),
            mobile=f"+97150{1_000_000 + number}" if by_wallet else "",
            phone=self._world.outside if by_wallet else None,
            transfers=at_bank is BANK_TRANSFER,
            bank=stream.choice(sorted(BANKS)) if at_bank is ALTAREQ else "",
        )
        self._world.citizens.append(citizen)
        way = " by M-Pesa" if in_shillings else " by wallet" if by_wallet else f" by {at_bank.name}" if at_bank else ""
        self._world.simulation.trace.happened(f"citizen {habit}{way}")
        process = self._world.simulation.process(citizen.name)
        await self._world.simulation.spawn(process, citizen.live(), citizen.name)

    async def is_paid(self, intent_id: str) -> bool:
        """Wait a while for the payment, as a department does that has been promised one."""
        statement = f"SELECT status FROM gateway.intent WHERE id = '{intent_id}'"
        for _ in range(_PATIENCE_LOOKS):
            if self._world.simulation.control.value(statement) == "paid":
                return True
            await asyncio.sleep(_LOOK_S)
        return False

    async def _take_back(self, department: Department, intent_id: str, stream: random.Random) -> None:
        await asyncio.sleep(stream.uniform(1, 120))
        if await department.take_back(intent_id):
            self._world.simulation.trace.happened("department cancelled an intent")

    async def _give_back(self, department: Department, intent: dict[str, Any], stream: random.Random) -> None:
        """Ask for a refund: whole, in part, or twice at once for more than there is."""
        if not await self.is_paid(intent["id"]):
            return
        await asyncio.sleep(stream.uniform(1, 30))
        amount = intent["amount"]["amount"]
        currency = intent["amount"]["currency"]
        part = {"reason": "mistake", "amount": {"amount": max(1, amount // 3), "currency": currency}}
        whole: dict[str, Any] = {"reason": "withdrawn"}
        key = f"refund-{intent['id']}"
        kind = stream.random()
        alone = 1 - self._world.plan.refund_race_share
        if kind < alone / 2:
            refunds = [await department.ask_for_refund(intent["id"], whole, key)]
        elif kind < alone:
            refunds = [await department.ask_for_refund(intent["id"], part, key)]
        else:
            self._world.simulation.trace.happened("two refunds raced for more than there was")
            refunds = await asyncio.gather(
                department.ask_for_refund(intent["id"], whole, key),
                department.ask_for_refund(intent["id"], part, f"{key}-other"),
            )
        for refund in refunds:
            if refund is not None and refund["status"] == "awaiting_collection":
                await asyncio.sleep(stream.uniform(5, 150))
                await self._world.counter.hand_out(intent, refund)
            elif refund is not None and stream.random() < self._world.plan.refund_return_share:
                await self._bring_back(department, intent, refund, stream)

    async def _bring_back(
        self, department: Department, intent: dict[str, Any], refund: dict[str, Any], stream: random.Random
    ) -> None:
        """Let a card scheme return a refund after Adyen has called it done; the department then asks for it again."""
        world, identifier = self._world, refund["id"]
        statement = f"SELECT status FROM gateway.refund WHERE id = '{identifier}'"
        after_success = stream.random() < _AFTER_SUCCESS_SHARE
        if world.simulation.control.value(statement.replace("status", "provider", 1)) != ADYEN.name:
            return
        for _ in range(_PATIENCE_LOOKS):
            done = not after_success or world.simulation.control.value(statement) == "succeeded"
            if done and world.outside.may_come_back(identifier):
                break
            await asyncio.sleep(_LOOK_S)
        else:
            return
        before = world.simulation.control.value(statement)
        world.simulation.trace.fault(ADYEN.host, "provider: refund failed after it was done", f"{identifier}, {before}")
        for _ in range(_TOLD_AGAIN_MAX):
            await world.outside.bring_back(identifier)
            await asyncio.sleep(_TOLD_AGAIN_S)
            if world.simulation.control.value(statement) == "failed":
                break
        again = {"reason": "it came back", "amount": refund["amount"]}
        if await department.ask_for_refund(intent["id"], again, f"again-{identifier}") is not None:
            world.simulation.trace.happened("a refund that came back was given again")
