"""The tests mirror the packages: who changes a module knows where its tests are."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDS_NONE = {
    "meters/cosem/class_structures.py": "tables, tested through value_type.py",
    "meters/cosem/class_tables.py": "tables, tested through interface_class.py",
    "meters/cosem/class_words.py": "tables, tested through interface_class.py",
    "meters/cosem/obis_tables.py": "tables, tested through obis_names.py",
    "meters/gxc_import/words.py": "words, tested through gxc_import/plan.py",
    "meters/gxc_tables.py": "tables, tested through gxc.py",
    "meters/models/change_log.py": "columns, tested through changes.py",
    "meters/models/framing.py": "an enumeration",
    "meters/models/lists.py": "columns, tested through inventory.py and list_views.py",
    "meters/models/uploads.py": "columns, tested through gxc_import/uploads.py",
    "meters/urls.py": "tested through the views",
    "sessions/dlms/apdu/contract.py": "a protocol class",
    "sessions/dlms/apdu/tags.py": "an enumeration",
    "sessions/dlms/events.py": "values without behaviour",
    "sessions/dlms/iec62056_21/events.py": "values without behaviour",
    "sessions/urls.py": "tested through the views",
    "workbench/asgi.py": "tested through the running program",
    "workbench/celery.py": "tested through the running program",
    "workbench/settings.py": "tested through environment.py and the running program",
    "workbench/urls.py": "tested through the views",
}
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in ("meters", "sessions", "workbench")
    for path in (ROOT / package).rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py", "apps.py") and "migrations" not in path.parts
)


def mirror(module: str) -> Path:
    path = Path(module)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_test_module(module):
    assert mirror(module).is_file() or module in NEEDS_NONE


@pytest.mark.parametrize("module", NEEDS_NONE)
def test_the_exceptions_are_exceptions(module):
    assert (ROOT / module).is_file()
    assert not mirror(module).exists()
