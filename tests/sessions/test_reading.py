"""Reading objects and profiles from a scripted meter over a real socket."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from meters.cosem.data import (
    Data,
    DataType,
    array,
    date_time,
    double_long_unsigned,
    enum,
    integer,
    null,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.association_file import AssociationFile
from sessions.dlms.acse import Aarq, ResultSourceDiagnostic
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.apdu.errors import ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNormal, GetRequestWithList
from sessions.dlms.association import Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import AssociationRejectedError, ConnectionLostError, DlmsError, ExceptionResponseError
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor
from sessions.links.endpoint import TcpEndpoint
from sessions.links.line import LineError
from sessions.object_reference import EntryRange, ObjectReference, TimeRange
from sessions.reading import MAX_SCALER_READS, Profile, read_objects, selection, value_as_json
from tests.sessions.dlms.scripted import ScriptedMeter, parameters
from tests.sessions.links.served import served

pytestmark = pytest.mark.asyncio

PROFILE = ObisCode.parse("1-0:99.1.0*255")
CLOCK = CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2)
IMPORT = CaptureObject(3, ObisCode.parse("1-0:1.8.0*255"), 2)
MAXIMUM = CaptureObject(4, ObisCode.parse("1-0:1.6.0*255"), 5)
DEMAND = CaptureObject(5, ObisCode.parse("1-0:1.4.0*255"), 2)
WATT_HOURS = structure(integer(1), enum(30))
WATTS = structure(integer(0), enum(27))
MIDNIGHT = datetime(2026, 11, 1)
COUNTER = CosemAttributeDescriptor(1, ObisCode.parse("0-0:43.1.0*255"), 2)
CIPHERED = parameters(AuthenticationMechanism.HLS_GMAC, Protection.AUTHENTICATED_ENCRYPTED, client_sap=1)
GMAC_ONLY = parameters(AuthenticationMechanism.HLS_GMAC, client_sap=1)


def attribute(class_id: int, name: ObisCode, attribute_id: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(class_id, name, attribute_id)


def moment(hour: int, minute: int = 0) -> Data:
    return date_time(MIDNIGHT.replace(hour=hour, minute=minute))


def fill(meter: ScriptedMeter, columns, rows: Data) -> None:
    """A profile, and scalers of two of its columns."""
    meter.objects |= {
        attribute(7, PROFILE, 2): rows,
        attribute(7, PROFILE, 3): array(*(column.to_data() for column in columns)),
        attribute(7, PROFILE, 4): double_long_unsigned(900),
        attribute(3, IMPORT.logical_name, 3): WATT_HOURS,
        attribute(5, DEMAND.logical_name, 4): WATTS,
    }


async def read(meter, *texts: str, agreed=None, **options):
    association = AssociationFile(framing="wrapper", parameters=agreed or parameters(), timeout=5.0, **options)
    return await read_objects(meter.endpoint, association, [ObjectReference.parse(text) for text in texts])


async def read_one(meter, text: str):
    report = await read(meter, text)
    return report.readings[0]


INDIAN = date_time(datetime(2026, 11, 1, 12, 30, tzinfo=timezone(timedelta(hours=5.5))), reverse_deviation=True)


async def test_a_meter_that_counts_the_deviation_the_other_way_is_read_as_it_means():
    assert INDIAN.value.hex() == "07ea0b01070c1e0000014a00"
    async with served(parameters()) as meter:
        meter.meter.objects[attribute(8, CLOCK.logical_name, 2)] = INDIAN
        fill(meter.meter, [CLOCK, IMPORT], array(structure(INDIAN, unsigned(1))))
        part = "[2026-11-01T00:00+05:30..2026-11-02T00:00+05:30]"
        texts = ("8/0-0:1.0.0*255/2", "7/1-0:99.1.0*255/2", f"7/1-0:99.1.0*255/2{part}")
        report = await read(meter, *texts, reverse_deviation=True)
        straight = await read(meter, "8/0-0:1.0.0*255/2")
        selections = [getattr(request, "access_selection", None) for request in meter.meter.requests]
    clock, profile, _ = report.as_json()["values"]
    assert clock["value"] == profile["value"]["rows"][0][0] == "2026-11-01T12:30:00+05:30"
    assert straight.as_json()["values"][0]["value"] == "2026-11-01T12:30:00-05:30"
    (asked,) = filter(None, selections)
    assert RangeDescriptor.from_selective_access(asked).from_value.value[9:11].hex() == "014a"


# -- single values -----------------------------------------------------------------------------------------------------


async def test_values_as_json():
    async with served(parameters()) as meter:
        meter.meter.objects[attribute(8, CLOCK.logical_name, 2)] = date_time(datetime(2026, 11, 1, 12, 30, tzinfo=UTC))
        meter.meter.objects[attribute(3, IMPORT.logical_name, 2)] = double_long_unsigned(4822)
        report = await read(meter, "8/0-0:1.0.0*255/2", "3/1-0:1.8.0*255/2", "1/0-0:96.1.0*255/2")
    said = report.as_json()
    clock, energy, missing = said["values"]
    assert clock == {
        "object": "8/0-0:1.0.0*255/2",
        "class_id": 8,
        "logical_name": "0-0:1.0.0*255",
        "attribute": 2,
        "attribute_name": "time",
        "result": "success",
        "type": "octet-string",
        "value": "2026-11-01T12:30:00+00:00",
    }
    assert (energy["type"], energy["value"], energy["result"]) == ("double-long-unsigned", 4822, "success")
    assert (missing["type"], missing["value"], missing["result"]) == (None, None, "object-undefined")
    assert "get" in said["association"]["conformance"]
    assert said["frames"] == 10


async def test_a_refused_service_is_the_result_of_its_object_alone():
    async with served(parameters()) as meter:
        meter.meter.objects[attribute(3, IMPORT.logical_name, 2)] = unsigned(1)
        refused = iter([ExceptionResponse(1, 2)])
        meter.meter.script[GetRequestNormal] = lambda apdu: next(refused, None) or meter.meter.answer(apdu)
        report = await read(meter, "8/0-0:1.0.0*255/2", "3/1-0:1.8.0*255/2")
    first, second = report.readings
    assert isinstance(first.outcome, ExceptionResponseError)
    assert first.result == "exception-response"
    assert first.as_json()["error"]["layer"] == "application"
    assert second.outcome == unsigned(1)


async def test_what_stands_between_profiles_is_read_together_where_the_meter_serves_lists():
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK, IMPORT], array(structure(moment(1), double_long_unsigned(5))))
        meter.meter.conformance |= Conformance.MULTIPLE_REFERENCES
        names = [
            "3/1-0:1.8.0*255/3",
            "9/0-0:10.0.0*255/2",
            "7/1-0:99.1.0*255/2",
            "7/1-0:99.1.0*255/4",
            "8/0-0:9.9.9*255/2",
        ]
        report = await read(meter, *names)
        assert [str(reading.reference) for reading in report.readings] == names
        assert [reading.result for reading in report.readings] == [
            "success",
            "object-undefined",
            "success",
            "success",
            "object-undefined",
        ]
        lists = [request for request in meter.meter.requests if isinstance(request, GetRequestWithList)]
        assert [len(request.attribute_descriptor_list) for request in lists] == [2, 2]


async def test_an_association_that_breaks_is_an_error():
    async with served(parameters()) as meter:
        meter.hang_up_on = GetRequestNormal
        with pytest.raises(ConnectionLostError):
            await read(meter, "8/0-0:1.0.0*255/2")


async def test_an_association_that_is_rejected_is_an_error():
    async with served(parameters()) as meter:
        rejection = {"result": 1, "result_source_diagnostic": ResultSourceDiagnostic(diagnostic=1)}
        meter.meter.script[Aarq] = lambda aarq: meter.meter.aare(aarq, **rejection)
        with pytest.raises(AssociationRejectedError):
            await read(meter, "8/0-0:1.0.0*255/2")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (null(), None),
        (octet_string(b"\x01\xff"), "01ff"),
        (visible_string("MWB"), "MWB"),
        (moment(3), "2026-11-01T03:00:00"),
        (octet_string(bytes.fromhex("07ea0b01ff03ffffff8000ff")), "2026-11-01 03:**:**"),
        (octet_string(b"123456789012"), b"123456789012".hex()),
        (array(unsigned(1), moment(0)), [1, "2026-11-01T00:00:00"]),
        (Data(DataType.FLOAT32, float("nan")), "nan"),
    ],
)
async def test_a_value_as_json(data, shown):
    assert value_as_json(data) == shown


# -- profiles -------------------------------------------------------------------------------------------------------------


async def test_a_profile_with_its_columns_and_units():
    rows = array(
        *(structure(moment(hour), double_long_unsigned(hour * 10), moment(0), unsigned(7)) for hour in range(3))
    )
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK, IMPORT, MAXIMUM, DEMAND], rows)
        reading = await read_one(meter, "7/1-0:99.1.0*255/2")
    said = reading.as_json()
    assert (said["result"], said["type"]) == ("success", "array")
    assert said["value"]["rows"] == [
        [f"2026-11-01T0{hour}:00:00", hour * 10, "2026-11-01T00:00:00", 7] for hour in range(3)
    ]
    clock, energy, maximum, demand = said["value"]["columns"]
    assert clock == {
        "object": "0-0:1.0.0*255",
        "class_id": 8,
        "attribute_id": 2,
        "title": "Clock",
        "unit": None,
        "scaler": None,
    }
    assert (energy["object"], energy["unit"], energy["scaler"]) == ("1-0:1.8.0*255", "Wh", 1)
    assert "Active energy import" in energy["title"]
    assert maximum["title"].endswith(", capture_time")
    assert (demand["unit"], demand["scaler"]) == ("W", 0)


@pytest.mark.parametrize("captured", [DataAccessResult.READ_WRITE_DENIED, unsigned(1), array(unsigned(1)), array()])
async def test_a_profile_that_does_not_tell_its_columns(captured):
    async with served(parameters()) as meter:
        fill(meter.meter, [], array(structure(moment(1), unsigned(1)), structure(moment(2), unsigned(2), unsigned(3))))
        meter.meter.objects[attribute(7, PROFILE, 3)] = captured
        reading = await read_one(meter, "7/1-0:99.1.0*255/2[#1..2]")
    said = reading.as_json()["value"]
    assert [column["title"] for column in said["columns"]] == ["Column 1", "Column 2", "Column 3"]
    assert all(column["object"] is None for column in said["columns"])
    assert said["rows"] == [["2026-11-01T01:00:00", 1], ["2026-11-01T02:00:00", 2, 3]]


async def test_scalers_that_the_meter_does_not_give():
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK, IMPORT], array(structure(moment(1), unsigned(1))))
        for odd in (DataAccessResult.READ_WRITE_DENIED, unsigned(1), structure(unsigned(1))):
            meter.meter.objects[attribute(3, IMPORT.logical_name, 3)] = odd
            reading = await read_one(meter, "7/1-0:99.1.0*255/2")
            assert reading.as_json()["value"]["columns"][1]["unit"] is None


async def test_each_register_is_asked_once_and_not_too_many_are():
    many = [CaptureObject(3, ObisCode(1, 0, number, 8, 0, 255), 2) for number in range(1, 41)]
    async with served(parameters()) as meter:
        fill(meter.meter, [*many, *many], array(structure(*[unsigned(1)] * 80)))
        await read_one(meter, "7/1-0:99.1.0*255/2")
        asked = [
            request.cosem_attribute_descriptor for request in meter.meter.requests if type(request) is GetRequestNormal
        ]
    scalers = [descriptor for descriptor in asked if descriptor.class_id == 3]
    assert len(scalers) == len(set(scalers)) == MAX_SCALER_READS


async def test_clocks_that_are_left_out_are_filled_in():
    rows = array(structure(moment(0), unsigned(1)), structure(null(), unsigned(2)), structure(null(), unsigned(3)))
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK, IMPORT], rows)
        reading = await read_one(meter, "7/1-0:99.1.0*255/2")
    assert [row[0] for row in reading.as_json()["value"]["rows"]] == [
        "2026-11-01T00:00:00",
        "2026-11-01T00:15:00",
        "2026-11-01T00:30:00",
    ]


async def test_the_period_is_asked_only_where_it_is_needed():
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK, IMPORT], array(structure(moment(0), unsigned(1))))
        await read_one(meter, "7/1-0:99.1.0*255/2")
        asked = [
            request.cosem_attribute_descriptor for request in meter.meter.requests if type(request) is GetRequestNormal
        ]
    assert attribute(7, PROFILE, 4) not in asked


@pytest.mark.parametrize("answer", [DataAccessResult.SCOPE_OF_ACCESS_VIOLATED, unsigned(1), array(unsigned(1))])
async def test_a_buffer_that_is_no_table(answer):
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK], answer)
        reading = await read_one(meter, "7/1-0:99.1.0*255/2")
    assert reading.outcome == answer


async def test_an_empty_buffer_still_has_its_columns():
    async with served(parameters()) as meter:
        fill(meter.meter, [CLOCK, IMPORT], array())
        reading = await read_one(meter, "7/1-0:99.1.0*255/2")
    assert isinstance(reading.outcome, Profile)
    assert (len(reading.outcome.columns), reading.outcome.rows) == (2, ())


COMPACT = ObisCode.parse("0-0:66.0.1*255")


async def read_compact(template, buffer, captured=None):
    async with served(parameters()) as meter:
        objects = {2: buffer, 3: captured, 5: template}
        meter.meter.objects |= {attribute(62, COMPACT, n): data for n, data in objects.items() if data is not None}
        meter.meter.objects[attribute(3, IMPORT.logical_name, 3)] = structure(integer(-1), enum(30))
        return await read_one(meter, f"62/{COMPACT}/2")


async def test_compact_data_is_read_by_its_template():
    template, buffer = octet_string(bytes.fromhex("02020911")), octet_string(bytes.fromhex("0161070162 08"))
    reading = await read_compact(template, buffer, array(CLOCK.to_data(), IMPORT.to_data()))
    told = reading.as_json()["value"]
    assert told["rows"] == [["61", 7], ["62", 8]]
    assert [(column["object"], column["unit"]) for column in told["columns"]] == [
        ("0-0:1.0.0*255", None),
        ("1-0:1.8.0*255", "Wh"),
    ]


@pytest.mark.parametrize(
    "template", [None, octet_string(b""), octet_string(b"\x13"), octet_string(b"\x12"), unsigned(1)]
)
async def test_compact_data_without_a_template_that_fits_is_octets(template):
    buffer = octet_string(b"\x01\x02\x03")
    assert (await read_compact(template, buffer)).outcome == buffer


async def test_a_part_is_asked_for_as_written():
    async with served(parameters()) as meter:
        fill(meter.meter, [IMPORT, CLOCK], array())
        await read(meter, "7/1-0:99.1.0*255/2[2026-11-01T00:00..2026-11-02T00:00]", "7/1-0:99.1.0*255/2[#3..]")
        asked = [
            request.access_selection
            for request in meter.meter.requests
            if type(request) is GetRequestNormal and request.access_selection is not None
        ]
    first, second = RangeDescriptor.from_selective_access(asked[0]), EntryDescriptor.from_selective_access(asked[1])
    assert first.restricting_object == CLOCK
    assert first.from_value.value.hex() == "07ea0b0107000000008000" + "00"
    assert first.to_value.value.hex() == "07ea0b0201000000008000" + "00"
    assert (second.from_entry, second.to_entry) == (3, 0)


async def test_the_clock_column_restricts_whatever_its_name():
    own = CaptureObject(8, ObisCode.parse("0-1:1.0.0*255"), 2, 3)
    part = TimeRange(MIDNIGHT, MIDNIGHT)
    chosen = RangeDescriptor.from_selective_access(selection(part, [IMPORT, own, CLOCK]))
    assert chosen.restricting_object == CaptureObject(8, own.logical_name, 2, 0)
    assert RangeDescriptor.from_selective_access(selection(part, [])).restricting_object == CLOCK
    assert selection(None, [CLOCK]) is None
    assert EntryDescriptor.from_selective_access(selection(EntryRange(1, 10), [])) == EntryDescriptor(1, 10)


# -- invocation counters -----------------------------------------------------------------------------------------------------


def two_faced(meter, agreed, counter) -> None:
    """A meter that serves the public client in clear, and the other one as agreed."""
    private, public = ScriptedMeter(agreed), ScriptedMeter(parameters())
    public.objects[COUNTER] = counter
    private.objects[attribute(3, IMPORT.logical_name, 2)] = unsigned(9)
    seen = {"private": private, "public": public}

    class Both(ScriptedMeter):
        def __call__(self, octets: bytes) -> list[bytes]:
            if octets[0] == 0x60:
                self.turn = private if b"\x85\x74\x05\x08\x02\x05" in octets else public
            return self.turn(octets)

    meter.meter = Both(agreed)
    meter.faces = seen


@pytest.mark.parametrize("agreed", [CIPHERED, GMAC_ONLY], ids=["ciphered", "gmac only"])
async def test_the_counter_is_learned_from_the_meter(agreed):
    async with served(agreed) as meter:
        two_faced(meter, agreed, double_long_unsigned(500))
        report = await read(meter, "3/1-0:1.8.0*255/2", agreed=agreed)
        assert report.readings[0].outcome == unsigned(9)
        used = [counter for _, counter in meter.faces["private"].client_counters]
        assert min(used) == 501
        assert meter.connections == 2
        assert report.frames > 10


async def test_a_counter_that_is_given_is_not_asked_for():
    async with served(CIPHERED) as meter:
        two_faced(meter, CIPHERED, double_long_unsigned(500))
        await read(meter, "3/1-0:1.8.0*255/2", agreed=CIPHERED, invocation_counter=7)
        assert min(counter for _, counter in meter.faces["private"].client_counters) == 7
        assert meter.connections == 1


@pytest.mark.parametrize(
    ("counter", "layer"),
    [
        (DataAccessResult.READ_WRITE_DENIED, "access"),
        (octet_string(b"\x00\x00\x00\x07"), "security"),
        (null(), "security"),
        (Data(DataType.BOOLEAN, True), "security"),
        (double_long_unsigned(0xFFFFFFFF), "security"),
        (integer(-1), "security"),
    ],
)
async def test_a_counter_that_the_meter_does_not_tell(counter, layer):
    async with served(CIPHERED) as meter:
        two_faced(meter, CIPHERED, counter)
        with pytest.raises(DlmsError) as raised:
            await read(meter, "3/1-0:1.8.0*255/2", agreed=CIPHERED)
    assert (raised.value.code, raised.value.layer) == ("invocation-counter-unknown", layer)
    assert "invocation_counter" in raised.value.hint


async def test_a_public_client_that_is_rejected():
    async with served(CIPHERED) as meter:
        meter.meter.script[Aarq] = lambda aarq: meter.meter.aare(
            aarq, result=1, result_source_diagnostic=ResultSourceDiagnostic(diagnostic=1), user_information=None
        )
        with pytest.raises(DlmsError) as raised:
            await read(meter, "3/1-0:1.8.0*255/2", agreed=CIPHERED)
    assert (raised.value.code, raised.value.layer) == ("invocation-counter-unknown", "association")
    assert "invocation_counter" in raised.value.hint


async def test_a_dead_line_is_said_to_be_dead_and_not_to_lack_a_counter():
    association = AssociationFile(framing="wrapper", parameters=CIPHERED)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(LineError):
        await read_objects(TcpEndpoint("127.0.0.1", port), association, [])
