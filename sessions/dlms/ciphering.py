"""Protection of whole APDUs: which key, which tag, which counter, and what is too weak to be believed.

    CLEAR ──START──> GLOBAL ──DEDICATED_AGREED──> DEDICATED
      ^                 │                            │
      └──────END────────┴────────────END─────────────┘

Until the AARE is verified only the global key is known to both sides: InitiateRequest and InitiateResponse are always ciphered
globally. Afterwards the dedicated key, where the client sent one, takes over for the services; its invocation counter starts
at 0 with each association. What comes must be protected at least as agreed, under the agreed suite, by the unicast key and
with a counter above every earlier one. Source: IEC 62056-5-3, Green Book 9.2.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from sessions.dlms.association import AssociationParameters, Protection
from sessions.dlms.errors import LocalProtocolError, SecurityError


class CipheringState(Enum):
    """Whose key protects what goes out."""

    CLEAR = auto()
    GLOBAL = auto()
    DEDICATED = auto()


class CipheringEvent(Enum):
    """What changes the key."""

    START = auto()
    DEDICATED_AGREED = auto()
    END = auto()


_S, _E = CipheringState, CipheringEvent

TRANSITIONS: Final[Mapping[CipheringState, Mapping[CipheringEvent, CipheringState]]] = {
    _S.CLEAR: {_E.START: _S.GLOBAL, _E.END: _S.CLEAR},
    _S.GLOBAL: {_E.DEDICATED_AGREED: _S.DEDICATED, _E.END: _S.CLEAR},
    _S.DEDICATED: {_E.END: _S.CLEAR},
}
