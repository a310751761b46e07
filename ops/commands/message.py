"""`mizan message`: what did not reach its payer, and sending a receipt again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import click

from gateway.services.messages.resend_receipt import resend_for_operator
from gateway.services.messages.undelivered_messages import undelivered_messages
from ops.commands.running import runner
from ops.wiring import Parts

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]


def message_group(open_parts: OpenParts) -> click.Group:
    """Build the commands over a way to open what a process has."""
    run = runner(open_parts)

    @click.group("message")
    def message() -> None:
        """Messages to payers: what was not delivered, and sending receipts again."""

    @message.command("undelivered")
    @click.option("--days", default=7, show_default=True, help="How far to look back.")
    def undelivered(days: int) -> None:
        """List what was given up, and what a carrier says never arrived."""
        found = run(lambda parts: undelivered_messages(parts.gateway, timedelta(days=days)))
        for one in found:
            fate = one.delivery or f"given up after {one.tries} tries"
            click.echo(f"{one.created_at:%Y-%m-%d %H:%M}  {one.channel:<5}  {one.kind:<8}  {one.subject}  {fate}")
        click.echo(f"{len(found)} not delivered in {days} days")

    @message.command("send-receipt")
    @click.argument("payment_intent")
    def send_receipt(payment_intent: str) -> None:
        """Send the receipt of PAYMENT_INTENT again, to where it went before."""
        channels = run(lambda parts: resend_for_operator(parts.gateway, payment_intent))
        click.echo(f"the receipt goes out again by {' and '.join(channels)}")

    return message
