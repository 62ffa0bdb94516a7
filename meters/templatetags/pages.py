"""Small pieces that look the same on every page: icons, times, octets."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

SPRITE = "vendor/tabler-icons-3.52.0/sprite.svg"
BRAND = '<svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7"/><path d="M6 20h5l2.6-8 4 12 3.2-9 1.7 5H26"/></svg>'  # noqa: E501


@cache
def sprite_url() -> str:
    return static(SPRITE)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An outline icon of the vendored sprite; decoration only, so hidden from screen readers."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite_url(), name)


@register.simple_tag
def brand_mark() -> SafeString:
    return mark_safe(BRAND)  # noqa: S308 (a constant)


@register.simple_tag
def iso_time(value: datetime | None, empty: str = "–") -> SafeString:
    """A time as ISO 8601 with its zone; `js/keys.js` adds "3 minutes ago" as the title."""
    if value is None:
        return format_html('<span class="muted">{}</span>', empty)
    local = timezone.localtime(value)
    shown = local.strftime("%Y-%m-%d %H:%M:%S")
    return format_html('<time class="num" datetime="{}">{}</time>', local.isoformat(timespec="seconds"), shown)
