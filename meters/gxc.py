"""Device files of GXDLMSDirector (`.gxc`): meters as the field's desktop tool keeps them.

Pure reading: XML in, values out. What the tool leaves out of a file has its default. The password in a file is encrypted with a
constant of the tool, so it is not a secret and is not read: the technician enters it anew. Keys stand in clear in such a file;
they belong into the vault and are hidden from `repr`.

Nothing is passed over in silence: an object that cannot be read is a fault of its device, what has no field here stands in
`others` (of the device) or is counted in `unread` (of its objects).

Facts: published device files of real meters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Final, TypeVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.gxc_tables import (
    ADDRESSING_WORDS,
    AUTHENTICATIONS,
    CLASS_IDS,
    FRAMING_WORDS,
    FRAMINGS,
    NET,
    NUMBERS,
    PARITIES,
    PROTECTIONS,
    READ_OF_DEVICE,
    READ_OF_ITEM,
    READ_OF_OBJECT,
    SERIAL,
    STOP_BITS,
    SUITES,
)

MAX_OCTETS: Final = 64 * 1024 * 1024
MAX_OBJECTS: Final = 100_000
MAX_DEVICES: Final = 1000
MAX_FAULTS: Final = 50
"""Objects that cannot be read and are told one by one, by device."""
NAMESPACE: Final = "{Gurux1}"
TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
CLASS_PREFIX: Final = "GXDLMS"
ROOT: Final = f"{NAMESPACE}ArrayOfGXDLMSDevice"

DEFAULT_ACCESS: Final = 3
"""Of an attribute a file leaves out read and write; of a method, no access."""
READABLE: Final = frozenset({1, 3, 4, 6})
WRITABLE: Final = frozenset({2, 3, 5, 6})
"""Access modes of the associations before version 3: 4 to 6 are 1 to 3 for authenticated requests."""
NOTHING: Final = frozenset({"", "0", "false", "None"})
"""Texts that say nothing where an element has no field here."""

T = TypeVar("T")


class GxcError(ValueError):
    """A file that is no device file, or says something that cannot be; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAttribute:
    """What a file says of one attribute. `access`: an access mode, as associations before version 3 count; `type` the tool's
    name of it, if any.
    """

    access: int
    type: str = ""
    name: str = ""

    @property
    def readable(self) -> bool:
        return self.access in READABLE

    @property
    def writable(self) -> bool:
        return self.access in WRITABLE


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
    """The line of a device: host and port, or a serial port with its settings; what the file leaves out is None.

    `kind` is the tool's word for it (`NET`, `SERIAL`, others). `udp` is None where the protocol is none that is known.
    """

    kind: str = ""
    host: str = ""
    port: int | None = None
    udp: bool | None = False
    serial_port: str = ""
    baud: int | None = None
    data_bits: int | None = None
    parity: str = ""
    stop_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFile:
    """One meter of a file: its association, its line, its objects. Names as in an association file of the workbench.

    `name` is the association's, `device_name` the device's (often the same). `wait_time` is in seconds.
    """

    name: str
    device_name: str
    manufacturer: str
    authentication: str
    has_password: bool
    protection: str
    security_suite: int
    client_sap: int
    logical_address: int
    physical_address: int
    hdlc_addressing: int
    address_octets: int | None
    framing: str
    logical_names: bool
    conformance: int | None
    max_pdu_size: int | None
    max_info_tx: int | None
    max_info_rx: int | None
    window_tx: int | None
    window_rx: int | None
    wait_time: int | None
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
    faults: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict, repr=False)
    unread: Mapping[str, int] = field(default_factory=dict)


def read_gxc(octets: bytes) -> list[DeviceFile]:
    """The devices of a file; `GxcError` says what is wrong with it, or with the first device that cannot be read."""
    devices = []
    for found in read_each(octets):
        if isinstance(found, GxcError):
            raise found
        devices.append(found)
    return devices


def read_each(octets: bytes) -> list[DeviceFile | GxcError]:
    """Each device of a file, or what is wrong with it; `GxcError` for a file that is none.

    External entities and DTDs are refused.
    """
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
    elements = [element for element in root if element.tag.endswith("Device")]
    if not elements:
        raise GxcError("The file holds no device.")
    if len(elements) > MAX_DEVICES:
        raise GxcError(f"The file holds {len(elements)} devices; {MAX_DEVICES} are the most that are read.")
    return [_device_or_error(element, f"device {number}") for number, element in enumerate(elements, 1)]


# -- one device --------------------------------------------------------------------------------------------------------


def _device_or_error(element: Element, place: str) -> DeviceFile | GxcError:
    try:
        return _device(element, place)
    except GxcError as error:
        return error


def _device(element: Element, place: str) -> DeviceFile:
    number = _Numbers(element, place)
    container = element.find(f"{NAMESPACE}Objects2")
    container = element.find(f"{NAMESPACE}Objects") if container is None else container
    objects, faults = _objects(container, place)
    return DeviceFile(
        name=_text(element, "AuthenticationName") or _text(element, "Name"),
        device_name=_text(element, "Name"),
        manufacturer=_text(element, "Manufacturer").upper(),
        authentication=_word(element, "Authentication", AUTHENTICATIONS, "None", place),
        has_password=bool(_text(element, "Password")),
        protection=_word(element, "Security", PROTECTIONS, "None", place),
        security_suite=_word(element, "SecuritySuite", SUITES, "Suite0", place),
        client_sap=number("ClientAddress", 16),
        logical_address=number("LogicalAddress", 1),
        physical_address=number("PhysicalAddress", 1),
        hdlc_addressing=number.or_word("HDLCAddressing", ADDRESSING_WORDS),
        address_octets=number.optional("ServerAddressSize"),
        framing=FRAMINGS.get(number.or_word("InterfaceType", FRAMING_WORDS), "unknown"),
        logical_names=_text(element, "UseLN").lower() not in ("false", "0"),
        conformance=number.optional("Conformance") if _text(element, "Conformance").isdecimal() else None,
        max_pdu_size=number.optional("PduSize"),
        max_info_tx=number.optional("MaxInfoTX"),
        max_info_rx=number.optional("MaxInfoRX"),
        window_tx=number.optional("WindowSizeTX"),
        window_rx=number.optional("WindowSizeRX"),
        wait_time=number.optional("WaitTime"),
        pre_established=_is_true(element, "PreEstablished"),
        user_id=_user_id(element, place),
        reverse_deviation=_is_true(element, "UtcTimeZone"),
        counter_object=_text(element, "FrameCounter"),
        invocation_counter=number.optional("InvocationCounter"),
        client_system_title=_hex(element, "SystemTitle", place),
        server_system_title=_hex(element, "ServerSystemTitle", place),
        guek=_hex(element, "BlockCipherKey", place),
        gbek=_hex(element, "BroadcastKey", place),
        gak=_hex(element, "AuthenticationKey", place),
        dedicated_key=_hex(element, "DedicatedKey", place),
        media=_media(element, place),
        objects=objects,
        faults=faults,
        others=dict(_others(element)),
        unread=_unread(container),
    )


def _others(element: Element) -> Iterator[tuple[str, str]]:
    """What stands in the device and has no field, as its name and text."""
    for child in element:
        name, text = _local(child), (child.text or "").strip()
        unread = name not in READ_OF_DEVICE or (name == "Conformance" and not text.isdecimal())
        if unread and (len(child) or text not in NOTHING):
            yield name, text


def _user_id(element: Element, place: str) -> int | None:
    found = _int(_text(element, "UserId"), place, "UserId", -1)
    return None if found == -1 else found


def _media(element: Element, place: str) -> FileMedia:
    """The settings of the line, which stand as XML inside a text."""
    settings = _text(element, "MediaSettings")
    try:
        root = fromstring(f"<media>{unescape(settings) if '&lt;' in settings else settings}</media>", forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise GxcError(f"{place}: MediaSettings cannot be read.") from None
    said = {child.tag: (child.text or "").strip() for child in root}
    kind = _text(element, "MediaType")
    if kind.endswith("GXNet"):
        udp = {"": False, "1": False, "tcp": False, "0": True, "udp": True}.get(said.get("Protocol", "").lower())
        return FileMedia(kind=NET, host=said.get("IP", ""), port=_int(said.get("Port"), place, "Port"), udp=udp)
    if kind and not kind.endswith("GXSerial"):
        return FileMedia(kind=kind)
    return FileMedia(
        kind=SERIAL,
        serial_port=said.get("Port", ""),
        baud=_int(said.get("Bps"), place, "Bps"),
        data_bits=_int(said.get("ByteSize"), place, "ByteSize"),
        parity=PARITIES.get(_int(said.get("Parity"), place, "Parity") or 0, ""),
        stop_bits=STOP_BITS.get(_int(said.get("StopBits"), place, "StopBits") or 0),
    )


# -- objects -----------------------------------------------------------------------------------------------------------


def _objects(element: Element | None, place: str) -> tuple[tuple[FileObject, ...], tuple[str, ...]]:
    """The objects that can be read, and what is wrong with the others."""
    objects: list[FileObject] = []
    faults: list[str] = []
    if element is None:
        return (), ()
    if len(element) > MAX_OBJECTS:
        raise GxcError(f"{place}: {len(element)} objects; {MAX_OBJECTS} are the most that is read.")
    for number, entry in enumerate(element, 1):
        try:
            objects.append(_object(entry, f"{place}, object {number}"))
        except GxcError as fault:
            faults.append(str(fault))
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"{place}: {len(faults) - MAX_FAULTS} more objects cannot be read."]
    return tuple(objects), tuple(faults)


def _unread(container: Element | None) -> Mapping[str, int]:
    """How often the objects say something that has no field here, by the element's name."""
    counted: Counter[str] = Counter()
    for entry in container if container is not None else ():
        counted.update(
            _local(child) for child in entry if _local(child) not in READ_OF_OBJECT and _says_something(child)
        )
        for item in (*entry.findall(f"{NAMESPACE}Attributes/*"), *entry.findall(f"{NAMESPACE}Methods/*")):
            counted.update(
                _local(child) for child in item if _local(child) not in READ_OF_ITEM and _says_something(child)
            )
    return dict(counted)


def _says_something(element: Element) -> bool:
    return any((each.text or "").strip() not in NOTHING for each in element.iter())


def _object(element: Element, place: str) -> FileObject:
    number = _Numbers(element, place)
    return FileObject(
        class_id=_class_id(element, place),
        version=number("Version", 0),
        logical_name=_logical_name(element, place),
        short_name=_short_name(element, place),
        description=_text(element, "Description"),
        attributes=dict(_items(element, "Attributes", place, _attribute)),
        methods=dict(_items(element, "Methods", place, _method)),
        scaler=_text(element, "Scaler"),
        unit=_text(element, "Unit"),
        capture_objects=tuple(_capture_objects(element.find(f"{NAMESPACE}CaptureObjects"), place)),
    )


def _short_name(element: Element, place: str) -> int | None:
    """The base name; the tool writes those over 0x7FFF as negative numbers too."""
    found = _int(_text(element, "ShortName"), place, "ShortName", -0x8000)
    return None if found is None else found % 0x10000 if found < 0 else found


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
        yield _int(_text(item, "Index"), f"{place}, {name}", "Index", -128) or 0, make(item, number)


def _attribute(item: Element, number: _Numbers) -> FileAttribute:
    # Rights of version 3's associations stand beside, as bits, where the tool was told some: 1 read, 2 write, others how.
    newer = number("Access3", 0)
    access = newer & 3 if newer else number("Access", DEFAULT_ACCESS)
    return FileAttribute(access=access, type=_text(item, "Type"), name=_text(item, "Name"))


def _method(item: Element, number: _Numbers) -> int:
    return number("MethodAccess", number("Access", 0))


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

    def or_word(self, name: str, words: Mapping[str, int]) -> int:
        """0 where the file says nothing."""
        found = words.get(_text(self._element, name).lower())
        return self(name, 0) if found is None else found

    def optional(self, name: str) -> int | None:
        return _int(_text(self._element, name), self._place, name)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{NAMESPACE}{name}") or "").strip()


def _is_true(element: Element, name: str) -> bool:
    return _text(element, name).lower() in ("true", "1")


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
    text = NUMBERS.get(f"{name} {text}", text)
    if text not in words:
        raise GxcError(f"{place}: {name} is {text[:20]!r}; {_listed(words)} are known.")
    return words[text]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
