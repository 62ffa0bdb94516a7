"""Small pieces that look the same on every page: icons, times, states, form fields, key references."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.models import Meter
from meters.quirks.names import QUIRKS, value_words

register = template.Library()

SPRITE = "vendor/tabler-icons-3.52.0/sprite.svg"
BRAND = '<svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7"/><path d="M6 20h5l2.6-8 4 12 3.2-9 1.7 5H26"/></svg>'  # noqa: E501

STATE_ICONS = {
    "QUEUED": "clock",
    "WAITING": "clock",
    "OPENING": "loader-2",
    "RUNNING": "loader-2",
    "CLOSING": "loader-2",
    "OPEN": "plug-connected",
    "DONE": "circle-check",
    "PROVEN": "circle-check",
    "passed": "circle-check",
    "FAILED": "circle-x",
    "refused": "circle-x",
    "ERRORED": "alert-triangle",
    "LOST": "alert-triangle",
    "broken": "alert-triangle",
    "UNCERTAIN": "help",
    "CANDIDATE": "circle-dashed",
    "unreached": "circle-dashed",
    "CANCELLED": "player-stop",
    "RETIRED": "x",
    "RECEIVED": "circle-dashed",
    "IN_TEST": "activity",
    "COMMISSIONED": "circle-check",
    "IN_FIELD": "plug-connected",
    "FAULTY": "alert-triangle",
    "PROPOSED": "circle-dashed",
    "ACCEPTED": "circle-check",
    "REFUSED": "circle-x",
    "WITHDRAWN": "x",
}
MOVING = frozenset({"OPENING", "RUNNING", "CLOSING"})


@cache
def sprite_url() -> str:
    return static(SPRITE)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An outline icon of the vendored sprite; decoration only, so hidden from screen readers."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite_url(), name)


@register.simple_tag
def querystring_of(**values: str) -> str:
    """`batch=Lot+7&state=FAULTY`, for an address that does not go on from this page's."""
    return urlencode(values)


@register.simple_tag
def icon_sprite() -> str:
    """The sprite's address, for what JavaScript draws."""
    return sprite_url()


@register.simple_tag
def brand_mark() -> SafeString:
    return mark_safe(BRAND)


@register.simple_tag
def state(value: str, label: str) -> SafeString:
    """A state as a shape and a word; the colour only helps."""
    spin = " spin" if value in MOVING else ""
    return format_html(
        '<span class="state state-{}{}">{}<span>{}</span></span>',
        value,
        spin,
        state_icon(value),
        label,
    )


@register.simple_tag
def state_icon(value: str) -> SafeString:
    """The shape of a state alone, where its word stands beside it or in the title."""
    return icon(STATE_ICONS.get(value, "circle-dashed"))


@register.simple_tag
def iso_time(value: datetime | None, empty: str = "–") -> SafeString:
    """A time as ISO 8601 with its zone; `js/keys.js` adds "3 minutes ago" as the title. No time: None, or what a template
    makes of a row that is not there.
    """
    if not value:
        return format_html('<span class="faint">{}</span>', empty)
    local = timezone.localtime(value)
    offset = local.strftime("%z")
    zone = "Z" if offset in ("", "+0000") else f"{offset[:3]}:{offset[3:]}"
    shown = local.strftime("%Y-%m-%d %H:%M:%S")
    return format_html(
        '<time class="num" datetime="{}">{}<span class="zone">{}</span></time>',
        local.isoformat(timespec="seconds"),
        shown,
        zone,
    )


@register.simple_tag
def short_authentication(association: Any) -> str:
    """As technicians say it: `public`, `LLS`, `HLS-GMAC`."""
    value = str(association.authentication)
    return "public" if value == "none" else value.upper()


@register.filter
def duration(begin: datetime | None, end: datetime | None) -> str:
    """From `begin` to `end` (or to now): `0:07`, `12:30`, `1:02:03`."""
    if begin is None:
        return "–"
    seconds = max(0, round(((end or timezone.now()) - begin).total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


@register.filter
def seconds(begin: datetime | None, end: datetime | None) -> str:
    """From `begin` to `end`, exactly: `0.067 s`."""
    return "–" if begin is None or end is None else f"{(end - begin).total_seconds():.3f} s"


@register.filter
def meter_state(value: str) -> str:
    """The word for a meter's state; the value itself, where it is none any more."""
    return str(dict(Meter.State.choices).get(value, value))


@register.filter
def obis_meaning(logical_name: str) -> str:
    """What the code means; empty where nothing is known."""
    try:
        meaning = describe(ObisCode.parse(logical_name))
    except ValueError:
        return ""
    return "" if meaning == logical_name else meaning


@register.filter
def quirk_value(value: Any) -> str:
    """A quirk's value: `yes`, `60`, `access, selective-access`."""
    return value_words(value)


@register.filter
def quirk_title(name: str) -> str:
    """What a quirk is called; the name itself where there is none any more."""
    return QUIRKS[name].title if name in QUIRKS else name


@register.inclusion_tag("includes/_field.html")
def field(bound: BoundField, span: str = "", **options: Any) -> dict[str, Any]:
    """A form field with its label, help and errors, tied together for screen readers.

    `when` names the choices for which the field matters (`kind=TCP`): JavaScript hides it for the others.
    """
    described = [f"{bound.auto_id}_help"] if bound.help_text else []
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
    attributes: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {"field": bound, "widget": bound.as_widget(attrs=attributes), "span": span, **options}


@register.inclusion_tag("includes/_key_chip.html")
def key_chip(key: Any) -> dict[str, Any]:
    """A key reference: slot, version, fingerprint, state. Never the value."""
    return {"key": key, "version": key.current}
