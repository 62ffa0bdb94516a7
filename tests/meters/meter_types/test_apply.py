"""Meters that are there are given what their type says."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.changes import changes_of, new_request
from meters.meter_types import apply as module
from meters.meter_types.apply import apply_defaults, changes_for, choices_of, differing
from meters.meter_types.services import save_type
from meters.models import Meter, MeterType
from tests.meters.builders import make_meter
from tests.meters.meter_types.builders import PUBLIC, READER, make_type

pytestmark = pytest.mark.django_db


def a_type(*templates: dict, **values: object) -> tuple[MeterType, Meter]:
    """A type with a meter that was there before the type said anything."""
    made = make_type(*templates)
    meter = make_meter()
    meter.associations.exclude(name="Management").delete()
    save_type(user="anna", type_id=made.pk, values=values)
    made.refresh_from_db()
    return made, meter


def test_only_what_the_type_says_can_be_chosen() -> None:
    made, _ = a_type(PUBLIC, window=3, baud=2400)
    assert choices_of(made) == ["window", "associations"]
    assert choices_of(make_type(model="M2")) == []


def test_who_differs_is_found_and_in_what() -> None:
    made, meter = a_type(PUBLIC, READER, window=3, physical_address=0)
    alike = make_meter(meter={"serial_number": "alike", "window": 3, "physical_address": 0})
    assert list(differing(made, ["window"])) == [meter]
    assert list(differing(made, ["physical_address"])) == [meter], "nothing is not zero"
    assert list(differing(made, ["associations"])) == [meter]
    assert list(differing(made, [])) == []
    everything = ["window", "physical_address", "associations"]
    assert changes_for(meter, made, everything) == {
        "window": [1, 3],
        "physical_address": [None, 0],
        "associations": [["Management"], ["Management", "Public", "Reader"]],
    }
    assert changes_for(alike, made, everything) == {}


def test_what_was_chosen_is_done_with_an_entry_for_each() -> None:
    made, meter = a_type(PUBLIC, window=3, max_info=256)
    with new_request() as request_id:
        assert apply_defaults(user="anna", type_id=made.pk, chosen=["window", "associations"]) == (request_id, 1, [])
    meter.refresh_from_db()
    assert (meter.window, meter.max_info) == (3, 128)
    assert {each.name for each in meter.associations.all()} == {"Management", "Public"}
    entry = changes_of(meter).first()
    assert entry.fields["window"] == [1, 3]
    assert entry.message == "as the type Maker M1 says"
    assert apply_defaults(user="anna", type_id=made.pk, chosen=["window", "associations"])[1:] == (0, [])


def test_who_cannot_be_so_stays_and_is_named() -> None:
    made, meter = a_type(physical_address=17)
    Meter.objects.filter(pk=meter.pk).update(framing="HDLC", address_octets=1)
    _, changed, refused = apply_defaults(user="anna", type_id=made.pk, chosen=["physical_address"])
    assert changed == 0
    assert refused[0][0] == meter.serial_number
    meter.refresh_from_db()
    assert meter.physical_address is None


def test_nothing_or_too_many_is_refused_whole(monkeypatch) -> None:
    made, _ = a_type(window=3)
    with pytest.raises(ValidationError, match="Nothing was chosen"):
        apply_defaults(user="anna", type_id=made.pk, chosen=[])
    monkeypatch.setattr(module, "BULK_LIMIT", 0)
    with pytest.raises(ValidationError, match="too many at once"):
        apply_defaults(user="anna", type_id=made.pk, chosen=["window"])
