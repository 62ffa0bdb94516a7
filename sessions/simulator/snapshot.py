"""A meter made from a snapshot of a real one: the same objects, rights and values, long after it was sent back.

The file (see `sessions.snapshot_file`) holds no secret: the meter takes those of an association file that is given besides, or
the lab's. Other clients than the snapshot's are not served, but the public one, which reads invocation counters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

from meters.cosem.data import Data, DataType, array, as_date_time, double_long_unsigned, structure
from meters.cosem.obis import ObisCode
from sessions.association_file import COUNTER_OBJECT, AssociationFileError, load_table, parse_association
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.association import AssociationParameters, Referencing
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError
from sessions.dlms.protection import Protection
from sessions.dlms.selective_access import ObjectListSelection, SelectiveAccess
from sessions.object_list import (
    ACCESS_RIGHTS,
    ASSOCIATION_LN,
    ASSOCIATION_SN,
    OBJECT_LIST,
    OWN_NAME,
    ListedObject,
    may_read,
    may_write,
    read_by_logical_names,
    rights_are_bits,
    write_by_logical_names,
    write_by_short_names,
    write_rights,
)
from sessions.simulator.association_object import OwnAssociation
from sessions.simulator.device import SERVED_CONFORMANCE, SERVED_SHORT_NAME_CONFORMANCE, Caller, Role
from sessions.simulator.foreign import announced, placed, with_secrets
from sessions.simulator.key_store import LabKeys
from sessions.simulator.lab import (
    FIRST_SERIAL,
    HDLC_MAX_INFO,
    HdlcOptions,
    Lab,
    LabError,
    LabLine,
    LabMeter,
)
from sessions.simulator.lab_security import announced_keys, key_pairs, meter_security, served_client
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import system_title
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, Value, constant
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.plain import PlainObject
from sessions.simulator.recorded_objects import (
    RecordedClock,
    RecordedControl,
    RecordedProfile,
    RecordedRegister,
    RecordedScripts,
    RecordedSecuritySetup,
    refuse,
    refusing,
)
from sessions.simulator.rights import Access, GivenAccess
from sessions.simulator.security_setup import SecuritySetup
from sessions.snapshot_file import Recorded, Snapshot, SnapshotFileError, SnapshotObject, load_snapshot

RESULTS: Final = {result.name.lower().replace("_", "-"): result for result in DataAccessResult}
READ, WRITE = 1, 2
"""Bits of the access modes that the simulator enforces."""
COUNTER_VALUE: Final = 2
SECURITY_SETUP: Final = 64
POLICY: Final = 2


def snapshot_lab(
    path: Path, host_clock: Callable[[], datetime], *, port: int = 0, association: Path | None = None
) -> Lab:
    """A line with the meter of a snapshot; `association`: the file with its secrets. `LabError` says why there is none."""
    try:
        snapshot = load_snapshot(path)
        table = snapshot.association if association is None else load_table(association)
    except (SnapshotFileError, AssociationFileError) as error:
        raise LabError(str(error)) from None
    try:
        meter = snapshot_meter(snapshot, str(FIRST_SERIAL), host_clock, table)
    except (ValueError, KeyError, TypeError, DlmsError) as error:
        raise LabError(f"{path.name}: {error}") from None
    kind = "wrapper" if meter.association["framing"] == "wrapper" else "hdlc"
    return Lab(lines=(LabLine(kind=kind, meters=(meter,), port=port),), host_clock=host_clock)  # type: ignore[arg-type]  # one of the two


def snapshot_meter(
    snapshot: Snapshot, serial_number: str, host_clock: Callable[[], datetime], association: Mapping[str, Any]
) -> LabMeter:
    """The meter of a snapshot, with what an association file says: where it is on the line, and its secrets or the lab's.

    An error (`ValueError`, `KeyError`, `TypeError`, `DlmsError`) where the snapshot describes no meter.
    """
    if not snapshot.objects:
        raise SnapshotFileError("it holds no object")
    settings = association.get("hdlc", {})
    if not isinstance(settings, Mapping):
        raise SnapshotFileError("association.hdlc is no object")
    hdlc = None if association.get("framing") == "wrapper" else _hdlc(settings)
    address = settings.get("physical_address")
    title = _title(snapshot, serial_number)
    complete = _association(association)
    keys = _key_pairs(complete, title)
    complete |= announced_keys(keys) if keys is not None else {}
    told = announced(complete, hdlc, address, title)
    if hdlc and "address_octets" in settings:
        told["hdlc"]["address_octets"] = settings["address_octets"]
    parameters = parse_association(told).parameters
    meter = SnapshotMeter(
        serial_number=serial_number,
        server_system_title=title,
        security=meter_security(parameters, keys, host_clock(), _policy_version(snapshot)),
        clients=(served_client(parameters, Role.MANAGER),),
        max_receive_pdu_size=_max_pdu_size(snapshot),
        max_send_pdu_size=0,
        conformance=_conformance(snapshot, parameters),
        by_short_names=parameters.referencing is Referencing.SHORT_NAMES,
        own=_own(snapshot),
        clock=MeterClock(host_clock),
    )
    meter.server_sap = parameters.server_sap
    _Objects(snapshot, meter, host_clock).add_all()
    name = f"snapshot of {snapshot.endpoint}, {snapshot.taken:%Y-%m-%d %H:%M}"
    return placed(meter, told, hdlc, address, serial_number=serial_number, name=name, type="snapshot")


def _key_pairs(association: Mapping[str, Any], title: bytes) -> LabKeys | None:
    """Made for it, where its suite has some."""
    if not association.get("security_suite", 0) or "client_system_title" not in association:
        return None
    return key_pairs({"key_pairs": {}}, association, title)


# -- the association ---------------------------------------------------------------------------------------------------


def _association(association: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the file, with the lab's secrets where it has none. Framing and HDLC are announced anew."""
    bare = {name: value for name, value in association.items() if name not in ("framing", "hdlc", "sign_on")}
    ciphered = bare.get("protection", "none") != Protection.NONE.value or bool(bare.get("security_policy"))
    needs_keys = ciphered or bare.get("authentication") == "hls-gmac" or bool(bare.get("ciphered_context"))
    return with_secrets(bare, ciphered=needs_keys)


def _hdlc(settings: Mapping[str, Any]) -> HdlcOptions:
    return HdlcOptions(max_info=settings.get("max_info", HDLC_MAX_INFO), window=settings.get("window", 1))


def _title(snapshot: Snapshot, serial_number: str) -> bytes:
    told = snapshot.negotiated.get("server_system_title")
    octets = bytes.fromhex(told) if isinstance(told, str) else b""
    return octets if len(octets) == 8 else system_title("SIM", serial_number)


def _max_pdu_size(snapshot: Snapshot) -> int:
    size = snapshot.negotiated.get("server_max_receive_pdu_size")
    return size if isinstance(size, int) and 0 < size <= 0xFFFF else 0xFFFF


def _conformance(snapshot: Snapshot, parameters: AssociationParameters) -> Conformance:
    """What was agreed on, as far as the simulator carries it out."""
    by_names = parameters.referencing is Referencing.SHORT_NAMES
    served = SERVED_SHORT_NAME_CONFORMANCE if by_names else SERVED_CONFORMANCE
    agreed = Conformance.from_names(snapshot.negotiated.get("conformance") or [])
    return agreed & served or served


def _policy_version(snapshot: Snapshot) -> int | None:
    return next((min(1, each.version) for each in snapshot.objects if each.class_id == SECURITY_SETUP), None)


def _is_own(each: SnapshotObject) -> bool:
    return each.class_id in (ASSOCIATION_LN, ASSOCIATION_SN) and each.logical_name == OWN_NAME


def _own(snapshot: Snapshot) -> OwnAssociation:
    bits = rights_are_bits([each.listed for each in snapshot.objects])
    own = next((each for each in snapshot.objects if _is_own(each)), None)
    if own is None:
        return OwnAssociation(listed=False)
    if own.methods is None:
        return OwnAssociation(version=own.version)
    return OwnAssociation(version=own.version, attribute_modes=_modes(own, bits=bits), method_modes=own.methods)


def _modes(each: SnapshotObject, *, bits: bool) -> dict[int, int]:
    """Access modes in two bits. A meter that told no rights is asked for everything, and refuses what it refused."""
    return {
        number: READ * (recorded.known and not recorded.secret)
        if recorded.right is None
        else READ * may_read(recorded.right.mode, bits=bits) | WRITE * may_write(recorded.right.mode, bits=bits)
        for number, recorded in each.attributes.items()
    }


# -- the meter ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordedAccess(GivenAccess):
    """The rights of the snapshot's client. The public client has none, but where `counter` is the object that it asks for."""

    counter: bool = field(default=False)

    def is_listed_for(self, role: Role) -> bool:
        return self.counter or role is not Role.PUBLIC

    def may_read(self, role: Role, attribute_id: int) -> bool:
        # Without the two dots: slots make another class of this one, which super() would not know.
        return self.is_listed_for(role) and GivenAccess.may_read(self, role, attribute_id)

    def may_write(self, role: Role, attribute_id: int) -> bool:
        return role is not Role.PUBLIC and GivenAccess.may_write(self, role, attribute_id)

    def may_invoke(self, role: Role, method_id: int) -> bool:
        return role is not Role.PUBLIC and GivenAccess.may_invoke(self, role, method_id)


class SnapshotMeter(Meter):
    """A meter whose association says what the recorded one said: `own_attributes`, in place of the computed ones."""

    own_attributes: Mapping[int, Attribute] = {}

    def _association(self, caller: Caller) -> Access:
        own = super()._association(caller)
        if caller.client.role is not Role.PUBLIC:
            known = own.target.attributes
            known |= {number: each for number, each in self.own_attributes.items() if number in known}
        return own


class _Objects:
    """Makes the objects of a snapshot."""

    def __init__(self, snapshot: Snapshot, meter: SnapshotMeter, host_clock: Callable[[], datetime]) -> None:
        self._snapshot = snapshot
        self._meter = meter
        self._host_clock = host_clock
        self._bits = rights_are_bits([each.listed for each in snapshot.objects])

    def add_all(self) -> None:
        for each in self._snapshot.objects:
            if _is_own(each):
                self._meter.own_attributes = self._own_attributes(each)
            else:
                self._meter.add(self._access(each))
        if not any(_is_counter(each) for each in self._snapshot.objects) and self._meter.short_names is None:
            self._meter.add(self._hidden_counter())

    def _access(self, each: SnapshotObject) -> RecordedAccess:
        target = self._make(each)
        target.attributes = {number: self._attribute(target, number, r) for number, r in each.attributes.items()}
        methods = dict.fromkeys(target.methods, 1) if each.methods is None else each.methods
        beyond = refuse if each.class_id == SECURITY_SETUP else PlainObject.accept
        target.methods = {number: target.methods.get(number, beyond) for number in methods}
        return RecordedAccess(
            target,
            base_name=each.base_name,
            attribute_modes=_modes(each, bits=self._bits),
            method_modes=methods,
            counter=_is_counter(each),
        )

    def _hidden_counter(self) -> Access:
        """The public client asks for it, whatever the snapshot's client may see."""
        target = PlainObject(1, 0, COUNTER_OBJECT, {COUNTER_VALUE: double_long_unsigned(0)})
        target.attributes[COUNTER_VALUE] = self._counter(DataType.DOUBLE_LONG_UNSIGNED)
        return _ForPublicOnly(target, public=True)

    def _counter(self, kind: DataType) -> Attribute:
        security = self._meter.security
        return Attribute(lambda: Data(kind, security.last_client_counter))

    def _attribute(self, target: CosemObject, number: int, recorded: Recorded) -> Attribute:
        if recorded.refused and recorded.value is None:
            refused = refusing(RESULTS.get(recorded.refused, DataAccessResult.OTHER_REASON))
            refused.write = target.attributes[number].write if number in target.attributes else None
            return refused
        if number == 1 and recorded.value is not None:
            return constant(recorded.value)
        return target.attributes.get(number) or constant(Data(DataType.NULL_DATA))

    def _make(self, each: SnapshotObject) -> CosemObject:
        """With what its methods do where that is known, else an object that only holds values."""
        values = {number: r.value for number, r in each.attributes.items() if r.value is not None}
        try:
            made = self._behaving(each, values)
        except (ValueError, KeyError, OverflowError):
            made = None  # its values are not those of the class: it keeps them all the same
        return made or PlainObject(each.class_id, each.version, each.logical_name, values)

    def _behaving(self, each: SnapshotObject, values: dict[int, Data]) -> CosemObject | None:
        name, version = each.logical_name, each.version
        match each.class_id:
            case 1 if _is_counter(each) and COUNTER_VALUE in values:
                counter = PlainObject(1, version, name, values)
                counter.attributes[COUNTER_VALUE] = self._counter(values[COUNTER_VALUE].type)
                return counter
            case 3 | 4 | 5:
                return RecordedRegister(each.class_id, version, name, values)
            case 7:
                return RecordedProfile(version, name, values, each.attributes[2].first_entry)
            case 8:
                moment, at = as_date_time(values[2]), each.attributes[2].at
                if moment is None:
                    return None
                return RecordedClock(version, name, values, moment, at or self._snapshot.taken, self._host_clock)
            case 9:
                return RecordedScripts(version, name, values, self._find)
            case 64:
                return RecordedSecuritySetup(version, name, values, self._security_setup(name))
            case 70:
                return RecordedControl(version, name, values)
        return None

    def _security_setup(self, name: ObisCode) -> SecuritySetup:
        title = self._meter.server_system_title
        return SecuritySetup(
            name, self._meter.security, server_system_title=title, now=self._host_clock, random=token_bytes
        )

    def _find(self, class_id: int, logical_name: ObisCode) -> CosemObject | None:
        access = self._meter.objects.get((class_id, logical_name))
        return access.target if access is not None else None

    # -- the association ---------------------------------------------------------------------------------------------

    def _own_attributes(self, own: SnapshotObject) -> dict[int, Attribute]:
        """What was read of it; the lists as the meter wrote them."""
        listed = [each.listed for each in self._snapshot.objects]
        told = {n: constant(r.value) for n, r in own.attributes.items() if r.value is not None}
        if own.class_id == ASSOCIATION_LN:
            told[OBJECT_LIST] = self._object_list(listed)
            return told
        told[OBJECT_LIST] = constant(self._snapshot.object_list or write_by_short_names(listed))
        rights = own.attributes.get(ACCESS_RIGHTS, Recorded())
        if rights.is_list:
            told[ACCESS_RIGHTS] = constant(self._snapshot.access_rights or write_rights(listed))
        else:
            told[ACCESS_RIGHTS] = refusing(RESULTS.get(rights.refused, DataAccessResult.OTHER_REASON))
        return told

    def _object_list(self, listed: list[ListedObject]) -> Attribute:
        whole = self._snapshot.object_list or write_by_logical_names(listed)
        return Attribute(lambda: whole, read_selected=lambda selection: _selected(whole, selection))


@dataclass(frozen=True, slots=True)
class _ForPublicOnly(Access):
    """Nobody else finds it."""

    def is_listed_for(self, role: Role) -> bool:
        return role is Role.PUBLIC


def _is_counter(each: SnapshotObject) -> bool:
    return (each.class_id, each.logical_name) == (1, COUNTER_OBJECT)


def _selected(whole: Data, selection: SelectiveAccess) -> Value:
    """The part of a recorded object list that is asked for; selector 1 leaves the rights out."""
    try:
        wanted = ObjectListSelection.from_selective_access(selection)
    except ValueError:
        raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED) from None
    rows = zip(read_by_logical_names(whole), whole, strict=False)
    found = [row for each, row in rows if wanted.takes(each.class_id, each.logical_name)]
    return array(*(row if wanted.with_rights else structure(*list(row)[:3]) for row in found))
