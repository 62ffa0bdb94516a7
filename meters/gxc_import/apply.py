"""The import itself: meters, lines, associations, keys and catalogs, in one transaction with its report.

The report is the rows of the `ImportRun`: of each device what it became (`values`) and what was left out and why (`warnings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from meters import vault
from meters.catalogs.services import put_objects
from meters.changes import current_request
from meters.gxc_import.plan import KEY_WORDS, NAME_LENGTH, DevicePlan
from meters.gxc_import.preview import Preview
from meters.gxc_import.uploads import find_upload
from meters.gxc_import.words import Left
from meters.imports.undo import Touched, remember
from meters.meter_types.services import save_type
from meters.models import Association, ImportRow, ImportRun, Line, Meter, MeterKey, MeterType
from meters.services import expect_invocation_counter, save_meter
from meters.targets.services import TargetRefused, refusals_recorded

Outcome = ImportRow.Outcome
CONFLICTS_SHOWN = 20
LINE_FIELDS = ("kind", "host", "port", "serial_port", "baud", "data_bits", "parity", "stop_bits")


class UploadGone(Exception):
    """The files were imported already, or an hour is over."""

    def __init__(self) -> None:
        super().__init__("These files are not here any more: they were imported, left, or an hour is over.")


class DeviceRefused(Exception):
    """One device cannot be imported as it was chosen: its index, and the problems. Nothing was imported."""

    def __init__(self, index: int, error: ValidationError) -> None:
        super().__init__(f"device {index}")
        self.index = index
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """What a person chose for one device. Without a `meter_type` one is made of `manufacturer` and `model`.

    `line` holds a line's fields. `join`: add the association to the meter of the inventory that has this serial number.
    """

    index: int
    plan: DevicePlan
    serial_number: str
    name: str = ""
    physical_address: int | None = None
    line: Mapping[str, Any] = field(default_factory=dict)
    meter_type: MeterType | None = None
    manufacturer: str = ""
    model: str = ""
    join: bool = False

    @property
    def origin(self) -> str:
        return f"imported from {self.plan.file}"


@dataclass(slots=True)
class _Work:
    """One import under way: what it made itself, and what an undo needs of it."""

    user: Any
    run: ImportRun
    last_line: int
    meters: set[int] = field(default_factory=set)
    types: set[int] = field(default_factory=set)
    told: set[tuple[str, int]] = field(default_factory=set)


def import_devices(*, user: Any, upload_id: int, preview: Preview, choices: Sequence[DeviceChoice]) -> ImportRun:
    """Import the chosen devices of an upload, all or none; the report is the run with its rows.

    UploadGone when the upload was used or left; DeviceRefused when a device cannot be imported so.
    """
    try:
        with refusals_recorded():
            return _import_devices(user, upload_id, preview, choices)
    except DeviceRefused as refused:
        if isinstance(refused.error, TargetRefused):  # nothing of the import stays, but that it was tried does
            refused.error.record()
        raise


@transaction.atomic
def _import_devices(user: Any, upload_id: int, preview: Preview, choices: Sequence[DeviceChoice]) -> ImportRun:
    upload = find_upload(user=user, pk=upload_id, lock=True)
    if upload is None:
        raise UploadGone
    upload.delete()
    run = _begin(user, preview)
    work = _Work(user, run, Line.objects.aggregate(last=Max("pk"))["last"] or 0)
    rows = [row for group in _groups(choices) for row in _import_meter(work, group)]
    rows += _rows_of_left(run, preview, {choice.index for choice in choices})
    ImportRow.objects.bulk_create(rows)
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in Outcome}
    run.created_count, run.updated_count = counts[Outcome.CREATED], counts[Outcome.UPDATED]
    run.unchanged_count = counts[Outcome.UNCHANGED]
    run.faulty_count = counts[Outcome.FAULTY] + len(preview.refusals)
    run.save()
    return run


def _begin(user: Any, preview: Preview) -> ImportRun:
    return ImportRun.objects.create(
        user=user,
        user_name=str(user)[:150],
        kind=ImportRun.Kind.GXC,
        state=ImportRun.State.APPLIED,
        name=_name(preview.files),
        findings={"refused": [[each.file, each.why[:500]] for each in preview.refusals]},
        request_id=current_request.get(),
        finished=timezone.now(),
        total=len(preview.devices) + len(preview.refusals),
    )


def _name(files: list[str]) -> str:
    return f"{files[0]} and {len(files) - 1} more" if len(files) > 1 else "".join(files)


def _groups(choices: Sequence[DeviceChoice]) -> list[list[DeviceChoice]]:
    """The devices of each meter, first one whose keys are in use: of different keys in its devices those count."""
    groups: dict[str, list[DeviceChoice]] = {}
    for choice in choices:
        groups.setdefault(choice.serial_number, []).append(choice)
    return [sorted(group, key=lambda choice: not choice.plan.needs_keys) for group in groups.values()]


def _rows_of_left(run: ImportRun, preview: Preview, taken: set[int]) -> Iterator[ImportRow]:
    for index, plan in enumerate(preview.devices):
        if index not in taken:
            values = {"file": plan.file, "device": plan.title, "why": plan.refusal or "It was not chosen."}
            outcome = Outcome.FAULTY if plan.refusal else Outcome.UNCHANGED
            yield ImportRow(run=run, number=index + 1, outcome=outcome, values=values)


# -- one meter -----------------------------------------------------------------------------------------------------------


def _import_meter(work: _Work, group: list[DeviceChoice]) -> list[ImportRow]:
    """All devices of one meter, as its associations."""
    row, touched, rows = min(choice.index for choice in group) + 1, list[Touched](), list[ImportRow]()
    for choice in group:
        try:
            made, new = _import_device(work, choice)
        except ValidationError as error:
            raise DeviceRefused(choice.index, error) from None
        rows.append(made)
        touched += [Touched(row, choice.serial_number, *each) for each in new]
    remember(work.run, touched)
    return rows


def _import_device(work: _Work, choice: DeviceChoice) -> tuple[ImportRow, list[tuple[str, int]]]:
    """The row of one device, and what was made for it, as labels of models and ids."""
    left = list(choice.plan.left)
    meter = Meter.objects.select_for_update().filter(serial_number=choice.serial_number).first()
    if meter is None:
        outcome = Outcome.CREATED
        meter, association = _create(work, choice, left)
    else:
        _check_join(work, meter, choice)
        left += _left_of_connection(meter, choice)
        same = _same_association(meter, choice.plan)
        outcome = Outcome.UPDATED if same is None else Outcome.UNCHANGED
        association = same or _join(work, meter, choice, left)
    became = _connection(meter) if outcome == Outcome.CREATED else []
    if outcome == Outcome.UNCHANGED:
        left.append(
            Left("Association", association.name, "The meter has one of this client already: it stays as it is.")
        )
    else:
        became += _became(association, choice.plan, _expect_counter(meter, association, choice.plan, left))
    values = {
        "file": choice.plan.file,
        "device": choice.plan.title,
        "meter": meter.pk,
        "became": became,
        "catalog": _learn_catalog(work, meter, choice, left),
    }
    row = ImportRow(run=work.run, number=choice.index + 1, outcome=outcome, label=meter.serial_number, values=values)
    row.warnings = [[each.what, each.said, each.why] for each in left]
    return row, _made(work, meter, association, outcome)


def _create(work: _Work, choice: DeviceChoice, left: list[Left]) -> tuple[Meter, Association]:
    plan = choice.plan
    fields = {
        **plan.meter,
        "serial_number": choice.serial_number,
        "name": choice.name,
        "meter_type": _meter_type(work, choice),
    }
    if "physical_address" in plan.meter:
        fields["physical_address"] = choice.physical_address
    meter = save_meter(
        user=work.user,
        meter=fields,
        line=choice.line,
        association=plan.association,
        secrets=plan.secrets,
        origin=choice.origin,
        as_given=True,  # what a file does not say is the tool's default, not the type's
    )
    work.meters.add(meter.pk)
    return meter, meter.associations.get()


def _meter_type(work: _Work, choice: DeviceChoice) -> MeterType:
    if choice.meter_type is not None:
        return choice.meter_type
    values = {"manufacturer": choice.manufacturer, "model": choice.model}
    known = MeterType.objects.filter(**values).order_by("firmware").first()
    if known is not None:
        return known
    made = save_type(user=work.user, values={**values, "flag_code": choice.plan.flag_code})
    work.types.add(made.pk)
    return made


def _check_join(work: _Work, meter: Meter, choice: DeviceChoice) -> None:
    if meter.pk not in work.meters and not choice.join:
        raise ValidationError({"serial_number": "There is a meter with this serial number already."})


def _same_association(meter: Meter, plan: DevicePlan) -> Association | None:
    """The association of the same client with the same server, which the meter has already."""
    wanted = {name: plan.association[name] for name in ("client_sap", "server_sap", "referencing")}
    return meter.associations.filter(**wanted).first()


def _join(work: _Work, meter: Meter, choice: DeviceChoice, left: list[Left]) -> Association:
    """A further association of a meter that is there."""
    names, name, number = set(meter.associations.values_list("name", flat=True)), choice.plan.association["name"], 2
    while name in names:
        name, number = f"{choice.plan.association['name'][: NAME_LENGTH - 6]} ({number})", number + 1
    save_meter(
        user=work.user,
        meter_id=meter.pk,
        meter={},
        line={name: getattr(meter.line, name) for name in LINE_FIELDS},
        association={**choice.plan.association, "name": name, "is_default": not names},
        secrets=_free_secrets(meter, choice.plan, left),
        origin=choice.origin,
    )
    return meter.associations.get(name=name)


def _free_secrets(meter: Meter, plan: DevicePlan, left: list[Left]) -> dict[str, bytes]:
    """Without those that would take the place of another key of the meter."""
    free = {}
    slots = MeterKey.objects.filter(meter=meter, association=None).prefetch_related("versions")
    current = {key.slot: version for key in slots if (version := key.current) is not None}
    for slot, secret in plan.secrets.items():
        known = current.get(slot)
        if known is None:
            free[slot] = secret
        elif known.fingerprint != vault.fingerprint(secret):
            left.append(
                Left(KEY_WORDS[slot], "another key", "The meter has one already, which stays. Both cannot be in use.")
            )
    return free


def _left_of_connection(meter: Meter, choice: DeviceChoice) -> Iterator[Left]:
    """What of the device differs from the meter that is there, and stays as it is there."""
    said = {**choice.plan.meter}
    if "physical_address" in said:
        said["physical_address"] = choice.physical_address
    for name, value in said.items():
        if value not in ("", None) and value != getattr(meter, name):
            words = name.replace("_", " ").capitalize()
            yield Left(words, str(value), f"The meter is there with another ({getattr(meter, name)}), which stays.")
    if any(value != getattr(meter.line, name) for name, value in choice.line.items()):
        line = Line(**choice.line)
        yield Left("Line", line.describe(), f"The meter is there on another ({meter.line.describe()}), which stays.")


def _expect_counter(meter: Meter, association: Association, plan: DevicePlan, left: list[Left]) -> int | None:
    """The last counter of the file, where ours goes on behind it."""
    if plan.last_counter is None:
        return None
    key = MeterKey.objects.filter(meter=meter, association=None, slot=MeterKey.Slot.GUEK).first()
    version = key.current if key is not None else None
    used = version is not None and version.fingerprint == vault.fingerprint(plan.secrets["GUEK"])
    if (
        version is not None
        and used
        and expect_invocation_counter(
            fingerprint=version.fingerprint, system_title=association.client_system_title, last_used=plan.last_counter
        )
    ):
        return plan.last_counter
    left.append(
        Left("Invocation counter", str(plan.last_counter), "The workbench's own is ahead, or is of another key.")
    )
    return None


def _learn_catalog(work: _Work, meter: Meter, choice: DeviceChoice, left: list[Left]) -> dict[str, Any]:
    """Take the objects into the catalog of the meter's type."""
    kind = meter.meter_type
    if kind is None:
        left.append(
            Left("Objects", str(len(choice.plan.objects)), "The meter has no type, whose catalog they would go into.")
        )
        return {}
    result = put_objects(user=work.user, meter_type=kind, objects=choice.plan.objects, origin=choice.origin)
    for reference, names in result.conflicts[:CONFLICTS_SHOWN]:
        why = "The type's catalog says otherwise, and stays: compare the two there."
        left.append(Left(f"Object {reference}", ", ".join(names), why))
    if len(result.conflicts) > CONFLICTS_SHOWN:
        more = f"{len(result.conflicts) - CONFLICTS_SHOWN} more"
        left.append(Left("Objects", more, "As the objects before: the catalog says otherwise."))
    counts = {"added": result.added, "changed": result.changed, "unchanged": result.unchanged}
    return {"type": str(kind), "type_id": kind.pk, "objects": len(choice.plan.objects), **counts}


def _made(work: _Work, meter: Meter, association: Association, outcome: str) -> list[tuple[str, int]]:
    """What an undo takes away again, each once."""
    made: list[tuple[str, int]] = []
    if outcome == Outcome.UPDATED and meter.pk not in work.meters:
        made.append((Association._meta.label_lower, association.pk))
    if outcome == Outcome.CREATED:
        made.append((Meter._meta.label_lower, meter.pk))
        made += [(Line._meta.label_lower, meter.line_id)] if meter.line_id > work.last_line else []
        made += [(MeterType._meta.label_lower, pk) for pk in work.types if pk == meter.meter_type_id]
    new = [each for each in made if each not in work.told]
    work.told.update(new)
    return new


# -- the report ----------------------------------------------------------------------------------------------------------


def _connection(meter: Meter) -> list[list[str]]:
    facts = {
        "Name": meter.name,
        "Type": str(meter.meter_type),
        "Line": meter.line.describe(),
        "Framing": meter.get_framing_display(),
        "Meter's system title": meter.server_system_title.upper(),
    }
    if meter.speaks_hdlc:
        facts["Physical address"] = "none" if meter.physical_address is None else str(meter.physical_address)
        facts["HDLC"] = f"information field {meter.max_info}, window {meter.window}"
    if meter.reverse_deviation:
        facts["Clock"] = "deviation counts from UTC to local time"
    return [[what, value] for what, value in facts.items() if value]


def _became(association: Association, plan: DevicePlan, counter: int | None) -> list[list[str]]:
    prints = {key.slot: version.short_fingerprint for key in _keys(association) if (version := key.current) is not None}
    facts = {
        "Association": association.name,
        "Client → server": f"{association.client_sap} → {association.server_sap}",
        "Referencing": association.get_referencing_display(),
        "Authentication": association.get_authentication_display(),
        "Protection": f"{association.get_protection_display()}, suite {association.security_suite}",
        "Client system title": association.client_system_title.upper(),
        "User id": "" if association.user_id is None else str(association.user_id),
        "Opened by": "nothing: pre-established" if association.pre_established else "",
        "Max. APDU size": str(association.max_pdu_size),
        "Reply timeout": f"{association.timeout:g} s",
        "Counter object": association.counter_object,
        "Keys": ", ".join(f"{slot} {prints[slot]}" for slot in plan.secrets if slot in prints),
        "Next invocation counter": "" if counter is None else f"{counter + 1}; the meter is asked first",
    }
    return [[what, value] for what, value in facts.items() if value]


def _keys(association: Association) -> Any:
    return MeterKey.objects.filter(meter_id=association.meter_id, association=None).prefetch_related("versions")
