"""The messages of IEC 62056-21 in the inspector: sign-on, readout, programming mode, P1 telegrams."""

from __future__ import annotations

import re
from typing import Final

from meters.cosem.obis_names import describe
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError, FrameError, TruncatedError
from sessions.dlms.iec62056_21.address import medium_of, obis_of
from sessions.dlms.iec62056_21.characters import STX, BlockCheck, carries_parity, parity_is_even, without_parity
from sessions.dlms.iec62056_21.data_set import DataBlock, DataSet, read_data_block
from sessions.dlms.iec62056_21.message import CommandMessage, DataMessage, Message, Reply, find_end
from sessions.dlms.iec62056_21.naming import named_data_sets
from sessions.dlms.iec62056_21.sign_on import printable
from sessions.dlms.iec62056_21.stream import read_message
from sessions.dlms.iec62056_21.telegram import Telegram, find_telegram_end, read_telegram
from sessions.dlms.inspector.sheet import FRAME, Sheet, clear_errors, find_field
from sessions.dlms.inspector.state import Conversation

BETWEEN: Final = b"\r\n\x00"
_PASSWORD: Final = re.compile(rb"\x01P[12]\x02([^\x03\x04]*)")
"""What stands where a password does, be the message whole or not."""
BLOCKS: Final = "iec62056-21"
"""The channel of partial blocks: one side sends them, and nothing comes between."""


def iec62056_21_layer(sheet: Sheet, talk: Conversation, octets: bytes) -> None:
    """One message, field by field. Its parity bits are read over; what is shown are the octets as they came."""
    if carries_parity(octets):
        odd = "" if parity_is_even(octets) else ", not all of them even"
        sheet.note(f"the octets carry parity bits{odd}: 7E1 on a line of 8 bits")
    characters = without_parity(octets)
    try:
        message = _read(sheet, characters)
    except DecodeError as error:
        sheet.fail(error)
        _damaged(sheet, error)
        return
    sheet.summary = message.summary()
    sheet.starts_apdu = not isinstance(message, Reply)  # one character alone says nothing without the one before
    if isinstance(message, DataMessage | CommandMessage):
        _note_check(sheet, message)
        _text(sheet, talk, message)
    elif isinstance(message, Telegram):
        _telegram(sheet, message)


def _read(sheet: Sheet, characters: bytes) -> Message | Telegram:
    with sheet.layer(characters, FRAME) as reader:
        leading = len(characters) - len(characters.lstrip(BETWEEN))
        if leading:
            reader.take(leading, "wake-up" if characters[:1] == b"\x00" else "line-end")
        if is_telegram(characters[leading:]):
            return read_telegram(reader)
        message = _read_message(reader)
        trailing = reader.octets[reader.offset :]
        if trailing and not trailing.strip(BETWEEN):
            reader.rest("line-end")
        reader.finish("message")
        return message


def _read_message(reader: Reader) -> Message:
    """A message; data lines without a frame stay to be read by `_text`."""
    if reader.peek() is not None and reader.octets[reader.offset] >= 0x20 and reader.peek() != 0x2F:
        return DataMessage(reader.rest("text"), check=BlockCheck.ABSENT)
    lines = reader.octets[reader.offset + 1 :]
    if reader.peek() == STX and find_end(lines, 0) < 0 and find_telegram_end(lines) >= 0:
        # Whoever printed it lost what cannot be printed behind the last line.
        reader.take(1, "stx")
        return DataMessage(reader.rest("text"), check=BlockCheck.ABSENT)
    return read_message(reader)


def is_telegram(characters: bytes) -> bool:
    """Whether a slash begins a telegram, and not an identification alone."""
    _, line_end, rest = characters.partition(b"\n")
    return characters[:1] == b"/" and bool(line_end) and bool(rest.strip(BETWEEN)) and find_telegram_end(rest) >= 0


def _damaged(sheet: Sheet, error: DecodeError) -> None:
    """Show what the message holds, for what it is worth."""
    sheet.summary = f"message of IEC 62056-21, damaged: {error.field}: {error.reason}"
    characters = without_parity(sheet.sources[FRAME])
    sheet.hidden += [(found.start(1), len(found[1])) for found in _PASSWORD.finditer(characters) if found[1]]
    text = find_field(sheet.root, "text")
    if _show_damaged_block(sheet):
        identification = characters.strip(BETWEEN).partition(b"\r")[0].partition(b"\n")[0].decode("latin-1")
        sheet.summary = f"P1 telegram: {printable(identification)}, damaged: {error.field}: {error.reason}"
    elif text is not None and not text.secret:
        _lines(sheet, characters[text.offset : text.offset + text.length], text)


def _show_damaged_block(sheet: Sheet) -> bool:
    """The data lines of a telegram whose CRC does not fit; whether there are any."""
    block = find_field(sheet.root, "data-block")
    if block is None:
        return False
    octets = without_parity(sheet.sources[block.source])[block.offset : block.offset + block.length]
    try:
        sheet.data_sets = read_data_block(Reader(octets), lenient=True).data_sets
    except DecodeError:
        return False
    name_addresses(block, sheet.data_sets)
    return True


def _note_check(sheet: Sheet, message: DataMessage | CommandMessage) -> None:
    if message.check in (BlockCheck.XOR_WITH_START, BlockCheck.SUM):
        sheet.deviate(f"the block check is the {message.check.value}")
    elif message.check is BlockCheck.ABSENT:
        sheet.note("without a block check")


def _text(sheet: Sheet, talk: Conversation, message: DataMessage | CommandMessage) -> None:
    """The data lines of a message: by themselves, or put together from blocks."""
    field = find_field(sheet.root, "text")
    if field is None or field.secret or not message.text:
        return
    segments = talk.shelf.segments(BLOCKS)
    if segments is None and message.last:
        block = _lines(sheet, message.text, field)
        _summarise(sheet, message, block)
        return
    segments = segments or talk.shelf.begin_segments(BLOCKS)
    sheet.starts_apdu = not segments.pieces
    segments.add(None, message.text)
    if not message.last:
        _preview(sheet, message.text, field)
        sheet.summary = f"block {len(segments.pieces)} of a data message…"
        return
    talk.shelf.end_segments(BLOCKS)
    whole = segments.octets
    root = Field("data-block", 0, len(whole), source=sheet.add_source("data-block", whole))
    sheet.root.children.append(root)
    block = _lines(sheet, whole, root)
    _summarise(sheet, message, block)
    sheet.summary += f" (block {len(segments.pieces)} of {len(segments.pieces)})"


def _lines(sheet: Sheet, text: bytes, under: Field) -> DataBlock | None:
    """Data lines as fields below another one; None where they are none, which is an error of the sheet."""
    try:
        with sheet.layer(text, under.source, origin=under.offset, under=under) as reader:
            block = read_data_block(reader, lenient=True)
    except DecodeError as error:
        if not _is_words(text):
            sheet.fail(error)
        clear_errors(under)
        return None
    if block.oddity:
        sheet.deviate(block.oddity)
    sheet.data_sets = block.data_sets
    name_addresses(under, block.data_sets)
    return block


def _is_words(text: bytes) -> bool:
    """A text without brackets is an error message in the meter's own words."""
    return b"(" not in text and text.decode("latin-1").strip().isprintable()


def _preview(sheet: Sheet, text: bytes, under: Field) -> None:
    """What can be read of a block by itself: its first and last data set may be cut."""
    try:
        with sheet.layer(text, under.source, origin=under.offset, under=under) as reader:
            read_data_block(reader)
    except DecodeError:
        clear_errors(under)


def _summarise(sheet: Sheet, message: DataMessage | CommandMessage, block: DataBlock | None) -> None:
    if isinstance(message, CommandMessage) or message.error or block is None:
        return
    count = len(block.data_sets)
    first = named_data_sets(block.data_sets[:1])
    if count == 1 and first:
        sheet.summary = f"data message: {first[0].shown}"
    else:
        sheet.summary = f"data message, {count} data sets"


def _telegram(sheet: Sheet, telegram: Telegram) -> None:
    if telegram.remark:
        sheet.note(telegram.remark)
    sheet.data_sets = telegram.block.data_sets
    block = find_field(sheet.root, "data-block")
    if block is not None:
        name_addresses(block, telegram.block.data_sets)


def name_addresses(tree: Field, data_sets: tuple[DataSet, ...]) -> None:
    """Say beside each address what it means."""
    medium = medium_of(data_sets)
    shown: dict[str, str] = {}
    for group in tree.children:
        if group.name != "data-set" or not group.children or group.children[0].name != "address":
            continue
        address = group.children[0]
        if address.value not in shown:
            obis = obis_of(address.value, medium)
            words = "" if obis is None else describe(obis)
            shown[address.value] = f"{address.value} ({words})" if words else address.value
        address.value = shown[address.value]


def write_telegram(sheet: Sheet, octets: bytes, source: str, under: Field) -> bool:
    """A telegram that stands where an APDU should (deciphered, say), below a field; False where it is none."""
    if not is_telegram(octets):
        return False
    try:
        with sheet.layer(octets, source, origin=under.offset, under=under) as reader:
            telegram = read_telegram(reader)
    except TruncatedError:
        under.children.clear()
        return False
    except FrameError as error:
        # The layer below has proven the octets: the meter itself has counted wrongly, or a publisher has edited the text.
        sheet.deviate(f"the CRC of the telegram does not fit: {error.reason}")
        _show_damaged_block(sheet)
        return True
    except DecodeError as error:
        sheet.fail(error)
        return True
    _telegram(sheet, telegram)
    return True
