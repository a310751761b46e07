from __future__ import annotations

from typing import Final

from adapters.contract import Method
from adapters.manifest import Manifest, Setting

MANIFEST: Final = Manifest(
    name="template",
    title="Template provider",
    methods=frozenset({Method.CARD}),
    capabilities=frozenset({"voids", "refunds"}),
    callbacks_proven=True,
    settings=(
        Setting("base_url", "address of the provider's API"),
        Setting("api_key", "key sent as a bearer token", secret=True),
        Setting("callback_secret", "secret the provider signs callbacks with, at least 16 characters", secret=True),
        Setting("timeout_s", "seconds until a call's outcome is taken as unknown", default="15"),
    ),
)
