"""Good files of every kind, small: what whoever looks for damage begins with."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Final

import msgspec
import xlsxwriter

from adapters.formats.profiles import NGENIUS, PROFILES
from adapters.formats.settlement_profile import read_profile
from ops.bench.file_samples import CAMT_ENTRY, CAMT_HEAD, TABLE_HEAD, TABLE_LINE

COLUMNS: Final = {"kind": ["kind"], "gross": ["gross"], "fees": [["fee"]], "net": ["net"], "transaction_at": ["at"],
                  "reference": ["ref"], "batch": ["batch"]}  # fmt: skip
_OWN: Final = {
    "provider": "own",
    "currency": "AED",
    "kinds": {"sale": "payment", "refund": "refund"},
    "columns": COLUMNS,
}
XML_PROFILE: Final = read_profile(msgspec.json.encode({**_OWN, "name": "xml", "row_element": "Row"}))
COMMA_PROFILE: Final = read_profile(
    msgspec.json.encode(
        {
            **_OWN,
            "name": "comma",
            "decimal_mark": ",",
            "delimiter": ";",
            "sign": "by_kind",
            "time_formats": ["%d.%m.%Y %H:%M", "%d %b %Y"],
        }
    )
)

_MT940: Final = """\
:20:STARTUMS
:25:AE070331234567890123456
:28C:00231/001
:60F:C261121AED1000,00
:61:2611221122C250,50NTRFNONREF//BANKREF1
SETTLEMENT
:86:NGENIUS SETTLEMENT B20261121
NETWORK INTERNATIONAL
:61:261122D100,NMSC/PO1234
:86:/EREF/pl-01JD0000000000000000000001/BENM//NAME/Roads Authority/REMI/payout one
:61:2611221122RC1,50S103REF
:86:?00TRANSFER?20RF18 5390 0754 7034?30033?32A CITIZEN
:62F:C261122AED1149,00
:64:C261122AED1149,00
-
"""
_MT942: Final = ":20:X\n:25:AE070331234567890123456\n:28C:1/1\n:34F:AEDC0,\n:13D:2611221000+0400\n:61:2611221122C1,NTRFA//B\n:86:x\n:90C:1AED1,\n-\n"
_PAGES: Final = (
    "{1:F01BOMLAEADAXXX0000000000}{2:O940}{4:\n:20:P\n:25:AE07\n:28C:1/1\n:60F:C261121KWD0,\n"
    ":61:2611221122C1,234NTRFA\n:62M:C261122KWD1,234\n-}\n{4:\n:20:P\n:25:AE07\n:28C:1/2\n:60M:C261122KWD1,234\n"
    ":61:2611221122D0,234NTRFB\n:62F:C261122KWD1,\n-}{5:{CHK:ABC}}\n"
)


def camt() -> list[bytes]:
    entry = CAMT_ENTRY.format(number=1, amount="10.00")
    two = entry.replace("</TxDtls>", "</TxDtls><TxDtls><Refs><EndToEndId>E2</EndToEndId></Refs></TxDtls>")
    tail = "</Stmt></BkToCstmrStmt></Document>"
    plain = CAMT_HEAD.format(closing="10.00") + entry + tail
    returned = (
        two.replace("CRDT", "DBIT")
        .replace("</RmtInf>", "</RmtInf><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
        .replace("<Sts><Cd>BOOK</Cd></Sts>", "<RvslInd>true</RvslInd><Sts>BOOK</Sts>")
    )
    pending = entry.replace("BOOK", "PDNG")
    strange = entry.replace("<Ustrd>", "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd><Ustrd>")
    notice = plain.replace("053", "054").replace("Stmt>", "Ntfctn>")
    return [
        text.encode()
        for text in (
            plain,
            CAMT_HEAD.format(closing="10.00") + two + returned + pending + strange + tail,
            notice,
            plain.replace("053", "052").replace("Stmt>", "Rpt>").replace("OPBD", "ITBD"),
            plain.replace("<Cd>BOOK</Cd>", "BOOK").replace("053.001.08", "053.001.02"),
        )
    ] + [plain.replace("UTF-8", "UTF-16").encode("utf-16"), plain.encode().replace(b"Fee", b"it\x92s")]


def swift() -> list[bytes]:
    second = _MT940.replace("00231", "00232").replace("AED1149,00", "AED1298,00").replace("AED1000,00", "AED1149,00")
    return [text.encode() for text in (_MT940, _MT942, _PAGES, _MT940 + second, _MT940.replace("\n", "\r\n"))] + [
        _MT940.encode("utf-16")
    ]


def status_reports() -> list[bytes]:
    head = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>X</MsgId></GrpHdr>'
        "<OrgnlGrpInfAndSts><OrgnlMsgId>po-01JD0000000000000000000001</OrgnlMsgId>"
    )
    lines = (
        "<OrgnlPmtInfAndSts><PmtInfSts>ACSP</PmtInfSts><TxInfAndSts><OrgnlEndToEndId>pl-01</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>"
    )
    tail = "</CstmrPmtStsRpt></Document>"
    return [
        (head + "<GrpSts>ACTC</GrpSts></OrgnlGrpInfAndSts>" + tail).encode(),
        (head + "<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>" + lines + tail).encode(),
        (head + "</OrgnlGrpInfAndSts>" + lines * 2 + tail).encode(),
    ]


def tables() -> dict[str, list[bytes]]:
    """Give settlement files by the layout they are written in."""
    adyen = TABLE_HEAD + TABLE_LINE.format(
        number=1, hour=10, minute=0, second=0, gross="100.00", net="99.00", fee="1.00"
    )
    adyen += (
        "GovTreasury,GovTreasuryMain,88A,pa_1,visa,2026-11-21 12:00:00,PST,Refunded,88REF,AED,40.00,,1,AED,40.10,,0.10,,,,"
        "visacredit,re_1,231,,,,,,,\n"
        'GovTreasury,GovTreasuryMain,,,,2026-11-22 02:00:00,PST,MerchantPayout,"TX1 batch 231, M",,,,,AED,58.90,,,,,,,,231,'
        ",,,,,,\n"
    )
    ngenius = (
        "Outlet ID,Batch Reference,Transaction Type,Order Reference,Merchant Order Reference,Transaction Reference,"
        "Transaction Date,Posting Date,Currency,Gross Amount,MDR,VAT on MDR,Net Amount,Payout Date\n"
        'o1,B1,SALE,ord-1,pa_1,t1,21/11/2026 23:30:00,22/11/2026,AED,"1,000.00",10.00,0.50,989.50,23/11/2026\n'
        "o1,B1,REFUND,ord-1,pa_1,t2,21/11/2026 23:40:00,22/11/2026,AED,-100.00,0.00,0.00,-100.00,23/11/2026\n"
        "TOTAL,B1,2,,,,,22/11/2026,AED,900.00,10.00,0.50,889.50,23/11/2026\n"
    )
    paypal = (
        '"RH","2026/11/22 00:00:00 -0800","A","X","009"\n"FH",1\n'
        '"CH","Transaction ID","Invoice ID","Transaction Event Code","Transaction Completion Date",'
        '"Transaction  Debit or Credit","Gross Transaction Amount","Gross Transaction Currency","Fee Debit or Credit",'
        '"Fee Amount","Fee Currency"\n'
        '"SB","T1","pa_1","T0006","2026/11/21 07:41:18 -0800","CR",10000,"USD","DR",420,"USD"\n'
        '"SB","T2","re_1","T1107","2026/11/21 08:41:18 -0800","DR",2500,"USD","CR",105,"USD"\n"SC",2\n"FF",2\n'
    )
    stripe = (
        "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,"
        "automatic_payout_id,automatic_payout_effective_at_utc,payment_metadata[reference]\n"
        "txn_1,2026-11-20 08:00:00,aed,100.00,3.90,96.10,charge,ch_1,pi_1,po_1,2026-11-23 00:00:00,pa_1\n"
        "txn_2,2026-11-20 09:00:00,aed,-20.00,0.00,-20.00,refund,re_9,pi_1,po_2,2026-11-23 00:00:00,\n"
        "txn_3,2026-11-20 09:00:00,aed,-96.10,0.00,-96.10,payout,re_9,pi_1,po_1,2026-11-23 00:00:00,\n"
    )
    checkout = (
        "Client Entity ID,Type,Payment ID,Action ID,Reference,Processed On,Holding Currency,Payout ID,"
        "Gross In Holding Currency,Deduction In Holding Currency,Net In Holding Currency\n"
        "e,Capture,pay_1,act_1,pa_1,2026-11-21T09:00:00,AED,PO1,100.00,-2.50,97.50\n"
        "e,Charge,pay_3,act_5,pa_3,2026-11-21T10:00:00.000,AED,PO1,10,-0.145,9.855\n"
    )
    generic = (
        "Kind,Reference,Currency,Gross,Fee,Net,Transaction at\nSale,pa_1,AED,10.00,0.25,9.75,2026-11-21 10:00:00\n"
    )
    person = "Some bank\n\nKind;Reference;Currency;Amount;Fee;Date\nSale;pa_1;kwd;10.000;0.100;2026-11-21\n"
    xml = (
        "<Report><Row><kind>sale</kind><ref>pa_1</ref><gross>10.00</gross><fee>0.25</fee><net>9.75</net>"
        "<at>2026-11-21 10:00:00</at><batch>B</batch></Row>"
        '<Row kind="refund" gross="-1.00" fee="0" net="-1.00" ref="x" at="" batch="B"/></Report>'
    )
    comma = "kind;ref;gross;fee;net;at;batch\nsale;pa;1.000,50;0,50;1.000,00;21.11.2026 10:00;B\nrefund;x;1,5;0;1,5;21 Nov 2026;B\n"
    written = {
        "adyen": [adyen], "ngenius": [ngenius], "paypal": [paypal], "stripe": [stripe], "checkout": [checkout],
        "generic": [generic, person], "xml": [xml], "comma": [comma],
    }  # fmt: skip
    found = {name: [text.encode() for text in texts] for name, texts in written.items()}
    found["generic"] += [generic.encode("utf-16"), gzip.compress(generic.encode()), *workbooks()]
    return found


def behind_mark(body: bytes) -> bytes:
    """Give a body for which a gzip's mark will stand where the layout does."""
    return b"\0" + gzip.compress(body)[2:]


def workbooks() -> list[bytes]:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Report")
        dated = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        rows: list[list[object]] = [
            ["Kind", "Reference", "Currency", "Gross", "Fee", "Net", "Transaction at"],
            ["Sale", 123456789012, "AED", 0.3, 0.1, 0.2],
            ["Sale", "pa_2", "AED", 12345678.3, 0, 12345678.3],
        ]
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                sheet.write(number + 2, place, value)
            if number:
                sheet.write_number(number + 2, 6, 46347.4166, dated)
    return [out.getvalue()]


def excel_members() -> list[bytes]:
    """Give the members of a workbook behind the byte that says which one they are."""
    names = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml")
    with zipfile.ZipFile(io.BytesIO(workbooks()[0])) as archive:
        members = [bytes([place]) + archive.read(name) for place, name in enumerate(names)]
    inline = (
        b'\0<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Kind</t></is></c><c t="str"><v>Gross</v></c>'
        b'<c r="C1" t="inlineStr"><is><r><t>Curr</t></r><r><t>ency</t></r></is></c></row><row r="2"><c r="A2" t="inlineStr">'
        b'<is><t>Sale</t></is></c><c r="B2"><v>1.5</v></c><c r="C2" t="inlineStr"><is><t>AED</t></is></c><c r="D2" t="b"><v>1</v>'
        b"</c></row></sheetData></worksheet>"
    )
    return [*members, inline]


def profiles() -> list[bytes]:
    own = msgspec.json.encode({**_OWN, "name": "own"})
    return [
        own,
        *(msgspec.json.encode(profile) for profile in PROFILES.values()),
        msgspec.json.encode(NGENIUS.columns),
        b"{}",
    ]
