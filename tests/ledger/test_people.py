"""A person is one person however the name is written; the database compares names as the service does."""

import pytest

from ledger.errors import PersonError
from ledger.people import person, same_person

FULL_WIDTH = "\uff21\uff2d\uff21\uff2c"
CYRILLIC_A, CYRILLIC_CAPITAL_A = "\u0430", "\u0410"
AMAL_IN_ARABIC = "\u0623\u0645\u0644"


@pytest.mark.parametrize(
    "same",
    [
        "Amal", " amal ", FULL_WIDTH, f"am{CYRILLIC_A}l", f"AM{CYRILLIC_CAPITAL_A}L", "am\u200bal", "am\u00adal",
        "amal\u200e", "\u202eamal", "amal\ufeff", "", "\u200b",
    ],
)  # fmt: skip
async def test_a_name_written_otherwise_is_no_second_person(owner, same):
    assert same_person("amal", same)
    assert await owner.fetchval("SELECT ledger.person_compared($1) IN ('', ledger.person_compared('amal'))", same)


@pytest.mark.parametrize("other", ["amala", "a mal", "am\u00e1l", "bilal", AMAL_IN_ARABIC])
async def test_another_name_is_another_person(owner, other):
    assert not same_person("amal", other)
    assert await owner.fetchval("SELECT ledger.person_compared('amal') <> ledger.person_compared($1)", other)


def test_a_name_is_kept_in_one_way_of_writing():
    assert person(f"  {FULL_WIDTH}\u00a0Al  Said ") == "amal al said"
    assert person(f"{AMAL_IN_ARABIC} Al-Said") == f"{AMAL_IN_ARABIC} al-said"
    assert person("\u02bfabd") == "\u02bfabd", "a sign of transliteration is no script"


@pytest.mark.parametrize("name", ["", "  ", "am\u200bal", f"am{CYRILLIC_A}l", f"bilal {AMAL_IN_ARABIC}x", "\u03b1mal"])
def test_a_name_that_cannot_be_read_or_mixes_scripts_is_refused(name):
    with pytest.raises(PersonError):
        person(name)
