"""A server's runs and tasks, asked over HTTP, with the methods of the store that the commands use."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import AttemptState, RunMode, RunState, StageRunState
from jupyter_workflows.store.records import (
    AttemptRecord,
    RunDetails,
    RunFilter,
    RunPage,
    RunRecord,
    StageRunRecord,
    Task,
    TaskFilter,
    TaskPage,
)

from .errors import CliError

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", ""})
#: What one request gets at most.
_PAGE = 200
_PATIENCE = 60.0
#: Seconds that a server may take to copy a project, and to see it on its disk.
_SENDING = 600.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leads nowhere else: the token is for the named server alone."""

    def redirect_request(self, *arguments: Any, **settings: Any) -> None:
        return None


class RemoteStore:
    """Runs and tasks of a server.

    Parameters
    ----------
    url
        The server's address, as a browser shows it; it may carry the token.
    token
        `None`: the one in the address, or that of a server that runs on this machine.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        try:
            parts = urllib.parse.urlsplit(url if "//" in url else f"http://{url}")
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise CliError(f"{url!r} is not the address of a server", "Write --server http://localhost:8888/")
        given = urllib.parse.parse_qs(parts.query).get("token", [None])[0]
        path = parts.path.partition("/lab")[0].partition("/tree")[0].rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc}{path}/"
        self._token = token or given or find_token(self.url)
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._runs: dict[str, str] = {}

    def close(self) -> None:
        """Nothing is kept open."""

    # -- what the commands ask of a store -----------------------------------------------------------------

    def list_runs(
        self, wanted: RunFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> RunPage:
        """Return a page of runs, the newest first."""
        wanted = wanted or RunFilter()
        query = {
            "workflow": wanted.workflow_uid,
            "state": [str(state) for state in wanted.states],
            "mode": wanted.mode,
            "text": wanted.text,
        }
        found, cursor = self._pages("runs", query, cursor, limit)
        return RunPage(tuple(_run(run) for run in found), cursor)

    def get_run(self, run_id: str, *, data: bool = True) -> RunDetails:
        """Return a run with its stage runs and their attempts, without data."""
        found = self._ask("GET", f"runs/{run_id}")
        stage_runs = tuple(_stage_run(stage, found) for stage in found["stages"])
        self._runs.update(dict.fromkeys((stage_run.id for stage_run in stage_runs), run_id))
        attempts = {
            stage["id"]: tuple(_attempt(attempt, stage["id"], run_id) for attempt in stage["attempts"])
            for stage in found["stages"]
        }
        return RunDetails(_run(found), stage_runs, attempts)

    def list_tasks(
        self, wanted: TaskFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> TaskPage:
        """Return a page of tasks, the oldest first."""
        wanted = wanted or TaskFilter()
        query = {
            "assignee": list(wanted.assignees or ()),
            "workflow": wanted.workflow_uid,
            "run": wanted.run_id,
            "path": wanted.path,
            "mode": wanted.mode,
            "type": list(wanted.types),
        }
        found, cursor = self._pages("tasks", query, cursor, limit)
        return TaskPage(tuple(_task(task) for task in found), cursor)

    def cancel_run(self, run_id: str, *, by: str | None = None) -> bool:
        """Cancel a run; who does it, the server knows."""
        return bool(self._ask("POST", f"runs/{run_id}/cancel")["cancelled"])

    def retry_stage_run(
        self, stage_run_id: str, *, once: Mapping[str, str] | None = None, by: str | None = None
    ) -> None:
        """Try a stage run of a run that was shown before again."""
        resolved = {
            key: "again" if how == "again" else {"done": json.loads(how.removeprefix("done:"))}
            for key, how in (once or {}).items()
        }
        body = {"stage_runs": [stage_run_id], "once": resolved}
        self._ask("POST", f"runs/{self._runs[stage_run_id]}/retry", body)

    def report(self, run_id: str) -> dict[str, Any]:
        """Return what a run came to."""
        found: dict[str, Any] = self._ask("GET", f"runs/{run_id}/report")
        return found

    def printed(self, stage_run: StageRunRecord, attempt: AttemptRecord) -> list[tuple[int, str]]:
        """Return what an attempt's notebook printed, cell by cell."""
        path = f"runs/{stage_run.run_id}/stages/{stage_run.id}/attempts/{attempt.number}/log"
        return [(cell["cell"], cell["text"]) for cell in self._ask("GET", path)["cells"]]

    def deploy(self, archive: IO[bytes], size: int, query: Mapping[str, Any]) -> dict[str, Any]:
        """Have a project deployed that comes as an archive."""
        headers = {"Content-Type": "application/gzip", "Content-Length": str(size)}
        path = f"deployments/upload?{_encoded(query)}"
        found: dict[str, Any] = self._send("POST", path, archive, headers, _SENDING)
        return found

    # -- asking -------------------------------------------------------------------------------------------

    def _pages(
        self, path: str, query: Mapping[str, Any], cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        found: list[dict[str, Any]] = []
        while True:
            wanted = {**query, "cursor": cursor, "limit": min(limit - len(found), _PAGE)}
            page = self._ask("GET", f"{path}?{_encoded(wanted)}")
            found += page[path]
            cursor = page["cursor"]
            if cursor is None or len(found) >= limit:
                return found, cursor

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {}
        content = None
        if method == "POST":
            content = b"" if body is None else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return self._send(method, path, content, headers)

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | IO[bytes] | None,
        headers: Mapping[str, str],
        patience: float = _PATIENCE,
    ) -> Any:
        headers = {"Accept": "application/json", **headers}
        if self._token:
            headers["Authorization"] = f"token {self._token}"
        request = urllib.request.Request(f"{self.url}workflows/api/{path}", content, headers, method=method)
        try:
            with self._opener.open(request, timeout=patience) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise CliError(
                f"The server {self.url} cannot be reached: {reason}",
                "See whether it runs, and whether this is its address",
                code="server-unreachable",
            ) from None
        except ValueError:
            raise self._stranger() from None

    def _refusal(self, error: urllib.error.HTTPError) -> CliError:
        """Return what the server's answer says, as an error of the command."""
        if error.headers.get_content_type() != "application/problem+json":
            return self._stranger(error.code)
        try:
            problem = json.loads(error.read())
        except ValueError:
            return self._stranger(error.code)
        code = str(problem.get("code", "server-error"))
        if code == "not-signed-in":
            return CliError(
                f"The server {self.url} wants its token"
                if not self._token
                else f"The server {self.url} does not know this token",
                "Write --token TOKEN, or set JUPYTER_WORKFLOWS_TOKEN; `jupyter server list` shows tokens",
                code=code,
            )
        details = {name: problem[name] for name in ("errors", "choices", "findings") if name in problem}
        reasons = [f"{one['field']}: {one['message']}" for one in problem.get("errors", ())]
        message = str(problem.get("detail") or "; ".join(reasons) or problem.get("title"))
        return CliError(message, str(problem.get("mend") or ""), code=code, details=details)

    def _stranger(self, status: int | None = None) -> CliError:
        what = f" (it answers {status})" if status else ""
        return CliError(
            f"{self.url} is not the address of a server with Jupyter Workflows{what}",
            "Name the server's address with its base URL, as in http://localhost:8888/",
            code="no-such-server",
        )


def find_token(url: str) -> str | None:
    """Return the token of a server that this user runs on this machine at an address."""
    from jupyter_core.paths import jupyter_runtime_dir

    wanted = _place(url)
    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if _place(str(server.get("url", ""))) == wanted and server.get("token"):
            return str(server["token"])
    return None


def _place(url: str) -> tuple[str, int | None, str]:
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return ("localhost" if host in _LOCAL else host, port, parts.path.rstrip("/"))


def _encoded(query: Mapping[str, Any]) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        values: Iterable[Any] = value if isinstance(value, list) else () if value is None else (value,)
        pairs += [(name, str(one)) for one in values]
    return urllib.parse.urlencode(pairs)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _run(found: Mapping[str, Any]) -> RunRecord:
    return RunRecord(
        id=found["id"],
        workflow_uid=found["workflow"],
        title=found["title"],
        document_hash="",
        project=found["project"],
        mode=RunMode(found["mode"]),
        state=RunState(found["state"]),
        entry_stage=found["entry"],
        started_by=found["started_by"],
        owner=None,
        parent=found["parent"],
        scheduled_time=_time(found["scheduled_time"]),
        created_at=_when(found["created_at"]),
        ended_at=_time(found["ended_at"]),
        cancelled_by=found["cancelled_by"],
        total=found["stage_runs"],
        deployment=found["deployment"],
    )


def _stage_run(found: Mapping[str, Any], run: Mapping[str, Any]) -> StageRunRecord:
    attempts = found["attempts"]
    return StageRunRecord(
        id=found["id"],
        run_id=run["id"],
        workflow_uid=run["workflow"],
        stage=found["stage"],
        path=found["path"],
        title=found["title"],
        type=found["type"],
        pool=None,
        state=StageRunState(found["state"]),
        key=tuple(found["key"]),
        sequence=found["sequence"],
        transition=found["transition"],
        handled=found["handled"],
        attempt=attempts[-1]["attempt"] if attempts else 0,
        failures=found["failures"],
        lost=0,
        due_at=_time(found["due_at"]),
        created_at=_when(found["created_at"]),
        started_at=_time(found["started_at"]),
        ended_at=_time(found["ended_at"]),
        runner=None,
        assignee=found["assignee"],
        deadline=_time(found["deadline"]),
        remind_at=None,
        expires_at=_time(found["expires_at"]),
        scope={},
        parents=tuple(found["parents"]),
        failure=found["error"],
        source_failure=None,
        conflicts=found["conflicts"],
        data=StageData(),
        result=None,
        inputs=None,
        response=None,
        opened_by=found["opened_by"],
    )


def _attempt(found: Mapping[str, Any], stage_run_id: str, run_id: str) -> AttemptRecord:
    return AttemptRecord(
        stage_run_id=stage_run_id,
        number=found["attempt"],
        run_id=run_id,
        state=AttemptState(found["state"]),
        runner=None,
        started_at=_when(found["started_at"]),
        ended_at=_time(found["ended_at"]),
        output=found["notebook"],
        error=found["error"],
        warnings=list(found["warnings"]),
        timings=dict(found["timings"]),
    )


def _task(found: Mapping[str, Any]) -> Task:
    return Task(
        id=found["id"],
        run_id=found["run"],
        workflow_uid=found["workflow"],
        workflow_title=found["workflow_title"],
        mode=RunMode(found["mode"]),
        stage=found["stage"],
        path=found["path"],
        title=found["title"],
        type=found["type"],
        state=StageRunState(found["state"]),
        assignee=found["assignee"],
        started_by=found["started_by"],
        opened_by=found["opened_by"],
        created_at=_when(found["created_at"]),
        deadline=_time(found["deadline"]),
        expires_at=_time(found["expires_at"]),
        attempt=found["attempt"],
    )
