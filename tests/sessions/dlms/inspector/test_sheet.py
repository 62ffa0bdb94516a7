"""The sheet of one frame."""

import pytest

from sessions.dlms.cursor import Field
from sessions.dlms.errors import DecodeError, DlmsError, TruncatedError
from sessions.dlms.inspector import Framing
from sessions.dlms.inspector.sheet import Sheet, clear_errors, find_field


def sheet():
    return Sheet(b"\x01\x02\x03\x04", Framing.APDU, None)


def test_layers_add_fields_with_their_source_and_origin():
    page = sheet()
    with page.layer(b"\x03\x04", "frame", origin=2) as reader:
        reader.u16("number")
    assert [(one.name, one.offset, one.length, one.source) for one in page.root.children] == [("number", 2, 2, "frame")]


def test_an_error_leaves_what_was_read_and_marks_the_open_group():
    page = sheet()
    with pytest.raises(TruncatedError), page.layer(b"\x01\x02\x03", "frame") as reader:
        reader.enter("outer")
        reader.u8("first")
        reader.enter("inner")
        reader.u8("second")
        reader.u32("third")
    outer = page.root.children[0]
    inner = outer.children[1]
    assert (outer.length, inner.offset, inner.length) == (2, 1, 1)
    assert inner.error
    assert not outer.error


def test_the_first_error_stands():
    page = sheet()
    page.fail(DlmsError("one"))
    page.fail(DlmsError("two"))
    assert str(page.dissection().error) == "one"


def test_sources_of_the_same_kind_are_numbered():
    page = sheet()
    assert [page.add_source("plaintext", bytes((n,))) for n in range(3)] == ["plaintext", "plaintext 2", "plaintext 3"]


def test_secret_fields_become_spans_of_the_frame():
    page = sheet()
    page.root.children += [Field("a", 1, 2, secret=True), Field("b", 0, 4, source="plaintext", secret=True)]
    page.hidden.append((3, 1))
    assert page.dissection().secrets == [(1, 2), (3, 1)]


def test_find_the_last_of_a_name_and_clear_errors():
    root = Field(
        "", 0, 0, children=[Field("x", 0, 1), Field("g", 1, 1, error="bad", children=[Field("x", 1, 1, error="bad")])]
    )
    assert find_field(root, "x").offset == 1
    assert find_field(root, "y") is None
    clear_errors(root)
    assert not root.children[1].error
    assert not root.children[1].children[0].error


def test_other_errors_pass_through():
    page = sheet()
    with pytest.raises(ValueError, match="other"), page.layer(b"", "frame"):
        raise ValueError("other")
    assert issubclass(DecodeError, DlmsError)
