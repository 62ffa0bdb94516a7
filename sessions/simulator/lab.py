"""A lab of simulated meters: the TOML file that describes it, and what is announced of it.

    host = "127.0.0.1"  reply_delay = 0.06  inactivity_timeout = 180
    [[lines]]                        kind = "wrapper" | "hdlc" (TCP, port) | "udp" (wrapper, port) | "pty" | "rfc2217" (a serial
                                     line behind a TCP port, with its settings); for HDLC max_info, window
    [lines.timing]                   octets take their time, on a bus that all meters of the line share: baud, data_bits, parity,
                                     stop_bits, response_time and inter_octet_timeout (s), half_duplex; behind a sign-on the
                                     speeds that are agreed
    [lines.faults]                   a bad line: seed, direction ("both" | "to-meter" | "from-meter"), bit_errors, lost, doubled,
                                     delayed and delay (s), silence, garbage, slow (s), echo, cut_after; see `faults.py`.
                                     On UDP datagrams are lost, doubled or late as a whole
    [[lines.meters]]                 serial_number (digits), name, type, max_pdu_size, role, physical_address for HDLC
                                     address_octets (1, 2 or 4), user_ids (who may associate), security_setup_version (0 or 1, of
                                     the security policy), quirks (names of what it always does otherwise, see `quirks`),
                                     push (tcp://, udp:// or hdlc://host:port: where its push setups send to at first)
    [lines.meters.faults]            what the meter sometimes does, by name, each with its chance of one answer; seed
    [lines.meters.lockout]           attempts, seconds: how many wrong secrets lock a client out, and for how long
    [lines.meters.association]       the keys of an association file: client_sap, authentication, secret, guek, …; the meter
                                     demands and promises what they say
    [[lines.meters.clients]]         further clients: role, and the keys of an association file; keys and line are the first one's
    [lines.sign_on]                  the meters of an HDLC line want a sign-on of IEC 62056-21 first: initial_baud;
                                     or one pushes telegrams and hears nothing: push_interval (s), push_crc, push_key (hex)
    [lines.meters.sign_on]           device_address (else the serial number), baud (the character Z), mode_e, password, operand,
                                     max_block, readout (a file of readouts/), manufacturer (a lower-case third letter is quick)
    [lines.meters.key_pairs]         for security suites 1 and 2: seed, from which key pairs and certificates of meter and client
                                     are made; signing_key, key_agreement_key of the meter where they are given (PEM or hex)

Every meter also serves the public client 16. `reply_delay` is in seconds, for each answer; `max_pdu_size` the octets of the
longest APDU that the meter sends.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from sessions.association_file import MODE_E_WORD, parse_association
from sessions.dlms.association import Referencing
from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.parameters import MAX_INFO, MAX_WINDOW, HdlcParameters
from sessions.dlms.iec62056_21.characters import START_BAUD
from sessions.simulator.build import acts_by_itself, build_meter, build_meters, logical_devices
from sessions.simulator.bus import LineTiming, read_timing
from sessions.simulator.device import (
    MANAGEMENT_DEVICE,
    LogicalDevice,
    Role,
    ServedClient,
)
from sessions.simulator.faults import LineFaults, read_faults
from sessions.simulator.key_store import LabKeys
from sessions.simulator.lab_security import KEY_NAMES, announced_keys, key_pairs, meter_security, served_client
from sessions.simulator.lab_security import LabError as LabError
from sessions.simulator.lockout import LockoutRule
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import MeterSettings, MeterType, MeterTypeError, load_meter_type, system_title
from sessions.simulator.push.rules import Destination
from sessions.simulator.quirks.manners import Manners, read_manners
from sessions.simulator.readout import ReadoutDevice
from sessions.simulator.sign_on import make_sign_on_device
from sessions.simulator.state_file import StateFile

LABS: Final = Path(__file__).parent / "labs"
DEFAULT_PORT: Final = 4059
DEFAULT_TYPE: Final = "three_phase"
FIRST_SERIAL: Final = 10_000_001
HDLC_MAX_INFO: Final = 128
ANNOUNCED_BAUD: Final = 9600
SMALL_ADDRESS: Final = 0x7E
"""The highest physical address in an address of two octets; the one after it is everybody's."""
DEFAULT_ASSOCIATION: Final = {"client_sap": 32, "authentication": "lls", "secret": "text:12345678"}
KEYS: Final = ("guek", "gak", "gbek", "kek", "security_suite")
SHARED_BY_CLIENTS: Final = ("framing", "server_sap", "server_system_title", "hdlc", "referencing", *KEYS)
"""What all clients of a meter have in common."""

LineKind = Literal["wrapper", "hdlc", "udp", "pty", "rfc2217"]
KINDS: Final = get_args(LineKind)
LAB_ENTRIES: Final = frozenset({"host", "reply_delay", "inactivity_timeout", "fixed_ports"})
LINE_ENTRIES: Final = frozenset({"kind", "port", "max_info", "window", "sign_on", "timing", "faults", "meters"})
METER_ENTRIES: Final = frozenset(
    {
        "serial_number",
        "name",
        "type",
        "max_pdu_size",
        "role",
        "physical_address",
        "address_octets",
        "user_ids",
        "security_setup_version",
        "quirks",
        "faults",
        "lockout",
        "association",
        "clients",
        "sign_on",
        "key_pairs",
        "push",
    }
)
SIGN_ON_ENTRIES: Final = frozenset(
    {
        "device_address",
        "baud",
        "mode_e",
        "password",
        "operand",
        "max_block",
        "readout",
        "manufacturer",
        "identification",
    }
)
KEY_PAIR_ENTRIES: Final = frozenset({"seed", *KEY_NAMES.values()})
WRAPPED: Final = ("wrapper", "udp")
"""Lines that lead to one meter, by the wrapper."""


def host_time() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SignOnOptions:
    """What the meters of a line share that want a sign-on first.

    `push_interval`: the line's one meter pushes telegrams instead, every so many seconds (mode D, P1); `push_key` enciphers them.
    """

    initial_baud: int = START_BAUD
    push_interval: float = 0.0
    push_crc: bool = True
    push_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HdlcOptions:
    """What the meters of one HDLC line share: octets of an information field, frames of a window, seconds until a silent
    link is dropped.
    """

    max_info: int = HDLC_MAX_INFO
    window: int = 1
    inactivity_timeout: int = 180


@dataclass(frozen=True, slots=True)
class LabClient:
    """A further client of a meter: what it may do, and its association as `read` takes it."""

    role: Role
    association: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabMeter:
    """A meter on a line, with the association that is announced."""

    serial_number: str
    name: str
    type: str
    device: LogicalDevice
    association: Mapping[str, Any]
    clients: tuple[LabClient, ...] = ()
    physical_address: int | None = None
    address_octets: int = 1
    parameters: HdlcParameters = field(default_factory=HdlcParameters)
    frmr_information: bytes | None = None
    sign_on: ReadoutDevice | None = None
    password: str = field(default="", repr=False)
    manners: Manners | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabLine:
    """A TCP or UDP port or a pseudo-terminal, and its meters: one for the wrapper, several for HDLC.

    `timing`: octets take their time on it; `faults`: what it does to them.
    """

    kind: LineKind
    meters: tuple[LabMeter, ...]
    port: int = 0
    sign_on: SignOnOptions | None = None
    timing: LineTiming | None = None
    faults: LineFaults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """`fixed_ports`: a port that is taken is an error, otherwise any free one takes its place. `host_clock`: the time that its
    meters go by. `push_anywhere`: they also push beyond the loopback.
    """

    lines: tuple[LabLine, ...]
    host_clock: Callable[[], datetime] = host_time
    push_anywhere: bool = False
    host: str = "127.0.0.1"
    reply_delay: float = 0.0
    inactivity_timeout: float = 180.0
    fixed_ports: bool = False


def announcement(meter: LabMeter, endpoint: str) -> dict[str, Any]:
    """What is told of a meter: where it is, and the association as `read` takes it."""
    return {
        "serial_number": meter.serial_number,
        "name": meter.name,
        "type": meter.type,
        "endpoint": endpoint,
        "association": dict(meter.association),
        **_clients_announcement(meter),
        **_readout_announcement(meter),
    }


def _clients_announcement(meter: LabMeter) -> dict[str, Any]:
    """The further clients of a meter that has some."""
    clients = [{"role": client.role.value, "association": dict(client.association)} for client in meter.clients]
    return {"clients": clients} if clients else {}


def _readout_announcement(meter: LabMeter) -> dict[str, Any]:
    """For a meter that can be signed on to, the settings as `readout` takes them."""
    if meter.sign_on is None:
        return {}
    settings: dict[str, Any] = {"sign_on": meter.association["sign_on"]}
    return {"readout": settings | ({"password": f"text:{meter.password}"} if meter.password else {})}


# -- from a file -------------------------------------------------------------------------------------------------------


def load_lab(path: Path, host_clock: Callable[[], datetime], state: Path | None = None) -> Lab:
    """The lab of a TOML file; `LabError` names what is wrong. `state`: the folder in which its meters' memories survive."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LabError(f"{path} is not TOML: {error}") from None
    lines = table.pop("lines", [])
    if not lines:
        raise LabError(f"{path.name} has no [[lines]]")
    timeout = float(table.get("inactivity_timeout", 180.0))
    try:
        made = tuple(_line(line, host_clock, timeout, state) for line in lines)
        _refuse_unknown("the lab", table, LAB_ENTRIES)
        lab = Lab(lines=made, host_clock=host_clock, **table)
    except (KeyError, TypeError, ValueError, MeterTypeError, DlmsError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise LabError(f"{path.name}: {reason}") from None
    serials = [meter.serial_number for line in lab.lines for meter in line.meters]
    if len(set(serials)) != len(serials):
        raise LabError(f"{path.name}: a serial number stands twice")
    return lab


def _line(
    table: Mapping[str, Any], host_clock: Callable[[], datetime], inactivity_timeout: float, state: Path | None
) -> LabLine:
    kind = table["kind"]
    if kind not in KINDS:
        raise LabError(f"“{kind}” is no kind of line: {', '.join(KINDS)}")
    _refuse_unknown("[[lines]]", table, LINE_ENTRIES)
    hdlc = None if kind in WRAPPED else _hdlc_options(table, inactivity_timeout)
    sign_on = SignOnOptions(**table["sign_on"]) if "sign_on" in table else None
    if sign_on is not None and hdlc is None:
        raise LabError("a sign-on belongs to an HDLC line or a pseudo-terminal")
    timing = read_timing(table["timing"]) if "timing" in table else None
    if timing is not None and hdlc is None:
        raise LabError("timing belongs to a line with a speed: hdlc, pty or rfc2217")
    if sign_on is not None and sign_on.push_interval and len(table["meters"]) > 1:
        raise LabError("a line on which telegrams are pushed has one meter")
    if not table["meters"] or (kind in WRAPPED and len(table["meters"]) > 1):
        raise LabError("a wrapper line has one meter, an HDLC line at least one")
    meters = tuple(
        one for meter in table["meters"] for one in make_meters(meter, host_clock, hdlc, sign_on, state=state)
    )
    return LabLine(
        kind=kind,
        meters=meters,
        port=table.get("port", 0),
        sign_on=sign_on,
        timing=timing,
        faults=read_faults(table["faults"]) if "faults" in table else None,
    )


def _refuse_unknown(name: str, table: Mapping[str, Any], known: frozenset[str]) -> None:
    """A word that is misspelt would otherwise change nothing, without a word."""
    if unknown := sorted(set(table) - known):
        raise LabError(f"{name} has no “{unknown[0]}”; it has {', '.join(sorted(known))}")


def _check_entries(table: Mapping[str, Any]) -> None:
    """The tables of one meter, by the names that they have in the file."""
    whose = f"[[lines.meters]] of {table.get('serial_number', 'no serial_number')}"
    _refuse_unknown(whose, table, METER_ENTRIES)
    _refuse_unknown(f"[lines.meters.sign_on], {whose}", table.get("sign_on", {}), SIGN_ON_ENTRIES)
    _refuse_unknown(f"[lines.meters.key_pairs], {whose}", table.get("key_pairs", {}), KEY_PAIR_ENTRIES)


def _hdlc_options(table: Mapping[str, Any], inactivity_timeout: float) -> HdlcOptions:
    max_info, window = table.get("max_info", HDLC_MAX_INFO), table.get("window", 1)
    if not 32 <= max_info <= MAX_INFO or not 1 <= window <= MAX_WINDOW:
        raise LabError(f"max_info is 32 to {MAX_INFO}, window 1 to {MAX_WINDOW}")
    return HdlcOptions(max_info, window, int(inactivity_timeout))


class LazyDevice:
    """A meter that is built when somebody first talks to it: of thousands that listen, few ever are at once."""

    __slots__ = ("_build", "_device", "_waiting")

    def __init__(self, build: Callable[[], LogicalDevice]) -> None:
        self._build: Callable[[], LogicalDevice] | None = build
        self._device: LogicalDevice | None = None
        self._waiting: Callable[[LogicalDevice], None] | None = None

    def when_built(self, tell: Callable[[LogicalDevice], None]) -> None:
        """`tell` hears of the meter as soon as there is one."""
        if self._device is not None:
            tell(self._device)
        else:
            self._waiting = tell

    @property
    def built(self) -> bool:
        return self._device is not None

    def awakened(self) -> LogicalDevice:
        """The meter itself."""
        if self._device is None:
            assert self._build is not None  # it is given back only when the device stands
            self._device, self._build = self._build(), None
            if self._waiting is not None:
                self._waiting(self._device)
        return self._device

    def __getattr__(self, name: str) -> Any:
        return getattr(self.awakened(), name)


def make_meter(
    table: Mapping[str, Any],
    host_clock: Callable[[], datetime],
    hdlc: HdlcOptions | None = None,
    sign_on: SignOnOptions | None = None,
    *,
    lazy: bool = False,
    state: Path | None = None,
) -> LabMeter:
    """The meter of a lab file's table, its management device where it has several logical devices; as `make_meters`."""
    return make_meters(table, host_clock, hdlc, sign_on, lazy=lazy, state=state)[0]


def make_meters(
    table: Mapping[str, Any],
    host_clock: Callable[[], datetime],
    hdlc: HdlcOptions | None = None,
    sign_on: SignOnOptions | None = None,
    *,
    lazy: bool = False,
    state: Path | None = None,
) -> tuple[LabMeter, ...]:
    """One meter of a lab file's table, on an HDLC line (with a sign-on before it or without) or, None, on the wrapper: an entry
    for each logical device. `lazy`: built when it is needed. `state`: the folder in which its memory survives.
    """
    _check_entries(table)
    meter_type = load_meter_type(table.get("type", DEFAULT_TYPE))
    address = table.get("physical_address") if hdlc else None
    octets = _address_octets(table, address)
    association, keys = _association(table, meter_type, hdlc, address, octets)
    others = _other_clients(table, association)
    served = [served_client(parse_association(each.association).parameters, each.role) for each in others]
    settings = _settings(table, association, host_clock, hdlc, keys, served)
    if state is not None:
        settings = replace(settings, store=StateFile(state, settings.serial_number))
    own = table.get("sign_on", {})
    if sign_on is not None:
        association |= _sign_on(meter_type, own.get("device_address", table["serial_number"]), sign_on)
    devices = _devices(meter_type, settings, lazy=lazy)
    first = devices[0]
    made = LabMeter(
        serial_number=table["serial_number"],
        name=table.get("name", f"{meter_type.name} {table['serial_number']}"),
        type=meter_type.name,
        device=first,
        association=association,
        clients=others,
        physical_address=address,
        address_octets=octets,
        parameters=hdlc_parameters(hdlc),
        sign_on=make_sign_on_device(own, first, meter_type) if sign_on and isinstance(first, Meter) else None,
        password=own.get("password", ""),
        manners=read_manners(table.get("quirks", ()), table.get("faults", {})),
    )
    entries = logical_devices(meter_type, settings)[1:]
    return (made, *(_beside(made, *each) for each in zip(entries, devices[1:], strict=True)))


def _sign_on(meter_type: MeterType, device_address: str, options: SignOnOptions) -> dict[str, Any]:
    """What an association file says of a line with a sign-on."""
    if meter_type.logical_devices:
        raise LabError("a meter with several logical devices has no sign-on")
    return {
        "framing": MODE_E_WORD,
        "sign_on": {"device_address": device_address, "initial_baud": options.initial_baud},
    }


def _devices(meter_type: MeterType, settings: MeterSettings, *, lazy: bool) -> tuple[LogicalDevice, ...]:
    kept = settings.store.load() if settings.store is not None else None  # what is damaged is refused at once
    if not lazy or acts_by_itself(meter_type, kept):
        return build_meters(meter_type, settings)
    if not meter_type.logical_devices:
        return (LazyDevice(lambda: build_meter(meter_type, settings)),)
    built = cache(lambda: build_meters(meter_type, settings))
    count = 1 + len(meter_type.logical_devices)
    return tuple(LazyDevice(lambda number=number: built()[number]) for number in range(count))  # type: ignore[misc]


def _beside(first: LabMeter, entry: tuple[MeterType, MeterSettings], device: LogicalDevice) -> LabMeter:
    """Another logical device of the same meter: it is found at the same place under its own SAP."""
    meter_type, settings = entry
    title = system_title(meter_type.manufacturer, settings.serial_number).hex().upper()

    def there(association: Mapping[str, Any]) -> dict[str, Any]:
        own = {"server_system_title": title} if "server_system_title" in association else {}
        return {**association, "server_sap": settings.server_sap, **own}

    return replace(
        first,
        serial_number=settings.serial_number,
        name=f"{first.name}: {meter_type.name}",
        type=meter_type.name,
        device=device,
        association=there(first.association),
        clients=tuple(replace(each, association=there(each.association)) for each in first.clients),
    )


def _association(
    table: Mapping[str, Any], meter_type: MeterType, hdlc: HdlcOptions | None, address: int | None, octets: int
) -> tuple[dict[str, Any], LabKeys | None]:
    """The association that is announced of a lab file's meter, and the key pairs of both ends."""
    serial_number = table["serial_number"]
    if not isinstance(serial_number, str) or not (serial_number.isascii() and serial_number.isdigit()):
        raise LabError(f"{serial_number!r} is no serial number: a text of digits")
    association = announced_association(table.get("association", DEFAULT_ASSOCIATION), hdlc, address, octets)
    if "server_system_title" in association:
        raise LabError("server_system_title follows from the serial number")
    if meter_type.referencing is not Referencing.LOGICAL_NAMES:
        association = {"referencing": meter_type.referencing.value, **association}
    if association.get("referencing", Referencing.LOGICAL_NAMES.value) != meter_type.referencing.value:
        raise LabError(f"a {meter_type.name} knows {meter_type.referencing.value} only")
    title = system_title(meter_type.manufacturer, serial_number)
    keys = key_pairs(table, association, title)
    if keys is not None:
        association |= announced_keys(keys)
    return _titled(association, title), keys


def _titled(association: dict[str, Any], title: bytes) -> dict[str, Any]:
    """With the meter's system title, where the association needs it."""
    titled = {**association, "server_system_title": title.hex().upper()}
    return titled if parse_association(titled).parameters.titled else association


def _other_clients(table: Mapping[str, Any], first: Mapping[str, Any]) -> tuple[LabClient, ...]:
    """The meter's further clients. What they do not say for themselves of keys and line is as in the first association."""
    shared = {name: first[name] for name in SHARED_BY_CLIENTS if name in first}
    clients = []
    for given in table.get("clients", ()):
        association = {**shared, **given}
        role = Role(association.pop("role"))
        if not parse_association(association).parameters.titled:
            association.pop("server_system_title", None)
            for name in KEYS:
                association.pop(name, None)
        clients.append(LabClient(role, association))
    everybody = (first, *(client.association for client in clients))
    saps = {parse_association(association).parameters.client_sap for association in everybody} if clients else set()
    if clients and len(saps) != len(everybody):
        raise LabError("two clients of a meter have the same client_sap")
    return tuple(clients)


def _address_octets(table: Mapping[str, Any], address: int | None) -> int:
    """The size of the meter's HDLC address: as given, else the least that it needs."""
    least = 1 if address is None else 2 if address <= SMALL_ADDRESS else 4
    octets = table.get("address_octets", least)
    if octets not in (1, 2, 4) or octets < least:
        raise LabError(f"address_octets is 1, 2 or 4, and at least {least} for physical_address {address}")
    return int(octets)


def hdlc_parameters(hdlc: HdlcOptions | None) -> HdlcParameters:
    """What the meters of a line offer; on the wrapper (None) nobody asks."""
    return HdlcParameters(hdlc.max_info, hdlc.max_info, hdlc.window, hdlc.window) if hdlc else HdlcParameters()


def _settings(
    table: Mapping[str, Any],
    association: Mapping[str, Any],
    host_clock: Callable[[], datetime],
    hdlc: HdlcOptions | None,
    keys: LabKeys | None,
    others: Iterable[ServedClient],
) -> MeterSettings:
    parameters = parse_association(association).parameters
    line = hdlc or HdlcOptions()
    first = served_client(parameters, Role(table.get("role", Role.MANAGER.value)), table.get("user_ids", ()))
    return MeterSettings(
        serial_number=table["serial_number"],
        security=meter_security(parameters, keys, host_clock(), table.get("security_setup_version")),
        clients=(first, *others),
        host_clock=host_clock,
        max_send_pdu_size=table.get("max_pdu_size", 0),
        device_address=table.get("physical_address", MANAGEMENT_DEVICE),
        max_info=line.max_info,
        inactivity_timeout=line.inactivity_timeout,
        lockout=LockoutRule(**table.get("lockout", {})),
        push=Destination.from_url(table["push"]) if "push" in table else None,
    )


def announced_association(
    association: Mapping[str, Any], hdlc: HdlcOptions | None, physical_address: int | None, address_octets: int = 1
) -> dict[str, Any]:
    """The association file of a meter: the lab's keys, and how the line is framed."""
    framing = "hdlc" if hdlc else "wrapper"
    announced = {"framing": framing, "server_sap": MANAGEMENT_DEVICE, **association}
    if hdlc:
        settings = {"max_info": hdlc.max_info, "window": hdlc.window, "address_octets": address_octets}
        if physical_address is not None:
            settings["physical_address"] = physical_address
        announced["hdlc"] = settings
    return announced


def plain_lab(
    count: int,
    port: int,
    host_clock: Callable[[], datetime],
    *,
    host: str = "127.0.0.1",
    reply_delay: float = 0.0,
    state: Path | None = None,
) -> Lab:
    """`count` wrapper meters on the ports from `port` on (0: any), each with LLS."""
    lines = []
    for number in range(count):
        table = {"serial_number": str(FIRST_SERIAL + number)}
        meter = make_meter(table, host_clock, lazy=number > 0, state=state)  # the first says what is wrong with all
        lines.append(LabLine(kind="wrapper", meters=(meter,), port=port + number if port else 0))
    return Lab(lines=tuple(lines), host_clock=host_clock, host=host, reply_delay=reply_delay, fixed_ports=True)


def close_memories(lab: Lab) -> None:
    """The lab ends in order: its meters keep all that they know."""
    for meter in (meter for line in lab.lines for meter in line.meters):
        device = meter.device
        if isinstance(device, LazyDevice) and device.built:
            device = device.awakened()
        if isinstance(device, Meter):
            device.memory.close()


def with_ports(lab: Lab, first: int) -> Lab:
    """The lab with its ports, TCP or UDP, on `first` and the ones after it; 0 takes any free ones."""
    lines, port = [], first
    for line in lab.lines:
        if line.kind == "pty":
            lines.append(line)
            continue
        lines.append(replace(line, port=port))
        port += 1 if port else 0
    return replace(lab, lines=tuple(lines), fixed_ports=True)
