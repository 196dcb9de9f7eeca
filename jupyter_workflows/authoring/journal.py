"""The journal of a stage run: answers given and `once` results, one file per attempt, merged on read.

Each line is one JSON object, written and synced before the notebook goes on. A line that a killed
kernel left torn is no JSON object, and is ignored.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .blobs import Blobs, sync_folder
from .wire import encode

_NAME = re.compile(r"journal-(\d+)\.jsonl")


class Journal:
    """The merged journal of all attempts, to which one attempt appends.

    Parameters
    ----------
    folder
        The stage run's folder. `None`: nothing is kept (a draft).
    attempt
        The attempt whose file is written.
    """

    def __init__(self, folder: Path | None, attempt: int) -> None:
        self._answers: dict[int, dict[str, Any]] = {}
        self._once: dict[str, dict[str, Any]] = {}
        self._file = folder / f"journal-{attempt}.jsonl" if folder else None
        if folder is not None:
            for file in _files(folder):
                for entry in _entries(file):
                    self._take(entry)

    def answer(self, position: int) -> dict[str, Any] | None:
        """Return what was answered to the page at a position."""
        return self._answers.get(position)

    def answers_from(self, position: int) -> int:
        """Return how many pages at or after a position have an answer."""
        return sum(1 for place in self._answers if place >= position)

    def once(self, key: str) -> dict[str, Any] | None:
        """Return the last entry about a `once` key."""
        return self._once.get(key)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one entry; when this returns, it is on the disk."""
        entry = dict(entry)
        if self._file is not None:
            append_entry(self._file, entry)
        self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        kind, position, key = entry.get("type"), entry.get("position"), entry.get("key")
        if kind == "answer" and isinstance(position, int) and isinstance(entry.get("state"), dict):
            if not entry.get("keep"):
                self._drop(position)
            self._answers[position] = entry
        elif kind == "discard" and isinstance(position, int):
            self._drop(position)
        elif kind == "once" and isinstance(key, str) and isinstance(entry.get("state"), str):
            self._once[key] = entry

    def _drop(self, position: int) -> None:
        for place in [place for place in self._answers if place >= position]:
            del self._answers[place]


def append_entry(file: Path, entry: Mapping[str, Any]) -> None:
    """Append one line to a journal file and sync it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
    new = not file.exists()
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with open(descriptor, "r+b", buffering=0) as stream:  # noqa: PTH123 - a descriptor has no path
        end = stream.seek(0, os.SEEK_END)
        if end:
            stream.seek(end - 1)
            if stream.read(1) != b"\n":  # a torn line must not swallow this one
                line = b"\n" + line
        while line:
            line = line[stream.write(line) :]
        os.fsync(stream.fileno())
    if new:
        sync_folder(file.parent)


def resolve_once(
    folder: Path, attempt: int, resolutions: Mapping[str, str], *, after: int | None = None
) -> None:
    """Write down what a person decided about `once` calls whose end is unknown.

    Parameters
    ----------
    attempt
        The attempt that is about to start.
    resolutions
        For each key ``again``, or ``done:JSON`` with the result.
    after
        The last attempt of which the person knew; by default the one before. A decision is followed once:
        a later attempt has acted on it, or ended with a call of which the person knew nothing.

    Raises
    ------
    ValueError
        A resolution is neither.
    """
    blobs = Blobs(folder, None, attempt)
    entries = []
    followed = _keys_after(folder, attempt - 1 if after is None else after)
    for key, resolution in resolutions.items():
        entry: dict[str, Any] = {"type": "once", "key": key, "attempt": attempt}
        if resolution == "again":
            entries.append({**entry, "state": "again"})
            continue
        word, _, text = resolution.partition(":")
        try:
            result = json.loads(text)
        except ValueError:
            word = ""
        if word != "done":
            raise ValueError(f"{key}={resolution}: say {key}=again, or {key}=done:JSON with its result")
        wire = encode(result, key="result", save=blobs.save)
        entries.append({**entry, "state": "completed", "result": wire})
    for entry in entries:
        if entry["key"] in followed:
            continue
        append_entry(folder / f"journal-{attempt}.jsonl", entry)


def _keys_after(folder: Path, attempt: int) -> set[str]:
    """Return the keys of `once` calls that attempts after the given one wrote something about."""
    return {
        entry["key"]
        for file in _files(folder)
        for entry in _entries(file)
        if entry.get("type") == "once"
        and isinstance(entry.get("key"), str)
        and isinstance(entry.get("attempt"), int)
        and entry["attempt"] > attempt
    }


def _files(folder: Path) -> list[Path]:
    try:
        names = [file.name for file in folder.iterdir()]
    except OSError:
        return []
    found = [(int(match[1]), match[0]) for name in names if (match := _NAME.fullmatch(name))]
    return [folder / name for _, name in sorted(found)]


def _entries(file: Path) -> list[dict[str, Any]]:
    entries = []
    for line in file.read_bytes().split(b"\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries
