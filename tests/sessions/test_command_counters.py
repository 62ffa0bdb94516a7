"""Counters of commands: no number twice, whoever else uses the key, whatever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from meters.models import InvocationCounter
from meters.services import MAX_COUNTER_JUMP, learn_invocation_counter
from meters.vault import fingerprint
from sessions import command_counters as module
from sessions.association_file import AssociationFile, parse_association
from sessions.command_counters import FILE_NAME, DatabaseCounters, FileCounters, key_name, reserved_counters
from sessions.dlms.errors import LocalProtocolError
from tests.meters.builders import make_ciphered_meter, make_meter
from tests.sessions.simulator.served import CLIENT_TITLE, GMAC, GUEK

KEY = bytes.fromhex(GUEK)


def association(**changes: Any) -> AssociationFile:
    return parse_association({"framing": "wrapper", **GMAC, **changes})


def run(work: Any) -> Any:
    return asyncio.run(work)


@pytest.fixture
def in_file(tmp_path: Path) -> FileCounters:
    return FileCounters(tmp_path / FILE_NAME, "a key")


class TestInAFile:
    def test_the_next_block_begins_where_the_last_one_ended(self, in_file: FileCounters) -> None:
        run(in_file.learn(500, trusted=False))
        assert run(in_file.reserve(128)) == range(500, 628)
        again = FileCounters(in_file.path, "a key")
        run(again.learn(500, trusted=True))  # what stands in the association file, or an old answer
        assert run(again.reserve(128)) == range(628, 756)
        run(again.learn(9000, trusted=True))
        assert run(again.reserve(1)) == range(9000, 9001)

    def test_each_key_and_title_has_its_own(self, in_file: FileCounters) -> None:
        run(in_file.reserve(10))
        other = FileCounters(in_file.path, "another key")
        assert run(other.reserve(10)) == range(0, 10)
        others = [association(guek="11" * 16), association(client_system_title="4D57424D57422D32")]
        names = {key_name(one) for one in (association(), *others)}
        assert len(names) == 3
        assert not any(GUEK.lower() in name for name in names)

    def test_a_jump_that_only_a_person_can_believe(self, in_file: FileCounters) -> None:
        run(in_file.reserve(1))
        with pytest.raises(LocalProtocolError, match="a jump too far") as refused:
            run(in_file.learn(MAX_COUNTER_JUMP + 2, trusted=False))
        assert "invocation_counter" in refused.value.hint
        assert run(in_file.reserve(1)) == range(1, 2)
        run(in_file.learn(MAX_COUNTER_JUMP + 2, trusted=True))

    def test_the_end_of_the_counters(self, in_file: FileCounters) -> None:
        run(in_file.learn(2**32 - 2**16 - 10, trusted=True))
        with pytest.raises(LocalProtocolError, match="used up") as refused:
            run(in_file.reserve(128))
        assert "new key" in refused.value.hint

    @pytest.mark.parametrize("octets", [b"", b"[]", b"{", b'{"a": -1}', b'{"a": 1.5}', b'{"a": true}', b"\xff"])
    def test_a_damaged_file_hands_out_nothing(self, in_file: FileCounters, octets: bytes) -> None:
        in_file.path.write_bytes(octets)
        with pytest.raises(LocalProtocolError, match="is damaged") as refused:
            run(in_file.reserve(1))
        assert refused.value.code == "counter-file-unusable"
        assert in_file.path.read_bytes() == octets

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(LocalProtocolError, match="cannot be locked") as refused:
            FileCounters(tmp_path / "gone" / FILE_NAME, "a key")
        assert refused.value.hint

    def test_what_cannot_be_written_hands_out_nothing(self, in_file: FileCounters, monkeypatch) -> None:
        run(in_file.reserve(5))

        def full(handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(LocalProtocolError, match="No space left"):
            run(in_file.reserve(5))
        assert json.loads(in_file.path.read_text()) == {"a key": 5}

    def test_nobody_else_may_read_it(self, in_file: FileCounters) -> None:
        run(in_file.reserve(1))
        assert in_file.path.stat().st_mode & 0o077 == 0

    def test_many_at_once_and_kill_9_never_use_one_twice(self, tmp_path: Path) -> None:
        """Each process says its numbers only after they were reserved, and is killed somewhere."""
        script = (
            "import asyncio, sys, django; django.setup()\n"
            "from pathlib import Path\n"
            "from sessions.command_counters import FileCounters\n"
            "counters = FileCounters(Path(sys.argv[1]), 'a key')\n"
            "print('ready', flush=True)\n"
            "while True:\n"
            "    block = asyncio.run(counters.reserve(3))\n"
            "    print(block.start, flush=True)\n"
        )
        path = tmp_path / FILE_NAME
        command = [sys.executable, "-c", script, str(path)]
        used: list[int] = []
        for _ in range(2):
            running = [
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(module.__file__).parents[1])
                for _ in range(3)
            ]
            for process in running:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                used += [int(process.stdout.readline()) for _ in range(15)]
            for process in running:
                process.send_signal(signal.SIGKILL)
                rest, _ = process.communicate()
                used += [int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        assert len(used) == len(set(used)) >= 90
        assert all(start % 3 == 0 for start in used)
        assert json.loads(path.read_text())["a key"] > max(used)


@pytest.mark.django_db
class TestWhereTheyAreReserved:
    def test_an_association_without_counters_needs_none(self, tmp_path: Path) -> None:
        plain = parse_association({"framing": "wrapper", "client_sap": 16})
        assert reserved_counters(tmp_path / "a.toml", plain) is None

    def test_in_the_file_where_the_workbench_does_not_know_the_key(self, tmp_path: Path) -> None:
        make_meter()
        counters = reserved_counters(tmp_path / "a.toml", association())
        assert isinstance(counters, FileCounters)
        assert counters.path == tmp_path / FILE_NAME

    def test_in_the_database_where_a_meter_has_the_key(self, tmp_path: Path) -> None:
        make_meter(secrets={"GUEK": KEY, "LLS_SECRET": b""})
        counters = reserved_counters(tmp_path / "a.toml", association())
        assert isinstance(counters, DatabaseCounters)
        assert not counters.is_certain

    def test_in_the_database_where_its_counters_are_known(self, tmp_path: Path) -> None:
        learn_invocation_counter(fingerprint=fingerprint(KEY), system_title=CLIENT_TITLE, meter_value=7)
        counters = reserved_counters(tmp_path / "a.toml", association())
        assert isinstance(counters, DatabaseCounters)
        assert counters.is_certain
        assert isinstance(reserved_counters(tmp_path / "a.toml", association(guek="11" * 16)), FileCounters)

    def test_nowhere_while_the_vault_is_sealed_and_may_know_it(self, tmp_path: Path, settings) -> None:
        make_ciphered_meter()
        settings.MASTER_KEY = "00" * 32
        with pytest.raises(LocalProtocolError, match="cannot be known") as refused:
            reserved_counters(tmp_path / "a.toml", association())
        assert "WORKBENCH_MASTER_KEY" in refused.value.hint

    def test_nowhere_while_the_database_does_not_answer(self, tmp_path: Path, monkeypatch) -> None:
        def away(*_: Any) -> Any:
            raise OperationalError("away")

        monkeypatch.setattr(type(connection.introspection), "table_names", away)
        with pytest.raises(LocalProtocolError, match="does not answer") as refused:
            reserved_counters(tmp_path / "a.toml", association())
        assert "DATABASE_URL" in refused.value.hint

    def test_looking_for_a_database_makes_none(self, tmp_path: Path, monkeypatch) -> None:
        path = tmp_path / "workbench.sqlite3"
        monkeypatch.setitem(connection.settings_dict, "NAME", path)
        assert isinstance(reserved_counters(tmp_path / "a.toml", association()), FileCounters)
        assert not path.exists()

    def test_nor_is_one_without_tables_a_workbench(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(type(connection.introspection), "table_names", lambda *_: [])
        assert isinstance(reserved_counters(tmp_path / "a.toml", association()), FileCounters)


@pytest.mark.django_db(transaction=True)
class TestInTheDatabase:
    def test_go_on_behind_what_a_session_reserved(self) -> None:
        same = {"fingerprint": fingerprint(KEY), "system_title": CLIENT_TITLE.lower()}
        learn_invocation_counter(**same, meter_value=99)
        counters = DatabaseCounters(**same)
        assert run(counters.reserve(20)) == range(100, 120)
        run(counters.learn(50, trusted=True))  # never down
        assert run(counters.reserve(5)) == range(120, 125)
        run(counters.doubt())
        row = InvocationCounter.objects.get()
        assert (row.next_value, row.doubtful) == (125, True)

    def test_what_the_database_refuses_has_a_way_out(self) -> None:
        counters = DatabaseCounters(fingerprint(KEY), CLIENT_TITLE.lower())
        with pytest.raises(LocalProtocolError) as refused:
            run(counters.reserve(5))
        assert refused.value.code == "counter-unknown"
        assert refused.value.hint
