"""Signatures that somebody else's code verifies."""

from __future__ import annotations

import base64
import secrets
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from quarterdeck.engine.deliveries.signing import SecretError, headers, read_secrets


def secret(size: int = 32) -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(size)).decode()


def as_dict(found: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found}


@given(st.text().map(str.encode))
def test_every_signature_verifies(body: bytes) -> None:
    key = secret()
    made = headers(read_secrets(key, "KEY"), "run_7", int(time.time()), body)
    Webhook(key).verify(body, as_dict(made), json_parse=False)


def test_a_known_message_has_the_known_signature() -> None:
    # The example of the specification.
    keys = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "KEY")
    made = headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert as_dict(made)["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_exchanged_both_verify() -> None:
    old, new = secret(), secret()
    made = headers(read_secrets(f"{new} {old}", "KEY"), "run_7", int(time.time()), b"{}")
    for each in (old, new):
        Webhook(each).verify(b"{}", as_dict(made))


# One that is the same in every process that collects the tests.
TOO_LONG = "whsec_" + base64.b64encode(bytes(65)).decode()


@pytest.mark.parametrize("text", ["", " ", "whsec_!!!", "whsec_", "whsec_c2hvcnQ=", "whsec_ümläut", TOO_LONG])
def test_what_is_no_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretError, match="KEY") as caught:
        read_secrets(text, "KEY")
    assert not text.strip() or text not in str(caught.value)


def test_the_prefix_and_the_padding_may_be_missing() -> None:
    key = secret(31)
    bare = key.removeprefix("whsec_").rstrip("=")
    assert read_secrets(bare, "KEY") == read_secrets(key, "KEY")
