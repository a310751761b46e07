import re
from collections import Counter
from fractions import Fraction

import pytest
from schwifty import IBAN

from ledger.accounts import check_path, department_payable
from ops.demo.catalogue import FEE_MINOR_MAX, FEE_MINOR_MIN, Audience, FeeBearer, departments, services

DEPARTMENTS = departments()
SERVICES = services()
BY_CODE = {department.code: department for department in DEPARTMENTS}
BY_NAME = {service.name_en: service for service in SERVICES}

# Letters and single spaces: no vowel signs, no tatweel, no presentation forms, no invisible marks.
ARABIC = re.compile(r"[\u0621-\u063a\u0641-\u064a]+( [\u0621-\u063a\u0641-\u064a]+)*")
ENGLISH = re.compile(r"[A-Z][A-Za-z]*([ -][A-Za-z]+)*")
SWIFT = re.compile(r"[A-Za-z0-9?():.,'+][A-Za-z0-9/\-?():.,'+ ]{0,69}")


def test_forty_departments_have_fifty_services_each():
    assert len(DEPARTMENTS) == 40
    assert len(SERVICES) == 2_000
    assert Counter(service.department for service in SERVICES) == dict.fromkeys(BY_CODE, 50)


@pytest.mark.parametrize("field", ["code", "name_en", "name_ar", "legal_name", "iban"])
def test_no_two_departments_share_a(field):
    assert len({getattr(department, field) for department in DEPARTMENTS}) == 40


@pytest.mark.parametrize("field", ["code", "name_en", "name_ar", "revenue_code"])
def test_no_two_services_share_a(field):
    repeated = [value for value, n in Counter(getattr(service, field) for service in SERVICES).items() if n > 1]
    assert repeated == []


def test_department_codes_are_short_and_stand_in_the_chart_of_accounts():
    for code in BY_CODE:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,11}", code)
        check_path(department_payable(code))


def test_service_codes_count_within_their_department():
    for department in DEPARTMENTS:
        codes = [service.code for service in SERVICES if service.department == department.code]
        assert codes == [f"{department.code}-{number:03}" for number in range(1, 51)]


def test_revenue_codes_are_six_digits_of_income():
    assert all(re.fullmatch(r"4\d{5}", service.revenue_code) for service in SERVICES)


@pytest.mark.parametrize("iban", [department.iban for department in DEPARTMENTS], ids=list(BY_CODE))
def test_each_iban_is_valid_at_a_bank_that_does_not_exist(iban):
    assert re.fullmatch(r"AE\d{2}099\d{16}", iban)
    assert int(iban[4:] + "1014" + iban[2:4]) % 97 == 1
    assert IBAN(iban, validate_bban=False).compact == iban


def test_legal_names_pass_every_bank():
    assert [department.legal_name for department in DEPARTMENTS if not SWIFT.fullmatch(department.legal_name)] == []


def test_every_arabic_name_is_wholly_arabic():
    wrong = [named.code for named in [*DEPARTMENTS, *SERVICES] if not ARABIC.fullmatch(named.name_ar)]
    assert wrong == []


def test_every_english_name_is_wholly_english():
    wrong = [named.code for named in [*DEPARTMENTS, *SERVICES] if not ENGLISH.fullmatch(named.name_en)]
    assert wrong == []


def test_names_fit_a_receipt_line():
    assert max(len(name) for service in SERVICES for name in (service.name_en, service.name_ar)) <= 90


def test_no_preposition_meets_the_article():
    """`ل` and `ال` merge into `لل`; the data avoids the article there, and this holds it to that."""
    assert [service.name_ar for service in SERVICES if " لال" in service.name_ar] == []


def test_actions_read_as_a_government_prints_them():
    assert [service.name_ar for service in SERVICES[:7]] == [
        "إصدار رخصة تجارية",
        "تجديد رخصة تجارية",
        "تعديل رخصة تجارية",
        "إلغاء رخصة تجارية",
        "إصدار بدل فاقد لرخصة تجارية",
        "نسخة مصدقة من رخصة تجارية",
        "إصدار عاجل لرخصة تجارية",
    ]
    assert SERVICES[49].name_ar == "رسوم خدمات دائرة الاقتصاد"


def test_amounts_are_plausible_and_payable_in_notes():
    amounts = [service.amount_minor for service in SERVICES if service.amount_minor is not None]
    assert all(FEE_MINOR_MIN <= amount <= FEE_MINOR_MAX and amount % 500 == 0 for amount in amounts)
    assert len(set(amounts)) > 50
    assert BY_NAME["Issue trade licence"].amount_minor == 1_200_00
    assert BY_NAME["Renew trade licence"].amount_minor == 960_00
    assert BY_NAME["Cancel young reader card"].amount_minor == 25_00


def test_some_amounts_are_open():
    open_amounts = {service.name_en for service in SERVICES if service.amount_minor is None}
    assert {f"{department.name_en} service fee" for department in DEPARTMENTS} < open_amounts
    assert {"Issue building permit", "Renew building permit", "Urgent issue of building permit"} < open_amounts
    assert "Amend building permit" not in open_amounts
    assert 40 < len(open_amounts) < 200


def test_vat_is_included_only_where_the_department_is_registered():
    taxed = [service for service in SERVICES if service.vat_basis_points]
    assert {service.department for service in taxed} == {d.code for d in DEPARTMENTS if d.vat_registered}
    assert {service.vat_basis_points for service in taxed} == {500}
    assert all(service.vat_minor == 0 for service in SERVICES if not service.vat_basis_points and service.amount_minor)
    for service in taxed:
        if service.amount_minor is None:
            assert service.vat_minor is None
        else:
            assert abs(Fraction(service.amount_minor * 5, 105) - service.vat_minor) <= Fraction(1, 2)


def test_one_vat_amount_worked_by_hand():
    copy = BY_NAME["Certified copy of hotel establishment licence"]
    assert (copy.amount_minor, copy.vat_minor) == (750_00, 35_71)


def test_the_city_shows_every_kind_of_contract_and_audience():
    bearers = Counter(department.fee_bearer for department in DEPARTMENTS)
    assert set(bearers) == set(FeeBearer)
    assert bearers[FeeBearer.TREASURY] > bearers[FeeBearer.DEPARTMENT]
    assert {department.vat_registered for department in DEPARTMENTS} == {True, False}
    assert {service.audience for service in SERVICES} == set(Audience)


def test_the_catalogue_is_the_same_each_time():
    assert departments() == DEPARTMENTS
    assert services() == SERVICES
