"""Sending mail about failures, to a real SMTP server."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from sqlalchemy import select
from support.schedules import deploy_job
from support.stores import document, fail, finish, start

from jupyter_workflows.model.records import Failure
from jupyter_workflows.runner.mail import Mailer
from jupyter_workflows.runner.smtp import VARIABLE, SmtpSettings
from jupyter_workflows.store import RunnerIdentity, Store, open_database
from jupyter_workflows.store.tables import outbox


class Inbox:
    """What the server was given, and how it answers."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.encrypted: list[bool] = []
        self.users: list[str] = []
        self.refuse: Callable[[str], str | None] = lambda address: None
        self.answer = "250 OK"
        self.on_data: Callable[[], None] = lambda: None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self.refuse(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.on_data()
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.messages.append(BytesParser(policy=default).parsebytes(content))  # type: ignore[arg-type]
            self.recipients.append(list(envelope.rcpt_tos))
            self.encrypted.append(session.ssl is not None)
        return self.answer

    def authenticate(
        self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        if (data.login, data.password) != (b"robot", b"p@ss:word/"):
            return AuthResult(success=False, handled=False)
        self.users.append(data.login.decode())
        return AuthResult(success=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return authority, file


@pytest.fixture
def tls(authority: tuple[trustme.CA, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority[0].issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def serve(inbox: Inbox) -> Iterator[Callable[..., str]]:
    """Start a server; returns its host and port."""
    started: list[Controller] = []

    def serve(**options: Any) -> str:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
        controller.start()
        started.append(controller)
        return f"localhost:{port}"

    yield serve
    for controller in started:
        controller.stop()


@pytest.fixture
def store(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(open_database(database_url), state=tmp_path_factory.mktemp("state"))
    yield store
    store.close()


@pytest.fixture
def runner(store: Store) -> RunnerIdentity:
    identity = RunnerIdentity.current()
    store.register_runner(identity)
    return identity


def failed_run(
    store: Store, runner: RunnerIdentity, address: str | None = "ada@example.org", **how: Any
) -> str:
    uid = deploy_job(store, address=address)
    run_id = store.run_job_now(uid, "job", by="grace")
    (claim,) = store.claim(runner, limit=1)
    fail(store, claim, how.get("failure") or Failure("ValueError", "the till does not add up", 1))
    return run_id


def settings(url: str) -> SmtpSettings:
    return SmtpSettings.from_url(url)


def deliver(store: Store, url: str | SmtpSettings | None, *, mailer: Mailer | None = None) -> int:
    async def work() -> int:
        nonlocal mailer
        if mailer is None:
            mailer = Mailer(store, asyncio.to_thread, settings(url) if isinstance(url, str) else url)
        sent = await mailer.deliver()
        await mailer.close()
        return sent

    return asyncio.run(work())


def entries(store: Store) -> list[Any]:
    with store.database.read() as connection:
        return list(connection.execute(select(outbox).order_by(outbox.c.id)))


def make_due(store: Store) -> None:
    """Let the time pass after which entries are tried again."""
    with store.database.write() as connection:
        connection.execute(outbox.update().values(due_at=outbox.c.created_at))


def test_the_owner_is_told_of_a_failure(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    run_id = failed_run(store, runner)
    url = f"smtp://{serve()}?from=workflows@example.org"
    assert deliver(store, url) == 1
    (message,) = inbox.messages
    assert inbox.recipients == [["ada@example.org"]]
    assert message["From"] == "workflows@example.org" and message["To"] == "ada@example.org"
    assert message["Subject"].startswith("Failed: Workflow ") and message["Subject"].endswith(", stage Job")
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None and html is not None
    for part in (text.get_content(), html.get_content()):
        assert "ValueError: the till does not add up (cell 2)" in part
        assert f"jupyter workflows runs show {run_id}" in part
        assert "Job (job)" in part and "grace" in part
    (entry,) = entries(store)
    assert entry.sent_at is not None and entry.error is None
    assert deliver(store, url) == 0 and len(inbox.messages) == 1


def test_the_stage_that_failed_is_named_not_the_one_that_ended_last(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    text = document(
        {"job": {"type": "job", "schedule": {"cron": "0 0 1 1 *"}}, "bad": {}, "good": {}},
        {"t1": {"source": "job", "target": "bad"}, "t2": {"source": "job", "target": "good"}},
        uid="branches",
    )
    store.run_job_now(deploy_job(store, uid="branches", document_text=text, address="a@b.org"), "job")
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim)
    claims = {claim.stage_run.path: claim for claim in store.claim(runner, limit=2)}
    fail(store, claims["bad"], Failure("OSError", "no <b>paper</b>\nleft & right", None))
    finish(store, claims["good"])
    assert deliver(store, f"smtp://{serve()}?from=w@b.org") == 1
    (message,) = inbox.messages
    assert message["Subject"] == "Failed: A workflow, stage Bad"
    html = message.get_body(("html",))
    assert html is not None and "no &lt;b&gt;paper&lt;/b&gt;\nleft &amp; right" in html.get_content().replace(
        "\r", ""
    )


def test_test_runs_mail_nobody(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    uid = deploy_job(store, address="ada@example.org")
    start(store, document({"a": {}}, uid=uid))
    (claim,) = store.claim(runner, limit=1)
    fail(store, claim)
    assert deliver(store, f"smtp://{serve()}?from=w@b.org") == 0
    assert inbox.messages == [] and entries(store) == []


def test_without_a_server_entries_stay_and_it_is_said_once(
    store: Store, runner: RunnerIdentity, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = Mailer(store, asyncio.to_thread, None)
    with caplog.at_level(logging.WARNING):
        asyncio.run(mailer.deliver())
        assert not caplog.records
        failed_run(store, runner)
        for _ in range(3):
            asyncio.run(mailer.deliver())
    (record,) = caplog.records
    assert VARIABLE in record.getMessage()
    (entry,) = entries(store)
    assert entry.sent_at is None and entry.attempts == 0


def test_starttls_and_a_password(
    store: Store,
    runner: RunnerIdentity,
    serve: Callable[..., str],
    inbox: Inbox,
    tls: ssl.SSLContext,
    authority: tuple[trustme.CA, Path],
) -> None:
    failed_run(store, runner)
    place = serve(
        tls_context=tls, require_starttls=True, authenticator=inbox.authenticate, auth_required=True
    )
    rest = f"{place}?from=w@b.org&starttls=1&ca={authority[1]}"
    wrong = deliver(store, f"smtp://robot:guess@{rest}")
    assert wrong == 0 and inbox.messages == []
    (entry,) = entries(store)
    assert entry.attempts == 0, "an entry is not blamed for a server that takes none"
    assert deliver(store, f"smtp://robot:p%40ss%3Aword%2F@{rest}") == 1
    assert inbox.encrypted == [True] and inbox.users == ["robot"]


def test_tls_from_the_first_byte(
    store: Store,
    runner: RunnerIdentity,
    serve: Callable[..., str],
    inbox: Inbox,
    tls: ssl.SSLContext,
    authority: tuple[trustme.CA, Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed_run(store, runner)
    place = serve(ssl_context=tls)
    assert deliver(store, f"smtps://{place}?from=w@b.org") == 0
    assert "certificate" in caplog.text
    assert deliver(store, f"smtps://{place}?from=w@b.org&ca={authority[1]}") == 1


def test_a_password_is_not_sent_in_the_clear(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    failed_run(store, runner)
    place = serve(authenticator=inbox.authenticate, auth_require_tls=False)
    assert deliver(store, f"smtp://robot:p%40ss%3Aword%2F@{place}?from=w@b.org&starttls=1") == 0
    assert inbox.users == []


def test_a_refused_recipient_is_recorded_and_not_tried_again(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    failed_run(store, runner, "nobody@example.org")
    failed_run(store, runner, "ada@example.org")
    inbox.refuse = lambda address: "550 no such person" if address.startswith("nobody") else None
    url = f"smtp://{serve()}?from=w@b.org"
    assert deliver(store, url) == 1
    refused, sent = entries(store)
    assert refused.sent_at is None and refused.error == "the recipient was refused: 550 no such person"
    assert sent.sent_at is not None
    inbox.refuse = lambda address: None
    assert deliver(store, url) == 0


def test_what_is_refused_for_now_is_tried_again(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    failed_run(store, runner)
    inbox.refuse = lambda address: "451 greylisted"
    url = f"smtp://{serve()}?from=w@b.org"
    assert deliver(store, url) == 0
    (entry,) = entries(store)
    assert entry.attempts == 1 and "451 greylisted" in entry.error and entry.due_at > entry.created_at
    inbox.refuse = lambda address: None
    assert deliver(store, url) == 0
    make_due(store)
    assert deliver(store, url) == 1
    assert entries(store)[0].error is None


def test_a_server_that_is_not_there_costs_no_attempt_and_has_a_rest(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox, caplog: Any
) -> None:
    failed_run(store, runner)
    mailer = Mailer(store, asyncio.to_thread, settings("smtp://localhost:1?from=w@b.org"))
    for _ in range(3):
        assert asyncio.run(mailer.deliver()) == 0
    assert caplog.text.count("no mail could be sent") == 1
    assert entries(store)[0].attempts == 0
    assert deliver(store, f"smtp://{serve()}?from=w@b.org") == 1


class Killed(BaseException):
    """The runner's end."""


def test_a_crash_between_sending_and_recording_repeats_the_same_message(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox, monkeypatch: Any
) -> None:
    failed_run(store, runner)
    url = f"smtp://{serve()}?from=w@b.org"

    def die(entry: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(store, "outbox_sent", die)
        with pytest.raises(Killed):
            deliver(store, url)
    assert len(inbox.messages) == 1
    # Nobody else sends it while it may be on its way.
    assert deliver(store, url) == 0
    make_due(store)
    assert deliver(store, url) == 1
    first, second = inbox.messages
    assert first["Message-ID"] == second["Message-ID"] and first["Date"] == second["Date"]
    assert deliver(store, url) == 0


def test_two_runners_send_each_mail_once(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    for _ in range(10):
        failed_run(store, runner)
    configured = settings(f"smtp://{serve()}?from=w@b.org")

    async def both() -> list[int]:
        mailers = [Mailer(store, asyncio.to_thread, configured) for _ in range(2)]
        sent = await asyncio.gather(*(mailer.deliver() for mailer in mailers))
        for mailer in mailers:
            await mailer.close()
        return list(sent)

    assert sum(asyncio.run(both())) == 10
    ids = [message["Message-ID"] for message in inbox.messages]
    assert len(ids) == len(set(ids)) == 10


def test_closing_finishes_the_message_and_leaves_the_others(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    for _ in range(3):
        failed_run(store, runner)
    configured = settings(f"smtp://{serve()}?from=w@b.org")

    async def work() -> None:
        mailer = Mailer(store, asyncio.to_thread, configured)
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        inbox.on_data = lambda: loop.call_soon_threadsafe(begun.set)  # type: ignore[assignment,return-value]
        task = asyncio.create_task(mailer.deliver())
        await begun.wait()
        await mailer.close()
        await task

    asyncio.run(work())
    assert 1 <= len(inbox.messages) <= 3
    assert len([entry for entry in entries(store) if entry.sent_at is not None]) == len(inbox.messages)


@pytest.mark.parametrize("address", [None, "not an address", "a@b.org\r\nBcc: all@b.org"])
def test_addresses_that_cannot_be_mailed(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox, address: str | None
) -> None:
    failed_run(store, runner, address)
    assert deliver(store, f"smtp://{serve()}?from=w@b.org") == 0
    (entry,) = entries(store)
    assert entry.sent_at is None and "address" in entry.error
    assert inbox.messages == []


def test_odd_titles_and_errors(
    store: Store, runner: RunnerIdentity, serve: Callable[..., str], inbox: Inbox
) -> None:
    stage = {"type": "job", "schedule": {"cron": "0 0 1 1 *"}, "title": "Zählen\r\nBcc: x@y.org"}
    text = document({"job": stage}, uid="odd", title="Kasse 💶 " + "long " * 60)
    store.run_job_now(deploy_job(store, uid="odd", document_text=text, address="ada@exämple.org"), "job")
    (claim,) = store.claim(runner, limit=1)
    fail(store, claim, Failure("Error", "a null \0 in it " + "x" * 5000, None))
    assert deliver(store, f"smtp://{serve()}?from=w@b.org") == 1
    (message,) = inbox.messages
    assert message["Bcc"] is None and message["Subject"].startswith("Failed: Kasse 💶 long")
    assert len(message["Subject"]) < 130
    assert inbox.recipients == [["ada@xn--exmple-cua.org"]]


# -- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail?from=a@b.org", ("mail", 25, "offered", None)),
        ("smtp://mail:587?from=a@b.org", ("mail", 587, "starttls", None)),
        ("smtp://mail?from=a@b.org&starttls=1", ("mail", 587, "starttls", None)),
        ("smtp://mail:25?from=a@b.org&starttls=0", ("mail", 25, "none", None)),
        ("smtp://u:p%40@mail?from=a@b.org", ("mail", 587, "starttls", "p@")),
        ("smtp://u:p@localhost?from=a@b.org", ("localhost", 25, "offered", "p")),
        ("smtps://u:p@mail?from=a%2Bw@b.org", ("mail", 465, "tls", "p")),
    ],
)
def test_urls(url: str, expected: tuple[Any, ...]) -> None:
    found = settings(url)
    assert (found.host, found.port, found.encryption, found.password) == expected
    assert "p@" not in repr(found)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mail.example.org", "smtp://HOST"),
        ("http://mail?from=a@b.org", "smtp://HOST"),
        ("smtp://mail", "from whom"),
        ("smtp://mail?from=nobody", "from"),
        ("smtp://mail?from=a@b.org&tls=1", "no parameter 'tls'"),
        ("smtp://mail?from=a@b.org&starttls=yes", "starttls"),
        ("smtps://mail?from=a@b.org&starttls=1", "smtps"),
        ("smtp://user@mail?from=a@b.org", "password"),
        ("smtp://mail:port?from=a@b.org", "ort"),
        ("smtp://mail?from=a@b.org&ca=/nowhere/ca.pem", "no file"),
        ("smtp://u:sesame@[::1?from=a@b.org", "URL"),
    ],
)
def test_urls_that_cannot_be_used(url: str, words: str) -> None:
    from jupyter_workflows.runner.errors import RunnerError

    with pytest.raises(RunnerError) as caught:
        settings(url)
    assert words in str(caught.value) and "sesame" not in str(caught.value)
    assert VARIABLE in caught.value.message and "smtp://USER:PASSWORD" in caught.value.mend


def test_the_password_does_not_stay_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "smtp://u:p@mail?from=a@b.org")
    found = SmtpSettings.take_from(os.environ)
    assert found is not None and found.password == "p"
    assert VARIABLE not in os.environ
    assert SmtpSettings.take_from(os.environ) is None
