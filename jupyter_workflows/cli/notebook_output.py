"""What an executed notebook printed, as text."""

from __future__ import annotations

from jupyter_workflows.execution.printed import plain, printed

__all__ = ["plain", "printed"]
