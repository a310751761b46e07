"""Large files as banks and providers send them, written for the file benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CAMT_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-23T00:00:00+04:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>17</ElctrncSeqNb><CreDtTm>2026-11-23T00:00:00+04:00</CreDtTm>
<Acct><Id><IBAN>AE070331234567890123456</IBAN></Id><Ccy>AED</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="AED">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-22</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="AED">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-22</Dt></Dt></Bal>
"""
CAMT_ENTRY: Final = """<Ntry>
 <Amt Ccy="AED">{amount}</Amt>
 <CdtDbtInd>CRDT</CdtDbtInd>
 <Sts><Cd>BOOK</Cd></Sts>
 <BookgDt><Dt>2026-11-22</Dt></BookgDt>
 <ValDt><Dt>2026-11-22</Dt></ValDt>
 <AcctSvcrRef>BANK{number:09d}</AcctSvcrRef>
 <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
 <NtryDtls><TxDtls>
  <Refs><EndToEndId>E2E{number:09d}</EndToEndId><TxId>T{number}</TxId></Refs>
  <Amt Ccy="AED">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
  <RltdPties><Dbtr><Pty><Nm>Payer number {number}</Nm></Pty></Dbtr>
   <DbtrAcct><Id><IBAN>AE080261001015500123401</IBAN></Id></DbtrAcct></RltdPties>
  <RmtInf><Ustrd>Fee {number} of 22 November</Ustrd></RmtInf>
 </TxDtls></NtryDtls>
</Ntry>
"""
SWIFT_HEAD: Final = ":20:STARTUMS\n:25:AE070331234567890123456\n:28C:231/1\n:60F:C261121AED0,00\n"
SWIFT_ENTRY: Final = (
    ":61:2611221122C{amount}NTRFREF{number}//BANK{number:09d}\n"
    ":86:/EREF/E2E{number:09d}/ORDP//NAME/Payer number {number}/REMI/Fee {number} of 22 November\n"
)
TABLE_HEAD: Final = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,"
    "Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),"
    "Payment Method Variant,Modification Merchant Reference,Batch Number,Reserved4,Reserved5,Reserved6,Reserved7,"
    "Reserved8,Reserved9,Reserved10\n"
)
TABLE_LINE: Final = (
    "GovTreasury,GovTreasuryMain,88{number:014d},pa_01JD{number:022d},visa,"
    "2026-11-22 {hour:02d}:{minute:02d}:{second:02d},GST,Settled,88{number:014d},AED,,{gross},1,AED,,"
    "{net},{fee},,,,visacredit,,231,,,,,,,\n"
)


def _amount(number: int) -> int:
    """Return fils that vary as fees do, with repeats."""
    return 1_000 + number * 7_919 % 250_000


def _decimal(minor: int, mark: str = ".") -> str:
    return f"{minor // 100}{mark}{minor % 100:02d}"


def write_camt(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(CAMT_HEAD.format(closing=_decimal(sum(map(_amount, range(count))))))
        file.writelines(CAMT_ENTRY.format(number=number, amount=_decimal(_amount(number))) for number in range(count))
        file.write("</Stmt></BkToCstmrStmt></Document>\n")


def write_swift(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(SWIFT_HEAD)
        file.writelines(
            SWIFT_ENTRY.format(number=number, amount=_decimal(_amount(number), ",")) for number in range(count)
        )
        file.write(f":62F:C261122AED{_decimal(sum(map(_amount, range(count))), ',')}\n-\n")


def write_table(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(TABLE_HEAD)
        for number in range(count):
            gross = _amount(number)
            fee = gross // 100
            moment = number % 86_400
            file.write(
                TABLE_LINE.format(
                    number=number,
                    hour=moment // 3600,
                    minute=moment // 60 % 60,
                    second=moment % 60,
                    gross=_decimal(gross),
                    net=_decimal(gross - fee),
                    fee=_decimal(fee),
                )
            )
