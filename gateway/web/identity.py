"""Whose pages these are: the name, crest, colours and contact points of one government."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

MIZAN_CREST: Final = (
    '<svg viewBox="0 0 40 40" aria-hidden="true" focusable="false">'
    '<rect width="40" height="40" rx="11" fill="#0b5d4b"/>'
    '<path d="M20 9v21M13 31h14M10 14h20" fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round"/>'
    '<path d="M6.5 22 10 14l3.5 8a3.5 3.5 0 0 1-7 0Z" fill="#e0b65c"/>'
    '<path d="m26.5 22 3.5-8 3.5 8a3.5 3.5 0 0 1-7 0Z" fill="#e0b65c"/>'
    '<circle cx="20" cy="9" r="2.3" fill="#e0b65c"/></svg>'
)
"""The balance: shown until a government sets its own crest."""

_HEX: Final = re.compile(r"#[0-9a-f]{6}")
_CONTRAST_MIN: Final = 4.5
_LINEAR_MAX: Final = 0.04045


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two `#rrggbb` colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= _LINEAR_MAX else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True)
class Colours:
    """A government's colours. Refused when a citizen with weak sight could not read what is set in them."""

    brand: str = "#0b5d4b"
    brand_strong: str = "#074336"
    brand_tint: str = "#e8f2ee"
    brand_at_night: str = "#7fd3bb"
    brand_tint_at_night: str = "#17352d"

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not _HEX.fullmatch(getattr(self, name)):
                raise ValueError(f"colour {name} must look like #0b5d4b, not {getattr(self, name)!r}")
        for name, ground in (
            ("brand", "#ffffff"),
            ("brand", self.brand_tint),
            ("brand_strong", "#ffffff"),
            ("brand_at_night", "#18201d"),
            ("brand_at_night", self.brand_tint_at_night),
        ):
            ratio = contrast(getattr(self, name), ground)
            if ratio < _CONTRAST_MIN:
                raise ValueError(
                    f"colour {name} on {ground} has contrast {ratio:.1f}; at least {_CONTRAST_MIN} is needed"
                )

    def tokens(self) -> str:
        """Return the style sheet's tokens for day and night."""
        return (
            f":root{{--brand:{self.brand};--brand-strong:{self.brand_strong};--brand-tint:{self.brand_tint};--on-brand:#fff;"
            f"--bill:{self.brand};--bill-ink:#fff;--bill-quiet:#ffffffd9;--bill-line:#ffffff59;--bill-weave:#ffffff12}}"
            f"@media (prefers-color-scheme:dark){{:root{{--brand:{self.brand_at_night};--brand-strong:#fff;"
            f"--brand-tint:{self.brand_tint_at_night};--on-brand:#0d1a16;--bill:{self.brand_strong};--bill-weave:#ffffff0d}}}}"
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """What a page needs to know about the government behind it; `ar` and `en` are its service's name."""

    ar: str = "المدفوعات الحكومية"
    en: str = "Government Payments"
    address: str = "localhost"
    help_phone: str = "800 64926"
    help_email: str = "help@pay.example"
    crest: str = MIZAN_CREST
    colours: Colours = field(default_factory=Colours)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Dubai"))
    trial: bool = False
    """True while no real money can move: every page then says so."""
