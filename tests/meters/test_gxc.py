"""Device files of the field's desktop tool: what they say, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from meters.cosem.obis import ObisCode
from meters.gxc import GxcError, read_each, read_gxc
from meters.gxc_tables import CLASS_IDS
from tests.conftest import ROOT

FILES = ROOT.parent / "shared" / "gxc"
HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><ArrayOfGXDLMSDevice '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="Gurux1"><GXDLMSDevice>'
)
TAIL = "</GXDLMSDevice></ArrayOfGXDLMSDevice>"
REGISTER = """<GXDLMSObject xsi:type="GXDLMSRegister"><Version>0</Version><ShortName>18592</ShortName>
  <LogicalName>1.0.1.8.0.255</LogicalName><Description>Energy</Description>
  <Attributes><Item><Index>2</Index><Access>1</Access><Type>UInt32</Type></Item><Item><Index>3</Index></Item></Attributes>
  <Methods><Item><Index>1</Index><Access>0</Access></Item></Methods></GXDLMSObject>"""
PROFILE = """<GXDLMSObject xsi:type="GXDLMSProfileGeneric"><Version>1</Version><LogicalName>1.0.99.1.0.255</LogicalName>
  <CaptureObjects><GXKeyValuePair><Key xsi:type="GXDLMSRegister"><LogicalName>1.0.1.8.0.255</LogicalName></Key>
  <Value><AttributeIndex>-3</AttributeIndex><DataIndex>2</DataIndex></Value></GXKeyValuePair></CaptureObjects></GXDLMSObject>"""


def made(*parts: str, objects: str = "") -> bytes:
    return f"{HEAD}{''.join(parts)}<Objects2>{objects}</Objects2>{TAIL}".encode()


def device(*parts: str, objects: str = ""):
    (found,) = read_gxc(made(*parts, objects=objects))
    return found


def test_what_a_file_leaves_out_has_the_tools_default():
    found = device()
    assert (found.authentication, found.protection, found.security_suite) == ("none", "none", 0)
    assert (found.client_sap, found.logical_address, found.physical_address) == (16, 1, 1)
    assert (found.framing, found.logical_names, found.conformance) == ("hdlc", True, None)


def test_the_association_and_its_keys():
    found = device(
        "<Name>x</Name><AuthenticationName>Management</AuthenticationName><Manufacturer>itl</Manufacturer>",
        "<Authentication>HighGMAC</Authentication><Security>AuthenticationEncryption</Security>",
        "<SecuritySuite>Suite2</SecuritySuite><Password>q</Password>",
        "<BlockCipherKey>000102030405060708090A0B0C0D0E0F</BlockCipherKey><SystemTitle>4142434445464748</SystemTitle>",
        "<InterfaceType>4</InterfaceType><UseLN>false</UseLN><UserId>100</UserId><PreEstablished>true</PreEstablished>",
    )
    assert (found.name, found.manufacturer, found.authentication) == ("Management", "ITL", "hls-gmac")
    assert (found.protection, found.security_suite, found.has_password) == ("authenticated-encrypted", 2, True)
    assert (found.guek, found.client_system_title) == (bytes(range(16)), b"ABCDEFGH")
    assert (found.framing, found.logical_names, found.user_id, found.pre_established) == (
        "hdlc-mode-e",
        False,
        100,
        True,
    )
    assert bytes(range(16)).hex() not in repr(found).lower()
    assert repr(bytes(range(16))) not in repr(found)


def test_the_line():
    net = device(
        "<MediaType>Gurux.Net.GXNet</MediaType>",
        "<MediaSettings>&lt;IP&gt;10.0.0.7&lt;/IP&gt;&lt;Port&gt;4059&lt;/Port&gt;</MediaSettings>",
    )
    assert (net.media.host, net.media.port) == ("10.0.0.7", 4059)
    serial = device(
        "<MediaType>Gurux.Serial.GXSerial</MediaType>",
        "<MediaSettings>&lt;Port&gt;COM8&lt;/Port&gt;&lt;Bps&gt;19200&lt;/Bps&gt;&lt;Parity&gt;2&lt;/Parity&gt;</MediaSettings>",
    )
    assert (serial.media.serial_port, serial.media.baud, serial.media.parity) == ("COM8", 19200, "E")
    assert (net.media.udp, serial.media.stop_bits) == (False, 1)
    assert device("<MediaType>Gurux.Terminal.GXTerminal</MediaType>").media.kind == "Gurux.Terminal.GXTerminal"


@pytest.mark.parametrize(("said", "udp"), [("1", False), ("Tcp", False), ("0", True), ("Udp", True), ("7", None)])
def test_the_protocol_of_a_network_line(said, udp):
    settings = f"<MediaSettings>&lt;Protocol&gt;{said}&lt;/Protocol&gt;</MediaSettings>"
    assert device("<MediaType>Gurux.Net.GXNet</MediaType>", settings).media.udp is udp


def test_an_object():
    (register,) = device(objects=REGISTER).objects
    assert (register.class_id, register.version, register.short_name) == (3, 0, 18592)
    assert register.logical_name == ObisCode(1, 0, 1, 8, 0, 255)
    value, scaler = register.attributes[2], register.attributes[3]
    assert (value.readable, value.writable, value.type) == (True, False, "UInt32")
    assert (scaler.readable, scaler.writable) == (True, True)
    assert register.methods == {1: 0}


def test_the_columns_of_a_profile():
    (profile,) = device(objects=PROFILE).objects
    (column,) = profile.capture_objects
    assert (column.class_id, column.attribute_id, column.data_index) == (3, -3, 2)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "is not XML"),
        (b"\x00\xff garbage", "is not XML"),
        (b"<a/>", "no device file"),
        (f"{HEAD}".encode(), "is not XML"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DTD or entities"),
        (b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>', "DTD or entities"),
        (b'<ArrayOfGXDLMSDevice xmlns="Gurux1"/>', "holds no device"),
        (made("<ClientAddress>many</ClientAddress>"), "ClientAddress is 'many', a number is expected"),
        (made("<ClientAddress>-1</ClientAddress>"), "outside of 0"),
        (made("<Authentication>Strong</Authentication>"), "Authentication is 'Strong'"),
        (made("<BlockCipherKey>secret!</BlockCipherKey>"), "BlockCipherKey is not hexadecimal"),
        (made("<MediaSettings>&lt;IP&gt;</MediaSettings>"), "MediaSettings cannot be read"),
        (f"{HEAD}{TAIL[:15]}{'<GXDLMSDevice/>' * 1000}</ArrayOfGXDLMSDevice>".encode(), "holds 1001 devices"),
    ],
)
def test_what_is_refused(octets, words):
    with pytest.raises(GxcError, match=re.escape(words)) as refusal:
        read_gxc(octets)
    assert "secret!" not in str(refusal.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ('<GXDLMSObject xsi:type="GXDLMSNovelty"/>', "device 1, object 1: the class GXDLMSNovelty"),
        (REGISTER.replace("1.0.1.8.0.255", "energy"), "'energy' is no logical name"),
        (PROFILE.replace("Key", "Lock"), "a capture object without its object"),
        (REGISTER.replace("<Version>0<", "<Version>new<"), "Version is 'new'"),
    ],
)
def test_an_object_that_cannot_be_read_is_a_fault_and_the_others_are_read(fault, words):
    found = device(objects=fault + PROFILE)
    assert [each.class_id for each in found.objects] == [7]
    assert len(found.faults) == 1
    assert words in found.faults[0]


def test_many_faults_are_counted():
    found = device(objects="<GXDLMSObject/>" * 60 + REGISTER)
    assert len(found.objects) == 1
    assert len(found.faults) == 51
    assert found.faults[-1] == "device 1: 10 more objects cannot be read."


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (
            "<InterfaceType>WRAPPER</InterfaceType><Authentication>5</Authentication>",
            ("wrapper", "hls-gmac", "none", 0),
        ),
        (
            "<InterfaceType>HdlcWithModeE</InterfaceType><Security>48</Security><SecuritySuite>2</SecuritySuite>",
            ("hdlc-mode-e", "none", "authenticated-encrypted", 2),
        ),
    ],
)
def test_numbers_and_words_mean_the_same(elements, expected):
    found = device(elements)
    assert (found.framing, found.authentication, found.protection, found.security_suite) == expected


def test_words_where_others_have_numbers():
    found = device(
        "<HDLCAddressing>SerialNumber</HDLCAddressing><UseLN>False</UseLN><PreEstablished>1</PreEstablished>"
    )
    assert (found.hdlc_addressing, found.logical_names, found.pre_established) == (1, False, True)
    found = device("<Conformance>Get Set Action</Conformance>")
    assert (found.conformance, found.others) == (None, {"Conformance": "Get Set Action"})


def test_one_device_that_cannot_be_read_does_not_hide_the_others():
    two = made("<ClientAddress>many</ClientAddress></GXDLMSDevice><GXDLMSDevice><Name>second</Name>")
    refused, found = read_each(two)
    assert "device 1: ClientAddress" in str(refused)
    assert found.device_name == "second"
    with pytest.raises(GxcError, match="ClientAddress"):
        read_gxc(two)


def test_what_has_no_field_is_told_and_what_says_nothing_is_not():
    found = device(
        "<Standard>2</Standard><Signing>0</Signing><Novelty>x</Novelty><Challenge/>",
        objects=REGISTER.replace("<Type>UInt32</Type>", "<UIType>String</UIType><AccessSelector>0</AccessSelector>"),
    )
    assert found.others == {"Standard": "2", "Novelty": "x"}
    assert found.unread == {"UIType": 1}
    assert "Novelty" not in repr(found)


def test_rights_of_methods_and_of_newer_associations():
    item = "<Item><Index>{}</Index>{}</Item>"
    methods = item.format(1, "<MethodAccess>1</MethodAccess>") + item.format(2, "")
    attributes = item.format(2, "<Access>4</Access><Access3>0</Access3>") + item.format(3, "<Access3>6</Access3>")
    head = '<GXDLMSObject xsi:type="GXDLMSData"><LogicalName>0.0.1.0.0.255</LogicalName>'
    (found,) = device(
        objects=f"{head}<Attributes>{attributes}</Attributes><Methods>{methods}</Methods></GXDLMSObject>"
    ).objects
    assert found.methods == {1: 1, 2: 0}
    rights = {number: (each.access, each.readable, each.writable) for number, each in found.attributes.items()}
    assert rights == {2: (4, True, False), 3: (2, False, True)}


def test_numbers_that_may_be_negative():
    (found,) = device("<UserId>-1</UserId>", objects=REGISTER.replace("18592", "-1536").replace(">3<", ">-3<")).objects
    assert found.short_name == 0xFA00
    assert -3 in found.attributes
    assert device("<UserId>-1</UserId>").user_id is None


@pytest.mark.parametrize("cut", range(0, 900, 7))
def test_every_truncation_is_refused(cut):
    with pytest.raises(GxcError):
        read_gxc(made(objects=REGISTER + PROFILE)[:cut])


def test_the_published_files():
    if not FILES.is_dir():
        pytest.skip(f"the published device files are not here ({FILES.name} beside the checkout)")
    files: list[Path] = sorted(FILES.glob("*.gxc"))
    assert len(files) == 10
    devices = [device for file in files for device in read_gxc(file.read_bytes())]
    assert len(devices) == 10
    assert sum(len(device.objects) for device in devices) == 1820
    assert Counter(device.logical_names for device in devices) == {True: 8, False: 2}
    for device in devices:
        if not device.logical_names:
            assert all(each.short_name is not None for each in device.objects)


def test_class_names_and_numbers_are_one_to_one():
    assert len(set(CLASS_IDS.values())) == len(CLASS_IDS)
