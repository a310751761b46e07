"""The chart is complete: every line has a name in code, and every name a line."""

import re
from pathlib import Path

import pytest

from ledger import accounts
from ledger.accounts import CHART, AccountType, Side, check_path

GUIDE = Path(__file__).parents[2] / "docs" / "ledger.md"


def _named() -> dict[str, str]:
    constants = {
        name: value
        for name, value in vars(accounts).items()
        if name.isupper() and isinstance(value, str) and name[0] != "_"
    }
    builders = {
        name: builder("some-1")
        for name, builder in vars(accounts).items()
        if callable(builder) and getattr(builder, "__annotations__", {}).get("return") == "str"
    }
    return constants | builders


def test_every_line_has_a_name_and_every_name_a_line():
    assert {check_path(path).pattern for path in _named().values()} == {kind.pattern for kind in CHART}
    assert len(_named()) == len(CHART)


def test_no_path_fits_two_lines():
    for path in _named().values():
        assert sum(pattern.fullmatch(path) is not None for pattern, _ in accounts._PATTERNS) == 1


@pytest.mark.parametrize("kind", CHART, ids=lambda kind: kind.pattern)
def test_the_side_follows_the_type(kind):
    normal = Side.DEBIT if kind.type in (AccountType.ASSET, AccountType.EXPENSE) else Side.CREDIT
    assert kind.side is normal


def test_the_guide_lists_the_chart():
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| (\w+) \| (item|balance) \|", GUIDE.read_text(), re.MULTILINE)
    assert rows == [
        (kind.pattern, kind.type.value, kind.side.value, "item" if kind.kept is accounts.Kept.BY_ITEM else "balance")
        for kind in CHART
    ]
