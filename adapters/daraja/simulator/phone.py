"""The payer's phone, as a page that lists what waits and as a control route; and the simulator's book."""

from __future__ import annotations

import html
from datetime import date
from typing import Final

from aiohttp import web

from adapters.daraja.simulator.api import Api
from adapters.daraja.simulator.till import Row
from adapters.daraja.wire import account_of
from adapters.simulation.levers import read_object
from adapters.simulation.misbehaviour import answer

DECISIONS: Final = {
    "approve": ("Enter PIN and pay", "أدخل الرمز وادفع"),
    "1032": ("Cancel", "إلغاء"),
    "1": ("Not enough balance", "الرصيد غير كافٍ"),
    "2001": ("Wrong PIN", "رمز خاطئ"),
}
STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "section{border:2px solid #555;border-radius:.8rem;padding:1rem;margin:1rem 0}"
    "button{font:inherit;margin:.3rem;padding:.5rem 1rem;background:#1b5e20;color:#fff;border:0;border-radius:.3rem}"
)


class Phone:
    """Decides for the payer."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._till = api.till

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/phone", self.show),
            web.post("/phone/{checkout_id}", self.press),
            web.post("/simulator/pay", self.pay),
            web.post("/simulator/close", self.close),
            web.get("/simulator/book", self.book),
            web.get("/simulator/charges", self.charges),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        language = "ar" if request.query.get("lang") == "ar" else "en"
        place = 1 if language == "ar" else 0
        title = ("M-Pesa phone (simulator)", "هاتف إم بيسا (محاكاة)")[place]
        none = ("Nothing waits for approval", "لا يوجد ما ينتظر الموافقة")[place]
        prompts = "".join(_prompt(row, place) for row in self._till.waiting()) or f"<p>{none}</p>"
        other, name = ("en", "English") if language == "ar" else ("ar", "العربية")
        text = (
            f"<!doctype html><html lang='{language}' dir='{'rtl' if place else 'ltr'}'><head><meta charset='utf-8'>"
            f"<meta name='viewport' content='width=device-width'><title>{title}</title><style>{STYLE}</style></head>"
            f"<body><p><a href='/phone?lang={other}' lang='{other}'>{name}</a></p><h1>{title}</h1>{prompts}"
            "</body></html>"
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def press(self, request: web.Request) -> web.StreamResponse:
        found = self._till.find(request.match_info["checkout_id"])
        if found is None:
            raise web.HTTPNotFound
        decision = str((await request.post()).get("decision", ""))
        if decision in DECISIONS:
            await self._decide(found, "" if decision == "approve" else decision)
        raise web.HTTPSeeOther("/phone")

    async def pay(self, request: web.Request) -> web.Response:
        """Decide as the payer would: `{"reference", "decline_code"?}`; the reference is ours."""
        body = await read_object(request)
        found = self._till.last_for(account_of(str(body.get("reference", ""))))
        if found is None:
            return answer({"error": "no such prompt"}, status=404)
        fault = self._api.faults.take("pay") if found["result_code"] is None else None
        if fault is not None and fault.name == "pending":
            return answer({"result_code": self._till.hold(found, fault)["result_code"]})
        code = str(body.get("decline_code", "")) or (
            fault.text("code", "1") if fault and fault.name == "decline" else ""
        )
        return answer({"result_code": (await self._decide(found, code))["result_code"]})

    async def close(self, request: web.Request) -> web.Response:
        """Pay out a day; a day that is not over stays open."""
        body = await read_object(request)
        try:
            business_date = date.fromisoformat(str(body.get("date", "")))
        except ValueError as error:
            return answer({"error": str(error)}, status=422)
        await self._api.payouts.pay(business_date)
        return answer({"date": business_date.isoformat()})

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return answer(self._till.whole())

    async def charges(self, request: web.Request) -> web.Response:
        return answer(self._till.charges(account_of(request.query.get("reference", ""))))

    async def _decide(self, prompt: Row, decline_code: str) -> Row:
        if prompt["result_code"] is not None:
            return prompt
        decided = self._till.decline(prompt, decline_code) if decline_code else self._till.approve(prompt)
        await self._api.tell(decided)
        return decided


def _prompt(row: Row, place: int) -> str:
    buttons = "".join(
        f"<button name='decision' value='{code}'>{words[place]}</button>" for code, words in DECISIONS.items()
    )
    return (
        f"<section><p><bdi dir='ltr'>{html.escape(row['mobile'])}</bdi><br>{html.escape(row['description'])}<br>"
        f"<strong><bdi dir='ltr'>KES {row['shillings']:,}</bdi></strong></p>"
        f"<form method='post' action='/phone/{row['checkout_id']}'>{buttons}</form></section>"
    )
