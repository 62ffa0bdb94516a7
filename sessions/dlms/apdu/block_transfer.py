"""General block transfer: any APDU in slices, with windows (IEC 62056-5-3, general-block-transfer)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sessions.dlms.apdu.descriptors import block_text
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader, Writer


@dataclass(frozen=True, slots=True)
class GeneralBlockTransfer:
    """`block_number` counts from 1; `block_number_ack` is the highest one that came in sequence."""

    tag: ClassVar[ApduTag] = ApduTag.GENERAL_BLOCK_TRANSFER
    last_block: bool
    streaming: bool
    window: int
    block_number: int
    block_number_ack: int
    block_data: bytes

    def encode(self) -> bytes:
        control = (0x80 if self.last_block else 0) | (0x40 if self.streaming else 0) | self.window & 0x3F
        writer = (
            Writer().u8(ApduTag.GENERAL_BLOCK_TRANSFER).u8(control).u16(self.block_number).u16(self.block_number_ack)
        )
        return writer.octet_string(self.block_data).octets()

    def summary(self) -> str:
        if not self.block_data:
            if self.last_block and not self.window and not self.block_number_ack:
                return "general block transfer broken off"
            return f"general block {self.block_number}, empty: block {self.block_number_ack} has come, window {self.window}"
        return f"general {block_text(self.last_block, self.block_number, self.block_data)}"


def read_general_block_transfer(reader: Reader) -> GeneralBlockTransfer:
    with reader.group("general-block-transfer"):
        reader.constant(bytes((ApduTag.GENERAL_BLOCK_TRANSFER,)), "tag")
        control = reader.u8("block-control")
        last_block, streaming, window = bool(control & 0x80), bool(control & 0x40), control & 0x3F
        reader.label(f"{control:02x} (last {last_block}, streaming {streaming}, window {window})".lower())
        return GeneralBlockTransfer(
            last_block,
            streaming,
            window,
            reader.u16("block-number"),
            reader.u16("block-number-ack"),
            reader.octet_string("block-data"),
        )
