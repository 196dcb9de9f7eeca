"""The commands about jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from support.schedules import deploy_job, scheduled
from support.stores import document

from jupyter_workflows.store import Store, open_store

Call = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}"
    monkeypatch.setenv("JUPYTER_WORKFLOWS_DATABASE", url)
    store = open_store(url)
    yield store
    store.close()


def test_nothing_is_scheduled(store: Store, call: Call) -> None:
    result = call("schedules")
    assert result.exit_code == 0 and "No job" in result.stdout
    assert json.loads(call("schedules", "--json").stdout) == {"schedules": []}


def test_next_times(store: Store, call: Call) -> None:
    uid = deploy_job(store, "30 2 * * *", timezone="Europe/Berlin", uid="berlin")
    deploy_job(store, "0 0 1 1 *", uid="other")
    shown = json.loads(call("schedules", "w-berlin", "--next", "400", "--json").stdout)["schedules"]
    (job,) = shown
    assert (job["workflow"], job["path"], job["cron"], job["version"]) == (uid, "job", "30 2 * * *", 1)
    times = [datetime.fromisoformat(time) for time in job["next"]]
    assert len(times) == 400
    assert {time.utcoffset() for time in times} == {timedelta(hours=1), timedelta(hours=2)}
    assert len(json.loads(call("schedules", "list", "--json").stdout)["schedules"]) == 2
    words = call("schedules", uid, "--next", "2").stdout
    assert "Europe/Berlin" in words and words.count("02:30:00") == 2
    store.pause(uid)
    assert "paused" in call("schedules", uid).stdout
    assert json.loads(call("schedules", uid, "--json").stdout)["schedules"][0]["next"] == []


def test_help_of_the_group(call: Call) -> None:
    assert "run-now" in call("schedules", "--help").stdout


def test_an_unknown_workflow(store: Store, call: Call) -> None:
    result = call("schedules", "nowhere", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "not-found"


def test_run_now(store: Store, call: Call) -> None:
    deploy_job(store, uid="w1")
    result = call("schedules", "run-now", "w-w1", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    run = store.get_run_record(told["run"])
    assert run.scheduled_time == datetime.fromisoformat(told["scheduled_time"])
    assert run.started_by
    assert "No runner" in call("schedules", "run-now", "w1", "job").stderr


def test_run_now_of_one_of_several_jobs_also_without_a_schedule(store: Store, call: Call) -> None:
    text = document({"a": {"type": "job"}, "b": {"type": "job", "schedule": {"cron": "@daily"}}}, uid="two")
    text = text.replace("@daily", "0 0 * * *")
    deploy_job(store, uid="two", document_text=text)
    result = call("schedules", "run-now", "two")
    assert result.exit_code == 2 and "a, b" in result.stderr
    assert call("schedules", "run-now", "two", "a").exit_code == 0
    assert call("schedules", "run-now", "two", "c").exit_code == 2
    assert (
        call("schedules", "backfill", "two", "a", "--from", "2026-01-01", "--to", "2026-01-02").exit_code == 2
    )


def test_backfill(store: Store, call: Call) -> None:
    deploy_job(store, "0 9 * * *", timezone="America/New_York", uid="w1")
    dates = ("--from", "2026-03-06", "--to", "2026-03-10")
    dry = json.loads(call("schedules", "backfill", "w1", *dates, "--dry-run", "--json").stdout)
    assert dry["times"] == [
        "2026-03-06T09:00:00-05:00",
        "2026-03-07T09:00:00-05:00",
        "2026-03-08T09:00:00-04:00",
        "2026-03-09T09:00:00-04:00",
        "2026-03-10T09:00:00-04:00",
    ]
    assert scheduled(store, "w1") == []
    told = json.loads(call("schedules", "backfill", "w1", *dates, "--json").stdout)
    assert [entry["scheduled_time"] for entry in told["started"]] == dry["times"] and told["known"] == []
    assert scheduled(store, "w1")[0] == datetime(2026, 3, 6, 14, tzinfo=UTC)
    again = json.loads(call("schedules", "backfill", "w1", *dates, "--json").stdout)
    assert again["started"] == [] and len(again["known"]) == 5
    result = call("schedules", "backfill", "w1", *dates)
    assert "--again" in result.stderr and "had its run" in result.stderr
    result = call("schedules", "backfill", "w1", *dates, "--again")
    assert result.stdout.count(": run ") == 5 and len(scheduled(store, "w1")) == 10


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("yesterday", "2026-01-01", "not a time"),
        ("2026-01-02", "2026-01-01", "before it begins"),
        ("2026-01-01", "2999-01-01", "passed"),
        ("2020-01-01T00:00Z", "2026-01-01", "more than 1000"),
    ],
)
def test_backfills_that_cannot_be(store: Store, call: Call, start: str, end: str, words: str) -> None:
    deploy_job(store, "0 * * * *", uid="w1")
    result = call("schedules", "backfill", "w1", "--from", start, "--to", end)
    assert result.exit_code == 2 and words in result.stderr
