"""Snapshot files: what was taken comes back to the octet, and a hostile file is refused with a reason."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import array, double_long_unsigned, null, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.object_list import AttributeRight
from sessions.snapshot_file import (
    MAX_COMMAS,
    MAX_OBJECTS,
    MAX_OCTETS,
    MAX_OPENINGS,
    Recorded,
    Snapshot,
    SnapshotFileError,
    SnapshotObject,
    load_snapshot,
    parse_snapshot,
    save_snapshot,
)
from tests.sessions.dlms.test_axdr import compact_arrays, values

NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)
REGISTER = ObisCode.parse("1-0:1.8.0*255")


def snapshot(**changes: Any) -> Snapshot:
    register = SnapshotObject(
        3,
        0,
        REGISTER,
        0x2BC0,
        {
            1: Recorded(AttributeRight(1), octet_string(REGISTER.octets)),
            2: Recorded(AttributeRight(1, (1, 2)), double_long_unsigned(4711), first_entry=7, at=NOON),
            3: Recorded(AttributeRight(4), refused="temporary-failure", broke=True),
            -1: Recorded(AttributeRight(3, ()), secret=True),
            5: Recorded(None, is_list=True),
        },
        {1: 1, -3: 0},
    )
    unknown = SnapshotObject(8192, 0, ObisCode.parse("0-0:1.0.0*255"))
    made = Snapshot(NOON, "tcp://127.0.0.1:4059", {"framing": "wrapper"}, {"dlms_version": 6}, [register, unknown])
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def octets_of(made: Snapshot, tmp_path) -> bytes:
    path = tmp_path / "snapshot.json"
    save_snapshot(made, path)
    return path.read_bytes()


def test_what_was_saved_comes_back(tmp_path):
    made = snapshot(finished=True, object_list=array(structure(null())), access_rights=array())
    assert parse_snapshot(octets_of(made, tmp_path)) == made
    part = snapshot(broken={"message": "the line went away"})
    assert parse_snapshot(octets_of(part, tmp_path)) == part


def test_people_can_read_it(tmp_path):
    text = octets_of(snapshot(), tmp_path).decode()
    assert '"2": {"access": 1, "selectors": [1, 2], "first_entry": 7' in text
    assert '"left_out": ["3/1-0:1.8.0*255/-1"]' in text
    assert max(map(len, text.splitlines())) < 200


@given(values | compact_arrays())
def test_every_value_comes_back(tmp_path_factory, value):
    made = snapshot()
    made.objects[0].attributes[2].value = value
    again = parse_snapshot(octets_of(made, tmp_path_factory.getbasetemp()))
    assert again.objects[0].attributes[2].value == value


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "snapshot.json"
    save_snapshot(snapshot(), path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_snapshot(snapshot(finished=True), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0


# -- hostile files -----------------------------------------------------------------------------------------------------


def table(tmp_path, **changes: Any) -> bytes:
    return json.dumps(json.loads(octets_of(snapshot(), tmp_path)) | changes).encode()


def an_object(**changes: Any) -> dict[str, Any]:
    return {"class_id": 3, "version": 0, "logical_name": "1-0:1.8.0*255", "attributes": {}, **changes}


def attribute(**entry: Any) -> dict[str, Any]:
    return {"objects": [an_object(attributes={"2": entry})]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "something"}, "no snapshot"),
        ({"version": 2}, "version '2' is not known"),
        ({"version": "x" * 10_000}, "is not known"),
        ({"taken": "yesterday"}, "taken is no time"),
        ({"taken": "2026-11-25T11:00:00"}, "no offset"),
        ({"taken": 5}, "taken is no text"),
        ({"finished": 1}, "finished is no true or false"),
        ({"association": []}, "association is no object"),
        ({"objects": {}}, "objects is no list"),
        ({"objects": [5]}, r"objects\[1\] is no object"),
        ({"objects": [{}] * (MAX_OBJECTS + 1)}, "are more than"),
        ({"objects": [an_object(), an_object()]}, "twice"),
        ({"objects": [an_object(class_id=65536)]}, "class_id is not between"),
        ({"objects": [an_object(class_id=True)]}, "class_id is not between"),
        ({"objects": [an_object(version=-1)]}, "version"),
        ({"objects": [an_object(logical_name="x")]}, "OBIS"),
        ({"objects": [an_object(base_name=1 << 16)]}, "base_name"),
        ({"objects": [an_object(methods={"x": 1})]}, "number"),
        ({"objects": [an_object(methods={"1": 1e3})]}, "methods"),
        ({"objects": [an_object(attributes={"200": {}})]}, "number from"),
        ({"objects": [an_object(attributes={"2": 5})]}, "attributes.2 is no object"),
        (attribute(value={"type": "unsigned", "value": 256}), r"attributes\.2.*out of range"),
        (attribute(value={"type": "nonsense"}), "no type"),
        (attribute(value=5), "a type is needed"),
        (attribute(value={"octets": "zz"}), "no value"),
        (attribute(value={"octets": 5}), "no value"),
        (attribute(value={"octets": "0203"}), "no value"),
        (attribute(refused=5), "refused"),
        (attribute(access="1"), "access"),
        (attribute(access=1, selectors=["x"]), "selectors"),
        (attribute(first_entry=-1), "first_entry"),
        (attribute(at="noon"), "at is no time"),
        (attribute(secret="yes"), "secret"),
        (attribute(broke=0), "broke"),
    ],
)
def test_what_is_wrong_is_named(changes, words, tmp_path):
    with pytest.raises(SnapshotFileError, match=words):
        parse_snapshot(table(tmp_path, **changes))


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[]", "no snapshot"),
        (b'{"format": NaN}', "no JSON"),
        (b"1" * 10_000, "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[" * (MAX_OPENINGS + 1), "more values than a meter has"),
        (b"," * (MAX_COMMAS + 1), "more values than a meter has"),
        (b" " * (MAX_OCTETS + 1), "longer than 64 MB"),
    ],
    ids=["empty", "no text", "list", "NaN", "huge number", "deep", "many lists", "many values", "long"],
)
def test_bombs(octets, words):
    with pytest.raises(SnapshotFileError, match=words):
        parse_snapshot(octets)


def test_values_inside_each_other_end_somewhere(tmp_path):
    value: dict[str, Any] = {"type": "null-data"}
    for _ in range(200):
        value = {"type": "structure", "value": [value]}
    with pytest.raises(SnapshotFileError, match="inside each other"):
        parse_snapshot(table(tmp_path, **attribute(value=value)))


def test_a_file_of_100_mb_is_not_even_read(tmp_path):
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(SnapshotFileError, match=r"big\.json: it is longer"):
        load_snapshot(path)
    with pytest.raises(SnapshotFileError, match="cannot be read"):
        load_snapshot(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["taken", "finished", "broken", "endpoint", "association", "negotiated", "objects", "object_list"]),
    JSON,
)
def test_any_json_in_any_place_is_read_or_refused(tmp_path_factory, place, value):
    try:
        parse_snapshot(table(tmp_path_factory.getbasetemp(), **{place: value}))
    except SnapshotFileError:
        pass


@given(st.sampled_from(["class_id", "version", "logical_name", "base_name", "attributes", "methods"]), JSON)
def test_any_json_in_an_object_is_read_or_refused(tmp_path_factory, place, value):
    try:
        parse_snapshot(table(tmp_path_factory.getbasetemp(), objects=[an_object(**{place: value})]))
    except SnapshotFileError:
        pass
