"""The served API against its own document: schemathesis draws requests, good ones and bad ones, for every endpoint.

Nothing may end in a server error; statuses, types and shapes have to be the declared ones; what the document forbids has to be
refused. Few examples here, the same each time; `EXAMPLES=2000` draws more.
"""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest
import schemathesis
from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.core.management.color import no_style
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from meters.cosem.data import octet_string
from meters.inventory import add_comment, save_filter
from sessions.models import ProfileEntry
from tests.api import Api
from tests.meters.builders import make_meter
from tests.sessions.builders import LOAD_PROFILE, make_frames, make_read, make_session, make_user
from workbench.api import document

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1200)]
EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
HERE = 3
"""Things of each kind that there are; ids are drawn so that most of them are met."""

CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {
            "deterministic": "EXAMPLES" not in os.environ,
            "no-shrink": False,
            # Many examples draw requests whose only fault is a missing token, which the test then sends.
            "with-security-parameters": "EXAMPLES" not in os.environ,
        },
        # These take the bodies of adding a thing: the boundaries of the fields are tried there.
        "operations": []
        if "EXAMPLES" in os.environ
        else [
            {"include-path": "/api/v1/sessions/test", "phases": {"coverage": {"enabled": False}}},
            {"include-method": "PATCH", "phases": {"coverage": {"enabled": False}}},
        ],
        # What no document says, such as the one host that fits a line, is judged by services: 422, as a wrong type.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]}},
    }
)


def drawn() -> dict[str, Any]:
    """The document, with ids that are small."""
    made = copy.deepcopy(document())
    for methods in made["paths"].values():
        for declared in methods.values():
            for parameter in declared.get("parameters", []):
                # Of targets there are more: those that the tests' meters hang on.
                number = parameter["schema"].get("type") == "integer" and parameter["name"] != "target_id"
                if parameter["in"] == "path" and number:
                    parameter["schema"]["maximum"] = HERE + 1
    return made


schema = schemathesis.openapi.from_dict(drawn(), config=CONFIG)
schema.app = WSGIHandler()


def make_things(number: int, user: Any) -> None:
    """One of each."""
    meter = make_meter(
        meter={"serial_number": f"1000000{number}", "batch": f"Lot {number + 7}", "tags": [f"t{number}"]}
    )
    dlms_session = make_session(meter, user=user, steps=[LOAD_PROFILE])
    make_frames(dlms_session, 2, octets=bytes.fromhex("7ea00802213110bf2c7e"))
    make_read(dlms_session, 8, "0-0:1.0.0*255", 2, octet_string(bytes(12)))
    step = dlms_session.steps.get(number=1)
    ProfileEntry.objects.create(step=step, number=1, values=[1, "x", None])
    add_comment(user=user, meter_id=meter.pk, text="careful")
    save_filter(user=user, name=f"kept {number}", query="state=FAULTY")


@pytest.fixture
def api(monkeypatch):
    """A token for everything; and connections stay open, for the test's transaction lives in one."""
    monkeypatch.setattr("workbench.tokens.FAILURES", 10**9)
    with connection.cursor() as cursor:  # small ids: PostgreSQL goes on counting after a rollback
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    api = Api(user=make_user("admin", is_staff=True))
    for number in range(HERE):
        make_things(number, api.user)
    yield api
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="EXAMPLES" not in os.environ,
)
def test_it_does_what_its_document_says(case: schemathesis.Case, api: Api) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {api.text}"})
