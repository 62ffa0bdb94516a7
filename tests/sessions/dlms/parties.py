"""Two parties that trust each other: the Green Book's published test keys for suite 1, keys of our own for suite 2."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import count

from sessions.dlms.counters import ReceiveFloor
from sessions.dlms.elliptic import public_of
from sessions.dlms.general_protection import GeneralProtection, PartyKeys
from sessions.dlms.transactions import Transactions

CLIENT_TITLE = bytes.fromhex("4D4D4D0000BC614E")
SERVER_TITLE = bytes.fromhex("4D4D4D0000000001")
TRANSACTION = bytes.fromhex("0102030405060708")
PUBLISHED = {
    "client_ephemeral": bytes.fromhex("47DAB03842E5B6E74828EF4F449B378D7DD1A5DAE1FFCA5AE0B0BE0AD18EC57E"),
    "client_signing": bytes.fromhex("418073C239FA6125011DE4D6CD2E645780289F761BB21BFB0835CB5585E8B373"),
    "client_static": bytes.fromhex("A51C16FF5C498FCC89323D4A9267CD71BF81FD6F6A891CD240DA7F3D6F283E65"),
    "server_signing": bytes.fromhex("AE55414FFE079F9FC95649536BD1C2B5653D200813727E07D501A8B550C69207"),
    "server_static": bytes.fromhex("AAD3FD0732E991CF52A74C66C1F2827DDC53522A2E0A169D7C4FFCC0FB5D6A4D"),
}


def private_keys(suite: int) -> dict[str, bytes]:
    """Private keys by owner and use."""
    if suite == 1:
        return PUBLISHED
    return {name: bytes(range(number, number + 48)) for number, name in enumerate(PUBLISHED, start=1)}


@lru_cache
def keys_of(side: str, suite: int) -> PartyKeys:
    """What the client or the server knows."""
    other = "server" if side == "client" else "client"
    private, size = private_keys(suite), 32 if suite == 2 else 16
    if suite == 0:
        return PartyKeys(suite=0, guek=bytes(range(16)), gbek=b"\x0b" * 16, gak=b"\xda" * 16, kek=b"\x0e" * 16)
    return PartyKeys(
        suite=suite,
        guek=bytes(range(size)),
        gbek=b"\x0b" * size,
        gak=b"\xda" * size,
        kek=b"\x0e" * size,
        signing_key=private[f"{side}_signing"],
        key_agreement_key=private[f"{side}_static"],
        peer_signing_key=public_of(private[f"{other}_signing"]),
        peer_key_agreement_key=public_of(private[f"{other}_static"]),
    )


def counting_random() -> Callable[[int], bytes]:
    """Octets that differ from call to call, and are the same in every run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big") if size else b""


def party(side: str, suite: int, settings: GeneralProtection | None = None) -> Transactions:
    """One end of a conversation between the two."""
    own, peer = (CLIENT_TITLE, SERVER_TITLE) if side == "client" else (SERVER_TITLE, CLIENT_TITLE)
    counters = count(100)
    made = Transactions(
        keys_of(side, suite),
        own,
        settings=settings,
        random=counting_random(),
        take_counter=lambda: next(counters),
        floor=ReceiveFloor(),
    )
    made.peer_title = peer
    return made
