"""Sessions for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from meters.cosem.data import Data
from meters.cosem.interface_class import attribute_of
from meters.cosem.value_words import ANY
from meters.models import Meter
from sessions.dlms.axdr import encode_data
from sessions.engine.values import described
from sessions.leases import Claim, claim_session
from sessions.models import DlmsSession, Frame, Step
from sessions.services import open_session
from sessions.trace import TracedFrame
from tests.meters.builders import make_meter

CLOCK = {"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}
READ_CLOCK = {"kind": "READ", **CLOCK}
LOAD_PROFILE = {"kind": "READ_PROFILE", "logical_name": "1-0:99.1.0*255"}
SET_CLOCK = {"kind": "WRITE", **CLOCK, "value": {"type": "octet-string", "value": "2026-11-25T10:00:00+01:00"}}
RESET = {"kind": "INVOKE", "class_id": 3, "logical_name": "1-0:1.8.0*255", "method_id": 1}


def make_user(username: str = "technician", **fields: Any) -> Any:
    users = get_user_model()
    found = users._default_manager.filter(username=username).first()
    return found or users._default_manager.create_user(username, **fields)  # without a password: hashing one takes long


def make_session(meter: Meter | None = None, *, steps: Any = (), user: Any = None) -> DlmsSession:
    """A queued session."""
    meter = meter or Meter.objects.first() or make_meter()
    return open_session(meter_id=meter.pk, user=user or make_user(), steps=steps)


def claim(dlms_session: DlmsSession) -> Claim:
    claimed = claim_session(dlms_session.pk)
    assert claimed is not None
    return claimed


def run_out(dlms_session: DlmsSession) -> None:
    """As if its worker had died a minute ago."""
    past = timezone.now() - timedelta(minutes=1)
    DlmsSession.objects.filter(pk=dlms_session.pk).update(lease_until=past)
    dlms_session.line_leases.update(lease_until=past)


def make_read(
    dlms_session: DlmsSession,
    class_id: int,
    logical_name: str,
    attribute_id: int,
    value: Data,
    *,
    scaler_unit: Any = None,
) -> Step:
    """A step that read this value."""
    known = attribute_of(class_id, attribute_id, value=value)
    shown = described(value, scaler_unit, known.type if known else ANY, octets=encode_data(value))
    return Step.objects.create(
        session=dlms_session,
        number=dlms_session.steps.count() + 1,
        kind=Step.Kind.READ,
        state=Step.State.DONE,
        parameters={"class_id": class_id, "logical_name": logical_name, "attribute_id": attribute_id},
        result={**shown, "obis": logical_name, "obis_text": ""},
        started=timezone.now(),
        ended=timezone.now(),
    )


def make_frames(dlms_session: DlmsSession, count: int, *, octets: bytes = b"\x7e\xa0") -> list[Frame]:
    """Frames after those that are there."""
    first = dlms_session.last_seq + 1
    frames = [
        Frame(
            session=dlms_session,
            seq=seq,
            time=timezone.now(),
            direction=Frame.Direction.SENT if seq % 2 else Frame.Direction.RECEIVED,
            octets=octets,
            summary=f"frame {seq}",
            apdu_first_seq=seq,
        )
        for seq in range(first, first + count)
    ]
    Frame.objects.bulk_create(frames)
    dlms_session.last_seq += count
    dlms_session.save(update_fields=["last_seq"])
    return frames


def traced(octets: bytes = b"\x7e\xa0", *, starts_apdu: bool = True) -> TracedFrame:
    return TracedFrame(octets, "a frame", "", starts_apdu)
