"""What the commands that talk over a line have in common."""

import io
import json
from argparse import ArgumentTypeError

import pytest

from sessions.dlms.errors import NoReplyError
from sessions.links.endpoint import TcpEndpoint
from sessions.management.line_command import LineCommand, dumps, endpoint, printable

ERROR = NoReplyError("The meter\x1b[2J is silent.", layer="link", hint="Look at the cable.")


def refused(*, as_json: bool) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        LineCommand(stdout=out, stderr=err, no_color=True).refuse(ERROR, as_json=as_json)
    assert ended.value.code == 1
    return out.getvalue(), err.getvalue()


def test_a_refusal_names_the_layer_and_what_to_try():
    assert refused(as_json=False) == ("", "link: The meter\\x1b[2J is silent.\nLook at the cable.\n")


def test_a_refusal_as_json_is_the_error():
    out, err = refused(as_json=True)
    assert (json.loads(out), err) == ({"error": ERROR.as_dict()}, "")


def test_an_endpoint_or_why_it_is_none():
    assert endpoint("tcp://meter:4059") == TcpEndpoint("meter", 4059)
    with pytest.raises(ArgumentTypeError):
        endpoint("carrier-pigeon://meter")


def test_what_is_no_json_is_refused():
    assert dumps({"unit": "m³"}) == '{"unit": "m³"}'
    with pytest.raises(ValueError):
        dumps(float("nan"))


def test_control_characters_are_shown_not_sent():
    assert printable("a\tb\x07é") == "a\\x09b\\x07é"
