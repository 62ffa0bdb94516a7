"""What was planned is written: one chunk at a time, in the transaction of whoever calls, with what an undo needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import prefetch_related_objects

from meters.changes import Fields, entry
from meters.imports.columns_saved import save_columns
from meters.imports.plan import NEW, Planned, Planner, association_given, key_of
from meters.imports.undo import Touched, remember
from meters.inventory import find_batch, find_tags
from meters.lines.services import line_snapshot
from meters.meter_types.defaults import template_values
from meters.meter_types.services import save_type
from meters.models import Association, Change, ImportRow, ImportRun, Line, Meter, MeterType, Tag

BATCH_SIZE = 500


@dataclass(slots=True)
class Writer:
    """Writes chunks of one run. `planner` learns what was made, so that the next chunk finds it."""

    run: ImportRun
    planner: Planner
    user: Any
    touched: list[Touched] = field(default_factory=list)

    def write(self, rows: Sequence[Planned]) -> None:
        """Write rows that are new or changed."""
        self.touched = []
        self._make_names(rows)
        self._make_lines(rows)
        made = [each for each in rows if each.outcome == ImportRow.Outcome.CREATED]
        changed = [each for each in rows if each.outcome == ImportRow.Outcome.UPDATED]
        self._make_meters(made)
        self._change_meters(changed)
        self._write_associations(rows)
        self._write_tags(rows)
        self._log(rows)
        remember(self.run, self.touched)

    def _touch(self, planned: Planned, thing: Any, before: dict[str, Any] | None = None) -> None:
        self.touched.append(Touched(planned.number, planned.label, thing._meta.label_lower, thing.pk, before))

    # -- what several meters share -----------------------------------------------------------------------------------------

    def _make_names(self, rows: Sequence[Planned]) -> None:
        planner = self.planner
        tags = planner.tags if planner.tags is not None else {}
        for each in rows:
            if each.meter_type is not None and planner.types.get(each.meter_type) is None:
                planner.types[each.meter_type] = self._make_type(each)
            if each.batch and planner.batches.get(each.batch) is None:
                batch = planner.batches[each.batch] = find_batch(name=each.batch, user=self.user)
                self._touch(each, batch)
            for name in each.tags or ():
                if name.lower() not in tags:
                    [tags[name.lower()]] = find_tags(names=[name], user=self.user)
                    self._touch(each, tags[name.lower()])

    def _make_type(self, each: Planned) -> MeterType:
        maker, model = each.meter_type or ("", "")
        medium = each.values.get("medium", MeterType.Medium.ELECTRICITY)
        made = save_type(user=self.user, values={"manufacturer": maker, "model": model, "medium": medium})
        prefetch_related_objects([made], "association_templates")  # none: asked once, not for each meter
        self._touch(each, made)
        return made

    def _make_lines(self, rows: Sequence[Planned]) -> None:
        waiting: dict[tuple[Any, ...], Planned] = {}
        for each in rows:
            if each.line is not None and each.line.pk is None:
                waiting.setdefault(key_of(each.line), each)
        Line.objects.bulk_create([each.line for each in waiting.values() if each.line], batch_size=BATCH_SIZE)
        for each in waiting.values():
            self._touch(each, each.line)
        lines = [each.line for each in waiting.values() if each.line]
        entries = [entry(user=self.user, thing=line, fields=_told(line), action=Change.Action.CREATE) for line in lines]
        Change.objects.bulk_create(entries, batch_size=BATCH_SIZE)
        for each in rows:
            if each.line is not None and each.line.pk is None:
                each.line = waiting[key_of(each.line)].line

    # -- meters ------------------------------------------------------------------------------------------------------------

    def _make_meters(self, rows: Sequence[Planned]) -> None:
        for each in rows:
            assert each.line is not None, "a new meter is planned with a line"
            each.meter = Meter(
                **each.meter_values,
                line=each.line,
                meter_type=self.planner.types.get(each.meter_type) if each.meter_type else None,
                batch=self.planner.batches.get(each.batch) if each.batch else None,
            )
            each.meter.search_text = each.meter.words_to_search()
        Meter.objects.bulk_create([each.meter for each in rows if each.meter], batch_size=BATCH_SIZE)
        for each in rows:
            self._touch(each, each.meter)

    def _change_meters(self, rows: Sequence[Planned]) -> None:
        columns: set[str] = set()
        for each in rows:
            assert each.meter is not None, "only a meter that is there is changed"
            values = {key: value for key, value in each.meter_values.items() if key in each.fields}
            if each.line is not None:
                values["line"] = each.line
            if each.meter_type is not None:
                values["meter_type"] = self.planner.types[each.meter_type]
            if each.batch is not None:
                values["batch"] = self.planner.batches.get(each.batch)
            before = {_column(name): getattr(each.meter, _column(name)) for name in values}
            if each.tags is not None:
                before["tags"] = [tag.pk for tag in each.tags_before]
            for name, value in values.items():
                setattr(each.meter, name, value)
            each.meter.search_text = each.meter.words_to_search()
            columns |= values.keys()
            self._touch(each, each.meter, before)
        if columns:
            meters = [each.meter for each in rows if each.meter]
            save_columns(meters, {*columns, "search_text"})

    def _write_associations(self, rows: Sequence[Planned]) -> None:
        made = [each for each in rows if each.association is None and each.association_values]
        for each in made:
            assert each.meter is not None, "its meter was made before"
            each.association = Association(meter=each.meter, **each.association_values)
        Association.objects.bulk_create([each.association for each in made if each.association], batch_size=BATCH_SIZE)
        for each in made:
            if each.outcome == ImportRow.Outcome.UPDATED:
                self._touch(each, each.association)
        self._make_other_associations([each for each in made if each.outcome == ImportRow.Outcome.CREATED])
        new = {id(each) for each in made}
        changed = [each for each in rows if each.association_values and id(each) not in new]
        for each in changed:
            self._touch(each, each.association, {n: getattr(each.association, n) for n in each.association_values})
            for name, value in each.association_values.items():
                setattr(each.association, name, value)
        columns = {name for each in changed for name in each.association_values}
        save_columns([each.association for each in changed if each.association], columns)

    def _make_other_associations(self, rows: Sequence[Planned]) -> None:
        """Those that a new meter's type knows beside its first one."""
        for each in rows:
            templates = (
                each.meter.meter_type.association_templates.all() if each.meter and each.meter.meter_type else ()
            )
            first = each.association.name if each.association else ""
            others = [Association(meter=each.meter, **template_values(t)) for t in templates if t.name != first]
            each.other_associations = others
        made = [other for each in rows for other in each.other_associations]
        Association.objects.bulk_create(made, batch_size=BATCH_SIZE)

    def _write_tags(self, rows: Sequence[Planned]) -> None:
        through, known = Meter.tags.through, self.planner.tags or {}
        tagged = [each for each in rows if each.tags is not None and each.meter is not None]
        older = [each.meter for each in tagged if each.outcome == ImportRow.Outcome.UPDATED]
        if older:
            through.objects.filter(meter__in=older).delete()
        pairs = [(each.meter, known[name.lower()]) for each in tagged for name in each.tags or ()]
        through.objects.bulk_create([_tagged(meter, tag) for meter, tag in pairs], batch_size=BATCH_SIZE)

    def _log(self, rows: Sequence[Planned]) -> None:
        entries = [
            entry(user=self.user, thing=each.meter, fields=_named(each), message=self.run.message, action=_action(each))
            for each in rows
            if each.meter is not None
        ]
        Change.objects.bulk_create(entries, batch_size=BATCH_SIZE)


def _told(line: Line) -> Fields:
    return {name: [None, value] for name, value in line_snapshot(line).items() if value not in (None, "")}


def _column(name: str) -> str:
    return str(Meter._meta.get_field(name).attname)  # type: ignore[union-attr]


def _tagged(meter: Meter | None, tag: Tag) -> Any:
    return Meter.tags.through(meter=meter, tag=tag)


def _action(each: Planned) -> str:
    return Change.Action.CREATE if each.outcome == ImportRow.Outcome.CREATED else Change.Action.UPDATE


def _named(each: Planned) -> Fields:
    """The fields with the id of an association that was made just now."""
    if each.association is None:
        return each.fields
    named = {name.replace(NEW, f"association.{each.association.pk}", 1): pair for name, pair in each.fields.items()}
    for other in each.other_associations:
        named |= {f"association.{other.pk}.{name}": [None, value] for name, value in association_given(other).items()}
    return named
