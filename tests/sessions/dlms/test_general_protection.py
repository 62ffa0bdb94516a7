from dataclasses import replace

import pytest

from sessions.dlms.association import AssociationParameters, Protection, check_parameters
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.general_protection import GeneralProtection, KeyChoice, PartyKeys, check_general
from tests.sessions.dlms.parties import CLIENT_TITLE, keys_of


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("ciphering", [None, *KeyChoice])
def test_complete_keys_are_accepted(suite, signed, ciphering):
    settings = GeneralProtection(ciphering=ciphering, signed=signed)
    if ciphering is None and not signed:
        with pytest.raises(LocalProtocolError, match="neither"):
            check_general(settings, keys_of("client", suite))
    else:
        check_general(settings, keys_of("client", suite))


@pytest.mark.parametrize(
    ("choice", "missing", "named"),
    [
        ({"signed": True}, "signing_key", "client_signing_key"),
        ({"signed": True}, "peer_signing_key", "server_signing_key"),
        ({"ciphering": KeyChoice.ONE_PASS}, "signing_key", "client_signing_key"),
        ({"ciphering": KeyChoice.ONE_PASS}, "peer_signing_key", "server_signing_key"),
        ({"ciphering": KeyChoice.ONE_PASS}, "key_agreement_key", "client_key_agreement_key"),
        ({"ciphering": KeyChoice.STATIC_UNIFIED}, "peer_key_agreement_key", "server_key_agreement_key"),
        ({"ciphering": KeyChoice.WRAPPED}, "kek", "kek"),
    ],
)
def test_a_missing_key_is_named_as_the_association_names_it(choice, missing, named):
    keys = replace(keys_of("client", 1), **{missing: b"" if missing == "kek" else None})
    with pytest.raises(LocalProtocolError, match=named):
        check_general(GeneralProtection(**choice), keys)


def test_suite_0_has_neither_signatures_nor_agreement():
    for settings in ({"signed": True}, {"ciphering": KeyChoice.ONE_PASS}, {"ciphering": KeyChoice.STATIC_UNIFIED}):
        with pytest.raises(LocalProtocolError, match="suite 0"):
            check_general(GeneralProtection(**settings), keys_of("client", 0))
    check_general(GeneralProtection(ciphering=KeyChoice.WRAPPED), keys_of("client", 0))


def parameters(**changes):
    keys = keys_of("client", 1)
    values = {
        "security_suite": 1,
        "protection": Protection.AUTHENTICATED_ENCRYPTED,
        "client_system_title": CLIENT_TITLE,
        "guek": keys.guek,
        "gak": keys.gak,
        "kek": keys.kek,
        "client_signing_key": keys.signing_key,
        "server_signing_key": keys.peer_signing_key,
        "general": GeneralProtection(ciphering=KeyChoice.GUEK, signed=True),
    }
    return AssociationParameters(**{**values, **changes})


def test_an_association_may_use_it():
    check_parameters(parameters())
    signed = parameters(protection=Protection.NONE, general=GeneralProtection(signed=True))
    check_parameters(signed)
    assert signed.ciphered_context
    assert not signed.needs_counters
    assert not AssociationParameters().ciphered_context
    assert parameters().party_keys == replace(
        keys_of("client", 1), gbek=b"", key_agreement_key=None, peer_key_agreement_key=None
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protection": Protection.NONE}, "^protection: "),
        ({"dedicated_key": bytes(16)}, "^dedicated_key: "),
        ({"client_system_title": b""}, "^client_system_title: "),
        ({"client_signing_key": None}, "^client_signing_key: "),
        ({"general": GeneralProtection(ciphering=KeyChoice.WRAPPED), "kek": None}, "kek"),
    ],
)
def test_an_association_that_does_not_fit_together_says_where(changes, words):
    with pytest.raises(LocalProtocolError, match=words):
        check_parameters(parameters(**changes))


def test_keys_are_not_shown():
    keys = keys_of("client", 1)
    for secret in (keys.guek, keys.gbek, keys.gak, keys.kek, keys.signing_key, keys.key_agreement_key):
        assert repr(secret) not in repr(keys)
        assert repr(secret) not in repr(parameters())
    assert repr(PartyKeys()).startswith("PartyKeys(suite=0")
