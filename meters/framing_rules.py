"""What a line, a framing and addresses ask of each other: said once, for the form and for imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meters.models import Line, Meter

HDLC_CLIENTS = 0x7F
HDLC_SERVERS = 0x3FFF
SMALL_ADDRESS = 0x7F
HDLC_FRAMINGS = (Meter.Framing.HDLC, Meter.Framing.MODE_E)


def contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and reason, for each that does not fit.

    `values` may hold a line's `kind`, a meter's `framing`, `physical_address` and `address_octets`, and an association's
    `client_sap` and `server_sap`.
    """
    kind, framing = values.get("kind"), values.get("framing")
    if kind == Line.Kind.UDP and framing in HDLC_FRAMINGS:
        yield "framing", "UDP carries the wrapper; HDLC needs TCP or a serial line."
    if kind in (Line.Kind.SERIAL, Line.Kind.RFC2217) and framing == Meter.Framing.WRAPPER:
        yield "framing", "The wrapper needs TCP or UDP; a serial line carries HDLC."
    if framing in HDLC_FRAMINGS:
        yield from _of_hdlc(values)


def _of_hdlc(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    client, server = values.get("client_sap") or 0, values.get("server_sap") or 0
    physical, octets = values.get("physical_address"), values.get("address_octets")
    if client > HDLC_CLIENTS:
        yield "client_sap", f"HDLC has one octet for the client: at most {HDLC_CLIENTS}."
    if server > HDLC_SERVERS:
        yield "server_sap", f"HDLC addresses end at {HDLC_SERVERS}."
    if octets == 1 and physical is not None:
        yield "address_octets", "One octet has no room for a physical address: choose 2 or 4."
    if octets in (1, 2) and server > SMALL_ADDRESS:
        yield "address_octets", f"{octets} address octets hold a server SAP up to 127: choose 4."
    if octets == 2 and (physical or 0) > SMALL_ADDRESS:
        yield "address_octets", "Two octets hold a physical address up to 127: choose 4."
