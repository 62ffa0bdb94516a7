"""How a push goes out: where to, when, how often it is tried, how it is protected. What a Push setup says, as values.

Source: Blue Book, class 40, attributes 3 to 11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final
from urllib.parse import urlsplit

from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.general_protection import KeyChoice
from sessions.dlms.protection import Protection
from sessions.simulator.push.windows import Windows

DEFAULT_PORT: Final = 4059
"""Of the wrapper, over TCP and UDP (IANA: dlms-cosem)."""
A_XDR: Final = 0
"""The message type that is an APDU as on every other line."""


class Transport(IntEnum):
    """transport_service, as far as the simulator has it. HDLC means UI frames over a TCP connection, as of a converter."""

    TCP = 0
    UDP = 1
    HDLC = 5


SCHEMES: Final = {"tcp": Transport.TCP, "udp": Transport.UDP, "hdlc": Transport.HDLC}


@dataclass(frozen=True, slots=True)
class Destination:
    """Who is to hear it."""

    transport: Transport
    host: str
    port: int

    @classmethod
    def parse(cls, transport: int, text: str) -> Destination:
        """`host`, `host:port` or `[address]:port`, as stands in the setup; ValueError for what leads nowhere."""
        try:
            parts = urlsplit(f"//{text}")
            port = DEFAULT_PORT if parts.port is None else parts.port
        except ValueError as error:
            raise ValueError(f"“{text}” is no destination: {error}") from None
        if not parts.hostname or parts.netloc != text or parts.username is not None or port == 0:
            raise ValueError(f"“{text}” is no destination: host:port")
        return cls(Transport(transport), parts.hostname, port)

    @classmethod
    def from_url(cls, url: str) -> Destination:
        """`tcp://host:port`, `udp://…` or `hdlc://…`, as a lab file has it; ValueError for anything else."""
        scheme, found, rest = str(url).partition("://")
        if not found or scheme not in SCHEMES:
            raise ValueError(f"“{url}” is no destination: {', '.join(f'{name}://host:port' for name in SCHEMES)}")
        return cls.parse(SCHEMES[scheme], rest)

    @property
    def text(self) -> str:
        """As stands in the setup."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.transport.name.lower()}://{self.text}"


@dataclass(frozen=True, slots=True)
class RepetitionDelay:
    """Seconds between tries. Versions 0 and 1 know one number, later ones let it grow: minimum · exponent^n, up to the maximum.

    How the exponent counts is not sure beyond doubt; that is how it reads in the lists of the standard's attributes.
    """

    minimum: int = 0
    exponent: int = 1
    maximum: int = 0

    def before(self, repetition: int) -> int:
        """Before this repetition, counted from 1."""
        grown: int = self.minimum * self.exponent ** (repetition - 1)
        return max(self.minimum, min(grown, self.maximum))


@dataclass(frozen=True, slots=True)
class PushProtection:
    """An element of push_protection_parameters: a layer around the message, the first one innermost.

    `signed`: a digital signature, else a ciphering with `protection` under the key of `choice`.
    """

    protection: Protection = Protection.NONE
    choice: KeyChoice = KeyChoice.GUEK
    signed: bool = False
    recipient: bytes = b""
    other_information: bytes = b""


def _nothing(moment: datetime) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRules:
    """`setup`: whose push it is. `randomisation`: seconds of which a part is waited first. `retries`: how often it is tried
    again.

    `protections` empty: as the client's association and the security policy want it. `confirmed`: the meter waits for the
    client's confirmation, and then tells `was_confirmed` its time.
    """

    setup: ObisCode
    destination: Destination
    client_sap: int
    randomisation: int = 0
    retries: int = 0
    delay: RepetitionDelay = RepetitionDelay()
    windows: Windows = field(default_factory=Windows)
    confirmed: bool = False
    protections: tuple[PushProtection, ...] = ()
    was_confirmed: Callable[[datetime], None] = _nothing


@dataclass(frozen=True, slots=True)
class Push:
    """A message and how it goes out. The message stays the same however often it is tried."""

    notification: DataNotification
    rules: PushRules
