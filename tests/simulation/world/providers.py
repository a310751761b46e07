"""Who takes the citizens' money: hosts, books and fault menus of the simulated providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Menu = tuple[tuple[str, Mapping[str, Any]], ...]

# What a provider does wrong to a call: fault, its arguments. Answers that lie about amounts are not among them,
# because a query must be truthful for the books to be held against it.
CALL_FAULTS: Final[Menu] = (
    ("sleep", {"seconds": 20}),
    ("sleep", {"seconds": 70}),
    ("drop", {}),
    ("refuse", {}),
    ("http", {"status": 500}),
    ("http", {"status": 503}),
    ("http", {"status": 502, "acts": True}),
    ("malformed", {}),
    ("unknown_status", {}),
)
CALLBACK_FAULTS: Final[Menu] = (
    ("none", {}),
    ("before_answer", {}),
    ("after", {"seconds": 30}),
    ("duplicate", {"count": 3}),
    ("concurrent", {"count": 4}),
    ("reordered", {}),
    ("bad_signature", {}),
    ("stale", {}),
    ("unknown_reference", {}),
)
PAY_FAULTS: Final[Menu] = (
    ("decline", {"code": "51"}),
    ("pending", {"outcome": "captured", "delay_s": 90}),
    ("pending", {"outcome": "failed", "delay_s": 90}),
    ("pending", {"outcome": "captured", "delay_s": 7200}),
)


@dataclass(frozen=True, slots=True)
class SimulatedProvider:
    """One provider of a world, and how its own book is read. `captures` gives attempt, reference and minor;
    `refunds` identifier, attempt, place (what a refund's address holds) and minor; `undecided` and `heard_of` attempt.
    Transfers have no book but the bank's, and `transfers.py` reads that.
    """

    name: str
    host: str
    book: str
    calls: tuple[str, ...] = ()
    declined_cards: tuple[str, ...] = ()
    captures: str = ""
    refunds: str = ""
    prompts: str = ""  # what payers' phones show: identifier and mobile
    undecided: str = ""
    heard_of: str = ""
    tells_refunds: bool = True


NGENIUS: Final = SimulatedProvider(
    name="ngenius",
    host="acquirer.example",
    book="acquirer.db",
    calls=("token", "create", "lookup", "query", "void", "refund"),
    declined_cards=("4000000000009995", "4000000000000069"),
    captures=(
        "SELECT o.merchant_reference AS attempt, o.reference, sum(m.amount_minor) AS minor FROM movements m"
        " JOIN orders o ON o.reference = m.order_reference WHERE m.kind = 'capture' GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    refunds=(
        "SELECT m.identifier, o.merchant_reference AS attempt, o.reference AS place, m.amount_minor AS minor"
        " FROM movements m JOIN orders o ON o.reference = m.order_reference"
        " WHERE m.kind = 'refund' AND m.state <> 'FAILED' ORDER BY m.rowid"
    ),
    undecided="SELECT merchant_reference AS attempt FROM orders WHERE state IN ('PENDING', 'AWAIT_3DS', 'STARTED')",
    heard_of="SELECT merchant_reference AS attempt FROM orders",
)
ADYEN: Final = SimulatedProvider(
    name="adyen",
    host="processor.example",
    book="processor.db",
    calls=("create", "create", "query", "void", "refund"),
    declined_cards=("4000020000000000", "4000040000000008"),
    captures=(
        "SELECT m.reference AS attempt, m.psp_reference AS reference, m.amount_minor AS minor,"
        " l.merchant_account = 'terminal' AS at_terminal FROM movements m JOIN links l ON l.id = m.link"
        " WHERE m.kind = 'payment' AND m.success ORDER BY m.rowid"
    ),
    refunds=(
        "SELECT m.psp_reference AS identifier, l.reference AS attempt, m.original AS place, m.amount_minor AS minor"
        " FROM movements m JOIN links l ON l.id = m.link WHERE m.kind = 'refund' AND m.success ORDER BY m.rowid"
    ),
    undecided="SELECT reference AS attempt FROM links WHERE status IN ('active', 'paymentPending')",
    heard_of="SELECT reference AS attempt FROM links",
    tells_refunds=False,
)
GSMA: Final = SimulatedProvider(
    name="gsma",
    host="wallet.example",
    book="wallet.db",
    calls=("create", "create", "lookup", "query", "refund"),
    declined_cards=(),
    captures=(
        "SELECT our_reference AS attempt, reference, amount_minor AS minor FROM transactions"
        " WHERE kind = 'merchantpay' ORDER BY rowid"
    ),
    refunds=(
        "SELECT r.reference AS identifier, p.our_reference AS attempt, p.reference AS place, r.amount_minor AS minor"
        " FROM transactions r JOIN transactions p ON p.reference = r.original WHERE r.kind = 'reversal'"
        " ORDER BY r.rowid"
    ),
    prompts=(
        "SELECT server_id AS identifier, mobile FROM requests WHERE status = 'pending' AND kind = 'merchantpay'"
        " ORDER BY rowid"
    ),
    undecided="SELECT our_reference AS attempt FROM requests WHERE status = 'pending' AND kind = 'merchantpay'",
    heard_of="SELECT our_reference AS attempt FROM requests WHERE kind = 'merchantpay'",
)
ALTAREQ: Final = SimulatedProvider(
    name="altareq",
    host="openfinance.example",
    book="openfinance.db",
    calls=("create", "create", "lookup", "query", "void", "capture", "capture"),
    captures=(
        "SELECT c.our_reference AS attempt, p.payment_id AS reference, c.amount_minor AS minor FROM payments p"
        " JOIN consents c USING (consent_id) WHERE p.status = 'AcceptedCreditSettlementCompleted' ORDER BY p.rowid"
    ),
    undecided=(
        "SELECT c.our_reference AS attempt FROM consents c LEFT JOIN payments p USING (consent_id)"
        " WHERE c.status IN ('AwaitingAuthorization', 'Authorized') OR p.status = 'Pending'"
    ),
    heard_of="SELECT our_reference AS attempt FROM consents",
)
DARAJA: Final = SimulatedProvider(  # its book names an attempt by the account reference made from ours
    name="daraja",
    host="mpesa.example",
    book="mpesa.db",
    calls=("create", "create", "query", "query", "token"),
    captures="SELECT account AS attempt, receipt AS reference, shillings * 100 AS minor FROM payments ORDER BY rowid",
    prompts="SELECT checkout_id AS identifier, mobile FROM prompts WHERE result_code IS NULL ORDER BY rowid",
    undecided="SELECT account AS attempt FROM prompts WHERE result_code IS NULL",
    heard_of="SELECT account AS attempt FROM prompts",
)
BANK_TRANSFER: Final = SimulatedProvider(name="bank_transfer", host="bank.example", book="bank.db")
PROVIDERS: Final = {each.name: each for each in (NGENIUS, ADYEN, GSMA, ALTAREQ, DARAJA, BANK_TRANSFER)}
CARD_HOSTS: Final = frozenset({NGENIUS.host, ADYEN.host})
