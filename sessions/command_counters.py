"""Invocation counters for a command that talks with a meter by an association file: reserved before use, like a session's.

    the workbench's database knows the key    reserved there, beside the sessions
    it does not, or there is none             reserved in a small file beside the association file

The file holds the next counter of each key and system title, under a name that does not lead back to the key. A block is
written, synced and moved into place under a lock before its first number is used: two commands at once, and one that is killed,
never use a number twice. Whatever cannot be known for sure is refused, with the way out.
"""

from __future__ import annotations

import asyncio
import fcntl
import hmac
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError, connection

from meters import vault
from meters.models import InvocationCounter, KeyVersion
from meters.services import (
    COUNTER_LIMIT,
    MAX_COUNTER_JUMP,
    CounterError,
    doubt_invocation_counter,
    invocation_counter_is_certain,
    learn_invocation_counter,
    reserve_invocation_counters,
)
from sessions.association_file import AssociationFile
from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.reading import CounterSource

FILE_NAME: Final = ".invocation-counters.json"
MAX_FILE_OCTETS: Final = 1024 * 1024


def reserved_counters(path: str | Path, association: AssociationFile) -> CounterSource | None:
    """Of the key of this association, which stands in the file at `path`; None where it uses none up.

    DlmsError where nobody can know what was used.
    """
    if not association.parameters.needs_counters:
        return None
    fingerprint = known_fingerprint(association)
    if fingerprint is not None:
        return DatabaseCounters(fingerprint, association.parameters.client_system_title.hex())
    return FileCounters(Path(path).resolve().parent / FILE_NAME, key_name(association))


def key_name(association: AssociationFile) -> str:
    """Tells keys and titles apart, and does not lead back to a key."""
    parameters = association.parameters
    text = b"invocation counter of " + parameters.client_system_title
    return hmac.digest(parameters.guek or b"", text, "sha256").hex()


# -- in the workbench's database -----------------------------------------------------------------------------------------


def known_fingerprint(association: AssociationFile) -> str | None:
    """The key's fingerprint where the workbench's database knows the key; None where it does not, or is not there."""
    parameters = association.parameters
    if not _database_is_there():
        return None
    title = parameters.client_system_title.hex()
    try:
        counted = InvocationCounter.objects.filter(system_title=title).exists()
        if not counted and not KeyVersion.objects.exists():
            return None
        fingerprint = vault.fingerprint(parameters.guek or b"")
        counted = InvocationCounter.objects.filter(fingerprint=fingerprint, system_title=title).exists()
        return fingerprint if counted or KeyVersion.objects.filter(fingerprint=fingerprint).exists() else None
    except vault.VaultError as error:
        raise _unknown(f"its vault is sealed ({error.message})", error.hint) from None
    except DatabaseError as error:
        raise _unknown(
            f"it does not answer ({type(error).__name__})", "Start the database, or update it: migrate."
        ) from None


def _database_is_there() -> bool:
    """Whether there is a database of a workbench at all: looking for it must not make one."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and not name.startswith(("file:", ":memory:")) and not Path(name).exists():
        return False
    try:
        return InvocationCounter._meta.db_table in connection.introspection.table_names()
    except DatabaseError as error:
        hint = "Start it, or take DATABASE_URL out of the environment where this key is used by no workbench."
        raise _unknown(f"it does not answer ({type(error).__name__})", hint) from None


def _unknown(reason: str, hint: str) -> DlmsError:
    return LocalProtocolError(
        f"Whether the workbench's database has reserved invocation counters of this key cannot be known: {reason}.",
        layer="security",
        code="invocation-counter-unknown",
        hint=hint,
    )


class DatabaseCounters:
    """Reserved in the workbench's database, where its sessions reserve theirs."""

    def __init__(self, fingerprint: str, system_title: str) -> None:
        self._key = {"fingerprint": fingerprint, "system_title": system_title}
        self.is_certain = invocation_counter_is_certain(**self._key)

    async def learn(self, next_counter: int, *, trusted: bool) -> None:
        """As the sessions do: never down, and no jump that only a person can believe."""
        if next_counter > 0 or not self.is_certain:
            await asyncio.to_thread(_do, learn_invocation_counter, **self._key, meter_value=max(next_counter - 1, 0))

    async def reserve(self, count: int) -> range:
        reserved: range = await asyncio.to_thread(_do, reserve_invocation_counters, **self._key, count=count)
        return reserved

    async def doubt(self) -> None:
        await asyncio.to_thread(_do, doubt_invocation_counter, **self._key)


def _do(work: Callable[..., Any], **arguments: Any) -> Any:
    """In a thread with a connection of its own."""
    try:
        return work(**arguments)
    except CounterError as error:
        raise LocalProtocolError(str(error), layer=error.layer, code=error.code, hint=error.hint) from None
    except DatabaseError as error:
        raise _unknown(f"it does not answer ({type(error).__name__})", "Start the database.") from None
    finally:
        connection.close()


# -- in a file -----------------------------------------------------------------------------------------------------------


class FileCounters:
    """Reserved in a file that all association files of a folder share. Every error is a refusal: nothing was handed out."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._key = key
        with self._locked():
            self._read()

    is_certain = False
    """Nobody but the meter knows what others used: it is asked each time, and ours only ever grows."""

    async def learn(self, next_counter: int, *, trusted: bool) -> None:
        self._advance(next_counter, 0, jump=None if trusted else MAX_COUNTER_JUMP)

    async def doubt(self) -> None:
        """The meter is asked each time."""

    async def reserve(self, count: int) -> range:
        return self._advance(0, count)

    def _advance(self, at_least: int, count: int, *, jump: int | None = None) -> range:
        """Move the next counter behind `count` numbers that lie at or above `at_least`; on the disk when this returns."""
        with self._locked():
            counters = self._read()
            known = counters.get(self._key)
            if jump is not None and known is not None and at_least - known > jump:
                raise LocalProtocolError(
                    f"The meter says that its invocation counter is {at_least - 1}, here it is {known}: a jump too far.",
                    layer="security",
                    code="counter-implausible",
                    hint="Anybody on the line can forge this unprotected value. Check the meter; then give invocation_counter.",
                )
            start = max(known or 0, at_least)
            if start + count > COUNTER_LIMIT:
                raise LocalProtocolError(
                    f"The invocation counters of this key are used up (next: {start}).",
                    layer="security",
                    code="counters-exhausted",
                    hint="Install a new key in the meter: its counters begin anew.",
                )
            self._write({**counters, self._key: start + count})
        return range(start, start + count)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time; the lock goes with the process that holds it."""
        try:
            handle = os.open(
                self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._unusable(f"cannot be locked: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise self._unusable(f"cannot be used: {error.strerror}") from None
        finally:
            os.close(handle)

    def _read(self) -> dict[str, int]:
        try:
            with self.path.open("rb") as file:
                counters = json.loads(file.read(MAX_FILE_OCTETS))
        except FileNotFoundError:
            return {}
        except ValueError:
            counters = None
        if not isinstance(counters, dict) or not all(type(n) is int and n >= 0 for n in counters.values()):
            raise self._unusable("is damaged")
        return counters

    def _write(self, counters: dict[str, int]) -> None:
        """All of it or nothing, also when the power goes."""
        draft = self.path.with_name(f"{self.path.name}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(counters, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unusable(self, reason: str) -> DlmsError:
        return LocalProtocolError(
            f"{self.path}, where the used invocation counters stand, {reason}.",
            layer="security",
            code="counter-file-unusable",
            hint="It must be readable and writable beside the association file. If it is damaged: give invocation_counter in the "
            "association file, above every counter used with this key, and then remove the damaged file.",
        )
