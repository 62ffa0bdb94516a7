from __future__ import annotations

import pytest

from meters.catalogs.rights import ClientRights
from meters.cosem.data import (
    Data,
    array,
    boolean,
    double_long_unsigned,
    enum,
    integer,
    long,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.units import ScalerUnit
from meters.models import Association
from sessions.catalogs.learning import learned_facts, read_lists
from sessions.models import DlmsSession, Step
from tests.meters.builders import make_meter
from tests.sessions.builders import make_read, make_session

pytestmark = pytest.mark.django_db

ASSOCIATION = "0-0:40.0.0*255"
ENERGY = "1-0:1.8.0*255"
PROFILE = "1-0:99.1.0*255"


def row(
    class_id: int, name: str, attributes: dict[int, int] | None = None, methods: dict[int, bool] | None = None
) -> Data:
    rights = structure(
        array(*(structure(integer(number), enum(mode), null()) for number, mode in (attributes or {}).items())),
        array(*(structure(integer(number), boolean(mode)) for number, mode in (methods or {}).items())),
    )
    return structure(long_unsigned(class_id), unsigned(1), octet_string(ObisCode.parse(name).octets), rights)


def make_list(dlms_session: DlmsSession, *rows: Data) -> Step:
    return make_read(dlms_session, 15, ASSOCIATION, 2, array(*rows))


def short_row(base_name: int, class_id: int, name: str) -> Data:
    return structure(long(base_name), long_unsigned(class_id), unsigned(0), octet_string(ObisCode.parse(name).octets))


def learn(meter):
    return {facts.reference: facts for facts in learned_facts(meter, read_lists(meter)[0])}


@pytest.fixture
def meter():
    return make_meter()


def test_objects_versions_and_rights_of_the_client(meter) -> None:
    dlms_session = make_session(meter)
    make_list(dlms_session, row(3, ENERGY, {1: 1, 2: 3, 3: 0, -1: 2}, {1: True, 2: False}), row(7, PROFILE))
    found = learn(meter)
    assert found.keys() == {f"3/{ENERGY}", f"7/{PROFILE}"}
    energy = found[f"3/{ENERGY}"]
    rights = ClientRights({1: "r", 2: "rw", 3: "no", -1: "w"}, {1: True, 2: False})
    assert (energy.version, energy.rights, energy.title, energy.unit) == (1, {32: rights}, "", None)


def test_scalers_and_units_of_what_was_read_the_newest_word_first(meter) -> None:
    dlms_session = make_session(meter)
    make_list(dlms_session, row(3, ENERGY), row(3, "1-0:2.8.0*255"), row(5, "1-0:1.4.0*255"))
    make_read(dlms_session, 3, ENERGY, 3, ScalerUnit(0, 31).to_data())
    make_read(dlms_session, 3, ENERGY, 3, ScalerUnit(3, 30).to_data())
    make_read(dlms_session, 3, "1-0:2.8.0*255", 2, double_long_unsigned(5), scaler_unit=ScalerUnit(-2, 30))
    make_read(dlms_session, 5, "1-0:1.4.0*255", 4, ScalerUnit(1, 27).to_data())
    other = make_session(make_meter(meter={"serial_number": "other"}))
    make_read(other, 3, ENERGY, 3, ScalerUnit(9, 1).to_data())
    found = learn(meter)
    units = {reference: (facts.scaler, facts.unit) for reference, facts in found.items()}
    assert units == {f"3/{ENERGY}": (3, 30), "3/1-0:2.8.0*255": (-2, 30), "5/1-0:1.4.0*255": (1, 27)}


def test_what_is_no_scaler_and_unit_is_none(meter) -> None:
    dlms_session = make_session(meter)
    make_list(dlms_session, row(3, ENERGY))
    make_read(dlms_session, 3, ENERGY, 3, unsigned(7))
    make_read(dlms_session, 3, ENERGY, 2, double_long_unsigned(5))
    assert learn(meter)[f"3/{ENERGY}"].unit is None


def test_columns_of_a_profile(meter) -> None:
    dlms_session = make_session(meter)
    columns = (
        CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2),
        CaptureObject(3, ObisCode.parse(ENERGY), 2, 1),
    )
    make_list(dlms_session, row(7, PROFILE), row(7, "1-0:99.2.0*255"))
    make_read(dlms_session, 7, PROFILE, 3, array(*(each.to_data() for each in columns)))
    make_read(dlms_session, 7, "1-0:99.2.0*255", 3, array(unsigned(1)))
    found = learn(meter)
    assert found[f"7/{PROFILE}"].capture_objects == columns
    assert found["7/1-0:99.2.0*255"].capture_objects == ()


def test_by_short_names_with_the_rights_that_another_attribute_tells(meter) -> None:
    dlms_session = make_session(meter)
    listed = array(short_row(-1536, 12, ASSOCIATION), short_row(0x100, 3, ENERGY))
    make_read(dlms_session, 12, ASSOCIATION, 2, listed)
    energy = learn(meter)[f"3/{ENERGY}"]
    assert (energy.base_name, energy.rights) == (0x100, {32: ClientRights()})
    assert learn(meter)[f"12/{ASSOCIATION}"].base_name == 0xFA00
    rights = structure(
        long(0x100),
        array(structure(integer(2), enum(1), null())),
        array(structure(integer(1), boolean(True))),
    )
    make_read(dlms_session, 12, ASSOCIATION, 3, array(rights))
    assert learn(meter)[f"3/{ENERGY}"].rights == {32: ClientRights({2: "r"}, {1: True})}
    make_read(dlms_session, 12, ASSOCIATION, 3, unsigned(1))
    assert learn(meter)[f"3/{ENERGY}"].rights == {32: ClientRights()}


def test_the_newest_list_of_each_association_the_default_first(meter, django_assert_num_queries) -> None:
    public = Association.objects.create(meter=meter, name="Public", client_sap=16, authentication="none")
    first, second = make_session(meter), make_session(meter)
    DlmsSession.objects.filter(pk=second.pk).update(association=public)
    old = make_list(first, row(3, ENERGY))
    new = make_list(first, row(3, ENERGY))
    its = make_list(second, row(8, "0-0:1.0.0*255"))
    make_read(make_session(make_meter(meter={"serial_number": "other"})), 15, ASSOCIATION, 2, array())
    with django_assert_num_queries(2):
        found = read_lists(meter)
    assert [(one.association.client_sap, one.step.pk) for one in found] == [(32, new.pk), (16, its.pk)]
    assert old.pk not in {one.step.pk for one in found}


def test_a_meter_whose_list_was_not_read(meter) -> None:
    assert read_lists(meter) == []


def test_a_list_that_is_none_after_all_says_nothing(meter) -> None:
    make_read(make_session(meter), 15, ASSOCIATION, 2, unsigned(1))
    assert learn(meter) == {}
