"""The readers of files: statements, the bank's answers, settlements, and the commands that show them."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from click.testing import CliRunner

from adapters.adyen.settlement import read_settlement as read_adyen_report
from adapters.errors import FileRefusedError
from adapters.formats.camt import read_camt
from adapters.formats.csv_profile import read_settlements, stream_settlement
from adapters.formats.mt940 import read_mt940
from adapters.formats.pain002 import read_status_report
from adapters.formats.profiles import GENERIC, PROFILES
from adapters.formats.settlement_profile import ProfileError, SettlementProfile, read_profile
from adapters.formats.statement_file import read_statement_file
from adapters.manifest import SettingsError
from adapters.ngenius.settlement import read_profile as read_overlay
from ops.commands.inspect import settlement_group, statement_group
from tests.fuzz import file_seeds as seeds
from tests.fuzz.target import BrokenRuleError, Target

_LAYOUTS: Final = (*PROFILES.values(), seeds.XML_PROFILE, seeds.COMMA_PROFILE)
_REFUSED: Final = (FileRefusedError,)
_XML_WORDS: Final = (
    b"<", b"/>", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml ?>", b"&amp;", b"&#0;", b"&#xD800;",
    b'xmlns="x"', b"encoding='utf-16'", b"<Ntry>", b"</Ntry>", b"<TxDtls>", b"</TxDtls>", b"<Stmt>", b"</Stmt>",
    b'<Amt Ccy="KWD">1.234</Amt>', b"<CdtDbtInd>DBIT</CdtDbtInd>", b"<RvslInd>true</RvslInd>", b"<Sts>BOOK</Sts>",
    b"<Btch><NbOfTxs>2</NbOfTxs></Btch>", b"<Bal>", b"<Cd>ITBD</Cd>",
    b"<BookgDt><DtTm>2026-11-22T10:00:00Z</DtTm></BookgDt>", b"9999999999999999.99", b"0000-00-00",
)  # fmt: skip
_SWIFT_WORDS: Final = (
    b"\n:20:", b"\n:25:", b"\n:28C:1/1", b"\n:60F:C261121AED0,", b"\n:60M:D", b"\n:61:2611221122C1,NTRFX//Y",
    b"\n:86:/EREF/", b"?20", b"?32", b"/REMI/", b"/ORDP//NAME/", b"\n:62F:", b"\n:62M:", b"\n:64:", b"\n-}", b"{4:\n",
    b"\n:34F:AEDC0,", b"\n:13D:2611220000+0400", b"\n:90C:1AED1,", b"RC", b"RD", b",", b"000000", b"991332",
    b"RF18539007547034", b"\x1a", b"\r",
)  # fmt: skip
_TABLE_WORDS: Final = (
    b",", b";", b"\t", b"|", b'"', b'""', b"\n", b"\r\n", b"-", b"(1.00)", b"1,000.00", b"0.005", b"TOTAL", b"AED",
    b"KWD", b"JPY", b"ZZZ", b"PST", b"Asia/Dubai", b"../etc/passwd", b"2026-11-21 10:00:00", b"9999-12-31 23:59:59",
    b"0001-01-01 00:00:00", b"Settled", b"Refunded", b"MerchantPayout", b"Fee", b"SB", b"SC", b"99999999999999999999",
    b"\xe2\x88\x92", b"\xd9\xa3", b"\0",
)  # fmt: skip


def _camt(data: bytes) -> object:
    return list(read_camt(io.BytesIO(data)))


def _swift(data: bytes) -> object:
    return list(read_mt940(io.BytesIO(data)))


def _statement(data: bytes) -> object:
    name, parts = read_statement_file(io.BytesIO(data))
    return name, list(parts)


def _layout(data: bytes) -> tuple[SettlementProfile, bytes]:
    """Take the first byte as the layout to read by."""
    return (_LAYOUTS[data[0] % len(_LAYOUTS)], data[1:]) if data else (GENERIC, b"")


def _table(data: bytes) -> object:
    profile, body = _layout(data)
    return list(stream_settlement(io.BytesIO(body), profile, name="x.csv"))


def _gathered(data: bytes) -> object:
    profile, body = _layout(data)
    return read_settlements(body, profile, name="x.csv")


def _packed(data: bytes) -> object:
    """Read bytes that were packed well, and the same bytes taken for packed ones."""
    profile, body = _layout(data)
    for packed in (gzip.compress(body, 1), b"\x1f\x8b" + body):
        try:
            list(stream_settlement(io.BytesIO(packed), profile))
        except FileRefusedError:
            continue
    return None


@cache
def _workbook() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(seeds.workbooks()[0])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


_EXCEL_MEMBERS: Final = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml")


def _excel_member(data: bytes) -> object:
    """Put the bytes in place of one of a workbook's members: damage to an archive itself is mostly a wrong checksum."""
    member, body = (_EXCEL_MEMBERS[data[0] % 4], data[1:]) if data else (_EXCEL_MEMBERS[0], b"")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**_workbook(), member: body}.items():
            archive.writestr(name, content)
    return list(stream_settlement(io.BytesIO(out.getvalue()), GENERIC))


def _excel(data: bytes) -> object:
    return list(stream_settlement(io.BytesIO(b"PK\x03\x04" + data), GENERIC))


def _adyen_report(data: bytes) -> object:
    return read_adyen_report("x.csv", data, merchant_account="GovTreasuryMain", business_date=date(2026, 11, 22))


def _profile(data: bytes) -> object:
    return msgspec.to_builtins(read_profile(data))


def _overlay(data: bytes) -> object:
    return msgspec.to_builtins(read_overlay(data.decode("utf-8", "replace")))


@cache
def _folder() -> Path:
    # Kept open as long as the process lives; `TemporaryDirectory` removes itself when it ends.
    _folder.held = tempfile.TemporaryDirectory(prefix="mizan-fuzz-")  # type: ignore[attr-defined]
    return Path(_folder.held.name)  # type: ignore[attr-defined]


def _inspected(data: bytes) -> object:
    """Run both commands on the bytes, in text and in JSON: only the three statuses, and JSON that can be read."""
    choice, body = (data[0], data[1:]) if data else (0, b"")
    path = _folder() / "sample"
    path.write_bytes(body)
    as_data = ["--json"] if choice & 1 else []
    if choice & 2:
        layouts = ("adyen", "generic", "ngenius", "paypal", "stripe", "checkout")
        wish = ["--profile", layouts[choice // 8 % 6]] if choice & 4 else []
        done = CliRunner().invoke(settlement_group, ["inspect", str(path), *as_data, *wish])
    else:
        done = CliRunner().invoke(statement_group, ["inspect", str(path), *as_data])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code not in {0, 1, 2}:
        raise BrokenRuleError(f"the command ended with {done.exit_code}")
    if as_data:
        json.loads(done.stdout)
    return done.stdout


def _with_choice(*found: Sequence[bytes]) -> list[bytes]:
    return [bytes([choice]) + body for bodies in found for body in bodies for choice in (0, 1, 2, 3, 6, 7)]


def _tables() -> list[bytes]:
    named = {profile.name: place for place, profile in enumerate(_LAYOUTS)}
    return [bytes([named[name]]) + body for name, bodies in seeds.tables().items() for body in bodies]


TARGETS: Final = (
    Target("camt", _camt, _REFUSED, seeds.camt, _XML_WORDS),
    Target("mt940", _swift, _REFUSED, seeds.swift, _SWIFT_WORDS),
    Target(
        "statement_file",
        _statement,
        _REFUSED,
        lambda: [*seeds.camt(), *seeds.swift(), *map(gzip.compress, seeds.swift())],
    ),
    Target("pain002", read_status_report, _REFUSED, seeds.status_reports, _XML_WORDS),
    Target("settlement_table", _table, _REFUSED, _tables, _TABLE_WORDS),
    Target("settlement_files", _gathered, _REFUSED, _tables, _TABLE_WORDS),
    Target(
        "settlement_gzip", _packed, _REFUSED, lambda: [*_tables(), *map(seeds.behind_mark, seeds.tables()["generic"])]
    ),
    Target("excel_members", _excel_member, _REFUSED, seeds.excel_members, _XML_WORDS),
    Target("excel", _excel, _REFUSED, lambda: [body[4:] for body in seeds.workbooks()]),
    Target("adyen_report", _adyen_report, _REFUSED, lambda: seeds.tables()["adyen"], _TABLE_WORDS),
    Target("profile", _profile, (ProfileError,), seeds.profiles),
    Target("profile_overlay", _overlay, (SettingsError,), seeds.profiles),
    Target(
        "inspect",
        _inspected,
        (),
        lambda: _with_choice(seeds.camt(), seeds.swift(), *seeds.tables().values(), seeds.workbooks()),
        (*_SWIFT_WORDS, *_TABLE_WORDS, *_XML_WORDS),
    ),
)
