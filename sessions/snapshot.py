"""Taking a snapshot of a meter: its object list and every attribute that one association may read.

Reading goes on where single attributes are refused or fail: the refusal is what the snapshot keeps. Secrets are not asked for.
Where the conversation breaks, what was read stays in `SnapshotTaker.snapshot`, and another one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from meters.cosem.data import Data, DataType
from meters.cosem.interface_class import interface_class
from sessions.association_file import AssociationFile
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.association import Negotiated, Referencing
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError
from sessions.dlms.inspector.secrets import SECRET_ATTRIBUTES
from sessions.dlms.selective_access import EntryDescriptor
from sessions.links.driver import Conversation
from sessions.object_list import (
    ACCESS_RIGHTS,
    ASSOCIATION_LN,
    ASSOCIATION_SN,
    OBJECT_LIST,
    OWN_NAME,
    AttributeRight,
    ListedObject,
    may_read,
    read_by_logical_names,
    read_by_short_names,
    rights_are_bits,
    write_by_logical_names,
    write_by_short_names,
    write_rights,
)
from sessions.snapshot_file import Recorded, Snapshot, SnapshotObject

TOGETHER: Final = 16
"""Attributes that are asked for at once, where the meter allows it."""
PROFILE, BUFFER, SORT_METHOD, ENTRIES_IN_USE = 7, 2, 5, 7
LIFO: Final = 2
CLOCK, TIME = 8, 2
GUESSED: Final = (1, 2)
"""Attributes of a class that is not known, in a meter that does not tell its rights."""
RESULT_NAMES: Final = frozenset(result.name.lower().replace("_", "-") for result in DataAccessResult)

UNSECRET: Final = frozenset(
    {
        "framing",
        "client_sap",
        "server_sap",
        "authentication",
        "protection",
        "response_protection",
        "security_policy",
        "security_policy_version",
        "ciphering_form",
        "ciphered_context",
        "security_suite",
        "client_system_title",
        "user_id",
        "conformance",
        "max_pdu_size",
        "block_window",
        "pre_established",
        "server_max_receive_pdu_size",
        "referencing",
        "short_names",
        "reverse_deviation",
        "general",
        "hdlc",
        "sign_on",
    }
)
"""Keys of an association file that a snapshot keeps. What is not named here may be a secret."""

Asked = tuple[SnapshotObject, int]
Answer = Data | DataAccessResult | DlmsError


def without_secrets(table: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an association file that may be kept. Of a dedicated key only that there is a fresh one each time."""
    kept = {name: value for name, value in table.items() if name in UNSECRET}
    return kept | ({"dedicated_key": "fresh"} if "dedicated_key" in table else {})


class SnapshotTaker:
    """Fills `snapshot`, which may hold a part already. `rows`: of each profile so many of the last rows, None: all.

    `now` is the host's clock. `progress` is told how many attributes are done, and of how many.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        rows: int | None,
        now: Callable[[], datetime],
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> None:
        self.snapshot = snapshot
        self._rows = rows
        self._now = now
        self._progress = progress
        self._conformance = Conformance(0)

    async def take(self, conversation: Conversation, association: AssociationFile, negotiated: Negotiated) -> None:
        """Read what is missing; DlmsError where the conversation breaks, or where this is another meter than before."""
        self._conformance = negotiated.conformance
        self.snapshot.negotiated = negotiated.as_json()
        by_names = association.parameters.referencing is Referencing.SHORT_NAMES
        await self._list(conversation, by_names=by_names)
        wanted = [
            (each, number)
            for each in self.snapshot.objects
            for number, recorded in each.attributes.items()
            if not recorded.known
        ]
        total = sum(len(each.attributes) for each in self.snapshot.objects)
        done = total - len(wanted)
        for some in _batches(wanted):
            self._progress(done, total)
            await self._read(conversation, some)
            done += len(some)
        self._progress(done, total)
        self.snapshot.finished, self.snapshot.broken = True, None

    @property
    def settled(self) -> int:
        """How much is known, or known to break a conversation: what only grows while something comes of asking."""
        recorded = [each for one in self.snapshot.objects for each in one.attributes.values()]
        return sum(2 * each.known + each.broke for each in recorded)

    # -- the object list ---------------------------------------------------------------------------------------------

    async def _list(self, conversation: Conversation, *, by_names: bool) -> None:
        own_class = ASSOCIATION_SN if by_names else ASSOCIATION_LN
        data = await conversation.get(CosemAttributeDescriptor(own_class, OWN_NAME, OBJECT_LIST))
        if not isinstance(data, Data):
            raise _no_list(f"the meter does not tell its objects: {data.words}")
        rights: Data | DataAccessResult | None = None
        if by_names:
            rights = await conversation.get(CosemAttributeDescriptor(own_class, OWN_NAME, ACCESS_RIGHTS))
        told = rights if isinstance(rights, Data) else None
        try:
            listed = read_by_short_names(data, told) if by_names else read_by_logical_names(data)
        except ValueError as error:
            raise _no_list(f"the meter's object list cannot be read: {error}") from None
        objects = unread_objects(listed)
        self._keep(objects)
        keep_lists(self.snapshot, listed, data, told)
        for each in objects:
            if (each.class_id, each.logical_name) == (own_class, OWN_NAME):
                mark_lists(each, rights)

    def _keep(self, objects: list[SnapshotObject]) -> None:
        """What was read before stays, if it is the same meter."""
        before = {(each.class_id, each.logical_name): each for each in self.snapshot.objects}
        if before and [each.listed for each in objects] != [each.listed for each in self.snapshot.objects]:
            raise DlmsError(
                "the meter lists other objects than those of the file",
                layer="application",
                code="another-meter",
                hint="A snapshot is finished with the meter and the association that it was begun with.",
            )
        for each in objects:
            for number, recorded in before[each.class_id, each.logical_name].attributes.items() if before else ():
                if not recorded.known:
                    each.attributes[number].broke = recorded.broke
                elif not recorded.refused or recorded.refused in RESULT_NAMES or recorded.broke:
                    each.attributes[number] = recorded
        self.snapshot.objects = objects

    # -- attributes --------------------------------------------------------------------------------------------------

    async def _read(self, conversation: Conversation, some: Sequence[Asked]) -> None:
        """Together; where that fails as a whole, one by one. A conversation that breaks is raised, and remembered where."""
        if len(some) > 1:
            try:
                answers = await conversation.get_many([_descriptor(each, number) for each, number in some])
            except DlmsError as error:
                if not conversation.is_open:
                    self._remember(some, error)
                    raise
            else:
                for one, answer in zip(some, answers, strict=True):
                    self._record(one, answer)
                return
        for one in some:
            try:
                self._record(one, await self._read_one(conversation, *one))
            except DlmsError as error:
                self._remember([one], error)
                raise

    @staticmethod
    def _remember(some: Sequence[Asked], error: DlmsError) -> None:
        """What breaks a conversation is asked for alone when the snapshot goes on, and if it breaks that one, not again."""
        for each, number in some:
            each.attributes[number].broke = True
        if len(some) == 1:
            each, number = some[0]
            each.attributes[number].refused = error.code

    async def _read_one(self, conversation: Conversation, each: SnapshotObject, number: int) -> Answer:
        try:
            if _is_buffer(each, number):
                return await self._buffer(conversation, each)
            return await conversation.get(_descriptor(each, number))
        except DlmsError as error:
            if not conversation.is_open:
                raise
            return error

    def _record(self, asked: Asked, answer: Answer) -> None:
        each, number = asked
        recorded = each.attributes[number]
        if isinstance(answer, Data):
            recorded.value, recorded.refused, recorded.broke = answer, "", False
            if (each.class_id, number) == (CLOCK, TIME):
                recorded.at = self._now()
        else:
            recorded.refused = _name(answer) if isinstance(answer, DataAccessResult) else answer.code
            recorded.broke = False

    # -- profiles ----------------------------------------------------------------------------------------------------

    async def _buffer(self, conversation: Conversation, profile: SnapshotObject) -> Data | DataAccessResult:
        """The last rows by their numbers, where the meter says how many there are; else the whole buffer."""
        descriptor = _descriptor(profile, BUFFER)
        entries, count = _integer(profile, ENTRIES_IN_USE), self._rows
        if count is None or entries is None or entries <= count or not self._selects:
            return await conversation.get(descriptor)
        first = 1 if _integer(profile, SORT_METHOD) == LIFO else entries - count + 1
        last_rows = EntryDescriptor(first, first + count - 1).to_selective_access()
        answer = await conversation.get(descriptor, last_rows)
        if not isinstance(answer, Data):
            return await conversation.get(descriptor)
        profile.attributes[BUFFER].first_entry = first
        return answer

    @property
    def _selects(self) -> bool:
        return bool(self._conformance & (Conformance.SELECTIVE_ACCESS | Conformance.PARAMETERIZED_ACCESS))


def keep_lists(snapshot: Snapshot, listed: Sequence[ListedObject], data: Data, rights: Data | None) -> None:
    """The lists themselves are kept where the objects do not say them to the octet."""
    by_names = any(each.base_name is not None for each in listed)
    made = write_by_short_names(listed) if by_names else write_by_logical_names(listed)
    snapshot.object_list = None if made == data else data
    if rights is not None:
        snapshot.access_rights = None if write_rights(listed) == rights else rights


def mark_lists(own: SnapshotObject, rights: Data | DataAccessResult | None) -> None:
    """Of the association in use: which of its attributes are made of the snapshot's objects."""
    recorded = own.attributes.setdefault(OBJECT_LIST, Recorded())
    recorded.is_list = True
    if own.class_id == ASSOCIATION_SN:
        recorded = own.attributes.setdefault(ACCESS_RIGHTS, Recorded())
        recorded.is_list = isinstance(rights, Data)
        recorded.refused = _name(rights) if isinstance(rights, DataAccessResult) else ""


def _no_list(message: str) -> DlmsError:
    return DlmsError(
        message,
        layer="access",
        code="no-object-list",
        hint="Take the snapshot with an association that may read its object list, such as the management client's.",
    )


def unread_objects(listed: Sequence[ListedObject]) -> list[SnapshotObject]:
    """The objects with what may be read of them, nothing read yet. Without rights every attribute of the class is tried."""
    bits = rights_are_bits(listed)
    objects = []
    for each in listed:
        told = each.attributes is not None
        rights: Mapping[int, AttributeRight | None] = each.attributes or {}
        if not told:
            known = interface_class(each.class_id, each.version)
            rights = dict.fromkeys(known.attributes if known else GUESSED)
        attributes = {number: _unread(each.class_id, number, right, bits=bits) for number, right in rights.items()}
        methods = dict(each.methods or {}) if told else None
        objects.append(
            SnapshotObject(each.class_id, each.version, each.logical_name, each.base_name, attributes, methods)
        )
    return objects


def _unread(class_id: int, number: int, right: AttributeRight | None, *, bits: bool) -> Recorded:
    """What may not be read is refused before it is asked for."""
    if (class_id, number) in SECRET_ATTRIBUTES:
        return Recorded(right, secret=True)
    refused = "" if right is None or may_read(right.mode, bits=bits) else _name(DataAccessResult.READ_WRITE_DENIED)
    return Recorded(right, refused=refused)


def _batches(wanted: Iterable[Asked]) -> Iterable[Sequence[Asked]]:
    """A few at a time, and alone each profile's buffer (after what else its profile says, such as how many rows there are)
    and, last of all, what once broke a conversation.
    """
    left = iter(sorted(wanted, key=_turn))
    while some := tuple(islice(left, TOGETHER)):
        small = tuple(asked for asked in some if not _turn(asked))
        if small:
            yield small
        yield from ((asked,) for asked in some[len(small) :])


def _turn(asked: Asked) -> int:
    each, number = asked
    return 2 if each.attributes[number].broke else int(_is_buffer(each, number))


def _is_buffer(each: SnapshotObject, number: int) -> bool:
    return (each.class_id, number) == (PROFILE, BUFFER)


def _descriptor(each: SnapshotObject, number: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(each.class_id, each.logical_name, number)


def _integer(each: SnapshotObject, number: int) -> int | None:
    recorded = each.attributes.get(number)
    value = None if recorded is None or recorded.value is None else recorded.value
    return value.value if value is not None and type(value.value) is int and value.type is not DataType.BCD else None


def _name(result: DataAccessResult) -> str:
    return result.name.lower().replace("_", "-")
