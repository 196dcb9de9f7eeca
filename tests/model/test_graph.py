"""Graphs: branch order, what reaches what, where runs begin."""

from __future__ import annotations

import pytest

from jupyter_workflows.model.document import load
from jupyter_workflows.model.graph import EntryError, Graph, GraphStage, GraphTransition


def graph(stages: str, *arrows: str, **settings: dict[str, object]) -> Graph:
    """Make a graph of stages with one letter and of arrows like ``ab``, numbered in this order."""
    return Graph(
        [GraphStage(key, **settings.get(key, {})) for key in stages],  # type: ignore[arg-type]
        [
            GraphTransition(f"t{number}", arrow[0], arrow[1], on="failed" if arrow[2:] else "completed")
            for number, arrow in enumerate(arrows)
        ],
    )


@pytest.mark.parametrize(
    ("stages", "arrows", "settings", "entries"),
    [
        pytest.param("a", [], {}, "a", id="a single stage"),
        pytest.param("abc", ["ab", "bc"], {}, "a", id="a chain"),
        pytest.param("abc", ["ab"], {}, "ac", id="an isolated stage starts its own runs"),
        pytest.param("ab", ["aa", "ab"], {}, "a", id="a loop to itself"),
        pytest.param("abcd", ["ab", "bc", "cb", "cd"], {}, "a", id="a loop further on"),
        pytest.param("abc", ["ab", "bc", "ca"], {}, "abc", id="nothing tells which of a circle is first"),
        pytest.param("abc", ["ab", "bc", "ca"], {"b": {"start": True}}, "b", id="start tells"),
        pytest.param("abc", ["ab", "bc"], {"c": {"start": True}}, "ac", id="start in the middle"),
        pytest.param("abc", ["ac", "bc"], {}, "ab", id="two that meet"),
        pytest.param("ab", ["ab!"], {}, "a", id="failed transitions lead somewhere too"),
        pytest.param("ab", ["ab"], {"a": {"disabled": True}}, "", id="a disabled entry is off"),
        pytest.param("ab", ["ab"], {"a": {"disabled": True, "start": True}}, "", id="even if it says start"),
        pytest.param("", [], {}, "", id="nothing"),
    ],
)
def test_entries(
    stages: str, arrows: list[str], settings: dict[str, dict[str, object]], entries: str
) -> None:
    assert "".join(graph(stages, *arrows, **settings).entries) == entries


def test_entry_finds_the_only_one_or_the_named_one() -> None:
    found = graph("abc", "ab", "bc")
    assert found.entry() == "a"
    assert found.entry("b") == "b"


@pytest.mark.parametrize(
    ("found", "path", "message", "choices"),
    [
        (graph("abc", "ab"), None, "several first stages, name one: a, c", ("a", "c")),
        (graph("ab", "ab"), "x", "no stage 'x'; the stages are: a, b", ("a",)),
        (graph("ab", "ab", b={"disabled": True}), "b", "'b' is disabled", ("a",)),
        (graph("ab", "ab", a={"disabled": True}), None, "no stage to start with", ()),
        (graph(""), None, "no stages", ()),
    ],
)
def test_entry_says_what_is_missing(
    found: Graph, path: str | None, message: str, choices: tuple[str, ...]
) -> None:
    with pytest.raises(EntryError, match=message) as caught:
        found.entry(path)
    assert caught.value.choices == choices


def test_branch_order_is_order_then_key() -> None:
    transitions = [
        GraphTransition("z", "a", "b"),
        GraphTransition("c", "a", "b", order=-1),
        GraphTransition("y", "a", "b"),
        GraphTransition("b", "a", "b", order=0.5),
        GraphTransition("a", "a", "b", on="failed"),
    ]
    for given in (transitions, transitions[::-1]):
        found = Graph([GraphStage("a"), GraphStage("b")], given)
        assert [transition.id for transition in found.outgoing("a")] == ["c", "y", "z", "b"]
        assert [transition.id for transition in found.outgoing("a", "failed")] == ["a"]


def test_transitions_without_both_ends_are_left_out() -> None:
    found = Graph([GraphStage("a")], [GraphTransition("t", "a", "gone"), GraphTransition("u", "gone", "a")])
    assert not found.transitions
    assert found.entries == ("a",)


def test_reachable() -> None:
    found = graph("abcde", "ab", "bc", "cb", "cd!")
    assert found.reachable("a") == set("bcd")
    assert found.reachable("b") == set("bcd")
    assert found.reachable("d") == set()


def test_a_disabled_stage_cannot_fail() -> None:
    found = graph("abcd", "ab", "bc", "bd!", b={"disabled": True})
    assert found.reachable("a") == set("bc")


def test_only_enabled_stages_join() -> None:
    found = graph(
        "abcd",
        "ab",
        "bc",
        "cb",
        c={"join": "settled"},
        b={"join": "all"},
        d={"join": "all", "disabled": True},
    )
    assert set(found.joins) == set("bc")
    assert found.joins["b"].needs_all
    assert not found.joins["c"].needs_all
    assert found.joins["b"].reaching == set("ac"), "not from itself"


@pytest.mark.parametrize(
    ("arrows", "settings", "joins"),
    [
        pytest.param(["bc"], {"c": {"join": "all"}}, "c", id="behind the target"),
        pytest.param(["bc"], {"b": {"join": "all"}, "c": {"join": "all"}}, "b", id="the target itself"),
        pytest.param(["bc", "cd"], {"c": {"join": "all"}, "d": {"join": "all"}}, "c", id="not behind a join"),
        pytest.param(
            ["bc", "cd"],
            {"c": {"join": "all", "per": "item"}, "d": {"join": "settled"}},
            "d",
            id="behind one for each of the items",
        ),
        pytest.param(["bc"], {"c": {"join": "all", "per": "other"}}, "c", id="for each of other items"),
        pytest.param(["bc", "cb"], {}, "", id="none in a circle"),
        pytest.param(["bc!"], {"c": {"join": "all"}}, "", id="not by a failure, for nothing failed"),
        pytest.param(["bc", "bd"], {"c": {"join": "all"}, "d": {"join": "all"}}, "cd", id="several"),
        pytest.param(
            ["bc", "cd"], {"c": {"join": "all", "disabled": True}, "d": {"join": "all"}}, "d", id="disabled"
        ),
    ],
)
def test_joins_behind(arrows: list[str], settings: dict[str, dict[str, object]], joins: str) -> None:
    assert "".join(graph("abcd", "ab", *arrows, **settings).joins_behind("b", "item")) == joins


def test_from_document() -> None:
    text = """{
        "format": 1, "uid": "u1", "title": "Test",
        "stages": {
            "s1": {"type": "form", "path": "ask", "title": "Ask", "notebook": "a.ipynb", "start": "members"},
            "s2": {"type": "script", "path": "do", "title": "Do", "notebook": "b.ipynb", "join": "all",
                   "per": "line", "collect": {"xs": "x"}, "after_crash": "fail", "disabled": false,
                   "retries": {"max": 2, "delay": 10, "backoff": 3}}
        },
        "transitions": {
            "t1": {"source": "s1", "target": "s2", "condition": "n > 1", "each": "lines", "as": "line",
                   "order": 2},
            "t2": {"source": "s1", "target": "s2", "else": true, "on": "failed"},
            "t3": {"source": "s1", "target": "gone"}
        }
    }"""
    found = Graph.from_document(load(text))
    assert found.stages == {
        "s1": GraphStage("s1", "form", "ask", "Ask", start=True),
        "s2": GraphStage(
            "s2", "script", "do", "Do", "all", "line", {"xs": "x"}, 2, 10, 3, "fail", False, False
        ),
    }
    assert found.transitions == {
        "t1": GraphTransition("t1", "s1", "s2", "completed", "n > 1", False, "lines", "line", 2),
        "t2": GraphTransition("t2", "s1", "s2", "failed", otherwise=True),
    }
    assert found.by_path == {"ask": "s1", "do": "s2"}
