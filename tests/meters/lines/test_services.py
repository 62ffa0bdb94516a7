"""Lines as things: found, saved, deleted, each change with its entry in the log."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.changes import changes_of
from meters.lines.services import delete_line, find_line, forget_unused, save_line
from meters.models import AllowedTarget, Change, Line, Meter, RefusedTarget
from meters.services import save_meter
from tests.meters.builders import make_meter, meter_fields
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db

TCP = {"kind": "TCP", "host": "10.0.0.7", "port": 4059}
SERIAL = {"kind": "SERIAL", "serial_port": "bridge-1", "baud": 300, "data_bits": 7, "parity": "E", "stop_bits": 1}


@pytest.fixture(autouse=True)
def _ports(settings) -> None:
    settings.SERIAL_PORTS = {"bridge-1": "/dev/ttyUSB0", "bridge-2": "/dev/ttyUSB1"}


class TestFind:
    def test_the_same_properties_are_the_same_line(self) -> None:
        line = find_line(TCP, user=None)
        assert find_line({**TCP, "name": ""}, user=None) == line
        assert find_line({**TCP, "kind": "UDP"}, user=None) != line
        assert Line.objects.count() == 2
        assert [change.action for change in changes_of(line)] == ["CREATE"]

    @pytest.mark.parametrize("host", ["::ffff:10.0.0.7", "[::ffff:a00:7]"])
    def test_an_address_has_one_spelling(self, host: str) -> None:
        line = find_line(TCP, user=None)
        assert find_line({**TCP, "host": host}, user=None) == line

    def test_a_new_name_is_taken_over(self) -> None:
        meter = make_meter(line={**TCP, "name": "old"})
        line = find_line({**TCP, "name": "rack 7"}, user="anna")
        assert "rack 7" in Meter.objects.get(pk=meter.pk).search_text
        change = changes_of(line)[0]
        assert (change.fields, change.user_name) == ({"name": ["old", "rack 7"]}, "anna")

    def test_the_line_that_a_meter_has_is_not_judged_again(self) -> None:
        meter = make_meter(line=TCP)
        AllowedTarget.objects.all().delete()
        changed = {**meter_fields(line=TCP, meter={"name": "renamed"}), "meter_id": meter.pk}
        assert save_meter(**changed).name == "renamed"
        with pytest.raises(ValidationError, match="not on your list"):
            save_meter(**meter_fields(line=TCP, meter={"serial_number": "2"}))
        assert RefusedTarget.objects.count() == 1


class TestSave:
    def test_a_new_one(self) -> None:
        user = make_user()
        line = save_line(user=user, line={**TCP, "name": "bridge in rack 7"})
        assert (str(line), line.describe(), line.stays) == ("bridge in rack 7", "10.0.0.7:4059", True)
        (change,) = changes_of(line)
        assert (change.action, change.user) == ("CREATE", user)
        assert change.fields == {
            "name": [None, "bridge in rack 7"],
            "line_kind": [None, "TCP"],
            "host": [None, "10.0.0.7"],
            "port": [None, 4059],
        }

    def test_a_changed_one(self) -> None:
        meter = make_meter(line=TCP)
        line = save_line(user="anna", line={**SERIAL, "name": "s"}, line_id=meter.line_id)
        assert line.describe() == "bridge-1, 300 7E1"
        changed = changes_of(line)[0]
        assert changed.fields["line_kind"] == ["TCP", "Serial port"]
        assert changed.fields["host"] == ["10.0.0.7", None]
        assert "bridge-1" in Meter.objects.get().search_text

    def test_nothing_changed_nothing_logged(self) -> None:
        line = save_line(user=None, line=TCP)
        save_line(user=None, line=TCP, line_id=line.pk)
        assert changes_of(line).count() == 1

    def test_there_are_no_two_of_the_same(self) -> None:
        save_line(user=None, line={**TCP, "name": "one"})
        with pytest.raises(ValidationError, match="such a line already: one, with 0 meters"):
            save_line(user=None, line={**TCP, "name": "two"})

    @pytest.mark.parametrize(
        ("fields", "at"),
        [
            ({**TCP, "host": ""}, "host"),
            ({**TCP, "port": None}, "port"),
            ({**TCP, "port": 65536}, "port"),
            ({**TCP, "host": "172.16.0.1"}, "host"),
            ({**TCP, "host": "127.1"}, "host"),
            ({**SERIAL, "serial_port": "/dev/ttyUSB0"}, "serial_port"),
            ({**SERIAL, "serial_port": "../../etc/passwd"}, "serial_port"),
            ({**SERIAL, "serial_port": "spy:///dev/ttyUSB0?file=/tmp/x"}, "serial_port"),
            ({**SERIAL, "parity": "X"}, "parity"),
            ({**TCP, "kind": "TLS"}, "kind"),
            ({**TCP, "name": "a\x00b"}, "name"),
            ({**TCP, "host": "a\x00b"}, "host"),
        ],
    )
    def test_what_is_refused(self, fields: dict, at: str) -> None:
        with pytest.raises(ValidationError) as refused:
            save_line(user=None, line=fields)
        assert at in refused.value.error_dict
        assert not Line.objects.exists()
        assert not Change.objects.exists()

    def test_a_change_of_the_target_is_judged_and_one_of_the_name_is_not(self) -> None:
        line = save_line(user=None, line=TCP)
        AllowedTarget.objects.all().delete()
        assert save_line(user=None, line={**TCP, "name": "renamed"}, line_id=line.pk).name == "renamed"
        for change in ({"port": 4060}, {"host": "10.0.0.8"}, {"kind": "UDP"}):
            with pytest.raises(ValidationError, match="not on your list"):
                save_line(user=None, line={**TCP, **change}, line_id=line.pk)


class TestDelete:
    def test_not_while_meters_hang_on_it(self) -> None:
        meter = make_meter()
        with pytest.raises(ValidationError, match="1 meter hangs on this line"):
            delete_line(user=None, line_id=meter.line_id)
        make_meter(meter={"serial_number": "2"})
        with pytest.raises(ValidationError, match="2 meters hang on this line"):
            delete_line(user=None, line_id=meter.line_id)

    def test_it_goes_and_the_log_keeps_what_it_was(self) -> None:
        line = save_line(user=None, line={**TCP, "name": "gone"})
        delete_line(user="anna", line_id=line.pk)
        assert not Line.objects.exists()
        change = Change.objects.first()
        assert (change.action, change.kind, change.label) == ("DELETE", "LINE", "gone")
        assert change.fields["host"] == ["10.0.0.7", None]

    def test_a_line_that_came_with_a_meter_goes_with_it_and_one_of_its_own_stays(self) -> None:
        meter = make_meter(line=TCP)
        save_meter(**meter_fields(line={**TCP, "port": 4060}), meter_id=meter.pk)
        assert [line.port for line in Line.objects.all()] == [4060]
        kept = Line.objects.get()
        save_line(user=None, line={**TCP, "port": 4060, "name": "kept"}, line_id=kept.pk)
        save_meter(**meter_fields(line={**TCP, "port": 4061}), meter_id=meter.pk)
        assert sorted(line.port for line in Line.objects.all()) == [4060, 4061]
        forget_unused(line=Line.objects.get(port=4061), user=None)
        assert Line.objects.count() == 2
