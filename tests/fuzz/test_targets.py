"""A few hundred mutations of every seed's kind into every target, the same ones each time; `make fuzz` looks further."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, run

ROUNDS = 400


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_octets_end_in_an_answer_or_a_typed_error(name: str) -> None:
    chance = random.Random(name)
    for _ in range(ROUNDS):
        run(name, mutate(chance.choice(seeds()), chance))


@pytest.mark.parametrize("name", TARGETS)
@given(octets=st.binary(max_size=200))
def test_any_octets_end_in_an_answer_or_a_typed_error(name: str, octets: bytes) -> None:
    run(name, octets)
