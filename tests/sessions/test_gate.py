"""What asks for the serial number, and when."""

from __future__ import annotations

import pytest

from meters.cosem.interface_class import attribute_of, method_of
from sessions.dlms.inspector.secrets import SECRET_METHODS
from sessions.gate import CONSEQUENCES, WRITE_CONSEQUENCES, Gate


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
