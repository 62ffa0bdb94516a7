"""Scripts do what they name, and say so."""

from __future__ import annotations

from meters.cosem.data import enum, long_unsigned, octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.control import ControlMode, ControlState, DisconnectControl
from sessions.simulator.objects.scripts import ScriptAction, ScriptService, ScriptTable
from tests.sessions.simulator.objects.refusing import NAME, denied


def test_a_script_works_the_switch():
    control = DisconnectControl(NAME, lambda closed: None)
    table = ScriptTable(ObisCode(0, 0, 10, 0, 106, 255), {number: [ScriptAction(control, number)] for number in (1, 2)})
    table.invoke(1, long_unsigned(1))
    assert control.state is ControlState.DISCONNECTED
    table.invoke(1, long_unsigned(2))
    assert control.state is ControlState.CONNECTED
    scripts = table.read(2)
    assert [script[0].value for script in scripts] == [1, 2]
    assert scripts[0][1][0][2] == octet_string(NAME.octets)
    with denied(DataAccessResult.OTHER_REASON):
        table.invoke(1, long_unsigned(3))
    with denied(DataAccessResult.TYPE_UNMATCHED):
        table.invoke(1, None)


def test_a_script_writes_and_stops_at_what_is_refused():
    control = DisconnectControl(NAME, lambda closed: None)
    write, refused, never = (
        ScriptAction(control, 4, ScriptService.WRITE, enum(mode))
        for mode in (ControlMode.ALL_OFF_READY_OR_LOCAL_ON, 77, 1)
    )
    table = ScriptTable(ObisCode(0, 0, 10, 0, 100, 255), {1: [write], 2: [refused, never]})
    table.invoke(1, long_unsigned(1))
    assert control.mode is ControlMode.ALL_OFF_READY_OR_LOCAL_ON
    with denied(DataAccessResult.OTHER_REASON):
        table.invoke(1, long_unsigned(2))
    assert control.mode is ControlMode.ALL_OFF_READY_OR_LOCAL_ON
    assert table.read(2)[0][1][0][4] == enum(5)
