from datetime import UTC, date, datetime

import pytest

from ops.settings import Settings
from ops.worker import nights_due


def _at(text: str) -> datetime:
    """Read an instant written in Dubai's time, which is four hours ahead of UTC."""
    return datetime.fromisoformat(f"{text}+04:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "done", "due"),
    [
        ("2026-11-23T01:59:59", date(2026, 11, 21), []),
        ("2026-11-23T02:00:00", date(2026, 11, 21), [date(2026, 11, 22)]),
        ("2026-11-23T23:59:59", date(2026, 11, 22), []),
        ("2026-11-23T02:00:00", None, [date(2026, 11, 22)]),
        ("2026-12-02T03:00:00", date(2026, 11, 28), [date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1)]),
        ("2026-11-23T05:00:00", date(2026, 11, 23), []),
    ],
    ids=["before the hour", "at the hour", "done", "a new installation", "after an outage", "run ahead by hand"],
)
def test_hc25_each_night_is_due_once_at_its_hour_and_missed_ones_are_caught_up(now, done, due):
    assert nights_due(_at(now), Settings(), done) == due


def test_an_outage_of_years_is_caught_up_for_a_month():
    due = nights_due(_at("2026-11-23T03:00:00"), Settings(), date(2020, 1, 1))
    assert (due[0], due[-1], len(due)) == (date(2026, 10, 23), date(2026, 11, 22), 31)
