"""What every sender is given, and how its text is cut into paragraphs that each read in their own direction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

_LETTER: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u0600-\u06ff]")
_BLANK_LINE: Final = re.compile(r"\n\s*\n")


class Message(Protocol):
    """One message to one payer, already worded. `id` stays the same over retries, so that a carrier can drop one."""

    @property
    def id(self) -> str: ...

    @property
    def channel(self) -> str: ...

    @property
    def recipient(self) -> str: ...

    @property
    def language(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def text(self) -> str: ...


class AttachedFile(Protocol):
    """A file that goes with a letter; the end of its name says what it is."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class MessageWithFiles(Message, Protocol):
    """A letter and what is attached to it."""

    @property
    def files(self) -> Sequence[AttachedFile]: ...


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of text in one language; `language` is told by its first letter, as the bidi algorithm does."""

    text: str
    language: Literal["ar", "en"]

    @property
    def direction(self) -> Literal["rtl", "ltr"]:
        return "rtl" if self.language == "ar" else "ltr"


def paragraphs(text: str, language: str) -> list[Paragraph]:
    """Cut at blank lines. A paragraph without a letter takes the message's own language."""
    found = []
    for part in _BLANK_LINE.split(text.strip()):
        first = _LETTER.search(part)
        own = ("ar" if first[0] >= "\u0600" else "en") if first else language
        found.append(Paragraph(part.strip(), "ar" if own == "ar" else "en"))
    return found
