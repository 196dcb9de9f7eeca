"""Merging: whose value a join starts with."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_workflows.model.graph import Graph, GraphStage
from jupyter_workflows.model.merge import Ancestry, Merged, merge
from jupyter_workflows.model.records import Arrival, StageData

#: root → (left → low), right; the stage runs that arrive come after these.
PARENTS: dict[str, tuple[str, ...]] = {"root": (), "left": ("root",), "low": ("left",), "right": ("root",)}


def arrival(place: int, empty: bool = False, /, **keys: tuple[str | None, Any]) -> Arrival:
    """Make an arrival of keys with writer and value; a deleted one has the value ``...``."""
    values = {key: value for key, (_, value) in keys.items() if value is not ...}
    writers = {key: writer for key, (writer, _) in keys.items()}
    return Arrival(f"source{place}", "t", (place,), 3, StageData(values, writers), empty)


def merged(*arrivals: Arrival, is_ancestor: Callable[[str, str], bool] | None = None) -> Merged:
    graph = Graph([GraphStage("join", join="all", collect={"xs": "x"} if is_ancestor is None else {})])
    shuffled = list(arrivals)
    random.Random(1).shuffle(shuffled)
    return merge(graph, "join", shuffled, is_ancestor or Ancestry(PARENTS), stage_run="joined")


CASES = [
    pytest.param([(None, 1), (None, 1)], (None, 1), None, id="as at first"),
    pytest.param([("left", 1), (None, 0)], ("left", 1), None, id="a write beats the first value"),
    pytest.param([(None, 0), ("left", 1)], ("left", 1), None, id="in any order"),
    pytest.param([("low", 1), ("left", 2)], ("low", 1), None, id="the descendant's write wins"),
    pytest.param([("left", 2), ("low", 1), ("root", 3)], ("low", 1), None, id="of three in a line"),
    pytest.param([("left", 1), ("right", 2)], ("right", 2), ["left"], id="the later of unrelated ones"),
    pytest.param([("right", 2), ("left", 1)], ("left", 1), ["right"], id="in branch order, not by time"),
    pytest.param([("left", 1), ("right", 1)], ("right", 1), None, id="the same value is no conflict"),
    pytest.param([("left", 1), ("right", True)], ("right", True), ["left"], id="1 is not true"),
    pytest.param([("left", 1), None], ("left", 1), None, id="a branch that never had the key"),
    pytest.param([("root", 1), ("left", ...)], ("left", ...), None, id="a deletion is a write"),
    pytest.param([("left", ...), ("right", 1)], ("right", 1), ["left"], id="a conflict with a deletion"),
    pytest.param([("right", 1), ("left", ...)], ("left", ...), ["right"], id="won by the deletion"),
    pytest.param([("low", 1), ("left", ...)], ("low", 1), None, id="set again after the deletion"),
    pytest.param([("root", "a"), ("root", "b")], ("root", "b"), None, id="items of one each"),
    pytest.param(
        [("left", 1), ("right", 2), ("low", 3)], ("low", 3), ["right"], id="an overridden one is no conflict"
    ),
]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("writes", "expected", "losers"), CASES)
def test_one_key(
    writes: list[tuple[str | None, Any] | None],
    expected: tuple[str | None, Any],
    losers: list[str] | None,
    fast: bool,
) -> None:
    arrivals = [arrival(place, **({"k": write} if write else {})) for place, write in enumerate(writes)]
    ancestry = Ancestry(PARENTS)
    data, _, conflicts = merged(
        *arrivals, is_ancestor=ancestry if fast else lambda one, other: ancestry(one, other)
    )
    writer, value = expected
    assert data.values == ({} if value is ... else {"k": value})
    assert data.writers == {"k": writer}, "also of what was deleted"
    if losers is None:
        assert conflicts == []
    else:
        assert conflicts == [{"key": "k", "winner": writer, "others": losers, "count": len(losers)}]


def test_a_conflict_of_many_names_some() -> None:
    arrivals = [arrival(place, k=(f"w{place}", place)) for place in range(100)]
    (conflict,) = merged(*arrivals).conflicts
    assert conflict["winner"] == "w99"
    assert conflict["count"] == 99
    assert conflict["others"] == [f"w{place}" for place in range(20)]


def test_inputs_are_what_arrived_in_branch_order() -> None:
    result = merged(arrival(1, x=("left", 1)), arrival(0, x=("root", 0), y=("root", 5)))
    assert result.inputs == [{"x": 0, "y": 5}, {"x": 1}]


def test_collect_takes_one_key_of_all_that_have_it() -> None:
    result = merged(arrival(2, x=("right", "c")), arrival(0, x=("left", "a")), arrival(1))
    assert result.data.values == {"x": "c", "xs": ["a", "c"]}
    assert result.data.writers["xs"] == "joined"


def test_an_empty_arrival_is_no_input_but_its_data_counts() -> None:
    result = merged(arrival(0, True, x=("left", 1)))
    assert result.inputs == []
    assert result.data.values == {"x": 1, "xs": []}
    result = merged(arrival(0, True, x=("left", 1), y=("left", 2)), arrival(1, x=("low", 3)))
    assert result.inputs == [{"x": 3}]
    assert result.data.values == {"x": 3, "y": 2, "xs": [3]}


def test_branches_with_the_same_place_are_told_apart_by_their_data() -> None:
    graph = Graph([GraphStage("join", join="all")])
    one, other = (
        Arrival(source, "t", (), 3, StageData({"x": value}, {"x": source}))
        for source, value in (("left", "b"), ("right", "a"))
    )
    results = [
        merge(graph, "join", given, Ancestry(PARENTS), stage_run="joined")
        for given in ([one, other], [other, one])
    ]
    assert results[0] == results[1]
    assert results[0].inputs == [{"x": "a"}, {"x": "b"}]


def test_ancestry() -> None:
    ancestry = Ancestry({**PARENTS, "join": ("low", "right")})
    assert ancestry("root", "join")
    assert ancestry("left", "join")
    assert not ancestry("join", "left")
    assert not ancestry("left", "right")
    assert not ancestry("left", "left")
    assert not ancestry("unknown", "left")
    assert not ancestry("left", "unknown")
