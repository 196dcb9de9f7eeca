"""`python -m jupyter_workflows.execution.kernels.server`: started by `ForkServer.start`."""

from __future__ import annotations

from jupyter_workflows.execution.kernels.server.main import main

if __name__ == "__main__":
    main()
