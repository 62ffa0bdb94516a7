"""What is done with lines. Each service is one transaction with its entry in the change log.

A line on the network is only saved where the list of allowed targets lets the user connect to (`meters.targets.services`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from meters.changes import difference, record
from meters.models import NAME, Change, Line
from meters.targets.hosts import HostError, parse_host
from meters.targets.services import audited, check_target

SPEED_FIELDS = ("baud", "data_bits", "parity", "stop_bits")
LINE_FIELDS: Mapping[str, tuple[str, ...]] = {
    Line.Kind.TCP: ("host", "port"),
    Line.Kind.UDP: ("host", "port"),
    Line.Kind.SERIAL: ("serial_port", *SPEED_FIELDS),
    Line.Kind.RFC2217: ("host", "port", *SPEED_FIELDS),
}
"""What each kind of line asks for."""


def find_line(fields: Mapping[str, Any], *, user: Any, known: Line | None = None) -> Line:
    """The line with exactly these properties, made when there is none. `known`: the one that was used until now.

    Unless it is that one, the target has to be allowed for the user.
    """
    wanted = draft_line(fields)
    found = same_lines(wanted).first()
    if found is None or known is None or found.pk != known.pk:
        check_line(line=wanted, user=user)
    if found is None:
        wanted.save()
        record(user=user, thing=wanted, fields=_given(wanted), action=Change.Action.CREATE)
        return wanted
    if wanted.name and wanted.name != found.name:
        before = line_snapshot(found)
        found.name = wanted.name
        found.save(update_fields=["name"])
        record(user=user, thing=found, fields=difference(before, line_snapshot(found)))
        search_again(found)
    return found


def draft_line(fields: Mapping[str, Any]) -> Line:
    """A line of these fields that is not saved; ValidationError with the field's name where one is wrong."""
    line = Line(**{name: value for name, value in fields.items() if value is not None})
    line.host = canonical_host(line.host) if line.on_network else line.host
    _check_fields(line)
    return line


def canonical_host(host: str) -> str:
    """One spelling for one address. What is no host stays as it is: the check of its target says so."""
    try:
        return str(parse_host(host))
    except HostError:
        return host


def same_lines(line: Line) -> QuerySet[Line]:
    """The lines with these properties, whatever their names. No database is asked for a host that is none."""
    if line.on_network and not _is_host(line.host):
        return Line.objects.none()
    return Line.objects.filter(kind=line.kind, **{name: getattr(line, name) for name in LINE_FIELDS[line.kind]})


def _is_host(host: str) -> bool:
    try:
        parse_host(host)
    except HostError:
        return False
    return True


def _check_fields(line: Line) -> None:
    if line.name:
        _check_name(line.name)
    if line.on_network and not (line.host and line.port):
        raise ValidationError({"port" if line.host else "host": f"A {line.kind} line needs a host and a port."})
    if line.kind == Line.Kind.SERIAL and line.serial_port not in settings.SERIAL_PORTS:
        raise ValidationError({"serial_port": "Choose one of the serial ports of this workbench."})
    line.full_clean()


def _check_name(name: str) -> None:
    try:
        NAME(name)
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from None


def check_line(*, line: Line, user: Any) -> None:
    """ValidationError where this user may not connect to it; what is refused is recorded."""
    if line.on_network:
        check_target(user=user, kind=line.kind, host=line.host, port=line.port or 0)


@audited
@transaction.atomic
def save_line(*, user: Any, line: Mapping[str, Any], line_id: int | None = None) -> Line:
    """Add a line, or change the one with `line_id`. `line` holds the model's fields by name; two of the same are refused."""
    found = Line.objects.select_for_update().get(pk=line_id) if line_id else None
    wanted = draft_line(line)
    other = same_lines(wanted).exclude(pk=line_id or 0).first()
    if other is not None:
        raise ValidationError(f"There is such a line already: {other}, with {other.meters.count()} meters.")
    if found is None or (found.kind, found.address) != (wanted.kind, wanted.address):
        check_line(line=wanted, user=user)
    before = line_snapshot(found) if found else {}
    saved = found or wanted
    for name in ("name", "kind", "host", "port", "serial_port", *SPEED_FIELDS):
        setattr(saved, name, getattr(wanted, name))
    saved.stays = True
    saved.save()
    if found is None:
        record(user=user, thing=saved, fields=_given(saved), action=Change.Action.CREATE)
    else:
        record(user=user, thing=saved, fields=difference(before, line_snapshot(saved)))
        search_again(saved)
    return saved


@transaction.atomic
def delete_line(*, user: Any, line_id: int) -> None:
    """Forget a line; ValidationError while meters hang on it."""
    line = Line.objects.select_for_update().get(pk=line_id)
    hanging = line.meters.count()
    if hanging:
        meters = "1 meter hangs" if hanging == 1 else f"{hanging} meters hang"
        raise ValidationError(f"{meters} on this line: give them another one first.")
    _delete(line, user)


def forget_unused(*, line: Line, user: Any) -> None:
    """Delete a line that came with a meter and has none any more; one that was added for itself stays."""
    if not line.stays and not line.meters.exists():
        _delete(line, user)


def _delete(line: Line, user: Any) -> None:
    record(user=user, thing=line, fields=difference(line_snapshot(line), {}), action=Change.Action.DELETE)
    line.delete()


def search_again(line: Line) -> None:
    """The search of meters looks at their line's name and address, too."""
    for meter in line.meters.select_related("line", "meter_type").iterator(chunk_size=500):
        meter.save(update_fields=["search_text"])


def line_snapshot(line: Line) -> dict[str, Any]:
    """What the change log tells of a line: its name, its kind, and what its kind asks for."""
    fields = {name: getattr(line, name) for name in LINE_FIELDS[line.kind]}
    return {"name": line.name, "line_kind": str(Line.Kind(line.kind).label), **fields}


def _given(line: Line) -> dict[str, list[Any]]:
    return {name: [None, value] for name, value in line_snapshot(line).items() if value not in (None, "")}
