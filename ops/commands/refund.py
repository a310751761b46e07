"""`mizan refund`: what waits for a second person, deciding it, and many refunds from a file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from gateway.domain.idempotency import Claim
from gateway.services.refunds.create_refund import RefundRequest
from gateway.services.refunds.decide_refund import decide_refund, refunds_to_decide
from gateway.services.refunds.refund_many import REFUNDS_MAX, Wanted, refund_many
from ledger.errors import MoneyError
from ledger.money import Money
from ops.commands.running import runner
from ops.commands.two_people import Decision, Person, add_decision
from ops.wiring import Parts

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]
Answer = TypeVar("Answer")

_COLUMNS: Final = ("payment_intent", "amount", "currency")


def refund_group(open_parts: OpenParts) -> click.Group:
    """Build the commands over a way to open what a process has."""
    run = runner(open_parts)

    @click.group("refund")
    def refund() -> None:
        """Refunds: approve what waits for a second person, ask for many from a file."""

    _deciding(refund, run)
    _bulk(refund, run)
    return refund


def _deciding(refund: click.Group, run: Callable[..., Any]) -> None:
    @refund.command("list")
    def waiting() -> None:
        """List the refunds that wait for a second person."""
        for one in run(lambda parts: refunds_to_decide(parts.gateway)):
            click.echo(f"{one.id}  {one.department}  {one.amount}  asked by {one.asked_by}: {one.reason}")

    add_decision(refund, run, Decision(
        noun="", decide=_decide, approve_help="Agree to a refund; the worker sends it at once.",
        refuse_help="Refuse a refund; nothing is given back.", why=("reason", True),
    ))  # fmt: skip


async def _decide(parts: Parts, refund_id: str, *, by: str, approve: bool, reason: str = "") -> None:
    await decide_refund(parts.gateway, refund_id, by=by, approve=approve, why=reason)


def _bulk(refund: click.Group, run: Callable[..., Any]) -> None:
    @refund.command("many")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--department", required=True)
    @click.option("--reason", required=True)
    @click.option("--by", type=Person(), required=True, help="Who asks.")
    @click.option("--dry-run", is_flag=True, help="Say what would be given back, and give nothing.")
    def many(file: Path, department: str, reason: str, by: str, dry_run: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Ask for the refunds of FILE: CSV with payment_intent, and amount and currency where not all is given back.

        The same file again goes on where it stopped and refunds nothing twice.
        """
        content = file.read_bytes()
        wanted = read_file(content.decode("utf-8-sig"), RefundRequest(reason, asked_by=by))
        digest = hashlib.sha256(content + reason.encode()).digest()
        route = "mizan refund many, tried" if dry_run else "mizan refund many"
        claim = Claim(department, route, digest.hex(), digest)
        stored = run(lambda parts: refund_many(parts.gateway, department, wanted, claim, caller=by, dry_run=dry_run))
        found = msgspec.json.decode(stored.answer)
        for result in found["results"]:
            if result["problem"] is not None:
                click.echo(f"{result['payment_intent']}  refused: {result['problem']['detail']}")
        sums = ", ".join(str(Money(each["amount"], each["currency"])) for each in found["total"]) or "nothing"
        verb = "would be given back" if dry_run else "asked for"
        click.echo(f"{found['accepted']} refunds, {sums} {verb}; {found['refused']} refused; batch {found['id']}")


def read_file(text: str, request: RefundRequest) -> list[Wanted]:
    """Read the lines of a file; every bad one is named, and nothing is asked for while there is one."""
    rows = csv.DictReader(text.splitlines())
    if not rows.fieldnames or not set(_COLUMNS[:1]) <= set(rows.fieldnames) <= set(_COLUMNS):
        raise click.ClickException(f"the file's first line names its columns: {', '.join(_COLUMNS)}")
    wanted: list[Wanted] = []
    faults: list[str] = []
    for number, row in enumerate(rows, 2):
        intent_id, amount, currency = ((row.get(name) or "").strip() for name in _COLUMNS)
        try:
            asked = Money.parse(amount, currency) if amount or currency else None
        except MoneyError as error:
            faults.append(f"line {number}: {error}")
            continue
        minor = asked.amount_minor if asked else None
        wanted.append(
            Wanted(
                intent_id,
                RefundRequest(request.reason, minor, asked.currency if asked else None, asked_by=request.asked_by),
            )
        )
    known = [one.intent_id for one in wanted]
    faults += [f"{intent_id} stands twice" for intent_id in sorted({each for each in known if known.count(each) > 1})]
    if not 0 < len(wanted) <= REFUNDS_MAX:
        faults.append(f"1 to {REFUNDS_MAX} lines a file, not {len(wanted)}")
    if faults:
        raise click.ClickException("; ".join(faults))
    return wanted
