"""Sessions with meters of short names: what a technician asks for, from the rows of the database to its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from meters.forms import MeterForm
from sessions.engine import run as module
from sessions.engine import run_session
from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from sessions.recorder import in_database
from sessions.services import close_session, dissect_frame, open_test_session
from sessions.simulator.lab import LabLine, LabMeter
from sessions.simulator.listeners import RunningLab
from tests.meters.builders import make_meter
from tests.meters.test_forms import WRAPPER
from tests.sessions.builders import make_session, make_user
from tests.sessions.engine.bench import frames_of, fresh, steps_of
from tests.sessions.simulator.served import GAK, GMAC, GUEK, LLS, lab_meter, lab_of

pytestmark = pytest.mark.django_db

CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}
ENERGY = {"class_id": 3, "logical_name": "1-1:1.8.0*255", "attribute_id": 2}
PROFILE = {"kind": "READ_PROFILE", "logical_name": "1-0:99.1.0*255"}
NAME = {"class_id": 1, "logical_name": "0-0:96.1.1*255", "attribute_id": 2}
WAYS: dict[str, dict[str, Any]] = {
    "lls": {"meter": LLS, "secrets": {"LLS_SECRET": b"12345678"}, "association": {"authentication": "lls"}},
    "hls-gmac": {
        "meter": GMAC,
        "secrets": {"GUEK": bytes.fromhex(GUEK), "GAK": bytes.fromhex(GAK)},
        "association": {
            "authentication": "hls-gmac",
            "protection": "authenticated-encrypted",
            "client_system_title": GMAC["client_system_title"],
        },
    },
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


def session_with(
    directory: Any, way: str, kind: str, *steps: dict[str, Any]
) -> tuple[DlmsSession, list[Step], list[Frame]]:
    """A session that is done, with what it recorded."""
    options = {"physical_address": 17} if kind == "hdlc" else {}
    simulated = lab_meter(WAYS[way]["meter"], type="short_names", max_pdu_size=240, **options)

    return served(directory, simulated, kind, lambda port: _rows(way, kind, port, steps))


def served(
    directory: Any, simulated: LabMeter, kind: str, rows: Callable[[int], DlmsSession]
) -> tuple[DlmsSession, list[Step], list[Frame]]:
    """The session that `rows` opens for the simulated meter's port."""

    async def run() -> tuple[DlmsSession, list[Step], list[Frame]]:
        async with RunningLab(lab_of(LabLine(kind=kind, meters=(simulated,))), directory) as running:
            port = int(running.announcements[0]["endpoint"].rpartition(":")[2])
            dlms_session = await in_database(lambda: rows(port))
            await run_session(dlms_session.pk)
            return await fresh(dlms_session), await steps_of(dlms_session), await frames_of(dlms_session)

    return async_to_sync(run)()


def _rows(way: str, kind: str, port: int, steps: Any) -> DlmsSession:
    client_sap = WAYS[way]["meter"]["client_sap"]
    place = {"framing": "HDLC", "physical_address": 17, "address_octets": 2} if kind == "hdlc" else {}
    meter = make_meter(
        meter=place,
        line={"host": "127.0.0.1", "port": port},
        association={"client_sap": client_sap, "referencing": "short-names", **WAYS[way]["association"]},
        secrets=WAYS[way]["secrets"],
    )
    dlms_session = make_session(meter, steps=steps)
    close_session(session_id=dlms_session.pk, user=make_user())
    return dlms_session


@pytest.mark.parametrize("kind", ["wrapper", "hdlc"])
@pytest.mark.parametrize("way", WAYS)
def test_everything_a_technician_asks_for(tmp_path, way, kind):
    done, steps, frames = session_with(
        tmp_path,
        way,
        kind,
        {"kind": "READ", **CLOCK},
        {"kind": "READ", **ENERGY},
        {**PROFILE, "from_entry": 1, "to_entry": 30},
        {**PROFILE, "from_time": "2026-11-24T00:00", "to_time": "2026-11-24T06:00"},
        {"kind": "WRITE", **NAME, "value": {"type": "octet-string", "value": "6e6577"}},
        {"kind": "READ", **NAME},
        {"kind": "INVOKE", "class_id": 70, "logical_name": "0-0:96.3.10*255", "method_id": 1},
        {"kind": "READ", "class_id": 70, "logical_name": "0-0:96.3.10*255", "attribute_id": 2},
    )
    assert (done.state, done.error) == (DlmsSession.State.DONE, None)
    assert [step.state for step in steps] == [Step.State.DONE] * len(steps)
    clock, energy, by_entry, by_time, written, name, invoked, switch = [step.result for step in steps]
    assert clock["text"].startswith("2026-11-25 12:00:00")
    assert energy["unit"] == "Wh"
    assert energy["value"] > 1_000_000
    assert (by_entry["entries"], by_time["entries"]) == (30, 25)
    assert written["text"] == "written"
    assert name["value"] == "6e6577"
    assert invoked["text"] == "done"
    assert switch["value"] is False
    assert ProfileEntry.objects.filter(step=steps[2]).count() == 30
    columns = [(column["title"], column["unit"]) for column in steps[2].columns]
    assert columns[0][0] == "Clock"
    assert columns[2][1] == "Wh"
    associations = {"lls": 1, "hls-gmac": 2}  # the counter is asked for by the public client, who has a list of its own
    assert sum("FA08" in frame.summary for frame in frames) == associations[way]
    assert "parameterized-access" in done.negotiated["conformance"]


def test_what_the_meter_does_not_have_fails_its_step_alone(tmp_path):
    unknown = {"kind": "READ", "class_id": 3, "logical_name": "1-0:1.8.0*255", "attribute_id": 2}
    other_class = {"kind": "READ", "class_id": 4, "logical_name": "1-1:1.8.0*255", "attribute_id": 2}
    done, steps, _ = session_with(tmp_path, "lls", "wrapper", unknown, other_class, {"kind": "READ", **ENERGY})
    assert done.state == DlmsSession.State.DONE
    assert [step.state for step in steps] == [Step.State.FAILED, Step.State.FAILED, Step.State.DONE]
    assert (steps[0].error["layer"], steps[0].error["code"]) == ("access", "object-undefined")
    assert steps[1].error["hint"] == "Ask for class 3."


@pytest.mark.parametrize("before", [[], [{"kind": "READ", **CLOCK}]])
def test_a_write_that_has_no_short_name_was_not_sent(tmp_path, before):
    unknown = {"kind": "WRITE", **NAME, "logical_name": "0-0:96.1.9*255", "value": {"type": "unsigned", "value": 1}}
    _, steps, frames = session_with(tmp_path, "lls", "wrapper", *before, unknown)
    assert steps[-1].state == Step.State.FAILED
    assert steps[-1].error["code"] == "object-undefined"
    assert not any("WRITE request" in frame.summary for frame in frames)


def test_the_form_tries_a_meter_before_it_is_saved(tmp_path):
    def rows(port: int) -> DlmsSession:
        fields = {
            **WRAPPER,
            "host": "127.0.0.1",
            "port": str(port),
            "referencing": "short-names",
            "client_sap": "32",
            "secret": "12345678",
        }
        form = MeterForm({**fields, "authentication": "lls"}, testing=True)
        assert form.is_valid(), form.errors
        return open_test_session(draft=form.draft(), user=make_user())

    done, steps, _ = served(tmp_path, lab_meter(LLS, type="short_names"), "wrapper", rows)
    assert (done.state, done.error) == (DlmsSession.State.DONE, None)
    name, clock = [step.result for step in steps]
    assert bytes.fromhex(name["value"]).startswith(b"MWB")
    assert clock["text"].startswith("2026-11-25 12:00:00")


@pytest.mark.django_db(transaction=True)
def test_a_single_frame_is_explained_in_words_later(tmp_path):
    done, _, frames = session_with(tmp_path, "lls", "wrapper", {"kind": "READ", **ENERGY})
    assert [23, 1, "0-0:22.0.0*255"] in [row[1:] for row in done.context["short_names"]]
    asked = next(frame for frame in frames if "25E0" in frame.summary)
    shown = dissect_frame(session_id=done.pk, seq=asked.seq, user=make_user())
    assert "25E0 (25D8 + 08: 3/1-1:1.8.0*255 attribute 2 (value))" in str(shown["fields"])


@pytest.mark.parametrize("kind", ["wrapper", "hdlc"])
def test_a_new_secret_is_recorded_nowhere(tmp_path, kind):
    secret = b"a new secret of thirty octets!"
    change = {
        "kind": "INVOKE",
        "class_id": 12,
        "logical_name": "0-0:40.0.0*255",
        "method_id": 5,
        "value": {"type": "octet-string", "value": secret.hex()},
    }
    done, steps, frames = session_with(tmp_path, "lls", kind, change)
    assert (done.state, steps[0].state) == (DlmsSession.State.DONE, Step.State.DONE)
    assert not any(secret in bytes(frame.octets) for frame in frames)
    assert any(b"\x2a" * len(secret) in bytes(frame.octets) for frame in frames)
    assert not any(secret.decode() in frame.summary or secret.hex() in frame.summary for frame in frames)
