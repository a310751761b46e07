"""Where a citizen may be sent back to, and the VAT inside an amount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.department import Department, FeeBearer, Names, Service, check_return_url
from gateway.domain.errors import InvalidError

MOI = Department(
    code="moi",
    names=Names("وزارة الداخلية", "Ministry of Interior"),
    return_origins=("https://moi.example.ae", "https://pay.moi.example.ae:8443", "http://localhost:9000"),
    vat_registration=None,
    fee_bearer=FeeBearer.TREASURY,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://moi.example.ae",
        "https://MOI.example.ae:443/done?case=7#top",
        "https://pay.moi.example.ae:8443/x",
        "http://localhost:9000/back",
    ],
)
def test_registered_origins_are_accepted(url):
    check_return_url(url, MOI)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "//moi.example.ae/x",
        "https:moi.example.ae",
        "https:///moi.example.ae",
        "https://moi.example.ae@evil.example/",
        "https://moi.example.ae:9443/",
        "https://moi.example.ae\\@evil.example/",
        "https://moi.example.ae.evil.example/",
        "https://moi.example.ae\r\nSet-Cookie: a=b",
        "https://mоi.example.ae/",
        "javascript:alert(1)",
        "http://moi.example.ae/",
        "https://[::1",
        "https://moi.example.ae:99999/",
        " https://moi.example.ae/",
        "",
    ],
)
def test_hc34_anything_else_is_an_open_redirect(url):
    with pytest.raises(InvalidError):
        check_return_url(url, MOI)


@given(st.integers(1, 10**15), st.integers(0, 10_000))
def test_included_vat_is_within_half_a_minor_unit_of_exact(amount, rate):
    service = Service("s", "moi", Names("خدمة", "Service"), "4110", "AED", None, rate)
    vat = service.vat_minor(amount)
    assert abs(2 * (vat * (10_000 + rate) - amount * rate)) <= 10_000 + rate
    assert 0 <= vat <= amount
