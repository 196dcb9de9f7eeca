"""The servers whose editors start test runs: these are erased when their server starts again."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import astuple, dataclass

from .identity import RunnerIdentity, is_alive

_BETWEEN = "|"


@dataclass(frozen=True, slots=True)
class EditorServer:
    """A server's process, and the place that it and those after it serve.

    Parameters
    ----------
    place
        The same for each server of a folder on a host.
    """

    place: str
    process: RunnerIdentity

    @classmethod
    def current(cls, folder: str) -> EditorServer:
        """Return this process as the server of a folder."""
        process = RunnerIdentity.current()
        place = hashlib.sha256(f"{process.host}\n{folder}".encode()).hexdigest()[:20]
        return cls(place, process)

    @property
    def text(self) -> str:
        """What a run keeps of it."""
        return _BETWEEN.join([self.place, *map(str, astuple(self.process))])

    @property
    def prefix(self) -> str:
        """How the texts of all servers of this place begin."""
        return self.place + _BETWEEN

    @classmethod
    def parse(cls, text: str) -> EditorServer:
        """Return the server that `text` names."""
        place, name, host, boot, namespace, pid, ticks = text.split(_BETWEEN)
        return cls(place, RunnerIdentity(name, host, boot, namespace, int(pid), int(ticks)))

    @property
    def has_ended(self) -> bool:
        """Whether its process is known to be gone."""
        same_host = self.process.host == socket.gethostname()
        return is_alive(self.process, same_host=same_host) is False
