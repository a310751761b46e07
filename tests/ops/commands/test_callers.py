"""Credentials from the operator's side: issued and shown once, listed, ended."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest
from click.testing import CliRunner

from gateway.deps import build_deps
from gateway.domain.signing import signing_key
from gateway.services.callers.api_keys import is_well_formed
from ops.commands.callers import caller_group


@pytest.fixture
async def run(database_url, clock, random_bytes, owner):
    await owner.execute(
        """INSERT INTO gateway.department
                  (code, name_ar, name_en, return_origins, vat_registration, fee_bearer, active, updated_at)
           VALUES ('economy', 'الاقتصاد', 'Economy', '{}', NULL, 'treasury', true, $1)""",
        clock(),
    )

    @asynccontextmanager
    async def open_deps():
        async with (
            asyncpg.create_pool(
                database_url, min_size=1, max_size=2, server_settings={"role": "mizan_service"}
            ) as pool,
            aiohttp.ClientSession() as session,
        ):
            yield build_deps(
                pool=pool, clock=clock, random_bytes=random_bytes, providers={}, routing={},
                public_url="http://127.0.0.1:1", link_secrets=(b"s",), webhook_session=session,
            )  # fmt: skip

    async def call(*arguments):
        result = await asyncio.to_thread(CliRunner().invoke, caller_group(open_deps), arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


async def test_a_key_is_issued_listed_and_ended(run):
    code, text, note = await run("issue", "economy", "till", "--scope", "payments:read", "--days", "30")
    assert code == 0
    assert is_well_formed(text.strip())
    key_id = note.partition(":")[0]
    _, listed, _ = await run("list", "economy")
    assert listed.startswith(f"{key_id}  till  payments:read  used never  ends 2026-12-22")
    assert text.strip() not in listed
    assert (await run("end", key_id))[0] == 0
    code, _, said = await run("end", key_id)
    assert (code, "no key or client in use" in said) == (1, True)


async def test_a_key_is_replaced_once_by_one_with_the_same_rights(run):
    _, _, note = await run("issue", "economy", "till", "--scope", "refunds:approve", "--days", "30")
    old = note.partition(":")[0]
    code, text, note = await run("rotate", old, "--overlap-minutes", "30")
    assert (code, is_well_formed(text.strip())) == (0, True)
    _, listed, _ = await run("list", "economy")
    assert f"{note.partition(':')[0]}  till  refunds:approve  used never  ends 2026-12-22" in listed
    code, _, said = await run("rotate", old)
    assert (code, "has replaced this key" in said) == (1, True)
    assert (await run("rotate", "key_" + "0" * 26))[0] == 1


async def test_a_client_is_registered_by_its_public_keys(run, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [signing_key(b"c" * 32).jwk()]}))
    code, client_id, _ = await run("register", "economy", "case system", "--jwks", str(file))
    assert code == 0
    assert client_id.strip() in (await run("list", "economy"))[1]
    assert (await run("end", client_id.strip()))[0] == 0


async def test_what_cannot_be_is_said(run, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text("{")
    for arguments in (
        ("issue", "nowhere", "x"),
        ("register", "economy", "x"),
        ("register", "economy", "x", "--jwks", str(file)),
        ("register", "economy", "x", "--jwks-url", "http://10.0.0.1/"),
    ):
        code, _, said = await run(*arguments)
        assert (code, said.startswith("Error: ")) == (1, True), arguments


async def test_credentials_of_the_treasury_stand_apart_and_end(run, tmp_path):
    code, text, note = await run("treasury", "issue", "ledger system", "--days", "30")
    assert (code, is_well_formed(text.strip())) == (0, True)
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [signing_key(b"c" * 32).jwk()]}))
    code, client_id, _ = await run("treasury", "register", "data house", "--jwks", str(file))
    assert code == 0
    key_id = note.partition(":")[0]
    _, listed, _ = await run("treasury", "list")
    assert f"{key_id}  ledger system  finance:read  used never  ends 2026-12-22" in listed
    assert f"{client_id.strip()}  data house  finance:read" in listed
    assert (await run("list", "economy"))[1] == ""
    code, _, note = await run("rotate", key_id)
    assert f"{note.partition(':')[0]}  ledger system  finance:read" in (await run("treasury", "list"))[1]
    assert (await run("end", client_id.strip()))[0] == 0
    assert (await run("issue", "economy", "x", "--scope", "finance:read"))[0] == 2
    assert (await run("treasury", "issue", "x", "--days", "367"))[0] == 2
