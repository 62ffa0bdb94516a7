import pytest
from hypothesis import given

from meters.catalogs.facts import FIELDS, class_text, value_text
from meters.catalogs.forms import READERS, EntryForm, base_name, whole
from tests.meters.catalogs.strategies import facts


def sent(of):
    named = {"logical_name": str(of.logical_name), "class_id": class_text(of.class_id)}
    return named | {name: value_text(of, name) for name in FIELDS}


@given(facts)
def test_what_a_form_shows_it_reads_as_it_was(of):
    form = EntryForm(sent(of))
    assert form.is_valid(), form.errors
    assert form.facts() == of


def test_every_field_has_a_reader():
    assert READERS.keys() == {*FIELDS}
    assert EntryForm.base_fields.keys() == {"logical_name", "class_id", *FIELDS}


def test_the_class_that_is_left_out_is_the_usual_one():
    form = EntryForm({"logical_name": "1-0:1.8.0"})
    assert form.is_valid()
    assert form.facts().class_id == 3


@pytest.mark.parametrize("text", ["1.5", "x", "²", "--1", "1e3", "9999999999"])
def test_what_is_no_whole_number_is_said(text):
    with pytest.raises(ValueError, match="is no whole number"):
        whole(text)


@pytest.mark.parametrize(("text", "number"), [("FA00", 0xFA00), ("0x0a", 10), ("", None), ("fa 00", 0xFA00)])
def test_short_names_are_hex(text, number):
    assert base_name(text) == number


def test_whole_numbers_with_either_minus():
    assert (whole("−3"), whole("-3"), whole(" 12 "), whole("")) == (-3, -3, 12, None)
