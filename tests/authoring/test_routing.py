from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jupyter_workflows import RoutingError, end_stage, get_stage, next_stage
from jupyter_workflows.authoring.errors import StageEnded

SUCCESSORS = [
    {"path": "approve", "title": "Approve it", "each": None},
    {"path": "reject", "title": "Reject", "each": None},
    {"path": "archive", "title": "Reject", "each": None},
    {"path": "approve", "title": "Approve it", "each": "lines"},
]


def routed(run: Any, entries: Any, successors: Any = SUCCESSORS) -> Any:
    run.begin(successors=successors)
    with pytest.raises(StageEnded):
        next_stage(entries)
    record = run.record()
    assert record["ended"] is True
    return record["route"]


def test_entries_are_resolved_to_paths(run: Any) -> None:
    assert routed(
        run,
        [
            {"stage": "approve", "assignee": "ben", "data": {"amount": Decimal("1.5")}},
            {"stage": "Approve it"},
            {"stage": "archive", "data": {}, "assignee": None},
        ],
    ) == [
        {
            "stage": "approve",
            "assignee": "ben",
            "data": {"amount": {"$kind": "decimal", "value": "1.5"}},
        },
        {"stage": "approve"},
        {"stage": "archive", "data": {}},
    ]


def test_a_mapping_alone_and_a_stage_left_out(run: Any) -> None:
    only = SUCCESSORS[:1] + SUCCESSORS[3:]
    assert routed(run, {"assignee": "ben"}, only) == [{"stage": "approve", "assignee": "ben"}]
    assert routed(run, ({},), only) == [{"stage": "approve"}]


def test_a_single_entry_by_keywords(run: Any) -> None:
    run.begin(successors=SUCCESSORS)
    with pytest.raises(StageEnded):
        next_stage(stage="approve", data={"amount": 1}, assignee="ben")
    assert run.record()["route"] == [{"stage": "approve", "data": {"amount": 1}, "assignee": "ben"}]
    with pytest.raises(RoutingError, match="either a list of entries, or stage"):
        next_stage([{"stage": "approve"}], stage="reject")
    with pytest.raises(RoutingError, match="next_stage takes a list"):
        next_stage()


def test_an_empty_list_ends_the_branch_also_without_successors(run: Any) -> None:
    assert routed(run, [], []) == []


def test_end_stage_leaves_the_usual_transitions(run: Any) -> None:
    run.begin(successors=SUCCESSORS)
    get_stage()["x"] = 1
    with pytest.raises(StageEnded):
        end_stage()
    record = run.record()
    assert (record["route"], record["ended"]) == (None, True)
    assert record["changes"] == {"x": 1}


def test_without_either_nothing_is_requested(run: Any) -> None:
    run.begin(successors=SUCCESSORS)
    record = run.record()
    assert (record["route"], record["ended"]) == (None, False)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (
            [{"stage": "approve"}, {"stage": "aprove"}],
            ["entry 1", "'aprove'", "approve", "reject", "Did you"],
        ),
        ([{"stage": "Reject"}], ["entry 0", "more than one stage", "'Reject'", "path", "archive"]),
        ([{}], ["entry 0", "does not say which", "approve", "reject", "archive"]),
        ([{"stage": 3}], ["entry 0", "3", "path or a title"]),
        (["approve"], ["entry 0", "str", "stage, data, assignee"]),
        ("approve", ["list", "str"]),
        (None, ["NoneType", "end_stage()"]),
        ([{"stage": "approve", "asignee": "ben"}], ["entry 0", "'asignee'", "Did you mean 'assignee'?"]),
        ([{"stage": "approve", "data": [1]}], ["entry 0", "list", "mapping"]),
        ([{"stage": "approve", "data": {1: 2}}], ["entry 0", "1", "strings"]),
        ([{"stage": "approve", "assignee": 5}], ["entry 0", "assignee", "5"]),
        ([{"stage": "approve", "assignee": ""}], ["entry 0", "assignee"]),
    ],
)
def test_what_does_not_fit_is_said_clearly_and_nothing_happens(
    run: Any, entries: Any, words: list[str]
) -> None:
    run.begin(successors=SUCCESSORS)
    with pytest.raises(RoutingError) as error:
        next_stage(entries)
    for word in words:
        assert word in str(error.value)
    record = run.record()
    assert (record["route"], record["ended"]) == (None, False)


def test_without_successors_there_is_nowhere_to_go(run: Any) -> None:
    run.begin()
    with pytest.raises(RoutingError, match=r"no transition leads from this stage.*next_stage\(\[\]\)"):
        next_stage({"stage": "approve"})


def test_data_that_cannot_be_encoded_names_the_entry(run: Any) -> None:
    run.begin(successors=SUCCESSORS)
    with pytest.raises(TypeError, match=r'entry 0, data "rows"\[1\] is of type set'):
        next_stage([{"stage": "approve", "data": {"rows": [1, {2}]}}])


def test_a_broad_except_does_not_swallow_the_end(run: Any) -> None:
    run.begin(successors=SUCCESSORS)
    with pytest.raises(StageEnded) as ended:
        try:
            next_stage({"stage": "approve", "assignee": "ben"})
        except Exception:
            pytest.fail("swallowed")
    assert ended.value._render_traceback_() == [
        "The stage ended here, by next_stage; the run goes on to approve for ben."
    ]
