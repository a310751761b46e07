"""The one page before the bank: what, for whom, how much, how, and where the receipt goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.contract import Method
from gateway.checkout.trouble import Trouble
from gateway.domain.attempt import LIVE
from gateway.domain.contact import Contact
from gateway.services.payers.views import CheckoutView
from gateway.web.csrf import csrf_token
from gateway.web.i18n import Language
from gateway.web.pages import Pages, ltr
from gateway.web.typed import EMAIL_LENGTH_MAX, clean, read_email, read_mobile, show_mobile

FIELDS: Final = ("email", "mobile")


@dataclass(frozen=True, slots=True)
class PayForm:
    """What was typed, what it means, and what is wrong with it, by field."""

    method: Method
    typed: Mapping[str, str]
    email: str | None = None
    mobile: str | None = None
    bank: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def contact(self) -> Contact:
        return Contact(email=self.email, mobile=self.mobile, bank=self.bank)


def choose_method(view: CheckoutView, asked: str | None) -> Method:
    """Return the method the payer asked for when it is offered, else the one they used last, else the first.

    What is under way is gone on with even where its provider takes nothing new.
    """
    last = view.last_attempt
    for method in view.methods:
        if method == asked:
            return method
    if last is not None and (last.status in LIVE or last.method in view.methods):
        return last.method
    return view.methods[0]


def empty_form(view: CheckoutView, method: Method) -> PayForm:
    """Return the form as first shown: filled with what the department knows of the payer."""
    typed = {
        "email": view.payer_email or "",
        "mobile": show_mobile(view.payer_mobile) if view.payer_mobile else "",
        "bank": view.payer_bank or "",
    }
    return PayForm(method, typed)


def read_form(view: CheckoutView, posted: Mapping[str, object], language: Language) -> PayForm:
    """Read what was posted: forgiving in form, strict in meaning. Faults are told in the page's language."""
    typed = {name: clean(str(posted.get(name) or ""))[:EMAIL_LENGTH_MAX] for name in FIELDS}
    method = choose_method(view, str(posted.get("method") or ""))
    email = read_email(typed["email"]) if typed["email"] else None
    mobile = read_mobile(typed["mobile"]) if typed["mobile"] else None
    typed["bank"] = clean(str(posted.get("bank") or ""))[:EMAIL_LENGTH_MAX]
    asks_for_bank = method is Method.BANK and bool(view.banks)
    bank = next((each.code for each in view.banks if each.code == typed["bank"]), None) if asks_for_bank else None
    errors: dict[str, str] = {}
    if asks_for_bank and bank is None:
        errors["bank"] = language.text("Choose your bank")
    if typed["mobile"] and mobile is None:
        errors["mobile"] = language.text(
            "Enter a mobile number that can receive messages, like %(example)s", example=ltr("050 123 4567")
        )
    elif method is Method.MOBILE and mobile is None:
        errors["mobile"] = language.text(
            "Enter the mobile number of your wallet, like %(example)s", example=ltr("050 123 4567")
        )
    if typed["email"] and email is None:
        errors["email"] = language.text("Enter an email address, like %(example)s", example=ltr("name@example.ae"))
    # The summary lists the faults in the order of the fields on the page.
    order = ("mobile", "email") if method is Method.MOBILE else ("bank", *FIELDS)
    return PayForm(method, typed, email, mobile, bank, {name: errors[name] for name in order if name in errors})


def render_pay(
    pages: Pages, view: CheckoutView, language: str, key: bytes, form: PayForm, *, trouble: Trouble | None = None
) -> bytes:
    """Return the pay page; `trouble` says why the last try came to nothing."""
    return pages.render(
        "pay.html",
        language,
        view=view,
        method=form.method,
        typed=form.typed,
        errors=form.errors,
        trouble=trouble,
        trial=pages.trial_of(view.live),
        csrf=csrf_token(key, "pay", view.token),
        cancel_csrf=csrf_token(key, "cancel", view.token),
    )
