"""What leaves the ledger, others can check: beancount, hledger, a spreadsheet, and a script with no code of ours."""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.decisions import archive_month, set_floor
from ledger.entry import Source, reversal
from ledger.errors import SealError
from ledger.export import Form, export, sealed_day, whole
from ledger.journal import post_within
from ledger.money import Money
from ledger.seal import seal_day
from ledger.statements import trial_balance

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_day.py"
DAYS = (date(2026, 10, 30), date(2026, 11, 20), date(2026, 11, 21))


async def _seal(connection, day):
    ends_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    await seal_day(connection, day, ends_at=ends_at, key=KEY, sealed_at=ends_at, sealed_by="an officer")


@pytest.fixture
async def connection(pool, make_capture):
    """Books over two months in currencies of two, three and no decimals, with names that need quoting."""
    async with pool.acquire() as connection:
        number = 0
        await set_floor(connection, "department:d_1:payable", Money(0, "AED"), reason="r", decided_by="o",
                        recorded_at=datetime(2026, 10, 30, tzinfo=UTC))  # fmt: skip
        for day in DAYS:
            at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
            batch = []
            for currency in ("AED", "KWD", "JPY"):
                for department in ("d-1", "d_1"):
                    number += 1
                    more = {"description": 'a "quoted" \\ text; with: marks', "at": at, "department": department}
                    batch.append(make_capture(f"c:{number}", 1_000 + number, currency=currency, **more))
            undo = reversal(batch[0], reference=f"undo:{number}", corrects=1, business_date=day, effective_at=at)
            await post_within(connection, batch, recorded_at=at)
            await post_within(connection, [undo], recorded_at=at)
            await _seal(connection, day)
        await post_within(connection, [make_capture("open", at=datetime(2026, 11, 22, tzinfo=UTC))],
                          recorded_at=datetime(2026, 11, 22, tzinfo=UTC))  # fmt: skip
        await archive_month(connection, date(2026, 10, 1))
        yield connection


async def _write(connection, form, path, extent=None):
    with path.open("w", newline="") as file:
        async for piece in export(connection, form, extent or await whole(connection)):
            file.write(piece)
    return path


async def _balances(connection):
    return {
        (line.account, line.currency): Decimal(line.balance.decimal())
        for line in await trial_balance(connection)
        if line.balance
    }


def _verify(path, key=PUBLIC):
    command = [sys.executable, "-I", str(SCRIPT), str(path), key]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)


async def test_beancount_accepts_the_books_and_comes_to_our_balances(connection, tmp_path):
    from beancount import loader
    from beancount.core.data import Open
    from beancount.core.realization import iter_children, realize

    path = await _write(connection, Form.BEANCOUNT, tmp_path / "books.beancount")
    checker = Path(sys.executable).with_name("bean-check")
    checked = subprocess.run([checker, path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    paths = {entry.account: entry.meta["path"] for entry in entries if isinstance(entry, Open)}
    found = {
        (paths[real.account], position.units.currency): position.units.number
        for real in iter_children(realize(entries))
        for position in real.balance
    }
    assert found == await _balances(connection)


async def test_beancount_refuses_the_books_when_an_amount_is_changed(connection, tmp_path):
    path = await _write(connection, Form.BEANCOUNT, tmp_path / "books.beancount")
    text = path.read_text()
    path.write_text(text.replace("10.01 AED", "10.02 AED", 1))
    checker = Path(sys.executable).with_name("bean-check")
    assert subprocess.run([checker, path], capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
async def test_hledger_accepts_the_books_and_comes_to_our_balances(connection, tmp_path):
    path = await _write(connection, Form.HLEDGER, tmp_path / "books.journal")
    subprocess.run(["hledger", "-f", path, "check", "--strict"], check=True, capture_output=True)
    balances = ["hledger", "-f", path, "balance", "--flat", "--layout=tidy", "-O", "csv"]
    table = subprocess.run(balances, check=True, capture_output=True, text=True)
    found = {
        (row["account"], row["commodity"]): Decimal(row["value"]) for row in csv.DictReader(io.StringIO(table.stdout))
    }
    assert {key: value for key, value in found.items() if value} == await _balances(connection)


async def test_the_spreadsheet_sums_to_our_balances(connection, tmp_path):
    path = await _write(connection, Form.CSV, tmp_path / "books.csv")
    sums = defaultdict(Decimal)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            sums[row["account"], row["currency"]] += Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
    assert {key: value for key, value in sums.items() if value} == await _balances(connection)


async def test_a_stranger_verifies_the_whole_books_and_each_day(connection, tmp_path):
    path = await _write(connection, Form.JSONL, tmp_path / "books.jsonl")
    answer = _verify(path)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "VERIFIED: 3 sealed, 21 journals; 1 after" in answer.stdout
    for day in DAYS:
        path = await _write(connection, Form.JSONL, tmp_path / f"{day}.jsonl", await sealed_day(connection, day))
        answer = _verify(path)
        assert "VERIFIED: 1 sealed, 7 journals; 0 after" in answer.stdout, answer.stdout + answer.stderr
    with pytest.raises(SealError, match="2026-11-22 is not sealed"):
        await sealed_day(connection, date(2026, 11, 22))


async def test_a_stranger_finds_any_change_of_a_signed_day(connection, tmp_path):
    path = await _write(connection, Form.JSONL, tmp_path / "day.jsonl", await sealed_day(connection, DAYS[1]))
    lines = path.read_text().splitlines()
    changed = 0
    for index, line in enumerate(lines):
        record = json.loads(line)
        for name, value in record.items():
            # A seal before the day is only where it begins; accounts opened earlier are not part of the day.
            if name == "record" or (record["record"] == "account" and name not in ("id", "path", "currency")):
                continue
            if name == "postings":
                other = [{**value[0], "amount_minor": value[0]["amount_minor"] + 1}, *value[1:]]
            elif isinstance(value, bool):
                other = not value
            elif isinstance(value, int):
                other = value + 1
            elif isinstance(value, str) and value:
                other = value[:-1] + ("1" if value[-1] != "1" else "2")
            else:
                other = 5 if name in ("line", "corrects", "floor_minor") else "2026-01-01" if "late" in name else "x"
            path.write_text("\n".join([*lines[:index], json.dumps({**record, name: other}), *lines[index + 1 :]]))
            assert "BROKEN:" in _verify(path).stdout, (record["record"], name)
            changed += 1
            if record["record"] == "journal" and index % 3:
                break
    assert changed > 60
    path.write_text("\n".join([line for line in lines if '"record":"journal"' not in line]))
    assert _verify(path).returncode == 1


async def test_another_key_verifies_nothing(connection, tmp_path):
    path = await _write(connection, Form.JSONL, tmp_path / "books.jsonl")
    answer = _verify(path, Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex())
    assert "BROKEN: seal 1 is not signed with the given key" in answer.stdout


async def test_an_archived_month_is_still_read(connection):
    before = await trial_balance(connection, at=datetime(2026, 10, 30, 9, tzinfo=UTC))
    assert len(before) == 12
    assert sum(line.balance.amount_minor for line in before) == 0


async def test_empty_books_export(pool, tmp_path):
    async with pool.acquire() as connection:
        for form in Form:
            await _write(connection, form, tmp_path / form.value)
    assert (tmp_path / "jsonl").read_text() == ""


def test_the_source_is_kept_in_every_form():
    assert {"payment", "provider", "provider_reference", "file", "line"} == set(Source.__dataclass_fields__)
