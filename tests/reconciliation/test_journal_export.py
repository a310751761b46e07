"""A department's journals in its own chart of accounts, for the systems departments have."""

import csv
import io
from decimal import Decimal

import pytest

from reconciliation.breaks import Language
from reconciliation.charts import import_mapping, show_mapping
from reconciliation.errors import NotAllowedError, NotFoundError
from reconciliation.journal_export import ExportForm, export_journals
from reconciliation.reports.report import Asked

from .conftest import SUNDAY, entry, line, settlement

MAPPING = """\
account,kind,theirs,cost_centre
department:traffic:payable,,1310-DUE-FROM-TREASURY,CC10
department:traffic:payout_in_transit,,1320-ON-ITS-WAY,CC10
contra,payment_captured,4110-FINES,CC20
contra,refund_accepted,4190-REFUNDS,CC20
"""


@pytest.fixture
async def a_day(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"), ("health", "40.00"))
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(settlement([line(1, "O-pa_1", "140.00")]))
    world.bank.state(entry("140.00", batch="BATCH-1"))
    await world.night()
    return world


async def exported(world, form=ExportForm.CSV):
    asked = Asked(business_date=SUNDAY, language=Language.ENGLISH)
    async with world.pool.acquire() as connection, connection.transaction():
        content = b"".join([chunk async for chunk in export_journals(connection, asked, "traffic", form)])
    return list(csv.DictReader(io.StringIO(content.decode())))


async def test_the_export_is_turned_round_balances_and_shows_no_other_department(a_day):
    await import_mapping(a_day.deps, "traffic", MAPPING.encode(), by="amal")
    rows = await exported(a_day)
    assert [(row["kind"], row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("payment_captured", "1310-DUE-FROM-TREASURY", "100.00", ""),
        ("payment_captured", "4110-FINES", "", "100.00"),
        ("refund_accepted", "1310-DUE-FROM-TREASURY", "", "30.00"),
        ("refund_accepted", "4190-REFUNDS", "30.00", ""),
        ("payout_instructed", "1310-DUE-FROM-TREASURY", "", "70.00"),
        ("payout_instructed", "1320-ON-ITS-WAY", "70.00", ""),
    ]
    sums = [sum(Decimal(row[side] or "0") for row in rows) for side in ("debit", "credit")]
    assert sums[0] == sums[1] == Decimal("200.00")
    due = sum(Decimal(row["debit"] or "0") - Decimal(row["credit"] or "0") for row in rows
              if row["account"].startswith("1310"))  # fmt: skip
    assert due == -Decimal((await a_day.balances()).get("department:traffic:payable", "0"))


async def test_oracle_and_sap_take_the_same_sums(a_day):
    await import_mapping(a_day.deps, "traffic", MAPPING.encode(), by="amal")
    oracle = await exported(a_day, ExportForm.ORACLE)
    assert {row["STATUS"] for row in oracle} == {"NEW"}
    assert sum(Decimal(row["ENTERED_DR"] or "0") for row in oracle) == Decimal("200.00")
    assert oracle[0]["ACCOUNTING_DATE"] == "2026/11/22"
    sap = await exported(a_day, ExportForm.SAP)
    assert [row["BSCHL"] for row in sap] == ["40", "50", "50", "40", "50", "40"]
    assert sum(Decimal(row["WRBTR"]) for row in sap if row["BSCHL"] == "50") == Decimal("200.00")
    assert {len(row["BUDAT"]) for row in sap} == {8}


async def test_an_account_without_a_counterpart_is_refused_by_name(a_day):
    with pytest.raises(NotFoundError, match="no mapping"):
        await exported(a_day)
    without = MAPPING.replace("contra,refund_accepted,4190-REFUNDS,CC20\n", "").replace(
        "department:traffic:payout_in_transit,,1320-ON-ITS-WAY,CC10\n", ""
    )
    await import_mapping(a_day.deps, "traffic", without.encode(), by="amal")
    with pytest.raises(NotAllowedError) as refused:
        await exported(a_day)
    assert "contra (refund_accepted), department:traffic:payout_in_transit (payout_instructed)" in str(refused.value)


async def test_a_mapping_is_kept_whole_or_not_at_all(a_day):
    wrong = (
        "account,kind,theirs,cost_centre\ndepartment:health:payable,,1,\ndepartment:traffic:nothing,,1,\n"
        "contra,x,,\ncontra,y,1,\ncontra,y,2,\n"
    )
    done = await import_mapping(a_day.deps, "traffic", wrong.encode(), by="amal")
    assert done.version is None
    assert [fault.split(":")[0] for fault in done.faults] == ["line 2", "line 3", "line 4", "line 6"]
    assert (
        (await import_mapping(a_day.deps, "traffic", b"a,b\n", by="amal")).faults[0].startswith("line 1: the columns")
    )
    rehearsed = await import_mapping(a_day.deps, "traffic", MAPPING.encode(), by="amal", dry_run=True)
    assert (rehearsed.version, rehearsed.lines, rehearsed.faults) == (None, 4, ())
    with pytest.raises(NotFoundError):
        await show_mapping(a_day.deps, "traffic")
    assert (await import_mapping(a_day.deps, "traffic", MAPPING.encode(), by="amal")).version == 1
    assert (await import_mapping(a_day.deps, "traffic", MAPPING.encode(), by="amal")).version == 2
    assert (await show_mapping(a_day.deps, "traffic"))[0].theirs == "4110-FINES"
