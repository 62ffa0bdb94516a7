"""Association SN (12, version 1) as one caller sees it: the meter's objects by short name, and the caller's rights on them.

Besides the two lists it has getlist_by_classid, getobj_by_logicalname, read_by_logicalname and the methods that change a secret;
reply_to_HLS_authentication is the server's, before there is a caller. Source: Blue Book, class 12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meters.cosem.data import Data, DataType, array, null
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.short_name_map import ASSOCIATION_SN, CURRENT, REPLY_TO_HLS, ShortNameObject
from sessions.simulator.device import Caller
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require

READ_BY_LOGICAL_NAME: Final = 3
CHANGE_LLS_SECRET: Final = 5
CHANGE_HLS_SECRET: Final = 6

Row = tuple[ShortNameObject, Data]
"""An object, and the element of access_rights_list that describes the caller's rights on it."""


class ShortNameAssociation(CosemObject):
    """`rows` gives what the caller may know of, `read` an attribute of it, `change_secret` keeps a new secret of the client."""

    class_id = ASSOCIATION_SN
    version = 1

    def __init__(
        self,
        caller: Caller,
        rows: Callable[[], list[Row]],
        read: Callable[[int, ObisCode, int], Data],
        change_secret: Callable[[bytes], None],
    ) -> None:
        super().__init__(CURRENT.logical_name)
        self._rows = rows
        self._read_attribute = read
        self._change_secret = change_secret
        self._challenging = caller.client.authentication.is_hls
        self.attributes |= {
            2: Attribute(lambda: array(*(row.to_data() for row, _ in rows()))),
            3: Attribute(lambda: array(*(rights for _, rights in rows()))),
        }
        self.methods = {
            1: self._by_class,
            2: self._by_name,
            READ_BY_LOGICAL_NAME: self._read_by_name,
            CHANGE_LLS_SECRET: lambda parameters: self._change(parameters, challenging=False),
            CHANGE_HLS_SECRET: lambda parameters: self._change(parameters, challenging=True),
            REPLY_TO_HLS: self._prove_again,
        }

    def _by_class(self, parameters: Data | None) -> Data:
        """The rows of some classes, of which one may also stand alone."""
        wanted = require(parameters, DataType.ARRAY, DataType.LONG_UNSIGNED)
        classes = {wanted.value} if wanted.type is DataType.LONG_UNSIGNED else {element.value for element in wanted}
        return array(*(row.to_data() for row, _ in self._rows() if row.class_id in classes))

    def _by_name(self, parameters: Data | None) -> Data:
        """The rows of one logical name, which may stand in a structure behind its class."""
        asked = require(parameters, DataType.OCTET_STRING, DataType.STRUCTURE)
        elements = list(asked) if asked.type is DataType.STRUCTURE else [asked]
        if not elements:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        name = _logical_name(elements[-1])
        classes = {element.value for element in elements[:-1]}
        found = [
            row for row, _ in self._rows() if row.logical_name == name and (not classes or row.class_id in classes)
        ]
        if not found:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        return found[0].to_data()

    def _read_by_name(self, parameters: Data | None) -> Data:
        """Attributes, each by {class_id, logical_name, attribute_id}; null-data where one is not to be had."""
        return array(*(self._read_one(asked) for asked in require(parameters, DataType.ARRAY)))

    def _read_one(self, asked: Data) -> Data:
        if asked.type is not DataType.STRUCTURE or len(asked) != 3:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        class_id, attribute_id = asked[0].value, asked[2].value
        if not isinstance(class_id, int) or not isinstance(attribute_id, int):
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        logical_name = _logical_name(asked[1])
        try:
            return self._read_attribute(class_id, logical_name, attribute_id)
        except Denied:
            return null()

    def _change(self, parameters: Data | None, *, challenging: bool) -> None:
        """A secret of the other kind than the association uses is none of it."""
        secret = require(parameters, DataType.OCTET_STRING).value
        if challenging is not self._challenging:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        if not secret:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._change_secret(secret)

    @staticmethod
    def _prove_again(parameters: Data | None) -> None:
        """The server takes the proof itself, before there is a caller: whoever asks here has proven enough."""
        raise Denied(DataAccessResult.OTHER_REASON)


def _logical_name(data: Data) -> ObisCode:
    try:
        return ObisCode.from_octets(require(data, DataType.OCTET_STRING).value)
    except ValueError:
        raise Denied(DataAccessResult.TYPE_UNMATCHED) from None
