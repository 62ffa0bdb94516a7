"""Quirks of APDUs as they leave the meter, protected or not: associations, envelopes, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from meters.cosem.data import BitString
from sessions.dlms.acse import AARE_TAG, AARQ_TAG, RLRE_TAG, RLRQ_TAG, Aare
from sessions.dlms.acse.reading import decode_aare, decode_aarq
from sessions.dlms.apdu.ciphered import GLO_TAGS
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Writer
from sessions.simulator.quirks.quirk import Quirk, Talk

Apdus = Callable[[Talk, list[bytes]], list[bytes]]

UNASKED: Final = bytes.fromhex("0F00000001000203090600006001 00FF12002A1103".replace(" ", ""))
"""A data-notification without a time: three values."""
RELEASE_REFUSED: Final = bytes.fromhex("D80102")
GLO_RESPONSES: Final = tuple(
    GLO_TAGS[tag] for tag in (ApduTag.GET_RESPONSE, ApduTag.SET_RESPONSE, ApduTag.ACTION_RESPONSE)
)
HEADER_OCTETS: Final = 5
"""Security control and invocation counter."""


def _aare(change: Callable[[Talk, Aare], Aare]) -> Apdus:
    def changed(talk: Talk, apdus: list[bytes]) -> list[bytes]:
        return [change(talk, decode_aare(apdu)).encode() if apdu[:1] == bytes((AARE_TAG,)) else apdu for apdu in apdus]

    return changed


def _reflected(talk: Talk, aare: Aare) -> Aare:
    """The client's own challenge, as if it were the meter's."""
    challenge = decode_aarq(talk.received).calling_authentication_value
    return replace(aare, responding_authentication_value=challenge)


def _with_extras(talk: Talk, aare: Aare) -> Aare:
    return replace(
        aare,
        responding_ae_qualifier=b"\x04\x03MWB",
        responding_ap_invocation_id=1,
        responding_ae_invocation_id=2,
        implementation_information=b"\x04\x041.07",
    )


def _each(tags: tuple[int, ...], change: Callable[[Talk, bytes], bytes]) -> Apdus:
    return lambda talk, apdus: [change(talk, apdu) if apdu[:1] and apdu[0] in tags else apdu for apdu in apdus]


def _silent_to_strangers(talk: Talk, apdus: list[bytes]) -> list[bytes]:
    rejected = [apdu for apdu in apdus if apdu[0] == AARE_TAG and not decode_aare(apdu).accepted]
    return [] if talk.received[:1] == bytes((AARQ_TAG,)) and rejected else apdus


def _release_refused(talk: Talk, apdus: list[bytes]) -> list[bytes]:
    return [RELEASE_REFUSED] if talk.received[:1] == bytes((RLRQ_TAG,)) else apdus


def _rlre_too_short(talk: Talk, apdu: bytes) -> bytes:
    """The lengths of the RLRE and of its user-information say less than there is."""
    at = apdu.find(b"\xbe")
    if at < 0:
        return apdu
    return apdu[:1] + bytes((apdu[1] - 4,)) + apdu[2 : at + 1] + bytes((apdu[at + 1] - 1,)) + apdu[at + 2 :]


def _contents(apdu: bytes) -> bytes:
    """Behind tag and length of an APDU with its own ciphered tag."""
    octets = apdu[1]
    return apdu[2:] if octets < 0x80 else apdu[2 + (octets & 0x7F) :]


def _long_length(talk: Talk, apdu: bytes) -> bytes:
    contents = _contents(apdu)
    return apdu[:1] + b"\x82" + len(contents).to_bytes(2, "big") + contents


def _clear_inside(talk: Talk, apdu: bytes) -> bytes:
    """The header of a ciphered APDU says that nothing is protected, and nothing is."""
    counter = _contents(apdu)[1:HEADER_OCTETS]
    return Writer().u8(apdu[0]).octet_string(b"\x00" + counter + talk.clear).octets()


def _without_title(talk: Talk, apdu: bytes) -> bytes:
    """A general-glo-ciphering whose system title is empty."""
    return apdu[:1] + b"\x00" + apdu[2 + apdu[1] :]


def _replayed(talk: Talk, apdus: list[bytes]) -> list[bytes]:
    """What was said to the request before, again."""
    if not apdus or apdus[0][0] in (AARE_TAG, RLRE_TAG):
        return apdus
    earlier = [said for said in talk.said if said[0] == apdus[0][0]]
    return [earlier[-1]] if earlier else apdus


def _unasked(talk: Talk, apdus: list[bytes]) -> list[bytes]:
    return apdus if not apdus or apdus[0][0] in (AARE_TAG, RLRE_TAG) else [UNASKED, *apdus]


def _time_in_octet_string(octets: bytes) -> bytes:
    """`0F invoke-id 0C time …` becomes `0F invoke-id 09 0C time …`."""
    return octets[:5] + b"\x09" + octets[5:] if octets[5:6] == b"\x0c" else octets


APDU_QUIRKS: Final = (
    Quirk(
        name="aare-without-user-information",
        words="the AARE, accepting or rejecting, carries no user-information",
        apdus=_aare(lambda talk, aare: replace(aare, user_information=None)),
    ),
    Quirk(name="aare-with-extras", words="the AARE carries fields that hardly any has", apdus=_aare(_with_extras)),
    Quirk(
        name="aare-protocol-version",
        words="the AARE names protocol version 1, as nobody needs to",
        apdus=_aare(lambda talk, aare: replace(aare, protocol_version=BitString(b"\x80", 1))),
    ),
    Quirk(
        name="mechanism-out-of-range",
        words="the AARE names the authentication mechanism 99",
        apdus=_aare(lambda talk, aare: replace(aare, mechanism_name=99)),
    ),
    Quirk(
        name="challenge-reflected",
        words="the AARE sends the client's own challenge back",
        apdus=_aare(_reflected),
    ),
    Quirk(
        name="silent-to-strangers",
        words="an association is not rejected, but met by silence",
        apdus=_silent_to_strangers,
    ),
    Quirk(name="release-refused", words="the RLRQ is answered by an exception-response", apdus=_release_refused),
    Quirk(
        name="rlre-too-short",
        words="the lengths in a ciphered RLRE are too short for it",
        apdus=_each((RLRE_TAG,), _rlre_too_short),
    ),
    Quirk(
        name="long-lengths",
        words="lengths of ciphered APDUs take three octets, however short they are",
        apdus=_each(GLO_RESPONSES, _long_length),
    ),
    Quirk(
        name="clear-in-glo",
        words="under the tag of a ciphered answer nothing is protected",
        apdus=_each(GLO_RESPONSES, _clear_inside),
    ),
    Quirk(
        name="empty-title",
        words="general-glo-ciphering names no system title",
        apdus=_each((ApduTag.GENERAL_GLO_CIPHERING,), _without_title),
    ),
    Quirk(name="replayed", words="an answer is what was said to the request before", apdus=_replayed),
    Quirk(name="unasked", words="a notification goes before the answer", apdus=_unasked),
    Quirk(
        name="push-time-in-09",
        words="the time of a push has a 09 before its length 0C",
        push=_time_in_octet_string,
    ),
)
"""Source: captures of real meters and what is known of other stacks; the last but one are faults."""
