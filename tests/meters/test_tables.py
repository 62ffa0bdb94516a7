"""One row of the list of meters."""

from __future__ import annotations

import pytest

from meters.models import Meter
from meters.tables import MeterTable, hdlc_address
from tests.meters.builders import make_ciphered_meter, make_meter

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("framing", "physical", "shown"),
    [("HDLC", 17, "at 17"), ("MODE_E", 17, "at 17"), ("HDLC", 0, "at 0"), ("HDLC", None, ""), ("WRAPPER", 17, "")],
)
def test_an_address_is_shown_where_there_is_one(framing: str, physical: int | None, shown: str) -> None:
    assert hdlc_address(Meter(framing=framing, physical_address=physical), "at ") == shown


def cells(meter: Meter) -> dict[str, str]:
    (row,) = MeterTable([meter]).rows
    return {column.name: str(cell) for column, cell in row.items()}


def test_a_row_names_the_association_as_technicians_do() -> None:
    found = cells(make_ciphered_meter())
    assert "HLS-GMAC" in found["association"]
    assert "Management: High level, GMAC, protection: authenticated and encrypted" in found["association"]
    assert "127.0.0.1:4059" in found["line"]
    assert "none yet" in found["last_session"]
    assert "never" in found["last_seen"]


def test_only_a_meter_with_an_association_can_be_opened_from_its_row() -> None:
    meter = make_meter(association={"authentication": "none"}, secrets={"LLS_SECRET": b""})
    assert f"/meters/{meter.pk}/open/" in cells(meter)["open"]
    meter.associations.all().delete()
    assert cells(Meter.objects.get())["open"] == ""
