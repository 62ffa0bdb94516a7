"""One worker a session, one talker a line, and nobody writes with an old epoch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from meters.models import Meter
from sessions.leases import Claim, LeaseLost, claim_session, fence, free_lines, renew, waiting_for
from sessions.models import DlmsSession, LineLease
from tests.meters.builders import make_meter
from tests.sessions.builders import claim, make_session, run_out
from tests.site import Site

State = DlmsSession.State


def hdlc_meter(serial: str = "1", **fields: object) -> Meter:
    return make_meter(
        meter={"serial_number": serial, "framing": "HDLC", "physical_address": 17, **fields}, line={"port": 4061}
    )


@pytest.mark.django_db
class TestClaim:
    def test_takes_a_queued_session_once(self) -> None:
        dlms_session = make_session()
        first = claim(dlms_session)
        assert (first.epoch, first.last_seq) == (1, 0)
        assert claim_session(dlms_session.pk) is None
        dlms_session.refresh_from_db()
        assert dlms_session.state == State.OPENING
        assert dlms_session.lease_until is not None
        assert dlms_session.started is not None

    @pytest.mark.parametrize("state", [state for state in State if state != State.QUEUED])
    def test_takes_no_session_in_another_state(self, state: str) -> None:
        dlms_session = make_session()
        DlmsSession.objects.filter(pk=dlms_session.pk).update(state=state)
        assert claim_session(dlms_session.pk) is None

    def test_takes_none_that_is_cancelled_or_gone(self) -> None:
        dlms_session = make_session()
        DlmsSession.objects.filter(pk=dlms_session.pk).update(cancel_requested=True)
        assert claim_session(dlms_session.pk) is None
        assert claim_session(dlms_session.pk + 1) is None


@pytest.mark.django_db
class TestLine:
    def test_a_second_session_on_an_hdlc_line_waits_and_says_for_whom(self) -> None:
        first, second = make_session(hdlc_meter()), make_session(hdlc_meter("2", physical_address=18))
        claim(first)
        assert claim_session(second.pk) is None
        second.refresh_from_db()
        assert second.state == State.QUEUED
        assert second.lease_until is None
        assert second.epoch == 0
        assert f"session {first.pk}" in second.waiting_reason
        assert waiting_for(second.line_address) == [second.pk]

    def test_a_line_that_is_free_again_is_taken(self) -> None:
        meter = hdlc_meter()
        first, second = make_session(meter), make_session(meter)
        claim(first)
        assert claim_session(second.pk) is None
        free_lines(first.pk)
        claim(second)
        second.refresh_from_db()
        assert second.waiting_reason == ""

    def test_a_holder_that_died_does_not_block_the_line(self) -> None:
        meter = hdlc_meter()
        first, second = make_session(meter), make_session(meter)
        claim(first)
        run_out(first)
        claim(second)
        assert LineLease.objects.get().session == second

    def test_two_serial_settings_are_one_line(self, settings) -> None:
        settings.SERIAL_PORTS = {"bridge": "/dev/ttyUSB0"}
        line = {"kind": "SERIAL", "serial_port": "bridge", "host": "", "port": None}
        slow = make_meter(meter={"serial_number": "1"}, line={**line, "baud": 300})
        fast = make_meter(meter={"serial_number": "2"}, line={**line, "baud": 9600})
        claim(make_session(slow))
        assert claim_session(make_session(fast).pk) is None

    def test_many_talk_on_a_wrapper_endpoint(self) -> None:
        meter = make_meter()
        claims = [claim(make_session(meter)) for _ in range(3)]
        assert {claimed.line_address for claimed in claims} == {""}


@pytest.mark.django_db
class TestFence:
    def test_lets_the_holder_write(self) -> None:
        dlms_session = make_session()
        claimed = claim(dlms_session)
        with transaction.atomic():
            fence(claimed, waiting_reason="x")
        dlms_session.refresh_from_db()
        assert dlms_session.waiting_reason == "x"

    @pytest.mark.parametrize("change", [{"epoch": 2}, {"state": "LOST"}, {"state": "DONE"}, {"state": "QUEUED"}])
    def test_stops_whoever_lost_it(self, change: dict) -> None:
        dlms_session = make_session()
        claimed = claim(dlms_session)
        DlmsSession.objects.filter(pk=dlms_session.pk).update(**change)
        with pytest.raises(LeaseLost), transaction.atomic():
            fence(claimed)
        with pytest.raises(LeaseLost):
            renew(claimed)

    def test_renewing_goes_on_and_on(self) -> None:
        dlms_session = make_session(hdlc_meter())
        claimed = claim(dlms_session)
        run_out(dlms_session)
        renew(claimed)
        dlms_session.refresh_from_db()
        lease = LineLease.objects.get()
        assert dlms_session.lease_until > dlms_session.started
        assert lease.lease_until > dlms_session.started

    def test_a_line_that_somebody_else_took_ends_the_lease(self) -> None:
        meter = hdlc_meter()
        first, second = make_session(meter), make_session(meter)
        claimed = claim(first)
        run_out(first)
        claim(second)
        with pytest.raises(LeaseLost):
            renew(claimed)


@pytest.mark.django_db(transaction=True)
def test_a_fence_needs_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        fence(Claim(1, 1))


CLAIM = """
from sessions.leases import claim_session
print(sum(claim_session(session_id) is not None for session_id in range(1, 21)))
"""
MAKE = """
from tests.sessions.builders import make_session
from sessions.models import DlmsSession
for number in range(20):
    make_session()
print(*DlmsSession.objects.order_by("pk").values_list("pk", flat=True))
"""


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_claim_every_session_once(tmp_path) -> None:
    with Site(tmp_path) as site:
        ids = site.shell(MAKE).split()
        code = CLAIM.replace("range(1, 21)", f"[{', '.join(ids)}]")
        with ThreadPoolExecutor(4) as pool:
            claimed = [int(output) for output in pool.map(lambda _: site.shell(code), range(4))]
    assert len(ids) == 20
    assert sum(claimed) == 20
