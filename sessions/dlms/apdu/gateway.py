"""The gateway prefix: whom behind a gateway an APDU is for, or comes from (Green Book, gateway protocol)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sessions.dlms.apdu.contract import Apdu
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import InvalidValueError

PREFIXES: Final = frozenset({ApduTag.GATEWAY_REQUEST, ApduTag.GATEWAY_RESPONSE})


@dataclass(frozen=True, slots=True)
class GatewayApdu:
    """An APDU with its prefix. `network_id` is 0 where the gateway has one network only."""

    tag: int
    network_id: int
    physical_device_address: bytes
    apdu: Apdu

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag).u8(self.network_id).octet_string(self.physical_device_address)
        return writer.put(self.apdu.encode()).octets()

    def summary(self) -> str:
        way = "to" if self.tag == ApduTag.GATEWAY_REQUEST else "from"
        return f"{way} {_address_text(self.physical_device_address)} behind the gateway: {self.apdu.summary()}"


def _address_text(address: bytes) -> str:
    return address.decode("ascii") if all(0x20 < octet < 0x7F for octet in address) else address.hex()


def read_gateway_apdu(reader: Reader, read_apdu: Callable[[Reader], Apdu]) -> GatewayApdu:
    """The prefix, and the APDU behind it by `read_apdu`.

    An address is due: without this `E6 E6 00`, the LLC header of HDLC, would pass for a prefix. A prefix inside of another is
    refused, so that nothing nests without end.
    """
    with reader.group("gateway-header"):
        tag = reader.u8("tag")
        network_id = reader.u8("network-id")
        at = reader.position
        address = reader.octet_string("physical-device-address")
        if not address:
            raise InvalidValueError("physical-device-address", at, "an address is due, none is given")
        reader.label(_address_text(address))
    if reader.peek() in PREFIXES:
        raise InvalidValueError("apdu", reader.position, "a gateway prefix inside of another")
    return GatewayApdu(tag, network_id, address, read_apdu(reader))
