"""The payment link's page, in Arabic and English without script; and the levers only this simulator has."""

from __future__ import annotations

import html
from datetime import date
from typing import Final

from aiohttp import web

from adapters.adyen.simulator.api import Api
from adapters.adyen.simulator.book import Row
from adapters.simulation.levers import read_object
from adapters.simulation.misbehaviour import answer
from ledger.money import Money

CARDS: Final[dict[str, tuple[str, str, str, str]]] = {
    "4111111111111111": ("visa", "", "Approved", "مقبولة"),
    "5555444433331111": ("mc", "", "Approved", "مقبولة"),
    "4000020000000000": ("visa", "Refused", "Refused by the bank", "مرفوضة من البنك"),
    "4000040000000008": ("visa", "Not enough balance", "Not enough balance", "الرصيد غير كافٍ"),
    "4000060000000006": ("visa", "Expired Card", "Expired card", "بطاقة منتهية الصلاحية"),
}
"""Test cards: scheme, refusal reason (none: approved), and what each does in both languages."""

TEXTS: Final = {
    "en": ("Payment link (simulator)", "Card number", "Pay", "This link is closed", "Refused. Try another card."),
    "ar": ("رابط دفع (محاكاة)", "رقم البطاقة", "ادفع", "هذا الرابط مغلق", "مرفوضة. جرّب بطاقة أخرى."),
}
STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}"
    "button{font:inherit;margin-top:1rem;padding:.7rem 2rem;background:#00594c;color:#fff;border:0}"
)


class Pages:
    """What the payer sees, and the payer's hand in tests."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._book = api.book

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/pay/{link}", self.show),
            web.post("/pay/{link}", self.submit),
            web.post("/simulator/pay", self.pay),
            web.post("/simulator/terminal", self.take_at_terminal),
            web.post("/simulator/terminal/void", self.void_at_terminal),
            web.post("/simulator/fail-refund", self.fail_refund),
            web.post("/simulator/close", self.close),
            web.get("/simulator/book", self.book),
            web.get("/simulator/charges", self.charges),
            web.get("/simulator/cards", self.cards),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        return self._page(self._find(request), request)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Take the card. A refused one leaves the page open for another, as the real page does."""
        link = self._find(request)
        number = "".join(str((await request.post()).get("card", "")).split())
        scheme, reason, *_ = CARDS.get(number, ("visa", "Invalid Card Number", "", ""))
        link = await self._charge(link, reason, scheme, number[-4:])
        if link["status"] == "active":
            return self._page(link, request, refused=True)
        if link["return_url"]:
            raise web.HTTPSeeOther(link["return_url"])
        return self._page(link, request)

    async def pay(self, request: web.Request) -> web.Response:
        """Pay as the page would: `{"reference", "card"?, "decline_code"?}`; the code is a refusal reason."""
        body = await read_object(request)
        link = self._book.link_by_reference(str(body.get("reference", "")))
        if link is None:
            return answer({"error": "no such link"}, status=404)
        number = str(body.get("card", "4111111111111111"))
        scheme, reason, *_ = CARDS.get(number, ("visa", "Invalid Card Number", "", ""))
        fault = self._api.faults.take("pay") if link["status"] == "active" else None
        if fault is not None and fault.name == "pending":
            return answer({"status": self._book.hold(link["id"], fault)["status"]})
        if fault is not None and fault.name == "decline":
            reason = fault.text("code", "Refused")
        link = await self._charge(link, str(body.get("decline_code", "")) or reason, scheme, number[-4:])
        return answer({"link": link["id"], "status": link["status"], "return_url": link["return_url"]})

    async def take_at_terminal(self, request: web.Request) -> web.Response:
        """Hold a card to a terminal at a counter: `{"amount_minor", "currency"}`; answers what its slip says."""
        body = await read_object(request)
        taken = self._book.take_at_terminal(int(body["amount_minor"]), str(body["currency"]))
        await self._api.notifications.tell(taken)
        return answer({"reference": taken["psp_reference"], "approval_code": taken["psp_reference"][:6]})

    async def void_at_terminal(self, request: web.Request) -> web.Response:
        """Take back at the terminal what it charged: `{"reference"}`, as on the slip."""
        if not self._book.void_at_terminal(str((await read_object(request)).get("reference", ""))):
            return answer({"error": "no such charge, or it is settled"}, status=404)
        return answer({})

    async def fail_refund(self, request: web.Request) -> web.Response:
        """Let a refund that was done fail: `{"reference"}`; again, and it is told of again."""
        failed = self._book.fail_refund(str((await read_object(request)).get("reference", "")))
        if failed is None:
            return answer({"error": "no such refund, or it is settled"}, status=404)
        await self._api.notifications.tell(failed)
        return answer({"psp_reference": failed["psp_reference"]})

    async def close(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        try:
            business_date = date.fromisoformat(str(body.get("date", "")))
        except ValueError as error:
            return answer({"error": str(error)}, status=422)
        await self._api.settlement.close(business_date, early=True)
        reports = [row for row in self._book.whole()["reports"] if row["business_date"] == str(business_date)]
        return answer({"date": business_date.isoformat(), "reports": reports})

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return answer(self._book.whole())

    async def charges(self, request: web.Request) -> web.Response:
        return answer(self._book.charges(request.query.get("reference", "")))

    async def cards(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return answer([{"number": number, "english": en, "arabic": ar} for number, (_, _, en, ar) in CARDS.items()])

    async def _charge(self, link: Row, reason: str, scheme: str, summary: str) -> Row:
        if link["status"] != "active":
            return link
        await self._api.notifications.tell(self._book.add_payment(link, reason=reason, scheme=scheme, card=summary))
        return self._book.link(link["id"])

    def _find(self, request: web.Request) -> Row:
        link = self._book.find_link(request.match_info["link"])
        if link is None:
            raise web.HTTPNotFound
        return link

    def _page(self, link: Row, request: web.Request, *, refused: bool = False) -> web.Response:
        wanted = request.query.get("lang", link["locale"][:2])
        language = wanted if wanted in TEXTS else "en"
        title, card, pay, closed, again = TEXTS[language]
        other, name = ("en", "English") if language == "ar" else ("ar", "العربية")
        amount = Money(link["amount_minor"], link["currency"])
        listed = "".join(
            f"<li><bdi dir='ltr'>{number}</bdi> {ar if language == 'ar' else en}</li>"
            for number, (_, _, en, ar) in CARDS.items()
        )
        form = (
            f"<form method='post'><label for='card'>{card}</label><input id='card' name='card' inputmode='numeric'"
            f" dir='ltr' autocomplete='cc-number' required maxlength='40'><button id='pay'>{pay}</button></form>"
            f"<ul>{listed}</ul>"
            if link["status"] == "active"
            else f"<p>{closed}</p>"
        )
        text = (
            f"<!doctype html><html lang='{language}' dir='{'rtl' if language == 'ar' else 'ltr'}'><head>"
            f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
            f"<style>{STYLE}</style></head><body><p><a href='?lang={other}' lang='{other}'>{name}</a></p>"
            f"<h1>{title}</h1><p>{html.escape(link['description'])}<br>"
            f"<strong><bdi dir='ltr'>{amount}</bdi></strong></p>"
            f"{f'<p role=alert>{again}</p>' if refused else ''}{form}</body></html>"
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
