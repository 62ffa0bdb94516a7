"""The messages of IEC 62056-21 in the inspector."""

import pytest

from sessions.dlms.errors import FrameError
from sessions.dlms.iec62056_21.characters import BlockCheck, with_even_parity
from sessions.dlms.iec62056_21.message import CommandMessage, DataMessage
from sessions.dlms.iec62056_21.telegram import crc16_arc, decode_telegram
from sessions.dlms.inspector import DissectionKeys, Dissector, Framing, dissect, mask
from sessions.dlms.inspector.sheet import find_field
from tests.sessions.dlms.iec62056_21 import samples
from tests.sessions.dlms.inspector import samples as frames
from tests.vectors import of_kind

TELEGRAM = b"/ABC5M\r\n\r\n1-0:1.8.0(000123.4*kWh)\r\n!"
CRC = b"%04X\r\n" % crc16_arc(TELEGRAM)


def values(found, name):
    return [one.value for one in every(found.fields) if one.name == name]


def every(root):
    return [root, *(inner for child in root.children for inner in every(child))]


@pytest.mark.parametrize(
    ("wire", "summary"),
    [
        (samples.REQUEST, "sign-on request"),
        (b"\x00\x00/?77!\r\n", "sign-on request for device 77"),
        (samples.IDENTIFICATION, "identification /LGZ5\\2ZMD3104407: mode E, up to 9600 Bd"),
        (samples.HDLC_AT_9600, "acknowledgement: binary mode, HDLC protocol, 9600 Bd"),
        (samples.OPERAND, "P0 (operand for the secure algorithm) (12345678)"),
        (samples.PASSWORD, "P1 (password)"),
        (samples.READ, "R1 (read) 1.8.0()"),
        (samples.BREAK, "B0 (break)"),
        (samples.DATA, "data message: 1.8.0(000123.4*kWh)  Active energy import (+A), total"),
        (DataMessage(b"(ER05)").encode(), "error message: ER05"),
        (b"0.0.0(1)\r\n1.8.0(5*kWh)\r\n", "data message, 2 data sets"),
        (TELEGRAM + b"\r\n", "P1 telegram: /ABC5M"),
    ],
)
def test_each_message_in_a_line(wire, summary):
    found = dissect(wire)
    assert (found.framing, found.error) == (Framing.IEC62056_21, None)
    assert found.summary == summary
    assert sum(child.length for child in found.fields.children) == len(wire)


@pytest.mark.parametrize("wire", samples.EVERY.values(), ids=samples.EVERY)
def test_every_span_lies_inside_the_frame_and_the_next_one_behind_it(wire):
    found = dissect(wire)
    at = 0
    for child in found.fields.children:
        assert child.offset >= at
        at = child.offset + child.length
        for inner in every(child):
            assert child.offset <= inner.offset <= inner.offset + inner.length <= at
    assert at <= len(wire)


def test_data_sets_stand_below_the_text_with_words():
    found = dissect(samples.DATA)
    text = find_field(found.fields, "text")
    address = text.children[0].children[0]
    assert (address.offset, address.length) == (1, 5)
    assert address.value.startswith("1.8.0 (Active energy import")
    assert values(found, "unit") == ["kWh"]
    assert [str(one) for one in found.data_sets] == ["1.8.0(000123.4*kWh)"]
    [reading] = found.as_json()["readings"]
    assert (reading["value"], reading["unit"]) == (123.4, "kWh")


def test_parity_bits_are_told_and_the_octets_shown_as_they_came():
    wire = with_even_parity(samples.DATA)
    found = dissect(wire)
    assert found.error is None
    assert found.sources["frame"] == wire
    assert found.notes == ["the octets carry parity bits: 7E1 on a line of 8 bits"]
    assert len(found.data_sets) == 1


def test_octets_with_a_bad_parity_bit_are_told():
    wire = bytearray(samples.IDENTIFICATION)
    wire[8] |= 0x80
    found = Dissector(framing="iec62056-21").feed(bytes(wire))
    assert found.notes == ["the octets carry parity bits, not all of them even: 7E1 on a line of 8 bits"]


@pytest.mark.parametrize("check", [BlockCheck.SUM, BlockCheck.XOR_WITH_START])
def test_another_block_check_is_a_deviation(check):
    found = dissect(DataMessage(b"1.8.0(5)", check=check).encode())
    assert found.error is None
    assert found.deviations == [f"the block check is the {check.value}"]


def test_a_missing_block_check_is_noted():
    assert dissect(samples.DATA[:-1]).notes == ["without a block check"]


def test_a_bad_block_check_is_an_error_and_the_data_are_shown():
    found = dissect(samples.DATA[:-1] + b"\x00")
    assert isinstance(found.error, FrameError)
    assert values(found, "bcc") == ["00 (bad, 7e expected)"]
    assert [str(one) for one in found.data_sets] == ["1.8.0(000123.4*kWh)"]


@pytest.mark.parametrize("command", ["P1", "P2"])
@pytest.mark.parametrize("cut", [0, 1, 3])
@pytest.mark.parametrize("parity", [False, True])
def test_passwords_are_masked_be_the_message_whole_or_not(command, cut, parity):
    wire = CommandMessage(command, b"(secret99)").encode()
    wire = wire[: len(wire) - cut]
    octets = with_even_parity(wire) if parity else wire
    found = Dissector(framing="iec62056-21").feed(octets)
    masked = mask(octets, found)
    assert len(masked) == len(octets)
    assert masked[4:13] == b"*" * 9
    assert "secret99" not in str(found.as_json())
    assert b"secret99".hex() not in str(found.as_json())


def test_a_damaged_password_message_is_masked():
    wire = CommandMessage("P1", b"(secret99)").encode()[:-1] + b"\x00"
    found = dissect(wire)
    assert found.error is not None
    assert b"secret99" not in mask(wire, found)


def test_partial_blocks_are_put_together():
    whole = b"P.01(1220823161500)(08)(15)(1)(1.5)(kW)\r\n(0.1)\r\n(0.2)\r\n"
    parts = [whole[:20], whole[20:45], whole[45:]]
    dissector = Dissector()
    found = []
    for number, part in enumerate(parts):
        found.append(dissector.feed(DataMessage(part, last=number == 2).encode(), "received"))
        found.append(dissector.feed(b"\x06", "sent"))
    first, ack, second, _, last, _ = found
    assert first.summary == "block 1 of a data message…"
    assert (ack.framing, ack.summary, ack.starts_apdu) == (Framing.IEC62056_21, "ACK (accepted)", False)
    assert second.summary == "block 2 of a data message…"
    assert (first.starts_apdu, second.starts_apdu, last.starts_apdu) == (True, False, False)
    assert last.summary == "data message, 3 data sets (block 3 of 3)"
    assert last.sources["data-block"] == whole
    assert all(one.error is None for one in found)


def test_one_character_is_a_reply_only_behind_a_message():
    assert dissect(b"\x06").framing is Framing.APDU
    dissector = Dissector()
    dissector.feed(samples.READ)
    assert dissector.feed(b"\x15").summary == "NAK (say it again)"
    dissector.feed(frames.SNRM)
    assert dissector.feed(b"\x15").framing is Framing.APDU


def test_the_sign_on_of_mode_e_and_hdlc_behind_it_in_one_conversation():
    parts = [samples.REQUEST, samples.IDENTIFICATION, samples.HDLC_AT_9600, frames.SNRM, frames.UA]
    dissector = Dissector()
    assert [dissector.feed(part).framing for part in parts] == [Framing.IEC62056_21] * 3 + [Framing.HDLC] * 2


def test_a_telegram_field_by_field():
    found = dissect(TELEGRAM + CRC)
    assert found.error is None
    assert [child.name for child in found.fields.children] == [
        "identification-message",
        "data-block",
        "end-mark",
        "crc",
        "line-end",
    ]
    assert values(found, "crc")[0].endswith("(good)")
    assert values(found, "manufacturer") == ["ABC"]


def test_a_telegram_with_a_bad_crc_is_an_error_and_shows_its_lines():
    found = dissect(TELEGRAM + b"0000\r\n")
    assert isinstance(found.error, FrameError)
    assert found.summary.startswith("P1 telegram: /ABC5M, damaged: crc")
    assert len(found.data_sets) == 1


def test_oddities_of_a_telegram_are_noted():
    assert dissect(TELEGRAM + b"\r\n\x00\x00").notes == ["2 octets of padding follow"]


def test_an_encrypted_telegram_opens_with_the_customers_key_alone():
    [vector] = of_kind("smarty")
    found = dissect(bytes.fromhex(vector["hex"]), keys=DissectionKeys(guek=bytes.fromhex(vector["key"])))
    assert found.error is None
    assert "authenticated by the published key of Luxembourg's P1 port (SMARTY)" in found.notes
    assert values(found, "authentication-tag")[0].endswith("(the tag is good)")
    assert found.data_sets == decode_telegram(found.plaintext).block.data_sets
    assert values(found, "crc") == ["E779 (good)"]


def test_an_encrypted_telegram_that_was_altered_is_not_believed():
    [vector] = of_kind("smarty")
    wire = bytearray.fromhex(vector["hex"])
    wire[-1] ^= 1
    found = dissect(bytes(wire), keys=DissectionKeys(guek=bytes.fromhex(vector["key"])))
    assert "the tag was not checked: no authentication key" in found.notes
    assert not values(found, "authentication-tag")[0].endswith("(the tag is good)")


@pytest.mark.parametrize("wire", [b"\x021.8.0)5(\x03\x00", b"/AB\r\n", b"\x01R1x\x03", b"\x02(1)(\x03\x01"])
def test_what_cannot_be_read_is_a_typed_error(wire):
    found = Dissector(framing="iec62056-21").feed(wire)
    assert found.error is not None
    assert found.error.code != "inspector-fault"
    assert "damaged" in found.summary or found.error.layer == "encoding"


def test_a_meters_own_words_are_no_error():
    found = dissect(b"\x02ERROR (1)\x03", keys=None)
    assert found.error is None
    words = Dissector(framing="iec62056-21").feed(DataMessage(b"ER 17").encode())
    assert (words.error, words.summary) == (None, "error message: ER 17")


def test_a_line_that_is_none_is_a_deviation_and_the_others_are_shown():
    found = dissect(DataMessage(b"0.0(1)\r\nsomething\r\n1.8(2)\r\n!\r\n").encode())
    assert found.error is None
    assert found.deviations == ["1 line is no data line"]
    assert [str(one) for one in found.data_sets] == ["0.0(1)", "1.8(2)"]
    telegram = dissect(b"/ABC5M\r\n\r\n0.0(1)\r\nsomething\r\n1.8(2)\r\n!\r\n")
    assert telegram.notes == ["1 line is no data line"]
    assert len(telegram.data_sets) == 2
