"""Joins: when they start, with what, and what keeps them from starting."""

from __future__ import annotations

from typing import Any

import pytest
from support.memory_run import NOW, Act, Entry, MemoryRun

from jupyter_workflows.model.advance import advance
from jupyter_workflows.model.graph import Graph, GraphStage, GraphTransition
from jupyter_workflows.model.records import NextStage, Outcome, RunView, StageData, StageRun
from jupyter_workflows.model.routing import route
from jupyter_workflows.model.states import StageRunState

FAIL = Act(kind="failed")
ALL = {"join": "all"}
SETTLED = {"join": "settled"}


def make(arrows: str, each: str = "", **settings: dict[str, Any]) -> Graph:
    """Make a graph of arrows like ``ab``, or ``ab!`` for failed, in branch order.

    Parameters
    ----------
    each
        Which arrows fan out: ``ab:name`` over the list ``name``\\ s, with items of this name.
    """
    fans = dict(fan.split(":") for fan in each.split())
    keys = sorted({letter for arrow in arrows.split() for letter in arrow if letter != "!"})
    transitions = []
    for number, arrow in enumerate(arrows.split()):
        name = fans.get(arrow)
        transitions.append(
            GraphTransition(
                f"t{number:02}",
                arrow[0],
                arrow[1],
                on="failed" if arrow[2:] else "completed",
                each=f"{name}s" if name else None,
                name=name or "item",
            )
        )
    return Graph([GraphStage(key, **settings.get(key, {})) for key in keys], transitions)


class Story:
    """A run told by the stages that end, one after the other."""

    def __init__(self, graph: Graph, **more: Any) -> None:
        self.run = MemoryRun(graph, **more)
        self.run.start("a", {"x": "first"})

    def tell(self, *steps: str | tuple[str, Act]) -> Story:
        """Let stages end: ``b`` completes, ``b!`` fails; the first one of the stage that is ready."""
        for step in steps:
            stage, act = step if isinstance(step, tuple) else (step[0], FAIL if step[1:] else Act())
            ready = [entry for entry in self.run.at(stage) if entry.run.id in self.run.ready()]
            assert ready, f"{stage} is not ready"
            self.run.perform(ready[0].run.id, act)
        return self

    @property
    def states(self) -> str:
        """The stages that are active, with their state's first letter."""
        active = [
            entry.run.stage + entry.run.state[0]
            for entry in self.run.entries.values()
            if entry.run.state in ("queued", "waiting", "joining")
        ]
        return " ".join(sorted(active))

    def only(self, stage: str) -> Entry:
        """Return the only stage run of a stage."""
        (entry,) = self.run.at(stage)
        return entry


DIAMOND = "ab ac bd cd de"


class TestAll:
    def test_starts_once_all_arrived(self) -> None:
        story = Story(make(DIAMOND, d=ALL)).tell("a", "b")
        assert story.states == "cq dj"
        story.tell("c")
        joined = story.only("d")
        assert (joined.run.key, joined.run.sequence) == ((), 2)
        assert joined.run.parents == (story.only("b").run.id, story.only("c").run.id)
        assert story.tell("d", "e").run.state == "completed"

    def test_any_starts_for_each(self) -> None:
        story = Story(make(DIAMOND)).tell("a", "b", "c")
        assert [entry.run.key for entry in story.run.at("d")] == [(0,), (1,)]

    def test_merges_in_branch_order(self) -> None:
        graph = make(DIAMOND, d={"join": "all", "collect": {"xs": "x"}})
        story = Story(graph).tell("a", ("c", Act({"x": "c", "y": 1})), ("b", Act({"x": "b"})))
        joined = story.only("d")
        assert joined.data.values == {"x": "c", "y": 1, "xs": ["b", "c"]}
        assert joined.inputs == [{"x": "b"}, {"x": "c", "y": 1}]
        assert [conflict["key"] for conflict in joined.conflicts] == ["x"]

    @pytest.mark.parametrize("end", [("c", Act(next=[])), ("c", Act(kind="cancelled"))])
    def test_a_branch_that_ended_is_not_waited_for(self, end: tuple[str, Act]) -> None:
        story = Story(make(DIAMOND, d=ALL)).tell("a", "b", end)
        assert story.states == "dq"
        assert story.only("d").run.key == (0,), "of a single arrival"

    def test_it_does_not_start_without_an_arrival(self) -> None:
        story = Story(make(DIAMOND, d=ALL)).tell("a", ("b", Act(next=[])), ("c", Act(next=[])))
        assert story.run.at("d") == []
        assert story.run.state == "completed"

    def test_whoever_cannot_reach_it_is_not_waited_for(self) -> None:
        story = Story(make("ab ac ad bd", d=ALL)).tell("a", "b")
        assert story.states == "cq dq"

    def test_a_retry_is_waited_for(self) -> None:
        story = Story(make(DIAMOND, c={"retries": 1}, d=ALL)).tell("a", "b", "c!")
        assert story.states == "cq dj"
        assert story.tell("c").states == "dq"

    def test_two_arrows_from_one_stage(self) -> None:
        story = Story(make("ab ab", b=ALL)).tell("a")
        joined = story.only("b")
        assert joined.inputs == [{"x": "first"}] * 2
        assert (joined.run.key, joined.run.parents) == ((), (story.only("a").run.id,))

    def test_a_joining_form_waits_then(self) -> None:
        story = Story(make(DIAMOND, d={"join": "all", "type": "form", "path": "sign"})).tell("a", "b", "c")
        assert story.states == "dw"
        assert story.run.state == "waiting"
        graph = make(DIAMOND, d={"join": "all", "type": "form", "path": "sign"})
        assert Story(graph, answered=frozenset({"sign"})).tell("a", "b", "c").states == "dq"

    def test_the_last_assignee_counts(self) -> None:
        def ask(person: str) -> Act:
            return Act(next=[{"assignee": person}])

        story = Story(make(DIAMOND, d=ALL)).tell("a", ("c", ask("cleo")), ("b", ask("ben")))
        assert story.only("d").assignee == "cleo"

    def test_the_state_of_a_run_that_waits_in_front_of_a_join(self) -> None:
        story = Story(make(DIAMOND, c={"type": "form"}, d=ALL)).tell("a", "b")
        assert story.states == "cw dj"
        assert story.run.state == "waiting"


class TestFailures:
    def test_an_unhandled_failure_blocks(self) -> None:
        story = Story(make(DIAMOND, d=ALL)).tell("a", "b", "c!")
        assert story.states == "dj"
        assert story.run.state == "failed"

    @pytest.mark.parametrize("order", [("b", "c!"), ("c!", "b")])
    def test_in_any_order_and_a_retry_frees(self, order: tuple[str, str]) -> None:
        story = Story(make(DIAMOND, d=ALL)).tell("a", *order)
        story.run.retry(story.only("c").run.id)
        assert story.states == "cq dj"
        assert story.tell("c").states == "dq"
        assert len(story.only("d").inputs or ()) == 2
        assert story.tell("d", "e").run.state == "completed"

    def test_a_handled_failure_does_not(self) -> None:
        story = Story(make("ab ac bd cd ce!", d=ALL)).tell("a", "b", "c!")
        assert story.states == "dq eq"
        assert story.only("d").inputs == [{"x": "first"}]

    def test_what_handles_a_failure_may_arrive(self) -> None:
        story = Story(make("ab ac bd cd ce! ed", d=ALL)).tell("a", "b", "c!")
        assert story.states == "dj eq"
        assert len(story.tell("e").only("d").inputs or ()) == 2

    def test_a_failure_elsewhere_does_not(self) -> None:
        story = Story(make("ab ac ad bd cd ae", d=ALL)).tell("a", "e!", "b", "c")
        assert story.states == "dq"

    def test_settled_starts_all_the_same(self) -> None:
        story = Story(make(DIAMOND, d=SETTLED)).tell("a", "c!", "b")
        assert story.states == "dq"
        assert story.tell("d", "e").run.state == "failed", "for the failure is unhandled"

    def test_a_blocked_one_blocks_further_joins_that_need_all(self) -> None:
        graph = make("ab ac ad be ce ef df eg dg", e=ALL, f=ALL, g=SETTLED)
        story = Story(graph).tell("a", "b", "c!", "d")
        assert story.states == "ej fj gq", "a settled one is not held up"
        story.tell("g")
        assert story.run.state == "failed"
        story.run.retry(story.only("c").run.id)
        story.tell("c", "e")
        assert story.states == "fq gq"
        assert len(story.run.at("g")) == 2, "what comes after it started, joins anew"


class TestLoops:
    def test_a_join_can_start_again(self) -> None:
        story = Story(make("ab ac bd cd da", d=ALL)).tell("a", "b", "c", "d", "a", "b", "c")
        assert [(entry.run.key, entry.run.sequence) for entry in story.run.at("d")] == [((), 2), ((), 5)]

    def test_an_arrow_to_itself_does_not_hold_it_up(self) -> None:
        story = Story(make("ab bb bc", b=ALL)).tell("a")
        assert story.states == "bq"
        assert story.tell("b").states == "bq cq"

    def test_joins_that_wait_for_each_other(self) -> None:
        story = Story(make("ab ac bc cb", b=ALL, c=ALL)).tell("a")
        assert story.states == "bq cj", "the one with the smallest key starts"
        story.tell(("b", Act({"y": 1})))
        assert story.states == "cq"
        assert story.only("c").inputs == [{"x": "first", "y": 1}, {"x": "first"}]

    def test_an_unrelated_form_does_not_matter(self) -> None:
        story = Story(make("ad ab ac bc cb", b=ALL, c=ALL, d={"type": "form"})).tell("a")
        assert story.states == "bq cj dw"

    def test_who_may_still_arrive_does(self) -> None:
        story = Story(make("ad ab ac bc cb db", b=ALL, c=ALL, d={"type": "form"})).tell("a")
        assert story.states == "bj cj dw"
        story.tell("d")
        assert story.states == "bq cj"

    def test_a_failure_blocks_one_of_a_circle_and_frees_the_other(self) -> None:
        story = Story(make("ad ab ac bc cb db", b=ALL, c=SETTLED)).tell("a", "d!")
        assert story.states == "bj cq"


class TestPer:
    graph = make("ab bc cd bd de ce", "ab:order", d={"join": "all", "per": "order"}, e=ALL)

    def test_joins_for_each_item(self) -> None:
        story = Story(self.graph).tell(("a", Act({"orders": ["p", "q"]})))
        story.tell(("b", Act({"n": 1})), "c")
        assert story.states == "bq dq ej", "the first order does not wait for the second"
        story.tell("d", ("b", Act({"n": 2})), "c", "d", "e")
        first, second = story.run.at("d")
        assert [entry.data.values["order"] for entry in (first, second)] == ["p", "q"]
        assert (first.run.key, second.run.key) == ((0,), (1,))
        assert len(first.inputs or ()) == len(second.inputs or ()) == 2
        assert first.run.scope != second.run.scope
        assert story.only("e").run.scope == {}, "what joins several orders is for none of them"
        assert story.only("e").run.key == ()
        assert story.run.state == "completed"

    def test_a_failure_blocks_its_item_only(self) -> None:
        story = Story(self.graph).tell(("a", Act({"orders": ["p", "q"]})), "b", "b", "c!", "c")
        assert story.states == "dj dq ej"
        story.tell("d")
        assert story.run.state == "failed"

    def test_who_comes_by_another_road_joins_apart(self) -> None:
        graph = make("ab bd ac cd", "ab:order", d={"join": "all", "per": "order"})
        story = Story(graph).tell(("a", Act({"orders": ["p"]})), "b")
        assert story.states == "cq dq", "nothing that is for no order can come to be for this one"
        assert story.tell("c").states == "dq dq"

    def test_who_may_lose_its_item_on_the_way_is_waited_for(self) -> None:
        graph = make("ab be ed ac cd", "ab:order", d={"join": "all", "per": "order"}, e=ALL)
        story = Story(graph).tell(("a", Act({"orders": ["p", "q"]})), "c")
        assert story.states == "bq bq dj"
        story.tell("b", "b", "e")
        assert story.states == "dq"
        assert len(story.only("d").inputs or ()) == 2

    def test_even_if_it_is_at_the_join_itself(self) -> None:
        graph = Graph(
            [GraphStage("a"), GraphStage("b", join="all", per="order"), GraphStage("c", join="all")],
            [
                GraphTransition("t0", "a", "b", each="orders", name="order"),
                GraphTransition("t1", "a", "b"),
                GraphTransition("t2", "b", "c"),
                GraphTransition("t3", "c", "b"),
            ],
        )
        story = Story(graph).tell(("a", Act({"orders": ["p", "q"]})))
        assert story.states == "bj bq bq", "the orders may come back by c, without being ones"
        story.tell("b", "b")
        assert story.states == "bj cq", "they wait for each other, c has the smaller key"
        story.tell("c")
        assert story.states == "bq"
        assert [len(entry.inputs or ()) for entry in story.run.at("b")] == [2, 1, 1]

    def test_items_in_items(self) -> None:
        graph = make(
            "ab bc cd de",
            "ab:order bc:line",
            d={"join": "all", "per": "order", "collect": {"all": "line"}},
            e={"join": "all", "collect": {"all": "all"}},
        )
        story = Story(graph).tell(
            ("a", Act({"orders": ["p", "q"]})), ("b", Act({"lines": [1, 2]})), ("b", Act({"lines": [3]}))
        )
        story.tell("c", "c", "c", "d", "d")
        assert story.only("e").data.values["all"] == [[1, 2], [3]]

    def test_the_same_place_twice_is_not_the_same_item(self) -> None:
        # Two joins of interleaved branches leave two stage runs with one key and sequence.
        def source(name: str) -> StageRun:
            return StageRun(name, "a", StageRunState.RUNNING, (), 4)

        graph = make("ab", "ab:order", b={"join": "all", "per": "order"})
        view = RunView((source("one"), source("two")), 2)
        data = StageData({"orders": [1, 2]})
        scopes = [
            {following.scope["order"] for following in route(graph, "a", run, data, None)}
            for run in view.stage_runs
        ]
        assert not scopes[0] & scopes[1]


class TestEmptyEach:
    def test_the_join_behind_it_starts_without_inputs(self) -> None:
        graph = make("ab bc cd", "ab:item", c=ALL)
        story = Story(graph).tell(("a", Act({"items": [], "y": 1})))
        joined = story.only("c")
        assert joined.inputs == []
        assert joined.data.values == {"x": "first", "y": 1, "items": []}
        assert (joined.run.key, joined.run.sequence) == ((), 1)
        assert story.states == "cq"

    def test_besides_others_it_is_no_input(self) -> None:
        graph = make("ab bc ac", "ab:item", c=ALL)
        story = Story(graph).tell(("a", Act({"items": []})))
        assert len(story.only("c").inputs or ()) == 1
        assert story.only("c").run.key == (), "it does not count as a branch"

    def test_the_join_for_each_of_its_items_is_passed(self) -> None:
        graph = make("ab bc cd", "ab:order", c={"join": "all", "per": "order"}, d=ALL)
        story = Story(graph).tell(("a", Act({"orders": []})))
        assert story.run.at("c") == []
        assert story.only("d").inputs == []

    def test_an_inner_one_delivers_to_its_item(self) -> None:
        graph = make("ab bc cd de", "ab:order bc:line", d={"join": "all", "per": "order"}, e=ALL)
        story = Story(graph).tell(("a", Act({"orders": ["p", "q"]})))
        story.tell(("b", Act({"lines": []})), ("b", Act({"lines": [1]})), "c", "d", "d")
        assert [entry.inputs == [] for entry in story.run.at("d")] == [True, False]
        assert len(story.only("e").inputs or ()) == 2


def test_a_wide_join_needs_no_arrivals_in_the_view() -> None:
    graph = make("ab bc", "ab:item", c={"join": "all", "collect": {"all": "item"}})
    story = Story(graph, compact=True).tell(("a", Act({"items": list(range(100))})))
    story.tell("b")
    view = story.run.view(story.run.ready()[0])
    assert [run.arrivals for run in view.stage_runs] == [(), ()]
    assert len(view.counts) == 1
    for ready in story.run.ready():
        story.run.perform(ready, Act())
    assert story.only("c").data.values["all"] == list(range(100))
    assert (story.only("c").run.key, story.only("c").run.sequence) == ((), 2)


def test_a_cancelled_run_starts_no_join() -> None:
    source = StageRun("one", "b", StageRunState.RUNNING, (0,), 1)
    joining = StageRun("two", "d", StageRunState.JOINING, (1,), 2)
    changes = advance(
        make(DIAMOND, d=ALL),
        RunView((source, joining), 3, cancelled=True),
        Outcome("one", "completed", NOW, next=(NextStage("d", "t02", 0),)),
    )
    assert (changes.started, changes.arrived, changes.run_state) == ((), {}, "cancelled")
