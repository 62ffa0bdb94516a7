"""`manage.py readout` against simulated meters: what it prints, what it hides, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.simulator.lab import LABS, HdlcOptions, LabLine, SignOnOptions, make_meter
from tests.conftest import ROOT
from tests.sessions.management.commands.test_simulate import simulate
from tests.sessions.simulator.served import LLS, HandClock, lab_of, listening

PASSWORD = "secret99"


@pytest.fixture
def endpoint(tmp_path):
    table = {"serial_number": "10000011", "association": LLS, "sign_on": {"password": PASSWORD}}
    meter = make_meter(table, HandClock(), HdlcOptions(), SignOnOptions())
    with listening(lab_of(LabLine(kind="hdlc", meters=(meter,), sign_on=SignOnOptions())), tmp_path) as told:
        yield told[0]["endpoint"]


@pytest.fixture
def sign_on(tmp_path):
    path = tmp_path / "meter.toml"
    path.write_text(f'password = "text:{PASSWORD}"\n[sign_on]\ndevice_address = "10000011"\n')
    return str(path)


def readout(*arguments):
    """Standard output, standard error and exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("readout", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return out.getvalue(), err.getvalue(), ended.code
    return out.getvalue(), err.getvalue(), 0


def test_the_readout_line_by_line(endpoint):
    out, err, code = readout(endpoint)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "identification /MWb5\\2MW3P-1.4.2: mode E, up to 9600 Bd"
    assert any(line.startswith("0.0.0   10000011") for line in lines)
    [energy] = [line for line in lines if line.startswith("1.8.0 ")]
    assert "kWh" in energy
    assert "Active energy import (+A)" in energy


def test_the_readout_as_json(endpoint):
    out, _, code = readout(endpoint, "--json")
    assert code == 0
    assert {one["address"] for one in json.loads(out)["readings"]} >= {"0.0.0", "1.8.0", "F.F"}


def test_reading_and_writing_in_programming_mode(endpoint, sign_on):
    out, err, code = readout(
        endpoint, "--sign-on", sign_on, "--write", "C.1.1=new", "--read", "C.1.1", "9.9.9", "R5:P.01(0261125100000;)"
    )
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[1] == "W1 C.1.1(new): done"
    assert lines[2].startswith("C.1.1  new")
    assert lines[3] == "R1 9.9.9: The meter refused: ER05."
    assert lines[4].split() == ["time", "1.8.0", "[kWh]", "2.8.0", "[kWh]"]
    assert lines[5].startswith("  2026-11-25 10:00:00  ")


@pytest.mark.parametrize("parity", ["false", "true"])
def test_the_trace_shows_every_frame_and_never_the_password(endpoint, tmp_path, parity):
    path = tmp_path / "meter.toml"
    path.write_text(f'password = "text:{PASSWORD}"\n[sign_on]\nparity_in_octets = {parity}\n')
    out, err, code = readout(endpoint, "--sign-on", str(path), "--trace", "--read", "0.0.0")
    assert code == 0
    assert "sign-on request" in err
    assert "acknowledgement: programming mode" in err
    assert "P1 (password)" in err
    assert err.count("->") >= 4
    for octets in (PASSWORD.encode(), with_even_parity(PASSWORD.encode())):
        assert octets.hex(" ") not in err
    assert PASSWORD not in out + err


def test_an_error_is_a_sentence_or_an_object(endpoint, tmp_path):
    path = tmp_path / "meter.toml"
    path.write_text('timeout = 0.2\n[sign_on]\ndevice_address = "999"\n')
    out, err, code = readout(endpoint, "--sign-on", str(path))
    assert (out, code) == ("", 1)
    assert err.startswith("link: The sign-on request got no identification of device 999")
    out, err, code = readout(endpoint, "--sign-on", str(path), "--json")
    assert (err, code) == ("", 1)
    assert json.loads(out)["error"]["code"] == "no-reply"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "is not an endpoint"),
        (["tcp://h:1", "--read", "1.8.0("], "is no address"),
        (["tcp://h:1", "--write", "1.8.0"], "writes nothing"),
        (["tcp://h:1", "--listen", "--read", "1.8.0"], "--listen says nothing"),
    ],
)
def test_wrong_usage(arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("readout", *arguments)


def test_a_sign_on_file_that_cannot_be_used(tmp_path):
    (tmp_path / "x.toml").write_text("password = 5")
    _, err, code = readout("tcp://127.0.0.1:1", "--sign-on", str(tmp_path / "x.toml"))
    assert code == 1
    assert err.startswith("configuration: password")


def as_toml(table):
    """The announced settings, as somebody would write them down."""
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    inner = {name: value for name, value in table.items() if isinstance(value, dict)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
    for name, value in inner.items():
        lines += [f"[{name}]", as_toml(value)]
    return "\n".join(lines) + "\n"


def manage(*arguments):
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )


def test_mode_e_and_a_readout_end_to_end_over_a_terminal(tmp_path):
    """Three processes: the lab on a pseudo-terminal whose speeds count, `read` through mode E, `readout` in mode C."""
    with simulate("--lab", str(LABS / "optical.toml"), "--port", "0", "--serial-dir", str(tmp_path)) as (_, meters):
        for meter in meters[:2]:
            assert meter["endpoint"].startswith("serial://")
            (tmp_path / "association.toml").write_text(as_toml(meter["association"]))
            done = manage(
                "read", meter["endpoint"], "--association", str(tmp_path / "association.toml"), "1/0-0:96.1.0*255/2"
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert meter["serial_number"] in done.stdout
        done = manage("readout", meters[-1]["endpoint"], "--listen")
        assert (done.returncode, done.stderr) == (0, "")
        assert "1-0:1.8.1" in done.stdout
        (tmp_path / "meter.toml").write_text(as_toml(meters[1]["readout"]))
        done = manage("readout", meters[1]["endpoint"], "--sign-on", str(tmp_path / "meter.toml"))
        assert (done.returncode, done.stderr) == (0, "")
        assert meters[1]["serial_number"] in done.stdout
