"""What is done with the inventory: saving meters, keeping secrets, handing out invocation counters.

Each service is one transaction. Validation problems are Django's `ValidationError` with the field names of the models (the
secrets' by their slot in lower case), the vault's are `meters.vault.VaultError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone

from meters import vault
from meters.changes import meter_snapshot, record, record_meter
from meters.inventory import batch_refusal, check_state_reason, find_batch, find_tags
from meters.lines.services import draft_line, find_line, forget_unused
from meters.meter_types.defaults import add_other_associations, fill
from meters.meter_types.services import find_type
from meters.models import Association, InvocationCounter, KeyVersion, Line, Meter, MeterKey, MeterType
from meters.targets.services import audited

Slot = MeterKey.Slot
OF_THE_ASSOCIATION = (Slot.LLS_SECRET, Slot.HLS_SECRET, Slot.SIGNING_KEY)
KEYS = (Slot.GUEK, Slot.GAK, Slot.GBEK, Slot.DEDICATED_KEY)
KEY_LENGTHS = {0: 16, 1: 16, 2: 32}
"""Octets of a symmetric key by security suite."""
SIGNING_LENGTHS = {Slot.SIGNING_KEY: {1: 32, 2: 48}, Slot.PEER_SIGNING_KEY: {1: 64, 2: 96}}
"""Octets of a private key's number, and of a public key's x | y."""
MAX_SECRET_OCTETS = 64
BY_NAME = ("manufacturer", "model", "batch", "tags", "reason")
"""What `save_meter` takes with a meter's fields that is no column of it."""

COUNTER_LIMIT = 2**32 - 1 - 2**16
"""Counters beyond are never handed out: the way on is a new key, and room is left for installing it."""
MAX_COUNTER_JUMP = 2**24
"""The counter object is read unprotected: a jump over this size needs a person."""


class CounterError(Exception):
    """No invocation counters can be handed out."""

    layer = "security"
    code = "counter-error"
    hint = ""

    def as_dict(self) -> dict[str, object]:
        return {"layer": self.layer, "code": self.code, "message": str(self), "hint": self.hint}


class CounterUnknown(CounterError):
    """Nothing is known of this key's counter: it has to be learned first."""

    code = "counter-unknown"
    hint = "The public client reads it from the meter; else enter it by hand."


class CountersExhausted(CounterError):
    """The key's counters are used up."""

    code = "counters-exhausted"
    hint = "Install a new key in the meter: its counters begin anew."


class CounterImplausible(CounterError):
    """The meter's counter object says something that cannot be believed without a person."""

    code = "counter-implausible"
    hint = "Anybody on the line can forge this unprotected value. Check the meter before going on."


# -- the inventory -----------------------------------------------------------------------------------------------------


@audited
@transaction.atomic
def save_meter(
    *,
    user: Any,
    meter: Mapping[str, Any],
    line: Mapping[str, Any],
    association: Mapping[str, Any],
    secrets: Mapping[str, bytes] | None = None,
    meter_id: int | None = None,
    origin: str = "",
    as_given: bool = False,
) -> Meter:
    """Create a meter, or change the one with `meter_id`, with its line, association and secrets.

    `meter`, `line` and `association` hold the models' fields by name; `meter` also takes `manufacturer` and `model`, which
    name the type (or `meter_type` does), `batch` and `tags` by name, and the `reason` of a new state. `association` means the one
    with its `id`; where its `is_default` is False the one with its `name`, made when there is none; else the default one. A new
    meter begins with its type's defaults where nothing is said, and with the type's other associations, unless it is taken
    `as_given`. A slot without a secret keeps the one it has. The change log has one entry for all of it.
    """
    found = Meter.objects.select_for_update().get(pk=meter_id) if meter_id else Meter()
    before = meter_snapshot(found) if meter_id else None
    old_line, old_state = (found.line, found.state) if meter_id else (None, "")
    meter = _with_type(meter)
    from_type = not meter_id and not as_given and meter.get("meter_type") is not None
    if from_type:
        meter, line, association = fill(meter["meter_type"], meter, line, association)
    found.line = find_line(line, user=user, known=old_line)
    _assign_and_save(found, _meter_values(meter, user))
    _check_inventory(found, old_state, meter.get("reason") or "")
    if "tags" in meter:
        found.tags.set(find_tags(names=meter["tags"], user=user))
    chosen = _association(found, association)
    if from_type:
        add_other_associations(found)
    for slot, secret in (secrets or {}).items():
        if secret:
            store_secret(
                meter=found, association=chosen, slot=slot, secret=secret, origin=origin or f"entered by {user}"
            )
    if old_line and old_line != found.line:
        forget_unused(line=old_line, user=user)
    record_meter(user=user, meter=found, before=before, message=meter.get("reason") or origin)
    return found


def _with_type(meter: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the type itself, where maker and model name one."""
    if not meter.get("model"):
        return dict(meter)
    return {**meter, "meter_type": find_type(manufacturer=meter.get("manufacturer") or "", model=meter["model"])}


def _meter_values(meter: Mapping[str, Any], user: Any) -> dict[str, Any]:
    values = {name: value for name, value in meter.items() if name not in BY_NAME}
    if "batch" in meter:
        values["batch"] = find_batch(name=meter["batch"], user=user)
    return values


def _check_inventory(meter: Meter, old_state: str, reason: str) -> None:
    if refusal := batch_refusal(batch=meter.batch, meter_type_id=meter.meter_type_id):
        raise ValidationError({"batch": refusal})
    check_state_reason(before=old_state or meter.state, after=meter.state, reason=reason)


def _association(meter: Meter, fields: Mapping[str, Any]) -> Association:
    values = dict(fields)
    wanted = values.pop("id", None)
    if wanted:
        found = meter.associations.get(pk=wanted)
    elif values.get("is_default") is False:
        found = meter.associations.filter(name=values["name"]).first() or Association(meter=meter)
    else:
        found = meter.default_association or Association(meter=meter, is_default=True)
    _assign_and_save(found, values)
    return found


def _assign_and_save(instance: models.Model, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)
    instance.full_clean()
    instance.save()


@dataclass(frozen=True, slots=True)
class Access:
    """A meter and one way into it, with the secrets opened: saved rows, or a draft that was never saved."""

    line: Line
    meter: Meter
    association: Association
    secrets: Mapping[str, OpenedSecret] = field(repr=False)


def saved_access(*, meter_id: int, association_id: int) -> Access:
    """The way into a meter of the inventory; DoesNotExist for an association of another meter."""
    association = Association.objects.select_related("meter__line", "meter__meter_type").get(
        pk=association_id, meter_id=meter_id
    )
    return Access(association.meter.line, association.meter, association, open_secrets(association=association))


def draft_access(
    *,
    meter: Mapping[str, Any],
    line: Mapping[str, Any],
    association: Mapping[str, Any],
    secrets: Mapping[str, bytes] | None = None,
    meter_id: int | None = None,
) -> Access:
    """As `save_meter` would make it, without saving: to test a connection first. Same checks, same errors. A type that is there
    is found by its maker and model, or by `meter_type_id`; none is made.

    With `meter_id` the slots that the draft leaves empty come from that meter.
    """
    ignored = (*BY_NAME, "meter_type")
    drafted = draft_line(line)
    draft = Meter(**{name: value for name, value in meter.items() if name not in ignored}, line=drafted)
    if draft.meter_type_id is None and meter.get("model"):
        names = {"manufacturer": meter.get("manufacturer") or "", "model": meter["model"]}
        draft.meter_type = MeterType.objects.filter(**names).order_by("firmware").first()
    draft.full_clean(exclude=["line", "meter_type"], validate_unique=False)
    chosen = Association(**{name: value for name, value in association.items() if name != "id"}, meter=draft)
    chosen.full_clean(exclude=["meter"], validate_unique=False, validate_constraints=False)
    opened: dict[str, OpenedSecret] = {}
    if meter_id:
        saved = Meter.objects.get(pk=meter_id)
        wanted = association.get("id")
        known = saved.associations.get(pk=wanted) if wanted else saved.default_association
        opened = open_secrets(association=known) if known else {}
    for slot, secret in (secrets or {}).items():
        if secret:
            _check_secret(Slot(slot), secret, chosen)
            opened[Slot(slot).value] = OpenedSecret(None, vault.fingerprint(secret), secret)
    return Access(drafted, draft, chosen, opened)


def mark_meter_seen(*, meter_id: int, server_system_title: str = "") -> None:
    """The meter answered just now; its system title is kept where none was known."""
    Meter.objects.filter(pk=meter_id).update(last_seen=timezone.now())
    if server_system_title:
        _learn_system_title(meter_id, server_system_title)


@transaction.atomic
def _learn_system_title(meter_id: int, title: str) -> None:
    rows = Meter.objects.filter(pk=meter_id, server_system_title="")
    if rows.update(server_system_title=title):
        learned = {"server_system_title": ["", title]}
        record(user=None, thing=Meter.objects.get(pk=meter_id), fields=learned, message="said by the meter")


# -- secrets -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenedSecret:
    """A secret, opened for use. A draft's has no version."""

    key_version_id: int | None
    fingerprint: str
    octets: bytes = field(repr=False)


def parse_secret(slot: str, text: str) -> bytes:
    """What somebody typed: `hex:00ff…` or `text:…`; without a prefix a key is hex and a password is text."""
    prefix, colon, rest = text.partition(":")
    if not colon or prefix not in ("hex", "text"):
        prefix, rest = ("hex" if slot in (*KEYS, *SIGNING_LENGTHS) else "text"), text
    if prefix == "text":
        return rest.encode()
    try:
        return bytes.fromhex(rest)
    except ValueError:
        raise ValidationError({slot.lower(): "Only pairs of hex digits: 00 to ff."}) from None


@transaction.atomic
def store_secret(
    *, meter: Meter, slot: str, secret: bytes, association: Association | None = None, origin: str = ""
) -> KeyVersion:
    """The secret as the slot's newest version; the one it has, when that is the same secret."""
    slot = Slot(slot)
    _check_secret(slot, secret, association)
    owner = association if slot in OF_THE_ASSOCIATION else None
    key = MeterKey.objects.get_or_create(meter=meter, association=owner, slot=slot)[0]
    key = MeterKey.objects.select_for_update().get(pk=key.pk)
    print_of_it = vault.fingerprint(secret)
    current = key.current
    if current is not None and current.fingerprint == print_of_it:
        return current
    last = key.versions.order_by("-number").first()
    version = KeyVersion(key=key, number=last.number + 1 if last else 1, fingerprint=print_of_it, origin=origin[:200])
    version.sealed = vault.seal(secret, version.seal_context)
    version.save()
    return version


def _check_secret(slot: str, secret: bytes, association: Association | None) -> None:
    suite = association.security_suite if association else 0
    if slot in SIGNING_LENGTHS:
        _check_signing_key(slot, secret, suite)
        return
    wanted = KEY_LENGTHS[suite]
    if slot in KEYS and len(secret) != wanted:
        raise ValidationError(
            {slot.lower(): f"This key has {wanted} octets ({2 * wanted} hex digits), not {len(secret)}."}
        )
    if not 0 < len(secret) <= MAX_SECRET_OCTETS:
        raise ValidationError({slot.lower(): f"A secret has 1 to {MAX_SECRET_OCTETS} octets, not {len(secret)}."})


def _check_signing_key(slot: str, key: bytes, suite: int) -> None:
    wanted = SIGNING_LENGTHS[Slot(slot)].get(suite)
    if wanted is None:
        raise ValidationError({slot.lower(): "Signatures belong to security suites 1 and 2."})
    if len(key) != wanted:
        raise ValidationError(
            {slot.lower(): f"This key has {wanted} octets in security suite {suite}, not {len(key)}."}
        )


def open_secrets(*, association: Association) -> dict[str, OpenedSecret]:
    """By slot, what the association needs: its own secrets before those of the meter."""
    keys = MeterKey.objects.filter(meter_id=association.meter_id).prefetch_related("versions")
    opened: dict[str, OpenedSecret] = {}
    for key in sorted(keys, key=lambda key: key.association_id is None):
        version = key.current if key.association_id in (None, association.pk) else None
        if version is not None and key.slot not in opened:
            opened[key.slot] = _opened(version)
    return opened


def _opened(version: KeyVersion) -> OpenedSecret:
    return OpenedSecret(version.pk, version.fingerprint, vault.unseal(bytes(version.sealed), version.seal_context))


def open_key_versions(*, ids: Iterable[int]) -> dict[str, bytes]:
    """By slot, the secrets of these very versions: what a session was opened with, though keys changed since."""
    versions = KeyVersion.objects.filter(pk__in=list(ids)).select_related("key")
    return {version.key.slot: vault.unseal(bytes(version.sealed), version.seal_context) for version in versions}


@transaction.atomic
def mark_proven(*, key_version_ids: Iterable[int]) -> None:
    """The meter accepted these versions: the slots point at them."""
    for version in KeyVersion.objects.filter(pk__in=list(key_version_ids)).select_related("key"):
        if version.state != KeyVersion.State.PROVEN:
            KeyVersion.objects.filter(pk=version.pk).update(state=KeyVersion.State.PROVEN)
        if version.key.proven_id != version.pk:
            MeterKey.objects.filter(pk=version.key_id).update(proven=version)


# -- invocation counters -----------------------------------------------------------------------------------------------


def reserve_invocation_counters(*, fingerprint: str, system_title: str, count: int) -> range:
    """Hand out `count` counters that were never used with the key of this fingerprint under this system title.

    The row is advanced and committed first: a crash wastes counters, it never repeats a nonce. Must not be called inside a
    transaction, whose rollback would hand the same counters out again.
    """
    if not 1 <= count <= 65536:
        raise ValueError(f"1 to 65536 counters can be reserved at once, not {count}")
    rows = InvocationCounter.objects.filter(fingerprint=fingerprint, system_title=system_title.lower())
    with transaction.atomic(durable=True):
        fitting = rows.filter(next_value__lte=COUNTER_LIMIT - count)
        if not fitting.update(next_value=F("next_value") + count, updated=timezone.now()):
            _blame_for_no_counters(rows.values_list("next_value", flat=True).first())
        end: int = rows.values_list("next_value", flat=True).get()
    return range(end - count, end)


def _blame_for_no_counters(next_value: int | None) -> None:
    if next_value is None:
        raise CounterUnknown("The next invocation counter of this key is not known.")
    raise CountersExhausted(f"The invocation counters of this key are used up (next: {next_value}).")


def invocation_counter_is_certain(*, fingerprint: str, system_title: str) -> bool:
    """Whether counters can be reserved without asking the meter first."""
    rows = InvocationCounter.objects.filter(fingerprint=fingerprint, system_title=system_title.lower())
    return rows.filter(doubtful=False).exists()


def doubt_invocation_counter(*, fingerprint: str, system_title: str) -> None:
    """The association failed: perhaps somebody else talked to the meter. It is asked before the next one."""
    rows = InvocationCounter.objects.filter(fingerprint=fingerprint, system_title=system_title.lower())
    rows.update(doubtful=True)


def learn_invocation_counter(*, fingerprint: str, system_title: str, meter_value: int) -> int:
    """Take over what the meter's counter object says; the next value to use is returned. Ours only ever grows.

    The object is read without protection, so a value that jumps too far raises CounterImplausible and changes nothing.
    """
    if not 0 <= meter_value < COUNTER_LIMIT:
        raise CounterImplausible(f"The meter says that its invocation counter is {meter_value}.")
    same = {"fingerprint": fingerprint, "system_title": system_title.lower()}
    with transaction.atomic(durable=True):
        try:
            with transaction.atomic():
                InvocationCounter.objects.create(**same, next_value=meter_value + 1)
        except IntegrityError:
            _advance(InvocationCounter.objects.select_for_update().get(**same), meter_value)
        return InvocationCounter.objects.values_list("next_value", flat=True).get(**same)


@transaction.atomic
def expect_invocation_counter(*, fingerprint: str, system_title: str, last_used: int) -> bool:
    """Another program used the counters of this key up to `last_used`, as its file says: ours go on behind it.

    Whether anything was learned. The file may be old, so the meter is asked before the first use. Ours only ever grows; what
    jumps too far is not believed.
    """
    row, made = InvocationCounter.objects.select_for_update().get_or_create(
        fingerprint=fingerprint,
        system_title=system_title.lower(),
        defaults={"next_value": last_used + 1, "doubtful": True},
    )
    if made:
        return True
    if not 0 <= last_used - row.next_value <= MAX_COUNTER_JUMP:
        return False
    row.next_value, row.doubtful = last_used + 1, True
    row.save(update_fields=["next_value", "doubtful", "updated"])
    return True


def _advance(row: InvocationCounter, meter_value: int) -> None:
    if meter_value - row.next_value > MAX_COUNTER_JUMP:
        raise CounterImplausible(
            f"The meter says that its invocation counter is {meter_value}, here it is {row.next_value}: a jump too far."
        )
    row.next_value = max(row.next_value, meter_value + 1)
    row.doubtful = False
    row.save(update_fields=["next_value", "doubtful", "updated"])
