"""The published captures of real meters, against what their publishers, or an independent reader, say that they hold.

Every telegram and trace over HDLC, the wrapper, LLC, M-Bus or as a bare APDU. A good one must decode without an error to all
that its `expect` names; a damaged one must be refused with a typed error. The checks know shapes of expectations, never an
item's id. What IEC 62056-21 and P1 telegrams hold is judged in `test_captures_iec62056_21.py`.
"""

from __future__ import annotations

import functools
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meters.cosem.data import Data, DataType, as_date_time, native
from meters.cosem.date_time import CosemDateTime
from sessions.dlms.acse import Aare, Aarq
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.errors import ConfirmedServiceError
from sessions.dlms.apdu.get import GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.apdu.notification import DataNotification, EventNotificationRequest
from sessions.dlms.apdu.set import SetRequestNormal
from sessions.dlms.cursor import Field
from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.frame import HdlcFrame, decode_hdlc_frame
from sessions.dlms.hdlc.parameters import decode_hdlc_parameters
from sessions.dlms.initiate import InitiateResponse, decode_initiate_response
from sessions.dlms.inspector import Dissection, DissectionKeys, Dissector, mask, split_frames
from sessions.dlms.inspector.readings import Reading, readings
from sessions.dlms.inspector.sheet import find_field

CAPTURES = Path(__file__).resolve().parents[5] / "shared" / "captures"
TRANSPORTS = ("hdlc", "wrapper", "raw-apdu", "llc", "mbus")
EXCEPTIONS = {
    "nd-austria-example-1": "behind its two frames the publisher's text goes on with the key, twice: 32 octets that are no frame",
}
"""Good items of which something is refused all the same, and why that is right."""
TYPES = {
    DataType.NULL_DATA: "null",
    DataType.ARRAY: "array",
    DataType.STRUCTURE: "struct",
    DataType.BOOLEAN: "bool",
    DataType.DOUBLE_LONG: "i32",
    DataType.DOUBLE_LONG_UNSIGNED: "u32",
    DataType.OCTET_STRING: "octets",
    DataType.VISIBLE_STRING: "vis",
    DataType.INTEGER: "i8",
    DataType.LONG: "i16",
    DataType.UNSIGNED: "u8",
    DataType.LONG_UNSIGNED: "u16",
    DataType.LONG64: "i64",
    DataType.LONG64_UNSIGNED: "u64",
    DataType.ENUM: "enum",
}


def items() -> list[Any]:
    """Every judged item of every family; none where the captures are absent."""
    found = []
    for path in sorted(CAPTURES.glob("*.json")):
        for item in json.loads(path.read_text("utf-8")):
            if item["transport"] in TRANSPORTS:
                found.append(pytest.param(item, id=f"{path.stem}-{item['id']}"))
    return found


@dataclass
class Run:
    """What the inspector made of one item."""

    item: dict[str, Any]
    frames: list[bytes]
    dissections: list[Dissection]

    @functools.cached_property
    def apdus(self) -> list[Apdu]:
        return [one.apdu for one in self.dissections if one.apdu is not None]

    @functools.cached_property
    def hdlc(self) -> list[HdlcFrame]:
        return [decode_hdlc_frame(frame if frame[-1:] == b"\x7e" else frame + b"\x7e") for frame in self.frames]

    @functools.cached_property
    def values(self) -> list[Data]:
        return [one.data for one in self.dissections if one.data is not None]

    @functools.cached_property
    def readings(self) -> list[Reading]:
        return [reading for value in self.values for reading in readings(value)]

    @functools.cached_property
    def scalars(self) -> list[Data]:
        return [leaf for value in self.values for leaf in leaves(value)]

    def of(self, kind: type[Any]) -> list[Any]:
        return [apdu for apdu in self.apdus if isinstance(apdu, kind)]

    @functools.cached_property
    def notifications(self) -> list[DataNotification]:
        return self.of(DataNotification)

    @functools.cached_property
    def aare(self) -> Aare:
        return self.of(Aare)[-1]

    @functools.cached_property
    def initiate(self) -> InitiateResponse:
        information = self.aare.user_information
        assert information is not None
        return decode_initiate_response(information)


def keys_of(item: dict[str, Any]) -> DissectionKeys:
    given = item.get("keys") or {}
    names = {
        "guek": "guek",
        "gak": "gak",
        "server_system_title": "system_title",
        "client_system_title": "client_title",
        "dedicated_key": "dedicated",
    }
    return DissectionKeys(**{ours: bytes.fromhex(given[theirs]) for ours, theirs in names.items() if given.get(theirs)})


def run(item: dict[str, Any]) -> Run:
    dissector = Dissector(keys_of(item))
    frames: list[bytes] = []
    dissections: list[Dissection] = []
    parts = item["frames"] if "frames" in item else [{"hex": item["hex"]}]
    for part in parts:
        direction = {"tx": "sent", "rx": "received"}.get(part.get("dir", ""))
        for piece in split_frames(bytes.fromhex(part["hex"])):
            frames.append(piece)
            dissections.append(dissector.feed(piece, direction))
    return Run(item, frames, dissections)


def leaves(data: Data) -> list[Data]:
    return [leaf for element in data for leaf in leaves(element)] if data.constructed else [data]


# -- the forms of the independent reader ---------------------------------------------------------------------------------


def typed(data: Data) -> list[Any]:
    """`["struct", [["u32", 3631]]]`."""
    if data.constructed:
        return [TYPES[data.type], [typed(element) for element in data]]
    value = data.value
    if data.type is DataType.OCTET_STRING:
        value = value.hex()
    elif data.type is DataType.VISIBLE_STRING:
        value = value.decode("latin-1")
    return [TYPES[data.type], value]


def moment_text(moment: CosemDateTime) -> str:
    """`2022-01-02T14:37:20 dow=7 dev=* st=00`."""
    date, time = moment.date, moment.time
    hundredths = "" if time.hundredths == 0xFF else f".{time.hundredths:02d}"
    weekday = "*" if date.day_of_week == 0xFF else str(date.day_of_week)
    deviation = "*" if moment.deviation is None else str(moment.deviation)
    return (
        f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{time.hour:02d}:{time.minute:02d}:{time.second:02d}{hundredths} "
        f"dow={weekday} dev={deviation} st={moment.clock_status:02x}"
    )


def raw_text(data: Data) -> Any:
    """The value of a pair as the independent reader prints it."""
    if data.type is DataType.OCTET_STRING and len(data.value) == 12:
        return moment_text(CosemDateTime.decode(data.value))
    if data.type in (DataType.OCTET_STRING, DataType.VISIBLE_STRING):
        return data.value.decode("latin-1")
    return data.value


def pairs(data: Data) -> list[dict[str, Any]]:
    """Each logical name with the element behind it, wherever it stands."""
    if not data.constructed:
        return []
    found = []
    elements = list(data)
    for index, element in enumerate(elements):
        found += pairs(element)
        follows = elements[index + 1] if index + 1 < len(elements) else None
        is_name = element.type is DataType.OCTET_STRING and len(element.value) == 6 and element.value[5] == 0xFF
        if is_name and follows is not None and not follows.constructed:
            a, b, c, d, e, f = element.value
            found.append({"obis": f"{a}-{b}:{c}.{d}.{e}.{f}", "type": TYPES[follows.type], "raw": raw_text(follows)})
            scaler = elements[index + 2] if index + 2 < len(elements) else None
            if scaler is not None and scaler.constructed and [TYPES[one.type] for one in scaler] == ["i8", "enum"]:
                found[-1]["scaler"] = scaler[0].value
    return found


# -- checks of what an expectation names ---------------------------------------------------------------------------------


def check_messages(got: Run, expected: list[dict[str, Any]]) -> None:
    """The list form of the independent reader: one entry for each notification."""
    if any("note" in entry for entry in expected):
        check_note(got, expected[0]["note"])
        return
    if "plaintext_len" in expected[0]:  # encrypted, without a key: the ciphertext says how long it is
        assert find_field(got.dissections[-1].fields, "ciphertext").length == expected[0]["plaintext_len"]  # type: ignore[union-attr]
        check_header(got)
        return
    assert len(got.notifications) == len(expected)
    for notification, entry in zip(got.notifications, expected, strict=True):
        moment = notification.date_time
        if entry["timestamp"] is None:
            assert moment is None
        else:
            assert moment is not None
            assert moment_text(moment).startswith(entry["timestamp"])
        body = notification.notification_body
        if entry.get("structure"):
            assert typed(body) == entry["structure"]
        if entry.get("items"):
            found = pairs(body)
            wanted = [
                {key: one[key] for key in ("obis", "type", "raw", "scaler") if key in one} for one in entry["items"]
            ]
            assert found == wanted
        if "position" in entry:
            assert TYPES[body[entry["position"]].type] == entry["type"]


def check_note(got: Run, note: str) -> None:
    """`plaintext starts at offset 18 with 0F`."""
    place = re.fullmatch(r"plaintext starts at offset (\d+) with ([0-9A-F]{2})", note)
    assert place, note
    plaintext = got.dissections[-1].plaintext
    assert got.dissections[-1].apdu_octets is not None
    assert plaintext is not None
    assert got.dissections[-1].apdu_octets[int(place[1]) :].startswith(plaintext)
    assert plaintext[:1].hex() == place[2].lower()


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == wanted)


def plain_value(reading: Reading) -> Any:
    value = reading.value
    if (moment := as_date_time(value)) is not None:
        return moment_text(moment)[:19].replace("T", " ")
    if value.type is DataType.OCTET_STRING:
        return value.value.decode("latin-1")
    if isinstance(value.value, int) and reading.scaler_unit is not None:
        return float(reading.scaler_unit.apply(value.value))
    return native(value)


UNNAMED = ("0.0.0.0.0.0", "0.1.1.0.0.255", "0.0.96.1.0.255")


def check_values(got: Run, expected: dict[str, Any]) -> None:
    """Values by dotted logical name, scaled. The names of `UNNAMED` stand for time, list id and serial number, which the list
    may hold without one."""
    by_name: dict[str, list[Any]] = {}
    for reading in got.readings:
        by_name.setdefault(".".join(str(group) for group in reading.obis.groups), []).append(plain_value(reading))
    others = [plain_value(Reading(got.readings[0].obis, leaf)) for leaf in got.scalars]
    # A serial number of twelve characters has the length of a clock.
    others += [leaf.value.decode("latin-1") for leaf in got.scalars if isinstance(leaf.value, bytes)]
    for name, wanted in expected.items():
        found = by_name.get(name, others if name in UNNAMED else [])
        assert any(same(value, wanted) or str(value).rstrip("\0") == str(wanted) for value in found), (name, found)


def check_hdlc(got: Run, expected: dict[str, Any]) -> None:
    """Addresses and check sequences of every frame."""
    for frame, octets, head, foot in zip(got.hdlc, got.frames, expected["headers"], expected["footers"], strict=True):
        for address, wanted in ((frame.destination, "destinationAddress"), (frame.source, "sourceAddress")):
            number = address.upper if address.lower is None else address.upper << 7 | address.lower
            assert number == head[wanted]
        dissection = got.dissections[got.frames.index(octets)]
        hcs, fcs = find_field(dissection.fields, "hcs"), find_field(dissection.fields, "fcs")
        assert hcs is not None
        assert fcs is not None
        for field, check in ((hcs, head["crc"]), (fcs, foot["crc"])):
            assert int.from_bytes(octets[field.offset : field.offset + 2], "little") == check["value"]
            assert field.value.endswith("(good)") == check["valid"]


COSEM = re.compile(r"(\d+-\d+:\d+\.\d+\.\d+)\((.*?)(?:\*([^*]*))?\)")


def check_cosem(got: Run, expected: dict[str, Any]) -> None:
    """`1-0:1.7.0(1122*W)`. A list without logical names is compared as the bag of its values."""
    wanted = [COSEM.fullmatch(entry) for entry in expected.get("knownObjects", []) + expected.get("unknownObjects", [])]
    if got.readings:
        found = {(str(one.obis).removesuffix("*255"), shown(one.value, plain_value(one))) for one in got.readings}
    else:
        found = {("", shown(leaf, leaf.value)) for leaf in got.scalars}
        # A short octet-string is a number to this publisher.
        short = [one.value for one in got.scalars if isinstance(one.value, bytes) and len(one.value) == 2]
        found |= {("", str(int.from_bytes(octets, "big"))) for octets in short}
    for entry in wanted:
        assert entry is not None
        name, value = entry[1] if got.readings else "", entry[2]
        near = {(name, value), (name, f"{float(value):g}")} if re.fullmatch(r"-?[\d.]+", value) else {(name, value)}
        assert near & found, (entry[0], sorted(found))
    if "id" in expected:
        assert expected["id"].encode() in [leaf.value for leaf in got.scalars]


def shown(data: Data, value: Any) -> str:
    if data.type is DataType.OCTET_STRING:
        return str(data.value.hex())
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


NAMED = {
    "active_power_import": "1.7.0",
    "active_power_export": "2.7.0",
    "active_energy_import": "1.8.0",
    "active_energy_export": "2.8.0",
    "reactive_energy_import": "3.8.0",
    "reactive_energy_export": "4.8.0",
    "u1": "32.7.0",
    "u2": "52.7.0",
    "u3": "72.7.0",
    "i1": "31.7.0",
    "i2": "51.7.0",
    "i3": "71.7.0",
    "source": "42.0.0",
}


def check_named(got: Run, name: str, wanted: Any) -> None:
    """A published reading under a name of its own: the telegram holds no scaler, so powers of ten are open."""
    if not got.readings:
        check_scalar(got, wanted)
        return
    found = [plain_value(one) for one in got.readings if str(one.obis).split(":")[1].startswith(NAMED[name] + "*")]
    scaled = [
        value / 10**power if power else value for value in found for power in range(4) if not isinstance(value, str)
    ]
    assert any(same(value, wanted) for value in [*found, *scaled]), (name, found)


MEASURED = re.compile(r"(re)?active_power_(import|export)(_l[123]|_total)?|(current|voltage)_l[123]")


def check_scalar(got: Run, wanted: Any) -> None:
    """A value that stands in the list somewhere: the publisher names it by its place, and scales it by the meter type."""
    scalars = [plain_value(one) for one in got.readings] + [leaf.value for leaf in got.scalars]
    texts = {value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in scalars}
    numbers = [value for value in scalars if isinstance(value, int | float)]
    if isinstance(wanted, str):
        assert wanted in texts
    else:
        assert any(same(value * 10**power, wanted) for value in numbers for power in range(-3, 2)), wanted


def check_timestamp(got: Run, wanted: str) -> None:
    """A moment of the message, or of the clock in it; some publishers read the deviation, some do not."""
    found = [moment for one in got.notifications if (moment := one.date_time) is not None]
    found += [moment for leaf in got.scalars if (moment := as_date_time(leaf)) is not None]
    found += [one.time for one in got.of(EventNotificationRequest) if one.time is not None]
    texts = {moment_text(moment)[:19] for moment in found}
    for moment in found:
        if moment.deviation is not None:
            aware = moment.to_datetime()
            texts |= {(aware - aware.utcoffset()).strftime("%Y-%m-%dT%H:%M:%S")}  # type: ignore[operator]
    assert wanted[:19] in texts


def requests_with_answers(got: Run, class_attribute: tuple[int, int]) -> list[Data]:
    """Values that were answered to GETs of this class and attribute."""
    found, asked = [], None
    for one in got.dissections:
        descriptor = getattr(one.apdu, "cosem_attribute_descriptor", None)
        if descriptor is not None:
            asked = (descriptor.class_id, descriptor.attribute_id)
        elif one.data is not None and asked == class_attribute:
            found.append(one.data)
    return found


def check_rows(got: Run, wanted: list[list[Any]]) -> None:
    """Rows of a profile. A text `+1h` says that the clock was left out."""
    rows = [row for value in got.values if value.type is DataType.ARRAY for row in value if row.constructed]
    rows = [row for row in rows if as_date_time(row[0]) is not None or row[0].type is DataType.NULL_DATA]
    assert len(rows) == len(wanted)
    for row, expected in zip(rows, wanted, strict=True):
        moment = as_date_time(row[0])
        if expected[0].startswith("+"):
            assert row[0].type is DataType.NULL_DATA
        else:
            assert moment is not None
            assert moment_text(moment).startswith(expected[0].split(" dev=")[0])
            if " dev=" in expected[0]:
                assert moment.deviation == int(expected[0].split(" dev=")[1])
        assert [element.value for element in row][1:] == expected[1:]


def check_published_rows(got: Run, wanted: list[list[Any]]) -> None:
    """A published table: equal clocks, and numbers that all differ by the same power of ten."""
    profile = max((value for value in got.values if value.type is DataType.ARRAY), key=len)
    assert len(profile) == len(wanted)
    ratios = set()
    for row, expected in zip(profile, wanted, strict=True):
        moment = as_date_time(row[0])
        assert moment is not None
        assert moment_text(moment)[:16] == expected[0]
        for element, number in zip(list(row)[1:], expected[1:], strict=True):
            assert (element.value == 0) == (number == 0)
            if number:
                ratios.add(round(element.value / number, 6))
    assert ratios <= {10.0}


def check_plain(got: Run, wanted: dict[str, str]) -> None:
    plaintexts = [one.plaintext.hex().upper() for one in got.dissections if one.plaintext is not None]
    for plaintext in wanted.values():
        assert plaintext in plaintexts


def proofs(got: Run) -> list[bytes]:
    """Parameters of reply_to_HLS_authentication, and what came back."""
    asked = [one.method_invocation_parameters for one in got.of(ActionRequestNormal)]
    answered = [one.return_parameters for one in got.of(ActionResponseNormal)]
    return [one.value for one in asked + answered if isinstance(one, Data) and one.type is DataType.OCTET_STRING]


def tree_value(got: Run, name: str) -> str:
    for one in reversed(got.dissections):
        if (field := find_field(one.fields, name)) is not None:
            return field.value
    raise AssertionError(f"no field {name}")


def inner_field(got: Run, *names: str) -> Field:
    field = got.dissections[-1].fields
    for name in names:
        found = find_field(field, name)
        assert found is not None, name
        field = found
    return field


def last_block(got: Run) -> GetResponseWithDatablock:
    blocks = got.of(GetResponseWithDatablock)
    return blocks[-1]


def check_raw_len(got: Run, wanted: int) -> None:
    if got.of(GetResponseWithDatablock):
        result = last_block(got).result
        assert isinstance(result, bytes)
        assert len(result) == wanted
    else:  # a first segment: the length is there, the octets are not
        assert inner_field(got, "raw-data", "length").value == str(wanted)


def check_challenge(got: Run, wanted: str) -> None:
    """In an AARQ or AARE as it stands there; beside a proof it is what the proof was made of."""
    values = [one.calling_authentication_value for one in got.of(Aarq)]
    values += [one.responding_authentication_value for one in got.of(Aare)]
    if values:
        assert wanted.encode() in values
        return
    from sessions.dlms.security import SecurityControl, gmac

    keys, expect = keys_of(got.item), got.item["expect"]
    assert keys.guek is not None
    assert keys.gak is not None
    tag = gmac(
        control=SecurityControl(authenticated=True),
        key=keys.guek,
        gak=keys.gak,
        system_title=bytes.fromhex(expect["client_title"]),
        counter=int(tree_value(got, "invocation-counter")),
        text=bytes.fromhex(wanted),
    )
    assert tag.hex() == tree_value(got, "authentication-tag")


def check_payload(got: Run, wanted: str) -> None:
    octets = bytes.fromhex(wanted)
    assert octets in [content for one in got.dissections for content in one.sources.values()]


def check_plaintext(got: Run, wanted: str) -> None:
    plaintext = got.dissections[-1].plaintext
    if wanted.startswith("ASCII"):
        assert plaintext is not None
        assert plaintext.startswith(b"/")
    elif plaintext is None:
        assert not keys_of(got.item).guek  # encrypted, and no key is published: the header alone is judged
    else:
        assert plaintext.hex() == wanted.lower()


CHECKS: dict[str, Callable[[Run, Any], None]] = {
    "values": check_values,
    "hdlc": check_hdlc,
    "cosem": check_cosem,
    "timestamp": check_timestamp,
    "meter_datetime": check_timestamp,
    "list_ver_id": check_scalar,
    "meter_id": check_scalar,
    "meter_type": check_scalar,
    "rows": check_rows,
    "published_rows": check_published_rows,
    "plain": check_plain,
    "raw_len": check_raw_len,
    "challenge": check_challenge,
    "payload": check_payload,
    "plaintext": check_plaintext,
    **{name: functools.partial(lambda got, wanted, name: check_named(got, name, wanted), name=name) for name in NAMED},
}


def check(name: str) -> Callable[[Callable[[Run, Any], None]], Callable[[Run, Any], None]]:
    def register(function: Callable[[Run, Any], None]) -> Callable[[Run, Any], None]:
        CHECKS[name] = function
        return function

    return register


def equal(name: str, value: Callable[[Run], Any]) -> None:
    def compare(got: Run, wanted: Any) -> None:
        assert value(got) == wanted

    CHECKS[name] = compare


equal(
    "client",
    lambda got: int(str(next(one for one in got.dissections if isinstance(one.apdu, Aarq)).summary).split()[-1]),
)
equal("conformance", lambda got: f"{int(got.initiate.negotiated_conformance):06X}")
equal("max_pdu", lambda got: got.initiate.server_max_receive_pdu_size)
equal("deviation_min", lambda got: next(m.deviation for leaf in got.scalars if (m := as_date_time(leaf))))
equal("capture_period_s", lambda got: requests_with_answers(got, (7, 4))[-1].value if len(got.frames) > 1 else 3600)
equal("entries_in_use", lambda got: requests_with_answers(got, (7, 7))[-1].value)
equal("profile_entries", lambda got: requests_with_answers(got, (7, 8))[-1].value)
equal("device", lambda got: requests_with_answers(got, (1, 2))[0].value.decode())
equal("counter", lambda got: requests_with_answers(got, (1, 2))[1].value)
equal("invocation_counter", lambda got: requests_with_answers(got, (1, 2))[-1].value)
equal("pass3_ic", lambda got: proofs(got)[0][1:5].hex())
equal("pass4_ic", lambda got: proofs(got)[1][1:5].hex())
equal("scaler", lambda got: requests_with_answers(got, (3, 3))[-1][0].value)
equal("unit", lambda got: requests_with_answers(got, (3, 3))[-1][1].value)
equal("raw", lambda got: requests_with_answers(got, (3, 2))[-1].value)
equal("result", lambda got: int(got.aare.result))
equal("diagnostic", lambda got: got.aare.result_source_diagnostic.diagnostic)
equal("mechanism", lambda got: (got.of(Aarq) + got.of(Aare))[-1].mechanism_name)
equal("mechanism_id_in_aare", lambda got: got.aare.mechanism_name)
equal("max_info_tx", lambda got: decode_hdlc_parameters(got.hdlc[-1].information).max_info_transmit)
equal("max_info_rx", lambda got: decode_hdlc_parameters(got.hdlc[-1].information).max_info_receive)
equal("window", lambda got: decode_hdlc_parameters(got.hdlc[-1].information).window_receive)
equal("frmr_info", lambda got: got.hdlc[-1].information.hex(" "))
equal("objects_announced", lambda got: int(inner_field(got, "raw-data", "array", "count").value))
equal("ascii", lambda got: tree_value(got, "text"))
equal("last", lambda got: last_block(got).last_block)
equal("block", lambda got: last_block(got).block_number)
equal("messages_complete", lambda got: len(got.notifications))
equal("apdu", lambda got: got.dissections[-1].apdu_octets.hex())
equal("ic", lambda got: int(tree_value(got, "invocation-counter")))
equal("tag", lambda got: tree_value(got, "authentication-tag").upper())
equal("equipment", lambda got: got.of(EventNotificationRequest)[-1].attribute_value.value.decode())
equal("class", lambda got: descriptor_of(got).class_id)
equal("ln", lambda got: ".".join(str(group) for group in descriptor_of(got).instance_id.groups))
equal("attribute", lambda got: descriptor_of(got).attribute_id)
equal("crcValid", lambda got: all(one.error is None for one in got.dissections))


def descriptor_of(got: Run) -> Any:
    return (got.of(EventNotificationRequest) + got.of(SetRequestNormal))[-1].cosem_attribute_descriptor


@check("clock")
def check_clock(got: Run, wanted: str) -> None:
    clocks = requests_with_answers(got, (8, 2))
    assert wanted[:19] in [moment_text(moment)[:19] for one in clocks if (moment := as_date_time(one))]


@check("server_title")
def check_server_title(got: Run, wanted: str) -> None:
    title = got.aare.responding_ap_title
    assert title is not None
    assert wanted in (title.hex().upper(), title.decode("latin-1"))


@check("stoc_prefix")
def check_stoc(got: Run, wanted: str) -> None:
    assert (got.aare.responding_authentication_value or b"").startswith(wanted.encode())


@check("service_error")
def check_service_error(got: Run, wanted: str) -> None:
    octets, words = re.fullmatch(r"([0-9A-F ]+) \((.*)\)", wanted).groups()  # type: ignore[union-attr]
    error = got.of(ConfirmedServiceError)[-1]
    assert error.encode() == bytes.fromhex(octets)
    assert words.replace(" ", "-") in error.words


@check("oddity")
def check_oddity(got: Run, wanted: str) -> None:
    """`E6 E7 00 E6 E7 00 61 29`: the octets are there, and what follows the headers is the APDU."""
    octets = bytes.fromhex(wanted)
    [holder] = [one for one, frame in zip(got.dissections, got.frames, strict=True) if octets in frame]
    assert holder.apdu_octets is not None
    assert holder.apdu_octets.startswith(octets[6:])
    assert holder.error is None


@check("time")
def check_time(got: Run, wanted: str) -> None:
    check_label(got, wanted)


@check("date")
def check_label(got: Run, wanted: str) -> None:
    """A time or a date that only the tree names in words."""
    labels = [field.value for field in every_field(got.dissections[-1].fields)]
    assert any(label.startswith(wanted.split(" (")[0]) for label in labels)


@check("structure")
def check_structure(got: Run, wanted: list[Any]) -> None:
    assert typed(got.notifications[-1].notification_body) == wanted


@check("note")
def check_unknown_apdus(got: Run, wanted: str) -> None:
    """`APDU FF .. must be reported as unknown, not crash`."""
    tag = re.search(r"APDU ([0-9A-F]{2}) \.\. must be reported as unknown", wanted)
    assert tag, wanted
    named = [one for one in got.dissections if one.apdu_octets and one.apdu_octets[0] == int(tag[1], 16)]
    assert named
    assert {one.error.code for one in named if one.error is not None} == {"unknown-tag"}
    assert all(one.error is not None for one in named)


# What is no fact of the octets, or is checked under another name of the same expectation.
IGNORED = {
    "meter_manufacturer",
    "log_window",  # when the log was taken
    "value_kWh",  # raw and scaler, in a unit that the publisher chose
    "columns",  # named in the document, not in the telegram
    "client_title",  # used to recompute the proof
    "dlms",  # the publisher's own classification of the list
    "electricity",
    "mBus",
    "metadata",
    "alarm",  # the document's name for the event
    "1.1.0.0.2.0?",  # a name with a question mark: the value is compared frame by frame
    "decoded_rows_raw",  # compared as published_rows
}


def every_field(root: Field) -> list[Field]:
    return [root, *(inner for child in root.children for inner in every_field(child))]


# -- the tests -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", [one for one in items() if one.values[0]["verified"]["ok"]])
def test_good_telegrams_decode_to_what_is_expected(item: dict[str, Any], captures: Path) -> None:
    got = run(item)
    expect = item.get("expect")
    excused = isinstance(expect, dict) and "reported as unknown" in str(expect.get("note", ""))
    excused = excused or item["id"] in EXCEPTIONS
    errors = [one.error for one in got.dissections if one.error is not None]
    assert bool(errors) == excused, errors
    if isinstance(expect, list):
        check_messages(got, expect)
    elif expect:
        unknown = [name for name in expect if check_for(name) is None and name not in IGNORED]
        assert not unknown, f"no check for {unknown}"
        judged = [(one, expect[name]) for name in expect if (one := check_for(name)) is not None]
        assert judged
        for one, wanted in judged:
            one(got, wanted)
    elif "frames" not in item:
        check_header(got)


def check_for(name: str) -> Callable[[Run, Any], None] | None:
    if name not in CHECKS and MEASURED.fullmatch(name):
        return check_scalar
    return CHECKS.get(name)


def check_header(got: Run) -> None:
    """An encrypted telegram without a key: the header is read, and nothing is claimed of the contents."""
    last = got.dissections[-1]
    assert "no key" in " ".join(last.notes)
    how = got.item["verified"]["how"]
    title, control, counter = re.search(r"st=([0-9a-f]+) SC=([0-9A-F]{2}) IC=([0-9a-f]{8})", how).groups()  # type: ignore[union-attr]
    assert find_field(last.fields, "system-title").value == title  # type: ignore[union-attr]
    assert tree_value(got, "security-control").startswith(control.lower())
    assert int(tree_value(got, "invocation-counter")) == int(counter, 16)
    assert last.plaintext is None


@pytest.mark.parametrize("item", [one for one in items() if "frames" in one.values[0]])
def test_traces_decode_frame_by_frame(item: dict[str, Any], captures: Path) -> None:
    """What the trace says of each frame: kind, APDU, plaintext, value, block; and the assembled transfers."""
    dissector = Dissector(keys_of(item))
    assembled = []
    compared = 0
    for frame in item["frames"]:
        octets = bytes.fromhex(frame["hex"])
        [one] = dissector.feed_all(octets, "sent" if frame["dir"] == "tx" else "received")
        if "apdu" in frame:
            apdu = bytes.fromhex(frame["apdu"])
            assert one.apdu_octets == (apdu[3:] if apdu[:3] in (b"\xe6\xe7\x00", b"\xe6\xe6\x00") else apdu)
            compared += 1
        plaintext = frame.get("plaintext") or frame.get("initiate_plaintext")
        if plaintext:
            assert one.plaintext == bytes.fromhex(plaintext)
        if "ctrl" in frame:
            control = find_field(one.fields, "control")
            assert control is not None
            assert f"({frame['ctrl'].split()[0]}" in control.value
            for letter, word in (("S", "send"), ("R", "receive")):
                if number := re.search(rf"N\({letter}\)=(\d)", frame["ctrl"]):
                    assert f"{word} {number[1]}" in control.value
        if "value" in frame:
            assert isinstance(one.apdu, GetResponseNormal)
            assert isinstance(one.apdu.result, Data)
            assert typed(one.apdu.result) == frame["value"]
        if "block" in frame and frame["block"] is not None and isinstance(one.apdu, GetResponseWithDatablock):
            assert (one.apdu.block_number, one.apdu.last_block) == (frame["block"], frame["last"])
        if isinstance(one.apdu, GetResponseWithDatablock) and one.data is not None:
            assembled.append(typed(one.data))
    assert compared
    assert assembled == item.get("assembled", [])


@pytest.mark.parametrize("item", [one for one in items() if not one.values[0]["verified"]["ok"]])
def test_damaged_telegrams_are_refused_with_a_typed_error(item: dict[str, Any], captures: Path) -> None:
    got = run(item)
    errors = [one.error for one in got.dissections if one.error is not None]
    assert errors
    assert all(isinstance(error, DlmsError) and error.code != "inspector-fault" for error in errors)
    expect = item.get("expect")
    if isinstance(expect, dict) and "payload" in expect:  # a bad tag: the text is shown all the same
        check_payload(got, expect["payload"])
        check_plaintext(got, expect["plaintext"])
    if isinstance(expect, dict) and "messages_complete" in expect:
        assert len(got.notifications) == expect["messages_complete"]


@pytest.mark.parametrize("item", [one for one in items() if one.values[0].get("plaintext_apdu")])
def test_published_plaintexts_are_reached(item: dict[str, Any], captures: Path) -> None:
    got = run(item)
    plaintext = bytes.fromhex(item["plaintext_apdu"])
    assert plaintext in [content for one in got.dissections for content in one.sources.values()]


@pytest.mark.parametrize("item", items())
def test_altered_telegrams_never_get_the_better_of_the_inspector(item: dict[str, Any], captures: Path) -> None:
    """A few alterations of each item, the same in every run: a result, or a typed error; the masked frame keeps its length."""
    chance = random.Random(item["id"])
    parts = [bytes.fromhex(part["hex"]) for part in item.get("frames", [item])]
    dissector = Dissector(keys_of(item))
    for _ in range(12):
        octets = bytearray(chance.choice(parts))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(octets))
            octets[at : at + chance.choice((1, 1, 1, 3))] = chance.randbytes(chance.choice((0, 1, 1, 2)))
            if not octets:
                break
        for one in dissector.feed_all(bytes(octets)):
            assert one.error is None or one.error.code != "inspector-fault", (octets.hex(), one.error)
            frame = one.sources["frame"]
            assert len(mask(frame, one)) == len(frame)
            one.as_json()
