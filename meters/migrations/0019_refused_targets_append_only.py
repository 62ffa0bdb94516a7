"""What the list of targets refused is append-only, by triggers; and what could be connected to before the list still can.

The list denies by default. Each line with a literal address becomes one rule for everybody, so that nothing stops working by the
upgrade; which addresses a name may lead to is the administrator's to say.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from meters.targets.hosts import HostError, judged_address, parse_host
from meters.targets.policy import never_allowed

MESSAGE = "the log of refused targets is append-only"
COLUMNS = ("id", "moment", "user_name", "request_id", "where", "kind", "host", "port", "reason")
QUOTED = ", ".join(f'"{column}"' for column in COLUMNS)
NOTE = "line before the list of targets"
CHUNK = 1000

SQLITE = [
    f"""
    CREATE TRIGGER meters_refusedtarget_no_update BEFORE UPDATE OF {QUOTED} ON meters_refusedtarget
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER meters_refusedtarget_no_delete BEFORE DELETE ON meters_refusedtarget
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
]
SQLITE_REVERSE = [
    "DROP TRIGGER IF EXISTS meters_refusedtarget_no_update",
    "DROP TRIGGER IF EXISTS meters_refusedtarget_no_delete",
]
POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION meters_refusedtarget_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER meters_refusedtarget_no_update BEFORE UPDATE OF {QUOTED} ON meters_refusedtarget
    FOR EACH ROW EXECUTE FUNCTION meters_refusedtarget_append_only()
    """,
    """
    CREATE TRIGGER meters_refusedtarget_no_delete BEFORE DELETE ON meters_refusedtarget
    FOR EACH ROW EXECUTE FUNCTION meters_refusedtarget_append_only()
    """,
    """
    CREATE TRIGGER meters_refusedtarget_no_truncate BEFORE TRUNCATE ON meters_refusedtarget
    FOR EACH STATEMENT EXECUTE FUNCTION meters_refusedtarget_append_only()
    """,
]
POSTGRESQL_REVERSE = ["DROP FUNCTION IF EXISTS meters_refusedtarget_append_only() CASCADE"]

FORWARD = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
REVERSE = {"sqlite": SQLITE_REVERSE, "postgresql": POSTGRESQL_REVERSE}


def install(apps: Any, schema_editor: Any) -> None:
    for statement in FORWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def remove(apps: Any, schema_editor: Any) -> None:
    for statement in REVERSE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def allow_what_was_there(apps: Any, schema_editor: Any) -> None:
    """One rule an address and port of the lines that are there, for the kinds that use it."""
    line, allowed = apps.get_model("meters", "Line"), apps.get_model("meters", "AllowedTarget")
    rows = line.objects.exclude(host="").exclude(port=None).order_by().values_list("host", "port", "kind").distinct()
    wanted: dict[tuple[str, int], set[str]] = {}
    for host, port, kind in rows.iterator():
        network = _network(host)
        if network and kind in ("TCP", "UDP", "RFC2217") and 1 <= port <= 65535:
            wanted.setdefault((network, port), set()).add(kind)
    rules = (
        allowed(
            network=network,
            first_port=port,
            last_port=port,
            tcp="TCP" in kinds,
            udp="UDP" in kinds,
            rfc2217="RFC2217" in kinds,
            note=NOTE,
        )
        for (network, port), kinds in sorted(wanted.items())
    )
    allowed.objects.bulk_create(rules, batch_size=CHUNK)


def _network(host: str) -> str:
    """The network of an address; empty for a name, and for what no rule can allow."""
    try:
        found = parse_host(host)
    except HostError:
        return ""
    if isinstance(found, str) or never_allowed(found) or never_allowed(judged_address(found)):
        return ""
    judged = judged_address(found)
    return f"{judged}/{judged.max_prefixlen}"


class Migration(migrations.Migration):
    dependencies = [("meters", "0018_targets_and_lines")]
    operations = [
        migrations.RunPython(install, remove),
        migrations.RunPython(allow_what_was_there, migrations.RunPython.noop),
    ]
