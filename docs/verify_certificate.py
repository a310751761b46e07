"""Verify a daily close certificate of Mizan from the public key, and from nothing else.

    mizan finance day certificate 2026-11-22 > certificate.jsonl
    python verify_certificate.py certificate.jsonl PUBLIC_KEY_IN_HEXADECIMAL

Proves that the certificate is signed with the key; that the seal in it is signed with the key, is of the same business
date, and seals exactly the totals the certificate lists; that every account's opening, debits and credits give its
closing, and its closing and what moved after the day give what was sealed; that the day balances in every currency;
and that proposer and approver are two people. Needs Python 3.11 and the package `cryptography`; shares no code with
Mizan. To prove the journals behind the totals as well, verify the day's export with verify_day.py.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class BrokenError(Exception):
    """The certificate is not what was signed, or does not add up."""


def seal_message(seal: dict[str, Any], trial_balance: str) -> bytes:
    return (
        "mizan ledger seal 1\n"
        f"number {seal['number']}\n"
        f"business_date {seal['business_date']}\n"
        f"journal {seal['journal_id']} {seal['journal_hash']}\n"
        f"decision {seal['decision_id']} {seal['decision_hash']}\n"
        f"sealed_at {seal['sealed_at']}\n"
        f"trial_balance {hashlib.sha256(trial_balance.encode()).hexdigest()}\n"
        f"previous {seal['previous']}\n"
        f"public_key {seal['public_key']}\n"
    ).encode()


def check_signature(public_key: bytes, signature: str, message: bytes, what: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(bytes.fromhex(signature), message)
    except InvalidSignature:
        raise BrokenError(f"{what} is not signed with the given key") from None


def check_accounts(accounts: list[dict[str, Any]]) -> None:
    """Check every account's line, and that the day balances in each currency."""
    sums: defaultdict[str, int] = defaultdict(int)
    for line in accounts:
        name = f"{line['account']} {line['currency']}"
        if line["opening_minor"] + line["debit_minor"] - line["credit_minor"] != line["closing_minor"]:
            raise BrokenError(f"{name}: opening, debits and credits do not give the closing")
        sealed_minor = line["sealed_debit_minor"] - line["sealed_credit_minor"]
        if line["closing_minor"] + line["after_minor"] != sealed_minor:
            raise BrokenError(f"{name}: the closing and what came after it are not what was sealed")
        for column in ("opening_minor", "closing_minor", "after_minor"):
            sums[f"{line['currency']} {column}"] += line[column]
    for name, minor in sums.items():
        if minor:
            raise BrokenError(f"{name} does not sum to zero over the accounts")


def verify(text: bytes, public_key: bytes) -> str:
    *signed, last = text.splitlines(keepends=True)
    signature = json.loads(last)
    if set(signature) != {"record", "public_key", "signature"} or signature["record"] != "signature":
        raise BrokenError("the last line is no signature")
    if signature["public_key"] != public_key.hex():
        raise BrokenError("the certificate is not signed with the given key, by its own word")
    check_signature(public_key, signature["signature"], b"".join(signed), "the certificate")
    records: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in signed:
        record = json.loads(line)
        records[record.pop("record")].append(record)
    (certificate,), (seal,) = records["certificate"], records["seal"]
    if seal["business_date"] != certificate["business_date"]:
        raise BrokenError("the seal is of another business date")
    if certificate["proposed_by"] == certificate["approved_by"]:
        raise BrokenError("one person closed the day alone")
    accounts = records["account"]
    trial_balance = "\n".join(
        f"{line['account']} {line['currency']} {line['sealed_debit_minor']} {line['sealed_credit_minor']}"
        for line in accounts
    )
    check_signature(public_key, seal["signature"], seal_message(seal, trial_balance), "the seal")
    check_accounts(accounts)
    unexplained = [line["id"] for line in records["break"]
                   if not line["reason"] and line["since"] <= certificate["business_date"]]  # fmt: skip
    if unexplained:
        raise BrokenError(f"breaks of the day stand without a reason: {', '.join(unexplained)}")
    return (
        f"VERIFIED: {certificate['business_date']}, seal {seal['number']} up to journal {seal['journal_id']}, "
        f"{len(accounts)} accounts, {len(records['break'])} breaks explained or not yet due; closed by "
        f"{certificate['proposed_by']} and {certificate['approved_by']}"
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__)
        return 2
    try:
        text = sys.stdin.buffer.read() if arguments[0] == "-" else Path(arguments[0]).read_bytes()
        print(verify(text, bytes.fromhex(arguments[1])))
    except (BrokenError, KeyError, ValueError, AttributeError, TypeError) as error:
        print(f"BROKEN: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
