"""`mizan nightly` and `mizan report`, as a finance officer types them."""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.contract import Statement, StatementEntry
from ledger.money import Money
from ops.commands.day import seal_command
from ops.commands.finance import finance_command
from ops.commands.night import nightly_command, words
from ops.commands.report import report_command
from ops.commands.running import runner
from reconciliation.deps import BankAccount, Deps

_NUMBERS = itertools.count(1)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class Quiet:
    """A provider and a bank that have nothing to say, but for one credit nobody expected."""

    async def settlement_files(self, _day):
        return
        yield

    async def statements(self, iban, day):
        if day == date(2026, 11, 22):
            money = Money(500, "AED")
            entry = StatementEntry(1, money, day, day, None, None, None, "who knows")
            yield Statement(iban, "1", 1, "AED", day, day, Money(0, "AED"), money, (entry,), "st.xml", "00")


@pytest.fixture
def run(postgres_server, template_database):
    """Run a command line against a database of its own; the command brings its own event loop."""
    name = f"mizan_cli_{os.getpid()}_{next(_NUMBERS)}"
    url = urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))

    async def administer(statement):
        connection = await asyncpg.connect(postgres_server)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(administer(f"CREATE DATABASE {name} TEMPLATE {template_database}"))

    @asynccontextmanager
    async def open_deps():
        async with asyncpg.create_pool(url, min_size=1, max_size=3, server_settings={"role": "mizan_service"}) as pool:
            yield Deps(
                pool=pool, clock=lambda: datetime(2026, 11, 23, 1, 0, tzinfo=UTC), random_bytes=os.urandom,
                settling={"alpha": Quiet()}, bank=Quiet(), account=BankAccount("main", "AE07", "Treasury"),
            )  # fmt: skip

    def invoke(*arguments):
        commands = {
            "nightly": lambda: nightly_command(open_deps),
            "report": lambda: report_command(open_deps),
            "finance": lambda: finance_command(open_deps, lambda: KEY),
            "seal": lambda: seal_command(runner(open_deps), lambda: KEY),
        }
        group = commands[arguments[0]]()
        return CliRunner().invoke(group, arguments[1:])

    yield invoke
    asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))


def test_the_night_of_yesterday_is_the_default_and_its_status_is_shown(run):
    done = run("nightly")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(
        "Night of 2026-11-22\n  settlements  nothing new\n  statements   1 statements, 1 entries\n"
    )
    again = run("nightly")
    assert again.output.count("nothing new") == 5, again.output
    status = run("nightly", "status", "--date", "2026-11-22")
    assert "2026-11-22  done, run 2 times" in status.output
    assert status.output.count(" done ") >= 6
    assert run("nightly", "status").output.startswith("2026-11-22  done")


def test_what_a_draft_comes_to_is_said_in_its_own_currency_and_not_to_be_paid_out():
    counts = {"departments": 2, "lines": 1, "amount_minor": 1_234_500, "released": 0}
    assert words(counts, "KWD") == "2 departments, 1 lines, KWD 1,234.500 to pay out"
    assert words(counts, "AED") == "2 departments, 1 lines, AED 12,345.00 to pay out"


def test_a_rehearsal_one_step_and_what_cannot_be(run):
    rehearsed = run("nightly", "--dry-run").output
    assert rehearsed.startswith("Rehearsal of 2026-11-22")
    assert rehearsed.endswith("they follow what the night posts and sends: match, breaks, confirm\n")
    assert run("nightly", "--step", "breaks").output == "Night of 2026-11-22\n  breaks       nothing new\n"
    future = run("nightly", "--date", "2026-11-24")
    assert (future.exit_code, future.output) == (
        1, "Error: A night runs for a business date that has begun, never for one to come.\n",
    )  # fmt: skip
    never = run("nightly", "status", "--date", "2020-01-01")
    assert (never.exit_code, never.output) == (1, "Error: the night of 2020-01-01 never ran\n")


def test_reports_go_to_the_terminal_or_to_a_file(run, tmp_path):
    text = run("report", "reconciliation")
    assert text.output.startswith("Daily reconciliation · Business date 2026-11-22\n")
    page = tmp_path / "page.html"
    assert run("report", "bank", "--language", "ar", "--format", "html", "--output", str(page)).exit_code == 0
    assert '<html lang="ar" dir="rtl">' in page.read_text()
    kept = page.read_bytes()
    for wrong, why in (
        (("departments", "--department", "nosuch"), "there is no department 'nosuch' in the books"),
        (("bank", "--date", "2026-11-24"), "2026-11-24 has not begun: a report is of a day up to 2026-11-23"),
    ):
        refused = run("report", *wrong, "--output", str(page))
        assert (refused.exit_code, refused.output) == (1, f"Error: {why}\n")
        assert [page.read_bytes(), [each.name for each in tmp_path.iterdir()]] == [kept, ["page.html"]]
    assert run("report", "trial-balance", "--format", "xlsx").exit_code == 2
    assert "name it" in run("report", "remittance").output


def test_finance_decides_bank_details_and_breaks_by_two_people(run):
    details = ("traffic", "--name", "Traffic Department", "--iban", "AE840261001015033304101")
    proposed = run("finance", "propose-payee", *details, "--reason", "first", "--by", "amal")
    change = proposed.output.strip()
    assert change.startswith("pc_")
    own = run("finance", "approve-payee", change, "--by", "amal")
    assert (own.exit_code, own.output) == (1, "Error: Whoever prepared this may not approve it.\n")
    for same in (" amal", "Amal", "", " ", "am\u200bal"):
        assert run("finance", "approve-payee", change, "--by", same).exit_code != 0, same
    assert "to be approved" in run("finance", "payees").output
    assert run("finance", "approve-payee", change, "--by", "bilal").exit_code == 0
    assert run("finance", "payees").output.startswith("traffic  AED  AE840261001015033304101")

    run("nightly")
    break_id = next(word for word in run("report", "breaks").output.split() if word.startswith("br_"))
    shown = run("finance", "break", break_id, "--language", "ar").output
    assert "إيداع بنكي غير معروف" in shown
    assert "التشغيل الليلي: سُجل الفرق" in shown
    assert "دائن  \u2066AED 5.00  treasury:write_offs\u2069" in shown
    assert not any(word in shown for word in ("treasury ", " open ", "raised", "night"))
    assert run("finance", "comment", break_id, "wrote to the bank", "--by", "amal").exit_code == 0
    proposed = run("finance", "propose-resolution", break_id, "write_off", "--reason", "tiny", "--by", "amal")
    journal = ["Debit  AED 5.00  suspense:unidentified 1:1", "Credit  AED 5.00  treasury:write_offs"]
    resolution, *told = proposed.output.splitlines()
    assert [line.strip() for line in told] == journal
    for waiting in (run("finance", "resolutions").output, run("finance", "break", break_id).output):
        shown = [line.strip() for line in waiting.splitlines()]
        heading = shown.index(f"{resolution}  write off, within the limit (write_off), proposed by amal: tiny")
        assert shown[heading + 1 :][:2] == journal
    refused = run("finance", "comment", break_id, " ", "--by", "amal")
    assert (refused.exit_code, refused.output) == (1, "Error: a remark says something\n")
    approved = run("finance", "approve-resolution", resolution, "--by", "bilal", "--note", "agreed by telephone")
    assert approved.output == f"{resolution} is approved\n"
    done = run("finance", "break", break_id).output
    assert "resolved" in done
    assert "bilal: approved write_off agreed by telephone" in done
    assert run("finance", "payouts").output == ""
    assert run("finance", "approve-payout", "po_none", "--by", "huda").exit_code == 1


def test_a_department_is_paid_weekly_by_what_two_people_type(run):
    details = (
        "traffic",
        "--name",
        "Traffic Department",
        "--iban",
        "AE840261001015033304101",
        "--holdback-minor",
        "500",
    )
    first = run("finance", "propose-payee", *details, "--reason", "first", "--by", "amal").output.strip()
    assert run("finance", "approve-payee", first, "--by", "bilal").exit_code == 0
    options = ("--schedule", "weekly", "--weekday", "thursday", "--proof", "banked")
    proposed = run("finance", "propose-payee", "traffic", *options, "--reason", "agreed", "--by", "amal")
    assert proposed.exit_code == 0, proposed.output
    assert run("finance", "payee-change", proposed.output.strip()).output == (
        f"{proposed.output.strip()}  traffic AED  by amal, to be approved: agreed\n"
        "  proof: settled -> banked\n  schedule: daily -> weekly\n  weekday: Monday -> Thursday\n"
    )
    assert run("finance", "payee-change", "pc_none").exit_code == 1
    assert "AED 5.00 held back" in run("finance", "payees").output


def test_a_contract_and_a_holiday_are_set_from_the_command_line(run):
    terms = ("--from", "2026-11-01", "--fee-basis-points", "120", "--settlement-days", "3")
    proposed = run("finance", "contract", "propose", "alpha", *terms, "--reason", "signed", "--by", "amal")
    assert proposed.exit_code == 0, proposed.output
    own = run("finance", "contract", "approve", proposed.output.strip(), "--by", "amal")
    assert (own.exit_code, own.output) == (1, "Error: Whoever prepared this may not approve it.\n")
    assert run("finance", "contract", "approve", proposed.output.strip(), "--by", "bilal").exit_code == 0
    later = ("--from", "2027-01-01", "--no-fee", "--reason", "free", "--by", "amal")
    free = run("finance", "contract", "propose", "alpha", *later).output.strip()
    listed = run("finance", "contract", "list").output
    assert listed.startswith(
        "alpha  from 2026-11-01  file 1, settled 3, credited 2 working days; fee 1.20 % and VAT of 5.00 % on it\n"
    )
    assert listed.endswith(
        f"{free}  alpha  from 2027-01-01  by amal, to be approved: free\n    fee basis points: 120 -> none\n"
    )
    assert run("finance", "contract", "refuse", free, "--by", "bilal").output == f"{free} is refused\n"

    eid = run("finance", "holiday", "add", "2027-03-10", "--name-en", "Eid", "--by", "amal")
    assert eid.output == "2027-03-10 is not worked for everybody\n"
    run("finance", "holiday", "add", "2027-03-10", "--worked", "--provider", "alpha", "--by", "amal")
    assert run("finance", "holiday", "list").output == (
        "2027-03-10  not worked  everybody  Eid\n2027-03-10  worked  alpha\n"
    )
    assert run("finance", "holiday", "remove", "2027-03-10", "--by", "amal").exit_code == 0
    gone = run("finance", "holiday", "remove", "2027-03-10", "--by", "amal")
    assert (gone.exit_code, gone.output) == (1, "Error: nothing is set for 2027-03-10\n")


def test_a_day_is_closed_from_the_command_line_by_two_people(run, tmp_path):
    run("nightly")
    status = run("finance", "day", "status", "2026-11-22")
    assert "has no owner and reason yet" in status.output, status.output
    break_id = status.output.split("2026-11-22  ")[1].split()[0]
    arabic = run("finance", "day", "status", "2026-11-22", "--language", "ar").output
    assert "(إيداع بنكي غير معروف)" in arabic
    assert run("finance", "day", "propose", "2026-11-22", "--by", "amal").exit_code == 1
    explained = run("finance", "explain", break_id, "--owner", "huda", "--reason", "asked the bank", "--by", "amal")
    assert explained.output == f"huda has {break_id}\n"
    assert run("finance", "day", "status").output == "2026-11-22 can be closed\n"
    assert run("finance", "day", "status", "--language", "ar").output == "يمكن إقفال \u20662026-11-22\u2069\n"
    close_id = run("finance", "day", "propose", "2026-11-22", "--by", "amal").output.strip()
    assert run("finance", "day", "list").output == f"{close_id}  2026-11-22  proposed by amal\n"
    assert "may not approve" in run("finance", "day", "approve", close_id, "--by", "amal").output
    approved = run("finance", "day", "approve", close_id, "--by", "bilal")
    assert approved.output.startswith("2026-11-22 is closed: seal 1"), approved.output
    assert "is closed by amal and bilal" in run("finance", "day", "status").output
    assert run("finance", "day", "certificate", "2026-11-22").output.startswith('{"record":"certificate"')
    path = tmp_path / "certificate.pdf"
    done = run("report", "certificate", "--date", "2026-11-22", "--format", "pdf", "--output", str(path))
    assert done.exit_code == 0, done.output
    assert path.read_bytes().startswith(b"%PDF-")


def test_a_day_is_sealed_by_one_command_that_two_people_give(run):
    run("nightly")
    assert run("seal", "2026-11-22", "--by", "amal").exit_code == 1, "a break stands that nobody has explained"
    break_id = run("finance", "day", "status", "2026-11-22").output.split("2026-11-22  ")[1].split()[0]
    run("finance", "explain", break_id, "--owner", "huda", "--reason", "asked the bank", "--by", "amal")
    assert "is proposed by amal" in run("seal", "2026-11-22", "--by", "amal").output
    assert run("seal", "2026-11-22", "--by", "amal").exit_code == 1
    for by in ("bilal", "amal"):
        assert run("seal", "2026-11-22", "--by", by).output == "2026-11-22 is closed: seal 1\n"


def test_a_report_as_known_at_needs_a_past_instant_with_a_zone(run):
    run("nightly")
    ok = run("report", "bank", "--known-at", "2026-11-23T04:00+04:00")
    assert "as known at 2026-11-23 00:00:00 UTC" in ok.output, ok.output
    assert "has no zone" in run("report", "bank", "--known-at", "2026-11-23T04:00").output
    assert "at least a minute past" in run("report", "bank", "--known-at", "2026-11-23T01:00Z").output
    assert "takes no period" in run("report", "bank", "--from", "2026-11-01").output
    assert run("report", "fees", "--from", "2026-11-01", "--date", "2026-11-22").exit_code == 0


def test_matches_mappings_and_advices_from_the_command_line(run, tmp_path):
    run("nightly")
    assert "1. unidentified  suspense:unidentified 1:1" in run("finance", "match", "bank", "1", "1").output
    refused = run("finance", "propose-unmatch", "bank", "1", "1", "--reason", "x", "--by", "amal")
    assert "not matched" in refused.output
    assert run("finance", "unmatches").output == ""
    path = tmp_path / "mapping.csv"
    path.write_text("account,kind,theirs,cost_centre\ndepartment:traffic:payable,,1310,\n")
    assert run("finance", "accounts", "import", "traffic", str(path), "--dry-run", "--by", "amal").output == (
        "1 lines, would be kept\n"
    )
    assert "version 1" in run("finance", "accounts", "import", "traffic", str(path), "--by", "amal").output
    assert run("finance", "accounts", "show", "traffic").output == "department:traffic:payable  *  1310\n"
    path.write_text("account,kind,theirs,cost_centre\nbank:main:cash,,1,\n")
    assert "1 faults" in run("finance", "accounts", "import", "traffic", str(path), "--by", "amal").output
    out = str(tmp_path / "out.csv")
    done = run("finance", "export-journals", "traffic", "--date", "2026-11-22", "--output", out)
    assert "every total agrees" in done.output, done.output
    assert "was not paid" in run("finance", "remittance", "traffic", "--date", "2026-11-22", "--output", out).output
