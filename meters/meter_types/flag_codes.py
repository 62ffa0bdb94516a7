"""FLAG codes of makers that published captures and device files show; the DLMS UA keeps the whole list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAKERS: Final[Mapping[str, str]] = {
    "EDM": "EDMI",
    "EGM": "Elgama",
    "ELS": "Elster",
    "ESY": "EasyMeter",
    "ISK": "Iskraemeco",
    "KAM": "Kamstrup",
    "KFM": "Kaifa",
    "LGF": "Landis+Gyr",
    "LGZ": "Landis+Gyr",
    "MCS": "MetCom",
    "NES": "NES",
    "SAG": "Sagemcom",
}
"""Source: identification lines, system titles and device files of meters of these makers. A maker may have several."""


def maker_of(flag_code: str) -> str:
    """The maker with this code, whatever its case; empty where none is known."""
    return MAKERS.get(flag_code.upper(), "")


def maker_of_system_title(title: str) -> str:
    """The maker that a system title of 16 hex digits begins with; empty where it is none, or not known."""
    try:
        code = bytes.fromhex(title[:6]).decode("ascii")
    except ValueError:
        return ""
    return maker_of(code)
