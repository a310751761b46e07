"""A payer's own internet bank, on one page: a transfer to our account, written well or badly."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from adapters.bank_host.simulator.bank import Bank, NotOursError
from adapters.bank_host.simulator.faults import UnknownFaultError
from ledger.errors import MoneyError
from ledger.money import Money

MISTAKES: Final[Mapping[str, tuple[str, str]]] = {
    "none": ("Nothing", "لا شيء"),
    "no_reference": ("The reference is left out", "يُترك المرجع"),
    "mistyped": ("Two characters of the reference change places", "يتبدل حرفان في المرجع"),
    "too_little": ("10.00 too little is sent", "يُرسل أقل بمبلغ 10.00"),
    "too_much": ("10.00 too much is sent", "يُرسل أكثر بمبلغ 10.00"),
    "split": ("It is sent in two parts", "يُرسل على دفعتين"),
    "twice": ("It is sent twice", "يُرسل مرتين"),
}
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Internet bank (simulator)", "الخدمات المصرفية عبر الإنترنت (محاكاة)"),
    "iban": ("To account (IBAN)", "إلى الحساب (IBAN)"),
    "amount": ("Amount", "المبلغ"),
    "reference": ("Reference or purpose", "المرجع أو الغرض"),
    "name": ("From", "من"),
    "mistake": ("What goes wrong", "ما الخطأ"),
    "send": ("Send the transfer", "إرسال الحوالة"),
    "sent": ("Sent: {amount}", "تم الإرسال: {amount}"),
    "refused": ("Not sent: {reason}", "لم يُرسل: {reason}"),
}
STYLE: Final = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "label{display:block;margin:.8rem 0 .2rem}input,select{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}"
    "button{font:inherit;margin:1rem 0;padding:.6rem 1.2rem;background:#13294b;color:#fff;border:0;border-radius:.3rem}"
    "[role=status]{border:2px solid #13294b;padding:.6rem 1rem}"
)
STEP_MINOR: Final = 1_000


class InternetBank:
    """Takes what a payer typed and books it, as often and as wrongly as they chose."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/internet-bank", self.show), web.post("/internet-bank", self.send)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, "")

    async def send(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        place = _place(request)
        try:
            sent = self._book(form)
        except (MoneyError, NotOursError, ValueError) as error:
            return self._page(request, _WORDS["refused"][place].format(reason=error), form)
        return self._page(request, _WORDS["sent"][place].format(amount=", ".join(str(part) for part in sent)))

    def _book(self, form: Mapping[str, str]) -> list[Money]:
        mistake = form.get("mistake") or "none"
        if mistake not in MISTAKES:
            raise UnknownFaultError(f"{mistake!r} is no mistake of the list")
        amount = Money.parse(form.get("amount", "").replace(",", ""), self._bank.currency)
        parts = _parts(amount, mistake)
        text = _written(form.get("reference", ""), mistake)
        for part in parts:
            self._bank.book_credit(
                {
                    "credit_id": f"internet-bank-{self._bank.mint()}",
                    "amount_minor": part.amount_minor,
                    "remittance": text,
                    "debtor": form.get("name") or "Fatima Al Ali",
                    "debtor_iban": "AE460261001015500123456",
                    "creditor_iban": form.get("iban", ""),
                }
            )
        return parts

    def _page(self, request: web.Request, told: str, typed: Mapping[str, str] | None = None) -> web.Response:
        place, typed = _place(request), typed or request.query
        language, other = ("ar", "en") if place else ("en", "ar")
        fields = "".join(
            f"<label for='{name}'>{_WORDS[name][place]}</label><input id='{name}' name='{name}' dir='ltr'"
            f" value='{html.escape(str(typed.get(name, '')), quote=True)}'>"
            for name in ("iban", "amount", "reference", "name")
        )
        options = "".join(f"<option value='{key}'>{words[place]}</option>" for key, words in MISTAKES.items())
        text = (
            f"<!doctype html><html lang='{language}' dir='{'rtl' if place else 'ltr'}'><head><meta charset='utf-8'>"
            f"<meta name='viewport' content='width=device-width'><title>{_WORDS['title'][place]}</title>"
            f"<style>{STYLE}</style></head><body><p><a href='/internet-bank?lang={other}' lang='{other}'>"
            f"{'English' if place else 'العربية'}</a></p><h1>{_WORDS['title'][place]}</h1>"
            f"{f'<p role=status><bdi>{html.escape(told)}</bdi></p>' if told else ''}"
            f"<form method='post' action='/internet-bank?lang={language}'>{fields}"
            f"<label for='mistake'>{_WORDS['mistake'][place]}</label>"
            f"<select id='mistake' name='mistake'>{options}</select><button>{_WORDS['send'][place]}</button></form>"
            "</body></html>"
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


def _place(request: web.Request) -> int:
    return 1 if request.query.get("lang") == "ar" else 0


def _parts(amount: Money, mistake: str) -> list[Money]:
    step = Money(STEP_MINOR, amount.currency)
    match mistake:
        case "too_little":
            return [amount - step]
        case "too_much":
            return [amount + step]
        case "split":
            first = Money(amount.amount_minor // 2, amount.currency)
            return [first, amount - first]
        case "twice":
            return [amount, amount]
        case _:
            return [amount]


def _written(reference: str, mistake: str) -> str:
    if mistake == "no_reference":
        return "TRANSFER"
    if mistake == "mistyped" and len(reference) > 1:
        return f"{reference[:-2]}{reference[-1]}{reference[-2]}"
    return reference
