"""Key versions are append-only: the database itself refuses to change, delete or empty them. No key is ever lost."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MESSAGE = "key versions are append-only: no key is ever lost"

SQLITE = [
    f"""
    CREATE TRIGGER meters_keyversion_no_update
    BEFORE UPDATE OF id, key_id, number, sealed, fingerprint, origin, created ON meters_keyversion
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER meters_keyversion_no_delete BEFORE DELETE ON meters_keyversion
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
]
SQLITE_REVERSE = [
    "DROP TRIGGER IF EXISTS meters_keyversion_no_update",
    "DROP TRIGGER IF EXISTS meters_keyversion_no_delete",
]
POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION meters_keyversion_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER meters_keyversion_no_update
    BEFORE UPDATE OF id, key_id, number, sealed, fingerprint, origin, created ON meters_keyversion
    FOR EACH ROW EXECUTE FUNCTION meters_keyversion_append_only()
    """,
    """
    CREATE TRIGGER meters_keyversion_no_delete BEFORE DELETE ON meters_keyversion
    FOR EACH ROW EXECUTE FUNCTION meters_keyversion_append_only()
    """,
    """
    CREATE TRIGGER meters_keyversion_no_truncate BEFORE TRUNCATE ON meters_keyversion
    FOR EACH STATEMENT EXECUTE FUNCTION meters_keyversion_append_only()
    """,
]
POSTGRESQL_REVERSE = ["DROP FUNCTION IF EXISTS meters_keyversion_append_only() CASCADE"]

FORWARD = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
REVERSE = {"sqlite": SQLITE_REVERSE, "postgresql": POSTGRESQL_REVERSE}


def install(apps: Any, schema_editor: Any) -> None:
    for statement in FORWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def remove(apps: Any, schema_editor: Any) -> None:
    for statement in REVERSE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("meters", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
