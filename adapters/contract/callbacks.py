"""A callback in the contract's words: what a provider tells unasked."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract.payments import PaymentReport
from adapters.contract.refunds import RefundReport


@dataclass(frozen=True, slots=True)
class CallbackNotice:
    """What a callback says of itself. Unless `proven` it is a hint: the payment is queried before anything moves.

    `continuation` is set only by `Finishes.read_return`: what the payer brought back, without which the payment
    cannot be made. It is kept until the payment has been finished with it. `refund` is set where the callback proves
    what became of a refund: `reference` and its own `provider_reference` then name the refund.
    """

    event_id: str
    reference: str | None
    provider_reference: str | None
    word: str
    proven: bool = False
    report: PaymentReport | None = None
    unrecognised: bool = False
    continuation: str | None = None
    refund: RefundReport | None = None
