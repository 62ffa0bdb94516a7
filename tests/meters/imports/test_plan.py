"""What would become of a row, one rule after the other."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from meters.imports.plan import Planner, RowReader
from meters.imports.table import TableRow
from meters.meter_types.services import save_template, save_type
from meters.models import AllowedTarget, MeterType
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return get_user_model().objects.create_user("ada")


@pytest.fixture
def plan(user):
    def one(**values: Any):
        [planned] = Planner(user).plan([(2, {"serial_number": "1", **values})])
        return planned

    return one


class TestCells:
    @pytest.mark.parametrize(
        ("kind", "cell", "fault", "warning"),
        [
            ("t", "000123", "", ""),
            ("n", "123", "", "zeros at its begin are lost"),
            ("n", "12345678901.5", "shortened this number", ""),
            ("n", "1.23E+10", "shortened this number", ""),
            ("t", "1.23E+10", "shortened this number", ""),
            ("t", "1,23e+10", "shortened this number", ""),
            ("d", "2026-03-01 00:00:00", "took it for a date", ""),
            ("f", '="000"&A1', "is a formula", ""),
            ("e", "#N/A", "shows an error", ""),
        ],
    )
    def test_what_a_spreadsheet_made_of_a_serial_number(self, kind, cell, fault, warning) -> None:
        values, faults, warnings = RowReader({"serial_number": 0}).read(TableRow(2, [cell], kind))
        assert [fault in why for _, _, why in faults] == ([True] if fault else [])
        assert [warning in why for _, _, why in warnings] == ([True] if warning else [])
        assert values == ({} if fault else {"serial_number": cell})

    def test_numbers_are_numbers(self) -> None:
        values, faults, warnings = RowReader({"serial_number": 0, "port": 1}).read(TableRow(2, ["a", "4059"], "tn"))
        assert (values, faults, warnings) == ({"serial_number": "a", "port": 4059}, [], [])

    def test_all_faults_of_a_row_are_told(self) -> None:
        reader = RowReader({"serial_number": 0, "port": 1, "state": 2})
        _, faults, _ = reader.read(TableRow(2, ["", "x", "y"], "", "ragged"))
        assert [key for key, _, _ in faults] == ["", "serial_number", "port", "state"]


class TestLines:
    def test_a_target_that_is_not_allowed(self, plan, user) -> None:
        AllowedTarget.objects.all().delete()
        planner = Planner(user)
        rows = [(n, {"serial_number": str(n), "host": f"10.0.0.{n}", "port": 4059}) for n in range(2, 40)]
        found = planner.plan(rows)
        assert all("not on your list of allowed targets" in each.faults[0][2] for each in found)
        assert len(planner.refused_targets) == 20
        assert plan(host="169.254.169.254", port=80).faults
        assert plan(host="somewhere.lab", port=80).faults

    def test_where_a_meter_is_already_may_stay(self, plan) -> None:
        make_meter(meter={"serial_number": "1"})
        AllowedTarget.objects.all().delete()
        assert plan(host="127.0.0.1", port=4059, location="x").faults == []
        assert plan(port=4060).faults[0][0] == "host"

    @pytest.mark.parametrize(
        ("values", "described"),
        [
            ({"host": "10.0.0.7", "port": 4059}, "10.0.0.7:4059"),
            ({"kind": "UDP", "host": "10.0.0.7", "port": 4059}, "10.0.0.7:4059 (UDP)"),
            ({"line": {"kind": "TCP", "host": "10.0.0.7", "port": 1}}, "10.0.0.7:1"),
            ({"serial_port": "bridge-1", "framing": "HDLC", "baud": 19200}, "bridge-1, 19200 8N1"),
        ],
    )
    def test_of_a_new_meter(self, plan, settings, values, described) -> None:
        settings.SERIAL_PORTS = {"bridge-1": "/dev/ttyUSB7"}
        assert plan(**values).fields["line"] == [None, described]

    @pytest.mark.parametrize(
        ("values", "column", "words"),
        [
            ({"host": "10.0.0.7"}, "port", "needs a host and a port"),
            ({"port": 4059}, "host", "needs a host and a port"),
            ({}, "host", "A new meter needs a line"),
            ({"serial_port": "bridge-2", "framing": "HDLC"}, "serial_port", "one of the serial ports"),
            ({"host": "10.0.0.7", "port": 1, "kind": "UDP", "framing": "HDLC"}, "framing", "UDP carries the wrapper"),
            ({"host": "10.0.0.7", "port": 1, "framing": "HDLC", "client_sap": 200}, "client_sap", "at most 127"),
            ({"host": "h", "port": 1, "framing": "HDLC", "physical_address": 200, "address_octets": 2}, "address_octets", "127"),
            ({"host": "10.0.0.7", "port": 1, "manufacturer": "Maker"}, "manufacturer", "the model is missing"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit(self, plan, values, column, words) -> None:
        [(key, _, why)] = plan(**values).faults
        assert (key, words in why) == (column, True)

    def test_a_known_meter_keeps_what_is_not_said(self, plan) -> None:
        make_meter(meter={"serial_number": "1"}, line={"host": "10.0.0.7"})
        planned = plan(port=4060)
        assert planned.fields == {"line": ["10.0.0.7:4059", "10.0.0.7:4060"]}
        assert plan(host="10.0.0.7", port=4059).outcome == "SAME"

    def test_a_line_that_has_a_name_keeps_it(self, plan) -> None:
        make_meter(meter={"serial_number": "other"}, line={"host": "10.0.0.7", "name": "rack"})
        planned = plan(host="10.0.0.7", port=4059, line_name="shelf")
        assert (planned.line.name, "it stays" in planned.warnings[0][2]) == ("rack", True)


class TestTypes:
    def test_a_new_meter_begins_as_its_type_says(self, plan, user) -> None:
        made = save_type(user=user, values={"manufacturer": "Maker", "model": "M9", "framing": "HDLC", "max_info": 256})
        save_template(user=user, type_id=made.pk, values={"name": "Reader", "client_sap": 2, "is_default": True})
        planned = plan(host="10.0.0.7", port=4059, manufacturer="Maker", model="M9", max_info=512)
        assert planned.meter_values["framing"] == "HDLC"
        assert planned.meter_values["max_info"] == 512
        assert planned.association_values["client_sap"] == 2
        assert planned.fields["association.new.name"] == [None, "Reader"]

    def test_of_several_firmwares_the_one_that_names_none(self, plan) -> None:
        plain = MeterType.objects.create(manufacturer="Maker", model="M9")
        MeterType.objects.create(manufacturer="Maker", model="M9", firmware="1.0")
        planned = plan(host="10.0.0.7", port=4059, manufacturer="Maker", model="M9")
        assert planned.fields["meter_type"] == [None, str(plain)]


def test_system_titles_are_the_same_in_any_case(plan) -> None:
    make_meter(meter={"serial_number": "1", "server_system_title": "4D4B520000BC614E"})
    assert plan(server_system_title="4d4b520000bc614e").outcome == "SAME"


def test_nothing_is_written(plan) -> None:
    plan(host="10.0.0.7", port=4059, manufacturer="A", model="B", batch="Lot", tags=["t"])
    assert not MeterType.objects.exists()
