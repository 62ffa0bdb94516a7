"""What clients may do with an object of a simulated meter: by role, by attribute and method.

A meter type says it in a few words (`Access.public`, `writable`, `invocable`) or, for single roles, number by number (`Rights`).
What stands here is enforced by `meter.py` and told in the object list by `association_object.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sessions.dlms.short_name_map import ShortNameObject
from sessions.simulator.device import Role
from sessions.simulator.objects.base import CosemObject


@dataclass(frozen=True, slots=True)
class Rights:
    """What one role may do with one object: attributes to read, attributes to write, methods to invoke. Without any the
    object is not in its list.
    """

    read: frozenset[int] = frozenset()
    write: frozenset[int] = frozenset()
    invoke: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.read or self.write or self.invoke)


@dataclass(frozen=True, slots=True)
class Access:
    """One object with the rights on it. What stands in no set can neither be written nor invoked by any client.

    `public`: every client may read it, otherwise every one but the public client. `open_methods` are those that every client
    may invoke. `unreadable`: attributes that nobody reads. `rights`: of the roles that have others than these. `base_name`:
    where its short names begin, in a meter that has such.
    """

    target: CosemObject
    public: bool = False
    writable: frozenset[int] = frozenset()
    invocable: frozenset[int] = frozenset()
    open_methods: frozenset[int] = frozenset()
    base_name: int | None = None
    unreadable: frozenset[int] = frozenset()
    rights: Mapping[Role, Rights] = field(default_factory=dict)

    @property
    def row(self) -> ShortNameObject:
        """Its row in a list of short names; ValueError for an object without one."""
        if self.base_name is None:
            raise ValueError(f"{self.target.logical_name} has no base_name")
        return ShortNameObject(self.base_name, self.target.class_id, self.target.version, self.target.logical_name)

    def is_listed_for(self, role: Role) -> bool:
        """Whether a client finds it in its object list."""
        if role in self.rights:
            return bool(self.rights[role])
        return self.public or role is not Role.PUBLIC

    def may_read(self, role: Role, attribute_id: int) -> bool:
        if attribute_id in self.unreadable:
            return False
        if role in self.rights:
            return attribute_id in self.rights[role].read
        return self.is_listed_for(role)

    def may_write(self, role: Role, attribute_id: int) -> bool:
        if role in self.rights:
            return attribute_id in self.rights[role].write
        return role is Role.MANAGER and attribute_id in self.writable

    def may_invoke(self, role: Role, method_id: int) -> bool:
        if method_id in self.open_methods:
            return True
        if role in self.rights:
            return method_id in self.rights[role].invoke
        return role is Role.MANAGER and method_id in self.invocable


@dataclass(frozen=True, slots=True)
class GivenAccess(Access):
    """One object whose rights are the same for whoever is associated: access modes by attribute, and by method."""

    attribute_modes: Mapping[int, int] = field(default_factory=dict)
    method_modes: Mapping[int, int] = field(default_factory=dict)

    def is_listed_for(self, role: Role) -> bool:
        return True

    def may_read(self, role: Role, attribute_id: int) -> bool:
        return bool(self.attribute_modes.get(attribute_id, 0) & 1)

    def may_write(self, role: Role, attribute_id: int) -> bool:
        return bool(self.attribute_modes.get(attribute_id, 0) & 2)

    def may_invoke(self, role: Role, method_id: int) -> bool:
        return bool(self.method_modes.get(method_id, 0))
