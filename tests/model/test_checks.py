from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from jupyter_workflows.model.checks import check
from jupyter_workflows.model.document import Document
from jupyter_workflows.model.findings import Finding


def stage(path: str, kind: str = "script", **settings: Any) -> dict[str, Any]:
    return {"type": kind, "path": path, "title": path.title(), "notebook": f"{path}.ipynb", **settings}


def document(stages: Mapping[str, Any], *transitions: Mapping[str, Any]) -> Document:
    return Document.model_validate(
        {
            "format": 1,
            "uid": "u",
            "title": "T",
            "stages": stages,
            "transitions": {f"t{number}": item for number, item in enumerate(transitions, 1)},
        }
    )


def found(findings: list[Finding]) -> set[tuple[str, str, str]]:
    return {(finding.severity, finding.code, finding.where) for finding in findings}


def test_nothing_is_wrong() -> None:
    workflow = document(
        {
            "a": stage("submit", "form", due="P2D", start="members"),
            "b": stage("check", memory="2G"),
            "c": stage("approve", "form", assignee="team:finance", expires="P1W"),
            "d": stage("join", join="all", per="line", collect={"scores": "score"}),
            "j": stage("weekly", "job", schedule={"cron": "0 9 * * 1", "timezone": "Europe/Berlin"}),
            "h": stage("hook", "hook"),
        },
        {"source": "a", "target": "b", "each": "lines", "as": "line"},
        {"source": "b", "target": "c", "condition": "amount > 1"},
        {"source": "b", "target": "d", "else": True},
        {"source": "c", "target": "d"},
        {"source": "c", "target": "a", "on": "failed"},
        {"source": "j", "target": "b"},
    )
    assert check(workflow) == []


LINE = {"a": stage("a"), "b": stage("b")}
A_TO_B = {"source": "a", "target": "b"}


@pytest.mark.parametrize(
    ("stages", "transitions", "expected"),
    [
        ({}, [], ("info", "no-stages", "")),
        ({"a": stage("A b")}, [], ("error", "bad-path", "stages.a.path")),
        ({"a": stage("")}, [], ("error", "bad-path", "stages.a.path")),
        ({"a": stage("x"), "b": stage("x")}, [], ("error", "duplicate-path", "stages.b.path")),
        (LINE, [{"source": "z", "target": "b"}], ("error", "dangling-transition", "transitions.t1.source")),
        (LINE, [{"source": "a", "target": "z"}], ("error", "dangling-transition", "transitions.t1.target")),
        (
            {"a": stage("a"), "b": stage("b", "job", schedule={"cron": "0 9 * * *"})},
            [A_TO_B],
            ("error", "transition-into-job", "transitions.t1.target"),
        ),
        (LINE, [{**A_TO_B, "condition": "a >"}], ("error", "bad-condition", "transitions.t1.condition")),
        (LINE, [{**A_TO_B, "condition": " "}], ("error", "bad-condition", "transitions.t1.condition")),
        (
            LINE,
            [{**A_TO_B, "condition": "a", "else": True}],
            ("error", "else-with-condition", "transitions.t1.else"),
        ),
        (LINE, [{**A_TO_B, "else": True}], ("warning", "else-without-condition", "transitions.t1.else")),
        (
            LINE,
            [{**A_TO_B, "condition": "a"}, {**A_TO_B, "else": True}, {**A_TO_B, "else": True}],
            ("warning", "several-else", "transitions.t3.else"),
        ),
        (LINE, [{**A_TO_B, "each": "the lines"}], ("error", "bad-name", "transitions.t1.each")),
        (LINE, [{**A_TO_B, "each": "x", "as": "1"}], ("error", "bad-name", "transitions.t1.as")),
        (LINE, [{**A_TO_B, "as": "x"}], ("warning", "as-without-each", "transitions.t1.as")),
        (
            {"a": stage("a"), "b": stage("b", join="all", per="x")},
            [{**A_TO_B, "each": "xs"}],
            ("error", "per-without-each", "stages.b.per"),
        ),
        (
            {"a": stage("a"), "b": stage("b", per="item")},
            [{**A_TO_B, "each": "xs"}],
            ("warning", "per-without-join", "stages.b.per"),
        ),
        ({"a": stage("a", collect={"x": "y"})}, [], ("warning", "collect-without-join", "stages.a.collect")),
        ({"a": stage("a", join="all")}, [], ("warning", "join-without-arrivals", "stages.a.join")),
        ({"a": stage("a", disabled=True)}, [], ("error", "no-entry", "")),
        (
            {"a": stage("a", disabled=True), "b": stage("b"), "c": stage("c")},
            [A_TO_B],
            ("warning", "unreachable-stage", "stages.b"),
        ),
        (
            {"a": stage("a"), "b": stage("b", "form")},
            [A_TO_B],
            ("warning", "form-without-assignee", "stages.b.assignee"),
        ),
        ({"a": stage("a", "form", assignee="team:")}, [], ("error", "bad-assignee", "stages.a.assignee")),
        (
            {"a": stage("a", "form", assignee={"from": ""})},
            [],
            ("error", "bad-assignee", "stages.a.assignee"),
        ),
        ({"a": stage("a", "form", due="2 days")}, [], ("error", "bad-duration", "stages.a.due")),
        ({"a": stage("a", "form", remind="P")}, [], ("error", "bad-duration", "stages.a.remind")),
        ({"a": stage("a", "hook", expires="PT0S")}, [], ("error", "bad-duration", "stages.a.expires")),
        ({"a": stage("a", memory="lots")}, [], ("error", "bad-memory", "stages.a.memory")),
        ({"a": stage("a", start="members")}, [], ("warning", "start-of-form", "stages.a.start")),
        ({"a": stage("a", "job")}, [], ("info", "job-without-schedule", "stages.a.schedule")),
        (
            {"a": stage("a", "job", schedule={"cron": "x"})},
            [],
            ("error", "bad-cron", "stages.a.schedule.cron"),
        ),
        (
            {"a": stage("a", "job", schedule={"cron": "0 9 * * *", "timezone": "Mars"})},
            [],
            ("error", "bad-timezone", "stages.a.schedule.timezone"),
        ),
    ],
)
def test_one_thing_is_wrong(
    stages: dict[str, Any], transitions: list[dict[str, Any]], expected: tuple[str, str, str]
) -> None:
    findings = check(document(stages, *transitions))
    assert found(findings) == {expected}
    assert all(finding.message and finding.mend for finding in findings)


def test_position_of_a_bad_condition() -> None:
    (finding,) = check(document(LINE, {**A_TO_B, "condition": "amount > f'x'"}))
    assert "f-string" in finding.message
    assert "column 10" in finding.message


def test_errors_come_first_and_order_is_stable() -> None:
    stages = {"b": stage("b", collect={"x": "y"}), "a": stage("b"), "c": stage("c", memory="x")}
    findings = check(document(stages))
    assert [(finding.severity, finding.where) for finding in findings] == [
        ("error", "stages.b.path"),
        ("error", "stages.c.memory"),
        ("warning", "stages.b.collect"),
    ]
    assert check(document(dict(reversed(stages.items())))) == findings


def test_finding_as_json_and_text() -> None:
    (finding,) = check(document({"a": stage("a", memory="lots")}))
    assert finding.to_json() == {
        "code": "bad-memory",
        "severity": "error",
        "stage": "a",
        "transition": None,
        "field": "memory",
        "cell": None,
        "message": "'lots' is not an amount of memory.",
        "mend": "Write it as 512M or 2G, for example.",
    }
    assert str(finding).startswith("stages.a.memory: 'lots' is not")
