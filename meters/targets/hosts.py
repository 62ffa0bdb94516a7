"""What may stand where a host is meant, and which IPv4 address an IPv6 address leads to. Pure.

An address has one spelling here. The short, decimal, octal and hexadecimal ones that some resolvers know (`127.1`, `0x7f.1`,
`2130706433`, `0177.0.0.1`) are refused rather than understood: what two programs read differently cannot be judged.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

MAX_NAME: Final = 253
LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label that some resolver takes for (a part of) an address."""

NAT64: Final = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR: Final = IPv6Network("2002::/16")
TEREDO: Final = IPv6Network("2001::/32")

NOT_A_HOST: Final = "Only a name or an IP address: no scheme, port, path or space."
NOT_IN_FULL: Final = "An IP address is written in full: 192.168.1.10 or fd00::10."


class HostError(ValueError):
    """A text that is neither a name nor an IP address in full. Its words are for whoever typed it."""


def parse_host(text: str) -> Address | str:
    """The address, or the name as it was typed; HostError for anything else. Brackets around IPv6 are forgiven.

    An IPv4 address inside an IPv6 one (`::ffff:10.0.0.1`, RFC 4291, 2.5.5.2) is that IPv4 address.
    """
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not host or not host.isascii() or not host.isprintable() or len(host) > MAX_NAME:
        raise HostError(NOT_A_HOST)
    if ":" in host:
        return _ipv6(host)
    try:
        return IPv4Address(host)
    except AddressValueError:
        return _name(host)


def _ipv6(host: str) -> Address:
    if "%" in host:
        raise HostError("An address with a zone leads to this machine's own network: it is not offered.")
    try:
        address = IPv6Address(host)
    except AddressValueError:
        raise HostError(NOT_A_HOST) from None
    return address.ipv4_mapped or address


def _name(host: str) -> str:
    labels = host.split(".")
    if NUMERIC.fullmatch(labels[-1]):
        raise HostError(NOT_IN_FULL)
    if not all(LABEL.fullmatch(label) for label in labels):
        raise HostError(NOT_A_HOST)
    return host


def judged_address(address: Address) -> Address:
    """The address that decides: the IPv4 one where an IPv6 one only leads to it.

    IPv4-mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380, the client behind it).
    """
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if address in NAT64:
        return IPv4Address(number & 0xFFFF_FFFF)
    if address in SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if address in TEREDO:
        return IPv4Address(~number & 0xFFFF_FFFF)
    return address
