"""An Arabic page is Arabic: no English word slips through, whatever it shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml import html

from adapters.contract import DeclineReason, Method
from gateway.checkout.outcome import render_outcome
from gateway.checkout.pay_page import choose_method, empty_form, read_form, render_pay
from gateway.checkout.standing import State
from gateway.checkout.trouble import trouble_of
from gateway.domain.attempt import AttemptStatus
from gateway.services.payers.views import AttemptView, CheckoutView
from gateway.web.pages import Pages

KEY = b"k" * 32
METHODS = (Method.CARD, Method.MOBILE, Method.BANK, Method.BANK_TRANSFER)
OWN_NAMES = {"PDF", "IBAN", "WCAG", "AA"}


def foreign_words(page: bytes) -> set[str]:
    """Return Latin words a reader of Arabic would stumble over: outside isolated codes and marked languages."""
    found: set[str] = set()
    document = html.document_fromstring(page)
    for node in document.xpath(
        "//text()[not(ancestor::script or ancestor::bdi[@dir='ltr'] or ancestor::*[@lang='en'])]"
    ):
        found |= set(re.findall(r"[A-Za-z]{2,}", node))
    for value in document.xpath("//@aria-label | //@content | //@data-once"):
        if "width=" not in value and value not in {"light dark", "telephone=no"}:
            found |= set(re.findall(r"[A-Za-z]{2,}", value))
    return found - OWN_NAMES


def every_page(pages: Pages, view_of: Callable[..., CheckoutView]) -> Iterator[tuple[str, bytes]]:
    view = view_of(methods=METHODS, already_paid_elsewhere=True, payer_email="fatima@example.ae")
    for method in METHODS:
        form = empty_form(view, choose_method(view, method))
        yield f"pay {method}", render_pay(pages, view, "ar", KEY, form)
    wrong = read_form(view, {"method": "mobile", "email": "x", "mobile": "x"}, pages.languages["ar"])
    yield "wrong", render_pay(pages, view, "ar", KEY, wrong)
    for reason in DeclineReason:
        dead = view_of(last_attempt=AttemptView("pa_1", AttemptStatus.DECLINED, Method.CARD, view.expires_at, reason))
        trouble = trouble_of(dead, pages.languages["ar"])
        yield reason, render_pay(pages, dead, "ar", KEY, empty_form(dead, Method.CARD), trouble=trouble)
    for state in State:
        if state not in (State.PAYABLE, State.DECLINED):
            yield state, render_outcome(pages, view, state, "ar", KEY)
    for template in ("accessibility.html", "privacy.html"):
        yield template, pages.render(template, "ar")


def test_no_english_word_slips_into_an_arabic_page(pages: Pages, view_of: Callable[..., CheckoutView]):
    found = {name: words for name, page in every_page(pages, view_of) if (words := foreign_words(page))}
    assert found == {}


def test_the_check_sees_an_english_word():
    assert foreign_words("<p>ادفع الآن Pay <bdi dir=ltr>AED</bdi></p>".encode()) == {"Pay"}
