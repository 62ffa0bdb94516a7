"""Facts of objects for property tests."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from meters.catalogs.facts import ObjectFacts, faults, parse_limit
from meters.catalogs.rights import MODES, ClientRights
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject

group = st.integers(0, 255)
codes = st.builds(ObisCode, group, group, group, group, group, group)
class_ids = st.one_of(st.sampled_from([1, 3, 4, 7, 8, 15, 8192]), st.integers(0, 0xFFFF))
numbers = st.integers(-128, 127)
clients = st.builds(
    ClientRights,
    st.dictionaries(numbers, st.sampled_from(MODES), max_size=6),
    st.dictionaries(numbers, st.booleans(), max_size=4),
)
rights = st.dictionaries(st.integers(0, 0xFFFF), clients, max_size=4)
limits = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False, places=6
).map(lambda limit: parse_limit(str(limit)))
texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), min_codepoint=32), max_size=60).map(
    lambda text: " ".join(text.split())
)
columns = st.builds(CaptureObject, class_ids, codes, numbers, st.integers(0, 0xFFFF))


def facts_of(*, code=codes, class_id=class_ids):
    """Facts without a fault."""
    made = st.builds(
        ObjectFacts,
        class_id=class_id,
        logical_name=code,
        version=st.none() | group,
        title=texts,
        scaler=st.none() | st.integers(-30, 30),
        unit=st.none() | group,
        low=st.none() | limits,
        high=st.none() | limits,
        group=texts,
        rights=rights,
        base_name=st.none() | st.integers(0, 0xFFFF),
        capture_objects=st.lists(columns, max_size=3).map(tuple),
        note=texts,
    )
    return made.filter(lambda facts: not faults(facts))


facts = facts_of()
