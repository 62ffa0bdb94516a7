"""What was planned is written; most of it is seen in test_work. Here: what a type adds."""

from __future__ import annotations

import pytest

from meters.changes import changes_of
from meters.meter_types.services import save_template, save_type
from meters.models import Change, Line, Meter, MeterType
from tests.meters.imports.conftest import row, table

pytestmark = pytest.mark.django_db


def test_all_associations_of_its_type(load, user) -> None:
    made = save_type(user=user, values={"manufacturer": "Maker", "model": "M1"})
    for name, sap in (("Public", 16), ("Reader", 2)):
        save_template(
            user=user, type_id=made.pk, values={"name": name, "client_sap": sap, "is_default": name == "Public"}
        )
    load(table([row("1", client_sap="", authentication="")]))
    meter = Meter.objects.get()
    found = meter.associations.order_by("pk").values_list("name", "client_sap", "is_default")
    assert list(found) == [("Public", 16, True), ("Reader", 2, False)]
    reader = meter.associations.get(name="Reader")
    assert changes_of(meter).get().fields[f"association.{reader.pk}.client_sap"] == [None, 2]


def test_types_and_lines_have_their_entries(load, user) -> None:
    run = load(
        table([["1", "10.0.0.7", "1", "Maker", "M1", "Gas"]], ["Serial", "Host", "Port", "Maker", "Model", "Medium"])
    )
    kinds = Change.objects.filter(request_id=run.request_id, action="CREATE").values_list("kind", flat=True)
    assert sorted(kinds) == ["LINE", "METER", "TYPE"]
    assert (MeterType.objects.get().medium, Line.objects.get().describe()) == ("GAS", "10.0.0.7:1")
