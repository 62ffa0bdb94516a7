"""What a simulated meter says by IEC 62056-21."""

from __future__ import annotations

import pytest

from sessions.dlms.iec62056_21.data_set import DataSet, DataValue, decode_data_block
from sessions.dlms.iec62056_21.naming import named_data_sets
from sessions.dlms.iec62056_21.profile import profiles
from sessions.dlms.iec62056_21.server import Refusal
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.simulator import readout as module
from sessions.simulator.readout import ReadoutDevice, ReadoutError, load_readout, parse_readout
from tests.sessions.simulator.served import HandClock, lab_meter


def device_of(table=None, **options) -> ReadoutDevice:
    meter = lab_meter(clock=HandClock()).device
    readout = load_readout("three_phase") if table is None else parse_readout(table)
    identification = IdentificationMessage("MWb", "5", "TEST")
    return ReadoutDevice(meter, readout, device_address="1", identification=identification, **options)


def read(device, text, command="R1", admitted=False):
    [data_set] = decode_data_block(text).data_sets
    return device.carry_out(command, data_set, admitted=admitted)


def test_the_readout_of_a_three_phase_meter():
    block = device_of().readout()
    values = {one.address: [str(value) for value in one.values] for one in block.data_sets}
    assert values["0.0.0"] == ["10000001"]
    assert values["0.9.1"] == ["120000"]
    assert values["0.9.2"] == ["261125"]
    assert values["F.F"] == ["00000000"]
    energy, rate_1, rate_2 = (float(values[name][0].removesuffix("*kWh")) for name in ("1.8.0", "1.8.1", "1.8.2"))
    assert energy == pytest.approx(rate_1 + rate_2, abs=0.002)
    assert len(values["1.8.0"][0]) == len("000123.456*kWh")
    assert len(values["1.6.0"]) == 2
    assert "C.70.1" not in values
    assert decode_data_block(block.encode()) == block
    assert all(one.words for one in named_data_sets(block.data_sets) if one.data_set.address != "C.1.1")


def test_values_are_the_ones_that_cosem_gives():
    device = device_of()
    [data_set] = read(device, b"32.7.0()").data_sets
    register = device._target(load_readout("three_phase").lines[12].object)
    assert load_readout("three_phase").lines[12].address == "31.7.0"
    assert data_set.values[0].unit == "V"
    assert register.read(2).value / 100 == float(read(device, b"31.7.0()").data_sets[0].values[0].value)


def test_an_address_is_read_and_an_unknown_one_refused():
    device = device_of()
    assert read(device, b"0.0.0()").encode() == b"(10000001)"
    assert read(device, b"C.70.1()", "R2").encode() == b"(laboratory)"
    with pytest.raises(Refusal, match="ER05"):
        read(device, b"9.9.9()")
    with pytest.raises(Refusal, match="ER04"):
        read(device, b"0.0.0()", "E2")


def test_writing_needs_the_password_and_a_line_that_can_be_written():
    device = device_of()
    for text, admitted, error in (
        (b"C.1.1(new)", False, "ER02"),
        (b"9.9.9(new)", True, "ER05"),
        (b"0.0.0(new)", True, "ER06"),
        (b"C.1.1(a/b)", True, "ER06"),
    ):
        with pytest.raises(Refusal, match=error):
            read(device, text, "W1", admitted)
    assert read(device, b"C.1.1(new point)", "W1", True) is None
    assert read(device, b"C.1.1()").encode() == b"(new point)"
    assert device.readout().find("C.1.1") == DataSet("C.1.1", (DataValue("new point"),))
    # Another meter has its own.
    assert read(device_of(), b"C.1.1()").encode() == b"(metering point)"


def test_passwords():
    assert device_of(password="1").admits("P1", "1")
    assert not device_of(password="1").admits("P1", "2")
    assert not device_of(password="1").admits("P2", "1")
    assert device_of().admits("P1", "whatever")


def test_a_load_profile_of_a_range():
    block = read(device_of(), b"P.01(0261125100000;0261125110000)", "R5")
    [profile] = profiles(block.data_sets)
    assert (profile.begin, profile.interval) == ("0261125100000", 15)
    assert [column.address for column in profile.columns] == ["1.8.0", "2.8.0"]
    assert len(profile.rows) == 5
    energies = [float(row[0]) for row in profile.rows]
    assert energies == sorted(energies)
    assert block.encode() == read(device_of(), b"P.01(0261125100000;0261125110000)", "R5").encode()


def test_a_load_profile_without_a_range_is_the_last_day_and_never_endless(monkeypatch):
    [profile] = profiles(read(device_of(), b"P.01()", "R3").data_sets)
    assert len(profile.rows) == 97
    monkeypatch.setattr(module, "MAX_ROWS", 10)
    [profile] = profiles(read(device_of(), b"P.01(0200101000000;0261125110000)", "R3").data_sets)
    assert len(profile.rows) == 10


def test_a_future_range_is_empty():
    [profile] = profiles(read(device_of(), b"P.01(0270101000000;0270102000000)", "R5").data_sets)
    assert profile.rows == ()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"lines": [{"address": "1.8.0"}]}, "needs a value or an object"),
        ({"lines": [{"address": "1.8.0", "value": "1", "object": "1-0:1.8.0*255"}]}, "needs a value or an object"),
        ({"lines": [{"address": "1.8.0", "object": "1-0:1.8.0*255", "form": "roman"}]}, "is no form"),
        ({"lines": [{"address": "1.8.0", "object": "x"}]}, "OBIS"),
        ({"profile": {"address": "P.01", "minutes": 15, "columns": []}}, "columns of a profile"),
        ({"profile": {"address": "P.01", "minutes": 15, "columns": [{"address": "1", "value": "1"}]}}, "columns"),
    ],
)
def test_a_readout_that_cannot_be(table, words):
    with pytest.raises(ValueError, match=words):
        parse_readout(table)


def test_a_readout_without_a_profile_has_none():
    device = device_of({"lines": [{"address": "0.0", "value": "1"}]})
    with pytest.raises(Refusal, match="ER05"):
        read(device, b"P.01()", "R5")


def test_an_object_that_the_meter_lacks_is_refused():
    device = device_of({"lines": [{"address": "9.8.0", "object": "1-0:9.8.0*255"}]})
    with pytest.raises(Refusal, match="ER05"):
        read(device, b"9.8.0()")


def test_files(tmp_path, monkeypatch):
    with pytest.raises(ReadoutError, match="there are: p1, three_phase"):
        load_readout("none")
    (tmp_path / "broken.toml").write_text("lines = 5")
    monkeypatch.setattr(module, "READOUTS", tmp_path)
    with pytest.raises(ReadoutError, match=r"broken\.toml"):
        load_readout("broken")
