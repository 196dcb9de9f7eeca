"""Routing: which successors a stage run has, and what they are given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.authoring.wire import Artifact
from jupyter_workflows.model.graph import Graph, GraphStage, GraphTransition
from jupyter_workflows.model.records import NextStage, StageData, StageRun
from jupyter_workflows.model.routing import RoutingError, route
from jupyter_workflows.model.states import StageRunState

SOURCE = StageRun("id1", "a", StageRunState.RUNNING, (1, 0), 3)
STAGES = [
    GraphStage("a"),
    GraphStage("b", path="approve", title="Approve it"),
    GraphStage("c", path="check", title="Check"),
    GraphStage("d", path="done", title="Check"),
]


def t(key: str, ends: str, **settings: Any) -> GraphTransition:
    return GraphTransition(key, ends[0], ends[1], **settings)


def follow(
    *transitions: GraphTransition,
    data: Mapping[str, Any] | None = None,
    requested: Any = None,
    stages: list[GraphStage] | None = None,
    failed: bool = False,
    load: Any = None,
) -> tuple[NextStage, ...]:
    graph = Graph(stages or STAGES, transitions)
    return route(graph, "a", SOURCE, StageData(data or {}), requested, failed=failed, load=load)


def taken(*transitions: GraphTransition, **more: Any) -> str:
    return " ".join(following.transition for following in follow(*transitions, **more))


@pytest.mark.parametrize(
    ("transitions", "n", "expected"),
    [
        pytest.param([], 0, "", id="none"),
        pytest.param([t("t", "ab"), t("u", "ac")], 0, "t u", id="all without condition"),
        pytest.param([t("t", "ab", order=2), t("u", "ac")], 0, "u t", id="in branch order"),
        pytest.param(
            [t("t", "ab", condition="n > 1"), t("u", "ac", condition="n > 2")], 2, "t", id="conditions"
        ),
        pytest.param(
            [t("t", "ab", condition="n > 1"), t("u", "ac", otherwise=True)], 2, "t", id="else does not"
        ),
        pytest.param(
            [t("t", "ab", condition="n > 1"), t("u", "ac", otherwise=True)], 0, "u", id="else fires"
        ),
        pytest.param(
            [t("t", "ab", condition="n > 1"), t("u", "ac", otherwise=True), t("v", "ad")],
            0,
            "u v",
            id="one without condition does not count for else",
        ),
        pytest.param([t("t", "ab", otherwise=True)], 0, "t", id="else alone always fires"),
        pytest.param(
            [t("t", "ab", condition="n > 1", on="failed"), t("u", "ac", otherwise=True)],
            2,
            "u",
            id="conditions of failed transitions do not count",
        ),
        pytest.param([t("t", "aa"), t("u", "aa")], 0, "t u", id="to itself, twice"),
    ],
)
def test_transitions_whose_condition_holds(transitions: list[GraphTransition], n: int, expected: str) -> None:
    assert taken(*transitions, data={"n": n}) == expected


def test_failed_transitions() -> None:
    transitions = [t("t", "ab"), t("u", "ac", on="failed", condition="n > 1"), t("v", "ad", on="failed")]
    assert taken(*transitions, data={"n": 2}, failed=True) == "u v"
    assert taken(*transitions, data={"n": 1}, failed=True) == "v"


def test_places_count_through_all_successors() -> None:
    found = follow(t("t", "ab"), t("u", "ac", each="list"), t("v", "ad"), data={"list": [7, 8]})
    assert [(following.transition, following.place) for following in found] == [
        ("t", 0),
        ("u", 1),
        ("u", 2),
        ("v", 3),
    ]


def test_each_makes_a_successor_for_each_item() -> None:
    first, second = follow(t("u", "ac", each="list", name="line"), data={"list": ["x", {"$kind": "date"}]})
    assert first.values == {"line": "x"}
    assert second.values == {"line": {"$kind": "date"}}
    assert first.scope == {"line": "1.0.3@id1:u:0"}
    assert second.scope == {"line": "1.0.3@id1:u:1"}


def test_each_with_a_condition_asks_once_and_before() -> None:
    transitions = [t("u", "ac", each="list", condition="len(list) > 1"), t("v", "ab", otherwise=True)]
    assert taken(*transitions, data={"list": [1, 2]}) == "u u"
    assert taken(*transitions, data={"list": [1]}) == "v"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "'list', which is not in the stage data. There is: nothing"),
        ({"items": 1, "lists": 2}, "There is: items, lists"),
        ({"list": "text"}, "'list', which is not a list but: str"),
        ({"list": {"a": 1}}, "not a list but: dict"),
        ({"list": {"$kind": "decimal", "value": "1"}}, "not a list but: decimal"),
        (
            {"list": Artifact("dataframe", "0" * 64, 5, library="pandas", shape=(3, 2)).to_wire()},
            "not a list but: pandas DataFrame, 3 × 2",
        ),
    ],
)
def test_each_of_what_is_not_a_list(data: dict[str, Any], message: str) -> None:
    with pytest.raises(RoutingError, match="The transition to 'check'.*" + message):
        follow(t("u", "ac", each="list"), data=data)


def test_a_long_list_is_read_from_its_artifact(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_text(json.dumps(["x", "y"]))
    data = {"list": Artifact("json", "0" * 64, 5, "json", length=2).to_wire()}
    transitions = [t("u", "ac", each="list"), t("v", "ab", condition="'y' in list and len(list) == 2")]
    found = follow(*transitions, data=data, load=lambda artifact: file)
    assert [following.values for following in found] == [{"item": "x"}, {"item": "y"}, None]


def test_conditions_read_values_not_their_wire_form() -> None:
    data = {
        "amount": {"$kind": "decimal", "value": "12.50"},
        "frame": Artifact("dataframe", "0" * 64, 5, length=3, library="pandas", shape=(3, 2)).to_wire(),
        "broken": {"$kind": "unknown"},
    }
    transition = t("t", "ab", condition="amount > 12 and len(frame) == 3")
    assert taken(transition, data=data) == "t"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("amont > 1", "condition 'amont > 1' of the transition to 'approve'.*'amont'.*amount"),
        ("amount >", "condition 'amount >' of the transition to 'approve'"),
        ("frame > 1", "condition 'frame > 1' of the transition to 'approve'"),
    ],
)
def test_a_condition_that_cannot_be_evaluated(condition: str, message: str) -> None:
    data = {"amount": 1, "frame": Artifact("dataframe", "0" * 64, 5, length=3).to_wire()}
    with pytest.raises(RoutingError, match=message):
        follow(t("t", "ab", condition=condition), data=data)


class TestRequested:
    transitions = (
        t("t", "ab", condition="n > 5"),
        t("u", "ac", each="list", name="line"),
        t("v", "ab", order=1),
        t("w", "ad", on="failed"),
    )

    def test_fires_what_is_named_whatever_its_condition(self) -> None:
        (found,) = follow(*self.transitions, requested=[{"stage": "approve"}])
        assert found == NextStage("b", "t", 0)

    def test_in_the_order_given_with_data_and_assignee(self) -> None:
        found = follow(
            *self.transitions,
            data={"list": [1, 2]},
            requested=[
                {"stage": "approve", "data": {"x": 1}, "assignee": "ann"},
                {"stage": "check", "data": {"y": 2}},
                {"stage": "approve"},
            ],
        )
        assert [(each.stage, each.place, each.values, each.assignee) for each in found] == [
            ("b", 0, {"x": 1}, "ann"),
            ("c", 1, {"y": 2, "line": 1}, None),
            ("c", 2, {"y": 2, "line": 2}, None),
            ("b", 3, None, None),
        ]

    def test_the_list_of_an_each_may_come_with_it(self) -> None:
        found = follow(*self.transitions, requested=[{"stage": "check", "data": {"list": [5]}}])
        assert [each.values for each in found] == [{"list": [5], "line": 5}]

    def test_nothing_ends_the_branch(self) -> None:
        assert follow(*self.transitions, requested=[]) == ()

    def test_a_title_will_do(self) -> None:
        assert taken(*self.transitions, requested=[{"stage": "Approve it"}]) == "t"

    def test_a_dict_is_one_entry(self) -> None:
        assert taken(*self.transitions, requested={"stage": "approve"}) == "t"

    def test_the_only_successor_need_not_be_named(self) -> None:
        transitions = [t("t", "ab"), t("u", "ab"), t("w", "ad", on="failed")]
        assert taken(*transitions, requested=[{}, {"data": {"x": 1}}]) == "t t"

    @pytest.mark.parametrize(
        ("requested", "message"),
        [
            ([{"stage": "done"}], "Entry 0 .*'done', but no transition leads there.*approve, check"),
            (
                [{"stage": "check"}, {"stage": "x"}],
                "Entry 1 .*no such stage. The successors are: approve, check",
            ),
            ([{}], "Entry 0 .*does not say to which stage.*approve, check"),
            ("approve", "takes a list of entries.*not str"),
            (5, "takes a list of entries.*not int"),
            (["approve"], "Entry 0 .*must be a dict.*not str"),
            ([{"stage": "check", "dat": {}, "to": 1}], "Entry 0 .*unknown keys: dat, to"),
            ([{"stage": "check", "data": [1]}], "Entry 0 .*'data' must be a mapping, not list"),
            ([{"stage": "check", "assignee": 5}], "Entry 0 .*'assignee' must be text, not int"),
            ([{"stage": 5}], "Entry 0 .*'stage' must be text, not int"),
        ],
    )
    def test_what_cannot_be_followed(self, requested: Any, message: str) -> None:
        with pytest.raises(RoutingError, match=message):
            follow(*self.transitions, data={"list": []}, requested=requested)

    def test_without_successors(self) -> None:
        with pytest.raises(RoutingError, match="no successors"):
            follow(t("w", "ad", on="failed"), requested=[{}])

    def test_a_title_of_several(self) -> None:
        with pytest.raises(RoutingError, match="title of several successors"):
            follow(t("t", "ac"), t("u", "ad"), requested=[{"stage": "Check"}])


class TestDisabled:
    stages = (
        GraphStage("a"),
        GraphStage("b", disabled=True),
        GraphStage("c"),
        GraphStage("d", disabled=True),
    )

    def follow(self, *transitions: GraphTransition, **more: Any) -> tuple[NextStage, ...]:
        return follow(*transitions, stages=list(self.stages), **more)

    def test_its_transitions_are_followed_at_once(self) -> None:
        found = self.follow(
            t("t", "ab"),
            t("u", "bc", condition="n > 1"),
            t("v", "bc", otherwise=True),
            t("w", "bc", on="failed"),
            t("x", "ac"),
            data={"n": 2},
        )
        assert [(each.stage, each.transition, each.place) for each in found] == [("c", "u", 0), ("c", "x", 1)]

    def test_items_and_data_pass_through(self) -> None:
        found = self.follow(
            t("t", "ab", each="list", name="outer"),
            t("u", "bc", each="more", name="inner", condition="outer > 1"),
            requested=[{"data": {"list": [1, 2, 3], "more": ["x", "y"]}, "assignee": "ann"}],
        )
        assert [(each.values["outer"], each.values["inner"]) for each in found if each.values] == [
            (2, "x"),
            (2, "y"),
            (3, "x"),
            (3, "y"),
        ]
        assert found[0].scope == {"outer": "1.0.3@id1:t:1", "inner": "1.0.3@id1:t:1:u:0"}
        assert len({each.scope["inner"] for each in found}) == 4
        assert {each.assignee for each in found} == {None}, "it was meant for the stage that is passed by"

    def test_the_branch_may_end_there(self) -> None:
        assert self.follow(t("t", "ab")) == ()

    def test_a_circle_of_them(self) -> None:
        with pytest.raises(RoutingError, match="disabled stages b, d lead to each other"):
            self.follow(t("t", "ab"), t("u", "bd"), t("v", "db"))


class TestEmptyEach:
    def test_joins_behind_it_hear(self) -> None:
        stages = [
            GraphStage("a"),
            GraphStage("b"),
            GraphStage("c", join="all"),
            GraphStage("d", join="settled"),
        ]
        found = follow(
            t("t", "ab", each="list"),
            t("u", "bc"),
            t("v", "bd"),
            t("w", "ad"),
            stages=stages,
            data={"list": []},
        )
        assert [(each.stage, each.transition, each.empty) for each in found] == [
            ("c", "t", True),
            ("d", "t", True),
            ("d", "w", False),
        ]
        assert found[2].place == 0, "empty ones do not count"

    def test_without_joins_nothing_follows(self) -> None:
        assert follow(t("t", "ab", each="list"), data={"list": []}) == ()
