"""Secrets in an APDU of which only the beginning is here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, InvokeIdAndPriority
from sessions.dlms.apdu.set import SetRequestNormal
from sessions.dlms.inspector.assembly import GENERAL
from sessions.dlms.inspector.keys import DissectionKeys
from sessions.dlms.inspector.pieces import inside_of, is_further_block, piece_spans
from sessions.dlms.inspector.state import Conversation

SECRET = bytes(range(0x80, 0xC0))
NAME = CosemAttributeDescriptor(15, ObisCode.parse("0-0:40.0.0*255"), 7)
SET = SetRequestNormal(InvokeIdAndPriority(1), NAME, None, octet_string(SECRET)).encode()
AT = SET.index(SECRET)
SUITE, COUNTER = 0x10, bytes(4)
GLO = bytes((0xC9, len(SET) + 17, SUITE)) + COUNTER + SET + bytes(12)
GENERAL_GLO = bytes((0xDB, 8)) + bytes(8) + bytes((len(SET) + 17, SUITE)) + COUNTER + SET + bytes(12)
PARTIES = b"\x01\x07" + b"\x08" + bytes(8) + b"\x08" + bytes(8) + b"\x00\x00"
CIPHERING = b"\xdd" + PARTIES + b"\x01\x00\x00" + bytes((len(SET) + 17, SUITE)) + COUNTER + SET + bytes(12)
SIGNING = b"\xdf" + PARTIES + bytes((len(SET),)) + SET + b"\x40" + bytes(64)


def conversation() -> Conversation:
    return Conversation(DissectionKeys())


@pytest.mark.parametrize(
    "envelope", [SET, GLO, GENERAL_GLO, CIPHERING, SIGNING], ids=["clear", "glo", "general", "dd", "df"]
)
def test_every_cut_of_a_secret_is_found_through_what_does_not_encrypt(envelope: bytes) -> None:
    at = envelope.index(SECRET)
    for size in range(at + 1, len(envelope) + 1):
        spans = piece_spans(conversation(), envelope[:size], None)
        covered = {offset for start, length in spans for offset in range(start, start + length)}
        assert covered >= set(range(at, min(size, at + len(SECRET))))


def test_what_is_encrypted_is_left_alone() -> None:
    assert inside_of(bytes((0xC9, 40, 0x30)) + COUNTER + SET) is None
    assert inside_of(GLO[:4]) is None
    assert piece_spans(conversation(), bytes((0xC9, 40, 0x30)) + COUNTER + SET, None) == []


@pytest.mark.parametrize("envelope", [SET, GLO])
def test_a_general_block_continues_what_stands_on_the_shelf(envelope: bytes) -> None:
    talk = conversation()
    cut = envelope.index(SECRET) + 10
    talk.shelf.blocks(("line", GENERAL)).add(1, envelope[:cut])
    block = GeneralBlockTransfer(True, False, 1, 2, 0, envelope[cut:]).encode()
    ((start, length),) = piece_spans(talk, block, "line")
    left = SECRET[10:]
    assert start == block.index(left)
    assert length >= len(left)
    assert piece_spans(talk, block, "another line") == []


@pytest.mark.parametrize(
    ("apdu", "further"),
    [
        ("c103c1", True),
        ("c101c1", False),
        ("c306c1", True),
        ("c304c1", False),
        ("060107000002", True),
        ("060107000001", False),
        ("050106000003", True),
        ("06010200fa00", False),
        ("", False),
    ],
)
def test_a_further_block_is_known_by_its_head(apdu: str, further: bool) -> None:
    assert is_further_block(bytes.fromhex(apdu)) is further


@given(st.binary(max_size=80))
def test_garbage_has_no_place_outside_of_itself(octets: bytes) -> None:
    talk = conversation()
    talk.secret_answer = talk.secret_request = True
    for start, length in piece_spans(talk, octets, None):
        assert 0 <= start < len(octets)
        assert 0 < length <= len(octets) - start
