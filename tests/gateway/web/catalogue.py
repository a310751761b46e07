"""Reads every sentence our pages can say out of templates and code, as translators would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).parents[3]
KEYWORDS = {
    "language": None,
    "say": None,
    "text": None,
    "sentence": None,
    "plural": (1, 2),
    "gettext": None,
    "_": None,
    "ngettext": (1, 2),
}
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.typ", "ignore")]
FOLDERS = ("gateway/web", "gateway/checkout", "gateway/centres")


def messages() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Yield (where, sentence) for every translatable sentence; a plural is a pair."""
    for folder in FOLDERS:
        found = extract_from_dir(
            ROOT / folder, METHODS, keywords=KEYWORDS, options_map={"**.html": {"trimmed": "true", "silent": "false"}}
        )
        for file, line, message, _comments, _context in found:
            if message:
                yield f"{folder}/{file}:{line}", message
