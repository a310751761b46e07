"""HC-21: what came and could not be read is kept by name, hash, reason and figures, and said in both languages."""

from datetime import timedelta

import msgspec
import pytest

from adapters.errors import FileRefusedError, naming
from reconciliation.break_words import sentence
from reconciliation.breaks import Action, BreakType, Language, suggested
from reconciliation.reports.catalogue import Format, build_report, render

from .conftest import MONDAY, SUNDAY, TUESDAY, aed, entry


def refused(name, reason, **more):
    with pytest.raises(FileRefusedError) as caught, naming(name, name.encode()):
        raise FileRefusedError(reason, **more)
    return caught.value


async def page(world, language, day=SUNDAY):
    async with world.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, "files", day, language)
        return b"".join([chunk async for chunk in render(report, Format.TEXT)]).decode()


async def told(world, kind):
    row = await world.pool.fetchrow("SELECT detail::text, leg FROM reconciliation.break WHERE type = $1", kind)
    detail = msgspec.json.decode(row["detail"])
    return [sentence(BreakType(kind), detail, language) for language in Language], row["leg"]


async def test_a_refused_file_is_registered_once_and_its_reason_is_said_in_both_languages(world):
    cut = refused("settlement-22.csv", "the row of totals is missing; the file is cut off", cause="cut_off")
    world.provider.put(cut)
    await world.night()
    await world.night()

    (english, arabic), _ = await told(world, "file_refused")
    assert english == "settlement-22.csv of alpha was refused: the row of totals is missing; the file is cut off."
    assert "الملف مبتور (\u2066the row of totals is missing; the file is cut off\u2069)" in arabic
    kept = await world.pool.fetch("SELECT source, leg, name, sha256, reason FROM reconciliation.refused_file")
    assert [tuple(row) for row in kept] == [("alpha", "provider", "settlement-22.csv", cut.sha256, "cut_off")]
    assert "settlement-22.csv" in await page(world, Language.ENGLISH)
    assert "ملف مرفوض" in await page(world, Language.ARABIC)


async def test_a_total_that_is_not_the_lines_is_its_own_break_with_both_figures(world):
    world.provider.put(
        refused("s.csv", "the file states", cause="total_not_lines", stated=aed("100.01"), found=aed("100.00"))
    )
    await world.night()

    (english, _), _ = await told(world, "total_not_lines")
    assert "states AED 100.01; its lines sum to AED 100.00" in english
    shown = await page(world, Language.ENGLISH)
    assert "Total is not the sum of lines" in shown
    assert "AED 100.01" in shown


async def test_a_refused_statement_is_raised_with_the_bank(world):
    world.bank.days[SUNDAY] = [refused("camt-1.xml", "the file is not XML")]
    await world.night()

    (english, arabic), leg = await told(world, "file_refused")
    assert english == "camt-1.xml of main was refused: the file is not XML."
    assert "تعذرت قراءته" in arabic
    assert Action.ASK_BANK in suggested(BreakType.FILE_REFUSED, leg)
    assert Action.ASK_PROVIDER not in suggested(BreakType.FILE_REFUSED, leg)
    assert "camt-1.xml" in await page(world, Language.ENGLISH)


async def test_a_statement_that_came_late_says_so(world):
    world.bank.state(entry("1.00", remittance="?"))
    await world.night()
    late = world.bank.state(entry("2.00", remittance="?", day=MONDAY), day=MONDAY)
    world.bank.days[MONDAY] = []
    for ahead in (1, 2, 3):
        await world.night(SUNDAY + timedelta(days=ahead))
    world.bank.days[MONDAY] = [late]
    thursday = TUESDAY + timedelta(days=2)
    await world.night(thursday)

    (english, _), leg = await told(world, "file_late")
    assert (leg, english.startswith("main sent camt053-0002.xml for 2026-11-23 late")) == ("bank", True)
    shown = [one for one in (await page(world, Language.ENGLISH, MONDAY)).splitlines() if "camt053-0002" in one]
    assert shown[-1].count("2026-11-23") == 2
