"""Makers by their codes."""

from __future__ import annotations

import pytest

from meters.meter_types.flag_codes import MAKERS, maker_of, maker_of_system_title
from meters.models import FLAG_CODE


def test_every_code_is_one_and_has_a_maker() -> None:
    for code, maker in MAKERS.items():
        FLAG_CODE(code)
        assert maker


def test_a_maker_is_found_whatever_the_case() -> None:
    assert maker_of("kam") == maker_of("KAM") == "Kamstrup"
    assert maker_of("XXX") == ""


@pytest.mark.parametrize(
    ("title", "maker"),
    [
        ("4b464d1020304050", "Kaifa"),
        ("4C475A1020304050", "Landis+Gyr"),
        ("ffffff1020304050", ""),
        ("4b46", ""),
        ("", ""),
    ],
)
def test_a_system_title_names_its_maker(title: str, maker: str) -> None:
    assert maker_of_system_title(title) == maker
