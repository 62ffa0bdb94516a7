"""The change log is append-only: the database itself refuses to change, delete or empty it. Only a deleted user leaves it."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MESSAGE = "the change log is append-only"
COLUMNS = "id, moment, user_name, request_id, action, kind, object_id, label, fields, message"

SQLITE = [
    f"""
    CREATE TRIGGER meters_change_no_update BEFORE UPDATE OF {COLUMNS} ON meters_change
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER meters_change_no_delete BEFORE DELETE ON meters_change
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
]
SQLITE_REVERSE = ["DROP TRIGGER IF EXISTS meters_change_no_update", "DROP TRIGGER IF EXISTS meters_change_no_delete"]
POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION meters_change_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER meters_change_no_update BEFORE UPDATE OF {COLUMNS} ON meters_change
    FOR EACH ROW EXECUTE FUNCTION meters_change_append_only()
    """,
    """
    CREATE TRIGGER meters_change_no_delete BEFORE DELETE ON meters_change
    FOR EACH ROW EXECUTE FUNCTION meters_change_append_only()
    """,
    """
    CREATE TRIGGER meters_change_no_truncate BEFORE TRUNCATE ON meters_change
    FOR EACH STATEMENT EXECUTE FUNCTION meters_change_append_only()
    """,
]
POSTGRESQL_REVERSE = ["DROP FUNCTION IF EXISTS meters_change_append_only() CASCADE"]

FORWARD = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
REVERSE = {"sqlite": SQLITE_REVERSE, "postgresql": POSTGRESQL_REVERSE}


def install(apps: Any, schema_editor: Any) -> None:
    for statement in FORWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def remove(apps: Any, schema_editor: Any) -> None:
    for statement in REVERSE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("meters", "0009_inventory")]
    operations = [migrations.RunPython(install, remove)]
