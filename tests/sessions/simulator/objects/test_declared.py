"""Objects of the tables: they take what their class declares, and do what follows from it."""

from __future__ import annotations

import pytest

from meters.cosem.data import (
    array,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.interface_class import interface_class, known_classes
from meters.cosem.value_faults import faults
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.errors import DlmsError
from sessions.simulator.objects.declared import DeclaredObject
from tests.sessions.simulator.objects.refusing import NAME, denied

LOCAL_PORT = interface_class(19, 1)
IPV4 = interface_class(42, 0)
PRIME = interface_class(81, 0)


@pytest.mark.parametrize("known", list(known_classes()), ids=lambda known: f"{known.class_id}:{known.version}")
def test_every_class_answers_as_it_is_declared_and_takes_its_own_values(known):
    target = DeclaredObject(known, NAME, {})
    assert set(target.attributes) == set(known.attributes) | {1}
    for number, attribute in known.attributes.items():
        assert list(faults(target.read(number), attribute.type)) == []
        if number != 1:
            target.write(number, target.read(number))


def test_a_value_has_to_be_as_declared_in_every_part():
    target = DeclaredObject(IPV4, NAME, {2: octet_string(NAME.octets)})
    target.write(5, array(structure(unsigned(131), unsigned(3), octet_string(b"x"))))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        target.write(5, array(structure(unsigned(131), unsigned(3))))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        target.write(2, octet_string(b"no name"))
    with denied(DataAccessResult.READ_WRITE_DENIED):
        target.write(1, octet_string(NAME.octets))
    assert target.read(2) == octet_string(NAME.octets)


def test_an_enumeration_has_its_values():
    target = DeclaredObject(LOCAL_PORT, NAME, {})
    target.write(3, enum(9))
    with denied(DataAccessResult.OTHER_REASON):
        target.write(3, enum(10))
    assert target.read(3) == enum(9)


def test_a_value_of_any_type_keeps_the_one_it_has():
    sensor = DeclaredObject(interface_class(1, 0), NAME, {2: unsigned(1)})
    sensor.write(2, unsigned(2))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        sensor.write(2, null())


def test_reset_begins_again_with_what_the_meter_counts():
    target = DeclaredObject(PRIME, NAME, {2: long_unsigned(7), 5: long_unsigned(9)})
    target.invoke(1, integer(0))
    assert [target.read(number).value for number in (2, 3, 4, 5)] == [0, 0, 0, 0]


def test_a_list_is_changed_by_its_methods():
    target = DeclaredObject(IPV4, NAME, {})
    address = double_long_unsigned(0xE0000001)
    target.invoke(1, address)
    target.invoke(1, address)
    assert target.read(4) == array(address)
    assert target.invoke(3, integer(0)) == long_unsigned(1)
    target.invoke(2, address)
    assert target.read(4) == array()
    with denied(DataAccessResult.OTHER_REASON):
        target.invoke(2, address)
    for wrong in (None, unsigned(1)):
        with denied(DataAccessResult.TYPE_UNMATCHED):
            target.invoke(1, wrong)


def test_methods_whose_effect_nobody_knows_are_not_there():
    assert DeclaredObject(interface_class(104, 0), NAME, {}).methods == {}


def test_what_was_written_survives_and_nothing_else_is_kept():
    first = {2: octet_string(NAME.octets)}
    target = DeclaredObject(IPV4, NAME, first)
    assert target.keep() is None
    target.write(3, double_long_unsigned(7))
    again = DeclaredObject(IPV4, NAME, first)
    again.restore(target.keep())
    assert [again.read(number) for number in range(1, 11)] == [target.read(number) for number in range(1, 11)]
    assert set(target.keep()) == {"3"}


@pytest.mark.parametrize("kept", [{"99": "1101"}, {"3": "11"}, {"3": "no hex"}, {"three": "1101"}])
def test_what_was_never_kept_is_not_taken_back(kept):
    target = DeclaredObject(IPV4, NAME, {})
    with pytest.raises((KeyError, ValueError, DlmsError)):
        target.restore(kept)
    assert target.keep() is None
