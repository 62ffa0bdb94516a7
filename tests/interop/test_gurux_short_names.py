"""Short-name referencing with the foreign stack: its client against our simulator, our client's requests in its translator.

What the peer cannot do by short names stands at the end, each with its failure: a test that fails there tells that it learned it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDateTime
from gurux_dlms.enums import Authentication, Conformance
from gurux_dlms.objects import (
    GXDLMSAssociationShortName,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDisconnectControl,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)
from gurux_dlms.secure import GXDLMSSecureClient

from meters.cosem.data import octet_string
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.lab import LabLine
from sessions.simulator.meter_type import load_meter_type
from tests.interop.peer import Peer, PeerError, quietly
from tests.interop.test_client_requests import in_words
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import CLIENT_TITLE, GMAC, LLS, lab_meter, lab_of, listening

pytestmark = pytest.mark.interop

HLS = {"client_sap": 2, "secret": "text:a secret of HLS"}
ASSOCIATIONS: dict[str, dict[str, Any]] = {
    "none": {"client_sap": 34, "authentication": "none"},
    "lls": LLS,
    "hls-md5": {**HLS, "authentication": "hls-md5"},
    "hls-sha1": {**HLS, "authentication": "hls-sha1"},
    "hls-sha256": {**HLS, "authentication": "hls-sha256", "client_system_title": CLIENT_TITLE},
    "hls-gmac": {**GMAC, "protection": "none"},
}
REPLY_TO_HLS = 0xFA58


class ShortNamePeer(Peer):
    """The foreign client by short names. Its proof of HLS is written; what proves our meter it has to read by itself."""

    @staticmethod
    def _client(association: dict[str, Any]) -> GXDLMSSecureClient:
        client = Peer._client(association)
        client.useLogicalNameReferencing = False
        return client

    def open(self) -> None:
        with quietly():
            if request := self.client.snrmRequest():
                self.client.parseUAResponse(self.exchange(request).data)
            self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)
            if self.client.authentication > Authentication.LOW:
                self.exchange(self.client.getApplicationAssociationRequest())
                method = GXDLMSAssociationShortName()
                method.shortName = REPLY_TO_HLS
                proof = self.exchange(self.client.read(method, 1)[0])
                self.client.parseApplicationAssociationResponse(proof.data)


Announce = Callable[..., dict[str, Any]]


@pytest.fixture(params=["wrapper", "hdlc"])
def announce(request: Any, tmp_path: Any) -> Iterator[Announce]:
    """Gives the announcement of a meter of short names, on the line of the parameter."""
    running: list[Any] = []

    def start(association: dict[str, Any], **options: Any) -> dict[str, Any]:
        address = {"physical_address": 17} if request.param == "hdlc" else {}
        meter = lab_meter(association, type="short_names", **address, **options)
        context = listening(lab_of(LabLine(kind=request.param, meters=(meter,))), tmp_path)
        running.append(context)
        return context.__enter__()[0]

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def associated(announce: Announce) -> Iterator[Callable[..., ShortNamePeer]]:
    """Gives an open association of the peer; it is closed at the end."""
    peers: list[ShortNamePeer] = []

    def open_peer(association: dict[str, Any], **options: Any) -> ShortNamePeer:
        peer = ShortNamePeer(announce(association, **options))
        peers.append(peer)
        peer.open()
        return peer

    yield open_peer
    for peer in peers:
        peer.close()


def named(kind: Any, logical_name: str, base_name: int) -> Any:
    made = kind(logical_name)
    made.shortName = base_name
    return made


def clock() -> Any:
    return named(GXDLMSClock, "0.0.1.0.0.255", 0x2BC0)


def energy() -> Any:
    return named(GXDLMSRegister, "1.1.1.8.0.255", 0x25D8)


def profile() -> Any:
    return named(GXDLMSProfileGeneric, "1.0.99.1.0.255", 0x6270)


# -- the peer reads and writes our meter -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_the_whole_round(associated, name):
    peer = associated(ASSOCIATIONS[name])
    objects = {str(each.logicalName): each for each in peer.objects()}
    assert len(objects) == 1 + len(load_meter_type("short_names").objects)
    assert (objects["0.0.1.0.0.255"].shortName, int(objects["0.0.1.0.0.255"].objectType)) == (0x2BC0, 8)
    assert objects["1.0.99.1.0.255"].shortName == 0x6270

    assert peer.read(clock(), 2).value.replace(tzinfo=None) == datetime(2026, 11, 25, 12)
    register = energy()
    peer.read(register, 3)
    assert peer.read(register, 2) > 1_000_000
    assert register.unit.name == "ACTIVE_ENERGY"

    buffer = profile()
    peer.read(buffer, 3)
    assert [str(column.logicalName) for column, _ in buffer.captureObjects] == [
        "0.0.1.0.0.255",
        "0.0.96.240.12.255",
        "1.1.1.8.0.255",
        "1.1.2.8.0.255",
    ]
    assert len(peer.rows(buffer, peer.client.readRowsByEntry(buffer, 1, 20))) == 20
    start, end = datetime(2026, 11, 24), datetime(2026, 11, 25)
    rows = peer.rows(buffer, peer.client.readRowsByRange(buffer, start, end))
    assert len(rows) == 97
    energies = [row[2] for row in rows]
    assert energies == sorted(energies)

    new_time = clock()
    new_time.time = GXDateTime(datetime(2026, 12, 24, 18, 0, 0))
    peer.exchange(peer.client.write(new_time, 2))
    assert peer.read(clock(), 2).value.day == 24


def test_the_switch_is_worked_by_methods(associated):
    peer = associated(LLS)
    switch = named(GXDLMSDisconnectControl, "0.0.96.3.10.255", 0xC740)
    peer.exchange(switch.remoteDisconnect(peer.client))
    assert peer.read(switch, 2) is False
    peer.exchange(switch.remoteReconnect(peer.client))
    assert peer.read(switch, 2) is True


def test_several_attributes_in_one_read(associated):
    peer = associated(LLS)
    register, time = energy(), clock()
    reply = peer.exchange(peer.client.readList([(register, 2), (time, 2)])[0])
    peer.client.updateValues([(register, 2), (time, 2)], reply.value)
    assert register.value > 1_000_000
    assert time.time.value.replace(tzinfo=None) == datetime(2026, 11, 25, 12)


def test_what_a_client_may_not_is_refused(associated):
    peer = associated(LLS, role="reader")
    new_time = clock()
    new_time.time = GXDateTime(datetime(2026, 12, 24, 18, 0, 0))
    with pytest.raises(PeerError):
        peer.exchange(peer.client.write(new_time, 2))


def test_a_wrong_password_is_refused(announce):
    announced = announce(LLS)
    announced["association"]["secret"] = "text:87654321"
    peer = ShortNamePeer(announced)
    with pytest.raises(Exception, match=r"(?i)authentication"):
        peer.open()
    peer.drop()


def test_a_wrong_secret_is_refused(announce):
    announced = announce(ASSOCIATIONS["hls-md5"])
    announced["association"]["secret"] = "text:another secret"
    peer = ShortNamePeer(announced)
    with pytest.raises(PeerError):
        peer.open()
    peer.drop()


# -- our client's requests in the peer's translator --------------------------------------------------------------------


class Recording:
    """A pair whose requests are kept."""

    def __init__(self, association: dict[str, Any] = LLS, **changes: Any) -> None:
        self.pair = Pair(lab_meter(association, type="short_names"), **changes)
        self.requests: list[bytes] = []
        station = self.pair.station
        receive = station.receive_octets

        def keep(octets: bytes, now: float) -> None:
            self.requests.append(octets[8:])  # without the wrapper's header
            receive(octets, now)

        station.receive_octets = keep  # type: ignore[method-assign]
        self.pair.open()

    @property
    def words(self) -> list[str]:
        return [in_words(octets) for octets in self.requests]


@pytest.mark.parametrize("name", ASSOCIATIONS)
def test_our_association_in_its_words(name):
    recording = Recording(ASSOCIATIONS[name])
    aarq, *proof = recording.words
    assert '<ApplicationContextName Value="SN" />' in aarq
    for bit in ("Read", "Write", "UnconfirmedWrite", "MultipleReferences", "ParameterizedAccess"):
        assert f'<ConformanceBit Name="{bit}" />' in aarq
    assert 'Name="Get"' not in aarq
    assert len(proof) == name.startswith("hls")
    assert all("ReadRequest" in words and 'Value="FA58"' in words for words in proof)


def test_our_requests_in_its_words():
    recording = Recording()
    pair = recording.pair
    pair.get(3, "1-1:1.8.0*255", 2)
    pair.get(7, "1-0:99.1.0*255", 2, EntryDescriptor(1, 5).to_selective_access())
    pair.set(1, "0-0:96.1.1*255", 2, octet_string(b"new name"))
    pair.action(70, "0-0:96.3.10*255", 1)
    _, object_list, value, rows, written, invoked = recording.words
    assert '<VariableName Value="FA08" />' in object_list
    assert '<VariableName Value="25E0" />' in value
    assert '<Selector Value="02" />' in rows
    assert '<UInt32 Value="00000005" />' in rows
    assert "WriteRequest" in written
    assert f'<OctetString Value="{b"new name".hex().upper()}" />' in written
    assert '<VariableName Value="C760" />' in invoked
    assert '<Int8 Value="00" />' in invoked


# -- what the peer cannot do by short names ----------------------------------------------------------------------------


def test_the_peer_does_not_fetch_what_proves_our_meter(announce):
    """It looks for f(CtoS) in the answer to its WRITE, which has no place for it."""
    peer = Peer(announce(ASSOCIATIONS["hls-md5"]))
    peer.client.useLogicalNameReferencing = False
    with pytest.raises(Exception, match="do not match"):
        peer.open()
    peer.drop()


def test_the_peer_cannot_cipher(announce):
    """AssertionError while it builds a READ."""
    announced = announce({**GMAC, "authentication": "lls", "secret": "text:12345678"})
    peer = ShortNamePeer(announced)
    peer.open()
    with pytest.raises(AssertionError):
        peer.read(clock(), 2)
    peer.drop()


def test_the_peer_does_not_put_blocks_together(announce):
    """AttributeError over the wrapper. Over HDLC it asks on with a malformed READ, which our meter refuses."""
    announced = announce(LLS, max_pdu_size=240)
    peer = ShortNamePeer(announced)
    peer.client.proposedConformance |= Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    peer.open()
    with pytest.raises(Exception, match=r"setTotalCount|Read exception"):
        peer.objects()
    peer.drop()


def test_the_peer_does_not_write_in_blocks(announce):
    """ValueError over HDLC. Over the wrapper its blocks hold the bare value, and nowhere a variable name."""
    announced = announce(LLS)
    peer = ShortNamePeer(announced)
    peer.client.proposedConformance |= Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    peer.open()
    name = named(GXDLMSData, "0.0.96.1.1.255", 0x59C8)
    name.value = bytes(1000)
    with pytest.raises((PeerError, ValueError)):
        peer.exchange(peer.client.write(name, 2))
    peer.drop()


def test_the_peer_does_not_find_the_methods_of_a_register():
    """ValueError: it has no offset for them, and none for a clock's."""
    client = GXDLMSSecureClient(False)
    for target, call in (
        (energy(), lambda each: each.reset(client)),
        (clock(), lambda each: each.shiftTime(client, 60)),
    ):
        with pytest.raises(ValueError, match="methodIndex"):
            call(target)
