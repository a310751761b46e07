"""Every word of the reports, in English and Arabic."""

from __future__ import annotations

from typing import Final

from reconciliation.breaks import Language

WORDS: Final[dict[str, tuple[str, str]]] = {
    "reconciliation": ("Daily reconciliation", "المطابقة اليومية"),
    "breaks": ("Breaks", "الفروقات"),
    "departments": ("Department statement", "كشف الجهات"),
    "remittance": ("Remittance advice", "إشعار التحويل"),
    "payouts": ("Payout register", "سجل التحويلات"),
    "bank": ("Bank reconciliation", "مطابقة البنك"),
    "trial-balance": ("Trial balance", "ميزان المراجعة"),
    "business_date": ("Business date", "تاريخ العمل"),
    "page": ("Report", "تقرير"),
    "providers": ("Providers", "المزودون"),
    "provider": ("Provider", "المزود"),
    "fees_table": ("What providers kept", "ما اقتطعه المزودون"),
    "departments_table": ("Departments", "الجهات"),
    "department": ("Department", "الجهة"),
    "bank_table": ("Bank", "البنك"),
    "suspense_table": ("Suspense and disputes", "الحسابات المعلقة والاعتراضات"),
    "breaks_table": ("Open breaks", "الفروقات القائمة"),
    "account": ("Account", "الحساب"),
    "currency": ("Currency", "العملة"),
    "opening": ("Opening", "الرصيد الافتتاحي"),
    "in": ("In", "الداخل"),
    "out": ("Out", "الخارج"),
    "closing": ("Closing", "رصيد الإقفال"),
    "collected": ("Collected", "المحصل"),
    "refunded": ("Refunded", "المسترد"),
    "paid_out": ("Paid out", "المحول"),
    "returned": ("Returned", "المرتجع"),
    "other": ("Other", "أخرى"),
    "in_transit": ("On its way", "قيد التحويل"),
    "settled": ("Settled", "المسوّى"),
    "fees": ("Fees", "الرسوم"),
    "fees_vat": ("VAT on fees", "ضريبة الرسوم"),
    "net": ("Net", "الصافي"),
    "lines": ("Lines", "السطور"),
    "files": ("Files", "الملفات"),
    "file": ("File", "الملف"),
    "total": ("Total", "المجموع"),
    "type": ("Type", "النوع"),
    "count": ("Count", "العدد"),
    "value": ("Value", "القيمة"),
    "oldest": ("Oldest", "الأقدم"),
    "break": ("Break", "الفرق"),
    "owner": ("Owner", "المسؤول"),
    "age": ("Age, days", "العمر بالأيام"),
    "band": ("Band", "الشريحة"),
    "what": ("What is wrong", "البيان"),
    "what_to_do": ("What can be done", "ما يمكن عمله"),
    "status": ("Status", "الحالة"),
    "date": ("Date", "التاريخ"),
    "journal": ("Journal", "القيد"),
    "reference": ("Reference", "المرجع"),
    "payment": ("Payment", "الدفعة"),
    "kind": ("Kind", "النوع"),
    "amount": ("Amount", "المبلغ"),
    "balance": ("Balance", "الرصيد"),
    "debit": ("Debit", "مدين"),
    "credit": ("Credit", "دائن"),
    "payout": ("Payout", "التحويل"),
    "line": ("Line", "السطر"),
    "iban": ("IBAN", "الآيبان"),
    "paid_on": ("Paid on", "تاريخ التنفيذ"),
    "reason": ("Reason", "السبب"),
    "made_by": ("Made by", "أعده"),
    "approved_by": ("Approved by", "اعتمده"),
    "book_balance": ("Balance in our books", "الرصيد في دفاترنا"),
    "statement_balance": ("Balance on the statement", "الرصيد في كشف الحساب"),
    "difference": ("Difference", "الفرق"),
    "statement": ("Statement", "كشف الحساب"),
    "outstanding": ("Reported, not yet at the bank", "مُبلَّغ عنه ولم يصل البنك"),
    "payouts_under_way": ("Instructed, not yet at the bank", "مأمور بتحويله ولم يظهر في البنك"),
    "unidentified": ("At the bank, nobody's yet", "في البنك دون تحديد صاحبه"),
    "due": ("Due", "الاستحقاق"),
    "none": ("Nothing to report.", "لا يوجد ما يُذكر."),
    "ties": ("Every total on this page was compared with the ledger and agrees.",
             "قورنت جميع المجاميع في هذه الصفحة بالدفتر العام وهي متطابقة."),
    "does_not_tie": ("Totals differ from the ledger; do not use this page.",
                     "المجاميع لا تطابق الدفتر العام؛ لا تعتمد على هذه الصفحة."),
    "no_statement": ("no statement yet", "لم يصل كشف بعد"),
    "not_included": ("Held back or not proven yet", "محتجز أو غير مثبت بعد"),
    "in_this_payout": ("In this payout", "ضمن هذا التحويل"),
    "receivable": ("to be settled", "بانتظار التسوية"),
    "transit": ("on the way to our bank", "في الطريق إلى بنكنا"),
    "refunds_in_transit": ("refunds to be settled", "مستردات بانتظار التسوية"),
}  # fmt: skip

KINDS: Final[dict[str, tuple[str, str]]] = {
    "payment_captured": ("payment", "دفعة"),
    "late_payment_captured": ("late payment", "دفعة متأخرة"),
    "late_payment_accepted": ("late payment accepted", "قبول دفعة متأخرة"),
    "late_payment_refunded": ("late payment refunded", "رد دفعة متأخرة"),
    "refund_accepted": ("refund", "استرداد"),
    "refund_accepted_reversed": ("refund failed", "استرداد لم يتم"),
    "provider_fees_borne": ("provider's fees", "رسوم المزود"),
    "payout_instructed": ("payout", "تحويل"),
    "payout_returned": ("payout returned", "تحويل مرتجع"),
    "payout_paid": ("payout at the bank", "تحويل نُفذ في البنك"),
    "break_written_off": ("written off", "شطب"),
}

STATUSES: Final[dict[str, tuple[str, str]]] = {
    "open": ("open", "قائم"),
    "proposed": ("waiting for approval", "بانتظار الاعتماد"),
    "draft": ("draft", "مسودة"),
    "submitted": ("waiting for approval", "بانتظار الاعتماد"),
    "approved": ("approved", "معتمد"),
    "refused": ("refused", "مرفوض من المعتمِد"),
    "released": ("released", "صدر أمره"),
    "unknown": ("outcome unknown", "نتيجته غير معروفة"),
    "sent": ("with the bank", "لدى البنك"),
    "accepted": ("accepted by the bank", "قبله البنك"),
    "rejected": ("rejected by the bank", "رفضه البنك"),
    "confirmed": ("confirmed by statement", "أكده الكشف"),
    "paid": ("paid", "نُفذ"),
    "returned": ("returned", "مرتجع"),
    "finance": ("finance", "المالية"),
    "operations": ("operations", "التشغيل"),
    "treasury": ("treasury", "الخزينة"),
    "policy": ("policy", "السياسة"),
    "night": ("the night", "التشغيل الليلي"),
}


def _side(language: Language) -> int:
    return 0 if language is Language.ENGLISH else 1


def word(key: str, language: Language) -> str:
    return WORDS[key][_side(language)]


def kind_word(kind: str, language: Language) -> str:
    """Name a journal's kind; one nobody translated is shown as it is."""
    return KINDS[kind][_side(language)] if kind in KINDS else kind.replace("_", " ")


def status_word(status: str, language: Language) -> str:
    return STATUSES[status][_side(language)] if status in STATUSES else status
