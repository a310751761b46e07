"""What banks write into the free text of an MT940 entry: who, why, and under which reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SUBFIELD: Final = re.compile(r"\?(\d\d)")
_SLASHED: Final = re.compile(r"/([A-Z][A-Z0-9]{2,7})/")
_PLUSSED: Final = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_SLASHED_KEYS: Final = frozenset(
    {"EREF", "IREF", "KREF", "PREF", "MREF", "ORDP", "BENM", "REMI", "NAME", "IBAN", "ACCT", "TRCD", "PURP", "RTRN",
     "ULTD", "ULTC", "ULTB", "OCMT", "CHGS", "EXCH", "CSID", "SVCL", "ISDT", "MARF", "UETR", "BIC", "CNTP", "REF",
     "ROC"}
)  # fmt: skip
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b")


@dataclass(frozen=True, slots=True)
class Narrative:
    """The entry's free text, taken apart as far as it lets itself be."""

    remittance: str
    end_to_end_id: str | None = None
    counterparty: str | None = None
    counterparty_iban: str | None = None
    code: str | None = None
    returned: bool = False


def read_narrative(lines: list[str]) -> Narrative:
    """Read the text of `:86:`; what has no known form is kept whole as the remittance."""
    first = lines[0] if lines else ""
    if _SUBFIELD.search(first[:6]) or (len(first) >= 6 and first[:3].isdigit() and first[3] == "?"):  # noqa: PLR2004 - a three-digit code and its first subfield
        return _subfields("".join(lines))
    text = "".join(lines)
    keys = [match for match in _SLASHED.finditer(text) if match[1] in _SLASHED_KEYS]
    if keys and keys[0].start() < 6:  # noqa: PLR2004 - the key words open the text, after at most a short code
        return _slashed(text, keys)
    return Narrative(" ".join(line.strip() for line in lines if line.strip()))


def _subfields(text: str) -> Narrative:
    """Read `166?00CREDIT?20EREF+…?32NAME`: numbered parts, of which 20-29 and 60-63 are one text cut into pieces."""
    pieces = _SUBFIELD.split(text)
    fields: dict[str, str] = {}
    remittance = ""
    for key, value in zip(pieces[1::2], pieces[2::2], strict=True):
        if "20" <= key <= "29" or "60" <= key <= "63":
            remittance += value
        else:
            fields[key] = fields.get(key, "") + value
    words = _plussed(remittance)
    account = (fields.get("31") or words.get("IBAN") or "").strip()
    return Narrative(
        remittance=(words.get("SVWZ") or words.get("") or remittance).strip() or fields.get("00", "").strip(),
        end_to_end_id=_given(words.get("EREF")),
        counterparty=(fields.get("32", "") + fields.get("33", "")).strip() or words.get("ABWA") or None,
        counterparty_iban=account if _IBAN.fullmatch(account) else None,
        code=pieces[0].strip() or None,
        returned="RETURN" in fields.get("00", "").upper(),
    )


def _plussed(text: str) -> dict[str, str]:
    pieces = _PLUSSED.split(text)
    return {"": pieces[0].strip()} | {key: value.strip() for key, value in zip(pieces[1::2], pieces[2::2], strict=True)}


def _slashed(text: str, keys: list[re.Match[str]]) -> Narrative:
    """Read `/EREF/…/ORDP//NAME/…/REMI/…`: key words between slashes, each up to the next."""
    words: dict[str, str] = {}
    for match, following in zip(keys, [*keys[1:], None], strict=True):
        value = text[match.end() : following.start() if following else len(text)]
        words.setdefault(match[1], value.strip(" /"))
    account = words.get("IBAN") or words.get("ACCT") or ""
    party = words.get("NAME") or words.get("ORDP") or words.get("BENM") or words.get("CNTP") or ""
    found = _IBAN.search(account) or _IBAN.search(party)
    if found and party.startswith(found[0]):
        party = party.removeprefix(found[0]).lstrip(" /").rpartition("/")[2] or party
    remittance = words.get("REMI", "")
    for form in ("USTD//", "STRD//CUR/SCOR/", "STRD/", "USTD/"):
        remittance = remittance.removeprefix(form)
    return Narrative(
        remittance=remittance.strip(" /") or text,
        end_to_end_id=_given(words.get("EREF")),
        counterparty=party or None,
        counterparty_iban=found[0] if found else None,
        code=words.get("TRCD") or None,
        returned="RTRN" in words,
    )


def _given(text: str | None) -> str | None:
    text = (text or "").strip()
    return None if text.upper() in {"", "NOTPROVIDED", "NONREF", "NOT PROVIDED"} else text
