"""The application layer of the inspector: an APDU, and whatever stands inside it.

An APDU may hold another one (an InitiateRequest in an AARQ), a ciphered one, or a slice of one. Every step adds a layer to the
sheet, and octets of its own where they exist on no line.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

from meters.cosem.data import Data, text
from sessions.dlms.acse import Aare, Aarq, Rlre, Rlrq
from sessions.dlms.apdu import decode_apdu, read_apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.ciphered import (
    PLAIN_TAGS,
    CipheredApdu,
    GeneralCipheredApdu,
    GeneralCiphering,
    GeneralSigning,
    KeyInfo,
)
from sessions.dlms.apdu.descriptors import read_action_result, read_get_data_result
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
    SetResponseDatablock,
)
from sessions.dlms.axdr import read_data
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError, DlmsError, InvalidValueError, LimitExceededError, SecurityError
from sessions.dlms.inspector.assembly import Step
from sessions.dlms.inspector.deciphering import AUTHENTICATED, TAG_OCTETS, Opened, Sealed, Trust, open_sealed
from sessions.dlms.inspector.secrets import asks_for_secret, carries_secret, hide_values
from sessions.dlms.inspector.sheet import Sheet, find_field
from sessions.dlms.inspector.state import Conversation
from sessions.dlms.inspector.text import looks_like_proof, looks_like_text, write_proof, write_text

MAX_LAYERS: Final = 6
"""APDUs inside APDUs; real traffic needs four (blocks, ciphered, signed, service)."""
_CLIENT_TAGS: Final = frozenset((0x01, 0x05, 0x06, 0x16, 0xC0, 0xC1, 0xC3, 0xD9))
_BEGINNINGS: Final = (GetRequestNormal, GetRequestWithList, SetRequestNormal, SetRequestWithList, ActionRequestNormal)
_CONTINUATIONS: Final = (GetRequestNext, ActionRequestNextPblock, SetResponseDatablock, ActionResponseNextPblock)
_CIPHERED: Final = (CipheredApdu, GeneralCipheredApdu, GeneralCiphering)


def open_apdu(
    sheet: Sheet,
    talk: Conversation,
    octets: bytes,
    source: str,
    *,
    origin: int = 0,
    channel: Hashable = None,
    depth: int = 0,
) -> None:
    """Add the APDU in `octets` to the sheet, with everything inside it. A `DecodeError` becomes the sheet's error."""
    if depth > MAX_LAYERS:
        sheet.fail(LimitExceededError("apdu", origin, f"more than {MAX_LAYERS} APDUs inside each other"))
        return
    if looks_like_text(octets) and not makes_sense(octets, as_text=False):
        write_text(sheet, octets, source, origin)
        return
    if looks_like_proof(octets) and not makes_sense(octets, as_text=False):
        write_proof(sheet, octets, source, origin)
        return
    first_field = len(sheet.root.children)
    try:
        with sheet.layer(octets, source, origin=origin) as reader:
            apdu = read_apdu(reader)
            sheet.apdu = apdu
            reader.finish("apdu")
    except DecodeError as error:
        sheet.fail(error)
        if sheet.apdu is None:
            sheet.summary = _unreadable(octets, error)
            return
        apdu = sheet.apdu
    sheet.summary = apdu.summary()
    tree = Field("", origin, len(octets), source=source, children=sheet.root.children[first_field:])
    _Inside(sheet, talk, channel, depth, source).follow(apdu, tree)


def preview_apdu(sheet: Sheet, octets: bytes, source: str, *, origin: int) -> str:
    """Show what can be read of the beginning of an APDU, and remember nothing; returns what it is the beginning of."""
    first_field = len(sheet.root.children)
    title = "an APDU"
    try:
        with sheet.layer(octets, source, origin=origin) as reader:
            title = read_apdu(reader).summary()
    except DecodeError:
        tree = Field("", origin, len(octets), source=source, children=sheet.root.children[first_field:])
        _preview_slice(sheet, octets, source, origin, tree)
        clear_errors(tree)
        title = tree.children[0].name if tree.children else f"APDU {octets[:1].hex()}"
    return title


def _preview_slice(sheet: Sheet, octets: bytes, source: str, origin: int, tree: Field) -> None:
    """The beginning of a block that is cut itself."""
    for name, read in (("raw-data", read_data), ("block-data", read_apdu)):
        group = find_field(tree, name)
        if group is None or not group.error:
            continue
        start = group.offset + group.length
        try:
            with sheet.layer(octets[start - origin :], source, origin=start, under=group) as reader:
                read(reader)
        except DecodeError:
            pass


def _unreadable(octets: bytes, error: DecodeError) -> str:
    return f"APDU {octets[:1].hex()}, {len(octets)} octets: {error.reason}" if octets else "no APDU"


def makes_sense(octets: bytes, *, as_text: bool = True) -> bool:
    """Whether octets are one whole APDU, or text."""
    if as_text and looks_like_text(octets):
        return True
    try:
        decode_apdu(octets)
    except DecodeError:
        return False
    return True


class _Inside:
    """What an APDU holds, by its kind."""

    def __init__(self, sheet: Sheet, talk: Conversation, channel: Hashable, depth: int, source: str) -> None:
        self.sheet = sheet
        self.talk = talk
        self.channel = channel
        self.depth = depth
        self.source = source

    def follow(self, apdu: object, tree: Field) -> None:
        """Open what is inside, remember what later frames need."""
        self.talk.learn(apdu)
        self._requests(apdu, tree)
        if isinstance(apdu, Aarq | Aare | Rlrq | Rlre):
            self._user_information(apdu.user_information, tree)
        elif isinstance(apdu, _CIPHERED):
            self._ciphered(apdu, tree)
        elif isinstance(apdu, GeneralBlockTransfer):
            self._general_block(apdu, tree)
        elif isinstance(apdu, GeneralSigning):
            self._deeper(apdu.content, "content", tree)
        elif isinstance(apdu, GetResponseWithDatablock):
            if isinstance(apdu.result, bytes):
                self._service_block("get", apdu.block_number, apdu.last_block, apdu.result, tree)
            else:
                self.talk.shelf.end_blocks((self.channel, "get"))
        elif isinstance(apdu, SetRequestWithFirstDatablock | SetRequestWithDatablock):
            self._service_block("set", apdu.block_number, apdu.last_block, apdu.raw_data, tree)
        elif isinstance(apdu, ActionRequestWithFirstPblock | ActionRequestWithPblock | ActionResponseWithPblock):
            self._service_block("action", apdu.block_number, apdu.last_block, apdu.raw_data, tree)
        else:
            self.sheet.data = value_of(apdu)

    def _requests(self, apdu: object, tree: Field) -> None:
        if isinstance(apdu, _BEGINNINGS):
            self.talk.new_request(self.channel)
            self.talk.secret_answer = asks_for_secret(apdu)
        elif isinstance(apdu, _CONTINUATIONS):
            self.sheet.starts_apdu = not self.talk.shelf.busy
        answer = isinstance(apdu, GetResponseNormal | GetResponseWithList | GetResponseWithDatablock)
        if carries_secret(apdu) or (answer and self.talk.secret_answer):
            hide_values(tree)
            self.sheet.summary = f"{type(apdu).__name__} with a secret of the association"

    # -- APDUs inside fields ---------------------------------------------------------------------------------------------

    def _user_information(self, octets: bytes | None, tree: Field) -> None:
        """Initiate, ciphered initiate or service error, shown below its field; the ACSE APDU stays the frame's APDU."""
        field = find_field(tree, "user-information")
        if not octets or field is None:
            return
        try:
            with self.sheet.layer(octets, self.source, origin=field.offset, under=field) as reader:
                inner = read_apdu(reader)
                reader.finish("user-information")
            field.value = inner.summary()
        except DecodeError as error:
            self.sheet.fail(error)
            return
        self.talk.learn(inner)
        if isinstance(inner, _CIPHERED):
            apdu, summary = self.sheet.apdu, self.sheet.summary
            self._ciphered(inner, field)
            self.sheet.apdu, self.sheet.summary = apdu, summary

    def _deeper(self, octets: bytes, name: str, tree: Field) -> None:
        field = find_field(tree, name)
        found = find_field(field, "contents") if field is not None else None
        if octets and found is not None:
            open_apdu(
                self.sheet,
                self.talk,
                octets,
                self.source,
                origin=found.offset,
                channel=self.channel,
                depth=self.depth + 1,
            )

    # -- ciphered ----------------------------------------------------------------------------------------------------------

    def _ciphered(self, apdu: CipheredApdu | GeneralCipheredApdu | GeneralCiphering, tree: Field) -> None:
        sealed = Sealed(
            apdu.security_control.encode(),
            apdu.invocation_counter,
            apdu.ciphertext,
            apdu.header() if isinstance(apdu, GeneralCiphering) else b"",
        )
        field = _split_ciphertext(tree, sealed)
        if apdu.security_control.compressed:
            self.sheet.note("compressed (V.44): not opened")
            return
        keys, titles = self._candidates(apdu)
        opened = open_sealed(
            sealed, keys=keys, authentication_key=self.talk.keys.gak, titles=titles, makes_sense=makes_sense
        )
        opened = opened or _in_clear(sealed)
        if opened is None:
            self._stays_closed(bool(keys), bool(titles))
            return
        self._opened(opened, sealed, field)

    def _candidates(
        self, apdu: CipheredApdu | GeneralCipheredApdu | GeneralCiphering
    ) -> tuple[list[bytes], list[bytes]]:
        broadcast = apdu.security_control.broadcast
        if isinstance(apdu, GeneralCiphering):
            identified = apdu.key_info in (None, KeyInfo.IDENTIFIED_KEY)
            keys = self.talk.encryption_keys(broadcast=broadcast or apdu.key_id == 1) if identified else []
            return keys, self.talk.titles(said=apdu.originator_system_title)
        keys = self.talk.encryption_keys(dedicated=apdu.dedicated, broadcast=broadcast)
        if isinstance(apdu, GeneralCipheredApdu):
            return keys, self.talk.titles(said=apdu.system_title, from_client=self.sheet.direction == "sent")
        return keys, self.talk.titles(from_client=PLAIN_TAGS.get(apdu.tag) in _CLIENT_TAGS)

    def _stays_closed(self, has_keys: bool, has_titles: bool) -> None:
        if not has_keys:
            self.sheet.note("not deciphered: no key is given")
        elif not has_titles:
            self.sheet.note("not deciphered: the sender's system title is not known")
        else:
            self.sheet.fail(SecurityError("no key and system title that are known here open this APDU", code="bad-tag"))

    def _opened(self, opened: Opened, sealed: Sealed, field: Field | None) -> None:
        if field is not None:
            field.value = f"{field.value} ({opened.trust.value})"
        if opened.trust is Trust.BAD_TAG:
            self.sheet.fail(
                SecurityError(
                    "the authentication tag does not fit: altered octets, or another authentication key", code="bad-tag"
                )
            )
        elif opened.trust is not Trust.VERIFIED and sealed.authenticated:
            self.sheet.note(opened.trust.value)
        source = self.sheet.add_source("plaintext", opened.plaintext)
        self.sheet.plaintext = opened.plaintext
        self.sheet.apdu = None
        open_apdu(self.sheet, self.talk, opened.plaintext, source, channel=self.channel, depth=self.depth + 1)
        self.sheet.summary += ", deciphered" if opened.trust is not Trust.IN_CLEAR else ""

    # -- slices ------------------------------------------------------------------------------------------------------------

    def _general_block(self, apdu: GeneralBlockTransfer, tree: Field) -> None:
        if not apdu.block_data and not apdu.last_block:
            return  # an acknowledgement
        key = (self.channel, "general")
        blocks = self.talk.shelf.blocks(key)
        step = blocks.add(apdu.block_number, apdu.block_data)
        if not self._step_fits(step, blocks.number, apdu.block_number, tree):
            if step is Step.OUT_OF_ORDER and apdu.window == 0:
                self.talk.shelf.end_blocks(key)  # nobody will send the missing one again
            return
        if apdu.last_block and blocks.number == apdu.block_number:
            whole = bytes(blocks.octets)
            self.talk.shelf.end_blocks(key)
            source = self.sheet.add_source("block-transfer", whole)
            count = f"general block {apdu.block_number}, the last"
            self.sheet.apdu = None
            open_apdu(self.sheet, self.talk, whole, source, channel=self.channel, depth=self.depth + 1)
            self.sheet.summary = f"{count}: {self.sheet.summary}"
        elif step is Step.STARTED:
            self._first_slice(apdu.block_data, "block-data", tree, read_apdu)

    def _service_block(self, kind: str, number: int, last: bool, octets: bytes, tree: Field) -> None:
        key = (self.channel, kind)
        blocks = self.talk.shelf.blocks(key)
        step = blocks.add(number, octets)
        if not self._step_fits(step, blocks.number, number, tree):
            return
        if last and blocks.number == number:
            whole = bytes(blocks.octets)
            self.talk.shelf.end_blocks(key)
            self._assembled(kind, whole)
        elif step is Step.STARTED:
            self._first_slice(octets, "raw-data", tree, read_data)

    def _step_fits(self, step: Step, have: int, number: int, tree: Field) -> bool:
        """Whether the transfer went on; what did not fit is marked."""
        self.sheet.starts_apdu = step not in (Step.CONTINUED, Step.REPEATED)
        field = find_field(tree, "block-number")
        offset = field.offset if field is not None else 0
        error: DlmsError | None = None
        if step is Step.OUT_OF_ORDER:
            error = InvalidValueError("block-number", offset, f"block {have + 1} expected, {number} came")
        elif step is Step.TOO_LONG:
            error = LimitExceededError("block-number", offset, "the transfer is longer than this inspector keeps")
        elif step is Step.REPEATED:
            self.sheet.note("a repeated block")
        elif step is Step.UNKNOWN_START:
            self.sheet.note("the beginning of this transfer was not seen")
        if error is not None:
            self.sheet.fail(error)
        return step in (Step.STARTED, Step.CONTINUED)

    def _first_slice(self, octets: bytes, name: str, tree: Field, read: Callable[[Reader], Any]) -> None:
        """Show what can be read of the first slice already; its end cuts a value, which is no error."""
        field = find_field(tree, name)
        contents = find_field(field, "contents") if field is not None else None
        if contents is None or contents.secret:
            return
        try:
            with self.sheet.layer(octets, self.source, origin=contents.offset, under=contents) as reader:
                read(reader)
        except DecodeError:
            clear_errors(contents)

    def _assembled(self, kind: str, octets: bytes) -> None:
        """The value that the blocks of one service carried."""
        source = self.sheet.add_source("data", octets)
        hidden = self.talk.secret_answer
        last_error: DecodeError | None = None
        for read in _READERS[kind]:
            if not _reads(read, octets):
                continue
            with self.sheet.layer(octets, source) as reader, reader.group("assembled value"):
                value = read(reader)
            self.sheet.data = None if hidden else value
            shown = "a secret" if hidden else _short(value)
            self.sheet.summary = f"{self.sheet.summary}: {shown}"
            if hidden:
                hide_values(self.sheet.root.children[-1])
            return
        try:
            with self.sheet.layer(octets, source) as reader, reader.group("assembled value"):
                read_data(reader)
                reader.finish("assembled value")
        except DecodeError as error:
            last_error = error
        if last_error is not None:
            self.sheet.fail(last_error)


def _short(value: Data | None) -> str:
    if value is None:
        return "complete"
    return f"{len(value)} elements" if value.constructed else text(value)


def _read_list(reader: Reader) -> None:
    """What the blocks of a GET with-list carry."""
    for _ in range(reader.count("count")):
        read_get_data_result(reader)


def _read_action_result(reader: Reader) -> Data | None:
    """Action-Response-With-Optional-Data, as the blocks of an ACTION response carry it."""
    read_action_result(reader)
    if not reader.flag("return-parameters-present"):
        return None
    value = read_get_data_result(reader, "return-parameters")
    return value if isinstance(value, Data) else None


_READERS: Final[dict[str, tuple[Callable[[Reader], Data | None], ...]]] = {
    "get": (read_data, _read_list),
    "set": (read_data, _read_list),
    "action": (read_data, _read_action_result),
}


def _reads(read: Callable[[Reader], Data | None], octets: bytes) -> bool:
    reader = Reader(octets)
    try:
        read(reader)
        reader.finish()
    except DecodeError:
        return False
    return True


def _split_ciphertext(tree: Field, sealed: Sealed) -> Field | None:
    """Show the tag as a field of its own; returns the field that says how far to believe the text."""
    field = find_field(tree, "ciphertext")
    if field is None or field.length < TAG_OCTETS or not sealed.authenticated:
        return field
    size = field.length - TAG_OCTETS
    name = "ciphertext" if sealed.encrypted else "plaintext"
    tag = Field("authentication-tag", field.offset + size, TAG_OCTETS, sealed.tag.hex(), field.source)
    field.children = [Field(name, field.offset, size, sealed.body.hex(), field.source), tag]
    field.name, field.value = "protected-text", ""
    return tag


def _in_clear(sealed: Sealed) -> Opened | None:
    """A text that the header calls ciphered, and that is not: some loggers decipher and keep the header."""
    for octets in (sealed.payload, sealed.body):
        if (
            len(octets) > TAG_OCTETS
            and octets[0] in (0x0F, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC7)
            and makes_sense(octets)
        ):
            return Opened(octets, Trust.IN_CLEAR, b"")
    if not sealed.encrypted and sealed.security_control & AUTHENTICATED and makes_sense(sealed.body):
        return Opened(sealed.body, Trust.UNCHECKED, b"")
    return None


def value_of(apdu: object) -> Data | None:
    """The value that an APDU carries, where it carries one."""
    if isinstance(apdu, GetResponseNormal):
        return apdu.result if isinstance(apdu.result, Data) else None
    if isinstance(apdu, DataNotification):
        return apdu.notification_body
    if isinstance(apdu, EventNotificationRequest):
        return apdu.attribute_value
    return None


def clear_errors(field: Field) -> None:
    """Take back the marks of an error that is none."""
    field.error = ""
    for child in field.children:
        clear_errors(child)
