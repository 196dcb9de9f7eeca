"""Sending files, with conditional requests."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .problems import Problem

if TYPE_CHECKING:
    from .base import WorkflowsHandler

_CHUNK = 1024 * 1024


async def send_file(handler: WorkflowsHandler, file: Path, name: str, media_type: str) -> None:
    """Answer with a file, or 304 if the client has it."""
    try:
        stream = await asyncio.to_thread(file.open, "rb")
    except OSError:
        raise Problem(404, "not-found", "the file is not there any more") from None
    with stream:
        status = await asyncio.to_thread(file.stat)
        # Not a hash: an executed copy is replaced by rename, never changed in place.
        handler.set_header("ETag", f'"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"')
        handler.set_header("Last-Modified", formatdate(status.st_mtime, usegmt=True))
        handler.set_header("Cache-Control", "no-cache")
        handler.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name)}")
        if handler.check_etag_header():
            handler.set_status(304)
            await handler.finish()
            return
        handler.set_header("Content-Type", media_type)
        # Of what was opened, whatever is renamed to this place meanwhile.
        handler.set_header("Content-Length", str(stream.seek(0, 2)))
        stream.seek(0)
        while chunk := await asyncio.to_thread(stream.read, _CHUNK):
            handler.write(chunk)
            await handler.flush()
        await handler.finish(set_content_type=media_type)
