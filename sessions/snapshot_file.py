"""The snapshot of a meter as a file: what an association saw of it, in JSON that people can read. No secret stands in it.

    {"format": "meter-workbench snapshot", "version": 1,
     "taken": "2026-11-25T11:00:00+00:00",       when it was begun
     "finished": true,                           false: the file is a part, see "broken"
     "broken": {"layer": …, "message": …},       why it is a part, where it is one
     "endpoint": "tcp://…", "association": {…},  where the meter was; the keys of an association file, without its secrets
     "negotiated": {…},                          what client and meter agreed on
     "objects": [{"class_id": 3, "version": 0, "logical_name": "1-0:1.8.0*255",
                  "base_name": 9688,             by short names
                  "attributes": {"2": {"access": 1, "value": {"type": "double-long-unsigned", "value": 4711}}, …},
                  "methods": {"1": 1}}, …],
     "object_list": …, "access_rights": …}       what the association lists, where the objects do not say it to the octet

`access`, `selectors` and the numbers of `methods` are as the meter lists them; without "methods" it does not tell its rights. An
attribute that may be read has one of: "value" (typed, see `meters.cosem.value_entry`; what that form does not say without loss
stands as `{"octets": …}` in A-XDR), "refused" (a data-access-result, or the code of an error), "secret": true (it was not asked
for), "list": true (it is made of the objects of this file). Of a profile's buffer "first_entry" is the number of its first
recorded row; of a clock's time "at" says when it was read. "broke": true stands where the conversation ended over it: with
"refused" it was asked for alone, without it is one of a few of which one did. What has nothing was not read.

What comes from a file is checked before it is believed: `SnapshotFileError` names the place.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import EntryError, from_json, typed_json
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.errors import DlmsError
from sessions.object_list import AttributeRight, ListedObject

FORMAT: Final = "meter-workbench snapshot"
VERSION: Final = 1
MAX_OCTETS: Final = 64 * 1024 * 1024
MAX_OPENINGS: Final = 2_000_000
"""Lists and objects in a file, …"""
MAX_COMMAS: Final = 6_000_000
"""… and what stands in them: each takes many times its octets in memory."""
MAX_OBJECTS: Final = 20_000
MAX_ENTRY: Final = 0xFFFF_FFFF

T = TypeVar("T")


class SnapshotFileError(ValueError):
    """A file that is no snapshot, or none that can be used; the message says where and why."""


@dataclass(slots=True)
class Recorded:
    """What is known of one attribute: its right (None: not told), and what reading it gave.

    `refused`: the data-access-result or the error's code. `secret`: it was not asked for. `is_list`: the value is made of the
    snapshot's objects. `first_entry`: the number of the first row of a profile's buffer. `at`: when a clock was read.
    `broke`: the conversation ended when this was asked for.
    """

    right: AttributeRight | None = None
    value: Data | None = None
    refused: str = ""
    secret: bool = False
    is_list: bool = False
    first_entry: int = 1
    at: datetime | None = None
    broke: bool = False

    @property
    def known(self) -> bool:
        """Whether nothing is left to read."""
        return self.value is not None or bool(self.refused) or self.secret or self.is_list


@dataclass(slots=True)
class SnapshotObject:
    """One object. `methods` None: the meter does not tell its rights."""

    class_id: int
    version: int
    logical_name: ObisCode
    base_name: int | None = None
    attributes: dict[int, Recorded] = field(default_factory=dict)
    methods: dict[int, int] | None = None

    @property
    def listed(self) -> ListedObject:
        """As it stands in the object list."""
        rights = {number: each.right for number, each in self.attributes.items() if each.right is not None}
        told = self.methods is not None
        return ListedObject(
            self.class_id,
            self.version,
            self.logical_name,
            self.base_name,
            rights if told else None,
            self.methods if told else None,
        )


@dataclass(slots=True)
class Snapshot:
    """A meter as one association saw it. `association`: the keys of an association file, without secrets."""

    taken: datetime
    endpoint: str
    association: dict[str, Any]
    negotiated: dict[str, Any]
    objects: list[SnapshotObject] = field(default_factory=list)
    object_list: Data | None = None
    access_rights: Data | None = None
    """What the association lists, where it is not what `sessions.object_list` makes of the objects."""
    finished: bool = False
    broken: dict[str, Any] | None = None

    @property
    def secrets(self) -> list[str]:
        """What was left out because it is secret, as `15/0-0:40.0.0*255/7`."""
        return [
            f"{each.class_id}/{each.logical_name}/{number}"
            for each in self.objects
            for number, recorded in each.attributes.items()
            if recorded.secret
        ]


# -- writing -----------------------------------------------------------------------------------------------------------


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write the file whole, or leave what was there. OSError as the file system has it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(snapshot_text(snapshot))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def snapshot_text(snapshot: Snapshot) -> Iterator[str]:
    """The file, piece by piece. A line for each attribute: long enough to be whole, short enough to be found."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "taken": snapshot.taken.isoformat(),
        "finished": snapshot.finished,
        "broken": snapshot.broken,
        "endpoint": snapshot.endpoint,
        "association": snapshot.association,
        "negotiated": snapshot.negotiated,
        "left_out": snapshot.secrets,
    }
    yield "{\n"
    for name, value in head.items():
        yield f" {_json(name)}: {_json(value)},\n"
    yield ' "objects": ['
    for number, each in enumerate(snapshot.objects):
        yield "," if number else ""
        yield from _object_text(each)
    yield "\n ]"
    for name, data in (("object_list", snapshot.object_list), ("access_rights", snapshot.access_rights)):
        if data is not None:
            yield f",\n {_json(name)}: {_json(_value_json(data))}"
    yield "\n}\n"


def _object_text(each: SnapshotObject) -> Iterator[str]:
    head: dict[str, Any] = {"class_id": each.class_id, "version": each.version, "logical_name": str(each.logical_name)}
    if each.base_name is not None:
        head["base_name"] = each.base_name
    if each.methods is not None:
        head["methods"] = {str(number): mode for number, mode in each.methods.items()}
    yield f'\n  {_json(head)[:-1]}, "attributes": {{'
    for place, (number, recorded) in enumerate(each.attributes.items()):
        yield f'{"," if place else ""}\n   "{number}": {_json(_recorded_json(recorded))}'
    yield "}}"


def _recorded_json(recorded: Recorded) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if recorded.right is not None:
        told["access"] = recorded.right.mode
        if recorded.right.selectors is not None:
            told["selectors"] = list(recorded.right.selectors)
    if recorded.first_entry != 1:
        told["first_entry"] = recorded.first_entry
    if recorded.at is not None:
        told["at"] = recorded.at.isoformat()
    if recorded.value is not None:
        told["value"] = _value_json(recorded.value)
    if recorded.refused:
        told["refused"] = recorded.refused
    flags = {"secret": recorded.secret, "list": recorded.is_list, "broke": recorded.broke}
    return told | {name: True for name, stands in flags.items() if stands}


def _value_json(data: Data) -> Any:
    """Typed; garbage that meters put into dates, say, in its octets."""
    typed = typed_json(data)
    try:
        if from_json(typed) == data:
            return typed
    except EntryError:
        pass
    return {"octets": encode_data(data).hex()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


# -- reading -----------------------------------------------------------------------------------------------------------


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file; `SnapshotFileError` says why there is none."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise SnapshotFileError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        return parse_snapshot(octets)
    except SnapshotFileError as error:
        raise SnapshotFileError(f"{path.name}: {error}") from None


def parse_snapshot(octets: bytes) -> Snapshot:
    """The snapshot that the octets of a file hold."""
    if len(octets) > MAX_OCTETS:
        raise SnapshotFileError(f"it is longer than {MAX_OCTETS >> 20} MB")
    openings = octets.count(b"{") + octets.count(b"[")
    if openings > MAX_OPENINGS or octets.count(b",") > MAX_COMMAS:
        raise SnapshotFileError("it holds more values than a meter has")
    try:
        table = json.loads(octets, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SnapshotFileError(f"it is no JSON: {str(error)[:200]}") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise SnapshotFileError(f'it is no snapshot: "format" is not "{FORMAT}"')
    version = table.get("version")
    if version != VERSION:
        raise SnapshotFileError(f"version {str(version)[:20]!r} is not known, only {VERSION} is")
    return _Reader().snapshot(table)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


class _Reader:
    """Reads the parts of a file. Each takes the place, for the message."""

    def snapshot(self, table: dict[str, Any]) -> Snapshot:
        rows = self._take(table, "objects", list, "")
        if len(rows) > MAX_OBJECTS:
            raise SnapshotFileError(f"{len(rows)} objects are more than {MAX_OBJECTS}")
        broken = table.get("broken")
        snapshot = Snapshot(
            taken=self._moment(table, "taken", ""),
            endpoint=self._take(table, "endpoint", str, ""),
            association=self._take(table, "association", dict, ""),
            negotiated=self._take(table, "negotiated", dict, ""),
            objects=[self._object(row, f"objects[{number}]") for number, row in enumerate(rows, 1)],
            object_list=self._value(table["object_list"], "object_list") if "object_list" in table else None,
            access_rights=self._value(table["access_rights"], "access_rights") if "access_rights" in table else None,
            finished=self._take(table, "finished", bool, ""),
            broken=None if broken is None else self._take(table, "broken", dict, ""),
        )
        names = {(each.class_id, each.logical_name) for each in snapshot.objects}
        if len(names) != len(snapshot.objects):
            raise SnapshotFileError("an object stands twice")
        return snapshot

    def _object(self, row: Any, place: str) -> SnapshotObject:
        if not isinstance(row, dict):
            raise SnapshotFileError(f"{place} is no object")
        attributes = self._numbered(self._take(row, "attributes", dict, place), f"{place}.attributes")
        methods = self._numbered(self._take(row, "methods", dict, place), place) if "methods" in row else None
        return SnapshotObject(
            class_id=self._number(row, "class_id", place, 0xFFFF),
            version=self._number(row, "version", place, 0xFF),
            logical_name=self._name(row, place),
            base_name=self._number(row, "base_name", place, 0xFFFF) if "base_name" in row else None,
            attributes={n: self._recorded(each, f"{place}.attributes.{n}") for n, each in attributes.items()},
            methods=None
            if methods is None
            else {n: self._mode(each, f"{place}.methods") for n, each in methods.items()},
        )

    def _recorded(self, row: Any, place: str) -> Recorded:
        if not isinstance(row, dict):
            raise SnapshotFileError(f"{place} is no object")
        return Recorded(
            right=self._right(row, place),
            value=self._value(row["value"], place) if "value" in row else None,
            refused=self._take(row, "refused", str, place) if "refused" in row else "",
            secret=self._take(row, "secret", bool, place) if "secret" in row else False,
            is_list=self._take(row, "list", bool, place) if "list" in row else False,
            broke=self._take(row, "broke", bool, place) if "broke" in row else False,
            first_entry=self._number(row, "first_entry", place, MAX_ENTRY) if "first_entry" in row else 1,
            at=self._moment(row, "at", place) if "at" in row else None,
        )

    def _right(self, row: dict[str, Any], place: str) -> AttributeRight | None:
        if "access" not in row:
            return None
        selectors = self._take(row, "selectors", list, place) if "selectors" in row else None
        told = None if selectors is None else tuple(self._mode(each, f"{place}.selectors") for each in selectors)
        return AttributeRight(self._number(row, "access", place, 0xFF), told)

    @staticmethod
    def _value(value: Any, place: str) -> Data:
        try:
            if isinstance(value, dict) and set(value) == {"octets"}:
                return decode_data(bytes.fromhex(value["octets"]))
            return from_json(value, path=place)
        except EntryError as error:
            raise SnapshotFileError(str(error)) from None
        except (DlmsError, ValueError, TypeError) as error:
            raise SnapshotFileError(f"{place}: its octets are no value: {str(error)[:200]}") from None
        except RecursionError:
            raise SnapshotFileError(f"{place}: too many values inside each other") from None

    # -- single entries ----------------------------------------------------------------------------------------------

    @staticmethod
    def _take(table: Mapping[str, Any], name: str, kind: type[T], place: str) -> T:
        value = table.get(name)
        if not isinstance(value, kind):
            raise SnapshotFileError(f"{place}.{name} is no {_WORDS[kind]}".removeprefix("."))
        return value

    def _number(self, table: Mapping[str, Any], name: str, place: str, most: int) -> int:
        value = self._take(table, name, int, place)
        if isinstance(value, bool) or not 0 <= value <= most:
            raise SnapshotFileError(f"{place}.{name} is not between 0 and {most}")
        return value

    @staticmethod
    def _mode(value: Any, place: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not -128 <= value <= 0xFF:
            raise SnapshotFileError(f"{place} are numbers from -128 to 255")
        return value

    def _moment(self, table: Mapping[str, Any], name: str, place: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self._take(table, name, str, place))
        except ValueError as error:
            if isinstance(error, SnapshotFileError):
                raise
            raise SnapshotFileError(f"{place}.{name} is no time".removeprefix(".")) from None
        if moment.tzinfo is None:
            raise SnapshotFileError(f"{place}.{name} says no offset from UTC".removeprefix("."))
        return moment

    def _name(self, row: Mapping[str, Any], place: str) -> ObisCode:
        text = self._take(row, "logical_name", str, place)
        try:
            return ObisCode.parse(text)
        except ValueError:
            raise SnapshotFileError(f"{place}.logical_name is no OBIS code") from None

    @staticmethod
    def _numbered(table: Mapping[str, Any], place: str) -> dict[int, Any]:
        """Attributes and methods by their numbers, which makers may count below zero."""
        try:
            numbered = {int(number): value for number, value in table.items() if number.lstrip("-").isdecimal()}
        except ValueError:
            numbered = {}
        if len(numbered) != len(table) or not all(-128 <= number <= 127 for number in numbered):
            raise SnapshotFileError(f"{place}: what stands there has no number from -128 to 127")
        return numbered


_WORDS: Final[Mapping[type, str]] = {str: "text", int: "number", bool: "true or false", list: "list", dict: "object"}
