"""The standard catalog: a table of codes of all media, with words, usual classes and unit, read against the standard's tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.obis import ObisCode
from meters.cosem.obis_catalog import SYNONYMS, entry, search, standard_catalog
from meters.cosem.obis_names import explain

with (Path(__file__).parent / "obis_codes.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))


def test_the_table_is_as_long_as_it_claims():
    assert len(ROWS) == len({row["code"] for row in ROWS}) >= 300
    assert {row["code"][0] for row in ROWS} == set("01456789")


@pytest.mark.parametrize("row", ROWS, ids=[row["code"] for row in ROWS])
def test_a_code_is_explained(row):
    found = entry(ObisCode.parse(row["code"]))
    assert found.words == row["words"]
    assert " ".join(str(number) for number in found.classes) == row["classes"]
    assert ("" if found.unit is None else found.unit.symbol or "count") == row["unit"]
    assert [meaning.group for meaning in explain(found.code)] == list("ABCDEF")
    assert [meaning.value for meaning in explain(found.code)] == list(found.code.groups)
    assert "unknown" not in found.words.lower()


LISTED = frozenset(each.code for each in standard_catalog())


@pytest.mark.parametrize(
    "row", [row for row in ROWS if ObisCode.parse(row["code"]) in LISTED][::12], ids=lambda row: row["code"]
)
def test_a_listed_code_is_found_by_its_own_words(row):
    _, found = search(row["words"].replace(",", " "), 5000)
    assert ObisCode.parse(row["code"]) in [each.code for each in found]


def test_every_listed_code_has_words_and_a_medium():
    catalog = standard_catalog()
    assert len(catalog) == len({each.code for each in catalog}) > 5000
    for each in catalog:
        assert each.words
        assert "unknown" not in each.words.lower()
        assert each.medium != "reserved"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("voltage l1", "1-0:32.7.0*255"),
        ("VOLTAGE   L1", "1-0:32.7.0*255"),
        ("l1 voltage", "1-0:32.7.0*255"),
        ("import active energy rate 2", "1-0:1.8.2*255"),
        ("tariff 2 active import", "1-0:1.8.2*255"),
        ("max demand import", "1-0:1.6.0*255"),
        ("relay", "0-0:96.3.10*255"),
        ("clock", "0-0:1.0.0*255"),
        ("heat energy", "6-0:1.0.0*255"),
        ("hot water volume", "9-0:1.0.0*255"),
        ("logical device name", "0-0:42.0.0*255"),
        ("1.8", "1-0:1.8.0*255"),
        ("0-0:96.1", "0-0:96.1.0*255"),
        ("load profile 1", "1-0:99.1.0*255"),
        ("push setup", "0-0:25.9.0*255"),
    ],
)
def test_words_find_the_code(words, first):
    count, found = search(words, 3)
    assert count >= len(found) > 0
    assert str(found[0].code) == first


def test_every_word_must_match_and_numbers_match_whole():
    assert search("voltage clock", 10) == (0, [])
    assert search("", 10) == (0, [])
    assert search("  , ", 10) == (0, [])
    count, found = search("active energy import rate 2", 1000)
    assert count == len(found)
    assert all("rate 2" in each.words for each in found)


@pytest.mark.parametrize("word", SYNONYMS)
def test_every_synonym_finds_something(word):
    assert search(word, 1)[0] > 0


@given(st.text(max_size=40), st.integers(0, 10))
def test_whatever_is_asked_has_an_answer(words, limit):
    count, found = search(words, limit)
    assert len(found) == min(count, limit)


@given(st.binary(min_size=6, max_size=6))
def test_any_code_has_an_entry(octets):
    found = entry(ObisCode.from_octets(octets))
    assert found.words
    assert all(name for name in found.class_names.split(", ")) or not found.classes
