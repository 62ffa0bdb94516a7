"""Lines and their endpoints."""

from __future__ import annotations

import pytest

from meters.models import Line, PortNotOfferedError


class TestLine:
    @pytest.mark.parametrize(
        ("host", "endpoint"), [("10.0.0.7", "tcp://10.0.0.7:4059"), ("fe80::1", "tcp://[fe80::1]:4059")]
    )
    def test_tcp(self, host: str, endpoint: str) -> None:
        line = Line(kind=Line.Kind.TCP, host=host, port=4059)
        assert line.endpoint == endpoint
        assert line.describe() == f"{host}:4059"

    def test_serial_uses_the_administrators_path(self, settings) -> None:
        settings.SERIAL_PORTS = {"bridge-1": "/dev/ttyUSB7"}
        line = Line(kind=Line.Kind.SERIAL, serial_port="bridge-1", baud=19200, parity="E", data_bits=7)
        assert line.endpoint == "serial:///dev/ttyUSB7?baud=19200&data_bits=7&parity=E&stop_bits=1"
        assert str(line) == "bridge-1, 19200 7E1"

    @pytest.mark.parametrize("name", ["", "other", "/dev/mem", "spy:///dev/tty?file=/tmp/x", "../ttyUSB0"])
    def test_a_port_that_is_not_offered_has_no_endpoint(self, settings, name: str) -> None:
        settings.SERIAL_PORTS = {"bridge-1": "/dev/ttyUSB7"}
        with pytest.raises(PortNotOfferedError, match="bridge-1"):
            _ = Line(kind=Line.Kind.SERIAL, serial_port=name).endpoint

    def test_the_address_ignores_line_settings(self) -> None:
        slow, fast = (Line(kind=Line.Kind.SERIAL, serial_port="a", baud=baud) for baud in (300, 9600))
        assert slow.address == fast.address
        assert (
            Line(kind="TCP", host="Meter.Example", port=1).address
            == Line(kind="TCP", host="meter.example", port=1).address
        )
