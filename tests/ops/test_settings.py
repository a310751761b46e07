import base64
import dataclasses

import pytest

from ops.settings import Settings, SettingsError, read_settings


def test_defaults_need_no_environment():
    assert read_settings({}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "expects"),
    [
        ("MIZAN_PORT", "eighty", "a whole number from 0 to 65535"),
        ("MIZAN_PORT", "70000", "a whole number from 0 to 65535"),
        ("MIZAN_NIGHT_AT", "25:00", "a time of day"),
        ("MIZAN_TIME_ZONE", "Asia/Atlantis", "a time zone"),
        ("MIZAN_PUBLIC_URL", "pay.example", "an address"),
        ("MIZAN_DEMO", "perhaps", "yes or no"),
        ("DATABASE_URL", "mysql://x", "an address such as postgresql://"),
        ("MIZAN_LOG_LEVEL", "loud", "debug, info"),
        ("MIZAN_TOKEN_KEYS", "c2hvcnQ=", "32 random bytes in base64"),
        ("MIZAN_WEBHOOK_KEYS", "%", "32 random bytes in base64"),
        ("MIZAN_TRUSTED_PROXIES", "10.0.0.1/8", "networks such as"),
    ],
)
def test_an_error_names_the_variable_and_what_it_expects(variable, value, expects):
    with pytest.raises(SettingsError, match=f"{variable} expects {expects}"):
        read_settings({variable: value})


def test_an_unknown_variable_is_refused_rather_than_ignored():
    with pytest.raises(SettingsError, match="MIZAN_PROT is not a setting"):
        read_settings({"MIZAN_PROT": "8080"})


@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+asyncpg://"])
def test_every_spelling_of_the_database_url_is_understood(scheme):
    assert read_settings({"DATABASE_URL": f"{scheme}u@h/d"}).database_url == "postgresql://u@h/d"


def test_provider_settings_are_grouped_by_name():
    settings = read_settings({"MIZAN_PROVIDER_NGENIUS__API_KEY": "k", "MIZAN_PROVIDER_BANK_HOST__BASE_URL": "u"})
    assert settings.providers == {"ngenius": {"api_key": "k"}, "bank_host": {"base_url": "u"}}


def test_shown_settings_hide_every_secret():
    settings = read_settings(
        {
            "DATABASE_URL": "postgresql://u:canary-1@h/d",
            "MIZAN_SECRET": "canary-2",
            "MIZAN_SMTP_PASSWORD": "canary-3",
            "MIZAN_TOKEN_KEYS": base64.b64encode(b"canary-5".ljust(32)).decode(),
            "MIZAN_PROVIDER_NGENIUS__API_KEY": "canary-4",
        }
    )
    shown = "\n".join(" ".join(row) for row in settings.shown())
    assert "canary" not in shown
    assert repr(settings.token_keys) not in shown
    assert all(f.metadata["variable"] in shown for f in dataclasses.fields(settings) if f.metadata)


def test_signing_keys_and_proxies_are_lists():
    seed = base64.b64encode(b"k" * 32).decode()
    settings = read_settings({"MIZAN_TOKEN_KEYS": f"{seed}, {seed}", "MIZAN_TRUSTED_PROXIES": "10.0.0.0/8,::1"})
    assert settings.token_keys == (b"k" * 32, b"k" * 32)
    assert [str(each) for each in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize("wrong", ["100", "AED", "AED 1.234", "ZZZ 1.00", "AED 1.00,AED 2.00", "AED -1.00"])
def test_limits_are_amounts_of_different_currencies(wrong):
    with pytest.raises(SettingsError, match="MIZAN_WRITE_OFF_LIMITS expects amounts"):
        read_settings({"MIZAN_WRITE_OFF_LIMITS": wrong})


def test_a_country_without_a_calendar_and_an_unknown_currency_are_refused():
    with pytest.raises(SettingsError, match="MIZAN_HOLIDAYS_OF expects a country such as AE"):
        read_settings({"MIZAN_HOLIDAYS_OF": "Atlantis"})
    with pytest.raises(SettingsError, match="MIZAN_BANK_CURRENCY expects a currency such as AED"):
        read_settings({"MIZAN_BANK_CURRENCY": "ZZZ"})
