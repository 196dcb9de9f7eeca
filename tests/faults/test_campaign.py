"""A short campaign on each database; `python -m tests.faults` makes long ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.campaign import Campaign, Settings
from faults.invariants import between_intent_and_result, check
from faults.report import figures, text

KILLS = 30
SEED = int(os.environ.get("JUPYTER_WORKFLOWS_FAULTS_SEED", "0")) or int.from_bytes(os.urandom(4), "big")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Not below pytest's folders: the addresses of sockets are short.
    made = Path(tempfile.mkdtemp(prefix="jwc-", dir="/tmp"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(made / "own"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(made))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_done_twice_whatever_is_killed(
    database: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    print(f"seed {SEED}")
    url = f"sqlite:///{folder / 'state' / 'campaign.sqlite3'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    campaign = Campaign(folder, Settings(url, KILLS, SEED))
    try:
        done = campaign.run()
        anomalies = check(campaign)
        print(text(figures(campaign, anomalies)))
        assert not anomalies
        assert sum(done.by_victim().values()) == KILLS
        assert min(done.by_victim().values()) >= 5
        assert between_intent_and_result(campaign) > 0
    finally:
        campaign.close()
