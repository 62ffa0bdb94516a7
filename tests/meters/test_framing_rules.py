"""What a line, a framing and addresses ask of each other."""

from __future__ import annotations

from typing import Any

import pytest

from meters.framing_rules import contradictions

HDLC = {"kind": "TCP", "framing": "HDLC", "client_sap": 16, "server_sap": 1}


@pytest.mark.parametrize(
    "values",
    [
        {},
        HDLC,
        {"kind": "TCP", "framing": "WRAPPER", "client_sap": 500, "server_sap": 65535, "address_octets": 1},
        {"kind": "UDP", "framing": "WRAPPER"},
        {"kind": "SERIAL", "framing": "MODE_E"},
        {"kind": "RFC2217", "framing": "HDLC"},
        {**HDLC, "server_sap": 0x3FFF, "physical_address": 0x3FFF, "address_octets": 4},
        {**HDLC, "server_sap": 127, "physical_address": 127, "address_octets": 2},
        {**HDLC, "server_sap": 127, "address_octets": 1},
    ],
)
def test_what_fits(values: dict[str, Any]) -> None:
    assert list(contradictions(values)) == []


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"kind": "UDP", "framing": "HDLC"}, "framing", "UDP carries"),
        ({"kind": "UDP", "framing": "MODE_E"}, "framing", "UDP carries"),
        ({"kind": "SERIAL", "framing": "WRAPPER"}, "framing", "a serial line carries HDLC"),
        ({"kind": "RFC2217", "framing": "WRAPPER"}, "framing", "a serial line carries HDLC"),
        ({**HDLC, "client_sap": 128}, "client_sap", "at most 127"),
        ({**HDLC, "server_sap": 0x4000}, "server_sap", "end at 16383"),
        ({**HDLC, "physical_address": 0, "address_octets": 1}, "address_octets", "no room"),
        ({**HDLC, "server_sap": 128, "address_octets": 1}, "address_octets", "1 address octets"),
        ({**HDLC, "server_sap": 128, "address_octets": 2}, "address_octets", "2 address octets"),
        ({**HDLC, "physical_address": 128, "address_octets": 2}, "address_octets", "Two octets"),
    ],
)
def test_what_does_not(values: dict[str, Any], field: str, words: str) -> None:
    [(name, reason)] = contradictions(values)
    assert name == field
    assert words in reason
