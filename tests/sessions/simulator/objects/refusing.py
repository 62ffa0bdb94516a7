"""What the tests of the objects have in common."""

from __future__ import annotations

import pytest

from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied

NAME = ObisCode(0, 0, 1, 0, 0, 255)


def denied(result: DataAccessResult):
    return pytest.raises(Denied, match=result.words)
