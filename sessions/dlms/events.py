"""What a client tells: outcomes, not APDU classes. The frames of the link (`FrameSent`, ...) are passed on as they are.

`request` is the number that the client gave the request. A data-access-result is a value. `RequestFailed` leaves the
association standing, the next request may follow; after `Failed` only closing is left.
"""

from __future__ import annotations

from dataclasses import dataclass

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.association import Negotiated
from sessions.dlms.errors import DlmsError
from sessions.dlms.link import FrameReceived, FrameSent, LineChangeNeeded, OctetsDiscarded


@dataclass(frozen=True, slots=True)
class Associated:
    """The association stands; requests may follow."""

    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class BlockReceived:
    """One block of a long answer: `octets` is its raw data (a slice of the encoded Data), `received_so_far` their sum."""

    request: int
    block_number: int
    octets: bytes
    received_so_far: int


@dataclass(frozen=True, slots=True)
class BlockSent:
    """One block of a long request was acknowledged: `sent_so_far` of `total` octets have arrived."""

    request: int
    block_number: int
    sent_so_far: int
    total: int


@dataclass(frozen=True, slots=True)
class GetFinished:
    """The answer to a GET."""

    request: int
    result: Data | DataAccessResult


@dataclass(frozen=True, slots=True)
class SetFinished:
    """The answer to a SET."""

    request: int
    result: DataAccessResult


@dataclass(frozen=True, slots=True)
class ActionFinished:
    """The answer to an ACTION."""

    request: int
    result: ActionResult
    return_parameters: Data | DataAccessResult | None


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What one method of a list brought."""

    result: ActionResult
    return_parameters: Data | DataAccessResult | None = None


ItemResult = Data | DataAccessResult | ActionOutcome | DlmsError
"""What one item of a list brought. A DlmsError: nothing is known of this one, or it was refused with the whole list."""


@dataclass(frozen=True, slots=True)
class ListFinished:
    """The answer to one list on the wire, in the order of its items."""

    request: int
    results: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class ManyFinished:
    """Everything that `many` asked for, in the order of its items, however it was asked."""

    request: int
    results: tuple[ItemResult, ...]


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """One request came to nothing: refused as a whole, or answered with nonsense."""

    request: int
    error: DlmsError


@dataclass(frozen=True, slots=True)
class ReplyIgnored:
    """An APDU that answers nothing that is asked now (another invoke-id, say)."""

    apdu: Apdu | None
    reason: str


@dataclass(frozen=True, slots=True)
class NotificationReceived:
    """A DataNotification or EventNotification between the answers. `protected`: it came ciphered as agreed."""

    apdu: Apdu
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The association and the link are down, as we wished. `remark`: what the meter did instead of an RLRE."""

    remark: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The conversation is over."""

    error: DlmsError


ClientEvent = (
    Associated
    | BlockReceived
    | BlockSent
    | GetFinished
    | SetFinished
    | ActionFinished
    | ListFinished
    | ManyFinished
    | RequestFailed
    | ReplyIgnored
    | NotificationReceived
    | Released
    | Failed
    | FrameSent
    | FrameReceived
    | OctetsDiscarded
    | LineChangeNeeded
)
