from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.comparison import compare
from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.catalogs.sheet import SheetError, comparison_csv, csv_of, decode, guarded, read_sheet, unguarded
from meters.cosem.obis import ObisCode
from meters.export import FORMULA
from tests.meters.catalogs.strategies import facts_of, texts

ENERGY = ObjectFacts(class_id=3, logical_name=ObisCode.parse("1-0:1.8.0*255"), title="Import", unit=30, scaler=-3)
CATALOG = {ENERGY.key: ENERGY}


def read(text, catalog=CATALOG):
    return read_sheet(text, catalog)


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", "＝1", "'=1", "''@x", "-1e5x"])
def test_formulas_are_guarded_and_come_back_as_they_were(text):
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["-5", "-0.25", "12", "Wh", "", "it's", "'quoted'"])
def test_numbers_and_plain_words_are_not_guarded(text):
    assert guarded(text) == unguarded(text) == text


@given(st.text())
def test_guarding_hides_every_formula_and_loses_nothing(text):
    assert unguarded(guarded(text)) == text
    sent = guarded(text)
    number = sent.removeprefix("-").replace(".", "", 1)
    assert not sent.startswith(FORMULA) or (number.isascii() and number.isdecimal())


@given(st.lists(facts_of(), max_size=5, unique_by=lambda facts: facts.key), st.booleans())
def test_what_goes_out_comes_in_as_it_was(objects, known):
    catalog = {facts.key: facts for facts in objects} if known else {}
    text = "".join(csv_of(objects))
    if not objects:
        assert read(text).rows == ()
        return
    sheet = read(text, catalog)
    assert sheet.ignored == ()
    assert sheet.objects == objects
    assert {row.state for row in sheet.rows} == {"unchanged" if known else "new"}


@given(st.lists(facts_of(), min_size=1, max_size=3, unique_by=lambda facts: facts.key), st.sampled_from(";\t"))
def test_other_delimiters_and_encodings_are_read_too(objects, delimiter):
    import csv
    import io

    rows = list(csv.reader(io.StringIO("".join(csv_of(objects)).removeprefix("\ufeff"), newline="")))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert read(decode(out.getvalue().encode(encoding)), {}).objects == objects


def test_a_sheet_of_windows_is_read():
    text = decode("code;title;unit\r\n1-0:1.8.0;Größe;m³".encode("cp1252"))
    (row,) = read(text).rows
    assert (row.facts.title, row.facts.unit) == ("Größe", 13)


@pytest.mark.parametrize("octets", [b"PK\x03\x04\x00\x00", b"\xff\xfe\x00", "ä".encode("utf-16-le") + b"\x00"])
def test_what_is_no_text_is_refused(octets):
    with pytest.raises(SheetError, match="is no text"):
        decode(octets)


def test_columns_that_are_not_there_leave_and_empty_cells_empty():
    (row,) = read("code,title,low\n1-0:1.8.0,,5\n").rows
    assert row.facts == replace(ENERGY, title="", low=Decimal(5))
    assert row.state == "changed"
    assert row.differences() == [("title", "Import", ""), ("low", "", "5")]


def test_heads_have_other_names_and_what_means_nothing_is_told():
    sheet = read("OBIS Code,Class ID,Short_Name,colour,Meaning,Low limit\n1.8.0,Register,0xFA00,red,x,1\n")
    assert sheet.ignored == ("colour",)
    assert (sheet.rows[0].facts.base_name, sheet.rows[0].facts.low) == (0xFA00, Decimal(1))


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("1-0:1.8,3,,Wh,,", "", ""),
        ("what,3,,,,", "code", "is not an OBIS code"),
        (",3,,,,", "code", "Which object?"),
        ("1-0:9.9.9,Registry,,,,", "class", "is no interface class"),
        ("1-0:200.200.200,,,,,", "class", "No class is usual"),
        ("1-0:2.8.0,3,,kWh,,", "unit", "the scaler 3"),
        ("1-0:2.8.0,3,,,9,1", "high", "not above the low one"),
        ("1-0:2.8.0,3,,,many,1", "low", "is no number"),
        ("1-0:2.8.0,3,,,,,,more", "row", "more cells than the 6 columns"),
        (f"1-0:2.8.0,3,{'t' * 201},,,", "title", "at most 200"),
    ],
)
def test_each_faulty_row_has_its_reason(row, column, words):
    (found,) = read(f"code,class,title,unit,low,high\n{row}\n").rows
    assert (found.state == "faulty") == bool(column)
    if column:
        assert words in found.faults[column]
        assert found.number == 2


def test_a_row_may_have_several_faults_and_an_object_one_row():
    sheet = read("code,class,unit,low\n1-0:2.8.0,3,kWh,x\n1-0:2.8.0,3,,\n1-0:2.8.0,3,,\n\n\n")
    assert [row.state for row in sheet.rows] == ["faulty", "new", "faulty"]
    assert sheet.rows[0].faults.keys() == {"unit", "low"}
    assert "stands in row 3 already" in sheet.rows[2].faults["code"]


def test_without_a_class_it_is_the_catalogs_object():
    odd = replace(ENERGY, class_id=1)
    (row,) = read("code,title\n1-0:1.8.0,x", {odd.key: odd}).rows
    assert row.facts.class_id == 1
    (row,) = read("code,title\n1-0:1.8.0,x", {odd.key: odd, **CATALOG}).rows
    assert "several objects" in row.faults["class"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing in it"),
        ("\n ,\n", "nothing in it"),
        ("title\nx", "No column is called"),
        ("code,code\nx,y", "stands twice"),
        ('code\n"x', "is no CSV"),
        ("code\n" + "1.8.0\n" * 20_001, "at most 20000"),
    ],
)
def test_what_has_no_rows_says_why(text, words):
    with pytest.raises(SheetError, match=words):
        read(text)


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(SheetError, match="Split it"):
        decode(b"a" * 2_000_001)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    for each in (text, f"code,class,title,low\n{text}", f"code\n{text}"):
        try:
            sheet = read(each)
        except SheetError as error:
            assert str(error)
        else:
            assert all(row.facts is not None or row.faults for row in sheet.rows)


@given(texts)
def test_a_comparison_is_guarded_too(title):
    other = replace(ENERGY, title=title)
    lines = list(comparison_csv(compare([ENERGY], [other]), "=left", "right"))
    assert lines[0].startswith("\ufeffcode,class,meaning,found,field,'=left,right")
    assert len(lines) == 2
    rights = replace(ENERGY, rights={16: ClientRights({2: "r"})})
    lines = list(comparison_csv(compare([ENERGY, replace(ENERGY, class_id=4)], [rights]), "left", "right"))
    assert lines[1] == "1-0:1.8.0*255,3,Import,different,access,,16: r 2\r\n"
    assert lines[2] == "1-0:1.8.0*255,4,Import,only in left,,,\r\n"
