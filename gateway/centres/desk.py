"""What an agent does at a counter, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from aiohttp import web

from gateway.centres.fee_form import fields_of, read_form, said_at_fields
from gateway.centres.visit import Visit
from gateway.centres.words import sentence_for
from gateway.deps import Deps
from gateway.domain.agent import Agent
from gateway.domain.errors import GatewayError, InvalidError, NotFoundError, OverloadedError, UnauthenticatedError
from gateway.domain.text import check_text
from gateway.services import links
from gateway.services.centres import centre_people, counter_fees, give_back, hand_out, shifts, take_payment
from gateway.services.centres.counter_fees import Fee
from gateway.services.payers.read_checkout import read_checkout
from gateway.web.guesses import GUESSES
from gateway.web.typed import clean, read_amount

CURRENCY: Final = "AED"
_HASHES_AT_ONCE: Final = 4
_REASON_MAX: Final = 200


class _Decide(Protocol):
    """A supervisor's yes or no to cash that is to leave a drawer."""

    async def __call__(self, deps: Deps, supervisor: Agent, refund_id: str, *, approve: bool) -> None: ...


class Desk:
    """The counters' pages over the services."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._hashing = 0

    async def ask_sign_in(self, visit: Visit) -> web.Response:
        visit.ensure_session()
        return visit.page("sign_in.html")

    async def sign_in(self, visit: Visit) -> web.Response:
        posted = await visit.form("sign-in")
        if posted is None:
            return visit.stale()
        visit.request.app[GUESSES].check(visit.request)
        if self._hashing >= _HASHES_AT_ONCE:
            raise OverloadedError(retry_after_s=1)
        self._hashing += 1
        try:
            code = clean(posted.get("code", "")).lower()
            session = await centre_people.sign_in(
                self._deps, code, posted.get("password", ""), instead_of=visit.session
            )
        except UnauthenticatedError as error:
            visit.request.app[GUESSES].note(visit.request)
            locked = error.detail == "locked"
            problem = (
                visit.say("Too many wrong passwords. Wait a quarter of an hour.")
                if locked
                else visit.say("The agent code or the password is wrong.")
            )
            return visit.page("sign_in.html", status=422, problem=problem, typed={"code": code})
        finally:
            self._hashing -= 1
        visit.begin(session)
        return visit.go("/centre")

    async def sign_out(self, visit: Visit, _: Agent) -> web.Response:
        if await visit.form("sign-out") is None:
            return visit.stale()
        await centre_people.sign_out(self._deps, visit.session)
        visit.begin("")
        return visit.go("/centre/sign-in")

    async def ask_password(self, visit: Visit, _: Agent) -> web.Response:
        return visit.page("password.html")

    async def change_password(self, visit: Visit, agent: Agent) -> web.Response:
        posted = await visit.form("password")
        if posted is None:
            return visit.stale()
        try:
            old, new = posted.get("old", ""), posted.get("new", "")
            await centre_people.change_password(self._deps, agent, old, new)
        except UnauthenticatedError:
            return visit.page("password.html", status=422, problem=visit.say("Your present password is wrong."))
        except InvalidError as error:
            return visit.page("password.html", status=422, problem=visit.say(sentence_for(error)))
        visit.begin("")
        return visit.go("/centre/sign-in")

    async def home(self, visit: Visit, agent: Agent) -> web.Response:
        return await self._home(visit, agent)

    async def _home(self, visit: Visit, agent: Agent, problem: str = "") -> web.Response:
        view = await shifts.read_shift(self._deps, agent)
        waiting = await shifts.waiting_shifts(self._deps, agent)
        asked = [("/centre/give-backs", one) for one in await give_back.waiting_give_backs(self._deps, agent)]
        asked += [("/centre/hand-outs", one) for one in await hand_out.waiting_hand_outs(self._deps, agent)]
        return visit.page(
            "desk.html", status=422 if problem else 200, view=view, waiting=waiting, asked=asked, problem=problem,
            currency=CURRENCY,
        )  # fmt: skip

    async def open_shift(self, visit: Visit, agent: Agent) -> web.Response:
        posted = await visit.form("shift")
        if posted is None:
            return visit.stale()
        try:
            await shifts.open_shift(self._deps, agent, read_amount(posted.get("float", ""), CURRENCY))
        except GatewayError as error:
            return await self._home(visit, agent, visit.say(sentence_for(error)))
        return visit.go("/centre")

    async def ask_count(self, visit: Visit, agent: Agent) -> web.Response:
        view = await shifts.read_shift(self._deps, agent)
        return visit.go("/centre") if view is None else visit.page("count.html", view=view, counted=None)

    async def count(self, visit: Visit, agent: Agent) -> web.Response:
        """Take the count. What differs is shown only now, when the agent's own figure stands."""
        posted = await visit.form("count")
        if posted is None:
            return visit.stale()
        view = await shifts.read_shift(self._deps, agent)
        if view is None:
            return visit.go("/centre")
        try:
            counted = read_amount(posted.get("counted", ""), view.shift.float.currency)
            shift = await shifts.count_shift(self._deps, agent, counted)
        except GatewayError as error:
            problem = visit.say(sentence_for(error))
            return visit.page("count.html", status=422, view=view, counted=None, problem=problem, typed=posted)
        return visit.page("count.html", view=view, counted=shift)

    async def approve(self, visit: Visit, agent: Agent) -> web.Response:
        if await visit.form("approve") is None:
            return visit.stale()
        try:
            await shifts.approve_shift(self._deps, agent, visit.request.match_info["id"])
        except NotFoundError:
            raise
        except GatewayError as error:
            return await self._home(visit, agent, visit.say(sentence_for(error)))
        return visit.go("/centre")

    async def decide_give_back(self, visit: Visit, agent: Agent) -> web.Response:
        return await self._decide(visit, agent, give_back.decide_give_back)

    async def decide_hand_out(self, visit: Visit, agent: Agent) -> web.Response:
        return await self._decide(visit, agent, hand_out.decide_hand_out)

    async def _decide(self, visit: Visit, agent: Agent, decide: _Decide) -> web.Response:
        """Let a supervisor agree that cash leaves a drawer, or refuse it."""
        posted = await visit.form("give-backs")
        if posted is None:
            return visit.stale()
        try:
            approve = posted.get("decision") == "approve"
            await decide(self._deps, agent, visit.request.match_info["id"], approve=approve)
        except NotFoundError:
            raise
        except GatewayError as error:
            return await self._home(visit, agent, visit.say(sentence_for(error)))
        return visit.go("/centre")

    async def ask_bill(self, visit: Visit, agent: Agent) -> web.Response:
        """Ask what the citizen wants; once that is chosen, ask what its price depends on."""
        query = visit.request.query
        service, bundle = query.get("service", ""), query.get("bundle", "")
        fee = await counter_fees.find_fee(self._deps, agent, service, bundle)
        if fee is not None:
            return self._ask_fee(visit, fee, {"quantity": "1"}, {})
        return await self._ask_service(visit, agent, is_gone=bool(service or bundle))

    async def _ask_service(self, visit: Visit, agent: Agent, *, is_gone: bool) -> web.Response:
        offered = await counter_fees.offered_fees(self._deps, agent)
        problem = visit.say("This service is not to be had at counters. Choose another.") if is_gone else ""
        return visit.page("new.html", status=422 if is_gone else 200, offered=offered, problem=problem)

    def _ask_fee(self, visit: Visit, fee: Fee, typed: Mapping[str, str], faults: Mapping[str, str]) -> web.Response:
        return visit.page(
            "fee.html", status=422 if faults else 200, fee=fee, fields=fields_of(fee), typed=typed, faults=faults,
            once=typed.get("once") or visit.once(),
        )  # fmt: skip

    async def open_bill(self, visit: Visit, agent: Agent) -> web.Response:
        posted = await visit.form("new")
        if posted is None:
            return visit.stale()
        chosen = posted.get("service", ""), posted.get("bundle", "")
        fee = await counter_fees.find_fee(self._deps, agent, *chosen)
        if fee is None:
            return await self._ask_service(visit, agent, is_gone=True)
        try:
            lines, reference = read_form(fee, posted)
            intent_id = await take_payment.open_bill(
                self._deps, agent, lines, clean(posted.get("emirates_id", "")), bundle=fee.bundle,
                reference=reference, language=visit.language, once=posted.get("once", ""),
            )  # fmt: skip
        except InvalidError as error:
            return self._ask_fee(visit, fee, posted, said_at_fields(visit, fee, error))
        return visit.go(f"/centre/bills/{intent_id}")

    async def ask_find(self, visit: Visit, _: Agent) -> web.Response:
        return visit.page("find.html", found=None)

    async def find(self, visit: Visit, agent: Agent) -> web.Response:
        posted = await visit.form("find")
        if posted is None:
            return visit.stale()
        found = await take_payment.find_bills(self._deps, agent, clean(posted.get("asked", "")))
        if len(found) == 1:
            return visit.go(f"/centre/bills/{found[0]}")
        bills = [await take_payment.read_bill(self._deps, agent, one) for one in found]
        return visit.page("find.html", found=bills, typed=posted)

    async def bill(self, visit: Visit, agent: Agent) -> web.Response:
        return await self._bill(visit, agent)

    async def _bill(
        self, visit: Visit, agent: Agent, problem: str = "", typed: Mapping[str, str] | None = None
    ) -> web.Response:
        bill = await take_payment.read_bill(self._deps, agent, visit.request.match_info["id"])
        token = links.token_of(self._deps, bill.intent.id)
        values: dict[str, Any] = {"bill": bill, "view": await read_checkout(self._deps, token), "token": token}
        values["to_collect"] = await hand_out.to_collect(self._deps, agent, bill.intent.id)
        return visit.page("bill_at_counter.html", status=422 if problem else 200, problem=problem,
                          typed=typed or {}, **values)  # fmt: skip

    async def act(self, visit: Visit, agent: Agent) -> web.Response:
        """Record an identity, take cash or a slip, or ask that cash go back; then show the bill again."""
        intent_id, what = visit.request.match_info["id"], visit.request.match_info["what"]
        posted = await visit.form(what)
        if posted is None:
            return visit.stale()
        try:
            if what == "identity":
                typed = clean(posted.get("emirates_id", ""))
                await take_payment.identify_payer(self._deps, agent, intent_id, typed)
            elif what == "cash":
                await take_payment.take_cash(self._deps, agent, intent_id)
            elif what == "give-back":
                why = check_text(posted.get("reason", "").strip(), length_max=_REASON_MAX, pointer="/reason")
                await give_back.ask_give_back(self._deps, agent, intent_id, why)
            elif what == "hand-out":
                card = clean(posted.get("emirates_id", ""))
                await hand_out.ask_hand_out(self._deps, agent, posted.get("refund", ""), card)
            else:
                reference, approval = (
                    clean(posted.get("terminal_reference", "")),
                    clean(posted.get("approval_code", "")),
                )
                await take_payment.take_slip(self._deps, agent, intent_id, reference, approval)
        except (NotFoundError, OverloadedError):
            raise
        except GatewayError as error:
            return await self._bill(visit, agent, visit.say(sentence_for(error)), posted)
        return visit.go(f"/centre/bills/{intent_id}")
