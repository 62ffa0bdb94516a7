"""The search's column is filled; on PostgreSQL a trigram index serves it. Elsewhere, and without pg_trgm, it is scanned."""

from __future__ import annotations

from typing import Any

from django.db import migrations

AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
CREATE = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX meter_by_words ON meters_meter USING gin (search_text gin_trgm_ops)",
]
BATCH = 1000


def fill(apps: Any, schema_editor: Any) -> None:
    meter_model = apps.get_model("meters", "Meter")
    waiting = []
    for meter in meter_model.objects.select_related("line", "meter_type").iterator(BATCH):
        line, of_type = meter.line, meter.meter_type
        kind = f"{of_type.manufacturer} {of_type.model}".strip() if of_type else ""
        parts = (meter.serial_number, meter.name, meter.location, kind, line.name, line.host, line.serial_port)
        meter.search_text = f" {' '.join(part for part in parts if part)}".lower()
        waiting.append(meter)
        if len(waiting) == BATCH:
            meter_model.objects.bulk_update(waiting, ["search_text"])
            waiting = []
    meter_model.objects.bulk_update(waiting, ["search_text"])


def index(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(AVAILABLE)
        if cursor.fetchone() is None:
            return
    for statement in CREATE:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS meter_by_words")


class Migration(migrations.Migration):
    dependencies = [("meters", "0011_lists")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop), migrations.RunPython(index, drop)]
