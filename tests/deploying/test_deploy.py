"""Deploying: what is in a version, what is refused, and that it happens as a whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.projects import write_notebook, write_project

from jupyter_workflows.deploying import (
    DeployError,
    Deployment,
    activate,
    deploy,
    remove_versions,
    rollback,
    snapshot,
    sweep_snapshots,
    tidy,
)
from jupyter_workflows.deploying.folders import locked
from jupyter_workflows.execution.manifest import Manifest, read_manifest
from jupyter_workflows.execution.project import Project
from jupyter_workflows.execution.trees import clone
from jupyter_workflows.store import Store, WrongState, open_database
from jupyter_workflows.store.errors import SlugTaken

MIB = 1024 * 1024


def files_of(deployment: Deployment) -> dict[str, bytes]:
    root = deployment.snapshot / "project"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def state_of(store: Store) -> list[str]:
    """Return all that lies in the folder of snapshots, but for locks."""
    folder = store.state_folder / "deployments"
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*") if path.name != ".lock")


def edit(project: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = project / "test.workflow"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


# -- what is in a version ---------------------------------------------------------------------------------


def test_a_version_is_a_copy_that_the_working_copy_does_not_change(
    project: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    before = {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
    }
    made = deploy_it(project, note="first")
    (project / "helper.py").write_text("ANSWER = 0\n")
    shutil.rmtree(project / "stages")
    assert files_of(made) == before
    assert (made.version, made.slug, made.instead_of, made.secrets) == (1, "orders", None, ())
    assert made.record.project == str(project / "test.workflow")
    assert (made.record.created_by, made.record.note) == ("ada", "first")
    assert store.deployed_document(made.record) == before["test.workflow"].decode()
    manifest = read_manifest(made.snapshot)
    assert {file.path for file in manifest.files} == set(before)
    assert manifest.folders == ("data", "stages")
    assert (made.record.snapshot_hash, made.record.size) == (manifest.hash, manifest.size)
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_nobody_may_write_into_a_snapshot(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    (project / "run.sh").write_text("#!/bin/sh\n")
    (project / "run.sh").chmod(0o755)
    made = deploy_it(project)
    root = made.snapshot / "project"
    modes = {path.relative_to(root).as_posix(): path.stat().st_mode & 0o777 for path in root.rglob("*")}
    assert modes["helper.py"] == 0o444
    assert modes["run.sh"] == 0o555
    assert modes["data"] == root.stat().st_mode & 0o777 == 0o555


def test_the_same_project_has_the_same_hash(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    first, second = deploy_it(project), deploy_it(project)
    (project / "data" / "rates.csv").write_text("EUR,2\n")
    third = deploy_it(project)
    assert first.record.snapshot_hash == second.record.snapshot_hash != third.record.snapshot_hash
    assert (second.version, second.instead_of) == (2, 1)


def test_modules_are_compiled_for_all_attempts(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    (project / "broken.py").write_text("def\n")
    made = deploy_it(project)
    (bytecode,) = read_manifest(made.snapshot).bytecode
    assert bytecode == f"__pycache__/helper.{sys.implementation.cache_tag}.pyc"
    assert (made.snapshot / "project" / bytecode).is_file()


def test_names_in_any_script_and_links_are_deployed(
    project: Path, deploy_it: Callable[..., Deployment]
) -> None:
    (project / "Größe ☃ 1.csv").write_text("x")
    (project / "stages" / "data").symlink_to("../data")
    made = deploy_it(project)
    assert (made.snapshot / "project" / "Größe ☃ 1.csv").read_text() == "x"
    link = made.snapshot / "project" / "stages" / "data"
    assert str(link.readlink()) == "../data" and (link / "rates.csv").read_text() == "EUR,1\n"
    assert [(one.path, one.target) for one in read_manifest(made.snapshot).links] == [
        ("stages/data", "../data")
    ]


def test_a_large_file_is_said_and_shared_with_the_version_before(
    project: Path, deploy_it: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_WORTH_A_WORD", 2 * MIB)
    big = project / "model.bin"
    big.write_bytes(os.urandom(3 * MIB))
    said: list[str] = []
    first = deploy_it(project, on_progress=said.append)
    assert said == ["Copying model.bin (3.0 MiB)"]
    second = deploy_it(project)
    there = [one.snapshot / "project" / "model.bin" for one in (first, second)]
    assert there[1].read_bytes() == big.read_bytes()
    if not clone(big, project / "shares-blocks"):
        assert there[0].samefile(there[1])
    big.write_bytes(os.urandom(3 * MIB))
    third = deploy_it(project)
    assert (third.snapshot / "project" / "model.bin").read_bytes() == big.read_bytes()
    assert there[0].read_bytes() != big.read_bytes()


def test_a_file_that_keeps_changing_is_refused(
    project: Path, store: Store, deploy_it: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring = snapshot._Copier._bring

    def restless(copier: Any, source: Path, target: Path, length: int) -> Any:
        result = bring(copier, source, target, length)
        if source.name == "rates.csv":
            source.write_text(source.read_text() + "x")
        return result

    monkeypatch.setattr(snapshot._Copier, "_bring", restless)
    with pytest.raises(DeployError, match=r"data/rates\.csv changes while it is copied"):
        deploy_it(project)
    assert store.list_workflows() == [] and state_of(store) == []


def test_what_changes_after_the_check_is_checked_again(
    project: Path, store: Store, deploy_it: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = snapshot.take

    def late(*arguments: Any, **settings: Any) -> Any:
        (project / "stages" / "a.ipynb").write_text("{}")
        return take(*arguments, **settings)

    monkeypatch.setattr(snapshot, "take", late)
    with pytest.raises(DeployError) as caught:
        deploy_it(project)
    assert "invalid-notebook" in {finding.code for finding in caught.value.findings}
    assert state_of(store) == []


# -- whose workflow ---------------------------------------------------------------------------------------


def test_a_clone_makes_the_next_version_of_the_same_workflow(
    project: Path, tmp_path: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    deploy_it(project)
    shutil.copytree(project, tmp_path / "clone")
    made = deploy_it(tmp_path / "clone", by="bob")
    assert (made.version, made.record.created_by) == (2, "bob")
    assert [one.project for one in store.list_deployments(made.uid)] == [
        str(tmp_path / "clone" / "test.workflow"),
        str(project / "test.workflow"),
    ]


def test_the_slug_stays_when_the_title_changes(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    deploy_it(project)
    edit(project, lambda document: document.update(title="Something else"))
    made = deploy_it(project)
    assert (made.slug, made.workflow.title) == ("orders", "Something else")
    with pytest.raises(DeployError, match="keeps it"):
        deploy_it(project, slug="other")
    assert deploy_it(project, slug="orders").version == 3


def test_a_slug_belongs_to_one_workflow(
    project: Path, tmp_path: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    deploy_it(project)
    other = tmp_path / "other"
    write_project(other, {"a": {"cells": ["1"]}}, title="Orders!")
    (other / "requirements.txt").write_text("")
    with pytest.raises(SlugTaken, match=r"'orders'.*'Orders'.*--slug"):
        deploy_it(other)
    assert len(state_of(store)) == 1
    with pytest.raises(DeployError, match="small letters"):
        deploy_it(other, slug="No Slug")
    assert deploy_it(other, slug="other-orders").slug == "other-orders"


def test_a_title_without_letters_gets_a_slug(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    edit(project, lambda document: document.update(title="☃"))
    assert deploy_it(project).slug == "workflow"


# -- what is refused --------------------------------------------------------------------------------------


def refused(deploy_it: Callable[..., Deployment], project: Path, **settings: Any) -> dict[str, str]:
    with pytest.raises(DeployError) as caught:
        deploy_it(project, **settings)
    assert caught.value.mend and "live still" in caught.value.mend
    return {finding.code: finding.severity for finding in caught.value.findings}


def test_errors_of_the_check_are_refused(
    project: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    deploy_it(project)
    (project / "requirements.txt").unlink()
    (project / "stages" / "a.ipynb").unlink()
    (project / "out").symlink_to("/etc")
    found = refused(deploy_it, project)
    assert found == {
        "missing-notebook": "error",
        "no-requirements": "error",
        "link-outside-project": "error",
    }
    assert store.get_workflow("orders").live_version == 1
    assert len(state_of(store)) == 1


def test_warnings_are_put_up_with_unless_somebody_says_otherwise(
    project: Path, deploy_it: Callable[..., Deployment]
) -> None:
    write_notebook(project / "stages" / "a.ipynb", ["import numpy"])
    assert refused(deploy_it, project, allow_warnings=False) == {"package-not-required": "warning"}
    assert [finding.code for finding in deploy_it(project).findings] == ["package-not-required"]


def test_a_notebook_that_would_be_left_out_is_an_error(
    project: Path, deploy_it: Callable[..., Deployment]
) -> None:
    (project / "stages").rename(project / ".stages")
    edit(project, lambda document: document["stages"]["a"].update(notebook=".stages/a.ipynb"))
    assert refused(deploy_it, project)["notebook-left-out"] == "error"
    (project / ".workflowsignore").write_text("!/.stages/\n")
    assert deploy_it(project).version == 1


def test_a_module_that_is_left_out_is_missed(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    (project / ".workflowsignore").write_text("helper.py\n")
    assert [finding.code for finding in deploy_it(project).findings] == ["package-not-required"]


def test_a_workflow_without_stages_is_refused(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    edit(project, lambda document: document.update(stages={}))
    assert refused(deploy_it, project) == {"no-stages": "error"}


# -- all or nothing ---------------------------------------------------------------------------------------

#: Where a deployment is interrupted: what is called there.
STEPS = {
    "before the folder": "jupyter_workflows.deploying.snapshot:new_folder",
    "copying": "jupyter_workflows.deploying.snapshot:_Copier.copy",
    "compiling": "jupyter_workflows.deploying.snapshot:_compile",
    "before it is on the disk": "jupyter_workflows.deploying.snapshot:_to_disk",
    "sealing": "jupyter_workflows.deploying.snapshot:seal",
    "before the transaction": "jupyter_workflows.store:Store.add_deployment",
    "before it gets its place": "jupyter_workflows.deploying.folders:Place.__call__",
    "after it got its place": "jupyter_workflows.store.activation:get_deployment",
    "activating": "jupyter_workflows.store.activation:activate",
    "replacing hooks": "jupyter_workflows.store.activation:_replace_hooks",
    "replacing schedules": "jupyter_workflows.store.activation:_replace_schedules",
    "making secrets": "jupyter_workflows.store.hook_secrets:make_missing",
    "writing the audit entry": "jupyter_workflows.store.auditing:note",
}


def target_of(step: str) -> tuple[Any, str]:
    from importlib import import_module

    module, _, path = STEPS[step].partition(":")
    *outer, name = path.split(".")
    found: Any = import_module(module)
    for part in outer:
        found = getattr(found, part)
    return found, name


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_on_the_way_leaves_the_old_version_live(
    project: Path,
    store: Store,
    deploy_it: Callable[..., Deployment],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: BaseException,
) -> None:
    first = deploy_it(project)
    before = store.get_workflow("orders"), state_of(store), len(store.audit())

    def fail(*arguments: Any, **settings: Any) -> Any:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(*target_of(step), fail)
        expected = DeployError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(expected):
            deploy_it(project)
    assert (store.get_workflow("orders"), state_of(store), len(store.audit())) == before
    assert files_of(first)
    assert deploy_it(project).version == 2


def test_on_postgresql_it_is_all_or_nothing_as_well(
    project: Path, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(open_database(postgres_url), state=tmp_path / "shared")
    uid = deploy(store, Project.open(project), by="ada").uid

    def fail(*arguments: Any, **settings: Any) -> Any:
        raise KeyboardInterrupt

    for step in ("after it got its place", "replacing schedules", "writing the audit entry"):
        with monkeypatch.context() as patched:
            patched.setattr(*target_of(step), fail)
            with pytest.raises(KeyboardInterrupt):
                deploy(store, Project.open(project), by="ada")
        assert state_of(store) == [f"{uid}/1"]
    made = deploy(store, Project.open(project), by="ada")
    assert (made.version, rollback(store, uid).version) == (2, 1)
    assert files_of(made)
    store.close()


def die_at(step: str, url: str, project: Path, *, after: bool) -> int:
    """Deploy in a process that ends at a step, and return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        owner, name = target_of(step)
        function = getattr(owner, name)

        def die(*arguments: Any, **settings: Any) -> None:
            if after:
                function(*arguments, **settings)
            os._exit(9)

        setattr(owner, name, die)
        deploy(Store(open_database(url)), Project.open(project), by="ada")
    except BaseException:
        code = 2
    finally:
        os._exit(code)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_dies_on_the_way_leaves_the_old_version_live(
    project: Path,
    tmp_path: Path,
    store: Store,
    deploy_it: Callable[..., Deployment],
    step: str,
    after: bool,
) -> None:
    first = deploy_it(project)
    committed = step == "before the transaction" and after
    before = store.get_workflow("orders")
    url = f"sqlite:///{tmp_path / 'state' / 'workflows.sqlite3'}"
    assert die_at(step, url, project, after=after) == 9
    if committed:
        assert store.get_workflow("orders").live_version == 2
    else:
        assert store.get_workflow("orders") == before
    assert files_of(first)
    # What it left is removed by the next deployment, or by a sweep.
    sweep_snapshots(store)
    known = {one.snapshot.removeprefix("deployments/") for one in store.list_deployments()}
    assert set(state_of(store)) == known
    made = deploy_it(project)
    assert made.version == (3 if committed else 2)
    assert files_of(made) == files_of(first)


def test_the_next_deployment_removes_what_a_crash_left(
    project: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    first = deploy_it(project)
    folder = first.snapshot.parent
    shutil.copytree(first.snapshot, folder / "2")
    (folder / ".new-abc" / "project").mkdir(parents=True)
    (folder / ".new-abc" / "project").chmod(0o555)
    second = deploy_it(project)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "1", "2"]
    assert json.loads((second.snapshot / "deployment.json").read_text())["deployment"] == second.id


def test_another_database_in_the_same_folder_keeps_its_snapshots(
    project: Path, tmp_path: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    first = deploy_it(project)
    other = Store(open_database(f"sqlite:///{tmp_path / 'state' / 'other.sqlite3'}"))
    second = deploy(other, Project.open(project), by="bob")
    assert first.version == second.version == 1
    assert first.snapshot != second.snapshot
    assert sweep_snapshots(store) == sweep_snapshots(other) == 0
    deploy_it(project)
    assert files_of(first) == files_of(second)
    other.close()


def test_one_deployment_of_a_workflow_at_a_time(
    project: Path, store: Store, deploy_it: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deploy_it(project)
    from jupyter_workflows.deploying import deploy as module

    monkeypatch.setattr(
        sys.modules["jupyter_workflows.deploying.deploy"],
        "locked",
        lambda store, uid: locked(store, uid, patience=0),
    )
    assert module is deploy
    with locked(store, made.uid), pytest.raises(DeployError, match="Another process is deploying"):
        deploy_it(project)
    assert deploy_it(project).version == 2


# -- going back -------------------------------------------------------------------------------------------


def test_rolling_back(project: Path, store: Store, deploy_it: Callable[..., Deployment]) -> None:
    uid = deploy_it(project).uid
    with pytest.raises(WrongState, match="no version before 1"):
        rollback(store, uid)
    for _ in range(2):
        deploy_it(project)
    back = rollback(store, uid, by="bob")
    assert (back.version, back.instead_of) == (2, 3)
    assert rollback(store, uid, 1).version == 1
    with pytest.raises(WrongState, match="version 3 is newer than version 1"):
        rollback(store, uid, 3)
    assert activate(store, uid, 3).version == 3
    # Numbers go on; what was live in between does not matter.
    assert deploy_it(project).version == 4


def test_a_version_whose_snapshot_is_gone_is_not_activated(
    project: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    first = deploy_it(project)
    deploy_it(project)
    (first.snapshot / "manifest.json").unlink()
    with pytest.raises(DeployError, match="snapshot of version 1 is not there any more"):
        rollback(store, first.uid)
    assert store.get_workflow("orders").live_version == 2


def test_old_versions_can_be_removed_although_they_are_read_only(
    project: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    made = [deploy_it(project) for _ in range(4)]
    rollback(store, made[0].uid, 1)
    removed = remove_versions(store, keep=1)
    assert sorted(one.version for one in removed) == [2, 3]
    assert [one.snapshot.exists() for one in made] == [True, False, False, True]


def test_tidying_removes_leavings_and_keeps_versions_unless_told(
    project: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    edit(project, lambda document: document["stages"]["a"].update(type="hook"))
    made = [deploy_it(project) for _ in range(3)]
    store.rotate_secret(made[0].uid, "a", overlap=timedelta(microseconds=1))
    (made[0].snapshot.parent / ".new-abc").mkdir()
    tidy(store)
    assert state_of(store) == [f"{made[0].uid}/{version}" for version in (1, 2, 3)]
    assert len(store.list_secrets(made[0].uid)) == 1
    run = store.start_deployed(made[0].uid, "a", request={})
    tidy(store, keep=0)
    assert state_of(store) == [f"{made[0].uid}/3"]
    assert store.get_run_record(run).deployment == made[2].id


def test_read_only_folders_go_without_privileges(project: Path, deploy_it: Callable[..., Deployment]) -> None:
    made = deploy_it(project)
    with tempfile.TemporaryDirectory() as folder:
        mine = Path(folder) / "mine"
        shutil.copytree(made.snapshot, mine, symlinks=True)
        if os.geteuid() == 0:
            for path in [mine.parent, *mine.rglob("*"), mine]:
                os.chown(path, 65534, 65534)
        script = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from jupyter_workflows.execution.trees import remove_tree\n"
            "if os.geteuid() == 0:\n"
            "    os.setgid(65534); os.setuid(65534)\n"
            "sys.exit(0 if remove_tree(Path(sys.argv[1])) else 1)\n"
        )
        done = subprocess.run([sys.executable, "-c", script, str(mine)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not mine.exists()
