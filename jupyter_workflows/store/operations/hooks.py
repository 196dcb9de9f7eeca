"""Requests to hooks, and the answers to them."""

from __future__ import annotations

from collections.abc import Collection

from jupyter_workflows.model.document import HookStage
from jupyter_workflows.model.states import RunState

from .. import hook_calls, keys, tasks
from ..errors import NotFound, WrongState
from ..hook_calls import Hook, HookAnswer, HookCall, Received
from .base import StoreBase

#: Name of the key that signs addresses.
_ADDRESS_KEY = "addresses"
#: A stage run that somebody else was given meanwhile makes the search begin anew.
_TRIES = 4


class HookOperations(StoreBase):
    """What a server does with requests to hooks."""

    _address_key: bytes | None = None

    def hook_at(self, slug: str, path: str) -> Hook | None:
        """Return the live hook at an address, with the secrets that are valid now."""
        with self.database.read() as connection:
            found = hook_calls.find(connection, slug, path, self.database.now(connection))
            if found is None:
                return None
            row, known = found
            parsed = self._graphs.get(connection, row.document_hash)
        return Hook(hook_calls.record_of(row), row.paused, row.document_hash, row.snapshot, known, parsed)

    def hook_stage(self, origin: str, path: str) -> HookStage:
        """Return a hook of the document that a stage run's run follows.

        Raises
        ------
        NotFound
            There is no such stage run, or no such hook.
        """
        with self.database.read() as connection:
            parsed = self._parsed_of(connection, tasks.run_of(connection, origin))
        for stage in parsed.document.stages.values():
            if stage.path == path and stage.type == "hook":
                return stage
        raise NotFound(f"there is no hook {path!r}")

    def receive(self, hook: Hook, call: HookCall) -> Received:
        """Give a request to the stage run that waits for it, or start a run; durable when this returns.

        Raises
        ------
        IdempotencyConflict
            The key was used for another request.
        NobodyWaits, SeveralWait
            It is not clear whom the request is for.
        QueueFull
            Too much is queued.
        """
        project = str(self.state_folder / hook.snapshot / "project")
        for attempt in range(_TRIES):
            try:
                return self.database.transact(
                    lambda connection: hook_calls.receive(
                        connection, hook, call, project, self.database.now(connection)
                    )
                )
            except WrongState:  # another request was faster
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError

    def receive_callback(self, origin: str, name: str, call: HookCall) -> Received:
        """Take a request to a callback address; it is kept where nobody waits for it yet.

        Parameters
        ----------
        origin
            The stage run that gave the address out.
        name
            Path of the hook that it is for.

        Raises
        ------
        RunEnded
            The run has ended.
        WrongState
            The address was used for another request.
        """
        return self.database.transact(
            lambda connection: hook_calls.receive_callback(
                connection, origin, name, call, self.database.now(connection)
            )
        )

    def answers(self, stage_run_ids: Collection[str]) -> list[HookAnswer]:
        """Return those of the requests' answers that are there."""
        with self.database.read() as connection:
            return hook_calls.answers(connection, stage_run_ids)

    def answer(self, stage_run_id: str) -> tuple[HookAnswer, RunState]:
        """Return where a request stands, and the state of its run."""
        with self.database.read() as connection:
            return hook_calls.answer(connection, stage_run_id)

    def address_key(self) -> bytes:
        """Return the key that signs addresses; it is made when it is first asked for."""
        if self._address_key is None:
            with self.database.write() as connection:
                kept = keys.get(connection, _ADDRESS_KEY, self.database.now(connection))
            self._address_key = bytes.fromhex(kept)
        return self._address_key
