"""A centre and its people from the operator's side: two let an agent in, the password is shown once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest
from click.testing import CliRunner

from gateway.deps import build_deps
from ops.commands.centre import centre_group


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
        result = await asyncio.to_thread(CliRunner().invoke, centre_group(open_deps), arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


async def test_a_centre_opens_and_two_people_let_an_agent_in(run, pool):
    names = ("--name-ar", "ديرة", "--name-en", "Deira")
    assert (await run("add", "deira", "economy", *names))[0] == 0
    assert (await run("add", "deira", "economy", *names))[0] == 1
    assert "no settings" in (await run("add", "other", "economy", *names, "--terminals", "nobody"))[2]
    assert (await run("propose-agent", "omar", "deira", "--name", "Omar", "--by", "amal"))[0] == 0
    assert (await run("approve-agent", "omar", "--by", "amal"))[0] == 1
    code, password, note = await run("approve-agent", "omar", "--by", "faisal")
    assert (code, len(password.strip()), "this once" in note or "again" in note) == (0, 19, True)
    assert (await run("approve-agent", "omar", "--by", "faisal"))[0] == 1
    assert (await run("disable-agent", "omar", "--by", "amal"))[0] == 0
    assert await pool.fetchval("SELECT disabled_at IS NOT NULL FROM gateway.centre_agent") is True
    done = [row["action"] for row in await pool.fetch("SELECT action FROM gateway.audit ORDER BY at, id")]
    assert sorted(done) == ["agent_approved", "agent_disabled", "agent_proposed"]
