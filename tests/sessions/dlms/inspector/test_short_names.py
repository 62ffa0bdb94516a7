"""Short names in words, blocks of READ and WRITE put together, and secrets that a WRITE carries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meters.cosem.data import array, double_long_unsigned, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.short_name import (
    ReadBlock,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
)
from sessions.dlms.inspector import DissectionKeys, Dissector, dissect, mask
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.inspector.short_names import (
    asks_for_object_list,
    begins_request,
    continues_request,
    object_list,
    request_block,
    single_value,
    words_for,
)
from sessions.dlms.short_name_map import ShortNameMap, ShortNameObject
from tests.sessions.dlms.inspector import samples

VARIABLE = VariableAccessSpecification.variable
ENERGY = ShortNameObject(0x25D8, 3, 0, ObisCode(1, 1, 1, 8, 0, 255))
OTHER_ASSOCIATION = ShortNameObject(0x7000, 15, 0, ObisCode(0, 0, 40, 0, 1, 255))
NAMES = ShortNameMap([ENERGY, OTHER_ASSOCIATION])
LIST = ReadResponse((array(ENERGY.to_data(), OTHER_ASSOCIATION.to_data()),))
ASK_FOR_LIST = ReadRequest((VARIABLE(0xFA08),))
READ_ENERGY = ReadRequest((VARIABLE(0x25E0),))
WORDS = "3/1-1:1.8.0*255 attribute 2 (value)"


def feed(*apdus, keys=None):
    """Everything that the inspector says of some APDUs in a row, requests as sent."""
    dissector = Dissector(keys)
    return [
        dissector.feed(apdu.encode(), "received" if isinstance(apdu, ReadResponse | WriteResponse) else "sent")
        for apdu in apdus
    ]


def blocks(whole, size, build):
    slices = [whole[at : at + size] for at in range(0, len(whole), size)]
    return [build(number == len(slices), number, part) for number, part in enumerate(slices, 1)]


def answer_blocks(apdu, size):
    return blocks(apdu.encode()[1:], size, lambda last, n, part: ReadResponse((ReadBlock(last, n, part),)))


def write_blocks(apdu, size):
    def build(last, number, part):
        block = VariableAccessSpecification(VariableAccess.WRITE_DATA_BLOCK_ACCESS, number, last_block=last)
        return type(apdu)((block,), (octet_string(part),))

    return blocks(apdu.encode()[1:], size, build)


def read_blocks(apdu, size):
    def build(last, number, part):
        kind = VariableAccess.READ_DATA_BLOCK_ACCESS
        return ReadRequest((VariableAccessSpecification(kind, number, last_block=last, raw_data=part),))

    return blocks(apdu.encode()[1:], size, build)


# -- names in words ----------------------------------------------------------------------------------------------------


def test_a_name_is_a_number_until_the_list_has_passed_by():
    before, _, _, after = feed(READ_ENERGY, ASK_FOR_LIST, LIST, READ_ENERGY)
    assert before.summary == "READ request 25E0"
    assert find_field(before.fields, "variable-name").value == "25E0"
    assert after.summary == f"READ request 25E0 ({WORDS})"
    assert find_field(after.fields, "variable-name").value == f"25E0 (25D8 + 08: {WORDS})"


@pytest.mark.parametrize("size", [1, 7, 30])
def test_a_list_in_blocks_is_learned_too(size):
    following = ReadRequest((VariableAccessSpecification.block_number_access(1),))
    *_, last_block, after = feed(
        ASK_FOR_LIST, *answer_blocks(LIST, size)[:1], following, *answer_blocks(LIST, size)[1:], READ_ENERGY
    )
    assert last_block.data == LIST.results[0]
    assert after.summary == f"READ request 25E0 ({WORDS})"


def test_what_nobody_asked_for_is_no_list():
    *_, after = feed(READ_ENERGY, LIST, READ_ENERGY)
    assert after.summary == "READ request 25E0"


def test_a_list_that_cannot_be_used_changes_nothing():
    bad = ReadResponse((array(unsigned(1)),))
    *_, after = feed(ASK_FOR_LIST, LIST, ASK_FOR_LIST, bad, READ_ENERGY)
    assert after.summary == f"READ request 25E0 ({WORDS})"


def test_another_association_may_have_other_names():
    dissector = Dissector()
    for apdu in (ASK_FOR_LIST, LIST):
        dissector.feed(apdu.encode())
    dissector.feed(samples.AARQ_LLS)
    assert dissector.feed(READ_ENERGY.encode()).summary == "READ request 25E0"


def test_names_that_are_known_beforehand():
    keys = DissectionKeys(short_names=NAMES)
    found, report = feed(READ_ENERGY, UnconfirmedWriteRequest((VARIABLE(0x25E0),), (unsigned(5),)), keys=keys)
    assert found.summary == f"READ request 25E0 ({WORDS})"
    assert report.summary == f"unconfirmed WRITE request 25E0 := 5 ({WORDS})"


def test_the_reserved_names_are_always_known():
    assert dissect(ASK_FOR_LIST.encode()).summary == "READ request FA08 (12/0-0:40.0.0*255 attribute 2 (object list))"


def test_values_of_short_name_services():
    assert dissect(ReadResponse((unsigned(5),)).encode()).data == unsigned(5)
    assert dissect(WriteRequest((VARIABLE(8),), (unsigned(5),)).encode()).data == unsigned(5)
    assert dissect(bytes.fromhex("1800010201080106000012d6")).data == double_long_unsigned(4822)
    assert dissect(ReadResponse((unsigned(5), unsigned(6))).encode()).data is None


# -- blocks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 9, 1000])
def test_a_long_answer_is_put_together(size):
    value = array(*(double_long_unsigned(number) for number in range(20)))
    *_, last = feed(READ_ENERGY, *answer_blocks(ReadResponse((value,)), size))
    assert last.error is None
    assert last.data == value
    assert last.summary.endswith(": 20 elements")
    assert find_field(last.fields, "assembled value").source == "data"


@pytest.mark.parametrize("size", [5, 9, 1000])
def test_a_long_write_is_put_together(size):
    value = octet_string(bytes(30))
    *_, last = feed(
        *write_blocks(WriteRequest((VARIABLE(0x25E0),), (value,)), size), keys=DissectionKeys(short_names=NAMES)
    )
    assert last.error is None
    assert last.data == value
    named = [field.value for field in _all(last.fields) if field.name == "variable-name"]
    assert f"25E0 (25D8 + 08: {WORDS})" in named


@pytest.mark.parametrize("size", [1, 9, 1000])
def test_a_long_read_is_put_together(size):
    request = ReadRequest(tuple(VARIABLE(number) for number in range(0x25D8, 0x25F0, 8)))
    *_, last = feed(*read_blocks(request, size), keys=DissectionKeys(short_names=NAMES))
    assert last.error is None
    named = [field.value for field in _all(last.fields) if field.name == "variable-name" and field.source == "data"]
    assert [value[:4] for value in named] == ["25D8", "25E0", "25E8"]


def test_the_first_block_is_shown_field_by_field():
    value = array(*(double_long_unsigned(number) for number in range(20)))
    _, first, *_ = feed(READ_ENERGY, *answer_blocks(ReadResponse((value,)), 30))
    shown = [field.value for field in _all(first.fields) if field.name == "double-long-unsigned"]
    assert shown[:5] == ["0", "1", "2", "3", "4"]


def test_a_block_out_of_order_is_said():
    _, _, second, third = feed(READ_ENERGY, *(answer_blocks(LIST, 10)[number] for number in (0, 2, 1)))
    assert second.error.code == "invalid-value"
    assert third.error is None


def test_what_begins_and_what_goes_on():
    block_request = ReadRequest((VariableAccessSpecification.block_number_access(1),))
    first, second, *_ = write_blocks(WriteRequest((VARIABLE(8),), (octet_string(bytes(40)),)), 10)
    for apdu in (READ_ENERGY, first, UnconfirmedWriteRequest((), ())):
        assert begins_request(apdu)
        assert not continues_request(apdu)
    for apdu in (block_request, second):
        assert continues_request(apdu)
        assert not begins_request(apdu)
    assert not begins_request(LIST)
    assert request_block(first) == (first.variables[0], first.values[0].value)
    assert request_block(replace(first, values=())) == (first.variables[0], b"")
    assert request_block(replace(first, values=(unsigned(1),))) is None
    assert request_block(READ_ENERGY) is None
    assert single_value(first) is None


def test_every_truncation_is_a_typed_error():
    wires = [
        READ_ENERGY.encode(),
        LIST.encode(),
        write_blocks(WriteRequest((VARIABLE(8),), (unsigned(1),)), 99)[0].encode(),
    ]
    for wire in wires:
        for size in range(1, len(wire)):
            found = dissect(wire[:size])
            assert found.error is not None, size
            assert found.error.code != "inspector-fault"


def test_small_questions():
    assert asks_for_object_list(ASK_FOR_LIST)
    assert not asks_for_object_list(READ_ENERGY)
    assert not asks_for_object_list(LIST)
    assert object_list(unsigned(1)) is None
    assert words_for(LIST, NAMES) == ""
    assert words_for(ReadRequest((VARIABLE(8),)), NAMES) == ""
    assert words_for(ReadRequest((VARIABLE(0x25E0), VARIABLE(0x25E8))), NAMES) == ""


# -- what the standard does not allow ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("left_out", "flagged"), [(0, False), (1, True), (2, True)])
def test_blocks_that_hold_less_than_a_whole_answer(left_out, flagged):
    value = array(*(double_long_unsigned(number) for number in range(20)))
    raw = ReadResponse((value,)).encode()[1 + left_out :]
    parts = blocks(raw, 30, lambda last, n, part: ReadResponse((ReadBlock(last, n, part),)))
    *_, last = feed(READ_ENERGY, *parts)
    assert last.error is None
    assert last.data == value
    assert any("less than a whole answer" in text for text in last.deviations) == flagged


def test_a_proof_that_is_written():
    assert (
        "the proof is written"
        in dissect(WriteRequest((VARIABLE(0xFA58),), (octet_string(b"x"),)).encode()).deviations[0]
    )
    assert dissect(ReadRequest((VARIABLE(0xFA58, 0, octet_string(b"x")),)).encode()).deviations == []


def test_base_names_of_another_type():
    row = structure(long_unsigned(0xFA00), long_unsigned(12), unsigned(0), octet_string(bytes(6)))
    _, found, *_ = feed(ASK_FOR_LIST, ReadResponse((array(row),)))
    assert found.deviations == ["base names are of another type than long"]
    _, usual, *_ = feed(ASK_FOR_LIST, LIST)
    assert usual.deviations == []


# -- secrets -----------------------------------------------------------------------------------------------------------

SECRET = b"topsecret"
HEX = SECRET.hex()
KEYS = DissectionKeys(short_names=NAMES)


def is_hidden(found, octets):
    return (
        SECRET not in mask(octets, found)
        and HEX not in str(found.as_json())
        and SECRET.decode() not in found.summary
        and found.data is None
    )


@pytest.mark.parametrize("kind", [WriteRequest, UnconfirmedWriteRequest])
@pytest.mark.parametrize("name", [0xFA00, 0xFA40, 0xFA48, 0xFAFF, 0x7030, 0x7068])
def test_what_is_written_to_an_association_is_masked(kind, name):
    apdu = kind((VARIABLE(name),), (octet_string(SECRET),))
    found = dissect(apdu.encode(), keys=KEYS)
    assert is_hidden(found, apdu.encode())
    assert find_field(found.fields, "variable-name").value.startswith(f"{name:04X}")


def test_a_list_with_one_secret_is_masked_whole():
    apdu = WriteRequest((VARIABLE(0x25E0), VARIABLE(0xFA40)), (unsigned(1), octet_string(SECRET)))
    assert is_hidden(dissect(apdu.encode()), apdu.encode())


@pytest.mark.parametrize("name", [0xFA40, 0xFA48, 0x7068])
def test_a_secret_that_a_method_takes_by_read(name):
    apdu = ReadRequest((VARIABLE(name, 0, octet_string(SECRET)),))
    assert is_hidden(dissect(apdu.encode(), keys=KEYS), apdu.encode())


def test_the_proof_of_hls_is_no_secret():
    apdu = ReadRequest((VARIABLE(0xFA58, 0, octet_string(SECRET)),))
    assert mask(apdu.encode(), dissect(apdu.encode())) == apdu.encode()


def test_a_secret_that_is_read():
    request, answer = ReadRequest((VARIABLE(0x7030),)), ReadResponse((octet_string(SECRET),))
    _, found = feed(request, answer, keys=KEYS)
    assert is_hidden(found, answer.encode())
    _, other = feed(READ_ENERGY, answer, keys=KEYS)
    assert other.data == octet_string(SECRET)


@pytest.mark.parametrize("size", [1, 2, 4, 6, 8, 100])
def test_a_secret_in_blocks(size):
    apdus = write_blocks(WriteRequest((VARIABLE(0xFA40),), (octet_string(SECRET),)), size)
    shown = feed(*apdus)
    for apdu, found in zip(apdus, shown, strict=True):
        assert HEX not in str(found.as_json())
        assert found.data is None
        masked = mask(apdu.encode(), found)
        assert masked.endswith(b"\x2a" * len(apdu.values[0].value))


def test_a_write_whose_first_block_does_not_say_what_is_written_is_masked():
    *_, last = feed(*write_blocks(WriteRequest((VARIABLE(0x25E0),), (octet_string(SECRET),)), 3), keys=KEYS)
    assert last.data is None
    assert HEX not in str(last.as_json())


def test_a_secret_that_is_read_in_blocks():
    request = ReadRequest((VARIABLE(0x7030),))
    _, *shown = feed(request, *answer_blocks(ReadResponse((octet_string(SECRET),)), 5), keys=KEYS)
    assert all(found.secrets and found.data is None and HEX not in str(found.as_json()) for found in shown)


@pytest.mark.parametrize("size", [5, 7, 8, 11])
@pytest.mark.parametrize(
    "apdu",
    [
        WriteRequest((VARIABLE(0xFA40),), (octet_string(SECRET),)).encode(),
        bytes.fromhex(f"c101c1000f0000280000ff07000909{HEX}"),
        bytes.fromhex(f"c301c1000f0000280000ff02010909{HEX}"),
        bytes.fromhex(f"d9c0000001000102000f0000280000ff07010909{HEX}"),
        bytes.fromhex(f"e08000010000 18 c101c1000f0000280000ff07000909{HEX}".replace(" ", "")),
    ],
    ids=["WRITE", "SET", "ACTION", "ACCESS", "general block"],
)
def test_a_secret_in_hdlc_segments(apdu, size):
    dissector = Dissector()
    information = samples.COMMAND + apdu
    pieces = [information[at : at + size] for at in range(0, len(information), size)]
    kept = b""
    for number, piece in enumerate(pieces):
        octets = samples.info(piece, number % 8, segmented=number < len(pieces) - 1)
        found = dissector.feed(octets, "sent")
        assert found.error is None
        kept += mask(octets, found)[len(octets) - 3 - len(piece) : -3]
        assert HEX not in str(found.as_json())
    assert kept.startswith(information[:8])
    assert not any(SECRET[at : at + 2] in kept for at in range(len(SECRET) - 1))


@pytest.mark.parametrize(
    ("before", "apdu"),
    [
        (bytes.fromhex("c001c1000f0000280000ff0700"), bytes.fromhex(f"c401c1000909{HEX}")),
        (bytes.fromhex("c102c1000f0000280000ff0700000000000102 0909"), bytes.fromhex(f"c103c1010000000209{HEX}")),
        (bytes.fromhex("c304c1000f0000280000ff02000000000102 0909"), bytes.fromhex(f"c306c1010000000209{HEX}")),
    ],
    ids=["GET", "SET", "ACTION"],
)
def test_a_secret_that_a_request_before_announced_in_hdlc_segments(before, apdu):
    dissector = Dissector()
    dissector.feed(samples.info(samples.COMMAND + before), "sent")
    information, size, kept = samples.COMMAND + apdu, 8, b""
    pieces = [information[at : at + size] for at in range(0, len(information), size)]
    for number, piece in enumerate(pieces, 1):
        octets = samples.info(piece, number, segmented=number < len(pieces))
        kept += mask(octets, dissector.feed(octets, "sent"))[len(octets) - 3 - len(piece) : -3]
    assert not any(SECRET[at : at + 2] in kept for at in range(len(SECRET) - 1))


@pytest.mark.parametrize("damage", [lambda w: w[:-1], lambda w: w + b"\x00", lambda w: b"\x55" + w])
def test_a_secret_in_a_request_that_cannot_be_read(damage):
    wire = damage(WriteRequest((VARIABLE(0xFA40),), (octet_string(SECRET),)).encode())
    found = dissect(wire)
    assert found.error is not None
    assert b"secre" not in mask(wire, found)


def _all(field):
    for child in field.children:
        yield child
        yield from _all(child)
