"""The parts every page shares."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.web.assets import Assets
from gateway.web.csrf import csrf_token, form_is_ours
from gateway.web.headers import CONTENT_SECURITY_POLICY
from gateway.web.i18n import browser_language, languages, negotiate
from gateway.web.identity import Colours, Identity, contrast
from gateway.web.pages import ltr, money
from gateway.web.typed import clean, read_email, read_mobile, show_mobile
from ledger.money import Money

WEB = Path(__file__).parents[3] / "gateway" / "web"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("٠٥٠ ١٢٣ ٤٥٦٧", "+971501234567"),
        ("۰۵۰۱۲۳۴۵۶۷", "+971501234567"),
        ("\u200e050-123-4567\u2066", "+971501234567"),
        ("+971 50 123 4567", "+971501234567"),
        ("00971501234567", "+971501234567"),
        ("+44 7911 123456", "+447911123456"),
        ("0501", None),
        ("call me", None),
        ("", None),
    ],
)
def test_mobile_numbers_are_read_as_people_type_them(typed: str, meant: str | None):
    assert read_mobile(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" fatima@example.ae ", "fatima@example.ae"),
        ("\u202bfatima@example.ae\u202c", "fatima@example.ae"),
        ("a.b+c@sub.example.co.uk", "a.b+c@sub.example.co.uk"),
        ("fatima@", None),
        ("fatima@example", None),
        ("a@b.ae\r\nBcc: x@y.ae", None),
        ("a@b.ae,c@d.ae", None),
        ("a..b@example.ae", None),
        ("x" * 250 + "@example.ae", None),
    ],
)
def test_email_addresses(typed: str, meant: str | None):
    assert read_email(typed) == meant


def test_native_digits_and_invisible_marks_are_normalised():
    assert clean("\u200f٢٠٢٦-۱۱\u2069 ") == "2026-11"
    assert show_mobile("+971501234567") == "+971 50 123 4567"
    assert show_mobile("front desk") == "front desk"


def test_amounts_and_codes_are_isolated_and_escaped():
    assert money(Money(125050, "AED")) == '<bdi dir="ltr">AED\N{NO-BREAK SPACE}1,250.50</bdi>'
    assert money(Money(-5, "KWD")) == '<bdi dir="ltr">KWD\N{NO-BREAK SPACE}-0.005</bdi>'
    assert ltr("<b>") == '<bdi dir="ltr">&lt;b&gt;</bdi>'


def test_arabic_comes_first_unless_something_says_otherwise():
    assert negotiate(None, "fr", browser_language("")) == "ar"
    assert browser_language("ar-AE,en;q=0.8") == "ar"
    assert browser_language("fr-FR, en;q=0.5, ar;q=0.4") == "en"
    assert browser_language("en;q=0, ar;q=nonsense") is None
    assert negotiate("en", "ar") == "en"


def test_arabic_plurals_and_dates_have_no_invisible_marks():
    arabic, english = languages()["ar"], languages()["en"]
    at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert (arabic.date(at), arabic.hour(at)) == ("22 نوفمبر 2026", "2:05 م")
    assert (english.date(at), english.hour(at)) == ("22 November 2026", "2:05 pm")


def test_values_put_into_a_sentence_are_escaped_when_any_of_them_is_markup():
    said = languages()["en"].text("Tell us at %(phone)s or %(email)s", phone=ltr("800"), email="<i>")
    assert said == 'Tell us at <bdi dir="ltr">800</bdi> or &lt;i&gt;'


def test_a_form_is_ours_only_with_its_token_and_from_our_own_site():
    key, other = b"k" * 32, b"o" * 32
    token = csrf_token(key, "pay", "link-1")
    assert form_is_ours(key, "pay", "link-1", token, {"Sec-Fetch-Site": "same-origin"})
    assert form_is_ours(key, "pay", "link-1", token, {})  # an old browser says nothing
    assert not form_is_ours(key, "pay", "link-1", token, {"Sec-Fetch-Site": "cross-site"})
    assert not form_is_ours(key, "cancel", "link-1", token, {})
    assert not form_is_ours(key, "pay", "link-2", token, {})
    assert not form_is_ours(other, "pay", "link-1", token, {})
    assert not form_is_ours(key, "pay", "link-1", "ü", {})


def test_the_policy_allows_nothing_inline_and_nobody_else():
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_a_government_cannot_choose_colours_people_cannot_read():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    with pytest.raises(ValueError, match="brand on #ffffff has contrast"):
        Colours(brand="#e0b65c")
    with pytest.raises(ValueError, match="must look like"):
        Colours(brand="red;}body{display:none")
    assert "--brand:#1d4f91" in Colours(brand="#1d4f91", brand_tint="#e8f0fb").tokens()


def test_the_style_sheet_names_no_left_and_no_right():
    """One sheet serves both directions; numbers alone may be pinned to the right."""
    sheet = (WEB / "static/mizan.css").read_text()
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    physical = re.findall(
        r"(?:margin|padding|border|inset)-(?:left|right)|[{;](?:left|right):|text-align:(?:left|right)", sheet
    )
    assert physical == ["text-align:right"]


def test_what_a_first_visit_loads_is_small():
    assets = Assets(Identity())
    fonts = [f"fonts/{script}-{weight}.woff2" for script in ("arabic", "latin") for weight in (400, 600)]
    assert sum(assets.size(font) for font in fonts) <= 60_000
    assert len(assets.get("mizan.css").body) <= 20_000
    assert assets.size("mizan.js") <= 5_000
    assert sum(assets.size(name) for name in [*fonts, "mizan.css", "mizan.js", "icon.svg"]) <= 70_000


def test_the_fonts_licence_travels_with_them():
    assert "SIL Open Font License" in (WEB / "static/fonts/OFL.txt").read_text()


def test_templates_isolate_what_must_not_be_turned_round():
    """References, receipt numbers, amounts and addresses are printed through a function that isolates them."""
    bare = re.compile(r"\{\{\s*[\w.]*(?:reference|receipt_number|total|amount|iban|vat|expires_at|paid_at)\s*\}\}")
    found = []
    for folder in (WEB / "templates", WEB.parent / "checkout/templates"):
        for path in folder.glob("*.html"):
            # Values of a {% trans %} block are isolated where they are handed in; titles and attributes are plain text.
            text = re.sub(r"\{% trans.*?\{% endtrans %\}", "", path.read_text(), flags=re.DOTALL)
            text = re.sub(r'\{% block title %\}.*?\{% endblock %\}|="[^"]*"', "", text, flags=re.DOTALL)
            found += [f"{path.name}: {match[0]}" for match in bare.finditer(text)]
    assert found == []
