"""The list as CSV and as a workbook."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters import export
from meters.export import COLUMNS, FORMULA, csv_parts, in_chunks, neutral, xlsx_parts
from meters.models import Meter
from tests.meters.builders import make_ciphered_meter, make_meter


@given(st.text(max_size=20))
def test_no_cell_is_a_formula_and_nothing_else_is_touched(text: str) -> None:
    written = neutral(text)
    assert written in (text, f"'{text}")
    assert not str(written).startswith(FORMULA)
    assert (written == text) is not text.startswith(FORMULA)


@pytest.mark.parametrize("evil", ['=HYPERLINK("http://x")', "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_what_spreadsheets_calculate(evil: str) -> None:
    assert neutral(evil) == f"'{evil}"


@pytest.mark.parametrize("value", [-5, 17, "", "a=b", "1-0:1.8.0"])
def test_what_is_none_stays(value: object) -> None:
    assert neutral(value) == value


def read(parts) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO("".join(parts), newline="")))


@pytest.mark.django_db
class TestRows:
    def test_all_columns_of_all_meters_by_serial_number(self, monkeypatch) -> None:
        monkeypatch.setattr(export, "CHUNK", 2)
        for serial in ("b", "c", "a", "e", "d"):
            make_meter(meter={"serial_number": serial}, line={"port": ord(serial)})
        rows = read(csv_parts(in_chunks(Meter.objects.order_by()), list(COLUMNS)))
        assert [row["serial_number"] for row in rows] == list("abcde")

    def test_says_what_the_list_says_and_no_secret(self) -> None:
        make_ciphered_meter(
            meter={"name": "=1+1", "batch": "Lot 7", "tags": ["b", "a"], "framing": "HDLC", "physical_address": 0}
        )
        (row,) = read(csv_parts(in_chunks(Meter.objects.order_by()), list(COLUMNS)))
        assert row["name"] == "'=1+1"
        assert (row["state"], row["batch"], row["tags"]) == ("Received", "Lot 7", "a, b")
        assert (row["framing"], row["physical_address"], row["line"]) == ("HDLC", "0", "127.0.0.1:4059")
        assert (row["authentication"], row["client_sap"], row["last_seen"]) == ("hls-gmac", "32", "")
        assert not {"guek", "secret", "keys"} & row.keys()

    def test_lines_and_quotes_in_cells_come_back(self) -> None:
        make_meter(meter={"notes": 'two\nlines, "quoted"'})
        (row,) = read(csv_parts(in_chunks(Meter.objects.order_by()), ["serial_number", "notes"]))
        assert row == {"serial_number": "12345678", "notes": 'two\nlines, "quoted"'}

    def test_each_chunk_costs_the_same_queries(self, monkeypatch, django_assert_num_queries) -> None:
        monkeypatch.setattr(export, "CHUNK", 2)
        for n in range(4):
            make_meter(meter={"serial_number": str(n), "tags": ["x"], "batch": "Lot 1"}, line={"port": n + 1})
        with django_assert_num_queries(7):  # twice meters, tags, associations; and once none
            "".join(csv_parts(in_chunks(Meter.objects.order_by()), list(COLUMNS)))


@pytest.mark.django_db
class TestWorkbook:
    def sheet(self, columns=tuple(COLUMNS)):
        octets = b"".join(xlsx_parts(in_chunks(Meter.objects.all()), list(columns)))
        return openpyxl.load_workbook(BytesIO(octets)).active

    @pytest.mark.parametrize(
        "evil", ["=1+1", "+1", "-2+3", "@SUM(A1)", "{=1+1}", "http://x/", "mailto:a@b", "internal:A1", "007", "1e5"]
    )
    def test_every_text_is_plain_text(self, evil: str) -> None:
        make_meter(meter={"serial_number": "s", "location": evil, "notes": evil, "name": evil})
        sheet = self.sheet()
        for name in ("location", "notes", "name"):
            cell = sheet.cell(2, list(COLUMNS).index(name) + 1)
            assert (cell.value, cell.data_type, cell.hyperlink) == (evil, "s", None)

    def test_as_many_rows_as_meters_and_numbers_as_numbers(self) -> None:
        for n in range(3):
            make_meter(meter={"serial_number": f"00{n}", "physical_address": n}, line={"port": n + 1})
        rows = list(self.sheet(["serial_number", "physical_address", "batch"]).values)
        assert rows == [
            ("serial_number", "physical_address", "batch"), ("000", 0, None), ("001", 1, None), ("002", 2, None),
        ]  # fmt: skip

    def test_control_characters_break_no_xml(self) -> None:
        make_meter()
        Meter.objects.update(notes="a\x07b\nc")
        assert self.sheet(["notes"])["A2"].value == "ab\nc"
