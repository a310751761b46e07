"""The acquirer's settlement report: one CSV per currency and business date, closed by a line of totals.

The layout is agreed with each acquirer, so the built-in profile may be changed by a setting. A report whose end is
missing or whose totals do not prove is refused whole; a line that cannot be read is listed with its reason.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from adapters.contract import SettlementFile
from adapters.errors import FileRefusedError
from adapters.formats.csv_profile import read_settlement as read_by_profile
from adapters.formats.profiles import NGENIUS
from adapters.formats.settlement_profile import SettlementProfile
from adapters.manifest import SettingsError

FILE_BYTES_MAX: Final = 256 << 20


def read_profile(text: str) -> SettlementProfile:
    """Read the `settlement_profile` setting: what differs from the built-in profile, which it is laid over."""
    built_in: dict[str, Any] = msgspec.to_builtins(NGENIUS)
    try:
        given = msgspec.json.decode(text or "{}", type=dict[str, Any])
        columns = {**built_in["columns"], **dict(given.get("columns", {}))}
        return msgspec.convert({**built_in, **given, "columns": columns}, SettlementProfile)
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError, OSError) as error:
        raise SettingsError(f"ngenius: setting 'settlement_profile' cannot be read: {error}") from None


def read_settlement(name: str, content: bytes, *, outlet: str, profile: SettlementProfile) -> SettlementFile:
    """Read one report and prove its totals; lines of another outlet are not ours."""
    if len(content) > FILE_BYTES_MAX:
        raise FileRefusedError(f"the report is longer than {FILE_BYTES_MAX} bytes")
    return read_by_profile(content, profile, name=name, account=outlet)
