"""The application layer of the inspector: an APDU, and whatever stands inside it.

An APDU may hold another one (an InitiateRequest in an AARQ), a ciphered one, or a slice of one. Every step adds a layer to the
sheet, and octets of its own where they exist on no line.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from meters.cosem.data import Data, DataType
from sessions.dlms.acse import Aare, Aarq, Rlre, Rlrq
from sessions.dlms.apdu import Apdu, read_apdu
from sessions.dlms.apdu.access import AccessRequest, AccessResponse
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.ciphered import CipheredApdu, GeneralCipheredApdu, GeneralCiphering, GeneralSigning
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.apdu.notification import DataNotification, EventNotificationRequest
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
)
from sessions.dlms.apdu.short_name import ReadBlock, ReadRequest, ReadResponse
from sessions.dlms.cursor import Field
from sessions.dlms.errors import DecodeError, LimitExceededError
from sessions.dlms.inspector.general import mask_wrapped_keys, show_signature
from sessions.dlms.inspector.protected import open_ciphered
from sessions.dlms.inspector.secrets import asks_for_secret, carries_secret, hide_values, transfers_keys
from sessions.dlms.inspector.sense import is_apdu, looks_like_text
from sessions.dlms.inspector.sheet import Sheet, clear_errors, find_field
from sessions.dlms.inspector.short_names import (
    SHORT_NAME_APDUS,
    asks_for_object_list,
    begins_request,
    continues_request,
    name_variables,
    object_list,
    request_block,
    single_value,
    words_for,
    writes_proof,
)
from sessions.dlms.inspector.slices import general_block, preview_slice, service_block
from sessions.dlms.inspector.state import Conversation
from sessions.dlms.inspector.text import looks_like_proof, write_proof, write_text

MAX_LAYERS: Final = 6
"""APDUs inside APDUs; real traffic needs four (blocks, ciphered, signed, service)."""
_BEGINNINGS: Final = (
    Aarq,
    GetRequestNormal,
    GetRequestWithList,
    SetRequestNormal,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    AccessRequest,
)
_SET_BLOCKS: Final = SetRequestWithFirstDatablock | SetRequestWithListAndFirstDatablock | SetRequestWithDatablock
_ACTION_BLOCKS: Final = (
    ActionRequestWithFirstPblock
    | ActionRequestWithListAndFirstPblock
    | ActionRequestWithPblock
    | ActionResponseWithPblock
)
_CONTINUATIONS: Final = (GetRequestNext, ActionRequestNextPblock, SetResponseDatablock, ActionResponseNextPblock)
_ANSWERS: Final = (GetResponseNormal, GetResponseWithList, GetResponseWithDatablock, AccessResponse, ReadResponse)


def open_apdu(
    sheet: Sheet, talk: Conversation, octets: bytes, source: str, *, origin: int = 0, channel: Hashable = None
) -> None:
    """Add the APDU in `octets` to the sheet, with everything inside it. A `DecodeError` becomes the sheet's error."""
    Opener(sheet, talk, channel).open(octets, source, origin)


def preview_apdu(sheet: Sheet, octets: bytes, source: str, *, origin: int) -> str:
    """Show what can be read of the beginning of an APDU, and remember nothing; returns what it is the beginning of."""
    first = len(sheet.root.children)
    try:
        with sheet.layer(octets, source, origin=origin) as reader:
            return read_apdu(reader).summary()
    except DecodeError:
        tree = Field("", origin, len(octets), source=source, children=sheet.root.children[first:])
        preview_slice(sheet, octets, source, origin, tree)
        clear_errors(tree)
        return tree.children[0].name if tree.children else f"APDU {octets[:1].hex()}"


def value_of(apdu: object) -> Data | None:
    """The value that an APDU carries, where it carries one."""
    if isinstance(apdu, GetResponseNormal):
        return apdu.result if isinstance(apdu.result, Data) else None
    if isinstance(apdu, ActionResponseNormal):
        return apdu.return_parameters if isinstance(apdu.return_parameters, Data) else None
    if isinstance(apdu, SetRequestNormal):
        return apdu.value
    if isinstance(apdu, DataNotification):
        return apdu.notification_body
    if isinstance(apdu, EventNotificationRequest):
        return apdu.attribute_value
    return single_value(apdu)


class Opener:
    """Opens one frame's APDU layer by layer."""

    def __init__(self, sheet: Sheet, talk: Conversation, channel: Hashable) -> None:
        self.sheet = sheet
        self.talk = talk
        self.channel = channel
        self._depth = 0

    def open(self, octets: bytes, source: str, origin: int = 0) -> None:
        """One APDU, or what stands in its place."""
        if looks_like_text(octets) and not is_apdu(octets):
            write_text(self.sheet, octets, source, origin)
        elif looks_like_proof(octets) and not is_apdu(octets):
            write_proof(self.sheet, octets, source, origin)
        else:
            self._open_apdu(octets, source, origin)

    def deeper(self, octets: bytes, source: str, origin: int = 0) -> None:
        """An APDU inside the one that is being opened."""
        if self._depth >= MAX_LAYERS:
            self.sheet.fail(LimitExceededError("apdu", origin, f"more than {MAX_LAYERS} APDUs inside each other"))
            return
        self._depth += 1
        self.open(octets, source, origin)
        self._depth -= 1

    def _open_apdu(self, octets: bytes, source: str, origin: int) -> None:
        first = len(self.sheet.root.children)
        apdu: Apdu | None = None
        try:
            with self.sheet.layer(octets, source, origin=origin) as reader:
                apdu = read_apdu(reader)
                reader.finish("apdu")
        except DecodeError as error:
            self.sheet.fail(error)
            if apdu is None:
                self.sheet.summary = _unreadable(octets, error)
                return
        self.sheet.apdu = apdu
        self.sheet.summary = apdu.summary()
        if self._depth == 0:
            self.deviate_all(self.talk.manners.of_clear(octets[0]))
        self._follow(apdu, Field("", origin, len(octets), source=source, children=self.sheet.root.children[first:]))

    def _follow(self, apdu: Apdu, tree: Field) -> None:
        """Open what is inside, and remember what later frames need."""
        self.talk.learn(apdu)
        self.deviate_all(self.talk.manners.of_initiate(apdu))
        self.sheet.data = value_of(apdu)
        self._note_request(apdu, tree)
        self._name_variables(apdu, tree)
        if isinstance(apdu, Aarq | Aare | Rlrq | Rlre):
            self._note_deviations(apdu)
            self._user_information(apdu.user_information, tree)
        elif isinstance(apdu, CipheredApdu | GeneralCipheredApdu | GeneralCiphering):
            open_ciphered(self, apdu, tree)
        elif isinstance(apdu, GeneralSigning):
            show_signature(self, apdu, tree)
            self._content(apdu.content, tree)
        else:
            self._slices(apdu, tree)

    def _note_deviations(self, apdu: Aarq | Aare | Rlrq | Rlre) -> None:
        """What an APDU of the association does otherwise than the standard, and than it was asked."""
        odd = list(apdu.deviations)
        if isinstance(apdu, Aarq):
            self.talk.manners.ask(apdu)
        elif isinstance(apdu, Aare):
            odd += self.talk.manners.of_aare(apdu)
        self.deviate_all(odd)

    def deviate_all(self, odd: list[str]) -> None:
        for words in odd:
            self.sheet.deviate(words)

    def _slices(self, apdu: Apdu, tree: Field) -> None:
        if isinstance(apdu, GeneralBlockTransfer):
            general_block(self, apdu, tree)
        elif isinstance(apdu, GetResponseWithDatablock):
            if isinstance(apdu.result, bytes):
                service_block(self, "get", apdu.block_number, apdu.last_block, apdu.result, tree)
            else:
                self.talk.shelf.end_blocks((self.channel, "get"))
        elif isinstance(apdu, _SET_BLOCKS):
            service_block(self, "set", apdu.block_number, apdu.last_block, apdu.raw_data, tree)
        elif isinstance(apdu, _ACTION_BLOCKS):
            service_block(self, "action", apdu.block_number, apdu.last_block, apdu.raw_data, tree)
        elif isinstance(apdu, ReadResponse) and len(apdu.results) == 1 and isinstance(apdu.results[0], ReadBlock):
            block = apdu.results[0]
            service_block(self, "read", block.block_number, block.last_block, block.raw_data, tree)
        elif (sent := request_block(apdu)) is not None:
            kind = "read-request" if isinstance(apdu, ReadRequest) else "write"
            service_block(self, kind, sent[0].number, sent[0].last_block, sent[1], tree)

    def _name_variables(self, apdu: Apdu, tree: Field) -> None:
        """Short names in words, and what the meter's list of them says."""
        if not isinstance(apdu, SHORT_NAME_APDUS):
            return
        name_variables(tree, self.talk.short_names)
        if words := words_for(apdu, self.talk.short_names):
            self.sheet.summary += f" ({words})"
        if writes_proof(apdu):
            self.sheet.deviate(
                "the proof is written: a method that returns something is read, with parameterised access"
            )

    def take_object_list(self, value: Data | None) -> None:
        """The answer to a READ of the meter's object list says what its short names stand for."""
        names = object_list(value) if value is not None and self.talk.object_list_answer else None
        if names is None or value is None:
            return
        self.talk.short_names = names
        if any(row[0].type is not DataType.LONG for row in value):
            self.sheet.deviate("base names are of another type than long")

    def _note_request(self, apdu: Apdu, tree: Field) -> None:
        if isinstance(apdu, _BEGINNINGS) or begins_request(apdu):
            self.talk.new_request()
            self.talk.secret_answer = asks_for_secret(apdu, self.talk.short_names)
            self.talk.secret_request = carries_secret(apdu, self.talk.short_names)
            self.talk.object_list_answer = asks_for_object_list(apdu)
        elif isinstance(apdu, _CONTINUATIONS) or continues_request(apdu):
            self.sheet.starts_apdu = not self.talk.shelf.busy
        if transfers_keys(apdu):
            mask_wrapped_keys(tree)
            self.sheet.summary = f"{tree.children[0].name} of wrapped keys (key transfer)"
        carries = carries_secret(apdu, self.talk.short_names)
        further = isinstance(apdu, SetRequestWithDatablock | ActionRequestWithPblock) or request_block(apdu) is not None
        if isinstance(apdu, ReadResponse):
            self.take_object_list(self.sheet.data)
        if (
            carries
            or (further and self.talk.secret_request)
            or (self.talk.secret_answer and isinstance(apdu, _ANSWERS))
        ):
            hide_values(tree)
            self.sheet.data = None
            self.sheet.summary = f"{tree.children[0].name} with a secret"

    def _user_information(self, octets: bytes | None, tree: Field) -> None:
        """Initiate, ciphered initiate or service error, shown below its field; the ACSE APDU stays the frame's APDU."""
        field = find_field(tree, "user-information")
        if not octets or field is None:
            return
        try:
            with self.sheet.layer(octets, tree.source, origin=field.offset, under=field) as reader:
                inner = read_apdu(reader)
                reader.finish("user-information")
        except DecodeError as error:
            self.sheet.fail(error)
            return
        field.value = inner.summary()
        self.talk.learn(inner)
        self.deviate_all(self.talk.manners.of_initiate(inner))
        if isinstance(inner, CipheredApdu | GeneralCipheredApdu | GeneralCiphering):
            apdu, summary = self.sheet.apdu, self.sheet.summary
            open_ciphered(self, inner, field)
            self.sheet.apdu, self.sheet.summary = apdu, summary

    def _content(self, octets: bytes, tree: Field) -> None:
        """What a general-signing APDU signs."""
        group = find_field(tree, "content")
        contents = find_field(group, "contents") if group is not None else None
        if octets and contents is not None:
            contents.value = f"{len(octets)} octets"  # what they say stands below, with its secrets masked
            self.deeper(octets, tree.source, contents.offset)


def _unreadable(octets: bytes, error: DecodeError) -> str:
    return f"APDU {octets[:1].hex()}, {len(octets)} octets: {error.reason}" if octets else "no APDU"
