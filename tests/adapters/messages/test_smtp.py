"""Letters as a real SMTP server receives them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.errors import NotSentError, RejectedError
from adapters.messages.console import ConsoleSender
from adapters.messages.message import paragraphs
from adapters.messages.smtp import MailServer, SmtpSender

ARABIC = "تم استلام دفعك: AED 1,250.50\nرقم الإيصال ECO-2026-000417"
ENGLISH = "Your payment was received: AED 1,250.50\nhttps://pay.example/pay/x/receipt?a=1&b=2"


@dataclass(frozen=True)
class Worded:
    id: str = "ms_01"
    channel: str = "email"
    recipient: str = "fatima@example.ae"
    language: str = "ar"
    subject: str = "إيصال الدفع – Receipt"
    text: str = f"{ARABIC}\n\n{ENGLISH}"


class Mailbox:
    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]):  # noqa: N802, ARG002
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("later"):
            return "450 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope):  # noqa: N802, ARG002
        letter = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        self.letters.append(letter)
        return "250 taken"


@pytest.fixture
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def mailbox(port: int) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture
def sender(port: int) -> SmtpSender:
    server = MailServer("127.0.0.1", port, sender="pay@pay.example", sender_name="المدفوعات الحكومية", start_tls=False)
    return SmtpSender(server, lambda: datetime(2026, 11, 22, 6, tzinfo=UTC))


async def test_a_letter_carries_both_languages_each_in_its_direction(mailbox: Mailbox, sender: SmtpSender):
    await sender.send(Worded())
    [letter] = mailbox.letters
    assert letter["Subject"] == Worded.subject
    assert letter["Message-ID"] == "<ms_01@pay.example>"
    assert letter["Content-Language"] == "ar, en"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"] == "Sun, 22 Nov 2026 06:00:00 +0000"
    assert letter.get_content_type() == "multipart/alternative"
    plain, html = letter.iter_parts()
    assert plain.get_content().strip().replace("\r\n", "\n") == Worded.text
    page = html.get_content()
    assert '<p lang="ar" dir="rtl"' in page
    assert '<p lang="en" dir="ltr"' in page
    assert 'href="https://pay.example/pay/x/receipt?a=1&amp;b=2"' in page


async def test_a_repeat_carries_the_same_message_id(mailbox: Mailbox, sender: SmtpSender):
    await sender.send(Worded())
    await sender.send(Worded())
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1


async def test_a_subject_cannot_smuggle_a_header(mailbox: Mailbox, sender: SmtpSender):
    await sender.send(Worded(subject="Receipt\r\nBcc: all@example.ae", text="<script>alert(1)</script>"))
    [letter] = mailbox.letters
    assert letter["Bcc"] is None
    assert "<script>" not in list(letter.iter_parts())[1].get_content()


async def test_refusals_for_good_and_for_now_are_told_apart(mailbox: Mailbox, sender: SmtpSender):
    with pytest.raises(RejectedError):
        await sender.send(Worded(recipient="nobody@example.ae"))
    with pytest.raises(NotSentError):
        await sender.send(Worded(recipient="later@example.ae"))
    with pytest.raises(RejectedError):
        await sender.send(Worded(recipient="a@b\r\nRCPT TO:<c@d>"))
    assert mailbox.letters == []


async def test_without_a_server_nothing_was_sent(sender: SmtpSender):
    with pytest.raises(NotSentError):
        await asyncio.wait_for(sender.send(Worded()), 10)


async def test_the_console_shows_the_message_and_its_recipient():
    written: list[str] = []
    await ConsoleSender(written.append).send(Worded(channel="sms", recipient="+971501234567"))
    assert written[0].startswith("sms to +971501234567 (ms_01)\n")
    assert "1,250.50" in written[0]


def test_paragraphs_take_their_direction_from_their_first_letter():
    found = paragraphs("1. مرحبا\n\n2. Hello\n\n3.", "ar")
    assert [part.direction for part in found] == ["rtl", "ltr", "rtl"]


@dataclass(frozen=True)
class Paper:
    name: str
    content: bytes


@dataclass(frozen=True)
class WithPapers(Worded):
    files: tuple[Paper, ...] = (Paper("advice.pdf", b"%PDF-1.7"), Paper("advice\r\nBcc: x.csv", "a,دفعة\r\n".encode()))


async def test_files_go_with_a_letter_and_no_name_becomes_a_header(mailbox: Mailbox, port: int):
    sender = SmtpSender(
        MailServer(host="127.0.0.1", port=port, start_tls=False), lambda: datetime(2026, 11, 22, tzinfo=UTC)
    )
    await sender.send_with_files(WithPapers())
    (letter,) = mailbox.letters
    assert letter["Bcc"] is None
    papers = {part.get_filename(): part for part in letter.iter_attachments()}
    assert papers["advice.pdf"].get_content() == b"%PDF-1.7"
    assert papers["advice.pdf"].get_content_type() == "application/pdf"
    assert papers["advice Bcc: x.csv"].get_content_type() == "text/csv"
    assert "AED 1,250.50" in letter.get_body(("plain",)).get_content()


async def test_the_console_names_the_files_it_does_not_send():
    shown: list[str] = []
    await ConsoleSender(shown.append).send_with_files(WithPapers())
    assert "advice.pdf (8 bytes)" in shown[-1]
