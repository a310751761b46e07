"""Who carries messages to payers: the operator's mail server, or the console until there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from adapters.messages.console import ConsoleSender
from adapters.messages.smtp import MailServer, SmtpSender
from gateway.deps import Sender
from ops.clock import Clock
from ops.settings import Settings


def _into(path: Path) -> Callable[[str], object]:
    def write(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return write


def build_senders(settings: Settings, clock: Clock) -> Mapping[str, Sender]:
    """Return a sender per channel."""
    console = ConsoleSender(_into(settings.home / "messages.txt") if settings.demo else sys.stderr.write)
    if settings.smtp_host is None:
        return {"email": console, "sms": console}
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.smtp_sender,
        sender_name=settings.government_en,
    )
    return {"email": SmtpSender(server, clock), "sms": console}
