"""What citizens do on the scripted day, each by a plan, and what is expected to come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import aiohttp

from ops.demo.citizen import Citizen
from ops.demo.department_system import DepartmentSystem, Listener
from ops.demo.form_browser import Page, WayLostError
from ops.demo.stage import Stage
from ops.wiring import Parts

GOOD_CARD: Final = "4111111111111111"
CHALLENGED_CARD: Final = "4000000000003220"
DECLINED_CARD: Final = "4000000000000002"
SILENT_CARD: Final = "4000000000000341"

_TRIES: Final = 12
_TRY_PAUSE_S: Final = 1.0


class Plan(StrEnum):
    PAYS = "pays"
    PASSES_CHALLENGE = "passes the bank's challenge"
    CHANGES_CARD = "is declined, then pays with another card"
    ABANDONS = "abandons"
    PAYS_UNHEARD = "pays, and nobody is told"
    LOSES_ANSWER = "the provider's answer is lost"
    IS_REFUNDED = "is refunded"
    IS_PARTLY_REFUNDED = "is partly refunded"
    LATE = "pays after expiry"


_PLANS: Final = (
    *([Plan.PAYS] * 8), *([Plan.PASSES_CHALLENGE] * 3), Plan.CHANGES_CARD, Plan.CHANGES_CARD, Plan.ABANDONS,
    Plan.ABANDONS, Plan.PAYS_UNHEARD, Plan.LOSES_ANSWER, Plan.IS_REFUNDED, Plan.IS_PARTLY_REFUNDED, Plan.LATE,
)  # fmt: skip


def plan_of(number: int) -> Plan:
    """Spread the plans evenly over the day: seven is coprime to their number."""
    return _PLANS[number * 7 % len(_PLANS)]


@dataclass(slots=True)
class Visit:
    """One payment from asking to its end."""

    number: int
    plan: Plan
    system: DepartmentSystem
    language: str
    intent: dict[str, Any] = field(default_factory=dict)
    page: Page | None = None
    seen: str = "asked"
    final: str = ""
    refund: dict[str, Any] = field(default_factory=dict)

    async def begin(
        self, session: aiohttp.ClientSession, basket: Mapping[str, Any], *, now: datetime, stage: Stage
    ) -> None:
        """Let the department ask, and the citizen do what the plan says."""
        short = self.plan in (Plan.ABANDONS, Plan.LATE)
        reference = f"DAY-{self.number:05}"
        self.intent = await self.system.post(
            "/v1/payment-intents",
            {
                "reference": reference,
                **basket,
                "payer": {"language": self.language, "email": f"citizen{self.number}@example.org"},
                "expires_at": (now + timedelta(hours=1 if short else 24)).isoformat(timespec="seconds"),
            },
            key=reference,
        )
        citizen = Citizen.arrive(session, self.language)
        match self.plan:
            case Plan.ABANDONS:
                self.page = await self._reach_card_page(citizen)
                self.seen = "left"
            case Plan.LATE:
                self.page = await self._reach_card_page(citizen)
                self.seen = "dawdling"
            case Plan.CHANGES_CARD:
                await citizen.enter_card(await self._reach_card_page(citizen), DECLINED_CARD)
                await citizen.enter_card(await self._reach_card_page(citizen), GOOD_CARD)
                self.seen = "paid with another card"
            case Plan.PASSES_CHALLENGE:
                await citizen.enter_card(await self._reach_card_page(citizen), CHALLENGED_CARD)
                self.seen = "paid"
            case Plan.PAYS_UNHEARD:
                await citizen.enter_card(await self._reach_card_page(citizen), SILENT_CARD)
                self.seen = "paid unheard"
            case Plan.LOSES_ANSWER:
                await order_fault(session, stage, call="create", fault="drop", times=1)
                await citizen.enter_card(await self._reach_card_page(citizen), GOOD_CARD)
                self.seen = "paid"
            case _:
                await citizen.enter_card(await self._reach_card_page(citizen), GOOD_CARD)
                self.seen = "paid"

    async def _reach_card_page(self, citizen: Citizen) -> Page:
        """Press Pay until the provider's page comes up: its answer may be lost, and found by asking again."""
        for _ in range(_TRIES):
            page = await citizen.choose_card(self.intent["checkout_url"])
            if page.tree.xpath("//input[@name='card']"):
                return page
            await asyncio.sleep(_TRY_PAUSE_S)
        raise WayLostError(f"visit {self.number} ({self.plan}) never reached the card page")

    async def come_late(self, session: aiohttp.ClientSession) -> None:
        """Pay on the page that was left open, once the intent has expired."""
        if self.page is None or self.seen != "dawdling":
            return
        for _ in range(60):
            if (await self._read())["status"] == "expired":
                break
            await asyncio.sleep(0.5)
        await Citizen.arrive(session, self.language).enter_card(self.page, GOOD_CARD)
        self.seen = "paid late"

    async def ask_for_refund(self) -> None:
        """Give money back as the plan says: all of it, or a third."""
        if self.plan not in (Plan.IS_REFUNDED, Plan.IS_PARTLY_REFUNDED):
            return
        body: dict[str, Any] = {"reason": "The citizen withdrew the application"}
        if self.plan is Plan.IS_PARTLY_REFUNDED:
            amount = self.intent["amount"]
            body["amount"] = {"amount": amount["amount"] // 3, "currency": amount["currency"]}
        for _ in range(60):
            if (await self._read())["status"] == "paid":
                break
            await asyncio.sleep(0.5)
        path = f"/v1/payment-intents/{self.intent['id']}/refunds"
        self.refund = await self.system.post(path, body, key=f"refund-{self.number}")

    async def is_settled(self) -> bool:
        """Say whether the plan's end is reached, as the department reads it."""
        intent = await self._read()
        self.final = "paid late" if intent["late_payment"] else str(intent["status"])
        expected = {Plan.ABANDONS: "expired", Plan.LATE: "paid late"}.get(self.plan, "paid")
        if self.refund:
            self.refund = await self.system.get(f"/v1/refunds/{self.refund['id']}")
            if self.refund["status"] != "succeeded":
                return False
            self.final = "refunded" if self.plan is Plan.IS_REFUNDED else "partly refunded"
            return True
        return self.final == expected

    async def _read(self) -> dict[str, Any]:
        return await self.system.get(f"/v1/payment-intents/{self.intent['id']}")


@dataclass(slots=True)
class Day:
    """The day's players and what became of each visit."""

    stage: Stage
    parts: Parts
    session: aiohttp.ClientSession
    systems: list[DepartmentSystem]
    listener: Listener
    visits: list[Visit] = field(default_factory=list)

    @property
    def local_now(self) -> datetime:
        return self.stage.clock().astimezone(self.stage.settings.time_zone)


async def order_fault(session: aiohttp.ClientSession, stage: Stage, **fault: object) -> None:
    """Order a fault from the card provider's simulator."""
    async with session.post(f"{stage.simulator_url('ngenius')}/simulator/faults", json=fault) as answer:
        answer.raise_for_status()


async def clear_faults(session: aiohttp.ClientSession, stage: Stage) -> None:
    async with session.delete(f"{stage.simulator_url('ngenius')}/simulator/faults") as answer:
        answer.raise_for_status()
