"""What a page shows of a result: a value, a tree, an object list, rows."""

from __future__ import annotations

from sessions import results
from sessions.models import Step
from sessions.results import result_view

OBJECT_LIST = {"class_id": 15, "logical_name": "0-0:40.0.0*255", "attribute_id": 2}


def step(kind: str = "READ", *, value: object = None, parameters: dict | None = None) -> Step:
    result = None if value is None else {"type": "x", "value": value, "text": "x"}
    return Step(kind=kind, parameters=parameters or {"class_id": 1, "attribute_id": 2}, result=result)


def test_a_single_value() -> None:
    assert result_view(step(value=5)).kind == "value"


def test_nothing_yet() -> None:
    assert result_view(step()).kind == "none"


def test_rows() -> None:
    assert result_view(step("READ_PROFILE")).kind == "profile"


def test_a_structure_is_a_tree() -> None:
    view = result_view(step(value=[1, ["a", None]]))
    assert view.kind == "tree"
    first, second = view.tree
    assert (first.text, first.children) == ("1", [])
    assert [child.text for child in second.children] == ["a", "null"]
    assert not view.truncated


def test_a_huge_tree_is_cut_and_says_so(monkeypatch) -> None:
    monkeypatch.setattr(results, "MAX_NODES", 10)
    view = result_view(step(value=[[n] for n in range(100)]))
    assert view.truncated
    assert len(view.tree) <= 10


def test_an_object_list_is_a_table_in_order() -> None:
    rows = [[8, 0, "0000010000ff", [[], []]], [3, 0, "0100010800ff", [[], []]], [9999, 0, "0000010000ff", []]]
    view = result_view(step(value=rows, parameters=OBJECT_LIST))
    assert [(row.class_id, row.class_name, row.logical_name) for row in view.objects] == [
        (3, "Register", "1-0:1.8.0*255"),
        (8, "Clock", "0-0:1.0.0*255"),
        (9999, "", "0-0:1.0.0*255"),
    ]
    assert view.objects[0].meaning.startswith("Active energy import")


def test_an_object_list_that_is_none_falls_back_to_a_tree() -> None:
    for odd in ([5], [[8, 0]], [[8, 0, "zz"]], [["x", 0, "0000010000ff"]], [None], [{"a": 1}]):
        assert result_view(step(value=odd, parameters=OBJECT_LIST)).kind == "tree"
