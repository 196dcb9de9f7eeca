"""What callers of hooks are answered, when, and what becomes of their requests."""

from __future__ import annotations

from typing import Any


async def test_a_request_starts_a_run_and_is_answered_while_it_goes_on(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})

    async def answer(attempt: Any) -> dict[str, Any]:
        await attempt.respond('{"ok": true}', 201, {"Content-Type": "application/json", "X-Order": "7"})
        return {"seen": attempt.request["body"]}

    hooks.runner.behaviours["order"] = answer
    response = await hooks.post("order", json={"n": 1})
    assert response.status_code == 201
    assert response.json() == {"ok": True}
    assert response.headers["X-Order"] == "7"
    assert response.headers["Content-Security-Policy"].startswith("sandbox")
