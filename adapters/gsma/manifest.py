from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="gsma",
    title="GSMA Mobile Money API 1.2, merchant payments",
    methods=frozenset({Method.MOBILE}),
    capabilities=frozenset({"refunds", "settles"}),
    callbacks_proven=False,
    settings=(
        Setting("base_url", "address of the provider's API, with its version path"),
        Setting("api_key", "key sent as X-API-Key", secret=True),
        Setting("organisation", "our organisation id at the provider: the creditor of every payment"),
        Setting("callback_key", "key the provider sends us as X-API-Key, at least 16 characters", secret=True),
        Setting("client_id", "sent as X-Client-Id where the provider asks for one", default=""),
        Setting("zone", "time zone of the provider's business day", default="Asia/Dubai"),
        Setting("batch_pattern", "text of the provider's daily bank credit", default="MM-{date:%Y%m%d}-{currency}"),
        Setting("timeout_s", "seconds until a call's outcome is taken as unknown", default="15"),
    ),
)
