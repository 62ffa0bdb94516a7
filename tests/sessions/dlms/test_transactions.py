from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms import transactions as module
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.counters import ReceiveFloor
from sessions.dlms.elliptic import Curve, public_of
from sessions.dlms.errors import DlmsError, LocalProtocolError, SecurityError
from sessions.dlms.general_ciphering import GLOBAL_BROADCAST, Transaction, encipher, identified_key
from sessions.dlms.general_protection import GeneralProtection, KeyChoice, PartyKeys
from sessions.dlms.general_signing import sign_content
from sessions.dlms.security import SecurityControl
from sessions.dlms.transactions import SeenTransactions, Shape, Transactions
from tests.sessions.dlms.parties import CLIENT_TITLE, SERVER_TITLE, keys_of, party, private_keys

GET = bytes.fromhex("C001C100080000010000FF0200")
ANSWER = bytes.fromhex("C401C1000600000005")
PUSH = bytes.fromhex("0F000000010006000000FF")


def shape(choice=None, suite=1, *, signed=False, signed_outside=False, bits=0x30):
    control = SecurityControl() if choice is None else SecurityControl.decode(bits | suite)
    return Shape(control=control, ciphering=choice, signed=signed, signed_outside=signed_outside)


SHAPES = [
    (suite, shape(choice, suite, signed=signed, signed_outside=outside))
    for suite in (0, 1, 2)
    for choice in (None, *KeyChoice)
    for signed, outside in ((False, False), (True, False), (True, True))
    if (choice or signed) and (choice or not outside)
    if suite or (not signed and choice in (KeyChoice.GUEK, KeyChoice.WRAPPED))
]
IDS = [
    f"suite {suite}, {'signed outside ' if one.signed_outside else 'signed ' if one.signed else ''}"
    f"{one.ciphering.value if one.ciphering else 'in clear'}"
    for suite, one in SHAPES
]


def refused(code):
    class Refused:
        def __enter__(self):
            self.raised = pytest.raises(SecurityError)
            self.info = self.raised.__enter__()

        def __exit__(self, *error):
            swallowed = self.raised.__exit__(*error)
            assert self.info.value.code == code
            return swallowed

    return Refused()


@pytest.mark.parametrize(("suite", "wanted"), SHAPES, ids=IDS)
def test_a_request_and_its_answer_in_kind(suite, wanted):
    client, server = party("client", suite), party("server", suite)
    for _ in range(2):  # a second transaction has another id, another key and another counter
        request = server.open(client.begin(GET, wanted))
        assert (request.apdu, request.shape) == (GET, wanted)
        server.settle(request, answer=False)
        answer = client.open(server.answer(ANSWER, request))
        assert (answer.apdu, answer.shape) == (ANSWER, wanted)
        client.settle(answer, answer=True)


@pytest.mark.parametrize(("suite", "wanted"), SHAPES, ids=IDS)
def test_the_overhead_is_no_less_than_what_is_added(suite, wanted):
    client = party("client", suite)
    for size in (1, 100, 127, 128, 250, 300, 5000, 60_000):
        added = len(client.begin(bytes(size), wanted)) - size
        assert added <= wanted.overhead(suite) < added + 12


@pytest.mark.parametrize(("suite", "wanted"), SHAPES, ids=IDS)
def test_a_replayed_request_is_refused(suite, wanted):
    client, server = party("client", suite), party("server", suite)
    wire = client.begin(GET, wanted)
    server.settle(server.open(wire), answer=False)
    counted = wanted.ciphering is KeyChoice.GUEK
    with refused("replayed-counter" if counted else "replayed-transaction"):
        server.settle(server.open(wire), answer=False)


@pytest.mark.parametrize(("suite", "wanted"), SHAPES, ids=IDS)
def test_a_replayed_answer_is_refused(suite, wanted):
    client, server = party("client", suite), party("server", suite)
    request = server.open(client.begin(GET, wanted))
    wire = server.answer(ANSWER, request)
    client.settle(client.open(wire), answer=True)
    counted = wanted.ciphering is KeyChoice.GUEK
    with refused("replayed-counter" if counted else "wrong-transaction"):
        client.settle(client.open(wire), answer=True)
    client.begin(GET, wanted)  # another question does not make it an answer
    with refused("replayed-counter" if counted else "wrong-transaction"):
        client.settle(client.open(wire), answer=True)


@pytest.mark.parametrize(("suite", "wanted"), SHAPES, ids=IDS)
def test_our_own_message_sent_back_is_refused(suite, wanted):
    client = party("client", suite)
    with refused("wrong-originator"):
        client.open(client.begin(GET, wanted))


@pytest.mark.parametrize(("suite", "wanted"), SHAPES, ids=IDS)
def test_another_sender_and_another_addressee_are_refused(suite, wanted):
    client, server = party("client", suite), party("server", suite)
    server.peer_title = b"ANOTHER."
    with refused("wrong-originator"):
        server.open(client.begin(GET, wanted))
    client.peer_title = b"ANOTHER."
    server.peer_title = CLIENT_TITLE
    with refused("wrong-recipient"):
        server.open(client.begin(GET, wanted))


@pytest.mark.parametrize(
    ("suite", "wanted"), [case for case in SHAPES if case[0] != 2], ids=[name for name in IDS if "suite 2" not in name]
)
def test_every_octet_matters(suite, wanted):
    wire = party("client", suite).begin(GET, wanted)
    for at in range(len(wire)):
        altered = bytearray(wire)
        altered[at] ^= 1
        try:
            found = party("server", suite).open(bytes(altered))
        except DlmsError:
            continue
        assert found.apdu != GET or found.shape != wanted, at


def test_messages_of_the_other_side_may_come_between():
    client, server = party("client", 1), party("server", 1)
    wanted = shape(KeyChoice.ONE_PASS, signed=True)
    request = server.open(client.begin(GET, wanted))
    push = server.begin(PUSH, wanted)
    answer = server.answer(ANSWER, request)
    client.settle(client.open(push), answer=False)
    client.settle(client.open(answer), answer=True)
    with refused("replayed-transaction"):
        client.settle(client.open(push), answer=False)


def test_a_message_to_nobody_in_particular_is_read_but_is_no_answer():
    keys = keys_of("server", 1)
    transaction = Transaction(transaction_id=b"\x01", originator=SERVER_TITLE, recipient=b"")
    control = SecurityControl.decode(0x31)
    content_key = identified_key(keys, GLOBAL_BROADCAST)
    wire = encipher(PUSH, transaction, content_key, control=control, gak=keys.gak, invocation_counter=5).encode()
    client = party("client", 1)
    found = client.open(wire)
    assert found.shape.broadcast
    client.settle(found, answer=False)
    with refused("replayed-counter"):
        client.open(wire)
    client.begin(GET, shape(KeyChoice.GUEK))
    client._pending = b"\x01"
    with refused("wrong-recipient"):
        client.settle(found, answer=True)
    with pytest.raises(LocalProtocolError, match="broadcast"):
        party("client", 1).answer(PUSH, found)


def test_the_broadcast_key_has_a_floor_of_its_own():
    keys = keys_of("server", 1)
    client = party("client", 1)
    for key_id in (0, GLOBAL_BROADCAST):
        transaction = Transaction(transaction_id=b"\x01", originator=SERVER_TITLE, recipient=CLIENT_TITLE)
        apdu = encipher(
            PUSH,
            transaction,
            identified_key(keys, key_id),
            control=SecurityControl.decode(0x31),
            gak=keys.gak,
            invocation_counter=5,
        )
        assert client.open(apdu.encode()).apdu == PUSH


def test_a_forged_counter_moves_nothing():
    server = party("server", 1)
    apdu = decode_apdu(party("client", 1).begin(GET, shape(KeyChoice.GUEK)))
    with refused("bad-tag"):
        server.open(replace(apdu, invocation_counter=0xFFFF_FFFF).encode())
    assert server.open(apdu.encode()).apdu == GET


def test_a_counter_that_nothing_authenticates_moves_nothing():
    """Without a tag anybody may name any counter, and would lock the owner of the key out."""
    server = party("server", 1)
    apdu = decode_apdu(party("client", 1).begin(GET, shape(KeyChoice.GUEK)))
    for bits in (0x00, 0x20):
        forged = replace(apdu, invocation_counter=0xFFFF_FFFF, security_control=SecurityControl.decode(bits | 1))
        server.open(forged.encode())
    assert server.open(apdu.encode()).apdu == GET


def test_layers_are_not_doubled():
    client, server = party("client", 1), party("server", 1)
    twice = client._encipher(client.begin(GET, shape(KeyChoice.GUEK)), shape(KeyChoice.GUEK), _there())
    with refused("nested-protection"):
        server.open(twice)
    key = private_keys(1)["client_signing"]
    with refused("nested-protection"):
        server.open(sign_content(sign_content(GET, _there(), key).encode(), _there(), key).encode())


def _there():
    return Transaction(transaction_id=b"\x09", originator=CLIENT_TITLE, recipient=SERVER_TITLE)


def test_every_layer_must_belong_to_the_open_transaction():
    """An old signed answer inside of a new ciphering is an old answer."""
    client, server = party("client", 1), party("server", 1)
    wanted = shape(KeyChoice.GUEK, signed=True)
    old = server.answer(ANSWER, server.open(client.begin(GET, shape(signed=True))))
    request = server.open(client.begin(GET, wanted))
    wire = server._encipher(old, wanted, request.transactions[0].answer())
    with refused("wrong-transaction"):
        client.settle(client.open(wire), answer=True)


def test_another_suite_is_refused():
    apdu = decode_apdu(party("client", 1).begin(GET, shape(KeyChoice.GUEK)))
    for suite in (0, 2, 3):
        with refused("wrong-suite"):
            party("server", 1).open(replace(apdu, security_control=SecurityControl.decode(0x30 | suite)).encode())


def test_a_signature_without_a_key_to_verify_it_is_refused():
    server = party("server", 1)
    server.keys = replace(server.keys, peer_signing_key=None)
    with refused("no-key"):
        server.open(party("client", 1).begin(GET, shape(signed=True)))
    server.keys = replace(server.keys, peer_signing_key=public_of(private_keys(1)["client_static"]))
    with refused("bad-signature"):
        server.open(party("client", 1).begin(GET, shape(signed=True)))


def test_memory_of_transactions_has_an_end(monkeypatch):
    monkeypatch.setattr(module, "MAX_SEEN", 3)
    client, server = party("client", 1), party("server", 1)
    for _ in range(3):
        server.settle(server.open(client.begin(GET, shape(signed=True))), answer=False)
    with refused("too-many-transactions"):
        server.settle(server.open(client.begin(GET, shape(signed=True))), answer=False)


def test_a_memory_that_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(module, "MAX_SEEN", 3)
    seen = SeenTransactions(forgetful=True)
    names = [frozenset({(CLIENT_TITLE, bytes((n,)), b"")}) for n in range(5)]
    for name in names:
        seen.believe(name)
    for name in names[2:]:
        with refused("replayed-transaction"):
            seen.believe(name)
    seen.believe(names[0])


OF_ITS_OWN = [case for case in SHAPES if case[1].ciphering in (KeyChoice.WRAPPED, KeyChoice.ONE_PASS)]


@pytest.mark.parametrize(("suite", "wanted"), OF_ITS_OWN, ids=[IDS[SHAPES.index(case)] for case in OF_ITS_OWN])
def test_without_a_transaction_id_the_key_of_its_own_is_believed_once(monkeypatch, suite, wanted):
    monkeypatch.setattr(module, "TRANSACTION_OCTETS", 0)
    client, server = party("client", suite), party("server", suite)
    sent = [client.begin(GET, wanted) for _ in range(3)]
    for octets in sent:
        server.settle(server.open(octets), answer=False)
    for octets in sent:
        with refused("replayed-transaction"):
            server.settle(server.open(octets), answer=False)


@pytest.mark.parametrize("choice", [KeyChoice.WRAPPED, KeyChoice.ONE_PASS])
def test_counters_rise_under_fresh_keys_too(choice):
    client = party("client", 1)
    sent = [decode_apdu(client.begin(GET, shape(choice))) for _ in range(3)]
    assert [apdu.invocation_counter for apdu in sent] == [0, 1, 2]
    assert len({apdu.key_ciphered_data for apdu in sent}) == 3


def test_another_signature_makes_no_new_key(monkeypatch):
    """(r, n - s) fits as well as (r, s): whoever listens can make the other."""
    monkeypatch.setattr(module, "TRANSACTION_OCTETS", 0)
    client, server = party("client", 1), party("server", 1)
    wanted = shape(KeyChoice.ONE_PASS)
    octets = client.begin(GET, wanted)
    server.settle(server.open(octets), answer=False)
    with refused("replayed-transaction"):
        server.settle(server.open(with_the_other_signature(octets)), answer=False)


def with_the_other_signature(octets):
    apdu = decode_apdu(octets)
    data = apdu.key_ciphered_data
    s = Curve.P256.order - int.from_bytes(data[96:], "big")
    return replace(apdu, key_ciphered_data=data[:96] + s.to_bytes(32, "big")).encode()


def test_signed_messages_without_a_transaction_id_are_believed_once_in_all(monkeypatch):
    monkeypatch.setattr(module, "TRANSACTION_OCTETS", 0)
    client, server = party("client", 1), party("server", 1)
    server.settle(server.open(client.begin(GET, shape(signed=True))), answer=False)
    with refused("replayed-transaction"):
        server.settle(server.open(client.begin(GET, shape(signed=True))), answer=False)


def test_what_is_missing_on_our_side_is_our_own_mistake():
    client = party("client", 1)
    client.peer_title = b""
    with pytest.raises(LocalProtocolError, match="system title"):
        client.begin(GET, shape(signed=True))
    unsigned = party("client", 1)
    unsigned.keys = replace(unsigned.keys, signing_key=None)
    with pytest.raises(LocalProtocolError, match="sign with"):
        unsigned.begin(GET, shape(signed=True))
    steady = Transactions(PartyKeys(), CLIENT_TITLE, take_counter=lambda: 1, floor=ReceiveFloor())
    steady.peer_title = SERVER_TITLE
    with pytest.raises(LocalProtocolError, match="random"):
        steady.begin(GET, shape(KeyChoice.GUEK))


@pytest.mark.parametrize(
    ("quirk", "settings_"), [("header", {"header_authenticated": False}), ("length", {"content_length_signed": True})]
)
def test_quirks_hold_on_both_sides_or_nothing_is_believed(quirk, settings_):
    settings = GeneralProtection(ciphering=KeyChoice.GUEK, signed=True, **settings_)
    wanted = shape(KeyChoice.GUEK, signed=True)
    wire = party("client", 1, settings).begin(GET, wanted)
    assert party("server", 1, settings).open(wire).apdu == GET
    with refused("bad-tag" if quirk == "header" else "bad-signature"):
        party("server", 1).open(wire)


@given(st.binary(max_size=120), st.sampled_from([b"\xdd", b"\xdf"]))
def test_garbage_leaves_as_typed_errors(garbage, tag):
    with pytest.raises(DlmsError):
        party("server", 1).open(tag + garbage)


@given(st.binary(min_size=1, max_size=400), st.sampled_from(SHAPES))
def test_any_apdu_comes_out_again(apdu, case):
    suite, wanted = case
    if apdu[0] in module.GENERAL_TAGS:
        return
    assert party("server", suite).open(party("client", suite).begin(apdu, wanted)).apdu == apdu
