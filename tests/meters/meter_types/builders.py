"""Meter types for tests."""

from __future__ import annotations

from typing import Any

from meters.meter_types.services import save_template, save_type
from meters.models import MeterType

PUBLIC = {"name": "Public", "client_sap": 16, "authentication": "none"}
READER = {"name": "Reader", "client_sap": 32, "authentication": "lls", "timeout": 3.0}


def make_type(*templates: dict[str, Any], **values: Any) -> MeterType:
    """The type Maker M1, or another, with these associations; the first one is the default."""
    made = save_type(user="anna", values={"manufacturer": "Maker", "model": "M1", **values})
    for template in templates:
        save_template(user="anna", type_id=made.pk, values=template)
    return made
