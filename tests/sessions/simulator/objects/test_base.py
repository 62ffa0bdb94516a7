"""What every simulated object does: its name, and its refusals."""

from __future__ import annotations

from meters.cosem.data import null, octet_string, unsigned
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.objects.base import CosemObject
from tests.sessions.simulator.objects.refusing import NAME, denied
from tests.sessions.simulator.served import NOON


def test_every_object_has_its_name_and_refuses_what_it_has_not():
    target = CosemObject(NAME)
    assert target.read(1) == octet_string(NAME.octets)
    with denied(DataAccessResult.OBJECT_UNDEFINED):
        target.read(2)
    with denied(DataAccessResult.OBJECT_UNDEFINED):
        target.write(2, unsigned(1))
    with denied(DataAccessResult.READ_WRITE_DENIED):
        target.write(1, octet_string(b"\x00" * 6))
    with denied(DataAccessResult.OBJECT_UNDEFINED):
        target.invoke(1, None)
    with denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED):
        target.read(1, EntryDescriptor().to_selective_access())


def test_a_profile_captures_nothing_of_what_is_not_there():
    assert CosemObject(NAME).captured(9, NOON) == null()
