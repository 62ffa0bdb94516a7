from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from meters.catalogs import services
from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.catalogs.services import (
    catalog_facts,
    delete_objects,
    group_objects,
    plan_objects,
    put_objects,
    replace_objects,
    save_object,
)
from meters.changes import new_request
from meters.cosem.obis import ObisCode
from meters.models import CatalogObject, Change, MeterType
from tests.meters.builders import make_meter
from tests.meters.catalogs.strategies import facts_of

ENERGY = ObjectFacts(class_id=3, logical_name=ObisCode.parse("1-0:1.8.0*255"), scaler=0, unit=30)
VOLTAGE = ObjectFacts(class_id=3, logical_name=ObisCode.parse("1-0:32.7.0*255"), low=Decimal(207), high=Decimal(253))


@pytest.fixture
def meter_type(db):
    return MeterType.objects.create(manufacturer="ACME", model="X200")


def put(meter_type, *objects, **more):
    return put_objects(**{"user": "anna", "meter_type": meter_type, "objects": objects, "origin": "x.gxc", **more})


def log():
    return Change.objects.filter(kind=Change.Kind.CATALOG).order_by("pk")


def test_objects_are_added_with_an_entry_in_the_log_for_each(meter_type):
    with new_request() as request_id:
        result = put(meter_type, ENERGY, VOLTAGE, ENERGY)
    assert (result.added, result.changed, result.unchanged, result.conflicts) == (2, 0, 0, [])
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]
    first, second = log()
    assert (first.object_id, first.label, first.action) == (meter_type.pk, "3/1-0:1.8.0*255 of ACME X200", "CREATE")
    assert first.fields == {
        "object": [None, "3/1-0:1.8.0*255"],
        "scaler": [None, "0"],
        "unit": [None, "Wh"],
    }
    assert first.message == "x.gxc"
    assert {first.request_id, second.request_id} == {request_id}
    assert second.fields["low"] == [None, "207"]


def test_what_is_said_again_changes_nothing_and_is_not_logged(meter_type):
    put(meter_type, ENERGY)
    result = put(meter_type, ENERGY)
    assert (result.added, result.changed, result.unchanged) == (0, 0, 1)
    assert log().count() == 1


def test_what_the_catalog_does_not_say_is_filled_and_what_it_says_otherwise_is_a_conflict(meter_type):
    put(meter_type, ENERGY)
    said = replace(ENERGY, scaler=3, title="Import")
    result = put(meter_type, said)
    assert (result.changed, result.conflicts) == (1, [("3/1-0:1.8.0*255", ["scaler"])])
    assert catalog_facts(meter_type.pk) == [replace(ENERGY, title="Import")]
    assert put(meter_type, said, overwrite=True).changed == 1
    assert catalog_facts(meter_type.pk) == [said]
    assert log().last().fields == {"scaler": ["0", "3"]}


def test_the_word_of_the_same_meter_is_renewed(meter_type):
    meter = make_meter()
    put(meter_type, ENERGY, learned_from=meter)
    result = put(meter_type, replace(ENERGY, scaler=3), learned_from=meter)
    assert (result.changed, result.conflicts) == (1, [])
    row = CatalogObject.objects.get()
    assert (row.scaler, row.learned_from, row.origin) == (3, meter, "x.gxc")


def test_a_contradiction_that_was_kept_stays_one(meter_type):
    meter, other = make_meter(), make_meter(meter={"serial_number": "87654321"})
    put(meter_type, ENERGY, learned_from=meter)
    said = replace(ENERGY, scaler=3, version=0)
    for _ in range(2):
        assert put(meter_type, said, learned_from=other).conflicts == [("3/1-0:1.8.0*255", ["scaler"])]
    assert CatalogObject.objects.get().learned_from is None


def test_the_plan_says_what_would_be_done_and_does_nothing(meter_type):
    put(meter_type, ENERGY)
    (first, second) = plan_objects(meter_type=meter_type, objects=[replace(ENERGY, unit=31), VOLTAGE])
    assert (first.state.value, first.conflicting, second.state.value) == ("conflict", ["unit"], "new")
    assert catalog_facts(meter_type.pk) == [ENERGY]


def test_what_cannot_be_is_refused_whole(meter_type):
    with pytest.raises(ValidationError, match=r"3/1-0:1.8.0\*255, scaler: 99 is outside"):
        put(meter_type, VOLTAGE, replace(ENERGY, scaler=99))
    many = [replace(ENERGY, logical_name=ObisCode(1, 0, 1, 8, e), scaler=99) for e in range(30)]
    with pytest.raises(ValidationError, match="and 10 more"):
        put(meter_type, *many)
    assert not CatalogObject.objects.exists()
    assert not log().exists()


def test_a_catalog_has_an_end(meter_type, monkeypatch):
    monkeypatch.setattr(services, "MAX_OBJECTS", 1)
    put(meter_type, ENERGY)
    with pytest.raises(ValidationError, match="at most 1"):
        put(meter_type, VOLTAGE)
    with pytest.raises(ValidationError, match="at most 1"):
        save_object(user="anna", meter_type=meter_type, facts=VOLTAGE)
    assert catalog_facts(meter_type.pk) == [ENERGY]


def test_catalogs_of_two_types_are_two(meter_type):
    other = MeterType.objects.create(manufacturer="ACME", model="X300")
    put(meter_type, ENERGY)
    put(other, replace(ENERGY, scaler=3))
    assert catalog_facts(meter_type.pk) == [ENERGY]
    assert catalog_facts(other.pk) == [replace(ENERGY, scaler=3)]


def test_replacing_also_empties(meter_type):
    put(meter_type, ENERGY, VOLTAGE)
    bare = replace(ENERGY, scaler=None, unit=None)
    result = replace_objects(user="anna", meter_type=meter_type, objects=[bare, VOLTAGE], origin="a.csv")
    assert (result.added, result.changed, result.unchanged) == (0, 1, 1)
    assert catalog_facts(meter_type.pk) == [bare, VOLTAGE]
    assert log().last().fields == {"scaler": ["0", None], "unit": ["Wh", None]}


def test_a_person_saves_one_object(meter_type):
    row = save_object(user="anna", meter_type=meter_type, facts=VOLTAGE)
    assert (row.facts, row.origin) == (VOLTAGE, "anna")
    moved = replace(VOLTAGE, class_id=4)
    assert save_object(user="anna", meter_type=meter_type, facts=moved, entry_id=row.pk).facts == moved
    assert log().last().fields == {"object": ["3/1-0:32.7.0*255", "4/1-0:32.7.0*255"]}
    assert log().last().message == ""
    save_object(user="anna", meter_type=meter_type, facts=moved, entry_id=row.pk)
    assert log().count() == 2


def test_a_title_by_hand_leaves_the_meters_word_and_a_unit_by_hand_does_not(meter_type):
    meter = make_meter()
    put(meter_type, ENERGY, learned_from=meter)
    row = CatalogObject.objects.get()
    titled = replace(ENERGY, title="Import")
    assert save_object(user="anna", meter_type=meter_type, facts=titled, entry_id=row.pk).learned_from == meter
    other = replace(titled, unit=31)
    assert save_object(user="anna", meter_type=meter_type, facts=other, entry_id=row.pk).learned_from is None
    assert put(meter_type, ENERGY, learned_from=meter).conflicts


def test_a_person_is_told_what_is_wrong_by_field(meter_type):
    put(meter_type, ENERGY)
    with pytest.raises(ValidationError) as refused:
        save_object(user="anna", meter_type=meter_type, facts=replace(VOLTAGE, low=Decimal(300)))
    assert refused.value.message_dict == {"high": ["The high limit (253) is not above the low one (300)."]}
    with pytest.raises(ValidationError, match=r"has 3/1-0:1.8.0\*255 already"):
        save_object(user="anna", meter_type=meter_type, facts=ENERGY)


def test_deleting_names_what_is_gone(meter_type):
    put(meter_type, ENERGY, VOLTAGE)
    other = MeterType.objects.create(model="other")
    ids = list(CatalogObject.objects.values_list("pk", flat=True))
    assert delete_objects(user="anna", meter_type=other, ids=ids) == 0
    assert delete_objects(user="anna", meter_type=meter_type, ids=ids[:1]) == 1
    assert catalog_facts(meter_type.pk) == [VOLTAGE]
    last = log().last()
    assert (last.action, last.fields["unit"]) == ("DELETE", ["Wh", None])


def test_groups_are_set_for_many(meter_type):
    meter = make_meter()
    put(meter_type, ENERGY, VOLTAGE, learned_from=meter)
    ids = list(CatalogObject.objects.values_list("pk", flat=True))
    assert group_objects(user="anna", meter_type=meter_type, ids=ids, group="  Energy  values ") == 2
    assert group_objects(user="anna", meter_type=meter_type, ids=ids, group="Energy values") == 0
    assert {row.group for row in CatalogObject.objects.all()} == {"Energy values"}
    assert {row.learned_from for row in CatalogObject.objects.all()} == {meter}
    assert {row.origin for row in CatalogObject.objects.all()} == {"x.gxc"}
    assert log().last().message == ""
    with pytest.raises(ValidationError, match="at most 60"):
        group_objects(user="anna", meter_type=meter_type, ids=ids, group="g" * 61)


class Stored(TestCase):
    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
    @given(st.lists(facts_of(), max_size=6, unique_by=lambda facts: facts.key))
    def test_the_database_gives_back_what_it_was_given(self, objects):
        meter_type = MeterType.objects.create(model="any")
        put_objects(user="anna", meter_type=meter_type, objects=objects, origin="tests")
        in_order = sorted(objects, key=lambda facts: (facts.logical_name, facts.class_id))
        assert catalog_facts(meter_type.pk) == in_order


def test_the_rights_of_another_association_are_added(meter_type):
    put(meter_type, replace(ENERGY, rights={16: ClientRights({2: "r"})}))
    put(meter_type, replace(ENERGY, rights={1: ClientRights({2: "rw"})}))
    (facts,) = catalog_facts(meter_type.pk)
    assert facts.rights == {16: ClientRights({2: "r"}), 1: ClientRights({2: "rw"})}


def test_the_statements_do_not_grow_with_the_objects(meter_type, django_assert_max_num_queries):
    many = [replace(ENERGY, logical_name=ObisCode(1, b, c, 8, 0)) for b in range(4) for c in range(100)]
    with django_assert_max_num_queries(20):
        put(meter_type, *many)
