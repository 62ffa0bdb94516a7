"""What is known of a meter's objects: from the newest object list, by logical and by short names."""

from __future__ import annotations

import pytest

from meters.cosem.data import (
    array,
    boolean,
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
from sessions.known_objects import find_object, known_objects, objects_of, read_values, result_data, version_of
from sessions.models import DlmsSession, Step
from tests.sessions.builders import make_read, make_session

pytestmark = pytest.mark.django_db

RELAY = ObisCode.parse("0-0:96.3.10*255")
PUSH = ObisCode.parse("0-0:25.9.0*255")
ASSOCIATION = ObisCode.parse("0-0:40.0.0*255")


def entry(
    class_id: int, version: int, name: ObisCode, attributes: dict[int, int], methods: dict[int, object]
) -> object:
    return structure(
        long_unsigned(class_id),
        unsigned(version),
        octet_string(name.octets),
        structure(
            array(*(structure(integer(number), enum(mode), null()) for number, mode in attributes.items())),
            array(*(structure(integer(number), mode) for number, mode in methods.items())),
        ),
    )


def read_list(dlms_session: DlmsSession, *entries: object) -> Step:
    return make_read(dlms_session, 15, str(ASSOCIATION), 2, array(*entries))


def test_nothing_is_known_before_a_list_was_read() -> None:
    dlms_session = make_session()
    assert known_objects(dlms_session) == []
    assert find_object(dlms_session, 70, RELAY) is None
    assert version_of(dlms_session, 40, PUSH) is None


def test_the_objects_in_order() -> None:
    dlms_session = make_session()
    read_list(dlms_session, entry(70, 1, RELAY, {}, {}), entry(40, 2, PUSH, {}, {}), entry(9999, 0, PUSH, {}, {}))
    found = known_objects(dlms_session)
    assert [(known.class_id, known.version, known.class_name) for known in found] == [
        (40, 2, "Push setup"),
        (70, 1, "Disconnect control"),
        (9999, 0, ""),
    ]
    assert found[1].meaning == "Disconnect control"
    assert version_of(dlms_session, 40, PUSH) == 2
    assert version_of(dlms_session, 8, PUSH) is None  # only one version is known: no matter


def test_what_may_be_done_with_them() -> None:
    dlms_session = make_session()
    attributes = {1: 1, 2: 3, 3: 0, 4: 5, 5: 9}
    read_list(dlms_session, entry(70, 0, RELAY, attributes, {1: boolean(True), 2: boolean(False)}))
    relay = find_object(dlms_session, 70, RELAY)
    assert [relay.may_read(number) for number in (1, 2, 3, 4, 5, 6)] == [True, True, False, False, False, False]
    assert [relay.may_write(number) for number in (1, 2, 3, 4)] == [False, True, False, True]
    assert [relay.may_invoke(number) for number in (1, 2, 3)] == [True, False, False]
    assert relay.attribute_access(2) == "read and write"
    assert relay.attribute_access(3) == relay.attribute_access(77) == "no access"
    assert relay.attribute_access(5) == "mode 9"
    assert (relay.method_access(1), relay.method_access(2)) == ("access", "no access")


def test_access_modes_of_version_3_are_bits() -> None:
    dlms_session = make_session()
    read_list(
        dlms_session,
        entry(15, 3, ASSOCIATION, {2: 1}, {}),
        entry(70, 0, RELAY, {2: 0b0101, 4: 0b0011, 3: 0b0110}, {1: enum(0b1001), 2: enum(0)}),
    )
    relay = find_object(dlms_session, 70, RELAY)
    assert [relay.may_read(number) for number in (2, 3, 4)] == [True, False, True]
    assert [relay.may_write(number) for number in (2, 3, 4)] == [False, True, True]
    assert relay.attribute_access(2) == "read, authenticated request"
    assert relay.method_access(1) == "access, encrypted request"
    assert relay.method_access(2) == "no access"
    assert [relay.may_invoke(number) for number in (1, 2)] == [True, False]


def test_by_short_names_there_are_no_rights_in_the_list() -> None:
    dlms_session = make_session()
    row = structure(long(-0x0600), long_unsigned(70), unsigned(0), octet_string(RELAY.octets))
    make_read(dlms_session, 12, str(ASSOCIATION), 2, array(row))
    relay = find_object(dlms_session, 70, RELAY)
    assert relay.base_name == 0xFA00
    assert relay.may_read(2)
    assert relay.may_write(2)
    assert relay.may_invoke(1)
    assert relay.attribute_access(2) == relay.method_access(1) == ""


def test_the_newest_list_counts_and_the_sessions_own_first() -> None:
    first = make_session()
    read_list(first, entry(40, 0, PUSH, {}, {}))
    second = make_session()
    assert version_of(second, 40, PUSH) == 0  # of another session through the same association
    read_list(second, entry(40, 1, PUSH, {}, {}))
    assert version_of(second, 40, PUSH) == 1
    assert version_of(first, 40, PUSH) == 0
    third = make_session()
    assert version_of(third, 40, PUSH) == 1


def test_another_association_may_see_another_meter() -> None:
    first = make_session()
    read_list(first, entry(40, 0, PUSH, {}, {}))
    second = make_session()
    second.association = None
    second.save()
    assert known_objects(second) == []


@pytest.mark.parametrize(
    "rows",
    [
        None,
        5,
        "x",
        [5],
        [[8, 0]],
        [[8, 0, "zz"]],
        [["x", 0, "0000010000ff"]],
        [[-1, 0, "0-0:1.0.0*255"]],
        [None],
        [{"a": 1}],
    ],
)
def test_a_list_that_is_none_is_none(rows) -> None:
    step = Step(
        kind="READ",
        parameters={"class_id": 15, "logical_name": str(ASSOCIATION), "attribute_id": 2},
        result={"value": rows},
    )
    assert objects_of(step) is None


def test_other_results_are_no_lists() -> None:
    for class_id, attribute_id in ((15, 3), (3, 2), (None, None)):
        assert (
            objects_of(Step(parameters={"class_id": class_id, "attribute_id": attribute_id}, result={"value": []}))
            is None
        )


def test_rights_that_are_odd_are_left_out() -> None:
    row = [70, 0, RELAY.octets.hex(), 5]
    step = Step(parameters={"class_id": 15, "attribute_id": 2}, result={"value": [row]})
    assert objects_of(step)[0].attribute_modes is None


def test_the_value_is_kept_whole() -> None:
    step = make_read(make_session(), 70, str(RELAY), 3, enum(1))
    assert result_data(step) == enum(1)
    for octets in (None, "", "zz", "16", "1601ff", 5):
        step.result["octets"] = octets
        assert result_data(step) is None


def test_the_newest_value_of_each_attribute() -> None:
    dlms_session = make_session()
    make_read(dlms_session, 70, str(RELAY), 3, enum(0))
    newest = make_read(dlms_session, 70, str(RELAY), 3, enum(1))
    mode = make_read(dlms_session, 70, str(RELAY), 4, enum(4))
    make_read(dlms_session, 70, "0-0:96.3.11*255", 2, boolean(True))
    failed = make_read(dlms_session, 70, str(RELAY), 2, boolean(True))
    failed.state = Step.State.FAILED
    failed.save()
    make_read(make_session(), 70, str(RELAY), 2, boolean(True))
    assert read_values(dlms_session, 70, RELAY) == {3: newest, 4: mode}
