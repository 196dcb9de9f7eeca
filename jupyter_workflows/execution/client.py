"""The notebook client: executes the cells of a stage within its limits."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from typing import Any

import papermill  # noqa: F401  (its modules import each other; the package goes first)
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.log import logger

from jupyter_workflows.execution import messages, records
from jupyter_workflows.execution.forms import tell_guard
from jupyter_workflows.execution.kernels.errors import KernelStartError
from jupyter_workflows.execution.limits import Guard, StopReason
from jupyter_workflows.execution.manager import StageExecutionManager
from jupyter_workflows.execution.nodes import node
from jupyter_workflows.execution.responses import tells_response
from jupyter_workflows.execution.session import Session
from jupyter_workflows.execution.spec import AttemptError
from jupyter_workflows.model.states import AttemptState


class StageNotebookClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes a stage's notebook on a kernel that is started already.

    It differs from nbclient's own in these points. One task reads IOPub for the whole notebook; a missing
    idle status is a warning, since IOPub drops messages when its reader stalls, while everything that
    counts comes as replies on the shell channel. The kernel's end is noticed when it happens. And after the
    last cell the kernel is asked for the stage's data.
    """

    nb_man: StageExecutionManager

    def __init__(self, manager: StageExecutionManager, session: Session, **options: Any) -> None:
        super().__init__(manager, km=session.kernel.manager, log=logger, **options)
        self.session = session
        self._guard: Guard | None = None
        self._parent: str | None = None
        self._target: tuple[NotebookNode, int] | None = None
        self._idle = asyncio.Event()
        self._messages = 0
        self._tasks: list[asyncio.Future[Any]] = []

    def execute(self, **kwargs: Any) -> NotebookNode:
        """Execute the notebook; how it ended is in the session's result."""
        run_sync(self._execute_stage)()
        notebook: NotebookNode = self.nb
        return notebook

    async def _execute_stage(self) -> None:
        session = self.session
        guard = Guard(timeout=session.spec.timeout, memory=session.spec.memory, cancel=session.cancel)
        self._guard = guard
        work = asyncio.ensure_future(self._work(guard))
        stopped = asyncio.ensure_future(guard.stopped.wait())
        saver = asyncio.ensure_future(self._save_now_and_then())
        self._tasks += [work, stopped, saver]
        try:
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not work.done() or not await work:
                await self._stop(guard, work)
        except KernelStartError as error:
            if session.kernel.is_supported():
                session.result.fail(AttemptError("KernelStartError", str(error)))
            else:
                session.result.fail(_fork_server_died(None), AttemptState.LOST)
        except Exception as error:
            logger.exception("The execution of stage %s broke off", session.spec.stage_path)
            session.result.fail(AttemptError(type(error).__name__, str(error)))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await guard.close()
            self._finish_cell()
            self.set_widgets_metadata()
            if session.result.state is not AttemptState.COMPLETED:
                last = self._last_executed()
                self._leave_out(0 if last is None else last + 1)

    async def _work(self, guard: Guard) -> bool:
        """Do all that needs the kernel; return whether it came to an end of its own."""
        session = self.session
        started = time.perf_counter()
        await session.kernel.started()
        self.kc = session.kernel.client
        if session.spec.live:
            session.report("connectable", connection=session.kernel.connection())
        guard.watch(self.km.provisioner)
        await session.kernel.ready(session.limits.start)
        # Not before: until it is ready the kernel's client itself reads what is published.
        self._tasks.append(asyncio.ensure_future(self._read_outputs()))
        session.timings["kernel"] = time.perf_counter() - started
        session.report("started")
        if session.spec.attempt > 1:
            session.look_for_response()
        self.nb["metadata"]["language_info"] = node(session.kernel.language_info)
        guard.start_clock()
        started = time.perf_counter()
        success = await self._execute_cells(guard)
        session.timings["cells"] = time.perf_counter() - started
        if success and session.language.lower() == "python":
            started = time.perf_counter()
            await self._fetch_record()
            session.timings["record"] = time.perf_counter() - started
        return success is not None

    async def _execute_cells(self, guard: Guard) -> bool | None:
        """Execute the cells; return whether they ended successfully, or `None` if they were stopped."""
        session, cells = self.session, self.nb["cells"]
        for index, cell in enumerate(cells):
            if not _is_executed(cell):
                self.nb_man.cell_start(cell, index)
                self.nb_man.cell_complete(cell, index)
                continue
            self._report_cell(index)
            self.nb_man.cell_start(cell, index)
            try:
                reply = await self.async_execute_cell(cell, index)
            except BaseException:
                self.nb_man.cell_exception(cell, index)
                raise
            finally:
                self.nb_man.cell_complete(cell, index)
            session.look_for_response()
            if guard.reason is not None:
                self.nb_man.cell_exception(cell, index)
                return None
            ending = self._judge(cell, index, reply)
            if ending is not None:
                self._leave_out(index + 1)
                return ending
        return True

    async def async_execute_cell(
        self,
        cell: NotebookNode,
        cell_index: int,
        execution_count: int | None = None,
        store_history: bool = True,
    ) -> dict[str, Any]:
        """Execute a cell and return the content of the kernel's reply."""
        cell["outputs"] = []
        cell["metadata"]["execution"] = node()
        self.clear_before_next_output = False
        self._idle.clear()
        self._target = (cell, cell_index)
        self._parent = self.kc.execute(
            cell["source"], store_history=store_history, stop_on_error=not self._may_fail(cell)
        )
        self.code_cells_executed += 1
        reply = await self._reply(self._parent)
        await self._outputs_complete(cell_index)
        self._finish_cell()
        return reply

    async def _reply(self, request: str) -> dict[str, Any]:
        """Return the content of the shell channel's reply to a request."""
        while True:
            message = await self.kc.shell_channel.get_msg(timeout=None)
            if message["parent_header"].get("msg_id") == request:
                return dict(message["content"])

    def _may_fail(self, cell: NotebookNode) -> bool:
        return self.allow_errors or "raises-exception" in cell["metadata"].get("tags", ())

    def _judge(self, cell: NotebookNode, index: int, reply: dict[str, Any]) -> bool | None:
        """Say whether a cell's reply ends the notebook: successfully, with an error, or (`None`) not."""
        session, place = self.session, self.session.source_index(self.nb, index)
        if reply["status"] == "ok":
            if any(item.get("source") == "ask_exit" for item in reply.get("payload") or ()):
                session.result.warnings.append(messages.exit_called(place or 0, "exit()"))
                return True
            return None
        name, value = str(reply.get("ename", "Error")), str(reply.get("evalue", ""))
        if name == "StageEnded":
            records.replace_error(cell, name, value)
            return True
        if name == "FormParked":
            records.replace_error(cell, name, value)
            session.result.state = AttemptState.PARKED
            return False
        if name == "SystemExit" and value in ("", "0", "None"):
            session.result.warnings.append(messages.exit_called(place or 0, f"sys.exit({value})"))
            return True
        if self._may_fail(cell):
            for output in cell["outputs"]:
                if output["output_type"] == "error":
                    records.tolerate(cell, output)
            return None
        self.nb_man.cell_exception(cell, index)
        session.result.fail(
            AttemptError(
                name=name,
                message=messages.exception(name, value),
                cell=place,
                retriable=name not in records.FINAL_ERRORS,
                traceback=messages.traceback_text(reply.get("traceback")),
            )
        )
        return False

    def _leave_out(self, first: int) -> None:
        for cell in self.nb["cells"][first:]:
            if _is_executed(cell) and "jupyter_workflows" not in cell["metadata"]:
                self.nb_man.cell_not_run(cell)

    def _report_cell(self, index: int) -> None:
        place = self.session.source_index(self.nb, index)
        if place is not None:
            self.session.report("cell", cell=place + 1)

    # The stage's data

    async def _fetch_record(self) -> None:
        request = self.kc.execute(
            "", silent=True, store_history=False, user_expressions=records.QUESTION, stop_on_error=False
        )
        try:
            async with asyncio.timeout(self.session.limits.record):
                reply = await self._reply(request)
        except TimeoutError:
            reply = {}
        records.accept(self.session, reply)

    # Outputs

    async def _read_outputs(self) -> None:
        """Read IOPub until cancelled."""
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=None)
            self._messages += 1
            if self._messages % 64 == 0:
                await asyncio.sleep(0)  # a flood of messages never waits: let timers and replies have a turn
            if tells_response(message):
                self.session.look_for_response()
                continue
            if self._target is None or message["parent_header"].get("msg_id") != self._parent:
                continue
            if self.session.spec.live and self._guard is not None:
                tell_guard(message, self._guard)
            try:
                self.process_message(message, *self._target)
            except CellExecutionComplete:
                self._idle.set()
            except Exception:
                logger.exception("A message from the kernel could not be used")

    async def _outputs_complete(self, cell_index: int) -> None:
        """Wait for the cell's last output, or until none has come for a while."""
        while not self._idle.is_set():
            before = self._messages
            try:
                async with asyncio.timeout(self.iopub_timeout):
                    await self._idle.wait()
            except TimeoutError:
                if self._messages == before:
                    place = self.session.source_index(self.nb, cell_index) or 0
                    self.session.result.warnings.append(messages.outputs_lost(place))
                    return

    def _finish_cell(self) -> None:
        """Bring the outputs of the cell that was executed last into their final form."""
        if self._target is None:
            return
        (cell, index), self._target = self._target, None
        places = self.session.evidence.cell(index, cell["outputs"]).close()
        for cells in self._display_id_map.values():
            if index in cells:
                cells[index] = [places[place] for place in cells[index] if place in places]

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Add an output to a cell."""
        clearing = self.clear_before_next_output
        output: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
        if output is not None:
            keeper = self.session.evidence.cell(cell_index, outs)
            if clearing:
                keeper.reset()
            keeper.added()
        return output

    def clear_output(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Clear the output of a cell, at once or with the next one."""
        super().clear_output(outs, msg, cell_index)
        if not outs:
            self.session.evidence.cell(cell_index, outs).reset()

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        running = self._target
        places = self._display_id_map.get(display_id, {})
        if running is not None and running[1] in places:
            cell, index = running
            keeper = self.session.evidence.cell(index, cell["outputs"])
            places[index] = [place for place in places[index] if keeper.has(place)]
        super()._update_display_id(display_id, msg)

    async def _save_now_and_then(self) -> None:
        interval = self.session.limits.save
        while True:
            await asyncio.sleep(interval)
            self.session.look_for_response()
            if not self.nb_man.dirty:
                continue
            started = time.monotonic()
            with contextlib.suppress(OSError):  # the save at the end is the one that reports
                if self._target is None:
                    self.nb_man.flush()
                else:
                    cell, index = self._target
                    self.nb_man.flush(index, self.session.evidence.cell(index, cell["outputs"]).view())
            interval = max(self.session.limits.save, 20 * (time.monotonic() - started))

    # Limits

    async def _stop(self, guard: Guard, work: asyncio.Future[bool]) -> None:
        """End the execution for the guard's reason, and say so in the result."""
        assert guard.reason is not None
        killed = False
        if work.done():
            pass
        elif guard.reason in (StopReason.TIMED_OUT, StopReason.CANCELLED, StopReason.PARKED):
            killed = not await self._interrupt(guard, work)
        elif guard.reason is StopReason.MEMORY:
            await self._kill(guard)
        index = self._target[1] if self._target else self._last_executed()
        await self._last_outputs()
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        place = None if index is None else self.session.source_index(self.nb, index)
        error, state = self._stop_error(guard, place, killed=killed)
        result = self.session.result
        result.error, result.state, result.record = error, state, None
        self._show(error, index)

    async def _interrupt(self, guard: Guard, work: asyncio.Future[bool]) -> bool:
        """Interrupt the kernel; return whether that was enough."""
        if self._parent is not None:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                await self.km.interrupt_kernel()
            exited = asyncio.ensure_future(guard.exited.wait())
            await asyncio.wait(
                (work, exited), timeout=self.session.limits.grace, return_when=asyncio.FIRST_COMPLETED
            )
            exited.cancel()
            if work.done():
                return True
        await self._kill(guard)
        return False

    async def _kill(self, guard: Guard) -> None:
        if self.kc is None:  # it is being started: whoever does that ends it as well
            return
        if sys.platform == "win32":
            await self.km.provisioner.kill()
        else:
            await self.km.provisioner.send_signal(signal.SIGKILL)  # to all processes of the kernel's group
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.session.limits.grace):
                await guard.exited.wait()

    async def _last_outputs(self) -> None:
        """Take in what the kernel had sent before its end."""
        for _ in range(50):
            before = self._messages
            await asyncio.sleep(0.05)
            if self._messages == before:
                return

    def _last_executed(self) -> int | None:
        """Return the index of the last cell that began."""
        begun = [
            index
            for index, cell in enumerate(self.nb["cells"])
            if _is_executed(cell) and cell["metadata"]["papermill"].get("start_time")
        ]
        return begun[-1] if begun else None

    def _stop_error(
        self, guard: Guard, place: int | None, *, killed: bool
    ) -> tuple[AttemptError | None, AttemptState]:
        spec = self.session.spec
        if guard.reason is StopReason.TIMED_OUT:
            text = messages.timed_out(spec.stage_title, spec.timeout or 0, place, killed=killed)
            return AttemptError("StageTimeout", text, place), AttemptState.TIMED_OUT
        if guard.reason is StopReason.CANCELLED:
            return None, AttemptState.CANCELLED
        if guard.reason is StopReason.PARKED:
            return None, AttemptState.PARKED
        if guard.reason is StopReason.MEMORY:
            text = messages.memory_exceeded(spec.stage_title, spec.memory or 0, guard.used_memory, place)
            return AttemptError("MemoryLimitExceeded", text, place), AttemptState.FAILED
        kernel = self.session.kernel
        if not kernel.is_supported():
            return _fork_server_died(place), AttemptState.LOST
        if self._parent is None:
            text = kernel.start_failure(messages.kernel_not_ready(guard.exit_code))
            return AttemptError("KernelStartError", text), AttemptState.FAILED
        text = messages.kernel_died(place, guard.exit_code, spec.memory)
        return AttemptError("KernelDied", text, place), AttemptState.FAILED

    def _show(self, error: AttemptError | None, index: int | None) -> None:
        """Show in the executed copy why it ends where it ends."""
        if error is None or index is None:
            return
        cell = self.nb["cells"][index]
        cell["outputs"].append(
            node(output_type="error", ename=error.name, evalue=error.message, traceback=[error.message])
        )
        self.nb_man.cell_exception(cell, index)


def _is_executed(cell: NotebookNode) -> bool:
    return cell["cell_type"] == "code" and bool(cell["source"].strip())


def _fork_server_died(place: int | None) -> AttemptError:
    return AttemptError("ForkServerDied", messages.FORK_SERVER_DIED, place)
