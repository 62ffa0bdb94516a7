"""What is remembered of a conversation."""

from sessions.dlms.acse import Aare, Aarq
from sessions.dlms.initiate import InitiateRequest
from sessions.dlms.inspector import DissectionKeys
from sessions.dlms.inspector.state import Conversation

A, B, C = bytes(8), bytes([1] * 8), bytes([2] * 8)
K1, K2, K3 = bytes(16), bytes([1] * 16), bytes([2] * 16)


def test_titles_come_from_the_association_and_the_likeliest_comes_first():
    talk = Conversation(DissectionKeys(client_system_title=A, server_system_title=B))
    assert talk.titles(from_client=True) == [A, B]
    assert talk.titles() == [B, A]
    talk.learn(Aarq(calling_ap_title=C))
    assert talk.titles(from_client=True) == [C, A, B]
    talk.learn(Aare(responding_ap_title=A))
    assert talk.titles(said=B) == [B, A, C]


def test_a_title_that_is_none_is_not_tried():
    assert Conversation(DissectionKeys()).titles(said=b"") == []
    assert Conversation(DissectionKeys()).titles(said=b"short") == []


def test_the_key_that_the_apdu_names_comes_first():
    talk = Conversation(DissectionKeys(guek=K1, gbek=K2, dedicated_key=K3))
    assert talk.encryption_keys() == [K1, K2, K3]
    assert talk.encryption_keys(broadcast=True) == [K2, K1, K3]
    assert talk.encryption_keys(dedicated=True) == [K3, K1, K2]


def test_the_dedicated_key_is_learned_and_forgotten_with_the_association():
    talk = Conversation(DissectionKeys())
    talk.learn(InitiateRequest(dedicated_key=K3))
    assert talk.encryption_keys(dedicated=True) == [K3]
    assert "0202" not in repr(talk)
    talk.learn(Aarq())
    assert talk.encryption_keys(dedicated=True) == []


def test_a_new_request_ends_what_was_open():
    talk = Conversation(DissectionKeys())
    talk.shelf.blocks(("channel", "get")).add(1, b"x")
    talk.new_request()
    assert not talk.shelf.busy
