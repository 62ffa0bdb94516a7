"""A canary in every place where a secret travels, in every form and framing: nothing that is stored or shown holds it.

Our client talks with a simulated meter; every frame passes the trace, as it does in a session. What the trace lets through is
what the database keeps; what the inspector says of it later is what a browser gets.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from meters.cosem.data import Data, array, enum, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError
from sessions.dlms.inspector import DissectionKeys, Dissector
from sessions.dlms.link import FrameReceived, FrameSent, OctetsDiscarded
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem
from sessions.trace import Trace
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import DEDICATED, GAK, GMAC, GUEK, LLS, lab_meter

PIECE = 4
"""Octets of a secret in a row that must not be found: fewer say nothing."""
SHORT, LONG = sha256(b"canary").digest()[:16], b"".join(sha256(bytes((n,))).digest() for n in range(7))[:210]
KEYS = DissectionKeys(guek=bytes.fromhex(GUEK), gak=bytes.fromhex(GAK))
ASSOCIATION, SECURITY_SETUP, MBUS = "0-0:40.0.0*255", "0-0:43.0.0*255", "0-1:24.1.0*255"

SERVICES = Conformance.GET | Conformance.SET | Conformance.ACTION
BLOCKS = SERVICES | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE | Conformance.BLOCK_TRANSFER_WITH_ACTION
LISTS = BLOCKS | Conformance.MULTIPLE_REFERENCES
GENERAL = SERVICES | Conformance.GENERAL_BLOCK_TRANSFER
FORMS = {
    "normal": (SERVICES, 0, 1),
    "blocks": (BLOCKS, 80, 1),
    "list": (LISTS, 0, 2),
    "list-blocks": (LISTS, 80, 2),
    "access": (LISTS | Conformance.ACCESS, 0, 2),
    "general-blocks": (GENERAL, 80, 1),
    "access-general-blocks": (GENERAL | LISTS | Conformance.ACCESS, 80, 2),
}
"""What is agreed to, the longest APDU, and how many items are asked for together."""
LINES: dict[str, dict[str, Any]] = {
    "wrapper": {},
    **{
        f"hdlc-{size}-{window}": {"physical_address": 17, "hdlc": {"max_info": size, "window": window}}
        for size, window in ((32, 1), (64, 3), (2030, 1))
    },
}
SECURITY = {
    "clear": LLS,
    "ciphered": GMAC,
    "authenticated": {**GMAC, "protection": "authenticated"},
    "general-authenticated": {**GMAC, "protection": "authenticated", "ciphering_form": "general"},
    "dedicated": {**GMAC, "dedicated_key": DEDICATED},
}


def attribute(class_id: int, name: str, attribute_id: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(class_id, ObisCode.parse(name), attribute_id)


def method(class_id: int, name: str, method_id: int) -> CosemMethodDescriptor:
    return CosemMethodDescriptor(class_id, ObisCode.parse(name), method_id)


def keys_to_transfer(secret: bytes) -> Data:
    """A key that somebody forgot to wrap."""
    return array(structure(enum(0), octet_string(secret)))


SLOTS = {
    "written": lambda secret: SetItem(attribute(15, ASSOCIATION, 7), octet_string(secret)),
    "changed": lambda secret: ActionItem(method(15, ASSOCIATION, 2), octet_string(secret)),
    "transferred": lambda secret: ActionItem(method(64, SECURITY_SETUP, 2), keys_to_transfer(secret)),
    "of an M-Bus device": lambda secret: ActionItem(method(72, MBUS, 7), octet_string(secret)),
}
BESIDE = {
    SetItem: SetItem(attribute(1, "0-0:96.1.10*255", 2), octet_string(b"beside")),
    ActionItem: ActionItem(method(3, "1-0:1.8.0*255", 1), unsigned(0)),
}
"""What stands in a list before the secret."""


class Recorded(Pair):
    """A pair whose frames pass a trace. `lost`: the number of the answer, from now on, that the line swallows."""

    def __init__(self, *arguments: Any, secrets: tuple[bytes, ...] = (), **changes: Any) -> None:
        super().__init__(*arguments, **changes)
        self._meter = arguments[0]
        self.trace = Trace(KEYS, secrets)
        self.stored: list[tuple[bytes, str]] = []
        self.said: list[str] = []
        self.lost = -1
        self.line = b""
        take = self.client.next_event

        def next_event() -> Any:
            event = take()
            match event:
                case FrameSent():
                    self.line += event.octets
                    self._store(self.trace.read(event.octets, "sent"), "sent")
                case FrameReceived():
                    self._store(self.trace.read(event.octets, "received"), "received")
                case OctetsDiscarded():
                    self._store(self.trace.read_discarded(event.octets, event.reason), "")
            return event

        self.client.next_event = next_event  # type: ignore[method-assign]

    @property
    def meter(self) -> Any:
        return self._meter

    def _store(self, traced: Any, direction: str) -> None:
        self.said += [traced.summary, traced.error]
        self.stored.append((traced.octets, direction))

    def _carry(self, octets: bytes) -> None:
        self.lost -= 1
        if self.lost != 0:
            super()._carry(octets)
            return
        self.station.receive_octets(octets, self.now)
        self.station.octets_to_send()
        while (timer := self.client.next_timer()) is not None and not (again := self.client.octets_to_send()):
            self.now = max(self.now, timer)
            self.client.handle_timer(self.now)
        super()._carry(again)

    def looked_at_later(self) -> str:
        """What the inspector says of everything that was stored, with the keys at hand."""
        dissector = Dissector(KEYS)
        found = [dissector.feed(octets, direction) for octets, direction in self.stored if direction]
        return json.dumps([one.as_json() for one in found])


def shown_as(piece: bytes) -> set[str]:
    """How octets may stand in a text; base64 in each of its three alignments."""
    plain = piece.hex()
    return {plain, plain.upper(), piece.hex(" "), piece.hex(" ").upper(), repr(piece)[2:-1]}


def leaks(recorded: Recorded, secret: bytes) -> list[str]:
    pieces = [secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)]
    found = [
        f"frame {number}: {octets.hex()}"
        for number, (octets, _) in enumerate(recorded.stored)
        if any(piece in octets for piece in pieces)
    ]
    for what, text in (("summary", "\n".join(recorded.said)), ("later", recorded.looked_at_later())):
        found += [f"{what}: {form}" for piece in pieces[::PIECE] for form in shown_as(piece) if form in text]
        found += [f"{what}: {base64.b64encode(secret).decode()}"] if base64.b64encode(secret).decode() in text else []
    return found


def recorded_pair(security: str, form: str, line: str) -> Recorded:
    conformance, size, _ = FORMS[form]
    table = dict(LINES[line])
    hdlc = table.pop("hdlc", None)
    meter = lab_meter(SECURITY[security], max_pdu_size=size, **table)
    meter.device.conformance = conformance | Conformance.GENERAL_PROTECTION
    if size:
        meter.device.max_receive_pdu_size = size
    return Recorded(meter, **({"hdlc": {**meter.association["hdlc"], **hdlc}} if hdlc else {}))


def send(pair: Recorded, item: Item, count: int) -> None:
    with suppress(DlmsError):
        if count > 1:
            pair.many(BESIDE[type(item)], item)
        elif isinstance(item, SetItem):
            pair._run(lambda: pair.client.set(item.descriptor, item.value, now=pair.now), object)
        else:
            pair._run(lambda: pair.client.action(item.descriptor, item.parameters, now=pair.now), object)


WAYS = [
    (security, line)
    for security in SECURITY
    for line in LINES
    if security in ("clear", "authenticated") or line == "hdlc-32-1"
]


def travelled(pair: Recorded, secret: bytes) -> bool:
    """Whether the line carried a part of it in clear: else there was nothing to mask."""
    return any(secret[at : at + PIECE] in pair.line for at in range(len(secret) - PIECE + 1))


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("security", "line"), WAYS)
def test_what_a_request_carries(security: str, line: str, form: str, slot: str) -> None:
    secret = SHORT if form == "normal" else LONG
    pair = recorded_pair(security, form, line)
    pair.open()
    before = len(pair.stored)
    send(pair, SLOTS[slot](secret), FORMS[form][2])
    assert len(pair.stored) > before
    assert travelled(pair, secret) == (security not in ("ciphered", "dedicated"))
    assert leaks(pair, secret) == []


@pytest.mark.parametrize("slot", ["written", "changed", "transferred"])
@pytest.mark.parametrize("form", ["normal", "blocks", "general-blocks"])
@pytest.mark.parametrize("line", ["hdlc-32-1", "hdlc-64-3"])
@pytest.mark.parametrize("security", ["clear", "ciphered", "authenticated"])
def test_what_goes_out_again_after_a_lost_answer(security: str, line: str, form: str, slot: str) -> None:
    """Whichever answer is lost: the frames that it would have acknowledged come again."""
    repeated = 0
    for lost in range(1, 12):
        pair = recorded_pair(security, form, line)
        pair.open()
        pair.lost = lost
        send(pair, SLOTS[slot](LONG), 1)
        assert leaks(pair, LONG) == []
        repeated += pair.lost <= 0
    assert repeated > 3


@pytest.mark.parametrize("line", ["wrapper", "hdlc-32-1", "hdlc-64-3"])
@pytest.mark.parametrize("security", ["clear", "authenticated", "general-authenticated"])
@pytest.mark.parametrize("form", ["normal", "general-blocks"])
def test_what_an_answer_carries(form: str, security: str, line: str) -> None:
    pair = recorded_pair(security, form, line)
    pair.open()
    secret = GetItem(attribute(15, ASSOCIATION, 7))
    meter = pair.meter.device
    plain = meter.get
    meter.get = lambda caller, descriptor, selection: (
        octet_string(LONG) if descriptor == secret.descriptor else plain(caller, descriptor, selection)
    )
    assert pair.get(15, ASSOCIATION, 7) == octet_string(LONG)
    assert leaks(pair, LONG) == []


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("secret", [b"0123456789abcdef", sha256(b"password").digest() * 2], ids=["short", "long"])
def test_the_password_of_an_association(line: str, secret: bytes) -> None:
    table = dict(LINES[line])
    hdlc = table.pop("hdlc", None)
    meter = lab_meter({**LLS, "secret": f"hex:{secret.hex()}"}, **table)
    pair = Recorded(meter, **({"hdlc": {**meter.association["hdlc"], **hdlc}} if hdlc else {}))
    pair.open()
    assert leaks(pair, secret) == []


@pytest.mark.parametrize("size", [0, 60])
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("slot", ["written", "changed", "transferred"])
@pytest.mark.parametrize("known", [True, False], ids=["known names", "names that were read"])
def test_what_travels_by_short_name(known: bool, slot: str, line: str, size: int) -> None:
    table = dict(LINES[line])
    hdlc = table.pop("hdlc", None)
    changes = {"hdlc": {"max_info": 128, **hdlc}} if hdlc else {}
    meter = lab_meter({**LLS, "referencing": "short-names"}, type="short_names", max_pdu_size=size, **table)
    names = [
        {"base_name": 0xFA00, "class_id": 12, "version": 3, "logical_name": ASSOCIATION},
        {"base_name": 0x3000, "class_id": 64, "logical_name": SECURITY_SETUP},
        {"base_name": 0x4000, "class_id": 72, "version": 1, "logical_name": MBUS},
    ]
    if known:
        changes["short_names"] = names
    if hdlc:
        changes["hdlc"] = {**meter.association["hdlc"], **hdlc}
    pair = Recorded(meter, **changes)
    if known:
        pair.trace = Trace(replace(KEYS, short_names=pair.association.parameters.short_names))
    pair.open()
    item = SLOTS[slot](LONG[:120])
    if slot == "written":
        item = SetItem(attribute(12, ASSOCIATION, 2), octet_string(LONG[:120]))
    if slot == "changed":
        item = ActionItem(method(12, ASSOCIATION, 5), octet_string(LONG[:120]))
    send(pair, item, 1)
    assert travelled(pair, LONG[:120]) or not known
    assert leaks(pair, LONG[:120]) == []
