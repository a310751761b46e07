from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="bank_transfer",
    title="Transfer to our own account, recognised by its reference",
    methods=frozenset({Method.BANK_TRANSFER}),
    capabilities=frozenset({"announces", "restricts"}),
    callbacks_proven=False,
    credits_directly=True,
    settings=(
        Setting("base_url", "address of our bank's file channel, where notifications and statements lie"),
        Setting("api_key", "the key the bank gave us for it", secret=True),
        Setting("account_iban", "our account that payers transfer to"),
        Setting("beneficiary", "its holder, as the payer's bank will check the name"),
        Setting("currency", "the one currency the account is kept in", default="AED"),
        Setting(
            "virtual_prefix",
            "bank code and first digits of the virtual accounts the bank gave us; empty: one account and a reference",
            default="",
        ),
        Setting("look_back_days", "for how many days back transfers of a payment are looked for", default="45"),
        Setting("refresh_s", "how old what we read of a day may be, in seconds", default="2"),
        Setting("zone", "time zone of the bank's day", default="Asia/Dubai"),
        Setting("timeout_s", "how long one call may take, in seconds", default="15"),
    ),
)
