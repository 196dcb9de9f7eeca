"""Sending what lies in the outbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any

from jupyter_workflows.model.states import RunMode
from jupyter_workflows.store import NotFound, OutboxEntry, Store

from .letters import KINDS, failure_letter
from .periodic import steady_seconds
from .smtp import VARIABLE, NotNow, Refused, SmtpSettings, connected

log = logging.getLogger(__name__)

#: Seconds in which nobody else sends an entry that this runner has taken: longer than sending can take.
_HOLD = 300.0
#: Seconds of rest when the server takes nothing: at first, and at most.
_FIRST_REST = 15.0
_LAST_REST = 600.0


class Mailer:
    """Sends mail: each entry at least once, and once as long as no runner dies over it.

    Parameters
    ----------
    in_database
        Calls a function on the thread that talks to the database.
    settings
        The mail server; without one nothing is sent, and entries stay.
    """

    def __init__(
        self,
        store: Store,
        in_database: Callable[..., Awaitable[Any]],
        settings: SmtpSettings | None,
    ) -> None:
        self._store = store
        self._in_database = in_database
        self._settings = settings
        self._closing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="workflows-mail")
        self._told = False
        self._rest = 0.0
        self._rest_until = 0.0

    async def deliver(self) -> int:
        """Send what is due, and return how many messages went out."""
        if steady_seconds() < self._rest_until:
            return 0
        if self._settings is None:
            await self._tell_of_missing_settings()
            return 0
        if not await self._in_database(self._store.count_due_mail, KINDS):
            return 0
        loop = asyncio.get_running_loop()
        try:
            sent = await loop.run_in_executor(self._thread, self._deliver, self._settings, loop)
        except NotNow as error:
            self._rest = min(max(2 * self._rest, _FIRST_REST), _LAST_REST)
            self._rest_until = steady_seconds() + self._rest
            log.warning("no mail could be sent, next try in %d s: %s", self._rest, error)
            return 0
        self._rest = 0.0
        return sent

    async def close(self) -> None:
        """Send nothing more; what is on its way is finished, and recorded."""
        self._closing = True
        await asyncio.to_thread(self._thread.shutdown)

    async def _tell_of_missing_settings(self) -> None:
        if self._told or not await self._in_database(self._store.count_due_mail, KINDS):
            return
        self._told = True
        log.warning("mail waits to be sent, but %s does not name a mail server", VARIABLE)

    def _deliver(self, settings: SmtpSettings, loop: asyncio.AbstractEventLoop) -> int:
        """Send one after the other over one connection, on a thread of its own."""

        def in_database(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
            call = self._call(function, arguments, keywords)
            return asyncio.run_coroutine_threadsafe(call, loop).result()

        sent = 0
        with connected(settings) as server:
            while not self._closing:
                entry = in_database(self._store.take_mail, KINDS, hold=_HOLD)
                if entry is None:
                    break
                try:
                    message = in_database(self._message, entry, settings)
                    server.send(message)
                except NotNow as error:
                    in_database(self._store.outbox_failed, entry, str(error))
                    if error.everything:
                        raise
                    log.warning("mail %d was not taken and will be tried again: %s", entry.id, error)
                except Refused as error:
                    in_database(self._store.give_up_mail, entry, str(error))
                    log.warning("mail %d cannot be sent: %s", entry.id, error)
                else:
                    in_database(self._store.outbox_sent, entry)
                    sent += 1
        return sent

    async def _call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        return await self._in_database(function, *arguments, **keywords)

    def _message(self, entry: OutboxEntry, settings: SmtpSettings) -> EmailMessage:
        """Return the message of an entry; called on the database's thread."""
        try:
            details = self._store.get_run(str(entry.payload["run"]), data=False)
            to = self._store.owner_address(details.run.workflow_uid)
        except NotFound as error:
            raise Refused(str(error)) from error
        if details.run.mode is not RunMode.LIVE:
            raise Refused("test runs mail nobody")
        if not to:
            raise Refused("the workflow has no owner's address: jupyter workflows deploy --owner-address")
        try:
            return failure_letter(entry, settings, to, details)
        except ValueError as error:
            raise Refused(str(error)) from error
