"""State files: replaced as a whole, and refused where they are damaged."""

from __future__ import annotations

import json

import pytest

from sessions.simulator.lab import load_lab, make_meter, plain_lab
from sessions.simulator.state_file import StateError, StateFile
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, HandClock

STATE = {"format": 1, "serial_number": "7", "parts": {"clock": {"offset": 0.5}}}


def test_what_is_saved_is_loaded(tmp_path):
    file = StateFile(tmp_path / "states", "7")
    assert file.load() is None
    for offset in (0.5, 1.5):
        state = {**STATE, "parts": {"clock": {"offset": offset}}}
        file.save(state)
        assert file.load() == state
    assert [path.name for path in file.path.parent.iterdir()] == ["7.json"]
    assert file.path.stat().st_mode & 0o077 == 0  # keys stand in it


def test_every_truncation_and_every_changed_octet_is_refused(tmp_path):
    file = StateFile(tmp_path, "7")
    file.save(STATE)
    whole = file.path.read_bytes()
    for cut in range(len(whole) - 1):
        file.path.write_bytes(whole[:cut])
        with pytest.raises(StateError, match=r"7\.json is damaged.*remove it"):
            file.load()
    for at, octet in enumerate(whole):
        file.path.write_bytes(whole[:at] + bytes((octet ^ 1,)) + whole[at + 1 :])
        try:
            assert file.load() == STATE  # white space may be other white space
        except StateError:
            pass


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "null", '{"state": []}', "[" * 100_000, '{"checksum": "", "state": {}}']
)
def test_garbage_is_refused(tmp_path, text):
    file = StateFile(tmp_path, "7")
    file.path.write_text(text)
    with pytest.raises(StateError):
        file.load()


def test_a_file_that_cannot_be_read_or_written(tmp_path):
    file = StateFile(tmp_path, "7")
    file.path.mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        file.load()
    with pytest.raises(StateError, match="cannot be written"):
        file.save(STATE)


def test_a_half_written_file_hurts_nobody(tmp_path):
    """Who was killed while writing left the old one."""
    file = StateFile(tmp_path, "7")
    file.save(STATE)
    file.path.with_suffix(".new").write_text('{"che')
    assert file.load() == STATE
    file.save(STATE)
    assert file.load() == STATE


def test_a_lab_meter_keeps_its_state_in_the_folder(tmp_path):
    table = {"serial_number": "10000001", "association": GMAC}

    def powered():
        return make_meter(table, HandClock(), state=tmp_path)

    first = Pair(powered())
    first.open()
    first.action(70, "0-0:96.3.10*255", 1)
    second = Pair(powered(), counters=range(5_000, 6_000))
    second.open()
    assert second.get(70, "0-0:96.3.10*255", 2).value is False


@pytest.mark.parametrize("lazy", [False, True])
def test_a_damaged_state_keeps_the_meter_from_starting(tmp_path, lazy):
    (tmp_path / "10000001.json").write_text("{}")
    with pytest.raises(StateError, match=r"10000001\.json is damaged"):
        make_meter({"serial_number": "10000001"}, HandClock(), state=tmp_path, lazy=lazy)
    with pytest.raises(StateError):
        plain_lab(2, 0, HandClock(), state=tmp_path)


def test_anothers_state_is_refused(tmp_path):
    plain_lab(1, 0, HandClock(), state=tmp_path)
    (tmp_path / "10000002.json").write_bytes((tmp_path / "10000001.json").read_bytes())
    with pytest.raises(StateError, match="not the memory of meter 10000002"):
        make_meter({"serial_number": "10000002"}, HandClock(), state=tmp_path)


def test_a_lab_file_with_a_state(tmp_path):
    lab = tmp_path / "one.toml"
    lab.write_text('[[lines]]\nkind = "wrapper"\n[[lines.meters]]\nserial_number = "12"\n')
    load_lab(lab, HandClock(), tmp_path / "state")
    state = json.loads((tmp_path / "state" / "12.json").read_text())
    assert state["state"]["serial_number"] == "12"
