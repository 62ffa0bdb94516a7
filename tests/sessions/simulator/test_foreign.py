"""What files of real meters do not tell, the lab makes up; what they tell, it keeps."""

from __future__ import annotations

import pytest

from sessions.association_file import parse_association
from sessions.simulator.foreign import DEFAULT_KEYS, DEFAULT_SECRET, announced, placed, with_secrets
from sessions.simulator.lab import HdlcOptions
from tests.sessions.simulator.served import lab_meter

TITLE = b"SIM\x00\x00\x00\x00\x01"


@pytest.mark.parametrize("authentication", ["lls", "hls-md5", "hls-sha256"])
def test_a_secret_where_one_is_needed(authentication):
    assert with_secrets({"authentication": authentication}, ciphered=False)["secret"] == f"text:{DEFAULT_SECRET}"
    kept = with_secrets({"authentication": authentication, "secret": "text:own"}, ciphered=False)
    assert kept["secret"] == "text:own"


@pytest.mark.parametrize("association", [{}, {"authentication": "none"}, {"authentication": "hls-gmac"}])
def test_no_secret_where_none_is_needed(association):
    assert "secret" not in with_secrets(association, ciphered=False)


def test_keys_of_the_suites_length():
    assert with_secrets({"guek": "00" * 16}, ciphered=True) == {**DEFAULT_KEYS, "guek": "00" * 16}
    long = with_secrets({"security_suite": 2}, ciphered=True)
    assert (len(long["guek"]), len(long["gak"]), len(long["client_system_title"])) == (64, 64, 16)


@pytest.mark.parametrize(("address", "octets"), [(None, 1), (17, 2), (126, 2), (127, 4), (5000, 4)])
def test_the_place_on_the_line(address, octets):
    told = announced({"client_sap": 32}, HdlcOptions(), address, TITLE)
    parsed = parse_association(told)
    assert (parsed.hdlc.physical_address, parsed.hdlc.address_octets) == (address, octets)
    assert "server_system_title" not in told
    meter = placed(lab_meter().device, told, HdlcOptions(), address, serial_number="1", name="a meter", type="a type")
    assert (meter.physical_address, meter.address_octets) == (address, octets)


def test_the_title_is_told_where_it_matters():
    ciphered = with_secrets({"authentication": "hls-gmac"}, ciphered=True)
    assert announced(ciphered, None, None, TITLE)["server_system_title"] == TITLE.hex().upper()
