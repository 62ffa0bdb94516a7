"""The list of meters as a table."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from meters.models import Meter
from meters.templatetags.pages import iso_time, short_authentication, state

DEFAULT_COLUMNS = (
    "name",
    "state",
    "meter_type",
    "batch",
    "line",
    "framing",
    "association",
    "last_seen",
    "last_session",
)
CHOICES = {
    "name": "Name",
    "state": "State",
    "meter_type": "Type",
    "batch": "Batch",
    "tags": "Tags",
    "location": "Location",
    "line": "Line",
    "framing": "Framing, address",
    "association": "Association",
    "system_title": "System title",
    "last_seen": "Last seen",
    "last_session": "Last session",
}
"""The columns that people choose from; the serial number always stands first."""
SELECT_PAGE = SafeString('<input type="checkbox" data-select-page aria-label="Select all on this page">')
NARROW_HIDE = {"th": {"class": "narrow-hide"}, "td": {"class": "narrow-hide"}}
CLIP = {"class": "clip brief narrow-hide"}
DASH = SafeString('<span class="faint">–</span>')


class SelectColumn(tables.Column):
    """A checkbox for each row, and one for all rows of the page."""

    @property
    def header(self) -> SafeString:
        return SELECT_PAGE

    def render(self, record: Meter) -> SafeString:
        return format_html(
            '<input type="checkbox" name="ids" value="{}" form="selection" data-select aria-label="{}">',
            record.pk,
            f"Select {record.serial_number}",
        )


class MeterTable(tables.Table):
    """One row a meter. `last_session` is put on each meter by the view, so that rows cost no query."""

    select = SelectColumn(accessor="pk", orderable=False, attrs={"td": {"class": "tight"}, "th": {"class": "tight"}})
    serial_number = tables.Column(verbose_name="Serial", attrs={"td": {"class": "serial"}})
    name = tables.Column(order_by=("name", "serial_number"), attrs={"td": {"class": "clip"}})
    state = tables.Column(order_by=("state", "serial_number"))
    batch = tables.Column(order_by=("batch__name", "serial_number"), attrs={**NARROW_HIDE, "td": CLIP})
    tags = tables.Column(accessor="pk", orderable=False, attrs=NARROW_HIDE)
    location = tables.Column(order_by=("location", "serial_number"), attrs={**NARROW_HIDE, "td": CLIP})
    system_title = tables.Column(accessor="server_system_title", orderable=False, attrs=NARROW_HIDE)
    meter_type = tables.Column(
        verbose_name="Type",
        order_by=("meter_type__manufacturer", "meter_type__model", "serial_number"),
        attrs={"th": {"class": "narrow-hide"}, "td": {"class": "clip brief narrow-hide"}},
    )
    line = tables.Column(
        verbose_name="Line",
        order_by=("line__host", "line__port", "line__serial_port", "serial_number"),
        attrs=NARROW_HIDE,
    )
    framing = tables.Column(verbose_name="Framing, address", order_by=("framing", "serial_number"), attrs=NARROW_HIDE)
    association = tables.Column(
        verbose_name="Association", accessor="default_association", orderable=False, attrs=NARROW_HIDE
    )
    last_seen = tables.Column(empty_values=(), order_by=("last_seen", "serial_number"), attrs=NARROW_HIDE)
    last_session = tables.Column(
        verbose_name="Last session", accessor="pk", order_by=("last_session_id", "-serial_number")
    )

    open = tables.Column(verbose_name="", accessor="pk", orderable=False, attrs={"td": {"class": "tight"}})

    class Meta:
        model = Meter
        fields = ()
        sequence = (
            "select",
            "serial_number",
            "name",
            "state",
            "meter_type",
            "batch",
            "tags",
            "location",
            "line",
            "framing",
            "association",
            "system_title",
            "last_seen",
            "last_session",
            "open",
        )
        row_attrs = {"data-href": lambda record: record.get_absolute_url(), "tabindex": "-1"}
        attrs = {"class": "table-dense", "data-rows": ""}
        template_name = "includes/_table.html"
        order_by = "serial_number"

    def render_serial_number(self, record: Meter) -> SafeString:
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record.serial_number)

    def render_state(self, record: Meter) -> SafeString:
        return state(record.state, record.get_state_display())

    def render_batch(self, record: Meter) -> SafeString:
        return (
            format_html('<a href="{}">{}</a>', record.batch.get_absolute_url(), record.batch) if record.batch else DASH
        )

    def render_tags(self, record: Meter) -> SafeString:
        names = sorted(tag.name for tag in record.tags.all())
        return format_html_join(" ", '<span class="chip">{}</span>', [(name,) for name in names]) or DASH

    def render_system_title(self, value: str) -> SafeString:
        return format_html('<span class="mono">{}</span>', value.upper())

    def render_line(self, record: Meter) -> SafeString:
        return format_html('<span class="mono">{}</span>', record.line.describe())

    def render_framing(self, record: Meter) -> SafeString:
        return format_html(
            '{} <span class="muted num">{}</span>', record.get_framing_display(), hdlc_address(record, "· physical ")
        )

    def render_association(self, value: Any) -> SafeString:
        return format_html(
            '<span title="{}">{} <span class="muted num">{} → {}</span></span>',
            f"{value.name}: {value.get_authentication_display()}, protection: {value.get_protection_display().lower()}",
            short_authentication(value),
            value.client_sap,
            value.server_sap,
        )

    def render_last_seen(self, value: Any) -> SafeString:
        return iso_time(value, "never")

    def render_last_session(self, record: Meter) -> SafeString:
        found = getattr(record, "last_session", None)
        if found is None:
            return format_html('<span class="faint">{}</span>', "none yet")
        return format_html(
            '<a href="{}" class="plain">{}</a>', found.get_absolute_url(), state(found.state, found.get_state_display())
        )

    def render_open(self, record: Meter) -> SafeString:
        if record.default_association is None:
            return SafeString("")
        return format_html(
            '<button type="submit" form="open-session" formaction="{}" class="btn btn-sm row-action" title="{}">{}</button>',
            reverse("sessions:session_open", args=[record.pk]),
            f"Open a session with {record.serial_number} (o)",
            "Open",
        )


def hdlc_address(meter: Meter, prefix: str = "") -> str:
    """`physical 17`; empty on the wrapper, and where the line has one meter without an address."""
    if not meter.speaks_hdlc or meter.physical_address is None:
        return ""
    return f"{prefix}{meter.physical_address}"
