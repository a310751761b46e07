"""Writes example statements of any camt message and version."""

ROOTS = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def entry(
    amount: str = "10.00", sign: str = "CRDT", *, version: str = "08", currency: str = "AED", **parts: str
) -> str:
    """Write one booked entry; `parts` replace its pieces by name (status, dates, code, details, more)."""
    status = parts.get("status", "BOOK")
    sts = f"<Cd>{status}</Cd>" if version >= "06" else status
    dates = "<BookgDt><Dt>2026-11-22</Dt></BookgDt><ValDt><Dt>2026-11-23</Dt></ValDt>"
    code = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{parts.get("reversal", "")}'
        f"<Sts>{sts}</Sts>{parts.get('dates', dates)}<AcctSvcrRef>B1</AcctSvcrRef>{parts.get('code', code)}"
        f"{parts.get('details', '')}</Ntry>"
    )


def balance(code: str, amount: str, sign: str = "CRDT", currency: str = "AED") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2026-11-22</Dt></Dt></Bal>"
    )


def statement(
    entries: str,
    *,
    opening: str = "100.00",
    closing: str = "110.00",
    message: str = "053",
    currency: str = "AED",
    balances: str | None = None,
    identifier: str = "S-1",
) -> str:
    """Write one statement around the entries."""
    if balances is None:
        balances = (
            ""
            if message == "054"
            else balance("OPBD", opening, currency=currency) + balance("CLBD", closing, currency=currency)
        )
    tag = ROOTS[message][1]
    return (
        f"<{tag}><Id>{identifier}</Id><ElctrncSeqNb>7</ElctrncSeqNb><CreDtTm>2026-11-23T00:00:00+04:00</CreDtTm>"
        f"<Acct><Id><IBAN>AE070331234567890123456</IBAN></Id><Ccy>{currency}</Ccy></Acct>{balances}{entries}</{tag}>"
    )


def document(*statements: str, version: str = "08", message: str = "053", declaration: str = "") -> bytes:
    """Write the message around the statements."""
    root = ROOTS[message][0]
    return (
        f'{declaration}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.{version}"><{root}>'
        f"<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-23T00:00:00+04:00</CreDtTm></GrpHdr>{''.join(statements)}"
        f"</{root}></Document>"
    ).encode()
