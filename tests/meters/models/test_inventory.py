"""Meters."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.models import Line, Meter
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db


class TestMeter:
    @pytest.mark.parametrize(
        ("framing", "kind", "exclusive"),
        [
            ("WRAPPER", "TCP", False),
            ("HDLC", "TCP", True),
            ("HDLC", "SERIAL", True),
            ("MODE_E", "TCP", True),
            ("WRAPPER", "SERIAL", True),
            ("WRAPPER", "UDP", False),
            ("WRAPPER", "RFC2217", True),
        ],
    )
    def test_which_lines_have_one_talker(self, framing: str, kind: str, exclusive: bool) -> None:
        meter = Meter(framing=framing, line=Line(kind=kind, host="h", port=1, serial_port="p"))
        assert bool(meter.line_address) is exclusive

    @pytest.mark.parametrize(
        ("octets", "physical", "fits"), [(1, 17, False), (2, 127, True), (2, 128, False), (4, 300, True)]
    )
    def test_an_address_has_room_for_its_parts(self, octets: int, physical: int, fits: bool) -> None:
        for framing in ("HDLC", "MODE_E"):
            meter = Meter(framing=framing, address_octets=octets, physical_address=physical)
            if fits:
                meter.clean()
                continue
            with pytest.raises(ValidationError):
                meter.clean()

    def test_the_default_association_wins(self) -> None:
        meter = make_meter()
        other = meter.associations.create(name="Other")
        assert meter.default_association.name == "Management"
        meter.associations.update(is_default=False)
        other.is_default = True
        other.save()
        assert Meter.objects.get(pk=meter.pk).default_association == other
