"""Tests that commit empty their tables at the end; the database refuses that for key versions and the log: step aside for it."""

from __future__ import annotations

from importlib import import_module

from django.db.backends.base.operations import BaseDatabaseOperations

TRIGGERS = [
    import_module(f"meters.migrations.{name}")
    for name in ("0002_append_only", "0010_change_log_append_only", "0019_refused_targets_append_only")
]


def allow_flush() -> None:
    """Let Django's `flush` between two tests take the triggers down and put them up again."""
    plain_flush = BaseDatabaseOperations.execute_sql_flush

    def execute_sql_flush(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        vendor = self.connection.vendor
        with self.connection.cursor() as cursor:
            for statement in (statement for triggers in TRIGGERS for statement in triggers.REVERSE[vendor]):
                cursor.execute(statement)
            try:
                plain_flush(self, sql_list)
            finally:
                for statement in (statement for triggers in TRIGGERS for statement in triggers.FORWARD[vendor]):
                    cursor.execute(statement)

    BaseDatabaseOperations.execute_sql_flush = execute_sql_flush
