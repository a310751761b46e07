"""The only reader of the environment: every setting with its variable, what it expects and what it defaults to."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import list_supported_countries

from ledger.errors import LedgerError
from ledger.money import Money, exponent_of
from ops.running import running_environment

_PROVIDER: Final = re.compile(r"MIZAN_PROVIDER_([A-Z0-9]+(?:_[A-Z0-9]+)*?)__([A-Z0-9_]+)")
_PORT_MAX: Final = 65_535
_DIGITS_MAX: Final = 18
_SEED_BYTES: Final = 32


class SettingsError(ValueError):
    """A variable's value is not what the setting expects; the message names both."""


def _text(value: str) -> str:
    return value


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > _DIGITS_MAX or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return read


def _switch(value: str) -> bool:
    if value not in ("yes", "no"):
        raise ValueError("yes or no")
    return value == "yes"


def _currency(value: str) -> str:
    try:
        exponent_of(value)
    except LedgerError:
        raise ValueError("a currency such as AED") from None
    return value


def _country(value: str) -> str:
    if value not in list_supported_countries():
        raise ValueError("a country such as AE")
    return value


def _amounts(value: str) -> tuple[Money, ...]:
    """Read amounts of different currencies, separated by commas."""
    try:
        parts = [part.split() for part in value.split(",")]
        amounts = tuple(Money.parse(number, currency) for currency, number in parts)
    except (LedgerError, ValueError):
        amounts = ()
    if not amounts or len({each.currency for each in amounts}) < len(amounts):
        raise ValueError("amounts such as AED 100.00,KWD 10.000, one for a currency")
    if any(each.amount_minor < 0 for each in amounts):
        raise ValueError("amounts of zero or more")
    return amounts


def _hour(value: str) -> time:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("a time of day such as 02:00")
    return time.fromisoformat(value)


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone such as Asia/Dubai") from None


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[^\s]*)?", value):
        raise ValueError("an address such as https://pay.example.gov")
    return value.rstrip("/")


def _seeds(value: str) -> tuple[bytes, ...]:
    """Read private keys of 32 bytes in base64, separated by commas: the first signs, all are published."""
    try:
        seeds = tuple(base64.b64decode(part.strip(), validate=True) for part in value.split(","))
    except ValueError:
        seeds = ()
    if not seeds or any(len(seed) != _SEED_BYTES for seed in seeds):
        raise ValueError("32 random bytes in base64; several with commas, the one that signs first")
    return seeds


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(","))
    except ValueError:
        raise ValueError("networks such as 10.0.0.0/8,192.0.2.7") from None


def _database(value: str) -> str:
    value = re.sub(r"^postgres(ql)?(\+asyncpg)?://", "postgresql://", value)
    if not value.startswith("postgresql://"):
        raise ValueError("an address such as postgresql://user@host/database")
    return value


def _level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("debug, info, warning or error")
    return value.lower()


def _set(variable: str, read: Callable[[str], Any], default: Any, about: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"variable": variable, "read": read, "about": about, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator may set. `read_settings` makes it; nothing else looks at the environment."""

    database_url: str | None = _set(
        "DATABASE_URL", _database, None, "your own PostgreSQL (15 or newer); embedded when unset", secret=True
    )
    home: Path = _set("MIZAN_HOME", Path, Path(".mizan"), "folder of the embedded data, keys and files")
    postgres_binaries: Path | None = _set("MIZAN_POSTGRES_BINARIES", Path, None, "folder with postgres and initdb")
    host: str = _set("MIZAN_HOST", _text, "127.0.0.1", "address the web process listens on")
    port: int = _set("MIZAN_PORT", _whole(0, _PORT_MAX), 8080, "port the web process listens on")
    operations_port: int = _set(
        "MIZAN_OPERATIONS_PORT", _whole(1, _PORT_MAX - 1), 9090, "port of /metrics, /healthz and /readyz"
    )
    simulators_port: int = _set(
        "MIZAN_SIMULATORS_PORT", _whole(1, _PORT_MAX - 10), 8090, "first port of the provider simulators"
    )
    public_url: str | None = _set("MIZAN_PUBLIC_URL", _url, None, "address citizens and providers reach us at")
    secret: str | None = _set(
        "MIZAN_SECRET", _text, None, "key of checkout tokens and forms; kept in MIZAN_HOME when unset", secret=True
    )
    token_keys: tuple[bytes, ...] = _set(
        "MIZAN_TOKEN_KEYS", _seeds, (), "signing keys of access tokens; derived from the secret when unset", secret=True
    )
    webhook_keys: tuple[bytes, ...] = _set(
        "MIZAN_WEBHOOK_KEYS", _seeds, (), "signing keys of webhooks (v1a); derived likewise when unset", secret=True
    )
    data_keys: tuple[bytes, ...] = _set(
        "MIZAN_DATA_KEYS",
        _seeds,
        (),
        "keys that seal webhook secrets; derived likewise when unset",
        secret=True,
    )
    requests_per_minute: int = _set(
        "MIZAN_REQUESTS_PER_MINUTE", _whole(1, 10**7), 6_000, "what one caller may send to one endpoint, a web process"
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _set(
        "MIZAN_TRUSTED_PROXIES", _networks, (), "networks whose X-Forwarded-For is believed, such as 10.0.0.0/8"
    )
    time_zone: ZoneInfo = _set("MIZAN_TIME_ZONE", _zone, ZoneInfo("Asia/Dubai"), "zone of the business day")
    night_at: time = _set("MIZAN_NIGHT_AT", _hour, time(2, 0), "when the worker runs the night")
    log_level: str = _set("MIZAN_LOG_LEVEL", _level, "info", "debug, info, warning or error")
    government_en: str = _set("MIZAN_GOVERNMENT_EN", _text, "Government Payments", "name on the pages, English")
    government_ar: str = _set("MIZAN_GOVERNMENT_AR", _text, "المدفوعات الحكومية", "name on the pages, Arabic")
    bank_iban: str = _set("MIZAN_BANK_IBAN", _text, "AE070331234567890123456", "our own collection account")
    bank_account: str = _set("MIZAN_BANK_ACCOUNT", _text, "main", "its name in the chart of accounts")
    bank_name: str = _set("MIZAN_BANK_NAME", _text, "Government Treasury", "its holder, as the bank writes it")
    bank_bic: str | None = _set("MIZAN_BANK_BIC", _text, None, "its bank's BIC")
    bank_currency: str = _set("MIZAN_BANK_CURRENCY", _currency, "AED", "its currency, in which departments are paid")
    holidays_of: str = _set("MIZAN_HOLIDAYS_OF", _country, "AE", "country whose weekends and holidays are kept")
    look_back_days: int = _set(
        "MIZAN_LOOK_BACK_DAYS", _whole(0, 366), 7, "how many days back files are asked for, each night"
    )
    rematch_days: int = _set(
        "MIZAN_REMATCH_DAYS", _whole(0, 3660), 90, "how long what nobody could match is tried again"
    )
    confirm_days: int = _set(
        "MIZAN_CONFIRM_DAYS", _whole(0, 90), 1, "working days until a payout must be on the statement"
    )
    payee_cooling_off_hours: int = _set(
        "MIZAN_PAYEE_COOLING_OFF_HOURS", _whole(0, 24 * 90), 48, "how long an approved change of bank details waits"
    )
    write_off_limits: tuple[Money, ...] = _set(
        "MIZAN_WRITE_OFF_LIMITS",
        _amounts,
        (Money(10_000, "AED"),),
        "the most two people may write off at once, by currency; nothing of a currency not named",
    )
    payout_approval_limit_minor: int = _set(
        "MIZAN_PAYOUT_APPROVAL_LIMIT_MINOR",
        _whole(0, 10**15),
        0,
        "payouts up to this many minor units are approved by policy; above it a second person approves",
    )
    smtp_host: str | None = _set("MIZAN_SMTP_HOST", _text, None, "mail server; messages.txt in MIZAN_HOME when unset")
    smtp_port: int = _set("MIZAN_SMTP_PORT", _whole(1, _PORT_MAX), 587, "its port")
    smtp_user: str | None = _set("MIZAN_SMTP_USER", _text, None, "its user")
    smtp_password: str | None = _set("MIZAN_SMTP_PASSWORD", _text, None, "its password", secret=True)
    smtp_sender: str = _set("MIZAN_SMTP_SENDER", _text, "no-reply@payments.example", "From of our e-mail")
    smpp_host: str | None = _set("MIZAN_SMPP_HOST", _text, None, "SMS centre (SMPP); texts go to the log when unset")
    smpp_port: int = _set("MIZAN_SMPP_PORT", _whole(1, _PORT_MAX), 2775, "its port")
    smpp_user: str = _set("MIZAN_SMPP_USER", _text, "", "its system id")
    smpp_password: str = _set("MIZAN_SMPP_PASSWORD", _text, "", "its password", secret=True)
    smpp_sender: str = _set("MIZAN_SMPP_SENDER", _text, "GovPay", "name or number our texts come from")
    private_webhooks: bool = _set(
        "MIZAN_PRIVATE_WEBHOOKS", _switch, False, "deliver webhooks to private addresses (demo and tests only)"
    )
    demo: bool = _set("MIZAN_DEMO", _switch, False, "show the test banner and the demo's addresses")
    clock_file: Path | None = _set("MIZAN_CLOCK_FILE", Path, None, "file with the demo's shift of the clock")
    providers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Settings of each provider, from `MIZAN_PROVIDER_{NAME}__{KEY}`, names and keys in lower case."""

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Yield variable, value and meaning of each setting, with secrets hidden."""
        for each in fields(self):
            if each.name == "providers":
                continue
            value = getattr(self, each.name)
            hidden = each.metadata["secret"] and value not in (None, ())
            yield each.metadata["variable"], "(hidden)" if hidden else _plain(value), each.metadata["about"]
        for name, keys in sorted(self.providers.items()):
            for key, value in sorted(keys.items()):
                hidden = not key.endswith(("url", "outlet", "realm", "iban"))
                yield f"MIZAN_PROVIDER_{name}__{key}".upper(), "(hidden)" if hidden else value, f"of provider {name}"


def _plain(value: object) -> str:
    if value in (None, ()):
        return "(unset)"
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every setting; `SettingsError` names a variable that is wrong, or that nobody knows.

    Without an environment given, the process's own is read, over that of a Mizan which runs on the same home folder:
    so a command typed beside a running demo reaches it.
    """
    if environment is None:
        home = Path(os.environ.get("MIZAN_HOME") or ".mizan")
        environment = {**running_environment(home), **os.environ}
    if not environment.get("DATABASE_URL") and (environment.get("PGHOST") or environment.get("PGSERVICE")):
        environment = {**environment, "DATABASE_URL": "postgresql://"}  # asyncpg itself reads the PG* variables
    values: dict[str, Any] = {}
    variables = {}
    for each in fields(Settings):
        if each.name == "providers":
            continue
        variable = each.metadata["variable"]
        variables[variable] = each
        if raw := environment.get(variable, "").strip():
            try:
                values[each.name] = each.metadata["read"](raw)
            except ValueError as error:
                raise SettingsError(f"{variable} expects {error}") from None
    providers: dict[str, dict[str, str]] = {}
    for variable, raw in environment.items():
        if match := _PROVIDER.fullmatch(variable):
            providers.setdefault(match[1].lower(), {})[match[2].lower()] = raw
        elif variable.startswith("MIZAN_") and variable not in variables:
            raise SettingsError(f"{variable} is not a setting of Mizan; `mizan config` lists them")
    return Settings(**values, providers=providers)
