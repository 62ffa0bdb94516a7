"""The inventory's services: meters saved whole or not at all, secrets kept, counters handed out once."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from meters.models import Association, InvocationCounter, KeyVersion, Line, Meter, MeterKey, MeterType
from meters.services import (
    COUNTER_LIMIT,
    MAX_COUNTER_JUMP,
    CounterImplausible,
    CountersExhausted,
    CounterUnknown,
    doubt_invocation_counter,
    draft_access,
    invocation_counter_is_certain,
    learn_invocation_counter,
    mark_meter_seen,
    mark_proven,
    open_key_versions,
    open_secrets,
    parse_secret,
    reserve_invocation_counters,
    saved_access,
    store_secret,
)
from meters.vault import VaultSealed
from tests.meters.builders import GAK, GUEK, make_ciphered_meter, make_meter, meter_fields
from tests.site import Site

KEY = {"fingerprint": "f" * 64, "system_title": "4d57424d57422d31"}


@pytest.mark.django_db
class TestSaveMeter:
    def test_creates_everything_that_belongs_to_it(self) -> None:
        meter = make_meter()
        assert str(meter.line) == "127.0.0.1:4059"
        assert str(meter.meter_type) == "Maker M1"
        assert meter.default_association.authentication == "lls"
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == b"secret-1"

    def test_changes_the_meter_that_is_named_and_keeps_secrets_that_are_left_empty(self) -> None:
        meter = make_meter()
        again = make_meter(meter_id=meter.pk, meter={"name": "renamed"}, secrets={"LLS_SECRET": b""})
        assert (again.pk, again.name, Meter.objects.count(), Association.objects.count()) == (meter.pk, "renamed", 1, 1)
        assert KeyVersion.objects.count() == 1

    def test_a_new_secret_is_a_new_version_and_the_old_one_stays(self) -> None:
        meter = make_meter()
        make_meter(meter_id=meter.pk, secrets={"LLS_SECRET": b"secret-2"})
        assert [version.number for version in KeyVersion.objects.all()] == [1, 2]
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == b"secret-2"

    def test_two_meters_share_a_line(self) -> None:
        first, second = make_meter(), make_meter(meter={"serial_number": "2"})
        assert first.line == second.line
        assert Line.objects.count() == 1

    def test_a_line_that_nobody_is_on_any_more_goes(self) -> None:
        meter = make_meter()
        moved = make_meter(meter_id=meter.pk, line={"port": 4060})
        assert Line.objects.get() == moved.line

    @pytest.mark.parametrize(
        ("part", "values", "field"),
        [
            ("meter", {"serial_number": ""}, "serial_number"),
            ("meter", {"server_system_title": "xyz"}, "server_system_title"),
            ("meter", {"max_info": 7}, "max_info"),
            ("meter", {"framing": "HDLC", "physical_address": 17, "address_octets": 1}, "address_octets"),
            ("line", {"host": ""}, "host"),
            ("line", {"port": None}, "port"),
            ("line", {"port": 70000}, "port"),
            ("line", {"kind": "SERIAL", "serial_port": "/dev/mem"}, "serial_port"),
            ("association", {"client_sap": 0}, "client_sap"),
            ("association", {"authentication": "magic"}, "authentication"),
            ("association", {"timeout": 0}, "timeout"),
            ("secrets", {"GUEK": b"short"}, "guek"),
            ("secrets", {"LLS_SECRET": b"x" * 65}, "lls_secret"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_saved(self, part: str, values: dict, field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            make_meter(**{part: values})
        assert field in caught.value.message_dict
        assert not Meter.objects.exists()
        assert not Line.objects.exists()
        assert not MeterType.objects.exists()

    def test_a_serial_number_is_taken_once(self) -> None:
        make_meter()
        with pytest.raises(ValidationError) as caught:
            make_meter()
        assert "serial_number" in caught.value.message_dict

    def test_a_sealed_vault_refuses_secrets_and_saves_nothing(self, settings, tmp_path) -> None:
        settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "absent"
        with pytest.raises(VaultSealed):
            make_meter()
        assert not Meter.objects.exists()

    def test_no_secret_is_logged(self, caplog) -> None:
        caplog.set_level(logging.DEBUG)
        make_ciphered_meter()
        assert GUEK.hex() not in caplog.text.lower()

    def test_suite_2_wants_longer_keys(self) -> None:
        with pytest.raises(ValidationError, match="32 octets"):
            make_ciphered_meter(association={**_ciphered(), "security_suite": 2})


def _ciphered() -> dict:
    return {
        "authentication": "hls-gmac",
        "protection": "authenticated-encrypted",
        "client_system_title": "4d57424d57422d31",
    }


@pytest.mark.django_db
class TestSecrets:
    @pytest.mark.parametrize(
        ("slot", "text", "octets"),
        [
            ("GUEK", "00ff", b"\x00\xff"),
            ("GUEK", "hex:00 ff", b"\x00\xff"),
            ("LLS_SECRET", "00ff", b"00ff"),
            ("LLS_SECRET", "hex:00ff", b"\x00\xff"),
            ("LLS_SECRET", "text:hex:1", b"hex:1"),
            ("LLS_SECRET", "a:b", b"a:b"),
            ("HLS_SECRET", "text:ü", "ü".encode()),
        ],
    )
    def test_what_is_typed(self, slot: str, text: str, octets: bytes) -> None:
        assert parse_secret(slot, text) == octets

    @pytest.mark.parametrize(("slot", "text"), [("GUEK", "xyz"), ("GUEK", "000"), ("LLS_SECRET", "hex:0")])
    def test_a_typing_mistake_is_not_repeated_in_the_error(self, slot: str, text: str) -> None:
        with pytest.raises(ValidationError) as caught:
            parse_secret(slot, text)
        assert text not in str(caught.value)

    def test_keys_belong_to_the_meter_and_passwords_to_the_association(self) -> None:
        meter = make_ciphered_meter(secrets={"LLS_SECRET": b"one", "GUEK": GUEK, "GAK": GAK})
        other = meter.associations.create(name="Other")
        assert set(open_secrets(association=meter.default_association)) == {"LLS_SECRET", "GUEK", "GAK"}
        assert set(open_secrets(association=other)) == {"GUEK", "GAK"}

    def test_a_retired_version_is_not_used(self) -> None:
        meter = make_meter()
        store_secret(
            meter=meter, association=meter.default_association, slot="LLS_SECRET", secret=b"newer", origin="tests"
        )
        KeyVersion.objects.filter(number=2).update(state=KeyVersion.State.RETIRED)
        assert open_secrets(association=meter.default_association)["LLS_SECRET"].octets == b"secret-1"

    def test_versions_can_be_opened_by_their_ids(self) -> None:
        make_ciphered_meter()
        assert open_key_versions(ids=[v.pk for v in KeyVersion.objects.all()]) == {"GUEK": GUEK, "GAK": GAK}

    def test_the_slot_points_at_the_proven_version(self) -> None:
        make_meter()
        version = KeyVersion.objects.get()
        mark_proven(key_version_ids=[version.pk])
        version.refresh_from_db()
        assert version.state == KeyVersion.State.PROVEN
        assert MeterKey.objects.get().proven == version

    def test_an_opened_secret_does_not_print_itself(self) -> None:
        access = saved_access(meter_id=make_meter().pk, association_id=Association.objects.get().pk)
        assert "secret-1" not in f"{access!r}{access.secrets!r}"


@pytest.mark.django_db
class TestDraft:
    def test_is_checked_as_a_meter_is_and_saves_nothing(self) -> None:
        draft = {name: value for name, value in meter_fields().items() if name != "user"}
        access = draft_access(**draft)
        assert access.line.endpoint == "tcp://127.0.0.1:4059"
        assert access.secrets["LLS_SECRET"].octets == b"secret-1"
        assert not Meter.objects.exists()
        with pytest.raises(ValidationError):
            draft_access(**{**draft, "line": {"kind": "TCP"}})

    def test_takes_the_secrets_it_leaves_empty_from_the_meter(self) -> None:
        meter = make_meter()
        draft = {name: value for name, value in meter_fields().items() if name not in ("user", "secrets")}
        assert draft_access(**draft, meter_id=meter.pk).secrets["LLS_SECRET"].octets == b"secret-1"


@pytest.mark.django_db
def test_a_meter_that_answered_was_seen_and_its_title_is_kept_once() -> None:
    meter = make_meter()
    mark_meter_seen(meter_id=meter.pk, server_system_title="4142430000000001")
    mark_meter_seen(meter_id=meter.pk, server_system_title="4142430000000002")
    meter.refresh_from_db()
    assert meter.last_seen is not None
    assert meter.server_system_title == "4142430000000001"


@pytest.mark.django_db
class TestInvocationCounters:
    def test_nothing_is_handed_out_before_the_start_is_known(self) -> None:
        assert not invocation_counter_is_certain(**KEY)
        with pytest.raises(CounterUnknown):
            reserve_invocation_counters(**KEY, count=10)

    def test_blocks_follow_one_another(self) -> None:
        assert learn_invocation_counter(**KEY, meter_value=99) == 100
        assert reserve_invocation_counters(**KEY, count=10) == range(100, 110)
        assert reserve_invocation_counters(**KEY, count=1) == range(110, 111)

    def test_titles_are_the_same_in_either_case(self) -> None:
        learn_invocation_counter(fingerprint="a", system_title="ABCDEF0000000000", meter_value=0)
        assert reserve_invocation_counters(fingerprint="a", system_title="abcdef0000000000", count=1) == range(1, 2)

    def test_keys_and_titles_count_apart(self) -> None:
        learn_invocation_counter(**KEY, meter_value=0)
        with pytest.raises(CounterUnknown):
            reserve_invocation_counters(fingerprint="e" * 64, system_title=KEY["system_title"], count=1)
        with pytest.raises(CounterUnknown):
            reserve_invocation_counters(fingerprint=KEY["fingerprint"], system_title="00" * 8, count=1)

    def test_ours_only_ever_grow(self) -> None:
        learn_invocation_counter(**KEY, meter_value=99)
        assert learn_invocation_counter(**KEY, meter_value=5) == 100
        assert learn_invocation_counter(**KEY, meter_value=500) == 501

    def test_a_doubtful_counter_is_certain_again_once_the_meter_was_asked(self) -> None:
        learn_invocation_counter(**KEY, meter_value=1)
        doubt_invocation_counter(**KEY)
        assert not invocation_counter_is_certain(**KEY)
        learn_invocation_counter(**KEY, meter_value=1)
        assert invocation_counter_is_certain(**KEY)

    def test_a_jump_too_far_changes_nothing(self) -> None:
        learn_invocation_counter(**KEY, meter_value=0)
        with pytest.raises(CounterImplausible):
            learn_invocation_counter(**KEY, meter_value=MAX_COUNTER_JUMP + 2)
        assert InvocationCounter.objects.get().next_value == 1
        assert learn_invocation_counter(**KEY, meter_value=MAX_COUNTER_JUMP + 1) == MAX_COUNTER_JUMP + 2

    @pytest.mark.parametrize("value", [-1, COUNTER_LIMIT, 2**32])
    def test_values_that_no_counter_has_are_refused(self, value: int) -> None:
        with pytest.raises(CounterImplausible):
            learn_invocation_counter(**KEY, meter_value=value)
        assert not InvocationCounter.objects.exists()

    def test_the_last_ones_are_never_handed_out(self) -> None:
        learn_invocation_counter(**KEY, meter_value=COUNTER_LIMIT - 11)
        assert reserve_invocation_counters(**KEY, count=10) == range(COUNTER_LIMIT - 10, COUNTER_LIMIT)
        with pytest.raises(CountersExhausted):
            reserve_invocation_counters(**KEY, count=1)

    @pytest.mark.parametrize("count", [0, -1, 65537])
    def test_counts_that_make_no_sense_are_refused(self, count: int) -> None:
        learn_invocation_counter(**KEY, meter_value=0)
        with pytest.raises(ValueError, match="can be reserved"):
            reserve_invocation_counters(**KEY, count=count)


@pytest.mark.django_db(transaction=True)
def test_counters_are_not_reserved_inside_a_transaction_that_could_roll_back() -> None:
    learn_invocation_counter(**KEY, meter_value=0)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        reserve_invocation_counters(**KEY, count=1)


RESERVE = """
from meters.services import reserve_invocation_counters
for _ in range(60):
    block = reserve_invocation_counters(fingerprint="f" * 64, system_title="4d57424d57422d31", count=7)
    print(block.start, block.stop)
"""


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_get_the_same_counter(tmp_path) -> None:
    with Site(tmp_path) as site:
        site.shell(
            'from meters.services import *; learn_invocation_counter(fingerprint="f" * 64, '
            'system_title="4d57424d57422d31", meter_value=0)'
        )
        with ThreadPoolExecutor(4) as pool:
            outputs = list(pool.map(lambda _: site.shell(RESERVE), range(4)))
    blocks = sorted(tuple(map(int, line.split())) for output in outputs for line in output.splitlines())
    assert len(blocks) == 240
    assert blocks[0][0] == 1
    assert all(before[1] == after[0] for before, after in pairwise(blocks))
