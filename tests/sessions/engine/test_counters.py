"""Invocation counters of a session: no number twice, whatever happens."""

from __future__ import annotations

import pytest

from meters.cosem.data import double_long_unsigned, octet_string
from meters.models import InvocationCounter
from sessions.dlms.acse import AARQ_TAG, RLRQ_TAG, Aarq
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.errors import ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNormal, GetRequestWithList
from sessions.dlms.apdu.tags import ApduTag
from sessions.engine import counters as module
from sessions.engine import run as run_module
from sessions.engine import run_session
from sessions.models import DlmsSession
from sessions.recorder import in_database
from sessions.services import dissect_frame
from tests.sessions.builders import make_user
from tests.sessions.dlms.scripted import GUEK, ScriptedMeter
from tests.sessions.engine.bench import (
    CIPHERED,
    COUNTER,
    GMAC,
    PUBLIC,
    READ_REGISTER,
    Bench,
    attribute,
    fill,
    frames_of,
    fresh,
    on_bench,
    steps_of,
)

pytestmark = pytest.mark.django_db

State = DlmsSession.State


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(run_module, "LOOK_INTERVAL", 0.02)


def two_faced(bench: Bench, counter) -> None:
    """The public client reads the counter object in clear; the other one is served as agreed."""
    private, public = ScriptedMeter(GMAC), ScriptedMeter(PUBLIC)
    fill(private)
    public.objects[attribute(1, COUNTER, 2)] = counter

    class Both(ScriptedMeter):
        def __call__(self, octets: bytes) -> list[bytes]:
            if octets[0] == 0x60:
                self.turn = private if b"\x85\x74\x05\x08\x02\x05" in octets else public
            return self.turn(octets)

    bench.meter.meter = Both(GMAC)
    bench.private, bench.public = private, public


class TestInvocationCounters:
    def test_are_learned_once_and_reserved_before_use(self) -> None:
        async def test(bench: Bench) -> None:
            two_faced(bench, double_long_unsigned(500))
            done = await bench.run(READ_REGISTER, **CIPHERED)
            assert (done.state, done.error) == (State.DONE, None)
            used = [counter for _, counter in bench.private.client_counters]
            assert min(used) == 501
            assert len(set(used)) == len(used)
            row = await InvocationCounter.objects.aget()
            assert row.next_value == 501 + module.COUNTER_BLOCK
            assert bench.meter.connections == 2

        on_bench(GMAC, test)

    def test_go_on_in_the_next_session_without_asking_again(self) -> None:
        async def test(bench: Bench) -> None:
            two_faced(bench, double_long_unsigned(500))
            first = await bench.run(READ_REGISTER, **CIPHERED)
            again = await bench.open(READ_REGISTER, meter_id=first.meter_id, **CIPHERED)
            await run_session(again.pk)
            assert (await fresh(again)).state == State.DONE
            used = [counter for _, counter in bench.private.client_counters]
            assert len(set(used)) == len(used)
            assert bench.meter.connections == 3

        on_bench(GMAC, test)

    def test_are_topped_up_while_they_are_used(self, monkeypatch) -> None:
        monkeypatch.setattr(module, "COUNTER_BLOCK", 6)
        monkeypatch.setattr(module, "COUNTERS_LOW", 3)

        async def test(bench: Bench) -> None:
            two_faced(bench, double_long_unsigned(0))
            done = await bench.run(*[READ_REGISTER] * 8, **CIPHERED)
            assert (done.state, done.error) == (State.DONE, None)
            used = [counter for _, counter in bench.private.client_counters]
            assert len(used) > 16
            assert len(set(used)) == len(used)
            assert max(used) < (await InvocationCounter.objects.aget()).next_value

        on_bench(GMAC, test)

    @pytest.mark.parametrize(
        "answer", [DataAccessResult.OBJECT_UNDEFINED, octet_string(b"\x01"), double_long_unsigned(0xFFFFFFFF)]
    )
    def test_that_cannot_be_learned_end_the_session_with_a_way_out(self, answer) -> None:
        async def test(bench: Bench) -> None:
            two_faced(bench, answer)
            done = await bench.run(READ_REGISTER, **CIPHERED)
            assert done.state == State.FAILED
            assert done.error["layer"] == "security"
            assert done.error["hint"]
            assert bench.private.requests == []

        on_bench(GMAC, test)

    def test_are_doubted_when_the_association_fails_and_learned_anew(self) -> None:
        async def test(bench: Bench) -> None:
            two_faced(bench, double_long_unsigned(500))
            bench.private.script[Aarq] = lambda aarq: None  # a meter that saw a higher counter stays silent
            first = await bench.run(READ_REGISTER, **CIPHERED)
            assert first.state == State.FAILED
            assert "invocation counter" in first.error["hint"]
            assert (await InvocationCounter.objects.aget()).doubtful
            del bench.private.script[Aarq]
            bench.public.objects[attribute(1, COUNTER, 2)] = double_long_unsigned(9000)
            again = await bench.open(READ_REGISTER, meter_id=first.meter_id, **CIPHERED)
            await run_session(again.pk)
            assert (await fresh(again)).state == State.DONE
            assert max(counter for _, counter in bench.private.client_counters) > 9000
            assert not (await InvocationCounter.objects.aget()).doubtful

        on_bench(GMAC, test)

    @pytest.mark.parametrize("how", ["silence", "refusal", "hang-up"])
    def test_of_a_pre_established_association_are_doubted_when_its_first_request_comes_to_nothing(self, how) -> None:
        """No AARE says before that the meter understands us."""
        public = ScriptedMeter(PUBLIC)
        public.objects[attribute(1, COUNTER, 2)] = double_long_unsigned(500)
        answers = {"silence": [], "refusal": [ExceptionResponse(1, 6, invocation_counter=900).encode()]}
        ciphered = CIPHERED["association"] | {"pre_established": True, "authentication": "none", "timeout": 0.3}

        async def test(bench: Bench) -> None:
            class Both(ScriptedMeter):
                def __call__(self, octets: bytes) -> list[bytes]:
                    if octets[0] in (AARQ_TAG, RLRQ_TAG, ApduTag.GET_REQUEST):
                        return public(octets)
                    if how == "hang-up":
                        raise ConnectionError
                    return answers[how]

            bench.meter.meter = Both(PUBLIC)
            meter = {"server_system_title": "4d57424d57422d32"}
            done = await bench.run(READ_REGISTER, association=ciphered, secrets=CIPHERED["secrets"], meter=meter)
            (step,) = await steps_of(done)
            row = await InvocationCounter.objects.aget()
            assert (step.state, row.doubtful) == ("FAILED", True)
            assert module.ASKED_AGAIN in step.error["hint"]

        on_bench(PUBLIC, test)

    @pytest.mark.parametrize(("service_error", "doubtful"), [(6, True), (2, False)])
    def test_are_doubted_in_an_association_that_stands_only_when_the_meter_says_so(
        self, service_error, doubtful
    ) -> None:
        async def test(bench: Bench) -> None:
            two_faced(bench, double_long_unsigned(500))
            counter = {"invocation_counter": 900} if service_error == 6 else {}
            answer = ExceptionResponse(1, service_error, **counter)
            bench.private.script[GetRequestNormal] = bench.private.script[GetRequestWithList] = lambda apdu: answer
            await bench.run(READ_REGISTER, **CIPHERED)
            assert (await InvocationCounter.objects.aget()).doubtful is doubtful

        on_bench(GMAC, test)

    def test_frames_are_opened_later_with_the_keys_of_then(self) -> None:
        async def test(bench: Bench) -> None:
            two_faced(bench, double_long_unsigned(1))
            done = await bench.run(READ_REGISTER, **CIPHERED)
            frames = await frames_of(done)
            get = next(frame for frame in frames if "GET request 3/1-0:1.8.0*255" in frame.summary)
            found = await in_database(dissect_frame, session_id=done.pk, seq=get.seq, user=await in_database(make_user))
            assert found["plaintext"]
            assert GUEK.hex() not in str(found)

        on_bench(GMAC, test)
