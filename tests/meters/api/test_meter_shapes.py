"""A meter in JSON: all of it, and no secret."""

from __future__ import annotations

import pytest

from meters.api.meter_shapes import MeterDetail, MeterRow, detail_of, detailed_meters, row_of
from meters.export import with_all
from meters.models import Association, Meter
from tests.meters.builders import GAK, GUEK, make_ciphered_meter, make_meter

pytestmark = pytest.mark.django_db


def test_every_column_of_a_meter_and_of_an_association_is_told_but_what_only_serves_the_search() -> None:
    columns = {field.name for field in Meter._meta.get_fields() if field.concrete}
    assert columns - set(MeterDetail.model_fields) == {"search_text"}
    told = {field.name for field in Association._meta.concrete_fields} - {"meter"}
    (inner,) = MeterDetail.model_fields["associations"].annotation.__args__
    assert told == set(inner.model_fields) - {"keys"}


def test_keys_are_told_by_slot_version_and_fingerprint() -> None:
    make_ciphered_meter(association={**_association(), "name": "HLS"})
    detail = detail_of(detailed_meters().get())
    assert [(key.slot, key.version, len(key.fingerprint)) for key in detail.keys] == [("GAK", 1, 8), ("GUEK", 1, 8)]
    text = detail.model_dump_json()
    for secret in (GUEK, GAK):
        assert secret.hex() not in text.lower()


def _association() -> dict[str, object]:
    return {
        "authentication": "hls-gmac",
        "protection": "authenticated-encrypted",
        "client_system_title": "4d57424d57422d31",
    }


def test_the_keys_of_an_association_stand_with_it() -> None:
    make_meter()
    detail = detail_of(detailed_meters().get(), ["careful"])
    assert [key.slot for key in detail.associations[0].keys] == ["LLS_SECRET"]
    assert detail.keys == []
    assert detail.warnings == ["careful"]
    assert detail.url == f"/meters/{detail.id}/"


def test_a_row_has_what_the_list_shows() -> None:
    make_meter(meter={"batch": "Lot 7", "tags": ["b", "a"]})
    row = row_of(with_all(Meter.objects.all()).get())
    assert isinstance(row, MeterRow)
    assert (row.batch.name, row.tags, row.association.name, row.last_session) == (
        "Lot 7",
        ["a", "b"],
        "Management",
        None,
    )
    assert row.line.address == "127.0.0.1:4059"
