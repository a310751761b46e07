"""The contract's part on callbacks: read, refused, repeated, and proof only where something is signed."""

import pytest

from adapters import registry
from adapters.errors import CallbackRefusedError


async def test_hc06_a_callback_before_the_answer_names_our_reference(stage, listener):
    if stage.recognised:
        return  # nobody calls back
    await stage.fault("callback", "before_answer")
    await stage.provider.start(stage.order())
    await stage.drain()
    headers, body = listener.received[0]
    notice = stage.provider.read_callback(headers, body)[0]
    assert notice.reference == "pa_01"


async def received(stage, listener) -> tuple[dict[str, str], bytes]:
    await stage.provider.start(stage.order())
    await stage.pay()
    await stage.drain()
    if stage.recognised:
        return {}, b'{"reference": "pa_01", "status": "paid"}'
    return listener.received[-1]


async def test_a_callback_is_read_and_proves_only_what_is_signed(stage, listener, name):
    headers, body = await received(stage, listener)
    if stage.recognised:  # nobody calls back, so whoever does is refused
        with pytest.raises(CallbackRefusedError):
            stage.provider.read_callback(headers, body)
        return
    notices = stage.provider.read_callback(headers, body)
    assert len(notices) == 1
    notice = notices[0]
    assert notice.proven is registry.PROVIDERS[name].manifest.callbacks_proven
    assert notice.event_id
    assert notice.reference == "pa_01" or notice.provider_reference
    if not notice.proven:
        assert notice.report is None
    replayed = stage.provider.read_callback(headers, body)
    assert replayed[0].event_id == notice.event_id  # the inbox knows a replay by its event


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe\x00", b'{"order": 1}', b"[" * 50_000])
async def test_hc07_a_callback_nobody_can_read_is_refused(stage, listener, body):
    headers, _ = await received(stage, listener)
    with pytest.raises(CallbackRefusedError):
        stage.provider.read_callback(headers, body)


async def test_hc07_a_forged_callback_is_refused(stage, listener, name):
    """Take away or change each header that carries the proof; where the body is signed, change the body."""
    if stage.recognised:
        return  # every callback is refused, as the test above holds
    headers, body = await received(stage, listener)
    manifest = registry.PROVIDERS[name].manifest
    secrets = manifest.secrets(manifest.read(stage.settings))
    proof = [header for header, value in headers.items() if any(secret in value for secret in secrets)]
    for header in proof:
        without = {key: value for key, value in headers.items() if key != header}
        for forged in (
            without,
            {**without, header: "x"},
            {**without, header: ""},
            {**headers, header.upper() + " ": "x"},
        ):
            if forged.get(header) == headers[header]:
                continue
            with pytest.raises(CallbackRefusedError):
                stage.provider.read_callback(forged, body)
    if manifest.callbacks_proven:
        changed = body.replace(b"12550", b"92550")
        if changed == body:  # what is encrypted shows no amount; any other letter in it must do as much harm
            middle = len(body) // 2
            changed = body[:middle] + (b"A" if body[middle : middle + 1] != b"A" else b"B") + body[middle + 1 :]
        with pytest.raises(CallbackRefusedError):
            stage.provider.read_callback(headers, changed)
    assert proof or manifest.callbacks_proven


@pytest.mark.parametrize("fault", ["duplicate", "concurrent"])
async def test_hc04_a_repeated_callback_is_one_event(stage, listener, fault):
    if stage.recognised:
        return  # nobody calls back; the same credit on several papers is held in tests/adapters/bank_transfer
    await stage.fault("callback", fault, count=5)
    await received(stage, listener)
    notices = [stage.provider.read_callback(headers, body)[0] for headers, body in listener.received]
    assert len(notices) > len({notice.event_id for notice in notices})


async def test_hc07_a_callback_about_nothing_of_ours_is_only_a_hint(stage, listener):
    if stage.recognised:
        return  # nobody calls back
    await stage.fault("callback", "unknown_reference")
    headers, body = await received(stage, listener)
    notice = stage.provider.read_callback(headers, body)[0]
    assert notice.reference != "pa_01"
