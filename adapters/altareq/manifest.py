from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="altareq",
    title="UAE Open Finance (AlTareq) v2.1-errata2, single instant payment",
    methods=frozenset({Method.BANK}),
    capabilities=frozenset(
        {"finishes", "voids", "restricts", "offers_banks", "names_refund_account", "confirms_payees"}
    ),
    callbacks_proven=True,
    credits_directly=True,
    settings=(
        Setting("base_url", "address of the Trust Framework's directory data, which serves /participants"),
        Setting("client_id", "our application's client id in the Trust Framework"),
        Setting("client_certificate", "transport certificate for mutual TLS: PEM, or the path of a file"),
        Setting("client_key", "its private key: PEM, or the path of a file", secret=True),
        Setting("ca_certificate", "who vouches for servers: PEM, a path, or empty: the system's", default=""),
        Setting("signing_key", "private key of our signing certificate, RSA: PEM, or the path of a file", secret=True),
        Setting("signing_kid", "id of the signing key in the Trust Framework"),
        Setting("encryption_key", "private key events are encrypted to, RSA: PEM, or the path of a file", secret=True),
        Setting("event_keys", "JWKS of those who sign events, or a path; empty: the banks' own", default=""),
        Setting(
            "state_key", "key the state and the PKCE verifier are derived with, 32 characters or more", secret=True
        ),
        Setting("banks", "the banks offered, JSON: [{code (AuthorisationServerId), en, ar}]"),
        Setting("creditor_iban", "our own account, which is credited"),
        Setting("creditor_name_en", "its holder, English"),
        Setting("creditor_name_ar", "its holder, Arabic", default=""),
        Setting("purpose_code", "three letters of Aani's list of payment purposes", default="GOS"),
        Setting("billing_type", "OpenFinanceBilling.Type", default="Collection"),
        Setting("merchant_id", "OpenFinanceBilling.MerchantId, 8 to 20 characters", default=""),
        Setting("abandon_after_s", "seconds after which a consent without a payment is taken back", default="180"),
        Setting("timeout_s", "seconds until a call's outcome is taken as unknown", default="15"),
    ),
)
