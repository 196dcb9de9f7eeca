from __future__ import annotations

import datetime as dt
import fcntl
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_workflows import get_stage
from jupyter_workflows.authoring import attempt as attempts
from jupyter_workflows.authoring.record import collect


def test_it_is_a_mapping_of_the_data(run: Any) -> None:
    run.begin(data={"amount": Decimal("12.50"), "when": dt.date(2026, 1, 2), "tags": ["a"]})
    stage = get_stage()
    assert stage is get_stage()
    assert dict(stage) == {"amount": Decimal("12.50"), "when": dt.date(2026, 1, 2), "tags": ["a"]}
    assert stage.get("other", 5) == 5
    assert "amount" in stage
    assert len(stage) == 3
    assert run.changes() == {}


def test_it_knows_where_it_is(run: Any) -> None:
    run.begin(
        failure={"stage": "charge", "name": "Boom", "message": "no", "cell": 2},
        scheduled_time="2026-01-02T03:04:05+00:00",
        assignee="team:finance",
    )
    stage = get_stage()
    assert (stage.run_id, stage.stage_run_id, stage.attempt) == ("run1", "stage-run1", 1)
    assert (stage.mode, stage.path, stage.title) == ("test", "submit", "Submit")
    assert (stage.user, stage.assignee) == ("anna", "team:finance")
    assert stage.scheduled_time == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert stage.failure is not None
    assert stage.failure["message"] == stage.failure.message == "no"
    run.begin()
    assert get_stage().failure is None
    assert get_stage().scheduled_time is None
    assert get_stage().inputs == []


def test_a_missing_key_lists_keys_and_a_near_one(run: Any) -> None:
    run.begin(data={"amount": 1, "e-mail": "a@b.c"})
    stage = get_stage()
    with pytest.raises(KeyError) as error:
        stage["amuont"]
    assert str(error.value) == (
        "the stage data has no key 'amuont'. It has 'amount', 'e-mail'. Did you mean 'amount'?"
    )
    with pytest.raises(KeyError, match="It has 'amount', 'e-mail'"):
        del stage["nothing"]
    run.begin()
    with pytest.raises(KeyError, match="It is empty"):
        get_stage()["x"]


def test_sets_deletions_and_mutations_are_recorded(run: Any) -> None:
    run.begin(data={"kept": [1], "changed": [1], "gone": 1, "same": {"a": 1}, "deep": {"a": [1]}})
    stage = get_stage()
    stage["changed"].append(2)
    stage["deep"]["a"][0] = (5,)
    stage["kept"]
    stage["same"] = {"a": 1}
    stage["new"] = rows = [1]
    rows.append(2)
    del stage["gone"]
    stage["brief"] = 1
    assert stage.pop("brief") == 1
    assert list(stage) == ["kept", "changed", "same", "deep", "new"]
    assert run.changes() == {"changed": [1, 2], "deep": {"a": [[5]]}, "same": {"a": 1}, "new": [1, 2]}
    assert run.record()["deleted"] == ["gone"]


def test_a_deleted_key_can_be_set_again(run: Any) -> None:
    run.begin(data={"x": 1})
    stage = get_stage()
    del stage["x"]
    assert "x" not in stage
    assert stage.get("x") is None
    stage["x"] = 2
    assert run.changes() == {"x": 2}
    assert run.record()["deleted"] == []


def test_frames_and_arrays_are_read_once_and_recorded_only_if_changed(run: Any) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=[5, 6])
    run.begin(data={"read": frame, "changed": frame, "array": np.arange(3), "untouched": np.arange(9)})
    stage = get_stage()
    assert stage["read"] is stage["read"]
    stage["changed"].loc[5, "a"] = 7
    stage["array"][0] = 9
    changes = run.changes()
    assert set(changes) == {"changed", "array"}
    assert changes["changed"].loc[5, "a"] == 7
    assert changes["array"].tolist() == [9, 1, 2]


def test_a_frame_that_another_version_wrote_is_not_a_change(run: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    attempt = run.begin(data={"frame": frame})
    wire = dict(attempt.context.data["frame"])
    other = tmp_path / "other.parquet"
    frame.to_parquet(other, compression="gzip")
    wire["hash"] = attempt.blobs.save(other, {})
    attempts.begin(attempts.Attempt(_with_data(attempt, {"frame": wire})))
    assert get_stage()["frame"].equals(frame)
    assert run.changes() == {}


def _with_data(attempt: attempts.Attempt, data: dict[str, Any]) -> Any:
    from dataclasses import replace

    return replace(attempt.context, data=data)


@pytest.mark.parametrize(
    "value", [{1, 2}, object(), {"a": [object()]}, pd.DataFrame({"mixed": [1, "a"]}), np.array([None])]
)
def test_what_stage_data_cannot_hold_is_refused_at_once(run: Any, value: Any) -> None:
    run.begin(data={"x": 1})
    stage = get_stage()
    with pytest.raises(TypeError, match=r"^x"):
        stage["x"] = value
    assert stage["x"] == 1
    assert run.changes() == {}


def test_keys_are_strings(run: Any) -> None:
    run.begin()
    with pytest.raises(TypeError, match="keys of stage data are strings, not int"):
        get_stage()[3] = 1  # type: ignore[index]
    with pytest.raises(TypeError, match="reserved"):
        get_stage()["$kind"] = 1
    with pytest.raises(AttributeError):
        get_stage().amount = 1  # type: ignore[attr-defined]


def test_a_value_that_became_unfit_is_an_error_of_the_record(run: Any) -> None:
    run.begin()
    get_stage()["rows"] = rows = []
    rows.append(object())  # type: ignore[arg-type]
    record = run.record()
    assert record["error"]["name"] == "TypeError"
    assert record["error"]["message"].startswith("rows[0] is of type object")


def test_files_are_kept_when_they_are_set(run: Any) -> None:
    run.begin()
    stage = get_stage()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        report.write_text("first")
        stage["report"] = report
        stage["list"] = {"files": [report]}
        report.write_text("second")
    changes = run.changes()
    assert changes["report"].name == "report.html"
    assert changes["report"].read_text() == "first"
    assert changes["list"]["files"][0].read_text() == "first"


def test_a_file_that_still_changes_is_taken_as_it_is_at_the_end(run: Any, tmp_path: Path) -> None:
    run.begin()
    report = tmp_path / "report.html"
    report.write_text("first")
    get_stage()["report"] = report
    report.write_text("second")
    assert run.changes()["report"].read_text() == "second"


def test_changing_a_file_in_place_changes_no_other_attempt(run: Any, tmp_path: Path) -> None:
    original = tmp_path / "data.csv"
    original.write_text("a,b")
    data = {"data": original}
    run.begin(data=data)
    copy = get_stage()["data"]
    assert copy.name == "data.csv"
    copy.write_text("spoilt")
    assert run.changes()["data"].read_text() == "spoilt"
    run.begin(data=data)
    assert get_stage()["data"].read_text() == "a,b"
    assert original.read_text() == "a,b"


def test_inputs_are_read_only(run: Any) -> None:
    frame = pd.DataFrame({"a": [1]})
    run.begin(inputs=[{"score": 1, "frame": run.encode(frame)}, {"score": 2}])
    first, second = get_stage().inputs
    assert [first["score"], second["score"]] == [1, 2]
    assert first["frame"].equals(frame)
    with pytest.raises(TypeError):
        first["score"] = 5  # type: ignore[index]
    with pytest.raises(KeyError, match="'score'"):
        second["frame"]
    assert run.changes() == {}


def test_displays_show_values_and_escape_them(run: Any) -> None:
    run.begin(data={"<b>": "<script>", "frame": pd.DataFrame({"a": [1, 2]}), "when": dt.date(2026, 1, 2)})
    stage = get_stage()
    assert repr(stage) == "<Stage 'submit': 3 keys (<b>, frame, when)>"
    markup = stage._repr_html_()
    assert "<script>" not in markup
    assert "&lt;script&gt;" in markup
    assert "pandas DataFrame, 2 × 1" in markup
    assert "2026-01-02" in markup
    stage["note"] = b"abc"
    assert "bytes, 3 bytes" in stage._repr_html_()


def test_missing_bytes_are_an_error_that_says_so(run: Any) -> None:
    wire = run.encode(b"abc")
    run.begin(data={})
    attempts.begin(attempts.Attempt(_with_data(attempts.current(), {"x": {**wire, "hash": "0" * 64}})))
    with pytest.raises(FileNotFoundError, match="missing"):
        get_stage()["x"]


def test_the_kernel_holds_the_lock_of_the_stage_run(run: Any) -> None:
    run.begin()
    lock = run.folder / "lock"
    assert int(lock.read_text()) == os.getpid()
    with lock.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    run.begin()  # held already, which is no error
    assert int(lock.read_text()) == os.getpid()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_context_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    file = tmp_path / "context.json"
    file.write_text(content)
    monkeypatch.setenv("JUPYTER_WORKFLOWS_CONTEXT", str(file))
    attempts.begin(None)
    with pytest.raises(RuntimeError, match=r"context"):
        get_stage()
    assert "RuntimeError" in collect().content["error"]["name"]
