"""A second foreign client's services against our simulator: lists, ACCESS, blocks of both kinds, profiles, commands, an image.

The meter's own account of what it holds and did judges, as with the first client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest

pytest.importorskip("pydlms")

from pydlms import AccessAction, AccessGet, AccessSet, DlmsClient, DlmsData, DlmsError, encode_data, transfer_image
from pydlms.apdu.xdlms import entry_descriptor, range_descriptor

from meters.cosem.data import date_time
from sessions.dlms.axdr import encode_data as our_octets
from sessions.dlms.conformance import Conformance
from sessions.dlms.selective_access import RangeDescriptor
from sessions.reading import STANDARD_CLOCK
from sessions.simulator.images import with_digest
from sessions.simulator.lab import HdlcOptions, LabLine, LabMeter, make_meter
from sessions.simulator.truth import Truth
from tests.interop.pydlms_peer import client_of
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, GUEK, LLS, HandClock, lab_of, listening

pytestmark = pytest.mark.interop

LONG_KEY = GUEK * 2
ASSOCIATIONS: dict[str, dict[str, Any]] = {
    "in clear": LLS,
    "suite 0": GMAC,
    "suite 2": {**GMAC, "security_suite": 2, "guek": LONG_KEY, "gak": LONG_KEY[::-1]},
    "short names": LLS,
}
BY_NAMES = [name for name in ASSOCIATIONS if name != "short names"]
LINES = {
    "wrapper": None,
    "HDLC": HdlcOptions(),
    "HDLC, small frames": HdlcOptions(32),
    "HDLC, window 5": HdlcOptions(64, window=5),
}
NAME, SWITCH, PROFILE, IMAGE = "0.0.96.1.10.255", "0.0.96.3.10.255", "1.0.99.1.0.255", "0.0.44.0.0.255"
LONG = bytes(range(256)) * 8
NOTHING = Conformance(0)


class Meter(NamedTuple):
    line: str
    meter: LabMeter
    told: dict[str, Any]
    truth: Truth

    @contextmanager
    def peer(self, *, invocation_counter: int = 1, **settings: Any) -> Iterator[DlmsClient]:
        options = LINES[self.line]
        hdlc = None
        if options is not None:
            sizes = dict.fromkeys(("max_info_tx", "max_info_rx"), options.max_info)
            hdlc = sizes | dict.fromkeys(("window_tx", "window_rx"), options.window)
        with client_of(self.told, invocation_counter=invocation_counter, hdlc=hdlc, **settings) as peer:
            yield peer

    def by_us(self) -> Pair:
        pair = Pair(self.meter, counters=range(1_000_000, 2_000_000))
        pair.open()
        return pair


@pytest.fixture(params=LINES)
def start(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Any]:
    running: list[Any] = []

    def begin(association: str, *, without: Conformance = NOTHING, **table: Any) -> Meter:
        options = LINES[request.param]
        if options is not None:
            table["physical_address"] = 17
        if association == "suite 2":
            table["key_pairs"] = {"seed": "demo"}
        if association == "short names":
            table["type"] = "short_names"
        entry = {"serial_number": "10000001", "association": ASSOCIATIONS[association], **table}
        meter = make_meter(entry, HandClock(), options)
        meter.device.conformance &= ~without
        context = listening(lab_of(LabLine(kind="hdlc" if options else "wrapper", meters=(meter,))), tmp_path)
        running.append(context)
        return Meter(request.param, meter, context.__enter__()[0], Truth(meter))

    yield begin
    for context in running:
        context.__exit__(None, None, None)


# -- long values -------------------------------------------------------------------------------------------------------

FORMS = {"own blocks": Conformance.GENERAL_BLOCK_TRANSFER, "general blocks": NOTHING}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("association", BY_NAMES)
def test_a_long_value_both_ways(start: Any, association: str, form: str) -> None:
    meter = start(association, max_pdu_size=150, without=FORMS[form])
    general = {"propose_gbt": True, "gbt_window": 3} if form == "general blocks" else {}
    with meter.peer(max_receive_pdu_size=200, **general) as peer:
        peer.set(NAME, 1, 2, DlmsData.octet_string(LONG))
        assert peer.get(NAME, 1, 2).value == LONG
    assert meter.by_us().get(1, "0-0:96.1.10*255", 2).value == LONG


# -- much at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_lists(start: Any, association: str) -> None:
    meter = start(association)
    energy = "1.1.1.8.0.255" if association == "short names" else "1.0.1.8.0.255"
    with meter.peer() as peer:
        value, scaler, missing = peer.get_many([(energy, 3, 2), (energy, 3, 3), ("1.0.99.99.99.255", 3, 2)])
    assert value.value > 1_000_000
    assert [each.value for each in scaler.value] == [0, 30]
    assert not isinstance(missing, DlmsData)


@pytest.mark.parametrize("association", BY_NAMES)
def test_reads_writes_and_methods_in_one_access(start: Any, association: str) -> None:
    meter = start(association)
    operations = [
        AccessGet("1.0.1.8.0.255", 3, 2),
        AccessSet(NAME, 1, 2, DlmsData.octet_string(b"by ACCESS")),
        AccessGet(NAME, 1, 2),
        AccessAction(SWITCH, 70, 1, DlmsData.int8(0)),
        AccessGet(SWITCH, 70, 2),
        AccessGet(NAME, 1, 9),
    ]
    with meter.peer(propose_access=True) as peer:
        energy, written, name, switched, output, missing = peer.access(operations)
    assert energy.data.value > 1_000_000
    assert [int(each.result) for each in (energy, written, name, switched, output)] == [0] * 5
    assert name.data.value == b"by ACCESS"
    assert output.data.value is False
    assert int(missing.result) != 0
    assert meter.truth.executions(70, "0-0:96.3.10*255", 1) == 1


# -- profiles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("association", BY_NAMES)
def test_a_profile_by_entries_and_by_range(start: Any, association: str) -> None:
    meter = start(association, max_pdu_size=400)
    first, last = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
    bounds = [DlmsData.octet_string(date_time(each).value) for each in (first, last)]
    with meter.peer() as peer:
        by_entry = peer.get(PROFILE, 7, 2, entry_descriptor(1, 20))
        by_range = peer.get(PROFILE, 7, 2, range_descriptor(*bounds))
        buffer = peer.read_profile(PROFILE, entry_descriptor(1, 20), typed=True, scalers=True)
    assert (len(by_entry.value), len(by_range.value), len(buffer.rows)) == (20, 97, 20)
    assert buffer.rows[0][0].to_datetime() < buffer.rows[1][0].to_datetime()
    ours = RangeDescriptor(STANDARD_CLOCK, date_time(first), date_time(last)).to_selective_access()
    assert our_octets(meter.by_us().get(7, "1-0:99.1.0*255", 2, ours)) == encode_data(by_range)


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_the_clock_is_set_whatever_the_zone(start: Any, association: str) -> None:
    meter = start(association)
    with meter.peer() as peer:
        for hours in (0, 2, -5, 5.5):
            moment = datetime(2026, 12, 24, 18, 0, tzinfo=timezone(timedelta(hours=hours)))
            peer.set_clock(moment)
            (told,) = meter.truth.as_json()["clocks"]
            assert datetime.fromisoformat(told["time"]) == moment
            assert peer.get_clock().to_datetime() == moment


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_the_switch(start: Any, association: str) -> None:
    meter = start(association)
    with meter.peer() as peer:
        for method, connected in ((1, False), (2, True)):
            peer.action(SWITCH, 70, method, DlmsData.int8(0))
            (told,) = meter.truth.as_json()["relays"]
            assert told["output_state"] is peer.get(SWITCH, 70, 2).value is connected
    assert [meter.truth.executions(70, "0-0:96.3.10*255", each) for each in (1, 2)] == [1, 1]


@pytest.mark.parametrize("association", BY_NAMES)
def test_an_image(start: Any, association: str) -> None:
    meter = start(association)
    image = with_digest(bytes(range(256)) * 5 + b"the last block is shorter")
    with meter.peer() as peer:
        transfer_image(peer, image, b"MWB-3.0.0", activate=True, poll=0.01)
        assert peer.get("1.0.0.2.0.255", 1, 2).value == b"MWB-3.0.0"
        with pytest.raises(DlmsError):
            transfer_image(peer, image[:-1] + b"?", b"MWB-4.0.0", activate=True, poll=0.01)
        assert peer.get("1.0.0.2.0.255", 1, 2).value == b"MWB-3.0.0"
    assert meter.truth.executions(18, "0-0:44.0.0*255", 4) == 1
