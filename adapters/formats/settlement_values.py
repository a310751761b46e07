"""Amounts and times as settlement files write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from ledger.money import exponent_of

DIGITS_MAX: Final = 18
HOUR_LENGTH: Final = len("2026-11-22 10")
TEXTS_KEPT_MAX: Final = 50_000
KEPT_LENGTH_MAX: Final = 100
"""Texts read once and remembered, unless they are long; a file repeats its amounts and days."""

_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?", re.ASCII)
_PLAIN: Final = re.compile(r"(\d{0,18})(?:\.(\d{0,18}))?", re.ASCII)
_FIXED: Final = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_DIRECTIVE: Final = re.compile(r"%[A-Za-z%]")


class FeeSums(dict[tuple[str, ...], int]):
    """Sums of a row's fees by their texts: fees are few and repeat, so each set is summed once and remembered."""

    def __init__(self, read: Callable[[str], int]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, texts: tuple[str, ...]) -> int:
        minor = sum(map(self._read, texts))
        if len(self) < TEXTS_KEPT_MAX and sum(map(len, texts)) <= KEPT_LENGTH_MAX:
            self[texts] = minor
        return minor


class Amounts:
    """Reads one currency's amounts: signs before, behind or as brackets, grouped thousands, zeros past the exponent."""

    def __init__(self, currency: str, *, minor_units: bool, decimal_mark: str, rounds: bool = False) -> None:
        self.currency = currency
        self._rounds = rounds
        self._exponent = 0 if minor_units else exponent_of(currency)
        self._decimal_mark = decimal_mark
        # Where the plain spelling has its decimal mark, from the end.
        self._mark_at = slice(-1 - self._exponent, -self._exponent or None)
        self.fee_sums = FeeSums(self.minor)

    def minor(self, text: str) -> int:
        """Return minor units; no text is none. `ValueError` says what is not an amount."""
        digits = text.replace(self._decimal_mark, "", 1)
        # Nearly every amount is spelled plainly, and is read without looking further.
        if text[self._mark_at] == self._decimal_mark and digits.isdigit() and text.isascii():
            if len(digits) > DIGITS_MAX:
                raise ValueError(f"{text[:40]!r} is beyond any amount the books keep")
            return int(digits)
        return self._read(text) if text else 0

    def _read(self, text: str) -> int:
        negative, plain = _unsigned(text)
        if self._decimal_mark == ",":
            plain = plain.translate({ord(","): ".", ord("."): ","})
        if "," in plain:
            # "1,23" where a point marks the decimals may be 1.23 or 123: it is refused, not guessed.
            if _GROUPED.fullmatch(plain) is None:
                raise ValueError(f"{text[:40]!r} is not an amount")
            plain = plain.replace(",", "")
        match = _PLAIN.fullmatch(plain)
        if match is None or not (match[1] or match[2]):
            if text.strip() in {"", "-"}:
                return 0
            raise ValueError(f"{text[:40]!r} is not an amount")
        fraction = match[2] or ""
        exponent = self._exponent
        minor = int((match[1] or "0") + fraction[:exponent].ljust(exponent, "0"))
        if fraction[exponent:].strip("0"):
            if not self._rounds:
                raise ValueError(f"{text[:40]!r} has more decimals than {self.currency}")
            minor += fraction[exponent] >= "5"
        return -minor if negative else minor


def _unsigned(text: str) -> tuple[bool, str]:
    """Take the sign off an amount: a minus before or behind, or brackets; spaces and apostrophes only group."""
    plain = text.strip().replace("\u2212", "-").replace("\u00a0", "").replace(" ", "").replace("'", "")
    negative = False
    if plain[:1] == "(" and plain[-1:] == ")":
        negative, plain = True, plain[1:-1]
    if plain[:1] in {"-", "+"}:
        return negative != (plain[0] == "-"), plain[1:]
    if plain[-1:] == "-":
        return not negative, plain[:-1]
    return negative, plain


Instant = datetime | date


class Times:
    """Reads times in the file's zone, or in the zone its own column names, and gives them in UTC."""

    def __init__(self, formats: tuple[str, ...], zone: str, zone_names: Mapping[str, str]) -> None:
        self._readers = [_reader(form) for form in formats]
        self._zone = ZoneInfo(zone)
        self._zones: dict[str, tzinfo] = {name.upper(): ZoneInfo(zone) for name, zone in zone_names.items()}
        self._offsets: dict[tuple[str, str], timedelta] = {}
        self._days: dict[tuple[str, str], date | None] = {}

    def read(self, text: str, zone: str = "") -> Instant | None:
        """Return a time in UTC, or a day where the file gives no more. `ValueError` when no format fits."""
        # Zones change their offset on the hour, so one look serves every time of that hour.
        offset = self._offsets.get((text[:HOUR_LENGTH], zone))
        if offset is not None:
            try:
                return datetime.fromisoformat(text + "+00:00") - offset
            except ValueError:
                pass
        return self._read(text, zone)

    def _read(self, text: str, zone: str) -> Instant | None:
        for reader in self._readers:
            try:
                found = reader(text)
            except ValueError:
                continue
            if not isinstance(found, datetime):
                return found
            if found.tzinfo is None:
                found = found.replace(tzinfo=self._named(zone.strip()))
                if reader is _iso:
                    self._keep_offset(found, text, zone)
            return found.astimezone(UTC)
        if not text.strip():
            return None
        if text != text.strip():
            return self.read(text.strip(), zone)
        raise ValueError(f"{text[:40]!r} is not a time")

    def _keep_offset(self, at: datetime, text: str, zone: str) -> None:
        if len(self._offsets) >= TEXTS_KEPT_MAX:
            self._offsets.clear()
        self._offsets[text[:HOUR_LENGTH], zone] = at.utcoffset() or timedelta()

    def day(self, text: str, zone: str = "") -> date | None:
        """Return the day as the file's own clock has it."""
        key = text, zone
        if key not in self._days:
            found = self.read(text, zone)
            if len(self._days) >= TEXTS_KEPT_MAX:
                self._days.clear()
            day = found.astimezone(self._named(zone.strip())).date() if isinstance(found, datetime) else found
            if len(text) > KEPT_LENGTH_MAX:
                return day
            self._days[key] = day
        return self._days[key]

    def local_day(self, instant: Instant) -> date:
        return instant.astimezone(self._zone).date() if isinstance(instant, datetime) else instant

    def _named(self, zone: str) -> tzinfo:
        """Return the zone a file names; abbreviations such as PST stand in the profile, since they mean many things."""
        if not zone:
            return self._zone
        found = self._zones.get(zone.upper())
        if found is None:
            try:
                found = ZoneInfo(zone)
            except (LookupError, ValueError, OSError):
                raise ValueError(f"time zone {zone[:40]!r} is not known") from None
            self._zones[zone.upper()] = found
        return found


def _reader(form: str) -> Callable[[str], Instant]:
    """Return a reader of the format; ISO's and those of fixed width are read without the slow general one."""
    has_time = "%H" in form or "%I" in form
    if form in {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "ISO"}:
        return _iso
    directives = _DIRECTIVE.findall(form)
    if all(directive in _FIXED for directive in directives) and {"%Y", "%m", "%d"} <= set(directives):
        return _fixed(form, has_time=has_time)

    def general(text: str) -> Instant:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the file's zone
        return found if has_time else found.date()

    return general


def _iso(text: str) -> Instant:
    if len(text) <= 10:  # noqa: PLR2004 - a date alone
        raise ValueError("a time is expected")
    return datetime.fromisoformat(text)


def _fixed(form: str, *, has_time: bool) -> Callable[[str], Instant]:
    places: dict[str, slice] = {}
    pattern = ""
    at = 0
    for piece in re.split(r"(%[A-Za-z])", form):
        if piece in _FIXED:
            places[piece] = slice(at, at + _FIXED[piece])
            pattern += rf"\d{{{_FIXED[piece]}}}"
            at += _FIXED[piece]
        else:
            pattern += re.escape(piece)
            at += len(piece)
    matches = re.compile(pattern, re.ASCII).fullmatch
    year, month, day = places["%Y"], places["%m"], places["%d"]
    clock = [places[unit] for unit in ("%H", "%M", "%S") if unit in places]

    def fixed(text: str) -> Instant:
        if matches(text) is None:
            raise ValueError("another layout")
        if not has_time:
            return date(int(text[year]), int(text[month]), int(text[day]))
        hour, minute, second = (*(int(text[unit]) for unit in clock), 0, 0)[:3]
        return datetime(int(text[year]), int(text[month]), int(text[day]), hour, minute, second)  # noqa: DTZ001 - the caller adds the zone

    return fixed
