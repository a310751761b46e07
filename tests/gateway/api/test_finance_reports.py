"""Finance's reports by the API: for the treasury's own systems alone, the same bytes as the command's, streamed."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import date, timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import aiohttp
import asyncpg
import jsonschema
import pytest
from click.testing import CliRunner

from gateway.api.openapi import describe
from gateway.deps import Limits
from gateway.domain.caller import NO_DEPARTMENT, Scope, TreasuryScope
from gateway.domain.errors import UnavailableError
from gateway.domain.finance_report import FinanceReport
from gateway.services.callers.api_keys import issue_key
from ops.commands.report import report_command
from ops.reporting import REPORTS
from reconciliation.business_days import Calendar
from tests.gateway.api.clients import Client, Pair

LIST = "/v1/finance/reports"
MEDIA = {
    "text": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
STARTS = {"text": b"", "csv": b"\xef\xbb\xbf", "html": b"<!doctype html>", "xlsx": b"PK\x03\x04", "pdf": b"%PDF-"}


@asynccontextmanager
async def got(town, path, caller="treasury"):
    headers = {"Authorization": f"Bearer {town.keys[caller]}"}
    async with town.session.get(f"{town.url}{path}", headers=headers) as response:
        yield response


async def content(town, path):
    async with got(town, path) as response:
        assert response.status == 200, await response.text()
        return await response.read()


@pytest.fixture
def commanded(clock, database_url, tmp_path):
    """Write a report by the command, over the same books."""

    @asynccontextmanager
    async def open_deps():
        # The command has a loop of its own, so it has connections of its own.
        settings = {"role": "mizan_service"}
        async with asyncpg.create_pool(database_url, min_size=1, max_size=1, server_settings=settings) as pool:
            yield SimpleNamespace(pool=pool, clock=clock, calendar=Calendar())

    async def write(*arguments):
        output = tmp_path / "report"
        arguments = [*arguments, "--output", str(output)]
        result = await asyncio.to_thread(CliRunner().invoke, report_command(open_deps), arguments)
        assert result.exit_code == 0, result.output
        return output.read_bytes()

    return write


async def test_every_report_is_listed_as_described_with_what_it_takes(town):
    answer = await town.ask("GET", LIST, department="treasury")
    schema = {"$ref": "#/components/schemas/FinanceReportList", "components": describe()["components"]}
    jsonschema.validate(answer.body, schema)
    listed = {one["name"]: one for one in answer.body["data"]}
    assert tuple(listed) == REPORTS
    assert listed["fees"]["parameters"] == ["from", "date", "known_at", "language", "format"]
    assert "department" in listed["remittance"]["parameters"]
    assert listed["fees"]["title"]["ar"] != listed["fees"]["title"]["en"]


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_report_is_the_command_s_byte_for_byte_in_every_form(town, commanded, language):
    await town.paid()
    for form, media in MEDIA.items():
        asked = f"{LIST}/trial-balance?date=2026-11-22&language={language}&format={form}"
        async with got(town, asked) as response:
            assert (response.status, response.content_type) == (200, media)
            assert "trial-balance-2026-11-22." in response.headers["Content-Disposition"]
            assert response.headers["Transfer-Encoding"] == "chunked"
            written = await response.read()
        assert written.startswith(STARTS[form])
        by_command = ("trial-balance", "--date", "2026-11-22", "--language", language, "--format", form)
        assert written == await commanded(*by_command)


async def test_every_report_is_the_command_s_and_called_as_the_list_calls_it(town, commanded):
    await town.paid()
    for one in (await town.ask("GET", LIST, department="treasury")).body["data"]:
        name, taken = one["name"], one["parameters"]
        arguments = {"date": "2026-11-22", "format": "text", "language": "ar"}
        arguments |= {"from": "2026-11-21"} if "from" in taken else {}
        arguments |= {"department": "economy"} if "department" in taken else {}
        async with got(town, f"{LIST}/{name}?{urlencode(arguments)}") as response:
            if name == "certificate":
                assert response.status == 404
                assert "is not closed" in (await response.json(content_type=None))["detail"]
                continue
            assert response.status == 200, await response.text()
            written = await response.read()
        assert written.decode().startswith(one["title"]["ar"]), name
        flags = [part for key, value in arguments.items() for part in (f"--{key}", value)]
        assert written == await commanded(name, *flags)


async def test_as_known_at_an_instant_it_is_the_same_for_ever(town):
    await town.paid()
    town.clock.advance(minutes=5)
    known_at = (town.clock() - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = f"{LIST}/trial-balance?date=2026-11-22&known_at={known_at}"
    before = await content(town, asked)
    await town.paid()
    assert await content(town, asked) == before
    assert await content(town, f"{LIST}/trial-balance?date=2026-11-22") != before


async def test_without_a_date_it_is_of_yesterday(town):
    assert b"2026-11-21" in await content(town, f"{LIST}/breaks?format=text")


async def test_no_department_s_credential_reads_it_whatever_its_scopes(town):
    client = await Client(town, Pair()).add("economy", [scope.value for scope in Scope])
    town.keys["token"] = await client.token()
    for whose in ("economy", "roads", "token"):
        for path in (LIST, f"{LIST}/trial-balance", f"{LIST}/none"):
            answer = await town.ask("GET", path, department=whose)
            assert (answer.status, answer.body["code"]) == (403, "missing_scope")


async def test_a_token_of_the_treasury_reads_it_and_names_no_department(town):
    client = await Client(town, Pair()).add(NO_DEPARTMENT, [TreasuryScope.FINANCE_READ.value])
    town.keys["token"] = await client.token()
    assert (await town.ask("GET", LIST, department="token")).status == 200
    assert (await town.ask("GET", "/v1/payment-intents", department="token")).status == 403


async def test_a_department_cannot_make_itself_a_credential_of_the_treasury(town):
    body = {"label": "x", "scopes": ["finance:read"]}
    assert (await town.ask("POST", "/v1/api-keys", body)).status == 422
    keys = {"keys": [Pair().jwk()]}
    assert (await town.ask("POST", "/v1/oauth-clients", {**body, "jwks": keys})).status == 422


@pytest.mark.parametrize(
    ("department", "scopes"),
    [
        ("economy", [Scope.PAYMENTS_READ, TreasuryScope.FINANCE_READ]),
        ("economy", [TreasuryScope.FINANCE_READ]),
        (NO_DEPARTMENT, [Scope.PAYMENTS_READ]),
        (NO_DEPARTMENT, [Scope.PAYMENTS_READ, TreasuryScope.FINANCE_READ]),
        (NO_DEPARTMENT, []),
    ],
)
async def test_the_database_keeps_both_kinds_of_credentials_apart(town, department, scopes):
    with pytest.raises(asyncpg.CheckViolationError):
        await issue_key(town.deps, department, "x", scopes=scopes)
    with pytest.raises(asyncpg.CheckViolationError):
        await Client(town, Pair()).add(department, [scope.value for scope in scopes])


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("trial-balance?date=2026-11-23", 422, "/query/date"),
        ("trial-balance?from=2026-11-20&date=2026-11-21", 422, "/query/from"),
        ("fees?from=2026-11-22&date=2026-11-21", 422, "/query/from"),
        ("revenue?from=2026-11-22&date=2026-11-21", 422, "/query/from"),
        ("trial-balance?known_at=2026-11-22T06:00:00Z", 422, "/query/known_at"),
        ("trial-balance?known_at=yesterday", 422, "/query/known_at"),
        ("trial-balance?department=economy", 422, "/query/department"),
        ("departments", 422, "/query/department"),
        ("departments?department=nobody", 422, "/query/department"),
        ("trial-balance?format=docx", 422, "/query/format"),
        ("trial-balance?language=fr", 422, "/query/language"),
        ("trial-balance?output=/etc/passwd", 422, "/query/output"),
        ("certificate?date=2026-11-21", 404, None),
        ("none", 404, None),
        ("..%2F..%2Fetc", 404, None),
    ],
)
async def test_what_cannot_be_meant_is_refused(town, query, status, pointer):
    answer = await town.ask("GET", f"{LIST}/{query}", department="treasury")
    assert answer.status == status
    assert [fault["pointer"] for fault in answer.body.get("errors", ())] == ([pointer] if pointer else [])


class Told:
    """Writes a report as the test says, step by step."""

    def __init__(self) -> None:
        self.going_on = asyncio.Event()
        self.closed = asyncio.Event()
        self.error: Exception | None = None
        self.pieces = 1

    def reports(self):
        return [FinanceReport(name="told", title_ar="م", title_en="Told", of_a_period=False, of_a_department=False)]

    async def write(self, *_):
        try:
            yield b"the first bytes\n"
            await self.going_on.wait()
            if self.error is not None:
                raise self.error
            for _ in range(self.pieces):
                yield b"x" * 65_536
        finally:
            self.closed.set()


async def test_the_first_bytes_come_while_the_rest_is_still_read(open_town):
    told = Told()
    town = await open_town(finance_reports=told)
    async with got(town, f"{LIST}/told") as response:
        assert await response.content.readline() == b"the first bytes\n"
        assert not told.closed.is_set()
        told.going_on.set()
        assert len(await response.content.read()) == 65_536


async def test_a_report_that_breaks_off_is_never_taken_for_a_whole_one(open_town):
    told = Told()
    told.error = UnavailableError()
    town = await open_town(finance_reports=told)
    async with got(town, f"{LIST}/told") as response:
        assert response.status == 200
        await response.content.readline()
        told.going_on.set()
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    assert told.closed.is_set()
    assert (await town.ask("GET", LIST, department="treasury")).status == 200


async def test_so_many_are_read_at_once_and_no_more(open_town):
    told = Told()
    town = await open_town(finance_reports=told, limits=Limits(finance_reports_at_once=1))
    async with got(town, f"{LIST}/told") as response:
        await response.content.readline()
        refused = await town.ask("GET", f"{LIST}/told", department="treasury")
        assert (refused.status, "Retry-After" in refused.headers) == (503, True)
        told.going_on.set()
        await response.read()
    async with got(town, f"{LIST}/told") as response:
        assert response.status == 200
        await response.read()


async def test_a_reader_that_stalls_lets_its_connection_go(open_town):
    told = Told()
    told.pieces = 1_000
    told.going_on.set()
    town = await open_town(finance_reports=told, limits=Limits(finance_report_stall_s=0.2))
    async with got(town, f"{LIST}/told") as response:
        await asyncio.wait_for(told.closed.wait(), 60)
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_report_that_does_not_begin_in_time_is_refused(open_town):
    class Never(Told):
        async def write(self, *_):
            await asyncio.Event().wait()
            yield b""

    town = await open_town(finance_reports=Never(), limits=Limits(finance_report_s=0.2))
    answer = await town.ask("GET", f"{LIST}/told", department="treasury")
    assert (answer.status, answer.body["code"]) == (503, "unavailable")


async def test_where_nobody_writes_reports_there_are_none(open_town):
    town = await open_town(finance_reports=None)
    assert (await town.ask("GET", LIST, department="treasury")).body["data"] == []
    assert (await town.ask("GET", f"{LIST}/fees", department="treasury")).status == 404


async def test_who_read_what_is_logged(town, capsys):
    await content(town, f"{LIST}/breaks?date={date(2026, 11, 21)}")
    logged = [json.loads(line) if line.startswith("{") else line for line in capsys.readouterr().out.splitlines()]
    assert any("finance_report_read" in str(line) and "breaks" in str(line) for line in logged)
