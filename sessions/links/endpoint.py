"""Where a line leads to: `tcp://host:port`, `udp://host:port`, `serial:///dev/…?baud=9600` or `rfc2217://host:port?baud=9600`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from sessions.dlms.link import LineSettings
from sessions.links.line import LineError

DEFAULT_BAUD: Final = 9600
PARITIES: Final = ("N", "E", "O", "M", "S")


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A meter, a modem or a serial bridge on the network. With `addresses` these are connected to, and the name is not asked."""

    host: str
    port: int
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UdpEndpoint:
    """A meter that takes the wrapper in datagrams. `addresses` as for TCP."""

    host: str
    port: int
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"udp://[{self.host}]:{self.port}" if ":" in self.host else f"udp://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialEndpoint:
    """A serial port of this machine. 8N1 unless said otherwise."""

    device: str
    baud: int = DEFAULT_BAUD
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1

    @property
    def settings(self) -> LineSettings:
        return LineSettings(self.baud, self.data_bits, self.parity, self.stop_bits)

    def __str__(self) -> str:
        return f"serial://{quote(self.device)}?{_options(self.settings)}"


@dataclass(frozen=True, slots=True)
class Rfc2217Endpoint:
    """A serial port of another machine, which a terminal server lends with its settings (RFC 2217). `addresses` as for TCP."""

    host: str
    port: int
    baud: int = DEFAULT_BAUD
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1
    addresses: tuple[str, ...] = ()

    @property
    def settings(self) -> LineSettings:
        return LineSettings(self.baud, self.data_bits, self.parity, self.stop_bits)

    @property
    def address(self) -> str:
        """Host and port, as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"rfc2217://{self.address}?{_options(self.settings)}"


def _options(settings: LineSettings) -> str:
    options: dict[str, object] = {"baud": settings.baud}
    if (settings.data_bits, settings.parity, settings.stop_bits) != (8, "N", 1):
        options |= {"data_bits": settings.data_bits, "parity": settings.parity, "stop_bits": settings.stop_bits}
    return urlencode(options)


NetworkEndpoint = TcpEndpoint | UdpEndpoint | Rfc2217Endpoint
Endpoint = NetworkEndpoint | SerialEndpoint
_ON_NETWORK: Final[Mapping[str, type[TcpEndpoint] | type[UdpEndpoint]]] = {"tcp": TcpEndpoint, "udp": UdpEndpoint}


def _refuse(text: str, reason: str) -> LineError:
    return LineError(
        f"“{text}” is not an endpoint: {reason}.",
        code="bad-endpoint",
        hint="Write tcp://host:port, udp://host:port, serial:///dev/ttyUSB0?baud=9600 or rfc2217://host:port?baud=9600.",
    )


def parse_endpoint(text: str) -> Endpoint:
    """An endpoint from its text; `LineError` says what is wrong with it."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port if parts.scheme in (*_ON_NETWORK, "rfc2217") else None
    except ValueError as error:
        raise _refuse(text, str(error)) from None
    if parts.scheme not in (*_ON_NETWORK, "serial", "rfc2217"):
        raise _refuse(text, "it begins neither with tcp:// or udp:// nor with serial:// or rfc2217://")
    if parts.fragment or not text.isprintable():
        raise _refuse(text, "it contains characters that have no place there")
    if parts.scheme == "serial":
        return _serial(text, parts)
    host, port = _host_and_port(text, parts, port)
    if parts.scheme == "rfc2217":
        return Rfc2217Endpoint(host, port, *_line_options(text, parts))
    if parts.query:
        raise _refuse(text, "there is more than host and port")
    return _ON_NETWORK[parts.scheme](host, port)


def _host_and_port(text: str, parts: SplitResult, port: int | None) -> tuple[str, int]:
    if not parts.hostname or not port:
        raise _refuse(text, "host and port are needed")
    if parts.path.strip("/") or "@" in parts.netloc:
        raise _refuse(text, "there is more than host and port")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise _refuse(text, "the host cannot be a name") from None
    return parts.hostname, port


def _serial(text: str, parts: SplitResult) -> SerialEndpoint:
    device = unquote(parts.netloc + parts.path)
    if not device.startswith("/") or device == "/" or not device.isprintable():
        raise _refuse(text, "the device is an absolute path")
    return SerialEndpoint(device, *_line_options(text, parts))


def _line_options(text: str, parts: SplitResult) -> tuple[int, int, str, int]:
    """Speed, data bits, parity, stop bits."""
    options = dict(parse_qsl(parts.query))
    unknown = set(options) - {"baud", "data_bits", "parity", "stop_bits"}
    if unknown:
        raise _refuse(text, f"unknown option {', '.join(sorted(unknown))}")
    try:
        baud = int(options.get("baud", DEFAULT_BAUD))
        data_bits, stop_bits = int(options.get("data_bits", 8)), int(options.get("stop_bits", 1))
    except ValueError:
        raise _refuse(text, "baud, data_bits and stop_bits are numbers") from None
    parity = options.get("parity", "N").upper()
    if not 50 <= baud <= 4_000_000 or data_bits not in (7, 8) or stop_bits not in (1, 2) or parity not in PARITIES:
        raise _refuse(text, "baud 50 to 4000000, data_bits 7 or 8, parity N, E, O, M or S, stop_bits 1 or 2")
    return baud, data_bits, parity, stop_bits
