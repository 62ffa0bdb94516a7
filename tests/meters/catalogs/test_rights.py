import pytest
from hypothesis import given

from meters.catalogs.rights import (
    ClientRights,
    check_rights,
    mode_of,
    parse_rights,
    rights_from_json,
    rights_text,
    rights_to_json,
)
from tests.meters.catalogs.strategies import rights

WRITTEN = "1: r 1 3-9, rw 2, x 1; 16: r 1-3"


def test_rights_are_written_and_read():
    read = parse_rights(WRITTEN)
    assert read[16] == ClientRights({1: "r", 2: "r", 3: "r"})
    assert read[1].attributes[2] == "rw"
    assert read[1].methods == {1: True}
    assert rights_text(read) == WRITTEN


def test_what_a_client_may_do_is_known_unknown_or_refused():
    client = parse_rights("1: r 2, w 3, no 4")[1]
    assert [client.may_read(number) for number in (2, 3, 4, 5)] == [True, False, False, None]
    assert [client.may_write(number) for number in (2, 3, 4, 5)] == [False, True, False, None]


@pytest.mark.parametrize(
    ("readable", "writable", "mode"), [(True, True, "rw"), (True, False, "r"), (False, True, "w"), (False, False, "no")]
)
def test_modes(readable, writable, mode):
    assert mode_of(readable=readable, writable=writable) == mode


def test_a_client_may_stand_alone_and_numbers_may_be_the_makers_own():
    assert parse_rights("32; 1: r -1 -2, rw -5--3") == {
        32: ClientRights(),
        1: ClientRights({-1: "r", -2: "r", -5: "rw", -4: "rw", -3: "rw"}),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("r 1-3", "begins with no client SAP"),
        ("70000: r 1", "0 to 65535"),
        ("1: r 1; 1: w 2", "stands twice"),
        ("1: r 1, w 1", "stands twice"),
        ("1: read 1", "is none of r, w, rw"),
        ("1: r", "names no attribute"),
        ("1: r 3-1", "nor a range"),
        ("1: r 200", "-128 to 127"),
        ("1: r one", "nor a range"),
        ("²: r 1", "begins with no client SAP"),
        ("; ".join(str(sap) for sap in range(40)), "too many"),
    ],
)
def test_what_is_written_wrongly_is_said(text, words):
    with pytest.raises(ValueError, match=words):
        parse_rights(text)


def test_a_mode_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="is none of"):
        check_rights({1: ClientRights({1: "rx"})})


@given(rights)
def test_round_trip_as_text_and_as_json(given_rights):
    assert parse_rights(rights_text(given_rights)) == given_rights
    assert rights_from_json(rights_to_json(given_rights)) == given_rights
