"""What is fuzzed: each target takes any octets and comes back, whatever they are. An exception that leaves it is a defect."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.certificate_authority import make_root
from sessions.dlms.certificates import check_profile, in_words, parse_certificate, verify_chain
from sessions.dlms.errors import DlmsError, LocalProtocolError, SecurityError
from sessions.dlms.hdlc.parameters import decode_hdlc_parameters
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.dlms.iec62056_21.client import Iec21Client, Purpose
from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.iec62056_21.message import CommandMessage
from sessions.dlms.iec62056_21.profile import profiles
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.state import State
from sessions.dlms.iec62056_21.stream import MessageReader
from sessions.dlms.iec62056_21.telegram import decode_telegram
from sessions.dlms.initiate import decode_initiate_request, decode_initiate_response
from sessions.dlms.inspector import DissectionKeys, Dissector
from sessions.dlms.key_files import load_any_key, load_certificate
from sessions.dlms.mbus import decode_mbus_frame
from sessions.dlms.security import unprotect
from sessions.dlms.security_setup import (
    certificate_of,
    certificates_of,
    read_identification,
    read_key_data,
    read_key_use,
)
from sessions.dlms.wrapper import WrapperReader
from sessions.simulator.key_store import FIRST_DAY
from tests.fuzz.links import datagrams, hdlc_talk
from tests.fuzz.peers import client_of, server_of, short_name_client_of
from tests.sessions.dlms.parties import keys_of, party

FLAG: Final = 0x7E
KEY: Final = bytes(range(16))
TITLE: Final = b"MWBFUZZ1"

ROOT: Final = make_root("Fuzz", bytes(range(1, 33)), serial_number=1, not_before=FIRST_DAY)
FUZZ_DAY: Final = datetime(2026, 11, 25, tzinfo=UTC)
_METER: Final = keys_of("server", 1)
EVERY_KEY: Final = DissectionKeys(
    guek=KEY,
    gak=KEY,
    kek=_METER.kek,
    client_signing_key=_METER.peer_signing_key,
    server_signing_key=_METER.signing_key,
    client_key_agreement_key=_METER.peer_key_agreement_key,
    server_key_agreement_key=_METER.key_agreement_key,
)

Target = Callable[[bytes], object]


def data(octets: bytes) -> None:
    """A-XDR: what decodes can be encoded, and means the same again."""
    encoded = encode_data(decode_data(octets))
    assert encode_data(decode_data(encoded)) == encoded  # octets, for a NaN equals nothing


def data_in_pieces(octets: bytes) -> None:
    """An array that arrives in blocks."""
    stream = ArrayStream()
    for at in range(0, len(octets), 7):
        stream.feed(octets[at : at + 7])
    stream.finish()


def apdu(octets: bytes) -> None:
    """An APDU, its summary, and its encoding where it decoded."""
    decoded = decode_apdu(octets)
    decoded.summary()
    decoded.encode()


def hdlc_stream(octets: bytes) -> None:
    """Octets of a line: every one but idle flags ends up in a frame or in rubbish."""
    told = bytearray()
    for item in _items(octets):
        told += item.octets
        if isinstance(item, Found):
            item.frame.summary()
    assert all(told.count(octet) >= octets.count(octet) for octet in set(octets) - {FLAG}), told.hex()


def _items(octets: bytes) -> Iterator[Found | Rubbish]:
    reader = FrameReader()
    yield from reader.feed(octets)
    yield from reader.look_inside()
    yield from reader.give_up()


def wrapper_stream(octets: bytes) -> None:
    """Octets of a TCP connection."""
    for frame, _ in WrapperReader().feed(octets):
        assert frame.encode()


LISTENING: Final = ("", "unframed", "telegrams", "option_selects")
"""How a side may listen: as `MessageReader` calls it."""


def listen(how: str, octets: bytes) -> None:
    """Octets of an optical head, heard in one way."""
    reader = MessageReader()
    if how:
        setattr(reader, how, True)
    reader.feed(octets)
    while reader.next() or reader.give_up():
        pass
    assert reader.pending == 0


def iec62056_21_stream(octets: bytes) -> None:
    """The same in each way."""
    for how in LISTENING:
        listen(how, octets)


def data_lines(octets: bytes) -> None:
    """Data lines, and what they become as profiles; what can be written is read the same again."""
    block = decode_data_block(octets)
    profiles(block.data_sets)
    if block.data_sets and all(data_set.address for data_set in block.data_sets):
        assert decode_data_block(block.encode()) == block


def sign_on_client(octets: bytes) -> None:
    """A hostile meter before the sign-on, the readout or the programming mode: the first octet says which."""
    purpose = list(Purpose)[octets[0] % len(Purpose)] if octets else Purpose.READOUT
    party = Iec21Client(SignOnSettings(reaction_time=0.0, switch_pause=0.0), response_timeout=1.0)
    party.open(purpose, 0.0)
    party.line_changed(0.0)
    if purpose is not Purpose.LISTEN:
        party.receive_octets(b"/ABC5\\2\r\n", 0.1)
    party.line_changed(0.5)
    party.receive_octets(octets[1:], 0.6)
    now, commands = 0.6, 0
    while (at := party.next_timer()) is not None:
        now = max(now, at)
        party.handle_timer(now)
        party.line_changed(now)
        if party.state is State.PROGRAMMING and commands < 3:
            commands += 1
            party.command(CommandMessage("R1", b"1.8.0()"), now)
        assert now < 100, "it never ends"
    assert party.state in (State.CLOSED, State.FAILED, State.BINARY, State.PROGRAMMING), party.state


def moments(octets: bytes) -> None:
    """Dates and times of any octets: they have words even where they are no moment."""
    for kind, size in ((CosemDateTime, 12), (CosemDate, 5), (CosemTime, 4)):
        moment = kind.decode(octets[:size].ljust(size, b"\xff"))
        assert kind.decode(moment.encode()) == moment
        str(moment)


def obis_text(octets: bytes) -> None:
    """An OBIS code as somebody types it."""
    ObisCode.parse(octets.decode("latin-1"))


def ciphered(octets: bytes) -> None:
    """Security header and ciphertext."""
    unprotect(octets, key=KEY, gak=KEY, system_title=TITLE)


def general_protection(octets: bytes) -> None:
    """General-ciphering and general-signing, before a meter that has every key."""
    tag = octets[:1] if octets[:1] == b"\xdf" else b"\xdd"  # by it they are recognised
    octets = tag + octets[1:]
    for suite in (1, 2):
        receiver = party("server", suite)
        with contextlib.suppress(DlmsError):
            opened = receiver.open(octets)
            receiver.settle(opened, answer=False)
            receiver.answer(bytes.fromhex("C401C10000"), opened)


def certificate(octets: bytes) -> None:
    """A certificate, a request, and a chain up to somebody who never signed it."""
    in_words(octets)
    parsed = parse_certificate(octets)
    with contextlib.suppress(SecurityError):
        check_profile(parsed, use=parsed.type, suite=1)
    with contextlib.suppress(SecurityError):
        verify_chain(parsed, anchors=[ROOT], intermediates=[parsed], now=FUZZ_DAY)


def key_file(octets: bytes) -> None:
    """Whatever somebody takes for a key."""
    for given in (octets, octets.decode("latin-1")):
        for load in (load_any_key, load_certificate):
            with contextlib.suppress(LocalProtocolError):
                load(given, "key")


def security_setup(octets: bytes) -> None:
    """Parameters and answers of class 64."""
    value = decode_data(octets)
    for read in (read_key_data, read_identification, read_key_use, certificates_of, certificate_of):
        with contextlib.suppress(DlmsError):
            read(value)


def frame(octets: bytes) -> None:
    """The inspector reports what is wrong with a frame; it never fails itself."""
    for dissection in Dissector(EVERY_KEY).feed_all(octets):
        assert dissection.error is None or dissection.error.code != "inspector-fault", dissection.error
        dissection.as_json()


def client(framing: str, octets: bytes) -> None:
    """A hostile meter: whatever it sends to a client that waits for an answer, the client ends with an event."""
    client_of(framing, octets)


def server(framing: str, octets: bytes) -> None:
    """A hostile client before the simulator."""
    server_of(framing, octets)


ACCEPTED: Final[Mapping[str, tuple[type[Exception], ...]]] = {"obis_text": (ValueError,), "moments": ()}
"""What a target may end in, where it is not `DlmsError`. A hostile peer must not raise at all."""

TARGETS: Final[Mapping[str, Target]] = {
    "data": data,
    "data_in_pieces": data_in_pieces,
    "apdu": apdu,
    "initiate_request": decode_initiate_request,
    "initiate_response": decode_initiate_response,
    "hdlc_stream": hdlc_stream,
    "hdlc_parameters": decode_hdlc_parameters,
    "hdlc_talk": hdlc_talk,
    "wrapper_stream": wrapper_stream,
    "datagrams": datagrams,
    "iec62056_21_stream": iec62056_21_stream,
    "data_lines": data_lines,
    "telegram": decode_telegram,
    "mbus_frame": decode_mbus_frame,
    "sign_on_client": sign_on_client,
    "moments": moments,
    "obis_text": obis_text,
    "ciphered": ciphered,
    "general_protection": general_protection,
    "certificate": certificate,
    "key_file": key_file,
    "security_setup": security_setup,
    "frame": frame,
    "client_wrapper": partial(client, "wrapper"),
    "client_hdlc": partial(client, "hdlc"),
    "server_wrapper": partial(server, "wrapper"),
    "server_hdlc": partial(server, "hdlc"),
    "client_short_names": short_name_client_of,
    "server_short_names": partial(server_of, "wrapper", meter_type="short_names"),
}
NOTHING: Final = {
    "iec62056_21_stream",
    "sign_on_client",
    "hdlc_stream",
    "hdlc_talk",
    "datagrams",
    "frame",
    "moments",
    "general_protection",
    "key_file",
    "client_wrapper",
    "client_hdlc",
    "server_wrapper",
    "server_hdlc",
    "client_short_names",
    "server_short_names",
}
"""Targets that swallow everything: from them nothing may come out, not even a typed error."""


def run(name: str, octets: bytes) -> None:
    """One input into one target; only a defect leaves this function."""
    accepted: Any = () if name in NOTHING else ACCEPTED.get(name, (DlmsError,))
    with contextlib.suppress(*accepted):
        TARGETS[name](octets)
