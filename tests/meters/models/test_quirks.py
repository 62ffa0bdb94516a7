"""What the database itself refuses of quirks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from meters.models import MeterType, Quirk
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


def make(**fields: Any) -> Quirk:
    values: dict[str, Any] = {
        "meter_type": MeterType.objects.get_or_create(model="M1")[0],
        "name": "reverse_deviation",
        "value": True,
        "reason": "its clock",
        "proof_session": 1,
        "proposed_by_name": "anna",
    }
    return Quirk.objects.create(**{**values, **fields})


def refused(**fields: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**fields)


def test_nobody_reviews_what_he_proposed() -> None:
    anna, bert = make_user("anna"), make_user("bert")
    for state in ("ACCEPTED", "REFUSED"):
        refused(state=state, proposed_by=anna, reviewed_by=anna, reviewed_by_name="anna")
    make(state="ACCEPTED", proposed_by=anna, reviewed_by=bert, reviewed_by_name="bert")


def test_nothing_is_accepted_or_refused_without_a_name() -> None:
    for state in ("ACCEPTED", "REFUSED"):
        refused(state=state, proposed_by=make_user("anna"))


@pytest.mark.parametrize("state", ["ACCEPTED", "PROPOSED"])
def test_a_type_has_a_quirk_once(state: str) -> None:
    make(state=state, reviewed_by_name="bert")
    refused(state=state, reviewed_by_name="bert")
    make(state=state, reviewed_by_name="bert", name="disconnect_first")
    for over in ("REFUSED", "WITHDRAWN", "REFUSED", "WITHDRAWN"):
        make(state=over, reviewed_by_name="bert")


def test_the_names_stay_when_the_people_go() -> None:
    anna, bert = make_user("anna"), make_user("bert")
    quirk = make(state="ACCEPTED", proposed_by=anna, reviewed_by=bert, reviewed_by_name="bert")
    anna.delete()
    bert.delete()
    quirk.refresh_from_db()
    assert (quirk.proposed_by, quirk.reviewed_by) == (None, None)
    assert (quirk.proposed_by_name, quirk.reviewed_by_name) == ("anna", "bert")
