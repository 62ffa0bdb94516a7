"""Image transfer of a simulated meter (Blue Book, class 18): a new firmware, block by block, verified and activated.

Verification and activation take the seconds that the meter type gives them. Until then the meter is busy: the method that began
it answers temporary-failure, as does whatever else is asked of the transfer; the status tells when it is over. An image that was
not verified is verified as it is activated. What the state does not allow is refused with other-reason.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum, auto
from typing import Any, Final

from meters.cosem.data import (
    BitString,
    Data,
    DataType,
    array,
    boolean,
    double_long_unsigned,
    enum,
    octet_string,
    structure,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.images import ImageProof
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, constant, require

MAX_IMAGE: Final = 4 * 1024 * 1024
"""Octets of the longest image that a meter has room for."""
MAX_IDENTIFIER: Final = 64
KEPT_BLOCKS: Final = 64
"""Blocks after which what was received is kept. What came later is lost with the power, and asked for again."""


class ImageStatus(IntEnum):
    """image_transfer_status."""

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFICATION_INITIATED = 2
    VERIFICATION_SUCCESSFUL = 3
    VERIFICATION_FAILED = 4
    ACTIVATION_INITIATED = 5
    ACTIVATION_SUCCESSFUL = 6
    ACTIVATION_FAILED = 7


class ImageEvent(Enum):
    INITIATE = auto()
    BLOCK = auto()
    VERIFY = auto()
    ACTIVATE = auto()
    GOOD = auto()
    BAD = auto()


_S, _E = ImageStatus, ImageEvent

TRANSITIONS: Final[Mapping[ImageStatus, Mapping[ImageEvent, ImageStatus]]] = {
    _S.NOT_INITIATED: {_E.INITIATE: _S.INITIATED},
    _S.INITIATED: {
        _E.INITIATE: _S.INITIATED,
        _E.BLOCK: _S.INITIATED,
        _E.VERIFY: _S.VERIFICATION_INITIATED,
        _E.ACTIVATE: _S.ACTIVATION_INITIATED,
    },
    _S.VERIFICATION_INITIATED: {_E.GOOD: _S.VERIFICATION_SUCCESSFUL, _E.BAD: _S.VERIFICATION_FAILED},
    _S.VERIFICATION_SUCCESSFUL: {
        _E.INITIATE: _S.INITIATED,
        _E.VERIFY: _S.VERIFICATION_INITIATED,
        _E.ACTIVATE: _S.ACTIVATION_INITIATED,
    },
    _S.VERIFICATION_FAILED: {_E.INITIATE: _S.INITIATED, _E.VERIFY: _S.VERIFICATION_INITIATED},
    _S.ACTIVATION_INITIATED: {_E.GOOD: _S.ACTIVATION_SUCCESSFUL, _E.BAD: _S.ACTIVATION_FAILED},
    _S.ACTIVATION_SUCCESSFUL: {_E.INITIATE: _S.INITIATED},
    _S.ACTIVATION_FAILED: {_E.INITIATE: _S.INITIATED},
}
BUSY: Final = (_S.VERIFICATION_INITIATED, _S.ACTIVATION_INITIATED)
INFORMED: Final = (_S.VERIFICATION_SUCCESSFUL, _S.ACTIVATION_INITIATED, _S.ACTIVATION_SUCCESSFUL)
"""When image_to_activate_info has something to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """What a meter type says of its images: octets of a block, their proof, and how many seconds the work on one takes."""

    block_size: int = 256
    proof: ImageProof = field(default_factory=ImageProof)
    verify_seconds: float = 0.0
    activate_seconds: float = 0.0


class ImageTransfer(CosemObject):
    """Image transfer (18, version 0). `now` is the host's clock, `activated` is told the identifier of a new firmware."""

    class_id = 18

    def __init__(
        self,
        logical_name: ObisCode,
        rules: ImageRules,
        *,
        now: Callable[[], datetime],
        activated: Callable[[bytes], None],
    ) -> None:
        super().__init__(logical_name)
        self.rules = rules
        self.enabled = True
        self.identifier = b""
        self.image = bytearray()
        self.received: set[int] = set()
        self._status = ImageStatus.NOT_INITIATED
        self._now = now
        self._activated = activated
        self._over_at: datetime | None = None
        self._kept: dict[str, Any] | None = None
        self.attributes |= {
            2: constant(double_long_unsigned(rules.block_size)),
            3: Attribute(self._blocks_status),
            4: Attribute(lambda: double_long_unsigned(self.first_missing)),
            5: Attribute(lambda: boolean(self.enabled), self._enable),
            6: Attribute(lambda: enum(self.status)),
            7: Attribute(self._info),
        }
        self.methods = {1: self._initiate, 2: self._take, 3: self._verify, 4: self._activate}

    # -- state -------------------------------------------------------------------------------------------------------

    @property
    def status(self) -> ImageStatus:
        """The state at this moment."""
        self.catch_up()
        return self._status

    def catch_up(self) -> None:
        """Work that is done by now is over."""
        if self._over_at is not None and self._now() >= self._over_at:
            self._finish()

    @property
    def block_count(self) -> int:
        return -(-len(self.image) // self.rules.block_size)

    @property
    def first_missing(self) -> int:
        """The number of the first block that did not arrive; the number of blocks where all did."""
        return next((number for number in range(self.block_count) if number not in self.received), self.block_count)

    def _move(self, event: ImageEvent) -> None:
        row, busy = TRANSITIONS[self.status], self._status in BUSY
        if event not in row:
            raise Denied(DataAccessResult.TEMPORARY_FAILURE if busy else DataAccessResult.OTHER_REASON)
        self._status = row[event]
        self._kept = None

    def _work(self, seconds: float) -> None:
        """Begin what takes so long. Its end is seen by whoever asks then, or by the caller if it takes no time."""
        self._over_at = self._now() + timedelta(seconds=seconds)
        if seconds > 0:
            raise Denied(DataAccessResult.TEMPORARY_FAILURE)
        if self.status not in (ImageStatus.VERIFICATION_SUCCESSFUL, ImageStatus.ACTIVATION_SUCCESSFUL):
            raise Denied(DataAccessResult.OTHER_REASON)

    def _finish(self) -> None:
        self._over_at = None
        activating, good = self._status is ImageStatus.ACTIVATION_INITIATED, self.rules.proof.holds(bytes(self.image))
        self._status = TRANSITIONS[self._status][ImageEvent.GOOD if good else ImageEvent.BAD]
        self._kept = None
        if activating and good:
            self._activated(self.identifier)
        if (
            good
            and (self.rules.activate_seconds if activating else self.rules.verify_seconds)
            and self.journal is not None
        ):
            self.journal.done("invoke", self.class_id, self.logical_name, 4 if activating else 3)

    # -- attributes --------------------------------------------------------------------------------------------------

    def _blocks_status(self) -> Data:
        bits = bytearray(-(-self.block_count // 8))
        for number in self.received:
            bits[number // 8] |= 0x80 >> number % 8
        return Data(DataType.BIT_STRING, BitString(bytes(bits), self.block_count))

    def _enable(self, value: Data) -> None:
        self.enabled = require(value, DataType.BOOLEAN).value
        self._kept = None

    def _info(self) -> Data:
        if self.status not in INFORMED:
            return array()
        proof = self.rules.proof.of(bytes(self.image))
        size = double_long_unsigned(len(self.image))
        return array(structure(size, octet_string(self.identifier), octet_string(proof)))

    # -- methods -----------------------------------------------------------------------------------------------------

    def _check_enabled(self) -> None:
        if not self.enabled:
            raise Denied(DataAccessResult.OTHER_REASON)

    def _initiate(self, parameters: Data | None) -> None:
        """A new transfer: what was there of another is gone."""
        self._check_enabled()
        identifier, size = _pair(parameters, DataType.OCTET_STRING, DataType.DOUBLE_LONG_UNSIGNED)
        if not 0 < size.value <= MAX_IMAGE or len(identifier.value) > MAX_IDENTIFIER:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._move(ImageEvent.INITIATE)
        self.identifier, self.image, self.received = identifier.value, bytearray(size.value), set()

    def _take(self, parameters: Data | None) -> None:
        """A block, in any order; one that comes again takes the place of the first."""
        self._check_enabled()
        number, octets = _pair(parameters, DataType.DOUBLE_LONG_UNSIGNED, DataType.OCTET_STRING)
        start = number.value * self.rules.block_size
        kept = self._kept
        self._move(ImageEvent.BLOCK)
        if start >= len(self.image) or len(octets.value) != min(self.rules.block_size, len(self.image) - start):
            self._kept = kept
            raise Denied(DataAccessResult.OTHER_REASON)
        self.image[start : start + len(octets.value)] = octets.value
        self.received.add(number.value)
        if len(self.received) % KEPT_BLOCKS and len(self.received) < self.block_count:
            self._kept = kept

    def _verify(self, parameters: Data | None) -> None:
        self._check_whole()
        self._move(ImageEvent.VERIFY)
        self._work(self.rules.verify_seconds)

    def _activate(self, parameters: Data | None) -> None:
        self._check_whole()
        self._move(ImageEvent.ACTIVATE)
        self._work(self.rules.activate_seconds)

    def _check_whole(self) -> None:
        self._check_enabled()
        if self.status not in BUSY and (not self.image or self.first_missing < self.block_count):
            raise Denied(DataAccessResult.OTHER_REASON)

    # -- memory ------------------------------------------------------------------------------------------------------

    def keep(self) -> Any:
        if self._kept is None:
            self._kept = {
                "status": self._status,
                "enabled": self.enabled,
                "identifier": self.identifier.hex(),
                "image": b64encode(self.image).decode(),
                "received": sorted(self.received),
                "over_at": None if self._over_at is None else self._over_at.isoformat(),
            }
        return self._kept

    def restore(self, kept: Any) -> None:
        status, over_at = ImageStatus(kept["status"]), kept["over_at"]
        identifier, image = bytes.fromhex(kept["identifier"]), bytearray(b64decode(kept["image"], validate=True))
        self._over_at = None if over_at is None else datetime.fromisoformat(over_at)
        self._status, self.enabled, self.identifier, self.image = status, bool(kept["enabled"]), identifier, image
        self.received = {int(number) for number in kept["received"]} & set(range(self.block_count))
        self._kept = None


def _pair(parameters: Data | None, *kinds: DataType) -> list[Data]:
    """The two elements of a structure."""
    given = list(require(parameters, DataType.STRUCTURE))
    if len(given) != len(kinds):
        raise Denied(DataAccessResult.TYPE_UNMATCHED)
    return [require(each, kind) for each, kind in zip(given, kinds, strict=True)]
