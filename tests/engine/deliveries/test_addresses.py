"""Which addresses may be called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.deliveries.addresses import check_url, networks, why_refused


@contextmanager
def refused(code: Code, words: str = "") -> Iterator[pytest.ExceptionInfo[Problem]]:
    with pytest.raises(Problem, match=words or None) as caught:
        yield caught
    assert caught.value.code is code


INSIDE = [
    ("http://127.0.0.1/", "loopback"),
    ("http://127.1/", "loopback"),
    ("http://2130706433/", "loopback"),
    ("http://0x7f000001/", "loopback"),
    ("http://127。0。0。1/", "loopback"),
    ("http://localhost:8080/x", "loopback"),
    ("http://LOCALHOST./x", "loopback"),
    ("http://some.localhost/", "loopback"),
    ("http://[::1]/", "loopback"),
    ("http://[::ffff:127.0.0.1]/", "loopback"),
    ("http://[64:ff9b::7f00:1]/", "loopback"),
    ("http://0.0.0.0/", "not an address of any host"),
    ("http://[::]/", "not an address of any host"),
    ("http://10.1.2.3/", "private"),
    ("http://172.31.255.255/", "private"),
    ("http://192.168.1.1/", "private"),
    ("http://100.64.0.1/", "private to a carrier"),
    ("http://[fd00::1]/", "private"),
    ("http://[::ffff:10.0.0.1]/", "private"),
    ("http://[64:ff9b::a00:1]/", "private"),
    ("http://169.254.169.254/latest/meta-data", "link-local"),
    ("http://[::ffff:a9fe:a9fe]/", "link-local"),
    ("http://[fe80::1]/", "link-local"),
    ("http://224.0.0.1/", "multicast"),
    ("http://[ff02::1]/", "multicast"),
    ("http://255.255.255.255/", "reserved"),
    ("http://[2002:7f00:1::]/", "reserved"),
    ("http://[2001::1]/", "reserved"),
    ("http://[::7f00:1]/", "reserved"),
    ("http://[4000::1]/", "reserved"),
    ("http://[64:ff9b:1::1]/", "reserved"),
    ("http://203.0.113.9/", "for documentation"),
    ("http://[2001:db8::1]/", "for documentation"),
]


@pytest.mark.parametrize(("url", "why"), INSIDE)
def test_an_inside_address_is_refused_and_says_what_to_do(url: str, why: str) -> None:
    with refused(Code.ADDRESS_REFUSED, f"is {why}: .*engine.allowed_addresses"):
        check_url(url, ())


@pytest.mark.parametrize(
    "url",
    ["https://example.org/hook", "http://8.8.8.8:8080/", "http://[2606:4700::1111]/", "http://[64:ff9b::808:808]/",
     "http://[::ffff:8.8.8.8]/", "https://ümläut.example/ä?x=y"],
)  # fmt: skip
def test_an_outside_address_is_taken(url: str) -> None:
    check_url(url, ())


@pytest.mark.parametrize(
    ("url", "words"),
    [("ftp://example.org/", "no URL to call"), ("example.org/hook", "no URL"), ("", "no URL"), ("http://", "no URL"),
     ("http:///x", "no URL"), ("http://a:99999/", "no URL"), ("http://[::1/", "no URL"), ("https://①②/", "no URL"),
     ("https://ana:secret@example.org/", "leave it out"), ("https://exa mple.org/", "blank or a control"),
     ("https://example.org/\r\nX: y", "no URL|control character")],
)  # fmt: skip
def test_what_is_no_url_is_refused_with_its_place(url: str, words: str) -> None:
    with refused(Code.INVALID_INPUT, words) as caught:
        check_url(url, ())
    assert caught.value.errors[0][0] == "/target"
    assert "secret" not in caught.value.detail


def test_what_the_config_allows_may_be_called_however_it_is_written() -> None:
    allowed = networks(["127.0.0.0/8", "10.1.0.0/16", "fd00:1::/32"])
    for url in ("http://127.0.0.1/", "http://localhost/", "http://10.1.9.9/", "http://[::ffff:10.1.0.1]/",
                "http://[fd00:1::9]/"):  # fmt: skip
        check_url(url, allowed)
    for url in ("http://10.2.0.1/", "http://[fd00:2::9]/", "http://[::1]/"):
        with refused(Code.ADDRESS_REFUSED):
            check_url(url, allowed)


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_called(address: object) -> None:
    found = ip_address(str(address))
    if found.is_private or found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified:
        assert why_refused(found, ()) is not None
