"""The types of a demo are complete, and stay as people left them."""

from __future__ import annotations

import pytest

from meters.meter_types.services import save_type
from meters.models import MeterType
from sessions.demo_types import complete_type
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db
ASSOCIATION = {"name": "Management", "referencing": "logical-names", "client_sap": 32, "authentication": "lls"}


def a_meter(model: str, **meter: object):
    return make_meter(meter={"manufacturer": "", "model": model, **meter})


@pytest.mark.parametrize(("model", "medium"), [("Gas meter", "GAS"), ("Heat meter", "HEAT"), ("Water meter", "WATER")])
def test_the_file_of_the_type_says_maker_and_medium(model: str, medium: str) -> None:
    meter = a_meter(model)
    complete_type(meter, ASSOCIATION)
    found = MeterType.objects.get()
    assert (found.flag_code, found.medium, found.framing) == ("MWB", medium, "WRAPPER")
    assert found.notes.startswith("Simulated: model ")


def test_a_type_of_no_file_is_as_its_meter() -> None:
    complete_type(a_meter("Nobody's", framing="HDLC", max_info=256), ASSOCIATION)
    found = MeterType.objects.get()
    assert (found.flag_code, found.framing, found.max_info, found.initial_baud) == ("", "HDLC", 256, None)


def test_it_has_the_association_of_the_meter_and_a_public_one_without_secrets() -> None:
    complete_type(a_meter("Gas meter"), ASSOCIATION)
    templates = MeterType.objects.get().association_templates.order_by("pk")
    assert [(each.name, each.client_sap, each.is_default) for each in templates] == [
        ("Management", 32, True),
        ("Public", 16, False),
    ]


def test_what_people_said_stays() -> None:
    meter = a_meter("Gas meter")
    save_type(user="anna", type_id=meter.meter_type_id, values={"framing": "HDLC"})
    meter.refresh_from_db()
    complete_type(meter, ASSOCIATION)
    assert MeterType.objects.get().framing == "HDLC"
    assert not MeterType.objects.get().association_templates.exists()
    meter.meter_type = None
    complete_type(meter, ASSOCIATION)
