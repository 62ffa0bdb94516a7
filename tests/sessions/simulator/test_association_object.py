"""The association of one client: its partners, its secret, and who has it."""

from __future__ import annotations

import pytest

from meters.cosem.data import enum, integer, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.simulator.association_object import CHANGE_HLS_SECRET, SECRET, AssociationObject, Partners
from sessions.simulator.device import Role, ServedClient
from sessions.simulator.objects.base import CosemObject, Denied
from sessions.simulator.rights import Access, Rights

NAME = ObisCode(0, 0, 40, 0, 2, 255)
OTHER = CosemObject(ObisCode(0, 0, 96, 1, 0, 255))
OTHER.class_id = 1


def association(authentication=AuthenticationMechanism.LLS, *, associated=True, role=Role.READER, secrets=None):
    client = ServedClient(client_sap=32, role=role, authentication=authentication)
    partners = Partners(client=client, server_sap=17, conformance=Conformance.GET, is_associated=lambda: associated)
    objects = [Access(OTHER, rights={Role.READER: Rights(read=frozenset({1}), invoke=frozenset())})]
    return AssociationObject(NAME, partners, lambda: objects, (secrets if secrets is not None else []).append)


def test_it_names_both_ends_and_what_they_agreed_on():
    target = association()
    assert target.read(3) == structure(integer(32), long_unsigned(17))
    assert target.read(6).value[-1] == AuthenticationMechanism.LLS
    assert target.read(5)[0].value.length == 24


@pytest.mark.parametrize("associated", [True, False])
def test_its_status_is_that_of_its_client(associated):
    assert association(associated=associated).read(8) == enum(2 if associated else 0)


def test_the_list_has_the_rights_of_its_client():
    (listed,) = association().read(2)
    class_id, _, name, (attributes, methods) = listed
    assert (class_id.value, name.value) == (1, OTHER.logical_name.octets)
    assert [(each[0].value, each[1].value) for each in attributes] == [(1, 1)]
    assert list(methods) == []


def test_the_secret_is_written_and_never_read():
    secrets: list[bytes] = []
    target = association(secrets=secrets)
    target.write(SECRET, octet_string(b"new"))
    assert secrets == [b"new"]
    assert target.read(SECRET) == octet_string(b"")


@pytest.mark.parametrize("mechanism", AuthenticationMechanism)
def test_each_secret_belongs_to_its_level(mechanism):
    secrets: list[bytes] = []
    target = association(mechanism, secrets=secrets)
    for is_mine, change in (
        (mechanism is AuthenticationMechanism.LLS, lambda: target.write(SECRET, octet_string(b"new"))),
        (mechanism.is_hls, lambda: target.invoke(CHANGE_HLS_SECRET, octet_string(b"new"))),
    ):
        secrets.clear()
        if is_mine:
            change()
            assert secrets == [b"new"]
        else:
            with pytest.raises(Denied, match=DataAccessResult.OTHER_REASON.words):
                change()
            assert secrets == []


@pytest.mark.parametrize("value", [octet_string(b""), unsigned(1)])
def test_a_secret_is_octets(value):
    for refused in (
        lambda: association().write(SECRET, value),
        lambda: association(AuthenticationMechanism.HLS_MD5).invoke(CHANGE_HLS_SECRET, value),
    ):
        with pytest.raises(Denied):
            refused()
