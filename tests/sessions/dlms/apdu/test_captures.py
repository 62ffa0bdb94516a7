"""The published bare APDUs: sound ones decode to the last octet, damaged ones are refused with a typed error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.errors import DecodeError

LLC_HEADER = bytes.fromhex("e6e700")
NO_APDU = {"gmac-f-stoc"}  # an answer to a challenge, published without the ACTION around it


def bare_apdus(captures: Path, *, sound: bool) -> list[tuple[str, bytes]]:
    found: list[dict[str, Any]] = [
        item
        for path in sorted(captures.glob("*.json"))
        for item in json.loads(path.read_text("utf-8"))
        if item["transport"] == "raw-apdu" and item["verified"]["ok"] is sound and item["id"] not in NO_APDU
    ]
    assert found
    return [(item["id"], bytes.fromhex(item["hex"]).removeprefix(LLC_HEADER)) for item in found]


def test_sound_ones_decode(captures):
    for name, wire in bare_apdus(captures, sound=True):
        apdu = decode_apdu(wire)
        assert apdu.summary(), name
        assert decode_apdu(apdu.encode()) == apdu, name


def test_sound_ones_are_refused_at_every_cut(captures):
    for name, wire in bare_apdus(captures, sound=True):
        for cut in range(len(wire)):
            with pytest.raises(DecodeError):
                pytest.fail(f"{name} cut to {cut}: {decode_apdu(wire[:cut])}")


def test_damaged_ones_are_refused(captures):
    for name, wire in bare_apdus(captures, sound=False):
        with pytest.raises(DecodeError) as refused:
            decode_apdu(wire)
        assert 0 < refused.value.offset < len(wire), name


def test_pushes_carry_their_values(captures):
    pushes = [decode_apdu(wire) for _, wire in bare_apdus(captures, sound=True) if wire[0] == DataNotification.tag]
    assert len(pushes) > 5
    assert all(len(push.notification_body) > 3 for push in pushes)
