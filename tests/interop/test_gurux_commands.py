"""What the foreign client commands is what our meter does: clock, switch, long values, keys, counters; compared with the truth.

Each command goes over the wrapper and HDLC, in clear and ciphered under each suite; the meter's own account of its state
(`sessions.simulator.truth`) judges, not only its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDateTime
from gurux_dlms.enums import DataType
from gurux_dlms.objects import (
    GXDLMSActivityCalendar,
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDemandRegister,
    GXDLMSDisconnectControl,
    GXDLMSExtendedRegister,
    GXDLMSImageTransfer,
    GXDLMSProfileGeneric,
    GXDLMSScriptTable,
    GXDLMSSecuritySetup,
)
from gurux_dlms.objects.enums import GlobalKeyType

from meters.cosem.data import as_date_time
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.conformance import Conformance
from sessions.simulator.images import with_digest
from sessions.simulator.lab import HdlcOptions, LabLine, LabMeter, make_meter
from sessions.simulator.truth import Truth
from tests.interop.peer import Peer, PeerError, associated, quietly
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, GUEK, LLS, HandClock, lab_of, listening

pytestmark = pytest.mark.interop

LONG_KEY = GUEK * 2
ASSOCIATIONS: dict[str, dict[str, Any]] = {
    "in clear": LLS,
    "authenticated": {**GMAC, "protection": "authenticated"},
    "encrypted": {**GMAC, "protection": "encrypted"},
    "suite 0": GMAC,
    "suite 1": {**GMAC, "security_suite": 1},
    "suite 2": {**GMAC, "security_suite": 2, "guek": LONG_KEY, "gak": LONG_KEY[::-1]},
}
CIPHERED = [name for name in ASSOCIATIONS if name != "in clear"]
FRAMINGS = {
    "wrapper": None,
    "HDLC": HdlcOptions(),
    "HDLC, small frames": HdlcOptions(32),
    "HDLC, large": HdlcOptions(2030),
}
NOTHING = Conformance(0)
SWITCH, CLOCK, NAME = "0.0.96.3.10.255", "0.0.1.0.0.255", "0.0.96.1.10.255"
KEK = bytes(range(0x40, 0x60))
BY_US = 1_000_000
"""Where the counters of our own client begin: above those of the peer."""


class Meter(NamedTuple):
    """A meter that listens, with what is told of it and what is true."""

    line: str
    meter: LabMeter
    announced: dict[str, Any]
    truth: Truth

    @property
    def max_info(self) -> int | None:
        return None if FRAMINGS[self.line] is None else self.meter.parameters.max_info_transmit

    def peer(self, *, invocation_counter: int = 1, **changes: str) -> Peer:
        """Not associated yet; `changes` of the announced association."""
        announced = {**self.announced, "association": {**self.announced["association"], **changes}}
        return Peer(announced, invocation_counter=invocation_counter, max_info=self.max_info)

    @contextmanager
    def associated(self, **options: Any) -> Iterator[Peer]:
        with associated(self.announced, max_info=self.max_info, **options) as peer:
            yield peer

    def by_us(self) -> Pair:
        pair = Pair(self.meter, counters=range(BY_US, 2 * BY_US))
        pair.open()
        return pair


Start = Callable[..., Meter]


@pytest.fixture(params=FRAMINGS)
def start(request: Any, tmp_path: Path) -> Iterator[Start]:
    """Gives a meter that serves the association of that name, on the line of the parameter."""
    running: list[Any] = []

    def begin(association: str, *, without: Conformance = NOTHING, **table: Any) -> Meter:
        options = FRAMINGS[request.param]
        served = ASSOCIATIONS[association]
        if association != "in clear":
            served = {**served, "kek": KEK[: 32 if association == "suite 2" else 16].hex()}
        if served.get("security_suite"):
            table["key_pairs"] = {"seed": "demo"}
        if options is not None:
            table["physical_address"] = 17
        meter = make_meter({"serial_number": "10000001", "association": served, **table}, HandClock(), options)
        meter.device.conformance &= ~without
        line = LabLine(kind="wrapper" if options is None else "hdlc", meters=(meter,))
        context = listening(lab_of(line), tmp_path)
        running.append(context)
        return Meter(request.param, meter, context.__enter__()[0], Truth(meter))

    yield begin
    for context in running:
        context.__exit__(None, None, None)


# -- the clock ---------------------------------------------------------------------------------------------------------

ZONES = [UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5)), timezone(timedelta(hours=5, minutes=30))]


def clock_of(meter: Meter) -> datetime:
    (told,) = meter.truth.as_json()["clocks"]
    return datetime.fromisoformat(told["time"])


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_the_clock_is_set_whatever_the_zone(start: Start, association: str) -> None:
    """A deviation of the wrong sign would be off by hours: twice the zone's distance from UTC."""
    meter = start(association)
    with meter.associated() as peer:
        for zone in ZONES:
            moment = datetime(2026, 12, 24, 18, 0, tzinfo=zone)
            clock = GXDLMSClock(CLOCK)
            clock.time = GXDateTime(moment)
            peer.exchange(peer.client.write(clock, 2))
            assert clock_of(meter) == moment
            assert peer.read(GXDLMSClock(CLOCK), 2).value == moment
        assert meter.truth.writes(8, "0-0:1.0.0*255", 2) == len(ZONES)
    read = as_date_time(meter.by_us().get(8, "0-0:1.0.0*255", 2))
    assert read is not None
    assert read.to_datetime() == moment


@pytest.mark.parametrize("association", ["in clear", "suite 0"])
def test_the_clock_is_adjusted(start: Start, association: str) -> None:
    meter = start(association)
    with meter.associated() as peer:
        clock = GXDLMSClock(CLOCK)
        before = clock_of(meter)
        peer.exchange(clock.shiftTime(peer.client, 100))
        assert clock_of(meter) - before == timedelta(seconds=100)
        peer.exchange(clock.shiftTime(peer.client, -130))
        assert clock_of(meter) - before == timedelta(seconds=-30)
        peer.exchange(clock.adjustToQuarter(peer.client))
        assert clock_of(meter) == before
    assert meter.truth.executions(8, "0-0:1.0.0*255", 6) == 2


# -- the switch --------------------------------------------------------------------------------------------------------

RECONNECTED = {1: 2, 2: 1, 3: 2, 4: 1, 5: 2, 6: 2}
"""control_state after a remote reconnection, by control_mode: 1 connected, 2 ready for reconnection."""


def relay_of(meter: Meter) -> tuple[bool, int, int]:
    (told,) = meter.truth.as_json()["relays"]
    return told["output_state"], told["control_state"], told["control_mode"]


def asked_of(peer: Peer) -> tuple[bool, int, int]:
    switch = GXDLMSDisconnectControl(SWITCH)
    return peer.read(switch, 2), int(peer.read(switch, 3)), int(peer.read(switch, 4))


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_the_switch_follows_its_mode(start: Start, association: str) -> None:
    meter = start(association)
    with meter.associated() as peer:
        switch = GXDLMSDisconnectControl(SWITCH)
        for mode, reconnected in RECONNECTED.items():
            switch.controlMode = mode
            peer.exchange(peer.client.write(switch, 4))
            peer.exchange(switch.remoteDisconnect(peer.client))
            assert relay_of(meter) == asked_of(peer) == (False, 0, mode)
            peer.exchange(switch.remoteReconnect(peer.client))
            assert relay_of(meter) == asked_of(peer) == (reconnected == 1, reconnected, mode)
        assert [meter.truth.executions(70, "0-0:96.3.10*255", each) for each in (1, 2)] == [len(RECONNECTED)] * 2
        switch.controlMode = 0
        peer.exchange(peer.client.write(switch, 4))
        with pytest.raises(PeerError, match=str(int(ActionResult.OTHER_REASON))):
            peer.exchange(switch.remoteDisconnect(peer.client))
    assert meter.truth.executions(70, "0-0:96.3.10*255", 1) == len(RECONNECTED)


# -- long values, both ways --------------------------------------------------------------------------------------------

TWO_FRAMES = {("HDLC, small frames", each) for each in CIPHERED if each != "encrypted"}
"""Where the answer to a block takes two frames. The peer numbers the frames of all its blocks beforehand, and counts on one."""


def write_in_blocks(peer: Peer) -> bytes:
    name = GXDLMSData(NAME)
    name.value = bytearray(range(256)) * 4
    name.setDataType(2, DataType.OCTET_STRING)
    with quietly():
        peer.client.maxReceivePDUSize = 120  # what it takes for the size of our meter
        request = peer.client.write(name, 2)
        assert len(request) > 8
        peer.exchange(request)
        peer.client.maxReceivePDUSize = 0xFFFF
    return bytes(name.value)


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_a_long_value_in_blocks_both_ways(start: Start, association: str) -> None:
    meter = start(association, max_pdu_size=150, without=Conformance.GENERAL_BLOCK_TRANSFER)
    if (meter.line, association) in TWO_FRAMES:
        with pytest.raises(PeerError, match="-1"), meter.associated() as peer:  # the peer's UNACCEPTABLE_FRAME
            write_in_blocks(peer)
        return
    with meter.associated() as peer:
        written = write_in_blocks(peer)
        assert peer.read(GXDLMSData(NAME), 2) == written
    assert meter.by_us().get(1, "0-0:96.1.10*255", 2).value == written


# -- a firmware image --------------------------------------------------------------------------------------------------

IMAGE = with_digest(bytes(range(256)) * 5 + b"the last block is shorter")
VERIFIED, VERIFICATION_FAILED, ACTIVE = 3, 4, 6
"""image_transfer_status."""


def send_image(peer: Peer, image: bytes) -> Any:
    target = GXDLMSImageTransfer("0.0.44.0.0.255")
    assert peer.read(target, 2) == 256
    with quietly():
        peer.exchange(target.imageTransferInitiate(peer.client, "MWB-2.0.0", len(image)))
        peer.exchange(target.imageBlockTransfer(peer.client, image, [0]))
    return target


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_an_image_is_transferred_verified_and_activated(start: Start, association: str) -> None:
    meter = start(association)
    if (meter.line, association) in TWO_FRAMES:
        with pytest.raises(PeerError, match="-1"), meter.associated() as peer:  # the peer's UNACCEPTABLE_FRAME
            send_image(peer, IMAGE)
        return
    with meter.associated() as peer:
        target = send_image(peer, IMAGE)
        peer.read(target, 3)
        assert target.imageTransferredBlocksStatus == "1" * 6
        assert peer.read(target, 4) == 6
        with quietly():
            peer.exchange(target.imageVerify(peer.client))
        assert peer.read(target, 6) == VERIFIED
        with quietly():
            peer.exchange(target.imageActivate(peer.client))
        assert peer.read(target, 6) == ACTIVE
        assert peer.read(GXDLMSData("1.0.0.2.0.255"), 2) == b"MWB-2.0.0"
    name = "0-0:44.0.0*255"
    assert [meter.truth.executions(18, name, method) for method in (1, 2, 3, 4)] == [1, 6, 1, 1]
    assert meter.by_us().get(1, "1-0:0.2.0*255", 2).value == b"MWB-2.0.0"


@pytest.mark.parametrize("association", ["in clear", "encrypted"])
def test_an_altered_image_is_not_activated(start: Start, association: str) -> None:
    meter = start(association)
    with meter.associated() as peer:
        target = send_image(peer, IMAGE[:-1] + b"?")
        for method in (target.imageVerify, target.imageActivate):
            with pytest.raises(PeerError), quietly():
                peer.exchange(method(peer.client))
            assert peer.read(target, 6) == VERIFICATION_FAILED
        assert peer.read(GXDLMSData("1.0.0.2.0.255"), 2) == b"MW3P-1.4.2"


# -- tariffs, billing, demand ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("association", ["in clear", "suite 0"])
def test_a_calendar_is_written_and_activated(start: Start, association: str) -> None:
    meter = start(association)
    with meter.associated() as peer:
        calendar = GXDLMSActivityCalendar("0.0.13.0.0.255")
        for attribute in range(2, 11):
            peer.read(calendar, attribute)
        calendar.calendarNamePassive = "ONE RATE"
        calendar.dayProfileTablePassive = calendar.dayProfileTablePassive[:1]
        for day in range(7):
            name = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[day]
            setattr(calendar.weekProfileTablePassive[0], name, calendar.dayProfileTablePassive[0].dayId)
        for attribute in (6, 7, 8, 9):
            peer.exchange(peer.client.write(calendar, attribute))
        peer.exchange(calendar.activatePassiveCalendar(peer.client))
        assert peer.read(calendar, 2) == "ONE RATE"
    ours = meter.by_us()
    for active, passive in ((2, 6), (3, 7), (4, 8), (5, 9)):
        assert ours.get(20, "0-0:13.0.0*255", active) == ours.get(20, "0-0:13.0.0*255", passive)
    assert len(ours.get(20, "0-0:13.0.0*255", 5)) == 1
    assert meter.truth.executions(20, "0-0:13.0.0*255", 1) == 1


@pytest.mark.parametrize("association", ["in clear", "suite 0"])
def test_demand_is_reset_and_billing_closes(start: Start, association: str) -> None:
    """By the script that does it, and by the methods of registers and profiles."""
    meter = start(association)
    with meter.associated() as peer:
        billing, maximum = GXDLMSProfileGeneric("0.0.98.1.0.255"), GXDLMSExtendedRegister("1.0.1.6.0.255")
        rows = peer.read(billing, 7)
        assert peer.read(maximum, 2) > 0
        scripts = GXDLMSScriptTable("0.0.10.0.1.255")
        peer.read(scripts, 2)
        peer.exchange(scripts.execute(peer.client, scripts.scripts[0]))
        assert peer.read(billing, 7) == rows + 1
        assert peer.read(maximum, 2) == 0
        demand = GXDLMSDemandRegister("1.0.1.4.0.255")
        assert peer.read(demand, 3) > 0
        peer.exchange(demand.reset(peer.client))
        assert peer.read(demand, 3) == 0
        profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
        assert peer.read(profile, 7) > 0
        peer.exchange(profile.reset(peer.client))
        assert peer.read(profile, 7) == 0
    done = [(9, "0-0:10.0.1*255", 1), (7, "0-0:98.1.0*255", 2), (5, "1-0:1.4.0*255", 1), (7, "1-0:99.1.0*255", 1)]
    assert [meter.truth.executions(*each) for each in done] == [1] * 4


# -- keys --------------------------------------------------------------------------------------------------------------

LONG_MASTER_KEY = "Key Encrypting Key"
"""What the peer says of a master key of 32 octets, which suite 2 has: it fails before it sends anything."""
NEW = {"guek": bytes(range(0xA0, 0xC0)), "gak": bytes(range(0xC0, 0xE0))}
KINDS = {"guek": GlobalKeyType.UNICAST_ENCRYPTION, "gak": GlobalKeyType.AUTHENTICATION}


def new_keys(meter: Meter, names: tuple[str, ...]) -> dict[str, bytes]:
    size = len(meter.announced["association"]["guek"]) // 2
    return {name: NEW[name][:size] for name in names}


def transfer(meter: Meter, peer: Peer, keys: dict[str, bytes], kek: bytes | None = None) -> None:
    kek = kek or bytes.fromhex(meter.announced["association"]["kek"])
    with quietly():
        request = GXDLMSSecuritySetup("0.0.43.0.0.255").globalKeyTransfer(
            peer.client, kek, [(KINDS[name], key) for name, key in keys.items()]
        )
        peer.exchange(request)


def refusal_of_old_keys(association: str, names: tuple[str, ...]) -> str:
    """The AARQ cannot be opened; but what is only encrypted can without the GAK, and then the proof is wrong."""
    if (association, names) == ("encrypted", ("gak",)):
        return f"^{DataAccessResult.READ_WRITE_DENIED}$"
    return "permanently rejected"


@pytest.mark.parametrize("names", [("guek",), ("gak",), ("guek", "gak")], ids=" and ".join)
@pytest.mark.parametrize("association", [each for each in CIPHERED if each != "suite 2"])
def test_transferred_keys_open_the_next_association_and_the_old_ones_do_not(
    start: Start, association: str, names: tuple[str, ...]
) -> None:
    meter = start(association)
    keys = new_keys(meter, names)
    peer = meter.peer()
    peer.open()
    transfer(meter, peer, keys)
    peer.drop()
    security = meter.meter.device.security
    assert {name: getattr(security, name) for name in names} == keys
    assert meter.truth.executions(64, "0-0:43.0.0*255", 2) == 1

    old = meter.peer(invocation_counter=5_000)
    with pytest.raises(Exception, match=refusal_of_old_keys(association, names)):
        old.open()
    old.drop()
    assert meter.truth.journal.associations_opened == 1

    new = meter.peer(invocation_counter=10_000, **{name: key.hex() for name, key in keys.items()})
    new.open()
    assert new.read(GXDLMSSecuritySetup("0.0.43.0.0.255"), 2) is not None
    assert meter.truth.journal.associations_opened == 2
    new.drop()


def test_the_peer_transfers_no_keys_of_suite_2(start: Start) -> None:
    meter = start("suite 2")
    with meter.associated() as peer, pytest.raises(ValueError, match=LONG_MASTER_KEY):
        transfer(meter, peer, new_keys(meter, ("guek",)))


@pytest.mark.parametrize("association", ["suite 0", "suite 1"])
def test_a_key_under_another_master_key_is_refused(start: Start, association: str) -> None:
    meter = start(association)
    before = meter.truth.as_json(keys=True)["keys"]
    with meter.associated() as peer:
        wrong = bytes(len(meter.announced["association"]["kek"]) // 2)
        with pytest.raises(PeerError):
            transfer(meter, peer, new_keys(meter, ("guek",)), kek=wrong)
        assert peer.read(GXDLMSSecuritySetup("0.0.43.0.0.255"), 2) is not None
    assert meter.truth.as_json(keys=True)["keys"] == before
    assert meter.truth.executions(64, "0-0:43.0.0*255", 2) == 0


# -- invocation counters -----------------------------------------------------------------------------------------------


def counters_of(meter: Meter) -> tuple[int, int]:
    told = meter.truth.as_json()["invocation_counters"]
    return told["next_of_meter"], told["least_of_clients"]


@pytest.mark.parametrize("association", CIPHERED)
def test_both_sides_counters_rise_with_each_message(start: Start, association: str) -> None:
    meter = start(association)
    with meter.associated(invocation_counter=500) as peer:
        mine, least = counters_of(meter)
        assert least > 500
        for step in range(1, 4):
            peer.read(GXDLMSClock(CLOCK), 3)
            assert counters_of(meter) == (mine + step, least + step)
        assert peer.client.ciphering.invocationCounter == least + 3


@pytest.mark.parametrize("association", ["suite 0", "suite 2"])
def test_a_counter_that_was_used_is_refused(start: Start, association: str) -> None:
    meter = start(association)
    with meter.associated(invocation_counter=500) as peer:
        peer.read(GXDLMSClock(CLOCK), 3)
        peer.client.ciphering.invocationCounter -= 1
        with pytest.raises(Exception, match=r"(?i)counter"):
            peer.read(GXDLMSClock(CLOCK), 3)
        peer.client.ciphering.invocationCounter = counters_of(meter)[1]
        assert int(peer.read(GXDLMSClock(CLOCK), 3)) == -60


# -- what a reader may not ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("association", ["in clear", "suite 0"])
def test_a_reader_commands_nothing(start: Start, association: str) -> None:
    meter = start(association, role="reader")
    before = meter.truth.as_json(keys=True)
    with meter.associated() as peer:
        clock = GXDLMSClock(CLOCK)
        clock.time = GXDateTime(datetime(2026, 12, 24, 18, 0, tzinfo=UTC))
        denied = str(int(DataAccessResult.READ_WRITE_DENIED))
        with pytest.raises(PeerError, match=denied):
            peer.exchange(peer.client.write(clock, 2))
        with pytest.raises(PeerError, match=denied):
            peer.exchange(GXDLMSDisconnectControl(SWITCH).remoteDisconnect(peer.client))
        if association != "in clear":
            with pytest.raises(PeerError, match=denied):
                transfer(meter, peer, new_keys(meter, ("guek",)))
    after = meter.truth.as_json(keys=True)
    for unchanged in ("clocks", "relays", "keys", "counts"):
        assert after[unchanged] == before[unchanged]
