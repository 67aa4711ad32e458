"""Signatures, checked by the library that receivers use."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from runtime.outbound.signing import IncorrectSecret, key_of, signed

OLD, NEW = ("whsec_" + b64encode(bytes([number]) * 32).decode() for number in (1, 2))
BODIES = (b"{}", b'{"text":"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xf0\x9f\x91\x8b"}', b'["' + b"x" * 100_000 + b'"]')


@pytest.mark.promise("P-OUT-01")
@pytest.mark.parametrize("body", BODIES, ids=["empty", "another script", "long"])
def test_receiver_s_library_accepts_it_by_each_secret_of_a_rotation(body: bytes) -> None:
    headers = dict(signed([NEW, OLD], "launch1", int(datetime.now(UTC).timestamp()), body))

    for secret in (OLD, NEW):
        Webhook(secret).verify(body, headers)
    assert headers["webhook-id"] == "launch1"


@pytest.mark.promise("P-OUT-01")
@pytest.mark.parametrize("what", ["id", "timestamp", "body", "secret"])
def test_whatever_is_changed_on_the_way_is_noticed(what: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = dict(signed([NEW], "launch1", now, b'{"a":1}'))
    changed = {"id": {"webhook-id": "launch2"}, "timestamp": {"webhook-timestamp": str(now + 1)}}.get(what, {})
    body, secret = (b'{"a":2}' if what == "body" else b'{"a":1}'), (OLD if what == "secret" else NEW)

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers | changed)


@pytest.mark.promise("P-OUT-02")
@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_%%%",
        "whsec_" + "ы" * 40,
        b64encode(bytes(32)).decode(),
        *("whsec_" + b64encode(bytes(n)).decode() for n in (23, 65)),
    ],
)
def test_a_text_that_is_no_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(IncorrectSecret) as refused:
        key_of(secret)

    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(refused.value)


def test_nothing_is_signed_without_a_secret() -> None:
    assert "webhook-signature" not in signed([], "launch1", 1, b"{}")
