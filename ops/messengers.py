"""Who carries messages to payers: the operator's mail server and SMS centre, or a file until there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from adapters.messages.console import ConsoleSender
from adapters.messages.smpp.client import SmppSender, SmsCentre
from adapters.messages.smtp import MailServer, SmtpSender
from gateway.deps import Sender
from ops.clock import Clock
from ops.settings import Settings


def _into(path: Path) -> Callable[[str], object]:
    """Write where only the operator can read: messages hold contacts and links that open a payment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)

    def write(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return write


@asynccontextmanager
async def open_senders(settings: Settings, clock: Clock) -> AsyncIterator[Mapping[str, Sender]]:
    """Give a sender per channel, and close what keeps a connection."""
    console = ConsoleSender(_into(settings.home / "messages.txt"))
    senders: dict[str, Sender] = {"email": console, "sms": console}
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
            senders["email"] = SmtpSender(server, clock)
        if settings.smpp_host is not None:
            centre = SmsCentre(
                host=settings.smpp_host,
                port=settings.smpp_port,
                user=settings.smpp_user,
                password=settings.smpp_password,
                sender=settings.smpp_sender,
            )
            texts = SmppSender(centre)
            stack.push_async_callback(texts.close)
            senders["sms"] = texts
        yield senders
