from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="adyen",
    title="Adyen payment links",
    methods=frozenset({Method.CARD}),
    capabilities=frozenset({"voids", "refunds", "settles"}),
    callbacks_proven=True,
    declines_final=False,
    settings=(
        Setting(
            "base_url", "address of the Checkout API with its version, such as …-checkout-live.adyenpayments.com/v71"
        ),
        Setting("api_key", "key sent as X-API-Key", secret=True),
        Setting("merchant_account", "our merchant account"),
        Setting("hmac_key", "the webhook's HMAC key from the Customer Area, hexadecimal", secret=True),
        Setting("country_code", "two-letter country the payment page is made for", default="AE"),
        Setting("report_url", "where settlement reports are dropped; empty means base_url", default=""),
        Setting("report_key", "key of the report host, sent after 'Basic'; empty means api_key", "", secret=True),
        Setting("timeout_s", "seconds until a call's outcome is taken as unknown", default="15"),
    ),
)
