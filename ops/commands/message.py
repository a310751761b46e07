"""`mizan message`: what did not reach its payer, and sending a receipt again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import click

from gateway.domain.errors import GatewayError
from gateway.services.messages.resend_receipt import resend_for_operator
from gateway.services.messages.undelivered_messages import undelivered_messages
from ops.wiring import Parts

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]


def message_group(open_parts: OpenParts) -> click.Group:
    """Build the commands over a way to open what a process has."""

    @click.group("message")
    def message() -> None:
        """Messages to payers: what was not delivered, and sending receipts again."""

    @message.command("undelivered")
    @click.option("--days", default=7, show_default=True, help="How far to look back.")
    def undelivered(days: int) -> None:
        """List what was given up, and what a carrier says never arrived."""

        async def go() -> list[str]:
            async with open_parts() as parts:
                found = await undelivered_messages(parts.gateway, timedelta(days=days))
            return [
                f"{one.created_at:%Y-%m-%d %H:%M}  {one.channel:<5}  {one.kind:<8}  {one.subject}  "
                + (one.delivery or f"given up after {one.tries} tries")
                for one in found
            ]

        rows = asyncio.run(go())
        for row in rows:
            click.echo(row)
        click.echo(f"{len(rows)} not delivered in {days} days")

    @message.command("send-receipt")
    @click.argument("payment_intent")
    def send_receipt(payment_intent: str) -> None:
        """Send the receipt of PAYMENT_INTENT again, to where it went before."""

        async def go() -> list[str]:
            async with open_parts() as parts:
                return await resend_for_operator(parts.gateway, payment_intent)

        try:
            channels = asyncio.run(go())
        except GatewayError as error:
            raise click.ClickException(error.detail) from None
        click.echo(f"the receipt goes out again by {' and '.join(channels)}")

    return message
