import pytest

from adapters.contract import PayoutStatus
from adapters.errors import FileRefusedError
from adapters.formats.pain002 import STATUS_WORDS, read_status_report

RECEIVED, ACCEPTED, REJECTED, UNKNOWN = PayoutStatus


def report(group: str = "", batch: str = "", lines: str = "", version: str = "10") -> bytes:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>X</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>po-01JD0000000000000000000001</OrgnlMsgId>"
        f"{group}</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>{batch}{lines}"
        f"</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def line(number: int, word: str, reason: str = "") -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>pl-01JD000000000000000000000{number}</OrgnlEndToEndId>"
        f"<TxSts>{word}</TxSts>{reason}</TxInfAndSts>"
    )


def group(word: str) -> str:
    return f"<GrpSts>{word}</GrpSts>"


REASON = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account closed</AddtlInf></StsRsnInf>"


@pytest.mark.parametrize(
    ("data", "status", "lines"),
    [
        (report(group("ACTC")), RECEIVED, []),
        (report(group("ACSC")), ACCEPTED, []),
        (report(group("RJCT") + REASON), REJECTED, []),
        (report(group("PART"), lines=line(1, "ACSP") + line(2, "RJCT", REASON)), ACCEPTED, [ACCEPTED, REJECTED]),
        (report(batch="<PmtInfSts>RJCT</PmtInfSts>"), REJECTED, []),
        (report(batch="<PmtInfSts>ACSP</PmtInfSts>"), ACCEPTED, []),
        (report(batch="<PmtInfSts>ODD</PmtInfSts>"), UNKNOWN, []),
        (report(lines=line(1, "RJCT", REASON)), ACCEPTED, [REJECTED]),
        (report(lines=line(1, "ACSP") + line(2, "WHAT")), UNKNOWN, [ACCEPTED, UNKNOWN]),
        (report(group("WHAT")), UNKNOWN, []),
        (report(), UNKNOWN, []),
        (report(group("ACCP"), version="03"), ACCEPTED, []),
    ],
)
def test_hc26_only_an_explicit_rejection_is_one(data, status, lines):
    found = read_status_report(data)
    assert found.message_id == "po_01JD0000000000000000000001"
    assert found.report.status is status
    assert list(found.report.lines.values()) == lines
    assert list(found.report.lines) == [f"pl_01JD000000000000000000000{n + 1}" for n in range(len(lines))]


def test_reasons_say_which_line_and_why():
    found = read_status_report(report(group("PART"), lines=line(1, "ACSP") + line(2, "RJCT", REASON)))
    assert found.report.reason == "pl_01JD0000000000000000000002: AC04 Account closed"


def test_hc11_unknown_words_are_told():
    assert read_status_report(report(group("ZZZZ"))).words == ("ZZZZ",)


def test_every_word_maps_to_a_status_that_decides_nothing_too_early():
    assert {word for word, status in STATUS_WORDS.items() if status is REJECTED} == {"RJCT", "CANC"}
    assert STATUS_WORDS["PDNG"] is RECEIVED


def test_a_report_of_nothing_is_refused():
    with pytest.raises(FileRefusedError, match="names no original message"):
        read_status_report(b"<Document><CstmrPmtStsRpt/></Document>")
