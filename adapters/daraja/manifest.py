from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="daraja",
    title="M-Pesa in Kenya by Safaricom Daraja, STK push",
    methods=frozenset({Method.MOBILE}),
    capabilities=frozenset({"restricts", "settles"}),
    callbacks_proven=False,
    settings=(
        Setting("base_url", "address of the API: https://api.safaricom.co.ke"),
        Setting("consumer_key", "consumer key of our app", secret=True),
        Setting("consumer_secret", "consumer secret of our app", secret=True),
        Setting("short_code", "our paybill or store number"),
        Setting("passkey", "passkey of the short code for STK push", secret=True),
        Setting("callback_key", "key in the address callbacks come to, letters and digits, at least 16", secret=True),
        Setting("transaction_type", "CustomerPayBillOnline or CustomerBuyGoodsOnline", default="CustomerPayBillOnline"),
        Setting("till", "till number that is credited, where it is not the short code", default=""),
        Setting("zone", "time zone of the provider's clock and business day", default="Africa/Nairobi"),
        Setting("batch_pattern", "text of the provider's daily bank credit", default="MPESA-{date:%Y%m%d}-{currency}"),
        Setting("timeout_s", "seconds until a call's outcome is taken as unknown", default="20"),
    ),
)
