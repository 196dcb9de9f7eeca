"""From a claim to the specification of an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jupyter_workflows.execution.spec import AttemptSpec, Callback, Successor
from jupyter_workflows.execution.workspace import workspace_folder
from jupyter_workflows.model.document import Document, load
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.units import parse_memory
from jupyter_workflows.store import Claim, Store, capabilities


@lru_cache(maxsize=64)
def parsed(text: str) -> Document:
    """Return a document; parsed once for all runs that follow it."""
    return load(text)


class SpecBuilder:
    """Builds the specifications of attempts.

    Parameters
    ----------
    environment
        Environment variables that every kernel gets on top of the runner's own.
    public_url
        Address of the server as callers see it, for callback addresses.
    """

    def __init__(self, store: Store, environment: Mapping[str, str], public_url: str | None = None) -> None:
        self._store = store
        self._public_url = public_url.rstrip("/") if public_url else None
        self._environment = dict(environment)

    def build(self, claim: Claim) -> AttemptSpec:
        """Return what the executor needs to know for one attempt."""
        graph = self._store.graph(claim)
        run, stage_run = claim.run, claim.stage_run
        stage = parsed(claim.document_text).stages[stage_run.stage]
        source = project = Path(run.project)
        folder = self._store.folder(run.id, stage_run.id)
        live = run.deployment is not None
        if live:
            # Nobody else works there, whatever else runs or was tried before.
            project = workspace_folder(folder, claim.attempt)
        inputs = stage_run.inputs
        return AttemptSpec(
            run_id=run.id,
            stage_run_id=stage_run.id,
            attempt=claim.attempt,
            workflow_uid=run.workflow_uid,
            workflow_title=run.title,
            stage_id=stage_run.stage,
            stage_path=stage.path,
            stage_title=stage.title or stage.path,
            stage_type=stage.type,
            mode=str(run.mode),
            notebook=str(source / stage.notebook),
            project=str(project),
            cwd=str((project / stage.notebook).parent),
            folder=str(folder),
            output=str(folder / f"executed-{claim.attempt}.ipynb"),
            artifacts=self._store.artifacts.url,
            kernel=stage.kernel,
            timeout=stage.timeout,
            memory=parse_memory(stage.memory) if stage.memory else None,
            data=dict(stage_run.data.values),
            inputs=list(inputs) if inputs is not None else None,
            failure=dict(stage_run.source_failure) if stage_run.source_failure else None,
            successors=_successors(graph, stage_run.stage),
            callbacks=self._callbacks(graph, claim),
            request=dict(claim.request) if claim.request is not None else None,
            answers=claim.answers,
            scheduled_time=run.scheduled_time.isoformat() if run.scheduled_time else None,
            assignee=stage_run.assignee,
            user=run.started_by,
            environment=self._environment,
            snapshot=str(source.parent) if live else None,
        )

    def _callbacks(self, graph: Graph, claim: Claim) -> list[Callback]:
        """Return the hooks that can come after a stage, each with the address that calls it.

        The key that signs addresses stays here: a kernel gets the addresses ready-made.
        """
        found = []
        for key in sorted(graph.reachable(claim.stage_run.stage), key=lambda key: graph.stages[key].path):
            stage = graph.stages[key]
            if stage.type != "hook" or stage.disabled:
                continue
            url = None
            if self._public_url is not None:
                address = capabilities.callback(self._store.address_key(), claim.id, stage.path)
                url = f"{self._public_url}/{address}"
            found.append(Callback(stage.path, stage.title or stage.path, url))
        return found


def _successors(graph: Graph, stage: str) -> list[Successor]:
    """Return the stages that `next_stage` may name, each once, in branch order."""
    found: dict[str, Successor] = {}
    for transition in graph.outgoing(stage, "completed"):
        target = graph.stages[transition.target]
        found.setdefault(target.path, Successor(target.path, target.title or target.path, transition.each))
    return list(found.values())
