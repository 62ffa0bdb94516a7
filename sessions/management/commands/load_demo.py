"""`load_demo FILE`: the simulated meters, as `simulate` announced them, become meters of the inventory.

It may run again and again: what is the same stays as it is.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from meters.models import Line, Meter
from meters.services import Slot, save_meter
from meters.targets.hosts import HostError, parse_host
from meters.targets.services import allow_demo_targets
from sessions.association_file import AssociationFile, AssociationFileError, parse_association
from sessions.demo_types import complete_type
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.links.endpoint import Rfc2217Endpoint, SerialEndpoint, TcpEndpoint, UdpEndpoint, parse_endpoint
from sessions.links.line import LineError

ORIGIN = "demo lab"


class Command(BaseCommand):
    help = "Take the announcement of `simulate` into the inventory: meters, lines, associations, keys."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file with the JSON line that `simulate` printed")

    def handle(self, *args: Any, **options: Any) -> None:
        announcement = _announced_meters(options["file"])
        allow_demo_targets(targets=_targets(announcement), note=ORIGIN)
        loaded = [(load_meter(announced), announced["association"]) for announced in announcement]
        for meter, table in loaded:
            complete_type(meter, _association_fields(table, parse_association(table)))
            self.stdout.write(f"{meter} on {meter.line}")


def _announced_meters(path: Path) -> list[dict[str, Any]]:
    try:
        meters = list(json.loads(path.read_text())["meters"])
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path} is not what `simulate` announces: one JSON object with “meters”.") from None
    if not all(isinstance(meter, dict) for meter in meters):
        raise CommandError(f"{path} is not what `simulate` announces: each of its meters is an object.")
    return meters


def _targets(announcement: Iterable[dict[str, Any]]) -> set[tuple[str, str, int]]:
    """Kind, address and port of what the lab listens on: only these may be connected to on this machine."""
    found = set()
    for announced in announcement:
        try:
            line = _line_fields(str(announced["endpoint"]), "")
            if line["kind"] != Line.Kind.SERIAL and not isinstance(parse_host(line["host"]), str):
                found.add((str(line["kind"]), str(parse_host(line["host"])), int(line["port"])))
        except (LineError, KeyError, HostError, CommandError):
            continue  # said where the meter is loaded
    return found


def load_meter(announced: dict[str, Any]) -> Meter:
    """One announced meter, created or brought up to date, with the associations of all its clients; a key gets a new version
    only when it is another key.
    """
    serial = str(announced.get("serial_number", ""))
    try:
        line = _line_fields(announced["endpoint"], serial)
        known = Meter.objects.filter(serial_number=serial).first()
        meter = _save(announced, announced.get("association", {}), line, known)
        for client in announced.get("clients", ()):
            meter = _save(announced, client["association"], line, meter, role=client["role"])
        return meter
    except (AssociationFileError, LineError, KeyError, TypeError, ValidationError) as error:
        raise CommandError(f"Meter {serial or '?'} of the announcement cannot be used: {error}") from None


def _save(
    announced: dict[str, Any], table: dict[str, Any], line: dict[str, Any], known: Meter | None, *, role: str = ""
) -> Meter:
    """The meter with one of its associations: the default one, or that of a further client with this `role`."""
    file = parse_association(table)
    fields = _association_fields(table, file)
    if role:
        fields |= {"name": f"{role.capitalize()}, client {file.parameters.client_sap}"[:100], "is_default": False}
    return save_meter(
        user=None,
        meter_id=known.pk if known else None,
        meter={} if role else _meter_fields(announced, file),
        line=line,
        association=fields,
        secrets=_secrets(file),
        origin=ORIGIN,
    )


def _meter_fields(announced: dict[str, Any], file: AssociationFile) -> dict[str, Any]:
    sign_on = file.hdlc.sign_on
    return {
        "serial_number": announced["serial_number"],
        "name": str(announced.get("name", ""))[:100],
        "model": str(announced.get("type", ""))[:100],
        "framing": file.framing.upper() if sign_on is None else Meter.Framing.MODE_E,
        "physical_address": file.hdlc.physical_address,
        "address_octets": file.hdlc.address_octets,
        "max_info": file.hdlc.max_info,
        "window": file.hdlc.window,
        "reverse_deviation": file.reverse_deviation,
        "disconnect_first": file.hdlc.disconnect_first,
        "server_system_title": (file.parameters.server_system_title or b"").hex(),
        **({} if sign_on is None else _sign_on_fields(sign_on)),
    }


def _sign_on_fields(sign_on: SignOnSettings) -> dict[str, Any]:
    return {
        "sign_on_address": sign_on.device_address,
        "initial_baud": sign_on.initial_baud,
        "max_baud": sign_on.max_baud,
        "parity_in_octets": sign_on.parity_in_octets,
    }


def _line_fields(text: str, serial: str) -> dict[str, Any]:
    endpoint = parse_endpoint(text)
    if isinstance(endpoint, TcpEndpoint | UdpEndpoint):
        kind = Line.Kind.UDP if isinstance(endpoint, UdpEndpoint) else Line.Kind.TCP
        return {"kind": kind, "host": endpoint.host, "port": endpoint.port}
    if isinstance(endpoint, Rfc2217Endpoint):
        place: dict[str, Any] = {"kind": Line.Kind.RFC2217, "host": endpoint.host, "port": endpoint.port}
    else:
        place = {"kind": Line.Kind.SERIAL, "serial_port": _port_name(endpoint, serial)}
    return {
        **place,
        "baud": endpoint.baud,
        "data_bits": endpoint.data_bits,
        "parity": endpoint.parity,
        "stop_bits": endpoint.stop_bits,
    }


def _port_name(endpoint: SerialEndpoint, serial: str) -> str:
    """The name by which the administrator offers this port."""
    wanted = Path(endpoint.device)
    for name, path in settings.SERIAL_PORTS.items():
        if Path(path) == wanted or Path(path).resolve() == wanted.resolve():
            return str(name)
    raise CommandError(
        f"Meter {serial} is on {wanted}, which is not on the list of serial ports: "
        f"add demo-{wanted.name}={wanted} to WORKBENCH_SERIAL_PORTS."
    )


def _association_fields(table: dict[str, Any], file: AssociationFile) -> dict[str, Any]:
    parameters = file.parameters
    return {
        "name": "Management",
        "referencing": parameters.referencing.value,
        "client_sap": parameters.client_sap,
        "server_sap": parameters.server_sap,
        "authentication": table.get("authentication", "none"),
        "protection": parameters.protection.value,
        "response_protection": "" if parameters.response_protection is None else parameters.response_protection.value,
        "ciphering_form": parameters.ciphering_form.value,
        "fresh_dedicated_key": file.fresh_dedicated_key,
        "user_id": parameters.user_id,
        "pre_established": parameters.pre_established,
        "server_max_pdu_size": parameters.server_max_receive_pdu_size,
        "security_suite": parameters.security_suite,
        "client_system_title": parameters.client_system_title.hex(),
        "max_pdu_size": parameters.max_pdu_size,
        "timeout": file.timeout,
        "counter_object": str(file.counter_object),
        "is_default": True,
    }


def _secrets(file: AssociationFile) -> dict[str, bytes]:
    parameters = file.parameters
    is_lls = parameters.authentication is AuthenticationMechanism.LLS
    found = {
        Slot.LLS_SECRET if is_lls else Slot.HLS_SECRET: parameters.secret,
        Slot.GUEK: parameters.guek,
        Slot.GAK: parameters.gak,
        Slot.DEDICATED_KEY: parameters.dedicated_key,
    }
    if parameters.authentication is AuthenticationMechanism.HLS_ECDSA:
        found |= {Slot.SIGNING_KEY: parameters.client_signing_key, Slot.PEER_SIGNING_KEY: parameters.server_signing_key}
    return {slot: secret for slot, secret in found.items() if secret}
