from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="ngenius",
    title="Network International N-Genius Online",
    methods=frozenset({Method.CARD}),
    capabilities=frozenset({"captures", "voids", "refunds", "settles"}),
    callbacks_proven=False,
    settings=(
        Setting("base_url", "address of the API gateway, such as https://api-gateway.ngenius-payments.com"),
        Setting("api_key", "service account key from the portal, used as is after 'Basic'", secret=True),
        Setting("outlet", "outlet reference from the portal"),
        Setting("webhook_header_name", "name of the static header configured for webhooks in the portal"),
        Setting("webhook_header_value", "value of that header, at least 16 characters", secret=True),
        Setting("realm", "realm of the service account; empty sends no body with the token request", default=""),
        Setting("action", "SALE (authorise and capture), AUTH (capture later) or PURCHASE (single message)", "SALE"),
        Setting("order_lookup", "yes if the gateway answers a search by merchantOrderReference, no otherwise", "yes"),
        Setting("report_url", "where settlement reports are fetched; empty means base_url", default=""),
        Setting("report_key", "key of the report host, sent after 'Basic'; empty means api_key", "", secret=True),
        Setting("settlement_profile", "JSON object that renames columns and changes formats of the report", "{}"),
        Setting("timeout_s", "seconds until a call's outcome is taken as unknown", default="15"),
    ),
)
