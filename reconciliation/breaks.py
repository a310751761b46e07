"""The breaks: every difference the night can find, its sentence in both languages, its owner and its ways out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    ENGLISH = "en"
    ARABIC = "ar"


class Action(StrEnum):
    """What two people may decide about a break. Only some of them post a journal."""

    ACCEPT = "accept"
    MATCH_BY_HAND = "match_by_hand"
    WRITE_OFF = "write_off"
    BOOK_LOSS = "book_loss"
    RETURN_LOSS = "return_loss"
    BOOK_PAID = "book_paid"
    EXCHANGE = "exchange"
    REFUND = "refund"
    REQUERY = "requery"
    ASK_PROVIDER = "ask_provider"
    ASK_BANK = "ask_bank"
    CORRECT_PAYEE = "correct_payee"
    TAKE_STATEMENT = "take_statement"


ACTION_WORDS: Final[dict[Action, tuple[str, str]]] = {
    Action.ACCEPT: ("accept the difference", "قبول الفرق"),
    Action.MATCH_BY_HAND: ("match by hand", "مطابقة يدوية"),
    Action.WRITE_OFF: ("write off, within the limit", "شطب ضمن الحد المسموح"),
    Action.BOOK_LOSS: ("book the lost dispute to whoever was paid", "قيد الاعتراض الخاسر على من حُوِّل إليه"),
    Action.RETURN_LOSS: ("give a lost dispute's money back: it was won", "رد مبلغ الاعتراض: كُسب بعد خسارته"),
    Action.BOOK_PAID: ("book it as paid to the department", "قيده محوَّلًا إلى الجهة"),
    Action.EXCHANGE: ("book it as settled in another currency", "قيده كتسوية بعملة أخرى"),
    Action.REFUND: ("refund the payer", "رد المبلغ إلى الدافع"),
    Action.REQUERY: ("ask the provider about the payment again", "إعادة الاستعلام من المزود عن الدفعة"),
    Action.ASK_PROVIDER: ("raise it with the provider", "مراجعة المزود"),
    Action.ASK_BANK: ("raise it with the bank", "مراجعة البنك"),
    Action.CORRECT_PAYEE: ("correct the department's bank details", "تصحيح الحساب البنكي للجهة"),
    Action.TAKE_STATEMENT: ("take the statement, whose balances follow", "قبول الكشف لأن أرصدته متتابعة"),
}

ACTIONS_WITHOUT_JOURNAL: Final = frozenset(
    {
        Action.ACCEPT,
        Action.REQUERY,
        Action.ASK_PROVIDER,
        Action.ASK_BANK,
        Action.CORRECT_PAYEE,
        Action.REFUND,
        Action.TAKE_STATEMENT,
    }
)


class Owner(StrEnum):
    FINANCE = "finance"
    OPERATIONS = "operations"
    TREASURY = "treasury"


class BreakType(StrEnum):
    MISSING_AT_PROVIDER = "missing_at_provider"
    MISSING_IN_BOOKS = "missing_in_books"
    MISSING_AT_BANK = "missing_at_bank"
    AMOUNT = "amount"
    CURRENCY = "currency"
    FEE = "fee"
    DUPLICATE = "duplicate"
    LATE_PAYMENT = "late_payment"
    SETTLED_NOT_CAPTURED = "settled_not_captured"
    REFUND_NOT_SETTLED = "refund_not_settled"
    REFUND_BEYOND = "refund_beyond"
    CHARGEBACK = "chargeback"
    UNKNOWN_LINE = "unknown_line"
    LINE_REFUSED = "line_refused"
    ROUNDING = "rounding"
    UNKNOWN_BANK_CREDIT = "unknown_bank_credit"
    OTHER_CURRENCY = "other_currency"
    TRANSFER_WAITING = "transfer_waiting"
    TRANSFER_EXCESS = "transfer_excess"
    UNKNOWN_BANK_DEBIT = "unknown_bank_debit"
    BANK_AMOUNT = "bank_amount"
    BANK_BALANCE = "bank_balance"
    OPENING_BALANCE = "opening_balance"
    RETURNED_PAYOUT = "returned_payout"
    REJECTED_PAYOUT = "rejected_payout"
    PAID_AFTER_REJECTION = "paid_after_rejection"
    PAYOUT_NOT_CONFIRMED = "payout_not_confirmed"
    PAYEE_MISSING = "payee_missing"
    OWED_IN_OTHER_CURRENCY = "owed_in_other_currency"
    TOTAL_NOT_LINES = "total_not_lines"
    FILE_MISSING = "file_missing"
    FILE_LATE = "file_late"
    FILE_REPEATED = "file_repeated"
    FILE_REFUSED = "file_refused"
    FILE_SEQUENCE = "file_sequence"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a type of break is called, says, needs. A sentence's `{words}` come from the break's own detail."""

    title: tuple[str, str]
    sentence: tuple[str, str]
    owner: Owner
    suggested: tuple[Action, ...]
    cured_by_item: bool = False


_F, _O, _T = Owner.FINANCE, Owner.OPERATIONS, Owner.TREASURY

MEANINGS: Final[dict[BreakType, Meaning]] = {
    BreakType.MISSING_AT_PROVIDER: Meaning(
        ("Missing at provider", "غير موجودة لدى المزود"),
        ("{provider} has not settled {amount} of payment {reference}, due on {due}.",
         "لم يسوِّ {provider} مبلغ {amount} للدفعة {reference} المستحقة في {due}."),
        _F, (Action.REQUERY, Action.ASK_PROVIDER, Action.WRITE_OFF, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.MISSING_IN_BOOKS: Meaning(
        ("Missing in our books", "غير موجودة في دفاترنا"),
        ("{provider} settled {amount} under {reference}, which our books do not know (file {file}, line {line}).",
         "سوَّى {provider} مبلغ {amount} بالمرجع {reference} ولا تعرفه دفاترنا (الملف {file}، السطر {line})."),
        _O, (Action.REQUERY, Action.MATCH_BY_HAND, Action.REFUND), cured_by_item=True),
    BreakType.MISSING_AT_BANK: Meaning(
        ("Missing at bank", "غير موجودة في البنك"),
        ("{provider} reported {amount} paid to us as {reference}, due on {due}; no bank statement shows it.",
         "أفاد {provider} بتحويل {amount} إلينا بالمرجع {reference} المستحق في {due} ولا يظهر في كشف الحساب."),
        _T, (Action.ASK_PROVIDER, Action.ASK_BANK, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.AMOUNT: Meaning(
        ("Amount differs", "اختلاف المبلغ"),
        ("{provider} settled {theirs} for {reference}; our books have {ours} (file {file}, line {line}).",
         "سوَّى {provider} مبلغ {theirs} عن {reference} بينما المسجل لدينا {ours} (الملف {file}، السطر {line})."),
        _F, (Action.ASK_PROVIDER, Action.WRITE_OFF, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.CURRENCY: Meaning(
        ("Currency differs", "اختلاف العملة"),
        ("{provider} settled {theirs} for {reference}; our books have {ours} (file {file}, line {line}).",
         "سوَّى {provider} مبلغ {theirs} عن {reference} بينما المسجل لدينا {ours} (الملف {file}، السطر {line})."),
        _F, (Action.EXCHANGE, Action.ASK_PROVIDER), cured_by_item=True),
    BreakType.FEE: Meaning(
        ("Fee differs", "اختلاف الرسوم"),
        ("{provider} kept {theirs} in fees for {reference}; the contract says {ours} (file {file}, line {line}).",
         "اقتطع {provider} رسوم {theirs} عن {reference} والعقد ينص على {ours} (الملف {file}، السطر {line})."),
        _F, (Action.ACCEPT, Action.ASK_PROVIDER)),
    BreakType.DUPLICATE: Meaning(
        ("Settled twice", "تسوية مكررة"),
        ("{provider} settled {reference} a second time, {amount} (file {file}, line {line}).",
         "سوَّى {provider} المرجع {reference} مرة ثانية بمبلغ {amount} (الملف {file}، السطر {line})."),
        _F, (Action.ASK_PROVIDER, Action.MATCH_BY_HAND, Action.REFUND), cured_by_item=True),
    BreakType.LATE_PAYMENT: Meaning(
        ("Paid after closing", "دفع بعد الإغلاق"),
        ("{amount} of payment {reference} came after the payment was closed or already paid.",
         "وصل مبلغ {amount} للدفعة {reference} بعد إغلاقها أو بعد سدادها."),
        _O, (Action.REFUND, Action.REQUERY), cured_by_item=True),
    BreakType.SETTLED_NOT_CAPTURED: Meaning(
        ("Settled, not collected in our books", "مسوّاة وغير محصلة في دفاترنا"),
        ("{provider} paid {amount} more for {reference} than our books say was collected.",
         "دفع {provider} عن {reference} مبلغًا يزيد {amount} على المحصل في دفاترنا."),
        _O, (Action.REQUERY, Action.ASK_PROVIDER, Action.REFUND, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.PAID_AFTER_REJECTION: Meaning(
        ("Paid after rejection", "تحويل نُفذ بعد رفضه"),
        ("The bank debited {amount} for {reference}, a payout to {department} it had rejected or returned.",
         "خصم البنك {amount} عن {reference} وهو تحويل إلى {department} سبق أن رفضه أو أعاده."),
        _T, (Action.ASK_BANK, Action.BOOK_PAID, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.REFUND_NOT_SETTLED: Meaning(
        ("Refund not settled", "استرداد غير مسوّى"),
        ("{provider} accepted refund {reference} of {amount}, due on {due}, and has not settled it.",
         "قبل {provider} الاسترداد {reference} بمبلغ {amount} المستحق في {due} ولم يسوِّه."),
        _F, (Action.REQUERY, Action.ASK_PROVIDER, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.REFUND_BEYOND: Meaning(
        ("Taken back beyond refunds", "مسترد يزيد على المسجل"),
        ("{provider} took back {amount} more for {reference} than our books say was refunded.",
         "استرجع {provider} عن {reference} مبلغًا يزيد {amount} على المسترد في دفاترنا."),
        _F, (Action.ASK_PROVIDER, Action.MATCH_BY_HAND, Action.WRITE_OFF), cured_by_item=True),
    BreakType.CHARGEBACK: Meaning(
        ("Charged back", "اعتراض على دفعة"),
        ("The payer's bank took back {amount} of {reference} (file {file}, line {line}).",
         "استرجع بنك الدافع مبلغ {amount} من {reference} (الملف {file}، السطر {line})."),
        _F, (Action.ASK_PROVIDER, Action.BOOK_LOSS, Action.RETURN_LOSS, Action.WRITE_OFF), cured_by_item=True),
    BreakType.UNKNOWN_LINE: Meaning(
        ("Unknown kind of line", "سطر من نوع غير معروف"),
        ("{provider} reports {amount} as {reason}, a word we do not know (file {file}, line {line}).",
         "أورد {provider} مبلغ {amount} بنوع غير معروف لدينا: {reason} (الملف {file}، السطر {line})."),
        _O, (Action.ASK_PROVIDER, Action.MATCH_BY_HAND, Action.WRITE_OFF), cured_by_item=True),
    BreakType.LINE_REFUSED: Meaning(
        ("Line refused", "سطر مرفوض"),
        ("Line {line} of {file} could not be booked: {reason}.", "تعذر قيد السطر {line} من {file}: {reason}."),
        _O, (Action.ASK_PROVIDER, Action.ACCEPT)),
    BreakType.ROUNDING: Meaning(
        ("Rounding", "فرق تقريب"),
        ("{reference} was off by {amount}, within the rule, and booked to rounding.",
         "ظهر فرق قدره {amount} في {reference} ضمن القاعدة وقُيد كفرق تقريب."),
        _F, (Action.ACCEPT,)),
    BreakType.UNKNOWN_BANK_CREDIT: Meaning(
        ("Unknown bank credit", "إيداع بنكي غير معروف"),
        ("The bank credited {amount} that nobody expected (statement {file}, entry {line}).",
         "أودع البنك مبلغ {amount} غير متوقع (الكشف {file}، القيد {line})."),
        _T, (Action.MATCH_BY_HAND, Action.ASK_BANK, Action.REFUND, Action.WRITE_OFF), cured_by_item=True),
    BreakType.OTHER_CURRENCY: Meaning(
        ("Settled in another currency", "تسوية بعملة أخرى"),
        ("The bank credited {theirs} for {reference}, which our books hold as {ours} (statement {file}, entry {line}).",
         "أودع البنك {theirs} عن {reference} والمسجل في دفاترنا {ours} (الكشف {file}، القيد {line})."),
        _T, (Action.EXCHANGE, Action.ASK_PROVIDER), cured_by_item=True),
    BreakType.TRANSFER_WAITING: Meaning(
        ("Transfer without a paid bill", "حوالة بلا فاتورة مسددة"),
        ("{amount} for {reference}, which no completed payment has: a part, or late ({file}, entry {line}).",
         "وصل {amount} للمرجع {reference} ولا توجد به دفعة مكتملة: جزئي أو متأخر (الكشف {file}، القيد {line})."),
        _T, (Action.MATCH_BY_HAND, Action.REFUND, Action.ASK_BANK), cured_by_item=True),
    BreakType.TRANSFER_EXCESS: Meaning(
        ("Transferred too much", "حوالة زائدة"),
        ("{amount} was transferred beyond what {reference} asked for (statement {file}, entry {line}).",
         "حُوِّل مبلغ {amount} زيادة على المطلوب للمرجع {reference} (الكشف {file}، القيد {line})."),
        _T, (Action.REFUND, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.UNKNOWN_BANK_DEBIT: Meaning(
        ("Unknown bank debit", "سحب بنكي غير معروف"),
        ("The bank debited {amount} that nobody instructed (statement {file}, entry {line}).",
         "خصم البنك مبلغ {amount} دون أمر منا (الكشف {file}، القيد {line})."),
        _T, (Action.ASK_BANK, Action.MATCH_BY_HAND, Action.WRITE_OFF), cured_by_item=True),
    BreakType.BANK_AMOUNT: Meaning(
        ("Bank amount differs", "اختلاف مبلغ البنك"),
        ("The bank booked {theirs} for {reference}; our books expected {ours} (statement {file}, entry {line}).",
         "قيد البنك {theirs} عن {reference} بينما المتوقع في دفاترنا {ours} (الكشف {file}، القيد {line})."),
        _T, (Action.ASK_PROVIDER, Action.ASK_BANK, Action.WRITE_OFF, Action.BOOK_PAID, Action.MATCH_BY_HAND),
        cured_by_item=True),
    BreakType.BANK_BALANCE: Meaning(
        ("Bank balance differs", "اختلاف رصيد البنك"),
        ("Statement {file} closes at {theirs}; our books have {ours}.",
         "رصيد إقفال الكشف {file} هو {theirs} بينما رصيد دفاترنا {ours}."),
        _T, (Action.ASK_BANK,)),
    BreakType.OPENING_BALANCE: Meaning(
        ("Opening balance", "رصيد افتتاحي"),
        ("The account held {amount} before our first statement {file}.",
         "كان في الحساب {amount} قبل أول كشف لدينا {file}."),
        _T, (Action.MATCH_BY_HAND,), cured_by_item=True),
    BreakType.RETURNED_PAYOUT: Meaning(
        ("Payout returned", "تحويل مرتجع"),
        ("The bank returned {amount} paid to {department} ({reference}); it is owed again.",
         "أعاد البنك مبلغ {amount} المحول إلى {department} ({reference}) وأصبح مستحقًا من جديد."),
        _T, (Action.CORRECT_PAYEE, Action.ASK_BANK, Action.ACCEPT)),
    BreakType.REJECTED_PAYOUT: Meaning(
        ("Payout rejected", "تحويل مرفوض"),
        ("The bank rejected {amount} to {department} ({reference}): {reason}. It is owed again.{held}",
         "رفض البنك تحويل {amount} إلى {department} ({reference}): {reason}. وأصبح مستحقًا من جديد.{held}"),
        _T, (Action.CORRECT_PAYEE, Action.ASK_BANK, Action.ACCEPT)),
    BreakType.PAYOUT_NOT_CONFIRMED: Meaning(
        ("Payout not confirmed", "تحويل غير مؤكد"),
        ("{amount} to {department} ({reference}) was due on {due}; no statement shows it.",
         "مبلغ {amount} إلى {department} ({reference}) كان مستحقًا في {due} ولا يظهر في كشف الحساب."),
        _T, (Action.ASK_BANK, Action.MATCH_BY_HAND), cured_by_item=True),
    BreakType.PAYEE_MISSING: Meaning(
        ("No bank details", "لا توجد بيانات بنكية"),
        ("{department} is owed {amount} and has no approved bank account.",
         "يستحق {department} مبلغ {amount} وليس له حساب بنكي معتمد."),
        _F, (Action.CORRECT_PAYEE,)),
    BreakType.OWED_IN_OTHER_CURRENCY: Meaning(
        ("Owed in another currency", "مستحق بعملة أخرى"),
        ("{department} is owed {amount}; payouts leave in {ours} alone, so that it waits.",
         "يستحق {department} مبلغ {amount} والتحويلات تصدر بعملة {ours} وحدها، فهو ينتظر."),
        _T, (Action.ASK_BANK,)),
    BreakType.TOTAL_NOT_LINES: Meaning(
        ("Total is not the sum of lines", "المجموع لا يساوي السطور"),
        ("File {file} of {provider} states {theirs}; its lines sum to {ours}.{booked}",
         "يذكر الملف {file} من {provider} مجموع {theirs} بينما مجموع سطوره {ours}.{booked}"),
        _O, (Action.ASK_PROVIDER, Action.ACCEPT)),
    BreakType.FILE_MISSING: Meaning(
        ("File missing", "ملف مفقود"),
        ("{provider} has sent no file for {due}.", "لم يرسل {provider} ملفًا عن {due}."),
        _O, (Action.ASK_PROVIDER, Action.ACCEPT)),
    BreakType.FILE_LATE: Meaning(
        ("File late", "ملف متأخر"),
        ("{provider} sent {file} for {due} late; it was booked as an adjustment on {reason}.",
         "أرسل {provider} الملف {file} عن {due} متأخرًا وقُيد كتسوية بتاريخ {reason}."),
        _O, (Action.ACCEPT,)),
    BreakType.FILE_REPEATED: Meaning(
        ("File repeated", "ملف مكرر"),
        ("{file} of {provider} repeats {reference} with other content and was not booked.",
         "يكرر الملف {file} من {provider} المرجع {reference} بمحتوى مختلف ولم يُقيد."),
        _O, (Action.ASK_PROVIDER, Action.ACCEPT)),
    BreakType.FILE_REFUSED: Meaning(
        ("File refused", "ملف مرفوض"),
        ("{file} of {provider} was refused: {reason}.", "رُفض الملف {file} من {provider}: {reason}."),
        _O, (Action.ASK_PROVIDER, Action.ACCEPT)),
    BreakType.FILE_SEQUENCE: Meaning(
        ("Statement out of sequence", "كشف خارج التسلسل"),
        ("Statement {file} waits: {reason}.", "الكشف {file} قيد الانتظار: {reason}."),
        _T, (Action.ASK_BANK, Action.TAKE_STATEMENT)),
}  # fmt: skip


FIRST_STRONG_ISOLATE, LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE = "\u2068", "\u2066", "\u2069"


def title(kind: BreakType, language: Language) -> str:
    return MEANINGS[kind].title[0 if language is Language.ENGLISH else 1]


def action_words(action: Action, language: Language) -> str:
    return ACTION_WORDS[action][0 if language is Language.ENGLISH else 1]


def suggested(kind: BreakType, leg: str | None) -> tuple[Action, ...]:
    """Name what usually ends a type of break; a file of the bank's is raised with the bank, not with a provider."""
    if leg != "bank" or not kind.startswith("file_"):
        return MEANINGS[kind].suggested
    return tuple(Action.ASK_BANK if one is Action.ASK_PROVIDER else one for one in MEANINGS[kind].suggested)


def suggestions(kind: BreakType, language: Language, leg: str | None = None) -> list[str]:
    return [action_words(action, language) for action in suggested(kind, leg)]
