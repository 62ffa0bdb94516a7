"""Profile generic (class 7): capture objects and the rows of the buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meters.cosem.data import (
    DELTAS,
    INTEGERS,
    Data,
    DataType,
    as_date_time,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from meters.cosem.obis import ObisCode

CLOCK_CLASS_ID = 8


@dataclass(frozen=True, slots=True)
class CaptureObject:
    """One column: an attribute of an object, or with `data_index` a part of it (0 is the whole)."""

    class_id: int
    logical_name: ObisCode
    attribute_id: int
    data_index: int = 0

    @property
    def is_clock(self) -> bool:
        return self.class_id == CLOCK_CLASS_ID and self.attribute_id == 2

    def to_data(self) -> Data:
        return structure(
            long_unsigned(self.class_id),
            octet_string(self.logical_name.octets),
            integer(self.attribute_id),
            long_unsigned(self.data_index),
        )

    @classmethod
    def from_data(cls, data: Data) -> CaptureObject:
        """From {class_id, logical_name, attribute_index, data_index}; ValueError for anything else."""
        if data.type is not DataType.STRUCTURE or len(data) < 3:
            raise ValueError("a capture object is a structure of four elements")
        class_id, name, attribute_id = data[0].value, data[1].value, data[2].value
        data_index = data[3].value if len(data) > 3 else 0
        if not all(isinstance(number, int) for number in (class_id, attribute_id, data_index)):
            raise ValueError("a capture object's class, attribute and index are numbers")
        if not isinstance(name, bytes):
            raise ValueError("a capture object's logical name is an octet-string")
        return cls(class_id, ObisCode.from_octets(name), attribute_id, data_index)

    def __str__(self) -> str:
        part = f", element {self.data_index}" if self.data_index else ""
        return f"{self.class_id}/{self.logical_name}/{self.attribute_id}{part}"


def decode_capture_objects(data: Data) -> list[CaptureObject]:
    """The columns from attribute 3 of a profile; ValueError says what is wrong with it."""
    if data.type is not DataType.ARRAY:
        raise ValueError(f"capture_objects is an array, this is {data.type.asn1_name}")
    return [CaptureObject.from_data(element) for element in data]


class RowExpander:
    """Fills the null-data of a compressed buffer, row after row.

    A null in the clock column means "previous plus capture period" (seconds), in another column "as in the row before", in
    the first row nothing that could be known. Delta types add to the row before and take its type.
    """

    def __init__(self, columns: Sequence[CaptureObject], *, capture_period: int = 0) -> None:
        self.columns = tuple(columns)
        self.capture_period = capture_period
        self._previous: list[Data] | None = None

    def expand(self, row: Data) -> list[Data]:
        """The row's values, as many as the meter sent."""
        values = list(row) if row.constructed else [row]
        previous = self._previous
        for index, value in enumerate(values):
            if previous is None or index >= len(previous):
                continue
            if value.type is DataType.NULL_DATA:
                values[index] = self._predicted(index, previous[index])
            elif value.type in DELTAS and previous[index].type in INTEGERS:
                values[index] = Data(previous[index].type, previous[index].value + value.value)
        self._previous = values
        return values

    def _predicted(self, index: int, previous: Data) -> Data:
        clock = index < len(self.columns) and self.columns[index].is_clock
        moment = as_date_time(previous) if clock and self.capture_period else None
        if moment is None:
            return previous
        try:
            stepped = moment.later(self.capture_period)
        except ValueError:
            return previous
        typed = previous.type is DataType.DATE_TIME
        return Data(previous.type, stepped if typed else stepped.encode())
