"""What is asked before an import: lines by place, types by maker and file, serial numbers."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.gxc_import.forms import ImportForm
from meters.gxc_import.preview import Preview
from meters.models import Line, MeterType
from tests.meters.builders import make_meter
from tests.meters.gxc_import.builders import CIPHERED, COM8, PUBLIC, device_file, posted, previewed

pytestmark = pytest.mark.django_db
SERIAL = PUBLIC.partition("<MediaType>")[0].replace("<InterfaceType>1", "<InterfaceType>0") + COM8
UDP = PUBLIC.replace("&lt;/Port&gt;", "&lt;/Port&gt;&lt;Protocol&gt;0&lt;/Protocol&gt;")


def form_of(preview: Preview, **changes: str) -> ImportForm:
    return ImportForm(preview, posted(preview, **changes))


def errors(preview: Preview, **changes: str) -> dict[str, str]:
    """What is wrong, by field."""
    form = form_of(preview, **changes)
    with pytest.raises(ValidationError):
        form.choices()
    parts = (*form.devices, *form.places.values(), *form.types.values())
    return {part.add_prefix(name): " ".join(why) for part in parts for name, why in part.errors.items()}


def test_as_proposed_everything_is_chosen() -> None:
    (choice,) = form_of(previewed(device_file(CIPHERED))).choices()
    assert choice.line == {"kind": "TCP", "host": "127.0.0.1", "port": 4059}
    assert (choice.serial_number, choice.meter_type, choice.manufacturer, choice.model) == ("acme", None, "ACM", "acme")
    assert (choice.physical_address, choice.join, choice.origin) == (None, False, "imported from acme.gxc")


def test_the_same_place_and_the_same_maker_are_asked_once() -> None:
    form = form_of(previewed(device_file(CIPHERED, PUBLIC), device_file(SERIAL, name="b.gxc")))
    assert [len(devices) for _, devices in form.place_devices()] == [2, 1]
    assert [len(devices) for _, devices in form.type_devices()] == [2, 1]


def test_a_type_that_is_there_is_proposed() -> None:
    kind = MeterType.objects.create(manufacturer="ACM", model="acme")
    preview = previewed(device_file(PUBLIC))
    (choice,) = form_of(preview).choices()
    assert choice.meter_type == kind
    assert "type-0-model" in errors(preview, **{"type__0__known": "new", "type__0__model": ""})
    assert "type-0-known" in errors(preview, **{"type__0__known": "999"})


def test_a_line_is_chosen_from_what_there_is(settings) -> None:
    settings.SERIAL_PORTS = {"bench": "/dev/ttyUSB0"}
    line = Line.objects.create(kind="TCP", host="10.0.0.7", port=4059)
    preview = previewed(device_file(SERIAL))
    for chosen, fields in {
        f"line:{line.pk}": {"host": "10.0.0.7"},
        "port:bench": {"serial_port": "bench", "baud": 19200},
    }.items():
        (choice,) = form_of(preview, **{"place__0__line": chosen}).choices()
        assert choice.line.items() >= fields.items()
    (choice,) = form_of(preview, place__0__line="new", place__0__host="[::1]", place__0__port="1").choices()
    assert choice.line == {"kind": "TCP", "host": "::1", "port": 1}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "place-0-line", "Choose a line"),
        ({"place__0__line": "file"}, "place-0-line", "not one of the available choices"),
        ({"place__0__line": "port:/dev/ttyS0"}, "place-0-line", "not one of the available choices"),
        ({"place__0__line": "line:999"}, "place-0-line", "not one of the available choices"),
        ({"place__0__line": "new"}, "place-0-host", "Where is it?"),
        ({"place__0__line": "new", "place__0__host": "a"}, "place-0-port", "Where is it?"),
        ({"place__0__line": "new", "place__0__host": "http://a", "place__0__port": "1"}, "place-0-host", "no scheme"),
        ({"place__0__line": "new", "place__0__host": "a", "place__0__port": "x"}, "place-0-port", "whole number"),
    ],
)
def test_a_line_that_is_none_is_refused(changes, field, words) -> None:
    assert words in errors(previewed(device_file(SERIAL)), **changes)[field]


def test_what_a_line_cannot_carry_is_refused(settings) -> None:
    settings.SERIAL_PORTS = {"bench": "/dev/ttyUSB0"}
    preview = previewed(device_file(PUBLIC))
    assert "wrapper needs TCP or UDP" in errors(preview, place__0__line="port:bench")["place-0-line"]
    hdlc = previewed(device_file(UDP.replace("<InterfaceType>1", "<InterfaceType>0")))
    assert "UDP carries the wrapper" in errors(hdlc)["place-0-line"]
    (choice,) = form_of(previewed(device_file(UDP))).choices()
    assert choice.line["kind"] == "UDP"


def test_what_is_not_taken_needs_nothing(settings) -> None:
    preview = previewed(device_file(PUBLIC, SERIAL))
    (choice,) = form_of(preview, **{"device__1__take": "", "device__1__serial_number": ""}).choices()
    assert choice.index == 0
    with pytest.raises(ValidationError, match="nothing to import"):
        form_of(preview, **{"device__0__take": "", "device__1__take": ""}).choices()


def test_serial_numbers_that_are_missing_or_known() -> None:
    preview = previewed(device_file(PUBLIC))
    assert "Which meter" in errors(preview, device__0__serial_number="")["device-0-serial_number"]
    meter = make_meter(meter={"serial_number": "acme"})
    assert "already" in errors(preview)["device-0-serial_number"]
    form = form_of(preview, device__0__join="on")
    assert form.devices[0].known == meter
    assert form.choices()[0].join


def test_what_the_import_refuses_stands_where_it_belongs() -> None:
    form = form_of(previewed(device_file(PUBLIC)))
    form.choices()
    form.take_errors(0, ValidationError({"serial_number": ["taken"], "host": ["not allowed"], "window": ["too large"]}))
    assert form.devices[0].errors == {"serial_number": ["taken"], "__all__": ["too large"]}
    assert next(iter(form.places.values())).errors == {"line": ["not allowed"]}
    form.take_errors(0, ValidationError("plain"))
    assert "plain" in form.devices[0].non_field_errors()
