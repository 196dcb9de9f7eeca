"""Versions, what activating one does to hooks and schedules, secrets, and runs of the live version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from support.clock import Clock
from support.stores import document, linear, start, work

from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunMode, RunState
from jupyter_workflows.store import (
    Idempotency,
    IdempotencyConflict,
    NotFound,
    RunnerIdentity,
    Store,
    StoreError,
    WrongState,
    new_id,
)
from jupyter_workflows.store.deployment_records import Activated, NewDeployment
from jupyter_workflows.store.errors import SlugTaken
from jupyter_workflows.store.tables import documents, hook_secrets

HOOK = {"type": "hook", "auth": {"kind": "token"}}
DAILY = {"type": "job", "schedule": {"cron": "0 9 * * *", "timezone": "Europe/Berlin"}}


def deploy(store: Store, text: str, *, slug: str = "a-workflow", **fields: Any) -> Activated:
    new = NewDeployment(new_id(), text, slug, "0" * 64, 10, "/somewhere", **fields)
    return store.add_deployment(new, lambda folder: folder)


def with_hook(**stages: Mapping[str, Any]) -> str:
    return document({"call": HOOK, **stages})


def test_versions_count_up_and_the_newest_is_live(store: Store) -> None:
    first = deploy(store, linear(1), created_by="ada", note="first")
    second = deploy(store, linear(2))
    assert (first.deployment.version, second.deployment.version) == (1, 2)
    assert second.deployment.snapshot == "deployments/w1/2"
    assert second.workflow.live_deployment == second.deployment.id
    found = store.list_deployments("w1")
    assert [(one.version, one.live, one.created_by, one.note) for one in found] == [
        (2, True, None, None),
        (1, False, "ada", "first"),
    ]
    assert store.list_deployments("w1", before=2) == [found[1]]
    assert store.list_deployments() == found
    assert store.deployed_document(found[1]) == linear(1)
    assert store.get_deployment(first.deployment.id) == found[1]


def test_the_slug_is_frozen_and_belongs_to_one_workflow(store: Store) -> None:
    deploy(store, linear(1), slug="orders")
    again = deploy(store, linear(2), slug="another-title")
    assert again.workflow.slug == "orders"
    with pytest.raises(SlugTaken, match=r"'orders'.*--slug"):
        deploy(store, linear(1, uid="w2"), slug="orders")
    assert [workflow.slug for workflow in store.list_workflows()] == ["orders"]
    assert store.check_slug("w1", "anything") == "orders"
    assert store.get_workflow("orders") == store.get_workflow("w1")
    with pytest.raises(NotFound, match="no workflow w2 was ever deployed"):
        store.get_workflow("w2")
    deploy(store, linear(1, uid="w2"), slug="other")
    assert [workflow.slug for workflow in store.list_workflows(after="orders")] == ["other"]


def test_a_version_whose_snapshot_cannot_be_placed_changes_nothing(store: Store) -> None:
    deploy(store, with_hook())
    before = store.get_workflow("w1"), store.list_hooks("w1"), store.audit()

    def fail(folder: str) -> str:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        store.add_deployment(NewDeployment(new_id(), linear(1), "x", "0", 1, "/p"), fail)
    assert (store.get_workflow("w1"), store.list_hooks("w1"), store.audit()) == before
    assert deploy(store, linear(1)).deployment.version == 2


def test_several_deploy_at_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda number: deploy(store, linear(number)), range(1, 5)))
    versions = [one.deployment.version for one in made]
    assert sorted(versions) == [1, 2, 3, 4]
    assert store.get_workflow("w1").live_version == 4


def test_two_new_workflows_with_one_slug_at_once(store: Store) -> None:
    def attempt(uid: str) -> str:
        try:
            deploy(store, linear(1, uid=uid))
        except SlugTaken:
            return "taken"
        return "made"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(attempt, ["w1", "w2"])) == ["made", "taken"]
    assert len(store.list_workflows()) == 1


# -- hooks and their secrets ------------------------------------------------------------------------------


def test_hooks_are_those_of_the_live_version(store: Store) -> None:
    middle = {**HOOK, "auth": {"kind": "none"}, "match": {"order": "body.order"}, "response": "accept"}
    first = deploy(
        store,
        document(
            {"call": HOOK, "paid": middle, "off": {**HOOK, "disabled": True}},
            {"t": {"source": "call", "target": "paid"}},
        ),
    )
    call, paid = first.hooks
    assert (call.slug, call.path, call.entry, call.auth) == ("a-workflow", "call", True, "token")
    assert (call.methods, call.response, call.response_timeout, call.match) == (("POST",), "wait", 30, None)
    assert (paid.entry, paid.auth, paid.response, paid.match) == (
        False,
        "none",
        "accept",
        {"order": "body.order"},
    )
    assert store.find_hook("a-workflow", "paid") == paid
    second = deploy(store, linear(1))
    assert second.hooks == store.list_hooks("w1") == ()
    assert store.find_hook("a-workflow", "paid") is None
    back = store.activate("w1", by="ada")
    assert [hook.path for hook in back.hooks] == ["call", "paid"]
    assert {hook.deployment for hook in back.hooks} == {first.deployment.id}
    assert store.audit()[0].what == "rolled back"
    assert store.audit()[0].detail == {
        "version": 1,
        "deployment": first.deployment.id,
        "instead_of": 2,
    }


def test_secrets_are_made_once_and_only_the_hash_of_a_token_is_kept(store: Store) -> None:
    signed = {**HOOK, "auth": {"kind": "signature"}}
    first = deploy(store, with_hook(signed=signed), created_by="ada")
    token, signature = sorted(first.secrets, key=lambda secret: secret.stage)
    assert token.secret not in repr(token)
    assert signature.secret.startswith("whsec_")
    with store.database.read() as connection:
        kept = {row.stage: row.secret for row in connection.execute(select(hook_secrets))}
    assert kept == {
        "call": hashlib.sha256(token.secret.encode()).hexdigest(),
        "signed": signature.secret,
    }
    known = store.list_secrets("w1")
    assert [(one.stage, one.kind, one.created_by, one.expires_at) for one in known] == [
        ("call", "token", "ada", None),
        ("signed", "signature", "ada", None),
    ]
    assert token.secret.endswith(known[0].hint) and len(known[0].hint) == 4
    assert deploy(store, with_hook(signed=signed)).secrets == ()
    assert not any(token.secret in str(entry) or signature.secret in str(entry) for entry in store.audit())


def test_another_kind_of_proof_gets_a_secret_of_its_own(store: Store) -> None:
    deploy(store, with_hook())
    (made,) = deploy(store, document({"call": {**HOOK, "auth": {"kind": "signature"}}})).secrets
    assert made.kind == "signature"
    assert deploy(store, document({"call": {**HOOK, "auth": {"kind": "none"}}})).secrets == ()
    assert store.activate("w1", 1).secrets == ()  # the token is there still


def test_rotating_leaves_the_old_secret_valid_for_a_while(store: Store, clock: Clock) -> None:
    deploy(store, with_hook())
    (old,) = store.list_secrets("w1")
    new = store.rotate_secret("w1", "call", overlap=timedelta(hours=24), by="ada")
    assert new.secret and new.path == "call"
    newest, older = store.list_secrets("w1")
    assert (newest.id, newest.expires_at) == (new.id, None)
    assert older.id == old.id and older.expires_at is not None
    assert timedelta(hours=23) < older.expires_at - store.now() <= timedelta(hours=24)
    # Rotating again does not make it last longer.
    store.rotate_secret("w1", "call", overlap=timedelta(days=9))
    assert {one.id: one.expires_at for one in store.list_secrets("w1")}[old.id] == older.expires_at
    clock.pass_(hours=25)
    assert store.forget_expired_secrets() == 1
    assert old.id not in {one.id for one in store.list_secrets("w1")}


def test_rotating_without_overlap_and_revoking_end_a_secret_at_once(store: Store) -> None:
    deploy(store, with_hook())
    only = store.rotate_secret("w1", "call", overlap=timedelta())
    assert [one.id for one in store.list_secrets("w1")] == [only.id]
    assert store.revoke_secret("w1", only.id, by="ada").id == only.id
    assert store.list_secrets("w1") == []
    with pytest.raises(NotFound, match="no secret"):
        store.revoke_secret("w1", only.id)
    assert [entry.what for entry in store.audit()][:2] == ["revoked a hook's secret", "made a hook's secret"]
    # The next deployment sees that there is none.
    assert len(deploy(store, with_hook()).secrets) == 1


def test_only_hooks_with_secrets_can_be_rotated(store: Store) -> None:
    deploy(store, with_hook(open={**HOOK, "auth": {"kind": "none"}}))
    with pytest.raises(WrongState, match="open to everybody"):
        store.rotate_secret("w1", "open")
    with pytest.raises(NotFound, match=r"no hook 'b'.*call, open"):
        store.rotate_secret("w1", "b")


# -- schedules --------------------------------------------------------------------------------------------


def test_a_job_is_due_after_its_activation(store: Store) -> None:
    now = store.now()
    (job,) = deploy(store, document({"job": DAILY})).schedules
    assert job.active and now <= job.activated_at <= store.now()
    assert job.next_due is not None and job.last_due is None
    assert timedelta() < job.next_due - job.activated_at <= timedelta(hours=25)
    assert (job.cron, job.timezone, job.missed, job.overlap) == (
        "0 9 * * *",
        "Europe/Berlin",
        "latest",
        "skip",
    )


def test_a_job_that_stays_as_it_was_loses_no_due_time(store: Store, clock: Clock) -> None:
    (before,) = deploy(store, document({"job": DAILY})).schedules
    clock.pass_(days=2)  # nobody looked at the clock meanwhile
    renamed = {**DAILY, "path": "renamed", "schedule": {**DAILY["schedule"], "missed": "all"}}
    second = deploy(store, document({"job": renamed}))
    (after,) = second.schedules
    assert (after.next_due, after.activated_at) == (before.next_due, before.activated_at)
    assert (after.path, after.missed, after.deployment) == ("renamed", "all", second.deployment.id)


@pytest.mark.parametrize("change", [{"cron": "0 9 * * 1-5"}, {"timezone": "UTC"}])
def test_a_job_with_another_schedule_begins_anew(store: Store, clock: Clock, change: Any) -> None:
    deploy(store, document({"job": DAILY}))
    clock.pass_(days=2)
    other = {**DAILY, "schedule": {**DAILY["schedule"], **change}}
    for act in (lambda: deploy(store, document({"job": other})), lambda: store.activate("w1")):
        (job,) = act().schedules
        assert job.next_due is not None and job.next_due > job.activated_at
        assert abs(job.activated_at - store.now()) < timedelta(minutes=1)
        clock.pass_(days=2)


def test_a_job_that_a_rollback_brings_back_begins_anew(store: Store, clock: Clock) -> None:
    deploy(store, document({"job": DAILY}))
    assert deploy(store, document({"job": {**DAILY, "disabled": True}})).schedules == ()
    clock.pass_(days=3)
    (job,) = store.activate("w1").schedules
    assert job.next_due is not None and job.next_due > store.now()
    assert abs(job.activated_at - store.now()) < timedelta(minutes=1)


def test_pausing(store: Store, clock: Clock) -> None:
    deploy(store, document({"job": DAILY, "a": {}}))
    assert store.pause("w1", by="ada") and not store.pause("w1")
    assert store.get_workflow("w1").paused
    assert [job.active for job in store.schedules_of("w1")] == [False]
    with pytest.raises(WrongState, match=r"paused.*--resume"):
        store.start_deployed("w1", "a")
    clock.pass_(days=3)
    # A version that comes meanwhile rests as well.
    assert [job.active for job in deploy(store, document({"job": DAILY, "a": {}})).schedules] == [False]
    assert store.resume("w1", by="ada") and not store.resume("w1")
    (job,) = store.schedules_of("w1")
    assert job.active and job.next_due is not None and job.next_due > store.now()
    assert store.start_deployed("w1", "a")
    assert [entry.what for entry in store.audit()] == ["resumed", "deployed", "paused", "deployed"]


def test_a_schedule_that_cannot_be_read_deploys_nothing(store: Store) -> None:
    broken = {**DAILY, "schedule": {"cron": "61 * * * *"}}
    with pytest.raises(StoreError, match="schedule of 'job'"):
        deploy(store, document({"job": broken}))
    assert store.list_workflows() == []


# -- runs of the live version -----------------------------------------------------------------------------


def test_runs_follow_the_version_that_they_began_with(store: Store, runner: RunnerIdentity) -> None:
    first = deploy(store, linear(3))
    old = store.start_deployed("w1", "a", data=StageData({"x": 1}, {"x": None}), started_by="ada")
    second = deploy(store, linear(1))
    new = store.start_deployed("w1", "a")
    run = store.get_run_record(old)
    assert (run.mode, run.deployment, run.started_by) == (RunMode.LIVE, first.deployment.id, "ada")
    assert run.project == str(store.state_folder / "deployments/w1/1/project")
    assert store.get_run_record(new).deployment == second.deployment.id
    assert work(store, runner) == 4
    assert {store.get_run_record(one).state for one in (old, new)} == {RunState.COMPLETED}
    assert store.get_run(old).stage_runs[-1].data.values == {"x": 1}


def test_runs_that_start_while_versions_come_follow_one_of_them(store: Store) -> None:
    versions = {deploy(store, linear(1)).deployment.id: linear(1)}

    def make(number: int) -> None:
        made = deploy(store, linear(number)).deployment
        versions[made.id] = linear(number)

    with ThreadPoolExecutor(4) as threads:
        starts = [threads.submit(store.start_deployed, "w1", "a") for _ in range(20)]
        list(threads.map(make, range(2, 8)))
        runs = [start.result() for start in starts]
    for run in runs:
        followed = store.get_run_record(run).deployment
        assert followed is not None
        assert store.get_document(run) == versions[followed]


def test_only_what_is_live_can_be_started(store: Store) -> None:
    with pytest.raises(NotFound, match="never deployed"):
        store.start_deployed("w1", "a")
    deploy(store, document({"a": {}, "b": {"disabled": True}}))
    with pytest.raises(NotFound, match="no such stage"):
        store.start_deployed("w1", "c")
    with pytest.raises(WrongState, match="'b' is disabled"):
        store.start_deployed("w1", "b")


def test_a_known_key_gets_its_run_whatever_is_live_by_now(store: Store) -> None:
    deploy(store, with_hook())
    key = Idempotency("hook:w1:call", "k1", "body")
    run = store.start_deployed("w1", "call", request={"method": "POST"}, idempotency=key)
    deploy(store, linear(1))
    assert store.start_deployed("w1", "call", request={"method": "POST"}, idempotency=key) == run
    store.pause("w1")
    assert store.start_deployed("w1", "call", request={}, idempotency=key) == run
    with pytest.raises(IdempotencyConflict):
        store.start_deployed("w1", "call", idempotency=Idempotency("hook:w1:call", "k1", "other"))


# -- removing ---------------------------------------------------------------------------------------------


def test_what_is_live_or_has_runs_is_not_removed(store: Store, runner: RunnerIdentity) -> None:
    first = deploy(store, linear(1)).deployment
    run = store.start_deployed("w1", "a")
    second = deploy(store, linear(2)).deployment
    third = deploy(store, linear(3)).deployment
    for deployment, reason in ((first, "runs follow version 1"), (third, "version 3 is live")):
        with pytest.raises(WrongState, match=reason):
            store.forget_deployment(deployment)
    assert [one.version for one in store.removable_deployments(keep=1)] == [2]
    assert store.removable_deployments(keep=2) == []
    store.forget_deployment(second, by="ada")
    work(store, runner)
    assert store.retain(age=-1).runs == (run,)
    # The document of a version outlives the runs that followed it.
    assert store.deployed_document(first) == linear(1)
    store.forget_deployment(first)
    with store.database.read() as connection:
        assert list(connection.execute(select(documents.c.text)).scalars()) == [linear(3)]
    with pytest.raises(WrongState, match="no version before 3"):
        store.activate("w1")
    assert deploy(store, linear(1)).deployment.version == 4


def test_activating_what_is_not_there_or_live_already(store: Store) -> None:
    with pytest.raises(NotFound, match="never deployed"):
        store.activate("w1")
    deploy(store, linear(1))
    with pytest.raises(WrongState, match="version 1 is live already"):
        store.activate("w1", 1)
    with pytest.raises(NotFound, match="no version 7"):
        store.activate("w1", 7)
    deploy(store, linear(2))
    store.activate("w1", 1)
    assert store.activate("w1", 2).workflow.live_version == 2
    assert store.audit()[0].what == "activated"


def test_a_test_run_follows_no_deployment(store: Store) -> None:
    deploy(store, linear(1))
    assert store.get_run_record(start(store, linear(1))).deployment is None
