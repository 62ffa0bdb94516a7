"""Reading objects in one association: what the `read` command does, without a database.

A profile is read with its columns: the capture objects say what they are, the registers among them their scaler and unit.
What a meter refuses on the way (no capture objects for this client, say) makes the answer poorer, not wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, Protocol

from meters.cosem.data import Data, DataType, as_json, date_time
from meters.cosem.date_time import CosemDateTime, decode_moment, looks_like_date_time
from meters.cosem.interface_class import attribute_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.profile import CaptureObject, RowExpander, decode_capture_objects
from meters.cosem.rows import Rows
from meters.cosem.units import ScalerUnit
from sessions.association_file import AssociationFile
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.association import AssociationParameters, Negotiated
from sessions.dlms.client import DlmsClient
from sessions.dlms.compact_array import decode_compact_data
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.links.driver import Conversation, LineFrame, make_link
from sessions.links.endpoint import Endpoint
from sessions.links.line import LineError
from sessions.object_reference import MAX_ENTRY, EntryRange, ObjectReference, TimeRange

CAPTURE_OBJECTS: Final = 3
CAPTURE_PERIOD: Final = 4
TEMPLATE_DESCRIPTION: Final = 5
SCALER_UNIT_OF: Final = {(3, 2): 3, (4, 2): 3, (5, 2): 4, (5, 3): 4}
"""(class, value attribute): the attribute that holds its scaler and unit."""

MAX_SCALER_READS: Final = 32
"""Registers that are asked for scaler and unit in one profile: each costs a question."""

STANDARD_CLOCK: Final = CaptureObject(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
COUNTER_BLOCK: Final = 128
COUNTERS_LOW: Final = 16
"""Invocation counters that are reserved together, and when the next block is."""
MAX_INVOCATION_COUNTER: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """One column of a profile; `capture_object` None where the meter did not tell."""

    capture_object: CaptureObject | None
    title: str
    scaler_unit: ScalerUnit | None = None

    def as_json(self) -> dict[str, Any]:
        captured = self.capture_object
        return {
            "object": None if captured is None else str(captured.logical_name),
            "class_id": None if captured is None else captured.class_id,
            "attribute_id": None if captured is None else captured.attribute_id,
            "title": self.title,
            "unit": None if self.scaler_unit is None else self.scaler_unit.symbol,
            "scaler": None if self.scaler_unit is None else self.scaler_unit.scaler,
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """Rows of a profile's buffer, unscaled, as the meter sent them (null-data filled in)."""

    columns: tuple[ProfileColumn, ...]
    rows: Rows
    reverse_deviation: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": [column.as_json() for column in self.columns],
            "rows": [value_as_json(row, reverse_deviation=self.reverse_deviation) for row in self.rows],
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reference gave: a value, a profile, a data-access-result, or an error of this request alone."""

    reference: ObjectReference
    outcome: Data | Profile | DataAccessResult | DlmsError
    reverse_deviation: bool = False
    """How the meter counts the deviation of its date-times: see `meters.cosem.date_time`."""

    @property
    def result(self) -> str:
        """`success`, the data-access-result's name, or the error's code."""
        match self.outcome:
            case DataAccessResult():
                return self.outcome.name.lower().replace("_", "-")
            case DlmsError():
                return self.outcome.code
        return "success"

    @property
    def type_name(self) -> str | None:
        match self.outcome:
            case Data():
                return self.outcome.type.asn1_name
            case Profile():
                return DataType.ARRAY.asn1_name
        return None

    def as_json(self) -> dict[str, Any]:
        reference, outcome = self.reference, self.outcome
        value: Any = None
        if isinstance(outcome, Data):
            value = value_as_json(outcome, reverse_deviation=self.reverse_deviation)
        elif isinstance(outcome, Profile):
            value = outcome.as_json()
        entry: dict[str, Any] = {
            "object": str(reference),
            "class_id": reference.class_id,
            "logical_name": str(reference.logical_name),
            "attribute": reference.attribute_id,
            "attribute_name": attribute_name(reference.class_id, reference.attribute_id),
            "result": self.result,
            "type": self.type_name,
            "value": value,
        }
        if isinstance(outcome, DlmsError):
            entry["error"] = outcome.as_dict()
        return entry


def value_as_json(data: Data, *, reverse_deviation: bool = False) -> Any:
    """As JSON; twelve octets that are a date-time become ISO 8601 (or, with unspecified fields, their text with stars)."""
    if data.type is DataType.OCTET_STRING and looks_like_date_time(data.value):
        return _moment_as_json(data.value, reverse_deviation)
    if data.type is DataType.DATE_TIME:
        return _moment_as_json(data.value.encode(), reverse_deviation)
    if data.constructed:
        return [value_as_json(element, reverse_deviation=reverse_deviation) for element in data]
    return as_json(data)


def _moment_as_json(octets: bytes, reverse_deviation: bool) -> str:
    try:
        return decode_moment(octets, reverse_deviation=reverse_deviation).isoformat()
    except ValueError:
        return CosemDateTime.decode(octets).text(reverse_deviation=reverse_deviation)


# -- one association ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What `read_objects` brings home."""

    association: dict[str, Any]
    readings: tuple[Reading, ...]
    frames: int

    def as_json(self) -> dict[str, Any]:
        values = [reading.as_json() for reading in self.readings]
        return {"association": self.association, "values": values, "frames": self.frames}


class _FrameCount:
    """Counts the frames that pass; what is no frame does not count."""

    def __init__(self) -> None:
        self.frames = 0

    def __call__(self, frame: LineFrame) -> None:
        self.frames += not hasattr(frame, "reason")


class CounterSource(Protocol):
    """Reserves blocks of invocation counters: see `sessions.command_counters`. `is_certain`: the meter need not be asked."""

    @property
    def is_certain(self) -> bool: ...

    async def learn(self, next_counter: int, *, trusted: bool) -> None: ...

    async def reserve(self, count: int) -> range: ...

    async def doubt(self) -> None: ...


class _Counters:
    """The counters of one conversation, topped up from their source before they run out."""

    def __init__(self, source: CounterSource) -> None:
        self.source = source
        self.numbers = InvocationCounters()

    def are_enough(self) -> bool:
        """Whether `top_up` has nothing to do."""
        return self.numbers.remaining >= COUNTERS_LOW

    async def top_up(self) -> None:
        if not self.are_enough():
            self.numbers.extend(await self.source.reserve(COUNTER_BLOCK))


async def read_objects(
    endpoint: Endpoint,
    association: AssociationFile,
    references: Sequence[ObjectReference],
    source: CounterSource | None = None,
) -> Report:
    """Associate, read, release. DlmsError when there is no association, or when it breaks. `source`: see below."""
    count = _FrameCount()
    conversation = await prepare_conversation(endpoint, association, on_frame=count, source=source)
    try:
        negotiated = await open_conversation(conversation, source)
        readings = await read_all(conversation, references)
        await conversation.release()
    finally:
        await conversation.close()
    return Report(negotiated.as_json(), tuple(readings), count.frames)


async def prepare_conversation(
    endpoint: Endpoint,
    association: AssociationFile,
    *,
    on_frame: Callable[[LineFrame], None] | None = None,
    source: CounterSource | None = None,
) -> Conversation:
    """A conversation to be opened; where it needs an invocation counter that nobody knows, the meter is asked first.

    `source`: where counters are reserved. None: nobody else uses the key, now or later, as in a test with a simulated meter.
    """
    counters = None
    if association.parameters.needs_counters:
        counters = _Counters(source or _Unshared())
        await _learn(counters.source, endpoint, association, on_frame)
        await counters.top_up()
    return _conversation(endpoint, association, association.prepared(secrets.token_bytes), counters, on_frame)


async def open_conversation(conversation: Conversation, source: CounterSource | None) -> Negotiated:
    """Open it; where the meter does not let us in, its counter may have run ahead, and is asked for next time."""
    try:
        return await conversation.open()
    except LineError:
        raise
    except DlmsError:
        if source is not None:
            await source.doubt()
        raise


async def _learn(
    source: CounterSource,
    endpoint: Endpoint,
    association: AssociationFile,
    on_frame: Callable[[LineFrame], None] | None,
) -> None:
    """What comes next: by the file, else by the meter where nobody is certain."""
    if association.invocation_counter is not None:
        await source.learn(association.invocation_counter, trusted=True)
    elif not source.is_certain:
        told = await learn_invocation_counter(endpoint, association, on_frame=on_frame)
        await source.learn(told, trusted=False)


class _Unshared:
    """Counters that only this conversation uses."""

    is_certain = False

    def __init__(self) -> None:
        self._next = 0

    async def learn(self, next_counter: int, *, trusted: bool) -> None:
        self._next = next_counter

    async def reserve(self, count: int) -> range:
        first, self._next = self._next, min(self._next + count, MAX_INVOCATION_COUNTER + 1)
        return range(first, self._next)

    async def doubt(self) -> None:
        """Nobody uses them again."""


def _conversation(
    endpoint: Endpoint,
    association: AssociationFile,
    parameters: AssociationParameters,
    counters: _Counters | None,
    on_frame: Callable[[LineFrame], None] | None,
) -> Conversation:
    link = make_link(association.framing, parameters, association.hdlc, association.timeout, endpoint=endpoint)
    client = DlmsClient(
        parameters,
        link,
        challenge=secrets.token_bytes(parameters.challenge_octets),
        random=secrets.token_bytes,
        counters=None if counters is None else counters.numbers,
        reply_timeout=association.timeout,
    )
    return Conversation(
        endpoint,
        client,
        on_frame=on_frame,
        before_octets=None if counters is None else counters.top_up,
        ready=None if counters is None else counters.are_enough,
        reverse_deviation=association.reverse_deviation,
    )


async def learn_invocation_counter(
    endpoint: Endpoint, association: AssociationFile, *, on_frame: Callable[[LineFrame], None] | None = None
) -> int:
    """The next counter to use: one more than the meter tells its public client. DlmsError when it tells none."""
    public = AssociationParameters(
        client_sap=association.counter_client_sap,
        server_sap=association.parameters.server_sap,
        max_pdu_size=association.parameters.max_pdu_size,
        referencing=association.parameters.referencing,
        short_names=association.parameters.short_names,
    )
    conversation = _conversation(endpoint, association, public, None, on_frame)
    try:
        await conversation.open()
        value = await conversation.get(CosemAttributeDescriptor(1, association.counter_object, 2))
        await conversation.release()
    except LineError:
        raise
    except DlmsError as error:
        raise _counter_unknown(association, error.message, error.layer, error.hint) from None
    finally:
        await conversation.close()
    if isinstance(value, DataAccessResult):
        raise _counter_unknown(association, value.name.lower().replace("_", "-"), "access")
    if (
        isinstance(value.value, bool)
        or not isinstance(value.value, int)
        or not 0 <= value.value < MAX_INVOCATION_COUNTER
    ):
        raise _counter_unknown(association, f"it says {as_json(value)}, which is no counter to go on from", "security")
    return value.value + 1


def _counter_unknown(association: AssociationFile, reason: str, layer: str, hint: str = "") -> DlmsError:
    way_out = (
        "Give invocation_counter in the association file: one more than the last one used with this key and title."
    )
    return DlmsError(
        f"the invocation counter could not be read (client SAP {association.counter_client_sap}, "
        f"object {association.counter_object}): {reason}",
        layer=layer,
        code="invocation-counter-unknown",
        hint=f"{hint} {way_out}".strip(),
    )


# -- many objects ------------------------------------------------------------------------------------------------------


async def read_all(conversation: Conversation, references: Sequence[ObjectReference]) -> list[Reading]:
    """Read the references in their order: profiles one by one, what stands between them together."""
    readings: list[Reading] = []
    for is_table, some in groupby(references, key=lambda reference: reference.is_table):
        if is_table:
            readings += [await read_object(conversation, reference) for reference in some]
        else:
            readings += await _read_together(conversation, list(some))
    return readings


async def _read_together(conversation: Conversation, references: Sequence[ObjectReference]) -> list[Reading]:
    """An error that the association survives is the outcome of what it befell; every other one is raised."""
    outcomes: Sequence[Data | DataAccessResult | DlmsError]
    try:
        outcomes = await conversation.get_many([reference.attribute for reference in references])
    except DlmsError as error:
        if not conversation.is_open:
            raise
        outcomes = [error] * len(references)
    pairs = zip(references, outcomes, strict=True)
    return [Reading(reference, outcome, conversation.reverse_deviation) for reference, outcome in pairs]


# -- one object --------------------------------------------------------------------------------------------------------


async def read_object(conversation: Conversation, reference: ObjectReference) -> Reading:
    """Read one reference. An error that the association survives is the reading's outcome; every other one is raised."""
    try:
        outcome: Data | Profile | DataAccessResult | DlmsError
        if reference.is_buffer:
            outcome = await read_profile(conversation, reference)
        elif reference.is_compact_buffer:
            outcome = await read_compact_data(conversation, reference)
        else:
            outcome = await _get(conversation, reference)
    except DlmsError as error:
        if not conversation.is_open:
            raise
        outcome = error
    return Reading(reference, outcome, conversation.reverse_deviation)


async def _get(
    conversation: Conversation, reference: ObjectReference, access: SelectiveAccess | None = None
) -> Data | DataAccessResult:
    return await conversation.get(reference.attribute, access)


async def get_if_possible(conversation: Conversation, references: Sequence[ObjectReference]) -> list[Data | None]:
    """The values, None where the meter does not give one. The association must survive."""
    readings = await _read_together(conversation, references)
    return [reading.outcome if isinstance(reading.outcome, Data) else None for reading in readings]


async def read_profile(conversation: Conversation, reference: ObjectReference) -> Profile | Data | DataAccessResult:
    """The buffer of a profile, or the part that the reference names, with its columns.

    A buffer that is no array of rows comes as the Data that it is.
    """
    captured = await read_capture_objects(conversation, reference)
    reverse = conversation.reverse_deviation
    access = selection(reference.part, captured, reverse_deviation=reverse)
    buffer = await _get(conversation, reference, access)
    if not isinstance(buffer, Data) or not buffer.constructed or not all(row.constructed for row in buffer):
        return buffer
    period = await _capture_period(conversation, reference, captured, buffer)
    rows = RowExpander(captured, capture_period=period).expand_all(buffer.elements)
    width = max((len(row) for row in rows), default=0)
    return Profile(tuple(await describe_columns(conversation, captured, width)), rows, reverse)


async def read_compact_data(
    conversation: Conversation, reference: ObjectReference
) -> Profile | Data | DataAccessResult:
    """The rows of Compact data, whose types are in its template_description, with their columns.

    Where the meter does not tell the types, or they do not fit, the buffer comes as the Data that it is.
    """
    buffer = await _get(conversation, reference)
    asked = [reference.sibling(TEMPLATE_DESCRIPTION), reference.sibling(CAPTURE_OBJECTS)]
    template, captured = await get_if_possible(conversation, asked)
    try:
        compact = decode_compact_data(_octets(template), _octets(buffer))
    except (DlmsError, ValueError):
        return buffer
    rows = RowExpander(()).expand_all(compact.elements)
    width = max((len(row) for row in rows), default=0)
    columns = await describe_columns(conversation, capture_objects_in(captured), width)
    return Profile(tuple(columns), rows, conversation.reverse_deviation)


def _octets(data: Data | DataAccessResult | None) -> bytes:
    """What an octet-string holds; ValueError for anything else."""
    if not isinstance(data, Data) or data.type is not DataType.OCTET_STRING:
        raise ValueError("this is no octet-string")
    octets: bytes = data.value
    return octets


async def read_capture_objects(conversation: Conversation, reference: ObjectReference) -> list[CaptureObject]:
    """The columns of a profile, empty where the meter does not tell."""
    (data,) = await get_if_possible(conversation, [reference.sibling(CAPTURE_OBJECTS)])
    return capture_objects_in(data)


def capture_objects_in(data: Data | None) -> list[CaptureObject]:
    """The columns, empty where the value is none, or no list of them."""
    try:
        return decode_capture_objects(data) if data is not None else []
    except ValueError:
        return []


def selection(
    part: TimeRange | EntryRange | None, captured: Sequence[CaptureObject], *, reverse_deviation: bool = False
) -> SelectiveAccess | None:
    """The selective access for a part. A range of times restricts the profile's clock column."""
    if part is None:
        return None
    if isinstance(part, EntryRange):
        return EntryDescriptor(min(part.from_entry, MAX_ENTRY), part.to_entry).to_selective_access()
    clock = next((column for column in captured if column.is_clock), STANDARD_CLOCK)
    first, last = (date_time(time, reverse_deviation=reverse_deviation) for time in (part.from_time, part.to_time))
    return RangeDescriptor(replace(clock, data_index=0), first, last).to_selective_access()


async def _capture_period(
    conversation: Conversation, reference: ObjectReference, captured: Sequence[CaptureObject], buffer: Data
) -> int:
    """The seconds between two rows: asked for only where the meter leaves clocks out."""
    clocks = [index for index, column in enumerate(captured) if column.is_clock]
    left_out = any(index < len(row) and row[index].type is DataType.NULL_DATA for row in buffer for index in clocks)
    if not left_out:
        return 0
    (period,) = await get_if_possible(conversation, [reference.sibling(CAPTURE_PERIOD)])
    return period.value if period is not None and isinstance(period.value, int) else 0


async def describe_columns(
    conversation: Conversation, captured: Sequence[CaptureObject], width: int
) -> list[ProfileColumn]:
    """The columns, with scaler and unit of the registers among them; numbered ones where the meter told too few."""
    sources = [_scaler_unit_source(column) for column in captured]
    wanted = list(dict.fromkeys(source for source in sources if source is not None))[:MAX_SCALER_READS]
    units = dict(zip(wanted, await read_scaler_units(conversation, wanted), strict=True))
    columns = [
        ProfileColumn(column, _title(column), units.get(source) if source is not None else None)
        for column, source in zip(captured, sources, strict=True)
    ]
    columns += [ProfileColumn(None, f"Column {number}") for number in range(len(captured) + 1, width + 1)]
    return columns


def _scaler_unit_source(column: CaptureObject) -> ObjectReference | None:
    attribute_id = SCALER_UNIT_OF.get((column.class_id, column.attribute_id))
    return None if attribute_id is None else ObjectReference(column.class_id, column.logical_name, attribute_id)


async def read_scaler_units(conversation: Conversation, sources: Sequence[ObjectReference]) -> list[ScalerUnit | None]:
    """Scalers and units of registers, None where the meter does not tell."""
    return [scaler_unit_in(data) for data in await get_if_possible(conversation, sources)]


def scaler_unit_in(data: Data | DataAccessResult | DlmsError | None) -> ScalerUnit | None:
    """What a value says as scaler and unit; None where it says none."""
    try:
        return ScalerUnit.from_data(data) if isinstance(data, Data) else None
    except ValueError:
        return None


def _title(column: CaptureObject) -> str:
    """What the column holds, in words; the attribute is named where it is not the value itself."""
    name = describe(column.logical_name)
    if column.attribute_id == 2:
        return name
    return f"{name}, {attribute_name(column.class_id, column.attribute_id)}"
