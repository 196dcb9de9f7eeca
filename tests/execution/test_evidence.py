"""The outputs of a cell within bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.attempts import executed, text_of

from jupyter_workflows.execution.evidence import CellOutputs, Evidence, EvidenceLimits
from jupyter_workflows.execution.nodes import node

LIMITS = EvidenceLimits(head=100, tail=100, quota=10_000)


def stream(text: str, name: str = "stdout") -> Any:
    return node(output_type="stream", name=name, text=text)


def display(text: str) -> Any:
    return node(output_type="display_data", data={"text/plain": text}, metadata={})


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    return Evidence(str(tmp_path / "executed-1.ipynb"), LIMITS)


def add(keeper: CellOutputs, *outputs: Any) -> None:
    for output in outputs:
        keeper.outputs.append(output)
        keeper.added()


def test_little_output_stays_as_it_is_with_its_streams_joined(evidence: Evidence) -> None:
    keeper = evidence.cell(0, [])
    add(keeper, stream("a\n"), stream("b\n"), stream("oh", "stderr"), display("c"), stream("d"))
    keeper.close()

    assert keeper.outputs == [stream("a\nb\n"), stream("oh", "stderr"), display("c"), stream("d")]


def test_the_middle_of_a_stream_goes_to_a_side_file(evidence: Evidence, tmp_path: Path) -> None:
    keeper = evidence.cell(2, [])
    lines = [f"line {number:03}\n" for number in range(200)]
    add(keeper, *map(stream, lines))
    keeper.close()

    head, notice, tail = keeper.outputs
    side = (tmp_path / "executed-1.cell-3.txt").read_text()
    assert head["text"] + side + tail["text"] == "".join(lines)
    assert len(head["text"]) == 100
    assert len(tail["text"]) == 100
    assert "executed-1.cell-3.txt" in notice["text"]
    assert "1.6 KiB" in notice["text"]


def test_one_output_larger_than_everything_is_cut(evidence: Evidence, tmp_path: Path) -> None:
    keeper = evidence.cell(0, [])
    text = "".join(str(number % 10) for number in range(1000))
    add(keeper, stream(text))
    keeper.close()

    head, _, tail = keeper.outputs
    side = (tmp_path / "executed-1.cell-1.txt").read_text()
    assert head["text"] == text[:100]
    assert tail["text"] == text[-100:]
    assert head["text"] + side + tail["text"] == text


def test_a_large_display_is_kept_as_json(evidence: Evidence, tmp_path: Path) -> None:
    keeper = evidence.cell(0, [])
    add(keeper, display("x" * 500), stream("after"))
    keeper.close()

    notice, after = keeper.outputs
    assert "executed-1.cell-1.jsonl" in notice["text"]
    assert after["text"] == "after"
    assert json.loads((tmp_path / "executed-1.cell-1.jsonl").read_text()) == display("x" * 500)


def test_displays_keep_their_places_until_the_cell_ends(evidence: Evidence) -> None:
    keeper = evidence.cell(0, [])
    add(keeper, *[display(f"{number:050}") for number in range(10)])

    assert len(keeper.outputs) == 10
    assert [keeper.has(place) for place in range(10)] == [True, True, *[False] * 6, True, True]
    places = keeper.close()
    assert places == {0: 0, 1: 1, 8: 3, 9: 4}
    assert keeper.outputs[places[9]] == display(f"{9:050}")


def test_the_view_of_a_running_cell_changes_nothing(evidence: Evidence) -> None:
    keeper = evidence.cell(0, [])
    add(keeper, *[stream("x" * 60), display("y" * 60), stream("z" * 60)])
    before = list(keeper.outputs)
    view = keeper.view()

    assert keeper.outputs == before
    assert view == [stream("x" * 60), display("y" * 60)] or len(view) == 3
    add(keeper, stream("end"))
    keeper.close()
    assert keeper.outputs[-1]["text"].endswith("end")


def test_beyond_the_quota_output_is_dropped_and_said_so(tmp_path: Path) -> None:
    evidence = Evidence(str(tmp_path / "executed-1.ipynb"), EvidenceLimits(head=100, tail=100, quota=1000))
    keeper = evidence.cell(0, [])
    add(keeper, *[stream("x" * 50) for _ in range(100)])
    keeper.close()

    assert "not kept" in keeper.outputs[1]["text"]
    assert (tmp_path / "executed-1.cell-1.txt").stat().st_size == 1000


def test_clearing_begins_anew(evidence: Evidence) -> None:
    keeper = evidence.cell(0, [])
    add(keeper, stream("x" * 500))
    keeper.outputs.clear()
    keeper.reset()
    add(keeper, stream("new"))
    keeper.close()

    assert keeper.outputs == [stream("new")]


def test_fifty_megabytes_in_one_cell_are_a_normal_run(execute: Any) -> None:
    outcome = execute(
        "line = 'x' * 1023\nfor number in range(50 * 1024):\n    print(line)\nprint('the end')",
        "from jupyter_workflows import get_stage\nget_stage()['done'] = True",
    )

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"done": True}
    copy = executed(outcome)
    text = text_of(copy["cells"][0])
    assert text.endswith("the end\n")
    assert 2 << 20 < len(text) < (2 << 20) + 200
    side = Path(outcome.output).with_name("executed-1.cell-1.txt")
    assert side.name in text
    assert side.stat().st_size + (2 << 20) == 50 * 1024 * 1024 + len("the end\n")


def test_a_display_that_is_updated_after_it_was_left_out(execute: Any) -> None:
    outcome = execute(
        "from IPython.display import display\n"
        "handle = display('first', display_id=True)\n"
        "big = 'x' * 900_000\n"
        "late = display('late', display_id=True)\n"
        "for _ in range(5): display(big)\n"
        "handle.update('changed'); late.update('later')",
        "handle.update('again')",
    )

    assert outcome.state == "completed", outcome
    outputs = executed(outcome)["cells"][0]["outputs"]
    assert outputs[0]["data"]["text/plain"] == ["'again'"]
