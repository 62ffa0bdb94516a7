"""A meter with a quirk: the session fails, or reads nonsense, without it, and is right when it was accepted."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from meters.cosem.data import BitString
from meters.models import Quirk
from meters.quirks.in_force import QuirkInForce
from meters.quirks.names import QUIRKS, SERVICES
from meters.quirks.services import make_exception, withdraw_quirk
from sessions.association_file import parse_association
from sessions.dlms.acse import Aarq, ResultSourceDiagnostic
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.association import PROPOSED_CONFORMANCE, PROPOSED_SHORT_NAME_CONFORMANCE
from sessions.dlms.conformance import Conformance
from sessions.dlms.iec62056_21.characters import BlockCheck
from sessions.engine import run as module
from sessions.engine import run_session
from sessions.engine.plan import make_plan
from sessions.engine.quirks import OBEYED, apply_quirks
from sessions.known_objects import reverses_deviation
from sessions.links.endpoint import parse_endpoint
from sessions.models import DlmsSession, Step
from sessions.recorder import in_database
from sessions.services import close_session, open_test_session
from sessions.simulator.lab import LabLine
from sessions.simulator.listeners import RunningLab
from tests.meters.builders import make_meter, meter_fields
from tests.meters.quirks.builders import accept, propose
from tests.meters.quirks.test_names import GOOD
from tests.sessions.builders import READ_CLOCK, make_session, make_user
from tests.sessions.engine.bench import PUBLIC, READ_REGISTER, Bench, fill, fresh, on_bench, steps_of
from tests.sessions.simulator.served import CLIENT_TITLE, lab_meter, lab_of
from tests.sessions.simulator.served import LLS as LAB_LLS

State = DlmsSession.State
EXAMPLES = {name: values[-1][0] for name, values in GOOD.items()}
SIGN_ON = ("parity_in_octets", "wake_up", "reaction_time", "switch_pause", "block_check")
BASE = {
    "framing": "hdlc-mode-e",
    "client_sap": 16,
    "client_system_title": CLIENT_TITLE,
    "hdlc": {},
    "sign_on": {},
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


def with_quirk(name: str, value: Any, **changes: Any) -> Any:
    table = {key: said for key, said in {**BASE, **changes}.items() if said is not None}
    return parse_association(apply_quirks(table, [QuirkInForce(name, value, "type", 1)]))


class TestTheTable:
    def test_every_quirk_is_obeyed_and_nothing_is_obeyed_that_is_none(self) -> None:
        assert set(OBEYED) == set(QUIRKS) == set(EXAMPLES)

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_each_changes_what_the_client_is_given(self, name: str) -> None:
        assert with_quirk(name, QUIRKS[name].read(EXAMPLES[name])) != parse_association(BASE)

    def test_each_changes_its_own(self) -> None:
        assert with_quirk("reverse_deviation", True).reverse_deviation
        assert with_quirk("disconnect_first", True).hdlc.disconnect_first
        assert with_quirk("keep_alive", 20.0).hdlc.keep_alive == 20.0
        assert with_quirk("parity_in_octets", True).hdlc.sign_on.parity_in_octets
        assert with_quirk("wake_up", 30).hdlc.sign_on.wake_up == 30
        assert with_quirk("reaction_time", 0.2).hdlc.sign_on.reaction_time == 0.2
        assert with_quirk("switch_pause", 1.0).hdlc.sign_on.switch_pause == 1.0
        assert with_quirk("block_check", "sum").hdlc.sign_on.block_check is BlockCheck.SUM
        assert with_quirk("protocol_version", True).parameters.aarq_fields.protocol_version == BitString(b"\x80", 1)
        assert with_quirk("block_window", 1).parameters.block_window == 1
        assert with_quirk("counter_client", 17).counter_client_sap == 17
        assert with_quirk("ciphered_context", True).parameters.ciphered_context

    def test_who_has_no_title_asks_for_no_ciphered_context(self) -> None:
        assert not with_quirk("ciphered_context", True, client_system_title=None).parameters.ciphered_context

    @pytest.mark.parametrize("name", SIGN_ON)
    def test_a_meter_without_a_sign_on_is_not_given_one(self, name: str) -> None:
        plain = {"framing": "hdlc", "client_sap": 16, "hdlc": {}}
        quirk = QuirkInForce(name, QUIRKS[name].read(EXAMPLES[name]), "type")
        assert apply_quirks(dict(plain), [quirk]) == plain

    @pytest.mark.parametrize("referencing", ["logical-names", "short-names"])
    def test_services_are_left_out_by_both_ways_of_referencing(self, referencing: str) -> None:
        left_out = ["general-block-transfer", "multiple-references"]
        file = with_quirk("services_not_proposed", left_out, referencing=referencing)
        proposed = file.parameters.proposed_conformance
        assert not set(left_out) & set(proposed.names)
        assert Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ in proposed

    def test_the_services_that_can_be_left_out_are_all_but_those_that_nothing_goes_without(self) -> None:
        possible = {*PROPOSED_CONFORMANCE.names, *PROPOSED_SHORT_NAME_CONFORMANCE.names}
        assert possible - set(SERVICES) == {"get", "set", "action", "read", "write"}
        assert set(SERVICES) <= possible


@pytest.mark.django_db
class TestThePlan:
    def test_the_plan_obeys_and_names_what_was_accepted(self) -> None:
        meter = make_meter()
        propose(meter, "block_window", 1)
        quirk = accept(meter, "services_not_proposed", "access")
        plan = make_plan(make_session(meter).pk)
        assert [each.as_json() for each in plan.quirks] == [
            {"name": "services_not_proposed", "value": ["access"], "origin": "type", "quirk": quirk.pk}
        ]
        assert Conformance.ACCESS not in plan.association.parameters.proposed_conformance
        assert plan.association.parameters.block_window != 1

    def test_the_test_of_a_draft_obeys_the_quirks_of_the_type_that_it_names(self) -> None:
        meter = make_meter()
        accept(meter, "block_window", 3)
        draft = {**meter_fields(), "meter_id": meter.pk}
        draft.pop("user")
        test = open_test_session(draft=draft, user=make_user())
        assert test.tested_meter == meter
        assert make_plan(test.pk).association.parameters.block_window == 3
        make_exception(user=make_user("anna"), meter_id=meter.pk, name="block_window", value=None, reason="x")
        assert make_plan(test.pk).quirks == ()
        typed = {**draft, "meter_id": None, "meter": {"serial_number": "new", "meter_type": meter.meter_type}}
        assert make_plan(open_test_session(draft=typed, user=make_user()).pk).association.parameters.block_window == 3

    def test_a_draft_makes_no_type(self) -> None:
        draft = meter_fields()
        draft.pop("user")
        assert make_plan(open_test_session(draft=draft, user=make_user()).pk).quirks == ()
        assert not Quirk.objects.exists()


def stumbles_over(meter: Any, wrong: Any) -> None:
    """The meter turns an AARQ away that is not as it wants it."""
    meter.script[Aarq] = lambda aarq: meter.aare(
        aarq, **({"result": 1, "result_source_diagnostic": ResultSourceDiagnostic(diagnostic=1)} if wrong(aarq) else {})
    )


def names_no_version(aarq: Aarq) -> bool:
    return aarq.protocol_version is None


def proposes_access(aarq: Aarq) -> bool:
    request: Any = decode_apdu(aarq.user_information or b"")
    return Conformance.ACCESS in request.proposed_conformance


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("protocol_version", True, names_no_version),
        ("services_not_proposed", ["access", "general-block-transfer"], proposes_access),
    ],
)
def test_a_meter_that_turns_us_away_lets_us_in_with_its_quirk(name: str, value: Any, wrong: Any) -> None:
    async def test(bench: Bench) -> None:
        fill(bench.meter.meter)
        stumbles_over(bench.meter.meter, wrong)
        failed = await bench.run(READ_REGISTER)
        assert (failed.state, failed.error["code"]) == (State.FAILED, "association-rejected")
        assert failed.quirks == []
        meter = await in_database(lambda: failed.meter)
        quirk = await in_database(lambda: accept(meter, name, value))
        done = await again(meter)
        assert (done.state, done.error) == (State.DONE, None)
        assert done.quirks == [{"name": name, "value": value, "origin": "type", "quirk": quirk.pk}]
        (step,) = await steps_of(done)
        assert step.state == Step.State.DONE
        await in_database(lambda: withdraw_quirk(user=make_user("carla"), quirk_id=quirk.pk, message="new firmware"))
        assert (await again(meter)).state == State.FAILED
        assert (await fresh(done)).quirks != [], "what was in force is history"

    on_bench(PUBLIC, test)


async def again(meter: Any, *steps: dict[str, Any]) -> DlmsSession:
    dlms_session = await in_database(lambda: make_session(meter, steps=steps or [READ_REGISTER]))
    await in_database(lambda: close_session(session_id=dlms_session.pk, user=make_user()))
    await run_session(dlms_session.pk)
    return await fresh(dlms_session)


@pytest.mark.django_db
def test_the_clock_of_a_simulated_meter_is_right_with_its_quirk(tmp_path) -> None:
    """The simulator's quirk turns the deviation round: its noon is two hours off until ours turns it back."""

    async def test() -> None:
        async with RunningLab(
            lab_of(LabLine(kind="wrapper", meters=(lab_meter(LAB_LLS, quirks=["deviation-reversed"]),))), tmp_path
        ) as lab:
            endpoint = parse_endpoint(lab.announcements[0]["endpoint"])
            line = {"host": endpoint.host, "port": endpoint.port}
            secrets = {"LLS_SECRET": LAB_LLS["secret"].removeprefix("text:").encode()}
            meter = await in_database(lambda: make_meter(line=line, secrets=secrets))
            before = await again(meter, READ_CLOCK)
            assert not await in_database(lambda: reverses_deviation(before))
            await in_database(lambda: accept(meter, "reverse_deviation"))
            after = await again(meter, READ_CLOCK)
            assert await in_database(lambda: reverses_deviation(after))
        texts = [(await steps_of(each))[0].result["value"] for each in (before, after)]
        assert (before.state, after.state) == (State.DONE, State.DONE)
        assert texts[0][:19] == texts[1][:19]
        assert {text[19] for text in texts} == {"+", "-"}
        assert texts[1].endswith("+01:00")

    async_to_sync(test)()
