"""Which of their columns is which of ours."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.imports.columns import COLUMNS
from meters.imports.files import template_heading
from meters.imports.mapping import check_mapping, folded, guess, headings_print

WORDS = {
    "serial_number": ("Serial", "SERIAL NO.", "serialNumber", "Serial number *", "Zählernummer"),
    "host": ("IP address", "Host (new meters)"),
    "port": ("TCP port",),
    "manufacturer": ("Vendor", "manufacturer"),
    "model": ("Meter type",),
    "batch": ("Lot",),
    "server_system_title": ("system_title",),
    "client_sap": ("Client SAP",),
    "server_sap": ("Logical device",),
    "authentication": ("Auth",),
    "physical_address": ("HDLC address",),
    "notes": ("Remarks",),
}


@pytest.mark.parametrize(
    ("key", "heading"), [(key, heading) for key, headings in WORDS.items() for heading in headings]
)
def test_common_words(key: str, heading: str) -> None:
    assert guess([heading]) == {key: 0}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_our_own_words(column) -> None:
    for heading in (column.words, column.key, template_heading(column)):
        assert guess([heading]) == {column.key: 0}


def test_the_first_of_two_wins_and_the_others_stay_out() -> None:
    assert guess(["Name", "Serial", "Label", "Colour", ""]) == {"name": 0, "serial_number": 1}
    assert guess(["Serial", "Name"], left_out={1}) == {"serial_number": 0}


def test_headings_are_compared_without_what_does_not_matter() -> None:
    assert folded("  Serial-Number (text) [1] ") == "serial number"
    assert headings_print(["a", "b"]) == headings_print(["a", "b"]) != headings_print(["ab"])


@pytest.mark.parametrize(
    ("mapping", "left_out", "words"),
    [
        ({"serial_number": 0, "colour": 1}, (), "no column “colour”"),
        ({"serial_number": 2}, (), "no such column"),
        ({"serial_number": -1}, (), "no such column"),
        ({"serial_number": 0, "notes": 1}, (1,), "left out, for it looks like keys"),
        ({"name": 0}, (), "Serial number: choose the column"),
        ({}, (), "Serial number: choose the column"),
    ],
)
def test_what_makes_no_sense(mapping, left_out, words) -> None:
    with pytest.raises(ValidationError, match=words):
        check_mapping(mapping, ["a", "b"], left_out)


def test_what_does() -> None:
    check_mapping({"serial_number": 1, "name": 0}, ["a", "b"], ())
