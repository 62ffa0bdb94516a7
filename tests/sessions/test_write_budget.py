"""An attribute is not written more often than the memory, or the seal, of its meter bears."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from meters.models import Meter
from sessions.gated_forms import WriteForm
from sessions.models import DlmsSession, Step
from sessions.services import add_write_step
from sessions.write_budget import write_budget
from tests.meters.builders import make_meter
from tests.meters.meter_types.builders import make_type
from tests.sessions.builders import CLOCK, SET_CLOCK, make_session, make_user

pytestmark = pytest.mark.django_db
VALUE = SET_CLOCK["value"]


@pytest.fixture
def meter() -> Meter:
    make_type(writes_a_day=2, writes_in_total=3)
    return make_meter()


def write(dlms_session: DlmsSession, state: str = "", **changes: object) -> Step:
    step = add_write_step(session_id=dlms_session.pk, user=make_user(), value=VALUE, **{**CLOCK, **changes})
    Step.objects.filter(pk=step.pk).update(state=state or step.state)
    return step


def test_beyond_the_day_it_is_refused_before_there_is_a_step(meter) -> None:
    dlms_session = make_session(meter)
    write(dlms_session)
    write(make_session(meter))
    with pytest.raises(ValidationError, match="no further write: Written 2 of 3 times, in the last 24 hours 2 of 2"):
        write(dlms_session)
    assert Step.objects.count() == 2


def test_beyond_the_total_it_is_refused_whenever_the_others_were(meter) -> None:
    dlms_session = make_session(meter)
    for _ in range(3):
        step = write(dlms_session, "DONE")
        Step.objects.filter(pk=step.pk).update(created=timezone.now() - timedelta(days=99))
    with pytest.raises(ValidationError, match="Written 3 of 3 times, in the last 24 hours 0 of 2"):
        write(dlms_session)


def test_what_was_not_written_does_not_count_and_what_may_have_been_does(meter) -> None:
    dlms_session = make_session(meter)
    for state in ("FAILED", "CANCELLED", "ERRORED"):
        write(dlms_session, state)
    write(dlms_session, "UNCERTAIN")
    budget = write_budget(meter, CLOCK)
    assert budget is not None
    assert (budget.today, budget.ever, budget.is_used_up) == (1, 1, False)


def test_each_attribute_of_each_meter_has_its_own(meter) -> None:
    dlms_session = make_session(meter)
    write(dlms_session)
    write(dlms_session)
    write(dlms_session, logical_name="0-0:1.0.1*255")
    other = make_meter(meter={"serial_number": "other"})
    write(make_session(other))


def test_a_read_costs_nothing(meter) -> None:
    dlms_session = make_session(meter, steps=[{"kind": "READ", **CLOCK}] * 3)
    write(dlms_session)


def test_a_type_without_a_limit_counts_nothing(django_assert_num_queries) -> None:
    meter = make_meter()
    with django_assert_num_queries(0):
        assert write_budget(meter, CLOCK) is None
        assert write_budget(None, CLOCK) is None


def test_a_limit_of_one_kind_says_nothing_of_the_other(meter) -> None:
    meter.meter_type.writes_a_day = None
    budget = write_budget(meter, CLOCK)
    assert budget is not None
    assert budget.words == "Written 0 of 3 times, in the last 24 hours 0."
    meter.meter_type.writes_a_day, meter.meter_type.writes_in_total = 4, None
    budget = write_budget(meter, CLOCK)
    assert budget is not None
    assert budget.words == "Written 0 times, in the last 24 hours 0 of 4."


def test_the_gate_says_how_often_it_was_written(meter) -> None:
    dlms_session = make_session(meter)
    write(dlms_session)
    data = {**CLOCK, "value_type": "octet-string", "value": "2026-11-25 10:00:00"}
    form = WriteForm(data, dlms_session=dlms_session)
    assert form.is_valid(), form.errors
    assert form.gate is not None
    assert form.gate.budget == "Written 1 of 3 times, in the last 24 hours 1 of 2. Beyond that it is refused."
