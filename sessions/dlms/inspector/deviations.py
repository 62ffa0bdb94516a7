"""What an answer does otherwise than it was asked: noted beside the frame, while the session judges it by itself.

An AARE against its AARQ: challenges, mechanism, context. A ciphered answer against its request: its form (a tag of the service's
own or a general envelope), its key, how strongly it is protected, and whether it is protected at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessions.dlms.acse import Aare, Aarq, mechanism_words
from sessions.dlms.apdu.ciphered import GLO_TAGS, PLAIN_TAGS, CipheredApdu, GeneralCipheredApdu
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.initiate import DLMS_VERSION, InitiateRequest, InitiateResponse
from sessions.dlms.security import SecurityControl

_REQUESTS: Final = frozenset(
    {
        ApduTag.READ_REQUEST,
        ApduTag.WRITE_REQUEST,
        ApduTag.GET_REQUEST,
        ApduTag.SET_REQUEST,
        ApduTag.ACTION_REQUEST,
        ApduTag.ACCESS_REQUEST,
    }
)
_ANSWERS: Final = frozenset(
    {
        ApduTag.READ_RESPONSE,
        ApduTag.WRITE_RESPONSE,
        ApduTag.GET_RESPONSE,
        ApduTag.SET_RESPONSE,
        ApduTag.ACTION_RESPONSE,
        ApduTag.ACCESS_RESPONSE,
    }
)


@dataclass(frozen=True, slots=True)
class Form:
    """How an APDU was protected."""

    general: bool
    dedicated: bool
    control: SecurityControl

    @property
    def words(self) -> str:
        """`general-glo-ciphering`, `a ded- tag of the service's own`."""
        if self.general:
            return f"general-{'ded' if self.dedicated else 'glo'}-ciphering"
        return f"a {'ded-' if self.dedicated else 'glo-'} tag of the service's own"


class Manners:
    """What was asked last, and what is odd about the answers."""

    def __init__(self) -> None:
        self._aarq: Aarq | None = None
        self._asked: Form | None = None
        self._proposed: Conformance | None = None

    def of_aare(self, aare: Aare) -> list[str]:
        """What is odd about an AARE, beside its own encoding."""
        aarq, self._asked = self._aarq, None
        if aarq is None or not aare.accepted:
            return []
        found = []
        if aare.application_context_name != aarq.application_context_name:
            found.append("accepted under another application context than was asked")
        return [*found, *_about_challenge(aarq, aare)]

    def ask(self, aarq: Aarq) -> None:
        self._aarq, self._asked, self._proposed = aarq, None, None

    def of_initiate(self, apdu: object) -> list[str]:
        """An InitiateRequest or InitiateResponse, deciphered; nothing to say of other APDUs."""
        if isinstance(apdu, InitiateRequest):
            self._proposed = apdu.proposed_conformance
        if not isinstance(apdu, InitiateResponse):
            return []
        found = []
        if apdu.negotiated_dlms_version_number != DLMS_VERSION:
            found.append(
                f"DLMS version {apdu.negotiated_dlms_version_number} is answered, there is only {DLMS_VERSION}"
            )
        if self._proposed is not None and (more := apdu.negotiated_conformance & ~self._proposed):
            found.append(f"agrees to what was not proposed: {', '.join(more.names) or 'unassigned bits'}")
        return found

    def of_ciphered(self, apdu: CipheredApdu | GeneralCipheredApdu, inside: int | None) -> list[str]:
        """A ciphered APDU; `inside` is the tag of what it holds, None where that is not known."""
        form = Form(isinstance(apdu, GeneralCipheredApdu), apdu.dedicated, apdu.security_control)
        tag = PLAIN_TAGS.get(apdu.tag, inside)
        if tag in _REQUESTS:
            self._asked = form
        if tag not in _ANSWERS or self._asked is None:
            return []
        return _about_form(self._asked, form)

    def of_clear(self, tag: int) -> list[str]:
        """An APDU that came in clear."""
        if tag in _REQUESTS:
            self._asked = None
        if tag in _ANSWERS and tag in GLO_TAGS and self._asked is not None:
            return ["answered in clear, the request was ciphered"]
        return []


def _about_challenge(aarq: Aarq, aare: Aare) -> list[str]:
    try:
        asked = AuthenticationMechanism(aarq.mechanism_name or 0)
    except ValueError:
        return []
    if not asked.is_hls:
        return []
    found = []
    if aare.mechanism_name is not None and aare.mechanism_name != asked:
        found.append(f"{mechanism_words(aare.mechanism_name)} came, {mechanism_words(asked)} was asked")
    challenge = aare.responding_authentication_value
    if not challenge:
        return [*found, "accepted without a challenge, so without mutual authentication"]
    if challenge == aarq.calling_authentication_value:
        found.append("the meter's challenge is the client's, sent back")
    sizes = asked.challenge_sizes
    if len(challenge) not in sizes:
        found.append(f"a challenge of {len(challenge)} octets, {sizes[0]} to {sizes[-1]} are allowed")
    return found


def _about_form(asked: Form, answer: Form) -> list[str]:
    found = []
    if (asked.general, asked.dedicated) != (answer.general, answer.dedicated):
        found.append(f"answered with {answer.words}, asked with {asked.words}")
    weaker = (asked.control.authenticated and not answer.control.authenticated) or (
        asked.control.encrypted and not answer.control.encrypted
    )
    if weaker or asked.control.suite != answer.control.suite:
        found.append(f"answered {answer.control}, asked {asked.control}")
    return found
