"""Lines, meters, associations; and key versions, which the database itself keeps."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from meters.models import KeyVersion, Line, Meter, MeterKey, PortNotOfferedError
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db


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


class TestKeyVersionsAreKept:
    """By raw SQL as by the ORM."""

    @pytest.fixture
    def version(self) -> KeyVersion:
        make_meter()
        return KeyVersion.objects.get()

    @pytest.mark.parametrize("column", ["sealed", "fingerprint", "number", "key_id", "origin", "id"])
    def test_no_column_but_the_state_changes(self, version: KeyVersion, column: str) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE meters_keyversion SET {column} = {column} WHERE id = %s", [version.pk])

    def test_no_row_is_deleted(self, version: KeyVersion) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM meters_keyversion")
        assert KeyVersion.objects.filter(pk=version.pk).exists()

    def test_the_state_may_change(self, version: KeyVersion) -> None:
        KeyVersion.objects.filter(pk=version.pk).update(state=KeyVersion.State.RETIRED)
        version.refresh_from_db()
        assert version.state == KeyVersion.State.RETIRED

    def test_a_meter_with_keys_cannot_be_deleted_with_them(self, version: KeyVersion) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Meter.objects.all().delete()
        assert MeterKey.objects.exists()

    def test_neither_repr_nor_str_shows_more_than_the_short_fingerprint(self, version: KeyVersion) -> None:
        shown = f"{version!r} {version} {version.key}"
        assert version.fingerprint not in shown
        assert bytes(version.sealed).hex()[:16] not in shown


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has TRUNCATE")
@pytest.mark.django_db(transaction=True)
def test_the_table_of_key_versions_is_not_emptied() -> None:
    make_meter()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE meters_keyversion CASCADE")
    assert KeyVersion.objects.exists()
