"""Columns of many rows at once."""

from __future__ import annotations

import pytest

from meters.imports.columns_saved import save_columns
from meters.models import Batch

pytestmark = pytest.mark.django_db


def test_only_these_columns_are_written() -> None:
    made = [Batch.objects.create(name=f"Lot {n}", notes="old") for n in range(3)]
    created = made[0].created
    for batch in made:
        batch.notes, batch.name = f"new {batch.name}", "not written"
    save_columns(made, {"notes"})
    found = Batch.objects.order_by("pk")
    assert [(each.name, each.notes) for each in found] == [(f"Lot {n}", f"new Lot {n}") for n in range(3)]
    assert found[0].created == created


@pytest.mark.parametrize("columns", [set(), {"notes"}])
def test_nothing_to_do_is_no_query(columns, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        save_columns([], columns)
