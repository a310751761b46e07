"""The pay page, drawn without a database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from lxml import html

from adapters.contract import DeclineReason, Method
from gateway.checkout.outcome import render_outcome
from gateway.checkout.pay_page import choose_method, empty_form, read_form, render_pay
from gateway.checkout.standing import State
from gateway.checkout.trouble import trouble_of
from gateway.domain.attempt import AttemptStatus
from gateway.domain.department import Names
from gateway.services.payers.views import AttemptView, CheckoutView, LineView, PartView, TariffView
from gateway.web.pages import Pages
from ledger.money import Money

KEY = b"k" * 32
EVERY_METHOD = (Method.CARD, Method.MOBILE, Method.BANK, Method.BANK_TRANSFER)


def draw(pages: Pages, view: CheckoutView, language: str = "en", **changes: object) -> html.HtmlElement:
    form = changes.pop("form", None) or empty_form(view, choose_method(view, None))
    return html.document_fromstring(render_pay(pages, view, language, KEY, form, **changes))


def words(node: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", node.text_content()).strip()


@pytest.mark.parametrize(("language", "direction", "pay"), [("ar", "rtl", "ادفع"), ("en", "ltr", "Pay")])
def test_the_button_names_the_amount(pages: Pages, view_of: Callable[..., CheckoutView], language, direction, pay):
    page = draw(pages, view_of(), language)
    assert (page.get("lang"), page.get("dir")) == (language, direction)
    [button] = page.xpath("//form[@id='pay']//div[@class='acts']/button")
    assert words(button) == f"{pay} AED 1,250.50"


def test_it_says_what_for_whom_and_until_when(pages: Pages, view_of: Callable[..., CheckoutView]):
    said = words(draw(pages, view_of()))
    for part in (
        "Department of Economy",
        "Trade licence renewal AED 1,240.50",
        "Innovation fee includes VAT of AED 0.48 AED 10.00",
        "TL-2026-004417",
        "23 November 2026 10:00 am",
        "we never see it",
    ):
        assert part in said


def test_no_card_field_and_at_most_five_controls(pages: Pages, view_of: Callable[..., CheckoutView]):
    page = draw(pages, view_of(methods=EVERY_METHOD))
    inputs = [each for each in page.xpath("//form[@id='pay']//input") if each.get("type") != "hidden"]
    assert [each.get("name") for each in inputs] == ["email", "mobile"]
    assert all(each.get("dir") == "ltr" for each in inputs)


def test_what_the_department_knows_is_filled_in(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of(payer_email="fatima@example.ae", payer_mobile="+971501234567")
    page = draw(pages, view)
    assert page.xpath("//input[@id='email']/@value") == ["fatima@example.ae"]
    assert page.xpath("//input[@id='mobile']/@value") == ["+971 50 123 4567"]


def test_methods_are_plain_links_and_one_is_current(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of(methods=EVERY_METHOD)
    page = draw(pages, view, form=empty_form(view, choose_method(view, "mobile")))
    links = page.xpath("//ul[@class='ways']//a")
    assert [link.get("href") for link in links] == [f"?method={method}" for method in EVERY_METHOD]
    assert [link.get("href") for link in links if link.get("aria-current")] == ["?method=mobile"]


def test_a_method_that_is_not_offered_is_not_taken(view_of: Callable[..., CheckoutView]):
    view = view_of(methods=(Method.CARD, Method.BANK))
    assert choose_method(view, "mobile") is Method.CARD
    assert choose_method(view, "bank") is Method.BANK
    assert choose_method(view, "<script>") is Method.CARD


def test_every_error_is_linked_to_its_field_in_the_same_words(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of()
    form = read_form(view, {"method": "card", "email": "x@", "mobile": "٠٥٠١"}, pages.languages["en"])
    page = draw(pages, view, form=form)
    assert page.xpath("//title")[0].text.startswith("Error:")
    links = page.xpath("//div[@id='problem']//a")
    invalid = page.xpath("//input[@aria-invalid='true']")
    assert [link.get("href") for link in links] == [f"#{each.get('id')}" for each in invalid] == ["#email", "#mobile"]
    for link, field in zip(links, invalid, strict=True):
        described = page.get_element_by_id(field.get("aria-describedby").split()[-1])
        assert words(described).removeprefix("Error: ") == words(link)
    assert page.xpath("//input[@id='mobile']/@value") == ["0501"]


def test_a_mobile_wallet_needs_its_number(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of(methods=EVERY_METHOD)
    form = read_form(view, {"method": "mobile"}, pages.languages["en"])
    assert list(form.errors) == ["mobile"]
    filled = read_form(view, {"method": "mobile", "mobile": "٠٥٠ ١٢٣ ٤٥٦٧"}, pages.languages["en"])
    assert (filled.errors, filled.contact.mobile) == ({}, "+971501234567")


def test_contact_is_optional(pages: Pages, view_of: Callable[..., CheckoutView]):
    form = read_form(view_of(), {"method": "card"}, pages.languages["en"])
    assert (form.errors, form.contact.email, form.contact.mobile) == ({}, None, None)


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("reason", DeclineReason)
def test_a_decline_says_why_and_that_no_money_was_taken(
    pages: Pages, view_of: Callable[..., CheckoutView], reason: DeclineReason, language: str
):
    view = view_of()
    attempt = AttemptView("pa_1", AttemptStatus.DECLINED, Method.CARD, view.expires_at, reason)
    view = view_of(last_attempt=attempt)
    page = draw(pages, view, language, trouble=trouble_of(view, pages.languages[language]))
    said = words(page.get_element_by_id("problem"))
    assert {"ar": "لم يُخصم أي مبلغ.", "en": "No money was taken."}[language] in said
    assert len(said) > 60
    assert page.xpath("//title")[0].text.startswith({"ar": "خطأ:", "en": "Error:"}[language])
    assert page.xpath("//form[@id='pay']")


def test_the_same_bill_paid_elsewhere_is_warned_of(pages: Pages, view_of: Callable[..., CheckoutView]):
    assert "may be paid already" in words(draw(pages, view_of(already_paid_elsewhere=True)))


def test_a_bundle_shows_each_departments_part(pages: Pages, view_of: Callable[..., CheckoutView]):
    police = Names("الشرطة", "Police")
    view = view_of()
    other = LineView(police, Names("مخالفة", "Fine"), Money(20000, "AED"), Money(0, "AED"))
    said = words(draw(pages, view_of(lines=(*view.lines, other))))
    assert "Fine Police AED 200.00" in said
    assert "Trade licence renewal and 2 more fees" in said
    said = words(draw(pages, view_of(lines=(*view.lines, other)), "ar"))
    assert "تجديد الرخصة التجارية ورسمان آخران" in said


@pytest.mark.parametrize(("language", "name"), [("ar", "افتتاح مطعم"), ("en", "Start a restaurant")])
def test_a_bundle_is_called_by_its_own_name(
    pages: Pages, view_of: Callable[..., CheckoutView], language: str, name: str
):
    view = view_of(bundle=Names("افتتاح مطعم", "Start a restaurant"))
    page = draw(pages, view, language)
    assert page.xpath("string(//h2[@id='bill'])") == name
    assert name in page.xpath("string(//title)")


def test_a_bundle_says_what_goes_to_whom_and_cites_its_tariffs(pages: Pages, view_of: Callable[..., CheckoutView]):
    police = Names("الشرطة", "Police")
    view = view_of()
    cited = TariffView(3, date(2026, 1, 1), Money(5000, "AED"), Names("كبار السن", "Senior citizens"))
    other = LineView(police, Names("مخالفة", "Fine"), Money(20000, "AED"), Money(0, "AED"), tariff=cited)
    parts = (
        PartView(view.department, Money(125050, "AED"), Money(48, "AED"), "100234567800003"),
        PartView(police, Money(20000, "AED"), Money(0, "AED"), None),
    )
    view = view_of(lines=(*view.lines, other), parts=parts)
    said = words(draw(pages, view))
    assert "Senior citizens: AED 50.00 taken off" in said
    assert "tariff version 3, in force since 1 January 2026" in said
    assert "Who receives it Department of Economy VAT registration 100234567800003" in said
    assert "AED 1,250.50" in said
    arabic = words(draw(pages, view, "ar"))
    assert "نسخة التعرفة 3، سارية منذ 1 يناير 2026" in arabic
    assert "كبار السن: خُصم AED 50.00" in arabic


def test_what_departments_and_payers_write_is_only_ever_text(pages: Pages, view_of: Callable[..., CheckoutView]):
    evil = "<script>alert(1)</script>{{ 7*7 }}%(x)s\"'"
    names = Names(evil, evil)
    view = view_of(
        department=names,
        reference=evil,
        lines=(LineView(names, names, Money(100, "AED"), Money(0, "AED")),),
        already_paid_elsewhere=True,
    )
    form = read_form(view, {"email": evil, "mobile": evil}, pages.languages["ar"])
    drawn = render_pay(pages, view, "ar", KEY, form).decode()
    assert "<script>alert" not in drawn
    assert "{{ 7*7 }}" in drawn


def test_nothing_inline_that_the_policy_would_stop(pages: Pages, view_of: Callable[..., CheckoutView]):
    drawn = render_pay(pages, view_of(), "ar", KEY, empty_form(view_of(), Method.CARD)).decode()
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", drawn)
    assert [src for src in re.findall(r'(?:src|href|action)="([^"#?][^"]*)"', drawn) if "://" in src] == []


def test_the_page_is_light_and_quick(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of(methods=EVERY_METHOD, already_paid_elsewhere=True)
    form = empty_form(view, Method.CARD)
    assert len(render_pay(pages, view, "ar", KEY, form)) <= 12_000
    start = time.process_time()
    for _ in range(50):
        render_pay(pages, view, "ar", KEY, form)
    assert (time.process_time() - start) / 50 <= 0.003


def test_a_way_at_rest_is_named_and_cannot_be_chosen(pages: Pages, view_of: Callable[..., CheckoutView]):
    view = view_of(methods=(Method.CARD, Method.BANK), resting=(Method.MOBILE,))
    page = draw(pages, view)
    (resting,) = page.xpath("//ul[@class='ways']//div[contains(@class, 'resting')]")
    assert "Not available just now" in words(resting)
    assert [link.get("href") for link in page.xpath("//ul[@class='ways']//a")] == ["?method=card", "?method=bank"]


def test_what_is_under_way_is_gone_on_with_though_its_provider_takes_nothing_new(
    view_of: Callable[..., CheckoutView],
):
    def last(status: AttemptStatus) -> AttemptView:
        return AttemptView("pa_1", status, Method.MOBILE, datetime(2026, 11, 22, tzinfo=UTC))

    live = view_of(methods=(Method.CARD,), resting=(Method.MOBILE,), last_attempt=last(AttemptStatus.UNKNOWN))
    assert choose_method(live, None) is Method.MOBILE
    assert choose_method(live, "card") is Method.CARD
    dead = view_of(methods=(Method.CARD,), resting=(Method.MOBILE,), last_attempt=last(AttemptStatus.DECLINED))
    assert choose_method(dead, None) is Method.CARD


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("state", [State.PAYABLE, State.DECLINED])
def test_with_no_way_to_pay_the_page_says_so(
    pages: Pages, view_of: Callable[..., CheckoutView], language: str, state: State
):
    page = html.fromstring(render_outcome(pages, view_of(methods=()), state, language, b"key"))
    assert words(page.xpath("//h1")[0]) == pages.languages[language].text("You cannot pay just now")
    assert page.xpath("//a[@href='/pay/a-token']")
