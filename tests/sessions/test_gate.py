"""What asks for the serial number, and when."""

from __future__ import annotations

import pytest

from meters.cosem.data import enum, integer
from meters.cosem.interface_class import attribute_of, method_of
from sessions.dlms.inspector.secrets import SECRET_METHODS
from sessions.gate import CONSEQUENCES, WRITE_CONSEQUENCES, Gate, gate_of
from tests.sessions.builders import make_session


def test_the_relay_the_resets_and_the_keys_are_gated() -> None:
    assert {(70, 1), (3, 1), (7, 1), (64, 2), (18, 4), (15, 2)} <= set(CONSEQUENCES)
    assert set(CONSEQUENCES) >= SECRET_METHODS
    assert {(7, 3), (64, 2), (15, 7)} <= set(WRITE_CONSEQUENCES)


def test_every_consequence_is_of_something_that_exists() -> None:
    for class_id, method_id in CONSEQUENCES:
        assert method_of(class_id, method_id) is not None
    for class_id, attribute_id in WRITE_CONSEQUENCES:
        assert attribute_of(class_id, attribute_id) is not None


@pytest.mark.parametrize(
    ("consequence", "serial_number", "must_type"),
    [("It is lost.", "1234", True), ("", "1234", False), ("It is lost.", "", False)],
)
def test_the_serial_number_is_typed_where_something_is_lost(
    consequence: str, serial_number: str, must_type: bool
) -> None:
    assert Gate("what", "meter", "00", serial_number, consequence).must_type is must_type


@pytest.mark.parametrize(
    ("typed", "refusal"), [("1234", ""), (" 1234 ", ""), ("", "Type 1234 to go on."), ("123", "Type 1234 to go on.")]
)
def test_only_the_serial_number_opens_it(typed: str, refusal: str) -> None:
    assert Gate("what", "meter", "00", "1234", "It is lost.").refusal(typed) == refusal
    assert Gate("what", "meter", "00", "1234").refusal(typed) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("parameters", "data", "what", "must_type"),
    [
        ({"class_id": 70, "method_id": 1}, integer(0), "invoke remote_disconnect (1) with 0", True),
        ({"class_id": 70, "method_id": 1}, None, "invoke remote_disconnect (1)", True),
        ({"class_id": 70, "attribute_id": 4}, enum(1), "write control_mode (4): 1", False),
    ],
)
def test_it_says_what_will_be_sent_to_which_meter(parameters, data, what, must_type) -> None:
    asked = {**parameters, "logical_name": "0-0:96.3.10*255", "octets": "00"}
    gate = gate_of(make_session(), asked, data, None)
    assert gate.what.endswith(f"(70/0-0:96.3.10*255): {what}")
    assert (gate.meter, gate.must_type, gate.octets) == ("12345678 bench", must_type, "00")
