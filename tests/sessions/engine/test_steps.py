"""One step: its answer in words, and what is known when there is none."""

from __future__ import annotations

import base64
import json

import pytest
from django.apps import apps

from meters.cosem.data import Data, DataType, double_long_unsigned, octet_string, structure
from meters.cosem.obis import ObisCode
from meters.services import learn_invocation_counter
from meters.vault import fingerprint
from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.errors import ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNormal
from sessions.dlms.apdu.set import SetRequestNormal, SetResponseNormal
from sessions.engine import run as module
from sessions.engine import steps as steps_module
from sessions.engine.steps import REFUSAL_HINTS, refusal
from sessions.live import frame_json, state_message
from sessions.models import DlmsSession, Frame, Step
from sessions.recorder import in_database
from tests.sessions.dlms.scripted import GUEK
from tests.sessions.engine.bench import (
    CIPHERED,
    GMAC,
    PUBLIC,
    READ_REGISTER,
    REGISTER,
    RESET,
    RESET_REGISTER,
    WRITE_REGISTER,
    Bench,
    attribute,
    fill,
    frames_of,
    on_bench,
    steps_of,
)

pytestmark = pytest.mark.django_db

VALUE = attribute(3, REGISTER, 2)


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


def outcome_of(step: dict, prepare=lambda bench: None, agreed=PUBLIC, **changes) -> tuple[DlmsSession, Step]:
    """The session and its step at their ends."""
    ended: list = []

    async def test(bench: Bench) -> None:
        fill(bench.meter.meter)
        bench.meter.meter.methods[RESET] = (ActionResult.SUCCESS, None)
        prepare(bench)
        done = await bench.run(step, **{**changes, "association": {**changes.get("association", {}), "timeout": 0.3}})
        ended.extend([done, (await steps_of(done))[0], await frames_of(done)])

    on_bench(agreed, test)
    return ended[0], ended[1]


class TestRead:
    def test_a_register_comes_scaled_with_its_unit(self) -> None:
        _, step = outcome_of(READ_REGISTER)
        assert step.result == {
            "type": "double-long-unsigned",
            "value": 1234.5,
            "raw": 12345,
            "text": "1234.5 Wh",
            "unit": "Wh",
            "octets": "0600003039",
            "scaler_unit": [-1, 30],
            "obis": "1-0:1.8.0*255",
            "obis_text": step.result["obis_text"],
        }
        assert "energy" in step.result["obis_text"].lower()
        assert step.started <= step.ended

    @pytest.mark.parametrize(
        "scaler", [DataAccessResult.READ_WRITE_DENIED, octet_string(b"x"), structure(), ExceptionResponse(1, 2)]
    )
    def test_without_its_scaler_it_comes_as_it_is(self, scaler) -> None:
        def prepare(bench: Bench) -> None:
            meter = bench.meter.meter
            meter.objects[attribute(3, REGISTER, 3)] = scaler
            if isinstance(scaler, ExceptionResponse):
                plain = meter.answer
                meter.script[GetRequestNormal] = lambda apdu: (
                    scaler if apdu.cosem_attribute_descriptor.attribute_id == 3 else plain(apdu)
                )

        _, step = outcome_of(READ_REGISTER, prepare)
        assert (step.state, step.result["value"], step.result["unit"]) == ("DONE", 12345, "")

    def test_an_exception_response_fails_the_step_alone(self) -> None:
        def prepare(bench: Bench) -> None:
            bench.meter.meter.script[GetRequestNormal] = lambda apdu: ExceptionResponse(1, 2)

        done, step = outcome_of(READ_REGISTER, prepare)
        assert (done.state, step.state) == ("DONE", "FAILED")
        assert step.error["code"] == "exception-response"

    def test_a_mistake_of_ours_is_an_error(self, monkeypatch, caplog) -> None:
        monkeypatch.setattr(steps_module, "described", lambda *_, **__: 1 / 0)
        done, step = outcome_of(READ_REGISTER)
        assert (done.state, step.state, step.error["code"]) == ("DONE", "ERRORED", "internal-error")
        assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("result", [result for result in DataAccessResult if result is not DataAccessResult.SUCCESS])
def test_every_refusal_has_words_and_a_hint(result: DataAccessResult) -> None:
    error = refusal(result)
    assert error["layer"] == "access"
    assert error["code"] in error["message"]
    assert error["hint"]


def test_hints_belong_to_results_that_exist() -> None:
    known = {result.name.lower().replace("_", "-") for kind in (DataAccessResult, ActionResult) for result in kind}
    assert set(REFUSAL_HINTS) <= known


def wrong_type(apdu: SetRequestNormal) -> SetResponseNormal:
    return SetResponseNormal(apdu.invoke_id_and_priority, DataAccessResult.TYPE_UNMATCHED)


class TestSideEffects:
    def test_a_value_is_written(self) -> None:
        written: list = []
        _, step = outcome_of(WRITE_REGISTER, lambda bench: written.append(bench))
        assert step.state == "DONE"
        assert written[0].meter.meter.objects[VALUE] == double_long_unsigned(7)

    def test_a_method_is_invoked_once(self) -> None:
        invoked: list = []
        _, step = outcome_of(RESET_REGISTER, lambda bench: invoked.append(bench))
        assert step.state == "DONE"
        assert len(invoked[0].meter.meter.invoked) == 1

    def test_what_a_method_returns_is_the_result(self) -> None:
        def prepare(bench: Bench) -> None:
            bench.meter.meter.methods[RESET] = (ActionResult.SUCCESS, octet_string(b"done"))

        _, step = outcome_of(RESET_REGISTER, prepare)
        assert step.result["type"] == DataType.OCTET_STRING.asn1_name

    def test_the_intent_is_committed_before_the_octets(self, monkeypatch) -> None:
        seen: list[str] = []

        def prepare(bench: Bench) -> None:
            async def look(conversation, step):
                stored = await Step.objects.aget(pk=step.pk)
                seen.append(stored.state)
                return await plain(conversation, step)

            plain = steps_module._write
            monkeypatch.setattr(steps_module, "_write", look)

        outcome_of(WRITE_REGISTER, prepare)
        assert seen == ["RUNNING"]

    @pytest.mark.parametrize(
        ("step", "request_type"), [(WRITE_REGISTER, SetRequestNormal), (RESET_REGISTER, ActionRequestNormal)]
    )
    @pytest.mark.parametrize("how", ["silence", "hang-up", "nonsense", "pdu-too-long"])
    def test_sent_and_not_answered_is_uncertain(self, step: dict, request_type: type, how: str) -> None:
        def prepare(bench: Bench) -> None:
            if how == "hang-up":
                bench.meter.hang_up_on = request_type
            else:
                answers = {"silence": None, "nonsense": b"\xff\xff", "pdu-too-long": ExceptionResponse(1, 4)}
                bench.meter.meter.script[request_type] = lambda apdu: answers[how]

        _, ended = outcome_of(step, prepare)
        assert ended.state == "UNCERTAIN"
        assert "not repeated" in ended.error["hint"]

    @pytest.mark.parametrize(
        ("step", "answer", "code"),
        [
            (
                WRITE_REGISTER,
                lambda apdu: SetResponseNormal(apdu.invoke_id_and_priority, DataAccessResult.TYPE_UNMATCHED),
                "type-unmatched",
            ),
            (WRITE_REGISTER, lambda apdu: ExceptionResponse(1, 2), "exception-response"),
            (RESET_REGISTER, lambda apdu: ExceptionResponse(1, 2), "exception-response"),
        ],
    )
    def test_a_no_is_a_failure(self, step: dict, answer, code: str) -> None:
        def prepare(bench: Bench) -> None:
            for request_type in (SetRequestNormal, ActionRequestNormal):
                bench.meter.meter.script[request_type] = answer

        done, ended = outcome_of(step, prepare)
        assert (done.state, ended.state, ended.error["code"]) == ("DONE", "FAILED", code)

    @pytest.mark.parametrize("step", [WRITE_REGISTER, RESET_REGISTER], ids=["write", "invoke"])
    @pytest.mark.parametrize("error", [1, 2, 3, 4, 5, 6])
    def test_a_refusal_in_clear_proves_nothing_where_answers_are_ciphered(self, step: dict, error: int) -> None:
        """Anybody on the line may have said it, before the meter's own answer."""

        def prepare(bench: Bench) -> None:
            meter = bench.meter.meter
            refusal = ExceptionResponse(1, error, invocation_counter=7 if error == 6 else None)
            meter.script[SetRequestNormal] = lambda apdu: refusal
            meter.script[ActionRequestNormal] = lambda apdu: (
                meter.invoke(apdu, apdu.cosem_method_descriptor, apdu.method_invocation_parameters)
                if apdu.cosem_method_descriptor.class_id == 15  # HLS pass 3
                else refusal
            )

        learn_invocation_counter(
            fingerprint=fingerprint(GUEK), system_title=CIPHERED["association"]["client_system_title"], meter_value=1
        )
        _, ended = outcome_of(step, prepare, GMAC, **CIPHERED)
        assert ended.state == "UNCERTAIN"
        assert "anybody on the line" in ended.error["message"]
        assert "not repeated" in ended.error["hint"]

    def test_a_refused_method_is_a_failure(self) -> None:
        def prepare(bench: Bench) -> None:
            bench.meter.meter.methods[RESET] = (ActionResult.READ_WRITE_DENIED, None)

        _, step = outcome_of(RESET_REGISTER, prepare)
        assert (step.state, step.error["code"]) == ("FAILED", "read-write-denied")

    def test_what_never_went_out_is_a_failure(self, monkeypatch) -> None:
        from sessions.dlms.errors import LocalProtocolError

        async def refuse(conversation, step):
            raise LocalProtocolError("not negotiated", code="service-not-negotiated")

        monkeypatch.setattr(steps_module, "_write", refuse)
        _, step = outcome_of(WRITE_REGISTER)
        assert (step.state, step.error["code"]) == ("FAILED", "service-not-negotiated")

    def test_nothing_is_sent_a_second_time(self) -> None:
        benches: list = []

        def prepare(bench: Bench) -> None:
            benches.append(bench)
            bench.meter.meter.script[ActionRequestNormal] = lambda apdu: None

        outcome_of(RESET_REGISTER, prepare)
        requests = [apdu for apdu in benches[0].meter.meter.requests if isinstance(apdu, ActionRequestNormal)]
        assert len(requests) == 1


def test_a_string_with_anything_in_it_can_be_read() -> None:
    """PostgreSQL takes no NUL, neither in a text nor in JSON."""

    def prepare(bench: Bench) -> None:
        bench.meter.meter.objects[VALUE] = Data(DataType.VISIBLE_STRING, b"AB\x00\x1b[2J\xff")

    done, step = outcome_of(READ_REGISTER, prepare)
    assert (done.state, step.state) == ("DONE", "DONE")
    assert "AB" in step.result["value"]


def test_a_watch_that_breaks_is_an_error_of_ours(monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "_read_wishes", lambda claim: 1 / 0)
    done, step = outcome_of(READ_REGISTER, lambda bench: setattr(bench.meter, "mute", True))
    assert (done.state, done.error["code"], step.state) == ("ERRORED", "internal-error", "CANCELLED")
    assert "ZeroDivisionError" in caplog.text


class TestSecrets:
    """A secret of the meter passes through, and stays nowhere."""

    SECRET, HEX = b"s3cr3t-s3cr3t", b"s3cr3t-s3cr3t".hex()
    PLACE = {"class_id": 15, "logical_name": "0-0:40.0.0*255", "attribute_id": 7}
    ATTRIBUTE = attribute(15, ObisCode.parse("0-0:40.0.0*255"), 7)

    def test_one_that_is_written_is_forgotten(self) -> None:
        benches: list = []

        def prepare(bench: Bench) -> None:
            bench.meter.meter.objects[self.ATTRIBUTE] = octet_string(b"")
            benches.append(bench)

        value = {"type": "octet-string", "value": self.HEX}
        _, step = outcome_of({"kind": "WRITE", **self.PLACE, "value": value}, prepare)
        assert step.state == "DONE"
        assert benches[0].meter.meter.objects[self.ATTRIBUTE] == octet_string(self.SECRET)
        assert (step.parameters["octets"], step.parameters["secret"]) == ("", True)
        assert self.HEX not in f"{step.parameters} {step.result}"
        assert step.sealed is None

    @pytest.mark.parametrize("lost", ["seal", "secret"])
    def test_one_that_cannot_be_opened_is_not_sent(self, monkeypatch, lost: str) -> None:
        benches: list = []
        open_value = steps_module.value_to_send

        def broken(step: Step):
            step.sealed = None if lost == "secret" else bytes(step.sealed)[:-1] + b"?"
            return open_value(step)

        monkeypatch.setattr(steps_module, "value_to_send", broken)
        value = {"type": "octet-string", "value": self.HEX}
        _, step = outcome_of({"kind": "WRITE", **self.PLACE, "value": value}, benches.append)
        assert (step.state, step.error["code"]) == ("FAILED", "seal-broken" if lost == "seal" else "secret-gone")
        assert not [apdu for apdu in benches[0].meter.meter.requests if isinstance(apdu, SetRequestNormal)]

    def test_one_that_a_meter_lets_read_is_not_kept(self) -> None:
        def prepare(bench: Bench) -> None:
            bench.meter.meter.objects[self.ATTRIBUTE] = octet_string(self.SECRET)

        _, step = outcome_of({"kind": "READ", **self.PLACE}, prepare)
        assert (step.state, step.result["text"]) == ("DONE", "a secret")
        for shown in (self.HEX, self.SECRET.decode()):
            assert shown not in str(step.result)

    @pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
    def test_no_row_no_message_and_no_log_holds_one(self, hdlc: bool, caplog) -> None:
        """The whole database, what browsers are sent, and the log, after a session that sent two."""
        value = {"type": "octet-string", "value": self.HEX}
        place = {name: one for name, one in self.PLACE.items() if name != "attribute_id"}
        steps = [
            {"kind": "WRITE", **self.PLACE, "value": value},
            {"kind": "INVOKE", **place, "method_id": 2, "value": value},
        ]
        written: list[bytes] = []

        def everything() -> list[str]:
            models = [model for model in apps.get_models() if model._meta.app_label in ("dlms_sessions", "meters")]
            rows = [row for model in models for row in model._default_manager.values_list()]
            found = [bytes(one) if isinstance(one, memoryview) else one for row in rows for one in row]
            assert any(isinstance(one, bytes) for one in found)  # frames
            texts = [one.hex() if isinstance(one, bytes) else str(one) for one in found]
            frames = [json.dumps(frame_json(frame)) for frame in Frame.objects.all()]
            states = [json.dumps(state_message(one, list(one.steps.all()))) for one in DlmsSession.objects.all()]
            return [*texts, *frames, *states, caplog.text]

        async def test(bench: Bench) -> None:
            bench.meter.meter.objects[self.ATTRIBUTE] = octet_string(b"")
            done = await bench.run(*steps)
            first, _ = await steps_of(done)
            assert first.state == "DONE"
            written.append(bench.meter.meter.objects[self.ATTRIBUTE].value)
            text = "\n".join(await in_database(everything))
            encoded = base64.b64encode(self.SECRET).decode()
            for form in (self.SECRET.decode(), self.HEX, self.HEX.upper(), self.SECRET.hex(" "), encoded):
                assert form not in text

        on_bench(PUBLIC, test, hdlc=hdlc)
        assert written == [self.SECRET]
