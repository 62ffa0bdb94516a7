"""The ladder of layers: how far a session came, where it was refused, and what lies above.

line → link → association → authentication → access. Each rung is passed, refused, broken (it stood before, and gave way later) or
unreached. A cause in the workbench itself (configuration, vault, worker) stands on a rung below them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sessions.models import DlmsSession, Frame, Step

LAYERS = ("line", "link", "association", "authentication", "access")
WORKBENCH = ("configuration", "vault", "workbench")
WORDS = {
    "workbench": "Workbench",
    "line": "Line",
    "link": "Link",
    "association": "Association",
    "authentication": "Authentication",
    "access": "Access",
}
QUESTIONS = {
    "workbench": "is everything known that a connection needs",
    "line": "does the port or socket open",
    "link": "does anybody answer in this framing, at this address",
    "association": "does the meter accept this client",
    "authentication": "do secret, keys and counter satisfy both sides",
    "access": "may this client do that with the object",
}


class Standing(Enum):
    """Where a rung stands."""

    PASSED = "passed"
    REFUSED = "refused"
    BROKEN = "broken"
    UNREACHED = "unreached"

    @property
    def word(self) -> str:
        return {"unreached": "not reached", "broken": "broke"}.get(self.value, self.value)


@dataclass(frozen=True, slots=True)
class Rung:
    """One layer and how it went."""

    layer: str
    standing: Standing

    @property
    def word(self) -> str:
        return WORDS[self.layer]

    @property
    def question(self) -> str:
        return QUESTIONS[self.layer]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known to have worked, beside the error."""

    connected: bool = False
    answered: bool = False
    associated: bool = False
    accessed: bool = False

    @property
    def height(self) -> int:
        """How many rungs were passed."""
        reached = (self.connected, self.answered, self.associated, self.associated, self.accessed)
        return max((index + 1 for index, passed in enumerate(reached) if passed), default=0)


def evidence_of(dlms_session: DlmsSession) -> Evidence:
    """From the rows: two small queries at most."""
    frames = Frame.objects.filter(session=dlms_session)
    return Evidence(
        connected=dlms_session.last_seq > 0,
        answered=dlms_session.last_seq > 0 and frames.filter(direction=Frame.Direction.RECEIVED).exists(),
        associated=dlms_session.negotiated is not None,
        accessed=dlms_session.negotiated is not None
        and Step.objects.filter(session=dlms_session, state=Step.State.DONE).exists(),
    )


def rung_of(error: Mapping[str, Any], evidence: Evidence) -> str:
    """The rung where an error stands, by its layer and how far the session had come."""
    layer = str(error.get("layer") or "")
    if layer in LAYERS:
        return layer
    if layer in WORKBENCH:
        return "workbench"
    if layer == "security" and not evidence.associated:
        return "authentication"
    if evidence.associated:
        return "access"
    return "association" if evidence.answered else "link"


def ladder(error: Mapping[str, Any] | None, evidence: Evidence) -> list[Rung]:
    """The rungs from the line upwards; with the workbench below them when the cause is there."""
    height = evidence.height
    if error is None:
        return [Rung(layer, Standing.PASSED if n < height else Standing.UNREACHED) for n, layer in enumerate(LAYERS)]
    at = rung_of(error, evidence)
    if at == "workbench":
        above = [Rung(layer, Standing.PASSED if n < height else Standing.UNREACHED) for n, layer in enumerate(LAYERS)]
        return [Rung("workbench", Standing.REFUSED), *above]
    place = LAYERS.index(at)
    return [Rung(layer, _standing(n, place, height)) for n, layer in enumerate(LAYERS)]


def _standing(number: int, place: int, height: int) -> Standing:
    if number == place:
        return Standing.BROKEN if number < height and number < LAYERS.index("access") else Standing.REFUSED
    if number < place or number < height:
        return Standing.PASSED
    return Standing.UNREACHED
