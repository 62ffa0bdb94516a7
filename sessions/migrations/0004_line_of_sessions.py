"""Sessions that were opened before they knew their line know that of their meter."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps: Any, schema_editor: Any) -> None:
    sessions, meters = apps.get_model("dlms_sessions", "DlmsSession"), apps.get_model("meters", "Meter")
    line = meters.objects.filter(pk=OuterRef("meter_id")).values("line_id")[:1]
    sessions.objects.exclude(meter=None).update(line_id=Subquery(line))


class Migration(migrations.Migration):
    dependencies = [("dlms_sessions", "0003_session_line")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
