"""`mizan finance day`: how far a day is from being closed, and closing it, always two people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.commands.two_people import BY
from reconciliation.breaks import LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE, Language
from reconciliation.day_close import (
    DayStatus,
    day_status,
    days_to_decide,
    decide_day,
    explain_break,
    propose_day,
    read_certificate_of,
)
from reconciliation.deps import Deps

_DAY = click.argument("day", type=click.DateTime(["%Y-%m-%d"]))


def seal_command(run: Callable[..., Any], signing_key: Callable[[], Ed25519PrivateKey]) -> click.Command:
    """Build `mizan ledger seal`: the same close as `mizan finance day`, in one command that two people give."""

    @click.command("seal")
    @_DAY
    @BY
    def seal(day: datetime, by: str) -> None:
        """Close DAY and seal the books of it. The first person proposes; another, with the same command, seals."""

        async def one_hand(deps: Deps) -> str:
            found = await day_status(deps, day.date())
            if found.seal_number is not None:
                return f"{found.business_date} is closed: seal {found.seal_number}"
            if found.proposal is None:
                await propose_day(deps, day.date(), by=by, note="")
                return f"{found.business_date} is proposed by {by}; another person seals it with the same command"
            await decide_day(deps, found.proposal, by=by, approve=True, key=signing_key())
            return f"{found.business_date} is closed: seal {(await day_status(deps, day.date())).seal_number}"

        click.echo(run(one_hand))

    return seal


def add_day_commands(
    finance: click.Group, run: Callable[..., Any], signing_key: Callable[[], Ed25519PrivateKey]
) -> None:
    """Add what closes days. The key is asked for only when a day is sealed."""

    @finance.group("day")
    def days() -> None:
        """Close business days: propose, approve, certify."""

    @days.command("status")
    @click.argument("day", type=click.DateTime(["%Y-%m-%d"]), required=False)
    @click.option("--language", type=click.Choice([one.value for one in Language]), default="en")
    def status(day: datetime | None, language: str) -> None:
        """Say what stands in the way of closing a day; yesterday without one."""

        async def read(deps: Deps) -> DayStatus:
            return await day_status(deps, day.date() if day else _yesterday(deps))

        _show(run(read), Language(language))

    @days.command("list")
    def waiting() -> None:
        """List the closes that wait for approval."""
        for close_id, business_date, maker in run(days_to_decide):
            click.echo(f"{close_id}  {business_date}  proposed by {maker}")

    @days.command("propose")
    @_DAY
    @click.option("--note", default="", help="A word for whoever approves, kept on the certificate.")
    @BY
    def propose(day: datetime, note: str, by: str) -> None:
        """Propose to close a day; refused while anything is missing or unexplained."""
        click.echo(run(lambda deps: propose_day(deps, day.date(), by=by, note=note)))

    @days.command("approve")
    @click.argument("close_id")
    @BY
    def approve(close_id: str, by: str) -> None:
        """Approve a close: the day is sealed, certified and takes nothing more."""
        seal = run(lambda deps: decide_day(deps, close_id, by=by, approve=True, key=signing_key()))
        click.echo(f"{seal.business_date} is closed: seal {seal.number}, up to journal {seal.journal_id}")

    @days.command("refuse")
    @click.argument("close_id")
    @BY
    def refuse(close_id: str, by: str) -> None:
        """Refuse a close; the day stays open."""
        run(lambda deps: decide_day(deps, close_id, by=by, approve=False, key=signing_key()))
        click.echo(f"{close_id} is refused")

    @days.command("certificate")
    @_DAY
    def certificate(day: datetime) -> None:
        """Print a closed day's signed certificate; docs/verify_certificate.py checks it."""
        click.echo(run(lambda deps: read_certificate_of(deps, day.date())), nl=False)

    _add_explain(finance, run)


def _add_explain(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.command("explain")
    @click.argument("break_id")
    @click.option("--owner", required=True, help="Who has it now.")
    @click.option("--reason", required=True, help="Why it stands.")
    @BY
    def explain(break_id: str, owner: str, reason: str, by: str) -> None:
        """Say who has a break and why it stands, so that its day can be closed."""
        run(lambda deps: explain_break(deps, break_id, owner=owner, reason=reason, by=by))
        click.echo(f"{owner} has {break_id}")


def _yesterday(deps: Deps) -> date:
    return deps.calendar.business_date(deps.clock()) - timedelta(days=1)


_SAID = {
    "closed": (
        "{day} is closed by {maker} and {checker}: seal {seal}",
        "أقفل {day} كل من {maker} و{checker}: الختم {seal}",
    ),
    "proposed": ("{day} is proposed by {maker}: {proposal}", "اقترح {maker} إقفال {day}: {proposal}"),
    "free": ("{day} can be closed", "يمكن إقفال {day}"),
}


def _show(found: DayStatus, language: Language) -> None:
    def say(key: str) -> None:
        side = 0 if language is Language.ENGLISH else 1
        facts = {
            "day": found.business_date, "maker": found.proposed_by, "checker": found.closed_by,
            "seal": found.seal_number, "proposal": found.proposal,
        }  # fmt: skip
        isolated = {name: f"{LEFT_TO_RIGHT_ISOLATE}{fact}{POP_ISOLATE}" for name, fact in facts.items()}
        click.echo(_SAID[key][side].format_map(isolated if side else facts))

    if found.seal_number is not None:
        say("closed")
        return
    if found.proposal is not None:
        say("proposed")
    if not found.obstacles:
        say("free")
    for obstacle in found.obstacles:
        click.echo(f"{found.business_date}  {obstacle.sentence(language)}")
