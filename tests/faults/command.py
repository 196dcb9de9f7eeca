"""The command: ``python -m tests.faults --kills 1000 --database sqlite``.

The last long one, with the server among the victims and hooks called over HTTP meanwhile:

==========  ========  =====  =====  ==========  ========  =======  =========
date        database  kills  runs   stage runs  attempts  effects  due times
==========  ========  =====  =====  ==========  ========  =======  =========
2026-11-24  SQLite    900    1,305  3,968       5,228     1,240    686
==========  ========  =====  =====  ==========  ========  =======  =========

It was ended before 1,000 kills, on a machine with a load of 10 to 20, while 320 runs were still under way, so
that only what its database, logs and effects show was checked: no stage completed twice, no effect happened
twice, each of the due times has one run, none left out, no two kernels at once, the database is whole. Three
processes whose runner was killed left a stack trace in the log; this was mended. Of PostgreSQL there is none.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from support.postgres import postgres_server

from .campaign import Campaign, Settings
from .invariants import check
from .report import figures, text


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign, print its report, and return 1 if something is wrong after it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Kill processes at random.")
    parser.add_argument("--kills", type=int, default=1000, metavar="N")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, help="Repeats what chance decided; by default another each time.")
    parser.add_argument("--pause", type=float, default=1.5, help="Seconds between kills, on average.")
    parser.add_argument("--minutes", type=float, help="Kill for so long at most, then see what came of it.")
    parser.add_argument("--json", action="store_true", help="Print the report as JSON.")
    parser.add_argument("--keep", action="store_true", help="Keep the folder with databases, logs, evidence.")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", file=sys.stderr, flush=True)
    folder = Path(tempfile.mkdtemp(prefix="jwc-", dir="/tmp"))
    os.environ["JUPYTER_DATA_DIR"] = str(folder / "own")
    wrong = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # not without ending the runners
    try:
        with _database(given.database, folder) as url:
            seconds = math.inf if given.minutes is None else 60 * given.minutes
            settings = Settings(url, given.kills, seed, pause=given.pause, seconds=seconds)
            campaign = Campaign(folder, settings, _tell)
            try:
                campaign.run()
                found = figures(campaign, check(campaign))
            finally:
                campaign.close()
        wrong = bool(found["anomalies"])
        print(json.dumps(found, indent=2) if given.json else text(found))
    finally:
        if wrong or given.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return int(wrong)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'state' / 'campaign.sqlite3'}"
        return
    with contextlib.contextmanager(postgres_server)() as server:
        yield server.create_database()
