"""Statements as real banks write them: versions, spellings, batches, and what is said when something is odd."""

import io
from datetime import date

import pytest
from lxml import etree

from adapters.contract import StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.camt import read_camt, read_camt_statements
from adapters.formats.statement_parts import Kind, StatementSummary
from ledger.money import Money

DETAILS = """<NtryDtls><TxDtls><Refs><AcctSvcrRef>TX9</AcctSvcrRef><EndToEndId>{end_to_end}</EndToEndId></Refs>
{amount}<RltdPties><Dbtr>{name}</Dbtr><DbtrAcct><Id><IBAN>AE080261001015500123401</IBAN></Id></DbtrAcct></RltdPties>
<RmtInf><Ustrd>Licence fee</Ustrd><Ustrd>2026/77</Ustrd>
<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>"""


def parts(data: bytes):
    return list(read_camt(io.BytesIO(data)))


def only(data: bytes) -> tuple[list[StatementEntry], StatementSummary]:
    *entries, summary = parts(data)
    assert isinstance(summary, StatementSummary)
    return entries, summary


@pytest.mark.parametrize("version", ["02", "08"])
@pytest.mark.parametrize("message", ["052", "053", "054"])
def test_versions_read_alike_and_the_examples_are_official(version, message, paper, schema):
    name = "<Nm>Aisha</Nm>" if version == "02" else "<Pty><Nm>Aisha</Nm></Pty>"
    amount = "" if version == "02" else '<Amt Ccy="AED">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    details = DETAILS.format(end_to_end="pl-01JD0000000000000000000001", name=name, amount=amount)
    data = paper.document(
        paper.statement(paper.entry(version=version, details=details), message=message),
        version=version,
        message=message,
    )
    schema(f"camt.{message}.001.{version}").assertValid(etree.fromstring(data))
    (entry,), summary = only(data)
    assert entry == StatementEntry(
        number=1,
        amount=Money(1000, "AED"),
        booked_on=date(2026, 11, 22),
        value_on=date(2026, 11, 23),
        bank_reference="TX9",
        end_to_end_id="pl_01JD0000000000000000000001",
        batch_reference=None,
        remittance="Licence fee 2026/77 RF18539007547034",
        counterparty="Aisha",
        counterparty_iban="AE080261001015500123401",
        code="PMNT-RCDT-DMCT",
        references=("pl_01JD0000000000000000000001", "RF18539007547034"),
    )
    assert summary.kind == {"052": Kind.INTERIM, "053": Kind.STATEMENT, "054": Kind.NOTIFICATION}[message]
    assert (summary.account, summary.sequence, summary.identifier) == ("AE070331234567890123456", 7, "S-1")
    assert summary.proven is (message != "054")
    assert summary.warnings == ()


def test_only_final_statements_reach_the_books(paper):
    data = paper.document(paper.statement(paper.entry(), message="052"), message="052")
    with pytest.raises(FileRefusedError, match="interim"):
        read_camt_statements(data, name="intraday.xml")
    data = paper.document(paper.statement(paper.entry(), balances=""))
    assert "no opening balance" in only(data)[1].warnings[0]
    with pytest.raises(FileRefusedError, match="proves nothing"):
        read_camt_statements(data, name="bare.xml")


def test_two_statements_in_a_file_stay_two(paper):
    data = paper.document(
        paper.statement(paper.entry()),
        paper.statement(paper.entry("5.00", "DBIT"), opening="110.00", closing="105.00", identifier="S-2"),
    )
    first, second = read_camt_statements(data, name="two.xml")
    assert (first.closing, second.opening, second.closing) == (
        Money(11_000, "AED"), Money(11_000, "AED"), Money(10_500, "AED"),
    )  # fmt: skip
    assert [e.amount.amount_minor for e in (*first.entries, *second.entries)] == [1000, -500]
    assert first.sha256 == second.sha256


def test_hc21_balances_that_do_not_fit_are_refused_with_the_gap(paper):
    with pytest.raises(FileRefusedError, match=r"the gap is -1\.00"):
        parts(paper.document(paper.statement(paper.entry(), closing="109.00")))


def test_hc21_an_entry_of_another_currency_is_refused_with_its_line(paper):
    data = paper.document(paper.statement("\n\n" + paper.entry(currency="USD")))
    with pytest.raises(FileRefusedError, match="line 3: an entry in USD on an account in AED"):
        parts(data)


@pytest.mark.parametrize(
    ("opening", "amount", "closing", "currency"),
    [("0.000", "1.005", "1.005", "KWD"), ("0", "700", "700", "JPY"), ("0.00", "10.00000", "10.00", "AED")],
)
def test_hc15_decimals_follow_the_currency(paper, opening, amount, closing, currency):
    inner = paper.entry(amount, currency=currency)
    data = paper.document(paper.statement(inner, opening=opening, closing=closing, currency=currency))
    assert only(data)[1].proven


def test_hc15_more_decimals_than_the_currency_has_are_refused(paper):
    with pytest.raises(FileRefusedError, match="more decimals than AED"):
        parts(paper.document(paper.statement(paper.entry("10.001"))))


def batch(*amounts: str, information: str = "", sign: str = "") -> str:
    lines = "".join(
        f'<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy="AED">{amount}</Amt>{sign}</TxDtls>'
        for n, amount in enumerate(amounts)
    )
    return f"<NtryDtls>{information}{lines}</NtryDtls>"


def test_a_batch_is_exploded_into_its_transactions(paper):
    information = "<Btch><PmtInfId>po-01JD0000000000000000000001</PmtInfId></Btch>"
    inner = paper.entry("6.00", "DBIT", details=batch("1.00", "2.00", "3.00", information=information)) + paper.entry()
    entries, summary = only(paper.document(paper.statement(inner, closing="104.00")))
    assert [(e.number, e.amount.amount_minor, e.end_to_end_id) for e in entries] == [
        (1, -100, "E0"), (2, -200, "E1"), (3, -300, "E2"), (4, 1000, None),
    ]  # fmt: skip
    assert {e.batch_reference for e in entries[:3]} == {"po_01JD0000000000000000000001"}
    assert summary.entry_count == 4


def test_a_batch_that_does_not_add_up_is_kept_whole_with_a_warning(paper):
    entries, summary = only(paper.document(paper.statement(paper.entry(details=batch("4.00", "5.00")))))
    assert [e.amount.amount_minor for e in entries] == [1000]
    assert "misses its entry's amount by AED 1.00" in summary.warnings[0]
    details = batch("4.00", "5.00").replace('<Amt Ccy="AED">4.00</Amt>', "")
    entries, summary = only(paper.document(paper.statement(paper.entry(details=details))))
    assert len(entries) == 1
    assert "does not give the amount" in summary.warnings[0]


def test_a_mixed_batch_keeps_each_sign(paper):
    details = batch("12.00", sign="<CdtDbtInd>CRDT</CdtDbtInd>").replace("</NtryDtls>", "") + batch(
        "2.00", sign="<CdtDbtInd>DBIT</CdtDbtInd>"
    ).replace("<NtryDtls>", "")
    entries, _ = only(paper.document(paper.statement(paper.entry(details=details))))
    assert [e.amount.amount_minor for e in entries] == [1200, -200]


def test_pending_entries_are_left_out_and_told(paper):
    inner = paper.entry() + paper.entry("99.00", status="PDNG") + paper.entry("1.00", status="INFO")
    entries, summary = only(paper.document(paper.statement(inner)))
    assert len(entries) == 1
    assert summary.pending_count == 2
    assert "2 entries are announced" in summary.warnings[0]


@pytest.mark.parametrize("status", ["BOOKED", ""])
def test_hc11_an_unknown_status_is_booked_with_a_warning_because_the_balances_judge(paper, status):
    entries, summary = only(paper.document(paper.statement(paper.entry(status=status))))
    assert len(entries) == 1
    assert "status is" in summary.warnings[0]


def test_status_stands_as_text_or_as_code(paper):
    for version in ("02", "04", "06", "08", "13"):
        data = paper.document(paper.statement(paper.entry(version=version)), version=version)
        assert only(data)[1].warnings == ()


@pytest.mark.parametrize(
    ("dates", "booked", "value"),
    [
        ("<BookgDt><DtTm>2026-11-22T23:59:59.999+04:00</DtTm></BookgDt>", 22, 22),
        ("<BookgDt><Dt>2026-11-22+04:00</Dt></BookgDt><ValDt><DtTm>2026-11-24T00:00:00</DtTm></ValDt>", 22, 24),
        ("<ValDt><Dt>2026-11-21</Dt></ValDt>", 21, 21),
        ("", 23, 23),
    ],
)
def test_dates_stand_as_date_or_time_or_not_at_all(paper, dates, booked, value):
    (entry,), summary = only(paper.document(paper.statement(paper.entry(dates=dates))))
    assert (entry.booked_on.day, entry.value_on.day) == (booked, value)
    assert bool(summary.warnings) is ("BookgDt" not in dates)


@pytest.mark.parametrize(
    "change",
    [
        {"reversal": "<RvslInd>true</RvslInd>"},
        {"code": "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>"},
        {"details": "<NtryDtls><TxDtls><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>"},
    ],
)
def test_hc24_returns_are_marked(paper, change):
    (entry,), _ = only(paper.document(paper.statement(paper.entry(**change))))
    assert entry.returned


def test_the_banks_own_code_stands_in_for_the_isos(paper):
    code = "<BkTxCd><Prtry><Cd>NTRF+166</Cd></Prtry></BkTxCd>"
    assert only(paper.document(paper.statement(paper.entry(code=code))))[0][0].code == "NTRF+166"


def test_pages_of_one_statement_carry_interim_balances(paper):
    first = paper.statement(paper.entry(), balances=paper.balance("OPBD", "100.00") + paper.balance("ITBD", "110.00"))
    last = paper.statement(paper.entry(), balances=paper.balance("ITBD", "110.00") + paper.balance("CLBD", "120.00"))
    assert [s.closing for s in read_camt_statements(paper.document(first, last), name="pages")] == [
        Money(11_000, "AED"), Money(12_000, "AED"),
    ]  # fmt: skip


def test_a_debit_balance_is_negative(paper):
    balances = paper.balance("OPBD", "5.00", "DBIT") + paper.balance("CLBD", "5.00")
    _, summary = only(paper.document(paper.statement(paper.entry(), balances=balances)))
    assert (summary.opening, summary.closing) == (Money(-500, "AED"), Money(500, "AED"))


def test_an_envelope_and_other_namespaces_do_not_matter(paper):
    inner = paper.document(paper.statement(paper.entry())).decode()
    data = f'<?xml version="1.0"?><w:DataPDU xmlns:w="urn:swift:saa"><w:Body>{inner}</w:Body></w:DataPDU>'
    assert only(data.encode())[1].proven
    assert only(inner.replace('xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', "").encode())[1].proven
    prefixed = inner.replace("<", "<c:").replace("<c:/", "</c:").replace("xmlns=", "xmlns:c=")
    assert only(prefixed.encode())[1].proven


@pytest.mark.parametrize("missing", ["<Id>S-1</Id>", "<Id><IBAN>AE070331234567890123456</IBAN></Id>"])
def test_a_statement_without_name_or_account_is_refused(paper, missing):
    data = paper.document(paper.statement(paper.entry())).replace(missing.encode(), b"")
    with pytest.raises(FileRefusedError, match="no identifier or names no account"):
        parts(data)


def test_a_sign_that_is_neither_is_never_guessed(paper):
    with pytest.raises(FileRefusedError, match="neither CRDT nor DBIT"):
        parts(paper.document(paper.statement(paper.entry(sign="C"))))


def test_warnings_are_bounded(paper):
    inner = paper.entry("0.01", status="WHAT") * 500
    _, summary = only(paper.document(paper.statement(inner, closing="105.00")))
    assert len(summary.warnings) == 101
    assert summary.warnings[-1] == "and 400 more"
