"""The foreign client against our simulator: every mechanism, suite, protection and dedicated key, over the wrapper and HDLC.

All meters listen in one lab in this process; each case has a socket of its own. What the peer cannot do is listed with its
failure, and tried all the same: when a newer one can, the test says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms.enums import Conformance
from gurux_dlms.objects import GXDLMSClock, GXDLMSRegister

from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.lab import LabLine
from sessions.simulator.server import Server
from tests.interop.peer import Peer, associated
from tests.sessions.simulator.served import lab_of, listening
from tests.sessions.simulator.test_every_association import MECHANISMS, PROTECTIONS, meter_of

pytestmark = pytest.mark.interop


class Case(NamedTuple):
    framing: str
    suite: int
    mechanism: str
    protection: str
    dedicated: bool

    @property
    def name(self) -> str:
        key = ", dedicated key" if self.dedicated else ""
        return f"{self.framing}, suite {self.suite}, {self.mechanism}, {self.protection}{key}"


CASES = [
    Case(framing, suite, mechanism, protection, dedicated)
    for framing in ("wrapper", "hdlc")
    for suite in (0, 1, 2)
    for mechanism in MECHANISMS
    for protection in PROTECTIONS
    for dedicated in (False, True)
    if suite or mechanism != "hls-ecdsa"
    if "encrypted" in protection or not dedicated
]
SUITE_2_ECDSA = "Invalid private key scheme"
"""The peer cannot sign under P-384: its client fails before it sends anything."""


def failure_of(case: Case) -> str | None:
    """What the peer says where it cannot do this; None where it can."""
    return SUITE_2_ECDSA if (case.suite, case.mechanism) == (2, "hls-ecdsa") else None


def meter_for(number: int, case: Case) -> Any:
    more: dict[str, Any] = {}
    if case.dedicated:
        more["dedicated_key"] = bytes(range(50, 82 if case.suite == 2 else 66)).hex()
    if case.mechanism == "hls-manufacturer":
        more["secret"] = "text:0123456789ABCDEF"
    address = {"physical_address": 17} if case.framing == "hdlc" else {}
    table = {"serial_number": str(10_000_001 + number), "max_pdu_size": 200, **address}
    return meter_of(case.mechanism, case.suite, case.protection, table=table, **more)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[dict[Case, dict[str, Any]]]:
    meters = [meter_for(number, case) for number, case in enumerate(CASES)]
    lines = [LabLine(kind=case.framing, meters=(meter,)) for case, meter in zip(CASES, meters, strict=True)]
    with listening(lab_of(*lines), tmp_path_factory.mktemp("lab")) as announced:
        yield dict(zip(CASES, announced, strict=True))


@pytest.mark.parametrize("case", [case for case in CASES if failure_of(case) is None], ids=lambda case: case.name)
def test_it_associates_reads_in_blocks_and_releases(lab, case):
    with associated(lab[case]) as peer:
        time = peer.read(GXDLMSClock("0.0.1.0.0.255"), 2)
        register = GXDLMSRegister("1.0.1.8.0.255")
        peer.read(register, 3)
        assert peer.read(register, 2) > 1_000_000
        if case.suite == 0:
            assert len(peer.objects()) >= 30
    assert time.value.replace(tzinfo=None) == datetime(2026, 11, 25, 12)


@pytest.mark.parametrize("case", [case for case in CASES if failure_of(case)], ids=lambda case: case.name)
def test_what_the_peer_cannot_do(lab, case):
    peer = Peer(lab[case])
    try:
        with pytest.raises(Exception, match=failure_of(case)):
            peer.open()
    finally:
        peer.drop()


def test_challenges_of_the_peer_that_are_too_short_for_ecdsa_are_refused(lab):
    peer = Peer(lab[Case("wrapper", 1, "hls-ecdsa", "none", False)])
    peer.client.ctoSChallenge = bytes(range(16))
    try:
        with pytest.raises(Exception, match="Authentication failure"):
            peer.open()
    finally:
        peer.drop()


@pytest.mark.parametrize("mechanism", MECHANISMS[1:])
def test_a_wrong_secret_or_key_of_the_peer_is_refused(lab, mechanism):
    announced = lab[Case("wrapper", 1, mechanism, "none", False)]
    changes = {"secret": "text:ABCDEF0123456789"}
    if mechanism == "hls-gmac":
        changes = {"gak": bytes(16).hex()}
    if mechanism == "hls-ecdsa":
        changes = {"client_signing_key": (b"\x07" * 32).hex()}
    peer = Peer({**announced, "association": {**announced["association"], **changes}})
    try:
        expected = "Authentication failure" if mechanism == "lls" else f"^{DataAccessResult.READ_WRITE_DENIED}$"
        with pytest.raises(Exception, match=expected):
            peer.open()
    finally:
        peer.drop()


@pytest.mark.parametrize("general", [False, True], ids=["own tags", "general envelopes"])
@pytest.mark.parametrize("dedicated", [False, True], ids=["global key", "dedicated key"])
@pytest.mark.parametrize("suite", [0, 2])
def test_both_forms_of_ciphered_services(tmp_path, monkeypatch, general, dedicated, suite):
    """The peer takes the general ones wherever they are agreed."""
    seen: list[tuple[int, int]] = []
    serve = Server.receive_apdu

    def watched(self: Server, octets: bytes) -> bytes | None:
        answer = serve(self, octets)
        seen.append((octets[0], (answer or b"\x00")[0]))
        return answer

    monkeypatch.setattr(Server, "receive_apdu", watched)
    meter = meter_for(0, Case("wrapper", suite, "hls-md5", "authenticated-encrypted", dedicated))
    with listening(lab_of(LabLine(kind="wrapper", meters=(meter,))), tmp_path) as announced:
        peer = Peer(announced[0])
        if general:
            peer.client.proposedConformance |= Conformance.GENERAL_PROTECTION
        else:
            peer.client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
        try:
            peer.open()
            peer.read(GXDLMSClock("0.0.1.0.0.255"), 2)
        finally:
            peer.drop()
    form = (0xDC if dedicated else 0xDB, 0xDC if dedicated else 0xDB)
    own = (0xD0, 0xD4) if dedicated else (0xC8, 0xCC)
    assert seen[-1] == (form if general else own)
