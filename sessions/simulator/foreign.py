"""What meters have in common that are made from files of real ones: secrets that no file tells, and their place on a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessions.association_file import parse_association
from sessions.simulator.device import LogicalDevice
from sessions.simulator.lab import HdlcOptions, LabMeter, announced_association, hdlc_parameters

DEFAULT_SECRET: Final = "12345678"  # noqa: S105  # a demo meter's
DEFAULT_KEYS: Final = {
    "client_system_title": "4D57424D57422D31",
    "guek": "000102030405060708090A0B0C0D0E0F",
    "gak": "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
}
SECOND_HALVES: Final = {"guek": "101112131415161718191A1B1C1D1E1F", "gak": "E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF"}
"""Of the keys of suite 2."""
ALL_STATIONS: Final = 0x7F
"""The highest address of one octet is everybody's: a meter that has it is addressed by four octets."""
WITHOUT_SECRET: Final = ("none", "hls-gmac", "hls-ecdsa")


def with_secrets(association: Mapping[str, Any], *, ciphered: bool) -> dict[str, Any]:
    """The association with the secrets and keys that it needs: its own, or the lab's."""
    complete = dict(association)
    if complete.get("authentication", "none") not in WITHOUT_SECRET:
        complete.setdefault("secret", f"text:{DEFAULT_SECRET}")
    if ciphered:
        long = complete.get("security_suite") == 2
        for name, value in DEFAULT_KEYS.items():
            complete.setdefault(name, value + (SECOND_HALVES.get(name, "") if long else ""))
    return complete


def announced(
    association: Mapping[str, Any], hdlc: HdlcOptions | None, physical_address: int | None, server_system_title: bytes
) -> dict[str, Any]:
    """What is told of the association, as `read` takes it."""
    octets = 1 if physical_address is None else 4 if physical_address >= ALL_STATIONS else 2
    told = announced_association(association, hdlc, physical_address, octets)
    told["server_system_title"] = server_system_title.hex().upper()
    if not parse_association(told).parameters.titled:
        del told["server_system_title"]
    return told


def placed(
    device: LogicalDevice,
    association: Mapping[str, Any],
    hdlc: HdlcOptions | None,
    physical_address: int | None,
    *,
    serial_number: str,
    name: str,
    type: str,
) -> LabMeter:
    """The meter on its line; on the wrapper without HDLC."""
    return LabMeter(
        serial_number=serial_number,
        name=name,
        type=type,
        device=device,
        association=association,
        physical_address=physical_address if hdlc else None,
        address_octets=association["hdlc"]["address_octets"] if hdlc else 1,
        parameters=hdlc_parameters(hdlc),
    )
