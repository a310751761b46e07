"""`mizan provider`: which providers there are, whether they answer, and a folder to start another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Final

import asyncpg
import click

import adapters
from adapters.contract import Health
from adapters.http import open_session
from adapters.manifest import Manifest, SettingsError
from adapters.scaffold import new_provider, registry_entry
from gateway.domain.circuit import CircuitState
from gateway.services.providers.drain_provider import Standing, read_board, standing_of
from ops import settings as ops_settings
from ops.database import service_pool
from ops.provider_check import Finding, Verdict, Watch, check_provider
from ops.wiring import build_providers, clock_of, manifests, random_bytes

COLUMNS: Final = ("provider", "methods", "capabilities", "callbacks", "settings", "payments", "health")


@click.group("provider")
def provider_group() -> None:
    """List providers, check one, or start the folder of another."""


@provider_group.command("list")
@click.option("--health", "ask", is_flag=True, help="Ask each configured provider whether it answers.")
def list_providers(ask: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Show every provider, what it can do, whether it is configured, and whether it is given payments now."""
    known = manifests()
    settings = _settings()
    configured = [name for name in settings.providers if name in known]
    standings = asyncio.run(_standings(settings, configured))
    health = asyncio.run(_ask(configured)) if ask else {}
    rows = [COLUMNS[: 7 if ask else 6]]
    for name, manifest in known.items():
        row = (*_row(manifest, configured=name in configured), standings.get(name, "-"))
        rows.append((*row, _word(health.get(name))) if ask else row)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@provider_group.command("check")
@click.argument("name")
def check(name: str) -> None:
    """Check a configured provider live, without moving money: keys, clock, certificates, callbacks, settlement.

    Exit status: 0 when nothing failed, warnings or not; 1 when something did.
    """
    known = manifests()
    if name not in known:
        raise click.ClickException(f"{name!r} is not a provider; there are {', '.join(known)}")
    settings = _settings()
    if name not in settings.providers:
        needed = [setting.name for setting in known[name].settings if setting.required]
        variables = ", ".join(f"MIZAN_PROVIDER_{name}__{key}".upper() for key in needed)
        raise click.ClickException(f"{name} is not configured; it needs {variables}")
    findings = asyncio.run(_check(settings, name))
    widths = [max(len(finding.name) for finding in findings), max(len(finding.verdict) for finding in findings)]
    click.echo(f"{name}: {known[name].title}")
    for finding in findings:
        click.echo(f"  {finding.name:{widths[0]}}  {finding.verdict:{widths[1]}}  {finding.detail}".rstrip())
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        raise SystemExit(1)


@provider_group.command("new")
@click.argument("name")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Where; beside the other providers by default."
)
def new(name: str, folder: Path | None) -> None:
    """Start a provider's folder from the template; it passes the contract suite as it is."""
    parent = folder or Path(adapters.__file__).parent
    try:
        written = new_provider(name, parent)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    for path in written:
        click.echo(path)
    click.echo(
        f"\nImport it and its simulator in adapters/registry.py, and add to PROVIDERS:\n\n{registry_entry(name)}"
    )
    click.echo(f"Then: make test t='tests/adapters -k {name}'")


def _settings() -> ops_settings.Settings:
    try:
        return ops_settings.read_settings()
    except ops_settings.SettingsError as error:
        raise click.ClickException(str(error)) from None


async def _check(settings: ops_settings.Settings, name: str) -> list[Finding]:
    clock = clock_of(settings)
    watch = Watch(clock)
    async with open_session(watchers=[watch.config()]) as session:
        try:
            built = build_providers(settings, session, clock, random_bytes)
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        return await check_provider(
            built[name],
            manifests()[name],
            settings.providers[name],
            watch=watch,
            public_url=settings.public_url,
            zone=settings.time_zone,
        )


async def _ask(names: Sequence[str]) -> dict[str, Health]:
    """Ask the providers at once; one that cannot even be built says so in its health."""
    settings = _settings()
    async with open_session() as session:
        try:
            built = build_providers(settings, session, clock_of(settings), random_bytes)
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        answers = await asyncio.gather(*(built[name].check() for name in names))
    return dict(zip(names, answers, strict=True))


async def _standings(settings: ops_settings.Settings, names: Sequence[str]) -> dict[str, str]:
    """Say how the configured providers stand in the database of a running Mizan; nothing is started for it."""
    if settings.database_url is None or not names:
        return {}
    now = clock_of(settings)()
    try:
        async with service_pool(settings.database_url, size_max=1) as pool:
            board = await read_board(pool)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return dict.fromkeys(names, "database does not answer")
    return {name: _standing(standing_of(board, name, now), settings.time_zone) for name in names}


def _standing(standing: Standing, zone: tzinfo) -> str:
    words = []
    if standing.drain is not None:
        until = standing.drain.until
        words.append(f"drained until {until.astimezone(zone):%Y-%m-%d %H:%M}" if until else "drained")
    for operation, (state, retry_at) in sorted(standing.circuits.items()):
        hour = f"{retry_at.astimezone(zone):%H:%M:%S}"
        words.append(f"{operation} {'open until' if state is CircuitState.OPEN else 'half-open since'} {hour}")
    return ", ".join(words) or "given"


def _row(manifest: Manifest, *, configured: bool) -> tuple[str, ...]:
    return (
        manifest.name,
        " ".join(sorted(method.value for method in manifest.methods)),
        " ".join(sorted(manifest.capabilities)) or "-",
        "signed" if manifest.callbacks_proven else "hints",
        "configured" if configured else "not configured",
    )


def _word(health: Health | None) -> str:
    if health is None:
        return "-"
    word = "answers" if health.available else "does not answer"
    return f"{word} ({health.detail})" if health.detail else word
