"""No byte sequence from outside does more than be refused: events, returns, answers, key sets."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.altareq import read_answer
from adapters.altareq.callbacks import read_continuation, read_event, read_return
from adapters.altareq.keys import Ring, Seal, SealError
from adapters.altareq.simulator.credentials import open_vault
from adapters.altareq.wire import Derived
from adapters.errors import CallbackRefusedError, OutcomeUnknownError

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
DERIVED = Derived("a key of this test that is long enough")
ANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PARTS = st.text(alphabet="eyJhbGciOiJQUzI1NiIsImtpZCI6ImEifQ._-", max_size=120)


@pytest.fixture(scope="module")
def seal(tmp_path_factory):
    vault = open_vault(tmp_path_factory.mktemp("keys") / "altareq")
    ring = Ring()
    ring.learn((vault.folder / "banks.jwks").read_bytes())
    return Seal(vault.key("signing"), vault.key("encryption"), "simulated-signing"), ring, vault


@ANY
@given(body=st.one_of(st.binary(max_size=400), PARTS.map(str.encode)))
def test_an_event_nobody_sealed_is_refused(seal, body):
    with pytest.raises(CallbackRefusedError):
        read_event(body, seal=seal[0], ring=seal[1], now=NOW)


@ANY
@given(text=st.one_of(st.text(max_size=200), PARTS))
def test_what_is_sealed_for_us_but_not_signed_is_refused(seal, text):
    ring = Ring()
    public = {**seal[2].key("encryption").as_dict(private=False), "use": "enc"}
    ring.learn(json.dumps({"keys": [public]}))
    with pytest.raises(CallbackRefusedError):
        read_event(ring.encrypt(text).encode(), seal=seal[0], ring=seal[1], now=NOW)


@ANY
@given(query=st.dictionaries(st.sampled_from(["code", "state", "iss", "error", "x"]), st.text(max_size=60)))
def test_a_return_without_our_state_is_refused(query):
    with pytest.raises(CallbackRefusedError):
        read_return(query, derived=DERIVED)


@ANY
@given(code=st.text(max_size=80), error=st.text(max_size=80), issuer=st.text(max_size=80))
def test_a_return_with_our_state_is_read_or_refused(code, error, issuer):
    query = {"state": DERIVED.state("pa_01"), "code": code, "error": error, "iss": issuer}
    try:
        notice = read_return(query, derived=DERIVED)
    except CallbackRefusedError:
        return
    assert (notice.reference, notice.proven, len(notice.event_id) <= 200) == ("pa_01", False, True)
    if notice.continuation is not None:
        assert read_continuation(notice.continuation) == (code, issuer)


@ANY
@given(body=st.binary(max_size=300))
def test_an_answer_nobody_can_read_says_nothing(body):
    with pytest.raises(OutcomeUnknownError):
        read_answer(body)


@ANY
@given(
    body=st.one_of(st.binary(max_size=200), st.just(b'{"keys": [{"kty": "RSA", "kid": "x", "n": "AQ", "e": "AQ"}]}'))
)
def test_a_key_set_is_read_or_refused(body):
    ring = Ring()
    try:
        ring.learn(body)
    except SealError:
        return
    assert not ring.knows("a.b.c")


def test_only_the_standards_own_algorithm_signs(seal):
    """A token signed with another algorithm, or with none, is nobody's, whatever key it names."""
    from joserfc import jws

    signer = seal[2].key("bank-signing")
    content = b'{"iss": "x", "nbf": 0, "exp": 99999999999, "message": {}}'
    genuine = jws.serialize_compact({"alg": "PS256", "kid": "simulated-bank-signing"}, content, signer, ["PS256"])
    assert seal[1].verify(genuine, NOW) == content
    other = jws.serialize_compact({"alg": "RS256", "kid": "simulated-bank-signing"}, content, signer, ["RS256"])
    header = "eyJhbGciOiJub25lIiwia2lkIjoic2ltdWxhdGVkLWJhbmstc2lnbmluZyJ9"
    for forged in (other, f"{header}.{other.split('.')[1]}."):
        with pytest.raises(SealError):
            seal[1].verify(forged, NOW)
