"""Values by logical name, in every layout that meters push."""

from meters.cosem.data import (
    array,
    double_long_unsigned,
    enum,
    integer,
    long,
    long_unsigned,
    octet_string,
    structure,
    visible_string,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.inspector.readings import readings

POWER, ENERGY, PUSH = (ObisCode.parse(text) for text in ("1-0:1.7.0", "1-0:1.8.0", "0-0:25.9.0"))


def name(obis):
    return octet_string(obis.octets)


def shown(data):
    return [(str(one.obis), one.value.value) for one in readings(data)]


def test_a_structure_for_each_reading():
    scaled = structure(name(POWER), long(2305), structure(integer(-1), enum(35)))
    found = readings(array(scaled, structure(name(ENERGY), double_long_unsigned(7))))
    assert [(one.obis, one.value.value) for one in found] == [(POWER, 2305), (ENERGY, 7)]
    assert found[0].as_json() == {
        "obis": "1-0:1.7.0*255",
        "name": found[0].as_json()["name"],
        "type": "long",
        "value": 230.5,
        "text": "2305",
        "raw": 2305,
        "scaler": -1,
        "unit": "V",
    }
    assert found[1].scaler_unit is None
    assert [one.describe().split(": ")[1] for one in found] == ["230.5 V", "7"]


def test_flat_pairs_behind_a_list_id():
    data = structure(visible_string("Kamstrup_V0001"), name(POWER), long(5), name(ENERGY), double_long_unsigned(7))
    assert shown(data) == [("1-0:1.7.0*255", 5), ("1-0:1.8.0*255", 7)]


def test_flat_with_scalers():
    scaler = structure(integer(3), enum(30))
    data = structure(name(POWER), long(5), scaler, name(ENERGY), long(7), scaler)
    assert [one.scaler_unit.scaler for one in readings(data)] == [3, 3]


def entry(class_id, obis, *more):
    return structure(long_unsigned(class_id), name(obis), integer(2), *more)


def test_a_push_object_list_whose_first_entry_is_the_list_itself():
    objects = array(
        entry(40, PUSH, long_unsigned(0)), entry(3, POWER, long_unsigned(0)), entry(3, ENERGY, long_unsigned(0))
    )
    found = readings(structure(objects, long(5), long(7)))
    assert [(str(one.obis), one.value.value, one.class_id, one.attribute_id) for one in found] == [
        ("1-0:1.7.0*255", 5, 3, 2),
        ("1-0:1.8.0*255", 7, 3, 2),
    ]


def test_a_push_object_list_beside_its_values():
    objects = array(entry(3, POWER), entry(3, ENERGY))
    assert shown(structure(objects, long(5), long(7))) == [("1-0:1.7.0*255", 5), ("1-0:1.8.0*255", 7)]


def test_a_list_that_does_not_fit_its_values_names_nothing():
    assert readings(structure(array(entry(3, POWER)), long(5), long(6), long(7))) == []


def test_positional_lists_and_scalars_give_nothing():
    assert readings(structure(visible_string("KFM_001"), long(5))) == []
    assert readings(long(5)) == []
    assert readings(structure(name(POWER))) == []


def test_a_scaler_that_no_meter_means_is_none():
    data = structure(name(POWER), long(5), structure(integer(127), enum(30)))
    assert [one.scaler_unit for one in readings(data)] == [None]
    assert readings(data)[0].as_json()["value"] == 5
