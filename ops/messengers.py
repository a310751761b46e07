"""Who carries messages to payers and departments: the mail server and SMS centre set, or a file until there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.messages.console import ConsoleSender
from adapters.messages.smpp.client import SmppSender, SmsCentre
from adapters.messages.smtp import MailServer, SmtpSender
from gateway.deps import Sender
from ops.clock import Clock
from ops.settings import Settings
from reconciliation.deps import Letters


@dataclass(frozen=True, slots=True)
class Messengers:
    """A sender per channel for payers, and who carries letters with files to departments."""

    senders: Mapping[str, Sender]
    letters: Letters


def _into(path: Path) -> Callable[[str], object]:
    """Write where only the operator can read: messages hold contacts and links that open a payment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)

    def write(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return write


@asynccontextmanager
async def open_messengers(settings: Settings, clock: Clock) -> AsyncIterator[Messengers]:
    """Give a sender per channel, and close what keeps a connection."""
    console = ConsoleSender(_into(settings.home / "messages.txt"))
    letters: ConsoleSender | SmtpSender = console
    texts: Sender = console
    async with AsyncExitStack() as stack:
        if settings.smtp_host is not None:
            server = MailServer(
                host=settings.smtp_host,
                port=settings.smtp_port,
                user=settings.smtp_user,
                password=settings.smtp_password,
                sender=settings.smtp_sender,
                sender_name=settings.government_en,
            )
            letters = SmtpSender(server, clock)
        if settings.smpp_host is not None:
            centre = SmsCentre(
                host=settings.smpp_host,
                port=settings.smpp_port,
                user=settings.smpp_user,
                password=settings.smpp_password,
                sender=settings.smpp_sender,
            )
            smpp = SmppSender(centre)
            stack.push_async_callback(smpp.close)
            texts = smpp
        yield Messengers({"email": letters, "sms": texts}, letters)
