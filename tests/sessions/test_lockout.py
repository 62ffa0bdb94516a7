"""No session is opened whose wrong secret would lock the meter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from meters.models import Meter
from sessions.dlms.acse import Aarq, ResultSourceDiagnostic
from sessions.dlms.errors import LocalProtocolError
from sessions.engine.plan import make_plan
from sessions.ladder import Evidence, Standing, ladder
from sessions.lockout import WRONG_SECRET, check_lockout, wrong_secrets
from sessions.models import DlmsSession
from sessions.recorder import in_database
from tests.meters.builders import make_meter
from tests.meters.meter_types.builders import make_type
from tests.sessions.builders import make_session
from tests.sessions.engine.bench import LLS, READ_REGISTER, Bench, on_bench

pytestmark = pytest.mark.django_db
RULE = {"lockout_attempts": 2, "lockout_window": 60, "lockout_minutes": 120}
LONG_AGO = timezone.now() - timedelta(days=9)


@pytest.fixture
def meter() -> Meter:
    make_type(**RULE)
    return make_meter()


def ended(meter: Meter, minutes: float, code: str = "", *, in_test: bool = False, **changes: Any) -> DlmsSession:
    """A session that ended so many minutes ago: with this error, or let in."""
    moment = timezone.now() - timedelta(minutes=minutes)
    dlms_session = make_session(meter)
    changes |= {"meter": None, "association": None, "tested_meter": meter} if in_test else {}
    fields: dict[str, Any] = {"started": moment - timedelta(seconds=1), "ended": moment, "state": "DONE"}
    fields |= {"error": {"code": code}} if code else {"negotiated": {"dlms_version": 6}}
    DlmsSession.objects.filter(pk=dlms_session.pk).update(**{**fields, **changes})
    return dlms_session


def wrong(meter: Meter, minutes: float, **changes: Any) -> DlmsSession:
    return ended(meter, minutes, WRONG_SECRET[0], **changes)


def check(meter: Meter, **association: Any) -> None:
    chosen = meter.default_association
    assert chosen is not None
    for name, value in association.items():
        setattr(chosen, name, value)
    check_lockout(meter_id=meter.pk, meter_type=meter.meter_type, association=chosen)


def refusal(meter: Meter) -> LocalProtocolError:
    with pytest.raises(LocalProtocolError) as refused:
        check(meter)
    assert (refused.value.layer, refused.value.code) == ("workbench", "lock-out-ahead")
    rungs = {rung.layer: rung.standing for rung in ladder(refused.value.as_dict(), Evidence())}
    assert rungs.pop("workbench") is Standing.REFUSED
    assert set(rungs.values()) == {Standing.UNREACHED}
    assert "Nothing was sent" in refused.value.hint
    return refused.value


def test_as_many_wrong_secrets_as_it_bears_are_the_last(meter) -> None:
    check(meter)
    wrong(meter, 10)
    check(meter)
    wrong(meter, 5)
    assert "One more wrong secret would lock this meter for 120 minutes" in refusal(meter).message


@pytest.mark.parametrize("code", WRONG_SECRET)
def test_both_words_of_the_meter_count(meter, code: str) -> None:
    ended(meter, 2, code)
    ended(meter, 1, code)
    refusal(meter)


@pytest.mark.parametrize("code", ["no-reply", "association-rejected", "connection-refused", "lock-out-ahead"])
def test_what_is_no_word_about_a_secret_does_not_count(meter, code: str) -> None:
    for minutes in (3, 2, 1):
        ended(meter, minutes, code)
    check(meter)


def test_what_lies_before_the_window_is_forgotten(meter) -> None:
    wrong(meter, 61)
    wrong(meter, 5)
    check(meter)


def test_the_refusal_says_when_the_oldest_is_forgotten(meter) -> None:
    wrong(meter, 50)
    wrong(meter, 5)
    ends = timezone.localtime(timezone.now() + timedelta(minutes=10))
    assert ends.strftime("%Y-%m-%d %H:") in refusal(meter).hint


def test_a_meter_that_is_locked_stays_alone_until_it_is_open_again(meter) -> None:
    for minutes in (30, 20, 10):
        wrong(meter, minutes)
    assert "This meter is locked: 3 wrong secrets, it bears 2" in refusal(meter).message


def test_a_short_lock_is_over_before_the_window_is(meter) -> None:
    meter.meter_type.lockout_minutes = 5
    for minutes in (30, 20, 10):
        wrong(meter, minutes)
    check(meter)


def test_who_was_let_in_since_counts_from_zero(meter) -> None:
    wrong(meter, 20)
    wrong(meter, 15)
    ended(meter, 10)
    check(meter)
    wrong(meter, 5)
    check(meter)
    wrong(meter, 4)
    refusal(meter)


def test_another_client_that_is_let_in_wipes_nothing_out(meter) -> None:
    public = meter.associations.create(name="Public", client_sap=16, authentication="none")
    wrong(meter, 20)
    wrong(meter, 15)
    ended(meter, 10, association=public)
    refusal(meter)


def test_wrong_secrets_of_another_client_count_too(meter) -> None:
    other = meter.associations.create(name="Other", client_sap=33, authentication="lls")
    wrong(meter, 20)
    wrong(meter, 15, association=other)
    refusal(meter)


def test_wrong_secrets_in_tests_of_its_draft_count_too(meter) -> None:
    wrong(meter, 20)
    wrong(meter, 15, in_test=True)
    refusal(meter)


def test_another_meter_has_its_own_count(meter) -> None:
    other = make_meter(meter={"serial_number": "other"})
    wrong(other, 2)
    wrong(other, 1)
    check(meter)


def test_a_public_client_needs_no_secret(meter) -> None:
    wrong(meter, 2)
    wrong(meter, 1)
    check(meter, authentication="none")


def test_a_type_without_a_rule_refuses_nothing() -> None:
    meter = make_meter()
    for _ in range(20):
        wrong(meter, 1)
    check(meter)
    meter.meter_type = None
    check(meter)


def test_it_is_one_query_while_nothing_was_wrong(meter, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert wrong_secrets(meter.pk, since=LONG_AGO) == []


def test_the_plan_asks_first(meter) -> None:
    wrong(meter, 2)
    wrong(meter, 1)
    with pytest.raises(LocalProtocolError, match="would lock"):
        make_plan(make_session(meter).pk)


def test_nothing_is_sent_once_the_rule_would_be_hit() -> None:
    """Through the engine: two wrong passwords are sent, the third session ends before its first octet."""

    async def test(bench: Bench) -> None:
        await in_database(lambda: make_type(**RULE))
        bench.meter.meter.script[Aarq] = lambda aarq: bench.meter.meter.aare(
            aarq, result=1, result_source_diagnostic=ResultSourceDiagnostic(diagnostic=13)
        )
        association = {"client_sap": 32, "authentication": "lls"}
        ends = []
        for _ in range(3):
            known = await Meter.objects.afirst()
            done = await bench.run(
                READ_REGISTER,
                association=association,
                secrets={"LLS_SECRET": b"wrong"},
                meter_id=known.pk if known else None,
            )
            ends.append((done.error["code"], done.last_seq))
        assert [code for code, _ in ends] == ["authentication-failed", "authentication-failed", "lock-out-ahead"]
        assert [frames for _, frames in ends] == [2, 2, 0]
        assert bench.meter.connections == 2

    on_bench(LLS, test)
