"""Deploying a project that comes with the request."""

from __future__ import annotations

import asyncio
import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from jupyter_workflows.deploying.archive import pack
from jupyter_workflows.execution.project import Project
from jupyter_workflows.server.app import WorkflowsApp
from jupyter_workflows.store import Store

from .conftest import Reply

TYPE = {"Content-Type": "application/gzip"}
NAME = "two.workflow"


def packed(project: Path) -> bytes:
    """Return a project as an archive."""
    stream = io.BytesIO()
    pack(Project.open(project), stream)
    return stream.getvalue()


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return an archive of any members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return the head of a member."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def route(**query: str) -> str:
    """Return the address for a document."""
    return "deployments/upload?" + "&".join(
        f"{name}={value}" for name, value in {"document": NAME, **query}.items()
    )


@pytest.fixture
def address(jp_http_port: int, jp_base_url: str) -> str:
    """Where the routes are."""
    return f"http://localhost:{jp_http_port}{jp_base_url}workflows/api/"


def left(store: Store) -> list[Path]:
    """Return what is left of uploads."""
    folder = store.state_folder / "uploads"
    return list(folder.iterdir()) if folder.exists() else []


async def test_a_project_is_sent_and_deployed(api: Any, store: Store, project: Path) -> None:
    (project.parent / "tool.sh").write_text("#!/bin/sh\n")
    (project.parent / "tool.sh").chmod(0o755)
    (project.parent / "data").mkdir()
    (project.parent / "data" / "latest.csv").symlink_to("../requirements.txt")
    (project.parent / ".keep").write_text("kept")
    (project.parent / "draft.txt").write_text("left out")
    (project.parent / ".workflowsignore").write_text("draft.txt\n!.keep\n")
    here = await api.post("deployments", {"path": f"project/{NAME}"}, status=201)
    reply = await api(
        "POST", route(note="from afar", origin="laptop:/x"), packed(project), headers=dict(TYPE)
    )
    assert reply.status == 201, reply.body
    made = reply.json
    assert reply.headers["Location"].endswith(f"/workflows/api/deployments/{made['id']}")
    assert (made["version"], made["live"], made["note"]) == (2, True, "from afar")
    assert made["project"] == "laptop:/x"
    # The very same files as if it had been deployed here.
    assert made["hash"] == here["hash"]
    folder = store.snapshot_folder(store.get_deployment(made["id"])) / "project"
    assert (folder / "tool.sh").stat().st_mode & 0o111
    assert (folder / "data" / "latest.csv").is_symlink()
    assert (folder / ".keep").read_text() == "kept"
    assert not (folder / "draft.txt").exists()
    await _until_gone(store)


async def _until_gone(store: Store) -> None:
    async with asyncio.timeout(20):
        while left(store):
            await asyncio.sleep(0.01)


async def test_what_the_check_finds_is_said(api: Any, store: Store, project: Path) -> None:
    (project.parent / "requirements.txt").unlink()
    reply = await api("POST", route(), packed(project), headers=dict(TYPE))
    found = reply.problem(422, "invalid-workflow")
    assert "no-requirements" in [finding["code"] for finding in found["findings"]]
    assert str(store.state_folder) not in reply.body.decode()
    assert (await api.get("deployments"))["deployments"] == []
    await _until_gone(store)


WRONG = {
    "no archive": b"PK\x03\x04 something else",
    "no tar": gzip.compress(b"hello" * 1000),
    "above": archive((member("../evil"), b"x")),
    "absolute": archive((member("/tmp/evil"), b"x")),
    "inner dots": archive((member("a/../../evil"), b"x")),
    "a device": archive((member("null", tarfile.CHRTYPE), b"")),
    "a hard link": archive((member("x", tarfile.LNKTYPE, "/etc/passwd"), b"")),
    "twice": archive((member("x"), b"1"), (member("./x"), b"2")),
    "a link out": archive((member("x", tarfile.SYMTYPE, "../../etc"), b"")),
    "an absolute link": archive((member("x", tarfile.SYMTYPE, "/etc"), b"")),
    "a file in a file": archive((member("x"), b"1"), (member("x/y"), b"2")),
    "through a link": archive((member("x", tarfile.SYMTYPE, "y"), b""), (member("x/z"), b"2")),
    "the document is a link": archive((member(NAME, tarfile.SYMTYPE, "x"), b""), (member("x"), b"{}")),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG.keys())
async def test_what_is_no_project_is_refused(api: Any, store: Store, content: bytes) -> None:
    reply = await api("POST", route(), content, headers=dict(TYPE))
    reply.problem(422, "invalid-archive")
    assert str(store.state_folder) not in reply.body.decode()
    assert (await api.get("deployments"))["deployments"] == []
    await _until_gone(store)


async def test_an_archive_that_is_cut_off_is_refused(api: Any, store: Store, project: Path) -> None:
    (project.parent / "large").write_bytes(bytes(range(256)) * 4000)
    whole = packed(project)
    plain = gzip.decompress(whole)
    # In the middle of a file, before the sum at the end, and where a file ends, as if there were no more.
    between = gzip.compress(plain[: plain.index(b"large") + 512 + 256 * 4000])
    for length in (len(whole) // 2, len(whole) - 12):
        (await api("POST", route(), whole[:length], headers=dict(TYPE))).problem(422, "invalid-archive")
    (await api("POST", route(), between, headers=dict(TYPE))).problem(422, "invalid-archive")
    await _until_gone(store)


async def test_an_archive_without_the_document_is_refused(api: Any, store: Store) -> None:
    reply = await api("POST", route(), archive((member("x"), b"1")), headers=dict(TYPE))
    assert reply.status == 422, reply.body
    assert str(store.state_folder) not in reply.body.decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "document"),
        ("document=a/b.workflow", "document"),
        ("document=..", "document"),
        (f"document={NAME}&slug=No", "slug"),
        (f"document={NAME}&allow_warnings=perhaps", "allow_warnings"),
        (f"document={NAME}&force=1", "force"),
    ],
)
async def test_a_wrong_query_is_refused_by_field(api: Any, project: Path, query: str, field: str) -> None:
    reply = await api("POST", f"deployments/upload?{query}", packed(project), headers=dict(TYPE))
    found = reply.problem(400, "invalid-request")
    assert [error["field"] for error in found["errors"]] == [field]


async def test_other_types_and_no_body_are_refused(api: Any, store: Store) -> None:
    (await api("POST", route(), b"{}", headers={"Content-Type": "application/json"})).problem(
        415, "wrong-content-type"
    )
    (await api("POST", route(), b"", headers=dict(TYPE))).problem(422, "invalid-archive")
    await _until_gone(store)


@pytest.mark.parametrize("chunked", [False, True])
async def test_what_is_too_large_is_refused(
    api: Any,
    store: Store,
    workflows_app: WorkflowsApp,
    project: Path,
    address: str,
    jp_auth_header: dict[str, str],
    chunked: bool,
) -> None:
    workflows_app.deploy_largest_upload = 1000
    content = packed(project) + bytes(300_000)

    async def produce(write: Any) -> None:
        for start in range(0, len(content), 50_000):
            await write(content[start : start + 50_000])

    sent = {"body_producer": produce} if chunked else {"body": content}
    response = await AsyncHTTPClient().fetch(
        f"{address}{route()}", method="POST", headers={**TYPE, **jp_auth_header}, raise_error=False, **sent
    )
    Reply(response.code, response.headers, response.body).problem(413, "body-too-large")
    assert (await api.get("deployments"))["deployments"] == []
    await _until_gone(store)


async def test_nothing_is_kept_of_strangers(api: Any, store: Store, project: Path, address: str) -> None:
    headers = {**TYPE, "Authorization": "token wrong"}
    response = await AsyncHTTPClient().fetch(
        f"{address}{route()}", method="POST", body=packed(project), headers=headers, raise_error=False
    )
    assert response.code == 403
    assert not (store.state_folder / "uploads").exists()
