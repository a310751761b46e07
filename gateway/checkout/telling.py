"""What an end page is made of: its words, what the payer can do next, and whom it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from adapters.contract import Method
from gateway.checkout.transfer import TransferSlip
from gateway.services.payers.views import CheckoutView
from gateway.web.csrf import csrf_token
from gateway.web.i18n import Language
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the payer can do next; with `csrf` it is a form that changes something."""

    label: str
    address: str
    look: Literal["", "plain", "bare"] = ""
    csrf: str | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """One end page: its words, in one language."""

    title: str
    icon: str
    tone: Literal["good", "bad", "warn", "info"]
    moved: str
    nothing_moved: bool
    sentences: tuple[str, ...]
    acts: tuple[Act, ...] = ()
    transfer: TransferSlip | None = None
    next: tuple[str, ...] = ()
    listens: str | None = None

    @property
    def code(self) -> Markup:
        """Draw the transfer's square code."""
        return Markup(self.transfer.code_svg() if self.transfer else "")  # noqa: S704 - drawn by us


@dataclass(frozen=True, slots=True)
class Telling:
    """A visit as it stands, and the payer's language: what every end page is told from."""

    view: CheckoutView
    language: Language
    key: bytes

    def say(self, message: str, **values: object) -> str:
        return self.language.text(message, **values)

    @property
    def department(self) -> str:
        return self.language.choose(self.view.department)

    def path(self, part: str = "") -> str:
        return f"/pay/{self.view.token}{part}"

    def back(self, look: Literal["", "plain", "bare"] = "") -> tuple[Act, ...]:
        if self.view.return_url is None:
            return ()
        label = self.say("Go back to %(department)s", department=self.department)
        return (Act(label, self.view.return_url, look, outside=True),)

    def another_way(self) -> tuple[Act, ...]:
        """Offer the other methods; the service gives the first one up at its provider before it starts another."""
        used = self.view.last_attempt.method if self.view.last_attempt else None
        other = next((method for method in self.view.methods if method is not used), None)
        return (Act(self.say("Pay another way"), f"{self.path()}?method={other}", "plain"),) if other else ()

    def another_bank(self) -> tuple[Act, ...]:
        """Offer the other banks; the service takes the consent back at the first before it asks another."""
        used = self.view.last_attempt.method if self.view.last_attempt else None
        if used is not Method.BANK or len(self.view.banks) < 2:  # noqa: PLR2004 - one bank is no choice
            return ()
        return (Act(self.say("Choose another bank"), f"{self.path()}?method={Method.BANK}", "plain"),)

    @property
    def received(self) -> Money | None:
        """What has come of a transfer, if any."""
        return self.view.last_attempt.received if self.view.last_attempt else None

    def cancel(self) -> Act:
        csrf = csrf_token(self.key, "cancel", self.view.token)
        return Act(self.say("Cancel this payment"), self.path("/cancel"), "bare", csrf)
