"""Objects that only hold values, and the least value of every declared type."""

from __future__ import annotations

import pytest

from meters.cosem.data import Data, DataType, double_long_unsigned, long_unsigned, octet_string, unsigned
from meters.cosem.interface_class import known_classes
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import decode_data, encode_data
from sessions.simulator.objects.base import Denied
from sessions.simulator.plain import PlainObject, least_value

NAME = ObisCode(0, 0, 96, 1, 0, 255)


@pytest.mark.parametrize("known", list(known_classes()), ids=lambda known: f"{known.class_id}v{known.version}")
def test_every_attribute_of_every_class_has_a_least_value_of_its_type(known):
    plain = PlainObject(known.class_id, known.version, NAME)
    assert set(plain.attributes) == set(known.attributes)
    assert set(plain.methods) == set(known.methods)
    for number, attribute in known.attributes.items():
        value = plain.read(number)
        assert isinstance(value, Data)
        assert number == 1 or attribute.type.fits(value), attribute
        assert decode_data(encode_data(value)) == value


def test_given_values_are_read_and_written():
    plain = PlainObject(3, 0, NAME, {2: long_unsigned(7), 30: octet_string(b"own")})
    assert plain.read(2) == long_unsigned(7)
    assert plain.read(30) == octet_string(b"own")
    plain.write(2, long_unsigned(8))
    assert plain.read(2) == long_unsigned(8)
    with pytest.raises(Denied) as denied:
        plain.write(2, unsigned(8))
    assert denied.value.result is DataAccessResult.TYPE_UNMATCHED
    assert plain.invoke(1, None) is None


def test_a_class_that_nobody_knows_has_what_is_given():
    plain = PlainObject(60000, 3, NAME, {2: double_long_unsigned(1)})
    assert (plain.class_id, plain.version, set(plain.attributes)) == (60000, 3, {1, 2})
    assert plain.read(1) == octet_string(NAME.octets)


def test_any_type_is_a_number():
    for known in known_classes():
        if known.class_id == 1:
            assert least_value(known.attributes[2].type).type is DataType.DOUBLE_LONG_UNSIGNED
