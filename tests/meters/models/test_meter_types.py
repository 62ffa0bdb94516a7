"""What a type may say of itself."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from meters.models import MeterType

pytestmark = pytest.mark.django_db


def test_a_type_is_called_by_maker_model_and_firmware() -> None:
    assert str(MeterType(manufacturer="Maker", model="M1")) == "Maker M1"
    assert str(MeterType(model="M1", firmware="2.0")) == "M1 (2.0)"


def test_two_firmwares_are_two_types_and_the_same_is_one() -> None:
    MeterType.objects.create(manufacturer="Maker", model="M1")
    MeterType.objects.create(manufacturer="Maker", model="M1", firmware="2.0")
    with pytest.raises(IntegrityError), transaction.atomic():
        MeterType.objects.create(manufacturer="Maker", model="M1", firmware="2.0")


@pytest.mark.parametrize("code", ["LGZ", ""])
def test_a_flag_code_is_three_capital_letters(code: str) -> None:
    MeterType(model="M1", flag_code=code).full_clean()


@pytest.mark.parametrize("code", ["LG", "LGZX", "LG1", "lgz", "L Z", "LGZ\n", "ÄÖÜ"])
def test_nothing_else_is_a_flag_code(code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MeterType(model="M1", flag_code=code).full_clean()
    assert "flag_code" in refused.value.error_dict


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"lockout_attempts": 3}, {"lockout_window", "lockout_minutes"}),
        ({"lockout_window": 3, "lockout_minutes": 5}, {"lockout_attempts"}),
    ],
)
def test_a_lock_out_rule_is_whole(given: dict[str, int], missing: set[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        MeterType(model="M1", **given).full_clean()
    assert set(refused.value.error_dict) == missing


def test_a_type_with_a_whole_rule_locks_out() -> None:
    rule = MeterType(model="M1", lockout_attempts=3, lockout_window=60, lockout_minutes=1440)
    rule.full_clean()
    assert rule.locks_out
    assert not MeterType(model="M1").locks_out


@pytest.mark.parametrize(("octets", "address"), [(1, 17), (2, 128)])
def test_addresses_fit_into_their_octets(octets: int, address: int) -> None:
    with pytest.raises(ValidationError) as refused:
        MeterType(model="M1", address_octets=octets, physical_address=address).full_clean()
    assert "address_octets" in refused.value.error_dict
