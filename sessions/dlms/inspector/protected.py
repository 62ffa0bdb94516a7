"""Ciphered APDUs in the inspector: which keys and titles to try, and how the result is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sessions.dlms.apdu.ciphered import PLAIN_TAGS, CipheredApdu, GeneralCipheredApdu, GeneralCiphering
from sessions.dlms.cursor import Field
from sessions.dlms.errors import SecurityError
from sessions.dlms.iec62056_21.smarty import PUBLISHED_GAK
from sessions.dlms.inspector.deciphering import TAG_OCTETS, Opened, Sealed, Trust, open_sealed
from sessions.dlms.inspector.dissection import MASK
from sessions.dlms.inspector.general import content_keys, show_key_data
from sessions.dlms.inspector.sense import makes_sense
from sessions.dlms.inspector.sheet import find_field

if TYPE_CHECKING:
    from sessions.dlms.inspector.application import Opener

Ciphered = CipheredApdu | GeneralCipheredApdu | GeneralCiphering

_MASKED_RUN: Final = bytes((MASK,)) * 4
"""Shorter runs stand in any APDU."""
_CLIENT_TAGS: Final = frozenset((0x01, 0x05, 0x06, 0x16, 0xC0, 0xC1, 0xC3, 0xD9))
_SERVICE_TAGS: Final = frozenset((0x0F, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC7))


def open_ciphered(opener: Opener, apdu: Ciphered, tree: Field) -> None:
    """Add the plaintext to the sheet, or a note or an error that says why there is none."""
    header = apdu.header() if isinstance(apdu, GeneralCiphering) else b""
    sealed = Sealed(apdu.security_control.encode(), apdu.invocation_counter, apdu.ciphertext, header)
    place = find_field(tree, "ciphertext")
    field = _split_ciphertext(tree, sealed)
    if isinstance(apdu, GeneralCiphering):
        show_key_data(opener, apdu, tree)
    if apdu.security_control.compressed:
        opener.sheet.note("compressed (V.44): not opened")
        return
    keys, titles = _candidates(opener, apdu)
    gak = opener.talk.keys.gak
    opened = open_sealed(sealed, keys=keys, authentication_key=gak, titles=titles, makes_sense=makes_sense)
    opened = _masked(opener, _published(opener, opened, sealed, keys, titles), sealed) or _in_clear(sealed)
    if isinstance(apdu, CipheredApdu | GeneralCipheredApdu):
        inside = opened.plaintext[0] if opened is not None and opened.plaintext else None
        opener.deviate_all(opener.talk.manners.of_ciphered(apdu, inside))
    if opened is None:
        _stays_closed(opener, bool(keys), bool(titles))
        return
    if field is not None:
        field.value = f"{field.value} ({opened.trust.value})"
    _say_trust(opener, opened, sealed)
    source = opener.sheet.add_source("plaintext", opened.plaintext)
    if place is not None and (opened.trust is Trust.IN_CLEAR or not sealed.encrypted):
        opener.sheet.copies[source] = (place.source, place.offset)
    opener.sheet.plaintext = opened.plaintext
    opener.sheet.apdu = None
    opener.deeper(opened.plaintext, source)
    opener.sheet.summary += ", deciphered" if opened.trust is not Trust.IN_CLEAR else ""


def _published(
    opener: Opener, opened: Opened | None, sealed: Sealed, keys: list[bytes], titles: list[bytes]
) -> Opened | None:
    """A P1 telegram of Luxembourg is authenticated by a key that is no secret: nobody is asked for it."""
    if opened is None or opened.trust not in (Trust.UNCHECKED, Trust.BAD_TAG) or opened.plaintext[:1] != b"/":
        return opened
    better = open_sealed(sealed, keys=keys, authentication_key=PUBLISHED_GAK, titles=titles, makes_sense=makes_sense)
    if better is None or better.trust is not Trust.VERIFIED:
        return opened
    opener.sheet.note("authenticated by the published key of Luxembourg's P1 port (SMARTY)")
    return better


def _masked(opener: Opener, opened: Opened | None, sealed: Sealed) -> Opened | None:
    """What is authenticated only is stored with its secrets masked: that its tag does not fit any more says nothing."""
    if opened is None or opened.trust is not Trust.BAD_TAG or sealed.encrypted:
        return opened
    return replace(opened, trust=Trust.MASKED) if opener.talk.stored and _MASKED_RUN in sealed.body else opened


def _candidates(opener: Opener, apdu: Ciphered) -> tuple[list[bytes], list[bytes]]:
    """Keys and system titles to try, the likeliest first."""
    talk, broadcast = opener.talk, apdu.security_control.broadcast
    if isinstance(apdu, GeneralCiphering):
        return content_keys(talk, apdu), talk.titles(said=apdu.originator_system_title)
    keys = talk.encryption_keys(dedicated=apdu.dedicated, broadcast=broadcast)
    if isinstance(apdu, GeneralCipheredApdu):
        return keys, talk.titles(said=apdu.system_title, from_client=opener.sheet.direction == "sent")
    return keys, talk.titles(from_client=PLAIN_TAGS.get(apdu.tag) in _CLIENT_TAGS)


def _stays_closed(opener: Opener, has_keys: bool, has_titles: bool) -> None:
    if not has_keys:
        opener.sheet.note("not deciphered: no key is given")
    elif not has_titles:
        opener.sheet.note("not deciphered: the sender's system title is not known")
    else:
        opener.sheet.fail(SecurityError("no key and system title that are known here open this APDU", code="bad-tag"))


def _say_trust(opener: Opener, opened: Opened, sealed: Sealed) -> None:
    if opened.trust is Trust.BAD_TAG:
        opener.sheet.fail(
            SecurityError(
                "the authentication tag does not fit: altered octets, or another authentication key", code="bad-tag"
            )
        )
    elif opened.trust is not Trust.VERIFIED and sealed.authenticated:
        opener.sheet.note(opened.trust.value)


def _split_ciphertext(tree: Field, sealed: Sealed) -> Field | None:
    """Show the tag as a field of its own; returns the field that says how far to believe the text."""
    field = find_field(tree, "ciphertext")
    if field is None or field.length < TAG_OCTETS or not sealed.authenticated:
        return field
    size = field.length - TAG_OCTETS
    name = "ciphertext" if sealed.encrypted else "plaintext"
    tag = Field("authentication-tag", field.offset + size, TAG_OCTETS, sealed.tag.hex(), field.source)
    text = sealed.body.hex() if sealed.encrypted else f"{size} octets"
    field.children = [Field(name, field.offset, size, text, field.source), tag]
    field.name, field.value = "protected-text", ""
    return tag


def _in_clear(sealed: Sealed) -> Opened | None:
    """A text that the header calls ciphered, and that is not: some loggers decipher and keep the header."""
    for octets in (sealed.payload, sealed.body):
        # Short ones, and rare kinds, could be ciphertext that reads by chance.
        if len(octets) > TAG_OCTETS and octets[0] in _SERVICE_TAGS and makes_sense(octets):
            return Opened(octets, Trust.IN_CLEAR, b"")
    if not sealed.encrypted and makes_sense(sealed.body):
        return Opened(sealed.body, Trust.UNCHECKED if sealed.authenticated else Trust.NO_TAG, b"")
    return None
