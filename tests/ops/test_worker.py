from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from ledger.audit import verify
from ops import worker
from ops.settings import Settings
from ops.worker import nights_due, open_coming_months
from reconciliation.nightly import NightStatus, Requery


def _at(text: str) -> datetime:
    """Read an instant written in Dubai's time, which is four hours ahead of UTC."""
    return datetime.fromisoformat(f"{text}+04:00").astimezone(UTC)


def _night(day: str, status: str, started: str) -> NightStatus:
    return NightStatus(date.fromisoformat(day), status, 1, _at(started), _at(started))


def _due(now: str, *nights: NightStatus) -> list[str]:
    return [day.isoformat() for day in nights_due(_at(now), Settings(), nights)]


DONE_21 = _night("2026-11-21", "done", "2026-11-22T02:00:01")
DONE_22 = _night("2026-11-22", "done", "2026-11-23T02:00:01")


@pytest.mark.parametrize(
    ("now", "nights", "due"),
    [
        ("2026-11-23T01:59:59", [DONE_21], []),
        ("2026-11-23T02:00:00", [DONE_21], ["2026-11-22"]),
        ("2026-11-23T23:59:59", [DONE_21, DONE_22], []),
        ("2026-11-23T02:00:00", [], ["2026-11-22"]),
        ("2026-11-25T03:00:00", [DONE_21, DONE_22], ["2026-11-23", "2026-11-24"]),
        ("2026-11-23T03:00:00", [DONE_21, _night("2026-11-22", "failed", "2026-11-23T02:00:01")], ["2026-11-22"]),
        ("2026-11-23T03:00:00", [DONE_21, _night("2026-11-22", "partial", "2026-11-23T02:10:00")], ["2026-11-22"]),
        ("2026-11-23T03:00:00", [DONE_21, _night("2026-11-22", "done", "2026-11-22T16:00:00")], ["2026-11-22"]),
        ("2026-11-23T03:00:00", [_night("2026-11-21", "failed", "2026-11-22T02:00:01"), DONE_22], ["2026-11-21"]),
    ],
    ids=[
        "before the hour", "at the hour", "done", "a new installation", "after an outage", "failed", "one step by hand",
        "run before the day had ended", "a hole behind a later one",
    ],
)  # fmt: skip
def test_hc25_each_night_is_done_once_at_its_hour_whatever_happened_before(now, nights, due):
    assert _due(now, *nights) == due


def test_a_night_once_run_before_the_books_began_makes_no_other_due():
    nights = [_night("2026-11-01", "done", "2026-11-21T09:00:00"), DONE_21]
    due = nights_due(_at("2026-11-23T03:00:00"), Settings(), nights, date(2026, 11, 21))
    assert [day.isoformat() for day in due] == ["2026-11-22"]
    assert nights_due(_at("2026-11-23T03:00:00"), Settings(), [], date(2026, 11, 23)) == []


@pytest.mark.parametrize("status", ["failed", "running", "partial"])
def test_hc25_a_night_begun_while_the_books_were_empty_is_seen_through(status):
    nights = [_night("2026-11-21", status, "2026-11-22T02:00:01")]
    due = nights_due(_at("2026-11-22T03:00:00"), Settings(), nights, date(2026, 11, 22))
    assert due == [date(2026, 11, 21)]


def test_an_outage_of_years_is_caught_up_for_a_month():
    due = _due("2026-11-23T03:00:00", _night("2020-01-01", "done", "2020-01-02T02:00:01"))
    assert (due[0], due[-1], len(due)) == ("2026-10-23", "2026-11-22", 31)


async def test_every_break_is_asked_about_however_many_are_older(monkeypatch, clock):
    """Fifteen hundred breaks that nothing cures: the youngest is asked about in a few turns, and again in an hour."""
    breaks = [Requery(f"br_{n:04}", "missing_at_provider", "alpha", f"pa_{n:04}", None, None) for n in range(1500)]
    asked: list[str] = []

    async def page(_deps, limit, after):
        return [one for one in breaks if one.break_id > after][:limit]

    async def ask(_deps, references):
        asked.extend(references)

    monkeypatch.setattr(worker, "payments_to_requery", page)
    monkeypatch.setattr(worker, "recheck", ask)
    rechecks = worker.Rechecks(SimpleNamespace(clock=clock, night=None, gateway=None))
    for _ in range(8):
        await rechecks.run()
        clock.advance(minutes=1)
    assert sorted(asked) == [one.reference for one in breaks]
    clock.advance(hours=1)
    for _ in range(4):
        await rechecks.run()
    assert len(asked) == 3000


async def test_months_are_open_before_anybody_posts_into_them(pool, owner, clock):
    months = (
        "SELECT relname FROM pg_class WHERE relname LIKE 'posting_2%' AND relispartition AND relkind = 'r' ORDER BY 1"
    )
    await open_coming_months(pool, clock)
    await open_coming_months(pool, clock)
    assert [row["relname"] for row in await owner.fetch(months)] == ["posting_2026_11", "posting_2026_12"]
    clock.set(datetime(2026, 12, 1, 0, 30, tzinfo=UTC))
    await open_coming_months(pool, clock)
    assert [row["relname"] for row in await owner.fetch(months)][-1] == "posting_2027_01"
    assert (await verify(owner)).findings == []
