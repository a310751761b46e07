"""The payer's phone, as a page that lists what waits and as a control route; and the simulator's book."""

from __future__ import annotations

import html
from datetime import date
from typing import Final

from aiohttp import web

from adapters.gsma.simulator.api import Api
from adapters.gsma.simulator.wallet import Row
from adapters.simulation.levers import read_object
from adapters.simulation.misbehaviour import answer
from ledger.money import Money

DECISIONS: Final = {
    "approve": ("Approve", "موافقة"),
    "requestDeclined": ("Decline", "رفض"),
    "insufficientFunds": ("Not enough balance", "الرصيد غير كافٍ"),
}
STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "section{border:2px solid #555;border-radius:.8rem;padding:1rem;margin:1rem 0}"
    "button{font:inherit;margin:.3rem;padding:.5rem 1rem;background:#00594c;color:#fff;border:0;border-radius:.3rem}"
)


class Phone:
    """Decides for the payer."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._wallet = api.wallet

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/phone", self.show),
            web.post("/phone/{server_id}", self.press),
            web.post("/simulator/pay", self.pay),
            web.post("/simulator/close", self.close),
            web.get("/simulator/book", self.book),
            web.get("/simulator/charges", self.charges),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        language = "ar" if request.query.get("lang") == "ar" else "en"
        place = 1 if language == "ar" else 0
        title = ("Payer's phone (simulator)", "هاتف الدافع (محاكاة)")[place]
        none = ("Nothing waits for approval", "لا يوجد ما ينتظر الموافقة")[place]
        prompts = "".join(_prompt(row, language) for row in self._wallet.waiting()) or f"<p>{none}</p>"
        other, name = ("en", "English") if language == "ar" else ("ar", "العربية")
        text = (
            f"<!doctype html><html lang='{language}' dir='{'rtl' if place else 'ltr'}'><head><meta charset='utf-8'>"
            f"<meta name='viewport' content='width=device-width'><title>{title}</title><style>{STYLE}</style></head>"
            f"<body><p><a href='/phone?lang={other}' lang='{other}'>{name}</a></p><h1>{title}</h1>{prompts}"
            "</body></html>"
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def press(self, request: web.Request) -> web.StreamResponse:
        found = self._wallet.find_state(request.match_info["server_id"])
        if found is None:
            raise web.HTTPNotFound
        decision = str((await request.post()).get("decision", ""))
        if decision in DECISIONS:
            await self._decide(found, "" if decision == "approve" else decision)
        raise web.HTTPSeeOther("/phone")

    async def pay(self, request: web.Request) -> web.Response:
        """Decide as the payer would: `{"reference", "decline_code"?}`."""
        body = await read_object(request)
        found = self._wallet.request_by_reference(str(body.get("reference", "")))
        if found is None:
            return answer({"error": "no such request"}, status=404)
        fault = self._api.faults.take("pay") if found["status"] == "pending" else None
        if fault is not None and fault.name == "pending":
            return answer({"status": self._wallet.hold(found, fault)["status"]})
        code = str(body.get("decline_code", "")) or (
            fault.text("code", "insufficientFunds") if fault and fault.name == "decline" else ""
        )
        return answer({"status": (await self._decide(found, code))["status"]})

    async def close(self, request: web.Request) -> web.Response:
        """Pay out a day; this API has no early end of day, so a day that is not over stays open."""
        body = await read_object(request)
        try:
            business_date = date.fromisoformat(str(body.get("date", "")))
        except ValueError as error:
            return answer({"error": str(error)}, status=422)
        await self._api.payouts.pay(business_date)
        return answer({"date": business_date.isoformat()})

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return answer(self._wallet.whole())

    async def charges(self, request: web.Request) -> web.Response:
        return answer(self._wallet.charges(request.query.get("reference", "")))

    async def _decide(self, request: Row, decline_code: str) -> Row:
        if request["status"] != "pending":
            return request
        decided = self._wallet.decline(request, decline_code) if decline_code else self._wallet.approve(request)
        await self._api.tell(decided)
        return decided


def _prompt(row: Row, language: str) -> str:
    amount = Money(row["amount_minor"], row["currency"])
    buttons = "".join(
        f"<button name='decision' value='{code}'>{words[1 if language == 'ar' else 0]}</button>"
        for code, words in DECISIONS.items()
    )
    return (
        f"<section><p><bdi dir='ltr'>{html.escape(row['mobile'])}</bdi><br>{html.escape(row['description'])}<br>"
        f"<strong><bdi dir='ltr'>{amount}</bdi></strong></p>"
        f"<form method='post' action='/phone/{row['server_id']}'>{buttons}</form></section>"
    )
