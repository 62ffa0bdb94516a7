"""Object lists are read and written without loss, by logical names and by short ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import (
    Data,
    DataType,
    array,
    boolean,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.object_list import (
    AttributeRight,
    ListedObject,
    may_read,
    may_write,
    read_by_logical_names,
    read_by_short_names,
    rights_are_bits,
    write_by_logical_names,
    write_by_short_names,
    write_rights,
)

NAMES = st.binary(min_size=6, max_size=6).map(ObisCode.from_octets)
NUMBERS = st.integers(-128, 127)
SELECTORS = st.none() | st.lists(NUMBERS, max_size=4).map(tuple)
RIGHTS = st.dictionaries(NUMBERS, st.builds(AttributeRight, st.integers(0, 255), SELECTORS), max_size=5)
METHODS = st.dictionaries(NUMBERS, st.integers(0, 255), max_size=5)


def objects(base_names: bool) -> st.SearchStrategy[list[ListedObject]]:
    made = st.builds(
        ListedObject,
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFF),
        NAMES,
        st.integers(0, 0xFFFF) if base_names else st.none(),
        RIGHTS,
        METHODS,
    )
    unique = (lambda each: (each.class_id, each.logical_name), lambda each: each.base_name if base_names else id(each))
    return st.lists(made, max_size=6, unique_by=unique)


@given(objects(base_names=False))
def test_by_logical_names_there_and_back(listed):
    assert read_by_logical_names(write_by_logical_names(listed)) == listed


@given(objects(base_names=True))
def test_by_short_names_there_and_back(listed):
    assert read_by_short_names(write_by_short_names(listed), write_rights(listed)) == listed


def test_without_rights_nothing_is_known_of_them():
    listed = [ListedObject(3, 0, ObisCode.parse("1-0:1.8.0*255"), 0x2BC0, {1: AttributeRight(1)}, {1: 1})]
    (read,) = read_by_short_names(write_by_short_names(listed), None)
    assert (read.attributes, read.methods) == (None, None)
    row = structure(long_unsigned(3), unsigned(0), octet_string(bytes(6)))
    assert read_by_logical_names(array(row))[0].attributes is None


def test_methods_of_version_0_are_true_or_false():
    rights = structure(array(), array(structure(integer(1), boolean(True)), structure(integer(2), boolean(False))))
    row = structure(long_unsigned(70), unsigned(0), octet_string(bytes(6)), rights)
    assert read_by_logical_names(array(row))[0].methods == {1: 1, 2: 0}


def test_what_stands_twice_counts_once():
    row = structure(long_unsigned(3), unsigned(0), octet_string(bytes(6)))
    assert len(read_by_logical_names(array(row, row))) == 1


BAD_RIGHTS = [
    null(),
    structure(array(), null()),
    structure(array(integer(1)), array()),
    structure(array(structure()), array()),
]


@pytest.mark.parametrize(
    "data",
    [
        null(),
        array(null()),
        array(structure()),
        array(structure(octet_string(b""), unsigned(0), octet_string(bytes(6)))),
        array(structure(long_unsigned(3), unsigned(0), octet_string(bytes(5)))),
        array(structure(long_unsigned(3), unsigned(0), enum(6))),
        *(
            array(structure(long_unsigned(3), unsigned(0), octet_string(bytes(6)), rights))
            for rights in BAD_RIGHTS
            if rights.constructed
        ),
    ],
)
def test_what_is_no_list(data: Data):
    with pytest.raises(ValueError):
        read_by_logical_names(data)
    with pytest.raises(ValueError):
        read_by_short_names(data, None)


@given(
    st.recursive(
        st.sampled_from([null(), integer(1), octet_string(bytes(6))]),
        lambda inner: st.lists(inner).map(lambda each: Data(DataType.STRUCTURE, tuple(each))),
    )
)
def test_rubbish_is_refused_or_read(row):
    for read in (read_by_logical_names, lambda data: read_by_short_names(data, data)):
        try:
            assert isinstance(read(array(row)), list)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("mode", "bits", "reads", "writes"),
    [
        (0, False, False, False),
        (1, False, True, False),
        (2, False, False, True),
        (3, False, True, True),
        (4, False, True, False),
        (5, False, False, True),
        (6, False, True, True),
        (5, True, True, False),
        (6, True, False, True),
    ],
)
def test_access_modes(mode, bits, reads, writes):
    assert (may_read(mode, bits=bits), may_write(mode, bits=bits)) == (reads, writes)


def test_modes_are_bits_from_version_3_on():
    name = ObisCode.parse("0-0:40.0.0*255")
    assert rights_are_bits([ListedObject(15, 3, name)])
    assert not rights_are_bits([ListedObject(15, 2, name), ListedObject(3, 3, name)])
