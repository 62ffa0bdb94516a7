from decimal import Decimal

import pytest
from hypothesis import given

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.catalogs.rows import ShownRow
from meters.cosem.obis import ObisCode
from meters.models import CatalogObject
from tests.meters.catalogs.strategies import facts

CODE = ObisCode.parse("1-0:32.7.0*255")


def shown(**said):
    row = CatalogObject()
    row.facts = ObjectFacts(class_id=3, logical_name=CODE, **said)
    return ShownRow(row)


@pytest.mark.parametrize(
    ("said", "quantity"),
    [
        ({}, ""),
        ({"unit": 35}, "V"),
        ({"unit": 35, "scaler": 0}, "V"),
        ({"unit": 35, "scaler": -2}, "10^−2 V"),
        ({"scaler": 3}, "10^3"),
        ({"unit": 255}, "count"),
    ],
)
def test_scaler_and_unit(said, quantity):
    assert shown(**said).quantity == quantity


@pytest.mark.parametrize(
    ("low", "high", "words"), [(None, None, ""), ("-1", None, "≥ −1"), (None, "0.50", "≤ 0.5"), ("0", "1", "0 – 1")]
)
def test_limits(low, high, words):
    assert shown(low=low and Decimal(low), high=high and Decimal(high)).limits == words


def test_title_or_the_standards_words():
    assert shown().title == "Voltage L1"
    assert (shown(title="U1").title, shown(title="U1").meaning) == ("U1", "Voltage L1")
    assert (shown(base_name=0xFA).short_name, shown().short_name) == ("00FA", "")


@pytest.mark.parametrize(
    ("client", "word", "whole"),
    [
        (ClientRights({1: "r", 2: "no"}), "no", "attribute 1: read; attribute 2: no access"),
        (ClientRights({1: "r"}), "r", "attribute 1: read"),
        (ClientRights({2: "r", 3: "w"}, {1: False}), "rw", "method 1: may not be invoked"),
        (ClientRights({2: "w"}), "w", "attribute 2: write"),
        (ClientRights(), "listed", "is not known"),
    ],
)
def test_rights_in_a_word_and_whole(client, word, whole):
    ((sap, short, words),) = shown(rights={16: client}).clients
    assert (sap, short) == (16, word)
    assert whole in words


@given(facts)
def test_every_entry_can_be_shown(of):
    row = CatalogObject()
    row.facts = of
    one = ShownRow(row)
    assert one.title
    assert len(one.clients) == len(of.rights)
    assert one.columns == len(of.capture_objects)
    assert isinstance(one.limits + one.quantity, str)
