"""Turns a template and values into the bytes of a page, in one language, with data isolated from the text around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.web.assets import Assets
from gateway.web.i18n import Language, languages
from gateway.web.identity import Identity
from gateway.web.typed import show_mobile
from ledger.money import Money

_TEMPLATES: Final = Path(__file__).parent / "templates"


def ltr(text: object, *, long: bool = False) -> Markup:
    """Isolate a code, number or address, so that an Arabic sentence cannot turn it round; `long` ones may wrap."""
    if long:
        return Markup('<bdi dir="ltr" class="long">{}</bdi>').format(text)
    return Markup('<bdi dir="ltr">{}</bdi>').format(text)


def money(amount: Money) -> Markup:
    """Isolate an amount: `AED 1,250.50` reads the same in both languages."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(str(amount).replace(" ", "\N{NO-BREAK SPACE}", 1))


def figures(amount: Money) -> str:
    """Return the amount without its currency, for where the code stands apart and small."""
    return str(amount).partition(" ")[2]


def mobile(number: str) -> Markup:
    return ltr(show_mobile(number))


class Pages:
    """The templates of one government, compiled once per language."""

    def __init__(self, identity: Identity, *template_folders: Path, catalogues: tuple[Path, ...] = ()) -> None:
        self.identity = identity
        self.assets = Assets(identity)
        self.languages: Mapping[str, Language] = languages(*catalogues)
        folders = [FileSystemLoader(folder) for folder in (*template_folders, _TEMPLATES)]
        self._environments = {
            code: self._environment(language, ChoiceLoader(folders)) for code, language in self.languages.items()
        }

    def _environment(self, language: Language, loader: ChoiceLoader) -> Environment:
        environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        environment.policies["ext.i18n.trimmed"] = True
        # The extension adds this method to the environment when it loads, so no stub declares it.
        environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
        other = next(each for each in self.languages.values() if each is not language)

        def moment(instant: datetime) -> Markup:
            local = instant.astimezone(self.identity.zone)
            # Each part is isolated: the hour would otherwise change places with the year in Arabic.
            shown = Markup("<bdi>{}</bdi> <bdi>{}</bdi>").format(language.date(local), language.hour(local))
            return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="minutes"), shown)

        def day(value: date) -> Markup:
            return Markup('<time datetime="{}"><bdi>{}</bdi></time>').format(value.isoformat(), language.date(value))

        environment.globals.update(
            ltr=ltr,
            money=money,
            figures=figures,
            mobile=mobile,
            moment=moment,
            day=day,
            say=language.choose,
            language=language,
            other_language=other,
            identity=self.identity,
            crest=Markup(self.identity.crest),  # noqa: S704 - the operator's own configuration, not a visitor's text
            static=self.assets.root,
        )
        return environment

    def trial_of(self, live: bool) -> bool:  # noqa: FBT001 - the payment's own flag, passed on
        """Tell whether the page must say that no real money moves."""
        return self.identity.trial or not live

    def render(self, template: str, language: str, **values: Any) -> bytes:
        """Return the page; a value the template needs and did not get is an error, not a blank."""
        return self._environments[language].get_template(template).render(values).encode()
