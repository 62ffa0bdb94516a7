"""`manage.py snapshot`: a meter into a file, its progress and its ends; and `simulate --snapshot` serves the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from meters.cosem.obis import ObisCode
from sessions.management.commands import snapshot as module
from sessions.simulator.lab import LabMeter
from sessions.simulator.meter import Meter
from sessions.snapshot_file import load_snapshot, parse_snapshot, save_snapshot
from tests.sessions.management.commands.test_simulate import announced, usage
from tests.sessions.simulator.served import LLS, lab_meter, listening
from tests.sessions.simulator.test_snapshot import lab_for

ASSOCIATION = 'framing = "wrapper"\nclient_sap = 32\nauthentication = "lls"\nsecret = "text:12345678"\n'


@pytest.fixture
def association(tmp_path) -> Path:
    path = tmp_path / "meter.toml"
    path.write_text(ASSOCIATION)
    return path


def run(endpoint: str, association: Path, output: Path, *more: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "snapshot", endpoint, "--association", str(association), "--output", str(output), *more, stdout=out, stderr=err
    )
    return out.getvalue(), err.getvalue()


def ended(*arguments: Any) -> tuple[int, str]:
    err = io.StringIO()
    endpoint, association, output, *more = (str(each) for each in arguments)
    with pytest.raises(SystemExit) as end:
        call_command(
            "snapshot",
            endpoint,
            "--association",
            association,
            "--output",
            output,
            *more,
            stdout=io.StringIO(),
            stderr=err,
        )
    return int(end.value.code or 0), err.getvalue()


def test_a_meter_into_a_file_and_out_again(tmp_path, association, monkeypatch):
    monkeypatch.setattr(module, "TOLD_EVERY", 0.0)
    monkeypatch.setattr(module, "SAVED_EVERY", 0.0)
    output = tmp_path / "snapshot.json"
    with listening(lab_for(lab_meter(LLS)), tmp_path) as meters:
        out, err = run(meters[0]["endpoint"], association, output, "--rows", "3")
    assert f"{len(load_snapshot(output).objects)} objects" in out
    assert "1 left out as secret" in out
    assert " of " in err.splitlines()[0]
    taken = load_snapshot(output)
    assert taken.finished
    with announced("--snapshot", str(output), "--port", "0") as said:
        again = tmp_path / "again.json"
        run(said["meters"][0]["endpoint"], association, again, "--rows", "3")
    first, second = (json.loads(path.read_text("utf-8"))["objects"] for path in (output, again))
    for each in first + second:
        if each["class_id"] == 8:  # the clock goes on
            assert each["attributes"].pop("2")
    assert second == first


def test_what_is_there_is_not_overwritten(tmp_path, association):
    output = tmp_path / "snapshot.json"
    output.write_text("mine")
    with pytest.raises(CommandError, match="exists"):
        run("tcp://127.0.0.1:1", association, output)
    with pytest.raises(CommandError, match="no JSON"):
        run("tcp://127.0.0.1:1", association, output, "--resume")
    with pytest.raises(CommandError, match="cannot be read"):
        run("tcp://127.0.0.1:1", association, tmp_path / "missing.json", "--resume")
    assert output.read_text() == "mine"


def test_nobody_there_leaves_no_file(tmp_path, association):
    output = tmp_path / "snapshot.json"
    code, err = ended("tcp://127.0.0.1:1", association, output)
    assert code == 1
    assert err.startswith("line: ")
    assert not output.exists()


def breaking(meter: LabMeter, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[int, Any], bool]) -> None:
    """The meter hangs up where `breaks` says so, of the number of a GET and what it asks for."""
    assert isinstance(meter.device, Meter)
    get, count = meter.device.get, 0

    def hang_up(caller, descriptor, selection):
        nonlocal count
        count += 1
        if breaks(count, descriptor):
            raise RuntimeError("the meter hangs up")
        return get(caller, descriptor, selection)

    monkeypatch.setattr(meter.device, "get", hang_up)


def test_a_part_is_kept_and_finished(tmp_path, association, monkeypatch, capfd):
    output = tmp_path / "snapshot.json"
    meter = lab_meter(LLS)
    with listening(lab_for(meter), tmp_path) as meters:
        with monkeypatch.context() as patched:
            breaking(meter, patched, lambda count, asked: count > 50)
            code, err = ended(meters[0]["endpoint"], association, output)
        assert code == 1
        assert "--resume goes on with it" in err
        part = load_snapshot(output)
        assert not part.finished
        assert part.broken is not None
        assert part.broken["layer"]
        out, _ = run(meters[0]["endpoint"], association, output, "--resume")
    assert f"{len(load_snapshot(output).objects)} objects" in out
    assert load_snapshot(output).finished
    assert load_snapshot(output).broken is None


def test_what_breaks_a_conversation_is_left_out_and_everything_else_is_read(tmp_path, association, monkeypatch, capfd):
    output, name = tmp_path / "snapshot.json", ObisCode.parse("1-0:1.8.0*255")
    meter = lab_meter(LLS)
    breaking(
        meter, monkeypatch, lambda count, asked: (asked.instance_id, asked.attribute_id) == (name, 2) or count == 9
    )
    with listening(lab_for(meter), tmp_path) as meters:
        out, err = run(meters[0]["endpoint"], association, output)
    assert "1 refused" in out
    assert "Going on in a new conversation." in err
    taken = load_snapshot(output)
    assert taken.finished
    broke = [
        (str(one.logical_name), n, each) for one in taken.objects for n, each in one.attributes.items() if each.broke
    ]
    ((where, number, recorded),) = broke
    assert (where, number, recorded.refused) == (str(name), 2, "connection-lost")


def test_interrupted(tmp_path, association, monkeypatch):
    output = tmp_path / "snapshot.json"
    whole = tmp_path / "whole.json"
    with listening(lab_for(lab_meter(LLS)), tmp_path) as meters:
        run(meters[0]["endpoint"], association, whole)
    part = parse_snapshot(whole.read_bytes())
    part.finished = False
    save_snapshot(part, output)

    async def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_take", interrupted)
    code, err = ended("tcp://127.0.0.1:1", association, output, "--resume")
    assert code == module.INTERRUPTED
    assert "a part" in err
    assert load_snapshot(output).broken == {"message": "it was interrupted"}


@pytest.mark.parametrize("rows", ["0", "x", "-1", "10000000"])
def test_rows_that_are_none(rows, tmp_path, association):
    with pytest.raises(CommandError, match="all"):
        run("tcp://127.0.0.1:1", association, tmp_path / "snapshot.json", "--rows", rows)


def test_a_directory_that_is_not_there(tmp_path, association):
    with listening(lab_for(lab_meter(LLS)), tmp_path) as meters, pytest.raises(CommandError, match="cannot be written"):
        run(meters[0]["endpoint"], association, tmp_path / "missing" / "snapshot.json")


def test_serving_what_is_none(tmp_path):
    path = tmp_path / "snapshot.json"
    path.write_text("{}")
    assert "no snapshot" in usage("--snapshot", str(path))
    assert "--association belongs to --snapshot" in usage("--association", str(path))
