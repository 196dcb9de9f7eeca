"""`python -m jupyter_workflows.cli`, for where the command is not on the path."""

from .main import main

if __name__ == "__main__":
    main()
