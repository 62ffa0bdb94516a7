"""The objects of a file as the catalog has them; what the catalog has no room for is told."""

from __future__ import annotations

import pytest

from meters.catalogs.facts import ObjectFacts, faults
from meters.catalogs.rights import ClientRights
from meters.gxc import read_gxc
from meters.gxc_import.objects import catalog_objects
from meters.gxc_import.words import Left
from tests.meters.test_gxc import PROFILE, REGISTER, made


def objects(*parts: str, head: str = "") -> tuple[tuple[ObjectFacts, ...], list[Left]]:
    (device,) = read_gxc(made(head, objects="".join(parts)))
    left: list[Left] = []
    return catalog_objects(device, left), left


def test_a_register_with_scaler_and_unit_and_a_profile_with_its_columns() -> None:
    scaled = REGISTER.replace("<Version>", "<Scaler>0.01</Scaler><Unit>30</Unit><Version>")
    (register, profile), left = objects(scaled, PROFILE, head="<ClientAddress>32</ClientAddress>")
    assert (register.scaler, register.unit, register.title, register.base_name) == (-2, 30, "Energy", 18592)
    assert register.rights == {32: ClientRights({2: "r", 3: "rw"}, {1: False})}
    assert [str(column.logical_name) for column in profile.capture_objects] == ["1-0:1.8.0*255"]
    assert profile.rights == {32: ClientRights()}
    assert [each.what for each in left] == ["Types of attributes"]


def test_by_short_names_no_rights_are_known() -> None:
    (register,), left = objects(REGISTER, head="<UseLN>false</UseLN>")
    assert register.rights == {16: ClientRights()}
    assert any(each.what == "Access rights" for each in left)


@pytest.mark.parametrize(
    ("scaler", "unit", "expected"),
    [
        ("", "", None),
        ("", "30", 0),
        ("10", "", 1),
        ("0.001", "", -3),
        ("1E-6", "", -6),
        ("3", "", None),
        ("-1", "", None),
    ],
)
def test_scalers_are_powers_of_ten(scaler: str, unit: str, expected: int | None) -> None:
    (register,), left = objects(REGISTER.replace("<Version>", f"<Scaler>{scaler}</Scaler><Unit>{unit}</Unit><Version>"))
    assert register.scaler == expected
    assert any("scaler" in each.said for each in left) == (bool(scaler) and expected is None)


@pytest.mark.parametrize("scaler", ["NaN", "Infinity", "ten", "1E99999", "1E9999999", "-1E-9999999", "1E40"])
def test_a_scaler_that_is_none_is_told(scaler: str) -> None:
    (register,), left = objects(REGISTER.replace("<Version>", f"<Scaler>{scaler}</Scaler><Version>"))
    assert register.scaler is None
    assert any("scaler" in each.said for each in left)


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("Energy", "x" * 250, "title", "x" * 200),
        ("Energy", "two\nlines\tof  it", "title", "two lines of it"),
        ("<Version>0<", "<Version>300<", "version", None),
        ("18592", "70000", "base_name", None),
        ("<Version>", "<Unit>999</Unit><Version>", "unit", None),
        ("<Version>", "<Unit>Wh</Unit><Version>", "unit", None),
        ("<Index>3<", "<Index>300<", "rights", {16: ClientRights({2: "r"}, {1: False})}),
    ],
)
def test_what_a_catalog_cannot_hold_is_left_out_and_told(old: str, new: str, field: str, value: object) -> None:
    (register,), left = objects(REGISTER.replace(old, new))
    assert getattr(register, field) == value
    assert not faults(register)
    assert (len(left) > 1) == ("lines" not in new)


def test_columns_that_are_too_many_or_too_far_are_told() -> None:
    (profile,), left = objects(PROFILE.replace("<DataIndex>2<", "<DataIndex>70000<"))
    assert profile.capture_objects == ()
    assert any(each.said == "a column" for each in left)
    pair = PROFILE[PROFILE.index("<GXKeyValuePair>") : PROFILE.index("</CaptureObjects>")]
    (profile,), left = objects(PROFILE.replace(pair, pair * 201))
    assert profile.capture_objects == ()
    assert any("201 columns" in each.why for each in left)


def test_an_object_that_is_listed_twice_counts_once() -> None:
    found, left = objects(REGISTER, REGISTER)
    assert len(found) == 1
    assert not any("twice" in each.why for each in left)
    (first,), left = objects(REGISTER, REGISTER.replace("Energy", "Power"))
    assert first.title == "Energy"
    assert any("twice" in each.why for each in left)


def test_many_faults_are_counted() -> None:
    broken = [REGISTER.replace("1.0.1.8.0", f"1.0.1.8.{n}").replace("18592", "70000") for n in range(30)]
    found, left = objects(*broken)
    assert len(found) == 30
    assert any(each.said == "10 more" for each in left)
