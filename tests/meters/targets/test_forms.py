"""The form of a rule."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from meters.targets.forms import TargetForm

pytestmark = pytest.mark.django_db

RULE = {"network": "10.20.0.0/16", "first_port": "4059", "last_port": "4062", "tcp": "on", "note": "lab"}


def test_a_rule() -> None:
    team = Group.objects.create(name="lab 1")
    form = TargetForm({**RULE, "team": team.pk})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["team"] == team
    assert (form.cleaned_data["tcp"], form.cleaned_data["udp"]) == (True, False)


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"network": "10.0.0.1/8"}, "network"),
        ({"network": "meter.example"}, "network"),
        ({"first_port": "0"}, "first_port"),
        ({"last_port": "4000"}, "last_port"),
        ({"last_port": "70000"}, "last_port"),
        ({"tcp": ""}, "tcp"),
        ({"team": "99"}, "team"),
    ],
)
def test_what_is_refused_stands_at_its_field(change: dict, at: str) -> None:
    form = TargetForm({**RULE, **change})
    assert not form.is_valid()
    assert at in form.errors
