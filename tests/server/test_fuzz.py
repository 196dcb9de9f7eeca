"""A few hundred made-up requests; `python tests/server/fuzz.py` sends many more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz import run


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing is left in this process."""


@pytest.mark.timeout(600)
def test_made_up_requests_get_what_the_document_says(tmp_path: Path) -> None:
    report = run(tmp_path, examples=300, random=1)
    assert report.examples > 200
    assert not report.failures, str(report)
    # They do get through to what there is.
    assert report.statuses[200] > 20
    assert report.statuses[201] > 0
