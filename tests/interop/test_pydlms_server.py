"""Our client against a foreign meter: the simulator of `pydlms-client`, over real sockets, as `manage.py read` talks to a meter.

What the meter holds and did is asked of the meter itself, in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

pytest.importorskip("pydlms")

from pydlms import DlmsData, encode_data, simulator
from pydlms import ObisCode as PeersObisCode
from pydlms.apdu.xdlms import Conformance as PeerConformance
from pydlms.simulator import ClientProfile, HdlcServer, MeterSimulator, example_meter, serve

from meters.cosem.data import octet_string
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.association import PROPOSED_CONFORMANCE
from sessions.dlms.axdr import encode_data as our_octets
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import DlmsError
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.items import ActionItem, GetItem, SetItem
from sessions.links.driver import Conversation
from sessions.links.endpoint import parse_endpoint
from sessions.reading import prepare_conversation
from tests.interop.pydlms_peer import CURVES, MECHANISMS, private_key, public_key
from tests.sessions.simulator.served import CLIENT_TITLE, GAK, GUEK

pytestmark = pytest.mark.interop

SECRET = "a secret of HLS!"
SYMMETRIC = ("none", "lls", "hls-md5", "hls-sha1", "hls-gmac", "hls-sha256")
NAME = CosemAttributeDescriptor(1, ObisCode.parse("0-0:96.1.10*255"), 2)
COUNTER = (1, "0.0.43.1.0.255", 2)
PROFILE = CosemAttributeDescriptor(7, ObisCode.parse("1-0:99.1.0*255"), 2)
DISCONNECT = CosemMethodDescriptor(70, ObisCode.parse("0-0:96.3.10*255"), 1)
ECHO = CosemMethodDescriptor(9, ObisCode.parse("0-0:10.0.0*255"), 1)


class Access(NamedTuple):
    """How our client is let in."""

    mechanism: str
    ciphered: bool = False
    form: str = "auto"
    dedicated: bool = False

    @property
    def table(self) -> dict[str, Any]:
        """Of an association file."""
        table: dict[str, Any] = {"client_sap": 1, "authentication": self.mechanism}
        if self.mechanism not in ("none", "hls-gmac"):
            table["secret"] = f"text:{SECRET}"
        if self.ciphered or self.mechanism in ("hls-gmac", "hls-sha256"):
            table["client_system_title"] = CLIENT_TITLE
        if self.ciphered or self.mechanism == "hls-gmac":
            table |= {"guek": GUEK, "gak": GAK, "server_system_title": b"PYD\0\0\0\0\1".hex()}
        if self.ciphered:
            table |= {"protection": "authenticated-encrypted", "ciphering_form": self.form}
        if self.dedicated:
            table["dedicated_key"] = "fresh"
        return table

    @property
    def profile(self) -> ClientProfile:
        secret = None if self.mechanism in ("none", "hls-gmac") else SECRET.encode()
        return ClientProfile(MECHANISMS[self.mechanism], secret, self.ciphered)


CLEAR, CIPHERED = Access("lls"), Access("hls-gmac", ciphered=True)
ACCESSES = [
    *(Access(mechanism) for mechanism in SYMMETRIC),
    *(Access(mechanism, True, form) for mechanism in SYMMETRIC for form in ("service-specific", "general")),
    *(Access(mechanism, True, "auto", True) for mechanism in SYMMETRIC),
]


class Foreign:
    """The meter, listening; `open` gives a conversation of ours with it."""

    def __init__(self, meter: MeterSimulator, port: int, hdlc: bool, table: dict[str, Any]) -> None:
        self.meter, self.port = meter, port
        self.table = {"framing": "hdlc" if hdlc else "wrapper", "server_sap": 1, **table}

    @asynccontextmanager
    async def open(self, **changes: Any) -> Any:
        endpoint = parse_endpoint(f"tcp://127.0.0.1:{self.port}")
        conversation = await prepare_conversation(endpoint, parse_association({**self.table, **changes}))
        try:
            await conversation.open()
            yield conversation
            assert await conversation.release() == ""
        finally:
            await conversation.close()

    def talk(self, what: Callable[[Conversation], Any], **changes: Any) -> Any:
        async def whole() -> Any:
            async with self.open(**changes) as conversation:
                return await what(conversation)

        return asyncio.run(whole())

    def holds(self, descriptor: CosemAttributeDescriptor) -> bytes:
        return encode_data(self.meter.objects[descriptor.class_id, peers_name(descriptor)][descriptor.attribute_id])


def peers_name(descriptor: Any) -> Any:
    return PeersObisCode(*descriptor.instance_id.octets)


@pytest.fixture(params=["wrapper", "hdlc"])
def foreign(request: pytest.FixtureRequest) -> Iterator[Callable[..., Foreign]]:
    servers: list[Any] = []

    def start(access: Access = CLEAR, *, window: int = 1, more: int = 0, **options: Any) -> Foreign:
        keys = {"encryption_key": bytes.fromhex(GUEK), "authentication_key": bytes.fromhex(GAK)}
        meter = example_meter(**keys, **options)
        meter.conformance |= PeerConformance(more)
        meter.clients[1] = access.profile
        held = {1: DlmsData.octet_string(NAME.instance_id.octets), 2: DlmsData.octet_string(b"x")}
        meter.add_object(1, NAME.instance_id.dotted, held, base_name=0x0300)
        hdlc = request.param == "hdlc"
        server = serve(meter, hdlc=hdlc, **({"hdlc_window": window} if hdlc else {}))
        servers.append(server)
        made = Foreign(meter, server.server_address[1], hdlc, access.table)
        made.server = server
        return made

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


# -- associations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "access", ACCESSES, ids=lambda each: f"{each.mechanism}, {each.ciphered}, {each.form}, {each.dedicated}"
)
def test_every_object_is_read_as_the_meter_holds_it(foreign: Callable[..., Foreign], access: Access) -> None:
    """The invocation counter is learned first, from the meter's public client, as `read` does it."""
    meter = foreign(access)

    async def read(conversation: Conversation) -> None:
        for (class_id, name), attributes in list(meter.meter.objects.items()):
            for attribute_id, value in attributes.items():
                if (class_id, str(name), attribute_id) != COUNTER:
                    asked = CosemAttributeDescriptor(class_id, ObisCode.parse(str(name)), attribute_id)
                    assert our_octets(await conversation.get(asked)) == encode_data(value)
        listed = await conversation.get(CosemAttributeDescriptor(15, ObisCode(0, 0, 40, 0, 0, 255), 2))
        assert len(listed) == len(meter.meter.objects)
        missing = await conversation.get(replace(NAME, attribute_id=99))
        assert isinstance(missing, DataAccessResult)

    meter.talk(read)


@pytest.mark.parametrize("mechanism", [each for each in SYMMETRIC if each != "none"])
def test_a_secret_that_the_meter_has_not_is_refused(foreign: Callable[..., Foreign], mechanism: str) -> None:
    changes = {"secret": "text:another secret!"}
    if mechanism == "hls-gmac":
        changes = {"gak": bytes(16).hex()}
    meter = foreign(Access(mechanism))
    with pytest.raises(DlmsError):
        meter.talk(lambda conversation: conversation.get(NAME), **changes)


@pytest.mark.parametrize("suite", [1, 2])
def test_signatures_over_both_curves(foreign: Callable[..., Foreign], suite: int) -> None:
    ours, theirs = bytes([7] * (16 * suite + 16)), bytes([9] * (16 * suite + 16))
    curve = CURVES[suite]
    meter = foreign()
    meter.meter.signing_key = private_key(theirs, curve)
    meter.meter.clients[1] = ClientProfile(
        MECHANISMS["hls-ecdsa"], client_public_key=public_key(public_of(ours), curve)
    )
    association = {
        "authentication": "hls-ecdsa",
        "secret": None,
        "security_suite": suite,
        "client_system_title": CLIENT_TITLE,
        "client_signing_key": ours.hex(),
        "server_signing_key": public_of(theirs).hex(),
    }
    meter.table = {name: value for name, value in {**meter.table, **association}.items() if value is not None}
    assert meter.talk(lambda conversation: conversation.get(NAME)) == octet_string(b"x")


# -- services ----------------------------------------------------------------------------------------------------------

LONG = octet_string(bytes(range(256)) * 8)
BOTH = pytest.mark.parametrize("access", [CLEAR, CIPHERED], ids=["clear", "ciphered"])


@BOTH
@pytest.mark.parametrize(
    "general", [0, int(PeerConformance.GENERAL_BLOCK_TRANSFER)], ids=["own blocks", "general blocks"]
)
def test_long_values_both_ways(foreign: Callable[..., Foreign], access: Access, general: int) -> None:
    meter = foreign(access, max_pdu=200, more=general)

    async def write_and_read(conversation: Conversation) -> Any:
        assert await conversation.set(NAME, LONG) is DataAccessResult.SUCCESS
        return await conversation.get(NAME)

    assert meter.talk(write_and_read, max_pdu_size=150) == LONG
    assert meter.holds(NAME) == our_octets(LONG)


@BOTH
def test_a_long_parameter_and_a_long_answer_of_a_method(foreign: Callable[..., Foreign], access: Access) -> None:
    meter = foreign(access, max_pdu=200)
    meter.meter.add_method(9, "0.0.10.0.0.255", 1, lambda *arguments: arguments[-1])
    result, returned = meter.talk(lambda conversation: conversation.action(ECHO, LONG), max_pdu_size=150)
    assert (result, returned) == (ActionResult.SUCCESS, LONG)


@BOTH
def test_the_switch(foreign: Callable[..., Foreign], access: Access) -> None:
    meter = foreign(access)
    assert meter.talk(lambda conversation: conversation.action(DISCONNECT)) == (ActionResult.SUCCESS, None)
    output = meter.meter.objects[70, peers_name(DISCONNECT)][2]
    assert output.value is False


@BOTH
def test_a_profile_by_entries(foreign: Callable[..., Foreign], access: Access) -> None:
    meter = foreign(access)
    rows = meter.talk(lambda conversation: conversation.get(PROFILE, EntryDescriptor(2, 4).to_selective_access()))
    held = meter.meter.objects[7, peers_name(PROFILE)][2]
    assert [our_octets(row) for row in rows] == [encode_data(row) for row in held.value[1:4]]


@BOTH
@pytest.mark.parametrize("without", ["", "access", "access multiple-references"])
def test_many_things_at_once(foreign: Callable[..., Foreign], access: Access, without: str) -> None:
    """By ACCESS, by lists, one by one: whatever both sides agree on."""
    meter = foreign(access)
    table = meter.table
    offered = [name for name in PROPOSED_CONFORMANCE.names if name not in without.split()]
    register = CosemAttributeDescriptor(3, ObisCode.parse("1-0:1.8.0*255"), 2)
    items = [
        GetItem(register),
        SetItem(NAME, octet_string(b"many")),
        GetItem(NAME),
        ActionItem(DISCONNECT),
        GetItem(replace(NAME, attribute_id=9)),
    ]
    meter.table = {**table, "conformance": offered}
    first, written, named, switched, missing = meter.talk(lambda conversation: conversation.many(items))
    assert first.value == 12_345_678
    assert written is DataAccessResult.SUCCESS
    assert named == octet_string(b"many")
    assert switched.result is ActionResult.SUCCESS
    assert isinstance(missing, DataAccessResult)
    assert meter.holds(NAME) == our_octets(octet_string(b"many"))


# -- lines that lose frames, pushes, short names -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults", [{}, {"drop": (5, 9)}, {"reject": (4, 8)}], ids=["none", "lost frames", "damaged frames"]
)
@pytest.mark.parametrize("window", [1, 3, 7])
def test_frames_of_a_window_are_lost_and_sent_again(
    monkeypatch: pytest.MonkeyPatch, window: int, faults: dict[str, tuple[int, ...]]
) -> None:
    made: list[HdlcServer] = []

    def unreliable(*arguments: Any, **options: Any) -> HdlcServer:
        made.append(HdlcServer(*arguments, **options, **faults))
        return made[-1]

    monkeypatch.setattr(simulator, "HdlcServer", unreliable)
    meter = example_meter()
    meter.clients[1] = CLEAR.profile
    held = {1: DlmsData.octet_string(NAME.instance_id.octets), 2: DlmsData.octet_string(b"x")}
    meter.add_object(1, NAME.instance_id.dotted, held)
    server = serve(meter, hdlc=True, hdlc_window=window)
    foreign = Foreign(meter, server.server_address[1], True, CLEAR.table)

    async def write_and_read(conversation: Conversation) -> Any:
        assert await conversation.set(NAME, octet_string(bytes(range(250)) * 2)) is DataAccessResult.SUCCESS
        return await conversation.get(NAME)

    try:
        hdlc = {"max_info": 64, "window": window}
        assert foreign.talk(write_and_read, hdlc=hdlc, timeout=2) == octet_string(bytes(range(250)) * 2)
    finally:
        server.shutdown()
        server.server_close()
    assert made


@BOTH
def test_a_push_before_an_answer(foreign: Callable[..., Foreign], access: Access) -> None:
    """It neither disturbs the answer nor is it lost."""
    meter = foreign(access)
    push = bytes.fromhex("0F0000000100020209060000190900FF1105")
    pushed: list[Any] = []

    async def read(conversation: Conversation) -> Any:
        meter.meter.push_before_response(push, protection="general-glo" if access.ciphered else None)
        conversation.on_notification = pushed.append
        return await conversation.get(NAME)

    assert meter.talk(read) == octet_string(b"x")
    (event,) = pushed
    assert event.apdu.encode() == push
    assert event.protected == access.ciphered


def test_by_short_names(foreign: Callable[..., Foreign]) -> None:
    meter = foreign()
    meter.meter.conformance = PeerConformance.READ | PeerConformance.WRITE | PeerConformance.MULTIPLE_REFERENCES

    async def read(conversation: Conversation) -> None:
        for (class_id, name), attributes in list(meter.meter.objects.items()):
            if class_id in (1, 3, 8) and (class_id, str(name), 2) != COUNTER:
                value = await conversation.get(CosemAttributeDescriptor(class_id, ObisCode.parse(str(name)), 2))
                assert our_octets(value) == encode_data(attributes[2])
        assert await conversation.set(NAME, octet_string(b"by its short name")) is DataAccessResult.SUCCESS

    meter.talk(read, referencing="short-names")
    assert meter.holds(NAME) == our_octets(octet_string(b"by its short name"))
