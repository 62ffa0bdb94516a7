"""The result as JSON, and masking."""

import json

from sessions.dlms.inspector import DissectionKeys, dissect, mask
from sessions.dlms.inspector.dissection import blot
from tests.sessions.dlms.inspector import samples


def test_blot_keeps_the_length():
    assert blot(b"abcdef", [(1, 2), (5, 9)]) == b"a**de*"
    assert blot(b"abc", []) == b"abc"
    assert blot(b"abc", [(7, 2)]) == b"abc"


def test_mask_overwrites_the_secret_and_nothing_else():
    found = dissect(samples.AARQ_LLS)
    assert mask(samples.AARQ_LLS, found) == samples.AARQ_LLS.replace(b"12345678", b"********")


def test_a_masked_frame_can_be_opened_again():
    frame = samples.info(samples.COMMAND + samples.AARQ_LLS)
    masked = mask(frame, dissect(frame))
    again = dissect(masked)
    assert (again.error.field, again.summary.split(";")[0]) == ("fcs", "HDLC frame, damaged: fcs " + again.error.reason)
    assert again.secrets == dissect(frame).secrets


def test_json_has_every_part():
    shown = dissect(samples.GLO_GET_30, keys=DissectionKeys(samples.GUEK, samples.GAK, samples.TITLE)).as_json()
    json.dumps(shown)
    assert shown["framing"] == "apdu"
    assert shown["plaintext"] == samples.GET_CLOCK.hex()
    assert shown["sources"] == {"frame": samples.GLO_GET_30.hex(), "plaintext": samples.GET_CLOCK.hex()}
    assert shown["error"] is None
    outer = shown["fields"][0]
    assert set(outer) == {"name", "offset", "length", "octets", "value", "source", "children"}
    assert outer["octets"] == samples.GLO_GET_30.hex()
    assert shown["fields"][1]["source"] == "plaintext"


def test_json_of_a_value_and_of_an_error():
    assert dissect(samples.GET_RESPONSE).as_json()["data"] == 4822
    error = dissect(samples.GET_RESPONSE[:-1]).as_json()["error"]
    assert (error["code"], error["offset"], error["layer"]) == ("truncated", 5, "encoding")


def test_json_masks_secrets_unless_they_are_asked_for():
    found = dissect(samples.AARQ_LLS)
    assert "3132333435363738" not in json.dumps(found.as_json())
    assert "3132333435363738" in json.dumps(found.as_json(reveal=True))


def test_json_masks_the_dedicated_key_in_the_plaintext():
    found = dissect(samples.AARQ_CIPHERED, keys=DissectionKeys(samples.GUEK, samples.GAK))
    shown = json.dumps(found.as_json())
    assert samples.DEDICATED.hex() not in shown
    assert "2a" * 16 in shown
    assert samples.DEDICATED.hex() in json.dumps(found.as_json(reveal=True))


def test_readings_stand_beside_the_value():
    push = bytes.fromhex("0f000000010002020906 0100010700ff 06000012d6".replace(" ", ""))
    assert dissect(push).as_json()["readings"][0]["obis"] == "1-0:1.7.0*255"
