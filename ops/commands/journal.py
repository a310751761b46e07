"""What `mizan finance` hands to a department: its journals in its own chart of accounts, its remittance advice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ops.commands.two_people import Person
from reconciliation.breaks import Language
from reconciliation.charts import import_mapping, show_mapping
from reconciliation.deps import Deps
from reconciliation.journal_export import ExportForm, export_journals
from reconciliation.remittances import list_remittances, send_again
from reconciliation.reports.message import remittance_message
from reconciliation.reports.report import Asked


def add_journal_commands(finance: click.Group, run: Callable[..., Any]) -> None:
    """Add the mapping and the export."""

    @finance.group("accounts")
    def accounts() -> None:
        """Say what our accounts are called in a department's own books."""

    @accounts.command("import")
    @click.argument("department")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Say what is wrong; keep nothing.")
    @click.option("--by", type=Person(), required=True)
    def load(department: str, file: Path, dry_run: bool, by: str) -> None:  # noqa: FBT001 - click passes flags by name
        """Import a mapping: a CSV of account, kind, theirs, cost_centre."""
        content = file.read_bytes()
        done = run(lambda deps: import_mapping(deps, department, content, by=by, dry_run=dry_run))
        for fault in done.faults:
            click.echo(fault, err=True)
        if done.faults:
            raise click.ClickException(f"{len(done.faults)} faults; nothing was kept")
        kept = "would be kept" if done.version is None else f"kept as version {done.version}"
        click.echo(f"{done.lines} lines, {kept}")

    @accounts.command("show")
    @click.argument("department")
    def show(department: str) -> None:
        """Show the mapping that stands."""
        for line in run(lambda deps: show_mapping(deps, department)):
            click.echo(f"{line.account}  {line.kind}  {line.theirs}  {line.cost_centre}".rstrip())

    _add_remittance(finance, run)

    @finance.command("export-journals")
    @click.argument("department")
    @click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last business date.")
    @click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First business date; the last without.")
    @click.option("--format", "form", type=click.Choice([one.value for one in ExportForm]), default="csv")
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
    def export(department: str, day: datetime, since: datetime | None, form: str, output: Path) -> None:
        """Write a department's journals in its own chart of accounts; refused while an account is not mapped."""
        asked = Asked(business_date=day.date(), language=Language.ENGLISH, since=since.date() if since else None)

        async def write(deps: Deps) -> int:
            written = 0
            async with (
                deps.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                stream = export_journals(connection, asked, department, ExportForm(form))
                first = await anext(stream)
                with output.open("wb") as file:
                    written += file.write(first)
                    async for chunk in stream:
                        written += file.write(chunk)
            return written

        click.echo(f"{run(write)} bytes, and every total agrees with the ledger")


def _add_remittance(finance: click.Group, run: Callable[..., Any]) -> None:
    @finance.command("remittance")
    @click.argument("department")
    @click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The payouts' business date.")
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
    def remittance(department: str, day: datetime, output: Path) -> None:
        """Write a department's remittance advice as a message, with every payment inside as PDF and CSV."""

        async def write(deps: Deps) -> bytes:
            async with (
                deps.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await remittance_message(connection, day.date(), department)

        click.echo(f"{output.write_bytes(run(write))} bytes")

    @finance.command("remittances")
    def sent() -> None:
        """List the advices of the latest payouts: where each goes, and whether it was sent."""
        for one in run(list_remittances):
            when = f"{one.sent_at:%Y-%m-%d %H:%M} UTC" if one.sent_at else f"{one.tries} tries {one.error}".rstrip()
            click.echo(f"{one.business_date}  {one.department}  {one.batch_id}  {one.recipient}  {one.status}, {when}")

    @finance.command("resend-remittance")
    @click.argument("batch_id")
    @click.argument("department")
    @click.option("--by", type=Person(), required=True, help="Who asks for it.")
    def again(batch_id: str, department: str, by: str) -> None:
        """Send a payout's advice to a department once more."""
        run(lambda deps: send_again(deps, batch_id, department, by=by))
        click.echo(f"the advice of {batch_id} goes to {department} again")
