"""What the address of a data set names: the reduced identification codes of IEC 62056-6-1 as OBIS codes.

`1.8.0` is short for `1-0:1.8.0*255` where the meter measures electricity; letters stand for the groups C of general objects:
C 96 (service), F 97 (errors), L 98 (lists), P 99 (profiles).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.dlms.iec62056_21.data_set import DataSet

LETTERS: Final = {"C": 96, "F": 97, "L": 98, "P": 99}
ELECTRICITY: Final = 1
OTHER_MEDIA_UNITS: Final = frozenset({"m3", "m3ph", "m3/h", "m3*h", "l", "l/h", "GJ", "MJ", "GJph"})
"""Who measures in one of these measures no electricity, and nothing is said about its codes."""

_ADDRESS: Final = re.compile(
    r"(?:(?P<a>\d{1,3})-(?P<b>\d{1,3}):)?(?P<c>\d{1,3}|[CFLP])\.(?P<d>\d{1,3}|F)(?:\.(?P<e>\d{1,3}))?(?:[*&](?P<f>\d{1,3}))?"
)


def obis_of(address: str, medium: int | None = ELECTRICITY) -> ObisCode | None:
    """The OBIS code; None where the address is no code, or says no medium and none is assumed."""
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        return None
    c, d = (LETTERS.get(found[group]) or int(found[group]) for group in ("c", "d"))
    a, b = found["a"], found["b"]
    if a is None:
        if medium is None and not found["c"].isalpha():
            return None
        a, b = (0 if found["c"].isalpha() else medium), 0
    try:
        return ObisCode(int(a or 0), int(b or 0), c, d, int(found["e"] or 0), int(found["f"] or 255))
    except ValueError:  # a group above 255
        return None


def medium_of(data_sets: Iterable[DataSet]) -> int | None:
    """The medium that addresses without one may be taken for."""
    units = {value.unit for data_set in data_sets for value in data_set.values}
    return None if units & OTHER_MEDIA_UNITS else ELECTRICITY
