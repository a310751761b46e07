"""`mizan ledger`, as a finance officer and as a machine would use it."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.accounts import VAT_PAYABLE, bank_cash, department_payable, provider_receivable
from ledger.entry import Entry, Source, credit, debit
from ledger.journal import post_within
from ledger.money import Money
from ledger.seal import seal_day
from ops.commands.ledger import Books, ledger_group

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CAPTURED = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
SCRIPT = Path(__file__).parents[3] / "docs" / "verify_day.py"


def _entry(reference, minor, currency, at):
    return Entry(
        reference,
        "payment_captured",
        at.date(),
        at,
        (
            debit(provider_receivable("alpha"), Money(minor, currency), reference),
            credit(department_payable("traffic"), Money(minor - 5, currency)),
            credit(VAT_PAYABLE, Money(5, currency)),
        ),
        Source(payment="pi_1", provider="alpha", provider_reference="order-1"),
    )


@pytest.fixture
def mizan(database_url):
    async def fill():
        connection = await asyncpg.connect(database_url)
        entries = [_entry("capture:1", 125_050, "AED", CAPTURED), _entry("capture:2", 1_005, "KWD", CAPTURED)]
        await post_within(connection, entries, recorded_at=CAPTURED + timedelta(seconds=2))
        await connection.close()

    @asynccontextmanager
    async def open_books():
        async with asyncpg.create_pool(
            database_url, min_size=1, max_size=2, server_settings={"role": "mizan_service"}
        ) as pool:
            yield Books(pool=pool, clock=lambda: NOW, zone=ZoneInfo("Asia/Dubai"), signing_key=KEY)

    asyncio.run(fill())
    group = ledger_group(open_books)

    def run(*arguments, code=0):
        result = CliRunner().invoke(group, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result.output

    return run


async def _seal(database_url):
    connection = await asyncpg.connect(database_url)
    await seal_day(
        connection, date(2026, 11, 22), ends_at=datetime(2026, 11, 22, 20, 0, tzinfo=UTC), key=KEY, sealed_at=NOW,
        sealed_by="bilal",
    )  # fmt: skip
    await connection.close()


def _records(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_trial_balance_is_a_table_that_sums(mizan):
    text = mizan("trial-balance")
    assert "Trial balance, AED" in text
    assert "1,250.50" in text
    assert "1.005" in text
    total = next(line for line in text.splitlines() if line.startswith("total"))
    assert total.split()[1:] == ["1,250.50"] * 4


def test_the_trial_balance_looks_back_and_speaks_json(mizan):
    lines = _records(mizan("trial-balance", "--json", "--currency", "AED"))
    assert {line["account"]: line["balance_minor"] for line in lines} == {
        "department:traffic:payable": -125_045,
        "provider:alpha:receivable": 125_050,
        "tax:vat_payable": -5,
    }
    assert mizan("trial-balance", "--json", "--at", "2026-11-22T10:29:59") == ""  # Dubai is four hours ahead
    assert len(_records(mizan("trial-balance", "--json", "--at", "2026-11-22T10:30"))) == 6
    assert mizan("trial-balance", "--known-at", "2026-11-22T06:30:01Z") == "Nothing has been posted.\n"


def test_an_account_is_streamed_with_its_running_balance(mizan):
    text = mizan("account", "provider:alpha:receivable", "--from", "2026-11-22", "--to", "2026-11-23")
    assert "2026-11-22 10:30:00" in text
    assert text.count("1 postings") == 2
    records = _records(mizan("account", "provider:alpha:receivable", "--currency", "KWD", "--json"))
    assert [(r["amount_minor"], r["balance_minor"], r["currency"]) for r in records] == [(1_005, 1_005, "KWD")]


def test_open_items_show_their_age(mizan):
    assert "1d  1h" in mizan("items", "provider:alpha:receivable")
    (item,) = _records(mizan("items", "provider:alpha:receivable", "--currency", "AED", "--json"))
    assert (item["item"], item["age_s"], item["amount_minor"]) == ("capture:1", 91_800, 125_050)


def test_a_journal_is_found_by_number_and_reference(mizan):
    assert mizan("journal", 1) == mizan("journal", "capture:1")
    assert "payment_captured" in mizan("journal", 1)
    (record,) = _records(mizan("journal", 2, "--json"))
    assert record["reference"] == "capture:2"
    assert "there is no journal 9" in mizan("journal", 9, code=1)


def test_a_sealed_day_is_verified_and_exported_for_a_stranger(mizan, tmp_path, database_url):
    asyncio.run(_seal(database_url))
    assert "Proven." in mizan("verify")
    (report,) = _records(mizan("verify", "--json"))
    assert (report["proven"], report["seals"], report["journals"]) == (True, 1, 2)
    path = tmp_path / "day.jsonl"
    mizan("export", "--format", "jsonl", "--day", "2026-11-22", "--output", path)
    command = [sys.executable, "-I", str(SCRIPT), str(path), mizan("key").strip()]
    assert "VERIFIED" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert mizan("export", "--format", "csv").count("\n") == 7


def test_tampering_is_named_and_the_command_fails(mizan, database_url):
    async def tamper():
        connection = await asyncpg.connect(database_url)
        await connection.execute(
            "ALTER TABLE ledger.journal DISABLE TRIGGER ALL; UPDATE ledger.journal SET kind = 'x' WHERE id = 2"
        )
        await connection.close()

    asyncio.run(tamper())
    text = mizan("verify", code=1)
    assert "journal 2: its row, a posting or an account it opened is not as hashed" in text
    assert "NOT PROVEN: 1 findings." in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("account", "cash"), "not in the chart"),
        (("trial-balance", "--at", "noon"), "'noon' is not an instant"),
        (("trial-balance", "--currency", "XYZ"), "'XYZ'"),
        (("export", "--format", "xlsx"), "xlsx"),
        (("account", bank_cash("main"), "--currency", "aed"), "'aed'"),
    ],
)
def test_a_wrong_argument_is_named(mizan, arguments, says):
    assert says in mizan(*arguments, code=2)


def test_a_day_that_is_not_sealed_cannot_be_exported(mizan):
    assert "2026-11-22 is not sealed" in mizan("export", "--day", date(2026, 11, 22), code=1)
