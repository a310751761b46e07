"""The bank's own pages, in Arabic and English without script; and the levers only this simulator has."""

from __future__ import annotations

import html
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from adapters.altareq.simulator.authorization import bank_of
from adapters.altareq.simulator.banks import ACCOUNTS, BANKS, DEFAULT_ACCOUNT, SimulatedBank
from adapters.altareq.simulator.book import Book, Row, hold
from adapters.altareq.simulator.notices import Notices
from adapters.simulation.faults import Faults
from adapters.simulation.levers import read_object
from adapters.simulation.misbehaviour import answer
from ledger.money import Money

TEXTS: Final = {
    "en": {
        "title": "Approve a payment", "simulated": "simulated bank", "to": "To", "amount": "Amount",
        "reference": "Reference", "account": "Pay from", "approve": "Approve", "decline": "Decline",
        "gone": "This link is no longer valid", "gone_why": "Go back to where you came from and start again.",
        "other": "العربية", "other_code": "ar",
    },
    "ar": {
        "title": "الموافقة على دفعة", "simulated": "بنك للمحاكاة", "to": "إلى", "amount": "المبلغ",
        "reference": "المرجع", "account": "الدفع من", "approve": "موافقة", "decline": "رفض",
        "gone": "لم يعد هذا الرابط صالحًا", "gone_why": "ارجع إلى الصفحة السابقة وابدأ من جديد.",
        "other": "English", "other_code": "en",
    },
}  # fmt: skip
STYLE: Final = (
    "*{{box-sizing:border-box}}body{{font:1.05rem/1.6 system-ui,'Noto Sans Arabic',sans-serif;margin:0;color:#1b1b1b;"
    "background:#f5f4f1}}header{{background:{colour};color:#fff;padding:1rem}}header *{{color:#fff}}"
    "header p{{margin:0;opacity:.9}}main,header div{{max-width:34rem;margin:0 auto}}main{{padding:1rem}}"
    "dl{{background:#fff;border-radius:.6rem;padding:1rem;margin:0 0 1rem}}dt{{color:#555}}dd{{margin:0 0 .6rem;"
    "font-weight:600;overflow-wrap:anywhere}}label{{display:flex;gap:.6rem;align-items:center;background:#fff;"
    "border-radius:.6rem;padding:.8rem;margin:.5rem 0}}fieldset{{border:0;padding:0;margin:0 0 1rem}}"
    "button{{font:inherit;width:100%;padding:.8rem;margin:.3rem 0;border-radius:.5rem;border:2px solid {colour}}}"
    "#approve{{background:{colour};color:#fff}}#decline{{background:#fff;color:{colour}}}"
)


class Pages:
    """What the payer sees at their bank, and the payer's hand in tests."""

    def __init__(self, book: Book, notices: Notices, faults: Faults) -> None:
        self._book = book
        self._notices = notices
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/banks/{bank}/authorize", self.show),
            web.post("/banks/{bank}/authorize", self.submit),
            web.post("/simulator/pay", self.pay),
            web.post("/simulator/close", self.close),
            web.get("/simulator/book", self.book),
            web.get("/simulator/charges", self.charges),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        bank, language = bank_of(request), _language(request)
        consent = self._waiting(request.query.get("request_uri", ""))
        if consent is None or consent["bank"] != bank.code:
            return _gone(bank, language)
        return _page(bank, language, consent, request)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Take the payer's decision and send them back with it."""
        bank = bank_of(request)
        form = await request.post()
        consent = self._waiting(request.query.get("request_uri", ""))
        account = ACCOUNTS.get(str(form.get("account", "")))
        if consent is None or consent["bank"] != bank.code:
            return _gone(bank, _language(request))
        if form.get("decision") != "approve":
            raise web.HTTPSeeOther(await self._decline(consent))
        if account is None:
            return _page(bank, _language(request), consent, request)
        outcome: dict[str, object] = {"debtor_iban": account.iban, "reject_code": account.reject_code}
        if account.resolve_s is not None:
            outcome.update(resolve_s=account.resolve_s, resolve_to="credited")
        raise web.HTTPSeeOther(await self._approve(consent, outcome))

    async def pay(self, request: web.Request) -> web.Response:
        """Decide as the payer would: `{"reference", "decline_code"?}`; the answer says where the browser goes then."""
        body = await read_object(request)
        consent = self._book.consent_by_reference(str(body.get("reference", "")))
        if consent is None:
            return answer({"error": "no such consent"}, status=404)
        if consent["status"] != "AwaitingAuthorization":
            return answer({"status": consent["status"]})
        outcome: dict[str, object] = {"debtor_iban": DEFAULT_ACCOUNT}
        code = str(body.get("decline_code", ""))
        fault = self._faults.take("pay")
        if fault is not None and fault.name == "pending":
            outcome.update(hold(fault))
        elif fault is not None and fault.name == "decline":
            code = fault.text("code", "AM04")
        if code == "access_denied":
            back = await self._decline(consent)
        else:
            outcome.update({"reject_code": code} if code else {})
            back = await self._approve(consent, outcome)
        return answer({"status": self._book.existing(consent["consent_id"])["status"], "return_to": back})

    async def close(self, request: web.Request) -> web.Response:
        """Book at the payee's bank whatever is credited by now; an instant payment has no end of day."""
        await self._notices.credit_bank()
        return answer(await read_object(request))

    async def book(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        return answer(self._book.whole())

    async def charges(self, request: web.Request) -> web.Response:
        return answer(self._book.charges(request.query.get("reference", "")))

    def _waiting(self, request_uri: str) -> Row | None:
        consent = self._book.consent_of_request(request_uri)
        return consent if consent and consent["status"] == "AwaitingAuthorization" else None

    async def _approve(self, consent: Row, outcome: dict[str, object]) -> str:
        decided = self._book.decide(consent, "Authorized", **outcome)
        await self._notices.consent(decided)
        return _back(decided, code=self._book.issue_code(decided))

    async def _decline(self, consent: Row) -> str:
        decided = self._book.decide(consent, "Rejected")
        await self._notices.consent(decided)
        return _back(decided, error="access_denied")


def _back(consent: Row, **brought: str) -> str:
    query = {**brought, "state": consent["state"], "iss": BANKS[consent["bank"]].issuer}
    return f"{consent['redirect_uri']}?{urlencode(query)}"


def _language(request: web.Request) -> str:
    asked = request.query.get("lang") or request.headers.get("Accept-Language", "")
    return "ar" if str(asked).startswith("ar") else "en"


def _gone(bank: SimulatedBank, language: str) -> web.Response:
    text = TEXTS[language]
    return _document(bank, language, f"<h1>{text['gone']}</h1><p>{text['gone_why']}</p>", "", status=410)


def _page(bank: SimulatedBank, language: str, consent: Row, request: web.Request) -> web.Response:
    text = TEXTS[language]
    amount = Money(consent["amount_minor"], consent["currency"])
    accounts = "".join(
        f"<label><input type='radio' name='account' value='{iban}'{' checked' if iban == DEFAULT_ACCOUNT else ''}>"
        f"<span>{account.ar if language == 'ar' else account.en}<br><bdi dir='ltr'>{iban}</bdi></span></label>"
        for iban, account in ACCOUNTS.items()
    )
    query = html.escape(urlencode({**request.query, "lang": text["other_code"]}))
    here = html.escape(urlencode({**request.query, "lang": language}))
    body = (
        f"<h1>{text['title']}</h1><dl><dt>{text['to']}</dt><dd>{html.escape(consent['creditor_name'])}<br>"
        f"<bdi dir='ltr'>{html.escape(consent['creditor_iban'])}</bdi></dd><dt>{text['amount']}</dt>"
        f"<dd><bdi dir='ltr'>{amount}</bdi></dd><dt>{text['reference']}</dt>"
        f"<dd><bdi dir='ltr'>{html.escape(consent['description'])}</bdi></dd></dl>"
        f"<form method='post' action='?{here}'><fieldset><legend>{text['account']}</legend>{accounts}</fieldset>"
        f"<button id='approve' name='decision' value='approve'>{text['approve']}</button>"
        f"<button id='decline' name='decision' value='decline'>{text['decline']}</button></form>"
    )
    return _document(bank, language, body, f"<a href='?{query}' lang='{text['other_code']}'>{text['other']}</a>")


def _document(bank: SimulatedBank, language: str, body: str, tongue: str, *, status: int = 200) -> web.Response:
    text = TEXTS[language]
    name = bank.ar if language == "ar" else bank.en
    page = (
        f"<!doctype html><html lang='{language}' dir='{'rtl' if language == 'ar' else 'ltr'}'><head>"
        f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{name}</title>"
        f"<style>{STYLE.format(colour=bank.colour)}</style></head><body><header><div><b>{name}</b>"
        f"<p>{text['simulated']} {tongue}</p></div></header><main>{body}</main></body></html>"
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(text=page, content_type="text/html", status=status, headers=headers)
