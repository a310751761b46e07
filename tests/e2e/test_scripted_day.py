"""The scripted day is itself the test: it exits with 0 only when every proof of the books holds."""

import pytest

from ops.demo.day import play_day
from ops.settings import Settings

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(420)]


async def test_hc01_hc12_the_day_proves_its_books():
    """Paid, declined then paid, abandoned, unheard, lost, refunded, late: one cycle of every plan."""
    said: list[str] = []
    assert await play_day(Settings(), payments=20, say=said.append) == 0, "\n".join(said)
    assert said[-1] == "12 of 12 proofs hold."


async def test_hc17_hc29_killing_web_worker_and_postgres_loses_nothing_and_charges_nobody_twice():
    said: list[str] = []
    assert await play_day(Settings(), payments=20, kills=10, say=said.append) == 0, "\n".join(said)
    assert "Killed meanwhile: 2 x postgres, 4 x web, 4 x worker" in said
