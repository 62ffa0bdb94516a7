"""Reading of a meter and changing it are two scopes."""

from sessions.api.scopes import SCOPES
from workbench.api import document


def test_whatever_changes_a_meter_needs_its_own_scope() -> None:
    paths = document()["paths"]
    changing = {path for path, methods in paths.items() if "x-scope" in methods.get("post", {})}
    gated = {path for path in changing if paths[path]["post"]["x-scope"] == "sessions:change"}
    assert {path.rpartition("/")[2] for path in gated} == {"writes", "invocations"}
    assert list(SCOPES) == ["sessions:read", "sessions:run", "sessions:change"]
