"""`manage.py snapshot ENDPOINT --association FILE.toml --output FILE.json [--rows N|all] [--resume]`: a meter's objects and
values into a file that `simulate --snapshot` serves; no database.

Exit codes: 0 the file is whole (what the meter refused stands in it as refused), 1 an error, said in one sentence; what was read
until then stays in the file, and `--resume` goes on. 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sessions.association_file import AssociationFile, load_table, parse_association
from sessions.command_counters import reserved_counters
from sessions.dlms.errors import DlmsError
from sessions.links.endpoint import Endpoint
from sessions.management.line_command import LineCommand, endpoint, printable
from sessions.reading import CounterSource, open_conversation, prepare_conversation
from sessions.snapshot import SnapshotTaker, without_secrets
from sessions.snapshot_file import Snapshot, SnapshotFileError, load_snapshot, save_snapshot

INTERRUPTED = 130
WRONG_USAGE = 2
DEFAULT_ROWS = 1000
MAX_ROWS = 1_000_000
SAVED_EVERY = 10.0
TOLD_EVERY = 2.0
"""Seconds between two savings of a part, and between two words of progress."""


class Command(LineCommand):
    help = (
        "Keep a meter in a file: its object list, and every attribute that an association may read. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "endpoint",
            type=endpoint,
            help="tcp://host:port, udp://host:port, serial:///dev/ttyUSB0?baud=9600 or rfc2217://host:port?baud=9600",
        )
        parser.add_argument("--association", required=True, metavar="FILE.toml", help="association and secrets")
        parser.add_argument("--output", required=True, type=Path, metavar="FILE.json", help="the snapshot")
        parser.add_argument(
            "--rows",
            type=_rows,
            default=DEFAULT_ROWS,
            metavar="N",
            help=f"so many of the last rows of each profile, or “all” (default {DEFAULT_ROWS})",
        )
        parser.add_argument("--resume", action="store_true", help="go on with a file that is a part")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        try:
            table = load_table(options["association"])
            association = parse_association(table)
        except DlmsError as error:
            self.refuse(error, as_json=False)
        snapshot = _begin(options["endpoint"], table, output, resume=options["resume"])
        keeper = _Keeper(snapshot, output, self._tell)
        taker = SnapshotTaker(snapshot, rows=options["rows"], now=_now, progress=keeper.progress)
        try:
            source = reserved_counters(options["association"], association)
            asyncio.run(_take(taker, options["endpoint"], association, source, self._tell))
            keeper.save()
        except DlmsError as error:
            self._tell(keeper.stop(error.as_dict()))
            self.refuse(error, as_json=False)
        except KeyboardInterrupt:
            self._tell(keeper.stop({"message": "it was interrupted"}))
            raise SystemExit(INTERRUPTED) from None
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror or error}") from None
        self.stdout.write(printable(_summary(snapshot, output)))

    def _tell(self, line: str) -> None:
        if line:
            self.stderr.write(printable(line))


def _begin(to: Endpoint, table: dict[str, Any], output: Path, *, resume: bool) -> Snapshot:
    """A new snapshot, or the part that the file holds."""
    if not resume:
        if output.exists():
            raise CommandError(f"{output} exists: choose another name, or --resume", returncode=WRONG_USAGE)
        return Snapshot(taken=_now(), endpoint=str(to), association=without_secrets(table), negotiated={})
    try:
        return load_snapshot(output)
    except SnapshotFileError as error:
        raise CommandError(str(error)) from None


async def _take(
    taker: SnapshotTaker,
    to: Endpoint,
    association: AssociationFile,
    source: CounterSource | None,
    tell: Callable[[str], None],
) -> None:
    """Again and again, as long as a conversation that breaks has brought something: an attribute that breaks it is left out."""
    while True:
        settled = taker.settled
        try:
            await _take_once(taker, to, association, source)
            return
        except DlmsError as error:
            if taker.settled <= settled or taker.snapshot.finished:
                raise
            tell(f"{error.layer}: {error.message} Going on in a new conversation.")


async def _take_once(
    taker: SnapshotTaker, to: Endpoint, association: AssociationFile, source: CounterSource | None
) -> None:
    conversation = await prepare_conversation(to, association, source=source)
    try:
        negotiated = await open_conversation(conversation, source)
        await taker.take(conversation, association, negotiated)
        await conversation.release()
    finally:
        await conversation.close()


class _Keeper:
    """Tells how far it is, and keeps the part that is there, a few times a minute."""

    def __init__(self, snapshot: Snapshot, output: Path, tell: Callable[[str], None]) -> None:
        self._snapshot = snapshot
        self._output = output
        self._tell = tell
        self._told = time.monotonic()
        self._save_at = self._told + SAVED_EVERY

    def progress(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY:
            self._told = now
            self._tell(f"{done} of {of} attributes")
        if now >= self._save_at:
            self.save()
            # A large file takes its time: reading has most of it.
            self._save_at = time.monotonic() + max(SAVED_EVERY, 10 * (time.monotonic() - now))

    def save(self) -> None:
        save_snapshot(self._snapshot, self._output)

    def stop(self, broken: dict[str, Any]) -> str:
        """Keep the part, with the reason why it is one; what to say of it. Before the first object there is nothing to keep."""
        if not self._snapshot.objects:
            return ""
        if not self._snapshot.finished:
            self._snapshot.broken = broken
        self.save()
        part = "whole" if self._snapshot.finished else "a part; --resume goes on with it"
        return f"{self._output} is {part}."


def _summary(snapshot: Snapshot, output: Path) -> str:
    recorded = [each for one in snapshot.objects for each in one.attributes.values()]
    refused, secret = sum(bool(each.refused) for each in recorded), sum(each.secret for each in recorded)
    read = sum(each.value is not None or each.is_list for each in recorded)
    return f"{output}: {len(snapshot.objects)} objects, {read} attributes read, {refused} refused, {secret} left out as secret"


def _now() -> datetime:
    return datetime.now(UTC)


def _rows(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ROWS:
        raise ArgumentTypeError(f"a number from 1 to {MAX_ROWS}, or “all”")
    return int(text)
