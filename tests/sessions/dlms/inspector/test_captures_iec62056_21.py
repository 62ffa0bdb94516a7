"""The published readouts, load profiles and P1 telegrams of real meters, against what they say themselves.

Transports `iec21` and `p1`. A good one must decode without an error to all that its `expect` names, a damaged one is refused
with a typed error and shows its data lines all the same. What stands for values and lines is the text itself.
"""

from __future__ import annotations

import json
import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessions.dlms.cursor import Field
from sessions.dlms.errors import DlmsError, FrameError
from sessions.dlms.iec62056_21.data_set import DataSet
from sessions.dlms.iec62056_21.naming import named_data_sets
from sessions.dlms.iec62056_21.profile import Moment, Profile, profiles
from sessions.dlms.inspector import Dissection, Dissector, Framing, mask, split_frames

CAPTURES = Path(__file__).resolve().parents[5] / "shared" / "captures"
TRANSPORTS = ("iec21", "p1")
OBIS = re.compile(r"\d+-\d+:\d+\.\d+\.\d+(\.\d+)?")
FACTS = {"dsmr", "cosem", "crcValid"}
"""What is judged of an expectation in the publisher's own form."""
IGNORED = {
    "metadata",  # the publisher's words for single lines
    "electricity",
    "mBus",
    "values_total_published",  # the rows are compared one by one
    "parsed_count_published",
}


def items() -> list[Any]:
    found = []
    for path in sorted(CAPTURES.glob("*.json")):
        for item in json.loads(path.read_text("utf-8")):
            if item["transport"] in TRANSPORTS:
                found.append(pytest.param(item, id=f"{path.stem}-{item['id']}"))
    return found


def octets_of(item: dict[str, Any]) -> bytes:
    return item["ascii"].encode("latin-1")


def run(item: dict[str, Any]) -> list[Dissection]:
    dissector = Dissector()
    return [dissector.feed(piece) for piece in split_frames(octets_of(item))]


def data_sets(found: list[Dissection]) -> list[DataSet]:
    return [one for dissection in found for one in dissection.data_sets]


def errors(found: list[Dissection]) -> list[DlmsError]:
    return [one.error for one in found if one.error is not None]


def addressed(found: list[Dissection]) -> list[tuple[str, list[str]]]:
    return [(one.address, [str(value) for value in one.values]) for one in data_sets(found) if one.address]


# -- what an expectation names ---------------------------------------------------------------------------------------------


def check_lines(found: list[Dissection], expected: list[dict[str, Any]]) -> None:
    """Address and values of every line, in order. Some publishers leave out lines that their own pattern did not match."""
    got = addressed(found)
    wanted = [(entry.get("obis") or entry["id"], entry["values"]) for entry in expected]
    assert [line for line in got if line in wanted] == wanted
    left_out = [line for line in got if line not in wanted]
    # Texts that run over a line end, and addresses that are mistyped.
    assert all(len("".join(values)) > 64 or not OBIS.fullmatch(address) for address, values in left_out), left_out


def check_profile(found: list[Dissection], expected: dict[str, Any]) -> None:
    [profile] = profiles(data_sets(found))
    begin = Moment.parse(profile.begin)
    assert begin is not None
    assert begin.season == expected["season_digit"]
    assert begin.moment == datetime.strptime(expected["first_row"], "%y%m%d%H%M%S")
    assert (profile.status, profile.interval) == (expected["status"], expected["interval_min"])
    assert [[column.address, column.unit] for column in profile.columns] == expected["columns"]
    assert [[float(cell) for cell in row] for row in profile.rows] == expected["rows"]
    assert profile.moment_of(1) == begin.moment + timedelta(minutes=expected["interval_min"])


def check_events(found: list[Dissection], expected: dict[str, Any]) -> None:
    assert [values for _, values in addressed(found)] == expected["entries"]
    read = profiles(data_sets(found))
    assert [flat(profile) for profile in read] == expected["entries"]


def flat(profile: Profile) -> list[str]:
    """An event list's entry as it was written."""
    names = [text for column in profile.columns for text in (column.address, column.unit)]
    cells = [cell for row in profile.rows for cell in row]
    return [profile.begin, profile.status, "", str(len(profile.columns)), *names, *cells]


def check_published(found: list[Dissection], expected: dict[str, Any]) -> None:
    """Head, CRC and lines as a publisher's own reader saw them."""
    [telegram] = found
    head = expected["dsmr"]["header"]
    assert field(telegram, "manufacturer").startswith(head["xxx"])
    assert field(telegram, "baud-identification").startswith(head["z"])
    identification = telegram.summary.removeprefix("P1 telegram: ").partition(", damaged")[0]
    assert identification == f"/{head['xxx']}{head['z']}{head['identifier']}"
    crc = expected["dsmr"].get("crc")
    if crc is not None:
        assert int(field(telegram, "crc").split()[0], 16) == crc["value"]
        assert field(telegram, "crc").endswith("(good)") == crc["valid"]
    assert expected.get("crcValid", True) == (not errors(found))
    lines = {str(one) for one in data_sets(found)}
    for line in expected["cosem"].get("knownObjects", []) + expected["cosem"].get("unknownObjects", []):
        assert line in lines, line
    for line in expected["dsmr"].get("unknownLines", []):
        assert line in lines, line


def field(found: Dissection, name: str) -> str:
    return next(one.value for one in every(found.fields) if one.name == name)


def every(root: Field) -> list[Field]:
    return [root, *(inner for child in root.children for inner in every(child))]


def judge(found: list[Dissection], expect: Any) -> None:
    if isinstance(expect, list):
        check_lines(found, expect)
    elif "rows" in expect:
        check_profile(found, expect)
    elif "entries" in expect:
        check_events(found, expect)
    else:
        assert not set(expect) - FACTS - IGNORED
        check_published(found, expect)


# -- the tests -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", [one for one in items() if one.values[0]["verified"]["ok"]])
def test_good_ones_decode_to_what_is_expected(item: dict[str, Any], captures: Path) -> None:
    found = run(item)
    assert {one.framing for one in found} == {Framing.IEC62056_21}
    assert not errors(found)
    judge(found, item["expect"])
    for one in found:
        one.as_json()


@pytest.mark.parametrize("item", [one for one in items() if not one.values[0]["verified"]["ok"]])
def test_damaged_ones_are_refused_and_show_their_lines(item: dict[str, Any], captures: Path) -> None:
    found = run(item)
    assert len(errors(found)) == 1
    [error] = errors(found)
    assert isinstance(error, FrameError)
    assert error.field in ("crc", "bcc")
    computed = re.search(r"computed ([0-9A-F]+)", item["verified"]["how"])
    assert computed is not None
    assert computed[1] in error.reason.upper()
    judge(found, item["expect"])


@pytest.mark.parametrize("item", items())
def test_most_lines_get_words(item: dict[str, Any], captures: Path) -> None:
    named = [one for one in named_data_sets(data_sets(run(item))) if one.data_set.address]
    heat = any(value.unit in ("m3", "GJ", "m3ph") for one in named for value in one.data_set.values)
    with_words = [one for one in named if one.words]
    assert heat or len(with_words) * 2 >= len(named)


@pytest.mark.parametrize("item", items())
def test_altered_ones_never_get_the_better_of_the_inspector(item: dict[str, Any], captures: Path) -> None:
    """A few alterations of each item, the same in every run: a result, or a typed error; the masked frame keeps its length."""
    chance = random.Random(item["id"])
    for _ in range(12):
        octets = bytearray(octets_of(item))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(octets))
            octets[at : at + chance.choice((1, 1, 1, 3))] = chance.randbytes(chance.choice((0, 1, 1, 2)))
        dissector = Dissector()
        for one in dissector.feed_all(bytes(octets)):
            assert one.error is None or one.error.code != "inspector-fault", (octets.hex(), one.error)
            frame = one.sources["frame"]
            assert len(mask(frame, one)) == len(frame)
            one.as_json()
