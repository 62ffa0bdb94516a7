"""Image transfer of a meter type, over the wire: a new firmware, and what it changes."""

from __future__ import annotations

import pytest

from meters.cosem.data import double_long_unsigned, integer, octet_string, structure
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.errors import DlmsError
from sessions.simulator.images import with_digest
from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import meter_of, only
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, HandClock, lab_meter

IMAGE, NAME, FIRMWARE = (18, "0-0:44.0.0*255"), b"MW3P-2.0.0", (1, "1-0:0.2.0*255", 2)
ENTRY = {"class_id": 18, "logical_name": "0-0:44.0.0*255"}
VERSION = {"class_id": 1, "logical_name": "1-0:0.2.0*255", "type": "octet-string", "source": "firmware"}


def transfer(pair: Pair, image: bytes) -> None:
    """As the Blue Book has it: blocks, then those that got lost."""
    size = pair.get(*IMAGE, 2).value
    pair.action(*IMAGE, 1, structure(octet_string(NAME), double_long_unsigned(len(image))))
    count = -(-len(image) // size)
    for number in range(1, count):
        block = octet_string(image[number * size : (number + 1) * size])
        assert pair.action(*IMAGE, 2, structure(double_long_unsigned(number), block))[0] is ActionResult.SUCCESS
    while (missing := pair.get(*IMAGE, 4).value) < count:
        block = octet_string(image[missing * size : (missing + 1) * size])
        pair.action(*IMAGE, 2, structure(double_long_unsigned(missing), block))


@pytest.mark.parametrize("physical_address", [None, 17])
def test_a_new_firmware_over_the_wire(physical_address):
    table = {} if physical_address is None else {"physical_address": physical_address}
    pair = Pair(lab_meter(GMAC, **table))
    pair.open()
    assert pair.get(*FIRMWARE).value == b"MW3P-1.4.2"
    transfer(pair, with_digest(bytes(3_000)))
    assert pair.action(*IMAGE, 3, integer(0))[0] is ActionResult.SUCCESS
    assert pair.get(*FIRMWARE).value == b"MW3P-1.4.2"
    assert pair.action(*IMAGE, 4, integer(0))[0] is ActionResult.SUCCESS
    assert pair.get(*IMAGE, 6).value == 6
    assert pair.get(*FIRMWARE).value == NAME


def test_a_wrong_image_over_the_wire():
    pair = Pair(lab_meter(GMAC))
    pair.open()
    transfer(pair, bytes(3_000))
    assert pair.action(*IMAGE, 3, integer(0))[0] is ActionResult.OTHER_REASON
    assert pair.get(*IMAGE, 6).value == 4
    assert pair.action(*IMAGE, 4, integer(0))[0] is ActionResult.OTHER_REASON
    assert pair.get(*FIRMWARE).value == b"MW3P-1.4.2"


def test_a_firmware_that_is_active_later():
    clock = HandClock()
    meter = meter_of({**ENTRY, "activate_seconds": 30}, VERSION, clock=clock)
    target, version = (access.target for access in meter.objects.values())
    image = with_digest(b"new")
    target.invoke(1, structure(octet_string(NAME), double_long_unsigned(len(image))))
    target.invoke(2, structure(double_long_unsigned(0), octet_string(image)))
    with pytest.raises(Exception, match="temporary-failure"):
        target.invoke(4, integer(0))
    clock.advance(seconds=30)
    meter.catch_up()
    assert version.read(2) == octet_string(NAME)


def test_a_meter_that_reboots_with_its_new_firmware():
    meter = meter_of({**ENTRY, "reboot": True}, VERSION)
    target = next(iter(meter.objects.values())).target
    image = with_digest(b"new")
    target.invoke(1, structure(octet_string(NAME), double_long_unsigned(len(image))))
    target.invoke(2, structure(double_long_unsigned(0), octet_string(image)))
    target.invoke(4, integer(0))
    assert meter.boots == 0  # the answer is not out yet
    meter.security.settle()
    assert meter.boots == 1


def test_the_firmware_survives():
    meter, other = meter_of(ENTRY, VERSION), meter_of(ENTRY, VERSION)
    target = next(iter(meter.objects.values())).target
    image = with_digest(b"new")
    target.invoke(1, structure(octet_string(NAME), double_long_unsigned(len(image))))
    target.invoke(2, structure(double_long_unsigned(0), octet_string(image)))
    target.invoke(4, integer(0))
    other.memory.restore(meter.memory.keep())
    assert list(other.objects.values())[1].target.read(2) == octet_string(NAME)


@pytest.mark.parametrize("wrong", [{"block_size": 0}, {"public_key": "no"}])
def test_a_type_that_cannot_be(wrong):
    with pytest.raises(MeterTypeError):
        only({**ENTRY, **wrong})


def test_the_power_fails_in_the_middle():
    """The association is gone; what arrived by then is not."""
    meter = lab_meter(GMAC)
    pair = Pair(meter)
    pair.open()
    image = with_digest(bytes(3_000))
    pair.action(*IMAGE, 1, structure(octet_string(NAME), double_long_unsigned(len(image))))
    pair.action(*IMAGE, 2, structure(double_long_unsigned(0), octet_string(image[:256])))
    meter.device.power_cycle()
    with pytest.raises(DlmsError):
        pair.get(*IMAGE, 4)
    again = Pair(meter, counters=range(20_000, 30_000))
    again.open()
    assert again.get(*IMAGE, 4).value == 1
