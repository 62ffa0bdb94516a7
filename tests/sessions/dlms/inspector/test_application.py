"""APDUs, and what stands inside them."""

import pytest

from sessions.dlms.acse import Aarq
from sessions.dlms.inspector import DissectionKeys, Dissector, Framing, dissect
from sessions.dlms.inspector.application import MAX_LAYERS
from sessions.dlms.inspector.sheet import find_field
from tests.sessions.dlms.inspector import samples


def test_an_apdu_alone():
    found = dissect(samples.GET_CLOCK)
    assert (found.framing, found.error, found.starts_apdu) == (Framing.APDU, None, True)
    assert found.summary == "GET request 8/0-0:1.0.0*255 attribute 2"
    assert find_field(found.fields, "instance-id").value == "0-0:1.0.0*255 (Clock)"


def test_the_initiate_stands_below_the_user_information():
    found = dissect(samples.AARQ_LLS)
    assert isinstance(found.apdu, Aarq)
    information = find_field(found.fields, "initiate-request")
    assert samples.AARQ_LLS[information.offset : information.offset + information.length].hex() == (
        "01000000065f1f0400007e1f04b0"
    )
    assert find_field(found.fields, "client-max-receive-pdu-size").value == "1200"


def test_a_ciphered_initiate_is_deciphered_and_the_aarq_stays_the_apdu():
    keys = DissectionKeys(guek=samples.GUEK, gak=samples.GAK)
    found = dissect(samples.AARQ_CIPHERED, keys=keys)
    assert found.error is None
    assert isinstance(found.apdu, Aarq)
    assert found.summary == "AARQ, LLS, ciphered"
    assert found.plaintext.hex() == "01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0"
    key = find_field(found.fields, "dedicated-key")
    assert (key.source, key.secret) == ("plaintext", True)


def test_a_broken_user_information_is_an_error_and_the_aarq_is_still_shown():
    found = dissect(samples.AARE.replace(bytes.fromhex("0800065f"), bytes.fromhex("0800065e")))
    assert found.error is not None
    assert found.summary == "AARE accepted"


def test_an_unknown_tag_is_said_with_its_offset():
    found = dissect(samples.info(samples.RESPONSE + b"\xff\xfd", sent=False))
    assert (found.error.code, found.error.offset) == ("unknown-tag", 11)
    assert found.summary == "APDU ff, 2 octets: ff is not the tag of an APDU"
    assert found.apdu_octets == b"\xff\xfd"


def test_octets_behind_an_apdu_are_an_error_and_the_apdu_is_still_shown():
    found = dissect(samples.GET_RESPONSE + b"\x00")
    assert (found.error.code, found.error.offset) == ("trailing-octets", len(samples.GET_RESPONSE))
    assert found.summary == "GET response: 4822"


@pytest.mark.parametrize("wire", [samples.GET_CLOCK, samples.GET_RESPONSE, samples.AARE, samples.BLOCK_1])
def test_every_truncation_is_a_typed_error(wire):
    for size in range(1, len(wire)):
        found = dissect(wire[:size])
        assert found.error is not None, size
        assert found.error.code != "inspector-fault"


def test_apdus_inside_apdus_have_an_end():
    wire = samples.GET_CLOCK
    for _ in range(MAX_LAYERS + 2):
        wire = bytes.fromhex("e0c000010000") + bytes((len(wire),)) + wire
    assert dissect(wire).error.code == "limit-exceeded"


def test_a_signed_apdu_is_opened():
    content = bytes((len(samples.GET_CLOCK),)) + samples.GET_CLOCK
    wire = b"\xdf" + b"\x00" * 5 + content + b"\x40" + bytes(64)
    found = dissect(wire)
    assert found.error is None
    assert found.summary == "GET request 8/0-0:1.0.0*255 attribute 2"
    assert find_field(found.fields, "class-id").offset == 10


class TestSecrets:
    GET = bytes.fromhex("c001c1000f0000280000ff0700")
    ANSWER = bytes.fromhex("c401c100090461626364")
    SET = bytes.fromhex("c101c1000f0000280000ff0700090461626364")

    def test_the_answer_to_a_request_for_a_secret(self):
        dissector = Dissector()
        dissector.feed(self.GET)
        found = dissector.feed(self.ANSWER)
        assert found.secrets == [(6, 4)]
        assert "abcd" not in found.summary
        assert found.data is None
        assert "61626364" not in str(found.as_json())

    def test_the_next_answer_is_none(self):
        dissector = Dissector()
        for octets in (self.GET, self.ANSWER, samples.GET_CLOCK):
            dissector.feed(octets)
        assert dissector.feed(self.ANSWER).secrets == []

    def test_a_request_that_writes_one(self):
        found = dissect(self.SET)
        assert found.secrets == [(15, 4)]
        assert "61626364" not in str(found.as_json())

    def test_in_blocks(self):
        dissector = Dissector()
        dissector.feed(self.GET)
        for number, part in ((1, "0904"), (2, "61626364")):
            octets = bytes.fromhex(f"c402c1{number - 1:02x}0000000{number}00{len(part) // 2:02x}{part}")
            found = dissector.feed(octets)
            assert found.secrets
            assert "61626364" not in str(found.as_json())
        assert found.data is None
