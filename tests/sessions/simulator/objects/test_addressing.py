"""SAP assignment and HDLC setup: what they say."""

from __future__ import annotations

from meters.cosem.data import (
    unsigned,
)
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.addressing import HdlcSetup, SapAssignment
from tests.sessions.simulator.objects.refusing import NAME, denied


def test_what_can_only_be_read():
    sap = SapAssignment(NAME, {2: b"second", 1: b"first"})
    assert [entry[1].value for entry in sap.read(2)] == [b"first", b"second"]
    hdlc = HdlcSetup(NAME, max_info=256, inactivity_timeout=120, device_address=17)
    assert [hdlc.read(number).value for number in (5, 6, 8, 9)] == [256, 256, 120, 17]
    for target, attribute_id in ((sap, 2), (hdlc, 9)):
        with denied(DataAccessResult.READ_WRITE_DENIED):
            target.write(attribute_id, unsigned(1))
