"""The filters of the list of meters, and its search: any of the values of one filter, and all of the filters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils import timezone

from meters.list_state import ListState
from meters.models import Association, Batch, Line, Meter, MeterType, Tag

SEEN = [("never", "never"), ("ever", "at least once")]
SHORT_WORD = 3
"""Letters that a trigram index needs: shorter words are looked for at the beginning of words only."""


class MeterFilter(filters.FilterSet):
    """Each filter works on the row of the meter, or by a subquery: no join multiplies rows, so none has to be made distinct."""

    type = filters.ModelMultipleChoiceFilter(queryset=MeterType.objects.all(), method="by_type")
    medium = filters.MultipleChoiceFilter(choices=MeterType.Medium.choices, method="by_medium")
    batch = filters.ModelMultipleChoiceFilter(queryset=Batch.objects.all(), to_field_name="name", method="by_batch")
    state = filters.MultipleChoiceFilter(choices=Meter.State.choices, method="by_state")
    tag = filters.ModelMultipleChoiceFilter(queryset=Tag.objects.all(), to_field_name="name", method="by_tag")
    line = filters.MultipleChoiceFilter(choices=Line.Kind.choices, method="by_line")
    framing = filters.MultipleChoiceFilter(choices=Meter.Framing.choices, method="by_framing")
    authentication = filters.MultipleChoiceFilter(
        choices=Association.Authentication.choices, method="by_authentication"
    )
    seen = filters.ChoiceFilter(choices=SEEN, method="by_seen")
    seen_since = filters.DateFilter(method="by_seen_since")

    class Meta:
        model = Meter
        fields: tuple[str, ...] = ()

    def by_type(self, meters: QuerySet[Meter], name: str, value: Iterable[MeterType]) -> QuerySet[Meter]:
        return _any(meters, "meter_type_id", [each.pk for each in value])

    def by_medium(self, meters: QuerySet[Meter], name: str, value: list[str]) -> QuerySet[Meter]:
        if not value:
            return meters
        types = list(MeterType.objects.filter(medium__in=value).order_by().values_list("pk", flat=True))
        return meters.filter(meter_type_id__in=types)

    def by_batch(self, meters: QuerySet[Meter], name: str, value: Iterable[Batch]) -> QuerySet[Meter]:
        return _any(meters, "batch_id", [each.pk for each in value])

    def by_state(self, meters: QuerySet[Meter], name: str, value: list[str]) -> QuerySet[Meter]:
        return _any(meters, "state", value)

    def by_tag(self, meters: QuerySet[Meter], name: str, value: Iterable[Tag]) -> QuerySet[Meter]:
        tags = [each.pk for each in value]
        tagged = Meter.tags.through.objects.filter(meter_id=OuterRef("pk"), tag_id__in=tags)
        return meters.filter(Exists(tagged)) if tags else meters

    def by_line(self, meters: QuerySet[Meter], name: str, value: list[str]) -> QuerySet[Meter]:
        return meters.filter(Exists(Line.objects.filter(pk=OuterRef("line_id"), kind__in=value))) if value else meters

    def by_framing(self, meters: QuerySet[Meter], name: str, value: list[str]) -> QuerySet[Meter]:
        return _any(meters, "framing", value)

    def by_authentication(self, meters: QuerySet[Meter], name: str, value: list[str]) -> QuerySet[Meter]:
        if not value:
            return meters
        return meters.filter(
            Exists(Association.objects.filter(meter_id=OuterRef("pk"), authentication__in=value).order_by())
        )

    def by_seen(self, meters: QuerySet[Meter], name: str, value: str) -> QuerySet[Meter]:
        return meters.filter(last_seen__isnull=value == "never")

    def by_seen_since(self, meters: QuerySet[Meter], name: str, value: date) -> QuerySet[Meter]:
        midnight = timezone.make_aware(datetime.combine(value, time.min))
        return meters.filter(last_seen__gte=midnight)


def _any(meters: QuerySet[Meter], column: str, values: list[Any]) -> QuerySet[Meter]:
    if not values:
        return meters
    return meters.filter(**{column: values[0]} if len(values) == 1 else {f"{column}__in": values})


def filtered(state: ListState, meters: QuerySet[Meter]) -> tuple[MeterFilter, QuerySet[Meter]]:
    """The filters with their judgement on the values, and the meters that are left; none where a value is refused."""
    found = MeterFilter(QueryDict(state.query()), queryset=searched(state, meters))
    return found, found.qs if found.is_valid() else meters.none()


def searched(state: ListState, meters: QuerySet[Meter]) -> QuerySet[Meter]:
    """The meters that have every word."""
    for word in state.words():
        meters = meters.filter(search_text__contains=word if len(word) >= SHORT_WORD else f" {word}")
    return meters
