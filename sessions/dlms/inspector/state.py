"""What the inspector remembers of a conversation from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from sessions.dlms.acse import Aare, Aarq
from sessions.dlms.hdlc.watch import LinkWatch
from sessions.dlms.initiate import InitiateRequest
from sessions.dlms.inspector.assembly import Shelf
from sessions.dlms.inspector.deviations import Manners
from sessions.dlms.inspector.keys import DissectionKeys
from sessions.dlms.inspector.secrets import NO_NAMES
from sessions.dlms.short_name_map import ShortNameMap


@dataclass(slots=True)
class Conversation:
    """Keys given, titles and key learned, and the transfers that are open.

    A title that the AARQ or AARE says is tried before the one that was given: the given one may be of another meter.
    """

    keys: DissectionKeys
    stored: bool = False
    """The frames are as they were recorded: secrets are masked in them."""
    shelf: Shelf = field(default_factory=Shelf)
    watch: LinkWatch = field(default_factory=LinkWatch)
    wrapper_ports: tuple[int, int] | None = None
    """Client and server, as the last frame that was sent names them."""
    manners: Manners = field(default_factory=Manners)
    client_title: bytes | None = None
    server_title: bytes | None = None
    dedicated_key: bytes | None = field(default=None, repr=False)
    secret_answer: bool = False
    """Whether the last request asked for a secret, so that the answer holds one."""
    secret_request: bool = False
    """Whether the last request began to send one, so that its further blocks hold the rest."""
    short_names: ShortNameMap = NO_NAMES
    object_list_answer: bool = False
    """Whether the last request asked for the list of short names."""

    def __post_init__(self) -> None:
        self.short_names = self.keys.short_names or NO_NAMES

    def learn(self, apdu: object) -> None:
        """Titles and the dedicated key, as the association's APDUs say them."""
        if isinstance(apdu, Aarq):
            self.client_title = apdu.calling_ap_title or self.client_title
            self.server_title = apdu.called_ap_title or None
            self.dedicated_key = None
            self.short_names = self.keys.short_names or NO_NAMES
        elif isinstance(apdu, Aare):
            self.server_title = apdu.responding_ap_title or self.server_title
        elif isinstance(apdu, InitiateRequest) and apdu.dedicated_key is not None:
            self.dedicated_key = apdu.dedicated_key

    def titles(self, *, said: bytes = b"", from_client: bool = False) -> list[bytes]:
        """Titles to try, the likeliest first: the one the APDU says, then the sender's, then the other side's."""
        client = [self.client_title, self.keys.client_system_title]
        server = [self.server_title, self.keys.server_system_title]
        ordered = [said, *(client + server if from_client else server + client)]
        return _unique([title for title in ordered if title is not None and len(title) == 8])

    def encryption_keys(self, *, dedicated: bool = False, broadcast: bool = False) -> list[bytes]:
        """Keys to try, the one that the APDU names first."""
        glo = [self.keys.gbek, self.keys.guek] if broadcast else [self.keys.guek, self.keys.gbek]
        ded = [self.dedicated_key, self.keys.dedicated_key]
        return _unique([key for key in (ded + glo if dedicated else glo + ded) if key and len(key) in (16, 24, 32)])

    def new_request(self) -> None:
        """A request that begins something ends whatever service transfer was open before it, in either direction."""
        self.shelf.end_services()


def _unique(octets: list[bytes]) -> list[bytes]:
    return list(dict.fromkeys(octets))
