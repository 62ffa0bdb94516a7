"""Image transfer: every state and event, blocks in any order, wrong images refused, work that takes its time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import (
    array,
    boolean,
    double_long_unsigned,
    enum,
    integer,
    null,
    octet_string,
    structure,
    unsigned,
)
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.elliptic import Curve, private_from_random, public_of
from sessions.simulator.images import ImageProof, with_digest, with_signature
from sessions.simulator.objects.base import Denied
from sessions.simulator.objects.image_transfer import (
    BUSY,
    MAX_IMAGE,
    TRANSITIONS,
    ImageEvent,
    ImageRules,
    ImageStatus,
    ImageTransfer,
)
from tests.sessions.simulator.objects.refusing import NAME, denied
from tests.sessions.simulator.served import HandClock

FIRMWARE = bytes(range(200))
IMAGE = with_digest(FIRMWARE)
NEW = b"MW3P-2.0.0"
OTHER, UNMATCHED, BUSY_NOW = (
    DataAccessResult.OTHER_REASON,
    DataAccessResult.TYPE_UNMATCHED,
    DataAccessResult.TEMPORARY_FAILURE,
)


class Bench:
    """An image transfer with blocks of 32 octets, and what became active."""

    def __init__(self, **rules: Any) -> None:
        self.clock = HandClock()
        self.activated: list[bytes] = []
        self.target = ImageTransfer(
            NAME,
            ImageRules(block_size=rules.pop("block_size", 32), **rules),
            now=self.clock,
            activated=self.activated.append,
        )

    def initiate(self, size: int = len(IMAGE), identifier: bytes = NEW) -> None:
        self.target.invoke(1, structure(octet_string(identifier), double_long_unsigned(size)))

    def block(self, number: int, octets: bytes) -> None:
        self.target.invoke(2, structure(double_long_unsigned(number), octet_string(octets)))

    def send(self, image: bytes = IMAGE) -> None:
        self.initiate(len(image))
        for number, at in enumerate(range(0, len(image), 32)):
            self.block(number, image[at : at + 32])

    def verify(self) -> None:
        self.target.invoke(3, integer(0))

    def activate(self) -> None:
        self.target.invoke(4, integer(0))


def test_from_start_to_finish():
    bench = Bench()
    bench.send()
    target = bench.target
    assert target.read(4) == double_long_unsigned(8) == double_long_unsigned(target.block_count)
    assert target.read(7) == array()
    bench.verify()
    assert target.read(6) == enum(3)
    info = structure(double_long_unsigned(len(IMAGE)), octet_string(NEW), octet_string(IMAGE[-32:]))
    assert target.read(7) == array(info)
    assert bench.activated == []
    bench.activate()
    assert target.read(6) == enum(6)
    assert bench.activated == [NEW]


# -- the machine -------------------------------------------------------------------------------------------------------


def in_state(status: ImageStatus) -> Bench:
    """A transfer in this state, by the way that leads there."""
    bench = Bench(verify_seconds=60, activate_seconds=60)
    if status is ImageStatus.NOT_INITIATED:
        return bench
    bad = status in (ImageStatus.VERIFICATION_FAILED, ImageStatus.ACTIVATION_FAILED)
    bench.send(IMAGE[:-1] + b"!" if bad else IMAGE)
    if status is ImageStatus.INITIATED:
        return bench
    activates = status >= ImageStatus.ACTIVATION_INITIATED
    with denied(BUSY_NOW):
        bench.activate() if activates else bench.verify()
    if status not in BUSY:
        bench.clock.advance(seconds=60)
    return bench


def fire(bench: Bench, event: ImageEvent) -> None:
    match event:
        case ImageEvent.INITIATE:
            bench.initiate()
        case ImageEvent.BLOCK:
            bench.block(0, IMAGE[:32])
        case ImageEvent.VERIFY:
            bench.verify()
        case ImageEvent.ACTIVATE:
            bench.activate()


@pytest.mark.parametrize("status", ImageStatus)
@pytest.mark.parametrize("event", [ImageEvent.INITIATE, ImageEvent.BLOCK, ImageEvent.VERIFY, ImageEvent.ACTIVATE])
def test_every_state_and_method(status, event):
    bench = in_state(status)
    assert bench.target.status is status
    following = TRANSITIONS[status].get(event)
    if following is None:
        with denied(BUSY_NOW if status in BUSY else OTHER):
            fire(bench, event)
        assert bench.target.status is status
    elif following in BUSY:
        with denied(BUSY_NOW):
            fire(bench, event)
        assert bench.target.status is following
    else:
        fire(bench, event)
        assert bench.target.status is following


@pytest.mark.parametrize("status", ImageStatus)
@pytest.mark.parametrize("good", [True, False])
def test_every_state_as_time_goes_by(status, good):
    """Work ends well or badly; where nothing is at work nothing happens."""
    bench = in_state(status)
    if not good and status in BUSY:
        bench.target.image[0] ^= 1
    bench.clock.advance(days=1)
    event = ImageEvent.GOOD if good else ImageEvent.BAD
    assert bench.target.status is TRANSITIONS[status].get(event, status)
    assert bool(bench.activated) is (bench.target.status is ImageStatus.ACTIVATION_SUCCESSFUL)


def test_the_work_is_not_over_before_its_time():
    bench = in_state(ImageStatus.ACTIVATION_INITIATED)
    bench.clock.advance(seconds=59.9)
    bench.target.catch_up()
    assert bench.activated == []
    bench.clock.advance(seconds=0.1)
    bench.target.catch_up()
    assert bench.activated == [NEW]
    bench.clock.advance(seconds=60)
    bench.target.catch_up()
    assert bench.activated == [NEW]


# -- blocks ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(1, 64), st.data())
def test_blocks_in_any_order_lost_and_repeated(firmware, block_size, data):
    image = with_digest(firmware)
    bench = Bench(block_size=block_size)
    bench.initiate(len(image))
    count = -(-len(image) // block_size)
    assert bench.target.block_count == count
    numbers = data.draw(st.lists(st.integers(0, count - 1), max_size=2 * count))
    for number in numbers:
        bench.block(number, image[number * block_size :][:block_size])
    missing = sorted(set(range(count)) - set(numbers))
    assert bench.target.read(4) == double_long_unsigned(missing[0] if missing else count)
    status: Any = bench.target.read(3)
    assert len(str(status.value)) == count
    assert [number for number, bit in enumerate(str(status.value)) if bit == "0"] == missing
    if missing:
        for refused in (bench.verify, bench.activate):
            with denied(OTHER):
                refused()
        assert bench.target.status is ImageStatus.INITIATED
    for number in missing:
        bench.block(number, image[number * block_size :][:block_size])
    bench.verify()
    bench.activate()
    assert bench.activated == [NEW]


@pytest.mark.parametrize(
    ("number", "size"), [(0, 0), (0, 31), (0, 33), (7, 7), (7, 9), (7, 32), (8, 8), (8, 0), (0xFFFFFFFF, 32)]
)
def test_blocks_that_do_not_fit(number, size):
    bench = Bench()
    bench.initiate()
    with denied(OTHER):
        bench.block(number, bytes(size))
    assert bench.target.received == set()


def test_a_new_transfer_forgets_the_old_one():
    bench = Bench()
    bench.send()
    bench.verify()
    bench.initiate(64, b"another")
    assert bench.target.read(6) == enum(1)
    assert bench.target.read(4) == double_long_unsigned(0)
    assert bench.target.read(7) == array()
    with denied(OTHER):
        bench.activate()


def test_a_transfer_that_is_not_enabled():
    bench = Bench()
    bench.send()
    bench.target.write(5, boolean(False))
    for refused in (bench.initiate, bench.verify, bench.activate, lambda: bench.block(0, IMAGE[:32])):
        with denied(OTHER):
            refused()
    bench.target.write(5, boolean(True))
    bench.activate()
    with denied(UNMATCHED):
        bench.target.write(5, unsigned(1))


# -- proofs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [IMAGE[:-1] + b"!", b"?" + IMAGE[1:], FIRMWARE])
def test_a_wrong_digest(wrong):
    bench = Bench()
    bench.send(wrong)
    with denied(OTHER):
        bench.verify()
    assert bench.target.status is ImageStatus.VERIFICATION_FAILED
    bench.send(wrong)
    with denied(OTHER):
        bench.activate()
    assert bench.target.status is ImageStatus.ACTIVATION_FAILED
    assert bench.activated == []


def test_a_signature():
    key, other = (private_from_random(bytes((n,)) * 40, Curve.P256) for n in (1, 2))
    bench = Bench(proof=ImageProof(public_of(key)))
    for wrong in (with_signature(FIRMWARE, other), IMAGE):
        bench.send(wrong)
        with denied(OTHER):
            bench.verify()
        assert bench.target.status is ImageStatus.VERIFICATION_FAILED
    bench.send(with_signature(FIRMWARE, key))
    bench.verify()
    bench.activate()
    assert bench.activated == [NEW]


# -- garbage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        null(),
        integer(0),
        structure(),
        structure(octet_string(b"x")),
        structure(octet_string(b"x"), unsigned(1)),
        structure(double_long_unsigned(1), double_long_unsigned(1)),
        structure(octet_string(b"x"), double_long_unsigned(1), unsigned(1)),
    ],
)
@pytest.mark.parametrize("method_id", [1, 2])
def test_parameters_of_another_type(parameters, method_id):
    bench = Bench()
    bench.initiate()
    with denied(UNMATCHED):
        bench.target.invoke(method_id, parameters)


@pytest.mark.parametrize(("size", "identifier"), [(0, NEW), (MAX_IMAGE + 1, NEW), (0xFFFFFFFF, NEW), (1, bytes(65))])
def test_images_that_no_meter_has_room_for(size, identifier):
    bench = Bench()
    with denied(OTHER):
        bench.initiate(size, identifier)
    assert bench.target.status is ImageStatus.NOT_INITIATED


# -- memory ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ImageStatus)
def test_every_state_survives(status):
    bench, other = in_state(status), Bench(verify_seconds=60, activate_seconds=60)
    bench.target.catch_up()
    other.target.restore(bench.target.keep())
    assert [other.target.read(number) for number in (3, 4, 5, 6, 7)] == [
        bench.target.read(number) for number in (3, 4, 5, 6, 7)
    ]
    other.clock.advance(minutes=2)
    bench.clock.moment = other.clock.moment
    assert other.target.status is bench.target.status


def test_blocks_are_kept_by_dozens():
    """What is kept changes with every 64th block: a power cycle loses some, and the client finds out."""
    bench = Bench(block_size=1)
    bench.initiate(1000)
    kept = []
    for number in range(1000):
        bench.block(number, b"x")
        kept.append(bench.target.keep())
    changes = Counter(one is not other for one, other in pairwise(kept))
    assert changes[True] == 1000 // 64 + 1
    other = Bench(block_size=1)
    other.target.restore(kept[700])
    assert other.target.first_missing == 640
    assert len(kept[-1]["received"]) == 1000
    with pytest.raises(Denied):
        other.verify()
