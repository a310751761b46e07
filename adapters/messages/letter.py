"""One message as an e-mail: plain text and HTML of the same words, each paragraph in its own direction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Final

from adapters.messages.message import AttachedFile, Message, Paragraph, paragraphs

_LINK: Final = re.compile(r"https?://[^\s<>\"]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_KINDS: Final = {"pdf": ("application", "pdf"), "csv": ("text", "csv")}
_FONT: Final = "font:16px/1.6 'Segoe UI',Tahoma,'Noto Sans Arabic',Arial,sans-serif"


def write_letter(
    message: Message, *, sender: str, sender_name: str, at: datetime, files: Sequence[AttachedFile] = ()
) -> EmailMessage:
    """Build the e-mail. Its Message-ID is the message's own id, so a mailbox shows a repeated delivery once."""
    parts = paragraphs(message.text, message.language)
    domain = sender.rpartition("@")[2]
    letter = EmailMessage()
    letter["From"] = Address(_one_line(sender_name), addr_spec=sender)
    letter["To"] = Address(addr_spec=message.recipient)
    # A subject comes from a department's words: a line end in it must not become a header.
    letter["Subject"] = _one_line(message.subject)
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{message.id}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n\n".join(part.text for part in parts) + "\n", cte="base64")
    letter.add_alternative(_html(message, parts), subtype="html", cte="base64")
    for file in files:
        kind, form = _KINDS.get(file.name.rpartition(".")[2], ("application", "octet-stream"))
        letter.add_attachment(file.content, maintype=kind, subtype=form, filename=_one_line(file.name))
    # Set last: a Content- header set earlier would move into the first part.
    letter["Content-Language"] = ", ".join(dict.fromkeys(part.language for part in parts)) or message.language
    return letter


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _html(message: Message, parts: list[Paragraph]) -> str:
    direction = "rtl" if message.language == "ar" else "ltr"
    body = "".join(_html_paragraph(part) for part in parts)
    return (
        f'<!doctype html><html lang="{message.language}" dir="{direction}"><head><meta charset="utf-8">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(_one_line(message.subject))}</title></head>'
        f'<body style="margin:0;padding:24px 16px;{_FONT}">'
        f'<div style="max-width:560px;margin:0 auto">{body}</div></body></html>'
    )


def _html_paragraph(part: Paragraph) -> str:
    align = "right" if part.direction == "rtl" else "left"
    words: list[str] = []
    end = 0
    for link in _LINK.finditer(part.text):
        words.append(escape(part.text[end : link.start()]))
        address = escape(link[0])
        words.append(f'<a dir="ltr" style="unicode-bidi:isolate" href="{address}">{address}</a>')
        end = link.end()
    words.append(escape(part.text[end:]))
    text = "".join(words).replace("\n", "<br>")
    return f'<p lang="{part.language}" dir="{part.direction}" style="margin:0 0 16px;text-align:{align}">{text}</p>'
