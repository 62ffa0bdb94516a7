"""Rights by role: what a meter type says in a few words, and number by number."""

from __future__ import annotations

import pytest

from meters.cosem.obis import ObisCode
from sessions.simulator.device import Role
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.rights import Access, GivenAccess, Rights

TARGET = CosemObject(ObisCode(0, 0, 1, 0, 0, 255))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("public", [True, False])
def test_without_rights_of_its_own_a_role_reads_and_only_a_manager_does_more(role, public):
    access = Access(TARGET, public=public, writable=frozenset({2}), invocable=frozenset({1}))
    listed = public or role is not Role.PUBLIC
    assert access.is_listed_for(role) is listed
    assert access.may_read(role, 2) is listed
    assert access.may_write(role, 2) is (role is Role.MANAGER)
    assert access.may_invoke(role, 1) is (role is Role.MANAGER)
    assert not access.may_write(role, 3)
    assert not access.may_invoke(role, 2)


def test_the_rights_of_a_role_stand_before_what_is_said_for_all():
    own = Rights(read=frozenset({1}), write=frozenset({3}), invoke=frozenset({2}))
    access = Access(TARGET, public=True, writable=frozenset({2}), invocable=frozenset({1}), rights={Role.MANAGER: own})
    assert [access.may_read(Role.MANAGER, n) for n in (1, 2, 3)] == [True, False, False]
    assert [access.may_write(Role.MANAGER, n) for n in (1, 2, 3)] == [False, False, True]
    assert [access.may_invoke(Role.MANAGER, n) for n in (1, 2)] == [False, True]
    assert access.may_read(Role.READER, 2)


def test_who_has_no_rights_at_all_does_not_find_it():
    access = Access(TARGET, public=True, rights={Role.READER: Rights()})
    assert not access.is_listed_for(Role.READER)
    assert not access.may_read(Role.READER, 1)
    assert access.is_listed_for(Role.PUBLIC)


@pytest.mark.parametrize("role", Role)
def test_nobody_reads_what_cannot_be_read_and_open_methods_are_for_all(role):
    access = Access(TARGET, public=True, unreadable=frozenset({7}), open_methods=frozenset({1}))
    assert not access.may_read(role, 7)
    assert access.may_invoke(role, 1)


@pytest.mark.parametrize("role", Role)
def test_given_rights_are_the_same_for_all(role):
    access = GivenAccess(TARGET, attribute_modes={1: 1, 2: 3, 3: 2}, method_modes={1: 1, 2: 0})
    assert [access.may_read(role, n) for n in (1, 2, 3, 4)] == [True, True, False, False]
    assert [access.may_write(role, n) for n in (1, 2, 3, 4)] == [False, True, True, False]
    assert [access.may_invoke(role, n) for n in (1, 2, 3)] == [True, False, False]
