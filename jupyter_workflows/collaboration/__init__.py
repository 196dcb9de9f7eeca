"""The workflow document as a shared one, for rooms of jupyter-collaboration."""

# It loads all shared documents that are installed, ours among them, so it has to come first.
import jupyter_ydoc  # noqa: F401
