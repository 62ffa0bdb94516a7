"""What would become of each row: new meter, changed meter, nothing, or faulty and why. Nothing is written here.

    cells ──read_row──▶ values by our columns ──Planner.plan──▶ Planned: outcome, from -> to, what `write` has to do

A dry run plans, and so does the writing, under locks: what a user saw is compared with what is found then. Whatever many rows ask
for (meters, lines, types, batches, tags) is fetched once a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from meters.changes import Fields
from meters.framing_rules import contradictions
from meters.imports.columns import (
    ASSOCIATION_COLUMNS,
    BY_KEY,
    LINE_COLUMNS,
    METER_COLUMNS,
    NOTHING,
    CellError,
    Column,
    plain,
    read_cell,
)
from meters.imports.table import DATE, ERROR, FORMULA, NUMBER, TableRow
from meters.lines.services import LINE_FIELDS, draft_line
from meters.meter_types.defaults import line_defaults, meter_defaults, template_for, template_values
from meters.models import Association, AssociationTemplate, Batch, ImportRow, Line, Meter, MeterType, Tag
from meters.targets.hosts import HostError, parse_host
from meters.targets.policy import Policy, Reason
from meters.targets.services import HINT, policy_for, refused_text, target_refusal

Outcome = ImportRow.Outcome
Complaint = tuple[str, str, str]
"""Column (its key, or empty for the row), value, reason."""
REMEMBERED = 5000
"""Cells of one column whose value is kept: most columns say the same again and again."""
NEW = "association.new"
LINE_PARTS = tuple(key for key in LINE_COLUMNS if key not in ("line", "line_name"))
DEFAULTS: Mapping[str, Any] = {
    **{key: Meter._meta.get_field(key).get_default() for key in METER_COLUMNS},  # type: ignore[union-attr]
}
BEGINNINGS: Mapping[str, Any] = {
    column.name: column.get_default()
    for column in Association._meta.concrete_fields
    if column.name not in ("id", "meter")
}
NO_METER, NO_ASSOCIATION, NO_LINE = Meter(), Association(), Line()
"""What a new one begins as; made once, for a file has very many of them."""
KEPT_TARGETS = 20
SHOWN = 80
"""Characters of a value that are shown beside its reason."""


# -- one row -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class RowReader:
    """Cells to values, by a mapping. `clear`: an empty cell of a mapped column empties what the meter has there."""

    mapping: Mapping[str, int]
    clear: bool = False
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def read(self, row: TableRow) -> tuple[dict[str, Any], list[Complaint], list[Complaint]]:
        """Values, faults and warnings of one row."""
        values: dict[str, Any] = {}
        faults: list[Complaint] = [("", "", row.fault)] if row.fault else []
        warnings: list[Complaint] = []
        for key, number in sorted(self.mapping.items(), key=lambda pair: pair[1]):
            column, cell = BY_KEY[key], row.cells[number]
            if not cell or cell.isspace():
                if column.required:
                    faults.append((key, "", "It is empty: by it a meter is known."))
                elif self.clear and column.empties is not NOTHING:
                    values[key] = column.empties
                continue
            try:
                _check_type(column, row.type_of(number), cell, warnings)
                values[key] = self._value(column, cell)
            except CellError as error:
                faults.append((key, cell[:SHOWN], str(error)))
        return values, faults, warnings

    def _value(self, column: Column, cell: str) -> Any:
        known = self._known.setdefault(column.key, {})
        found = known.get(cell, NOTHING)
        if found is NOTHING:
            try:
                found = read_cell(column, cell)
            except CellError as error:
                found = error
            if len(known) < REMEMBERED:
                known[cell] = found
        if isinstance(found, CellError):
            raise found
        return found


def _check_type(column: Column, kind: str, cell: str, warnings: list[Complaint]) -> None:
    """What a spreadsheet made of a cell: refused where it is lost what was meant, warned of where it may be."""
    if kind == FORMULA:
        raise CellError("This cell is a formula: put its value there (copy, paste as values).")
    if kind == ERROR:
        raise CellError("The spreadsheet shows an error here.")
    if not column.digits:
        return
    if kind == DATE:
        raise CellError("The spreadsheet took it for a date: format the column as text and type it anew.")
    shortened = "e+" in cell.lower() and cell.lower().replace("e+", "").replace(".", "").replace(",", "").isdecimal()
    if shortened or (kind == NUMBER and not cell.isdecimal()):
        raise CellError("The spreadsheet shortened this number: format the column as text and type it anew.")
    if kind == NUMBER:
        why = "The spreadsheet holds a number here: zeros at its begin are lost. Format the column as text if it has some."
        warnings.append((column.key, cell[:SHOWN], why))


# -- many rows ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Planned:
    """What would become of one row. `new` parts are not in the database yet."""

    number: int
    label: str
    values: Mapping[str, Any]
    meter: Meter | None = None
    outcome: Outcome = Outcome.UNCHANGED
    fields: Fields = field(default_factory=dict)
    faults: list[Complaint] = field(default_factory=list)
    warnings: list[Complaint] = field(default_factory=list)
    meter_values: dict[str, Any] = field(default_factory=dict)
    line: Line | None = None
    meter_type: tuple[str, str] | None = None
    batch: str | None = None
    tags: list[str] | None = None
    tags_before: list[Tag] = field(default_factory=list)
    associations: list[Association] = field(default_factory=list)
    association: Association | None = None
    association_values: dict[str, Any] = field(default_factory=dict)
    other_associations: list[Association] = field(default_factory=list)

    def fault(self, key: str, reason: str) -> None:
        value = self.values.get(key, "")
        self.faults.append((key, str(value)[:SHOWN], reason))


@dataclass(slots=True)
class Planner:
    """Plans chunk by chunk, for a user who may connect to some targets and not to others.

    `rows_by_serial` grows with the file: a serial number that comes twice is noticed. `refused_targets` are the first that no
    rule allows.
    """

    user: Any
    lock: bool = False
    refused_targets: dict[tuple[str, str, int], Reason] = field(default_factory=dict)
    _policy: Policy | None = None
    rows_by_serial: dict[str, int] = field(default_factory=dict)
    types: dict[tuple[str, str], MeterType | None] = field(default_factory=dict)
    batches: dict[str, Batch | None] = field(default_factory=dict)
    tags: dict[str, Tag] | None = None
    lines: dict[tuple[Any, ...], Line] = field(default_factory=dict)
    _line_faults: dict[tuple[Any, ...], list[tuple[str, str]]] = field(default_factory=dict)

    def plan(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Planned]:
        """One chunk: row numbers with their values, all of which could be read."""
        meters = self._meters([values["serial_number"] for _, values in rows])
        self._find_names([values for _, values in rows])
        planned = [self._begin(number, values, meters) for number, values in rows]
        for each in planned:
            if not each.faults:
                self._plan_type(each)
                self._plan_line(each)
        self._find_parts(planned)
        self._find_lines([each.line for each in planned if each.line is not None])
        for each in planned:
            if not each.faults:
                self._plan(each)
            if each.faults:
                each.outcome, each.fields = Outcome.FAULTY, {}
        return planned

    # -- fetching ----------------------------------------------------------------------------------------------------------

    def _meters(self, serials: list[str]) -> dict[str, Meter]:
        found: QuerySet[Meter] = Meter.objects.filter(serial_number__in=serials)
        if self.lock:
            found = found.select_for_update(of=("self",)).order_by("pk")
        found = found.select_related("line", "meter_type", "batch__meter_type")
        return {meter.serial_number: meter for meter in found}

    def _find_parts(self, planned: list[Planned]) -> None:
        """Tags and associations of meters that are there. Without `prefetch_related`, which makes two querysets a meter."""
        by_id = {each.meter.pk: each for each in planned if each.meter is not None and not each.faults}
        for association in Association.objects.filter(meter__in=by_id).order_by("pk") if by_id else ():
            by_id[association.meter_id].associations.append(association)
        if not by_id or not any("tags" in each.values for each in planned):
            return
        through = Meter.tags.through.objects.filter(meter__in=by_id).select_related("tag")
        for row in through.order_by("tag__name"):
            by_id[row.meter_id].tags_before.append(row.tag)

    def _find_names(self, rows: Iterable[Mapping[str, Any]]) -> None:
        models: set[str] = set()
        batches: set[str] = set()
        for values in rows:
            models |= {values["model"]} if values.get("model") else set()
            batches |= {values["batch"]} if values.get("batch") else set()
        if models := models - {model for _, model in self.types}:
            self.types |= {("", model): None for model in models}  # so that they are not asked for again
            found = MeterType.objects.filter(model__in=models).prefetch_related("association_templates")
            for each in sorted(found, key=lambda each: (not each.firmware, each.pk)):  # which one `find_type` takes
                self.types[each.manufacturer, each.model] = each
        if batches := batches - self.batches.keys():
            self.batches |= dict.fromkeys(batches)
            self.batches |= {b.name: b for b in Batch.objects.filter(name__in=batches).select_related("meter_type")}
        if self.tags is None:
            self.tags = {tag.name.lower(): tag for tag in Tag.objects.all()}

    def _find_lines(self, lines: list[Line]) -> None:
        """The lines of this chunk that are in the database, by their properties."""
        hosts = {line.host for line in lines if line.on_network}
        numbers = {line.port for line in lines if line.on_network}
        ports = {line.serial_port for line in lines if not line.on_network}
        found = list(Line.objects.filter(host__in=hosts, port__in=numbers)) if hosts else []
        found += list(Line.objects.filter(serial_port__in=ports)) if ports else []
        self.lines = {}
        for line in sorted(
            found, key=lambda line: (line.name, line.pk), reverse=True
        ):  # of two the one that `find_line` takes
            self.lines[key_of(line)] = line

    # -- one row after the other -------------------------------------------------------------------------------------------

    def notice(self, serial: str, number: int) -> int:
        """The row in which a serial number stood first."""
        return self.rows_by_serial.setdefault(serial, number)

    def _begin(self, number: int, values: Mapping[str, Any], meters: Mapping[str, Meter]) -> Planned:
        serial = values["serial_number"]
        planned = Planned(number, serial, values, meters.get(serial))
        first = self.notice(serial, number)
        if first != number:
            planned.fault("serial_number", f"It stands in row {first} already.")
        return planned

    def _plan_line(self, planned: Planned) -> None:
        """The line that the row asks for; none where it says nothing of lines."""
        given = {**planned.values.get("line", {}), **{k: planned.values[k] for k in LINE_PARTS if k in planned.values}}
        meter = planned.meter
        if not given and meter is not None:
            return
        if not given:
            planned.fault("host", "A new meter needs a line: host and port, or a serial port.")
            return
        kind = given.get("kind") or _kind(given, meter)
        if meter is not None:
            now = {name: getattr(meter.line, name) for name in LINE_FIELDS[Line.Kind(kind)]}
        else:
            now = line_defaults(of_type) if (of_type := self.type_of(planned)) is not None else {}
        wanted = {name: value for name, value in {**now, **given}.items() if name in LINE_FIELDS[Line.Kind(kind)]}
        line = Line(kind=kind, name=planned.values.get("line_name", ""), **wanted)
        if meter is not None and key_of(line) == key_of(meter.line):
            return
        for name, reason in self._faults_of_line(line):
            planned.fault(name if name in BY_KEY else "line", reason)
        planned.line = line

    def _faults_of_line(self, line: Line) -> list[tuple[str, str]]:
        key = (*key_of(line), line.name)
        if key not in self._line_faults:
            if len(self._line_faults) >= REMEMBERED:
                self._line_faults.clear()
            self._line_faults[key] = self._refusals(line)
        return self._line_faults[key]

    def _refusals(self, line: Line) -> list[tuple[str, str]]:
        """As the form for a line would refuse it. What was planned before is asked again only what others can change."""
        try:
            if not self.lock:
                names = ("name", *LINE_FIELDS[line.kind])
                draft_line({"kind": line.kind, **{name: getattr(line, name) for name in names}})
        except ValidationError as error:
            if not hasattr(error, "error_dict"):
                return [("line", " ".join(error.messages))]
            return [(name, " ".join(reasons)) for name, reasons in error.message_dict.items()]
        if not line.on_network or (reason := self._target_refusal(line.kind, line.host, line.port or 0)) is None:
            return []
        if len(self.refused_targets) < KEPT_TARGETS:
            self.refused_targets[line.kind, line.host, line.port or 0] = reason
        return [("host", f"{refused_text(line.host, line.port or 0)} {HINT}")]

    def _target_refusal(self, kind: str, host: str, port: int) -> Reason | None:
        """Addresses by rules that are fetched once; a name as `target_refusal` judges it."""
        try:
            found = parse_host(host)
        except HostError:
            return Reason.NOT_A_HOST
        if isinstance(found, str):
            return target_refusal(user=self.user, kind=kind, host=host, port=port)
        if self._policy is None:
            self._policy = policy_for(self.user)
        return self._policy.refusal(kind, found, port)

    def _plan(self, planned: Planned) -> None:
        meter = planned.meter
        self._plan_values(planned)
        self._plan_place(planned)
        self._plan_batch(planned)
        self._plan_tags(planned)
        _plan_association(planned, self.template_of(planned))
        if planned.fields or meter is None:
            for name, reason in contradictions(_effective(planned)):
                planned.fault(name, reason)
        planned.outcome = Outcome.CREATED if meter is None else Outcome.UPDATED if planned.fields else Outcome.UNCHANGED

    def template_of(self, planned: Planned) -> AssociationTemplate | None:
        """What the association of a new meter begins as, if its type says so."""
        of_type = self.type_of(planned) if planned.meter is None else None
        return template_for(of_type, planned.values.get("association_name", "")) if of_type is not None else None

    def _plan_values(self, planned: Planned) -> None:
        of_type = self.type_of(planned) if planned.meter is None else None
        values = {**(meter_defaults(of_type) if of_type is not None else {}), **planned.values}
        for key in METER_COLUMNS:
            if key in values:
                value = values[key]
                before = getattr(planned.meter, key) if planned.meter is not None else None
                if planned.meter is None and value not in (None, "", DEFAULTS[key]):
                    planned.fields[key] = [None, value]
                elif planned.meter is not None and not _same(before, value, key):
                    planned.fields[key] = [before, value]
                planned.meter_values[key] = value

    def _plan_place(self, planned: Planned) -> None:
        if planned.line is None:
            return
        known = self.lines.get(key_of(planned.line))
        if known is not None:
            if planned.line.name and planned.line.name != known.name:
                why = f"This line has a name already, “{known.name}”, or none: it stays."
                planned.warnings.append(("line_name", planned.line.name, why))
            planned.line = known
        before = planned.meter.line.describe() if planned.meter is not None else None
        planned.fields["line"] = [before, planned.line.describe()]

    def _plan_type(self, planned: Planned) -> None:
        values, now = planned.values, planned.meter.meter_type if planned.meter is not None else None
        if not values.get("model") and not values.get("manufacturer"):
            return
        model = values.get("model") or (now.model if now else "")
        maker = values.get("manufacturer") or (now.manufacturer if now else "")
        if not model:
            planned.fault("manufacturer", "A maker alone names no type: the model is missing.")
            return
        if now is not None and (now.manufacturer, now.model) == (maker, model):
            return
        planned.meter_type = (maker, model)
        before = str(now) if now else None
        planned.fields["meter_type"] = [
            before,
            str(self.type_of(planned) or MeterType(manufacturer=maker, model=model)),
        ]

    def type_of(self, planned: Planned) -> MeterType | None:
        """The type that the meter would have, if that is in the database."""
        if planned.meter_type is not None:
            return self.types.get(planned.meter_type)
        return planned.meter.meter_type if planned.meter is not None else None

    def _plan_batch(self, planned: Planned) -> None:
        now = planned.meter.batch if planned.meter is not None else None
        wanted = planned.values.get("batch")
        if wanted is not None and wanted != (now.name if now else ""):
            planned.batch = wanted
            planned.fields["batch"] = [now.name if now else None, wanted or None]
        batch = now if planned.batch is None else self.batches.get(planned.batch)
        if batch is None or batch.meter_type is None or not {"batch", "meter_type"} & planned.fields.keys():
            return
        kind = self.type_of(planned)
        if kind is None or kind.pk != batch.meter_type_id:
            why = f"The batch {batch.name} is of type {batch.meter_type}: this meter is of another, or of none."
            planned.fault("batch", why)

    def _plan_tags(self, planned: Planned) -> None:
        if "tags" not in planned.values:
            return
        now = sorted(tag.name for tag in planned.tags_before)
        known = self.tags or {}
        names = sorted(str(known.get(name.lower(), name)) for name in planned.values["tags"])
        if names != now:
            planned.tags = list(planned.values["tags"])
            planned.fields["tags"] = [now if planned.meter is not None else None, names]


def key_of(line: Line) -> tuple[Any, ...]:
    """What makes a line this one and no other."""
    return (line.kind, *(getattr(line, name) for name in LINE_FIELDS[line.kind]))


def _kind(given: Mapping[str, Any], meter: Meter | None) -> str:
    if "serial_port" in given and "host" not in given:
        return Line.Kind.SERIAL
    if meter is not None and ("host" not in given or meter.line.on_network):
        return meter.line.kind
    return Line.Kind.TCP


def _same(before: Any, value: Any, name: str) -> bool:
    if name.endswith("system_title"):
        return str(before).lower() == value
    return before == value or (before in (None, "") and value in (None, ""))


def _plan_association(planned: Planned, template: AssociationTemplate | None) -> None:
    """The values for the association that the row names, else for the default one; a new one where there is none."""
    given = {BY_KEY[key].attribute: planned.values[key] for key in ASSOCIATION_COLUMNS if key in planned.values}
    if planned.meter is not None and not given:
        return
    found = _association(planned.associations, given.get("name"))
    planned.association = found
    if found is not None:
        for name, value in given.items():
            if not _same(before := getattr(found, name), value, name):
                planned.fields[f"association.{found.pk}.{name}"] = [before, value]
                planned.association_values[name] = value
        return
    begin = template_values(template) if template is not None else {}
    planned.association_values = {**begin, **given, "is_default": not planned.associations}
    for name, value in {**BEGINNINGS, **planned.association_values}.items():
        if value not in (None, "", BEGINNINGS[name]):
            planned.fields[f"{NEW}.{name}"] = [None, value]
    if planned.meter is not None:
        planned.fields.setdefault(f"{NEW}.name", [None, given.get("name", "Management")])


def association_given(association: Association) -> dict[str, Any]:
    """What is told of a new association: what is not as it always begins."""
    found = {name: getattr(association, name) for name in BEGINNINGS}
    return {name: value for name, value in found.items() if value not in (None, "", BEGINNINGS[name])}


def _association(associations: list[Association], name: str | None) -> Association | None:
    """The named one; without a name the one that is meant to be opened, as `Meter.default_association` says."""
    if name is not None:
        return next((each for each in associations if each.name == name), None)
    return min(associations, key=lambda each: (not each.is_default, each.pk), default=None)


def _effective(planned: Planned) -> dict[str, Any]:
    """What the rules between fields look at, as it would be."""
    meter = planned.meter or NO_METER
    access = planned.association or NO_ASSOCIATION
    line = planned.line or (planned.meter.line if planned.meter is not None else NO_LINE)
    names = ("framing", "physical_address", "address_octets")
    return {
        "kind": line.kind,
        **{name: planned.meter_values.get(name, getattr(meter, name)) for name in names},
        **{n: planned.association_values.get(n, getattr(access, n)) for n in ("client_sap", "server_sap")},
    }


def label_of(cells: Sequence[str], mapping: Mapping[str, int]) -> str:
    """By what a row that cannot be read is known."""
    return plain(cells[mapping["serial_number"]])[:64]
