"""Where log records go while a command runs."""

from __future__ import annotations

import logging

from .output import Output


class _ConsoleHandler(logging.Handler):
    """Prints records above a live display; tracebacks only where they were asked for."""

    def __init__(self, output: Output, level: int) -> None:
        super().__init__(level)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if not self._output.debug:
                record = logging.makeLogRecord(record.__dict__ | {"exc_info": None, "exc_text": None})
            self._output.note(self.format(record), "yellow" if record.levelno >= logging.WARNING else "dim")
        except Exception:
            self.handleError(record)


def log_to_console(output: Output, *, level: int = logging.WARNING, times: bool = False) -> None:
    """Print log records of this package and of the libraries on standard error.

    Parameters
    ----------
    times
        Begin each line with the time, for programs that run for long.
    """
    handler = _ConsoleHandler(output, level)
    layout = "%(asctime)s %(levelname)s %(message)s" if times else "%(levelname)s: %(message)s"
    handler.setFormatter(logging.Formatter(layout))
    root = logging.getLogger()
    for other in root.handlers[:]:
        if isinstance(other, _ConsoleHandler):
            root.removeHandler(other)
    root.addHandler(handler)
    logging.getLogger(__name__.partition(".")[0]).setLevel(logging.DEBUG if output.debug else level)
