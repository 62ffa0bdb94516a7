import inspect
import re

import pytest

from sessions.dlms import errors
from sessions.dlms.errors import DlmsError

TREE = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, DlmsError)]


def test_the_tree_at_the_top_of_the_module_is_the_tree():
    depth_and_name = re.findall(r"^    ([│ ]*)[├└]── (\w+)", errors.__doc__, re.MULTILINE)
    assert {name for _, name in depth_and_name} == {kind.__name__ for kind in TREE} - {"DlmsError"}
    parents: dict[int, str] = {-1: "DlmsError"}
    for indent, name in depth_and_name:
        depth = len(indent) // 4
        parents[depth] = name
        assert getattr(errors, name).__base__.__name__ == parents[depth - 1]


@pytest.mark.parametrize("kind", TREE)
def test_each_has_a_layer_and_a_code_for_programs(kind):
    assert kind.layer
    assert re.fullmatch(r"[a-z-]+", kind.code)


def test_an_error_says_who_what_and_what_to_try():
    error = errors.NoReplyError("nothing came", hint="look at the cable")
    assert error.as_dict() == {
        "layer": "link",
        "code": "no-reply",
        "message": "nothing came",
        "hint": "look at the cable",
    }
    assert str(error) == "nothing came"
    special = DlmsError("x", layer="line", code="special")
    assert (special.layer, special.code, DlmsError.layer) == ("line", "special", "application")


def test_only_what_may_pass_by_itself_is_retried():
    assert errors.NoReplyError.retryable
    assert errors.ConnectionLostError.retryable
    assert not any(kind.retryable for kind in TREE if issubclass(kind, errors.RefusedError | errors.SecurityError))
