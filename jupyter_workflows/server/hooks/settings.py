"""How hooks are served."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HookSettings:
    """Limits and addresses.

    Parameters
    ----------
    public_url
        The server's address as callers see it, base URL included; `None`: what their requests name.
    largest_body
        Bytes of a request's body.
    body_timeout
        Seconds within which a request's body has to arrive.
    queue_depth
        How many stage runs of a workflow may be queued before further requests are refused with 429.
    longest_wait
        Seconds that a caller waits for an answer at most, whatever the hook says.
    replay_window
        Seconds by which a signature's time may differ from ours.
    allow_origins
        Origins whose pages may call hooks from a browser; ``*`` for all.
    """

    public_url: str | None = None
    largest_body: int = 10 * 1024 * 1024
    body_timeout: float = 30.0
    queue_depth: int = 1000
    longest_wait: float = 300.0
    replay_window: float = 300.0
    allow_origins: tuple[str, ...] = ()

    #: Bytes of a request's headers, and of its address.
    largest_headers: int = 32 * 1024
    longest_address: int = 8 * 1024
