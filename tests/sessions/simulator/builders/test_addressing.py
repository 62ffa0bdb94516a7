"""SAP assignment and HDLC setup say where the meter is."""

from __future__ import annotations

from tests.sessions.simulator.builders.building import only


def test_the_management_device_is_listed():
    listed = only({"class_id": 17, "logical_name": "0-0:41.0.0*255"}).read(2)
    assert [(row[0].value, row[1].value) for row in listed] == [(1, b"MWB3P10010000042")]


def test_the_line_is_told_as_it_is():
    setup = only({"class_id": 23, "logical_name": "0-0:22.0.0*255"}, max_info=512, device_address=18)
    assert (setup.read(5).value, setup.read(9).value) == (512, 18)
