"""Recorded meters answer as they were recorded, to our own client."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from meters.cosem.data import native, octet_string, unsigned
from sessions.dlms.acse import Aare, ResultSourceDiagnostic
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import AssociationRejectedError, AuthenticationFailedError, LinkRefusedError
from sessions.dlms.initiate import InitiateResponse
from sessions.dlms.selective_access import SelectiveAccess
from sessions.simulator.device import SERVED_CONFORMANCE
from sessions.simulator.lab import Lab, LabError, LabMeter
from sessions.simulator.replay import FAR, RecordedMeter, distance, replay_lab
from sessions.simulator.trace import TraceKeys
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.recorded import (
    AARE,
    AARQ,
    ASSOCIATION,
    SERVICES,
    answered,
    asked,
    between,
    entries,
    rows,
    trace_item,
)

CLOCK = (8, "0-0:1.0.0*255", 2)
BUFFER = (7, "1-0:99.1.0*255", 2)


@pytest.fixture
def replay(tmp_path) -> Any:
    """The meter of a trace of these frames."""

    def make(frames: list[tuple[str, bytes]], **more: Any) -> LabMeter:
        path = tmp_path / "traces.json"
        path.write_text(json.dumps([trace_item(frames, **more)]))
        return meter_of(replay_lab(path, "recorded", port=0))

    return make


def meter_of(lab: Lab) -> LabMeter:
    (line,) = lab.lines
    (meter,) = line.meters
    return meter


@pytest.fixture
def pair(replay) -> Pair:
    made = Pair(replay(ASSOCIATION + SERVICES))
    made.open()
    return made


# -- the association ---------------------------------------------------------------------------------------------------


def test_the_recorded_secret_is_announced_and_demanded(replay):
    meter = replay(ASSOCIATION)
    assert meter.association["authentication"] == "lls"
    assert meter.association["secret"] == "text:111111"
    assert (meter.association["client_sap"], meter.association["server_sap"]) == (32, 1)
    with pytest.raises(AuthenticationFailedError):
        Pair(meter, secret="text:222222").open()
    with pytest.raises(AssociationRejectedError):
        Pair(meter, client_sap=16).open()


def test_the_recorded_aare_is_given(replay):
    negotiated = Pair(replay(ASSOCIATION)).open()
    assert negotiated.server_max_receive_pdu_size == 100
    assert negotiated.conformance.names == (
        "block-transfer-with-get-or-read",
        "get",
        "set",
        "selective-access",
        "action",
    )


@pytest.mark.parametrize("changes", [{}, {"authentication": "lls", "secret": "text:anything"}])
def test_a_trace_that_begins_later_lets_its_client_in(replay, changes):
    meter = replay(SERVICES)
    assert meter.association["authentication"] == "none"
    pair = Pair(meter, **changes)
    pair.open()
    assert pair.get(*CLOCK) == octet_string(b"first answer")


def test_a_secret_that_is_no_text(replay):
    frames = [asked(replace(AARQ, calling_authentication_value=b"\x00\xff")), answered(AARE)]
    meter = replay(frames)
    assert meter.association["secret"] == "hex:00ff"
    Pair(meter).open()


def test_the_public_association_is_announced_without_a_secret(replay):
    public = replace(AARQ, mechanism_name=None, sender_acse_requirements=None, calling_authentication_value=None)
    meter = replay([asked(public), answered(AARE)])
    assert meter.association["authentication"] == "none"
    assert "secret" not in meter.association
    Pair(meter).open()


# -- services ----------------------------------------------------------------------------------------------------------


def test_answers_come_in_turn_and_then_the_last(pair):
    assert [pair.get(*CLOCK).value for _ in range(3)] == [b"first answer", b"then another", b"then another"]


def test_a_new_association_begins_again(replay):
    meter = replay(ASSOCIATION + SERVICES)
    for _ in range(2):
        pair = Pair(meter)
        pair.open()
        assert pair.get(*CLOCK).value == b"first answer"


def test_a_profile_comes_as_it_was_recorded(pair):
    assert pair.get(*BUFFER, between(1, 4)) == rows(1, 2, 3, 4)
    assert set(pair.blocks[:-1]) == {17}
    assert pair.get(*BUFFER, between(20, 21)) == rows(20, 21)
    assert pair.blocks == []
    assert pair.get(*BUFFER, entries(5, 5)) == rows(5)


def test_the_blocks_bow_to_the_clients_size(replay):
    pair = Pair(replay(ASSOCIATION + SERVICES), max_pdu_size=20)
    pair.open()
    assert pair.get(*BUFFER, between(1, 4)) == rows(1, 2, 3, 4)
    assert max(pair.blocks) < 17


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (between(2, 3), rows(1, 2, 3, 4)),
        (between(15, 30), rows(20, 21)),
        (between(1, 4, deviation=-60), rows(1, 2, 3, 4)),
        (entries(1, 500), rows(5)),
        (None, rows(1, 2, 3, 4)),
    ],
)
def test_another_selection_gets_the_nearest_answer(pair, wanted, given):
    assert pair.get(*BUFFER, wanted) == given


def test_what_the_trace_does_not_know(pair):
    assert pair.get(7, "1-0:99.1.0*255", 3) is DataAccessResult.OBJECT_UNDEFINED
    assert pair.get(1, "0-0:96.1.0*255", 2) is DataAccessResult.READ_WRITE_DENIED  # as recorded
    assert pair.set(8, "0-0:1.0.0*255", 3, unsigned(1)) is DataAccessResult.READ_WRITE_DENIED
    assert pair.action(8, "0-0:1.0.0*255", 1)[0] is ActionResult.READ_WRITE_DENIED


def test_writes_and_methods_are_answered_as_recorded(pair):
    assert pair.set(*CLOCK, unsigned(1)) is DataAccessResult.SUCCESS
    assert pair.set(1, "0-0:96.1.0*255", 2, unsigned(1)) is DataAccessResult.TYPE_UNMATCHED
    assert pair.action(7, "1-0:99.1.0*255", 1) == (ActionResult.SUCCESS, unsigned(1))
    assert pair.action(7, "1-0:99.1.0*255", 2)[0] is ActionResult.TEMPORARY_FAILURE


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (None, None, 0),
        (between(1, 2), between(1, 2), 0),
        (between(1, 2), between(1, 2, deviation=-60), 1),
        (between(1, 2), between(1, 3), 86_401),
        (entries(1, 48), entries(2, 50), 4),
        (None, entries(1, 1), FAR),
        (between(1, 2), entries(1, 2), FAR),
        (SelectiveAccess(1, unsigned(1)), between(1, 2), FAR),
        (SelectiveAccess(3, unsigned(1)), SelectiveAccess(3, unsigned(2)), FAR),
    ],
)
def test_the_distance_of_selections(one, other, apart):
    assert distance(one, other) == distance(other, one) == apart


@pytest.mark.parametrize(("frames", "reason"), [([answered(AARE)], None), ([("rx", b"\x00\x01")], "no frame")])
def test_traces_that_cannot_be_used(replay, frames, reason):
    if reason is None:
        assert replay(frames).association["authentication"] == "none"
    else:
        with pytest.raises(LabError, match=reason):
            replay(frames)


def test_a_rejected_association_is_rejected_again(replay):
    rejected = Aare(result=1, result_source_diagnostic=ResultSourceDiagnostic(diagnostic=1))
    with pytest.raises(AssociationRejectedError):
        Pair(replay([asked(AARQ), answered(rejected)])).open()


# -- the published traces ----------------------------------------------------------------------------------------------


@pytest.fixture
def published(captures) -> Any:
    """The meter of a published trace, and the trace itself."""
    path = captures / "sessions.json"
    items = {each["id"]: each for each in json.loads(path.read_text("utf-8"))}
    return lambda identifier: (meter_of(replay_lab(path, identifier, port=0)), items[identifier])


def test_the_recorded_clock(published):
    meter, item = published("ce318-read-time")
    assert meter.association["secret"] == "text:111111"
    pair = Pair(meter)
    negotiated = pair.open()
    assert negotiated.server_max_receive_pdu_size == item["expect"]["max_pdu"]
    clock = pair.get(*CLOCK)
    assert clock.value.hex() == "07e6080f0115080d0000b400"
    pair.release()


def selections(item: dict[str, Any]) -> list[Any]:
    """The recorded requests for the buffer."""
    from sessions.dlms.apdu import decode_apdu
    from sessions.dlms.apdu.get import GetRequestNormal

    apdus = [decode_apdu(bytes.fromhex(frame["apdu"])) for frame in item["frames"] if frame["dir"] == "tx"]
    return [
        apdu.access_selection
        for apdu in apdus
        if isinstance(apdu, GetRequestNormal) and apdu.access_selection is not None
    ]


@pytest.mark.parametrize("identifier", ["ce318-profile-1", "ce318-profile-2", "ce318-profile-3"])
def test_the_recorded_profile(published, identifier):
    meter, item = published(identifier)
    pair = Pair(meter)
    pair.open()
    (selection,) = selections(item)
    buffer = pair.get(*BUFFER, selection)
    assert encode_data(buffer) == assembled(item)
    assert len(pair.blocks) > 10
    if item.get("expect"):
        published_rows = item["expect"]["published_rows"]
        assert len(buffer) == len(published_rows)
        raw = [[cell / 10 for cell in native(row)[1:]] for row in buffer]
        assert raw == [row[1:] for row in published_rows]
    # Another selection of the same kind gets the same rows.
    other = entries(3, 9) if selection.access_selector == 2 else between(1, 2)
    assert pair.get(*BUFFER, other) == buffer


def assembled(item: dict[str, Any]) -> bytes:
    """The raw data of all recorded blocks."""
    from sessions.dlms.apdu import decode_apdu
    from sessions.dlms.apdu.get import GetResponseWithDatablock

    apdus = [decode_apdu(bytes.fromhex(frame["apdu"])) for frame in item["frames"] if frame["dir"] == "rx"]
    return b"".join(apdu.result for apdu in apdus if isinstance(apdu, GetResponseWithDatablock))


@pytest.mark.parametrize(
    ("identifier", "reads"),
    [
        ("kfm-hls-gmac", {CLOCK: "090c07ea04040604042b00fe9801"}),
        ("risesun", {(3, "1-1:1.8.0*255", 3): "02020f01161e", (3, "1-1:96.80.0*255", 2): "050001043b"}),
        ("circutor-public", {(1, "1-0:0.2.0*255", 2): "09055630343131", (1, "1-0:0.2.1*255", 2): None}),
        ("india-public", {(1, "0-0:43.1.3*255", 2): "06000006b3"}),
    ],
)
def test_other_published_meters(published, identifier, reads):
    meter, _ = published(identifier)
    pair = Pair(meter)
    pair.open()
    for reference, expected in reads.items():
        value = pair.get(*reference)
        if expected is None:
            assert value is DataAccessResult.OBJECT_UNDEFINED
        else:
            assert encode_data(value).hex() == expected
    pair.release()


def test_the_public_client_of_a_ciphered_trace_reads_the_counter(published):
    meter, item = published("kfm-hls-gmac")
    for _ in range(2):  # and again: the recorded counter never moves
        public = Pair(meter, client_sap=16, authentication="none", protection="none")
        public.open()
        counter = public.get(1, "0-0:43.1.0*255", 2).value
        assert counter == item["expect"]["counter"]
        pair = Pair(meter, counters=range(counter + 1, counter + 100))
        pair.open()
        assert pair.set(*CLOCK, octet_string(bytes(12))) is DataAccessResult.SUCCESS


def test_a_meter_read_by_entry_one_row_at_a_time(published):
    meter, _ = published("zmg405-range")
    pair = Pair(meter)
    pair.open()
    for entry, clock in ((125, "07e10b1c020e0000ff800001"), (124, "07e10b1c020d1e00ff800001")):
        (row,) = pair.get(*BUFFER, entries(entry, entry))
        assert row[0].value.hex() == clock


def test_a_meter_that_answers_by_frmr(published):
    meter, _ = published("taiwan-frmr")
    with pytest.raises(LinkRefusedError, match="FRMR"):
        Pair(meter).open()


@pytest.mark.parametrize("identifier", ["ziv-hls5", "hpl-lls", "genus-hls2"])
def test_without_published_keys_the_recorded_aare_is_all_there_is(published, identifier):
    meter, item = published(identifier)
    requests = {frame["dir"]: bytes.fromhex(frame["apdu"]) for frame in reversed(item["frames"]) if "apdu" in frame}
    assert meter.device.recorded_answer(requests["tx"]) == requests["rx"]
    assert AuthenticationMechanism.NONE not in (meter.association["authentication"],)
    assert "guek" not in meter.association


def test_octets_that_are_no_dlms_are_answered_as_recorded(published):
    meter, _ = published("nartis-proprietary")
    assert meter.device.recorded_answer(bytes.fromhex("ff010a2008cd2c398600211002")) == b"\xff\xfd"


def test_only_services_that_are_served_are_agreed_to_whatever_the_meter_agreed_to():
    initiate = InitiateResponse(negotiated_conformance=Conformance.GET | Conformance.DELTA_VALUE_ENCODING)
    association = SimpleNamespace(initiate=initiate, aare=None)
    recording = SimpleNamespace(associations={1: association}, server_counter=0)
    made = RecordedMeter(recording, TraceKeys(), 1)  # type: ignore[arg-type]
    assert made.conformance == Conformance.GET
    assert made.take_notifications() == []
    nothing = SimpleNamespace(associations={}, server_counter=0)
    assert RecordedMeter(nothing, TraceKeys(), 1).conformance == SERVED_CONFORMANCE  # type: ignore[arg-type]
