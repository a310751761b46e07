"""`mizan caller`: the credentials of departments' systems and the treasury's, from the operator's side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from gateway.deps import Deps
from gateway.domain.caller import NO_DEPARTMENT, Scope, TreasuryScope
from gateway.services.callers import api_keys, oauth_clients
from ops.commands.running import runner

Open = Callable[[], AbstractAsyncContextManager[Deps]]

_SCOPES = [scope.value for scope in Scope]


@click.command("issue")
@click.argument("department")
@click.argument("label")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(_SCOPES), help="Repeat; all when left out.")
@click.option("--days", type=click.IntRange(min=1), help="After so many days it ends.")
@click.option("--requests-per-minute", type=click.IntRange(min=1), help="A limit of its own.")
@click.pass_obj
def issue(
    open_deps: Open,
    department: str,
    label: str,
    scopes: Sequence[str],
    days: int | None,
    requests_per_minute: int | None,
) -> None:
    """Make an API key for DEPARTMENT and print it, this once."""

    async def go(deps: Deps) -> None:
        await _check_department(deps, department)
        text, key = await api_keys.issue_key(
            deps,
            department,
            label,
            scopes=[Scope(scope) for scope in scopes or _SCOPES],
            expires_at=deps.clock() + timedelta(days=days) if days else None,
            requests_per_minute=requests_per_minute,
        )
        click.echo(text)
        click.echo(f"{key.id}: keep the line above; nobody can show it again", err=True)

    runner(open_deps)(go)


@click.command("register")
@click.argument("department")
@click.argument("label")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(_SCOPES), help="Repeat; all when left out.")
@click.option("--jwks", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File with its keys.")
@click.option("--jwks-url", help="Address where it publishes them.")
@click.pass_obj
def register(
    open_deps: Open, department: str, label: str, scopes: Sequence[str], jwks: Path | None, jwks_url: str | None
) -> None:
    """Register an OAuth client of DEPARTMENT by its public keys."""
    keys = _key_set(jwks)

    async def go(deps: Deps) -> None:
        await _check_department(deps, department)
        client = await oauth_clients.add_client(deps, department, label, scopes or _SCOPES, keys, jwks_url)
        click.echo(client.id)

    runner(open_deps)(go)


@click.command("list")
@click.argument("department")
@click.pass_obj
def list_callers(open_deps: Open, department: str) -> None:
    """List the keys and clients of DEPARTMENT, newest first."""
    _list(open_deps, department)


def _list(open_deps: Open, department: str) -> None:
    async def go(deps: Deps) -> None:
        keys = await api_keys.list_keys(deps, department, cursor=None, limit=api_keys.KEYS_MAX)
        clients = await oauth_clients.list_clients(deps, department, cursor=None, limit=oauth_clients.CLIENTS_MAX)
        for each in [*keys["data"], *clients["data"]]:
            click.echo(_row(each))

    runner(open_deps)(go)


@click.command("end")
@click.argument("caller")
@click.pass_obj
def end(open_deps: Open, caller: str) -> None:
    """Revoke the key or disable the client CALLER; web processes follow within a minute."""

    async def go(deps: Deps) -> None:
        ended = await api_keys.revoke_key(deps, caller) or await oauth_clients.end_client(deps, caller)
        if not ended:
            raise click.ClickException(f"{caller} is no key or client in use")

    runner(open_deps)(go)


@click.command("rotate")
@click.argument("key")
@click.option("--overlap-minutes", type=click.IntRange(0, 43_200), default=1_440, show_default=True, help="Both work.")
@click.option("--days", type=click.IntRange(min=1), help="After so many days the new one ends; else with the old.")
@click.pass_obj
def rotate(open_deps: Open, key: str, overlap_minutes: int, days: int | None) -> None:
    """Replace KEY by one with the same rights and print it, this once."""

    async def go(deps: Deps) -> None:
        ends = deps.clock() + timedelta(days=days) if days else None
        text, made = await api_keys.replace_key(deps, key, timedelta(minutes=overlap_minutes), ends)
        click.echo(text)
        click.echo(f"{made.id}: keep the line above; nobody can show it again", err=True)

    runner(open_deps)(go)


@click.group("treasury")
def treasury() -> None:
    """Credentials that belong to no department and read finance's reports, and nothing else."""


@treasury.command("issue")
@click.argument("label")
@click.option("--days", type=click.IntRange(min=1, max=366), default=366, show_default=True, help="Then it ends.")
@click.pass_obj
def issue_treasury(open_deps: Open, label: str, days: int) -> None:
    """Make an API key for a system of the treasury and print it, this once."""

    async def go(deps: Deps) -> None:
        text, key = await api_keys.issue_treasury_key(deps, label, expires_at=deps.clock() + timedelta(days=days))
        click.echo(text)
        click.echo(f"{key.id}: keep the line above; nobody can show it again", err=True)

    runner(open_deps)(go)


@treasury.command("register")
@click.argument("label")
@click.option("--jwks", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File with its keys.")
@click.option("--jwks-url", help="Address where it publishes them.")
@click.pass_obj
def register_treasury(open_deps: Open, label: str, jwks: Path | None, jwks_url: str | None) -> None:
    """Register an OAuth client of the treasury by its public keys."""
    keys = _key_set(jwks)

    async def go(deps: Deps) -> None:
        client = await oauth_clients.add_client(deps, NO_DEPARTMENT, label, tuple(TreasuryScope), keys, jwks_url)
        click.echo(client.id)

    runner(open_deps)(go)


@treasury.command("list")
@click.pass_obj
def list_treasury(open_deps: Open) -> None:
    """List the treasury's keys and clients, newest first."""
    _list(open_deps, NO_DEPARTMENT)


def caller_group(open_deps: Open) -> click.Group:
    """Make the group over whatever opens the gateway."""

    @click.group("caller", commands=[issue, register, list_callers, rotate, end, treasury])
    @click.pass_context
    def group(context: click.Context) -> None:
        """Issue, list, rotate and end API keys and OAuth clients."""
        context.obj = open_deps

    return group


async def _check_department(deps: Deps, department: str) -> None:
    if department not in (await deps.catalogue.get()).departments:
        raise click.ClickException(f"the catalogue has no department {department}")


def _key_set(jwks: Path | None) -> Any:
    try:
        return json.loads(jwks.read_text("utf-8")) if jwks else None
    except ValueError:
        raise click.ClickException(f"{jwks} is not JSON") from None


def _row(document: dict[str, Any]) -> str:
    ended = document.get("revoked_at") or document.get("disabled_at") or document.get("expires_at")
    used = document["last_used_at"] or "never"
    words = [document["id"], document["label"], ",".join(document["scopes"]), f"used {used}"]
    if ended:
        words.append(f"ends {ended}")
    return "  ".join(words)
