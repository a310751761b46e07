"""The layouts of settlement files that Mizan knows without being told."""

from __future__ import annotations

from typing import Final

from adapters.contract import LineKind
from adapters.formats.settlement_profile import Columns, Framing, SettlementProfile, Sign

WORDS: Final = {
    "sale": LineKind.PAYMENT,
    "payment": LineKind.PAYMENT,
    "capture": LineKind.PAYMENT,
    "purchase": LineKind.PAYMENT,
    "refund": LineKind.REFUND,
    "reversal": LineKind.REFUND,
    "chargeback": LineKind.CHARGEBACK,
    "chargeback_reversed": LineKind.CHARGEBACK_REVERSED,
    "chargeback reversal": LineKind.CHARGEBACK_REVERSED,
    "representment": LineKind.CHARGEBACK_REVERSED,
    "fee": LineKind.FEE,
    "adjustment": LineKind.ADJUSTMENT,
}

GENERIC: Final = SettlementProfile(
    name="generic",
    provider="generic",
    columns=Columns(
        kind=("kind", "type", "transaction type"),
        reference=("reference", "merchant reference", "order reference"),
        provider_reference=("provider reference", "transaction id", "payment id"),
        refund_reference=("refund reference", "reference", "merchant reference"),
        refund_provider_reference=("refund id", "provider reference", "transaction id"),
        currency=("currency",),
        gross=("gross", "amount", "gross amount"),
        fees=(("fee", "fees", "commission"),),
        fee_vat=("fee vat", "vat", "tax"),
        net=("net", "net amount"),
        transaction_at=("transaction at", "transaction date", "date", "time"),
        business_date=("business date", "settlement date", "posting date"),
        credit_on=("credit on", "payout date", "value date"),
        batch=("batch", "batch reference", "payout id", "payout reference"),
    ),
    kinds=WORDS,
    optional=("net",),
    time_formats=("ISO", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%d-%m-%Y"),
)

NGENIUS: Final = SettlementProfile(
    name="ngenius",
    provider="ngenius",
    columns=Columns(
        kind=("Transaction Type",),
        account=("Outlet ID",),
        reference=("Merchant Order Reference",),
        provider_reference=("Order Reference",),
        # The acquirer knows our reference of the payment, not of its refunds; those are named by its own id.
        refund_provider_reference=("Transaction Reference",),
        currency=("Currency",),
        gross=("Gross Amount",),
        fees=(("MDR",),),
        fee_vat=("VAT on MDR",),
        net=("Net Amount",),
        transaction_at=("Transaction Date",),
        business_date=("Posting Date",),
        credit_on=("Payout Date",),
        batch=("Batch Reference",),
    ),
    kinds={word: kind for word, kind in WORDS.items() if kind is not LineKind.OTHER},
    total_word="TOTAL",
    total_count=("Transaction Type",),
    time_formats=("%d/%m/%Y %H:%M:%S", "%d/%m/%Y"),
)
"""Network International's layout is agreed with each merchant; this is the one our own adapter expects."""

ADYEN: Final = SettlementProfile(
    name="adyen",
    provider="adyen",
    columns=Columns(
        kind=("Type",),
        reference=("Merchant Reference",),
        provider_reference=("Psp Reference",),
        refund_reference=("Modification Merchant Reference",),
        refund_provider_reference=("Modification Reference",),
        currency=("Net Currency",),
        net_debit=("Net Debit (NC)",),
        net_credit=("Net Credit (NC)",),
        fees=(("Commission (NC)",), ("Markup (NC)",), ("Scheme Fees (NC)",), ("Interchange (NC)",)),
        transaction_at=("Creation Date",),
        zone=("TimeZone",),
        business_date=("Booking Date",),
        batch=("Batch Number",),
    ),
    kinds={
        "Settled": LineKind.PAYMENT,
        "SettledBulk": LineKind.PAYMENT,
        "SettledInstallment": LineKind.PAYMENT,
        "Refunded": LineKind.REFUND,
        "RefundedBulk": LineKind.REFUND,
        "RefundedInstallment": LineKind.REFUND,
        "Chargeback": LineKind.CHARGEBACK,
        "SecondChargeback": LineKind.CHARGEBACK,
        "ChargebackReversed": LineKind.CHARGEBACK_REVERSED,
        "Fee": LineKind.FEE,
        "MiscCosts": LineKind.FEE,
        "PaymentCost": LineKind.FEE,
        "SettleCost": LineKind.FEE,
        "AuthorisationSchemeFee": LineKind.FEE,
        "InvoiceDeduction": LineKind.FEE,
        "MerchantPayout": LineKind.PAYOUT,
        **dict.fromkeys(
            (
                "RefundedReversed",  # a refund that did not reach the payer came back
                "SettledReversed (Sales Day payout)", "CaptureFailed (Sales Day payout)",
                "RefundFailed (Sales Day payout)", "RefundNotCleared (Sales Day payout)", "SuspendInstallment",
                "DepositCorrection", "ReserveAdjustment",  # kept back, or let go
                "Balancetransfer",  # carried from one batch to another
                "MatchedStatement", "ManualCorrected", "EpaPaid", "InternalCompanyPayout", "PaidOut", "PaidOutReversed",
                "BankInstructionReturned",  # a payout the bank gave back
                "MerchantPayin", "MerchantPayinReversed",
            ),
            LineKind.ADJUSTMENT,
        ),
    },
    # Gross stands in the payer's currency and net in ours, so what was collected in ours is net and fees together.
    derive_gross=True,
    payout_kind_is_total=True,
    rounding_minor=1,
    time_formats=("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"),
    # The file names its zones as abbreviations, which only the provider's own manual explains.
    zone_names={
        "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "CET": "Europe/Amsterdam",
        "CEST": "Europe/Amsterdam", "GST": "Asia/Dubai", "BST": "Europe/London", "GMT": "UTC", "UTC": "UTC",
        "EST": "America/New_York", "EDT": "America/New_York", "SGT": "Asia/Singapore", "AEDT": "Australia/Sydney",
        "AEST": "Australia/Sydney",
    },
)  # fmt: skip

CHECKOUT: Final = SettlementProfile(
    name="checkout",
    provider="checkout",
    columns=Columns(
        kind=("Type", "Breakdown Type"),
        reference=("Reference",),
        provider_reference=("Payment ID",),
        refund_reference=("Reference",),
        refund_provider_reference=("Action ID", "Payment ID"),
        currency=("Holding Currency",),
        gross=("Gross In Holding Currency",),
        net=("Net In Holding Currency",),
        transaction_at=("Processed On", "Processed On UTC"),
        credit_on=("Payout Date",),
        batch=("Payout ID",),
    ),
    kinds={
        "Capture": LineKind.PAYMENT,
        "Charge": LineKind.PAYMENT,
        "Payment": LineKind.PAYMENT,
        "Refund": LineKind.REFUND,
        "Chargeback": LineKind.CHARGEBACK,
        "Chargeback Reversal": LineKind.CHARGEBACK_REVERSED,
        "Fee": LineKind.FEE,
        "Network Token Provisioning": LineKind.FEE,
        "Network Token Update": LineKind.FEE,
        "Account Updater": LineKind.FEE,
        "Void": LineKind.FEE,
        "Merchant Payout": LineKind.FEE,  # what the payout costs, not what it pays; that stands in another file
        "Reserve": LineKind.ADJUSTMENT,
        "Adjustment": LineKind.ADJUSTMENT,
    },
    # The fee is what lies between gross and net: the file splits it over a dozen columns that change by contract, and
    # carries fractions of a cent.
    rounding_minor=1,
    rounds_fractions=True,
    zone="UTC",
    time_formats=("ISO", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S"),
)

STRIPE: Final = SettlementProfile(
    name="stripe",
    provider="stripe",
    columns=Columns(
        kind=("reporting_category",),
        reference=("payment_metadata[reference]", "payment_metadata[order_id]"),
        provider_reference=("payment_intent_id", "charge_id", "source_id"),
        refund_reference=("refund_metadata[reference]",),
        refund_provider_reference=("source_id",),
        currency=("currency",),
        gross=("gross",),
        fees=(("fee",),),
        net=("net",),
        transaction_at=("created_utc", "created"),
        credit_on=("automatic_payout_effective_at_utc", "automatic_payout_effective_at"),
        batch=("automatic_payout_id",),
    ),
    kinds={
        "charge": LineKind.PAYMENT,
        "refund": LineKind.REFUND,
        "partial_capture_reversal": LineKind.ADJUSTMENT,
        "refund_failure": LineKind.ADJUSTMENT,
        "dispute": LineKind.CHARGEBACK,
        "dispute_reversal": LineKind.CHARGEBACK_REVERSED,
        "fee": LineKind.FEE,
        "network_cost": LineKind.FEE,
        "tax": LineKind.FEE,
        "other_adjustment": LineKind.ADJUSTMENT,
        "risk_reserved_funds": LineKind.ADJUSTMENT,
        "payout": LineKind.PAYOUT,
        "payout_reversal": LineKind.ADJUSTMENT,
    },
    payout_kind_is_total=True,
    zone="UTC",
    time_formats=("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"),
)

PAYPAL: Final = SettlementProfile(
    name="paypal",
    provider="paypal",
    columns=Columns(
        kind=("Transaction Event Code",),
        reference=("Invoice ID", "Custom Field"),
        provider_reference=("Transaction ID",),
        refund_reference=("Invoice ID", "Custom Field"),
        refund_provider_reference=("Transaction ID",),
        currency=("Gross Transaction Currency",),
        gross=("Gross Transaction Amount",),
        gross_direction=("Transaction Debit or Credit", "Transaction  Debit or Credit"),
        fees=(("Fee Amount",),),
        fee_direction=("Fee Debit or Credit",),
        transaction_at=("Transaction Completion Date",),
    ),
    kinds={
        **dict.fromkeys((f"T00{number:02d}" for number in range(20)), LineKind.PAYMENT),
        "T1106": LineKind.CHARGEBACK,  # the payment was reversed
        "T1107": LineKind.REFUND,
        "T1108": LineKind.CHARGEBACK_REVERSED,  # a fee given back with it
        "T1111": LineKind.CHARGEBACK_REVERSED,
        "T1201": LineKind.CHARGEBACK,
        "T1202": LineKind.CHARGEBACK_REVERSED,
        "T0100": LineKind.FEE,
        "T0106": LineKind.FEE,  # a chargeback's fee
        "T0107": LineKind.FEE,
        "T0400": LineKind.PAYOUT,  # a withdrawal of any sum, never this file's total
        "T0401": LineKind.PAYOUT,
        "T0200": LineKind.ADJUSTMENT,  # conversion between currencies
        "T0201": LineKind.ADJUSTMENT,
        "T0202": LineKind.ADJUSTMENT,
    },
    framing=Framing(header="CH", body="SB", count="SC", ignored=("RH", "FH", "SH", "SF", "RF", "RC", "FF")),
    minor_units=True,
    sign=Sign.BY_COLUMN,
    debit_words=("DR",),
    time_formats=("%Y/%m/%d %H:%M:%S %z", "%Y/%m/%d"),
    zone="UTC",
)

PROFILES: Final = {profile.name: profile for profile in (GENERIC, NGENIUS, ADYEN, CHECKOUT, STRIPE, PAYPAL)}
"""Every layout, by its name; an operator's own comes from a file and `settlement_profile.read_profile`."""


def guess_profile(header: str) -> SettlementProfile | None:
    """Return the one profile whose telling columns all stand in the header, most telling first."""
    found = " ".join(header.casefold().replace('"', "").split())
    for profile in (PAYPAL, ADYEN, STRIPE, CHECKOUT, NGENIUS, GENERIC):
        columns = profile.columns
        telling = [columns.kind, columns.provider_reference, columns.gross or columns.net_credit]
        if all(any(title.casefold() in found for title in titles) for titles in telling):
            return profile
    return None
