"""E-mail through the operator's mail server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import aiosmtplib

from adapters.errors import NotSentError, OutcomeUnknownError, RejectedError
from adapters.messages.letter import write_letter
from adapters.messages.message import AttachedFile, Message, MessageWithFiles

_PERMANENT = range(500, 600)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and in whose name. Without TLS only a server on this machine's own network is fit."""

    host: str
    port: int = 587
    user: str | None = None
    password: str | None = None
    sender: str = "no-reply@payments.example"
    sender_name: str = "Government Payments"
    start_tls: bool | None = None
    """None: use TLS when the server offers it."""
    timeout_s: float = 20.0


class SmtpSender:
    """Hands one letter at a time to the mail server; a refusal for good, a failure and a doubt are told apart."""

    def __init__(self, server: MailServer, clock: Callable[[], datetime]) -> None:
        self._server = server
        self._clock = clock

    async def send(self, message: Message) -> None:
        await self._hand_over(message)

    async def send_with_files(self, message: MessageWithFiles) -> None:
        await self._hand_over(message, message.files)

    async def _hand_over(self, message: Message, files: Sequence[AttachedFile] = ()) -> None:
        server = self._server
        try:
            letter = write_letter(
                message, sender=server.sender, sender_name=server.sender_name, at=self._clock(), files=files
            )
        except ValueError as error:
            raise RejectedError("the address is not one a letter can carry") from error
        try:
            await aiosmtplib.send(
                letter,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                start_tls=server.start_tls,
                timeout=server.timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refusal.code in _PERMANENT for refusal in error.recipients):
                raise RejectedError("the mail server refuses this recipient") from error
            raise NotSentError("the mail server does not take this recipient now") from error
        except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPSenderRefused) as error:
            raise NotSentError(f"the mail server cannot be used: {type(error).__name__}") from error
        except aiosmtplib.SMTPResponseException as error:
            if error.code in _PERMANENT:
                raise RejectedError(f"the mail server refuses the letter: {error.code}") from error
            raise NotSentError(f"the mail server does not take the letter now: {error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            # A repeat carries the same Message-ID, so that asking again is safe.
            raise OutcomeUnknownError(f"the mail server did not confirm: {type(error).__name__}") from error
