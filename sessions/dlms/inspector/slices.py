"""Slices of a longer thing in the inspector: general blocks of an APDU, blocks of one service's value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from meters.cosem.data import Data, text
from sessions.dlms.apdu import read_apdu
from sessions.dlms.apdu.action import read_response_with_optional_data
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import read_action_result, read_get_data_result, read_list_count
from sessions.dlms.apdu.short_name import read_read_result, read_read_results, read_specifications, read_values
from sessions.dlms.axdr import read_data
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError, InvalidValueError, LimitExceededError
from sessions.dlms.inspector.assembly import GENERAL, Step
from sessions.dlms.inspector.pieces import answers_with_secret, hidden_in
from sessions.dlms.inspector.secrets import hide_values
from sessions.dlms.inspector.sheet import Sheet, clear_errors, find_field
from sessions.dlms.inspector.short_names import name_variables

if TYPE_CHECKING:
    from sessions.dlms.inspector.application import Opener

MAX_TRACED: Final = 64 * 1024
"""Octets of an assembled value that are shown field by field: more would hold up the conversation, and nobody reads it."""


def general_block(opener: Opener, apdu: GeneralBlockTransfer, tree: Field) -> None:
    """One general block; the last one opens the APDU that they carried."""
    shelf, key = opener.talk.shelf, (opener.channel, GENERAL)
    blocks = shelf.blocks(key)
    ends = apdu.last_block and bool(blocks.octets) and apdu.block_number == blocks.number + 1
    if not apdu.block_data and not ends:  # an acknowledgement, or an abort
        blocks.pass_over(apdu.block_number)
        return
    step = blocks.add(apdu.block_number, apdu.block_data)
    if not _fits(opener.sheet, step, blocks.number, apdu.block_number, tree):
        _hide_repeated(opener, bytes(blocks.octets), tree)
        if step is Step.OUT_OF_ORDER and apdu.window == 0:
            shelf.end_blocks(key)  # nobody will send the missing one again
        return
    _hide_slice(opener, bytes(blocks.octets), tree)
    if apdu.last_block:
        whole = bytes(blocks.octets)
        shelf.end_blocks(key)
        source = opener.sheet.add_source("block-transfer", whole)
        opener.sheet.apdu = None
        opener.deeper(whole, source)
        opener.sheet.summary = f"general block {apdu.block_number}, the last: {opener.sheet.summary}"
    elif bytes(blocks.octets) == apdu.block_data:
        _first_slice(opener, apdu.block_data, "block-data", tree, read_apdu)


def _hide_slice(opener: Opener, so_far: bytes, tree: Field) -> None:
    """Mark a slice secret where the APDU in clear that it belongs to writes a secret, or answers with one."""
    talk = opener.talk
    group = find_field(tree, "block-data")
    if group is not None and (answers_with_secret(talk, so_far) or hidden_in(so_far, talk)):
        hide_values(group)


def _hide_repeated(opener: Opener, so_far: bytes, tree: Field) -> None:
    """The same for a block that came before: of this transfer, or of the one that has just ended with a secret."""
    _hide_slice(opener, so_far, tree)
    group = find_field(tree, "block-data")
    if group is not None and (opener.talk.secret_request or opener.talk.secret_answer):
        hide_values(group)


def service_block(opener: Opener, kind: str, number: int, last: bool, octets: bytes, tree: Field) -> None:
    """One block of a GET, SET or ACTION; the last one opens the value that they carried."""
    shelf, key = opener.talk.shelf, (opener.channel, kind)
    blocks = shelf.blocks(key)
    step = blocks.add(number, octets)
    if not _fits(opener.sheet, step, blocks.number, number, tree):
        return
    secret = opener.talk.secret_answer or opener.talk.secret_request
    if last:
        whole = bytes(blocks.octets)
        shelf.end_blocks(key)
        if not secret:
            _assembled(opener, kind, whole)
    elif step is Step.STARTED and not secret:
        name, read = _FIRST_SLICES.get(kind, ("raw-data", read_data))
        _first_slice(opener, octets, name, tree, read)


def _fits(sheet: Sheet, step: Step, have: int, number: int, tree: Field) -> bool:
    """Whether the transfer went on; what did not fit is said."""
    sheet.starts_apdu = step not in (Step.CONTINUED, Step.REPEATED)
    field = find_field(tree, "block-number")
    offset = field.offset if field is not None else 0
    if step is Step.OUT_OF_ORDER:
        sheet.fail(InvalidValueError("block-number", offset, f"block {have + 1} expected, {number} came"))
    elif step is Step.TOO_LONG:
        sheet.fail(LimitExceededError("block-number", offset, "the transfer is longer than this inspector keeps"))
    elif step is Step.REPEATED:
        sheet.note("a repeated block")
    elif step is Step.UNKNOWN_START:
        sheet.note("the beginning of this transfer was not seen")
    return step in (Step.STARTED, Step.CONTINUED)


def _first_slice(opener: Opener, octets: bytes, name: str, tree: Field, read: Callable[[Reader], Any]) -> None:
    """Show what can be read of the first slice already; its end cuts a value, which is no error."""
    group = find_field(tree, name)
    contents = find_field(group, "contents") if group is not None else None
    if contents is None or contents.secret:
        return
    try:
        with opener.sheet.layer(octets, tree.source, origin=contents.offset, under=contents) as reader:
            read(reader)
    except DecodeError:
        clear_errors(contents)


def preview_slice(sheet: Sheet, octets: bytes, source: str, origin: int, tree: Field) -> None:
    """The same for a block that is cut itself, as the first HDLC segment of one is."""
    for name, read in _SLICES.items():
        group = find_field(tree, name)
        if group is None or not group.error:
            continue
        start = group.offset + group.length
        try:
            with sheet.layer(octets[start - origin :], source, origin=start, under=group) as reader:
                read(reader)
        except DecodeError:
            pass  # the rest has not come yet


def _assembled(opener: Opener, kind: str, octets: bytes) -> None:
    sheet = opener.sheet
    source = sheet.add_source("data", octets)
    read = next((one for one in _VALUES[kind] if _reads(one, octets)), read_data)
    try:
        if len(octets) > MAX_TRACED:
            words = "too long to be shown field by field"
            sheet.root.children.append(Field("assembled value", 0, len(octets), words, source))
            value = read(Reader(octets))
        else:
            with sheet.layer(octets, source) as reader, reader.group("assembled value"):
                value = read(reader)
                reader.finish("assembled value")
    except DecodeError as error:
        sheet.fail(error)
        return
    sheet.data = value
    sheet.summary = f"{sheet.summary}: {_short(value)}"
    if kind == "read":
        if read is not _read_results:
            sheet.deviate("the blocks hold less than a whole answer: the number of results, or its choice, is missing")
        opener.take_object_list(value)
    else:
        name_variables(sheet.root, opener.talk.short_names)


def _short(value: Data | None) -> str:
    if value is None:
        return "complete"
    return f"{len(value)} elements" if value.constructed else text(value)


def _read_list(reader: Reader) -> None:
    """What the blocks of a GET with-list carry."""
    for _ in range(read_list_count(reader)):
        read_get_data_result(reader)


def _read_data_list(reader: Reader) -> None:
    """What the blocks of a SET or ACTION with list carry."""
    for _ in range(read_list_count(reader)):
        read_data(reader)


def _read_action_list(reader: Reader) -> None:
    """What the blocks of the answer to an ACTION with list carry."""
    for _ in range(read_list_count(reader, least=2)):
        read_response_with_optional_data(reader)


def _read_action_result(reader: Reader) -> Data | None:
    """Action-Response-With-Optional-Data, as the blocks of an ACTION response carry it."""
    read_action_result(reader)
    if not reader.flag("return-parameters-present"):
        return None
    value = read_get_data_result(reader, "return-parameters")
    return value if isinstance(value, Data) else None


def _read_results(reader: Reader) -> Data | None:
    """What the blocks of a READ's answer carry: its only value, where it is one."""
    results = read_read_results(reader)
    return results[0] if len(results) == 1 and isinstance(results[0], Data) else None


def _read_single_result(reader: Reader) -> Data | None:
    """The same without the count before it, as some meters send it."""
    result = read_read_result(reader)
    return result if isinstance(result, Data) else None


def _read_variables(reader: Reader) -> None:
    """What the blocks of a long READ carry."""
    read_specifications(reader)


def _read_written(reader: Reader) -> Data | None:
    """What the blocks of a long WRITE carry: the only value that is written."""
    read_specifications(reader)
    values = read_values(reader)
    return values[0] if len(values) == 1 else None


_SLICES: Final[dict[str, Callable[[Reader], Any]]] = {"raw-data": read_data, "block-data": read_apdu}
_VALUES: Final[dict[str, tuple[Callable[[Reader], Data | None], ...]]] = {
    "get": (read_data, _read_list),
    "set": (read_data, _read_data_list),
    "action": (read_data, _read_action_result, _read_data_list, _read_action_list),
    "read": (_read_results, _read_single_result, read_data),
    "read-request": (_read_variables,),
    "write": (_read_written,),
}
_FIRST_SLICES: Final[dict[str, tuple[str, Callable[[Reader], Any]]]] = {
    "read": ("raw-data", _read_results),
    "read-request": ("raw-data", _read_variables),
    "write": ("octet-string", _read_written),
}
"""Where the slice of the first block stands, and how it is read; for the other services it is a value under raw-data."""


def _reads(read: Callable[[Reader], Data | None], octets: bytes) -> bool:
    reader = Reader(octets)
    try:
        read(reader)
        reader.finish()
    except DecodeError:
        return False
    return True
