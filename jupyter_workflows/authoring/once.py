"""`once`: a side effect that is not repeated when the notebook is executed again."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .attempt import current
from .errors import FormParked, OnceUnresolved
from .wire import decode, encode

if TYPE_CHECKING:
    from .attempt import Attempt


def once(key: str, fn: Callable[..., Any], /, *args: Any, idempotent: bool = False, **kwargs: Any) -> Any:
    """Call a function whose effect must not happen twice, and remember its result for the stage run.

    When the notebook is executed again (a retry, a form that was left and opened again), a call that
    finished returns its remembered result. One that raised runs again. One that was started and has no
    recorded end is not repeated by itself, as its effect may have happened.

    Parameters
    ----------
    key
        Names the call; each key can be used once in an execution.
    fn
        Called as ``fn(*args, **kwargs)``. Its result must be a stage-data value.
    idempotent
        Say that a repetition does no harm: a call without a recorded end then runs again.

    Returns
    -------
    object
        The result as stage data gives it back (a tuple is a list), the same in every execution.

    Raises
    ------
    OnceUnresolved
        An earlier attempt started the call, and nobody knows whether it happened.
    """
    attempt = current()
    _check_call(key, fn, attempt)
    if attempt.context.draft:
        return _round_trip(fn(*args, **kwargs), key, attempt)
    attempt.once_keys.add(key)
    known = attempt.journal.once(key)
    state = known["state"] if known else None
    if known and state == "completed":
        return decode(known.get("result"), load=attempt.blobs.load)
    if known and state in ("started", "unkept") and not (idempotent and state == "started"):
        raise OnceUnresolved(_unresolved(key, known, attempt))
    return _perform(key, lambda: fn(*args, **kwargs), attempt)


def _check_call(key: object, fn: object, attempt: Attempt) -> None:
    if not isinstance(key, str) or not key:
        raise TypeError(f"once needs a name (a string) as its first argument, not {key!r}")
    if not callable(fn):
        raise TypeError(
            f"once({key!r}) needs a function as its second argument, not {type(fn).__name__}: "
            f"write once({key!r}, function, argument), without calling the function"
        )
    if inspect.iscoroutinefunction(fn):
        raise TypeError(f"once({key!r}) can't await a coroutine function; wrap it in asyncio.run")
    if key in attempt.once_keys:
        raise ValueError(
            f"once({key!r}) was called before in this execution; each call needs a key of its own "
            "(in a loop, make the item part of it)"
        )


def _perform(key: str, call: Callable[[], Any], attempt: Attempt) -> Any:
    entry = {"type": "once", "key": key, "attempt": attempt.context.attempt}
    attempt.journal.append({**entry, "state": "started"})
    try:
        result = call()
    except (Exception, FormParked) as error:
        # Other ends of an execution (an interrupt, a kill) leave it open whether the effect happened.
        failure = {"name": type(error).__name__, "message": str(error)}
        attempt.journal.append({**entry, "state": "failed", "error": failure})
        raise
    try:
        wire = encode(result, key=f"the result of once({key!r})", save=attempt.blobs.save)
    except Exception as error:
        attempt.journal.append({**entry, "state": "unkept", "error": {"message": str(error)}})
        raise
    attempt.journal.append({**entry, "state": "completed", "result": wire})
    return decode(wire, load=attempt.blobs.load)


def _round_trip(result: Any, key: str, attempt: Attempt) -> Any:
    wire = encode(result, key=f"the result of once({key!r})", save=attempt.blobs.save)
    return decode(wire, load=attempt.blobs.load)


def _unresolved(key: str, known: dict[str, Any], attempt: Attempt) -> str:
    command = f"jupyter workflows runs retry {attempt.context.run_id} --once"
    done, again = shlex.quote(f"{key}=done:") + "JSON", shlex.quote(f"{key}=again")
    if known["state"] == "unkept":
        happened = "finished, but its result could not be kept"
    else:
        happened = "was started, and its end was never recorded: nobody knows whether it happened"
    return (
        f"once({json.dumps(key, ensure_ascii=False)}) {happened} (attempt {known.get('attempt', '?')}). "
        f"Find out, then continue the run with\n  {command} {done}   (it happened, with this result)\n"
        f"  {command} {again}   (it did not, or may happen again)"
    )
