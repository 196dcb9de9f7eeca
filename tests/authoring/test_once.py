from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_workflows import OnceUnresolved, once
from jupyter_workflows.authoring import attempt as attempts
from jupyter_workflows.authoring.journal import Journal, append_entry, resolve_once


def test_a_finished_call_is_not_repeated(run: Any) -> None:
    calls: list[int] = []

    def charge(amount: int, *, currency: str) -> dict[str, Any]:
        calls.append(amount)
        return {"receipt": (amount, currency)}

    run.begin()
    first = once("charge", charge, 5, currency="EUR")
    run.begin()
    second = once("charge", charge, 6, currency="USD")
    assert first == second == {"receipt": [5, "EUR"]}
    assert calls == [5]


def test_results_can_be_frames_and_files(run: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    file = tmp_path / "out.txt"
    file.write_text("made")
    run.begin()
    once("make", lambda: [frame, file])
    file.unlink()
    run.begin()
    back, path = once("make", lambda: pytest.fail("repeated"))
    assert back.equals(frame)
    assert (path.name, path.read_text()) == ("out.txt", "made")


def test_one_that_raised_runs_again(run: Any) -> None:
    def fail() -> None:
        raise ConnectionError("down")

    run.begin()
    with pytest.raises(ConnectionError):
        once("call", fail)
    run.begin()
    assert once("call", lambda: "up") == "up"


def test_an_interrupt_leaves_it_open(run: Any) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    run.begin()
    with pytest.raises(KeyboardInterrupt):
        once("pay it's", interrupted)
    run.begin()
    with pytest.raises(OnceUnresolved) as error:
        once("pay it's", lambda: 1)
    text = str(error.value)
    assert "jupyter workflows runs retry run1 --once" in text
    assert "done:'JSON" in text
    assert "=again" in text
    assert "attempt 1" in text
    assert once("pay it's more", lambda: 2) == 2


def test_an_idempotent_one_runs_again(run: Any) -> None:
    run.begin()
    attempts.current().journal.append({"type": "once", "key": "put", "state": "started", "attempt": 1})
    run.begin()
    assert once("put", lambda: 3, idempotent=True) == 3
    run.begin()
    assert once("put", lambda: 4, idempotent=True) == 3


def test_a_result_that_cannot_be_kept_is_not_repeated_by_itself(run: Any) -> None:
    run.begin()
    with pytest.raises(TypeError, match=r"the result of once\('send'\) is of type set"):
        once("send", lambda: {1})
    run.begin()
    with pytest.raises(OnceUnresolved, match="finished, but its result could not be kept"):
        once("send", lambda: 1)


@pytest.mark.parametrize(("resolution", "expected"), [("again", 7), ('done:{"id": 3}', {"id": 3})])
def test_a_person_resolves_it(run: Any, resolution: str, expected: Any) -> None:
    run.begin()
    attempts.current().journal.append({"type": "once", "key": "pay", "state": "started", "attempt": 1})
    resolve_once(run.folder, 2, {"pay": resolution})
    run.begin()
    assert once("pay", lambda: 7) == expected
    run.begin()
    assert once("pay", lambda: pytest.fail("repeated")) == expected


def test_a_resolution_is_followed_once(run: Any) -> None:
    run.begin()
    attempts.current().journal.append({"type": "once", "key": "pay", "state": "started", "attempt": 1})
    resolve_once(run.folder, 2, {"pay": "again"}, after=1)
    run.begin()
    assert once("pay", lambda: 7) == 7
    resolve_once(run.folder, 3, {"pay": "again"}, after=1)
    run.begin()
    assert once("pay", lambda: pytest.fail("repeated")) == 7


def test_a_resolution_is_no_word_about_a_later_call(run: Any) -> None:
    run.begin()
    attempts.current().journal.append({"type": "once", "key": "pay", "state": "started", "attempt": 1})
    resolve_once(run.folder, 2, {"pay": "again"}, after=1)
    run.begin()
    attempts.current().journal.append({"type": "once", "key": "pay", "state": "started", "attempt": 2})
    resolve_once(run.folder, 3, {"pay": "again"}, after=1)
    run.begin()
    with pytest.raises(OnceUnresolved):
        once("pay", lambda: pytest.fail("repeated"))


def test_a_resolution_that_was_not_written_is_written_by_the_next_attempt(run: Any) -> None:
    run.begin()
    attempts.current().journal.append({"type": "once", "key": "pay", "state": "started", "attempt": 1})
    run.begin()
    resolve_once(run.folder, 3, {"pay": "again"}, after=1)
    run.begin()
    assert once("pay", lambda: 7) == 7


@pytest.mark.parametrize("resolution", ["", "done", "done:", "done:{", "perhaps", "perhaps:1"])
def test_other_resolutions_are_refused_and_write_nothing(run: Any, resolution: str) -> None:
    with pytest.raises(ValueError, match="pay=done:JSON"):
        resolve_once(run.folder, 1, {"other": "again", "pay": resolution})
    assert list(run.folder.glob("journal-*")) == []


def test_wrong_use_is_said(run: Any) -> None:
    async def later() -> int:
        return 1

    run.begin()
    with pytest.raises(TypeError, match="without calling the function"):
        once("a", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="name"):
        once("", print)
    with pytest.raises(TypeError, match="coroutine"):
        once("a", later)
    once("a", lambda: 1)
    with pytest.raises(ValueError, match="called before"):
        once("a", lambda: 1)
    assert list(run.folder.glob("journal-1.jsonl"))


KILLED = """
import os, signal, sys
from jupyter_workflows import once
def effect():
    open(sys.argv[1], "a").write("x")
    os.kill(os.getpid(), signal.SIGKILL)
print(once("effect", effect))
"""


def test_a_kernel_killed_between_intent_and_result(run: Any, tmp_path: Path) -> None:
    run.begin()
    attempts.begin(None)
    marks = tmp_path / "marks"
    command = [sys.executable, "-c", KILLED, str(marks)]
    killed = subprocess.run(command, env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert marks.read_text() == "x"
    run.begin()
    with pytest.raises(OnceUnresolved, match="nobody knows whether it happened"):
        once("effect", lambda: pytest.fail("repeated"))
    resolve_once(run.folder, 3, {"effect": "done:null"})
    run.begin()
    assert once("effect", lambda: pytest.fail("repeated")) is None


def _journal_bytes(folder: Path) -> bytes:
    file = folder / "journal-1.jsonl"
    for entry in (
        {"type": "once", "key": "a", "state": "started"},
        {"type": "once", "key": "a", "state": "completed", "result": {"n": [1, "ü\n"]}},
        {"type": "answer", "position": 0, "fingerprint": "f0", "state": {"x": 1}, "action": "Submit"},
        {"type": "answer", "position": 1, "fingerprint": "f1", "state": {"x": 2}, "action": "Submit"},
        {"type": "discard", "position": 1, "reason": "r"},
        {"type": "once", "key": "b", "state": "started"},
        {"type": "once", "key": "b", "state": "failed", "error": {}},
        {"type": "answer", "position": 1, "fingerprint": "f2", "state": {"x": 3}, "action": "Submit"},
    ):
        append_entry(file, entry)
    return file.read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_journal_cut_anywhere_is_a_prefix_of_what_happened(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    content = _journal_bytes(folder)
    cut = data.draw(st.integers(0, len(content)))
    garbage = data.draw(st.sampled_from([b"", b"\0" * 7, b"\xff{", b'{"type": "once"', b"[1]\n5\n"]))
    (folder / "journal-1.jsonl").write_bytes(content[:cut] + garbage)
    journal = Journal(folder, 2)
    unended = content[cut : cut + 1] == b"\n"  # a whole line that only lacks its end
    whole = content[:cut].count(b"\n") + unended
    entries = [json.loads(line) for line in content.split(b"\n")[:whole]]
    if garbage and unended:
        entries = entries[:-1]  # what follows a line without its end spoils it
    expected: dict[int, Any] = {}
    states: dict[str, str] = {}
    for entry in entries:
        if entry["type"] == "once":
            states[entry["key"]] = entry["state"]
            continue
        expected = {place: answer for place, answer in expected.items() if place < entry["position"]}
        if entry["type"] == "answer":
            expected[entry["position"]] = entry
    for place in range(3):
        assert journal.answer(place) == expected.get(place)
    for key in ("a", "b"):
        known = journal.once(key)
        assert (known["state"] if known else None) == states.get(key)
    # A kernel of the same attempt goes on in the same file, behind the torn line.
    journal = Journal(folder, 1)
    journal.append({"type": "once", "key": "c", "state": "completed", "result": 1})
    again = Journal(folder, 2)
    assert again.once("c") is not None
    assert again.answer(0) == expected.get(0)


def test_later_attempts_win_and_are_ordered_by_number(run: Any) -> None:
    for attempt in (2, 10, 9):
        append_entry(
            run.folder / f"journal-{attempt}.jsonl",
            {"type": "once", "key": "k", "state": "completed", "result": attempt},
        )
    known = Journal(run.folder, 11).once("k")
    assert known is not None
    assert known["result"] == 10
    assert (run.folder / "journal-2.jsonl").stat().st_mode & 0o777 == 0o600
