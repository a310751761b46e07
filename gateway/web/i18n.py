"""Arabic and English: which one a citizen reads, and every sentence, date and plural in it.

The English sentence is the key. `locale/<code>/*.po` holds the others, read at start; nothing is compiled by hand.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal, Protocol

from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

LANGUAGE_COOKIE: Final = "mizan_language"
_CATALOGUES: Final = Path(__file__).parent / "locale"


def sentence(message: str) -> str:
    """Mark a sentence for the catalogue where it stands in a table; whoever shows it translates it."""
    return message


class TwoLanguages(Protocol):
    """A text that a department or government wrote in both languages."""

    @property
    def ar(self) -> str: ...

    @property
    def en(self) -> str: ...


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language of the pages."""

    code: str
    name: str
    direction: Literal["rtl", "ltr"]
    locale: str
    translations: gettext.NullTranslations

    def text(self, message: str, **values: object) -> str:
        """Return the sentence in this language with its named values put in."""
        said = self.translations.gettext(message)
        if any(isinstance(value, Markup) for value in values.values()):
            return Markup(said) % values  # noqa: S704 - the sentence is ours; Markup escapes the values
        return said % values if values else said

    def plural(self, one: str, many: str, number: int) -> str:
        """Return the sentence in the form this language uses for `number` (Arabic has six)."""
        return self.translations.ngettext(one, many, number) % {"num": number}

    def date(self, day: date) -> str:
        """Return `22 November 2026`, in Latin digits in both languages, without invisible marks."""
        return str(format_date(day, "d MMMM y", locale=self.locale))

    def hour(self, instant: datetime) -> str:
        """Return `2:05 PM`; the instant is already in the zone to be shown."""
        return str(format_time(instant, "h:mm a", locale=self.locale))

    def choose(self, texts: TwoLanguages) -> str:
        """Pick this language from a two-language text; the other one is better than nothing."""
        return texts.ar or texts.en if self.code == "ar" else texts.en or texts.ar


def _read_catalogue(code: str, *folders: Path) -> gettext.NullTranslations:
    result = gettext.NullTranslations()
    for folder in folders:
        for path in sorted((folder / code).glob("*.po")):
            with path.open("rb") as file:
                catalogue = read_po(file, locale=code, abort_invalid=True)
            compiled = io.BytesIO()
            write_mo(compiled, catalogue)
            compiled.seek(0)
            translations = gettext.GNUTranslations(compiled)
            translations.add_fallback(result)
            result = translations
    return result


@cache
def languages(*extra_catalogues: Path) -> Mapping[str, Language]:
    """Return the languages by code, Arabic first; a package with pages of its own adds its catalogue folder."""
    return {
        "ar": Language("ar", "العربية", "rtl", "ar_AE", _read_catalogue("ar", _CATALOGUES, *extra_catalogues)),
        "en": Language("en", "English", "ltr", "en_GB", gettext.NullTranslations()),
    }


def browser_language(accept_language: str) -> str | None:
    """Return the browser's best among ours, if it names one."""
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept_language.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        code = tag.split("-")[0].lower()
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if code in languages() and weight > 0:
            ranked.append((-weight, position, code))
    return min(ranked)[2] if ranked else None


def negotiate(*choices: str | None) -> str:
    """Return the first choice that is a language of ours, else Arabic."""
    return next((choice for choice in choices if choice is not None and choice in languages()), "ar")
