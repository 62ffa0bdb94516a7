"""What a browser is told about a session: the rows after its own cursor, as JSON messages of a limited size.

    {"type": "frames", "frames": [...], "last_seq": N}            at most 500 frames, the octets' beginning in hex
    {"type": "entries", "step": id, "columns": [...], "entries": [[number, time, [values…]]…]}
    {"type": "state", "session": {...}, "steps": [...]}

Synchronous functions over the database; the consumer keeps the cursor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sessions.models import DlmsSession, Frame, ProfileEntry, Step

Message = dict[str, Any]

MAX_FRAMES = 500
MAX_ENTRIES = 500
MAX_HEX_OCTETS = 64
MAX_RESULT_TEXT = 300
MAX_NUMBER = 2**31 - 1
MAX_STEPS_IN_CURSOR = 1000
MAX_CURSOR_TEXT = 64 * 1024


@dataclass(slots=True)
class Cursor:
    """How far one browser has read: the last frame, and the last entry of each profile step."""

    seq: int = 0
    entries: dict[int, int] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """From what a browser sent; ValueError for anything else. Long and deep texts are refused before they are parsed."""
        if len(text) > MAX_CURSOR_TEXT or text.count("{") > 2 or "[" in text:
            raise ValueError("a cursor is an object with one object in it")
        return cls.from_json(json.loads(text))

    @classmethod
    def from_json(cls, message: Any) -> Cursor:
        """From `{"type": "resume", "seq": N, "entries": {"<step>": N}}`; ValueError for anything else."""
        if not isinstance(message, dict) or message.get("type") != "resume":
            raise ValueError("a browser sends nothing but its cursor")
        entries = message.get("entries", {})
        if not isinstance(entries, dict) or len(entries) > MAX_STEPS_IN_CURSOR:
            raise ValueError("entries is an object with a few numbers")
        return cls(
            _number(message.get("seq", 0)), {_number(_whole(step)): _number(seen) for step, seen in entries.items()}
        )


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ValueError("a step is named by its number")
    return int(text)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**63 - 1:
        raise ValueError("a cursor is a whole number from 0")
    return value


def frame_messages(session_id: int, cursor: Cursor) -> Message | None:
    """The next frames, None when the browser has them all. The cursor is the caller's to move."""
    rows = Frame.objects.filter(session_id=session_id, seq__gt=min(cursor.seq, MAX_NUMBER)).order_by("seq")
    frames = [frame_json(frame) for frame in rows[:MAX_FRAMES]]
    return {"type": "frames", "frames": frames, "last_seq": frames[-1]["seq"]} if frames else None


def frame_json(frame: Frame) -> Message:
    """One line of the frame list."""
    octets = bytes(frame.octets)
    return {
        "seq": frame.seq,
        "time": frame.time.isoformat(),
        "direction": frame.direction,
        "size": len(octets),
        "hex": octets[:MAX_HEX_OCTETS].hex(),
        "summary": frame.summary,
        "error": frame.error,
    }


def entry_message(step: Step, cursor: Cursor) -> Message | None:
    """The next rows of one profile step, None when the browser has them all."""
    seen = cursor.entries.get(step.pk, 0)
    if seen >= step.progress_done and step.state == Step.State.RUNNING:
        return None
    rows = ProfileEntry.objects.filter(step=step, number__gt=min(seen, MAX_NUMBER)).order_by("number")
    entries = [
        [number, time.isoformat() if time else None, values]
        for number, time, values in rows.values_list("number", "time", "values")[:MAX_ENTRIES]
    ]
    return {"type": "entries", "step": step.pk, "columns": step.columns, "entries": entries} if entries else None


def state_message(dlms_session: DlmsSession, steps: list[Step]) -> Message:
    """Where the session and its steps stand."""
    return {
        "type": "state",
        "session": {
            "id": dlms_session.pk,
            "state": dlms_session.state,
            "state_label": dlms_session.get_state_display(),
            "error": dlms_session.error,
            "negotiated": dlms_session.negotiated,
            "is_live": dlms_session.is_live,
            "waiting_reason": dlms_session.waiting_reason,
        },
        "steps": [step_json(step) for step in steps],
    }


def step_json(step: Step) -> Message:
    """One step for the page."""
    return {
        "id": step.pk,
        "number": step.number,
        "kind": step.kind,
        "title": step.title,
        "state": step.state,
        "state_label": step.get_state_display(),
        "progress_done": step.progress_done,
        "progress_total": step.progress_total,
        "result": _result_in_short(step.result),
        "error": step.error,
    }


def _result_in_short(result: Any) -> Message | None:
    """What the line of a step shows: the whole of it is fetched when somebody looks."""
    if not isinstance(result, dict):
        return None
    text = str(result.get("text", ""))
    return {"text": text[:MAX_RESULT_TEXT]}
