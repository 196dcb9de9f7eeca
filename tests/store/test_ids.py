from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_workflows.store import ids
from jupyter_workflows.store.ids import new_id


def test_ids_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {len(one) for one in made} == {20}
    assert all((one.isalnum() and one.islower()) or one.isdigit() for one in made)


def test_threads_never_make_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [
            one for batch in pool.map(lambda _: [new_id() for _ in range(500)], range(8)) for one in batch
        ]
    assert len(set(made)) == len(made)


def test_a_clock_that_is_set_back_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_750_000_000_000_000_000)
    assert new_id() > before
