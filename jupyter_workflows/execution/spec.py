"""What an executor is given for one attempt, and what it gives back.

Both are plain data that survive JSON, so that an attempt can be executed in another process or on
another machine.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from jupyter_workflows.model.states import AttemptState


@dataclass(frozen=True, slots=True)
class Successor:
    """A stage that the executing one may name in `next_stage`."""

    path: str
    title: str
    each: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A hook that can come after the executing stage, and the address that calls it."""

    path: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class AttemptSpec:
    """Everything that one execution of a stage's notebook depends on.

    Parameters
    ----------
    notebook
        Absolute path of the source notebook, which is never written.
    project
        Absolute path of the project's root; it is put on the kernel's ``sys.path``.
    cwd
        Working directory of the kernel: the notebook's folder.
    folder
        The stage run's private folder: journals, drafts, blobs, executed notebooks. Created by the executor.
    output
        Absolute path of this attempt's executed copy.
    data
        Stage data that the stage run started with, in wire form (`jupyter_workflows.authoring.wire`).
    inputs
        For a stage run that joined: the data of each arrival in branch order, in wire form.
    failure
        For the target of a ``failed`` transition: ``{"stage", "name", "message", "cell"}``.
    artifacts
        URL or path of the artifact store that large values are read from.
    timeout
        Seconds of executing after which the attempt is interrupted, then killed. `None`: no limit.
    memory
        Bytes that the kernel may use. `None`: no limit.
    snapshot
        Folder of the deployment's snapshot, from which `project` is filled for this attempt alone. `None`:
        `project` is a working copy.
    live
        Seconds that a form waits for input from the person who has it open. 0: nobody has, and the form is
        parked where it needs an answer. A kernel of a live attempt takes connections.
    """

    run_id: str
    stage_run_id: str
    attempt: int
    workflow_uid: str
    workflow_title: str
    stage_id: str
    stage_path: str
    stage_title: str
    stage_type: str
    mode: str
    notebook: str
    project: str
    cwd: str
    folder: str
    output: str
    artifacts: str
    kernel: str | None = None
    timeout: float | None = None
    memory: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, Any]] | None = None
    failure: dict[str, Any] | None = None
    successors: list[Successor] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    request: dict[str, Any] | None = None
    answers: dict[str, Any] | list[dict[str, Any]] | None = None
    scheduled_time: str | None = None
    assignee: str | None = None
    user: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    snapshot: str | None = None
    live: float = 0

    def to_json(self) -> dict[str, Any]:
        """Return the specification as JSON-serialisable mapping."""
        successors = [_fields(successor) for successor in self.successors]
        callbacks = [_fields(callback) for callback in self.callbacks]
        return {**_fields(self), "successors": successors, "callbacks": callbacks}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AttemptSpec:
        """Build a specification from what `to_json` returned."""
        successors = [Successor(**item) for item in value.get("successors", [])]
        callbacks = [Callback(**item) for item in value.get("callbacks", [])]
        return cls(**{**value, "successors": successors, "callbacks": callbacks})


@dataclass(frozen=True, slots=True)
class AttemptError:
    """Why an attempt did not complete, in words for the person who reads it.

    Parameters
    ----------
    name
        The exception's class name, or one of ours (``StageTimeout``, ``KernelDied``, ``NoSuchKernel`` ...).
    cell
        Index of the cell in the *source* notebook, if one is to blame.
    retriable
        Whether automatic retries may try again.
    """

    name: str
    message: str
    cell: int | None = None
    retriable: bool = True
    traceback: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the error as JSON-serialisable mapping."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """How an attempt ended.

    Parameters
    ----------
    changes
        Keys that the stage set, in wire form. Artifacts in it already are in the artifact store.
    deleted
        Keys that the stage deleted.
    route
        The entries of `next_stage`, each ``{"stage"?: str, "data"?: wire mapping, "assignee"?: str}``;
        `None` when the notebook did not call it, an empty list when it ended the branch.
    response
        What `respond` answered: ``{"status", "headers", "body"...}``; `None` without.
    output
        The executed copy, if there is one.
    stand_in
        What stood in for executing the notebook, if it was not: pinned data, or an earlier execution.
    timings
        Seconds by phase (``load``, ``kernel``, ``cells``, ``record``, ``save`` ...), for benchmarks and logs.
    """

    state: AttemptState
    changes: dict[str, Any] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    route: list[dict[str, Any]] | None = None
    response: dict[str, Any] | None = None
    error: AttemptError | None = None
    output: str | None = None
    warnings: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    stand_in: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON-serialisable mapping."""
        return {**_fields(self), "error": self.error.to_json() if self.error else None}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AttemptOutcome:
        """Build an outcome from what `to_json` returned."""
        error = value.get("error")
        return cls(
            **{
                **value,
                "state": AttemptState(value["state"]),
                "error": AttemptError(**error) if error else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life from an attempt.

    Parameters
    ----------
    event
        ``"started"`` (kernel ready), ``"cell"`` (cell `cell` of `cells` begins), ``"message"``,
        ``"response"``: the notebook has answered the request, and goes on; of a live attempt also
        ``"connectable"``, with how to connect to its kernel.
    """

    stage_run_id: str
    attempt: int
    event: str
    cell: int | None = None
    cells: int | None = None
    message: str | None = None
    response: dict[str, Any] | None = None
    connection: dict[str, Any] | None = None


def _fields(instance: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as they are: `asdict` would copy all stage data, value by value."""
    return {one.name: getattr(instance, one.name) for one in dataclasses.fields(instance)}
