"""One quirk: a name, what it is, and one small hook at the boundary of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.dlms.hdlc.frame import HdlcFrame


@dataclass(slots=True)
class Talk:
    """What a conversation remembers for its quirks.

    `received` and `request`: what came last, as it came and in clear; `clear`: the answer to it before it was protected; `said`:
    answers that left before, in clear and protected.
    """

    received: bytes = b""
    request: Apdu | None = None
    clear: bytes = b""
    clear_said: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """`words`: what the meter does. Of the hooks each has at least one:

    `value` turns what an attribute answers; `request` what the meter takes a request for; `answer` an answer in clear (None:
    silence); `push` a notification in clear; `apdus` what leaves for one APDU that came; `frame` one HDLC frame of the meter;
    `text` what it says in IEC 62056-21.
    """

    name: str
    words: str
    value: Callable[[CosemAttributeDescriptor, Data], Data] | None = None
    request: Callable[[Apdu], Apdu] | None = None
    answer: Callable[[Talk, bytes], bytes | None] | None = None
    push: Callable[[bytes], bytes] | None = None
    apdus: Callable[[Talk, list[bytes]], list[bytes]] | None = None
    frame: Callable[[HdlcFrame], Iterable[bytes]] | None = None
    text: Callable[[bytes], bytes] | None = None
