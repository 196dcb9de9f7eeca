"""How a runner works: limits, intervals, kernels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from .smtp import SmtpSettings


def default_concurrency() -> int:
    """Return how many attempts a runner executes at a time unless told otherwise.

    One more than the processors: while one attempt waits for its kernel, another one computes.
    """
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        processors = os.cpu_count() or 1
    return processors + 1


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """Settings of a runner.

    Parameters
    ----------
    concurrency
        Attempts executed at a time.
    pools
        Limits of concurrency by the stages' `pool` name. A pool without a limit here is not limited.
    kernel_pool
        Warm kernels kept ready.
    preload
        Modules imported once in the fork server, so that stages find them loaded.
    poll_interval
        Seconds between two looks into the database when no wake-up comes.
    renew_interval, abandon_after
        Seconds between two renewals of the leases, and after which a runner that could not renew them
        ends its own kernels.
    sweep_interval
        Seconds between two looks for lost attempts and expired tasks.
    retention_interval
        Seconds between two clean-ups of old runs; zero turns them off.
    schedule_interval
        The longest time in seconds between two looks at what jobs are due; zero: this runner starts none.
        It looks anyway when the next one is due.
    mail_interval
        Seconds between two looks at what mail is to be sent; zero: this runner sends none.
    smtp
        The mail server; `None`: mail waits.
    public_url
        Address of the server as callers outside see it, base URL included; callback addresses begin with it.
    form_idle
        Seconds without input after which a form that somebody has open is closed; what was filled in is kept.
    form_limit
        Forms that people may have open at a time, beside `concurrency`. 0: this runner opens none.
    keep_runs_for, keep_runs
        Age in seconds, and number for each workflow, beyond which ended live runs are removed. `None`: no
        limit.
    keep_versions
        How many of each workflow's newest versions are kept although they are not live and no run follows
        them. `None`: all.
    """

    concurrency: int = field(default_factory=default_concurrency)
    pools: Mapping[str, int] = field(default_factory=dict)
    kernel_pool: int = 2
    preload: tuple[str, ...] = ()
    poll_interval: float = 1.0
    renew_interval: float = 5.0
    abandon_after: float = 20.0
    sweep_interval: float = 5.0
    retention_interval: float = 3600.0
    public_url: str | None = None
    schedule_interval: float = 5.0
    mail_interval: float = 5.0
    smtp: SmtpSettings | None = None
    form_idle: float = 900.0
    form_limit: int = 64
    keep_runs_for: float | None = None
    keep_runs: int | None = None
    keep_versions: int | None = None

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {self.concurrency}")
        for name, limit in self.pools.items():
            if limit < 1:
                raise ValueError(f"the limit of pool {name!r} must be at least 1, not {limit}")
