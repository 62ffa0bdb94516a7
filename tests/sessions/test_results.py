"""What a page shows of a result: a value, a tree, an object list, rows; in the words of its class where it was kept whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.services import put_objects
from meters.cosem.data import Data, array, enum, integer, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from meters.cosem.value_entry import from_json
from meters.cosem.value_type import parse_type
from sessions import results
from sessions.dlms.certificate_authority import make_root
from sessions.models import Step
from sessions.results import ResultView, result_view
from tests.sessions.builders import make_read, make_session

OBJECT_LIST = {"class_id": 15, "logical_name": "0-0:40.0.0*255", "attribute_id": 2}


def step(kind: str = "READ", *, value: object = None, parameters: dict | None = None) -> Step:
    result = None if value is None else {"type": "x", "value": value, "text": "x"}
    return Step(kind=kind, parameters=parameters or {"class_id": 1, "attribute_id": 2}, result=result)


def test_a_single_value() -> None:
    assert result_view(step(value=5)).kind == "value"


def test_nothing_yet() -> None:
    assert result_view(step()).kind == "none"


def test_rows() -> None:
    assert result_view(step("READ_PROFILE")).kind == "profile"


def test_a_structure_is_a_tree() -> None:
    view = result_view(step(value=[1, ["a", None]]))
    assert view.kind == "tree"
    first, second = view.tree
    assert (first.text, first.parts) == ("1", ())
    assert [part.text for part in second.parts] == ["a", "null"]
    assert view.expanded
    assert not view.truncated


def test_a_huge_tree_is_cut_and_says_so(monkeypatch) -> None:
    monkeypatch.setattr(results, "MAX_NODES", 10)
    view = result_view(step(value=[[n] for n in range(100)]))
    assert view.truncated
    assert len(view.tree) <= 10


def test_an_object_list_is_a_table_in_order() -> None:
    rows = [[8, 0, "0000010000ff", [[], []]], [3, 0, "0100010800ff", [[], []]], [9999, 0, "0000010000ff", []]]
    view = result_view(step(value=rows, parameters=OBJECT_LIST))
    assert [(row.class_id, row.class_name, str(row.logical_name)) for row in view.objects] == [
        (3, "Register", "1-0:1.8.0*255"),
        (8, "Clock", "0-0:1.0.0*255"),
        (9999, "", "0-0:1.0.0*255"),
    ]
    assert view.objects[0].title.startswith("Active energy import")


def test_an_object_list_that_is_none_falls_back_to_a_tree() -> None:
    for odd in ([5], [[8, 0]], [[8, 0, "zz"]], [["x", 0, "0000010000ff"]], [None], [{"a": 1}]):
        assert result_view(step(value=odd, parameters=OBJECT_LIST)).kind == "tree"


# -- values that were kept whole ---------------------------------------------------------------------------------------

RELAY, PUSH, CLOCK = "0-0:96.3.10*255", "0-0:25.9.0*255", octet_string(ObisCode.parse("0-0:1.0.0*255").octets)


@pytest.mark.django_db
class TestWords:
    def test_an_enumeration(self) -> None:
        view = result_view(make_read(make_session(), 70, RELAY, 3, enum(1)))
        assert (view.kind, view.text, view.declared, view.remark) == ("value", "connected (1)", "enum", "")
        assert view.raw.octets == "1601"
        assert view.raw.text == "1"
        assert view.groups[0].words == "abstract"

    def test_a_register_keeps_its_unit(self) -> None:
        step = make_read(make_session(), 3, "1-0:1.8.0*255", 2, long_unsigned(12345), scaler_unit=ScalerUnit(-1, 30))
        view = result_view(step)
        assert view.text == "1234.5 Wh"
        assert json.loads(view.raw.text) == {"type": "long-unsigned", "value": 12345}

    def test_a_structure_with_the_names_of_its_fields(self) -> None:
        columns = array(*[structure(long_unsigned(8), CLOCK, integer(2), long_unsigned(0))] * 2)
        view = result_view(make_read(make_session(), 7, "1-0:99.1.0*255", 3, columns))
        assert (view.kind, view.text, view.declared) == ("tree", "2 elements", "array of capture object")
        assert view.tree[0].text == "Clock (0-0:1.0.0*255), time"
        assert [part.name for part in view.tree[0].parts] == [
            "class_id",
            "logical_name",
            "attribute_index",
            "data_index",
        ]

    def test_the_raw_text_is_the_same_value(self) -> None:
        columns = array(structure(long_unsigned(8), CLOCK, integer(2), long_unsigned(0)))
        view = result_view(make_read(make_session(), 7, "1-0:99.1.0*255", 3, columns))
        assert from_json(json.loads(view.raw.text), parse_type("[capture_object]")) == columns

    def test_the_version_of_the_object_list_decides(self) -> None:
        dlms_session = make_session()
        listed = structure(
            long_unsigned(64), unsigned(0), octet_string(ObisCode.parse("0-0:43.0.0*255").octets), array()
        )
        step = make_read(dlms_session, 64, "0-0:43.0.0*255", 2, enum(3))
        assert result_view(step).text == "bit 0, bit 1 (3)"  # as the latest version says it
        make_read(dlms_session, 15, "0-0:40.0.0*255", 2, array(listed))
        assert result_view(step).text == "all messages authenticated and encrypted (3)"

    def test_another_type_than_the_declared_one_is_told(self) -> None:
        view = result_view(make_read(make_session(), 70, RELAY, 3, unsigned(1)))
        assert (view.text, view.remark) == ("1", "declared as enum")

    @pytest.mark.parametrize(("class_id", "attribute_id"), [(9999, 2), (70, 77), (1, 2)])
    def test_unknown_classes_and_attributes_are_shown_raw(self, class_id: int, attribute_id: int) -> None:
        value = structure(unsigned(1), octet_string(b"\x01\x02"))
        view = result_view(make_read(make_session(), class_id, RELAY, attribute_id, value))
        assert view.kind == "tree"
        assert [(part.name, part.text) for part in view.tree] == [("1", "1"), ("2", "0102")]
        assert view.raw.octets == "0202110109020102"

    def test_what_a_method_returned(self) -> None:
        step = make_read(make_session(), 70, RELAY, 3, enum(1))
        step.kind, step.parameters = Step.Kind.INVOKE, {"class_id": 70, "logical_name": RELAY, "method_id": 1}
        view = result_view(step)
        assert (view.kind, view.text, view.groups) == ("value", "1", ())

    def test_a_certificate_that_a_method_returned(self) -> None:
        der = make_root("Root", bytes(range(1, 33)), serial_number=5, not_before=datetime(2024, 1, 1, tzinfo=UTC)).der
        step = make_read(make_session(), 1, RELAY, 2, octet_string(der))
        step.kind = Step.Kind.INVOKE
        step.parameters = {"class_id": 64, "logical_name": "0-0:43.0.0*255", "method_id": 7}
        view = result_view(step)
        assert view.text.startswith("certificate of CN=Root for CA, P-256, valid 2024-01-01 to ")
        assert view.raw.octets.endswith(der.hex())

    def test_a_huge_tree_is_cut_and_its_text_left_out(self, monkeypatch) -> None:
        monkeypatch.setattr(results, "MAX_NODES", 10)
        monkeypatch.setattr(results, "MAX_RAW_OCTETS", 20)
        view = result_view(make_read(make_session(), 1, RELAY, 2, array(*[unsigned(1)] * 100)))
        assert view.truncated
        assert len(view.tree) <= 10
        assert not view.expanded
        assert (len(view.raw.octets), view.raw.text, view.raw.truncated) == (40, "", True)

    def test_octets_that_do_not_decode_fall_back_to_the_json(self) -> None:
        step = make_read(make_session(), 70, RELAY, 3, enum(1))
        step.result["octets"] = "ff00"
        view = result_view(step)
        assert (view.kind, view.text, view.raw) == ("value", "connected (1)", None)

    def test_a_meter_that_counts_the_deviation_the_other_way(self) -> None:
        dlms_session = make_session()
        dlms_session.meter.reverse_deviation = True
        clock = octet_string(bytes.fromhex("07ea0b19030a000000003c00"))
        view = result_view(make_read(dlms_session, 8, "0-0:1.0.0*255", 2, clock))
        assert view.text == "2026-11-25 10:00:00+01:00"
        assert view.raw.octets == "090c07ea0b19030a000000003c00"


@pytest.mark.django_db
class TestTypesCatalog:
    """Titles, limits and units that the catalog of the meter's type has."""

    VOLTAGE = ObjectFacts(
        class_id=3,
        logical_name=ObisCode.parse("1-0:32.7.0*255"),
        title="U1",
        unit=35,
        low=Decimal(207),
        high=Decimal(253),
    )

    def read(
        self, value: Data, class_id: int = 3, scaler_unit: ScalerUnit | None = None, **facts: object
    ) -> ResultView:
        dlms_session = make_session()
        known = replace(self.VOLTAGE, class_id=class_id, **facts)
        put_objects(user="x", meter_type=dlms_session.meter.meter_type, objects=[known], origin="x")
        return result_view(make_read(dlms_session, class_id, "1-0:32.7.0*255", 2, value, scaler_unit=scaler_unit))

    @pytest.mark.parametrize(
        ("raw", "words"), [(2300, ""), (2531, "above the high limit of 253 V"), (0, "below the low limit of 207 V")]
    )
    def test_a_value_beyond_its_limits_is_told(self, raw, words) -> None:
        view = self.read(long_unsigned(raw), scaler_unit=ScalerUnit(-1, 35))
        assert (view.title, view.beyond, view.by_catalog) == ("U1", words, False)

    def test_another_unit_than_the_catalogs_is_told_instead(self) -> None:
        assert self.read(long_unsigned(9999), scaler_unit=ScalerUnit(0, 33)).beyond == "the catalog has another unit: V"

    def test_a_data_object_has_the_catalogs_scaler_and_unit(self) -> None:
        view = self.read(long_unsigned(2531), class_id=1, scaler=-1)
        assert (view.text, view.by_catalog, view.beyond) == ("253.1 V", True, "above the high limit of 253 V")

    def test_a_register_without_scaler_stays_a_plain_number(self) -> None:
        view = self.read(long_unsigned(230), scaler=-1)
        assert (view.text, view.by_catalog) == ("230", False)

    def test_one_query_asks_the_catalog(self, django_assert_max_num_queries) -> None:
        dlms_session = make_session()
        step = make_read(dlms_session, 3, "1-0:32.7.0*255", 2, long_unsigned(1), scaler_unit=ScalerUnit(0, 35))
        with django_assert_max_num_queries(3):
            result_view(step)
