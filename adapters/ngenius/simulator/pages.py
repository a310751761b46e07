"""The hosted payment page: plain forms in Arabic and English, no script, and the 3-D Secure challenge."""

from __future__ import annotations

import html
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from adapters.ngenius.simulator.acquirer import Acquirer
from adapters.ngenius.simulator.api import Api
from adapters.ngenius.simulator.book import Row
from adapters.ngenius.simulator.cards import TEST_CARDS, Behaviour, find_card
from adapters.ngenius.simulator.webhooks import Webhooks
from ledger.money import Money

TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Secure payment (simulator)",
        "amount": "Amount",
        "reference": "Reference",
        "card": "Card number",
        "expiry": "Expiry (MM/YY)",
        "cvv": "Security code",
        "holder": "Name on card",
        "pay": "Pay",
        "cancel": "Cancel and return",
        "test_cards": "Test cards",
        "challenge": "Your bank asks for the code it sent you",
        "code": "Code",
        "confirm": "Confirm",
        "done": "This payment page is closed",
        "wait": "The connection to the bank was lost",
        "wait_text": "We could not tell the merchant. Close this page and return to the merchant's site.",
        "back": "Return to the merchant",
        "unknown": "No such payment page",
    },
    "ar": {
        "title": "دفع آمن (محاكاة)",
        "amount": "المبلغ",
        "reference": "المرجع",
        "card": "رقم البطاقة",
        "expiry": "تاريخ الانتهاء (شهر/سنة)",
        "cvv": "رمز الأمان",
        "holder": "الاسم على البطاقة",
        "pay": "ادفع",
        "cancel": "إلغاء والعودة",
        "test_cards": "بطاقات الاختبار",
        "challenge": "يطلب مصرفك الرمز الذي أرسله إليك",
        "code": "الرمز",
        "confirm": "تأكيد",
        "done": "صفحة الدفع هذه مغلقة",
        "wait": "انقطع الاتصال بالمصرف",
        "wait_text": "تعذر إبلاغ التاجر. أغلق هذه الصفحة وعد إلى موقع التاجر.",
        "back": "العودة إلى التاجر",
        "unknown": "لا توجد صفحة دفع كهذه",
    },
}

STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "label{display:block;margin-top:1rem;font-weight:600}"
    "input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box;border:2px solid #555;border-radius:.3rem}"
    "button{font:inherit;margin-top:1.5rem;padding:.7rem 2rem;background:#00594c;color:#fff;border:0}"
    "table{border-collapse:collapse;margin-top:2rem;font-size:.9rem}td{padding:.15rem .6rem;border-top:1px solid #ccc}"
    "a{color:#00594c}"
)


class Pages:
    """What the payer's browser sees."""

    def __init__(self, acquirer: Acquirer, webhooks: Webhooks, api: Api) -> None:
        self._acquirer = acquirer
        self._webhooks = webhooks
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/page/{code}", self.show),
            web.post("/page/{code}", self.pay),
            web.post("/page/{code}/challenge", self.challenge),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        order = self._find(request)
        if order["state"] == "AWAIT_3DS":
            return self._challenge_form(request, order)
        if order["state"] != "STARTED":
            return self._closed(request, order)
        texts, language = _texts(request, order)
        amount = Money(order["amount_minor"], order["currency"])
        rows = "".join(
            f"<tr><td><bdi dir='ltr'>{card.spaced}</bdi></td><td>{html.escape(_outcome(card, language))}</td></tr>"
            for card in TEST_CARDS
        )
        cancel = order["cancel_url"] or order["redirect_url"]
        body = (
            f"<h1>{texts['title']}</h1><p>{texts['amount']}: <strong><bdi dir='ltr'>{amount}</bdi></strong><br>"
            f"{texts['reference']}: <bdi dir='ltr'>{html.escape(order['merchant_reference'])}</bdi></p>"
            f"<form method='post'><input type='hidden' name='lang' value='{language}'>"
            + _field("card", texts["card"], "cc-number")
            + _field("expiry", texts["expiry"], "cc-exp")
            + _field("cvv", texts["cvv"], "cc-csc")
            + _field("holder", texts["holder"], "cc-name", numeric=False)
            + f"<button id='pay'>{texts['pay']}</button></form>"
            f"<p><a id='cancel' href='{html.escape(cancel)}'>{texts['cancel']}</a></p>"
            f"<h2>{texts['test_cards']}</h2><table>{rows}</table>"
        )
        return _page(texts["title"], language, body, request)

    async def pay(self, request: web.Request) -> web.StreamResponse:
        order = self._find(request)
        form = await request.post()
        number = str(form.get("card", ""))
        order, events = self._acquirer.pay(order["reference"], number)
        await self._webhooks.announce(order, events, self._api.document(order, request))
        if order["state"] == "AWAIT_3DS":
            raise web.HTTPSeeOther(request.path + f"?lang={_texts(request, order)[1]}")
        if events == () and find_card(number).behaviour is Behaviour.SILENT and order["state"] != "FAILED":
            texts, language = _texts(request, order)
            body = f"<h1>{texts['wait']}</h1><p>{texts['wait_text']}</p>"
            return _page(texts["wait"], language, body, request)
        raise web.HTTPSeeOther(return_address(order))

    async def challenge(self, request: web.Request) -> web.StreamResponse:
        order = self._find(request)
        form = await request.post()
        order, events = self._acquirer.answer_challenge(order["reference"], str(form.get("code", "")))
        await self._webhooks.announce(order, events, self._api.document(order, request))
        raise web.HTTPSeeOther(return_address(order))

    def _find(self, request: web.Request) -> Row:
        order = self._acquirer.book.order_by_page(request.match_info["code"])
        if order is None:
            raise web.HTTPNotFound(text=f"{TEXTS['en']['unknown']} / {TEXTS['ar']['unknown']}")
        return order

    def _challenge_form(self, request: web.Request, order: Row) -> web.Response:
        texts, language = _texts(request, order)
        action = html.escape(f"/page/{order['page_code']}/challenge")
        body = (
            f"<h1>3-D Secure</h1><p>{texts['challenge']}</p><form method='post' action='{action}'>"
            + _field("code", texts["code"], "one-time-code")
            + f"<button id='confirm'>{texts['confirm']}</button></form>"
        )
        return _page("3-D Secure", language, body, request)

    def _closed(self, request: web.Request, order: Row) -> web.Response:
        texts, language = _texts(request, order)
        address = html.escape(return_address(order))
        body = f"<h1>{texts['done']}</h1><p><a id='back' href='{address}'>{texts['back']}</a></p>"
        return _page(texts["done"], language, body, request)


def return_address(order: Row) -> str:
    """Return where the browser goes: the merchant's address with `ref`, which carries no result."""
    parts = urlsplit(order["redirect_url"] or "/")
    query = "&".join(part for part in (parts.query, urlencode({"ref": order["reference"]})) if part)
    return urlunsplit(parts._replace(query=query))


def _texts(request: web.Request, order: Row) -> tuple[dict[str, str], str]:
    wanted = request.query.get("lang", order["language"])
    language = wanted if wanted in TEXTS else "en"
    return TEXTS[language], language


def _outcome(card: object, language: str) -> str:
    return str(getattr(card, "arabic" if language == "ar" else "english"))


def _field(name: str, label: str, autocomplete: str, *, numeric: bool = True) -> str:
    mode = " inputmode='numeric' dir='ltr'" if numeric else ""
    required = " required" if name in {"card", "code"} else ""
    return (
        f"<label for='{name}'>{label}</label>"
        f"<input id='{name}' name='{name}' autocomplete='{autocomplete}'{mode}{required} maxlength='60'>"
    )


def _page(title: str, language: str, body: str, request: web.Request) -> web.Response:
    other, name = ("en", "English") if language == "ar" else ("ar", "العربية")
    direction = "rtl" if language == "ar" else "ltr"
    text = (
        f"<!doctype html><html lang='{language}' dir='{direction}'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><title>{title}</title><style>{STYLE}</style></head>"
        f"<body><p><a href='{html.escape(request.path)}?lang={other}' lang='{other}'>{name}</a></p>{body}</body></html>"
    )
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
