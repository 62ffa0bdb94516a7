"""What a meter sends by itself: DataNotification, its confirmation, EventNotification (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from meters.cosem.data import Data, DataType
from meters.cosem.date_time import CosemDateTime
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, read_attribute_descriptor
from sessions.dlms.apdu.get import short_text
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import InvalidValueError

DATA_TAG: Final = ApduTag.DATA_NOTIFICATION
EVENT_TAG: Final = ApduTag.EVENT_NOTIFICATION_REQUEST
CONFIRMED: Final = 1 << 30
"""The service-class bit of a long-invoke-id-and-priority."""
_DATE_TIME_OCTETS: Final = 12


def read_optional_date_time(reader: Reader, name: str = "date-time") -> CosemDateTime | None:
    """An octet-string that is empty or holds a date-time. Several makers put the type tag 09 before it."""
    with reader.group(name):
        if reader.peek() == DataType.OCTET_STRING and reader.peek(1) == _DATE_TIME_OCTETS:
            reader.take(1, "superfluous-tag")
        at = reader.position
        size = reader.length("length")
        if size == 0:
            return None
        if size != _DATE_TIME_OCTETS:
            raise InvalidValueError(name, at, f"0 or 12 octets expected, {size} announced")
        moment = CosemDateTime.decode(reader.take(size, "value"))
        reader.label(str(moment))
        return moment


def write_optional_date_time(writer: Writer, moment: CosemDateTime | None) -> None:
    writer.octet_string(b"" if moment is None else moment.encode())


@dataclass(frozen=True, slots=True)
class DataNotification:
    """A push. `long_invoke_id_and_priority` is kept as its 32 bits."""

    tag: ClassVar[ApduTag] = DATA_TAG
    long_invoke_id_and_priority: int
    date_time: CosemDateTime | None
    notification_body: Data

    @property
    def wants_confirmation(self) -> bool:
        """The service-class bit: a DataNotificationConfirm is due."""
        return bool(self.long_invoke_id_and_priority & CONFIRMED)

    def encode(self) -> bytes:
        writer = Writer().u8(DATA_TAG).u32(self.long_invoke_id_and_priority)
        write_optional_date_time(writer, self.date_time)
        write_data(writer, self.notification_body)
        return writer.octets()

    def summary(self) -> str:
        moment = "" if self.date_time is None else f" of {self.date_time}"
        return f"data notification{moment}: {short_text(self.notification_body)}"


@dataclass(frozen=True, slots=True)
class DataNotificationConfirm:
    tag: ClassVar[ApduTag] = ApduTag.DATA_NOTIFICATION_CONFIRM
    long_invoke_id_and_priority: int
    date_time: CosemDateTime | None = None

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.DATA_NOTIFICATION_CONFIRM).u32(self.long_invoke_id_and_priority)
        write_optional_date_time(writer, self.date_time)
        return writer.octets()

    def summary(self) -> str:
        return "data notification confirmed"


@dataclass(frozen=True, slots=True)
class EventNotificationRequest:
    tag: ClassVar[ApduTag] = EVENT_TAG
    time: CosemDateTime | None
    cosem_attribute_descriptor: CosemAttributeDescriptor
    attribute_value: Data

    def encode(self) -> bytes:
        writer = Writer().u8(EVENT_TAG)
        if self.time is None:
            writer.u8(0)
        else:
            writer.u8(1).octet_string(self.time.encode())
        self.cosem_attribute_descriptor.write(writer)
        write_data(writer, self.attribute_value)
        return writer.octets()

    def summary(self) -> str:
        return f"event notification {self.cosem_attribute_descriptor}: {short_text(self.attribute_value)}"


def read_data_notification(reader: Reader) -> DataNotification:
    with reader.group("data-notification"):
        reader.constant(bytes((DATA_TAG,)), "tag")
        invoke_id = reader.u32("long-invoke-id-and-priority")
        moment = read_optional_date_time(reader)
        with reader.group("notification-body"):
            return DataNotification(invoke_id, moment, read_data(reader))


def read_data_notification_confirm(reader: Reader) -> DataNotificationConfirm:
    with reader.group("data-notification-confirm"):
        reader.constant(bytes((ApduTag.DATA_NOTIFICATION_CONFIRM,)), "tag")
        return DataNotificationConfirm(reader.u32("long-invoke-id-and-priority"), read_optional_date_time(reader))


def read_event_notification(reader: Reader) -> EventNotificationRequest:
    with reader.group("event-notification-request"):
        reader.constant(bytes((EVENT_TAG,)), "tag")
        moment = None
        if reader.flag("time-present"):
            # Older texts fix the twelve octets and leave their length out.
            if reader.peek() == _DATE_TIME_OCTETS:
                moment = read_optional_date_time(reader, "time")
            else:
                moment = CosemDateTime.decode(reader.take(_DATE_TIME_OCTETS, "time"))
        descriptor = read_attribute_descriptor(reader)
        with reader.group("attribute-value"):
            return EventNotificationRequest(moment, descriptor, read_data(reader))
