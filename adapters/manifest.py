"""What a provider's folder says of itself: name, methods, capabilities and the settings it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.contract import (
    Announces,
    Captures,
    ConfirmsPayees,
    Finishes,
    Method,
    NamesRefundAccount,
    OffersBanks,
    Pays,
    Refunds,
    Restricts,
    Settles,
    States,
    Voids,
)

CAPABILITIES: Final[Mapping[str, type]] = {
    "captures": Captures,
    "voids": Voids,
    "refunds": Refunds,
    "restricts": Restricts,
    "settles": Settles,
    "announces": Announces,
    "states": States,
    "pays": Pays,
    "finishes": Finishes,
    "offers_banks": OffersBanks,
    "names_refund_account": NamesRefundAccount,
    "confirms_payees": ConfirmsPayees,
}
"""Capability words and the protocols that mean them; the contract suite holds manifests to it."""


class SettingsError(ValueError):
    """A provider's settings lack a key or carry a value that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One settings key: what it means, and whether it must be hidden."""

    name: str
    meaning: str
    default: str | None = None
    secret: bool = False

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider, described without running it."""

    name: str
    title: str
    methods: frozenset[Method]
    capabilities: frozenset[str]
    settings: tuple[Setting, ...]
    callbacks_proven: bool
    """Whether a callback carries a signature; otherwise every callback is a hint and the payment is queried."""
    declines_final: bool = True
    """Whether a refused card ends the payment; where not, the payer may try another one on the provider's page."""
    credits_directly: bool = False
    """Whether payers' money comes straight to our own account: the night then looks for it on our statement by its
    reference, and expects no settlement file."""

    def read(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the settings with defaults filled in; an error names the provider, the key and its meaning."""
        known = {setting.name for setting in self.settings}
        for name in settings:
            if name not in known:
                raise SettingsError(f"{self.name}: {name!r} is not a setting of this provider")
        values: dict[str, str] = {}
        for setting in self.settings:
            value = settings.get(setting.name, setting.default)
            if value is None or (setting.required and not value.strip()):
                raise SettingsError(f"{self.name}: setting {setting.name!r} is missing: {setting.meaning}")
            values[setting.name] = value
        return values

    def secrets(self, values: Mapping[str, str]) -> list[str]:
        """Return the values that must never be shown."""
        return [values[setting.name] for setting in self.settings if setting.secret and values.get(setting.name)]
