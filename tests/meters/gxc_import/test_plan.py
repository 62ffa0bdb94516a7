"""What becomes of a device, and what is left out and why: each case that the published files do not have."""

from __future__ import annotations

import pytest

from meters.gxc import read_gxc
from meters.gxc_import.plan import DevicePlan, plan_device
from tests.meters.gxc_import.builders import CIPHERED, GUEK
from tests.meters.test_gxc import made

HDLC = "<InterfaceType>0</InterfaceType>"
WRAPPER = "<InterfaceType>1</InterfaceType>"
SERIAL = "<MediaType>Gurux.Serial.GXSerial</MediaType>"
NET = "<MediaType>Gurux.Net.GXNet</MediaType>"


def planned(*elements: str, file: str = "meters.gxc", number: int = 1) -> DevicePlan:
    (device,) = read_gxc(made(*elements))
    return plan_device(device, file=file, number=number)


def left(plan: DevicePlan) -> dict[str, str]:
    return {each.what: f"{each.said}|{each.why}" for each in plan.left}


def media(**settings: object) -> str:
    inside = "".join(f"&lt;{name}&gt;{value}&lt;/{name}&gt;" for name, value in settings.items())
    return f"<MediaSettings>{inside}</MediaSettings>"


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ("<InterfaceType>5</InterfaceType>", "does not talk over PLC"),
        ("<InterfaceType>99</InterfaceType>", "does not talk over unknown"),
        (f"{HDLC}<ClientAddress>128</ClientAddress>", "one octet for the client"),
        (f"{WRAPPER}<ClientAddress>0</ClientAddress>", "1 to 65535"),
        (f"{WRAPPER}<ClientAddress>128</ClientAddress>", ""),
    ],
)
def test_what_cannot_be_imported_at_all(elements: str, words: str) -> None:
    refusal = planned(elements).refusal
    assert words in refusal
    assert bool(refusal) == bool(words)


@pytest.mark.parametrize(
    ("elements", "server_sap", "physical", "told"),
    [
        (HDLC, 1, 1, False),
        (f"{HDLC}<LogicalAddress>0</LogicalAddress><PhysicalAddress>17</PhysicalAddress>", 17, None, False),
        (f"{HDLC}<LogicalAddress>3</LogicalAddress><PhysicalAddress>17</PhysicalAddress>", 3, 17, False),
        (f"{HDLC}<HDLCAddressing>1</HDLCAddressing><PhysicalAddress>35041234</PhysicalAddress>", 1, 2234, True),
        (f"{HDLC}<PhysicalAddress>16384</PhysicalAddress>", 1, None, True),
        (f"{HDLC}<PhysicalAddress>127</PhysicalAddress>", 1, 127, True),
        (f"{HDLC}<PhysicalAddress>127</PhysicalAddress><ServerAddressSize>4</ServerAddressSize>", 1, 127, False),
        (WRAPPER, 1, None, False),
        (f"{WRAPPER}<PhysicalAddress>17</PhysicalAddress>", 17, None, False),
        (f"{WRAPPER}<LogicalAddress>3</LogicalAddress>", 3, None, False),
        (f"{WRAPPER}<LogicalAddress>3</LogicalAddress><PhysicalAddress>17</PhysicalAddress>", 3, None, True),
    ],
)
def test_addresses(elements: str, server_sap: int, physical: int | None, told: bool) -> None:
    plan = planned(elements)
    assert (plan.association["server_sap"], plan.meter.get("physical_address")) == (server_sap, physical)
    assert ("Physical address" in left(plan)) == told


def test_sizes_windows_and_address_octets() -> None:
    sizes = "<MaxInfoTX>236</MaxInfoTX><MaxInfoRX>256</MaxInfoRX><WindowSizeTX>9</WindowSizeTX>"
    plan = planned(HDLC, sizes, "<ServerAddressSize>4</ServerAddressSize>")
    assert (plan.meter["max_info"], plan.meter["address_octets"], "window" in plan.meter) == (236, 4, False)
    assert "256 the other way" in left(plan)["Information field"]
    assert "9" in left(plan)["Window"]
    assert "1, 2 or 4" in left(planned(HDLC, "<ServerAddressSize>3</ServerAddressSize>"))["Server address size"]
    assert "max_info" not in planned(WRAPPER, sizes).meter


def test_numbers_that_do_not_fit_are_told() -> None:
    plan = planned(
        WRAPPER,
        "<UserId>256</UserId><PduSize>70000</PduSize><WaitTime>121</WaitTime><FrameCounter>counter</FrameCounter>",
        "<SystemTitle>4142</SystemTitle><ServerSystemTitle>41</ServerSystemTitle>",
    )
    assert not {"user_id", "max_pdu_size", "timeout", "counter_object"} & plan.association.keys()
    assert plan.association["client_system_title"] == plan.meter["server_system_title"] == ""
    told = left(plan)
    for what in ("User id", "PDU size", "Wait time", "Counter object", "Client system title", "Meter's system title"):
        assert what in told


def test_keys_of_a_wrong_length_are_told_without_their_octets() -> None:
    plan = planned(CIPHERED.replace(GUEK, "0102AA"), "<BroadcastKey>FF</BroadcastKey>")
    assert list(plan.secrets) == ["GAK"]
    assert left(plan)["Encryption key (BlockCipherKey)"].startswith("3 octets|Security suite 0 has keys of 16")
    assert "0102" not in str(plan.left) + repr(plan)
    assert plan.last_counter is None
    assert "8" in left(plan)["Invocation counter"]


def test_all_keys_go_into_the_vault_and_stay_out_of_sight() -> None:
    plan = planned(CIPHERED, f"<BroadcastKey>{'AB' * 16}</BroadcastKey><DedicatedKey>{'CD' * 16}</DedicatedKey>")
    assert list(plan.secrets) == ["GUEK", "GAK", "GBEK", "DEDICATED_KEY"]
    assert plan.last_counter == 8
    for octets in plan.secrets.values():
        assert repr(octets) not in repr(plan)
        assert octets.hex() not in repr(plan).lower()


@pytest.mark.parametrize(("last", "kept"), [(0, None), (1, 1), (2**32 - 2**16 - 1, None)])
def test_counters_that_are_used_up_or_say_nothing(last: int, kept: int | None) -> None:
    plan = planned(CIPHERED.replace("<InvocationCounter>8", f"<InvocationCounter>{last}"))
    assert plan.last_counter == kept
    assert ("Invocation counter" in left(plan)) == (kept is None and last > 0)


def test_what_an_association_still_needs_is_asked_for() -> None:
    assert "enter it" in left(planned(WRAPPER, "<Authentication>Low</Authentication><Password>x</Password>"))[
        "Password"
    ].replace("Enter", "enter")
    assert "has none" in left(planned(WRAPPER, "<Password>x</Password>"))["Password"]
    assert "Signing keys" in left(planned(WRAPPER, "<Authentication>HighECDSA</Authentication>"))
    gmac = left(planned(WRAPPER, "<Authentication>HighGMAC</Authentication>"))
    assert "not in the file" in gmac["Encryption key (BlockCipherKey)"]
    assert "not in the file" in gmac["Authentication key"]


def test_a_pre_established_association_authenticates_nobody() -> None:
    plan = planned(CIPHERED, "<PreEstablished>true</PreEstablished>")
    assert (plan.association["authentication"], plan.association["pre_established"]) == ("none", True)
    assert left(plan)["Authentication"].startswith("hls-gmac|")
    assert "Meter's system title" in left(plan)
    titled = planned(
        CIPHERED, "<PreEstablished>true</PreEstablished><ServerSystemTitle>4142434445464748</ServerSystemTitle>"
    )
    assert "Meter's system title" not in left(titled)


@pytest.mark.parametrize(
    ("said", "flag_code", "manufacturer"),
    [("kam", "KAM", "Kamstrup"), ("xyz", "XYZ", "XYZ"), ("Acme", "", "ACME"), ("", "", ""), ("A-B", "", "A-B")],
)
def test_a_maker(said: str, flag_code: str, manufacturer: str) -> None:
    plan = planned(f"<Manufacturer>{said}</Manufacturer>")
    assert (plan.flag_code, plan.manufacturer) == (flag_code, manufacturer)


def test_names() -> None:
    both = planned("<Name>Bench 7</Name><AuthenticationName>Management</AuthenticationName>")
    assert (both.association["name"], both.name, both.title) == ("Management", "Bench 7", "Bench 7")
    assert (planned("").association["name"], planned("").title) == ("Client 16", "device 1")
    long = planned(f"<Name>{'x' * 150}</Name>")
    assert len(long.association["name"]) == 100
    assert "150 characters" in left(long)["Name"]


@pytest.mark.parametrize(
    ("elements", "number", "serial"),
    [
        ("<Name>L+G 35041234</Name>", 1, "35041234"),
        ("<Name>Low</Name>", 1, "meters"),
        ("<Name>Low</Name>", 3, "meters-3"),
        ("<HDLCAddressing>1</HDLCAddressing><PhysicalAddress>35041234</PhysicalAddress>", 1, "35041234"),
    ],
)
def test_a_proposal_for_the_serial_number(elements: str, number: int, serial: str) -> None:
    assert planned(HDLC, elements, number=number).serial_number == serial


@pytest.mark.parametrize(
    ("elements", "words", "line"),
    [
        (
            NET + media(IP="10.0.0.7", Port=4059),
            "TCP, 10.0.0.7:4059",
            {"kind": "TCP", "host": "10.0.0.7", "port": 4059},
        ),
        (NET + media(IP="a", Port=1, Protocol=0), "UDP, a:1", {"kind": "UDP", "host": "a", "port": 1}),
        (NET + media(IP="a", Port=1, Protocol=9), "unknown protocol, a:1", None),
        (NET + media(IP="a", Port=99999), "TCP, a:99999", None),
        (NET, "TCP, without an address", None),
        (SERIAL + media(Port="COM8"), "COM8", None),
        (SERIAL + media(Port="COM8", Bps=19200, Parity=2, ByteSize=7), "COM8, 19200 7E1", None),
        (SERIAL, "a serial port without a name", None),
        ("<MediaType>Gurux.Terminal.GXTerminal</MediaType>", "GXTerminal", None),
    ],
)
def test_the_place(elements: str, words: str, line: object) -> None:
    place = planned(elements).place
    assert (place.words, place.line) == (words, line)


def test_serial_settings_that_lines_do_not_have_are_told() -> None:
    plan = planned(SERIAL, media(Port="COM1", Parity=3, ByteSize=5, StopBits=3))
    assert plan.place.serial_settings == {"baud": 9600, "data_bits": 8, "parity": "N", "stop_bits": 1}
    assert {"Parity", "Data bits", "Stop bits"} <= left(plan).keys()
    assert "Protocol" in left(planned(NET, media(IP="a", Port=1, Protocol=9)))
    assert "GXTerminal" in left(planned("<MediaType>Gurux.Terminal.GXTerminal</MediaType>"))["Line"]


def test_what_the_workbench_does_not_know_is_named_but_not_repeated() -> None:
    plan = planned("<Standard>2</Standard><Challenge>4142</Challenge><Novelty>hush</Novelty><NetworkId>3</NetworkId>")
    told = left(plan)
    assert told["Standard"].startswith("2|")
    assert told["NetworkId"].startswith("3|The meter is behind a gateway")
    assert told["Challenge"].startswith("|")
    assert told["Novelty"].startswith("|The workbench does not know")
    assert "hush" not in str(plan.left)


def test_ways_into_one_meter_are_known_by_their_place() -> None:
    one, other = (planned(NET, media(IP="a", Port=1), f"<ClientAddress>{sap}</ClientAddress>") for sap in (1, 16))
    assert one.meter_key == other.meter_key
    assert planned(NET, number=1).meter_key != planned(NET, number=2).meter_key
    assert one.meter_key != planned(NET, media(IP="a", Port=2)).meter_key


def test_what_it_becomes_is_said_in_words_and_without_secrets() -> None:
    facts = dict(planned(CIPHERED).facts)
    assert facts["Association"] == "Management, client 1 → 1, logical names"
    assert facts["Authentication"] == "High level, GMAC, authenticated and encrypted, suite 0"
    assert facts["Into the vault"] == "GUEK, GAK"
    assert facts["Counter"].startswith("goes on after 8")
    assert GUEK.lower() not in str(facts).lower()
    assert "Clock" in dict(planned(HDLC, "<UtcTimeZone>true</UtcTimeZone><MaxInfoRX>64</MaxInfoRX>").facts)
