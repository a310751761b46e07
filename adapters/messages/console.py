"""Shows messages instead of sending them: for the demo, and until an operator configures a carrier."""

from __future__ import annotations

from collections.abc import Callable

from adapters.messages.message import Message, MessageWithFiles


class ConsoleSender:
    """Writes each message where the operator looks. Only for installations without real payers."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    async def send(self, message: Message) -> None:
        body = "\n".join(f"  | {line}" for line in [message.subject, *message.text.splitlines()] if line)
        self._write(f"{message.channel} to {message.recipient} ({message.id})\n{body}\n")

    async def send_with_files(self, message: MessageWithFiles) -> None:
        await self.send(message)
        names = ", ".join(f"{file.name} ({len(file.content)} bytes)" for file in message.files)
        self._write(f"  with {names or 'no file'}\n")
