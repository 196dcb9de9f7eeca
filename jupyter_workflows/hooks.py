"""What a hook's notebook uses: the request that it was called with, and the answer to it."""

from __future__ import annotations

from .authoring.hooks import get_request, respond
from .authoring.requests import MultiMapping, Request, Upload

__all__ = ["MultiMapping", "Request", "Upload", "get_request", "respond"]
