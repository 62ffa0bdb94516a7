"""General-ciphering and general-signing in the inspector: keys that an APDU brings or agrees on, signatures, masked fields.

Whatever halves of key pairs are at hand are tried. A key that both sides agreed on for one APDU opens where the recipient's
private key is known, or the originator's ephemeral one, which nobody keeps but published examples. Source: Green Book 9.2.7.2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from sessions.dlms.apdu.ciphered import GeneralCiphering, GeneralSigning, KeyInfo
from sessions.dlms.cursor import Field
from sessions.dlms.elliptic import Curve, curve_of_suite, public_of
from sessions.dlms.errors import DlmsError, LocalProtocolError, SecurityError
from sessions.dlms.general_ciphering import Transaction, transaction_of
from sessions.dlms.general_signing import verify_content
from sessions.dlms.inspector.secrets import WRAPPED_KEY_OCTETS
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.inspector.state import Conversation
from sessions.dlms.key_agreement import Scheme, one_pass, static_unified, verified_ephemeral
from sessions.dlms.key_wrap import unwrap_key

if TYPE_CHECKING:
    from sessions.dlms.inspector.application import Opener

_PRIVATE: Final = frozenset(curve.coordinate_octets for curve in Curve)


# -- keys --------------------------------------------------------------------------------------------------------------


def content_keys(talk: Conversation, apdu: GeneralCiphering) -> list[bytes]:
    """Encryption keys to try for this APDU, the likeliest first."""
    match apdu.key_info:
        case KeyInfo.WRAPPED_KEY:
            return _unwrapped(talk, apdu)
        case KeyInfo.AGREED_KEY:
            return list(dict.fromkeys(_agreed(talk, apdu)))
    return talk.encryption_keys(broadcast=apdu.security_control.broadcast or apdu.key_id == 1)


def _unwrapped(talk: Conversation, apdu: GeneralCiphering) -> list[bytes]:
    try:
        return [] if talk.keys.kek is None else [unwrap_key(talk.keys.kek, apdu.key_ciphered_data)]
    except SecurityError:
        return []


def _agreed(talk: Conversation, apdu: GeneralCiphering) -> Iterator[bytes]:
    for private, public in _pairs(talk, apdu):
        try:
            yield _agree(apdu, transaction_of(apdu), private, public)
        except DlmsError:
            continue  # of another curve, or no key for this


def _agree(apdu: GeneralCiphering, transaction: Transaction, private: bytes, public: bytes) -> bytes:
    suite, parties = apdu.security_control.suite, (transaction.originator, transaction.recipient)
    if apdu.key_id == Scheme.ONE_PASS:
        return one_pass(private, public, suite=suite, originator=parties[0], recipient=parties[1])
    return static_unified(
        private,
        public,
        suite=suite,
        originator=parties[0],
        recipient=parties[1],
        transaction_id=transaction.transaction_id,
    )


def _pairs(talk: Conversation, apdu: GeneralCiphering) -> Iterator[tuple[bytes, bytes]]:
    """A private key of one side and a public key of the other, in every combination that is at hand."""
    client, server = talk.keys.client_key_agreement_key, talk.keys.server_key_agreement_key
    known = [key for key in (client, server) if key is not None]
    if apdu.key_id == Scheme.ONE_PASS:
        ephemeral = apdu.key_ciphered_data[: len(apdu.key_ciphered_data) // 2]
        yield from ((key, ephemeral) for key in known if len(key) in _PRIVATE)
        if talk.keys.ephemeral_key is not None:
            yield from ((talk.keys.ephemeral_key, _public(key)) for key in known)
    elif client is not None and server is not None:
        if len(client) in _PRIVATE:
            yield client, _public(server)
        elif len(server) in _PRIVATE:
            yield server, client


def _public(key: bytes) -> bytes:
    """The public half of a key that is given by either."""
    return public_of(key) if len(key) in _PRIVATE else key


def _signers(talk: Conversation, originator: bytes) -> list[bytes]:
    """Public keys that may verify what the originator signed: its own where its title is known, else both sides'."""
    client, server = talk.keys.client_signing_key, talk.keys.server_signing_key
    titles = ((talk.client_title, talk.keys.client_system_title), (talk.server_title, talk.keys.server_system_title))
    if originator in titles[0]:
        chosen = [client]
    elif originator in titles[1]:
        chosen = [server]
    else:
        chosen = [client, server]
    return [_public(key) for key in chosen if key is not None]


# -- what is shown -----------------------------------------------------------------------------------------------------


def show_key_data(opener: Opener, apdu: GeneralCiphering, tree: Field) -> None:
    """The key data field by field: a wrapped key is masked, an ephemeral public key stands beside its verified signature."""
    group = find_field(tree, "key-ciphered-data")
    contents = find_field(group, "contents") if group is not None else None
    if group is None or contents is None or not contents.length:
        return
    if apdu.key_info is KeyInfo.WRAPPED_KEY:
        group.value = "a key wrapped by the master key"
        contents.masked = True
    elif apdu.key_id == Scheme.ONE_PASS:
        group.value = "an ephemeral public key, signed"
        _show_ephemeral(opener, apdu, contents)


def _show_ephemeral(opener: Opener, apdu: GeneralCiphering, contents: Field) -> None:
    data, half = apdu.key_ciphered_data, contents.length // 2
    parts = (("ephemeral-public-key", 0, half), ("signature", half, contents.length - half))
    contents.children = [
        Field(name, contents.offset + at, size, data[at : at + size].hex(), contents.source) for name, at, size in parts
    ]
    contents.value = ""
    suite = apdu.security_control.suite

    def check(key: bytes) -> None:
        verified_ephemeral(data, key, suite=suite)

    if suite in (1, 2) and len(data) == 2 * curve_of_suite(suite).point_octets:
        _judge(opener, contents.children[1], _signers(opener.talk, apdu.originator_system_title), check)
    else:
        opener.sheet.fail(SecurityError(f"{len(data)} octets are no ephemeral key and signature", code="bad-key-data"))


def show_signature(opener: Opener, apdu: GeneralSigning, tree: Field) -> None:
    """Whether the signature fits, at its field; an error where it does not."""
    group = find_field(tree, "signature")
    if group is None:
        return

    def check(key: bytes) -> None:
        try:
            verify_content(apdu, key)
        except SecurityError as error:
            if error.code != "bad-signature":
                raise
            verify_content(apdu, key, length_signed=True)
            opener.sheet.note("the content's length is part of what is signed: content_length_signed")

    _judge(opener, group, _signers(opener.talk, apdu.originator_system_title), check)


def _judge(opener: Opener, field: Field, keys: list[bytes], check: Callable[[bytes], None]) -> None:
    """Say at the signature whether one of the keys verifies it. Its octets are beside it, and long."""
    if not keys:
        field.value = "not verified: no public key of the originator is given"
        return
    problem: DlmsError | None = None
    for key in keys:
        try:
            check(key)
        except (SecurityError, LocalProtocolError) as error:
            problem = error
            continue
        field.value = "the signature is good"
        return
    field.value = "the signature does not fit"
    if problem is not None:
        opener.sheet.fail(problem)


def mask_wrapped_keys(tree: Field) -> None:
    """The octet-strings of a key_transfer are wrapped keys: they are kept, and not shown; one of no such length is a secret."""
    for child in tree.children:
        if child.name == "octet-string" and child.children:
            child.value = ""
            key = child.children[-1]
            key.masked, key.secret = True, key.length not in WRAPPED_KEY_OCTETS
        else:
            mask_wrapped_keys(child)
