"""Profiles: 10,000 rows of a clock and five registers, from octets to values and back; the peer does it on the same octets."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSSettings, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.enums import DataType as PeerType
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import GXDLMSCaptureObject, GXDLMSClock, GXDLMSProfileGeneric, GXDLMSRegister

from meters.cosem.data import Data, DataType, array, date_time, double_long_unsigned, long_unsigned, null, structure
from meters.cosem.date_time import decode_moments
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject, RowExpander
from meters.cosem.rows import Rows
from meters.cosem.units import ScalerUnit
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.axdr import decode_data, encode_data
from tests.bench.measure import Figure, against, rate

ROWS = 10_000
PERIOD = 900
START = datetime(2026, 1, 1)
SCALER_UNIT = ScalerUnit(-1, 30)
COLUMNS = [
    CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2),
    *(CaptureObject(3, ObisCode.parse(f"1-0:{c}.8.0*255"), 2) for c in range(1, 6)),
]
TYPES = (DataType.OCTET_STRING, *[DataType.DOUBLE_LONG_UNSIGNED] * 5)


def native_rows() -> list[tuple[Any, ...]]:
    """What a program would hand over: the clock's octets and five numbers a row."""
    clocks = (date_time(START + timedelta(seconds=PERIOD * n)).value for n in range(ROWS))
    return [(clock, *(100_000 + n * factor for factor in (1, 2, 3, 5, 7))) for n, clock in enumerate(clocks)]


def compressed() -> Data:
    """A clock that is told once, columns of two widths, four values in ten left out."""
    chance = random.Random(1)
    kinds = (double_long_unsigned, double_long_unsigned, long_unsigned, long_unsigned, double_long_unsigned)

    def row(number: int) -> Data:
        told = (kind(chance.randrange(65_536)) if not number or chance.random() < 0.6 else null() for kind in kinds)
        return structure(date_time(START) if not number else null(), *told)

    return array(*(row(number) for number in range(ROWS)))


def in_blocks(octets: bytes) -> int:
    stream = ArrayStream()
    came = sum(len(stream.feed(octets[at : at + 500])) for at in range(0, len(octets), 500))
    stream.finish()
    return came


def filled(data: Data) -> Rows:
    return RowExpander(COLUMNS, capture_period=PERIOD).expand_all(data.elements)


def answer_to_rows(apdu: bytes) -> list[tuple[Any, ...]]:
    """A GET response to rows of Python times and Decimals."""
    response = decode_apdu(apdu)
    assert isinstance(response, GetResponseNormal)
    assert isinstance(response.result, Data)
    clocks, *registers = zip(*filled(response.result).values, strict=True)
    return list(zip(decode_moments(clocks), *map(SCALER_UNIT.apply_all, registers), strict=True))


# -- the peer ----------------------------------------------------------------------------------------------------------


class Peer:
    """gurux_dlms by what `dir()` and `help()` show of it."""

    def __init__(self) -> None:
        self._settings = GXDLMSSettings(False, None)
        self._client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.PDU)
        self._profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
        self._profile.capturePeriod = PERIOD
        self._profile.captureObjects.append((GXDLMSClock("0.0.1.0.0.255"), GXDLMSCaptureObject(2, 0)))
        for column in COLUMNS[1:]:
            register = GXDLMSRegister(str(column.logical_name).translate(str.maketrans("-:*", "...")))
            register.scaler = 0.1
            self._profile.captureObjects.append((register, GXDLMSCaptureObject(2, 0)))

    def decode(self, octets: bytes) -> Any:
        return _GXCommon.getData(self._settings, GXByteBuffer(octets), _GXDataInfo())

    def encode(self, rows: Any) -> Any:
        buffer = GXByteBuffer()
        _GXCommon.setData(self._settings, buffer, PeerType.ARRAY, rows)
        return buffer

    def answer_to_rows(self, apdu: bytes) -> Any:
        self._profile.buffer = []
        reply = GXReplyData()
        with contextlib.redirect_stdout(io.StringIO()):
            self._client.getData(GXByteBuffer(apdu), reply, GXReplyData())
            return self._client.updateValue(self._profile, 2, reply.value)


def _answer(data: Data) -> bytes:
    return GetResponseNormal(InvokeIdAndPriority(), data).encode()


def _same(ours: Any, peers: Any) -> None:
    """Both must have read the same before their times mean anything."""
    assert len(ours) == len(peers) == ROWS
    for mine, theirs in zip(ours[:50], peers, strict=False):
        for value, other in zip(mine, theirs, strict=True):
            assert value == (bytes(other) if isinstance(other, bytearray) else other), (value, other)


def figures() -> dict[str, Figure]:
    peer, native = Peer(), native_rows()
    octets = encode_data(Data(DataType.ARRAY, Rows.uniform(TYPES, native)))
    mixed = encode_data(compressed())
    whole, mixed_answer = _answer(decode_data(octets)), _answer(decode_data(mixed))
    _same(decode_data(octets).value.values, peer.decode(octets))
    _same(decode_data(mixed).value.values, peer.decode(mixed))
    assert len(answer_to_rows(whole)) == len(peer.answer_to_rows(whole)) == in_blocks(octets) == ROWS
    peers_rows = peer.decode(octets)
    assert len(peer.encode(peers_rows)) == len(octets)

    def encoded() -> bytes:
        return encode_data(Data(DataType.ARRAY, Rows.uniform(TYPES, native)))

    def rows(ours: Callable[[], object], theirs: Callable[[], object]) -> Figure:
        return against("rows/s", ROWS, ours, theirs)

    return {
        "A-XDR to native values": rows(lambda: decode_data(octets), lambda: peer.decode(octets)),
        "GET response to rows of times and scaled values": rows(
            lambda: answer_to_rows(whole), lambda: peer.answer_to_rows(whole)
        ),
        "null-data and mixed widths to native values": rows(lambda: decode_data(mixed), lambda: peer.decode(mixed)),
        "null-data and mixed widths to rows with the gaps filled (the peer fills its clock)": rows(
            lambda: filled(decode_apdu(mixed_answer).result),  # type: ignore[union-attr]
            lambda: peer.answer_to_rows(mixed_answer),
        ),
        "native values to A-XDR": rows(encoded, lambda: peer.encode(peers_rows)),
        "A-XDR in blocks of 500 octets to native values": rate("rows/s", ROWS, lambda: in_blocks(octets)),
    }
