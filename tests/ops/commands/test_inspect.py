"""Inspecting files by hand: what is shown, and the exit status a script can trust."""

import gzip
import json

import pytest
from click.testing import CliRunner

from ops.commands.inspect import settlement_group, statement_group

MT940 = """\
:20:STARTUMS
:25:AE070331234567890123456
:28C:231/1
:60F:C261121AED1000,00
:61:2611221122C250,50NTRFNONREF//BANKREF1
:86:NGENIUS SETTLEMENT B1
:62F:C261122AED1250,50
"""
CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S1</Id>
<Acct><Id><IBAN>AE070331234567890123456</IBAN></Id><Ccy>AED</Ccy></Acct>{balances}
<Ntry><Amt Ccy="AED">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-11-22</Dt></BookgDt><AddtlNtryInf>fee &#x202E;&#x9B; 77</AddtlNtryInf></Ntry>
</Stmt></BkToCstmrStmt></Document>"""
CSV = (
    "Kind,Reference,Transaction ID,Currency,Gross,Fee,Net,Date,Batch\n"
    "Sale,pa_1,t1,AED,10.00,0.25,9.75,2026-11-21,{batch}\n"
)


@pytest.fixture
def run(tmp_path):
    def call(group, text, *options, name="file.dat"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = CliRunner().invoke(group, ["inspect", str(path), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return call


@pytest.mark.parametrize("pack", [lambda text: text.encode(), lambda text: gzip.compress(text.encode())])
def test_a_whole_statement_is_shown_with_its_proof(run, pack):
    status, output = run(statement_group, pack(MT940))
    assert status == 0
    assert "2026-11-22  2026-11-22  AED           250.50  BANKREF1 | NGENIUS SETTLEMENT B1" in output
    assert "opening AED 1,000.00 + entries AED 250.50 = closing AED 1,250.50: proven" in output
    assert output.endswith("read whole\n")


def test_a_statement_as_json(run):
    status, output = run(statement_group, MT940, "--json")
    told = json.loads(output)
    assert (status, told["format"], told["outcome"]) == (0, "SWIFT MT", "read")
    (statement,) = told["statements"]
    assert statement["proven"] is True
    assert statement["closing"] == {"amount": "1250.50", "currency": "AED"}
    assert [entry["amount"]["amount"] for entry in statement["entries"]] == ["250.50"]


def test_two_statements_as_json(run):
    second = (
        MT940.replace("231/1", "232/1")
        .replace("1000,00", "1250,50")
        .replace("62F:C261122AED1250,50", "62F:C261122AED1501,00")
    )
    told = json.loads(run(statement_group, MT940 + second, "--json")[1])
    assert [statement["sequence"] for statement in told["statements"]] == [231, 232]


def test_warnings_are_status_1_and_hostile_text_is_shown_harmless(run):
    status, output = run(statement_group, CAMT.format(balances=""))
    assert status == 1
    assert "warning: statement S1 has no opening balance" in output
    assert "fee \u00b7\u00b7 77" in output
    status, output = run(statement_group, CAMT.format(balances=""), "--json")
    assert (status, json.loads(output)["outcome"]) == (1, "warnings")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (MT940.replace("1250,50", "1250,51"), "the gap is 0.01"),
        ("", "empty"),
        (b"PK\x03\x04", "ZIP archive"),
        ("<!DOCTYPE x><a/>", "DOCTYPE"),
        (b"\x1f\x8bxx", "cannot be unpacked"),
        (CAMT.format(balances="").replace("CRDT", "X"), "neither CRDT nor DBIT"),
    ],
)
def test_a_refused_statement_is_status_2_and_says_why(run, text, reason):
    status, output = run(statement_group, text)
    assert status == 2
    assert reason in output
    status, output = run(statement_group, text, "--json")
    told = json.loads(output)
    assert (status, told["outcome"]) == (2, "refused")
    assert reason in told["reason"]


def test_a_settlement_is_recognised_and_shown(run):
    status, output = run(settlement_group, CSV.format(batch="B1"))
    assert status == 0
    assert "profile: generic" in output
    assert "payment              2026-11-21  AED          10.00 -       0.25 =           9.75  pa_1 | t1" in output
    assert "batch B1 of generic, 2026-11-21" in output


def test_a_settlement_of_two_batches_as_json(run):
    text = CSV.format(batch="B1") + "Sale,pa_2,t2,AED,1.00,0.00,1.00,2026-11-21,B2\nSale,pa_3,t3,AED,x,0,0,,B2\n"
    status, output = run(settlement_group, text, "--json", "--profile", "generic")
    told = json.loads(output)
    assert (status, told["outcome"]) == (1, "warnings")
    assert [line["batch"] for line in told["lines"]] == ["B1", "B2"]
    assert [batch["total_net"]["amount"] for batch in told["batches"]] == ["9.75", "1.00"]
    assert told["batches"][0]["warnings"] == ["line 4: 'x' is not an amount"]


def test_an_own_profile_comes_from_a_file(run, tmp_path):
    profile = tmp_path / "own.json"
    profile.write_text(
        '{"name":"own","provider":"own","currency":"AED","kinds":{"vente":"payment"},'
        '"columns":{"kind":["art"],"gross":["betrag"],"transaction_at":["tag"]},"decimal_mark":",","time_formats":["%d.%m.%Y"]}'
    )
    status, output = run(settlement_group, "art;betrag;tag\nvente;1.234,50;21.11.2026\n", "--profile", str(profile))
    assert status == 0
    assert "net AED 1,234.50" in output


def test_a_settlement_that_cannot_be_read_says_why(run):
    assert run(settlement_group, "a,b\n1,2\n")[0] == 2
    status, output = run(settlement_group, "a,b\n1,2\n", "--json")
    assert (status, json.loads(output)["outcome"]) == (2, "refused")
    status, output = run(settlement_group, CSV, "--profile", "ngenius")
    assert status == 2
    assert "has the column 'Transaction Type'" in output
    assert "neither a file nor one of" in run(settlement_group, CSV, "--profile", "nobody")[1]
