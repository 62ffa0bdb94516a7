"""Scripts do what they name, and say so."""

from __future__ import annotations

from meters.cosem.data import (
    long_unsigned,
    octet_string,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.control import ControlState, DisconnectControl
from sessions.simulator.objects.scripts import ScriptAction, ScriptTable
from tests.sessions.simulator.objects.refusing import NAME, denied


def test_a_script_works_the_switch():
    control = DisconnectControl(NAME, lambda closed: None)
    table = ScriptTable(ObisCode(0, 0, 10, 0, 106, 255), {1: ScriptAction(control, 1), 2: ScriptAction(control, 2)})
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
