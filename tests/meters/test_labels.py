"""Labels: a QR code that holds the meter's permanent address, twenty-four on a sheet."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

import pytest
import segno
from django.test import RequestFactory

from meters.labels import LABELS_A_SHEET, label_of, permanent_address, qr_svg, sheets_of
from meters.models import Meter

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def request_of_somebody():
    return RequestFactory().get("/", headers={"host": "localhost:8000"})


def modules_of(svg: str) -> set[tuple[int, int]]:
    """The dark modules that the path draws: runs of one row each."""
    path = fromstring(svg).find(f"{SVG}path").get("d")
    dark, x, y = set(), 0.0, 0.0
    for command, text in re.findall(r"([Mmh])([^Mmh]*)", path):
        numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+", text)]
        if command == "h":
            dark |= {(int(x) + step, int(y)) for step in range(int(numbers[0]))}
            x += numbers[0]
        else:
            x, y = (numbers[0], numbers[1]) if command == "M" else (x + numbers[0], y + numbers[1])
    return dark


def test_the_image_is_the_code_of_the_text() -> None:
    text = "http://localhost:8000/meters/by-serial/12345678/"
    matrix = segno.make(text, error="m", micro=False, boost_error=False).matrix
    expected = {(x + 2, y + 2) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}
    assert modules_of(qr_svg(text)) == expected


def test_the_image_has_no_style_script_or_foreign_name() -> None:
    svg = qr_svg('"><script>alert(1)</script>')
    assert not re.search("style|script|href|on[a-z]+=", svg)
    assert {element.tag for element in fromstring(svg).iter()} == {f"{SVG}svg", f"{SVG}path"}


@pytest.mark.parametrize(
    ("serial_number", "quoted"), [("12345678", "12345678"), ("AB/1 ä", "AB/1%20%C3%A4"), ("50%?#", "50%25%3F%23")]
)
def test_a_permanent_address_holds_the_serial_number(request_of_somebody, serial_number: str, quoted: str) -> None:
    meter = Meter(pk=1, serial_number=serial_number)
    address = permanent_address(request_of_somebody, meter)
    assert address == f"http://localhost:8000/meters/by-serial/{quoted}/"
    assert label_of(request_of_somebody, meter).svg == qr_svg(address)


def test_sheets_hold_twenty_four(request_of_somebody) -> None:
    meters = [Meter(pk=n, serial_number=str(n)) for n in range(LABELS_A_SHEET + 1)]
    assert [len(sheet) for sheet in sheets_of(request_of_somebody, meters)] == [24, 1]
    assert list(sheets_of(request_of_somebody, [])) == []
