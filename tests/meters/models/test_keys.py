"""Key versions, which the database itself keeps."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from meters.models import KeyVersion, Meter, MeterKey
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db


class TestKeyVersionsAreKept:
    """By raw SQL as by the ORM."""

    @pytest.fixture
    def version(self) -> KeyVersion:
        make_meter()
        return KeyVersion.objects.get()

    @pytest.mark.parametrize("column", ["sealed", "fingerprint", "number", "key_id", "origin", "id"])
    def test_no_column_but_the_state_changes(self, version: KeyVersion, column: str) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE meters_keyversion SET {column} = {column} WHERE id = %s", [version.pk])

    def test_no_row_is_deleted(self, version: KeyVersion) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM meters_keyversion")
        assert KeyVersion.objects.filter(pk=version.pk).exists()

    def test_the_state_may_change(self, version: KeyVersion) -> None:
        KeyVersion.objects.filter(pk=version.pk).update(state=KeyVersion.State.RETIRED)
        version.refresh_from_db()
        assert version.state == KeyVersion.State.RETIRED

    def test_a_meter_with_keys_cannot_be_deleted_with_them(self, version: KeyVersion) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Meter.objects.all().delete()
        assert MeterKey.objects.exists()

    def test_neither_repr_nor_str_shows_more_than_the_short_fingerprint(self, version: KeyVersion) -> None:
        shown = f"{version!r} {version} {version.key}"
        assert version.fingerprint not in shown
        assert bytes(version.sealed).hex()[:16] not in shown


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has TRUNCATE")
@pytest.mark.django_db(transaction=True)
def test_the_table_of_key_versions_is_not_emptied() -> None:
    make_meter()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE meters_keyversion CASCADE")
    assert KeyVersion.objects.exists()
