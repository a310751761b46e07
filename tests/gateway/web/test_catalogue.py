"""Every sentence exists in both languages, with the same values in it, and no translation outlives its sentence."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

_SPEC = importlib.util.spec_from_file_location("catalogue", Path(__file__).with_name("catalogue.py"))
assert _SPEC
assert _SPEC.loader
catalogue = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(catalogue)

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
ARABIC_PLURALS = 6


@pytest.fixture(scope="module")
def arabic() -> Catalog:
    with (catalogue.ROOT / "gateway/web/locale/ar/mizan.po").open("rb") as file:
        return read_po(file, locale="ar", abort_invalid=True)


def test_every_sentence_of_the_pages_is_translated(arabic: Catalog):
    missing = {message: where for where, message in catalogue.messages() if not _translation(arabic, message)}
    assert missing == {}


def test_no_translation_is_stale(arabic: Catalog):
    spoken = {message for _, message in catalogue.messages()}
    assert [message.id for message in arabic if message.id and message.id not in spoken] == []


def test_placeholders_are_the_same_on_both_sides(arabic: Catalog):
    wrong = []
    for message in arabic:
        if not message.id:
            continue
        if isinstance(message.id, str):
            wrong += [message.id] if _names(message.id) != _names(message.string) else []
            continue
        assert len(message.string) == ARABIC_PLURALS
        # One and two are said without the number in Arabic; the others carry every value.
        for number, form in enumerate(message.string):
            allowed = {_names(message.id[0]), _names(message.id[1])} if number in (1, 2) else {_names(message.id[1])}
            wrong += [form] if _names(form) not in allowed else []
    assert wrong == []


def test_arabic_sentences_are_arabic(arabic: Catalog):
    plain = [message.id for message in arabic if message.id and not re.search("[\u0621-\u064a]", str(message.string))]
    assert plain == []


def test_nothing_carries_invisible_direction_marks(arabic: Catalog):
    marks = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
    assert [message.id for message in arabic if marks.search(str(message.string))] == []


def _names(text: str) -> frozenset[str]:
    return frozenset(PLACEHOLDER.findall(text))


def _translation(arabic: Catalog, message: str | tuple[str, ...]) -> bool:
    found = arabic.get(message)
    return found is not None and bool(found.string) and all(found.string if isinstance(message, tuple) else [True])
