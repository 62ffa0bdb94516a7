"""One spelling for an address, and nothing else but names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.targets.hosts import HostError, judged_address, parse_host
from tests.meters.targets.payloads import NOT_HOSTS


@pytest.mark.parametrize("text", NOT_HOSTS, ids=ascii)
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_host(text)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("192.168.1.10", "192.168.1.10"),
        ("127.0.0.1", "127.0.0.1"),
        ("FD00:0:0::10", "fd00::10"),
        ("[fd00::10]", "fd00::10"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:A00:1", "10.0.0.1"),
        ("meter-7.lab.example", "meter-7.lab.example"),
        ("Meter_7", "Meter_7"),
        ("7.meter", "7.meter"),
        ("127.0.0.1.example", "127.0.0.1.example"),
        ("xn--bcher-kva", "xn--bcher-kva"),
    ],
)
def test_what_is_one(text: str, host: str) -> None:
    assert str(parse_host(text)) == host
    assert parse_host(str(parse_host(text))) == parse_host(text)


@pytest.mark.parametrize(
    ("address", "judged"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("fd00::1", "fd00::1"),
        ("::1", "::1"),
        ("64:ff9b::a00:1", "10.0.0.1"),
        ("2002:a00:1::5", "10.0.0.1"),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "10.0.0.1"),
        ("2001:db8::a00:1", "2001:db8::a00:1"),
    ],
)
def test_the_address_that_decides(address: str, judged: str) -> None:
    found = parse_host(address)
    assert not isinstance(found, str)
    assert str(judged_address(found)) == judged


def test_a_mapped_address_is_judged_as_what_it_maps() -> None:
    assert judged_address(IPv6Address("::ffff:10.0.0.1")) == IPv4Address("10.0.0.1")


@given(st.ip_addresses())
def test_every_address_in_full_is_itself(address) -> None:
    found = parse_host(str(address))
    mapped = getattr(address, "ipv4_mapped", None)
    assert found == (mapped or address)


@given(st.integers(0, 2**32 - 1))
def test_no_number_is_an_address(number: int) -> None:
    for text in (str(number), hex(number), oct(number).replace("o", "")):
        with pytest.raises(HostError):
            parse_host(text)


@given(st.text(max_size=40))
def test_any_text_is_an_address_a_plain_name_or_refused(text: str) -> None:
    try:
        found = parse_host(text)
    except HostError:
        return
    if isinstance(found, str):
        assert found == text.removeprefix("[").removesuffix("]")
        assert set(found) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
