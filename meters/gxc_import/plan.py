"""What would become of one device of a file, and what is left out and why.

Nothing is asked of the database. Everything that the reader found goes into one of the two; the tests hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from meters.catalogs.facts import ObjectFacts
from meters.cosem.obis import ObisCode
from meters.gxc import DeviceFile, FileMedia
from meters.gxc_import.objects import catalog_objects
from meters.gxc_import.words import BY_SERIAL, EVERYONE, NO_PLACE, OTHERS, UNREAD, UNREAD_ELSE, Left
from meters.gxc_tables import NET, SERIAL
from meters.meter_types.flag_codes import maker_of
from meters.models import Association, Meter

HDLC_CLIENTS: Final = 0x7F
HDLC_ADDRESSES: Final = 0x3FFF
ALL_STATIONS: Final = 0x7F
SYSTEM_TITLE_OCTETS: Final = 8
KEY_OCTETS: Final = {0: 16, 1: 16, 2: 32}
KEYS: Final = {"GUEK": "guek", "GAK": "gak", "GBEK": "gbek", "DEDICATED_KEY": "dedicated_key"}
"""By slot of the vault the reader's field."""
KEY_WORDS: Final = {
    "GUEK": "Encryption key (BlockCipherKey)",
    "GAK": "Authentication key",
    "GBEK": "Broadcast key",
    "DEDICATED_KEY": "Dedicated key",
}
FRAMINGS: Final = {"hdlc": "HDLC", "wrapper": "WRAPPER", "hdlc-mode-e": "MODE_E"}
PARITIES: Final = frozenset({"N", "E", "O"})
DATA_BITS: Final = frozenset({7, 8})
ADDRESS_OCTETS: Final = frozenset({1, 2, 4})
WITH_PASSWORD: Final = frozenset({"lls", "hls-manufacturer", "hls-md5", "hls-sha1", "hls-sha256"})
LONGEST_WAIT: Final = 120
COUNTER_LIMIT: Final = 2**32 - 1 - 2**16
NAME_LENGTH: Final = 100
SERIAL_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Place:
    """What a file says of where a meter hangs; devices with the same place share one choice of a line."""

    media: FileMedia

    @property
    def words(self) -> str:
        media = self.media
        if media.kind == NET:
            protocol = {True: "UDP", False: "TCP", None: "unknown protocol"}[media.udp]
            return f"{protocol}, {media.host}:{media.port or '?'}" if media.host else f"{protocol}, without an address"
        if media.kind == SERIAL:
            return f"{media.serial_port or 'a serial port without a name'}{self._serial_words()}"
        return media.kind.rpartition(".")[2] or "no line"

    def _serial_words(self) -> str:
        said = self.media.baud or self.media.data_bits or self.media.parity not in ("", "N")
        speed = self.serial_settings
        return f", {speed['baud']} {speed['data_bits']}{speed['parity']}{speed['stop_bits']}" if said else ""

    @property
    def line(self) -> dict[str, Any] | None:
        """The fields of a line, where the file says all of one."""
        media = self.media
        if media.kind != NET or media.udp is None or not media.host or not 0 < (media.port or 0) <= 0xFFFF:
            return None
        return {"kind": "UDP" if media.udp else "TCP", "host": media.host, "port": media.port}

    @property
    def serial_settings(self) -> dict[str, Any]:
        """What a serial port is set to; the tool leaves out 9600 8N1."""
        media = self.media
        return {
            "baud": media.baud or 9600,
            "data_bits": media.data_bits if media.data_bits in DATA_BITS else 8,
            "parity": media.parity if media.parity in PARITIES else "N",
            "stop_bits": media.stop_bits or 1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """One device of a file. `refusal`: why it cannot be imported at all; `secrets` by slot of the vault."""

    file: str
    number: int
    device: DeviceFile
    refusal: str
    place: Place
    meter: Mapping[str, Any]
    association: Mapping[str, Any]
    secrets: Mapping[str, bytes] = field(repr=False)
    last_counter: int | None
    objects: tuple[ObjectFacts, ...]
    serial_number: str
    """A proposal: no device file has one."""
    name: str
    left: tuple[Left, ...]

    @property
    def title(self) -> str:
        return self.device.device_name or self.device.name or f"device {self.number}"

    @property
    def type_key(self) -> tuple[str, str]:
        """Devices of one maker in one file are of one type, until somebody says otherwise."""
        return (self.device.manufacturer, self.file)

    @property
    def flag_code(self) -> str:
        """The maker's, where what the file says is one."""
        said = self.device.manufacturer
        return said if len(said) == 3 and said.isascii() and said.isalpha() else ""

    @property
    def manufacturer(self) -> str:
        """A proposal: the maker's name where the code is known."""
        return maker_of(self.device.manufacturer) or self.device.manufacturer[:NAME_LENGTH]

    @property
    def model(self) -> str:
        """A proposal."""
        return PurePath(self.file).stem[:NAME_LENGTH]

    @property
    def meter_key(self) -> tuple[Any, ...]:
        """Equal for devices of a file that are ways into one meter."""
        device = self.device
        told = any((device.media.host, device.media.serial_port))
        where = (self.file, device.manufacturer, device.framing, device.media, device.logical_address)
        return (*where, device.physical_address, None if told else self.number)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What it becomes, in words, before anything is saved."""
        meter, association = self.meter, self.association
        referencing = Association.Referencing(association["referencing"]).label.lower()
        opened = ", pre-established" if association["pre_established"] else ""
        client = f"client {association['client_sap']} → {association['server_sap']}"
        protection = Association.Protection(association["protection"]).label.lower()
        suite = f", {protection}, suite {association['security_suite']}" if association["protection"] != "none" else ""
        size = f", information field {meter['max_info']}" if "max_info" in meter else ""
        facts = {
            "Association": f"{association['name']}, {client}, {referencing}{opened}",
            "Authentication": f"{Association.Authentication(association['authentication']).label}{suite}",
            "Framing": f"{Meter.Framing(meter['framing']).label}{size}",
            "Clock": "deviation counts from UTC to local time" if meter["reverse_deviation"] else "",
            "Into the vault": ", ".join(self.secrets),
            "Counter": f"goes on after {self.last_counter}; the meter is asked first" if self.last_counter else "",
            "Into the catalog": f"{len(self.objects)} object{'' if len(self.objects) == 1 else 's'}",
        }
        return [(what, words) for what, words in facts.items() if words]

    @property
    def needs_keys(self) -> bool:
        """Whether its keys are in use, and not only stand there."""
        return _ciphered(self.device)


def plan_device(device: DeviceFile, *, file: str, number: int) -> DevicePlan:
    """What would become of the device with this number in its file."""
    left: list[Left] = []
    server_sap, physical_address = _addresses(device, left)
    objects = catalog_objects(device, left)
    meter = _meter(device, physical_address, left)
    association = _association(device, server_sap, left)
    secrets = _secrets(device, left)
    counter = _counter(device, secrets, association, left)
    _line_leftovers(device, left)
    left += _leftovers(device)
    return DevicePlan(
        file=file,
        number=number,
        device=device,
        refusal=_refusal(device),
        place=Place(device.media),
        meter=meter,
        association=association,
        secrets=secrets,
        last_counter=counter,
        objects=objects,
        serial_number=_serial_number(device, file, number),
        name=_name(device),
        left=tuple(left),
    )


def _refusal(device: DeviceFile) -> str:
    if device.framing not in FRAMINGS:
        return f"The workbench does not talk over {device.framing}: HDLC, HDLC after mode E, and the wrapper are known."
    if device.framing != "wrapper" and device.client_sap > HDLC_CLIENTS:
        return f"HDLC has one octet for the client: {device.client_sap} does not fit."
    if not 1 <= device.client_sap <= 0xFFFF:
        return f"A client SAP is 1 to 65535, not {device.client_sap}."
    return ""


# -- the meter ---------------------------------------------------------------------------------------------------------


def _addresses(device: DeviceFile, left: list[Left]) -> tuple[int, int | None]:
    """Server SAP and physical address. In the tool a logical address of 0 means that the physical one stands alone."""
    logical, physical = device.logical_address, device.physical_address
    if device.framing == "wrapper":
        if logical != 1 and physical != 1 and logical != physical:
            left.append(
                Left("Physical address", str(physical), f"The wrapper has one server SAP: {logical} was taken.")
            )
        return (physical if logical in (0, 1) else logical), None
    if device.hdlc_addressing == 1 and physical > HDLC_ADDRESSES:
        physical = int(str(physical)[-4:]) + 1000
        left.append(Left("Physical address", "by serial number", BY_SERIAL))
    if physical == ALL_STATIONS and device.address_octets in (None, 0, 2):
        left.append(Left("Physical address", str(physical), EVERYONE))
    if physical > HDLC_ADDRESSES:
        left.append(Left("Physical address", str(physical), f"HDLC addresses end at {HDLC_ADDRESSES}: enter it."))
        return max(logical, 1), None
    return (physical, None) if logical == 0 else (logical, physical)


def _meter(device: DeviceFile, physical_address: int | None, left: list[Left]) -> dict[str, Any]:
    meter: dict[str, Any] = {
        "framing": FRAMINGS.get(device.framing, "HDLC"),
        "reverse_deviation": device.reverse_deviation,
        "server_system_title": _title("Meter's system title", device.server_system_title, left),
    }
    if device.framing == "wrapper":
        return meter
    meter["physical_address"] = physical_address
    if device.address_octets in ADDRESS_OCTETS:
        meter["address_octets"] = device.address_octets
    elif device.address_octets:
        left.append(Left("Server address size", str(device.address_octets), "An address has 1, 2 or 4 octets."))
    return (
        meter
        | _both_ways("max_info", "Information field", device.max_info_tx, device.max_info_rx, (32, 2030), left)
        | (_both_ways("window", "Window", device.window_tx, device.window_rx, (1, 7), left))
    )


def _both_ways(
    name: str, words: str, sent: int | None, received: int | None, bounds: tuple[int, int], left: list[Left]
) -> dict[str, int]:
    """The workbench proposes one size for both directions: the smaller one, which both sides bear."""
    said = [value for value in (sent, received) if value is not None]
    if not said:
        return {}
    if not bounds[0] <= min(said) <= bounds[1]:
        left.append(Left(words, f"{min(said)}", f"From {bounds[0]} to {bounds[1]}: the workbench's own was taken."))
        return {}
    if len(set(said)) > 1:
        left.append(Left(words, f"{max(said)} the other way", f"One size is proposed both ways: {min(said)}."))
    return {name: min(said)}


def _title(words: str, octets: bytes, left: list[Left]) -> str:
    if octets and len(octets) != SYSTEM_TITLE_OCTETS:
        left.append(Left(words, f"{len(octets)} octets", "A system title has 8 octets: enter it."))
        return ""
    return octets.hex()


def _serial_number(device: DeviceFile, file: str, number: int) -> str:
    """What could be a serial number: a name with many digits, the address that the tool made of one, else the file's name."""
    for text in (device.device_name, device.name):
        word = max(text.split(), key=lambda word: sum(map(str.isdigit, word)), default="")
        if sum(map(str.isdigit, word)) >= 5:
            return word[:SERIAL_LENGTH]
    if device.hdlc_addressing == 1 and device.physical_address > HDLC_ADDRESSES:
        return str(device.physical_address)
    stem = PurePath(file).stem[: SERIAL_LENGTH - 5]
    return stem if number == 1 else f"{stem}-{number}"


def _name(device: DeviceFile) -> str:
    """The device's name, where it is not only the association's."""
    names = {device.name, device.authentication, "None", "Low", "High", "Public", "Management"}
    return "" if device.device_name in names else device.device_name[:NAME_LENGTH]


# -- the association ---------------------------------------------------------------------------------------------------


def _association(device: DeviceFile, server_sap: int, left: list[Left]) -> dict[str, Any]:
    association: dict[str, Any] = {
        "name": _association_name(device, left),
        "referencing": "logical-names" if device.logical_names else "short-names",
        "client_sap": device.client_sap,
        "server_sap": server_sap,
        "authentication": _authentication(device, left),
        "protection": device.protection,
        "security_suite": device.security_suite,
        "client_system_title": _title("Client system title", device.client_system_title, left),
        "pre_established": device.pre_established,
    }
    if device.client_system_title and not any(device.client_system_title):
        left.append(
            Left("Client system title", "", "It is all zeros, and was taken so: give this client one of its own.")
        )
    return association | dict(_optional(device, left))


def _authentication(device: DeviceFile, left: list[Left]) -> str:
    if not device.pre_established:
        return device.authentication
    if device.authentication != "none":
        why = "A pre-established association has no AARQ that could carry it: none was taken."
        left.append(Left("Authentication", device.authentication, why))
    if device.protection != "none" and not device.server_system_title:
        why = "A pre-established association needs it, for no answer says it: enter it in the meter's form."
        left.append(Left("Meter's system title", "not in the file", why))
    return "none"


def _association_name(device: DeviceFile, left: list[Left]) -> str:
    name = "".join(letter for letter in device.name if letter.isprintable()) or f"Client {device.client_sap}"
    if len(name) > NAME_LENGTH:
        left.append(Left("Name", f"{len(name)} characters", f"Cut after {NAME_LENGTH}."))
    return name[:NAME_LENGTH]


def _optional(device: DeviceFile, left: list[Left]) -> Iterator[tuple[str, Any]]:
    if device.user_id is not None and device.user_id <= 0xFF:
        yield "user_id", device.user_id
    elif device.user_id is not None:
        left.append(Left("User id", str(device.user_id), "It is one octet: 0 to 255."))
    if device.max_pdu_size is not None and device.max_pdu_size <= 0xFFFF:
        yield "max_pdu_size", device.max_pdu_size
    elif device.max_pdu_size is not None:
        left.append(Left("PDU size", str(device.max_pdu_size), "It is at most 65535: no limit was taken."))
    if device.wait_time is not None and 0 < device.wait_time <= LONGEST_WAIT:
        yield "timeout", float(device.wait_time)
    elif device.wait_time:
        left.append(
            Left(
                "Wait time", f"{device.wait_time} s", f"At most {LONGEST_WAIT} s are waited: the usual 5 s were taken."
            )
        )
    if device.counter_object:
        yield from _counter_object(device, left)


def _counter_object(device: DeviceFile, left: list[Left]) -> Iterator[tuple[str, str]]:
    try:
        yield "counter_object", str(ObisCode.parse(device.counter_object))
    except ValueError:
        left.append(Left("Counter object", device.counter_object[:40], "It is no OBIS code: the usual one was taken."))


def _secrets(device: DeviceFile, left: list[Left]) -> dict[str, bytes]:
    """By slot of the vault."""
    size = KEY_OCTETS[device.security_suite]
    found: dict[str, bytes] = {}
    for slot, name in KEYS.items():
        key = getattr(device, name)
        if key and len(key) != size:
            why = f"Security suite {device.security_suite} has keys of {size} octets: enter it in the meter's form."
            left.append(Left(KEY_WORDS[slot], f"{len(key)} octets", why))
        elif key:
            found[slot] = key
    ciphered = device.protection != "none" or device.authentication == "hls-gmac"
    for slot in ("GUEK", "GAK"):
        if ciphered and not getattr(device, KEYS[slot]):
            left.append(
                Left(KEY_WORDS[slot], "not in the file", "The association needs it: enter it in the meter's form.")
            )
    if device.has_password or device.authentication in WITH_PASSWORD:
        left.append(_password(device))
    if device.authentication == "hls-ecdsa":
        left.append(
            Left("Signing keys", "not in the file", "The association needs them: enter them in the meter's form.")
        )
    return found


def _ciphered(device: DeviceFile) -> bool:
    return device.protection != "none" or device.authentication == "hls-gmac"


def _password(device: DeviceFile) -> Left:
    needed = device.authentication in WITH_PASSWORD
    if device.has_password and not needed:
        return Left("Password", "", "This authentication has none.")
    why = "The tool hides it with a constant of its own: what is not kept secret is not taken over."
    said = "" if device.has_password else "not in the file"
    return Left("Password", said, f"{why if device.has_password else ''} Enter it in the meter's form.".strip())


def _counter(
    device: DeviceFile, secrets: Mapping[str, bytes], association: Mapping[str, Any], left: list[Left]
) -> int | None:
    """The last invocation counter that the tool used, where there is a key and a title that it belongs to."""
    last = device.invocation_counter
    if not last:
        return None
    if "GUEK" not in secrets or not association["client_system_title"]:
        left.append(
            Left(
                "Invocation counter",
                str(last),
                "It belongs to a key and a client system title, of which one is missing.",
            )
        )
        return None
    if last >= COUNTER_LIMIT:
        left.append(Left("Invocation counter", str(last), "The key's counters are used up: it needs a new key."))
        return None
    return last


# -- what is left ------------------------------------------------------------------------------------------------------


def _line_leftovers(device: DeviceFile, left: list[Left]) -> None:
    media = device.media
    if media.kind == NET and media.udp is None:
        left.append(Left("Protocol", "unknown", "Neither TCP nor UDP: choose the line."))
    if media.kind == SERIAL and media.parity not in PARITIES:
        left.append(
            Left("Parity", media.parity or "unknown", "Lines of the workbench have none, even or odd: none was taken.")
        )
    if media.kind == SERIAL and media.data_bits not in (None, *DATA_BITS):
        left.append(Left("Data bits", str(media.data_bits), "A line has 7 or 8: 8 were taken."))
    if media.kind == SERIAL and media.stop_bits is None:
        left.append(Left("Stop bits", "unknown", "A line has 1 or 2: 1 was taken."))
    if media.kind not in (NET, SERIAL):
        left.append(Left("Line", media.kind.rpartition(".")[2], "The workbench has no such line: choose one."))


def _leftovers(device: DeviceFile) -> Iterator[Left]:
    """What the workbench has no place for, and what could not be read."""
    if device.conformance is not None:
        yield Left(
            "Conformance", str(device.conformance), "The workbench proposes all that it can do; the meter chooses."
        )
    if device.hdlc_addressing and device.framing != "wrapper":
        words = {1: "by serial number", 2: "custom"}.get(device.hdlc_addressing, str(device.hdlc_addressing))
        yield Left("HDLC addressing", words, "The workbench keeps the address itself: check the physical address.")
    for name, text in device.others.items():
        known = OTHERS.get(name)
        shown = text[:20] if known is not None and known.shown else ""
        yield Left(name[:60], shown, known.why if known is not None else NO_PLACE)
    for name, count in device.unread.items():
        yield Left(f"{name[:60]} ({count} ×)", "", UNREAD.get(name, UNREAD_ELSE))
    for fault in device.faults:
        yield Left("Object", "", f"{fault} It was left out."[:300])
