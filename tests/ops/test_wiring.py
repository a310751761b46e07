from dataclasses import replace

import pytest

from adapters.errors import NotSentError
from ops.settings import Settings, SettingsError
from ops.wiring import assemble, kept_secret


async def test_reading_needs_no_bank_and_a_night_without_one_says_what_is_missing(database_url, tmp_path):
    settings = replace(Settings(), home=tmp_path)
    async with assemble(settings, database_url, pool_size_max=2) as parts:
        assert await parts.pool.fetchval("SELECT current_user") == "mizan_service"
        with pytest.raises(NotSentError, match="MIZAN_PROVIDER_BANK_HOST__URL"):
            await parts.night.bank.query_payout("po_1")


async def test_settings_of_a_provider_that_does_not_exist_are_refused_by_name(database_url, tmp_path):
    settings = replace(Settings(), home=tmp_path, providers={"ngenios": {"api_key": "k"}})
    with pytest.raises(SettingsError, match=r"MIZAN_PROVIDER_NGENIOS__… names no provider; there are adyen, altareq"):
        async with assemble(settings, database_url):
            pass


def test_a_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    first = kept_secret(tmp_path, "secret")
    assert kept_secret(tmp_path, "secret") == first
    assert len(first) == 32
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
