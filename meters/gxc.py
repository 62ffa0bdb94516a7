"""Device files of GXDLMSDirector (`.gxc`): meters as the field's desktop tool keeps them.

Pure reading: XML in, values out. What the tool leaves out of a file has its default. The password in a file is encrypted with a
constant of the tool, so it is not a secret and is not read: the technician enters it anew. Keys stand in clear in such a file;
they belong into the vault and are hidden from `repr`.

Facts: published device files of real meters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Final, TypeVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject

MAX_OCTETS: Final = 64 * 1024 * 1024
MAX_OBJECTS: Final = 100_000
NAMESPACE: Final = "{Gurux1}"
TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
CLASS_PREFIX: Final = "GXDLMS"
ROOT: Final = f"{NAMESPACE}ArrayOfGXDLMSDevice"

DEFAULT_ACCESS: Final = 3
"""What a file leaves out is read and write."""

AUTHENTICATIONS: Final = {
    "None": "none",
    "Low": "lls",
    "High": "hls-manufacturer",
    "HighMD5": "hls-md5",
    "HighSHA1": "hls-sha1",
    "HighGMAC": "hls-gmac",
    "HighSHA256": "hls-sha256",
    "HighECDSA": "hls-ecdsa",
}
PROTECTIONS: Final = {
    "None": "none",
    "Authentication": "authenticated",
    "Encryption": "encrypted",
    "AuthenticationEncryption": "authenticated-encrypted",
}
SUITES: Final = {"Suite0": 0, "Suite1": 1, "Suite2": 2}
FRAMINGS: Final = {
    0: "hdlc",
    1: "wrapper",
    2: "pdu",
    3: "wireless M-Bus",
    4: "hdlc-mode-e",
    5: "PLC",
    6: "PLC-HDLC",
    7: "LPWAN",
    8: "Wi-SUN",
    9: "PLC PRIME",
    10: "wired M-Bus",
    11: "SMS",
    12: "PRIME DC wrapper",
    13: "CoAP",
}
PARITIES: Final = {0: "N", 1: "O", 2: "E", 3: "M", 4: "S"}
CLASS_IDS: Final[Mapping[str, int]] = {
    "Data": 1,
    "Register": 3,
    "ExtendedRegister": 4,
    "DemandRegister": 5,
    "RegisterActivation": 6,
    "ProfileGeneric": 7,
    "Clock": 8,
    "ScriptTable": 9,
    "Schedule": 10,
    "SpecialDaysTable": 11,
    "AssociationShortName": 12,
    "AssociationLogicalName": 15,
    "SapAssignment": 17,
    "ImageTransfer": 18,
    "IECLocalPortSetup": 19,
    "ActivityCalendar": 20,
    "RegisterMonitor": 21,
    "ActionSchedule": 22,
    "HdlcSetup": 23,
    "IecTwistedPairSetup": 24,
    "MBusSlavePortSetup": 25,
    "UtilityTables": 26,
    "ModemConfiguration": 27,
    "AutoAnswer": 28,
    "AutoConnect": 29,
    "DataProtection": 30,
    "PushSetup": 40,
    "TcpUdpSetup": 41,
    "Ip4Setup": 42,
    "MacAddressSetup": 43,
    "PppSetup": 44,
    "GprsSetup": 45,
    "SmtpSetup": 46,
    "GSMDiagnostic": 47,
    "Ip6Setup": 48,
    "SFSKPhyMacSetUp": 50,
    "SFSKActiveInitiator": 51,
    "SFSKMacSynchronizationTimeouts": 52,
    "SFSKMacCounters": 53,
    "IEC6205541Attributes": 55,
    "SFSKReportingSystemList": 56,
    "Iec8802LlcType1Setup": 57,
    "Iec8802LlcType2Setup": 58,
    "Iec8802LlcType3Setup": 59,
    "RegisterTable": 61,
    "CompactData": 62,
    "StatusMapping": 63,
    "SecuritySetup": 64,
    "ParameterMonitor": 65,
    "SensorManager": 67,
    "Arbitrator": 68,
    "DisconnectControl": 70,
    "Limiter": 71,
    "MBusClient": 72,
    "WirelessModeQchannel": 73,
    "MBusMasterPortSetup": 74,
    "MBusPortSetup": 76,
    "MBusDiagnostic": 77,
    "LlcSscsSetup": 80,
    "PrimeNbOfdmPlcPhysicalLayerCounters": 81,
    "PrimeNbOfdmPlcMacSetup": 82,
    "PrimeNbOfdmPlcMacFunctionalParameters": 83,
    "PrimeNbOfdmPlcMacCounters": 84,
    "PrimeNbOfdmPlcMacNetworkAdministrationData": 85,
    "PrimeNbOfdmPlcApplicationsIdentification": 86,
    "G3PlcMacLayerCounters": 90,
    "G3PlcMacSetup": 91,
    "G3Plc6LoWPan": 92,
    "NtpSetup": 100,
    "ZigBeeSasStartup": 101,
    "ZigBeeSasJoin": 102,
    "ZigBeeSasApsFragmentation": 103,
    "ZigBeeNetworkControl": 104,
    "Account": 111,
    "Credit": 112,
    "Charge": 113,
    "TokenGateway": 115,
    "FunctionControl": 122,
    "ArrayManager": 123,
    "CommunicationPortProtection": 124,
    "LteMonitoring": 151,
    "CoAPSetup": 152,
    "CoAPDiagnostic": 153,
    "TariffPlan": 8192,
}

T = TypeVar("T")


class GxcError(ValueError):
    """A file that is no device file, or says something that cannot be; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAttribute:
    """What a file says of one attribute. `access`: bit 0 readable, bit 1 writable; `type` the tool's name of it, if any."""

    access: int
    type: str = ""
    name: str = ""

    @property
    def readable(self) -> bool:
        return bool(self.access & 1)

    @property
    def writable(self) -> bool:
        return bool(self.access & 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileObject:
    """One COSEM object. `attributes` and `methods` (access by number) name only those that the file lists."""

    class_id: int
    version: int
    logical_name: ObisCode
    short_name: int | None = None
    description: str = ""
    attributes: Mapping[int, FileAttribute] = field(default_factory=dict)
    methods: Mapping[int, int] = field(default_factory=dict)
    scaler: str = ""
    unit: str = ""
    capture_objects: tuple[CaptureObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMedia:
    """The line of a device: host and port, or a serial port with its settings; what the file leaves out is None."""

    host: str = ""
    port: int | None = None
    serial_port: str = ""
    baud: int | None = None
    data_bits: int | None = None
    parity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFile:
    """One meter of a file: its association, its line, its objects. Names as in an association file of the workbench."""

    name: str
    manufacturer: str
    authentication: str
    has_password: bool
    protection: str
    security_suite: int
    client_sap: int
    logical_address: int
    physical_address: int
    hdlc_addressing: int
    framing: str
    logical_names: bool
    conformance: int | None
    max_pdu_size: int | None
    max_info_tx: int | None
    max_info_rx: int | None
    window_tx: int | None
    window_rx: int | None
    pre_established: bool
    user_id: int | None
    reverse_deviation: bool
    counter_object: str
    invocation_counter: int | None
    client_system_title: bytes
    server_system_title: bytes
    guek: bytes = field(repr=False)
    gbek: bytes = field(repr=False)
    gak: bytes = field(repr=False)
    dedicated_key: bytes = field(repr=False)
    media: FileMedia
    objects: tuple[FileObject, ...]


def read_gxc(octets: bytes) -> list[DeviceFile]:
    """The devices of a file; `GxcError` says what is wrong with it. External entities and DTDs are refused."""
    if len(octets) > MAX_OCTETS:
        raise GxcError(f"The file has {len(octets)} octets; {MAX_OCTETS} are the most that is read.")
    try:
        root = fromstring(octets, forbid_dtd=True)
    except DefusedXmlException:
        raise GxcError("The file declares a DTD or entities, which no device file does. It was not read.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise GxcError(f"The file is not XML: {error}") from None
    if root.tag != ROOT:
        raise GxcError("This is no device file of GXDLMSDirector: it does not begin with ArrayOfGXDLMSDevice.")
    devices = [
        _device(element, f"device {number}") for number, element in enumerate(root, 1) if element.tag.endswith("Device")
    ]
    if not devices:
        raise GxcError("The file holds no device.")
    return devices


# -- one device --------------------------------------------------------------------------------------------------------


def _device(element: Element, place: str) -> DeviceFile:
    number = _Numbers(element, place)
    return DeviceFile(
        name=_text(element, "AuthenticationName") or _text(element, "Name"),
        manufacturer=_text(element, "Manufacturer").upper(),
        authentication=_word(element, "Authentication", AUTHENTICATIONS, "None", place),
        has_password=bool(_text(element, "Password")),
        protection=_word(element, "Security", PROTECTIONS, "None", place),
        security_suite=_word(element, "SecuritySuite", SUITES, "Suite0", place),
        client_sap=number("ClientAddress", 16),
        logical_address=number("LogicalAddress", 1),
        physical_address=number("PhysicalAddress", 1),
        hdlc_addressing=number("HDLCAddressing", 0),
        framing=FRAMINGS.get(number("InterfaceType", 0), "unknown"),
        logical_names=_text(element, "UseLN") != "false",
        conformance=number.optional("Conformance"),
        max_pdu_size=number.optional("PduSize"),
        max_info_tx=number.optional("MaxInfoTX"),
        max_info_rx=number.optional("MaxInfoRX"),
        window_tx=number.optional("WindowSizeTX"),
        window_rx=number.optional("WindowSizeRX"),
        pre_established=_text(element, "PreEstablished") == "true",
        user_id=number.optional("UserId"),
        reverse_deviation=_text(element, "UtcTimeZone") == "true",
        counter_object=_text(element, "FrameCounter"),
        invocation_counter=number.optional("InvocationCounter"),
        client_system_title=_hex(element, "SystemTitle", place),
        server_system_title=_hex(element, "ServerSystemTitle", place),
        guek=_hex(element, "BlockCipherKey", place),
        gbek=_hex(element, "BroadcastKey", place),
        gak=_hex(element, "AuthenticationKey", place),
        dedicated_key=_hex(element, "DedicatedKey", place),
        media=_media(element, place),
        objects=tuple(_objects(element.find(f"{NAMESPACE}Objects2"), place)),
    )


def _media(element: Element, place: str) -> FileMedia:
    """The settings of the line, which stand as XML inside a text."""
    settings = _text(element, "MediaSettings")
    try:
        root = fromstring(f"<media>{unescape(settings) if '&lt;' in settings else settings}</media>", forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise GxcError(f"{place}: MediaSettings cannot be read.") from None
    said = {child.tag: (child.text or "").strip() for child in root}
    if _text(element, "MediaType").endswith("GXNet"):
        return FileMedia(host=said.get("IP", ""), port=_int(said.get("Port"), place, "Port"))
    return FileMedia(
        serial_port=said.get("Port", ""),
        baud=_int(said.get("Bps"), place, "Bps"),
        data_bits=_int(said.get("ByteSize"), place, "ByteSize"),
        parity=PARITIES.get(_int(said.get("Parity"), place, "Parity") or 0, ""),
    )


# -- objects -----------------------------------------------------------------------------------------------------------


def _objects(element: Element | None, place: str) -> Iterator[FileObject]:
    if element is None:
        return
    if len(element) > MAX_OBJECTS:
        raise GxcError(f"{place}: {len(element)} objects; {MAX_OBJECTS} are the most that is read.")
    for number, entry in enumerate(element, 1):
        yield _object(entry, f"{place}, object {number}")


def _object(element: Element, place: str) -> FileObject:
    number = _Numbers(element, place)
    return FileObject(
        class_id=_class_id(element, place),
        version=number("Version", 0),
        logical_name=_logical_name(element, place),
        short_name=number.optional("ShortName"),
        description=_text(element, "Description"),
        attributes=dict(_items(element, "Attributes", place, _attribute)),
        methods=dict(_items(element, "Methods", place, _method)),
        scaler=_text(element, "Scaler"),
        unit=_text(element, "Unit"),
        capture_objects=tuple(_capture_objects(element.find(f"{NAMESPACE}CaptureObjects"), place)),
    )


def _class_id(element: Element, place: str) -> int:
    name = element.get(TYPE, "").rpartition(":")[2].removeprefix(CLASS_PREFIX)
    number = _text(element, "ObjectType")
    if name in CLASS_IDS:
        return CLASS_IDS[name]
    if number.isdigit() and int(number) <= 0xFFFF:
        return int(number)
    raise GxcError(f"{place}: the class {element.get(TYPE) or 'without a name'} is not known.")


def _logical_name(element: Element, place: str) -> ObisCode:
    text = _text(element, "LogicalName")
    try:
        return ObisCode.parse(text)
    except ValueError:
        raise GxcError(f"{place}: {text!r} is no logical name.") from None


def _items(element: Element, name: str, place: str, make: Callable[[Element, _Numbers], T]) -> Iterator[tuple[int, T]]:
    for item in element.findall(f"{NAMESPACE}{name}/{NAMESPACE}Item"):
        number = _Numbers(item, f"{place}, {name}")
        yield number("Index", 0), make(item, number)


def _attribute(item: Element, number: _Numbers) -> FileAttribute:
    return FileAttribute(access=number("Access", DEFAULT_ACCESS), type=_text(item, "Type"), name=_text(item, "Name"))


def _method(item: Element, number: _Numbers) -> int:
    return number("Access", 1)


def _capture_objects(element: Element | None, place: str) -> Iterator[CaptureObject]:
    for pair in element if element is not None else ():
        key, value = pair.find(f"{NAMESPACE}Key"), pair.find(f"{NAMESPACE}Value")
        if key is None or value is None:
            raise GxcError(f"{place}: a capture object without its object or its attribute.")
        number = _Numbers(value, f"{place}, capture object")
        name = _logical_name(key, f"{place}, capture object")
        # Attributes of a maker's own have negative numbers.
        attribute_id = _int(_text(value, "AttributeIndex"), place, "AttributeIndex", -128) or 0
        yield CaptureObject(_class_id(key, place), name, attribute_id, number("DataIndex", 0))


# -- elements ----------------------------------------------------------------------------------------------------------


class _Numbers:
    """The numbers of one element."""

    def __init__(self, element: Element, place: str) -> None:
        self._element = element
        self._place = place

    def __call__(self, name: str, default: int) -> int:
        found = self.optional(name)
        return default if found is None else found

    def optional(self, name: str) -> int | None:
        return _int(_text(self._element, name), self._place, name)


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{NAMESPACE}{name}") or "").strip()


def _int(text: str | None, place: str, name: str, least: int = 0) -> int | None:
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise GxcError(f"{place}: {name} is {text[:20]!r}, a number is expected.") from None
    if not least <= number <= 0xFFFFFFFF:
        raise GxcError(f"{place}: {name} is {number}, outside of {least} to 4294967295.")
    return number


def _hex(element: Element, name: str, place: str) -> bytes:
    try:
        return bytes.fromhex(_text(element, name))
    except ValueError:  # without the text: it may be a key
        raise GxcError(f"{place}: {name} is not hexadecimal.") from None


def _word(element: Element, name: str, words: Mapping[str, T], default: str, place: str) -> T:
    text = _text(element, name) or default
    if text not in words:
        raise GxcError(f"{place}: {name} is {text[:20]!r}; {_listed(words)} are known.")
    return words[text]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
