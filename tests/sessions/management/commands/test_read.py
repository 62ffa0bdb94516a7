"""`manage.py read` as its users know it: a process, against simulated meters on real sockets and pseudo-terminals."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from meters.cosem.data import (
    array,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    visible_string,
)
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.units import ScalerUnit
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.errors import NoReplyError
from sessions.management.commands.read import Command, show
from sessions.object_reference import ObjectReference
from sessions.reading import Profile, ProfileColumn, Reading, Report

ROOT = Path(__file__).resolve().parents[4]
CLOCK = "8/0-0:1.0.0*255/2"
ENERGY = "3/1-0:1.8.0*255/2"
PROFILE = "7/1-0:99.1.0*255/2"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


AWAY = "postgres://nobody:nothing@127.0.0.1:1/none"


def environment(directory: Path) -> dict[str, str]:
    """No database, and a data directory that is not there: `read` needs neither."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "DATABASE_"))}
    return {
        **kept,
        "WORKBENCH_DATA_DIR": str(directory / "data"),
        "PYTHONUNBUFFERED": "1",
    }


without_database = environment


@contextmanager
def simulated(directory: Path, *arguments: str) -> Iterator[list[dict[str, Any]]]:
    """The meters that a simulator process announces."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "simulate", "--port", "0", "--serial-dir", str(directory / "ports"), *arguments],
        cwd=ROOT,
        env=environment(directory),
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(900, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["meters"]
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[dict[str, dict[str, Any]]]:
    """The demo lab, by serial number."""
    directory = tmp_path_factory.mktemp("lab")
    with simulated(directory, "--lab", "sessions/simulator/labs/demo.toml") as meters:
        yield {meter["serial_number"]: meter for meter in meters}


@pytest.fixture
def one(lab) -> Any:
    """A wrapper meter with a password."""
    return next(
        meter
        for meter in lab.values()
        if meter["association"]["framing"] == "wrapper" and meter["association"]["authentication"] == "lls"
    )


def association_file(directory: Path, association: dict[str, Any]) -> str:
    path = directory / "meter.toml"
    tables = {key: value for key, value in association.items() if isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in association.items() if key not in tables]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path.write_text("\n".join(lines))
    return str(path)


def run(directory: Path, endpoint: str, association: dict[str, Any], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the process."""
    path = association_file(directory, association)
    done = subprocess.run(
        [sys.executable, "manage.py", "read", endpoint, "--association", path, *arguments],
        cwd=ROOT,
        env=environment(directory),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def refused(directory: Path, endpoint: str, association: dict[str, Any]) -> dict[str, str]:
    """The error of a reading that fails, as JSON. In this process: these tests may not touch the database."""
    output = io.StringIO()
    path = association_file(directory, association)
    with pytest.raises(SystemExit) as raised:
        call_command("read", endpoint, CLOCK, "--association", path, "--json", stdout=output)
    assert raised.value.code == 1
    error = json.loads(output.getvalue())["error"]
    assert set(error) >= {"layer", "code", "message", "hint"}
    return error


# -- the contract ------------------------------------------------------------------------------------------------------


def test_every_meter_of_the_lab_over_its_own_line(lab, tmp_path):
    kinds = set()
    for meter in lab.values():
        association = meter["association"]
        code, output, errors = run(tmp_path, meter["endpoint"], association, CLOCK, f"{PROFILE}[#1..2]", "--json")
        assert (code, errors) == (0, "")
        said = json.loads(output)
        clock, profile = said["values"]
        assert (clock["object"], clock["attribute"], clock["result"], clock["type"]) == (
            CLOCK,
            2,
            "success",
            "octet-string",
        )
        assert MOMENT.match(clock["value"])
        assert len(profile["value"]["rows"]) == 2
        assert profile["value"]["columns"][0]["title"] == "Clock"
        assert said["frames"] >= 8
        assert "get" in said["association"]["conformance"]
        kinds.add((meter["endpoint"].partition(":")[0], association["framing"], association["authentication"]))
    assert kinds >= {
        ("tcp", "wrapper", "lls"),
        ("tcp", "wrapper", "hls-gmac"),
        ("tcp", "hdlc", "lls"),
        ("tcp", "hdlc", "hls-gmac"),
        ("serial", "hdlc", "lls"),
    }
    assert not list(tmp_path.rglob("*sqlite*"))


@pytest.mark.parametrize("name", ["associations", "suites", "short_names"])
def test_every_way_to_be_let_in_and_to_be_protected(name, tmp_path):
    with simulated(tmp_path, "--lab", f"sessions/simulator/labs/{name}.toml") as meters:
        for meter in meters:
            output = io.StringIO()
            path = association_file(tmp_path, meter["association"])
            # in this process: each of the meters takes a tenth of a second so, and not three seconds
            call_command("read", meter["endpoint"], CLOCK, "--association", path, "--json", stdout=output)
            said = json.loads(output.getvalue())
            assert said["values"][0]["result"] == "success", meter["name"]
            assert said["association"]["remarks"] == [], meter["name"]
    assert len(meters) >= 2


SCALED = ["3/1-0:1.8.0*255/2", "3/1-0:1.8.0*255/3", "3/1-0:2.8.0*255/2", "3/1-0:2.8.0*255/3", "3/1-0:9.9.9*255/2"]


def test_every_form_in_which_much_is_asked_at_once(tmp_path):
    """Lists, ACCESS, blocks of a service and general blocks, over each framing, in clear and ciphered: the same is read."""
    frames: dict[str, int] = {}
    rows = set()
    with simulated(tmp_path, "--lab", "sessions/simulator/labs/services.toml") as meters:
        for meter in meters:
            output = io.StringIO()
            path = association_file(tmp_path, meter["association"])
            call_command(
                "read", meter["endpoint"], *SCALED, f"{PROFILE}[#1..20]", "--association", path, "--json", stdout=output
            )
            said = json.loads(output.getvalue())
            *values, profile = said["values"]
            assert [value["result"] for value in values] == ["success"] * 4 + ["object-undefined"], meter["name"]
            assert [value["value"] for value in values[1::2]] == [[0, 30]] * 2
            assert len(profile["value"]["rows"]) == 20
            assert set(said["association"]["conformance"]) == set(meter["association"]["conformance"]) - {EVENTS}
            rows.add(len(profile["value"]["columns"]))
            frames[meter["name"]] = said["frames"]
    assert len(rows) == 1
    single = frames.pop("Nothing but single requests")
    assert {meter["association"]["framing"] for meter in meters} == {"wrapper", "hdlc"}
    wrapper = [meter["name"] for meter in meters if meter["association"]["framing"] == "wrapper"]
    assert all(frames[name] < single for name in wrapper if name in frames)


EVENTS = "event-notification"
"""A service that the client offers and the simulated meters do not."""


def test_a_meter_of_short_names(tmp_path):
    energy, profile = "3/1-1:1.8.0*255/2", f"{PROFILE}[#1..3]"
    with simulated(tmp_path, "--lab", "sessions/simulator/labs/short_names.toml") as meters:
        for meter in meters:
            output = io.StringIO()
            path = association_file(tmp_path, meter["association"])
            missing = "3/1-0:1.8.0*255/2"
            call_command(
                "read", meter["endpoint"], energy, profile, missing, "--association", path, "--json", stdout=output
            )
            said = json.loads(output.getvalue())
            value, rows, none = said["values"]
            assert (value["result"], value["type"]) == ("success", "double-long-unsigned")
            assert len(rows["value"]["rows"]) == 3
            assert rows["value"]["columns"][2]["unit"] == "Wh"
            assert (none["result"], none["error"]["layer"]) == ("object-undefined", "access")
            assert "parameterized-access" in said["association"]["conformance"]
            assert said["association"]["vaa_name"] == 0xFA00
    assert {meter["association"]["framing"] for meter in meters} == {"wrapper", "hdlc"}


def test_a_range_of_times_gives_its_rows(one, tmp_path):
    code, output, _ = run(tmp_path, one["endpoint"], one["association"], CLOCK, f"{PROFILE}[#1..4]", "--json")
    times = [row[0] for row in json.loads(output)["values"][1]["value"]["rows"]]
    part = f"[{times[1]}..{times[2]}]"
    code, output, _ = run(tmp_path, one["endpoint"], one["association"], PROFILE + part, "--json")
    assert code == 0
    assert [row[0] for row in json.loads(output)["values"][0]["value"]["rows"]] == times[1:3]


def test_a_missing_object_is_a_result_and_not_an_error(one, tmp_path):
    code, output, _ = run(tmp_path, one["endpoint"], one["association"], "1/9-9:9.9.9*9/2", ENERGY, "--json")
    missing, energy = json.loads(output)["values"]
    assert code == 0
    assert (missing["result"], missing["value"], missing["type"]) == ("object-undefined", None, None)
    assert (energy["result"], energy["type"]) == ("success", "double-long-unsigned")


def test_a_table_for_people(one, tmp_path):
    code, output, errors = run(tmp_path, one["endpoint"], one["association"], CLOCK, f"{PROFILE}[#1..2]")
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert lines[0].startswith(CLOCK)
    assert "2 rows" in lines[1]
    assert "Active energy import (+A), total [Wh]" in lines[2]
    assert MOMENT.match(lines[3].strip())


UDP_AND_WINDOWS = """
[[lines]]
kind = "udp"
[[lines.meters]]
serial_number = "20000001"
max_pdu_size = 240
[[lines]]
kind = "hdlc"
max_info = 64
window = 7
[[lines.meters]]
serial_number = "20000002"
physical_address = 17
[[lines]]
kind = "hdlc"
max_info = 2030
[[lines.meters]]
serial_number = "20000003"
"""


def test_udp_and_hdlc_with_windows_and_long_fields(tmp_path):
    """A whole session over each: associate, read a value and a profile that needs many frames, release."""
    path = tmp_path / "lab.toml"
    path.write_text(UDP_AND_WINDOWS)
    frames = []
    with simulated(tmp_path, "--lab", str(path)) as meters:
        assert [meter["endpoint"].partition(":")[0] for meter in meters] == ["udp", "tcp", "tcp"]
        for meter in meters:
            association = meter["association"]
            code, output, errors = run(tmp_path, meter["endpoint"], association, CLOCK, f"{PROFILE}[#1..40]", "--json")
            assert (code, errors) == (0, "")
            said = json.loads(output)
            assert [value["result"] for value in said["values"]] == ["success", "success"]
            assert len(said["values"][1]["value"]["rows"]) == 40
            frames.append(said["frames"])
    # Windows save the acknowledgement after each frame, long fields the frames.
    assert frames[2] < frames[0] < frames[1]


# -- what goes wrong, layer by layer -----------------------------------------------------------------------------------------


def test_a_wrong_password(one, tmp_path):
    error = refused(tmp_path, one["endpoint"], {**one["association"], "secret": "text:wrong"})
    assert (error["layer"], error["code"]) == ("authentication", "authentication-failed")
    assert "authentication-failure" in error["message"]
    assert "exact octets" in error["hint"]


def test_wrong_keys(lab, tmp_path):
    meter = next(each for each in lab.values() if each["association"].get("guek") and "tcp" in each["endpoint"])
    error = refused(tmp_path, meter["endpoint"], {**meter["association"], "guek": "FF" * 16})
    assert error["layer"] in ("association", "security")
    assert "guek" in error["hint"] or "keys" in error["hint"]


def test_a_wrong_hdlc_address(lab, tmp_path):
    meter = next(each for each in lab.values() if "hdlc" in each["association"] and "tcp" in each["endpoint"])
    hdlc = {**meter["association"]["hdlc"], "physical_address": 99}
    error = refused(tmp_path, meter["endpoint"], {**meter["association"], "hdlc": hdlc, "timeout": 0.3})
    assert (error["layer"], error["code"]) == ("link", "no-reply")
    assert "physical address" in error["hint"]


def test_a_wrong_server_sap(one, tmp_path):
    error = refused(tmp_path, one["endpoint"], {**one["association"], "server_sap": 77, "timeout": 0.3})
    assert (error["layer"], error["code"]) == ("link", "no-reply")


def test_the_wrong_framing(one, tmp_path):
    error = refused(tmp_path, one["endpoint"], {**one["association"], "framing": "hdlc", "timeout": 0.3})
    assert error["layer"] in ("link", "line")
    assert "framing" in error["hint"] or "wrapper" in error["hint"]


def test_a_dead_line(one, tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = refused(tmp_path, f"tcp://127.0.0.1:{nobody.getsockname()[1]}", one["association"])
    assert (error["layer"], error["code"]) == ("line", "connection-refused")


def test_nobody_listens_for_datagrams(one, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"udp://127.0.0.1:{nobody.getsockname()[1]}"
    error = refused(tmp_path, endpoint, one["association"])
    assert (error["layer"], error["code"]) == ("line", "connection-refused")
    assert "UDP port" in error["message"]


def test_a_meter_that_does_not_hear_datagrams(one, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        endpoint = f"udp://127.0.0.1:{silent.getsockname()[1]}"
        error = refused(tmp_path, endpoint, {**one["association"], "timeout": 0.2})
    assert (error["layer"], error["code"]) == ("link", "no-reply")
    assert "UDP loses a datagram" in error["hint"]


def test_hdlc_over_udp(one, tmp_path):
    error = refused(tmp_path, "udp://127.0.0.1:4059", {**one["association"], "framing": "hdlc"})
    assert (error["layer"], error["code"]) == ("configuration", "framing-not-possible")


def test_a_silent_line(one, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        error = refused(tmp_path, endpoint, {**one["association"], "timeout": 0.3})
    assert (error["layer"], error["code"]) == ("link", "no-reply")


def test_a_serial_port_that_is_not_there(lab, tmp_path):
    meter = next(each for each in lab.values() if each["endpoint"].startswith("serial"))
    error = refused(tmp_path, f"serial://{tmp_path}/none?baud=9600", meter["association"])
    assert (error["layer"], error["code"]) == ("line", "port-missing")


def test_a_used_up_counter(lab, tmp_path):
    meter = next(each for each in lab.values() if each["association"].get("guek") and "tcp" in each["endpoint"])
    run(tmp_path, meter["endpoint"], meter["association"], CLOCK)
    old = {**meter["association"], "invocation_counter": 0}
    code, _, _ = run(tmp_path, meter["endpoint"], old, CLOCK)
    assert code == 0  # what stands in the file is never used again
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    error = refused(elsewhere, meter["endpoint"], old)
    assert error["layer"] == "security"
    assert "counter" in error["message"]


def test_a_database_that_may_know_the_key_and_does_not_answer(lab, tmp_path, monkeypatch):
    """Who uses counters up is refused: others may have used them. Everybody else is served."""
    monkeypatch.setitem(sys.modules[__name__].__dict__, "environment", with_database_away)
    meters = [each for each in lab.values() if "tcp" in each["endpoint"]]
    ciphered = next(each for each in meters if each["association"].get("guek"))
    plain = next(each for each in meters if not each["association"].get("guek"))
    code, output, _ = run(tmp_path, ciphered["endpoint"], ciphered["association"], CLOCK, "--json")
    error = json.loads(output)["error"]
    assert (code, error["layer"], error["code"]) == (1, "security", "invocation-counter-unknown")
    assert "DATABASE_URL" in error["hint"]
    code, _, _ = run(tmp_path, plain["endpoint"], plain["association"], CLOCK)
    assert code == 0


def with_database_away(directory: Path) -> dict[str, str]:
    return {**without_database(directory), "DATABASE_URL": AWAY}


def test_an_association_file_with_a_wrong_key(one, tmp_path):
    error = refused(tmp_path, one["endpoint"], {**one["association"], "client_sap": "sixteen"})
    assert (error["layer"], error["code"]) == ("configuration", "bad-association-file")
    assert error["message"].startswith("client_sap: ")


def test_an_error_for_people_is_a_sentence_and_a_hint(one, tmp_path):
    code, output, errors = run(tmp_path, one["endpoint"], {**one["association"], "secret": "text:wrong"}, CLOCK)
    assert (code, output) == (1, "")
    sentence, hint = errors.splitlines()
    assert sentence.startswith("authentication: The meter rejected the association: authentication-failure")
    assert "secret" in hint


@pytest.mark.parametrize(
    "arguments",
    [
        ["tcp://127.0.0.1:4059", "--association", "x.toml"],
        ["tcp://127.0.0.1:4059", CLOCK],
        ["nowhere", "--association", "x.toml", CLOCK],
        ["tcp://127.0.0.1", "--association", "x.toml", CLOCK],
        ["tcp://127.0.0.1:4059", "--association", "x.toml", "clock"],
        ["tcp://127.0.0.1:4059", "--association", "x.toml", f"{ENERGY}[#1..2]"],
        ["tcp://127.0.0.1:4059", "--association", "x.toml", CLOCK, "--secret", "12345678"],
    ],
)
def test_wrong_usage_ends_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as raised:
        Command().run_from_argv(["manage.py", "read", *arguments])
    assert raised.value.code == 2
    assert "usage: manage.py read" in capsys.readouterr().err


def test_wrong_usage_of_the_process_ends_with_two(one, tmp_path):
    code, output, errors = run(tmp_path, one["endpoint"], one["association"], "clock")
    assert (code, output) == (2, "")
    assert "'clock' is not class/obis/attribute" in errors


def test_a_refusal_of_the_process_ends_with_one(one, tmp_path):
    code, output, errors = run(
        tmp_path, one["endpoint"], {**one["association"], "secret": "text:wrong"}, CLOCK, "--json"
    )
    assert (code, errors) == (1, "")
    assert json.loads(output)["error"]["layer"] == "authentication"


def test_errors_of_the_reading_are_said_by_the_command(monkeypatch, tmp_path, capsys):
    async def fail(*arguments: object) -> None:
        raise NoReplyError("Nothing came", hint="Wait longer")

    monkeypatch.setattr("sessions.management.commands.read.read_objects", fail)
    path = association_file(tmp_path, {"framing": "wrapper"})
    with pytest.raises(SystemExit) as raised:
        call_command("read", "tcp://127.0.0.1:1", CLOCK, "--association", path)
    assert raised.value.code == 1
    assert capsys.readouterr().err == "link: Nothing came\nWait longer\n"


# -- recorded meters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trace", "text", "expected"),
    [
        ("ce318-read-time", CLOCK, "2022-08-15T21:08:13"),
        ("ce318-profile-1", f"{PROFILE}[#1..48]", 48),
        ("ce318-profile-2", f"{PROFILE}[2022-07-25T00:00..2022-07-26T00:00]", 49),
        ("ce318-profile-3", f"{PROFILE}[2022-07-25T00:00..2022-07-26T00:00]", 48),
        ("kfm-hls-gmac", CLOCK, "2026-04-04T04:04:43"),
    ],
)
def test_recorded_meters(trace, text, expected, captures, tmp_path):
    with simulated(tmp_path, "--replay", f"{captures / 'sessions.json'}#{trace}") as meters:
        code, output, _ = run(tmp_path, meters[0]["endpoint"], meters[0]["association"], text, "--json")
    value = json.loads(output)["values"][0]["value"]
    assert code == 0
    if isinstance(expected, str):
        assert value.startswith(expected)
    else:
        assert len(value["rows"]) == expected
        assert all(MOMENT.match(row[0]) and len(row) == 5 for row in value["rows"])


def test_the_rows_of_a_recorded_profile_are_the_published_ones(captures, tmp_path):
    traces = {trace["id"]: trace for trace in json.loads((captures / "sessions.json").read_text())}
    published = traces["ce318-profile-2"]["expect"]["decoded_rows_raw"]
    text = f"{PROFILE}[2022-07-25T00:00..2022-07-26T00:00]"
    with simulated(tmp_path, "--replay", f"{captures / 'sessions.json'}#ce318-profile-2") as meters:
        _, output, _ = run(tmp_path, meters[0]["endpoint"], meters[0]["association"], text, "--json")
    rows = json.loads(output)["values"][0]["value"]["rows"]
    assert [[row[0][:16], *row[1:]] for row in rows] == published


# -- showing ----------------------------------------------------------------------------------------------------------------


def shown(*readings: Reading, remarks: tuple[str, ...] = ()) -> list[str]:
    return show(Report({"remarks": list(remarks)}, readings, 0)).splitlines()


def test_tables_scale_and_align():
    energy = ProfileColumn(CaptureObject(3, ObisCode.parse("1-0:1.8.0*255"), 2), "Energy", ScalerUnit(-1, 30))
    rows = (
        (double_long_unsigned(12345),),
        (double_long_unsigned(5),),
        (octet_string(b"\x01"), double_long_unsigned(1)),
    )
    profile = Profile((energy, ProfileColumn(None, "Column 2")), rows)
    lines = shown(Reading(ObjectReference.parse(PROFILE), profile))
    assert lines == [f"{PROFILE}  3 rows", "  Energy [Wh]  Column 2", "  1234.5", "  0.5", "  01           1"]


def test_refusals_errors_and_remarks_are_shown():
    lines = shown(
        Reading(ObjectReference.parse(CLOCK), DataAccessResult.READ_WRITE_DENIED),
        Reading(ObjectReference.parse(ENERGY), NoReplyError("Nothing came")),
        remarks=("An odd meter",),
    )
    assert lines == [f"{CLOCK}  read-write-denied", f"{ENERGY}  no-reply: Nothing came", "Note: An odd meter"]


def test_a_meter_cannot_steer_the_terminal():
    name = visible_string(b"\x1b]0;owned\x07\x1b[2J\rgone")
    assert shown(Reading(ObjectReference.parse("1/0-0:42.0.0*255/2"), name)) == [
        "1/0-0:42.0.0*255/2  “\\x1b]0;owned\\x07\\x1b[2J\\x0dgone”"
    ]


def test_values_are_told_in_the_words_of_their_class():
    relay, columns = ObjectReference.parse("70/0-0:96.3.10*255/3"), ObjectReference.parse("7/1-0:99.1.0*255/3")
    clock = structure(long_unsigned(8), octet_string(bytes.fromhex("0000010000ff")), integer(2), long_unsigned(0))
    assert shown(Reading(relay, enum(1)), Reading(columns, array(clock))) == [
        "70/0-0:96.3.10*255/3  connected (1)",
        "7/1-0:99.1.0*255/3    1 element",
        "  1: Clock (0-0:1.0.0*255), time",
        "    class_id: 8 Clock",
        "    logical_name: Clock (0-0:1.0.0*255)",
        "    attribute_index: 2 time",
        "    data_index: 0",
    ]


def test_times_of_a_meter_that_counts_the_deviation_the_other_way():
    clock = octet_string(bytes.fromhex("07ea0b19030a000000003c00"))
    reading = Reading(ObjectReference.parse("8/0-0:1.0.0*255/2"), clock, reverse_deviation=True)
    assert shown(reading) == ["8/0-0:1.0.0*255/2  2026-11-25 10:00:00+01:00"]
