"""Receipts: the page, the PDF, and the public check that shows no personal data."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from gateway.checkout.receipt_pdf import Proof, card_text, receipt_pdf
from gateway.checkout.seal import check_code, is_genuine, read_code, show_code
from gateway.checkout.visit import Visit, form_key
from gateway.deps import Deps
from gateway.domain.errors import InvalidError, NothingToPayError, TransitionError
from gateway.services.messages.resend_receipt import resend_receipt
from gateway.services.payers.find_receipt import find_receipt
from gateway.services.payers.rate_payment import rate_payment, read_rating
from gateway.services.payers.read_receipt import read_receipt
from gateway.services.payers.views import ReceiptView
from gateway.services.payers.where_is_my_money import where_is_my_money
from gateway.web.csrf import csrf_token
from gateway.web.guesses import GUESSES
from gateway.web.pages import Pages
from gateway.web.typed import clean


class Receipts:
    """Shows proof of payment to its payer, and proves it to anyone."""

    def __init__(self, deps: Deps, pages: Pages) -> None:
        self._deps = deps
        self._pages = pages
        self._key = form_key(deps.link_secrets[0])

    async def receipt(self, visit: Visit) -> web.Response:
        receipt = await self._read(visit)
        if receipt is None:
            return visit.go("")
        journey = await where_is_my_money(self._deps, visit.token)
        proof = self._proof(receipt)
        page = self._pages.render(
            "receipt.html",
            visit.language,
            receipt=receipt,
            card=card_text(receipt),
            journey=journey,
            copied=receipt.payer_email is not None and "email" in self._deps.senders,
            rating=await read_rating(self._deps, visit.token),
            sent=visit.request.query.get("sent"),
            csrf=csrf_token(self._key, "rate", visit.token),
            send_csrf=csrf_token(self._key, "send", visit.token),
            qr=Markup(proof.qr_svg()),  # noqa: S704 - drawn by us from an address we made
            check_code=show_code(proof.code),
            verify_path=self._path(receipt, proof.code),
            trial=self._pages.trial_of(receipt.live),
        )
        return visit.page(page)

    async def pdf(self, visit: Visit) -> web.Response:
        receipt = await self._read(visit)
        if receipt is None:
            return visit.go("")
        language = self._pages.languages[visit.language]
        trial = self._pages.trial_of(receipt.live)
        body = await receipt_pdf(receipt, self._proof(receipt), self._pages.identity, language, trial=trial)
        return visit.file(body, "application/pdf", f"{receipt.receipt_number}.pdf")

    async def rate(self, visit: Visit) -> web.Response:
        """Keep the one tap; anything but one of the five steps is no rating and changes nothing."""
        posted = await visit.form(self._key, "rate")
        if posted is None:
            return visit.stale()
        with suppress(InvalidError, NothingToPayError, ValueError):
            await rate_payment(self._deps, visit.token, int(str(posted.get("score"))))
        return visit.go("/receipt#rating")

    async def send_again(self, visit: Visit) -> web.Response:
        """Send the receipt where it went before, at most once a minute."""
        if await visit.form(self._key, "send") is None:
            return visit.stale()
        try:
            await resend_receipt(self._deps, visit.token)
        except TransitionError:
            return visit.go("/receipt?sent=already")
        return visit.go("/receipt?sent=again")

    async def ask(self, visit: Visit) -> web.Response:
        """Show the form to type a number and a code, or check what was typed."""
        number = clean(visit.request.query.get("number", "")).upper()[:64]
        code = visit.request.query.get("code", "")[:40]
        return await self._check(visit, number, code)

    async def verify(self, visit: Visit) -> web.Response:
        return await self._check(visit, visit.request.match_info["number"], visit.request.match_info["code"])

    async def _check(self, visit: Visit, number: str, code: str) -> web.Response:
        asked = bool(number or code)
        guesses = visit.request.app[GUESSES]
        if asked:
            guesses.check(visit.request)
        receipt = await find_receipt(self._deps, number) if number and read_code(code) else None
        if receipt is not None and not is_genuine(self._deps.link_secrets, receipt, code):
            receipt = None
        if asked and receipt is None:
            guesses.note(visit.request)
        paid_on = receipt.paid_at.astimezone(self._pages.identity.zone).date() if receipt else None
        page = self._pages.render(
            "verify.html",
            visit.language,
            receipt=receipt,
            paid_on=paid_on,
            asked=asked,
            number=number,
            code=code,
            trial=self._pages.identity.trial or (receipt is not None and not receipt.live),
        )
        return visit.page(page, status=404 if asked and receipt is None else 200)

    async def _read(self, visit: Visit) -> ReceiptView | None:
        try:
            receipt = await read_receipt(self._deps, visit.token)
        except NothingToPayError:
            return None
        visit.settle_language(receipt.language)
        return receipt

    def _proof(self, receipt: ReceiptView) -> Proof:
        code = check_code(self._deps.link_secrets[0], receipt)
        return Proof(f"{self._deps.public_url}{self._path(receipt, code)}", code)

    @staticmethod
    def _path(receipt: ReceiptView, code: str) -> str:
        return f"/verify/{quote(receipt.receipt_number, safe='')}/{code}"
