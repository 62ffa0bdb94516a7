"""The fields of a line: what each kind asks for, and every refusal at its field."""

from __future__ import annotations

import pytest

from meters.forms import MeterForm, line_called
from meters.lines.forms import LineForm, line_initial
from meters.lines.services import save_line
from meters.models import Line
from meters.services import save_meter
from tests.meters.test_forms import WRAPPER

pytestmark = pytest.mark.django_db

TCP = {"kind": "TCP", "host": "10.0.0.7", "port": "4059", "name": "rack 7"}
SERIAL = {"kind": "SERIAL", "serial_port": "bridge-1", "baud": "300", "data_bits": "7", "parity": "E", "stop_bits": "1"}


@pytest.fixture(autouse=True)
def _ports(settings) -> None:
    settings.SERIAL_PORTS = {"bridge-1": "/dev/ttyUSB0"}


def test_what_a_kind_asks_for_is_what_comes_out() -> None:
    form = LineForm({**TCP, "serial_port": "bridge-1"})
    assert form.is_valid()
    assert form.line() == {"kind": "TCP", "host": "10.0.0.7", "port": 4059, "name": "rack 7"}
    serial = LineForm({**SERIAL, "host": "ignored.example"})
    assert serial.is_valid()
    assert serial.line() == {
        **{"kind": "SERIAL", "serial_port": "bridge-1", "baud": 300, "data_bits": 7, "parity": "E", "stop_bits": 1},
        "name": "",
    }


@pytest.mark.parametrize(
    ("fields", "at", "words"),
    [
        ({**TCP, "host": ""}, "host", "needs a host"),
        ({**TCP, "port": ""}, "port", "needs a port"),
        ({**TCP, "host": "127.1"}, "host", "written in full"),
        ({**TCP, "host": "fe80::1%eth0"}, "host", "zone"),
        ({**TCP, "host": "a b"}, "host", "no scheme, port, path or space"),
        ({**TCP, "kind": "KNOWN"}, "kind", "valid choice"),
        ({**TCP, "name": "a\x00b"}, "name", ""),
        ({**SERIAL, "serial_port": ""}, "serial_port", "Choose one"),
        ({**SERIAL, "serial_port": "/dev/mem"}, "serial_port", "valid choice"),
        ({**SERIAL, "baud": "12"}, "baud", "valid choice"),
    ],
)
def test_what_is_refused(fields: dict, at: str, words: str) -> None:
    form = LineForm(fields)
    assert not form.is_valid()
    assert words in form.errors[at][0]


def test_a_line_stands_in_its_own_form() -> None:
    line = save_line(user=None, line={**SERIAL, "baud": 300, "data_bits": 7, "stop_bits": 1})
    form = LineForm(line=line)
    assert form["serial_port"].value() == "bridge-1"
    assert LineForm(line_initial(line), line=line).is_valid()


def test_a_port_that_is_not_offered_any_more_stays_in_sight(settings) -> None:
    line = save_line(user=None, line={**SERIAL, "baud": 300, "data_bits": 7, "stop_bits": 1})
    settings.SERIAL_PORTS = {}
    assert "not offered any more" in str(LineForm(line=line)["serial_port"])


class TestInTheMetersForm:
    @pytest.mark.parametrize("called", ["rack 7", "#{pk}"])
    def test_a_line_that_is_here_already(self, called: str) -> None:
        line = save_line(user=None, line={**TCP, "port": 4059})
        fields = {**WRAPPER, "kind": "KNOWN", "known_line": called.format(pk=line.pk), "host": "not a host", "port": ""}
        form = MeterForm(fields)
        assert form.is_valid(), form.errors
        assert save_meter(user=None, **form.draft()).line == line
        assert Line.objects.count() == 1

    @pytest.mark.parametrize("called", ["", "rack 8", "#0", "#x", "twice", "#99999999999999999999"])
    def test_one_that_is_not(self, called: str) -> None:
        for port in (1, 2):
            save_line(user=None, line={"kind": "TCP", "host": "10.0.0.8", "port": port, "name": "twice"})
        form = MeterForm({**WRAPPER, "kind": "KNOWN", "known_line": called})
        assert not form.is_valid()
        assert "No line is called so" in form.errors["known_line"][0]
        assert line_called(called) is None

    def test_its_kind_has_to_fit_the_framing(self) -> None:
        line = save_line(user=None, line={**SERIAL, "baud": 300, "data_bits": 7, "stop_bits": 1})
        form = MeterForm({**WRAPPER, "kind": "KNOWN", "known_line": f"#{line.pk}"})
        assert "a serial line carries HDLC" in form.errors["framing"][0]
